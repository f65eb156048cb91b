//! Menus that were offered, and which of their options a person means.
//!
//! A tap names its option; what is typed is compared with the last menu, as long as
//! nothing else was asked since: its number, an ordinal, its label or nearly so. Where
//! more than one option fits, none is taken: the bot sees the text and asks again.
//!
//! A menu with more options than the medium shows at once has pages. The host itself
//! shows the next one to whoever asks for more; the bot hears of the option only.

mod asking;
mod normal;
mod number;
mod ordinal;
mod pages;
mod recognize;
#[cfg(test)]
mod tests;
mod token;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::event::{Click, EventBody, First, Message};
use crate::id::PartId;
use crate::log::Conversation;
use crate::time::Millis;
pub(crate) use asking::asks_more;
pub use number::{NUMBERS_OF_TEXTS, number_of, of_number};
use pages::Meant;
pub(crate) use pages::Page;
pub use recognize::{Recognition, recognize};
pub(crate) use token::{link_pages, shorten_ids};

/// At most so many menus of a conversation are remembered, the newest.
pub const MENUS_MAX: usize = 8;
/// At most so many bytes of their options and pages; the newest is always remembered.
pub const MENUS_BYTES_MAX: usize = 32 * 1024;

/// How texts are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Which of them mean an option of the menu that was asked last.
    pub(crate) recognition: Recognition,
    /// A tap that comes late arrives as a text with the label.
    pub(crate) late_taps: bool,
}

/// A menu that was offered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Menu {
    /// The part that offered it: what events call it.
    pub id: String,
    /// When.
    pub offered_ms: Millis,
    /// Nothing else was asked since: typed texts may answer it. At most one menu of a
    /// conversation is.
    pub current: bool,
    /// What was said behind it in the same turn asks something else: a text means an option
    /// by its whole label only.
    #[serde(default, skip_serializing_if = "is_false")]
    pub asked_behind: bool,
    /// A person read it as numbered text, so that a number is that of an option, whatever
    /// labels say.
    #[serde(default, skip_serializing_if = "is_false")]
    pub numbered: bool,
    /// Ids and labels, in order.
    pub options: Vec<(String, String)>,
    /// What the bot calls options where a medium has no room for their labels, by the place
    /// of the option: a person may have read that.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub short: BTreeMap<usize, String>,
    /// The pages after the first, as the medium gets them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<Action>,
    /// Which of them was shown last, from 1; 0 stands for the first page.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub shown: usize,
}

fn is_false(value: &bool) -> bool {
    !*value
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Whether two texts are the same to somebody who reads them.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    normal::normal(one) == normal::normal(other)
}

impl Menu {
    /// The menu that an action offers now, on its first page.
    pub(crate) fn of(
        action: &Action,
        id: &PartId,
        pages: Vec<Action>,
        now: Millis,
    ) -> Option<Self> {
        let owned = |(id, label): (&str, &str)| (id.to_owned(), label.to_owned());
        Some(Self {
            id: id.to_string(),
            offered_ms: now,
            current: true,
            asked_behind: false,
            numbered: false,
            options: action.options()?.into_iter().map(owned).collect(),
            short: action.short_labels(),
            pages,
            shown: 0,
        })
    }

    /// The options with this label, whole or short.
    fn with_label(&self, label: &str) -> impl Iterator<Item = usize> {
        let is = move |option: &usize| {
            let whole = &self.options[*option].1;
            whole == label || self.short.get(option).is_some_and(|short| short == label)
        };
        (0..self.options.len()).filter(is)
    }

    /// The one option with this label.
    fn only_labelled(&self, label: &str) -> Option<usize> {
        let mut labelled = self.with_label(label);
        let option = labelled.next()?;
        labelled.next().is_none().then_some(option)
    }

    /// Its option at this place, which a text has named.
    fn typed(&self, option: usize, text: &str) -> Click {
        let (id, label) = self.options[option].clone();
        Click {
            option_ids: vec![id],
            label: Some(label),
            menu: Some(self.id.clone()),
            stale: false,
            typed_text: Some(text.to_owned()),
        }
    }

    /// The option with this id, or for which this token stands.
    fn place(&self, id: &str) -> Option<usize> {
        let own = self.options.iter().position(|(own, _)| own == id);
        let named = || token::option_of(&self.id, id).filter(|place| *place < self.options.len());
        let numbered = || self.options.iter().position(|(own, _)| number::stands_for(id, own));
        own.or_else(named).or_else(numbered)
    }

    /// The turn that offered it, by the id of its part.
    fn turn(&self) -> &str {
        self.id.split('.').next().unwrap_or_default()
    }

    fn bytes(&self) -> usize {
        let options: usize = self.options.iter().map(|(id, label)| id.len() + label.len()).sum();
        let short: usize = self.short.values().map(String::len).sum();
        options + short + pages::bytes(&self.pages)
    }
}

