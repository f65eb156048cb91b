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

/// The place of the option for which a token of this menu stands.
pub(super) fn option_of(menu: &str, token: &str) -> Option<usize> {
    place(token, |place| of_option(menu, place))
}

/// The page for which a token of this menu stands.
pub(super) fn page_of(menu: &str, token: &str) -> Option<usize> {
    place(token, |place| of_page(menu, place))
}

/// The place that a token names, where it is written as we write it.
fn place(token: &str, written: impl Fn(usize) -> String) -> Option<usize> {
    let place = token.rsplit_once('.')?.1.parse().ok()?;
    (written(place) == token).then_some(place)
}

/// Puts a token in the place of each id that the medium does not take. `menu` is the
/// part that offers the whole menu, as the bot has `given` it.
pub(crate) fn shorten_ids(action: &mut Action, profile: &Profile, menu: &str, given: &Action) {
    let Some(limit) = &profile.of(action.name()).id else { return };
    for id in action.option_ids_mut() {
        if limit.takes(id) {
            continue;
        }
        if let Some(place) = given.option_ids().position(|own| own == id) {
            *id = of_option(menu, place);
        }
    }
}

/// Makes the last option of each page but the last one ask for the next.
pub(crate) fn link_pages<'a>(pages: impl IntoIterator<Item = &'a mut Action>, menu: &str) {
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
