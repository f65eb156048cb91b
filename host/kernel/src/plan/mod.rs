//! From an event to its turn: who runs, what the bot sees, and what follows.
//!
//! [`Plan::step`] says what is to be done with an event, [`Plan::complete`] makes
//! the turn out of the bot's answer. Both are functions of the conversation as
//! it stands, so a turn can be made again at any time with the same result.

mod draft;
mod enter;
mod hand_off;
mod overlap;
mod page;
mod pin;
mod reach;
mod relay;
mod returns;
mod skipped;
mod timeout;
mod typing;

use std::collections::{BTreeMap, BTreeSet};

use crate::action::{Action, Forward, ForwardTarget, Message, OnFailure, TextFormat};
use crate::choices::Recognition;
use crate::degrade::Degrading;
use crate::event::{Event, EventBody, Timer};
use crate::id::{BotId, ConversationKey, Digest, EventId, TurnId};
use crate::log::{Arrival, Conversation, Outcome, SkipReason, TimerState, Turn};
use crate::owner::{Owner, Word};
use crate::profile::Profile;
use crate::run::{
    Blame, FailureKind, KvChange, KvScope, KvWrite, LogLevel, LogLine, RunFailure, RunOutput,
};
use crate::session::Session;
use crate::time::{DAY, Millis};
use crate::validate;
use draft::Draft;
pub use overlap::Overlap;
pub(crate) use reach::reaches_desk_only;
pub use reach::{Reach, reach, shows_something};
pub use returns::return_id;
pub use timeout::{SessionTimeout, TimeoutAction, session_timeout_id};

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
    /// The key of a conversation outlives its end: whoever writes again begins anew.
    pub reopens: bool,
    /// A session ends when nothing happens in it for so long.
    pub session_idle_ms: Millis,
    /// What becomes of events that wait while newer ones come.
    pub overlap: Overlap,
    /// What is done when a person says nothing for too long; absent where the
    /// vendor looks after that, or nobody.
    pub session_timeout: Option<SessionTimeout>,
    /// The bot has the conversation again when no human has said anything in it for so
    /// long; absent where only a human or the vendor gives it back.
    pub returns_after_ms: Option<Millis>,
    /// The bot has the conversation again when an external bot has owed the person a word
    /// for so long; absent where it may be silent for ever.
    pub relay_returns_after_ms: Option<Millis>,
    /// What the vendor has to do before it hears the bot again, where the host and not
    /// the vendor gives it the conversation back; absent where there is nothing to do.
    pub takes_back: Option<Action>,
    /// What a person is told when the bot fails, by language tag; `""` stands
    /// for every other language. Nothing is said where neither is there.
    pub failure_texts: BTreeMap<String, String>,
    /// A failure hands the conversation over.
    pub failure_hand_off: bool,
    /// What becomes of what a medium cannot carry.
    pub degrading: Degrading,
    /// Which typed texts mean an option of a menu.
    pub choices: Recognition,
    /// Mediums on which a tap that comes late arrives as a message with the label.
    pub late_taps: &'static [&'static str],
    /// External bots that the tenant's bots can hand over to, by name.
    pub relays: BTreeSet<String>,
    /// Humans answer at the host's desk: who is handed over where the vendor has
    /// nothing like it is handed over to them.
    pub has_desk: bool,
}

impl Policy {
    /// A policy that says nothing on failures, with a session of 24 hours.
    pub fn new(vendor: impl Into<String>, bot: BotId) -> Self {
        Self {
            vendor: vendor.into(),
            bot,
            sends_start: true,
            reopens: false,
            session_idle_ms: DAY,
            overlap: Overlap::Serial,
            session_timeout: None,
            returns_after_ms: None,
            relay_returns_after_ms: None,
            takes_back: None,
            failure_texts: BTreeMap::new(),
            failure_hand_off: false,
            degrading: Degrading::Allow,
            choices: Recognition::All,
            late_taps: &[],
            relays: BTreeSet::new(),
            has_desk: false,
        }
    }

