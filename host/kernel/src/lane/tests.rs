//! A long backlog: what it costs, and that nothing of it is lost. The store and
//! the bot answer at once, so that only the lane's own work is seen.

mod erased;
mod pin;

use crate::outbox::Rides;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::queue::Queued;
use super::*;
use crate::call::Journal;
use crate::event::{EventBody, Message, TextFormat};
use crate::id::EventId;
use crate::log::{ANSWERED_MAX, REDELIVERY_MS};
use crate::plan::host_start_id;
use crate::profile::Limited;
use crate::run::Cost;
use crate::session::Seed;

const MANY: u64 = 5_000;
/// Far more than needed, far less than a lane takes that looks through all
/// that waits for each event.
const PATIENCE: Duration = Duration::from_secs(5);

/// Everything around a lane that does its work without delay.
struct Host {
    lane: Lane,
    now: Millis,
    inputs: VecDeque<Input>,
    entries: Vec<Option<Arrival>>,
    turn: Option<(Seq, Turn)>,
    turned: Vec<EventId>,
    answered: u64,
    /// What is kept back does not end until it is let go.
    keeps_back: fn(&Effect) -> bool,
    kept: Vec<Effect>,
    /// Stored events that were in memory when nothing was under way.
    most_stored: usize,
}

impl Host {
    fn new(keeps_back: fn(&Effect) -> bool) -> Self {
        let key = ConversationKey {
            tenant: "tenant".into(),
            channel: "channel".into(),
            vendor_key: "conversation".to_owned(),
        };
        let delivery = Delivery {
            inline: true,
            answer_by_ms: 4_000,
            after_answer_ms: 500,
            lists: true,
            native_delay: true,
            delay_step_ms: 1,
            silent_hand_off: false,
            contacts_in_answers: false,
            rate: None,
            token_rate: None,
            limited: Limited::Conversation,
            acknowledgements_elsewhere: false,
            sends_start: true,
            reopens: false,
            ends_silent_sessions: false,
            age_max_ms: 900_000,
            hold_ambiguous: false,
        };
        let policy = Policy::new("userlike", "bot".into());
        Self {
            lane: Lane::new(key, Arc::new(Rules { policy, delivery })),
            now: 1_700_000_000_000,
            inputs: VecDeque::new(),
            entries: Vec::new(),
            turn: None,
            turned: Vec::new(),
            answered: 0,
            keeps_back,
            kept: Vec::new(),
            most_stored: 0,
        }
    }

    fn feed(&mut self, input: Input) {
        self.inputs.push_back(input);
        while let Some(input) = self.inputs.pop_front() {
            for effect in self.lane.on(input, self.now) {
                if (self.keeps_back)(&effect) {
                    self.kept.push(effect);
                } else {
                    self.perform(effect);
                }
            }
        }
        self.most_stored = self.most_stored.max(self.lane.unstored_from());
    }

    fn let_go(&mut self) {
        self.keeps_back = |_| false;
        for effect in std::mem::take(&mut self.kept) {
            self.perform(effect);
        }
        self.feed(Input::Wake);
        while let Some(at) = self.lane.wake_at(self.now) {
            self.now = self.now.max(at);
            self.feed(Input::Wake);
        }
    }

    fn perform(&mut self, effect: Effect) {
        let input = match effect {
            Effect::Load => Input::Loaded(Box::new(self.load())),
            Effect::Accept(arrivals) => Input::Accepted(self.append(arrivals)),
            Effect::Commit(turn) => {
                self.entries.push(None);
                let seq = self.entries.len() as Seq;
                self.turned.push(turn.event.clone());
                self.turn = Some((seq, *turn));
                Input::Committed(Some(seq))
            }
            Effect::Settle(settled) => {
                self.entries.push(None);
                let events = self.append(settled.events);
                Input::Settled { events, last: self.entries.len() as Seq }
            }
            Effect::Run { run, .. } => ran(run),
            Effect::Send(Send::Answer { request, .. }) => {
                self.answered += 1;
                Input::Answered { request, whole: true }
            }
            Effect::Turned(_) => return,
            other => panic!("nothing of the kind is wanted: {other:?}"),
        };
        self.inputs.push_back(input);
    }

