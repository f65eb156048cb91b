//! What all actions with options have in common.

use std::collections::BTreeMap;

use crate::action::{Action, Choice};

/// An option: its id, its label and its short one.
type Offered<'a> = (&'a str, &'a str, Option<&'a str>);

impl Action {
    /// Ids and labels of what it offers, in order; absent where it offers nothing.
    pub fn options(&self) -> Option<Vec<(&str, &str)>> {
        Some(self.offered()?.into_iter().map(|(id, label, _)| (id, label)).collect())
    }

    fn offered(&self) -> Option<Vec<Offered<'_>>> {
        match self {
            Self::Bubbles(it) => Some(of(&it.options)),
            Self::ButtonTemplate(it) => Some(of(&it.buttons)),
            Self::Carousel(it) => {
                let cards = it.cards.iter();
                Some(cards.map(|it| (&*it.id, &*it.label, it.short_label.as_deref())).collect())
            }
            Self::ListTemplate(it) => {
                let rows = it.sections.iter().flat_map(|section| &section.rows);
                Some(rows.map(|it| (&*it.id, &*it.label, it.short_label.as_deref())).collect())
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
        let all = self.offered().into_iter().flatten().enumerate();
        let given = all.filter_map(|(n, (_, _, short))| Some((n, short?)));
        let said = given.filter(|(_, label)| !label.trim().is_empty());
        said.map(|(n, label)| (n, label.to_owned())).collect()
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

fn of(choices: &[Choice]) -> Vec<Offered<'_>> {
    choices.iter().map(|it| (&*it.id, &*it.label, it.short_label.as_deref())).collect()
}
