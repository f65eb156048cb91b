//! Menus with more options than the medium shows at once.

use super::{is_same, token};
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

impl Conversation {
    /// The page that a person asks for with this, by a tap or by its words. Words ask
    /// only while the menu is the last thing that was asked.
    pub(crate) fn page_asked_for(&self, body: &EventBody) -> Option<Page> {
        if let EventBody::Message(message) = body {
            return self.named(&message.text);
        }
        let EventBody::Click(click) = body else { return None };
        let [id] = &click.option_ids[..] else { return None };
        self.tapped_page(id).or_else(|| {
            // Not every vendor gives ids back as they were.
            let known = self.menus.iter().any(|menu| menu.place(id).is_some());
            click.label.as_ref().filter(|_| !known).and_then(|label| self.named(label))
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

    fn named(&self, text: &str) -> Option<Page> {
        let last =
            self.menus.last().filter(|menu| menu.current && menu.shown < menu.pages.len())?;
        let says_more = is_same(text, more(self.facts.locale.as_deref()));
        says_more.then(|| Page { menu: self.menus.len() - 1, page: last.shown })
    }

    /// Shows a page: the options that are asked for now are those of its menu.
    pub(crate) fn show_page(&mut self, asked: Page) -> Option<Action> {
        let menu = self.menus.get_mut(asked.menu)?;
        let page = menu.pages.get(asked.page)?.clone();
        menu.shown = menu.shown.max(asked.page + 1);
        Some(page)
    }
}

/// How much of a conversation's state pages take, as they are stored.
pub(super) fn bytes(pages: &[Action]) -> usize {
    pages.iter().map(|page| serde_json::to_string(page).map_or(0, |json| json.len())).sum()
}
