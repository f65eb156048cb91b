//! What a conversation does by itself, or because an operator says so: its
//! timers, the end of its session's time, dead letters that are sent again.

use crate::event::{Event, EventBody, NamedPayload, Returned, Timer};
use crate::id::{Digest, EventId};
use crate::lane::Lane;
use crate::lane::queue::Queued;
use crate::log::{Arrival, Row, Settled, TimerState};
use crate::outbox::{Paused, fitting, room};
use crate::owner::Owner;
use crate::plan::{Reach, reach, return_id, session_timeout_id};
use crate::relay::{RELAY, silence_id};
use crate::session::Seed;
use crate::time::Millis;

impl Lane {
    pub(super) fn on_pause(&mut self, paused: Paused) {
        self.paused = paused;
        self.outbox.pause(paused);
    }

    /// Whether turns are paused and all that waits for them is stored: nothing is
    /// to be done in memory.
    pub(super) fn rests(&self) -> bool {
        self.paused.turns() && self.queue.iter().all(Queued::is_stored)
    }

    /// Puts dead letters back into the queue of what is to be delivered, as far as
    /// there is room and as somebody may say them now. The others stay letters.
    pub(super) fn revive(&mut self, now: Millis) {
        if self.erased == Some(self.turn) {
            // They were read before: what they say was erased with the rest.
            self.redriven.clear();
        }
        if self.redriven.is_empty() {
            return;
        }
        let owner = self.state.owner;
        let may_leave =
            |row: &Row| row.by_human || owner == Owner::Bot || reach(&row.action) != Reach::Person;
        let mut left = room(&self.state);
        let mut letters = std::mem::take(&mut self.redriven);
        letters.retain(|row| {
            let bytes = row.bytes();
            let fits = may_leave(row) && bytes <= left;
            left -= if fits { bytes } else { 0 };
            fits
        });
        while !letters.is_empty() {
            let count = fitting(&letters.iter().collect::<Vec<_>>()).len();
            let fresh = |row: Row| Row { made_ms: now, context: None, ..row };
            let revived = letters.drain(..count).map(fresh).collect();
            self.settle(Some(Settled { at_ms: now, revived, ..Settled::default() }));
        }
    }

    /// What a human says through the host is queued for delivery and told to the bot in
    /// one step. It is said once, however often it is asked for.
    pub(super) fn speak(&mut self, now: Millis) {
        for (arrival, rows) in std::mem::take(&mut self.spoken) {
            let waits = |queued: &Queued| queued.arrival.key == arrival.key;
            let coming = |settled: &Settled| settled.events.iter().any(|it| it.key == arrival.key);
            let known = self.handled(&arrival, now).is_some()
                || self.queue.iter().any(waits)
                || self.unsaved.iter().any(coming);
            let bytes: usize = rows.iter().map(Row::bytes).sum();
            if known || bytes > room(&self.state) {
                continue;
            }
            let revived = rows.into_iter().map(|row| Row { by_human: true, ..row }).collect();
            let events = vec![*arrival];
            self.settle(Some(Settled { at_ms: now, revived, events, ..Settled::default() }));
        }
    }

    /// What is due becomes an event when nobody else waits.
    pub(super) fn take_due(&mut self, now: Millis) {
        if self.subject().is_some() || self.unread_from.is_some() {
            return;
        }
        if self.next_own().is_none_or(|at| at > now) {
            return;
        }
        let timer = self.next_timer().filter(|timer| self.paced(timer.due_ms) <= now);
        let given_back = self.state.given_back_at().filter(|at| self.paced(*at) <= now);
        let own = match (timer, given_back) {
            (Some(timer), _) => Some(self.fired(timer, now)),
            (None, Some(at)) => Some(self.given_back(at, now)),
            (None, None) => self.state.times_out_at().map(|at| self.timed_out(at, now)),
        };
        self.timer = own.map(Box::new);
    }

    /// When the next of these is due.
    pub(super) fn next_own(&self) -> Option<Millis> {
        let timer = self.next_timer().map(|timer| timer.due_ms);
        let paced = timer.into_iter().chain(self.state.given_back_at()).map(|at| self.paced(at));
        paced.chain(self.state.times_out_at()).min()
    }

    fn next_timer(&self) -> Option<&TimerState> {
        self.state.timers.iter().min_by_key(|timer| timer.due_ms)
    }

    /// When what is due then becomes an event: a loop of the bot's must not stand before
    /// what people say.
    fn paced(&self, due_ms: Millis) -> Millis {
        due_ms.max(self.pace.unprompted_free_at())
    }

    fn fired(&self, timer: &TimerState, now: Millis) -> Arrival {
        // The same timer at the same point of the conversation is the same event,
        // a second one of its name and time is another.
        let id = format!("timer.{}.{}.{}", self.state.turns, timer.due_ms, timer.name);
        let body = EventBody::Timer(Timer {
            name: timer.name.clone(),
            due_ms: timer.due_ms,
            payload: timer.payload.clone(),
        });
        self.own_event(EventId(id), body, now)
    }

    fn timed_out(&self, at_ms: Millis, now: Millis) -> Arrival {
        let name = "session-timeout".to_owned();
        let body = EventBody::Other(NamedPayload { name, json: "null".to_owned() });
        self.own_event(session_timeout_id(self.state.turns, at_ms), body, now)
    }

    fn given_back(&self, at_ms: Millis, now: Millis) -> Arrival {
        if self.state.relay_silent_at() == Some(at_ms) {
            return self.fell_silent(at_ms, now);
        }
        let body = self.state.relay_over().unwrap_or_else(|| {
            let reason = Some("no human has said anything for too long".to_owned());
            EventBody::Returned(Returned { reason })
        });
        self.own_event(return_id(self.state.turns, at_ms), body, now)
    }

    /// The external bot is asked who the person is before the conversation goes back: it may
    /// have done all that it was there for.
    fn fell_silent(&self, at_ms: Millis, now: Millis) -> Arrival {
        let (name, json) = (RELAY.to_owned(), "{}".to_owned());
        let body = EventBody::Other(NamedPayload { name, json });
        self.own_event(silence_id(self.state.turns, at_ms), body, now)
    }

    fn own_event(&self, id: EventId, body: EventBody, now: Millis) -> Arrival {
        let key = &self.key;
        let parts = [key.tenant.as_str(), key.channel.as_str(), &key.vendor_key, id.as_str()];
        let digest = Digest::of_parts(parts.map(str::as_bytes));
        // It leaves the conversation with its turn: it needs no key.
        let arrival = Arrival::new(Event::new(id, now, body), Seed::from_digest(&digest));
        Arrival { by_host: true, ..arrival }
    }
}
