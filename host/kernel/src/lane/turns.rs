//! Whose turn it is.

use std::sync::Arc;

use crate::deployment::Pinned;
use crate::event::Event;
use crate::id::{Digest, EventId};
use crate::lane::writes::Write;
use crate::lane::{Effect, Lane};
use crate::log::{Arrival, Call, Seq, SkipReason};
use crate::plan::{Plan, Step};
use crate::profile::Profile;
use crate::retry;
use crate::run::{Blame, RunOutput};
use crate::session::Session;
use crate::time::Millis;

/// A bot that runs.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) run: u64,
    /// The event whose turn it is.
    pub(super) event: EventId,
    /// The event that the bot was given.
    pub(super) on: EventId,
    /// The turn before it.
    pub(super) after: Seq,
    /// A start of the host's own, which goes before the event.
    pub(super) start: Option<Box<Arrival>>,
}

/// Tries at an event that failed by the host's fault.
#[derive(Debug)]
pub(super) struct Attempts {
    event: EventId,
    /// The event that the bot was given, and the component that was tried last.
    on: EventId,
    version: Digest,
    failures: u32,
    first_ms: Millis,
    next_ms: Millis,
}

impl Lane {
    /// Begins the next turn, if it is time.
    pub(super) fn start_run(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if !self.may_run() {
            return;
        }
        self.take_due(now);
        let Some(arrival) = self.subject() else { return };
        if self.tried_again_at(&arrival.event.id).is_some_and(|at| now < at) {
            return;
        }
        if self.queue.front().is_some_and(|head| self.is_unread(head)) {
            self.loaded = false;
            return;
        }
        let rules = Arc::clone(&self.rules);
        let plan = self.plan(arrival, &rules);
        let slowed = now < self.pace.free_at(arrival);
        let step = plan.step();
        if let Some(turn) = self.too_large(&plan, &step, now) {
            self.finished = Some(Box::new(turn));
            return;
        }
        let follower = self.queue.get(1).filter(|_| self.timer.is_none());
        let superseded = follower.is_some_and(|next| plan.superseded_by(&next.arrival))
            // What has called out and was answered is not taken back.
            && !self.has_called(&arrival.event.id);
        match step {
            Step::Skip(reason) => self.finished = Some(Box::new(plan.skip(reason))),
            Step::Run(_) if superseded => {
                self.finished = Some(Box::new(plan.skip(SkipReason::Superseded)));
            }
            Step::Run(_) if follower.is_none() && now < self.complete_at(&plan) => {}
            Step::Run(_) | Step::StartFirst(_) | Step::Relay(_) if slowed => {}
            Step::Relay(medium) | Step::TimeOut(medium) => self.by_host(medium, effects),
            Step::Run(run) => {
                let pinned = plan.pinned();
                self.run(*run, pinned, None, effects);
            }
            Step::StartFirst(start) => {
                if let Step::Run(run) = self.plan(&start, &rules).step() {
                    self.run(*run, None, Some(start), effects);
                }
            }
        }
    }

    /// When the next turn can begin without anything else happening.
    pub(super) fn run_at(&self) -> Option<Millis> {
        if !self.may_run() {
            return None;
        }
        match self.subject() {
            Some(arrival) => {
                let paced = self.pace.free_at(arrival);
                let tried = self.tried_again_at(&arrival.event.id);
                let complete = match self.queue.len() {
                    1 => self.complete_at(&self.plan(arrival, &self.rules)),
                    _ => 0,
                };
                let waits = [paced, complete].into_iter().filter(|at| *at > 0);
                tried.into_iter().chain(waits).max()
            }
            None => self.next_own(),
        }
    }

    pub(super) fn on_no_room(&mut self) {
        if let Some(head) = self.queue.front_mut() {
            head.must_accept = true;
        }
    }

    pub(super) fn on_ran(
        &mut self,
        run: u64,
        output: RunOutput,
        version: Digest,
        profile: Profile,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        let Some(running) = self.end_run(run) else { return };
        if let Some(repeated) = self.runs_again(&running.on, &output, version, now) {
            effects.push(repeated);
            return;
        }
        let rules = Arc::clone(&self.rules);
        let Some(arrival) = running.start.as_deref().or_else(|| self.subject()) else { return };
        let turn = self.plan(arrival, &rules).complete(output, version, &profile, now);
        self.finished = Some(Box::new(turn));
        self.profile = Some(profile);
    }

    /// When an event whose turn failed by no fault of the bot is tried again.
    fn tried_again_at(&self, event: &EventId) -> Option<Millis> {
        let failed = self.attempts.iter().filter(|attempts| attempts.event == *event);
        failed.map(|attempts| attempts.next_ms).chain(self.oversized_until(event)).max()
    }

