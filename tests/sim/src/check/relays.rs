//! External bots and persons: each hears what the other says, whole, in order and once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use botyard_kernel::action::{Action, Forward, ForwardTarget};
use botyard_kernel::event::{EventBody, Response, ResponseOutcome};
use botyard_kernel::id::PartId;
use botyard_kernel::log::{Arrival, Outcome, Row, SkipReason, Turn};
use botyard_kernel::outbox::{REQUEST_AGE_MAX_MS, REQUEST_ATTEMPTS_MAX};
use botyard_kernel::owner::Owner;
use botyard_kernel::relay::{Ask, Heard, RELAY};
use botyard_kernel::time::Millis;

use super::deliveries::rows;
use super::said::{text_of, words};
use super::turns::own;
use super::was_settled_away;
use crate::asks::ask_of;
use crate::external::{self, DONE, Fate, NAME};
use crate::world::World;

/// How the ids of the host's own events begin that tell of an external bot's silence.
pub(super) const SILENCE: &str = "silence.";

/// The time in which an external bot has a conversation, as it follows from what both sides
/// have said.
#[derive(Default)]
struct Period {
    /// The part that asks it something.
    asks: Option<PartId>,
    /// By what the chat is known.
    stream: Option<String>,
    /// What the person said and it was not asked yet.
    waits: VecDeque<String>,
    /// It was asked who the person is: nothing more is said to it.
    is_over: bool,
    /// When the person said the first thing that it has not answered, or was handed over.
    owes_ms: Option<Millis>,
}

impl World {
    /// What an external bot says while it has the conversation is said to the person, what
    /// it says before and after is not; and what the person says meanwhile is said to it,
    /// one thing after the other.
    pub(super) fn external_bots_and_persons_heard_each_other(&self, conversation: usize) {
        let log = &self.logs[conversation];
        let mut period: Option<Period> = None;
        let mut heard = BTreeSet::new();
        let mut place = 0;
        for (seq, turn) in log.turns() {
            let found = log.arrivals().find(|(_, it)| it.event.id == turn.event);
            let arrival = found.map(|(_, it)| it);
            let asked: Vec<(&Row, Ask)> =
                own(turn).filter_map(|it| Some((it, ask_of(it)?))).collect();
            if turn.outcome == Outcome::Skipped(SkipReason::Relayed) {
                let (came, arrival) = found.expect("nothing else is relayed");
                // The host's own event stands in the log only when its turn has ended.
                if !turn.event.as_str().starts_with(SILENCE) {
                    assert!(came > place, "{} had to wait for what came later", turn.event);
                    place = came;
                }
                let again = brought_by(arrival).is_some_and(|part| !heard.insert(part));
                assert!(!again, "{} was heard before", turn.event);
                let said = self.relayed(conversation, arrival, period.as_mut());
                let told: String = own(turn).filter_map(text_of).collect::<Vec<_>>().join(" ");
                let all = words(&told) == words(&said);
                assert!(all, "{}: {told:?} was told and {said:?} said", turn.event);
                if let Some(period) = &mut period {
                    period.owe(!told.is_empty(), arrival.event.received_ms);
                }
            }
            if hands_over(turn, arrival) {
                let is_start = matches!(asked[..], [(_, Ask::Start(_))]);
                assert!(is_start, "{} handed over, and asked {asked:?}", turn.event);
                // A start that the host made has no entry.
                let since_ms = arrival.map_or(asked[0].0.made_ms, |it| it.event.received_ms);
                period = Some(Period { owes_ms: Some(since_ms), ..Period::default() });
            }
            for (row, ask) in asked {
                let period = period.as_mut();
                let period = period.unwrap_or_else(|| panic!("{} asks whom?", row.id));
                period.ask(row, ask);
            }
            let has_it = turn.state.owner == Owner::Relay;
            assert!(!has_it || period.is_some(), "{}: nobody handed over", turn.event);
            if !has_it && period.take().is_some() {
                let may = was_settled_away(log, seq) || may_end(turn, arrival);
                assert!(may, "{} took it away", turn.event);
            }
        }
        if let Some(period) = period.filter(|_| log.state().owner == Owner::Relay) {
            let Period { asks, waits, owes_ms, .. } = period;
            assert!(asks.is_none() && waits.is_empty(), "never said: {asks:?}, {waits:?}");
            let policy = &self.site.channel_of(conversation).rules.policy;
            let left = policy.relay_returns_after_ms.is_none() || owes_ms.is_none();
            assert!(left, "it owes a word since {owes_ms:?} and has it still");
        }
    }

