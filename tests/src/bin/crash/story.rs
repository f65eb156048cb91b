//! A conversation as the host's own log tells it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use botyard_kernel::action::{Action, ForwardTarget};
use botyard_kernel::event::{Event, EventBody, First, Response, ResponseOutcome};
use botyard_kernel::id::{ChannelId, ConversationKey, TenantId};
use botyard_kernel::log::{Arrival, Conversation, Entry, Outcome, RowEnd, Seq, SkipReason, Turn};
use botyard_kernel::relay::{self, Ask, RELAY, SCHEME, is_relays};
use botyard_store::Store;

use crate::external::{Question, left};
use crate::record::Talk;
use crate::vendors::NAMELESS;

/// The tenant of the harness.
pub(crate) const TENANT: &str = "demo";
const PAGE: usize = 256;

/// What a conversation's log says.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// The events in the order in which they were accepted.
    pub(crate) heard: Vec<Heard>,
    pub(crate) turns: Vec<Told>,
    /// Every part that turns made, in the order of delivery.
    pub(crate) parts: Vec<Made>,
    /// How the lives of parts ended.
    pub(crate) ends: BTreeMap<String, Vec<End>>,
    /// How it stands after its last turn, as far as it matters here.
    pub(crate) last: Option<Standing>,
    /// What the vendor is still to be told besides.
    told: Acknowledgements,
}

/// Acknowledgements by their ids.
#[derive(Debug, Default)]
struct Acknowledgements {
    waiting: BTreeSet<String>,
    done: BTreeSet<String>,
}

/// An event with a place.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// What an external bot says with it.
    pub(crate) tells: Vec<String>,
}

/// What an event is to whoever has the conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A person says something.
    Speech,
    /// An external bot says something.
    Relay,
    /// The bot gets the conversation back.
    Returns,
    /// It gets it back because nobody has taken it.
    Fails,
    #[default]
    Other,
}

/// A turn.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) event: String,
    /// The name of its event; absent for what the host itself made.
    pub(crate) name: Option<String>,
    pub(crate) kind: Kind,
    /// What an external bot says with its event.
    pub(crate) tells: Vec<String>,
    pub(crate) outcome: How,
    /// What the person sees of its parts, in order.
    pub(crate) shows: Vec<String>,
}

/// What came of a turn.
#[derive(Debug)]
pub(crate) enum How {
    Ran {
        /// The number in the context afterwards.
        count: Option<u64>,
        /// Texts and links, as the bot returned them: the first one has both numbers.
        says: Vec<String>,
        timers: Vec<String>,
        requests: Vec<String>,
        /// The conversation was handed over.
        hands_over: bool,
        /// To an external bot, which is to give it back.
        relays: bool,
    },
    Failed {
        of_bot: bool,
        why: String,
    },
    Skipped(SkipReason),
}

/// A part.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) id: String,
    /// By the host's clock.
    pub(crate) made_ms: u64,
    /// What the person sees of it; nothing of delays and requests.
    pub(crate) what: Option<String>,
    /// It hands the conversation over to humans.
    pub(crate) hands_over: bool,
    /// What it asks an external bot.
    pub(crate) asks: Option<Question>,
}

/// The end of a part's life.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) delivered: bool,
    pub(crate) how: String,
    /// By the host's clock.
    pub(crate) at_ms: u64,
}

/// How a conversation stands.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) count: u64,
    pub(crate) kept: u64,
    pub(crate) timers: usize,
    /// Accepted events behind the last turn's.
    pub(crate) waiting: usize,
}

impl Story {
    /// Reads the log of a conversation.
    pub(crate) async fn read(store: &Store, talk: &Talk) -> Result<Self> {
        let tenant = TenantId::from(TENANT);
        let key = ConversationKey {
            tenant: tenant.clone(),
            channel: ChannelId::from(talk.channel.name),
            vendor_key: talk.key.clone(),
        };
        let store = store.tenant(&tenant);
        let mut story = Self::default();
        let mut last = 0;
        let mut newest: Option<Turn> = None;
        loop {
            let page = store.read(&key, last, PAGE).await?;
            let Some((seq, _)) = page.last() else { break };
            last = *seq;
            for (seq, entry) in page {
                story.add(seq, entry, &mut newest);
            }
        }
        let waiting = store.load(&key, PAGE).await?.accepted.len();
        story.last = newest.map(|turn| standing(&turn.state, waiting));
        Ok(story)
    }

