//! From an event to its turn: who runs, what the bot sees, and what follows.
//!
//! [`Plan::step`] says what is to be done with an event, [`Plan::complete`] makes
//! the turn out of the bot's answer. Both are functions of the conversation as
//! it stands, so a turn can be made again at any time with the same result.

use std::collections::BTreeMap;

use crate::action::{Action, Forward, ForwardTarget, Message, OnFailure, TextFormat};
use crate::degrade::{self, degrade};
use crate::event::{Event, EventBody, First, Start};
use crate::id::{BotId, ConversationKey, Digest, EventId, PartId, SessionId, TurnId};
use crate::log::{
    Arrival, Conversation, KEY_AGE_MS, KEYS_MAX, OpenAnswer, Outcome, REDELIVERY_MS, Row,
    SessionState, SkipReason, TimerState, Turn,
};
use crate::owner::Owner;
use crate::profile::Profile;
use crate::run::{KvChange, KvScope, KvWrite, LogLevel, LogLine, RunFailure, RunOutput};
use crate::session::Session;
use crate::time::{DAY, Millis};
use crate::validate;

/// At most so many skipped events are handed over at once.
pub const SKIPPED_MAX: usize = 100;
/// At most so many bytes of skipped events are handed over at once.
pub const SKIPPED_BYTES_MAX: usize = 64 * 1024;
/// At most so many bytes of skipped events are kept for handing over; the log
/// has all of them.
pub const SKIPPED_KEPT_BYTES_MAX: usize = 128 * 1024;

/// What a channel and its bot settle for every turn.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The vendor's name.
    pub vendor: String,
    /// The bot that answers.
    pub bot: BotId,
    /// The vendor sends a `start` of its own.
    pub sends_start: bool,
    /// A session ends when nothing happens in it for so long.
    pub session_idle_ms: Millis,
    /// What a person is told when the bot fails, by language tag; `""` stands
    /// for every other language. Nothing is said where neither is there.
    pub failure_texts: BTreeMap<String, String>,
    /// A failure hands the conversation over.
    pub failure_hand_off: bool,
}

impl Policy {
    /// A policy that says nothing on failures, with a session of 24 hours.
    pub fn new(vendor: impl Into<String>, bot: BotId) -> Self {
        Self {
            vendor: vendor.into(),
            bot,
            sends_start: true,
            session_idle_ms: DAY,
            failure_texts: BTreeMap::new(),
            failure_hand_off: false,
        }
    }

    fn failure_text(&self, locale: Option<&str>) -> Option<&str> {
        let exact = locale.and_then(|tag| self.failure_texts.get(tag));
        let language = locale
            .and_then(|tag| tag.split(['-', '_']).next())
            .and_then(|language| self.failure_texts.get(language));
        exact.or(language).or_else(|| self.failure_texts.get("")).map(String::as_str)
    }
}

/// What is to be done with an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// This start, made by the host, goes first.
    StartFirst(Box<Arrival>),
    /// The bot runs on this. The profile's settings are still to be filled in.
    Run(Box<(Event, Session)>),
    /// Nobody runs; why.
    Skip(SkipReason),
}

/// An event in front of a conversation as it stands.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// Which conversation.
    pub key: &'a ConversationKey,
    /// How it stands.
    pub state: &'a Conversation,
    /// What happened.
    pub arrival: &'a Arrival,
    /// What its channel settles.
    pub policy: &'a Policy,
}

