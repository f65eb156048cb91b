//! A bot whose answer follows from its event alone, and which writes down every
//! event that it was ever told of.

use std::collections::BTreeMap;

use botyard_chance::mix;
use botyard_kernel::action::{
    Action, Delay, Forward, ForwardTarget, Media, Message, OnFailure, Request, Schedule, TextFormat,
};
use botyard_kernel::event::{Event, EventBody, First};
use botyard_kernel::run::{
    Blame, Cost, FailureKind, KvChange, KvScope, KvWrite, RunFailure, RunOutput,
};
use botyard_kernel::session::Session;

/// Under this key the bot writes down what it was told.
pub(crate) const SEEN: &str = "seen";

pub(crate) fn run(event: &Event, session: &Session, kv: &BTreeMap<String, String>) -> RunOutput {
    let dice = dice(event.id.as_str());
    let told = session.skipped.iter().chain([event]).map(token);
    let seen = kv.get(SEEN).cloned().into_iter().chain(told).collect::<Vec<_>>().join(" ");
    let write =
        KvWrite { scope: KvScope::Conversation, key: SEEN.to_owned(), change: KvChange::Set(seen) };
    let result = if dice.is_multiple_of(29) { Err(trap()) } else { Ok(actions(event, dice)) };
    let cost = Cost { cpu_us: 7, memory_bytes: 0 };
    RunOutput { result, writes: vec![write], log: Vec::new(), log_cut_bytes: 0, cost }
}

/// How many calls the bot makes on an event.
pub(crate) fn calls(event: &Event) -> usize {
    match dice(event.id.as_str()) >> 40 & 7 {
        0 => 1,
        1 => 3,
        _ => 0,
    }
}

/// A run that failed by the host's fault.
pub(crate) fn host_failure() -> RunOutput {
    let message = "no more threads".to_owned();
    let failure = RunFailure { blame: Blame::Host, kind: FailureKind::Internal, message };
    RunOutput::failed(failure)
}

fn trap() -> RunFailure {
    RunFailure { blame: Blame::Bot, kind: FailureKind::Trap, message: "unreachable".to_owned() }
}

/// What names an event whatever way it took.
pub(crate) fn token(event: &Event) -> String {
    match &event.body {
        EventBody::Message(message) => message.text.clone(),
        EventBody::Start(start) => match &start.first {
            Some(First::Message(message)) => message.text.clone(),
            _ => format!("start:{}", event.id),
        },
        EventBody::Timer(timer) => format!("timer:{}:{}", timer.name, timer.due_ms),
        EventBody::Response(response) => format!("response:{}", response.name),
        EventBody::Signal(signal) => signal.name.clone(),
        EventBody::HumanSpoke(spoke) => spoke.text.clone().unwrap_or_default(),
        EventBody::Returned(returned) => returned.reason.clone().unwrap_or_default(),
        EventBody::ForwardFailed(failed) => {
            let reason = failed.reason.clone().unwrap_or_default();
            format!("{}:{}", event.id, reason.replace(' ', "_"))
        }
        EventBody::DeliveryFailed(failed) => format!("failed:{}", failed.part),
        other => format!("{}:{}", other.name(), event.id),
    }
}

fn actions(event: &Event, dice: u64) -> Vec<Action> {
    let token = token(event).replace(' ', "_");
    let text = |n: u64| {
        Action::Message(Message { text: format!("{token}/{n}"), format: TextFormat::Plain })
    };
    let mut actions: Vec<Action> = (0..dice % 4).map(text).collect();
    if dice >> 4 & 3 == 0 {
        let delay = Action::Delay(Delay { delay_ms: (dice >> 10 & 2047) as u32, typing: true });
        let at = (dice >> 21 & 7) as usize % (actions.len() + 1);
        actions.insert(at, delay);
    }
    if dice >> 24 & 3 == 0 {
        let link = format!("https://pictures.example/{token}");
        let media = Action::Media(Media { link, name: None, mime_type: None, caption: None });
        let at = (dice >> 26 & 7) as usize % (actions.len() + 1);
        actions.insert(at, media);
    }
    if dice >> 29 & 3 == 0 {
        actions.push(request(&token));
    }
    if dice >> 31 & 3 == 0 {
        let again = dice >> 33 & 1 == 0;
        let name = if again { "again".to_owned() } else { format!("t.{}", event.id) };
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
    } else if dice >> 58 & 63 == 0 {
        actions.push(Action::End);
    }
    actions
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

fn dice(text: &str) -> u64 {
    mix(text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    }))
}
