//! Short words that stand for what is too long for a medium: an id of an option, or
//! the next page of a menu. They name the menu and the place in it, so that nothing
//! has to be remembered but the menu itself.

use crate::action::Action;
use crate::id::Digest;
use crate::profile::Profile;

/// So many digits of a digest tell menus of one conversation from each other.
const DIGITS: usize = 16;

/// What stands for the option at this place of a menu; at most 24 bytes, ASCII.
pub(super) fn of_option(menu: &str, place: usize) -> String {
    format!("o{}.{place}", digits(menu))
}

/// What stands for a later page of a menu, from 1; at most 24 bytes, ASCII.
pub(super) fn of_page(menu: &str, page: usize) -> String {
    format!("p{}.{page}", digits(menu))
}

fn digits(menu: &str) -> String {
    Digest::of(menu.as_bytes()).to_string()[..DIGITS].to_owned()
}

/// Puts a token in the place of each id that the medium does not take. `options` are
/// the ids and labels of the whole menu, in order, and `menu` is the part that
/// offers it.
pub fn shorten_ids(
    action: &mut Action,
    profile: &Profile,
    menu: &str,
    options: &[(String, String)],
) {
    let Some(limit) = &profile.of(action.name()).id else { return };
    for id in action.option_ids_mut() {
        if limit.takes(id) {
            continue;
        }
        if let Some(place) = options.iter().position(|(own, _)| own == id) {
            *id = of_option(menu, place);
        }
    }
}

/// Makes the last option of each page but the last one ask for the next.
pub fn link_pages<'a>(pages: impl IntoIterator<Item = &'a mut Action>, menu: &str) {
    let mut pages = (1..).zip(pages).peekable();
    while let Some((next, page)) = pages.next() {
        if pages.peek().is_none() {
            return;
        }
        if let Some(id) = page.option_ids_mut().pop() {
            *id = of_page(menu, next);
        }
    }
}
