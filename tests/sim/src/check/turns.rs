//! Events and their turns.

use std::collections::BTreeSet;

use botyard_kernel::event::EventBody;
use botyard_kernel::id::EventId;
use botyard_kernel::log::{Arrival, Outcome, Row, Seq, SkipReason, Turn};
use botyard_kernel::owner::Owner;
use botyard_kernel::run::Blame;

use super::relays::SILENCE;
use crate::bot::{COUNT, SEEN};
use crate::webhook::{Saying, State};
use crate::world::{World, has_stem};

/// A bot is told of so many skipped events at once, and of the others later.
const SKIPPED_MAX: usize = 100;
const DUPLICATE: Outcome = Outcome::Skipped(SkipReason::Duplicate);

impl World {
    pub(super) fn every_event_has_one_turn_in_order(&self, conversation: usize) {
        let log = &self.logs[conversation];
        let arrivals = log.arrivals().map(|(_, arrival)| &arrival.event.id);
        // These have no entry before their turn, so they stand in nobody's way.
        let accepted: Vec<&EventId> = arrivals.filter(|id| !is_own(id)).collect();
        let turned = log.turns().map(|(_, turn)| &turn.event);
        let turned: Vec<&EventId> = turned.filter(|id| !is_own(id)).collect();
        assert!(
            turned == accepted,
            "conversation {conversation}: turns are not the accepted events in order: \
             {turned:?} are not {accepted:?}"
        );
        let mut once = BTreeSet::new();
        for (_, turn) in log.turns().filter(|(_, turn)| turn.outcome != DUPLICATE) {
            assert!(once.insert(&turn.event), "{} had two turns", turn.event);
        }
    }

    pub(super) fn every_webhook_was_handled_once(&self) {
        for (n, webhook) in self.webhooks.iter().enumerate() {
            assert_eq!(webhook.state, State::Answered, "webhook {n} was never answered");
            let refused = webhook.turned_away || webhook.saying == Saying::Forged;
            let expected = usize::from(!refused);
            for (part, conversation) in webhook.parts.iter().enumerate() {
                let stem = format!("w{n}p{part}t");
                let turns = self.logs[*conversation].turns();
                let handled = turns.filter(|(_, turn)| {
                    turn.event.as_str().starts_with(&stem)
                        && !turn.event.as_str().ends_with("-start")
                        && turn.outcome != DUPLICATE
                });
                let count = handled.count();
                assert_eq!(count, expected, "webhook {n} part {part} was handled {count} times");
            }
        }
    }

    /// What a vendor had been told of as taken before somebody said something else
    /// stands before it.
    pub(super) fn what_was_answered_first_comes_first(&self, conversation: usize) {
        let place = |n: usize, part: usize| -> Option<Seq> {
            let stem = format!("w{n}p{part}t");
            let mut found =
                self.logs[conversation].arrivals().filter(|(_, it)| has_stem(it, &stem));
            found.next().map(|(seq, _)| seq)
        };
        let mut placed = Vec::new();
        for (n, webhook) in self.webhooks.iter().enumerate() {
            for (part, _) in webhook.parts.iter().enumerate().filter(|(_, it)| **it == conversation)
            {
                if let Some(seq) = place(n, part) {
                    placed.push((n, webhook.first_ms, webhook.answered_ms, seq));
                }
            }
        }
        for (one, _, answered, before) in &placed {
            for (other, first, _, after) in &placed {
                let earlier = answered.is_some_and(|answered| answered < *first);
                assert!(!earlier || before < after, "webhook {other} overtook webhook {one}");
            }
        }
    }

    pub(super) fn the_bot_was_told_everything_in_order(&self, conversation: usize) {
        let log = &self.logs[conversation];
        let (mut seen, mut skipped): (Vec<&EventId>, Vec<&EventId>) = (Vec::new(), Vec::new());
        for (_, turn) in log.turns() {
            match &turn.outcome {
                Outcome::Ran { .. } => {
                    seen.extend(skipped.drain(..skipped.len().min(SKIPPED_MAX)));
                    seen.push(&turn.event);
                }
                Outcome::Failed { failure, .. } if failure.blame == Blame::Bot => {
                    skipped.drain(..skipped.len().min(SKIPPED_MAX));
                }
                // The bot was not told of them.
                Outcome::Failed { .. } => {}
                Outcome::Skipped(SkipReason::NotOwner | SkipReason::Superseded) => {
                    skipped.push(&turn.event);
                }
                // Of what an external bot was told the bot hears, too.
                Outcome::Skipped(SkipReason::Relayed) => {
                    let mut events = log.arrivals().map(|(_, arrival)| &arrival.event);
                    let event = events.find(|event| event.id == turn.event);
                    let speech = event.is_some_and(|event| event.body.is_speech());
                    skipped.extend(speech.then_some(&turn.event));
                }
                Outcome::Skipped(
                    SkipReason::Duplicate
                    | SkipReason::NoSession
                    | SkipReason::HostHandOff
                    | SkipReason::SessionTimeout
                    | SkipReason::NextPage,
                ) => {}
            }
        }
        let state = log.state();
        let kept = state.kv.get(SEEN).cloned().unwrap_or_default();
        let kept: Vec<&str> = kept.split_whitespace().collect();
        let told: Vec<&str> = seen.iter().map(|id| id.as_str()).collect();
        assert!(kept == told, "told were {kept:?} and not {told:?}");
        let counted = state.kv.get(COUNT).map_or("0", String::as_str);
        assert_eq!(counted, told.len().to_string(), "events were not counted once each");
        let left: Vec<&EventId> = state.skipped.iter().map(|event| &event.id).collect();
        assert_eq!(left, skipped, "skipped events are lost");
    }

