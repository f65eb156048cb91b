//! A host: lanes that live while something happens, and what they share. It does
//! what the server's `work` does, step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use botyard_kernel::destination::{Destination, Purpose};
use botyard_kernel::id::EventId;
use botyard_kernel::lane::{Effect, Input, Lane};
use botyard_kernel::log::{Row, Settled};
use botyard_kernel::outbox::{Paused, RequestId, Send};
use botyard_kernel::plan::host_start_id;
use botyard_kernel::profile::Profile;
use botyard_kernel::share::{Permits, Ticket};
use botyard_kernel::time::Millis;
use botyard_vendors::{Part, To};

use crate::run::Run;
use crate::store::Write;
use crate::webhook::{Answer, ids};
use crate::world::{At, Life, SWEEP_MS, Step, World};

/// What is due so soon is woken now.
const AHEAD_MS: Millis = SWEEP_MS + 1_000;

pub(crate) struct Host {
    pub(crate) lanes: BTreeMap<usize, Slot>,
    pub(crate) permits: Permits,
    /// Runs that wait for a permit.
    pub(crate) waiting: BTreeMap<Ticket, Run>,
    /// Bots that wait for the answers to their calls, by conversation and run.
    pub(crate) parked: BTreeMap<(usize, u64), Run>,
    /// What is due and waits for the end of a pause.
    pub(crate) resting: BTreeSet<usize>,
    /// By channel, each service apart.
    pub(crate) destinations: BTreeMap<(usize, Purpose), Destination>,
}

/// A lane in memory.
pub(crate) struct Slot {
    pub(crate) lane: Lane,
    pub(crate) life: Life,
    /// What was asked for and has not ended.
    pub(crate) under_way: usize,
    idle_since: Option<Millis>,
    wake: Option<At>,
    /// The store called this conversation due and nothing was written since.
    due_unanswered: bool,
}

impl World {
    /// A host starts, unless one is there.
    pub(crate) fn boot(&mut self) {
        if self.host.is_some() {
            return;
        }
        self.tell(|| "a host starts".to_owned());
        self.host = Some(Host {
            lanes: BTreeMap::new(),
            permits: Permits::new(self.weather.permits, self.site.rates.clone()),
            waiting: BTreeMap::new(),
            parked: BTreeMap::new(),
            resting: BTreeSet::new(),
            destinations: BTreeMap::new(),
        });
        self.after(0, Step::Sweep);
    }

    pub(crate) fn slot(&mut self, conversation: usize) -> Option<&mut Slot> {
        self.host.as_mut()?.lanes.get_mut(&conversation)
    }

    /// Which life the lane of a conversation lives, if it is in memory.
    pub(crate) fn life(&self, conversation: usize) -> Option<Life> {
        self.host.as_ref()?.lanes.get(&conversation).map(|slot| slot.life)
    }

    /// Takes a conversation into memory.
    pub(crate) fn ensure_lane(&mut self, conversation: usize) {
        let read_max = self.read_max(conversation);
        let Some(host) = &mut self.host else { return };
        if host.lanes.contains_key(&conversation) {
            return;
        }
        self.lives += 1;
        let place = &self.site.conversations[conversation];
        let rules = Arc::clone(&self.site.channels[place.channel].rules);
        let lane = Lane::new(place.key.clone(), rules).keeping(read_max);
        let slot = Slot {
            lane,
            life: self.lives,
            under_way: 0,
            idle_since: None,
            wake: None,
            due_unanswered: false,
        };
        let paused = self.paused[place.channel];
        host.lanes.insert(conversation, slot);
        if paused != Paused::default() {
            self.feed(conversation, Input::Pause(paused));
        }
    }

    /// A lane is told how something ended that it had asked for.
    pub(crate) fn tell_lane(&mut self, conversation: usize, life: Life, input: Input) {
        let counted = !matches!(input, Input::ClientLeft(_));
        let Some(slot) = self.slot(conversation).filter(|slot| slot.life == life) else { return };
        if counted {
            slot.under_way -= 1;
        }
        self.feed(conversation, input);
    }