    fn append(&mut self, arrivals: Vec<Arrival>) -> Vec<Seq> {
        let first = self.entries.len() as Seq + 1;
        self.entries.extend(arrivals.into_iter().map(Some));
        (first..=self.entries.len() as Seq).collect()
    }

    fn load(&self) -> Loaded {
        let watermark = self.turn.as_ref().map_or(0, |(_, turn)| turn.watermark);
        let waiting = |(seq, arrival): (Seq, &Arrival)| (seq, arrival.clone());
        Loaded {
            last: self.entries.len() as Seq,
            turn: self.turn.clone(),
            accepted: self.waiting(watermark).take(WAITING_MAX).map(waiting).collect(),
            more: self.waiting(watermark).nth(WAITING_MAX).is_some(),
            settled: Vec::new(),
            calls: Vec::new(),
        }
    }

    fn waiting(&self, after: Seq) -> impl Iterator<Item = (Seq, &Arrival)> {
        let from = usize::try_from(after).unwrap();
        let behind = (after + 1..).zip(&self.entries[from..]);
        behind.filter_map(|(seq, arrival)| Some((seq, arrival.as_ref()?)))
    }
}

fn ran(run: u64) -> Input {
    let profile = Profile::new(&[], 5_000);
    let output = RunOutput {
        result: Ok(Vec::new()),
        writes: Vec::new(),
        log: Vec::new(),
        log_cut_bytes: 0,
        cost: Cost::default(),
    };
    let version = Digest::of(b"bot");
    Input::Ran { run, output: Box::new(output), version, profile: Box::new(profile) }
}

fn arrival(n: u64, now: Millis) -> Arrival {
    let body = EventBody::Message(Message { text: n.to_string(), format: TextFormat::Plain });
    let event = Event::new(EventId(format!("e{n}")), now, body);
    Arrival::new(event, Seed::default())
}

/// Many events come while something is kept back; afterwards each has its turn.
fn many_wait(per_request: u64, keeps_back: fn(&Effect) -> bool) -> Host {
    let mut host = Host::new(keeps_back);
    host.feed(Input::Wake);
    let began = Instant::now();
    for request in 0..MANY / per_request {
        let first = request * per_request;
        let arrivals = (first..first + per_request).map(|n| arrival(n, host.now)).collect();
        host.feed(Input::Arrived {
            request: Some(request),
            arrivals,
            accept_only: true,
            rides: Rides::List,
        });
        host.now += 1;
    }
    host.let_go();
    assert!(began.elapsed() < PATIENCE, "it took {:?}", began.elapsed());
    let wanted: Vec<EventId> = (0..MANY).map(|n| EventId(format!("e{n}"))).collect();
    assert!(host.turned == wanted, "{} turns, or not in order", host.turned.len());
    assert_eq!(host.answered, MANY / per_request);
    assert!(host.lane.is_idle() && host.lane.unanswered.is_empty());
    host
}

#[test]
fn behind_a_long_turn_few_of_many_events_stay_in_memory() {
    let host = many_wait(1, |effect| matches!(effect, Effect::Run { .. }));
    assert!(host.most_stored <= WAITING_MAX + 1, "{} at once", host.most_stored);
}

#[test]
fn behind_a_slow_store_many_events_wait_and_are_stored_together() {
    let host = many_wait(50, |effect| matches!(effect, Effect::Accept(_)));
    assert!(host.most_stored <= WAITING_MAX + 1, "{} at once", host.most_stored);
}

#[test]
fn whoever_keeps_nothing_of_what_waits_reads_it() {
    let mut lane = Host::new(|_| false).lane.keeping(2);
    // Three events that followed from deliveries stand behind others that were not read.
    (lane.loaded, lane.last, lane.unread_from, lane.unread) = (true, 12, Some(3), 4);
    lane.queue = (10..13).map(|seq| Queued::stored(seq, arrival(seq, 1), 1)).collect();
    lane.shed();
    assert_eq!((lane.waiting_here(), lane.waiting()), (0, 7));
    let effects = lane.on(Input::Wake, 1);
    assert!(effects.iter().any(|it| matches!(it, Effect::Load)), "{effects:?}");
}

