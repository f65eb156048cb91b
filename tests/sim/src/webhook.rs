//! Webhooks: what vendors post, how the host takes them in, and what becomes of
//! the connections.

use botyard_kernel::event::{Event, EventBody, NamedPayload};
use botyard_kernel::id::EventId;
use botyard_kernel::lane::Input;
use botyard_kernel::log::{Arrival, Row};
use botyard_kernel::outbox::{RequestId, Rides};
use botyard_kernel::session::Seed;
use botyard_kernel::time::{Millis, SECOND};
use botyard_vendors::{Inbound, Incoming, Received};
use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::desk::Way;
use crate::world::{ConnectionId, Step, World};

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saying {
    Start,
    Message,
    /// The very words of an earlier message.
    SameWords,
    Click,
    /// Several events in one webhook, of other conversations, too.
    Several,
    /// From the tenant's own systems.
    Signal,
    HumanSpoke,
    Returned,
    ForwardFailed,
    /// By somebody who does not know the secret.
    Forged,
}

/// Something that a vendor has to say, until it is answered.
pub(crate) struct Webhook {
    pub(crate) channel: usize,
    pub(crate) saying: Saying,
    /// Of which conversation each of its events is.
    pub(crate) parts: Vec<usize>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) state: State,
    pub(crate) tries: u32,
    pub(crate) first_ms: Millis,
    pub(crate) answered_ms: Option<Millis>,
    /// Its events have ids, so that the vendor may repeat it at any time.
    pub(crate) has_ids: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The vendor waits for its answer.
    Open,
    /// It is sent again.
    Failed,
    Answered,
}

/// An open connection.
pub(crate) struct Connection {
    pub(crate) webhook: usize,
    pub(crate) duplicate: bool,
    pub(crate) waits: Vec<Wait>,
}

/// Who has to say something before the answer leaves: one for each conversation.
pub(crate) struct Wait {
    pub(crate) request: RequestId,
    pub(crate) conversation: usize,
    pub(crate) reply: Option<(Vec<Row>, Vec<u8>)>,
}

impl World {
    /// A vendor posts a webhook, for the first time or again.
    pub(crate) fn post(&mut self, n: usize, duplicate: bool) {
        if self.webhooks[n].state == State::Answered && !duplicate {
            return;
        }
        self.webhooks[n].tries += 1;
        let tries = self.webhooks[n].tries;
        self.tell(|| format!("webhook {n} comes, try {tries}, duplicate: {duplicate}"));
        if self.host.is_none() {
            return self.fail_webhook(n, duplicate);
        }
        let Some(arrivals) = self.receive(n) else { return };
        self.numbered_connections += 1;
        let connection = self.numbered_connections;
        let accept_only = arrivals.len() > 1 || self.webhooks[n].saying == Saying::Signal;
        let mut waits = Vec::new();
        for (conversation, _) in &arrivals {
            self.requests += 1;
            self.waits.insert(self.requests, connection);
            let (request, conversation) = (self.requests, *conversation);
            waits.push(Wait { request, conversation, reply: None });
        }
        if !duplicate {
            self.webhooks[n].state = State::Open;
        }
        let requests: Vec<_> = waits.iter().map(|wait| wait.request).collect();
        self.connections.insert(connection, Connection { webhook: n, duplicate, waits });
        let patience = if self.goes_wrong(self.weather.answer_percent / 2) {
            self.chance.below(8 * SECOND)
        } else {
            (30 + self.chance.below(30)) * SECOND
        };
        self.after(patience, Step::Leave { connection });
        for ((conversation, arrivals), request) in arrivals.into_iter().zip(requests) {
            self.ensure_lane(conversation);
            let request = Some(request);
            let rides = Rides::List;
            self.feed(conversation, Input::Arrived { request, arrivals, accept_only, rides });
        }
    }