    pub(crate) fn wake(&mut self, conversation: usize, life: Life) {
        let Some(slot) = self.slot(conversation).filter(|slot| slot.life == life) else { return };
        slot.wake = None;
        self.feed(conversation, Input::Wake);
    }

    /// Gives a lane an input and does what it wants.
    pub(crate) fn feed(&mut self, conversation: usize, input: Input) {
        let now = self.now;
        let Some(slot) = self.slot(conversation) else { return };
        let mut effects = slot.lane.on(input, now);
        while !effects.is_empty() {
            let mut more = Vec::new();
            for effect in effects {
                if let Some(input) = self.perform(conversation, effect)
                    && let Some(slot) = self.slot(conversation)
                {
                    more.extend(slot.lane.on(input, now));
                }
            }
            effects = more;
        }
        self.look_after(conversation);
    }

    /// Lets a lane end that has nothing to do, or sets its alarm.
    fn look_after(&mut self, conversation: usize) {
        let (now, weather) = (self.now, &self.weather);
        let (idle_ms, horizon_ms) = (weather.idle_ms, weather.horizon_ms);
        let Some(slot) = self.slot(conversation) else { return };
        let idle = slot.lane.is_idle() && slot.under_way == 0;
        let since = if idle { *slot.idle_since.get_or_insert(now) } else { now };
        if !idle {
            slot.idle_since = None;
        }
        let wake = slot.lane.wake_at(now);
        let sleeps = !slot.lane.keeps_a_place() && wake.is_none_or(|at| at > now + horizon_ms);
        if idle && sleeps && now >= since + idle_ms {
            return self.end(conversation);
        }
        let idle_end = (idle && sleeps).then_some(since + idle_ms);
        let until = wake.into_iter().chain(idle_end).min();
        let (old, life) = (slot.wake.take(), slot.life);
        if let Some(at) = old {
            self.steps.remove(&at);
        }
        if let Some(until) = until {
            let late = if self.calm { 0 } else { self.chance.below(3) };
            let pause = until.saturating_sub(now) + late;
            let at = self.after(pause, Step::Wake { conversation, life });
            if let Some(slot) = self.slot(conversation) {
                slot.wake = Some(at);
            }
        }
    }

    /// A lane leaves memory: the store must know by itself when to go on.
    fn end(&mut self, conversation: usize) {
        let now = self.now;
        let Some(host) = &mut self.host else { return };
        let Some(slot) = host.lanes.remove(&conversation) else { return };
        if let Some(at) = slot.wake {
            self.steps.remove(&at);
        }
        self.tell(|| format!("the lane of conversation {conversation} ends"));
        self.check_known(conversation, &slot.lane);
        let wake = slot.lane.wake_at(now);
        let paused = self.paused[self.site.conversations[conversation].channel];
        let waits = paused.channel || (paused.bot && wake.is_none());
        if slot.due_unanswered && waits {
            if let Some(host) = &mut self.host {
                host.resting.insert(conversation);
            }
        } else if slot.due_unanswered {
            // The store was wrong about when something is to be done here.
            let due_ms = wake.or_else(|| slot.lane.state().due());
            let settled = Settled { at_ms: now, due_ms, ..Settled::default() };
            self.logs[conversation].settle(&settled);
        }
        self.check_asleep(conversation, &slot.lane);
    }

    /// The host looks for conversations that are due and not in memory.
    pub(crate) fn sweep(&mut self) {
        if self.host.is_none() {
            return;
        }
        let soon = self.now + AHEAD_MS;
        for conversation in 0..self.logs.len() {
            let due = self.logs[conversation].due().is_some_and(|due| due <= soon);
            let rests = self.host.as_ref().is_some_and(|it| it.resting.contains(&conversation));
            if due && !rests && self.life(conversation).is_none() {
                self.wake_due(conversation);
            }
        }
        let pause = SWEEP_MS.max(self.quiet_until().saturating_sub(self.now));
        self.after(pause, Step::Sweep);
    }

