//! How a conversation stands, and how that follows from its log.

use std::collections::BTreeMap;

use super::{
    ACKNOWLEDGEMENTS_MAX, ANSWERED_MAX, CALLS_KEPT_MAX, CALLS_KEPT_MS, MIRRORED_MAX, REDELIVERY_MS,
    Route, RowEnd, Settled, Turn,
};
use serde::{Deserialize, Serialize};

use crate::action::{Action, ContactUpdate};
use crate::broken::{self, Mutation};
use crate::choices::Menu;
use crate::context;
use crate::event::Event;
use crate::id::{Digest, EventId, PartId, SessionId, TurnId};
use crate::json;
use crate::outbox::WAITS_FOR_PERSON_MS;
use crate::owner::{Holder, Owner};
use crate::relay::Relay;
use crate::session::Facts;
use crate::time::Millis;

/// A conversation as it stands: everything that a turn or a delivery depends on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conversation {
    /// Turns so far.
    pub turns: u64,
    /// Who may speak.
    pub owner: Owner,
    /// A human has it who works at the host's desk; see [`Holder`].
    pub at_desk: bool,
    /// The running session; absent before the first event and after the end.
    pub session: Option<SessionState>,
    /// The newest facts.
    pub facts: Facts,
    /// Menus that were offered, oldest first.
    pub menus: Vec<Menu>,
    /// The newest [`super::Arrival::reply_to`].
    pub reply_to: Option<String>,
    /// The newest [`super::Arrival::desk_id`] since the conversation began.
    pub desk_id: Option<String>,
    /// The newest [`super::Arrival::route`].
    pub route: Route,
    /// A context that some other program left at the vendor.
    pub foreign_context: Option<String>,
    /// Hashes of contexts that we sent to the vendor, oldest first.
    pub mirrored: Vec<Digest>,
    /// Event keys with the time of their event, oldest first.
    pub keys: Vec<(String, Millis)>,
    /// The conversation's own values.
    pub kv: BTreeMap<String, String>,
    /// Timers that have not fired.
    pub timers: Vec<TimerState>,
    /// Committed actions that wait for delivery, in order.
    pub rows: Vec<Row>,
    /// Rows whose call was about to leave and of which nobody has learned since
    /// that the vendor did not take them.
    pub claimed: Vec<PartId>,
    /// What the vendor is still to be told, in order.
    pub acknowledgements: Vec<Acknowledgement>,
    /// Requests whose answers have not gone out whole.
    pub open_answers: Vec<OpenAnswer>,
    /// Events whose requests were answered whole before their turns, so that the
    /// same words again are no redelivery.
    pub answered: Vec<EventId>,
    /// Events received until then count as answered besides: more of them were than
    /// are remembered. Taking an unanswered one for answered doubles it at worst; the
    /// other way round it would be lost.
    pub answered_until_ms: Millis,
    /// Events consumed without a run since the last run.
    pub skipped: Vec<Event>,
    /// Times of API calls within the vendor's rate window.
    pub called_ms: Vec<Millis>,
    /// Nothing leaves before this.
    pub closed_until_ms: Millis,
    /// No call leaves before this, while answers may carry what waits.
    pub calls_from_ms: Millis,
    /// The last hand-off was the host's own, after a failure of the bot.
    pub host_hand_off: bool,
    /// The external bot that has the conversation.
    pub relay: Option<Relay>,
    /// When a human took the conversation or last spoke in it.
    pub human_ms: Option<Millis>,
    /// After so long without a human's word the bot has it again; absent where only a
    /// human or the vendor gives it back.
    pub returns_after_ms: Option<Millis>,
    /// When the conversation last changed hands by the vendor's word and its clock.
    pub hands_ms: Option<Millis>,
    /// The person's address of e-mail is one that a bot has learned, and not the vendor's
    /// word.
    pub own_email: bool,
    /// The person sees a sign of typing that a message does not end.
    pub typing: bool,
}

/// The running session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionState {
    /// Its id.
    pub id: SessionId,
    /// When it began.
    pub started_ms: Millis,
    /// When something last happened in it.
    pub active_ms: Millis,
    /// The bot's state; empty text where there is none.
    pub context: String,
    /// The component that wrote it.
    pub context_by: Option<Digest>,
    /// The component that answers in it; absent until a bot ran in it. See
    /// [`crate::deployment`].
    pub version: Option<Digest>,
    /// When the host ends it by itself; absent where the vendor does, or nobody.
    pub times_out_ms: Option<Millis>,
}

