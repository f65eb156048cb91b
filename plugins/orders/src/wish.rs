//! What people come for.

use botyard_sdk::event::Click;

/// Something that a person may want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// To know where an order is.
    Delivery,
    /// To send an item back.
    Return,
    /// To talk to a human.
    Support,
}

impl Wish {
    const ALL: [Self; 3] = [Self::Delivery, Self::Return, Self::Support];

    /// The option that was chosen.
    pub(crate) fn of_click(click: &Click) -> Option<Self> {
        let chosen = |wish: &Self| click.option_ids.iter().any(|id| id == wish.id());
        Self::ALL.into_iter().find(chosen)
    }

    /// What a text asks for, by its words; nothing where it names more than one wish.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
        let named = |wish: &Self| wish.words().iter().any(|word| words.contains(word));
        let mut wishes = Self::ALL.into_iter().filter(named);
        wishes.next().filter(|_| wishes.next().is_none())
    }

    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Delivery => "delivery",
            Self::Return => "return",
            Self::Support => "support",
        }
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Delivery => "Delivery status",
            Self::Return => "Return an item",
            Self::Support => "Talk to support",
        }
    }

    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Delivery => &["delivery", "deliver", "delivered", "shipping", "parcel"],
            Self::Return => &["return", "returns", "refund"],
            Self::Support => &["support", "human", "agent", "somebody"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_name_wishes() {
        let rows = [
            ("Delivery status", Some(Wish::Delivery)),
            ("my PARCEL is late!", Some(Wish::Delivery)),
            ("Return an item", Some(Wish::Return)),
            ("talk to support", Some(Wish::Support)),
            ("support my return", None),
            ("I am supportive", None),
            ("", None),
        ];
        for (text, wish) in rows {
            assert_eq!(Wish::of_text(text), wish, "{text}");
        }
    }
}
