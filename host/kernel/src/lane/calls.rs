//! Calls that a bot makes within its turn, by the import `http`.
//!
//! The event is on stable storage before the first request leaves, and each
//! answer before the bot sees it. So whatever happens afterwards, a rerun of the
//! event takes the recorded answers and repeats only the call that was open.
//!
//! A timer has no entry of its own, so its event is accepted first. Where others
//! were accepted while it ran, it would have to stand behind them: the run is
//! given up before anything left, and the timer fires when they are done.

use crate::call::{Ask, CallAnswer, CallError, Journal, idempotency_key, write_answer};
use crate::id::{Digest, EventId};
use crate::lane::queue::Queued;
use crate::lane::writes::Write;
use crate::lane::{Effect, Lane};
use crate::log::{Call, Seq};
use crate::time::Millis;

/// A call that the running bot waits for; there is never more than one.
#[derive(Debug)]
pub(super) struct Calling {
    run: u64,
    step: Step,
}

/// How far a call has come.
#[derive(Debug)]
enum Step {
    /// Its event is to be accepted.
    Asked(Box<Ask>),
    /// The request is on its way.
    Out(Open),
    /// Its answer is to be recorded.
    Answered(Box<Answered>),
    /// Its answer is being recorded.
    Recording(Box<Answered>),
}

/// What is kept of a request that has left.
#[derive(Debug)]
struct Open {
    index: u32,
    request: Digest,
    journal: Journal,
}

/// An answer that the bot has not seen.
#[derive(Debug)]
struct Answered {
    call: Call,
    answer: CallAnswer,
}

impl Lane {
    /// The running bot wants to make a call.
    pub(super) fn on_asked(&mut self, run: u64, ask: Box<Ask>, effects: &mut Vec<Effect>) {
        if self.running.as_ref().is_some_and(|running| running.run == run) {
            self.calling = Some(Calling { run, step: Step::Asked(ask) });
        } else {
            effects.push(Effect::Abandon { run });
        }
    }

    /// A request that had left was answered, or was not.
    pub(super) fn on_fetched(&mut self, run: u64, answer: CallAnswer) {
        let Some(calling) = self.calling.as_mut().filter(|calling| calling.run == run) else {
            return;
        };
        let (Step::Out(open), Some(running)) = (&mut calling.step, &self.running) else { return };
        let call = Call {
            event: running.event.clone(),
            of_start: running.start.is_some(),
            index: open.index,
            request: open.request,
            answer: write_answer(&answer),
            journal: std::mem::take(&mut open.journal),
        };
        calling.step = Step::Answered(Box::new(Answered { call, answer }));
    }

    /// The answer is on stable storage.
    pub(super) fn on_recorded(&mut self, seq: Seq) {
        if let Some(Write::Record(call)) = self.writing.take() {
            self.calls.push(*call);
            self.grew(1, seq);
        }
    }

    /// The store takes no answer so large: the bot is told so.
    pub(super) fn on_call_too_large(&mut self) {
        self.writing = None;
        let Some(Calling { step, .. }) = &mut self.calling else { return };
        if let Step::Recording(answered) = step {
            let answer = Err(CallError::TooLarge);
            let journal = Journal { reads: [].into(), ..answered.call.journal.clone() };
            let call = Call { answer: write_answer(&answer), journal, ..answered.call.clone() };
            *step = Step::Answered(Box::new(Answered { call, answer }));
        }
    }

    /// The store failed. What had left may still be answered; all other calls end
    /// with their runs, because nobody knows what was written.
    pub(super) fn on_calls_failed(&mut self, effects: &mut Vec<Effect>) {
        let waits = |calling: &Calling| !matches!(calling.step, Step::Out(_));
        if self.calling.as_ref().is_some_and(waits) {
            self.abandon(effects);
        }
    }

    /// The bot has ended, whatever it was waiting for.
    pub(super) fn end_calls(&mut self, run: u64) {
        self.calling.take_if(|calling| calling.run == run);
    }

