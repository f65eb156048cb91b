//! The task of one conversation.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use botyard_failpoints::{Point, pass};
use botyard_kernel::destination::{Admission, Purpose};
use botyard_kernel::event::Setting;
use botyard_kernel::id::{ConversationKey, Digest, EventId};
use botyard_kernel::lane::{Effect, Input, Lane};
use botyard_kernel::log::{Row, Settled};
use botyard_kernel::outbox::{CallId, Paused, RequestId, Rides, Send};
use botyard_kernel::plan::host_start_id;
use botyard_kernel::profile::Profile;
use botyard_kernel::time::{Millis, SECOND};
use botyard_kernel::usage::Usage;
use botyard_vendors::{Part, To};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use metrics::counter;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::backlog::{Waits, Weight};
use super::bots::Spent;
use super::destinations::VendorService;
use super::fetch::{self, Caller};
use super::open_calls::VendorPlace;
use super::room::Place;
use super::{Answer, Message, Work, calls, log, requests, runs, store};
use crate::clock;
use crate::registry::Channel;

/// A lane without work stays in memory for so long: the next event of a lively
/// conversation finds it loaded.
const IDLE_MS: Millis = 30 * SECOND;
/// A lane that waits for something later than this sleeps in the store.
const HORIZON_MS: Millis = 60 * SECOND;

/// The task of one conversation: feeds its lane and does what it asks for.
pub(super) struct Driver {
    pub(super) work: Arc<Work>,
    pub(super) channel: Arc<Channel>,
    pub(super) key: ConversationKey,
    lane: Lane,
    outside: mpsc::UnboundedSender<Message>,
    inbox: mpsc::UnboundedReceiver<Message>,
    answers: HashMap<RequestId, Awaited>,
    /// Bots that wait for the answers to their calls, by run.
    callers: HashMap<u64, Caller>,
    under_way: FuturesUnordered<BoxFuture<'static, Input>>,
    pub(super) late: store::Late,
    /// The store called this conversation due and nothing was written since.
    due_unanswered: bool,
    waits: Waits,
    weight: Weight,
    /// Held while nothing but the store has woken this lane.
    place: Option<Place>,
    /// Somebody wrote since it is in memory.
    lively: bool,
    /// What runs: its number, its medium and its event.
    running: Option<(u64, String, EventId)>,
    /// What the last run has cost.
    spent: Spent,
    /// Calls of the vendor that wait for a place among those that are open.
    queued: FuturesUnordered<BoxFuture<'static, Placed>>,
    /// Places of calls that may leave and have not left.
    places: HashMap<CallId, VendorPlace>,
}

/// A call of the vendor that has a place.
struct Placed {
    call: CallId,
    ticket: Option<Millis>,
    purpose: Purpose,
    place: VendorPlace,
}

/// Who waits for the answer of a request, and which form it has.
struct Awaited {
    form: &'static str,
    events: Vec<EventId>,
    answer: oneshot::Sender<Answer>,
}

impl Driver {
    pub(super) fn new(
        work: Arc<Work>,
        channel: Arc<Channel>,
        key: ConversationKey,
        outside: mpsc::UnboundedSender<Message>,
        inbox: mpsc::UnboundedReceiver<Message>,
    ) -> Self {
        let lane = Lane::new(key.clone(), Arc::clone(&channel.setup().rules));
        let waits = work.backlog.waits(&key.tenant);
        work.backlog.wake(&key);
        Self {
            work,
            channel,
            key,
            lane,
            outside,
            inbox,
            answers: HashMap::new(),
            callers: HashMap::new(),
            under_way: FuturesUnordered::new(),
            late: store::Late::default(),
            due_unanswered: false,
            waits,
            weight: Weight::default(),
            place: None,
            lively: false,
            running: None,
            spent: Spent::default(),
            queued: FuturesUnordered::new(),
            places: HashMap::new(),
        }
    }

