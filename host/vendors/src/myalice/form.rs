//! What a block shows: the output type that was chosen for its API.

use super::data::Data;

/// An output type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Image,
    Gallery,
    Button,
    QuickReply,
}

/// The form of the answers to ticket webhooks: nobody is shown them.
pub(super) const TICKETS: &str = "tickets";

/// Which actions may ride in an answer of this form, by their canonical names:
/// `contact_update`, and one of the others. With them stand the names that the kernel
/// gives to parts of them, by whether the templates have a place for a text.
pub(super) fn rides(form: &str, data: &Data) -> &'static [&'static str] {
    Form::named(form).map_or(&[], |form| form.rides(data.tells(form)))
}

impl Form {
    /// All of them.
    pub(super) const ALL: [Self; 5] =
        [Self::Text, Self::Image, Self::Gallery, Self::Button, Self::QuickReply];

    /// The form of this name, as it stands in URLs.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Gallery => "gallery",
            Self::Button => "button",
            Self::QuickReply => "quick-reply",
        }
    }

    fn rides(self, tells: bool) -> &'static [&'static str] {
        match (self, tells) {
            (Self::Text, _) => &["message", "contact_update"],
            (Self::Image, _) => &["media", "contact_update"],
            (Self::Gallery, true) => &["carousel", "rich_link", "contact_update"],
            (Self::Gallery, false) => {
                &["carousel", "carousel_text_apart", "rich_link", "contact_update"]
            }
            (Self::Button, true) => &["buttons", "buttons_text", "contact_update"],
            (Self::Button, false) => &["buttons", "contact_update"],
            (Self::QuickReply, true) => &["bubbles", "contact_update"],
            (Self::QuickReply, false) => {
                &["bubbles", "bubbles_text_apart", "bubbles_until_next", "contact_update"]
            }
        }
    }
}
