//! What people, vendors, operators and other hosts do during the eventful part.

use botyard_kernel::lane::Input;
use botyard_kernel::log::Row;
use botyard_kernel::outbox::Paused;
use botyard_kernel::time::{Millis, SECOND};
use bytes::Bytes;

use crate::rides::pieces;
use crate::vendors::{Posted, Said, Whose, weighed};
use crate::webhook::{Saying, State, Webhook};
use crate::world::{Step, World};

impl World {
    /// Draws what is done and when.
    pub(crate) fn plan_the_day(&mut self) {
        let span = [2 * SECOND, 20 * SECOND, 120 * SECOND][self.chance.pick(3)];
        for conversation in 0..self.logs.len() {
            let manner = self.site.channel_of(conversation).line.manner();
            for n in 0..=self.chance.below(12) {
                let mut other = || weighed(manner.sayings, &mut self.chance);
                let saying = if n == 0 { manner.opening } else { other() };
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
        self.plan_external(span);
        if self.chance.percent(10) {
            self.full_until = self.now + self.chance.below(span);
        }
    }

    /// Live agents of external bots speak now and then, and leave.
    fn plan_external(&mut self, span: Millis) {
        for conversation in 0..self.logs.len() {
            if self.site.channel_of(conversation).rules.policy.relays.is_empty() {
                continue;
            }
            for _ in 0..self.chance.below(8) {
                let leaves = self.chance.percent(15);
                let saying = if leaves { Saying::ExternalLeaves } else { Saying::ExternalSpeaks };
                let at = self.chance.below(span);
                self.after(at, Step::Say { conversation, saying });
            }
        }
    }

    pub(crate) fn say(&mut self, conversation: usize, saying: Saying) {
        let conversation = self.newest(conversation);
        let line = &self.site.channel_of(conversation).line;
        if !line.can_say(saying, &self.desks[conversation]) {
            return;
        }
        // The tenant's systems and people speak into conversations that exist.
        if saying.is_ours() && self.logs[conversation].entries().next().is_none() {
            return;
        }
        let post = saying.is_external().then(|| self.post_of_external(conversation, saying));
        // Nothing tells a second agent who leaves from the first one, said again.
        if let Some(post) = &post
            && !post.as_ref().is_some_and(|body| self.is_news(conversation, body))
        {
            return;
        }
        let n = self.write_webhook(conversation, saying);
        if let Some(body) = post.flatten() {
            self.webhooks[n].posted.body = body;
        }
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
        let number = self.webhooks.len();
        let parts = self.parts(conversation, saying);
        let desk = &mut self.desks[conversation];
        match saying {
            Saying::HumanSpoke | Saying::Takes => desk.with_agent = true,
            Saying::Returned | Saying::ForwardFailed | Saying::Closed => desk.with_agent = false,
            Saying::Start
            | Saying::Message
            | Saying::SameWords
            | Saying::Click
            | Saying::Several
            | Saying::Signal
            | Saying::DeskReturns
            | Saying::ExternalSpeaks
            | Saying::ExternalLeaves
            | Saying::Forged => {}
        }
        let at_ms = desk.stamp(self.now);
        if saying.is_word() {
            for part in &parts {
                let last_word_ms = &mut self.desks[*part].last_word_ms;
                *last_word_ms = at_ms.max(*last_word_ms);
            }
        }
        let whose = |number: &usize| Whose {
            number: *number,
            key: self.site.key_of(*number),
            desk: &self.desks[*number],
        };
        let channel = self.site.channel_of(conversation);
        let of = parts.iter().map(whose).collect();
        let mut posted = channel.line.post(&Said { number, saying, of, at_ms });
        if saying == Saying::SameWords {
            posted = self.known_words(conversation).unwrap_or(posted);
        }
        // It does not come by way of the vendor.
        if saying.is_ours() {
            posted.rest = "";
        }
        // What the host itself hears always has an id, and mostly one start is like another.
        let has_ids = (channel.line.manner().has_ids && !saying.is_external())
            || matches!(saying, Saying::Signal | Saying::DeskReturns)
            || (saying == Saying::Start && !channel.line.starts_anew());
        self.webhooks.push(Webhook {
            channel: self.site.conversations[conversation].channel,
            saying,
            parts,
            posted,
            state: State::Failed,
            tries: 0,
            first_ms: self.now,
            answered_ms: None,
            has_ids: has_ids && saying != Saying::Forged,
            turned_away: false,
        });
        number
    }

    /// Of which conversation each event of a webhook is.
    fn parts(&mut self, conversation: usize, saying: Saying) -> Vec<usize> {
        if saying != Saying::Several {
            return vec![conversation];
        }
        let channel = self.site.conversations[conversation].channel;
        let batches = self.site.channels[channel].line.manner().batches;
        let mut parts = vec![conversation, conversation];
        if batches && self.chance.percent(50) {
            let places = self.site.conversations.iter().enumerate();
            let others = places.filter(|(_, place)| place.channel == channel);
            let others: Vec<_> = others.map(|(number, _)| number).collect();
            parts.push(others[self.chance.pick(others.len())]);
        }
        parts
    }

    /// An earlier message of which the host knows that its answer went out whole: only then
    /// the same bytes are a new message.
    fn known_words(&self, conversation: usize) -> Option<Posted> {
        let known = |(_, it): &(usize, &Webhook)| {
            it.parts[0] == conversation
                && it.saying == Saying::Message
                && self.is_news(conversation, &it.posted.body)
        };
        self.webhooks.iter().enumerate().rev().find(known).map(|(_, it)| it.posted.clone())
    }

    /// Whether these bytes were not sent yet, or the host knows of all that were that
    /// their answers went out whole.
    fn is_news(&self, conversation: usize, body: &Bytes) -> bool {
        let log = &self.logs[conversation];
        let settled = |n: usize| {
            let stem = format!("w{n}p0t");
            let mut answered = log.settled().flat_map(|(_, settled)| &settled.answered);
            answered.any(|event| event.as_str().starts_with(&stem))
        };
        self.webhooks.iter().enumerate().all(|(other, same)| {
            let differs = same.posted.body != *body || same.parts[0] != conversation;
            differs || (same.state == State::Answered && settled(other))
        })
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
        self.wake_resting(channel);
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
        desk.doubt(&pieces(&letter));
        self.ensure_lane(conversation);
        self.feed(conversation, Input::Redrive(vec![letter]));
    }

    /// How long until the vendor's patience with a step ends.
    pub(crate) fn latency(&mut self) -> Millis {
        if self.calm { self.chance.below(5) } else { crate::chance::pause(&mut self.chance, 2_000) }
    }
}
