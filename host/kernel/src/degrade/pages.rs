//! Options that are too many for every form, a page at a time.

use crate::action::Action;
use crate::degrade::menu::Menu;
use crate::degrade::options::{FORMS, Form, Labels};
use crate::degrade::{Carrier, locale};
use crate::validate::BUTTONS_MAX;

/// A form with room for fewer options has no pages: numbered text is read sooner.
const PAGE_OPTIONS_MIN: usize = 6;
/// A menu with more pages is read sooner as numbered text.
const PAGES_MAX: usize = 6;

impl Carrier<'_> {
    /// Sends the first page of a menu and keeps the others, in the form that the bot
    /// gave it or in another one. Tells whether that could be done.
    pub(super) fn page(&mut self, given: Form, menu: &Menu, why: &str, labels: Labels) -> bool {
        // Who may choose several options wants them on one page.
        if menu.is_multiple() || self.says_more(menu) {
            return false;
        }
        let others = FORMS.into_iter().filter(|form| *form != given);
        let forms = [given].into_iter().chain(others);
        forms.into_iter().any(|form| self.page_as(form, menu, why, labels))
    }

    fn page_as(&mut self, form: Form, menu: &Menu, why: &str, labels: Labels) -> bool {
        let carried = self.profile.carries(form.name());
        let Some(room) = self.room(form).filter(|room| carried && *room >= PAGE_OPTIONS_MIN) else {
            return false;
        };
        let pages = menu.pages(room, locale::more(self.locale));
        let count = pages.len();
        if count > PAGES_MAX {
            return false;
        }
        let mut later = Vec::new();
        let sent = self.attempt(|carrier| {
            carrier.note_losses(menu);
            carrier.note(format!("sent as {count} pages of `{}`: {why}", form.name()));
            for (number, mut page) in (1..).zip(pages) {
                if number == 1 {
                    carrier.tap(page, form, labels)?;
                    continue;
                }
                let (actions, notes) = (carrier.done.actions.len(), carrier.done.notes.len());
                page.text = locale::page(carrier.locale, number, count);
                carrier.tap(page, form, labels)?;
                later.push(alone(carrier.done.actions.split_off(actions))?);
                let told = carrier.done.notes.split_off(notes);
                let news = told.into_iter().filter(|note| !carrier.done.notes.contains(note));
                let news: Vec<_> = news.collect();
                carrier.done.notes.extend(news);
            }
            Ok(())
        });
        if sent.is_ok() {
            self.done.pages = later;
        }
        sent.is_ok()
    }

    /// How many options a form has room for; absent where it has no limit.
    fn room(&self, form: Form) -> Option<usize> {
        let limits = self.profile.of(form.name());
        let own = (form == Form::ButtonTemplate).then_some(BUTTONS_MAX);
        let counts = [&limits.options, &limits.rows].into_iter().flatten();
        counts.map(|count| count.max).chain(own).min()
    }

    /// Whether an option of the bot's own reads like ours.
    fn says_more(&self, menu: &Menu) -> bool {
        let more = locale::more(self.locale);
        menu.labels().any(|label| crate::choices::is_same(label, more))
    }
}

/// A page is one action: a text that needs more room has none on a later page.
fn alone(mut page: Vec<Action>) -> Result<Action, String> {
    match (page.pop(), page.is_empty()) {
        (Some(action), true) => Ok(action),
        _ => Err("a page needs a text of its own here".to_owned()),
    }
}