/// A lane that knows of these calls: on which event, of its start, which one.
fn with_calls<const N: usize>(calls: [(&str, bool, u32); N]) -> Lane {
    let mut lane = Host::new(|_| false).lane;
    let call = |(n, (event, of_start, index)): (usize, (&str, bool, u32))| Call {
        event: event.into(),
        of_start,
        index,
        request: Digest::of(b"request"),
        answer: n.to_string(),
        journal: Journal::default(),
    };
    lane.calls = calls.into_iter().enumerate().map(call).collect();
    lane
}

#[test]
fn a_committed_turn_takes_its_own_calls_along() {
    let mut lane = with_calls([("e", true, 0), ("e", false, 0), ("f", false, 0)]);
    lane.forget_calls(&host_start_id(&"e".into()));
    assert_eq!(lane.calls.len(), 2);
    lane.forget_calls(&"e".into());
    assert_eq!(lane.calls.iter().map(|call| call.event.as_str()).collect::<Vec<_>>(), ["f"]);
}

#[test]
fn a_rerun_gets_the_first_of_each_of_its_calls_in_order() {
    let calls =
        [("e", false, 1), ("e", true, 0), ("e", false, 0), ("f", false, 0), ("e", false, 1)];
    let lane = with_calls(calls);
    let answers = |event: &str, of_start| {
        let calls = lane.calls_of(&event.into(), of_start);
        calls.into_iter().map(|call| call.answer).collect::<Vec<_>>()
    };
    assert_eq!(answers("e", false), ["2", "0"]);
    assert_eq!(answers("e", true), ["1"]);
    assert!(lane.has_called(&"f".into()) && !lane.has_called(&"g".into()));
}

/// The same words by the same bytes, as a vendor without event ids sends them.
fn said(n: u64, words: &str, now: Millis) -> Arrival {
    let text = words.to_owned();
    let body = EventBody::Message(Message { text, format: TextFormat::Plain });
    let event = Event::new(EventId(format!("e{n}")), now, body);
    Arrival { request: Some(Digest::of(words.as_bytes())), ..Arrival::new(event, Seed::default()) }
}

fn says(host: &mut Host, n: u64, words: &str) {
    let arrivals = vec![said(n, words, host.now)];
    let (request, rides) = (Some(n), Rides::List);
    host.feed(Input::Arrived { request, arrivals, accept_only: true, rides });
    host.now += 1;
}

#[test]
fn the_same_words_again_are_another_event_however_many_wait_between() {
    let mut host = Host::new(|effect| matches!(effect, Effect::Run { .. }));
    host.feed(Input::Wake);
    says(&mut host, 0, "hello?");
    let others = 3 * ANSWERED_MAX as u64 / 2;
    for n in 1..=others {
        says(&mut host, n, &n.to_string());
    }
    says(&mut host, others + 1, "hello?");
    says(&mut host, others + 2, &others.to_string());
    host.let_go();
    let wanted: Vec<EventId> = (0..=others + 2).map(|n| EventId(format!("e{n}"))).collect();
    assert!(host.turned == wanted, "{} turns of {}", host.turned.len(), wanted.len());
}

#[test]
fn a_redelivery_of_what_waits_comes_within_ten_minutes_or_is_another_event() {
    for (later_ms, turns) in [(REDELIVERY_MS - 1, 1), (REDELIVERY_MS + 1, 2)] {
        // Whoever brought it has left before it was answered.
        let mut host = Host::new(|effect| matches!(effect, Effect::Run { .. } | Effect::Send(_)));
        host.feed(Input::Wake);
        says(&mut host, 0, "yes");
        host.feed(Input::ClientLeft(0));
        host.kept.retain(|effect| !matches!(effect, Effect::Send(_)));
        host.now += later_ms - 1;
        says(&mut host, 1, "yes");
        host.let_go();
        assert_eq!(host.turned.len(), turns, "after {later_ms} ms");
    }
}
