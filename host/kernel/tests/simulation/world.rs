//! The world around the lane, one step after the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use botyard_chance::Chance;
use botyard_kernel::action::Action;
use botyard_kernel::destination::Admission;
use botyard_kernel::id::{ConversationKey, Digest};
use botyard_kernel::lane::{Effect, Input, Lane, Rules};
use botyard_kernel::log::{Arrival, Route, Row};
use botyard_kernel::outbox::{CallId, RequestId, Rides, Send};
use botyard_kernel::plan::{Overlap, Policy};
use botyard_kernel::profile::{Delivery, Limited, Rate};
use botyard_kernel::time::{MINUTE, Millis};

use crate::bot;
use crate::calls::Turning;
use crate::deployments::Deployments;
use crate::jobs::{Job, brief};
use crate::vendor::{Kind, State, Vendor, Webhook, arrivals};
use botyard_log::Log;

const BEGIN: Millis = 1_700_000_000_000;

/// Everything that a run consists of.
pub(crate) struct World {
    pub(crate) chance: Chance,
    pub(crate) now: Millis,
    pub(crate) lane: Lane,
    pub(crate) log: Log,
    pub(crate) vendor: Vendor,
    pub(crate) jobs: Vec<Job>,
    /// Open connections: which webhook came by them.
    pub(crate) open: BTreeMap<RequestId, usize>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) crashes: u32,
    /// A store failed after it had written: entries may stand in the log twice.
    pub(crate) wrote_and_failed: bool,
    /// Nothing goes wrong any more.
    pub(crate) calm: bool,
    /// The vendor's destination lets no call leave.
    pub(crate) held: bool,
    /// Calls wait for a place among those that are open: these have none yet.
    pub(crate) crowded: bool,
    pub(crate) placeless: Vec<CallId>,
    /// What the bot answers to whom, where it does not decide by itself.
    pub(crate) script: Option<BTreeMap<String, Vec<Action>>>,
    /// So many waiting events are read at once.
    pub(crate) read_max: usize,
    /// Failed tries at a run that the lane told of, with the times of the next.
    pub(crate) repeats: Vec<(u32, Millis)>,
    /// For each call: whether it said that it may be a second one.
    pub(crate) again: Vec<bool>,
    /// When turns are tried again that have no room.
    pub(crate) too_large: Vec<Millis>,
    /// Bots that wait for the answers to their calls, by run.
    pub(crate) parked: BTreeMap<u64, Turning>,
    /// How many calls the bot makes on whom, where there is a script.
    pub(crate) fetches: BTreeMap<String, usize>,
    /// The idempotency keys of the calls that the shop got.
    pub(crate) shop: Vec<String>,
    /// What may ride in the answers of what comes from now on.
    pub(crate) rides: Rides,
    /// How what comes from now on says that replies reach the person.
    pub(crate) route: Option<Route>,
    pub(crate) deployments: Deployments,
    requests: RequestId,
    told: bool,
}

impl World {
    pub(crate) fn new(seed: u64, told: bool) -> Self {
        let mut chance = Chance::scattered(seed);
        let mut policy = Policy::new("userlike", "bot".into());
        policy.sends_start = chance.percent(60);
        policy.failure_hand_off = chance.percent(30);
        policy.overlap = match chance.below(4) {
            0 => Overlap::Latest,
            1 => Overlap::Coalesce { silence_ms: chance.below(1_000) },
            _ => Overlap::Serial,
        };
        policy.failure_texts.insert(String::new(), "Something went wrong.".to_owned());
        let rate = chance.percent(60).then_some(Rate { calls: 3, window_ms: 10_000 });
        let delivery = Delivery {
            inline: chance.percent(80),
            answer_by_ms: 4_000,
            after_answer_ms: 500,
            lists: chance.percent(70),
            native_delay: chance.percent(70),
            delay_step_ms: 1,
            silent_hand_off: false,
            contacts_in_answers: false,
            rate,
            token_rate: None,
            limited: Limited::Conversation,
            acknowledgements_elsewhere: false,
            sends_start: true,
            reopens: false,
            ends_silent_sessions: false,
            age_max_ms: if chance.percent(15) { 20_000 } else { 15 * MINUTE },
            hold_ambiguous: chance.percent(15),
        };
        let rules = Arc::new(Rules { policy, delivery });
        let read_max = if chance.percent(30) { 2 } else { 500 };
        Self {
            chance,
            now: BEGIN,
            lane: Lane::new(key(), Arc::clone(&rules)).keeping(read_max),
            log: Log::default(),
            vendor: Vendor::default(),
            jobs: Vec::new(),
            open: BTreeMap::new(),
            rules,
            crashes: 0,
            wrote_and_failed: false,
            calm: false,
            held: false,
            crowded: false,
            placeless: Vec::new(),
            script: None,
            read_max,
            repeats: Vec::new(),
            again: Vec::new(),
            too_large: Vec::new(),
            parked: BTreeMap::new(),
            fetches: BTreeMap::new(),
            shop: Vec::new(),
            rides: Rides::List,
            route: None,
            deployments: Deployments::new(seed),
            requests: 0,
            told,
        }
    }