    /// What a turn between both of them must tell the person.
    fn relayed(
        &self,
        conversation: usize,
        arrival: &Arrival,
        period: Option<&mut Period>,
    ) -> String {
        match &arrival.event.body {
            EventBody::Response(response) => self.answered(conversation, arrival, response, period),
            EventBody::Other(_) if arrival.event.id.as_str().starts_with(SILENCE) => {
                self.was_silent(conversation, arrival, period);
                String::new()
            }
            EventBody::Other(payload) if payload.name == RELAY => {
                let post = self.post_of(arrival).expect("it comes from a webhook");
                let (stream, text) = external::posted(&self.webhooks[post].posted.body);
                let here = period.is_some_and(|it| it.stream.as_ref() == Some(&stream));
                text.filter(|_| here).unwrap_or_default()
            }
            body => {
                let said = said(body);
                let said = said.unwrap_or_else(|| panic!("{} was relayed", body.name()));
                period.expect("an external bot has it").waits.push_back(said);
                String::new()
            }
        }
    }

    /// An external bot is left only when it has owed the person a word for too long.
    fn was_silent(&self, conversation: usize, arrival: &Arrival, period: Option<&mut Period>) {
        let policy = &self.site.channel_of(conversation).rules.policy;
        let after_ms = policy.relay_returns_after_ms.expect("the channel waits for ever");
        let period = period.expect("an external bot has it");
        let owes_ms = period.owes_ms.expect("it has had the last word");
        let event = &arrival.event;
        let waited = event.received_ms >= owes_ms + after_ms && !period.is_over;
        assert!(waited, "{} leaves it too early: it owes a word since {owes_ms}", event.id);
    }

    /// What the external bot's answer must tell the person.
    fn answered(
        &self,
        conversation: usize,
        arrival: &Arrival,
        response: &Response,
        period: Option<&mut Period>,
    ) -> String {
        assert_eq!(response.name, RELAY, "another answer was relayed");
        let part = arrival.event.id.as_str();
        let part = part.strip_prefix('e').and_then(|it| it.strip_suffix(".response"));
        let part = PartId(part.expect("it answers something").to_owned());
        let answer = self.answer_to(conversation, &part, arrival, response);
        let Some(period) = period.filter(|it| it.asks.as_ref() == Some(&part)) else {
            return String::new();
        };
        period.asks = None;
        let Some(Heard { stream, texts, .. }) = answer else { return String::new() };
        period.stream = period.stream.take().or(stream);
        texts.into_iter().map(|it| it.text).collect::<Vec<_>>().join(" ")
    }

    /// An answer that the external bot has given to this, and to nothing else; nothing
    /// where it has given none for so long, or has refused to.
    fn answer_to(
        &self,
        conversation: usize,
        part: &PartId,
        arrival: &Arrival,
        response: &Response,
    ) -> Option<Heard> {
        let all = rows(&self.logs[conversation]);
        let row = all.into_iter().find(|row| row.id == *part).expect("a turn has asked");
        let none = Fate::default();
        let fate = self.external.questions.get(part).unwrap_or(&none);
        let ResponseOutcome::Answered(answer) = &response.outcome else {
            let late = arrival.event.received_ms >= row.made_ms + REQUEST_AGE_MAX_MS;
            let often = fate.unanswered >= REQUEST_ATTEMPTS_MAX;
            assert!(late || often || fate.is_refused, "{part} was given up");
            return None;
        };
        let heard: Heard = serde_json::from_str(&answer.body).expect("it was written by the host");
        if matches!(ask_of(&row), Some(Ask::Who(_))) {
            let contact = heard.contact.clone();
            assert_eq!(heard, Heard { contact, ..Heard::default() }, "{part} is about a person");
            return Some(heard);
        }
        let texts: Vec<_> = heard.texts.iter().map(|it| &*it.text).collect();
        let is_it = fate.said.iter().any(|it| {
            let over = texts.contains(&DONE) == heard.over.is_some();
            it.texts == texts && over && heard.stream.as_ref() == Some(&it.stream)
        });
        let gone = Heard { over: heard.over.clone(), ..Heard::default() };
        let is_gone = fate.is_gone && heard.over.is_some() && heard == gone;
        assert!(is_it || is_gone, "{part} was never answered with {heard:?}");
        let mut chats = self.external.chats_of(conversation);
        let stream = heard.stream.as_ref();
        assert!(stream.is_none_or(|it| chats.any(|(own, _)| own == *it)), "{stream:?} is whose?");
        Some(heard)
    }

    /// Which post of an external bot an event is.
    fn post_of(&self, arrival: &Arrival) -> Option<usize> {
        let id = arrival.event.id.as_str();
        let (n, _) = id.strip_prefix('w')?.split_once('p')?;
        let n: usize = n.parse().ok()?;
        self.webhooks[n].saying.is_external().then_some(n)
    }

