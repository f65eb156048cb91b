//! What must hold, read from the log and from what the vendor saw.

use std::collections::{BTreeMap, BTreeSet};

use botyard_kernel::action::Action;
use botyard_kernel::event::{Event, EventBody};
use botyard_kernel::id::{EventId, PartId};
use botyard_kernel::log::{Arrival, Conversation, Entry, Outcome, Row, RowEnd, SkipReason, Turn};
use botyard_kernel::outbox::RequestId;
use botyard_kernel::stored;
use botyard_kernel::time::Millis;

use crate::bot::{SEEN, token};
use crate::vendor::Kind;
use crate::world::World;

impl World {
    pub(crate) fn check(&self) {
        self.every_event_has_one_turn_in_order();
        self.every_webhook_was_handled_once();
        self.the_bot_was_told_everything_in_order();
        self.rows_reached_the_vendor_in_order();
        self.timers_fired_once();
        self.log.calls_were_answered_once();
        self.requests_were_answered();
        self.acknowledgements_left_in_order();
        self.the_log_is_the_state();
        self.the_rate_was_kept();
        self.check_versions();
    }

    /// No 2xx before everything that the webhook brought is on stable storage.
    pub(crate) fn check_durable(&self, request: RequestId) {
        // Whoever has left is answered in vain.
        let Some(n) = self.open.get(&request) else { return };
        let webhook = &self.vendor.webhooks[*n];
        for wanted in &webhook.tokens {
            let stored = self.log.arrivals().any(|(_, arrival)| match webhook.kind {
                Kind::Start => arrival.key.as_deref() == Some("start"),
                _ => told_by(arrival, wanted),
            });
            assert!(stored, "request {request} was answered before {wanted} was stored");
        }
    }

    fn every_event_has_one_turn_in_order(&self) {
        // Timers have no entry before their turn, so they stand in nobody's way.
        let waits = |arrival: &&Arrival| !matches!(arrival.event.body, EventBody::Timer(_));
        let arrivals = self.log.arrivals().map(|(_, arrival)| arrival).filter(waits);
        let accepted: Vec<&EventId> = arrivals.map(|arrival| &arrival.event.id).collect();
        let turned: Vec<&EventId> = self.log.turns().map(|(_, turn)| &turn.event).collect();
        let made_here =
            |id: &EventId| id.as_str().ends_with("-start") || id.as_str().starts_with("timer.");
        let own: Vec<&EventId> = turned.iter().copied().filter(|id| !made_here(id)).collect();
        assert_eq!(own, accepted, "turns are not the accepted events in order");
        let duplicate = Outcome::Skipped(SkipReason::Duplicate);
        let mut once = BTreeSet::new();
        for (_, turn) in self.log.turns().filter(|(_, turn)| turn.outcome != duplicate) {
            assert!(once.insert(&turn.event), "{} had two turns", turn.event);
        }
    }

    fn every_webhook_was_handled_once(&self) {
        for webhook in &self.vendor.webhooks {
            for wanted in &webhook.tokens {
                let handled = self.arrivals_with_turns().filter(|(arrival, turn)| {
                    let same = match webhook.kind {
                        Kind::Start => arrival.key.as_deref() == Some("start"),
                        _ => told_by(arrival, wanted),
                    };
                    same && turn.outcome != Outcome::Skipped(SkipReason::Duplicate)
                });
                let count = handled.count();
                assert_eq!(count, 1, "{wanted} ({:?}) was handled {count} times", webhook.kind);
            }
        }
    }

    fn arrivals_with_turns(&self) -> impl Iterator<Item = (&Arrival, &Turn)> {
        self.log.arrivals().filter_map(|(_, arrival)| {
            let turn = self.log.turns().find(|(_, turn)| turn.event == arrival.event.id);
            turn.map(|(_, turn)| (arrival, turn))
        })
    }

    fn the_bot_was_told_everything_in_order(&self) {
        let mut seen = Vec::new();
        let mut skipped = Vec::new();
        for (_, turn) in self.log.turns() {
            let arrivals = self.log.arrivals().map(|(_, arrival)| arrival);
            let arrival = arrivals.into_iter().find(|arrival| arrival.event.id == turn.event);
            let told = arrival
                .map_or_else(|| format!("start:{}", turn.event), |arrival| told(&arrival.event));
            match &turn.outcome {
                Outcome::Ran { .. } => {
                    seen.append(&mut skipped);
                    seen.push(told);
                }
                Outcome::Failed { .. } => skipped.clear(),
                Outcome::Skipped(SkipReason::NotOwner | SkipReason::Superseded) => {
                    skipped.push(told);
                }
                Outcome::Skipped(_) => {}
            }
        }
        let kept = self.lane.state().kv.get(SEEN).cloned().unwrap_or_default();
        let kept: Vec<&str> = kept.split_whitespace().collect();
        assert_eq!(kept, seen, "the bot was not told every event once and in order");
    }