    /// The eventful part.
    pub(crate) fn live(&mut self) {
        self.feed(Input::Wake);
        for _ in 0..self.chance.below(160) + 20 {
            match self.chance.below(100) {
                0..=12 => self.say_something(),
                13..=17 => self.redeliver_something(),
                18..=72 if !self.jobs.is_empty() => {
                    let at = self.chance.pick(self.jobs.len());
                    self.end_job(at);
                }
                73..=76 => self.leave(),
                77 => self.crash(),
                80..=81 => self.run_out_of_time(),
                78..=79 if self.chance.percent(20) => self.foreign_event(),
                _ => self.pass_time(),
            }
        }
    }

    fn say_something(&mut self) {
        let n = self.vendor.webhooks.len();
        if n >= 14 {
            return;
        }
        let starts = n == 0 && self.rules.policy.sends_start;
        let kind = match self.chance.below(100) {
            _ if starts => Kind::Start,
            0..=69 => Kind::Message,
            70..=77 => Kind::Messages,
            78..=87 => Kind::Signal,
            88..=91 => Kind::HumanSpoke,
            92..=96 => Kind::Returned,
            _ => Kind::ForwardFailed,
        };
        self.say(kind);
    }

    pub(crate) fn say(&mut self, kind: Kind) {
        self.say_bytes(kind, None);
    }

    pub(crate) fn say_bytes(&mut self, kind: Kind, bytes: Option<Digest>) {
        let n = self.vendor.webhooks.len();
        let count = if kind == Kind::Messages { 2 } else { 1 };
        let tokens: Vec<_> = (0..count).map(|part| format!("w{n}p{part}")).collect();
        // A redelivery without a key is known among the events that were read only.
        let has_keys = self.read_max < 10 || matches!(kind, Kind::Messages | Kind::Signal);
        let keyed = has_keys || !matches!(kind, Kind::Message | Kind::HumanSpoke);
        let bytes = (!has_keys).then(|| bytes.unwrap_or_else(|| self.bytes(&tokens)));
        let (state, request, tries) = (State::Failed, None, 0);
        let webhook = Webhook { tokens, kind, state, request, tries, bytes, keyed };
        self.vendor.webhooks.push(webhook);
        self.deliver(n);
    }

    /// Mostly new words; sometimes the same as those of an event whose answer is
    /// known to have gone out whole.
    fn bytes(&mut self, tokens: &[String]) -> Digest {
        let settled = |token: &String| {
            let same = |arrival: &&Arrival| bot::token(&arrival.event) == *token;
            let arrival = self.log.arrivals().map(|(_, arrival)| arrival).find(same);
            arrival.is_some_and(|arrival| {
                self.log.settled().any(|(_, s)| s.answered.contains(&arrival.event.id))
            })
        };
        let known = self.vendor.webhooks.iter().rev().find(|webhook| {
            webhook.kind == Kind::Message
                && self
                    .vendor
                    .webhooks
                    .iter()
                    .filter(|other| other.bytes == webhook.bytes)
                    .all(|other| other.state == State::Answered && settled(&other.tokens[0]))
        });
        let known = known.and_then(|webhook| webhook.bytes);
        let fresh = Digest::of(tokens[0].as_bytes());
        if !self.calm && self.chance.percent(40) { known.unwrap_or(fresh) } else { fresh }
    }

    fn redeliver_something(&mut self) {
        let likely: Vec<_> = (0..self.vendor.webhooks.len())
            .filter(|n| {
                let webhook = &self.vendor.webhooks[*n];
                let keyed = webhook.keyed && webhook.bytes.is_none();
                webhook.state == State::Failed || (keyed && webhook.state == State::Open)
            })
            .collect();
        if !likely.is_empty() {
            let at = self.chance.pick(likely.len());
            self.deliver(likely[at]);
        }
    }

    /// The vendor posts a webhook, for the first time or again.
    pub(crate) fn deliver(&mut self, n: usize) {
        self.requests += 1;
        let request = self.requests;
        self.open.insert(request, n);
        let (now, webhook) = (self.now, &mut self.vendor.webhooks[n]);
        webhook.tries += 1;
        webhook.state = State::Open;
        webhook.request = Some(request);
        let mut arrivals = arrivals(webhook, n, now);
        arrivals.iter_mut().for_each(|arrival| arrival.route = self.route);
        let accept_only = webhook.kind == Kind::Signal;
        self.tell(|| format!("request {request} brings {:?} (try {})", ids(&arrivals), n));
        let (request, rides) = (Some(request), self.rides);
        self.feed(Input::Arrived { request, arrivals, accept_only, rides });
    }

