//! The lane of a conversation: its events get their turns one at a time, in the
//! order of arrival, and its actions leave in order.
//!
//! A state machine without IO. The driver feeds it [`Input`]s and carries out
//! [`Effect`]s; at most one write of a lane is under way at once, so what is
//! stored always has the order in which it was decided.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::action::Action;
use crate::event::{Event, EventBody, Timer};
use crate::id::{ConversationKey, Digest, EventId};
use crate::log::{Arrival, Conversation, Outcome, Seq, Settled, Turn};
use crate::outbox::{CallId, Called, Outbox, RequestId, Requested, Send, quarantine};
use crate::owner::Owner;
use crate::plan::{Plan, Policy, Step, host_start_id};
use crate::profile::{Delivery, Profile};
use crate::retry;
use crate::run::{Blame, RunOutput};
use crate::session::{Seed, Session};
use crate::time::{Millis, SECOND};

/// After so long the event of a running turn is accepted on its own.
pub const ACCEPT_AFTER_MS: Millis = 20;
/// A store that failed is asked again after so long.
pub const STORE_RETRY_MS: Millis = SECOND;

/// What the lane must know of its channel; replaced as a whole when it changes.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Turns.
    pub policy: Policy,
    /// Deliveries.
    pub delivery: Delivery,
}

/// What happened to a lane.
#[derive(Debug)]
pub enum Input {
    /// A webhook, a signal: with the request that waits for its answer, if any.
    Arrived {
        /// Who waits.
        request: Option<RequestId>,
        /// What happened, in order; at least one.
        arrivals: Vec<Arrival>,
        /// The request is answered as soon as its events are accepted.
        accept_only: bool,
    },
    /// The end of [`Effect::Load`].
    Loaded(Box<Loaded>),
    /// The end of [`Effect::Accept`]: the entries of the events, in order.
    Accepted(Vec<Seq>),
    /// The end of [`Effect::Commit`]: the turn's entry, or a conflict.
    Committed(Option<Seq>),
    /// The end of [`Effect::Settle`]: the entries of the follow-up events, and
    /// the last entry of the log now.
    Settled {
        /// Entries of the follow-up events, in order.
        events: Vec<Seq>,
        /// The last entry of the log.
        last: Seq,
    },
    /// The store failed at what was under way.
    StoreFailed,
    /// There is no room to run now; [`Input::Ran`] comes later.
    NoRoom,
    /// The bot ran.
    Ran {
        /// Names the run.
        run: u64,
        /// What it came to.
        output: Box<RunOutput>,
        /// The component.
        version: Digest,
        /// What the medium of the conversation carries.
        profile: Box<Profile>,
    },
    /// The answer of a request was handed over whole, or was not.
    Answered {
        /// Whose answer.
        request: RequestId,
        /// All of it was written.
        whole: bool,
    },
    /// Whoever waited for an answer has left before there was one.
    ClientLeft(RequestId),
    /// A vendor call ended.
    Called {
        /// Which.
        call: CallId,
        /// How.
        called: Called,
    },
    /// The call of a `request` action ended.
    Requested {
        /// Which.
        call: CallId,
        /// How.
        requested: Requested,
    },
    /// Time has passed.
    Wake,
}

/// A conversation as the store has it.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The last entry.
    pub last: Seq,
    /// The last turn with its entry.
    pub turn: Option<(Seq, Turn)>,
    /// Accepted events that wait for their turns, in order.
    pub accepted: Vec<(Seq, Arrival)>,
    /// There are more of them than were loaded.
    pub more: bool,
    /// What was settled after the turn's snapshot.
    pub settled: Vec<Settled>,
}

