//! What all actions with options have in common.

use crate::action::{Action, Choice};

impl Action {
    /// The ids of its options, in order; none for actions without options.
    pub fn option_ids(&self) -> impl Iterator<Item = &str> {
        let cards = if let Self::Carousel(carousel) = self { &*carousel.cards } else { &[] };
        let sections = if let Self::ListTemplate(list) = self { &*list.sections } else { &[] };
        let choices = self.choices().iter().map(|choice| &*choice.id);
        let cards = cards.iter().map(|card| &*card.id);
        let rows = sections.iter().flat_map(|section| &section.rows).map(|row| &*row.id);
        choices.chain(cards).chain(rows)
    }

    /// The same, to put something else in their place: a medium may take shorter
    /// ones only, see [`crate::profile::Profile::takes_ids`].
    pub fn option_ids_mut(&mut self) -> Vec<&mut String> {
        if let Self::Bubbles(bubbles) = self {
            bubbles.options.iter_mut().map(|choice| &mut choice.id).collect()
        } else if let Self::ButtonTemplate(template) = self {
            template.buttons.iter_mut().map(|choice| &mut choice.id).collect()
        } else if let Self::Carousel(carousel) = self {
            carousel.cards.iter_mut().map(|card| &mut card.id).collect()
        } else if let Self::ListTemplate(list) = self {
            let rows = list.sections.iter_mut().flat_map(|section| &mut section.rows);
            rows.map(|row| &mut row.id).collect()
        } else {
            Vec::new()
        }
    }

    fn choices(&self) -> &[Choice] {
        if let Self::Bubbles(bubbles) = self {
            &bubbles.options
        } else if let Self::ButtonTemplate(template) = self {
            &template.buttons
        } else {
            &[]
        }
    }
}