impl Plan<'_> {
    /// What is to be done with the event.
    pub fn step(&self) -> Step {
        let body = &self.arrival.event.body;
        if self.arrival.key.as_deref().is_some_and(|key| self.state.knows(key)) {
            return Step::Skip(SkipReason::Duplicate);
        }
        if self.state.host_hand_off && matches!(body, EventBody::ForwardFailed(_)) {
            return Step::Skip(SkipReason::HostHandOff);
        }
        if !self.state.owner.runs(body) {
            return Step::Skip(SkipReason::NotOwner);
        }
        if self.session().is_none() {
            match body {
                EventBody::Ended(_) | EventBody::DeliveryFailed(_) => {
                    return Step::Skip(SkipReason::NoSession);
                }
                EventBody::Start(_)
                | EventBody::Message(_)
                | EventBody::Click(_)
                | EventBody::Media(_)
                | EventBody::Location(_) => {}
                EventBody::Timer(_)
                | EventBody::Response(_)
                | EventBody::Signal(_)
                | EventBody::ForwardFailed(_)
                | EventBody::Returned(_)
                | EventBody::HumanSpoke(_)
                | EventBody::CampaignUnsubscribe(_)
                | EventBody::Other(_) => {
                    if self.state.owner == Owner::Bot {
                        return Step::StartFirst(Box::new(self.host_start()));
                    }
                }
            }
        }
        let (event, state) = self.enter();
        let session = self.session_for_bot(&state);
        Step::Run(Box::new((event, session)))
    }

    /// The turn of an event that nobody runs on. Its place in the log is left open.
    pub fn skip(&self, reason: SkipReason) -> Turn {
        let mut state = match reason {
            SkipReason::Duplicate => self.state.clone(),
            SkipReason::NotOwner | SkipReason::NoSession | SkipReason::HostHandOff => {
                self.enter().1
            }
        };
        let mut log = Vec::new();
        match reason {
            SkipReason::NotOwner => keep_skipped(&mut state, &self.arrival.event, &mut log),
            SkipReason::HostHandOff => state.host_hand_off = false,
            SkipReason::NoSession => state.session = None,
            SkipReason::Duplicate => {}
        }
        state.turns += 1;
        self.turn(state, Outcome::Skipped(reason), log, Vec::new())
    }

    /// The turn of an event that the bot ran on. Its place in the log is left open.
    pub fn complete(&self, output: RunOutput, version: Digest, profile: &Profile) -> Turn {
        let RunOutput { result, writes, log, log_cut_bytes, cpu_us } = output;
        let mut log = log;
        if log_cut_bytes > 0 {
            let cut = format!("{log_cut_bytes} bytes of this turn's log were cut: it holds 16 KiB");
            log.push(LogLine { level: LogLevel::Warn, message: cut });
        }
        match result.and_then(|actions| validate::actions(&actions).map(|()| actions)) {
            Ok(actions) => {
                let mut draft = Draft::new(self, profile, log);
                draft.apply(&actions, version);
                let mut bot_writes = Vec::new();
                for write in writes {
                    match write.scope {
                        KvScope::Conversation => change(&mut draft.state.kv, write),
                        KvScope::Bot => bot_writes.push(write),
                    }
                }
                let outcome = Outcome::Ran { version, actions, cpu_us };
                let (state, log) = draft.finish();
                self.turn(state, outcome, log, bot_writes)
            }
            Err(failure) => self.fail(failure, version, profile, log),
        }
    }

    /// The turn of an event that the bot failed on: the person is told, and the
    /// conversation handed over, as the channel settles; the bot's state stays.
    fn fail(
        &self,
        failure: RunFailure,
        version: Digest,
        profile: &Profile,
        log: Vec<LogLine>,
    ) -> Turn {
        let mut draft = Draft::new(self, profile, log);
        draft.quiet = true;
        let mut actions = Vec::new();
        if let Some(text) = self.policy.failure_text(draft.state.facts.locale.as_deref()) {
            let text = text.to_owned();
            actions.push(Action::Message(Message { text, format: TextFormat::Plain }));
        }
        if self.policy.failure_hand_off && draft.state.owner == Owner::Bot {
            let on_failure = Some(OnFailure::Feedback);
            actions.push(Action::Forward(Forward { target: ForwardTarget::Any, on_failure }));
        }
        draft.apply(&actions, version);
        draft.state.host_hand_off = draft.state.owner == Owner::HandingOff;
        let (state, log) = draft.finish();
        self.turn(state, Outcome::Failed { version, failure }, log, Vec::new())
    }

    /// The id of the event's turn: the same for every attempt at it.
    pub fn turn_id(&self) -> TurnId {
        TurnId(format!("t{}", self.derived("turn")))
    }

    /// Applies the event itself: facts, session, owner, what is remembered of it.
    fn enter(&self) -> (Event, Conversation) {
        let mut state = self.state.clone();
        let arrival = self.arrival;
        let now = arrival.event.received_ms;
        if let Some(facts) = &arrival.facts {
            state.facts = facts.clone();
        }
        if let Some(context) = &arrival.vendor_context
            && !state.mirrored.contains(&Digest::of(context.as_bytes()))
        {
            state.foreign_context = Some(context.clone());
        }
        remember(&mut state, arrival, now);
        let mut event = arrival.event.clone();
        let begins = self.session().is_none() || matches!(event.body, EventBody::Start(_));
        if begins && state.owner.runs(&event.body) {
            event.body = into_start(event.body, &state, self.policy.sends_start);
            state.session = Some(self.new_session(now));
        }
        if let Some(session) = &mut state.session {
            session.active_ms = now;
        }
        if let EventBody::Timer(timer) = &event.body {
            state.timers.retain(|known| known.name != timer.name || known.due_ms != timer.due_ms);
        }
        state.owner = state.owner.after_event(&event.body);
        (event, state)
    }

    fn session(&self) -> Option<&SessionState> {
        let now = self.arrival.event.received_ms;
        let idle = self.policy.session_idle_ms;
        self.state.session.as_ref().filter(|session| now < session.active_ms.saturating_add(idle))
    }

    fn new_session(&self, now: Millis) -> SessionState {
        SessionState {
            id: SessionId(format!("s{}", self.derived("session"))),
            started_ms: now,
            active_ms: now,
            context: String::new(),
            context_by: None,
        }
    }

    fn host_start(&self) -> Arrival {
        let event = Event {
            id: host_start_id(&self.arrival.event.id),
            received_ms: self.arrival.event.received_ms,
            vendor_ms: None,
            raw: None,
            body: EventBody::Start(Start { approach: None, first: None, resumed: true }),
        };
        Arrival {
            event,
            facts: self.arrival.facts.clone(),
            vendor_context: self.arrival.vendor_context.clone(),
            key: None,
            request: None,
            quiet: self.arrival.quiet,
            seed: self.arrival.seed,
        }
    }

    fn session_for_bot(&self, state: &Conversation) -> Session {
        let now = self.arrival.event.received_ms;
        let own = state.session.clone().unwrap_or_else(|| self.new_session(now));
        let context = if own.context.is_empty() {
            state.foreign_context.clone().unwrap_or_else(|| "{}".to_owned())
        } else {
            own.context
        };
        Session {
            id: own.id,
            conversation: self.key.vendor_key.clone(),
            channel: self.key.channel.clone(),
            vendor: self.policy.vendor.clone(),
            facts: state.facts.clone(),
            context,
            context_by: own.context_by,
            skipped: state.skipped[..handed_over(&state.skipped)].to_vec(),
            started_ms: own.started_ms,
            turn: state.turns,
            now_ms: now,
            seed: self.arrival.seed,
            profile: Vec::new(),
        }
    }

    fn turn(
        &self,
        state: Conversation,
        outcome: Outcome,
        log: Vec<LogLine>,
        bot_writes: Vec<KvWrite>,
    ) -> Turn {
        Turn {
            id: self.turn_id(),
            previous: 0,
            base: 0,
            watermark: 0,
            fused: None,
            event: self.arrival.event.id.clone(),
            outcome,
            log,
            bot: self.policy.bot.clone(),
            bot_writes,
            due_ms: state.due(),
            state,
        }
    }

    fn derived(&self, purpose: &str) -> String {
        let key = self.key;
        let parts = [
            purpose,
            key.tenant.as_str(),
            key.channel.as_str(),
            &key.vendor_key,
            self.arrival.event.id.as_str(),
        ];
        Digest::of_parts(parts.map(str::as_bytes)).to_string()[..32].to_owned()
    }
}