/// What the driver is to do. Each store effect is answered by exactly one input,
/// and there is never more than one of them under way.
#[derive(Debug)]
pub enum Effect {
    /// Read the conversation.
    Load,
    /// Write these events, in order.
    Accept(Vec<Arrival>),
    /// Write this turn.
    Commit(Box<Turn>),
    /// Write this settlement.
    Settle(Box<Settled>),
    /// Run the bot. `session.profile` is the driver's to fill in.
    Run {
        /// Names the run.
        run: u64,
        /// On what.
        event: Box<Event>,
        /// Where.
        session: Box<Session>,
        /// The conversation's own values.
        kv: BTreeMap<String, String>,
    },
    /// Refuse these requests: nothing of theirs is stored.
    Refuse(RequestId),
    /// A delivery.
    Send(Send),
    /// A turn is on stable storage: for logs and metrics.
    Turned(Box<Turn>),
}

/// The lane of one conversation.
#[derive(Debug)]
pub struct Lane {
    key: ConversationKey,
    rules: Arc<Rules>,
    outbox: Outbox,
    loaded: bool,
    state: Conversation,
    last: Seq,
    turn: Seq,
    more: bool,
    loaded_to: Seq,
    queue: VecDeque<Queued>,
    running: Option<Running>,
    runs: u64,
    store: Option<Write>,
    unsaved: VecDeque<Settled>,
    early: Vec<(Option<RequestId>, Vec<Arrival>, bool)>,
    store_retry_ms: Millis,
    store_failed: bool,
    finished: Option<Box<Turn>>,
}

/// An event that waits for its turn, the head's included.
#[derive(Debug)]
struct Queued {
    arrival: Arrival,
    seq: Option<Seq>,
    request: Option<RequestId>,
    arrived_ms: Millis,
    must_accept: bool,
    failures: u32,
    first_failure_ms: Millis,
    not_before_ms: Millis,
}

#[derive(Debug)]
struct Running {
    run: u64,
    /// A host-made start, which goes before the head of the queue.
    start: Option<Box<Arrival>>,
    /// The result is of no use any more.
    void: bool,
}

/// What is being written.
#[derive(Debug)]
enum Write {
    Load,
    Accept(usize),
    Commit(Box<Turn>),
    Settle(Box<Settled>),
}

impl Lane {
    /// A lane that knows nothing yet: it loads its conversation first.
    pub fn new(key: ConversationKey, rules: Arc<Rules>) -> Self {
        Self {
            key,
            rules,
            outbox: Outbox::default(),
            loaded: false,
            state: Conversation::default(),
            last: 0,
            turn: 0,
            more: false,
            loaded_to: 0,
            queue: VecDeque::new(),
            running: None,
            runs: 0,
            store: None,
            unsaved: VecDeque::new(),
            early: Vec::new(),
            store_retry_ms: 0,
            store_failed: false,
            finished: None,
        }
    }

    /// The conversation as it stands, deliveries that are not stored yet included.
    pub fn state(&self) -> &Conversation {
        &self.state
    }

    /// The next time at which [`Input::Wake`] has something to do.
    pub fn wake_at(&self, now: Millis) -> Option<Millis> {
        if self.store.is_some() {
            return None;
        }
        if self.store_failed {
            return Some(self.store_retry_ms);
        }
        let delivery = &self.rules.delivery;
        let accept = self
            .queue
            .iter()
            .filter(|queued| queued.seq.is_none())
            .map(|queued| queued.arrived_ms + ACCEPT_AFTER_MS);
        let rerun = (self.running.is_none())
            .then(|| self.queue.front())
            .flatten()
            .map(|queued| queued.not_before_ms)
            .filter(|at| *at > now);
        let timer = self.state.timers.iter().map(|timer| timer.due_ms);
        let timer =
            (self.running.is_none() && self.queue.is_empty()).then(|| timer.min()).flatten();
        let outbox = self.outbox.wake_at(&self.state, delivery, now);
        accept.chain(rerun).chain(timer).chain(outbox).min()
    }

