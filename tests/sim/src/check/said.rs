//! Between the bot and the outbox: whatever a bot wants to say becomes rows of its turn.

use botyard_kernel::action::Action;
use botyard_kernel::event::EventBody;
use botyard_kernel::id::TurnId;
use botyard_kernel::log::{Outcome, Row, Turn};
use botyard_kernel::plan::{Reach, reach};

use super::menus::is_told;
use super::turns::own;
use super::was_settled_away;
use crate::shown::Shown;
use crate::world::World;

impl World {
    /// What a bot returned stands in the rows of its turn, whole and in its order; what the
    /// medium has no form for is there in another one.
    pub(super) fn what_bots_said_became_rows(&self, conversation: usize) {
        let log = &self.logs[conversation];
        for (seq, turn) in log.turns() {
            let Outcome::Ran { actions, .. } = &turn.outcome else { continue };
            let mut events = log.arrivals().map(|(_, arrival)| &arrival.event);
            let event = events.find(|event| event.id == turn.event);
            // After that nobody is there to be told anything by the bot; and at the host's
            // desk somebody may have taken it while the bot ran because it was given back.
            let is_taken = turn.state.at_desk
                || event.is_some_and(|event| {
                    matches!(event.body, EventBody::Ended(_) | EventBody::HumanSpoke(_))
                });
            let own: Vec<&Row> = own(turn).collect();
            // So may the vendor have said, or a hand-off have come to its end.
            let mut speech = actions.iter().enumerate().filter(|(_, it)| is_speech(it));
            let withheld = speech.all(|(index, _)| of_action(&own, &turn.id, index).is_empty());
            let is_taken = is_taken || was_settled_away(log, seq) && withheld;
            for (index, action) in actions.iter().enumerate() {
                let rows = of_action(&own, &turn.id, index);
                if is_taken && is_speech(action) {
                    assert!(rows.is_empty(), "{rows:?} is said where the bot has nothing to say");
                } else {
                    is_whole(turn, action, &rows);
                }
            }
            is_in_order(&own);
        }
    }
}

fn is_speech(action: &Action) -> bool {
    reach(action) == Reach::Person
}

/// The rows that an action has become.
fn of_action<'a>(rows: &[&'a Row], turn: &TurnId, index: usize) -> Vec<&'a Row> {
    let stem = format!("{turn}.{index}.");
    rows.iter().copied().filter(|row| row.id.as_str().starts_with(&stem)).collect()
}

fn is_whole(turn: &Turn, action: &Action, rows: &[&Row]) {
    let text =
        |row: &&Row| text_of(row).unwrap_or_else(|| panic!("a text became {}", row.action.name()));
    let event = &turn.event;
    if let Action::Message(message) = action {
        // Texts are parted at blanks.
        let said: String = rows.iter().map(text).collect::<Vec<_>>().join(" ");
        assert_eq!(words(&said), words(&message.text), "what the bot said to {event} is lost");
    } else if let Action::Media(media) = action {
        let [row] = rows else { panic!("the picture for {event} became {rows:?}") };
        let link = match &row.action {
            Action::Media(media) => media.link.clone(),
            _ => text(row),
        };
        assert!(link.contains(&media.link), "the picture for {event} is lost: {link}");
    } else if let Some(Shown::Menu(menu)) = Shown::of(action) {
        is_told(&menu, rows);
    } else if matches!(action, Action::Request(_) | Action::Delay(_)) {
        let [row] = rows else { panic!("{} for {event} became {rows:?}", action.name()) };
        assert_eq!(row.action, *action, "another {} for {event}", action.name());
    }
}

/// What a row says.
pub(super) fn text_of(row: &Row) -> Option<String> {
    let Action::Message(message) = &row.action else { return None };
    Some(message.text.clone())
}

pub(super) fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// In the order of the actions, but for what only the desk sees, which goes before the end.
fn is_in_order(rows: &[&Row]) {
    let seen = rows.iter().filter(|row| reach(&row.action) != Reach::Desk);
    let place = |row: &&Row| -> Vec<usize> {
        row.id.as_str().split('.').skip(1).filter_map(|it| it.parse().ok()).collect()
    };
    assert!(seen.map(place).is_sorted(), "rows have another order than what the bot said");
}
