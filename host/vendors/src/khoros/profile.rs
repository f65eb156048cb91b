//! What a network can carry through Khoros: the limits of `profile.toml` beside this
//! file, and what the channel's dialect says of its networks.

use std::num::NonZeroUsize;

use botyard_kernel::profile::{Medium, Profile};

use super::NAME;
use super::dialect::Dialect;
use crate::profiles::File;

/// What the vendor carries where the dialect says nothing else.
pub(crate) static FILE: File =
    File::new(NAME, include_str!("profile.toml"), |network| of(&Dialect::default(), network));

/// What networks with buttons that come back take.
const BUTTONS: &[&str] = &[
    "bubbles",
    // Quick replies of Facebook, reply actions of Brand Messenger.
    "bubbles_until_next",
    "button_template",
    "button_template_header_text",
    "button_template_footer",
];
/// What networks with list pickers take.
const LISTS: &[&str] = &[
    "bubbles",
    "carousel",
    "list_template",
    "list_template_multiple",
    "list_template_sections",
    "list_template_details",
];

/// What a network can carry.
pub(super) fn of(dialect: &Dialect, network: &str) -> Profile {
    FILE.changed(network, |medium| by_dialect(dialect, network, medium))
}

/// The lists of networks decide alone which of these a network has.
fn by_dialect(dialect: &Dialect, network: &str, medium: &mut Medium) {
    let networks = &dialect.networks;
    let has = |named: &[String]| named.iter().any(|it| it == network);
    let lists = has(&networks.lists);
    let typing = has(&networks.typing);
    let parts: [(&[&str], bool); 5] = [
        (LISTS, lists),
        (BUTTONS, has(&networks.buttons) && !lists),
        (&["typing"], typing),
        // "Sending a message does not automatically stop the typing indicator."
        (&["typing_until_stopped"], typing && dialect.stop_typing),
        (&["secure_form"], has(&networks.forms)),
    ];
    let decided = |name: &&str| parts.iter().any(|(part, _)| part.contains(name));
    medium.native.retain(|name| !decided(name));
    for (part, _) in parts.iter().filter(|(_, carried)| *carried) {
        medium.native.extend_from_slice(part);
    }
    if let Some(most) = networks.text_characters.get(network).map(|most: &NonZeroUsize| most.get())
    {
        std::sync::Arc::make_mut(&mut medium.limits).text.max = most;
    }
}