    fn may_run(&self) -> bool {
        let store_is_free = match &self.writing {
            Some(Write::Commit(_) | Write::Load) => false,
            // Only the store will tell whether a rerun has this answer, too.
            Some(Write::Record(_)) => false,
            // Its events will stand before whoever is not accepted yet.
            Some(Write::Settle(settled)) => settled.events.is_empty(),
            Some(Write::Accept(_)) | None => true,
        };
        let is_free = self.running.is_none() && self.finished.is_none();
        store_is_free && self.loaded && is_free && !self.paused.turns()
    }

    /// The event whose turn it is.
    pub(super) fn subject(&self) -> Option<&Arrival> {
        self.timer.as_deref().or_else(|| self.queue.front().map(|head| &head.arrival))
    }

    fn run(
        &mut self,
        (event, session): (Event, Session),
        pinned: Option<Pinned>,
        start: Option<Box<Arrival>>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(subject) = self.subject().map(|arrival| arrival.event.id.clone()) else { return };
        self.runs += 1;
        let run = self.runs;
        let (kv, calls) = (self.state.kv.clone(), self.calls_of(&subject, start.is_some()));
        let (on, after) = (event.id.clone(), self.turn);
        let pinned = self.tried(&on, &calls).or(pinned);
        self.running = Some(Running { run, event: subject, on, after, start });
        let (event, session) = (Box::new(event), Box::new(session));
        effects.push(Effect::Run { run, event, session, kv, calls, pinned });
    }

    /// The version of an earlier try at the event that the bot is given: a rerun takes
    /// the recorded answers of no other, and is to come to the same.
    fn tried(&self, on: &EventId, calls: &[Call]) -> Option<Pinned> {
        let recorded = calls.iter().find_map(|call| call.journal.version);
        let tried = self.attempts.as_ref().filter(|attempts| attempts.on == *on);
        let version = recorded.or_else(|| tried.map(|attempts| attempts.version))?;
        Some(Pinned::Event { version })
    }

    /// Nobody runs: only what the medium carries has to be known.
    fn by_host(&mut self, medium: String, effects: &mut Vec<Effect>) {
        let Some(event) = self.subject().map(|arrival| arrival.event.id.clone()) else { return };
        self.runs += 1;
        let (run, after, on) = (self.runs, self.turn, event.clone());
        self.running = Some(Running { run, event: event.clone(), on, after, start: None });
        effects.push(Effect::Profile { run, event, medium });
    }

    /// What the medium of an event carries that the host itself answers.
    pub(super) fn on_profile(&mut self, run: u64, profile: Profile, now: Millis) {
        if self.end_run(run).is_none() {
            return;
        }
        let rules = Arc::clone(&self.rules);
        let Some(arrival) = self.subject() else { return };
        let turn = self.plan(arrival, &rules).by_host(&profile, now);
        self.finished = Some(Box::new(turn));
        self.profile = Some(profile);
    }

    /// What ran, unless it counts no more: its event was refused, or somebody else's turn
    /// came between.
    fn end_run(&mut self, run: u64) -> Option<Running> {
        let running = self.running.take_if(|running| running.run == run)?;
        let subject = self.subject().filter(|_| self.loaded)?;
        let counts = subject.event.id == running.event && self.turn == running.after;
        counts.then_some(running)
    }

    /// The failure to tell of, where it is the host's own and leaves time for
    /// another try.
    fn runs_again(
        &mut self,
        on: &EventId,
        output: &RunOutput,
        version: Digest,
        now: Millis,
    ) -> Option<Effect> {
        let failure = output.result.as_ref().err().filter(|f| f.blame == Blame::Host)?;
        self.on_no_room();
        let event = self.subject()?.event.id.clone();
        let before = self.attempts.take().filter(|attempts| attempts.event == event);
        let (failures, first_ms) =
            before.map_or((1, now), |attempts| (attempts.failures + 1, attempts.first_ms));
        let next_ms = retry::rerun(failures, first_ms, now)?;
        let on = on.clone();
        let attempts = Attempts { event: event.clone(), on, version, failures, first_ms, next_ms };
        self.attempts = Some(attempts);
        Some(Effect::RunFailed { event, failure: failure.clone(), tries: failures, next_ms })
    }

    /// When the event at the head of the queue is all that the person has to say
    /// for now.
    fn complete_at(&self, plan: &Plan<'_>) -> Millis {
        let head = self.queue.front().filter(|_| self.timer.is_none());
        head.map_or(0, |head| plan.complete_at(head.arrived_ms))
    }

    fn plan<'a>(&'a self, arrival: &'a Arrival, rules: &'a super::Rules) -> Plan<'a> {
        Plan { key: &self.key, state: &self.state, arrival, policy: &rules.policy }
    }
}
