//! A vendor that does not exist: several events a webhook, of several conversations,
//! each with an id; it wants to hear that events were taken, and whether it takes lists,
//! delays and inline answers is drawn for each channel.

use std::sync::Arc;

use botyard_chance::Chance;
use botyard_kernel::event::{
    Click, EventBody, ForwardFailed, HumanSpoke, Message, Returned, Start, TextFormat,
};
use botyard_kernel::profile::{Delivery, Limited, Profile, Rate};
use botyard_kernel::run::Blame;
use botyard_kernel::session::Facts;
use botyard_kernel::time::{MINUTE, Millis, SECOND};
use botyard_vendors::{
    Call, CallAnswer, Inbound, Incoming, Outcome, Part, Received, Rejection, Reply, To, Vendor,
};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize};

use super::{Came, Line, Manner, Posted, Said, Way};
use crate::desk::Desk;
use crate::webhook::Saying;

/// The header that carries the secret.
const HEADER: &str = "x-batch-secret";
/// What the vendor hears because a call brought a part begins with this.
const ECHO: &str = "echo.";
const NATIVE: &[&str] = &["message", "media", "delay", "forward", "end", "abort", "note_create"];

const MANNER: Manner = Manner {
    opening: Saying::Start,
    sayings: &[
        (50, Saying::Message),
        (8, Saying::HumanSpoke),
        (8, Saying::Click),
        (12, Saying::Several),
        (8, Saying::Signal),
        (6, Saying::Returned),
        (4, Saying::ForwardFailed),
        (4, Saying::Forged),
    ],
    gives_back: Saying::Returned,
    has_ids: true,
    batches: true,
};

/// A channel, at both of its ends.
#[derive(Clone, Debug)]
struct Batch {
    delivery: Delivery,
    secret: String,
    tells_gone: bool,
}

/// What it posts.
#[derive(Deserialize, Serialize)]
struct Post {
    events: Vec<PostedEvent>,
}

/// One event of a post.
#[derive(Deserialize, Serialize)]
struct PostedEvent {
    conversation: String,
    id: String,
    kind: String,
    text: String,
    wants_to_hear: bool,
}

/// What it is told.
#[derive(Deserialize, Serialize)]
struct Told {
    conversation: String,
    parts: Vec<String>,
    taken: Option<String>,
}

pub(super) fn draw(number: u64, chance: &mut Chance) -> Box<dyn Line> {
    let secret = format!("secret of channel {number}");
    let tells_gone = chance.percent(20);
    Box::new(Batch { delivery: delivery(chance), secret, tells_gone })
}

fn delivery(chance: &mut Chance) -> Delivery {
    let rate = chance.percent(60).then_some(Rate { calls: 3, window_ms: 10_000 });
    let token_rate = chance.percent(30).then_some(Rate { calls: 6, window_ms: 10_000 });
    Delivery {
        inline: chance.percent(60),
        answer_by_ms: 4_000,
        after_answer_ms: 500,
        lists: chance.percent(60),
        native_delay: chance.percent(60),
        delay_step_ms: 1,
        silent_hand_off: false,
        contacts_in_answers: false,
        rate,
        token_rate,
        limited: if chance.percent(50) { Limited::Token } else { Limited::Conversation },
        acknowledgements_elsewhere: chance.percent(50),
        sends_start: chance.percent(60),
        reopens: false,
        ends_silent_sessions: false,
        age_max_ms: if chance.percent(15) { 20 * SECOND } else { 15 * MINUTE },
        hold_ambiguous: chance.percent(15),
    }
}

impl Line for Batch {
    fn vendor(&self) -> Arc<dyn Vendor> {
        Arc::new(self.clone())
    }

    fn manner(&self) -> &'static Manner {
        &MANNER
    }

    fn key(&self, number: usize) -> String {
        format!("c{number}")
    }

    fn post(&self, said: &Said<'_>) -> Posted {
        let kind = match said.saying {
            Saying::Start => "start",
            Saying::Click => "click",
            Saying::HumanSpoke => "human_spoke",
            Saying::Returned => "returned",
            Saying::ForwardFailed => "forward_failed",
            Saying::Message
            | Saying::SameWords
            | Saying::Several
            | Saying::Signal
            | Saying::DeskReturns
            | Saying::ExternalSpeaks
            | Saying::ExternalLeaves
            | Saying::Takes
            | Saying::Closed
            | Saying::Forged => "message",
        };
        let event = |(part, whose): (usize, &super::Whose<'_>)| PostedEvent {
            conversation: whose.key.to_owned(),
            id: id(said.number, part),
            kind: kind.to_owned(),
            text: said.words(part),
            wants_to_hear: said.saying == Saying::Several,
        };
        let events = said.of.iter().enumerate().map(event).collect();
        let body = serde_json::to_string(&Post { events }).expect("plain texts are JSON");
        Posted::with(HEADER, said.secret(&self.secret), body)
    }

    fn take(&self, came: &Came<'_>, _desk: &mut Desk) {
        let told = read(came.body());
        assert_eq!(told.conversation, came.key, "of another conversation");
        let ids: Vec<_> = came.rows.iter().map(|row| row.id.to_string()).collect();
        assert_eq!(told.parts, ids, "other parts than were meant");
        let answers = matches!(came.way, Way::Answer { .. });
        let lists = answers || self.delivery.lists || came.rows.len() <= 1;
        assert!(lists, "this vendor takes one a call");
    }

    fn tells_gone(&self) -> bool {
        self.tells_gone
    }

    fn hear(&self, token: &str, call: &Call) {
        assert_eq!(read(&call.body).taken.as_deref(), Some(token), "another event was taken");
    }

    fn awaits(&self, saying: Saying, number: usize, part: usize) -> Option<String> {
        (saying == Saying::Several).then(|| id(number, part))
    }

    fn taken_of(&self, token: &str) -> Option<String> {
        self.echo_of(token).is_none().then(|| token.to_owned())
    }

    fn echo_of(&self, token: &str) -> Option<String> {
        token.strip_prefix(ECHO).map(str::to_owned)
    }

    fn rate(&self) -> Option<(usize, Millis)> {
        self.delivery.rate.map(|rate| (rate.calls, rate.window_ms))
    }
}