impl Conversation {
    /// Remembers a menu that is offered now; older ones are not current any more.
    pub(crate) fn offer(&mut self, menu: Menu) {
        self.close_menus();
        self.menus.push(menu);
        let mut bytes = 0;
        let fits = |menu: &&Menu| {
            bytes += menu.bytes();
            bytes <= MENUS_BYTES_MAX
        };
        let kept = self.menus.iter().rev().take(MENUS_MAX).take_while(fits).count().max(1);
        self.menus.drain(..self.menus.len() - kept);
    }

    /// Something else is asked, or somebody else speaks: typed texts answer no menu.
    pub(crate) fn close_menus(&mut self) {
        self.menus.iter_mut().for_each(|menu| menu.current = false);
    }

    /// What a person says, with the option that they mean, where it is known.
    pub(crate) fn understand(&self, body: EventBody, reading: Reading) -> EventBody {
        match body {
            EventBody::Message(message) => match self.typed(&message, reading) {
                Some(click) => EventBody::Click(click),
                None => EventBody::Message(message),
            },
            EventBody::Click(click) => EventBody::Click(self.tapped(click)),
            EventBody::Start(mut start) => {
                start.first = start.first.map(|first| self.understand_first(first, reading));
                EventBody::Start(start)
            }
            body @ (EventBody::Media(_)
            | EventBody::Location(_)
            | EventBody::Timer(_)
            | EventBody::Response(_)
            | EventBody::Signal(_)
            | EventBody::ForwardFailed(_)
            | EventBody::Returned(_)
            | EventBody::HumanSpoke(_)
            | EventBody::Ended(_)
            | EventBody::CampaignUnsubscribe(_)
            | EventBody::DeliveryFailed(_)
            | EventBody::Other(_)) => body,
        }
    }

    fn understand_first(&self, first: First, reading: Reading) -> First {
        match first {
            First::Message(message) => match self.typed(&message, reading) {
                Some(click) => First::Click(click),
                None => First::Message(message),
            },
            First::Click(click) => First::Click(self.tapped(click)),
            first @ (First::Media(_) | First::Location(_)) => first,
        }
    }

    fn typed(&self, message: &Message, reading: Reading) -> Option<Click> {
        let (text, locale) = (&*message.text, self.facts.locale.as_deref());
        let current = self.current_menu();
        let meant = current.and_then(|(_, menu)| menu.meant(text, locale, reading.recognition));
        match (current, meant) {
            (Some((_, menu)), Some(Meant::Option(option))) => Some(menu.typed(option, text)),
            (_, Some(Meant::NextPage)) => None,
            // Two options fit: the bot asks again.
            (Some((_, menu)), None) if menu.with_label(text).count() > 1 => None,
            (_, None) | (None, _) => self.tapped_late(text, reading),
        }
    }

    /// A tap on a menu that was answered, or is older, of which the vendor tells by the
    /// label alone. A number may as well be the answer to what was asked since.
    fn tapped_late(&self, text: &str, reading: Reading) -> Option<Click> {
        let off = !reading.late_taps || reading.recognition == Recognition::Off;
        if off || recognize::is_place(text, self.facts.locale.as_deref()) {
            return None;
        }
        let (place, option) = self.newest(|menu| menu.only_labelled(text))?;
        Some(Click { stale: true, ..self.menus[place].typed(option, text) })
    }

    /// A tap with what is known of the menu that offered it: the newest with this option.
    /// Not every vendor gives ids back as they were: where no menu has the id, the label
    /// tells the option.
    fn tapped(&self, mut click: Click) -> Click {
        let Some(id) = click.option_ids.first() else { return click };
        let by_id = self.newest(|menu| menu.place(id));
        let found = by_id.or_else(|| {
            let label = click.label.as_ref().filter(|_| click.option_ids.len() == 1)?;
            self.newest(|menu| menu.only_labelled(label))
        });
        if let Some((place, option)) = found {
            let menu = &self.menus[place];
            let (id, label) = &menu.options[option];
            click.option_ids[0].clone_from(id);
            click.menu.get_or_insert_with(|| menu.id.clone());
            click.label.get_or_insert_with(|| label.clone());
            // Menus of one turn are offered together.
            click.stale |= self.menus.last().is_some_and(|last| last.turn() != menu.turn());
        }
        click
    }

    /// The menu that was asked last, where nothing else was asked since.
    fn current_menu(&self) -> Option<(usize, &Menu)> {
        self.menus.iter().enumerate().rfind(|(_, menu)| menu.current)
    }

    /// The newest menu that has an option, and the option.
    fn newest(&self, option: impl Fn(&Menu) -> Option<usize>) -> Option<(usize, usize)> {
        let menus = self.menus.iter().enumerate().rev();
        menus.filter_map(|(place, menu)| Some((place, option(menu)?))).next()
    }
}