/// The id of the start that the host puts before an event.
pub fn host_start_id(event: &EventId) -> EventId {
    EventId(format!("{event}-start"))
}

/// How far an action reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The person would notice it: withheld while somebody else speaks.
    Person,
    /// The vendor's desk only: notes, tags, what is known of the contact.
    Desk,
    /// This host only; no vendor ever sees it.
    Host,
}

/// How far an action reaches.
pub fn reach(action: &Action) -> Reach {
    match action {
        Action::Message(_)
        | Action::Bubbles(_)
        | Action::Carousel(_)
        | Action::ButtonTemplate(_)
        | Action::ListTemplate(_)
        | Action::Buttons(_)
        | Action::RichLink(_)
        | Action::Media(_)
        | Action::Navigate(_)
        | Action::Typing(_)
        | Action::Delay(_)
        | Action::SecureForm(_)
        | Action::Forward(_)
        | Action::Abort
        | Action::End
        | Action::Passthrough(_)
        | Action::Other(_) => Reach::Person,
        Action::ContactUpdate(_)
        | Action::ConversationUpdate(_)
        | Action::NoteCreate(_)
        | Action::Tag(_)
        | Action::Untag(_)
        | Action::Priority(_)
        | Action::WorkQueue(_)
        | Action::Resolve(_)
        | Action::AddonDispatch(_)
        | Action::EmailDispatch(_) => Reach::Desk,
        Action::ContextUpdate(_)
        | Action::ContextClear
        | Action::Schedule(_)
        | Action::CancelTimer(_)
        | Action::Request(_) => Reach::Host,
    }
}

