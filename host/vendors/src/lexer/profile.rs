//! What the mediums of this vendor can carry: those of Messenger, which it rides on.

use super::NAME;
use crate::messenger;
use crate::profiles::File;

pub(crate) static FILE: File = messenger::profile::FILE.of_vendor(NAME);