    /// What a webhook brings, by conversation; nothing where it is refused.
    fn receive(&mut self, n: usize) -> Option<Vec<(usize, Vec<Arrival>)>> {
        let webhook = &self.webhooks[n];
        if webhook.saying == Saying::Signal {
            return Some(vec![(webhook.parts[0], vec![self.signal(n)])]);
        }
        let request = Inbound {
            method: &Method::POST,
            rest: "",
            query: None,
            headers: &webhook.headers,
            body: &webhook.body,
            chance: Seed::default(),
        };
        let received = self.site.channels[webhook.channel].vendor.receive(&request, self.now);
        let forged = webhook.saying == Saying::Forged;
        match received {
            Received::Events { events, .. } if !forged => Some(self.arrivals(n, events)),
            Received::Rejected(_) if forged => {
                self.webhooks[n].state = State::Answered;
                None
            }
            other => panic!("webhook {n} was taken for {other:?}"),
        }
    }

    fn arrivals(&self, n: usize, events: Vec<Incoming>) -> Vec<(usize, Vec<Arrival>)> {
        let webhook = &self.webhooks[n];
        let mut conversations: Vec<(usize, Vec<Arrival>)> = Vec::new();
        for (part, incoming) in events.into_iter().enumerate() {
            let conversation = self.site.find(webhook.channel, &incoming.conversation);
            let conversation = conversation.expect("vendors speak of known conversations");
            let id = EventId(Self::event_id(n, part, webhook.tries));
            let arrival = incoming.arrival(id, self.now, Seed::default());
            match conversations.iter_mut().find(|(known, _)| *known == conversation) {
                Some((_, arrivals)) => arrivals.push(arrival),
                None => conversations.push((conversation, vec![arrival])),
            }
        }
        conversations
    }

    fn signal(&self, n: usize) -> Arrival {
        let name = format!("signal{n}");
        let id = EventId(Self::event_id(n, 0, self.webhooks[n].tries));
        let body = EventBody::Signal(NamedPayload { name, json: "null".to_owned() });
        let event = Event::new(id, self.now, body);
        Arrival { key: Some(format!("signal.{n}")), ..Arrival::new(event, Seed::default()) }
    }

    /// Another host takes a webhook and stores its events, which this one does not
    /// hear of.
    pub(crate) fn foreign(&mut self, conversation: usize) {
        let n = self.write_webhook(conversation, Saying::Message);
        self.webhooks[n].tries = 1;
        let Some(arrivals) = self.receive(n) else { return };
        self.tell(|| format!("another host accepts webhook {n}"));
        for (conversation, arrivals) in arrivals {
            self.logs[conversation].accept(&arrivals);
        }
        self.webhooks[n].state = State::Answered;
        self.webhooks[n].answered_ms = Some(self.now);
    }

    /// The vendor does not wait any longer.
    pub(crate) fn leave(&mut self, connection: ConnectionId) {
        let Some(open) = self.connections.get(&connection) else { return };
        if open.waits.iter().all(|wait| wait.reply.is_some()) {
            // The answer is on its way.
            return;
        }
        self.tell(|| format!("connection {connection} is left"));
        self.hang_up(connection);
    }

    /// A connection ends without an answer: those who have not answered yet hear
    /// that nobody waits any more.
    pub(crate) fn hang_up(&mut self, connection: ConnectionId) {
        let Some(open) = self.connections.remove(&connection) else { return };
        for wait in open.waits {
            self.waits.remove(&wait.request);
            if wait.reply.is_none()
                && let Some(life) = self.life(wait.conversation)
            {
                let (conversation, input) = (wait.conversation, Input::ClientLeft(wait.request));
                self.after(0, Step::Tell { conversation, life, input });
            }
        }
        self.fail_webhook(open.webhook, open.duplicate);
    }

    /// The vendor will try again.
    pub(crate) fn fail_webhook(&mut self, n: usize, duplicate: bool) {
        if duplicate || self.webhooks[n].state == State::Answered {
            return;
        }
        self.webhooks[n].state = State::Failed;
        let most = if self.calm { 1 } else { 15 * SECOND };
        let pause = SECOND + self.chance.below(most);
        self.after(pause, Step::Post { webhook: n, duplicate: false });
    }

