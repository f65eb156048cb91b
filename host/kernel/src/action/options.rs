//! What all actions with options have in common.

use std::collections::BTreeMap;

use crate::action::{Action, Choice};

impl Action {
    /// Ids and labels of what it offers, in order; absent where it offers nothing.
    pub fn options(&self) -> Option<Vec<(&str, &str)>> {
        match self {
            Self::Bubbles(it) => Some(of(&it.options)),
            Self::ButtonTemplate(it) => Some(of(&it.buttons)),
            Self::Carousel(it) => {
                Some(it.cards.iter().map(|card| (&*card.id, &*card.label)).collect())
            }
            Self::ListTemplate(it) => {
                let rows = it.sections.iter().flat_map(|section| &section.rows);
                Some(rows.map(|row| (&*row.id, &*row.label)).collect())
            }
            Self::Message(_)
            | Self::Buttons(_)
            | Self::RichLink(_)
            | Self::Media(_)
            | Self::Navigate(_)
            | Self::Typing(_)
            | Self::Delay(_)
            | Self::ContextUpdate(_)
            | Self::ContextClear
            | Self::ContactUpdate(_)
            | Self::ConversationUpdate(_)
            | Self::NoteCreate(_)
            | Self::Tag(_)
            | Self::Untag(_)
            | Self::Priority(_)
            | Self::WorkQueue(_)
            | Self::Resolve(_)
            | Self::SecureForm(_)
            | Self::Forward(_)
            | Self::Abort
            | Self::End
            | Self::AddonDispatch(_)
            | Self::EmailDispatch(_)
            | Self::Schedule(_)
            | Self::CancelTimer(_)
            | Self::Request(_)
            | Self::Passthrough(_)
            | Self::Other(_) => None,
        }
    }

    /// What stands in the place of its options' labels where a medium has no room for them,
    /// by the place of the option.
    pub(crate) fn short_labels(&self) -> BTreeMap<usize, String> {
        let short: Vec<&Option<String>> = if let Self::Bubbles(it) = self {
            it.options.iter().map(|choice| &choice.short_label).collect()
        } else if let Self::ButtonTemplate(it) = self {
            it.buttons.iter().map(|choice| &choice.short_label).collect()
        } else if let Self::Carousel(it) = self {
            it.cards.iter().map(|card| &card.short_label).collect()
        } else if let Self::ListTemplate(it) = self {
            let rows = it.sections.iter().flat_map(|section| &section.rows);
            rows.map(|row| &row.short_label).collect()
        } else {
            Vec::new()
        };
        let given = short.into_iter().enumerate().filter_map(|(n, it)| Some((n, it.clone()?)));
        given.filter(|(_, label)| !label.trim().is_empty()).collect()
    }

    /// The ids of its options, in order; none for actions without options.
    pub fn option_ids(&self) -> impl Iterator<Item = &str> {
        self.options().into_iter().flatten().map(|(id, _)| id)
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
}

fn of(choices: &[Choice]) -> Vec<(&str, &str)> {
    choices.iter().map(|choice| (&*choice.id, &*choice.label)).collect()
}