/// A timer that has not fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimerState {
    /// Its name, unique within the conversation.
    pub name: String,
    /// When it fires.
    pub due_ms: Millis,
    /// What comes back in the event.
    pub payload: Option<String>,
}

/// A committed action, or a part of one, that waits for delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Stable over restarts and resends.
    pub id: PartId,
    /// The turn that made it.
    pub turn: TurnId,
    /// When that turn was.
    pub made_ms: Millis,
    /// What is to be done, after degrading.
    pub action: Action,
    /// What calls carry in its place, in order, where only the answer of a request carries
    /// the action itself; none where calls carry it, too.
    pub by_call: Vec<Action>,
    /// The context to mirror with it, on the last row of a turn.
    pub context: Option<String>,
    /// It came from a failure: giving it up raises no `delivery-failed`.
    pub quiet: bool,
    /// The event that it follows from: while the request that brought it is
    /// open, the row waits for its answer.
    pub event: EventId,
    /// A human says it: it leaves also while the conversation is a human's.
    pub by_human: bool,
    /// It hands the conversation over where the vendor has nothing like it: it is no
    /// call, and ends here when all before it has left.
    pub hand_off: Option<HandOff>,
}

/// What becomes of a hand-off that the vendor has nothing like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandOff {
    /// A human at the host's desk has the conversation.
    Desk,
    /// Nobody can take it: it fails, and the bot hears so.
    Nobody,
}

/// Something that the vendor is still to be told: that an event was taken, or what
/// follows from a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Stable over restarts and resends.
    pub id: PartId,
    /// When what it tells of was.
    pub made_ms: Millis,
    /// What the vendor needs for it, in its own form.
    pub token: String,
    /// It asks whether a part that the vendor has taken was delivered in the end.
    pub asks_of: Option<Taken>,
}

/// A part that a vendor has taken, and may not deliver all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Its id.
    pub part: PartId,
    /// The canonical name of its action.
    pub action: String,
}

/// A request whose answer has not gone out whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenAnswer {
    /// Names the request.
    pub request: Digest,
    /// When it came.
    pub received_ms: Millis,
    /// The event that it brought.
    pub event: EventId,
}

impl Row {
    /// Whether it gives the conversation to somebody else.
    pub(crate) fn hands_over(&self) -> bool {
        matches!(self.action, Action::Forward(_) | Action::Abort)
    }

    /// How much room it takes while it waits (bytes of canonical JSON).
    pub fn bytes(&self) -> usize {
        let actions = std::iter::once(&self.action).chain(&self.by_call);
        actions.map(json::bytes).sum()
    }

    /// What calls carry in its place, each with an id of its own. The last one keeps the
    /// row's, and with it the context: where it has arrived, all of the row has.
    fn calls(self) -> Vec<Self> {
        let Some(last) = self.by_call.len().checked_sub(1) else { return vec![self] };
        let (row, actions) = (Self { by_call: Vec::new(), ..self.clone() }, self.by_call);
        let call = |(n, action)| {
            let row = Self { action, ..row.clone() };
            if n == last {
                return row;
            }
            Self { id: PartId(format!("{}.{n}", row.id)), context: None, ..row }
        };
        actions.into_iter().enumerate().map(call).collect()
    }
}

impl Conversation {
    /// The state after a turn with the settlements that came after its snapshot.
    pub fn after(turn: Option<&Turn>, settled: impl IntoIterator<Item = Settled>) -> Self {
        let mut state = turn.map(|turn| turn.state.clone()).unwrap_or_default();
        for settled in settled.into_iter().filter(|_| !broken::is(Mutation::Settle)) {
            state.settle(&settled);
        }
        state
    }

