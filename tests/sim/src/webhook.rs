//! Webhooks: what vendors post, how the host takes them in, and what becomes of
//! the connections.

use botyard_kernel::event::{Event, EventBody, NamedPayload, Returned};
use botyard_kernel::id::EventId;
use botyard_kernel::lane::Input;
use botyard_kernel::log::{Arrival, Row};
use botyard_kernel::outbox::{RequestId, Rides};
use botyard_kernel::session::Seed;
use botyard_kernel::time::{Millis, SECOND};
use botyard_log::Log;
use botyard_vendors::{Inbound, Incoming, Received};
use http::Method;

use crate::desk::Desk;
use crate::vendors::{Came, Posted, Way};
use crate::world::{ConnectionId, Step, World};

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saying {
    Start,
    Message,
    /// The very words of an earlier message.
    SameWords,
    Click,
    /// Several events in one webhook, of other conversations, too, where the vendor
    /// does that.
    Several,
    /// From the tenant's own systems.
    Signal,
    /// Whoever is at the host's own desk gives the conversation back.
    DeskReturns,
    /// The external bot that has the conversation says something by itself: its live agent.
    ExternalSpeaks,
    /// The live agent of the external bot leaves.
    ExternalLeaves,
    /// An agent takes the conversation and says something.
    HumanSpoke,
    /// An agent takes it and says nothing.
    Takes,
    /// And gives it back.
    Returned,
    ForwardFailed,
    /// An agent closes the conversation.
    Closed,
    /// By somebody who does not know the secret.
    Forged,
}

impl Saying {
    /// Whether the person says it.
    pub(crate) fn is_word(self) -> bool {
        matches!(self, Self::Message | Self::SameWords | Self::Click | Self::Several)
    }

    /// Whether it does not come from the vendor.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Signal | Self::DeskReturns) || self.is_external()
    }

    /// Whether an external bot says it.
    pub(crate) fn is_external(self) -> bool {
        matches!(self, Self::ExternalSpeaks | Self::ExternalLeaves)
    }
}

/// Something that a vendor has to say, until it is answered.
pub(crate) struct Webhook {
    pub(crate) channel: usize,
    pub(crate) saying: Saying,
    /// Of which conversation each of its events is.
    pub(crate) parts: Vec<usize>,
    pub(crate) posted: Posted,
    pub(crate) state: State,
    pub(crate) tries: u32,
    pub(crate) first_ms: Millis,
    pub(crate) answered_ms: Option<Millis>,
    /// Its events have ids, so that the vendor may repeat it at any time.
    pub(crate) has_ids: bool,
    /// Whoever sent it was told that there is nobody to hear it, and not to come again.
    pub(crate) turned_away: bool,
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
    /// The form of the answer that the vendor wants.
    pub(crate) form: &'static str,
    /// What it brought.
    pub(crate) events: Vec<EventId>,
    pub(crate) reply: Option<Answer>,
}

/// What a webhook is answered.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) rows: Vec<Row>,
    pub(crate) body: Vec<u8>,
    pub(crate) late: bool,
    /// To which path the webhook was posted.
    pub(crate) rest: &'static str,
}

/// What a webhook brings to one conversation.
struct Brought {
    conversation: usize,
    form: &'static str,
    arrivals: Vec<Arrival>,
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
        if self.webhooks[n].saying.is_external() && !self.lets_in(n, duplicate) {
            return;
        }
        self.start_anew(n);
        let Some(brought) = self.receive(n) else { return };
        self.numbered_connections += 1;
        let connection = self.numbered_connections;
        let accept_only = brought.len() > 1 || self.webhooks[n].saying.is_ours();
        let mut waits = Vec::new();
        for Brought { conversation, form, arrivals } in &brought {
            self.requests += 1;
            self.waits.insert(self.requests, connection);
            let (request, conversation, form) = (self.requests, *conversation, *form);
            let events = arrivals.iter().map(|arrival| arrival.event.id.clone()).collect();
            waits.push(Wait { request, conversation, form, events, reply: None });
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
        for (Brought { conversation, form, arrivals }, request) in brought.into_iter().zip(requests)
        {
            self.ensure_lane(conversation);
            let request = Some(request);
            let vendor = &self.site.channel_of(conversation).vendor;
            let rides = vendor.rides(form).map_or(Rides::List, Rides::One);
            self.feed(conversation, Input::Arrived { request, arrivals, accept_only, rides });
        }
    }

