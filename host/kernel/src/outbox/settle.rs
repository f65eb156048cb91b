//! What follows when deliveries end.

use crate::action::Action;
use crate::context;
use crate::event::{DeliveryFailed, Ended, Event, EventBody, ForwardFailed, HumanSpoke};
use crate::id::{Digest, EventId, PartId};
use crate::log::{Acknowledgement, Arrival, Conversation, HandOff, Row, RowEnd, Settled, Taken};
use crate::outbox::{SETTLED_BYTES_MAX, SETTLED_ROWS_MAX, cut, vendor_rows};
use crate::owner::Owner;
use crate::plan::{Reach, reach};
use crate::profile::Delivery;
use crate::relay;
use crate::session::Seed;
use crate::time::Millis;

/// What the events of what failed are called by.
const FAILED: &str = "failed";

/// What nobody may say any more: speech, because somebody else has taken the
/// conversation (a bot that ended it itself finishes its sentence), a hand-off of what
/// somebody has given back since, and what was to be asked of an external bot that has
/// it no longer.
pub(super) fn withheld(state: &Conversation) -> Vec<&Row> {
    let ends_itself = || state.rows.iter().any(|row| row.action == Action::End);
    let taken = match state.owner {
        Owner::Human => true,
        Owner::Ended => !ends_itself(),
        Owner::Bot | Owner::Relay | Owner::HandingOff => false,
    };
    let speech = |row: &Row| taken && !row.by_human && reach(&row.action) == Reach::Person;
    // Who hands over has the conversation no longer, so one that waits under the bot, or
    // before another one, is from before. Whoever took it then would get it twice.
    let last = state.rows.iter().rfind(|row| row.hands_over()).map(|row| &row.id);
    let given_back = matches!(state.owner, Owner::Bot | Owner::Relay);
    let obsolete = |row: &Row| row.hands_over() && (given_back || last != Some(&row.id));
    let awaited = |row: &Row| state.relay.as_ref().is_some_and(|it| it.waits_for(&row.id));
    let in_vain = |row: &Row| relay::is_ask(&row.action) && !awaited(row);
    state.rows.iter().filter(|row| speech(row) || obsolete(row) || in_vain(row)).collect()
}

pub(super) fn delivered(rows: &[&Row], delivery: &Delivery, now: Millis) -> Settled {
    let step_ms = delivery.delay_step_ms.max(1);
    let delays: u64 = rows.iter().map(|row| delay_ms(row).next_multiple_of(step_ms)).sum();
    let hand_off = rows.iter().any(|row| row.hands_over());
    Settled {
        at_ms: now,
        rows: rows.iter().map(|row| (row.id.clone(), RowEnd::Delivered)).collect(),
        mirrored: mirrored(rows),
        closed_until_ms: (delivery.native_delay && delays > 0).then(|| now + delays),
        owner: hand_off.then_some(Owner::Human),
        ..Settled::default()
    }
}

/// The end of a hand-off that the vendor has nothing like, when all before it has left.
pub(super) fn handed_over(state: &Conversation, queue: &[&Row], now: Millis) -> Option<Settled> {
    let head = queue.first()?;
    Some(match head.hand_off? {
        HandOff::Desk => Settled {
            at_ms: now,
            rows: vec![(head.id.clone(), RowEnd::Delivered)],
            owner: Some(Owner::Human),
            ..Settled::default()
        },
        HandOff::Nobody => {
            let why = "the vendor has no hand-off on this medium, and the channel no desk";
            dead(state, &[head], why, false, now)
        }
    })
}

/// What the vendor is told because these rows were delivered. Their ids follow from
/// the rows, so that the same is told once.
pub(super) fn told_of(
    rows: &[&Row],
    tokens: Vec<String>,
    asks: Option<String>,
    now: Millis,
) -> Vec<Acknowledgement> {
    let Some(row) = rows.first() else { return Vec::new() };
    // Nobody hears of the failure of what is quiet, so it is not asked for.
    let asks = asks.filter(|_| !row.quiet).map(|token| {
        (token, Some(Taken { part: row.id.clone(), action: row.action.name().to_owned() }))
    });
    let tokens = tokens.into_iter().map(|token| (token, None)).chain(asks);
    let follow_up = |(n, (token, asks_of))| {
        let id = PartId(format!("{}.follows.{n}", row.id));
        Acknowledgement { id, made_ms: now, token, asks_of }
    };
    tokens.enumerate().map(follow_up).collect()
}