impl Vendor for Batch {
    fn name(&self) -> &'static str {
        "batch"
    }

    fn profile(&self, _medium: &str) -> Profile {
        Profile::new(NATIVE, 5_000)
    }

    fn delivery(&self) -> Delivery {
        self.delivery.clone()
    }

    fn verify(&self, request: &Inbound<'_>) -> Result<(), Rejection> {
        let known = request.headers.get(HEADER).is_some_and(|it| it == self.secret.as_str());
        let wrong = || Rejection {
            status: StatusCode::UNAUTHORIZED,
            reason: "the secret is wrong".to_owned(),
            blame: Blame::Tenant,
        };
        known.then_some(()).ok_or_else(wrong)
    }

    fn read(&self, request: &Inbound<'_>, _now: Millis) -> Received {
        match serde_json::from_slice::<Post>(request.body) {
            Ok(post) => Received::Events {
                events: post.events.into_iter().map(incoming).collect(),
                damaged: Vec::new(),
            },
            Err(error) => Received::Rejected(Rejection {
                status: StatusCode::BAD_REQUEST,
                reason: error.to_string(),
                blame: Blame::Vendor,
            }),
        }
    }

    fn answer(&self, to: &To<'_>, parts: &[Part<'_>]) -> Reply {
        let body = json(&parts_of(to.conversation, parts));
        Reply { status: StatusCode::OK, content_type: "application/json", body }
    }

    fn call(&self, to: &To<'_>, parts: &[Part<'_>]) -> Call {
        call(&parts_of(to.conversation, parts))
    }

    fn acknowledge(&self, to: &To<'_>, token: &str) -> Option<Call> {
        let (conversation, taken) = (to.conversation.to_owned(), Some(token.to_owned()));
        Some(call(&Told { conversation, parts: Vec::new(), taken }))
    }

    fn outcome_for(&self, parts: &[Part<'_>], answer: &CallAnswer) -> Outcome {
        match self.outcome(answer) {
            Outcome::Delivered { .. } => {
                let follow_ups = parts.first().map(|part| format!("{ECHO}{}", part.id));
                Outcome::delivered(follow_ups.into_iter().collect())
            }
            other => other,
        }
    }

    fn outcome(&self, answer: &CallAnswer) -> Outcome {
        let retry = |after_ms, ambiguous, reason: &str| Outcome::Retry {
            after_ms,
            ambiguous,
            reason: reason.to_owned(),
            blame: Blame::Vendor,
            tries_max: None,
        };
        match answer {
            CallAnswer::NotSent(why) => retry(None, false, why),
            CallAnswer::Lost(why) => retry(None, true, why),
            CallAnswer::Answered { status, retry_after_ms, .. } => match status.as_u16() {
                200..=299 => Outcome::DELIVERED,
                410 => Outcome::Gone("it is over".to_owned()),
                429 => retry(*retry_after_ms, false, "too many"),
                503 => retry(*retry_after_ms, false, "not now"),
                500..=599 => retry(*retry_after_ms, true, "it broke down"),
                _ => Outcome::Fatal { reason: "not so".to_owned(), blame: Blame::Bot },
            },
        }
    }
}

/// The id of an event.
fn id(number: usize, part: usize) -> String {
    format!("id.{number}.{part}")
}

fn call(told: &Told) -> Call {
    Call {
        method: Method::POST,
        url: "https://batch.example/".to_owned(),
        headers: HeaderMap::new(),
        body: json(told),
    }
}

fn read(body: &[u8]) -> Told {
    serde_json::from_slice(body).expect("it is told in JSON")
}

fn parts_of(conversation: &str, parts: &[Part<'_>]) -> Told {
    let parts = parts.iter().map(|part| part.id.to_string()).collect();
    Told { conversation: conversation.to_owned(), parts, taken: None }
}

fn json<T: Serialize>(value: &T) -> Bytes {
    Bytes::from(serde_json::to_vec(value).expect("plain texts are JSON"))
}

fn incoming(posted: PostedEvent) -> Incoming {
    let text = posted.text;
    let format = TextFormat::Plain;
    let body = match posted.kind.as_str() {
        "start" => EventBody::Start(Start::default()),
        "click" => EventBody::Click(Click { option_ids: vec![text], ..Click::default() }),
        "human_spoke" => EventBody::HumanSpoke(HumanSpoke { text: Some(text), agent: None }),
        "returned" => EventBody::Returned(Returned { reason: Some(text) }),
        "forward_failed" => EventBody::ForwardFailed(ForwardFailed { reason: Some(text) }),
        _ => EventBody::Message(Message { text, format }),
    };
    Incoming {
        acknowledge: posted.wants_to_hear.then(|| posted.id.clone()),
        key: Some(posted.id),
        facts: Facts { medium: "web".to_owned(), ..Facts::default() },
        ..Incoming::new(posted.conversation, body)
    }
}