    fn leave(&mut self) {
        let answering = |request: &RequestId| {
            self.jobs
                .iter()
                .any(|job| matches!(job, Job::Answer { request: r, .. } if r == request))
        };
        let open: Vec<_> = self.open.keys().copied().filter(|r| !answering(r)).collect();
        if open.is_empty() {
            return;
        }
        let request = open[self.chance.pick(open.len())];
        self.fail_request(request);
        self.tell(|| format!("the client of request {request} leaves"));
        self.feed(Input::ClientLeft(request));
    }

    pub(crate) fn fail_request(&mut self, request: RequestId) {
        if let Some(n) = self.open.remove(&request)
            && self.vendor.webhooks[n].request == Some(request)
            && self.vendor.webhooks[n].state == State::Open
        {
            self.vendor.webhooks[n].state = State::Failed;
        }
    }

    /// Another host takes a webhook of this conversation and stores its event.
    pub(crate) fn foreign_event(&mut self) {
        let n = self.vendor.webhooks.len();
        let mut webhook = Webhook {
            tokens: vec![format!("w{n}p0")],
            kind: Kind::Message,
            state: State::Answered,
            request: None,
            tries: 1,
            bytes: None,
            keyed: true,
        };
        let arrivals = arrivals(&mut webhook, n, self.now);
        self.tell(|| format!("another host accepts {:?}", ids(&arrivals)));
        self.vendor.webhooks.push(webhook);
        self.log.accept(&arrivals);
    }

    fn pass_time(&mut self) {
        let wake = self.lane.wake_at(self.now);
        let later = match self.chance.below(4) {
            0 => self.now + self.chance.below(30),
            1 => self.now + self.chance.below(3_000),
            _ => wake.unwrap_or(self.now + 50),
        };
        // The vendor's patience with redeliveries ends after ten minutes.
        let later = later.min(self.now + 20_000);
        self.sleep_until(later);
    }

    pub(crate) fn sleep_until(&mut self, later: Millis) {
        self.now = self.now.max(later);
        for job in &self.jobs {
            if let Job::Answer { rows, since, .. } = job
                && self.now >= since + 30_000
            {
                self.vendor.doubt(rows);
            }
        }
        self.tell(|| "time has passed".to_owned());
        self.feed(Input::Wake);
    }

    /// The host dies. What it had asked for may have happened all the same.
    pub(crate) fn crash(&mut self) {
        self.tell(|| "the host dies".to_owned());
        self.crashes += 1;
        for job in std::mem::take(&mut self.jobs) {
            let happens = self.chance.percent(50);
            match job {
                Job::Accept(arrivals) if happens => drop(self.log.accept(&arrivals)),
                Job::Commit(turn) if happens => drop(self.log.commit(&turn)),
                Job::Settle(settled) if happens => drop(self.log.settle(&settled)),
                Job::Record(call) if happens => drop(self.log.record(&call)),
                Job::Fetch { key, .. } if happens => self.shop.push(key),
                Job::Answer { rows, .. } if happens => {
                    self.vendor.offered.extend(rows.iter().map(|row| row.id.clone()));
                    self.vendor.receive(&rows, self.now);
                }
                Job::Call { rows, .. } if happens => self.vendor.receive(&rows, self.now),
                _ => {}
            }
        }
        self.begin_anew();
    }

    /// A new host takes the conversation up.
    pub(crate) fn begin_anew(&mut self) {
        let open: Vec<_> = self.open.keys().copied().collect();
        for request in open {
            self.fail_request(request);
        }
        // What the vendor has and the log does not know of is sent again.
        let received = self.vendor.received.iter().map(|(id, _)| id.clone());
        let settled = |id: &_| self.log.settled().any(|(_, s)| s.rows.iter().any(|(r, _)| r == id));
        let doubtful: Vec<_> = received.filter(|id| !settled(id)).collect();
        self.vendor.may_repeat.extend(doubtful);
        self.parked.clear();
        self.lane = Lane::new(key(), Arc::clone(&self.rules)).keeping(self.read_max);
        self.feed(Input::Wake);
    }

    /// Gives the lane an input and takes note of what it wants.
    pub(crate) fn feed(&mut self, input: Input) {
        let effects = self.lane.on(input, self.now);
        for effect in effects {
            self.perform(effect);
        }
        assert!(self.jobs.iter().filter(|job| job.is_store()).count() <= 1, "two writes at once");
    }