    pub(super) async fn run(mut self) {
        let mut idle_since = None;
        let paused = self.work.paused(&self.channel);
        if paused.turns() {
            self.feed(Input::Pause(paused));
        }
        loop {
            let now = clock::now();
            let idle = self.lane.is_idle() && self.under_way.is_empty();
            let since = if idle { *idle_since.get_or_insert(now) } else { now };
            if !idle {
                idle_since = None;
            }
            let wake = self.lane.wake_at(now);
            let sleeps = !self.lane.keeps_a_place() && wake.is_none_or(|at| at > now + HORIZON_MS);
            // What the store woke makes room for the next as soon as it can.
            let linger = if self.lively { IDLE_MS } else { 0 };
            let ends = self.work.is_ending(&self.key.tenant) || (sleeps && now >= since + linger);
            if idle && ends && self.end(wake, now).await {
                return;
            }
            let idle_end = if idle && sleeps { Some(since + linger) } else { None };
            let until = wake.into_iter().chain(idle_end).min().unwrap_or(now + HORIZON_MS);
            let pause = Duration::from_millis(until.saturating_sub(now));
            let input = tokio::select! {
                biased;
                Some(input) = self.under_way.next(), if !self.under_way.is_empty() => input,
                Some(placed) = self.queued.next(), if !self.queued.is_empty() => self.placed(placed),
                message = self.inbox.recv() => match message {
                    Some(message) => self.on_message(message),
                    None => return,
                },
                () = tokio::time::sleep(pause) => Input::Wake,
            };
            self.feed(input);
        }
    }

    /// Ends the task, unless a message has just come.
    async fn end(&mut self, wake: Option<Millis>, now: Millis) -> bool {
        let waits = |paused: Paused| paused.channel || (paused.bot && wake.is_none());
        if self.due_unanswered && waits(self.work.paused(&self.channel)) {
            self.work.pauses.rest(&self.key);
            // The pause may have ended just now.
            if !waits(self.work.paused(&self.channel)) {
                self.work.pauses.wake(&self.key);
            }
        } else if std::mem::take(&mut self.due_unanswered) {
            // The store was wrong about when something is to be done here. It may be later
            // than the conversation itself can tell: the vendor may have asked for a pause.
            let due_ms = wake.or_else(|| self.lane.state().due());
            let human_ms = self.lane.state().with_human();
            let settled = Settled { at_ms: now, due_ms, human_ms, ..Settled::default() };
            let store = self.work.store.tenant(&self.key.tenant);
            if let Err(error) = store.settle(&self.key, &settled).await {
                tracing::warn!(conversation = %self.key, %error, "a due time was not corrected");
            }
        }
        if self.work.paused(&self.channel).turns() {
            self.work.backlog.rest(&self.key, self.lane.waiting());
        }
        let ended = self.work.forget(&self.key, &self.inbox);
        if !ended {
            self.work.backlog.wake(&self.key);
        }
        ended
    }

    fn on_message(&mut self, message: Message) -> Input {
        match message {
            Message::Input(input) => input,
            Message::Arrived { request, arrivals, accept_only, form, answer } => {
                self.lively = true;
                self.place = None;
                let rides = self.channel.vendor().rides(form).map_or(Rides::List, Rides::One);
                let events = arrivals.iter().map(|arrival| arrival.event.id.clone()).collect();
                self.answers.insert(request, Awaited { form, events, answer });
                for arrival in &arrivals {
                    self.weight.note(arrival.event.raw.as_ref().map_or(0, String::len));
                }
                Input::Arrived { request: Some(request), arrivals, accept_only, rides }
            }
            Message::Asked { run, ask, caller } => {
                self.callers.insert(run, caller);
                Input::Asked { run, ask }
            }
            Message::Renewed(channel) => {
                self.channel = channel;
                Input::Pause(self.work.paused(&self.channel))
            }
            Message::Due(place) => {
                self.due_unanswered = true;
                self.place = place.filter(|_| !self.lively);
                Input::Wake
            }
        }
    }

    fn feed(&mut self, mut input: Input) {
        if let Input::Ran { run, output, profile, .. } = &mut input {
            self.callers.remove(run);
            self.spent.cost = output.cost;
            // The answer that waited may have gone out meanwhile: then nothing rides.
            if let Some((_, medium, event)) = self.running.take_if(|(own, ..)| own == run) {
                **profile = self.profile(&medium, &event);
            }
        }
        if let Input::Fetched { .. } = &input {
            self.spent.called();
        }
        if let Input::Accepted(places) = &input {
            self.count_events(places.len());
        }
        if let Input::ClientLeft(request) = &input {
            self.answers.remove(request);
            counter!("botyard_answers_total", "result" => "client_left").increment(1);
        }
        self.lane.set_rules(&self.channel.setup().rules);
        let mut effects = self.lane.on(input, clock::now());
        while !effects.is_empty() {
            let mut more = Vec::new();
            for effect in effects {
                if let Some(input) = self.perform(effect) {
                    more.extend(self.lane.on(input, clock::now()));
                }
            }
            effects = more;
        }
        if !self.places.is_empty() {
            // Somebody else may have taken the conversation before a call left.
            self.places.retain(|call, _| self.lane.is_calling(*call));
        }
        self.waits.set(self.lane.waiting(), self.weight.of(self.lane.waiting_here()));
    }

