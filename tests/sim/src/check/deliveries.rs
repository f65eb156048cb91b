//! Rows, and what vendors have seen of them.

use std::collections::{BTreeMap, BTreeSet};

use botyard_kernel::action::Action;
use botyard_kernel::id::PartId;
use botyard_kernel::log::{Outcome, Row, RowEnd, SkipReason};
use botyard_log::Log;

use crate::world::World;

impl World {
    pub(super) fn rows_reached_the_vendor_in_order(&self, conversation: usize) {
        let (log, desk) = (&self.logs[conversation], &self.desks[conversation]);
        let rows = rows(log);
        let mut ends: BTreeMap<&PartId, Vec<&RowEnd>> = BTreeMap::new();
        for (id, end) in log.settled().flat_map(|(_, settled)| &settled.rows) {
            ends.entry(id).or_default().push(end);
        }
        let received: BTreeSet<&PartId> = desk.received.iter().map(|(id, _)| id).collect();
        for row in &rows {
            let found = ends.get(&row.id).map_or(&[][..], Vec::as_slice);
            assert!(!found.is_empty(), "{} never ended", row.id);
            if !desk.redriven.contains(&row.id) {
                let twice = found.len() > 1 && !self.rewritten.contains(&row.id);
                assert!(!twice, "{} ended twice: {found:?}", row.id);
                assert!(found.iter().all(|end| *end == found[0]), "{} ended: {found:?}", row.id);
            }
            let must = *found[0] == RowEnd::Delivered && self.is_seen(conversation, row);
            assert!(!must || received.contains(&row.id), "{} never reached the vendor", row.id);
        }
        let places: BTreeMap<&PartId, usize> =
            rows.iter().enumerate().map(|(at, row)| (&row.id, at)).collect();
        let one_rides = self.site.channel_of(conversation).line.one_rides();
        let mut first = BTreeSet::new();
        // What rides alone has an order of its own.
        let mut highest = [None, None];
        for (id, rode) in &desk.received {
            let highest = &mut highest[usize::from(one_rides && *rode)];
            let at = places.get(id);
            assert!(at.is_some(), "the vendor got {id}, which no turn wanted");
            // A pause that the host has played may come again after a crash: nobody minds.
            let pause = at.is_some_and(|at| matches!(rows[*at].action, Action::Delay(_)));
            // What was given up may be read late, out of an answer that was half written.
            let dead = ends.get(id).is_some_and(|ends| *ends[0] != RowEnd::Delivered);
            let exempt = pause || dead || desk.given_up.contains(id) || desk.redriven.contains(id);
            if first.insert(id) && !exempt {
                assert!(*highest <= at, "{id} reached the vendor too late");
                *highest = at;
            }
        }
    }

    pub(super) fn requests_were_answered(&self, conversation: usize) {
        let log = &self.logs[conversation];
        let is_request = |row: &&Row| matches!(row.action, Action::Request(_));
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

/// Everything that turns wanted delivered, in order.
pub(super) fn rows(log: &Log) -> Vec<&Row> {
    let own = log
        .turns()
        .flat_map(|(_, turn)| turn.state.rows.iter().filter(move |row| row.turn == turn.id));
    own.collect()
}
