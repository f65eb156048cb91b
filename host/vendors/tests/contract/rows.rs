//! The table that every vendor fills: what a webhook of it looks like in each case that the
//! contract names, or why it has nothing like it. `promises` asks for every row.

mod instabot;
mod khoros;
mod lexer;
mod messenger;
mod myalice;
mod userlike;

use botyard_kernel::session::Seed;
use botyard_kernel::time::Millis;
use botyard_vendors::{Inbound, Received, Vendor};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use serde_json::Value;
use sha2::Sha256;

/// When webhooks arrive, and when they were sent.
pub(crate) const NOW: Millis = 1_700_000_000_000;

/// A case of the contract: what it looks like, or why this vendor has none.
pub(crate) enum Row<T> {
    Has(T),
    HasNot(&'static str),
}

/// What a vendor fills.
pub(crate) struct Rows {
    pub(crate) vendor: &'static str,
    /// Every place where a webhook shows a secret. The first one is that of a person's
    /// message.
    pub(crate) doors: Vec<Door>,
    /// One webhook with so many events.
    pub(crate) batch: Row<fn(usize) -> Webhook>,
    /// One webhook with so many events and something between them that nobody can read.
    pub(crate) siblings: Row<fn(usize) -> Webhook>,
    /// Our own words come back.
    pub(crate) echoes: Row<Vec<Webhook>>,
    /// What no page of the vendor knows, and what becomes of it.
    pub(crate) unknown: Row<Vec<(Webhook, Unknown)>>,
    /// What names the conversation in a webhook and comes back in what we say there.
    pub(crate) conversation: &'static [Trip],
    /// What names an option in what we say and comes back with a tap on it.
    pub(crate) option: Row<Tap>,
    /// A webhook that signs when it is sent.
    pub(crate) signed_time: Row<SignedTime>,
}

/// For so long after its time a webhook is good; and such a webhook, as it is sent then.
pub(crate) type SignedTime = (Millis, fn(Millis) -> Webhook);

/// A place where webhooks show a secret.
pub(crate) struct Door {
    pub(crate) name: &'static str,
    /// A channel's settings with this secret, or with a list of two.
    pub(crate) settings: fn(Value) -> Value,
    /// A webhook that shows this secret.
    pub(crate) shows: fn(&str) -> Webhook,
    pub(crate) refused: Refused,
}

/// How a webhook with a wrong secret is answered.
pub(crate) enum Refused {
    Unauthorized,
    /// With another status, because of what the vendor's page or its clients want.
    Otherwise(StatusCode, &'static str),
}

/// What becomes of a webhook that we do not know.
pub(crate) enum Unknown {
    /// The bot is told of it under this name.
    Told(&'static str),
    /// It is left out, and the reason has these words.
    Ignored(&'static str),
}

/// A value of the vendor's own on its way through the host.
pub(crate) struct Trip {
    /// Where it stands in the webhook.
    pub(crate) from: &'static str,
    pub(crate) by: By,
    /// Where it stands there.
    pub(crate) to: &'static str,
}

/// What the host sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Answer,
    Call,
    Acknowledgement,
}

/// How a tap on an option comes back.
pub(crate) struct Tap {
    pub(crate) by: By,
    /// Where what names the first option stands there.
    pub(crate) token: &'static str,
    /// The webhook of a tap on it, by that and by its label.
    pub(crate) webhook: fn(&Value, &str) -> Webhook,
    /// The id that the event has for the option that the bot gave this one. Where it is
    /// another one, whoever remembers the menu finds the bot's.
    pub(crate) comes: fn(&str) -> String,
}

/// A webhook as it arrives.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    method: Method,
    rest: String,
    query: Option<String>,
    headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Webhook {
    fn post(body: &Value) -> Self {
        Self {
            method: Method::POST,
            rest: String::new(),
            query: None,
            headers: HeaderMap::new(),
            body: Bytes::from(body.to_string()),
        }
    }

    fn get(query: String) -> Self {
        Self {
            method: Method::GET,
            query: Some(query),
            body: Bytes::new(),
            ..Self::post(&Value::Null)
        }
    }

    fn at(self, rest: impl Into<String>) -> Self {
        Self { rest: rest.into(), ..self }
    }

    fn with(mut self, header: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(header), value.parse().unwrap());
        self
    }

    /// What the channel makes of it, once it is verified.
    pub(crate) fn read(&self, channel: &dyn Vendor) -> Received {
        channel.read(&self.inbound(), NOW)
    }

    /// What the channel makes of it when it arrives at this time.
    pub(crate) fn receive(&self, channel: &dyn Vendor, now: Millis) -> Received {
        channel.receive(&self.inbound(), now)
    }

    /// The body as JSON; `null` where there is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn inbound(&self) -> Inbound<'_> {
        Inbound {
            method: &self.method,
            rest: &self.rest,
            query: self.query.as_deref(),
            headers: &self.headers,
            body: &self.body,
            chance: Seed([1, 2, 3, 4]),
        }
    }
}

/// All of them.
pub(crate) fn all() -> Vec<Rows> {
    vec![
        userlike::rows(),
        khoros::rows(),
        messenger::rows(),
        lexer::rows(),
        myalice::rows(),
        instabot::rows(),
    ]
}

/// The invented settings of a vendor with these changes; `null` takes a key out.
fn settings(vendor: &str, changes: Value) -> Value {
    let mut settings = (botyard_vendors::known(vendor).unwrap().sample)();
    let fields = settings.as_object_mut().unwrap();
    for (key, value) in changes.as_object().unwrap() {
        fields.insert(key.clone(), value.clone());
    }
    fields.retain(|_, value| !value.is_null());
    settings
}

/// A person's message of `samples`.
fn message(vendor: &str) -> Value {
    let sample = crate::samples::all().into_iter().find(|sample| sample.vendor == vendor);
    serde_json::from_str(&sample.unwrap().body).unwrap()
}

/// HMAC with SHA-256 of these bytes.
fn hmac(secret: &str, body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}
