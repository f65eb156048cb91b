//! What a person sees: texts, pictures and menus.

use botyard_kernel::action::{Action, Card};

/// One thing that a person sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Text(String),
    /// By its address.
    Picture(String),
    Menu(Menu),
}

/// A text with options to tap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Menu {
    pub(crate) text: String,
    pub(crate) options: Vec<Choice>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) label: String,
    /// The address of a picture.
    pub(crate) picture: Option<String>,
}

impl Shown {
    /// What an action shows, of those that bots use here.
    pub(crate) fn of(action: &Action) -> Option<Self> {
        let choice =
            |label: &str, picture: Option<String>| Choice { label: label.to_owned(), picture };
        if let Action::Message(it) = action {
            Some(Self::Text(it.text.clone()))
        } else if let Action::Media(it) = action {
            Some(Self::Picture(it.link.clone()))
        } else if let Action::Bubbles(it) = action {
            let options = it.options.iter().map(|option| choice(&option.label, None)).collect();
            Some(Self::Menu(Menu { text: it.text.clone(), options }))
        } else if let Action::Carousel(it) = action {
            let card = |card: &Card| choice(&card.label, card.image.clone());
            let options = it.cards.iter().map(card).collect();
            Some(Self::Menu(Menu { text: it.text.clone(), options }))
        } else {
            None
        }
    }
}