    /// What a person of this locale is told when the bot fails.
    pub fn failure_text(&self, locale: Option<&str>) -> Option<&str> {
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
    /// It goes between the person and an external bot; the profile of this medium is
    /// wanted for that.
    Relay(String),
    /// The session's time is over; the profile of this medium is wanted for what is done
    /// then.
    TimeOut(String),
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
        if timeout::is_session_timeout(&self.arrival.event) {
            return Step::TimeOut(self.state.facts.medium.clone());
        }
        // One that was accepted may have had to wait behind a turn that took it away.
        if let EventBody::Timer(timer) = body
            && !self.state.timers.iter().any(|known| is_of(timer, known))
        {
            return Step::Skip(SkipReason::Duplicate);
        }
        let failed = matches!(body, EventBody::ForwardFailed(_)) && self.word() != Word::Late;
        if self.state.host_hand_off && failed {
            return Step::Skip(SkipReason::HostHandOff);
        }
        if let Some(step) = self.relay_step() {
            return step;
        }
        if !self.holder().runs(body, self.word()) {
            return Step::Skip(SkipReason::NotOwner);
        }
        if self.session().is_none() {
            if self.arrival.aside {
                return Step::Skip(SkipReason::NoSession);
            }
            match body {
                // No session begins in order to hear of the end, or while a human speaks.
                EventBody::Ended(_) | EventBody::DeliveryFailed(_) | EventBody::HumanSpoke(_) => {
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
                | EventBody::CampaignUnsubscribe(_)
                | EventBody::Other(_) => {
                    if self.state.knows(&host_start_key(&self.arrival.event.id)) {
                        return Step::Skip(SkipReason::NoSession);
                    }
                    if self.owner() == Owner::Bot {
                        return Step::StartFirst(Box::new(self.host_start()));
                    }
                }
            }
        }
        if self.page().is_some() {
            return Step::Skip(SkipReason::NextPage);
        }
        let (event, state) = self.enter();
        let session = self.session_for_bot(&state);
        Step::Run(Box::new((event, session)))
    }

    /// The turn of an event that the host itself answers, made `now`: of
    /// [`Step::Relay`] and [`Step::TimeOut`].
    pub fn by_host(&self, profile: &Profile, now: Millis) -> Turn {
        if timeout::is_session_timeout(&self.arrival.event) {
            self.time_out(profile)
        } else {
            self.relayed(profile, now)
        }
    }

    /// The turn of an event that nobody runs on. Its place in the log is left open.
    pub fn skip(&self, reason: SkipReason) -> Turn {
        let (event, mut state) = self.enter();
        let mut log = Vec::new();
        match reason {
            SkipReason::NextPage => return self.show_page(),
            SkipReason::Duplicate => {
                state = self.state.clone();
                state.answered.retain(|known| *known != event.id);
            }
            // A tap for another page chooses nothing: there is nothing to tell a bot.
            SkipReason::NotOwner | SkipReason::Superseded if self.taps_for_a_page() => {}
            SkipReason::NotOwner | SkipReason::Superseded => {
                skipped::keep(&mut state, &event, &mut log);
            }
            SkipReason::HostHandOff => state.host_hand_off = false,
            SkipReason::NoSession => {
                state.session = None;
                if self.arrival.aside {
                    skipped::keep(&mut state, &event, &mut log);
                }
            }
            SkipReason::Relayed => {
                log.extend(relay::unheard(&event.body));
            }
            // Such a turn is made by the host itself.
            SkipReason::SessionTimeout => {}
        }
        state.turns += 1;
        let mut turn = self.turn(state, Outcome::Skipped(reason), log, Vec::new());
        if reason == SkipReason::Duplicate {
            // The very same event may have been accepted twice: a turn of the same
            // id would count as written already and consume nothing.
            let again = format!("turn-again.{}", self.state.turns);
            turn.id = TurnId(format!("t{}", self.derived(&again)));
        }
        turn
    }

    /// The turn of an event that the bot ran on, made `now`. Its place in the log
    /// is left open.
    pub fn complete(
        &self,
        output: RunOutput,
        version: Digest,
        profile: &Profile,
        now: Millis,
    ) -> Turn {
        let RunOutput { result, writes, log, log_cut_bytes, cost } = output;
        let mut log = log;
        if log_cut_bytes > 0 {
            let cut = format!("{log_cut_bytes} bytes of this turn's log were cut: it holds 16 KiB");
            log.push(LogLine { level: LogLevel::Warn, message: cut });
        }
        match result.and_then(|actions| validate::actions(&actions).map(|()| actions)) {
            Ok(actions) => {
                let mut draft = Draft::new(self, profile, log.clone(), now, true);
                draft.degrading = self.policy.degrading;
                draft.apply(&actions, version);
                if let Some(failure) = draft.refused {
                    return self.fail(failure, version, profile, log, now);
                }
                let mut bot_writes = Vec::new();
                for write in writes {
                    match write.scope {
                        KvScope::Conversation => change(&mut draft.state.kv, write),
                        KvScope::Bot => bot_writes.push(write),
                    }
                }
                draft.pin(version);
                let outcome = Outcome::Ran { version, actions, cpu_us: cost.cpu_us };
                let (state, log) = draft.finish();
                self.turn(state, outcome, log, bot_writes)
            }
            Err(failure) => self.fail(failure, version, profile, log, now),
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
        now: Millis,
    ) -> Turn {
        // What a bot failed on is not handed over again, lest it fails for ever. One that
        // is left alone, or that the host could not run, was told nothing.
        let told = failure.blame == Blame::Bot && failure.kind != FailureKind::Suspended;
        let mut draft = Draft::new(self, profile, log, now, told);
        (draft.quiet, draft.by_host) = (true, true);
        let mut actions = Vec::new();
        if let Some(text) = self.policy.failure_text(draft.state.facts.locale.as_deref()) {
            let text = text.to_owned();
            actions.push(Action::Message(Message { text, format: TextFormat::Plain }));
        }
        if self.policy.failure_hand_off && draft.state.owner == Owner::Bot {
            let on_failure = Some(OnFailure::Feedback);
            actions.push(Action::Forward(Forward { target: ForwardTarget::Any, on_failure }));
        }
        if told {
            draft.pin(version);
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

    fn turn(
        &self,
        state: Conversation,
        outcome: Outcome,
        mut log: Vec<LogLine>,
        bot_writes: Vec<KvWrite>,
    ) -> Turn {
        log.extend(self.gives_up_acknowledgement(&state));
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
            human_ms: state.with_human(),
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

/// By which a conversation knows that an event had its start of the host's own.
fn host_start_key(event: &EventId) -> String {
    format!("host-start:{event}")
}

fn is_of(timer: &Timer, known: &TimerState) -> bool {
    known.name == timer.name && known.due_ms == timer.due_ms
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

#[cfg(test)]
mod tests;
