//! What an event itself does to a conversation, before anybody answers it.

use crate::choices::Reading;
use crate::context;
use crate::event::{Event, EventBody, First, Start};
use crate::id::{PartId, SessionId};
use crate::log::{
    ACKNOWLEDGEMENTS_MAX, Acknowledgement, Arrival, Conversation, KEY_AGE_MS, KEYS_MAX, OpenAnswer,
    REDELIVERY_MS, SessionState,
};
use crate::owner::{Holder, Owner, Word};
use crate::plan::{Plan, host_start_id, host_start_key, skipped, timeout};
use crate::run::{LogLevel, LogLine};
use crate::session::Session;
use crate::time::Millis;

impl Plan<'_> {
    /// Applies the event itself: facts, session, owner, what is remembered of it.
    pub(super) fn enter(&self) -> (Event, Conversation) {
        let mut state = self.state.clone();
        let arrival = self.arrival;
        let now = arrival.event.received_ms;
        let begins = self.session().is_none() || matches!(arrival.event.body, EventBody::Start(_));
        if let Some(facts) = &arrival.facts {
            state.facts.learn(facts, begins);
            state.own_email &= facts.contact.email.is_none();
        }
        if arrival.reply_to.is_some() {
            state.reply_to.clone_from(&arrival.reply_to);
        }
        if arrival.desk_id.is_some() {
            state.desk_id.clone_from(&arrival.desk_id);
        }
        if matches!(arrival.event.body, EventBody::Ended(_)) {
            state.desk_id = None;
        }
        state.route = arrival.route.unwrap_or(state.route);
        if let Some(context) = &arrival.vendor_context
            && !is_ours(&state, context)
        {
            state.foreign_context = Some(context.clone());
        }
        remember(&mut state, arrival, now);
        self.note_acknowledgement(&mut state);
        let mut event = arrival.event.clone();
        if self.outlives_session() {
            // What was asked in a session that is over waits for no answer.
            state.close_menus();
        }
        event.body = state.understand(event.body, self.reading(&state));
        let told = !timeout::is_session_timeout(&event);
        if begins && told && self.holder().runs(&event.body, self.word()) {
            let begun = self.page().is_none().then(|| self.new_session(now));
            if begun.is_some() {
                event.body = into_start(event.body, &state, self.policy.sends_start);
            }
            state.session = begun;
        }
        if let Some(session) = &mut state.session {
            session.active_ms = now;
            session.times_out_ms = self.times_out(&event.body, session.times_out_ms);
        }
        if let EventBody::Timer(timer) = &event.body {
            state.timers.retain(|known| known.name != timer.name || known.due_ms != timer.due_ms);
        }
        let before = state.owner;
        let holder = self.holder().after_event(&event.body, self.word());
        state.owner = holder.owner;
        state.at_desk = holder.at_desk && holder.owner == Owner::Human;
        self.note_human(&mut state, before);
        self.note_hands(&mut state);
        let late = self.word() == Word::Late;
        if matches!(event.body, EventBody::HumanSpoke(_)) && !late {
            state.close_menus();
        }
        if matches!(event.body, EventBody::HumanSpoke(_) | EventBody::Returned(_)) && !late {
            // Somebody took the conversation: the host's hand-off cannot fail any more.
            state.host_hand_off = false;
        }
        if state.owner == Owner::Ended {
            state.timers.clear();
        }
        if state.owner != Owner::Relay {
            state.relay = None;
        }
        (event, state)
    }

    /// How texts are read here.
    fn reading(&self, state: &Conversation) -> Reading {
        Reading {
            recognition: self.policy.choices,
            late_taps: self.policy.late_taps.contains(&&*state.facts.medium),
        }
    }

    /// Whoever speaks tells the vendor that it was heard.
    fn note_acknowledgement(&self, state: &mut Conversation) {
        let Some(token) = self.arrival.acknowledge.clone() else { return };
        if self.owner().is_ours() && self.word() != Word::Late {
            let id = PartId(format!("{}.taken", self.turn_id()));
            let made_ms = self.arrival.event.received_ms;
            state.acknowledgements.push(Acknowledgement { id, made_ms, token, asks_of: None });
        }
    }

    /// What is said of what gives way to the acknowledgement of this event: the outbox
    /// gives it up next.
    pub(super) fn gives_up_acknowledgement(&self, state: &Conversation) -> Option<LogLine> {
        let excess = state.acknowledgements_in_excess();
        if excess.is_empty() || self.arrival.acknowledge.is_none() {
            return None;
        }
        let asked = excess.iter().filter(|it| it.asks_of.is_some()).count();
        Some(LogLine {
            level: LogLevel::Warn,
            message: format!(
                "{} has not answered for so long that of what it is to be told and asked only \
                 {ACKNOWLEDGEMENTS_MAX} are kept: it is not told of the oldest {}, and not asked \
                 what became of {asked} that it had taken",
                self.policy.vendor,
                excess.len() - asked,
            ),
        })
    }

    /// Who may speak when the event comes.
    pub(super) fn owner(&self) -> Owner {
        self.holder().owner
    }

    /// Who has the conversation when the event comes.
    pub(super) fn holder(&self) -> Holder {
        let body = &self.arrival.event.body;
        let anew = body.is_speech() || matches!(body, EventBody::Start(_));
        let own = match self.state.holder() {
            Holder { owner: Owner::Ended, .. } if anew && self.policy.reopens => Holder::default(),
            holder => holder,
        };
        // Webhooks come late and out of order. Where the vendor's time is not known, its
        // word counts.
        let said_ms = self.arrival.event.vendor_ms;
        let stale = said_ms.zip(self.state.human_ms).is_some_and(|(said, human)| said < human);
        own.told(self.said(), stale)
    }

    /// Who has the conversation by the word that came with the event, whatever else that
    /// tells. What comes late tells of what is over; and that a bot has what is over, told
    /// beside the talk, begins nothing.
    fn said(&self) -> Option<Owner> {
        let over = self.arrival.aside && self.state.owner == Owner::Ended;
        let owner = self.arrival.owner.filter(|_| !self.is_overtaken());
        owner.filter(|owner| !(over && owner.is_ours()))
    }

    pub(super) fn session(&self) -> Option<&SessionState> {
        if self.state.owner == Owner::Ended && self.policy.reopens {
            return None;
        }
        let now = self.arrival.event.received_ms;
        let idle = self.policy.session_idle_ms;
        self.state.session.as_ref().filter(|session| now < session.active_ms.saturating_add(idle))
    }

    /// Whether the event finds a session that is over and was not left yet. Where none is
    /// left, whatever is asked was asked since: a page that was shown after its end.
    pub(super) fn outlives_session(&self) -> bool {
        self.session().is_none() && self.state.session.is_some()
    }

    pub(super) fn new_session(&self, now: Millis) -> SessionState {
        SessionState {
            id: SessionId(format!("s{}", self.derived("session"))),
            started_ms: now,
            active_ms: now,
            context: String::new(),
            context_by: None,
            version: None,
            times_out_ms: None,
        }
    }

    pub(super) fn host_start(&self) -> Arrival {
        let before = self.arrival;
        let body = EventBody::Start(Start { approach: None, first: None, resumed: true });
        let event = Event::new(host_start_id(&before.event.id), before.event.received_ms, body);
        Arrival {
            facts: before.facts.clone(),
            vendor_context: before.vendor_context.clone(),
            quiet: before.quiet,
            reply_to: before.reply_to.clone(),
            route: before.route,
            // A bot that ends the session at its start is not started again and again.
            key: Some(host_start_key(&before.event.id)),
            // The bot has the conversation by the word that came with the event.
            owner: self.said(),
            ..Arrival::new(event, before.seed)
        }
    }

    pub(super) fn session_for_bot(&self, state: &Conversation) -> Session {
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
            skipped: state.skipped[..skipped::handed_over(&state.skipped)].to_vec(),
            started_ms: own.started_ms,
            turn: state.turns,
            now_ms: now,
            seed: self.arrival.seed,
            profile: Vec::new(),
        }
    }
}

/// Whether the vendor's context is one that we sent, or are about to send.
fn is_ours(state: &Conversation, context: &str) -> bool {
    let digest = context::digest(context);
    let same = |own: &str| !own.is_empty() && context::digest(own) == digest;
    let own = state.session.as_ref().is_some_and(|session| same(&session.context));
    let sending = || state.rows.iter().filter_map(|row| row.context.as_deref()).any(same);
    own || state.mirrored.contains(&digest) || sending()
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
    let event = &arrival.event.id;
    let answered = state.counts_as_answered(&arrival.event);
    state.answered.retain(|known| known != event);
    if let (Some(request), false) = (arrival.request, answered) {
        let event = event.clone();
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