    /// Nothing waits, runs or is on its way: what is left follows from the store.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
            && self.running.is_none()
            && self.store.is_none()
            && self.unsaved.is_empty()
            && self.early.is_empty()
            && self.outbox.is_idle()
    }

    /// Takes an input and says what is to be done.
    pub fn on(&mut self, input: Input, now: Millis) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Arrived { request, arrivals, accept_only } => {
                self.early.push((request, arrivals, accept_only));
            }
            Input::Loaded(loaded) => self.on_loaded(*loaded, now),
            Input::Accepted(seqs) => self.on_accepted(&seqs),
            Input::Committed(seq) => self.on_committed(seq, now, &mut effects),
            Input::Settled { events, last } => self.on_settled(&events, last, now),
            Input::StoreFailed => self.on_store_failed(now, &mut effects),
            Input::NoRoom => {
                if let Some(head) = self.queue.front_mut() {
                    head.must_accept = true;
                }
            }
            Input::Ran { run, output, version, profile } => {
                self.on_ran(run, *output, version, &profile, now);
            }
            Input::Answered { request, whole } => {
                let delivery = &self.rules.delivery;
                let settled = self.outbox.answered(&self.state, delivery, request, whole, now);
                self.settle(settled);
            }
            Input::ClientLeft(request) => self.on_client_left(request),
            Input::Called { call, called } => {
                let delivery = &self.rules.delivery;
                let settled = self.outbox.called(&self.state, delivery, call, called, now);
                self.settle(settled);
            }
            Input::Requested { call, requested } => {
                let settled = self.outbox.requested(&self.state, call, requested, now);
                self.settle(settled);
            }
            Input::Wake => {}
        }
        self.advance(now, &mut effects);
        effects
    }

    /// Does whatever can be done now.
    fn advance(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if !self.loaded {
            let wait = self.store_failed && now < self.store_retry_ms;
            if self.store.is_none() && !wait {
                self.store = Some(Write::Load);
                effects.push(Effect::Load);
            }
            return;
        }
        for (request, arrivals, accept_only) in std::mem::take(&mut self.early) {
            self.admit(request, arrivals, accept_only, now, effects);
        }
        self.write(now, effects);
        self.start_run(now, effects);
        self.write(now, effects);
        self.deliver(now, effects);
        self.write(now, effects);
    }

    // Arrivals

    fn admit(
        &mut self,
        request: Option<RequestId>,
        arrivals: Vec<Arrival>,
        accept_only: bool,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        if self.store_failed && now < self.store_retry_ms {
            effects.extend(request.map(Effect::Refuse));
            return;
        }
        let many = arrivals.len() > 1;
        let busy = !self.queue.is_empty() || self.more;
        let ids = arrivals.iter().map(|arrival| &arrival.event.id);
        let events: Vec<EventId> = ids.flat_map(|id| [id.clone(), host_start_id(id)]).collect();
        let wait = if accept_only { 0 } else { self.rules.delivery.answer_by_ms };
        let mut fresh = Vec::new();
        for arrival in arrivals {
            if let (false, Some(request)) = (many, request)
                && self.take_over(request, &arrival, accept_only, now, effects)
            {
                return;
            }
            fresh.push(arrival);
        }
        if let Some(request) = request {
            self.outbox.open(request, events, now + wait, !accept_only);
        }
        if busy {
            // Whoever waits behind somebody is stored, and so is whoever they wait for.
            for queued in &mut self.queue {
                queued.must_accept = true;
            }
        }
        for arrival in fresh {
            let must_accept = accept_only || many || busy;
            self.queue.push_back(Queued {
                arrival,
                seq: None,
                request,
                arrived_ms: now,
                must_accept,
                failures: 0,
                first_failure_ms: 0,
                not_before_ms: 0,
            });
        }
    }

    /// A redelivery takes over the request of the event that it repeats.
    fn take_over(
        &mut self,
        request: RequestId,
        arrival: &Arrival,
        accept_only: bool,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let answer_by = now + self.rules.delivery.answer_by_ms;
        let same_key = |other: &Arrival| arrival.key.is_some() && arrival.key == other.key;
        let same_request =
            |other: &Arrival| arrival.request.is_some() && arrival.request == other.request;
        let outbox = &self.outbox;
        let waiting = self.queue.iter_mut().find(|queued| {
            let healthy = outbox.request_of(&queued.arrival.event.id).is_some();
            same_key(&queued.arrival) || (same_request(&queued.arrival) && !healthy)
        });
        if let Some(queued) = waiting {
            let event = queued.arrival.event.id.clone();
            let accepted = queued.seq.is_some();
            let older = queued.request.replace(request);
            if let Some(older) = older.filter(|older| outbox.request_of(&event) == Some(*older)) {
                self.outbox.forget(older);
                effects.push(Effect::Send(Send::Answer { request: older, rows: Vec::new() }));
            }
            let events = vec![host_start_id(&event), event];
            self.outbox.open(request, events, answer_by, !accept_only);
            if accepted {
                self.outbox.accepted(request);
            }
            return true;
        }
        let digest = arrival.request.and_then(|digest| self.state.redelivered(digest, now));
        let repeated = digest.map(|open| open.event.clone());
        let repeated = repeated.filter(|event| self.outbox.request_of(event).is_none());
        let known = arrival.key.as_deref().is_some_and(|key| self.state.knows(key));
        if repeated.is_none() && !known {
            return false;
        }
        let events = repeated.into_iter().collect();
        self.outbox.open(request, events, answer_by, !accept_only);
        self.outbox.done(request);
        true
    }

    fn on_client_left(&mut self, request: RequestId) {
        self.outbox.forget(request);
        for queued in &mut self.queue {
            if queued.request == Some(request) {
                queued.request = None;
            }
        }
    }

    // The store

    /// Starts the most urgent write, if none is under way: what was delivered
    /// first, because a turn's snapshot must not run ahead of it.
    fn write(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if self.store.is_some() || !self.loaded {
            return;
        }
        if self.store_failed {
            if now < self.store_retry_ms {
                return;
            }
            self.store_failed = false;
        }
        let brings_events = self.unsaved.front().is_some_and(|s| !s.events.is_empty());
        // Follow-up events get their entries behind whoever came before them.
        let accept_first = brings_events && self.queue.iter().any(|q| q.seq.is_none());
        if !accept_first && let Some(mut settled) = self.unsaved.pop_front() {
            settled.due_ms = self.state.due();
            self.store = Some(Write::Settle(Box::new(settled.clone())));
            effects.push(Effect::Settle(Box::new(settled)));
        } else if let Some(arrivals) = self.to_accept(accept_first, now) {
            self.store = Some(Write::Accept(arrivals.len()));
            effects.push(Effect::Accept(arrivals));
        } else if let Some(mut turn) = self.finished.take() {
            self.place(&mut turn);
            self.store = Some(Write::Commit(turn.clone()));
            effects.push(Effect::Commit(turn));
        }
    }

    /// Gives a turn its place in the log: right behind everything that its
    /// snapshot includes.
    fn place(&self, turn: &mut Turn) {
        turn.previous = self.turn;
        turn.base = self.last;
        turn.due_ms = turn.state.due();
        let Some(head) = self.queue.front() else { return };
        if head.arrival.event.id == turn.event {
            turn.watermark = head.seq.unwrap_or(self.last);
            turn.fused = head.seq.is_none().then(|| Box::new(head.arrival.clone()));
        } else {
            // A start of the host's own consumes no entry: the event comes next.
            turn.watermark = head.seq.map_or(self.last, |seq| seq - 1);
            turn.fused = None;
        }
    }

    /// The events that are to be accepted now: all that wait unaccepted, as soon
    /// as one of them must be, so that their order is kept.
    fn to_accept(&self, at_once: bool, now: Millis) -> Option<Vec<Arrival>> {
        let waiting: Vec<&Queued> =
            self.queue.iter().filter(|queued| queued.seq.is_none()).collect();
        let late = |queued: &&Queued| now >= queued.arrived_ms + ACCEPT_AFTER_MS;
        let must = at_once || waiting.iter().any(|queued| queued.must_accept || late(queued));
        // A finished turn brings its event along, if nobody else waits.
        let head = self.queue.front().map(|head| &head.arrival.event.id);
        let fuses = self.finished.as_ref().is_some_and(|turn| Some(&turn.event) == head);
        if waiting.is_empty() || !must || (fuses && waiting.len() == 1 && !at_once) {
            return None;
        }
        Some(waiting.into_iter().map(|queued| queued.arrival.clone()).collect())
    }

    fn on_loaded(&mut self, loaded: Loaded, now: Millis) {
        self.store = None;
        self.store_failed = false;
        self.loaded = true;
        self.last = loaded.last;
        self.turn = loaded.turn.as_ref().map_or(0, |(seq, _)| *seq);
        let turn = loaded.turn.as_ref().map(|(_, turn)| turn);
        self.state = Conversation::after(turn, loaded.settled);
        for settled in &self.unsaved {
            self.state.settle(settled);
        }
        self.more = loaded.more;
        self.loaded_to = loaded.accepted.last().map_or(0, |(seq, _)| *seq);
        self.enqueue_accepted(loaded.accepted, now);
    }

    /// Puts stored events in front of those that are not stored yet; whoever
    /// waits here for the answer of one keeps waiting.
    fn enqueue_accepted(&mut self, accepted: Vec<(Seq, Arrival)>, now: Millis) {
        let mut known: VecDeque<Queued> = std::mem::take(&mut self.queue);
        for (seq, arrival) in accepted {
            let at = known.iter().position(|queued| queued.arrival.event.id == arrival.event.id);
            let mut queued = match at.and_then(|at| known.remove(at)) {
                Some(queued) => queued,
                None => Queued::new(arrival, now),
            };
            queued.seq = Some(seq);
            self.queue.push_back(queued);
        }
        // What this lane believed stored and the store does not have was consumed
        // by somebody else's turn.
        let rest = known.into_iter().filter(|queued| queued.seq.is_none());
        self.queue.extend(rest);
    }

    fn on_accepted(&mut self, seqs: &[Seq]) {
        let Some(Write::Accept(count)) = self.store.take() else { return };
        debug_assert_eq!(count, seqs.len(), "the store numbers every event that it accepts");
        let waiting = self.queue.iter_mut().filter(|queued| queued.seq.is_none());
        for (queued, seq) in waiting.zip(seqs) {
            queued.seq = Some(*seq);
            self.last = self.last.max(*seq);
        }
        self.tell_accepted();
    }

    /// Requests all of whose events are stored may be answered.
    fn tell_accepted(&mut self) {
        for queued in &self.queue {
            let Some(request) = queued.request else { continue };
            let open = |other: &&Queued| other.request == Some(request) && other.seq.is_none();
            if !self.queue.iter().any(|other| open(&other)) {
                self.outbox.accepted(request);
            }
        }
    }

    fn on_committed(&mut self, seq: Option<Seq>, now: Millis, effects: &mut Vec<Effect>) {
        let Some(Write::Commit(turn)) = self.store.take() else { return };
        let Some(seq) = seq else {
            // Another host was quicker: read again and run again.
            self.loaded = false;
            if let Some(head) = self.queue.front_mut() {
                head.must_accept = true;
            }
            return;
        };
        self.last = self.last.max(seq);
        self.turn = seq;
        let before = self.state.owner;
        self.state = turn.state.clone();
        for settled in &self.unsaved {
            self.state.settle(settled);
        }
        let consumed = self.queue.front().is_some_and(|head| head.arrival.event.id == turn.event);
        if consumed
            && let Some(head) = self.queue.pop_front()
            && let Some(request) = head.request
            && !self.queue.iter().any(|other| other.request == Some(request))
        {
            self.outbox.done(request);
        }
        self.withhold(&turn, before, now);
        effects.push(Effect::Turned(turn));
        if self.queue.is_empty() && self.more {
            self.loaded = false;
        }
    }

    /// Speech that still waits when somebody else takes the conversation is
    /// withheld; what the bot itself said before it handed over is not.
    fn withhold(&mut self, turn: &Turn, before: Owner, now: Millis) {
        let hands_over = |row: &crate::log::Row| {
            row.turn == turn.id
                && matches!(row.action, Action::Forward(_) | Action::Abort | Action::End)
        };
        let taken = matches!(turn.state.owner, Owner::Human | Owner::Ended);
        if before == Owner::Bot && taken && !turn.state.rows.iter().any(hands_over) {
            let settled = quarantine(&self.state.rows, now);
            self.settle(settled);
        }
    }

    fn on_settled(&mut self, events: &[Seq], last: Seq, now: Millis) {
        let Some(Write::Settle(settled)) = self.store.take() else { return };
        self.last = self.last.max(last);
        for (seq, arrival) in events.iter().zip(settled.events) {
            let mut queued = Queued::new(arrival, now);
            queued.seq = Some(*seq);
            let unaccepted = self.queue.iter().position(|other| other.seq.is_none());
            self.queue.insert(unaccepted.unwrap_or(self.queue.len()), queued);
        }
    }

    fn on_store_failed(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        self.store_failed = true;
        self.store_retry_ms = now + STORE_RETRY_MS;
        match self.store.take() {
            Some(Write::Settle(settled)) => self.unsaved.push_front(*settled),
            Some(Write::Commit(turn)) => self.finished = Some(turn),
            Some(Write::Accept(_) | Write::Load) | None => {}
        }
        for (request, _, _) in std::mem::take(&mut self.early) {
            effects.extend(request.map(Effect::Refuse));
        }
        // Whoever is not on stable storage is told so and comes again.
        let head_refused = self.queue.front().is_some_and(|head| head.seq.is_none());
        let (stored, refused): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.queue).into_iter().partition(|queued| queued.seq.is_some());
        self.queue = stored;
        for request in refused.into_iter().filter_map(|queued| queued.request) {
            self.outbox.forget(request);
            effects.push(Effect::Refuse(request));
        }
        if head_refused {
            self.finished = None;
            if let Some(running) = &mut self.running {
                running.void = true;
            }
        }
    }

    // Turns

    fn start_run(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        let wait = match &self.store {
            Some(Write::Commit(_) | Write::Load) => true,
            // Its events will stand before whoever is not accepted yet.
            Some(Write::Settle(settled)) => !settled.events.is_empty(),
            Some(Write::Accept(_)) | None => false,
        };
        if wait || self.running.is_some() || self.finished.is_some() || !self.loaded {
            return;
        }
        self.take_due_timers(now);
        let Some(head) = self.queue.front() else { return };
        if now < head.not_before_ms {
            return;
        }
        if self.more && head.seq.is_none_or(|seq| seq > self.loaded_to) {
            // Stored events stand before this one that were not read yet.
            self.loaded = false;
            return;
        }
        let rules = Arc::clone(&self.rules);
        let plan = self.plan(&head.arrival, &rules);
        match plan.step() {
            Step::Skip(reason) => {
                let turn = plan.skip(reason);
                self.finished = Some(Box::new(turn));
            }
            Step::Run(run) => self.run(*run, None, effects),
            Step::StartFirst(start) => {
                let plan = self.plan(&start, &rules);
                if let Step::Run(run) = plan.step() {
                    self.run(*run, Some(start), effects);
                }
            }
        }
    }

    fn run(
        &mut self,
        (event, session): (Event, Session),
        start: Option<Box<Arrival>>,
        effects: &mut Vec<Effect>,
    ) {
        self.runs += 1;
        let run = self.runs;
        self.running = Some(Running { run, start, void: false });
        let kv = self.state.kv.clone();
        let (event, session) = (Box::new(event), Box::new(session));
        effects.push(Effect::Run { run, event, session, kv });
    }

    fn on_ran(
        &mut self,
        run: u64,
        output: RunOutput,
        version: Digest,
        profile: &Profile,
        now: Millis,
    ) {
        let Some(running) = self.running.take_if(|running| running.run == run) else { return };
        if running.void {
            return;
        }
        if self.runs_again(&output, now) {
            return;
        }
        let Some(head) = self.queue.front() else { return };
        let rules = Arc::clone(&self.rules);
        let arrival = running.start.as_deref().unwrap_or(&head.arrival);
        let turn = self.plan(arrival, &rules).complete(output, version, profile);
        self.finished = Some(Box::new(turn));
    }

    /// Whether a failure of the host itself leaves time for another try.
    fn runs_again(&mut self, output: &RunOutput, now: Millis) -> bool {
        let blamed = output.result.as_ref().err().map(|failure| failure.blame);
        let (Some(Blame::Host), Some(head)) = (blamed, self.queue.front_mut()) else {
            return false;
        };
        if head.failures == 0 {
            head.first_failure_ms = now;
        }
        head.failures += 1;
        head.must_accept = true;
        let Some(at) = retry::rerun(head.failures, head.first_failure_ms, now) else {
            return false;
        };
        head.not_before_ms = at;
        true
    }

    fn plan<'a>(&'a self, arrival: &'a Arrival, rules: &'a Rules) -> Plan<'a> {
        Plan { key: &self.key, state: &self.state, arrival, policy: &rules.policy }
    }

    /// Timers that are due become events. They need no entry of their own: until
    /// its turn is committed a timer stays in the conversation.
    fn take_due_timers(&mut self, now: Millis) {
        let due = self.state.timers.iter().filter(|timer| timer.due_ms <= now);
        let mut due: Vec<_> = due.cloned().collect();
        due.sort_by_key(|timer| timer.due_ms);
        for timer in due {
            let id = format!("timer.{}.{}", timer.due_ms, timer.name);
            if self.queue.iter().any(|queued| queued.arrival.event.id.as_str() == id) {
                continue;
            }
            let body = EventBody::Timer(Timer {
                name: timer.name,
                due_ms: timer.due_ms,
                payload: timer.payload,
            });
            let arrival = self.host_made(&id, body, now);
            self.queue.push_back(Queued::new(arrival, now));
        }
    }

    fn host_made(&self, id: &str, body: EventBody, now: Millis) -> Arrival {
        let key = &self.key;
        let parts = [key.tenant.as_str(), key.channel.as_str(), &key.vendor_key, id];
        let digest = Digest::of_parts(parts.map(str::as_bytes));
        let event = EventId(id.to_owned());
        Arrival {
            event: Event { id: event, received_ms: now, vendor_ms: None, raw: None, body },
            facts: None,
            vendor_context: None,
            // A timer leaves the conversation with its turn: it needs no key.
            key: None,
            request: None,
            quiet: false,
            seed: Seed::from_digest(&digest),
        }
    }

    // Deliveries

    fn deliver(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if !self.loaded {
            return;
        }
        // What was delivered but is not stored yet is applied to the state, so
        // asking again and again ends.
        loop {
            let delivery = &self.rules.delivery;
            let (sends, settled) = self.outbox.poll(&self.state, delivery, now);
            effects.extend(sends.into_iter().map(Effect::Send));
            match settled {
                Some(settled) => self.settle(Some(settled)),
                None => return,
            }
        }
    }

    fn settle(&mut self, settled: Option<Settled>) {
        if let Some(settled) = settled {
            self.state.settle(&settled);
            // A finished turn's snapshot was taken before: it must have this too.
            if let Some(turn) = &mut self.finished {
                turn.state.settle(&settled);
            }
            self.unsaved.push_back(settled);
        }
    }
}

impl Queued {
    fn new(arrival: Arrival, now: Millis) -> Self {
        Self {
            arrival,
            seq: None,
            request: None,
            arrived_ms: now,
            must_accept: false,
            failures: 0,
            first_failure_ms: 0,
            not_before_ms: 0,
        }
    }
}

/// Whether a turn's failure is worth a line for the operator: the bot's author
/// sees it in the bot's own log in any case.
pub fn failure(turn: &Turn) -> Option<&crate::run::RunFailure> {
    if let Outcome::Failed { failure, .. } = &turn.outcome { Some(failure) } else { None }
}
