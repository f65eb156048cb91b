//! What people, vendors, operators and other hosts do during the eventful part.

use botyard_kernel::lane::Input;
use botyard_kernel::log::Row;
use botyard_kernel::outbox::Paused;
use botyard_kernel::time::{Millis, SECOND};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::batch::{HEADER, Post, Posted};
use crate::site::Speaks;
use crate::webhook::{Saying, State, Webhook};
use crate::world::{Step, World};

impl World {
    /// Draws what is done and when.
    pub(crate) fn plan_the_day(&mut self) {
        let span = [2 * SECOND, 20 * SECOND, 120 * SECOND][self.chance.pick(3)];
        for conversation in 0..self.logs.len() {
            let speaks = self.site.channel_of(conversation).speaks;
            for n in 0..=self.chance.below(12) {
                let saying = if n == 0 { Saying::Start } else { self.draw_saying(speaks) };
                let at = if n == 0 { self.chance.below(50) } else { self.chance.below(span) };
                self.after(at, Step::Say { conversation, saying });
            }
            if self.chance.percent(15) {
                let at = self.chance.below(span);
                self.after(at, Step::Foreign { conversation });
            }
            if self.chance.percent(30) {
                let at = self.chance.below(span * 2);
                self.after(at, Step::Redrive { conversation });
            }
        }
        for channel in 0..self.site.channels.len() {
            if self.chance.percent(15) {
                let bot = self.chance.percent(50);
                let (at, lasts) = (self.chance.below(span), self.chance.below(span));
                self.after(at, Step::Pause { channel, bot, on: true });
                self.after(at + lasts, Step::Pause { channel, bot, on: false });
            }
        }
        if self.chance.percent(10) {
            self.full_until = self.now + self.chance.below(span);
        }
    }

    fn draw_saying(&mut self, speaks: Speaks) -> Saying {
        match (self.chance.below(100), speaks) {
            (0..=49, _) => Saying::Message,
            (50..=57, Speaks::Userlike) => Saying::SameWords,
            (50..=57, Speaks::Batch) => Saying::HumanSpoke,
            (58..=65, _) => Saying::Click,
            (66..=77, Speaks::Userlike) => Saying::Message,
            (66..=77, Speaks::Batch) => Saying::Several,
            (78..=85, _) => Saying::Signal,
            (86..=91, Speaks::Userlike) => Saying::ForwardFailed,
            (86..=91, Speaks::Batch) => Saying::Returned,
            (92..=95, _) => Saying::ForwardFailed,
            _ => Saying::Forged,
        }
    }

    pub(crate) fn say(&mut self, conversation: usize, saying: Saying) {
        // The tenant's systems speak into conversations that exist.
        if saying == Saying::Signal && self.logs[conversation].entries().next().is_none() {
            return;
        }
        let n = self.write_webhook(conversation, saying);
        self.tell(|| format!("webhook {n} of conversation {conversation}: {saying:?}"));
        let pause = crate::chance::pause(&mut self.chance, 300);
        self.after(pause, Step::Post { webhook: n, duplicate: false });
        if self.webhooks[n].has_ids && self.goes_wrong(20) {
            let pause = pause + self.chance.below(3 * SECOND);
            self.after(pause, Step::Post { webhook: n, duplicate: true });
        }
    }

    /// Writes a webhook down as its vendor would.
    pub(crate) fn write_webhook(&mut self, conversation: usize, saying: Saying) -> usize {
        let n = self.webhooks.len();
        let place = &self.site.conversations[conversation];
        let (at, speaks) = (place.channel, self.site.channels[place.channel].speaks);
        let mut parts = vec![conversation];
        if saying == Saying::Several {
            parts.push(conversation);
            let others =
                (0..self.logs.len()).filter(|it| self.site.conversations[*it].channel == at);
            let others: Vec<_> = others.collect();
            if self.chance.percent(50) {
                parts.push(others[self.chance.pick(others.len())]);
            }
        }
        let again = if saying == Saying::SameWords { self.known_words(conversation) } else { None };
        let body = match (again, speaks) {
            (Some(bytes), _) => bytes,
            (None, Speaks::Userlike) => self.userlike_body(n, conversation, saying),
            (None, Speaks::Batch) => self.batch_body(n, &parts, saying),
        };
        let secret = &self.site.channels[at].secret;
        let secret = if saying == Saying::Forged { "a guess" } else { secret };
        let name = match speaks {
            Speaks::Userlike => "api-security-token",
            Speaks::Batch => HEADER,
        };
        let mut headers = HeaderMap::new();
        headers.insert(name, secret.parse().expect("a secret is a header value"));
        let has_ids = speaks == Speaks::Batch || matches!(saying, Saying::Signal | Saying::Start);
        self.webhooks.push(Webhook {
            channel: at,
            saying,
            parts,
            headers,
            body,
            state: State::Failed,
            tries: 0,
            first_ms: self.now,
            answered_ms: None,
            has_ids: has_ids && saying != Saying::Forged,
        });
        n
    }

