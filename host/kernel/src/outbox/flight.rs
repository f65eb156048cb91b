//! A vendor call from the wish to the end: asked for, claimed, sent.
//!
//! Before a call leaves, its destination is asked, and then a claim of its rows
//! is written: after a crash the claim tells that the vendor may have them.

use crate::destination::{Admission, Purpose};
use crate::id::PartId;
use crate::log::{Conversation, Row, Settled};
use crate::outbox::{CallId, Outbox, Send, fitting, select, settle};
use crate::profile::Delivery;
use crate::time::Millis;

/// The one vendor call that is under way.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) call: CallId,
    pub(super) rows: Vec<PartId>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Its destination is asked.
    Asking,
    /// It may leave: the claim is still to be written.
    Admitted,
    /// The claim is being written.
    Claiming,
    /// The claim is on stable storage.
    Claimed,
    /// It has left.
    Sent,
}

impl Outbox {
    /// Whether a call may leave, as its destination says.
    pub fn admitted(&mut self, call: CallId, admission: Admission) {
        self.acknowledgement_admitted(call, admission);
        let Some(flight) = self.flight.as_mut().filter(|flight| flight.call == call) else {
            return;
        };
        if self.line.goes(admission) {
            flight.stage = Stage::Admitted;
        } else {
            self.flight = None;
        }
    }

    /// Whether a call that was asked for is still wanted, or under way.
    pub fn is_calling(&self, call: CallId) -> bool {
        let acknowledges = self.acknowledging.as_ref().is_some_and(|it| it.call == call);
        acknowledges || self.flight.as_ref().is_some_and(|flight| flight.call == call)
    }

    /// These rows are claimed, on stable storage.
    pub fn claimed(&mut self, claimed: &[PartId]) {
        let claiming = self.flight.as_mut().filter(|flight| flight.stage == Stage::Claiming);
        if let Some(flight) = claiming
            && flight.rows.iter().all(|id| claimed.contains(id))
        {
            flight.stage = Stage::Claimed;
        }
    }

    /// The conversation was read from the store: rows that were claimed and are
    /// not on their way from here were on their way when a host died.
    pub fn recover(&mut self, state: &Conversation, now: Millis) {
        let lost: Vec<PartId> =
            state.claimed.iter().filter(|id| !self.is_on_its_way(id)).cloned().collect();
        for id in lost {
            let tries = self.tries.entry(id.clone()).or_default();
            if !tries.ambiguous {
                tries.ambiguous = true;
                // The vendor has counted that call at some time before now.
                self.doubtful_call_ms = Some(now);
                self.orphans.push(id);
            }
        }
    }

    /// Asks for a call of these rows.
    pub(super) fn ask(&mut self, rows: Vec<PartId>) -> Send {
        self.calls += 1;
        self.flight = Some(Flight { call: self.calls, rows, stage: Stage::Asking });
        Send::Ask { call: self.calls, ticket: self.line.ticket, purpose: Purpose::Delivery }
    }

    /// Gives up a call that has not left and would say something in a conversation
    /// that somebody else has taken since it was asked for. One that is still to be claimed
    /// may have waited long for its place: then it may be paused or too old, too.
    pub(super) fn call_off(&mut self, state: &Conversation, delivery: &Delivery, now: Millis) {
        if self.flight.is_none() {
            return;
        }
        let withheld = settle::withheld(state);
        let withholds = |flight: &Flight| withheld.iter().any(|row| flight.rows.contains(&row.id));
        let stale = self.paused.channel || self.old_at(state, delivery).is_some_and(|at| now >= at);
        self.flight.take_if(|flight| match flight.stage {
            Stage::Asking | Stage::Admitted => stale || withholds(flight),
            Stage::Claimed => withholds(flight),
            Stage::Claiming | Stage::Sent => false,
        });
    }

    /// When the first row of a call that is not claimed yet is too old.
    pub(super) fn old_at(&self, state: &Conversation, delivery: &Delivery) -> Option<Millis> {
        let unclaimed = |flight: &&Flight| matches!(flight.stage, Stage::Asking | Stage::Admitted);
        let flight = self.flight.as_ref().filter(unclaimed)?;
        let rows = select(state, &flight.rows).into_iter();
        rows.map(|row| self.too_old_at(row, state.route, delivery)).min()
    }

    /// The claim that is to be written now.
    pub(super) fn claim(&mut self, state: &Conversation, now: Millis) -> Option<Settled> {
        let flight = self.flight.as_mut().filter(|flight| flight.stage == Stage::Admitted)?;
        flight.stage = Stage::Claiming;
        let mut claimed = flight.rows.clone();
        claimed.extend(state.claimed.iter().filter(|id| !flight.rows.contains(id)).cloned());
        // A call that was under way at a crash counts from now on for every host.
        let called_ms = self.doubtful_call_ms.take().into_iter().collect();
        Some(Settled { at_ms: now, claimed: Some(claimed), called_ms, ..Settled::default() })
    }

    /// What stays claimed when a call of these rows was not taken: others, and
    /// those of them that an earlier call may have brought.
    pub(super) fn without(&self, rows: &[PartId], state: &Conversation) -> Vec<PartId> {
        let doubtful = |id: &PartId| self.tries.get(id).is_some_and(|tries| tries.ambiguous);
        let stays = |id: &&PartId| !rows.contains(id) || doubtful(id);
        state.claimed.iter().filter(stays).cloned().collect()
    }

    /// The call that may leave now.
    pub(super) fn take_off(&mut self, state: &Conversation) -> Option<Send> {
        let flight = self.flight.as_mut().filter(|flight| flight.stage == Stage::Claimed)?;
        flight.stage = Stage::Sent;
        let rows: Vec<Row> = select(state, &flight.rows).into_iter().cloned().collect();
        let again = rows.iter().any(|row| self.tries.get(&row.id).is_some_and(|t| t.ambiguous));
        Some(Send::Call { call: self.flight.as_ref()?.call, rows, again })
    }

    /// Rows that were under way when a host died and that nobody may send again.
    pub(super) fn hold_orphans(
        &mut self,
        state: &Conversation,
        delivery: &Delivery,
        now: Millis,
    ) -> Option<Settled> {
        let orphans = std::mem::take(&mut self.orphans);
        if !delivery.hold_ambiguous {
            return None;
        }
        let rows = select(state, &orphans);
        if rows.is_empty() {
            return None;
        }
        let (now_held, later) = rows.split_at(fitting(&rows).len());
        self.orphans = later.iter().map(|row| row.id.clone()).collect();
        let why = "held, because its call was under way when the host stopped";
        Some(settle::dead(state, now_held, why, true, now))
    }
}
