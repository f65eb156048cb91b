//! The vendor: sends webhooks until they are answered, and sees deliveries.

use std::collections::BTreeSet;

use botyard_kernel::action::Action;
use botyard_kernel::event::{
    Event, EventBody, ForwardFailed, HumanSpoke, Message, NamedPayload, Returned, Start, TextFormat,
};
use botyard_kernel::id::{Digest, EventId, PartId};
use botyard_kernel::log::{Arrival, Row};
use botyard_kernel::outbox::RequestId;
use botyard_kernel::session::{Facts, Seed};
use botyard_kernel::time::Millis;

#[derive(Default)]
pub(crate) struct Vendor {
    pub(crate) webhooks: Vec<Webhook>,
    /// Ids of the rows that came in, with the time, in order.
    pub(crate) received: Vec<(PartId, Millis)>,
    /// Rows that may come twice, because nobody can know that they came once.
    pub(crate) may_repeat: BTreeSet<PartId>,
    /// Rows that came in an answer: if its end was not stored, they leave again
    /// unmarked, since answers are not claimed.
    pub(crate) offered: BTreeSet<PartId>,
    /// What the vendor was told of having been taken, in order.
    pub(crate) acknowledged: Vec<PartId>,
    /// Rows that were given up once: after a crash nobody knows of it.
    pub(crate) given_up: BTreeSet<PartId>,
    /// Times of API calls.
    pub(crate) calls: Vec<Millis>,
    /// The person is shown what comes now only after this.
    pub(crate) playing_until: Millis,
}

/// Something that the vendor has to say.
pub(crate) struct Webhook {
    pub(crate) tokens: Vec<String>,
    pub(crate) kind: Kind,
    pub(crate) state: State,
    /// The open connection.
    pub(crate) request: Option<RequestId>,
    pub(crate) tries: u32,
    /// What stands for the bytes; webhooks with keys have none.
    pub(crate) bytes: Option<Digest>,
    pub(crate) keyed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Start,
    Message,
    Messages,
    Signal,
    HumanSpoke,
    Returned,
    ForwardFailed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    Failed,
    Answered,
}

impl Webhook {
    pub(crate) fn body(&self, n: usize) -> EventBody {
        let token = self.tokens[n].clone();
        match self.kind {
            Kind::Start => EventBody::Start(Start::default()),
            Kind::Message | Kind::Messages => {
                EventBody::Message(Message { text: token, format: TextFormat::Plain })
            }
            Kind::Signal => {
                EventBody::Signal(NamedPayload { name: token, json: "null".to_owned() })
            }
            Kind::HumanSpoke => {
                EventBody::HumanSpoke(HumanSpoke { text: Some(token), agent: None })
            }
            Kind::Returned => EventBody::Returned(Returned { reason: Some(token) }),
            Kind::ForwardFailed => EventBody::ForwardFailed(ForwardFailed { reason: Some(token) }),
        }
    }
}

impl Vendor {
    /// Rows come in, in one list.
    pub(crate) fn receive(&mut self, rows: &[Row], now: Millis) {
        for row in rows {
            let again = self.received.iter().any(|(id, _)| *id == row.id);
            assert!(
                !again || self.may_repeat.contains(&row.id),
                "{} came twice although its delivery was certain",
                row.id
            );
            self.received.push((row.id.clone(), now));
        }
        let delays = rows.iter().map(|row| match &row.action {
            Action::Delay(delay) => u64::from(delay.delay_ms),
            _ => 0,
        });
        self.playing_until = self.playing_until.max(now + delays.sum::<u64>());
    }

    pub(crate) fn give_up(&mut self, rows: &[Row]) {
        self.given_up.extend(rows.iter().map(|row| row.id.clone()));
    }

    pub(crate) fn doubt(&mut self, rows: &[Row]) {
        self.may_repeat.extend(rows.iter().map(|row| row.id.clone()));
    }
}

/// The events of a webhook, as this sending of it brings them.
pub(crate) fn arrivals(webhook: &mut Webhook, n: usize, now: Millis) -> Vec<Arrival> {
    let arrival = |part: usize| Arrival {
        event: Event {
            id: EventId(format!("w{n}p{part}t{}", webhook.tries)),
            received_ms: now,
            vendor_ms: None,
            raw: None,
            body: webhook.body(part),
        },
        facts: Some(Facts { medium: "web".to_owned(), ..Facts::default() }),
        vendor_context: None,
        key: webhook.keyed.then(|| match webhook.kind {
            Kind::Start => "start".to_owned(),
            _ => format!("key.{}", webhook.tokens[part]),
        }),
        request: webhook.bytes,
        quiet: false,
        acknowledge: (webhook.kind == Kind::Messages).then(|| webhook.tokens[part].clone()),
        reply_to: None,
        desk_id: None,
        route: None,
        owner: None,
        aside: false,
        by_host: false,
        seed: Seed::default(),
    };
    (0..webhook.tokens.len()).map(arrival).collect()
}