/// A turn in the making.
struct Draft<'a> {
    plan: &'a Plan<'a>,
    profile: &'a Profile,
    turn: TurnId,
    now: Millis,
    state: Conversation,
    log: Vec<LogLine>,
    quiet: bool,
    first_row: usize,
}

impl<'a> Draft<'a> {
    fn new(plan: &'a Plan<'a>, profile: &'a Profile, log: Vec<LogLine>) -> Self {
        let (event, mut state) = plan.enter();
        state.skipped.drain(..handed_over(&state.skipped));
        state.turns += 1;
        Self {
            plan,
            profile,
            turn: plan.turn_id(),
            now: event.received_ms,
            first_row: state.rows.len(),
            state,
            log,
            quiet: plan.arrival.quiet || matches!(event.body, EventBody::DeliveryFailed(_)),
        }
    }

    fn apply(&mut self, actions: &[Action], version: Digest) {
        for (index, action) in actions.iter().enumerate() {
            match reach(action) {
                Reach::Host => self.do_here(index, action, version),
                Reach::Person | Reach::Desk => self.deliver(index, action),
            }
        }
    }

    fn do_here(&mut self, index: usize, action: &Action, version: Digest) {
        if let Action::ContextUpdate(json) = action {
            self.update_context(json, version);
        } else if let Action::ContextClear = action {
            self.set_context(String::new(), None);
        } else if let Action::Schedule(schedule) = action {
            self.state.timers.retain(|timer| timer.name != schedule.name);
            self.state.timers.push(TimerState {
                name: schedule.name.clone(),
                due_ms: self.now.saturating_add(schedule.after_ms),
                payload: schedule.payload.clone(),
            });
        } else if let Action::CancelTimer(name) = action {
            self.state.timers.retain(|timer| timer.name != *name);
        } else if let Action::Request(_) = action {
            self.add_row(index, 0, action.clone());
        }
    }

    fn deliver(&mut self, index: usize, action: &Action) {
        if self.state.owner != Owner::Bot && reach(action) == Reach::Person {
            let owner = self.state.owner.name();
            self.note(format!(
                "action {index} ({}) is withheld: the conversation belongs to: {owner}",
                action.name()
            ));
            return;
        }
        let degraded = degrade(action.clone(), self.profile, &self.plan.policy.vendor);
        for degrade::Note { action, what } in degraded.notes {
            self.note(format!("action {index} ({action}): {what}"));
        }
        for (part, action) in degraded.actions.into_iter().enumerate() {
            if matches!(action, Action::Forward(_) | Action::Abort) {
                self.state.owner = Owner::HandingOff;
                self.state.host_hand_off = false;
            }
            self.add_row(index, part, action);
        }
        if *action == Action::End {
            self.state.owner = Owner::Ended;
            self.state.timers.clear();
        }
    }

    fn add_row(&mut self, index: usize, part: usize, action: Action) {
        self.state.rows.push(Row {
            id: PartId::of(&self.turn, index, part),
            turn: self.turn.clone(),
            made_ms: self.now,
            action,
            context: None,
            quiet: self.quiet,
            event: self.plan.arrival.event.id.clone(),
        });
    }

    fn update_context(&mut self, json: &str, version: Digest) {
        let value: Option<serde_json::Value> = serde_json::from_str(json).ok();
        let Some(serde_json::Value::Object(object)) = value else { return };
        if !object.is_empty() {
            let compact = serde_json::Value::Object(object).to_string();
            self.set_context(compact, Some(version));
        }
    }

    fn set_context(&mut self, context: String, by: Option<Digest>) {
        self.state.foreign_context = None;
        if let Some(session) = &mut self.state.session {
            session.context = context;
            session.context_by = by;
        }
    }