    /// The store calls a conversation due.
    fn wake_due(&mut self, conversation: usize) {
        self.tell(|| format!("conversation {conversation} is due"));
        self.ensure_lane(conversation);
        if let Some(slot) = self.slot(conversation) {
            slot.due_unanswered = true;
        }
        self.feed(conversation, Input::Wake);
    }

    /// The pause of a channel may have ended: what waited for that is due now.
    pub(crate) fn wake_resting(&mut self, channel: usize) {
        let Some(host) = &mut self.host else { return };
        let here = |it: &usize| self.site.conversations[*it].channel == channel;
        for conversation in host.resting.extract_if(.., here).collect::<Vec<_>>() {
            if self.life(conversation).is_none() {
                self.wake_due(conversation);
            }
        }
    }

    /// Until when no sweep would find anything: a run may have to wait for a day.
    fn quiet_until(&self) -> Millis {
        if !self.calm {
            return self.now;
        }
        let asleep = (0..self.logs.len()).filter(|it| self.life(*it).is_none());
        let due = asleep.filter_map(|it| self.logs[it].due());
        let due = due.map(|due| due.saturating_sub(AHEAD_MS));
        let steps = self.steps.first_key_value().map(|(at, _)| at.0);
        due.chain(steps).min().unwrap_or(self.now)
    }

