//! The way back from a human who says nothing more.

use crate::event::{Event, EventBody};
use crate::id::{EventId, PartId};
use crate::log::{Conversation, Row};
use crate::outbox::is_own_failure;
use crate::owner::{Owner, Word};
use crate::plan::{Draft, Plan};
use crate::time::{Millis, SECOND};

/// A vendor's clock may be behind the host's for so long, with the time that the answer
/// to a call takes: what is returned right after a hand-off is not taken for older.
const CLOCKS_APART_MS: Millis = 10 * SECOND;

/// The id of the event that gives the bot the conversation again at this time, after
/// so many turns.
pub fn return_id(turns: u64, at_ms: Millis) -> EventId {
    EventId(format!("returns.{turns}.{at_ms}"))
}

/// Whether it is the host's own event for that.
pub(super) fn is_return(event: &Event) -> bool {
    event.id.as_str().starts_with("returns.")
}

impl Conversation {
    /// When the bot has the conversation again, if no human says anything until then.
    pub fn returns_at(&self) -> Option<Millis> {
        Some(self.with_human()?.saturating_add(self.returns_after_ms?))
    }
}

impl Plan<'_> {
    /// Notes when a human took the conversation or said something. What the person
    /// says meanwhile changes nothing: it is the human who is silent. Of a conversation
    /// that an older host wrote it is not known, so it counts from now.
    pub(super) fn note_human(&self, state: &mut Conversation, before: Owner) {
        let body = &self.arrival.event.body;
        let spoke = matches!(body, EventBody::HumanSpoke(_));
        if state.owner != Owner::Human {
            state.human_ms = None;
        } else if before != Owner::Human || spoke || state.human_ms.is_none() {
            let event = &self.arrival.event;
            // By the vendor's clock, as what comes later is compared with it: webhooks
            // may wait for a host that is away.
            let by_vendor = event.vendor_ms.unwrap_or(event.received_ms);
            let said_ms = by_vendor.min(event.received_ms);
            // What a human said before tells nothing of since when they have it now.
            let known_ms = state.human_ms.filter(|_| before == Owner::Human);
            state.human_ms = known_ms.max(Some(said_ms));
        }
        state.returns_after_ms = self.policy.returns_after_ms;
    }

    /// Whose word it is that the conversation changes hands, if the event says so.
    pub(super) fn word(&self) -> Word {
        if self.arrival.by_host {
            return Word::Host;
        }
        let changes = changes_hands(&self.arrival.event.body);
        let overtaken = changes && self.is_overtaken();
        let late = overtaken || self.failed_in_vain() || self.returned_before();
        if late { Word::Late } else { Word::Vendor }
    }

    /// Whether a hand-off of ours failed, and by its turn somebody else has the
    /// conversation, or it is handed over again. Where it still matters the bot has it
    /// since the hand-off ended.
    fn failed_in_vain(&self) -> bool {
        let event = &self.arrival.event;
        let failed = matches!(event.body, EventBody::ForwardFailed(_));
        failed && is_own_failure(&event.id) && self.state.owner != Owner::Bot
    }

    /// Webhooks overtake each other: what the vendor says of a time before the last
    /// change of hands that it told of changes nothing any more, be it the event itself
    /// or a word that comes with what a person said.
    pub(super) fn is_overtaken(&self) -> bool {
        let said_ms = self.arrival.event.vendor_ms;
        said_ms.zip(self.state.hands_ms).is_some_and(|(said, last)| said < last)
    }

    /// Whether somebody gave the conversation back before the bot handed it over. The
    /// vendor tells of no hand-off of ours, so that is known by the host's clock.
    fn returned_before(&self) -> bool {
        let event = &self.arrival.event;
        let mut hand_offs = self.state.rows.iter().filter(|row| row.hands_over());
        let since_ms = match self.state.owner {
            Owner::HandingOff => hand_offs.next_back().map(|row| row.made_ms),
            Owner::Human => self.state.human_ms,
            Owner::Bot | Owner::Relay | Owner::Ended => None,
        };
        let returned_ms = event.vendor_ms.filter(|_| matches!(event.body, EventBody::Returned(_)));
        let before =
            |(returned, since): (Millis, Millis)| returned.saturating_add(CLOCKS_APART_MS) < since;
        returned_ms.zip(since_ms).is_some_and(before)
    }

    /// Notes when the vendor last changed who has the conversation, by its own clock:
    /// the host's tells nothing of the order of what the vendor says. But what it has
    /// said was before it came in: one time from the future must not make all later ones
    /// late. Of a clock that runs ahead the order is lost only within how far it does.
    pub(super) fn note_hands(&self, state: &mut Conversation) {
        let event = &self.arrival.event;
        let said = self.holder().owner != self.state.owner;
        if self.word() == Word::Vendor && (changes_hands(&event.body) || said) {
            let said_ms = event.vendor_ms.map(|said| said.min(event.received_ms));
            state.hands_ms = state.hands_ms.max(said_ms);
        }
    }
}

impl Draft<'_> {
    /// The vendor does not know that the host has given the conversation back: it does
    /// what makes it hear the bot before that says anything. Where it refuses, nobody
    /// is told, and the rest goes on.
    pub(super) fn take_back(&mut self) {
        let arrival = &self.plan.arrival;
        let returned = arrival.by_host && matches!(arrival.event.body, EventBody::Returned(_));
        // From an external bot it comes back without the vendor.
        let by_human = matches!(self.plan.owner(), Owner::Human | Owner::HandingOff);
        let takes_back = self.plan.policy.takes_back.clone();
        if let Some(action) = takes_back.filter(|_| returned && by_human) {
            let id = PartId(format!("{}.takes-back", self.plan.turn_id()));
            let row = self.row(id, action);
            self.state.rows.push(Row { quiet: true, ..row });
        }
    }
}

/// Whether an event tells that somebody took the conversation, or gave it back.
fn changes_hands(body: &EventBody) -> bool {
    match body {
        EventBody::HumanSpoke(_) | EventBody::Returned(_) | EventBody::ForwardFailed(_) => true,
        EventBody::Start(_)
        | EventBody::Message(_)
        | EventBody::Click(_)
        | EventBody::Media(_)
        | EventBody::Location(_)
        | EventBody::Timer(_)
        | EventBody::Response(_)
        | EventBody::Signal(_)
        | EventBody::Ended(_)
        | EventBody::CampaignUnsubscribe(_)
        | EventBody::DeliveryFailed(_)
        | EventBody::Other(_) => false,
    }
}