    fn note(&mut self, message: String) {
        self.log.push(LogLine { level: LogLevel::Warn, message });
    }

    /// Puts the context on the last row that goes to the vendor, unless the
    /// vendor has it already, and closes a session that has ended.
    fn finish(mut self) -> (Conversation, Vec<LogLine>) {
        let context = self.state.session.as_ref().map(|session| session.context.clone());
        if let Some(context) = context.filter(|context| !context.is_empty()) {
            let digest = Digest::of(context.as_bytes());
            let known = self.state.mirrored.last() == Some(&digest);
            let last = self.state.rows[self.first_row..]
                .iter_mut()
                .rev()
                .find(|row| !matches!(row.action, Action::Request(_)));
            if let (false, Some(row)) = (known, last) {
                row.context = Some(context);
            }
        }
        if self.state.owner == Owner::Ended {
            self.state.session = None;
        }
        (self.state, self.log)
    }
}

fn remember(state: &mut Conversation, arrival: &Arrival, now: Millis) {
    if let Some(key) = &arrival.key {
        state.keys.push((key.clone(), now));
        let excess = state.keys.len().saturating_sub(KEYS_MAX);
        state.keys.drain(..excess);
        // Few keys cost nothing, so they outlive their day.
        if state.keys.len() > 64 {
            state.keys.retain(|(_, at)| now <= at.saturating_add(KEY_AGE_MS));
        }
    }
    state.open_answers.retain(|open| now <= open.received_ms.saturating_add(REDELIVERY_MS));
    if let Some(request) = arrival.request {
        let event = arrival.event.id.clone();
        state.open_answers.push(OpenAnswer { request, received_ms: now, event });
    }
}

fn into_start(body: EventBody, state: &Conversation, sends_start: bool) -> EventBody {
    let first = match body {
        EventBody::Message(message) => First::Message(message),
        EventBody::Click(click) => First::Click(click),
        EventBody::Media(media) => First::Media(media),
        EventBody::Location(location) => First::Location(location),
        body @ (EventBody::Start(_)
        | EventBody::Timer(_)
        | EventBody::Response(_)
        | EventBody::Signal(_)
        | EventBody::ForwardFailed(_)
        | EventBody::Returned(_)
        | EventBody::HumanSpoke(_)
        | EventBody::Ended(_)
        | EventBody::CampaignUnsubscribe(_)
        | EventBody::DeliveryFailed(_)
        | EventBody::Other(_)) => return body,
    };
    let approach = state.facts.approach;
    EventBody::Start(Start { approach, first: Some(first), resumed: sends_start })
}

fn keep_skipped(state: &mut Conversation, event: &Event, log: &mut Vec<LogLine>) {
    state.skipped.push(Event { raw: None, ..event.clone() });
    let mut bytes: usize = state.skipped.iter().map(size).sum();
    let mut cut = 0;
    while bytes > SKIPPED_KEPT_BYTES_MAX && cut < state.skipped.len() {
        bytes -= size(&state.skipped[cut]);
        cut += 1;
    }
    if cut > 0 {
        state.skipped.drain(..cut);
        let message = format!(
            "the {cut} oldest skipped events will not be handed over: {SKIPPED_KEPT_BYTES_MAX} \
             bytes are kept; the conversation's log has them"
        );
        log.push(LogLine { level: LogLevel::Warn, message });
    }
}

/// How many of the skipped events fit into one turn.
fn handed_over(skipped: &[Event]) -> usize {
    let mut bytes = 0;
    skipped
        .iter()
        .take(SKIPPED_MAX)
        .take_while(|event| {
            bytes += size(event);
            bytes <= SKIPPED_BYTES_MAX
        })
        .count()
}

fn size(event: &Event) -> usize {
    serde_json::to_vec(event).map_or(0, |bytes| bytes.len())
}

fn change(values: &mut BTreeMap<String, String>, write: KvWrite) {
    match write.change {
        KvChange::Set(value) => {
            values.insert(write.key, value);
        }
        KvChange::Delete => {
            values.remove(&write.key);
        }
        KvChange::Add(delta) => {
            // The import has refused sums that are not numbers.
            let old = values.get(&write.key).and_then(|old| old.parse::<i64>().ok()).unwrap_or(0);
            values.insert(write.key, old.saturating_add(delta).to_string());
        }
    }
}