    /// Does what a lane asks for; what is known at once comes back.
    fn perform(&mut self, conversation: usize, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Load => self.write(conversation, Write::Load),
            Effect::Accept(arrivals) => self.write(conversation, Write::Accept(arrivals)),
            Effect::Commit(turn) => self.write(conversation, Write::Commit(turn)),
            Effect::Settle(settled) => self.write(conversation, Write::Settle(settled)),
            Effect::Record(call) => self.write(conversation, Write::Record(call)),
            Effect::Profile { run, event, medium } => {
                let profile = Box::new(self.profile(conversation, &medium, &event));
                return Some(Input::Profile { run, profile });
            }
            Effect::Run { run, event, session, kv, calls, pinned: _ } => {
                let life = self.life(conversation)?;
                let answers = Vec::new();
                return self.run(Run {
                    conversation,
                    life,
                    run,
                    event,
                    session,
                    kv,
                    calls,
                    answers,
                });
            }
            Effect::Fetch { run, idempotency_key, ask } => {
                self.fetch(conversation, run, &idempotency_key, &ask);
            }
            Effect::Resume { run, answer } => self.resume(conversation, run, &answer),
            Effect::Abandon { run } => self.abandon(conversation, run),
            Effect::Refuse(request) => self.refuse(request),
            Effect::Send(send) => return self.send(conversation, send),
            Effect::Turned(turn) => {
                self.tell(|| format!("conversation {conversation}: turn on {}", turn.event));
            }
            Effect::Revived(parts) => {
                self.tell(|| format!("conversation {conversation}: {parts:?} wait again"));
            }
            Effect::TooLarge { event, next_ms: _ } => {
                self.tell(|| format!("conversation {conversation}: {event} is too large"));
            }
            Effect::RunFailed { event, failure, tries, next_ms: _ } => {
                self.tell(|| format!("try {tries} of {event} failed: {failure}"));
            }
        }
        None
    }

    fn send(&mut self, conversation: usize, send: Send) -> Option<Input> {
        let channel = self.site.conversations[conversation].channel;
        match send {
            Send::Answer { request, rows, late } => {
                self.tell(|| format!("request {request} is answered with {}", ids(&rows)));
                let parts: Vec<Part<'_>> = rows.iter().map(part).collect();
                let addressee = self.addressee(conversation);
                let rules = &self.site.channels[channel].rules;
                let failure_text = rules.policy.failure_text(addressee.locale.as_deref());
                let (form, rest) = (self.form_of(request), self.rest_of(request));
                let to = To { form, late, failure_text, ..addressee.to() };
                let reply = self.site.channels[channel].vendor.answer(&to, &parts);
                let sent =
                    self.fill(request, Answer { rows, body: reply.body.to_vec(), late, rest });
                (!sent).then_some(Input::Answered { request, whole: false })
            }
            Send::Ask { call, ticket, purpose } => {
                let now = self.now;
                let admission = self.destination(channel, purpose)?.admit(ticket, now);
                self.tell(|| format!("conversation {conversation}: call {call}: {admission:?}"));
                Some(Input::Admitted { call, admission })
            }
            Send::Call { call, rows, again } => {
                self.check_call(conversation, &rows, again);
                self.call(conversation, call, rows);
                None
            }
            Send::Acknowledge { call, acknowledgement } => {
                self.acknowledge(conversation, call, acknowledgement.token);
                None
            }
            Send::Request { call, row } => {
                self.request(conversation, call, &row);
                None
            }
        }
    }

    /// What the person's medium carries: in the answer that waits for this event, more
    /// may ride than calls can carry.
    pub(crate) fn profile(&self, conversation: usize, medium: &str, event: &EventId) -> Profile {
        let vendor = &self.site.channel_of(conversation).vendor;
        let mut profile = vendor.profile(medium);
        let form = self.form_for(conversation, event);
        profile.let_ride(vendor.rides(form).unwrap_or_default());
        profile
    }

    /// The form of the answer that waits for this event, or for the start that the host makes
    /// before it.
    fn form_for(&self, conversation: usize, event: &EventId) -> &'static str {
        let is = |own: &EventId| own == event || host_start_id(own) == *event;
        let waits = self.connections.values().flat_map(|open| &open.waits);
        let mut own = waits.filter(|it| it.conversation == conversation && it.reply.is_none());
        own.find(|wait| wait.events.iter().any(is)).map_or("", |wait| wait.form)
    }

    /// To which path whoever waits for an answer has posted.
    fn rest_of(&self, request: RequestId) -> &'static str {
        let connection = self.waits.get(&request).and_then(|it| self.connections.get(it));
        connection.map_or("", |open| self.webhooks[open.webhook].posted.rest)
    }

    /// The form of the answer that whoever waits for it wants.
    fn form_of(&self, request: RequestId) -> &'static str {
        let connection = self.waits.get(&request).and_then(|it| self.connections.get(it));
        let waits = connection.map_or(&[][..], |open| &open.waits);
        waits.iter().find(|wait| wait.request == request).map_or("", |wait| wait.form)
    }

    /// Where calls of a channel go for this.
    pub(crate) fn destination(
        &mut self,
        channel: usize,
        purpose: Purpose,
    ) -> Option<&mut Destination> {
        let delivery = &self.site.channels[channel].rules.delivery;
        let service = delivery.service(purpose);
        let place = self.host.as_mut()?.destinations.entry((channel, service));
        Some(place.or_insert_with(|| Destination::new(delivery.service_rate(service))))
    }

    /// Counts something that was asked for, so that the lane stays in memory.
    pub(crate) fn begin(&mut self, conversation: usize) -> Life {
        match self.slot(conversation) {
            Some(slot) => {
                slot.under_way += 1;
                slot.life
            }
            None => 0,
        }
    }

    fn write(&mut self, conversation: usize, write: Write) {
        let life = self.begin(conversation);
        if let Some(slot) = self.slot(conversation)
            && !matches!(write, Write::Load)
        {
            slot.due_unanswered = false;
        }
        self.tell(|| format!("conversation {conversation}: {}", write.brief()));
        let pause = self.latency();
        self.after(pause, Step::Write { conversation, life, write });
    }
}

/// A row as vendors see it.
pub(crate) fn part(row: &Row) -> Part<'_> {
    Part { id: &row.id, action: &row.action, context: row.context.as_deref() }
}