    /// Whatever an external bot was told is what the person said, and each thing was told
    /// first before the next one; what was asked and answered was told.
    pub(super) fn external_bots_were_told_in_order(&self, conversation: usize) {
        let rows = rows(&self.logs[conversation]);
        let asks = rows.iter().enumerate().filter_map(|(at, row)| match ask_of(row)? {
            Ask::Say { stream, text, .. } => Some((&row.id, (at, stream, text))),
            Ask::Start(_) | Ask::Who(_) => None,
        });
        let asks: BTreeMap<&PartId, (usize, String, String)> = asks.collect();
        for (stream, chat) in self.external.chats_of(conversation) {
            let mut last = 0;
            let mut known = Vec::new();
            for (part, text) in &chat.heard {
                let ask = asks.get(part);
                let (at, own, said) = ask.unwrap_or_else(|| panic!("{part} asks nothing"));
                assert_eq!((own, said), (&stream, text), "{part} was told something else");
                if !known.contains(&part) {
                    assert!(*at >= last, "{text:?} was told after what was said later");
                    last = *at;
                    known.push(part);
                }
            }
        }
    }
}

impl Period {
    /// It has spoken, or not, and what waits then has come by now.
    fn owe(&mut self, spoke: bool, now: Millis) {
        let owed = self.owes_ms.filter(|_| !spoke);
        self.owes_ms = owed.or_else(|| (!self.waits.is_empty()).then_some(now));
    }

    /// It is asked this: one thing after the other.
    fn ask(&mut self, row: &Row, ask: Ask) {
        assert_eq!(self.asks, None, "{} asks before that was answered", row.id);
        assert!(!self.is_over, "{} asks when all is over", row.id);
        self.asks = Some(row.id.clone());
        match ask {
            Ask::Start(_) => assert_eq!(self.stream, None, "{} begins it again", row.id),
            Ask::Say { stream, text, .. } => {
                assert_eq!(Some(&stream), self.stream.as_ref(), "{} goes elsewhere", row.id);
                let next = self.waits.pop_front();
                assert_eq!(next.as_ref(), Some(&text), "{} says something else", row.id);
            }
            Ask::Who(_) => self.is_over = true,
        }
    }
}

/// Which part of which webhook an event is, however often that came.
fn brought_by(arrival: &Arrival) -> Option<&str> {
    let (part, _) = arrival.event.id.as_str().split_once('t')?;
    part.starts_with('w').then_some(part)
}

/// Whether the bot hands over to an external bot with this turn. At the end of everything,
/// and where somebody else speaks, it has nothing to hand over.
fn hands_over(turn: &Turn, arrival: Option<&Arrival>) -> bool {
    let Outcome::Ran { actions, .. } = &turn.outcome else { return false };
    let body = arrival.map(|it| &it.event.body);
    let mine = !matches!(body, Some(EventBody::Ended(_) | EventBody::HumanSpoke(_)));
    let to_external = |action: &Action| match action {
        Action::Forward(Forward { target: ForwardTarget::Bot(name), .. }) => name == NAME,
        _ => false,
    };
    mine && !turn.state.at_desk && actions.iter().any(to_external)
}

/// Whether with this turn somebody takes the conversation from an external bot, or it ends.
fn may_end(turn: &Turn, arrival: Option<&Arrival>) -> bool {
    let by_word = arrival.is_some_and(|arrival| {
        matches!(arrival.owner, Some(Owner::Human | Owner::Ended))
            || matches!(
                arrival.event.body,
                EventBody::HumanSpoke(_)
                    | EventBody::Returned(_)
                    | EventBody::ForwardFailed(_)
                    | EventBody::Ended(_)
            )
    });
    by_word || turn.outcome == Outcome::Skipped(SkipReason::SessionTimeout)
}

/// What an external bot is told of an event.
fn said(body: &EventBody) -> Option<String> {
    match body {
        EventBody::Message(message) => Some(message.text.clone()),
        EventBody::Click(click) => {
            let words = click.label.as_ref().or(click.typed_text.as_ref());
            words.or_else(|| click.option_ids.first()).cloned()
        }
        EventBody::Media(media) => Some(media.link.clone()),
        EventBody::Location(place) => Some(format!("{}, {}", place.latitude, place.longitude)),
        EventBody::Start(_)
        | EventBody::Timer(_)
        | EventBody::Response(_)
        | EventBody::Signal(_)
        | EventBody::ForwardFailed(_)
        | EventBody::Returned(_)
        | EventBody::HumanSpoke(_)
        | EventBody::Ended(_)
        | EventBody::CampaignUnsubscribe(_)
        | EventBody::DeliveryFailed(_)
        | EventBody::Other(_) => None,
    }
}