    /// Applies a settlement. Applying one twice changes nothing more.
    pub fn settle(&mut self, settled: &Settled) {
        self.remember_contexts(settled);
        let delivered = |row: &Row| settled.rows.contains(&(row.id.clone(), RowEnd::Delivered));
        let to_desk = |row: &&Row| row.hand_off == Some(HandOff::Desk);
        let at_desk = self.rows.iter().filter(to_desk).any(delivered);
        let ended = |id: &PartId| settled.rows.iter().any(|(row, _)| row == id);
        self.rows.retain(|row| !ended(&row.id));
        self.acknowledgements.retain(|it| !settled.acknowledged.contains(&it.id));
        if let Some(claimed) = &settled.claimed {
            self.claimed.clone_from(claimed);
        }
        self.claimed.retain(|id| !ended(id));
        self.go_by_call(&settled.by_call);
        for row in &settled.revived {
            if !self.rows.iter().any(|known| known.id == row.id) {
                self.rows.push(row.clone());
            }
        }
        for follow_up in &settled.follow_ups {
            if !self.acknowledgements.iter().any(|known| known.id == follow_up.id) {
                self.acknowledgements.push(follow_up.clone());
            }
        }
        for event in &settled.answered {
            self.answer(event, settled.at_ms);
        }
        for called in &settled.called_ms {
            if !self.called_ms.contains(called) {
                self.called_ms.push(*called);
            }
        }
        let oldest = settled.at_ms.saturating_sub(CALLS_KEPT_MS);
        self.called_ms.retain(|called| *called > oldest);
        let excess = self.called_ms.len().saturating_sub(CALLS_KEPT_MAX);
        self.called_ms.drain(..excess);
        if let Some(digest) = settled.mirrored {
            self.remember_mirrored(digest);
        }
        if let Some(until) = settled.closed_until_ms {
            self.closed_until_ms = self.closed_until_ms.max(until);
        }
        if let Some(from) = settled.calls_from_ms {
            self.calls_from_ms = from;
        }
        // The end of a hand-off comes too late where somebody has taken the
        // conversation meanwhile, or where the bot is already handing over again.
        if let Some(owner) = settled.owner
            && self.owner == Owner::HandingOff
            && !self.rows.iter().any(Row::hands_over)
        {
            if owner == Owner::Human {
                self.human_ms = Some(settled.at_ms);
            }
            self.owner = owner;
            self.at_desk = at_desk;
        }
    }

    /// These rows ride in no answer any more: what calls carry takes their place. A row that
    /// is one call already stays as it is.
    fn go_by_call(&mut self, ids: &[PartId]) {
        if ids.is_empty() {
            return;
        }
        let rows = std::mem::take(&mut self.rows).into_iter();
        let goes = |row: Row| if ids.contains(&row.id) { row.calls() } else { vec![row] };
        self.rows = rows.flat_map(goes).collect();
    }

    /// Takes in what a bot has learned of the person; it may correct its own address of
    /// e-mail.
    pub(crate) fn learn_contact(&mut self, update: &ContactUpdate) {
        let before = self.facts.contact.email.clone();
        self.facts.contact.update(update, self.own_email);
        self.own_email |= self.facts.contact.email != before;
    }

    /// Contexts of rows that end here are known from now on. A list may carry several,
    /// and webhooks that the vendor writes meanwhile, or repeats later, hold any of
    /// them; what was given up may have come in all the same, but is not the newest.
    fn remember_contexts(&mut self, settled: &Settled) {
        let mut known = Vec::new();
        for row in &self.rows {
            let end = settled.rows.iter().find(|(id, _)| *id == row.id);
            if let (Some(context), Some((_, end))) = (&row.context, end) {
                known.push((context::digest(context), *end == RowEnd::Delivered));
            }
        }
        for (digest, delivered) in known {
            if delivered {
                self.remember_mirrored(digest);
            } else if !self.mirrored.contains(&digest) {
                self.mirrored.insert(self.mirrored.len().saturating_sub(1), digest);
            }
        }
    }

    /// The answer of an event's request went out whole.
    fn answer(&mut self, event: &EventId, at_ms: Millis) {
        let before = self.open_answers.len();
        self.open_answers.retain(|open| open.event != *event);
        let had_its_turn = self.open_answers.len() < before;
        let known = at_ms <= self.answered_until_ms || self.answered.contains(event);
        if had_its_turn || known {
            return;
        }
        self.answered.push(event.clone());
        if self.answered.len() > ANSWERED_MAX {
            // All of them were received before this last one was answered.
            self.answered.clear();
            self.answered_until_ms = at_ms;
        }
    }