/// What a vendor had taken was not delivered in the end, or nobody knows: `ambiguous`.
pub(super) fn undelivered(taken: &Taken, reason: &str, ambiguous: bool, now: Millis) -> Arrival {
    let body = EventBody::DeliveryFailed(DeliveryFailed {
        part: taken.part.to_string(),
        action: taken.action.clone(),
        reason: reason.to_owned(),
        ambiguous,
    });
    follow_up(&taken.part, "undelivered", body, true, now)
}

/// The last context that went out with these rows.
fn mirrored(rows: &[&Row]) -> Option<Digest> {
    rows.iter().rev().find_map(|row| row.context.as_deref()).map(context::digest)
}

/// What waits for no answer any more and rides only there: calls carry something else.
pub(super) fn by_call(list: &[&Row], now: Millis) -> Option<Settled> {
    let rides = list.iter().filter(|row| !row.by_call.is_empty());
    let by_call: Vec<PartId> = rides.map(|row| row.id.clone()).collect();
    (!by_call.is_empty()).then(|| Settled { at_ms: now, by_call, ..Settled::default() })
}

/// What is at the head and no call carries.
pub(super) fn play(queue: &[&Row], delivery: &Delivery, now: Millis) -> Settled {
    match queue {
        [head, ..] if cut::is_silent(head, delivery) => delivered(&[head], delivery, now),
        [head, ..] if cut::is_untold(head, delivery) => untold(&[head], now),
        _ => play_delay(queue, now),
    }
}

/// What missed its answer and no call tells ends for that reason, and is nobody's failure:
/// the host knows it, so nobody has to hear of it or to send it again.
fn untold(rows: &[&Row], now: Millis) -> Settled {
    let end = || RowEnd::Dead("the vendor hears of it in answers alone".to_owned());
    let rows = rows.iter().map(|row| (row.id.clone(), end())).collect();
    Settled { at_ms: now, rows, ..Settled::default() }
}

/// The delays at the head that no list carries: the host itself waits.
fn play_delay(queue: &[&Row], now: Millis) -> Settled {
    let head: Vec<&&Row> =
        queue.iter().take_while(|row| matches!(row.action, Action::Delay(_))).collect();
    let followed = queue.len() > head.len();
    let sum: u64 = head.iter().map(|row| delay_ms(row)).sum();
    Settled {
        at_ms: now,
        rows: head.iter().map(|row| (row.id.clone(), RowEnd::Delivered)).collect(),
        closed_until_ms: followed.then(|| now + sum),
        ..Settled::default()
    }
}

fn delay_ms(row: &Row) -> Millis {
    if let Action::Delay(delay) = &row.action { u64::from(delay.delay_ms) } else { 0 }
}

pub(super) fn dead(
    state: &Conversation,
    rows: &[&Row],
    reason: &str,
    ambiguous: bool,
    now: Millis,
) -> Settled {
    // What may have been taken may come back.
    let mirrored = if ambiguous { mirrored(rows) } else { None };
    let mut settled =
        Settled { at_ms: now, mirrored, dead_letters: letters(rows), ..Settled::default() };
    for row in rows {
        settled.rows.push((row.id.clone(), RowEnd::Dead(reason.to_owned())));
        let event = if row.hands_over() {
            if !awaits_hand_off(state, rows) {
                continue;
            }
            settled.owner = Some(Owner::Bot);
            EventBody::ForwardFailed(ForwardFailed { reason: Some(reason.to_owned()) })
        } else if row.quiet || matches!(row.action, Action::Delay(_) | Action::Typing(_)) {
            continue;
        } else {
            EventBody::DeliveryFailed(DeliveryFailed {
                part: row.id.to_string(),
                action: row.action.name().to_owned(),
                reason: reason.to_owned(),
                ambiguous,
            })
        };
        // A row that was sent again as a dead letter may fail a second time.
        let what = format!("{FAILED}.{}", row.made_ms);
        settled.events.push(follow_up(&row.id, &what, event, true, now));
    }
    settled
}

/// The end of rows that have waited for too long, or are too many.
pub(super) fn given_up(
    state: &Conversation,
    rows: &[&Row],
    reason: &str,
    ambiguous: bool,
    delivery: &Delivery,
    now: Millis,
) -> Settled {
    let (unheard, rows): (Vec<&Row>, Vec<&Row>) =
        rows.iter().partition(|row| cut::is_untold(row, delivery));
    let mut settled = dead(state, &rows, reason, ambiguous, now);
    settled.rows.extend(untold(&unheard, now).rows);
    settled
}