    /// A lane refuses a request: the vendor is told to come again.
    pub(crate) fn refuse(&mut self, request: RequestId) {
        // Whoever has left needs no refusal.
        let Some(connection) = self.waits.remove(&request) else { return };
        self.tell(|| format!("request {request} is refused"));
        if let Some(open) = self.connections.get_mut(&connection) {
            open.waits.retain(|wait| wait.request != request);
        }
        self.hang_up(connection);
    }

    /// A lane fills an answer. True where somebody still waits for it.
    pub(crate) fn fill(&mut self, request: RequestId, rows: Vec<Row>, body: Vec<u8>) -> bool {
        let Some(connection) = self.waits.get(&request).copied() else { return false };
        self.check_durable(connection, request);
        let Some(open) = self.connections.get_mut(&connection) else { return false };
        let first = open.waits[0].request == request;
        assert!(first || rows.is_empty(), "rows ride where they are not read");
        if let Some(wait) = open.waits.iter_mut().find(|wait| wait.request == request) {
            wait.reply = Some((rows, body));
        }
        if open.waits.iter().all(|wait| wait.reply.is_some()) {
            self.hand_over(connection);
        }
        true
    }

    fn hand_over(&mut self, connection: ConnectionId) {
        let whole = !self.goes_wrong(self.weather.answer_percent);
        let mut pause = crate::chance::pause(&mut self.chance, 2_000);
        if self.goes_wrong(1) {
            // Nothing is heard of it for longer than the lane waits.
            pause = 31 * SECOND;
            if let Some(open) = self.connections.get(&connection) {
                for wait in &open.waits {
                    let rows = wait.reply.as_ref().map_or(&[][..], |(rows, _)| rows);
                    self.desks[wait.conversation].doubt(rows);
                    self.desks[wait.conversation].give_up(rows);
                }
            }
        }
        self.after(pause, Step::Handed { connection, whole });
    }

    /// The last byte of an answer went out, or it did not.
    pub(crate) fn handed(&mut self, connection: ConnectionId, whole: bool) {
        let Some(open) = self.connections.remove(&connection) else { return };
        self.tell(|| format!("connection {connection} was answered whole: {whole}"));
        let (n, conversation) = (open.webhook, open.waits[0].conversation);
        for wait in &open.waits {
            self.waits.remove(&wait.request);
            let input = Input::Answered { request: wait.request, whole };
            if self.life(wait.conversation).is_some() {
                self.feed(wait.conversation, input);
            }
        }
        let (rows, body) =
            open.waits.into_iter().next().and_then(|wait| wait.reply).unwrap_or_default();
        // It is read sooner or later, but what was written first is read first.
        let read_ms = &mut self.desks[conversation].read_ms;
        *read_ms = (self.now + self.chance.below(400)).max(*read_ms + 1);
        let pause = *read_ms - self.now;
        if whole {
            let webhook = if open.duplicate { usize::MAX } else { n };
            self.after(pause, Step::Read { webhook, conversation, rows, body });
            return;
        }
        if self.chance.percent(50) {
            // The vendor acts on what it has read and calls it a failure all the same.
            self.desks[conversation].doubt(&rows);
            self.after(pause, Step::Read { webhook: usize::MAX, conversation, rows, body });
        }
        self.fail_webhook(n, open.duplicate);
    }

    /// The vendor reads an answer.
    pub(crate) fn read_answer(&mut self, n: usize, conversation: usize, rows: &[Row], body: &[u8]) {
        self.tell(|| format!("the vendor reads the answer of webhook {n}: {}", ids(rows)));
        let (channel, place) =
            (self.site.channel_of(conversation), &self.site.conversations[conversation]);
        let now = self.now;
        self.desks[conversation].take(rows, body, Way::Answer, (channel, place), now);
        if let Some(webhook) = self.webhooks.get_mut(n) {
            webhook.state = State::Answered;
            webhook.answered_ms = Some(now);
        }
    }
}

pub(crate) fn ids(rows: &[Row]) -> String {
    let names = rows.iter().map(|row| format!("{}:{}", row.id, row.action.name()));
    names.collect::<Vec<_>>().join(" ")
}
