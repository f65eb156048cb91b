//! Bots as functions: what they answer follows from the event alone, and they
//! write down every event that they were ever told of.

use std::collections::BTreeMap;

use botyard_kernel::action::{
    Action, Delay, Forward, ForwardTarget, Media, Message, NoteCreate, OnFailure, Request,
    Schedule, TextFormat,
};
use botyard_kernel::event::Event;
use botyard_kernel::run::{
    Blame, Cost, FailureKind, KvChange, KvScope, KvWrite, RunFailure, RunOutput,
};
use botyard_kernel::session::Session;

use crate::chance::{NOTHING, add};
use crate::external;
use crate::offers::offer;
use botyard_chance::mix;

/// Under this key bots write down the ids of the events that they were told.
pub(crate) const SEEN: &str = "seen";
/// Under this key they count them.
pub(crate) const COUNT: &str = "count";

/// What stands where the wasm runtime stands in a host.
pub(crate) trait Runner {
    /// One turn: the same input gives the same output.
    fn run(&self, event: &Event, session: &Session, kv: &BTreeMap<String, String>) -> RunOutput;

    /// How many calls to web services it makes before, within its turn.
    fn calls(&self, event: &Event) -> usize;
}

/// A bot that does a little of everything.
pub(crate) struct Dice {
    /// There is an external bot to hand over to.
    pub(crate) hands_over: bool,
    /// It offers menus.
    pub(crate) offers: bool,
}

/// A bot that counts in its context and says one line to each event.
pub(crate) struct Counter;

impl Runner for Dice {
    fn run(&self, event: &Event, session: &Session, kv: &BTreeMap<String, String>) -> RunOutput {
        let dice = dice(event);
        let mut result =
            if dice.is_multiple_of(29) { Err(trap()) } else { Ok(actions(event, dice)) };
        if let Ok(actions) = &mut result
            && self.offers
        {
            offer(actions, event.id.as_str(), mix(mix(dice)));
        }
        if let Ok(actions) = &mut result
            && self.hands_over
            && mix(dice).is_multiple_of(5)
        {
            hand_over(actions);
        }
        output(result, told(event, session, kv))
    }

    fn calls(&self, event: &Event) -> usize {
        match dice(event) >> 40 & 7 {
            0 => 1,
            1 => 3,
            _ => 0,
        }
    }
}

impl Runner for Counter {
    fn run(&self, event: &Event, session: &Session, kv: &BTreeMap<String, String>) -> RunOutput {
        let count = session.skipped.len() + 1;
        let before = kv.get(COUNT).and_then(|count| count.parse::<usize>().ok()).unwrap_or(0);
        let context = format!("{{\"count\":{}}}", before + count);
        let actions = vec![text(format!("{} heard", event.id)), Action::ContextUpdate(context)];
        output(Ok(actions), told(event, session, kv))
    }

    fn calls(&self, _event: &Event) -> usize {
        0
    }
}

/// A run that failed by the host's fault.
pub(crate) fn host_failure() -> RunOutput {
    let message = "no more threads".to_owned();
    let kind = FailureKind::Internal;
    output(Err(RunFailure { blame: Blame::Host, kind, message }), Vec::new())
}

fn output(result: Result<Vec<Action>, RunFailure>, writes: Vec<KvWrite>) -> RunOutput {
    let cost = Cost { cpu_us: 7, memory_bytes: 0 };
    RunOutput { result, writes, log: Vec::new(), log_cut_bytes: 0, cost }
}

fn dice(event: &Event) -> u64 {
    mix(add(NOTHING, event.id.as_str().as_bytes()))
}

fn trap() -> RunFailure {
    RunFailure { blame: Blame::Bot, kind: FailureKind::Trap, message: "unreachable".to_owned() }
}

fn told(event: &Event, session: &Session, kv: &BTreeMap<String, String>) -> Vec<KvWrite> {
    let ids = session.skipped.iter().chain([event]).map(|event| event.id.to_string());
    let ids: Vec<_> = ids.collect();
    let seen = kv.get(SEEN).cloned().into_iter().chain(ids.iter().cloned());
    let seen = KvChange::Set(seen.collect::<Vec<_>>().join(" "));
    let count = KvChange::Add(i64::try_from(ids.len()).unwrap_or(i64::MAX));
    [(SEEN, seen), (COUNT, count)]
        .map(|(key, change)| KvWrite { scope: KvScope::Conversation, key: key.to_owned(), change })
        .into()
}

fn text(text: String) -> Action {
    Action::Message(Message { text, format: TextFormat::Plain })
}

fn actions(event: &Event, dice: u64) -> Vec<Action> {
    let token = event.id.as_str();
    let mut actions: Vec<Action> = (0..dice % 4).map(|n| text(format!("{token}/{n}"))).collect();
    if dice >> 3 & 63 == 0 {
        // More than one message holds: it is sent in parts.
        actions.push(text(format!("{token} goes on and on. ").repeat(600)));
    }
    if dice >> 4 & 3 == 0 {
        let delay_ms = u32::try_from(dice >> 10 & 2047).unwrap_or_default();
        let at = insert_at(dice >> 21, &actions);
        actions.insert(at, Action::Delay(Delay { delay_ms, typing: true }));
    }
    if dice >> 24 & 3 == 0 {
        let link = format!("https://pictures.example/{token}");
        let media = Action::Media(Media { link, name: None, mime_type: None, caption: None });
        let at = insert_at(dice >> 26, &actions);
        actions.insert(at, media);
    }
    if dice >> 29 & 3 == 0 {
        actions.push(request(token));
    }
    if dice >> 31 & 3 == 0 {
        let again = dice >> 33 & 1 == 0;
        let name = if again { "again".to_owned() } else { format!("t.{token}") };
        let after_ms = if dice >> 34 & 3 == 0 { 0 } else { dice >> 36 & 4095 };
        actions.push(Action::Schedule(Schedule { name, after_ms, payload: None }));
    }
    if dice >> 48 & 15 == 0 {
        actions.push(Action::CancelTimer("again".to_owned()));
    }
    if dice >> 52 & 1 == 0 {
        actions.push(Action::ContextUpdate(format!("{{\"last\":\"{token}\"}}")));
    } else if dice >> 53 & 7 == 0 {
        actions.push(Action::ContextClear);
    }
    if dice >> 56 & 15 == 0 {
        let on_failure = Some(OnFailure::Feedback);
        actions.push(Action::Forward(Forward { target: ForwardTarget::Any, on_failure }));
        if dice >> 60 & 1 == 0 {
            let note = NoteCreate { text: format!("{token} was handed over"), contact_id: None };
            actions.push(Action::NoteCreate(note));
        }
    } else if dice >> 58 & 63 == 0 {
        actions.push(Action::End);
    }
    actions
}

/// In place of whatever else would end the session or hand it over.
fn hand_over(actions: &mut Vec<Action>) {
    actions.retain(|action| !matches!(action, Action::Forward(_) | Action::End));
    let target = ForwardTarget::Bot(external::NAME.to_owned());
    actions.push(Action::Forward(Forward { target, on_failure: None }));
}

fn insert_at(dice: u64, actions: &[Action]) -> usize {
    usize::try_from(dice & 7).unwrap_or_default() % (actions.len() + 1)
}

fn request(token: &str) -> Action {
    Action::Request(Request {
        name: format!("of:{token}"),
        method: "POST".to_owned(),
        url: "https://shop.example/".to_owned(),
        headers: Vec::new(),
        body: None,
        timeout_ms: None,
    })
}