    fn userlike_body(&self, n: usize, conversation: usize, saying: Saying) -> Bytes {
        let (name, payload) = match saying {
            Saying::Start => ("start", json!({})),
            Saying::Click => ("click", json!({ "id": format!("option{n}"), "label": "This" })),
            Saying::Returned | Saying::ForwardFailed => {
                ("forward_failed", json!({ "reason": format!("nobody {n}") }))
            }
            Saying::Message
            | Saying::SameWords
            | Saying::Several
            | Saying::Signal
            | Saying::HumanSpoke
            | Saying::Forged => ("message", json!({ "body": format!("words {n}") })),
        };
        let context = self.desks[conversation].context.clone().unwrap_or(Value::Null);
        let body = json!({
            "info": {
                "cid": self.site.conversations[conversation].key.vendor_key,
                "context": context,
                "approach_mode": "normal",
                "conversation": { "contact_channel": { "type": "web" }, "locale": "en" },
                "contact": { "id": conversation, "name": "Somebody" },
            },
            "packet": { "name": name, "payload": payload },
        });
        Bytes::from(body.to_string())
    }

    fn batch_body(&self, n: usize, parts: &[usize], saying: Saying) -> Bytes {
        let kind = match saying {
            Saying::Start => "start",
            Saying::Click => "click",
            Saying::HumanSpoke => "human_spoke",
            Saying::Returned => "returned",
            Saying::ForwardFailed => "forward_failed",
            Saying::Message
            | Saying::SameWords
            | Saying::Several
            | Saying::Signal
            | Saying::Forged => "message",
        };
        let posted = |(part, conversation): (usize, &usize)| Posted {
            conversation: self.site.conversations[*conversation].key.vendor_key.clone(),
            id: format!("id.{n}.{part}"),
            kind: kind.to_owned(),
            text: format!("words {n}.{part}"),
            wants_to_hear: saying == Saying::Several,
        };
        let events = parts.iter().enumerate().map(posted).collect();
        Bytes::from(serde_json::to_vec(&Post { events }).expect("plain texts are JSON"))
    }

    /// The bytes of an earlier message of which the host knows that its answer went
    /// out whole: only then the same bytes are a new message.
    fn known_words(&self, conversation: usize) -> Option<Bytes> {
        let log = &self.logs[conversation];
        let settled = |n: usize| {
            let stem = format!("w{n}p0t");
            let mut answered = log.settled().flat_map(|(_, settled)| &settled.answered);
            answered.any(|event| event.as_str().starts_with(&stem))
        };
        let known = |(n, it): &(usize, &Webhook)| {
            it.parts[0] == conversation
                && it.saying == Saying::Message
                && self.webhooks.iter().enumerate().all(|(other, same)| {
                    let differs = same.body != it.body || same.parts[0] != conversation;
                    differs || (same.state == State::Answered && settled(other))
                })
                && settled(*n)
        };
        self.webhooks.iter().enumerate().rev().find(known).map(|(_, it)| it.body.clone())
    }

    /// An operator pauses or resumes.
    pub(crate) fn pause(&mut self, channel: usize, bot: bool, on: bool) {
        let paused = &mut self.paused[channel];
        if bot {
            paused.bot = on
        } else {
            paused.channel = on
        }
        let paused = *paused;
        self.tell(|| format!("channel {channel}: {paused:?}"));
        self.pass_on(channel, paused);
    }

    pub(crate) fn pass_on(&mut self, channel: usize, paused: Paused) {
        for conversation in 0..self.logs.len() {
            if self.site.conversations[conversation].channel == channel
                && self.life(conversation).is_some()
            {
                self.feed(conversation, Input::Pause(paused));
            }
        }
    }

    /// An operator has one dead letter of a conversation sent again.
    pub(crate) fn redrive(&mut self, conversation: usize) {
        if self.host.is_none() {
            return;
        }
        let letters = self.logs[conversation].settled().flat_map(|(_, it)| &it.dead_letters);
        let known = &self.desks[conversation].redriven;
        let letter: Option<Row> = letters.into_iter().find(|it| !known.contains(&it.id)).cloned();
        let Some(letter) = letter else { return };
        self.tell(|| format!("an operator has {} sent again", letter.id));
        let desk = &mut self.desks[conversation];
        desk.redriven.insert(letter.id.clone());
        desk.doubt(std::slice::from_ref(&letter));
        self.ensure_lane(conversation);
        self.feed(conversation, Input::Redrive(vec![letter]));
    }

    /// How long until the vendor's patience with a step ends.
    pub(crate) fn latency(&mut self) -> Millis {
        if self.calm { self.chance.below(5) } else { crate::chance::pause(&mut self.chance, 2_000) }
    }
}
