//! Menus: every option of one is there to tap or is said with its number. What of that was
//! given up or withheld is judged elsewhere.

use botyard_kernel::log::Row;

use super::deliveries::coming;
use super::said::words;
use super::turns::own;
use crate::rides::{Item, pieces};
use crate::shown::{Choice, Menu, Shown};
use crate::world::World;

/// What stands below numbered options: nothing says here that a person speaks another
/// language.
const HINT: &str = "Reply with a number.";

impl World {
    /// What only an answer carries is made for one that has a place for it, once a turn, and
    /// calls carry all of it.
    pub(super) fn what_rides_has_its_place(&self, conversation: usize) {
        let line = &self.site.channel_of(conversation).line;
        for (_, turn) in self.logs[conversation].turns() {
            let posted = self.webhook_of(turn.event.as_str()).map(|webhook| &webhook.posted);
            let mut place = posted.and_then(|posted| line.has_place_for(posted.rest));
            for row in own(turn).filter(|row| !row.by_call.is_empty()) {
                let has = place.take();
                assert_eq!(has, Some(row.action.name()), "{} has no place to ride", row.id);
                is_whole_by_calls(row);
            }
        }
    }

    /// What a person saw of a part is what its turn wanted shown, as far as the vendor tells.
    pub(super) fn persons_saw_what_was_meant(&self, conversation: usize) {
        let shown = &self.desks[conversation].shown;
        for coming in coming(&self.logs[conversation]) {
            let row = &coming.row;
            let saw = shown.get(&Item::of(row));
            let meant = Shown::of(&row.action);
            assert!(saw.is_none() || saw == meant.as_ref(), "{}: {saw:?} is not {meant:?}", row.id);
        }
    }
}

/// All of a row is in what calls carry of it.
fn is_whole_by_calls(row: &Row) {
    let pieces = pieces(row);
    match Shown::of(&row.action) {
        Some(Shown::Menu(menu)) => {
            let parts: Vec<&Row> = pieces.iter().collect();
            is_told(&menu, &parts);
        }
        Some(Shown::Picture(link)) => {
            let [piece] = &pieces[..] else { panic!("the picture {} goes as {pieces:?}", row.id) };
            let said = Shown::of(&piece.action);
            assert_eq!(said, Some(Shown::Text(link)), "the picture {} is lost", row.id);
        }
        Some(Shown::Text(_)) | None => panic!("calls carry {} as it is", row.id),
    }
}

/// These rows tell a menu, whole and in its order, each thing once.
pub(super) fn is_told(menu: &Menu, rows: &[&Row]) {
    let (mut told, mut tapped) = (Vec::new(), None);
    for row in rows {
        match Shown::of(&row.action) {
            Some(Shown::Text(text)) => told.push(text),
            Some(Shown::Menu(Menu { text, options })) => {
                assert!(tapped.is_none(), "{} shows the options again", row.id);
                told.push(text);
                tapped = Some(options);
            }
            Some(Shown::Picture(_)) | None => panic!("{} is {}", row.id, row.action.name()),
        }
    }
    let told = told.join("\n");
    let Some(options) = tapped else {
        return assert_eq!(words(&told), words(&numbered(menu)), "a menu is not told");
    };
    let all = beside(menu, &options);
    // Beside options that vanish with it, the text names them all, too.
    if words(&told) == words(&[&*all, &labels(menu)].join("\n")) {
        return;
    }
    assert_eq!(words(&told), words(&all), "a menu is not told");
}

/// What is said where these options can be tapped: all that they do not show themselves.
fn beside(menu: &Menu, options: &[Choice]) -> String {
    if options == menu.options {
        return menu.text.clone();
    }
    let bare = |option: &Choice| Choice { picture: None, ..option.clone() };
    let labels: Vec<Choice> = menu.options.iter().map(bare).collect();
    assert_eq!(options, labels, "other options than were meant");
    let pictures = menu.options.iter().filter_map(|option| option.picture.as_deref());
    std::iter::once(&*menu.text).chain(pictures).collect::<Vec<_>>().join("\n")
}

/// The options of a menu by their numbers.
fn labels(menu: &Menu) -> String {
    let lines = (1..).zip(&menu.options).map(|(n, option)| format!("{n}. {}", option.label));
    lines.chain([HINT.to_owned()]).collect::<Vec<_>>().join("\n")
}

/// A menu of which nothing can be tapped.
fn numbered(menu: &Menu) -> String {
    let mut lines = vec![menu.text.clone()];
    for (n, option) in (1..).zip(&menu.options) {
        lines.push(format!("{n}. {}", option.label));
        lines.extend(option.picture.clone());
    }
    lines.push(HINT.to_owned());
    lines.join("\n")
}
