//! Rows, and what vendors have seen of them.

use std::collections::{BTreeMap, BTreeSet};

use botyard_kernel::action::Action;
use botyard_kernel::id::PartId;
use botyard_kernel::log::{Outcome, Row, RowEnd, SkipReason};
use botyard_log::Log;

use super::turns::own;
use crate::rides::{Item, pieces};
use crate::world::World;

/// How the life of each row ended, each time that the log says so.
type Ends<'a> = BTreeMap<&'a PartId, Vec<&'a RowEnd>>;

/// A row as it may come in.
pub(super) struct Coming<'a> {
    /// As its turn made it.
    made: &'a Row,
    pub(super) row: Row,
}

impl World {
    pub(super) fn rows_reached_the_vendor_in_order(&self, conversation: usize) {
        let (log, desk) = (&self.logs[conversation], &self.desks[conversation]);
        let ends = ends(log);
        let received: BTreeSet<&Item> = desk.received.iter().map(|(item, _)| item).collect();
        let mut ids = BTreeSet::new();
        for row in rows(log) {
            assert!(ids.insert(row.id.clone()), "two parts are called {}", row.id);
            let found = ends.get(&row.id).map_or(&[][..], Vec::as_slice);
            assert!(!found.is_empty(), "{} never ended", row.id);
            if !desk.redriven.contains(&row.id) {
                let twice = found.len() > 1 && !self.rewritten.contains(&row.id);
                assert!(!twice, "{} ended twice: {found:?}", row.id);
                assert!(found.iter().all(|end| *end == found[0]), "{} ended: {found:?}", row.id);
            }
            let must = found.contains(&&RowEnd::Delivered) && self.is_seen(conversation, &row);
            let came = received.contains(&Item::of(&row));
            assert!(!must || came, "{} never reached the vendor", row.id);
        }
        let coming: Vec<Coming<'_>> = coming(log);
        let places: BTreeMap<Item, usize> =
            coming.iter().enumerate().map(|(at, it)| (Item::of(&it.row), at)).collect();
        let one_rides = self.site.channel_of(conversation).line.one_rides();
        let mut first = BTreeSet::new();
        // What rides alone overtakes all that has no place in the answer: each kind of it has
        // an order of its own.
        let mut highest: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        for (item, rode) in &desk.received {
            let (part, action) = (&item.part, item.action);
            let way = (one_rides && *rode).then_some(action);
            let at = places.get(item);
            let at = at.unwrap_or_else(|| panic!("the vendor got {part}:{action}, and why?"));
            let Coming { made, row } = &coming[*at];
            // A pause that the host has played may come again after a crash: nobody minds.
            let pause = matches!(row.action, Action::Delay(_));
            let again = desk.redriven.contains(&made.id);
            // A piece had no place where others rode before it was one.
            let new = way.is_some() && Item::of(made) != *item;
            let exempt = pause || again || new || self.may_come_late(conversation, &ends, part);
            if first.insert((item, way)) && !exempt {
                let before = highest.insert(way, *at);
                assert!(before <= Some(*at), "{part}:{action} reached the vendor too late");
            }
        }
    }

    /// What calls carry of a row that missed its answer comes one piece after the other,
    /// also where another answer carries some of them.
    pub(super) fn pieces_came_one_after_the_other(&self, conversation: usize) {
        let (log, desk) = (&self.logs[conversation], &self.desks[conversation]);
        let ends = ends(log);
        for row in made(log).filter(|row| goes_by_call(log, row)) {
            let pieces: Vec<Item> = pieces(row).iter().map(Item::of).collect();
            let mut first = BTreeSet::new();
            let came = desk.received.iter().map(|(item, _)| item);
            let came = came.filter(|item| first.insert(*item));
            let came = came.filter_map(|item| pieces.iter().position(|it| it == item));
            let in_time = |at: &usize| {
                let part = &pieces[*at].part;
                !desk.redriven.contains(part) && !self.may_come_late(conversation, &ends, part)
            };
            let came: Vec<usize> = came.filter(in_time).collect();
            assert!(came.is_sorted(), "the pieces of {} came as {came:?}", row.id);
        }
    }

    /// What was given up may be read late, out of an answer that was half written.
    fn may_come_late(&self, conversation: usize, ends: &Ends<'_>, part: &PartId) -> bool {
        let dead = ends.get(part).is_some_and(|ends| *ends[0] != RowEnd::Delivered);
        dead || self.desks[conversation].given_up.contains(part)
    }

    pub(super) fn requests_were_answered(&self, conversation: usize) {
        let log = &self.logs[conversation];
        let is_request = |row: &Row| matches!(row.action, Action::Request(_));
        for row in rows(log).into_iter().filter(is_request) {
            // An external bot that has lost the conversation is not asked any more.
            let mut ends = log.settled().flat_map(|(_, settled)| &settled.rows);
            if ends.any(|(id, end)| *id == row.id && *end == RowEnd::Quarantined) {
                continue;
            }
            let id = format!("e{}.response", row.id);
            let handled = log.turns().filter(|(_, turn)| {
                turn.event.as_str() == id && turn.outcome != Outcome::Skipped(SkipReason::Duplicate)
            });
            assert_eq!(handled.count(), 1, "{} was not answered once", row.id);
        }
    }

    /// Whether a vendor that has got a row has seen it: some of what is done is done by
    /// the host.
    fn is_seen(&self, conversation: usize, row: &Row) -> bool {
        let delivery = &self.site.channel_of(conversation).rules.delivery;
        let hands_over = matches!(row.action, Action::Forward(_) | Action::Abort);
        let here = row.hand_off.is_some() || delivery.silent_hand_off;
        let unseen = matches!(row.action, Action::Request(_) | Action::Delay(_));
        !(unseen || hands_over && here)
    }
}

/// Everything that turns wanted delivered, in order, as what it has become.
pub(super) fn rows(log: &Log) -> Vec<Row> {
    made(log).flat_map(|row| became(log, row)).collect()
}

/// What a row has become: it is what it was, unless it missed the answer that alone could
/// carry it.
pub(super) fn became(log: &Log, row: &Row) -> Vec<Row> {
    if !goes_by_call(log, row) {
        return vec![row.clone()];
    }
    assert!(!row.by_call.is_empty(), "{} goes by calls, and as what?", row.id);
    pieces(row)
}

/// Everything that may come in, in order: what missed its answer may have come in one that
/// was half written.
pub(super) fn coming(log: &Log) -> Vec<Coming<'_>> {
    let all = |made| {
        let pieces = if goes_by_call(log, made) { pieces(made) } else { Vec::new() };
        let rows = std::iter::once(made.clone()).chain(pieces);
        rows.map(move |row| Coming { made, row })
    };
    made(log).flat_map(all).collect()
}

/// Everything that turns wanted delivered, in order, as they made it.
fn made(log: &Log) -> impl Iterator<Item = &Row> {
    log.turns().flat_map(|(_, turn)| own(turn))
}

fn goes_by_call(log: &Log, row: &Row) -> bool {
    log.settled().any(|(_, settled)| settled.by_call.contains(&row.id))
}

fn ends(log: &Log) -> Ends<'_> {
    let mut ends: Ends<'_> = BTreeMap::new();
    for (id, end) in log.settled().flat_map(|(_, settled)| &settled.rows) {
        ends.entry(id).or_default().push(end);
    }
    ends
}
