//! A vendor's webhook, and what is read out of it.

use botyard_kernel::event::{Event, EventBody};
use botyard_kernel::id::{Digest, EventId};
use botyard_kernel::log::{Arrival, Route};
use botyard_kernel::owner::Owner;
use botyard_kernel::run::Blame;
use botyard_kernel::session::{Facts, Seed};
use botyard_kernel::time::Millis;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::Reply;

/// A webhook as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Inbound<'a> {
    /// The method.
    pub method: &'a Method,
    /// What follows the channel's name in the URL's path, without slashes around;
    /// empty where nothing follows.
    pub rest: &'a str,
    /// The query, without the question mark.
    pub query: Option<&'a str>,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The raw body.
    pub body: &'a Bytes,
    /// Chance, for vendors whose conversations we name.
    pub chance: Seed,
}

/// What a webhook turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// The vendor checks that we are there: answer this.
    Challenge(Reply),
    /// A client asks what is known of a person: answer [`crate::Vendor::person`].
    Asked {
        /// The person's address of e-mail.
        email: String,
    },
    /// Nothing to do; why, for metrics. Answer success.
    Ignored(&'static str),
    /// Not acceptable: nothing is stored.
    Rejected(Rejection),
    /// What happened, in order, and what of it cannot be read.
    Events {
        /// What happened.
        events: Vec<Incoming>,
        /// Parts of the same webhook that are not as the vendor documents them. They
        /// do not keep the others back.
        damaged: Vec<Damaged>,
    },
}

/// What a channel knows of somebody who wrote there.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// The newest facts.
    pub facts: Facts,
    /// When the first of their conversations began.
    pub first_ms: Millis,
    /// When the newest one began.
    pub newest_ms: Millis,
    /// When something happened there last.
    pub active_ms: Millis,
}

/// A part of a webhook that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// What is wrong with it, for who must act, without anything secret.
    pub reason: String,
    /// The part as it came.
    pub raw: String,
}

/// Why a webhook is not acceptable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// What the vendor is told.
    pub status: StatusCode,
    /// One line for who must act, without anything secret.
    pub reason: String,
    /// Who must act.
    pub blame: Blame,
}

/// One event out of a webhook.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// The vendor's own key of the conversation.
    pub conversation: String,
    /// What happened.
    pub body: EventBody,
    /// When, by the vendor's clock.
    pub vendor_ms: Option<Millis>,
    /// The vendor's id of the event, unique within the conversation, or what
    /// stands for one.
    pub key: Option<String>,
    /// What a reply needs besides the conversation's key, in the vendor's own form, at
    /// most 4 KiB; absent where it needs no more, or this event says nothing of it.
    pub reply_to: Option<String>,
    /// What the vendor's own desk calls the conversation, where this event says so.
    pub desk_id: Option<String>,
    /// How replies reach the person from now on; absent where it stays as it was.
    pub route: Option<Route>,
    /// Who owns the conversation, where the vendor says so with this event.
    pub owner: Option<Owner>,
    /// It happened beside the talk, as a tag of a ticket or a reaction: no session begins in
    /// order to hear of it.
    pub aside: bool,
    /// The form that the answer of this request must have, in the vendor's own words;
    /// empty where all answers have one.
    pub form: &'static str,
    /// Names the request, where the vendor has no event ids and redeliveries
    /// must be told from new events by the fate of the answer.
    pub request: Option<Digest>,
    /// What the acknowledgement of the event needs, in the vendor's own form;
    /// absent where the vendor wants none.
    pub acknowledge: Option<String>,
    /// The payload as it arrived; absent where it is too large.
    pub raw: Option<String>,
    /// Who and where. Facts that say nothing at all, as by default, leave the known
    /// ones as they were: some vendors tell them once.
    pub facts: Facts,
    /// The context that the vendor holds for the conversation, as it is: a
    /// non-empty JSON object.
    pub context: Option<String>,
}

impl Incoming {
    /// An event of which nothing more is known.
    pub fn new(conversation: impl Into<String>, body: EventBody) -> Self {
        Self {
            conversation: conversation.into(),
            body,
            vendor_ms: None,
            key: None,
            reply_to: None,
            desk_id: None,
            route: None,
            owner: None,
            aside: false,
            form: "",
            request: None,
            acknowledge: None,
            raw: None,
            facts: Facts::default(),
            context: None,
        }
    }

    /// What is accepted of it: the event `id`, received at `received_ms`, whose
    /// turn takes its chance from `seed`.
    pub fn arrival(self, id: EventId, received_ms: Millis, seed: Seed) -> Arrival {
        let (vendor_ms, raw, body) = (self.vendor_ms, self.raw, self.body);
        Arrival {
            event: Event { id, received_ms, vendor_ms, raw, body },
            facts: (self.facts != Facts::default()).then_some(self.facts),
            vendor_context: self.context,
            key: self.key,
            request: self.request,
            quiet: false,
            acknowledge: self.acknowledge,
            reply_to: self.reply_to,
            desk_id: self.desk_id,
            route: self.route,
            owner: self.owner,
            aside: self.aside,
            by_host: false,
            seed,
        }
    }
}