    /// Whether the request that brought a waiting event was answered whole, so that
    /// the same words again are another event.
    pub fn counts_as_answered(&self, event: &Event) -> bool {
        event.received_ms <= self.answered_until_ms || self.answered.contains(&event.id)
    }

    /// Whether an event with this key was handled before.
    pub fn knows(&self, key: &str) -> bool {
        !broken::is(Mutation::Dedupe) && self.keys.iter().any(|(known, _)| known == key)
    }

    /// The request which this one repeats, if any: one whose answer `failed`.
    pub fn redelivered(
        &self,
        request: Digest,
        now: Millis,
        failed: impl Fn(&EventId) -> bool,
    ) -> Option<&OpenAnswer> {
        self.open_answers
            .iter()
            .filter(|_| !broken::is(Mutation::Redelivery))
            .filter(|open| open.request == request && now <= open.received_ms + REDELIVERY_MS)
            .find(|open| failed(&open.event))
    }

    /// When the conversation next wants attention by itself: a delivery, a timer,
    /// the end of the session's time.
    /// A time in the past means now.
    pub fn due(&self) -> Option<Millis> {
        let delivery = self.delivery_due();
        let acknowledgement = (!self.acknowledgements.is_empty()).then_some(0);
        delivery.into_iter().chain(acknowledgement).chain(self.own_due()).min()
    }

    /// The same without what waits for delivery.
    pub(crate) fn own_due(&self) -> Option<Millis> {
        let timers = self.timers.iter().map(|timer| timer.due_ms);
        timers.chain(self.passes_on_at()).min()
    }

    /// What has to be given up, as more acknowledgements wait than are kept: questions
    /// first, since without an answer nothing is lost but the answer; then the oldest.
    pub(crate) fn acknowledgements_in_excess(&self) -> Vec<&Acknowledgement> {
        let excess = self.acknowledgements.len().saturating_sub(ACKNOWLEDGEMENTS_MAX);
        let (asked, told): (Vec<_>, Vec<_>) =
            self.acknowledgements.iter().partition(|it| it.asks_of.is_some());
        asked.into_iter().chain(told).take(excess).collect()
    }

    /// When the session's time is over, or the bot has the conversation again, if nothing
    /// else happens.
    pub(crate) fn passes_on_at(&self) -> Option<Millis> {
        self.times_out_at().into_iter().chain(self.given_back_at()).min()
    }

    /// When the host itself gives the bot the conversation again, or finds that an external
    /// bot is done with it.
    pub(crate) fn given_back_at(&self) -> Option<Millis> {
        let over = self.relay_over().map(|_| 0);
        self.returns_at().into_iter().chain(over).chain(self.relay_silent_at()).min()
    }

    /// Who has the conversation. What is on its way to the desk the vendor knows as
    /// little of as what is there.
    pub fn holder(&self) -> Holder {
        let at_desk = match self.owner {
            Owner::Human => self.at_desk,
            Owner::HandingOff => self.rows.iter().any(|row| row.hand_off == Some(HandOff::Desk)),
            Owner::Bot | Owner::Relay | Owner::Ended => false,
        };
        Holder { owner: self.owner, at_desk }
    }

    /// Since when a human has the conversation, or last spoke in it; absent where none
    /// has it.
    pub fn with_human(&self) -> Option<Millis> {
        self.human_ms.filter(|_| self.owner == Owner::Human)
    }

    fn delivery_due(&self) -> Option<Millis> {
        let first = self.rows.first()?;
        if first.hand_off.is_some() {
            return Some(0);
        }
        let requests = || self.rows.iter().any(|row| matches!(row.action, Action::Request(_)));
        Some(match self.route {
            Route::Answers if !requests() => first.made_ms.saturating_add(WAITS_FOR_PERSON_MS),
            Route::Calls | Route::Answers | Route::ThisAnswer => {
                // A `request` waits for no vendor.
                let calls = if requests() { 0 } else { self.calls_from_ms };
                self.closed_until_ms.max(calls)
            }
        })
    }

    /// Notes that a context was sent to the vendor.
    pub fn remember_mirrored(&mut self, digest: Digest) {
        self.mirrored.retain(|known| *known != digest);
        self.mirrored.push(digest);
        let excess = self.mirrored.len().saturating_sub(MIRRORED_MAX);
        self.mirrored.drain(..excess);
    }
}
