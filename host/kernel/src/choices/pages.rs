//! Menus with more options than the medium shows at once.

use std::ops::Range;

use super::recognize::{Meaning, Recognition, meaning};
use super::{Menu, is_same, token};
use crate::action::Action;
use crate::degrade::more;
use crate::event::EventBody;
use crate::log::Conversation;

/// A page that a person asks for: of which menu, and which one after the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    menu: usize,
    page: usize,
}

/// What a text means of a menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// The option at this place of the whole menu, from 0.
    Option(usize),
    /// The page after the one that was shown last.
    NextPage,
}

impl Menu {
    /// What a text means: an option by any of its names, or more of them. A number is that
    /// of the page which was shown last, where "more" has one, too; larger ones are those
    /// of the whole menu.
    pub(super) fn meant(
        &self,
        text: &str,
        locale: Option<&str>,
        recognition: Recognition,
    ) -> Option<Meant> {
        if recognition == Recognition::Off {
            return None;
        }
        if self.has_next_page() && is_same(text, more(locale)) {
            return Some(Meant::NextPage);
        }
        let recognition =
            if self.asked_behind { recognition.by_labels_only() } else { recognition };
        match meaning(text, &self.options, &self.short, locale, recognition)? {
            Meaning::Option(option) => Some(Meant::Option(option)),
            Meaning::Place { place, id, named } => {
                let meant = self.at(place).or_else(|| id.map(Meant::Option))?;
                if self.numbered {
                    return Some(meant);
                }
                let shown = self.options_shown();
                let mut others = named.into_iter().filter(|it| shown.contains(it));
                others.all(|it| meant == Meant::Option(it)).then_some(meant)
            }
        }
    }

    fn at(&self, place: usize) -> Option<Meant> {
        let place = place.checked_sub(1)?;
        let mut shown = self.options_shown();
        let next = (place == shown.len() && self.has_next_page()).then_some(Meant::NextPage);
        let whole = (place < self.options.len()).then_some(Meant::Option(place));
        shown.nth(place).map(Meant::Option).or(next).or(whole)
    }

    /// The options on the page that was shown last: pages follow the order of the menu,
    /// and each but the last has one option more, which asks for the next.
    fn options_shown(&self) -> Range<usize> {
        let count = |(number, page): (usize, &Action)| {
            let asks = usize::from(number + 1 < self.pages.len());
            page.option_ids().count().saturating_sub(asks)
        };
        let counts: Vec<usize> = self.pages.iter().enumerate().map(count).collect();
        let (before, later) = counts.split_at(self.shown.min(counts.len()));
        let end = self.options.len().saturating_sub(later.iter().sum());
        let start = before.last().map_or(0, |own| end.saturating_sub(*own));
        start..end
    }

    fn has_next_page(&self) -> bool {
        self.shown < self.pages.len()
    }
}

impl Conversation {
    /// The page that a person asks for with this, by a tap or by its words. Words ask
    /// only while the menu is the last thing that was asked.
    pub(crate) fn page_asked_for(
        &self,
        body: &EventBody,
        recognition: Recognition,
    ) -> Option<Page> {
        let locale = self.facts.locale.as_deref();
        if let EventBody::Message(message) = body {
            return self.next_page(|menu| {
                menu.meant(&message.text, locale, recognition) == Some(Meant::NextPage)
            });
        }
        let EventBody::Click(click) = body else { return None };
        let [id] = &click.option_ids[..] else { return None };
        self.tapped_page(id).or_else(|| {
            // Not every vendor gives ids back as they were.
            let known = self.menus.iter().any(|menu| menu.place(id).is_some());
            let label = click.label.as_ref().filter(|_| !known)?;
            self.next_page(|_| is_same(label, more(locale)))
        })
    }

    fn tapped_page(&self, id: &str) -> Option<Page> {
        let mut menus = self.menus.iter().enumerate().rev();
        menus.find_map(|(menu, it)| {
            // Tokens count from the first page, which needs none.
            let page = token::page_of(&it.id, id)?.checked_sub(1)?;
            (page < it.pages.len()).then_some(Page { menu, page })
        })
    }

    /// The next page of the menu that was asked last, if that is what `asks` for it.
    fn next_page(&self, asks: impl Fn(&Menu) -> bool) -> Option<Page> {
        let (menu, it) = self.current_menu()?;
        (it.has_next_page() && asks(it)).then_some(Page { menu, page: it.shown })
    }

    /// Shows a page: what is asked now is its menu, however old that is.
    pub(crate) fn show_page(&mut self, asked: Page) -> Option<Action> {
        let action = self.menus.get(asked.menu)?.pages.get(asked.page)?.clone();
        self.close_menus();
        let menu = self.menus.get_mut(asked.menu)?;
        (menu.current, menu.asked_behind, menu.shown) = (true, false, asked.page + 1);
        Some(action)
    }
}

/// How much of a conversation's state pages take, as they are stored.
pub(super) fn bytes(pages: &[Action]) -> usize {
    pages.iter().map(|page| serde_json::to_string(page).map_or(0, |json| json.len())).sum()
}
