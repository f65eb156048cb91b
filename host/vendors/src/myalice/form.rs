//! What a block shows: the output type that was chosen for its API.

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
/// `contact_update`, and one of the others.
pub fn rides(form: &str) -> &'static [&'static str] {
    Form::named(form).map_or(&[], Form::rides)
}

impl Form {
    const ALL: [Self; 5] = [Self::Text, Self::Image, Self::Gallery, Self::Button, Self::QuickReply];

    /// The form of this name, as it stands in URLs.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Gallery => "gallery",
            Self::Button => "button",
            Self::QuickReply => "quick-reply",
        }
    }

    fn rides(self) -> &'static [&'static str] {
        match self {
            Self::Text => &["message", "contact_update"],
            Self::Image => &["media", "contact_update"],
            Self::Gallery => &["carousel", "rich_link", "contact_update"],
            Self::Button => &["buttons", "contact_update"],
            Self::QuickReply => &["bubbles", "contact_update"],
        }
    }
}