    fn rows_reached_the_vendor_in_order(&self) {
        let rows: Vec<&Row> = self
            .log
            .turns()
            .flat_map(|(_, turn)| turn.state.rows.iter().filter(|row| row.turn == turn.id))
            .collect();
        let mut ends: BTreeMap<&PartId, Vec<&RowEnd>> = BTreeMap::new();
        for (id, end) in self.log.settled().flat_map(|(_, settled)| &settled.rows) {
            ends.entry(id).or_default().push(end);
        }
        for row in &rows {
            let found = ends.get(&row.id).map_or(&[][..], Vec::as_slice);
            assert!(!found.is_empty(), "{} never ended", row.id);
            let twice = found.len() > 1 && !self.wrote_and_failed;
            assert!(!twice, "{} ended twice: {found:?}", row.id);
            assert!(found.iter().all(|end| *end == found[0]), "{} ended: {found:?}", row.id);
            let told = self.vendor.received.iter().any(|(id, _)| *id == row.id);
            let must = *found[0] == RowEnd::Delivered
                && !matches!(row.action, Action::Request(_) | Action::Delay(_));
            assert!(told || !must, "{} never reached the vendor", row.id);
        }
        let place = |id: &PartId| rows.iter().position(|row| row.id == *id);
        let mut first = BTreeSet::new();
        let mut highest = None;
        for (id, _) in &self.vendor.received {
            let at = place(id);
            assert!(at.is_some(), "the vendor got {id}, which no turn wanted");
            if first.insert(id) && !self.vendor.given_up.contains(id) {
                assert!(highest <= at, "{id} reached the vendor too late");
                highest = at;
            }
        }
    }

    fn timers_fired_once(&self) {
        let mut set: BTreeMap<String, Millis> = BTreeMap::new();
        for (_, turn) in self.log.turns() {
            let arrival = self.log.arrivals().find(|(_, a)| a.event.id == turn.event);
            let arrival = arrival.map(|(_, arrival)| arrival);
            let again = matches!(turn.outcome, Outcome::Skipped(SkipReason::Duplicate));
            let body = arrival.map(|arrival| &arrival.event.body).filter(|_| !again);
            if let Some(EventBody::Timer(timer)) = body {
                let due = set.remove(&timer.name);
                assert_eq!(due, Some(timer.due_ms), "{} fired without being set", timer.name);
            }
            let now = arrival.map(|arrival| arrival.event.received_ms);
            if let Outcome::Ran { actions, .. } = &turn.outcome {
                for action in actions {
                    match action {
                        Action::Schedule(schedule) => {
                            let due = now.map_or_else(
                                || due(turn, &schedule.name),
                                |now| Some(now + schedule.after_ms),
                            );
                            set.insert(schedule.name.clone(), due.unwrap_or_default());
                        }
                        Action::CancelTimer(name) => drop(set.remove(name)),
                        Action::End => set.clear(),
                        _ => {}
                    }
                }
            }
        }
        assert!(set.is_empty(), "timers never fired: {set:?}");
    }

    fn requests_were_answered(&self) {
        for (_, turn) in self.log.turns() {
            for row in turn.state.rows.iter().filter(|row| row.turn == turn.id) {
                if let Action::Request(_) = &row.action {
                    let id = format!("e{}.response", row.id);
                    let handled = self.log.turns().filter(|(_, t)| {
                        t.event.as_str() == id
                            && t.outcome != Outcome::Skipped(SkipReason::Duplicate)
                    });
                    // An external bot that has lost the conversation is asked nothing more.
                    let withheld = (row.id.clone(), RowEnd::Quarantined);
                    let mut settled = self.log.settled();
                    let is_withheld = settled.any(|(_, it)| it.rows.contains(&withheld));
                    let ends = handled.count() + usize::from(is_withheld);
                    assert_eq!(ends, 1, "{} was not answered once", row.id);
                }
            }
        }
    }

    fn acknowledgements_left_in_order(&self) {
        let mut made = Vec::new();
        for (_, turn) in self.log.turns() {
            let new = turn.state.acknowledgements.iter().map(|it| &it.id);
            made.extend(new.filter(|id| id.as_str().starts_with(turn.id.as_str())));
        }
        let done: Vec<_> = self.log.settled().flat_map(|(_, s)| &s.acknowledged).collect();
        assert!(made.iter().all(|id| done.contains(id)), "an acknowledgement never ended");
        let place = |id: &PartId| made.iter().position(|made| *made == id);
        let mut first = BTreeSet::new();
        let told = self.vendor.acknowledged.iter().filter(|id| first.insert(*id)).map(place);
        assert!(told.is_sorted(), "acknowledgements overtook each other");
    }

    fn the_log_is_the_state(&self) {
        let loaded = self.log.load(100);
        let turn = loaded.turn.as_ref().map(|(_, turn)| turn);
        let state = Conversation::after(turn, loaded.settled);
        assert_eq!(*self.lane.state(), state, "the lane and its log differ");
        assert!(loaded.accepted.is_empty(), "events still wait");
        for (_, entry) in self.log.entries() {
            let read = stored::decode(&stored::encode(entry)).unwrap();
            assert!(read == *entry, "an entry does not survive being written down");
        }
        let last = self.log.entries().last().map(|(_, entry)| entry);
        let due = match last {
            Some(Entry::Turn(turn)) => turn.due_ms,
            Some(Entry::Settled(settled)) => settled.due_ms,
            _ => None,
        };
        assert_eq!(due, None, "the store would wake a conversation at rest");
    }

    fn the_rate_was_kept(&self) {
        let Some(rate) = self.rules.delivery.rate else { return };
        if self.crashes > 0 {
            return;
        }
        for at in &self.vendor.calls {
            let window = *at..at + rate.window_ms;
            let calls = self.vendor.calls.iter().filter(|call| window.contains(call)).count();
            assert!(calls <= rate.calls, "{calls} calls within {} ms", rate.window_ms);
        }
    }
}

fn told(event: &Event) -> String {
    token(event)
}

/// Whether a try of the vendor's brought what is wanted.
fn told_by(arrival: &Arrival, wanted: &str) -> bool {
    arrival.event.id.as_str().strip_prefix(wanted).is_some_and(|rest| rest.starts_with('t'))
}

/// When a timer of this turn is due, by the turn's own snapshot.
fn due(turn: &Turn, name: &str) -> Option<Millis> {
    turn.state.timers.iter().find(|timer| timer.name == name).map(|timer| timer.due_ms)
}