    /// The bot runs where it has the conversation, and nowhere else.
    pub(super) fn owners_were_respected(&self, conversation: usize) {
        let log = &self.logs[conversation];
        let (mut owner, mut owners) = (Owner::Bot, vec![Owner::Bot]);
        // When the vendor last said that the conversation changed hands, by its own clock.
        let mut hands_ms = None;
        // What was settled up to here the turn before knew.
        let mut known = 0;
        for (seq, turn) in log.turns() {
            let mut events = log.arrivals().map(|(_, arrival)| arrival);
            let arrival = events.find(|it| it.event.id == turn.event);
            let since = log.settled().filter(|(at, _)| known < *at && *at < seq);
            if let Some(settled) = since.filter_map(|(_, it)| it.owner).last() {
                owner = settled;
                owners.push(settled);
            }
            // The vendor may say with an event who has the conversation.
            owners.extend(arrival.and_then(|it| it.owner));
            let reopens = self.site.channel_of(conversation).rules.policy.reopens;
            if reopens && owners.contains(&Owner::Ended) {
                owners.push(Owner::Bot);
            }
            let body = arrival.map(|it| &it.event.body);
            let runs = body.is_none_or(|body| owners.iter().any(|owner| owner.runs(body)));
            let ran = matches!(turn.outcome, Outcome::Ran { .. } | Outcome::Failed { .. });
            assert!(runs || !ran, "the bot ran on {} without having the conversation", turn.event);
            let skipped = turn.outcome == Outcome::Skipped(SkipReason::NotOwner);
            let only_bot = owners.iter().all(|owner| *owner == Owner::Bot);
            // Of what was overtaken the bot hears with the next event.
            let said_ms = arrival.and_then(|it| it.event.vendor_ms);
            let overtaken = body.is_some_and(is_of_hands)
                && said_ms.zip(hands_ms).is_some_and(|(said, last)| said < last);
            let kept = skipped && only_bot && !overtaken;
            assert!(!kept, "{} was kept from the bot", turn.event);
            let begins_anew = reopens && owner == Owner::Ended;
            let changes = |it: &&Arrival| {
                !it.by_host && (changes_hands(it, owner) || begins_anew && is_anew(&it.event.body))
            };
            if let Some(arrival) = arrival.filter(changes) {
                hands_ms = hands_ms.max(arrival.event.vendor_ms);
            }
            owner = turn.state.owner;
            owners = vec![owner];
            known = turn.base;
        }
    }
}

/// Whether an event is about who has the conversation.
fn is_of_hands(body: &EventBody) -> bool {
    matches!(body, EventBody::HumanSpoke(_) | EventBody::Returned(_) | EventBody::ForwardFailed(_))
}

/// Whether a person who says this begins what was over.
fn is_anew(body: &EventBody) -> bool {
    body.is_speech() || matches!(body, EventBody::Start(_))
}

/// Whether the vendor says with an event that somebody else has the conversation than its
/// `owner`. It may not have heard yet that the bot handed it over.
fn changes_hands(arrival: &Arrival, owner: Owner) -> bool {
    let unheard = matches!(owner, Owner::HandingOff | Owner::Relay);
    let says = |said: Owner| said != owner && !(said == Owner::Bot && unheard);
    is_of_hands(&arrival.event.body) || arrival.owner.is_some_and(says)
}

/// What a turn itself wants done.
pub(super) fn own(turn: &Turn) -> impl Iterator<Item = &Row> {
    turn.state.rows.iter().filter(move |row| row.turn == turn.id)
}

/// Events that the host makes itself and that have no entry before their turn.
pub(super) fn is_own(id: &EventId) -> bool {
    let id = id.as_str();
    let stems = ["timer.", "timeout.", "returns.", SILENCE];
    id.ends_with("-start") || stems.iter().any(|stem| id.starts_with(stem))
}

/// The timer that an event tells of.
pub(super) fn timer(arrival: &Arrival) -> Option<(&str, u64)> {
    match &arrival.event.body {
        EventBody::Timer(timer) => Some((&timer.name, timer.due_ms)),
        EventBody::Start(_)
        | EventBody::Message(_)
        | EventBody::Click(_)
        | EventBody::Media(_)
        | EventBody::Location(_)
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