    fn add(&mut self, _: Seq, entry: Entry, newest: &mut Option<Turn>) {
        match entry {
            Entry::Accepted(arrival) => self.hear(&arrival),
            Entry::Called(_) => {}
            Entry::Turn(turn) => {
                if let Some(arrival) = &turn.fused {
                    self.hear(arrival);
                }
                self.tell(&turn);
                *newest = Some(*turn);
            }
            Entry::Settled(settled) => {
                let follow = settled.follow_ups.iter().map(|it| it.id.to_string());
                self.told.add(follow);
                self.told.end(settled.acknowledged.iter().map(ToString::to_string));
                for (id, end) in settled.rows {
                    let how = match &end {
                        RowEnd::Delivered => "delivered".to_owned(),
                        RowEnd::Dead(why) => format!("dead: {why}"),
                        RowEnd::Quarantined => "quarantined".to_owned(),
                    };
                    let delivered = end == RowEnd::Delivered;
                    let end = End { delivered, how, at_ms: settled.at_ms };
                    self.ends.entry(id.to_string()).or_default().push(end);
                }
            }
        }
    }

    fn hear(&mut self, arrival: &Arrival) {
        let event = &arrival.event;
        let (id, name) = (event.id.to_string(), name_of(event));
        self.heard.push(Heard { id, name, kind: kind_of(event), tells: tells_of(event) });
    }

    fn tell(&mut self, turn: &Turn) {
        let event = turn.event.to_string();
        let heard = self.heard.iter().rev().find(|heard| heard.id == event);
        let name = heard.map(|heard| heard.name.clone());
        let tells = heard.map(|heard| heard.tells.clone()).unwrap_or_default();
        let own = if event.starts_with("returns.") { Kind::Returns } else { Kind::Other };
        let kind = heard.map_or(own, |heard| heard.kind);
        let outcome = match &turn.outcome {
            Outcome::Ran { actions, .. } => ran(actions),
            Outcome::Failed { failure, .. } => How::Failed {
                of_bot: failure.blame.name() == "bot",
                why: format!("{}: {}", failure.kind.name(), failure.message),
            },
            Outcome::Skipped(reason) => How::Skipped(*reason),
        };
        self.told.add(turn.state.acknowledgements.iter().map(|it| it.id.to_string()));
        let mut shows = Vec::new();
        for row in turn.state.rows.iter().filter(|row| row.turn == turn.id) {
            let what = what_of(&row.action);
            shows.extend(what.clone());
            let hands_over = matches!(&row.action, Action::Forward(forward)
                if !matches!(forward.target, ForwardTarget::Bot(_)));
            let id = row.id.to_string();
            let asks = asks_of(&row.action);
            self.parts.push(Made { id, made_ms: row.made_ms, what, hands_over, asks });
        }
        self.turns.push(Told { event, name, kind, tells, outcome, shows });
    }

    /// Whether nothing is left to do.
    pub(crate) fn rests(&self) -> bool {
        let standing = self.last.as_ref();
        let quiet = standing.is_none_or(|last| last.timers == 0 && last.waiting == 0);
        let told = self.told.waiting.is_empty();
        quiet && told && self.parts.iter().all(|part| self.ends.contains_key(&part.id))
    }
}

impl Acknowledgements {
    /// A turn may tell of what was done meanwhile.
    fn add(&mut self, ids: impl Iterator<Item = String>) {
        self.waiting.extend(ids.filter(|id| !self.done.contains(id)));
    }

    fn end(&mut self, ids: impl Iterator<Item = String>) {
        for id in ids {
            self.waiting.remove(&id);
            self.done.insert(id);
        }
    }
}

