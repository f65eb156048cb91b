//! A vendor that Userlike is not: several events a webhook, of several
//! conversations, each with an id; it wants to hear that events were taken, and
//! whether it takes lists, delays and inline answers is drawn for each channel.

use std::sync::Arc;

use botyard_kernel::event::{
    Click, EventBody, ForwardFailed, HumanSpoke, Message, Returned, Start, TextFormat,
};
use botyard_kernel::profile::{Delivery, Profile};
use botyard_kernel::run::Blame;
use botyard_kernel::session::Facts;
use botyard_kernel::time::Millis;
use botyard_vendors::{
    Call, CallAnswer, Inbound, Incoming, Outcome, Part, Received, Rejection, Reply, To, Vendor,
};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize};

/// The header that carries the secret.
pub(crate) const HEADER: &str = "x-batch-secret";
const NATIVE: &[&str] = &["message", "media", "delay", "forward", "end", "abort", "note_create"];

/// A channel.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) delivery: Delivery,
    pub(crate) secret: String,
}

/// What it posts.
#[derive(Deserialize, Serialize)]
pub(crate) struct Post {
    pub(crate) events: Vec<Posted>,
}

/// One event of a post.
#[derive(Deserialize, Serialize)]
pub(crate) struct Posted {
    pub(crate) conversation: String,
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) text: String,
    pub(crate) wants_to_hear: bool,
}

/// What it is told.
#[derive(Deserialize, Serialize)]
pub(crate) struct Told {
    pub(crate) conversation: String,
    pub(crate) parts: Vec<String>,
    pub(crate) taken: Option<String>,
}

impl Batch {
    pub(crate) fn channel(delivery: Delivery, secret: String) -> Arc<dyn Vendor> {
        Arc::new(Self { delivery, secret })
    }

    fn told(&self, told: &Told) -> Call {
        Call {
            method: Method::POST,
            url: "https://batch.example/".to_owned(),
            headers: HeaderMap::new(),
            body: json(told),
        }
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
        self.told(&parts_of(to.conversation, parts))
    }

    fn acknowledge(&self, to: &To<'_>, token: &str) -> Option<Call> {
        let (conversation, taken) = (to.conversation.to_owned(), Some(token.to_owned()));
        Some(self.told(&Told { conversation, parts: Vec::new(), taken }))
    }

    fn outcome_for(&self, parts: &[Part<'_>], answer: &CallAnswer) -> Outcome {
        match self.outcome(answer) {
            Outcome::Delivered { .. } => {
                let follow_ups = parts.first().map(|part| echo(part.id.as_str()));
                Outcome::Delivered { follow_ups: follow_ups.into_iter().collect() }
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
            CallAnswer::Answered { status, retry_after_ms, body: _ } => match status.as_u16() {
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

/// What the vendor hears because a call brought this part.
pub(crate) fn echo(part: &str) -> String {
    format!("echo.{part}")
}

fn parts_of(conversation: &str, parts: &[Part<'_>]) -> Told {
    let parts = parts.iter().map(|part| part.id.to_string()).collect();
    Told { conversation: conversation.to_owned(), parts, taken: None }
}

fn json<T: Serialize>(value: &T) -> Bytes {
    Bytes::from(serde_json::to_vec(value).expect("plain texts are JSON"))
}

fn incoming(posted: Posted) -> Incoming {
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