/// Whether these rows hold the hand-off that the conversation waits for. Where somebody
/// has it already, or another hand-off was begun since, nothing comes back.
fn awaits_hand_off(state: &Conversation, rows: &[&Row]) -> bool {
    let ends = |row: &Row| rows.iter().any(|ended| ended.id == row.id);
    let another = || state.rows.iter().any(|row| row.hands_over() && !ends(row));
    state.owner == Owner::HandingOff && !another()
}

/// What somebody may want to look at or to send again. Pauses and signs of typing
/// are nothing by themselves; hand-offs and ends belong to a session that has gone
/// on, and whoever wanted them was told.
fn letters(rows: &[&Row]) -> Vec<Row> {
    let worth = |row: &&&Row| {
        !matches!(
            row.action,
            Action::Delay(_) | Action::Typing(_) | Action::Forward(_) | Action::Abort | Action::End
        )
    };
    rows.iter().filter(worth).map(|row| Row { context: None, ..(*row).clone() }).collect()
}

/// As many of these rows, from the first on, as fit into one settlement.
pub(crate) fn fitting<'a, 'r>(rows: &'a [&'r Row]) -> &'a [&'r Row] {
    let fit = within(SETTLED_BYTES_MAX, rows.iter().take(SETTLED_ROWS_MAX));
    &rows[..fit.max(1).min(rows.len())]
}

/// How many of these rows, from the first on, have at most so many bytes together.
pub(super) fn within<'a>(most: usize, rows: impl Iterator<Item = &'a &'a Row>) -> usize {
    let mut bytes = 0;
    rows.take_while(|row| {
        bytes += row.bytes();
        bytes <= most
    })
    .count()
}

/// Somebody else has the conversation, as the call of these rows was told: what they
/// and those that `wait` would have said is quarantined, and so is what comes later,
/// until the vendor says otherwise. What only the desk sees failed by itself, and so did
/// what a human wanted to say.
pub(super) fn taken(
    state: &Conversation,
    rows: &[&Row],
    wait: &[&Row],
    reason: &str,
    ambiguous: bool,
    now: Millis,
) -> Settled {
    let speech = |row: &&&Row| !row.by_human && reach(&row.action) == Reach::Person;
    let (said, failed): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(speech);
    let mut settled = dead(state, &failed, reason, ambiguous, now);
    let said = said.iter().chain(wait.iter().filter(speech));
    let said = said.take(SETTLED_ROWS_MAX.saturating_sub(settled.rows.len()));
    settled.rows.extend(said.map(|row| (row.id.clone(), RowEnd::Quarantined)));
    let spoke = EventBody::HumanSpoke(HumanSpoke::default());
    let event = rows.first().map(|row| follow_up(&row.id, "taken", spoke, true, now));
    settled.events.extend(event);
    settled
}

/// The conversation is gone: so are the first `under_way` rows, whose call said so,
/// and as many of the others as fit. The next call hears the same of the rest.
pub(super) fn gone(state: &Conversation, under_way: usize, reason: &str, now: Millis) -> Settled {
    let rows = vendor_rows(state);
    let count = fitting(&rows).len().max(under_way).min(rows.len());
    let rows = &rows[..count];
    let ends = rows.iter().map(|row| (row.id.clone(), RowEnd::Dead(reason.to_owned())));
    let dead_letters = letters(rows);
    let ended = EventBody::Ended(Ended { reason: Some(reason.to_owned()) });
    let event = rows.first().map(|row| follow_up(&row.id, "ended", ended, true, now));
    Settled {
        at_ms: now,
        rows: ends.collect(),
        dead_letters,
        events: event.into_iter().collect(),
        ..Settled::default()
    }
}

/// An event that follows from a delivery. Its id, key and seed follow from the
/// row, so that it is the same event however often it is made.
pub(super) fn follow_up(
    row: &PartId,
    what: &str,
    body: EventBody,
    quiet: bool,
    now: Millis,
) -> Arrival {
    let id = format!("{row}.{what}");
    let digest = Digest::of(id.as_bytes());
    let event = Event::new(follow_up_id(row, what), now, body);
    Arrival { key: Some(id), quiet, ..Arrival::new(event, Seed::from_digest(&digest)) }
}

/// Whether it is the host's own word that something was not delivered, or could not be.
pub(crate) fn is_own_failure(event: &EventId) -> bool {
    event.as_str().starts_with('e') && event.as_str().contains(&format!(".{FAILED}."))
}

pub(super) fn follow_up_id(row: &PartId, what: &str) -> EventId {
    EventId(format!("e{row}.{what}"))
}