fn ran(actions: &[Action]) -> How {
    let (mut count, mut hands_over, mut relays) = (None, false, false);
    let (mut timers, mut requests) = (Vec::new(), Vec::new());
    for action in actions {
        if let Action::ContextUpdate(json) = action {
            count = counted(json);
        } else if let Action::Schedule(schedule) = action {
            timers.push(schedule.name.clone());
        } else if let Action::Request(request) = action {
            requests.push(request.name.clone());
        } else if let Action::Forward(forward) = action {
            relays = matches!(forward.target, ForwardTarget::Bot(_));
            hands_over = !relays;
        }
    }
    let says = actions.iter().filter_map(what_of).collect();
    How::Ran { count, says, timers, requests, hands_over, relays }
}

/// What a person sees of an action.
fn what_of(action: &Action) -> Option<String> {
    match action {
        Action::Message(message) => Some(message.text.clone()),
        Action::Media(media) => Some(media.link.clone()),
        _ => None,
    }
}

/// What an action asks an external bot.
fn asks_of(action: &Action) -> Option<Question> {
    let Action::Request(request) = action else { return None };
    request.url.strip_prefix(SCHEME)?;
    match serde_json::from_str(request.body.as_deref()?).ok()? {
        Ask::Start(_) => Some(Question::Start),
        Ask::Say { text, .. } => Some(Question::Say(text)),
        Ask::Who(_) => Some(Question::Who),
    }
}

fn counted(context: &str) -> Option<u64> {
    serde_json::from_str::<serde_json::Value>(context).ok()?["count"].as_u64()
}

fn standing(state: &Conversation, waiting: usize) -> Standing {
    let context = state.session.as_ref().map(|session| session.context.as_str());
    Standing {
        count: context.and_then(counted).unwrap_or(0),
        kept: state.kv.get("count").and_then(|count| count.parse().ok()).unwrap_or(0),
        timers: state.timers.len(),
        waiting,
    }
}

/// The name of an event, as the bot tells it.
fn name_of(event: &Event) -> String {
    let first = |text: &str| text.split(';').next().unwrap_or_default().trim().to_owned();
    match &event.body {
        EventBody::Start(start) => match &start.first {
            Some(First::Message(message)) => first(&message.text),
            _ => "start".to_owned(),
        },
        EventBody::Message(message) => first(&message.text),
        EventBody::Timer(timer) => timer.name.clone(),
        EventBody::Response(response) => match &response.outcome {
            ResponseOutcome::Answered(answer) => {
                format!("{} answered {}", response.name, answer.status)
            }
            ResponseOutcome::Failed(_) => format!("{} failed", response.name),
        },
        EventBody::Signal(signal) => signal.name.clone(),
        EventBody::DeliveryFailed(failed) => format!("lost {}", failed.part),
        EventBody::Other(payload) if payload.name == RELAY => name_of_agents(&payload.json),
        _ => NAMELESS.to_owned(),
    }
}

/// The name of what a live agent says: the text itself.
fn name_of_agents(json: &str) -> String {
    let Ok(relay::Heard { stream, texts, .. }) = serde_json::from_str(json) else {
        return NAMELESS.to_owned();
    };
    let said = texts.into_iter().next().map(|text| text.text);
    said.unwrap_or_else(|| left(&stream.unwrap_or_default()))
}

fn kind_of(event: &Event) -> Kind {
    if event.body.is_speech() {
        Kind::Speech
    } else if is_relays(&event.body) {
        Kind::Relay
    } else if matches!(event.body, EventBody::Returned(_)) {
        Kind::Returns
    } else if matches!(event.body, EventBody::ForwardFailed(_)) {
        Kind::Fails
    } else {
        Kind::Other
    }
}

/// What an external bot says with an event, as it was stored when it came.
fn tells_of(event: &Event) -> Vec<String> {
    let json = match &event.body {
        EventBody::Other(payload) if payload.name == RELAY => &payload.json,
        EventBody::Response(Response { name, outcome: ResponseOutcome::Answered(answer) })
            if name == RELAY =>
        {
            &answer.body
        }
        _ => return Vec::new(),
    };
    let told: Result<relay::Heard, _> = serde_json::from_str(json);
    told.map(|told| told.texts.into_iter().map(|it| it.text).collect()).unwrap_or_default()
}