    fn perform(&mut self, effect: Effect) {
        let job = match effect {
            Effect::Load => Job::Load,
            Effect::Profile { run, .. } => {
                let profile = Box::new(self.profile());
                return self.feed(Input::Profile { run, profile });
            }
            Effect::Accept(arrivals) => Job::Accept(arrivals),
            Effect::Commit(turn) => Job::Commit(turn),
            // In told stories a claim is no step of its own.
            Effect::Settle(claim) if claim.claimed.is_some() && self.script.is_some() => {
                let (events, last) = self.log.settle(&claim);
                self.feed(Input::Settled { events, last });
                return;
            }
            Effect::Settle(settled) => Job::Settle(settled),
            Effect::Record(call) => Job::Record(call),
            Effect::Run { run, event, session, kv, calls, pinned } => {
                let version = self.version(run, pinned, &session);
                let turning = Turning { event, session, kv, calls, version, answers: Vec::new() };
                if !self.calm && self.chance.percent(10) {
                    self.jobs.push(Job::Run { run, turning });
                    self.feed(Input::NoRoom);
                    return;
                }
                Job::Run { run, turning }
            }
            Effect::Fetch { run, idempotency_key: key, ask } => {
                self.check_fetch(run, &ask);
                Job::Fetch { run, key, ask }
            }
            Effect::Resume { run, answer } => {
                self.tell(|| format!("run {run} goes on"));
                return self.resume(run, &answer);
            }
            Effect::Abandon { run } => {
                self.tell(|| format!("run {run} is given up"));
                self.parked.remove(&run);
                return;
            }
            Effect::Refuse(request) => {
                self.tell(|| format!("request {request} is refused"));
                assert!(self.open.contains_key(&request), "refused who is not there");
                self.fail_request(request);
                return;
            }
            Effect::Send(Send::Answer { request, rows, .. }) => {
                self.check_durable(request);
                Job::Answer { request, rows, since: self.now }
            }
            Effect::Send(Send::Ask { call, .. }) if self.crowded => {
                self.placeless.push(call);
                return;
            }
            Effect::Send(Send::Ask { call, ticket: _, purpose: _ }) => {
                let admission = self.admission();
                self.tell(|| format!("call {call} is told: {admission:?}"));
                self.feed(Input::Admitted { call, admission });
                return;
            }
            Effect::Send(Send::Call { call, rows, again }) => {
                self.check_claimed(&rows, again);
                self.again.push(again);
                Job::Call { call, rows }
            }
            Effect::Send(Send::Acknowledge { call, acknowledgement }) => {
                Job::Acknowledge { call, id: acknowledgement.id }
            }
            Effect::Send(Send::Request { call, row }) => Job::Request { call, row },
            Effect::Turned(turn) => {
                self.tell(|| format!("turned {} on {}", turn.id, turn.event));
                return;
            }
            Effect::Revived(parts) => {
                self.tell(|| format!("{parts:?} wait again"));
                return;
            }
            Effect::TooLarge { event, next_ms } => {
                self.tell(|| format!("{event} is too large"));
                self.too_large.push(next_ms);
                return;
            }
            Effect::RunFailed { event, failure, tries, next_ms } => {
                self.tell(|| format!("try {tries} of {event} failed: {failure}"));
                self.repeats.push((tries, next_ms));
                return;
            }
        };
        self.tell(|| format!("asked for {}", brief(&job)));
        self.jobs.push(job);
    }

    fn admission(&mut self) -> Admission {
        if !self.held && (self.calm || self.chance.percent(80)) {
            return Admission::Go;
        }
        let until_ms = self.now + self.chance.below(3_000) + 1;
        Admission::Wait { until_ms, ticket: self.chance.percent(50) }
    }

    /// No call leaves before its claim is stored, and a call that may be a second
    /// one says so.
    fn check_claimed(&self, rows: &[Row], again: bool) {
        let claimed = self.log.settled().filter_map(|(_, settled)| settled.claimed.as_ref()).last();
        let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
        let claimed = ids.iter().all(|id| claimed.is_some_and(|claimed| claimed.contains(id)));
        assert!(claimed, "a call left without its claim: {ids:?}");
        let doubtful = |row: &Row| {
            let came = self.vendor.received.iter().any(|(id, _)| *id == row.id);
            came && !self.vendor.offered.contains(&row.id)
        };
        assert!(again || !rows.iter().any(doubtful), "a call came again unmarked: {ids:?}");
    }

    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        if self.told {
            println!("{:>7} {}", self.now - BEGIN, what());
        }
    }
}

pub(crate) fn key() -> ConversationKey {
    ConversationKey {
        tenant: "tenant".into(),
        channel: "channel".into(),
        vendor_key: "conversation".to_owned(),
    }
}

pub(crate) fn ids(arrivals: &[Arrival]) -> Vec<&str> {
    arrivals.iter().map(|arrival| arrival.event.id.as_str()).collect()
}