    /// Whoever starts again, where that is another conversation, goes on there.
    fn start_anew(&mut self, n: usize) {
        let Webhook { channel, saying, tries, .. } = self.webhooks[n];
        let anew = saying == Saying::Start && self.site.channels[channel].line.starts_anew();
        if !anew || tries == 1 {
            return;
        }
        let (old, new) = (self.webhooks[n].parts[0], self.site.open(channel));
        self.tell(|| format!("conversation {old} is begun anew as {new}"));
        self.logs.push(Log::default());
        let person = self.desks[old].person;
        self.desks.push(Desk::of(person));
        self.moved.insert(old, new);
        self.webhooks[n].parts = vec![new];
    }

    /// Where the person of a conversation is now.
    pub(crate) fn newest(&self, conversation: usize) -> usize {
        let mut newest = conversation;
        while let Some(next) = self.moved.get(&newest) {
            newest = *next;
        }
        newest
    }

    /// What a webhook brings, by conversation; nothing where it is refused, or nothing to
    /// the host.
    fn receive(&mut self, n: usize) -> Option<Vec<Brought>> {
        let webhook = &self.webhooks[n];
        if webhook.saying.is_ours() {
            let (conversation, arrivals) = (webhook.parts[0], vec![self.arrival_of_ours(n)]);
            return Some(vec![Brought { conversation, form: "", arrivals }]);
        }
        let Posted { rest, headers, body } = &webhook.posted;
        // Chance that names a conversation: its number.
        let chance = Seed([0, webhook.parts[0] as u64 + 1, 0, 0]);
        let (method, query) = (&Method::POST, None);
        let request = Inbound { method, rest, query, headers, body, chance };
        let received = self.site.channels[webhook.channel].vendor.receive(&request, self.now);
        let forged = webhook.saying == Saying::Forged;
        match received {
            Received::Events { events, damaged } if !forged && damaged.is_empty() => {
                Some(self.brought(n, events))
            }
            Received::Rejected(_) if forged => {
                self.webhooks[n].state = State::Answered;
                None
            }
            other => panic!("webhook {n} was taken for {other:?}"),
        }
    }

    fn brought(&self, n: usize, events: Vec<Incoming>) -> Vec<Brought> {
        let webhook = &self.webhooks[n];
        let form = events.first().map_or("", |incoming| incoming.form);
        let mut brought: Vec<Brought> = Vec::new();
        assert_eq!(events.len(), webhook.parts.len(), "webhook {n} was read as other events");
        for (part, incoming) in events.into_iter().enumerate() {
            let conversation = self.site.find(webhook.channel, &incoming.conversation);
            let conversation = conversation.expect("vendors speak of known conversations");
            assert_eq!(conversation, webhook.parts[part], "part {part} of webhook {n} went astray");
            let id = EventId(Self::event_id(n, part, webhook.tries));
            let arrival = incoming.arrival(id, self.now, Seed::default());
            match brought.iter_mut().find(|known| known.conversation == conversation) {
                Some(known) => known.arrivals.push(arrival),
                None => brought.push(Brought { conversation, form, arrivals: vec![arrival] }),
            }
        }
        brought
    }

    /// What does not come from the vendor.
    fn arrival_of_ours(&self, n: usize) -> Arrival {
        if self.webhooks[n].saying.is_external() {
            return self.arrival_of_external(n);
        }
        let id = EventId(Self::event_id(n, 0, self.webhooks[n].tries));
        let returns = self.webhooks[n].saying == Saying::DeskReturns;
        let body = if returns {
            EventBody::Returned(Returned::default())
        } else {
            let (name, json) = (format!("signal{n}"), "null".to_owned());
            EventBody::Signal(NamedPayload { name, json })
        };
        let event = Event::new(id, self.now, body);
        let key = Some(format!("signal.{n}"));
        Arrival { key, by_host: returns, ..Arrival::new(event, Seed::default()) }
    }

