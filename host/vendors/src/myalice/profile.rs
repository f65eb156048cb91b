//! What a person at `MyAlice` can be sent by REST: texts, by `profile.toml` beside this
//! file. What a block can show besides is said by its form, see [`super::rides`].

use botyard_kernel::profile::Profile;

use super::NAME;
use super::data::Data;
use super::form::{self, Form};
use crate::profiles::File;

/// What every platform can carry: nothing that we are told says which kind it is of.
pub(crate) static FILE: File = File::new(NAME, include_str!("profile.toml"), |_| all())
    .with_answers(&[
        (Form::Text.name(), || block(Form::Text)),
        (Form::Image.name(), || block(Form::Image)),
        (Form::Gallery.name(), || block(Form::Gallery)),
        (Form::Button.name(), || block(Form::Button)),
        (Form::QuickReply.name(), || block(Form::QuickReply)),
    ]);

/// Characters of a text. The vendor states no limit and passes texts on to mediums that
/// have their own: this is that of Facebook Messenger, the least of the common ones but
/// for Instagram's. A guess.
pub(super) const TEXT_CHARACTERS: usize = 2_000;

pub(super) fn all() -> Profile {
    FILE.profile("*")
}

/// What a person is shown who comes to a block of this output type.
fn block(form: Form) -> Profile {
    let mut profile = all();
    profile.let_ride(form::rides(form.name(), &Data::default()));
    profile
}