    /// Takes the call of the running bot one step further, if it can be taken.
    pub(super) fn call(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        let Some(calling) = &self.calling else { return };
        let asked = matches!(calling.step, Step::Asked(_));
        if !self.is_current() || (asked && !self.queue_timer(now)) {
            return self.abandon(effects);
        }
        let event = self.running.as_ref().map(|running| running.on.clone());
        let Some((calling, event)) = self.calling.take().zip(event) else { return };
        let run = calling.run;
        let step = match calling.step {
            Step::Asked(ask) => match self.queue.front_mut() {
                Some(head) if head.is_stored() => {
                    let key = idempotency_key(&self.key, &event, ask.index);
                    let open = Open {
                        index: ask.index,
                        request: ask.request.digest(),
                        journal: ask.journal.clone(),
                    };
                    effects.push(Effect::Fetch { run, idempotency_key: key, ask });
                    Step::Out(open)
                }
                Some(head) => {
                    head.must_accept = true;
                    Step::Asked(ask)
                }
                None => Step::Asked(ask),
            },
            Step::Recording(answered) if !matches!(self.writing, Some(Write::Record(_))) => {
                // A write that was late may have put another answer first.
                if self.recorded(&answered.call) != Some(&answered.call) {
                    return self.abandon(effects);
                }
                effects.push(Effect::Resume { run, answer: Box::new(answered.answer) });
                return;
            }
            step => step,
        };
        self.calling = Some(Calling { run, step });
    }

    /// The answer that is to be recorded, if there is one.
    pub(super) fn take_record(&mut self) -> Option<Box<Call>> {
        let calling = self.calling.take()?;
        let (step, call) = match calling.step {
            Step::Answered(answered) => {
                let call = answered.call.clone();
                (Step::Recording(answered), Some(Box::new(call)))
            }
            step => (step, None),
        };
        self.calling = Some(Calling { step, ..calling });
        call
    }

    /// What earlier runs on an event have recorded, by index: the first answer to
    /// a call is the one that counts.
    pub(super) fn calls_of(&self, event: &EventId, of_start: bool) -> Vec<Call> {
        let own = |call: &&Call| call.event == *event && call.of_start == of_start;
        let mut calls: Vec<Call> = self.calls.iter().filter(own).cloned().collect();
        calls.sort_by_key(|call| call.index);
        calls.dedup_by_key(|call| call.index);
        calls
    }

    /// Whether an earlier run on an event has called out and was answered.
    pub(super) fn has_called(&self, event: &EventId) -> bool {
        self.calls.iter().any(|call| call.event == *event)
    }

    /// A turn is committed: what it had recorded is void.
    pub(super) fn forget_calls(&mut self, event: &EventId) {
        self.calls.retain(|call| call.made_on() != *event);
    }

    fn recorded(&self, call: &Call) -> Option<&Call> {
        let same = |known: &&Call| {
            (&known.event, known.of_start, known.index) == (&call.event, call.of_start, call.index)
        };
        self.calls.iter().find(same)
    }

    /// Whether the bot still runs on the event whose turn it is.
    fn is_current(&self) -> bool {
        let subject = self.subject().map(|arrival| &arrival.event.id);
        let current = |running: &super::Running| {
            Some(&running.event) == subject && running.after == self.turn
        };
        self.running.as_ref().is_some_and(current)
    }

    /// The event of a running timer is put where it will be accepted: in front of
    /// whoever is not. Answers whether there was room for it.
    fn queue_timer(&mut self, now: Millis) -> bool {
        let Some(timer) = self.timer.take() else { return true };
        let accepting = matches!(self.writing, Some(Write::Accept(_)));
        if accepting || self.unstored_from() > 0 || self.unread_from.is_some() {
            return false;
        }
        let mut queued = Queued::new(*timer, now);
        // It may be accepted twice where the store fails, and must fire once.
        queued.arrival.key = Some(queued.arrival.event.id.0.clone());
        self.queue.push_front(queued);
        true
    }

    /// Gives the run up: what it comes to does not count, and its bot waits no longer.
    fn abandon(&mut self, effects: &mut Vec<Effect>) {
        if let Some(Calling { run, .. }) = self.calling.take() {
            self.running = None;
            effects.push(Effect::Abandon { run });
        }
    }
}