    /// Another host takes a webhook and stores its events, which this one does not
    /// hear of.
    pub(crate) fn foreign(&mut self, conversation: usize) {
        let line = &self.site.channel_of(conversation).line;
        if !line.can_say(Saying::Message, &self.desks[conversation]) {
            return;
        }
        let n = self.write_webhook(conversation, Saying::Message);
        self.webhooks[n].tries = 1;
        let Some(brought) = self.receive(n) else { return };
        self.tell(|| format!("another host accepts webhook {n}"));
        for Brought { conversation, arrivals, .. } in brought {
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
    pub(crate) fn fill(&mut self, request: RequestId, answer: Answer) -> bool {
        let Some(connection) = self.waits.get(&request).copied() else { return false };
        self.check_durable(connection, request);
        let Some(open) = self.connections.get_mut(&connection) else { return false };
        let first = open.waits[0].request == request;
        assert!(first || answer.rows.is_empty(), "rows ride where they are not read");
        if let Some(wait) = open.waits.iter_mut().find(|wait| wait.request == request) {
            wait.reply = Some(answer);
        }
        if open.waits.iter().all(|wait| wait.reply.is_some()) {
            self.hand_over(connection);
        }
        true
    }

    fn hand_over(&mut self, connection: ConnectionId) {
        let channel =
            self.connections.get(&connection).map(|open| self.webhooks[open.webhook].channel);
        let loses = channel.map_or(0, |channel| self.site.channels[channel].line.loses());
        let whole = !self.goes_wrong(self.weather.answer_percent + loses);
        let mut pause = crate::chance::pause(&mut self.chance, 2_000);
        if self.goes_wrong(1) {
            // Nothing is heard of it for longer than the lane waits.
            pause = 31 * SECOND;
            if let Some(open) = self.connections.get(&connection) {
                for wait in &open.waits {
                    let rows = wait.reply.as_ref().map_or(&[][..], |answer| &answer.rows);
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
        let answer = open.waits.into_iter().next().and_then(|wait| wait.reply).unwrap_or_default();
        // It is read sooner or later, but what was written first is read first.
        let read_ms = &mut self.desks[conversation].read_ms;
        *read_ms = (self.now + self.chance.below(400)).max(*read_ms + 1);
        let pause = *read_ms - self.now;
        if whole {
            let webhook = if open.duplicate { usize::MAX } else { n };
            self.after(pause, Step::Read { webhook, conversation, answer });
            return;
        }
        if self.chance.percent(50) {
            // The vendor acts on what it has read and calls it a failure all the same.
            self.desks[conversation].doubt(&answer.rows);
            self.after(pause, Step::Read { webhook: usize::MAX, conversation, answer });
        }
        self.fail_webhook(n, open.duplicate);
    }

    /// The vendor reads an answer.
    pub(crate) fn read_answer(&mut self, n: usize, conversation: usize, answer: &Answer) {
        let Answer { rows, body, late, rest } = answer;
        self.tell(|| format!("the vendor reads the answer of webhook {n}: {}", ids(rows)));
        self.check_silence(conversation, rows);
        let way = Way::Answer { rest, body, late: *late };
        self.take(conversation, way, rows, self.now);
        if let Some(webhook) = self.webhooks.get_mut(n) {
            webhook.state = State::Answered;
            webhook.answered_ms = Some(self.now);
        }
    }

    /// The vendor takes what came in.
    pub(crate) fn take(
        &mut self,
        conversation: usize,
        way: Way<'_>,
        rows: &[Row],
        left_ms: Millis,
    ) {
        let desk = &mut self.desks[conversation];
        let at_ms = desk.stamp(self.now);
        let came = Came { way, rows, key: self.site.key_of(conversation), left_ms, at_ms };
        desk.take(&came, &*self.site.channel_of(conversation).line);
    }
}

pub(crate) fn ids(rows: &[Row]) -> String {
    let names = rows.iter().map(|row| format!("{}:{}", row.id, row.action.name()));
    names.collect::<Vec<_>>().join(" ")
}