    /// Does what the lane asks for; what is known at once comes back.
    fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Load => self.start(store::load(self)),
            Effect::Accept(arrivals) => self.write(store::accept(self, arrivals)),
            Effect::Commit(turn) => self.write(store::commit(self, turn)),
            Effect::Settle(settled) => {
                log::settled(&self.channel, &self.key, &settled);
                self.write(store::settle(self, settled));
            }
            Effect::Record(call) => self.write(store::record(self, call)),
            Effect::Fetch { run, idempotency_key, ask } => {
                // Whoever waits has left where its time was over.
                let deadline = self.callers.get(&run).map(|caller| caller.deadline);
                let deadline = deadline.unwrap_or_else(Instant::now);
                self.spent.calls();
                self.start(fetch::fetch(self, run, idempotency_key, *ask, deadline));
            }
            Effect::Resume { run, answer } => {
                if let Some(caller) = self.callers.remove(&run) {
                    // A run that ended meanwhile needs no answer.
                    let _ = caller.answer.send(*answer);
                }
            }
            Effect::Abandon { run } => drop(self.callers.remove(&run)),
            Effect::Run { run, event, session, kv, calls, pinned } => {
                self.spent.begins();
                let (event, session) = (*event, *session);
                self.running = Some((run, session.facts.medium.clone(), event.id.clone()));
                let given = runs::Given { event, session, kv, calls, pinned };
                let (waits, future) = runs::run(self, run, given, self.outside.clone());
                self.start(future);
                return waits.then_some(Input::NoRoom);
            }
            Effect::Profile { run, event, medium } => {
                let profile = Box::new(self.profile(&medium, &event));
                return Some(Input::Profile { run, profile });
            }
            Effect::Refuse(request) => {
                if let Some(awaited) = self.answers.remove(&request) {
                    // Whoever has left needs no refusal.
                    let _ = awaited.answer.send(Answer::Refused);
                }
            }
            Effect::Send(send) => return self.send(send),
            Effect::Turned(turn) => {
                self.waits.turned();
                log::turned(&self.channel, &self.key, &turn);
                self.work.count_run(&self.channel, &turn);
                self.work.tell_of_run(&self.channel, &turn, clock::now());
                self.work.watch_run(&self.channel, &turn, self.spent.took_us());
                self.count_events(usize::from(turn.fused.is_some()));
                let usage = Usage::of_turn(&turn.outcome, &turn.log, self.spent.cost);
                self.work.meters.add(&self.key.tenant, &turn.bot, usage);
            }
            Effect::Revived(parts) => {
                let parts = parts.len();
                tracing::info!(conversation = %self.key, parts, "dead letters are sent again");
            }
            Effect::TooLarge { event, next_ms } => {
                let pause_ms = next_ms.saturating_sub(clock::now());
                log::too_large(&self.key, &event, pause_ms);
            }
            Effect::RunFailed { event, failure, tries, next_ms } => {
                let pause_ms = next_ms.saturating_sub(clock::now());
                log::run_failed(&self.channel, &self.key, &event, &failure, tries, pause_ms);
            }
        }
        None
    }

    fn send(&mut self, send: Send) -> Option<Input> {
        match send {
            Send::Answer { request, rows, late } => return self.answer(request, &rows, late),
            Send::Ask { call, ticket, purpose } => {
                let (service, _) = VendorService::of(&self.channel, purpose);
                let (calls, tenant) = (&self.work.open_calls, &self.key.tenant);
                if let Some(place) = calls.try_vendor(tenant, &service) {
                    return Some(self.placed(Placed { call, ticket, purpose, place }));
                }
                let place = calls.vendor(tenant, service);
                let placed = async move { Placed { call, ticket, purpose, place: place.await } };
                self.queued.push(placed.boxed());
            }
            Send::Call { call, rows, again } => {
                self.leave(call, calls::call(self, call, rows, again));
            }
            Send::Acknowledge { call, acknowledgement } => {
                self.leave(call, calls::acknowledge(self, call, &acknowledgement));
            }
            Send::Request { call, row } => self.start(requests::request(self, call, *row)),
        }
        None
    }

    /// A call has a place: whether it may leave is its destination's to say.
    fn placed(&mut self, placed: Placed) -> Input {
        let Placed { call, ticket, purpose, place } = placed;
        if !self.lane.is_calling(call) {
            return Input::Wake;
        }
        let (service, rate) = VendorService::of(&self.channel, purpose);
        let admission = self.work.vendors.admit(&service, rate, ticket, clock::now());
        if admission == Admission::Go {
            self.places.insert(call, place);
        }
        Input::Admitted { call, admission }
    }

    /// Makes a call, which keeps its place until it has ended.
    fn leave(&mut self, call: CallId, future: BoxFuture<'static, Input>) {
        let place = self.places.remove(&call);
        let kept = async move {
            let input = future.await;
            drop(place);
            input
        };
        self.start(kept.boxed());
    }

    fn answer(&mut self, request: RequestId, rows: &[Row], late: bool) -> Option<Input> {
        let parts: Vec<Part<'_>> = rows.iter().map(part).collect();
        let awaited = self.answers.remove(&request);
        pass(Point::AnswerFilled);
        let sent = awaited.is_some_and(|awaited| {
            let (conversation, form) = (self.key.vendor_key.as_str(), awaited.form);
            let state = self.lane.state();
            let reply_to = state.reply_to.as_deref();
            let locale = state.facts.locale.as_deref();
            let setup = self.channel.setup();
            let failure_text = setup.rules.policy.failure_text(locale);
            let desk_id = state.desk_id.as_deref();
            let to = To { conversation, reply_to, desk_id, form, late, failure_text };
            let reply = self.channel.vendor().answer(&to, &parts);
            awaited.answer.send(Answer::Reply(reply)).is_ok()
        });
        (!sent).then_some(Input::Answered { request, whole: false })
    }

    /// What the person's medium carries: in the answer that waits for this event, more
    /// may ride than calls can carry.
    pub(super) fn profile(&self, medium: &str, event: &EventId) -> Profile {
        let vendor = self.channel.vendor();
        let mut profile = vendor.profile(medium);
        let is = |own: &EventId| own == event || host_start_id(own) == *event;
        let waits = |awaited: &&Awaited| awaited.events.iter().any(is);
        let form = self.answers.values().find(waits).map_or("", |awaited| awaited.form);
        profile.let_ride(vendor.rides(form).unwrap_or_default());
        let to_nobody = |it: &&mut Setting| it.name == "forward-targets" && it.value.is_empty();
        if self.channel.setup().rules.policy.has_desk
            && let Some(targets) = profile.settings.iter_mut().find(to_nobody)
        {
            // Humans at the host's own desk.
            "any".clone_into(&mut targets.value);
        }
        profile
    }

    fn count_events(&self, events: usize) {
        let usage = Usage { events: events as u64, ..Usage::default() };
        self.work.meters.add(&self.key.tenant, &self.channel.bot().id, usage);
    }

    /// The version that the session is bound to, else the one that answers now.
    pub(super) fn answering(&self) -> Option<Digest> {
        let session = self.lane.state().session.as_ref();
        let deployed = || Some(self.channel.bot().deployed.now()?.current);
        session.and_then(|session| session.version).or_else(deployed)
    }

    /// What a reply needs besides the conversation's key.
    pub(super) fn reply_to(&self) -> Option<String> {
        self.lane.state().reply_to.clone()
    }

    /// What the vendor's own desk calls the conversation.
    pub(super) fn desk_id(&self) -> Option<String> {
        self.lane.state().desk_id.clone()
    }

    fn write(&mut self, future: BoxFuture<'static, Input>) {
        self.due_unanswered = false;
        self.start(future);
    }

    fn start(&mut self, future: BoxFuture<'static, Input>) {
        self.under_way.push(future);
    }
}

impl Drop for Driver {
    /// A task that ends in a panic must not leave a dead lane behind: the next
    /// message finds the closed channel and starts another.
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(conversation = %self.key, "a lane broke down: the host is to blame");
            let mut lanes = self.work.lanes();
            if lanes.get(&self.key).is_some_and(|lane| lane.same_channel(&self.outside)) {
                lanes.remove(&self.key);
            }
            drop(lanes);
            self.work.lane_ended.notify_waiters();
        }
    }
}

/// A row as vendors see it.
pub(super) fn part(row: &Row) -> Part<'_> {
    Part { id: &row.id, action: &row.action, context: row.context.as_deref() }
}
