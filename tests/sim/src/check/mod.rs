//! What must hold, read from the logs and from what vendors saw.

mod deliveries;
mod ends;
mod menus;
mod news;
mod relays;
mod said;
mod state;
mod turns;

use std::collections::BTreeSet;

use botyard_kernel::event::EventBody;
use botyard_kernel::lane::Lane;
use botyard_kernel::log::{Arrival, Row, RowEnd, Seq, Turn};
use botyard_kernel::outbox::RequestId;
use botyard_kernel::owner::Owner;
use botyard_kernel::plan::{Reach, reach};

use botyard_kernel::retry::RETRY_AFTER_MAX_MS;
use botyard_kernel::time::MINUTE;
use botyard_log::Log;

use crate::external;
use crate::rides::Item;
use crate::webhook::Webhook;
use crate::world::{ConnectionId, World};

/// Whether it was settled between the turn before and the one at this place that somebody
/// else has the conversation.
fn was_settled_away(log: &Log, at: Seq) -> bool {
    let before = log.turns().take_while(|(seq, _)| *seq < at).last();
    let known = before.map_or(0, |(_, turn)| turn.base);
    log.settled().any(|(seq, it)| known < seq && seq < at && it.owner.is_some())
}

impl World {
    /// Everything, once all is at rest.
    pub(crate) fn check(&self) {
        for conversation in 0..self.logs.len() {
            external::rule(|| {
                self.external_bots_and_persons_heard_each_other(conversation);
                self.external_bots_were_told_in_order(conversation);
            });
        }
        for conversation in 0..self.logs.len() {
            self.every_event_has_one_turn_in_order(conversation);
            self.what_was_answered_first_comes_first(conversation);
            self.the_bot_was_told_everything_in_order(conversation);
            self.owners_were_respected(conversation);
            self.timers_fired_once(conversation);
            self.contexts_follow_from_the_turns(conversation);
            self.rows_reached_the_vendor_in_order(conversation);
            self.pieces_came_one_after_the_other(conversation);
            self.persons_saw_what_was_meant(conversation);
            self.what_bots_said_became_rows(conversation);
            self.what_rides_has_its_place(conversation);
            self.nothing_was_given_up_without_a_reason(conversation);
            self.nobody_took_it_but_who_did(conversation);
            self.requests_were_answered(conversation);
            self.acknowledgements_left_in_order(conversation);
            self.deliveries_were_echoed(conversation);
            self.what_was_taken_was_claimed(conversation);
            self.what_was_delivered_was_echoed(conversation);
            self.logs[conversation].calls_were_answered_once();
            self.the_log_can_be_read_back(conversation);
        }
        self.every_webhook_was_handled_once();
    }

    /// The webhook that brought the event of this id, or what the host makes before it.
    fn webhook_of(&self, event: &str) -> Option<&Webhook> {
        let (n, _) = event.strip_prefix('w')?.split_once('p')?;
        self.webhooks.get(n.parse::<usize>().ok()?)
    }

    /// No 2xx before everything that the webhook brought is on stable storage.
    pub(crate) fn check_durable(&self, connection: ConnectionId, request: RequestId) {
        let Some(open) = self.connections.get(&connection) else { return };
        let Some(wait) = open.waits.iter().find(|wait| wait.request == request) else { return };
        let parts = &self.webhooks[open.webhook].parts;
        for (part, conversation) in parts.iter().enumerate() {
            let own = *conversation == wait.conversation;
            let n = open.webhook;
            assert!(
                !own || self.is_stored(*conversation, n, part),
                "request {request} was answered before part {part} of webhook {n} was stored"
            );
        }
    }

    /// No call leaves before its claim is stored, a call that may be a second one
    /// says so, and nobody speaks where somebody else does.
    pub(crate) fn check_call(&self, conversation: usize, rows: &[Row], again: bool) {
        let log = &self.logs[conversation];
        let claimed = log.settled().filter_map(|(_, it)| it.claimed.as_ref()).last();
        let (line, desk) = (&self.site.channel_of(conversation).line, &self.desks[conversation]);
        // Answers are not claimed: what came in one may leave again unmarked.
        let calls = desk.received.iter().filter(|(_, rode)| !rode);
        let came: BTreeSet<&Item> = calls.map(|(item, _)| item).collect();
        for row in rows {
            let is_claimed = claimed.is_some_and(|claimed| claimed.contains(&row.id));
            assert!(is_claimed, "{} left without its claim", row.id);
            let known = desk.redriven.contains(&row.id) || line.is_repeatable(row);
            let doubtful = came.contains(&Item::of(row)) && !known;
            assert!(again || !doubtful, "{} came again unmarked", row.id);
        }
        let Some(slot) = self.host.as_ref().and_then(|host| host.lanes.get(&conversation)) else {
            return;
        };
        let taken = slot.lane.state().owner == Owner::Human;
        let speech = rows.iter().find(|row| reach(&row.action) == Reach::Person);
        if let Some(row) = speech.filter(|_| taken) {
            panic!("{} was said while a human had the conversation", row.id);
        }
    }

    /// After a hand-off that both ends know of nobody says anything for the bot, unless
    /// somebody has given the conversation back since the bot wanted it handed over.
    pub(crate) fn check_silence(&self, conversation: usize, rows: &[Row]) {
        let (log, desk) = (&self.logs[conversation], &self.desks[conversation]);
        let Some((hand_off, at_ms)) = &desk.handed_over else { return };
        let certain = |row: &&Row| {
            reach(&row.action) == Reach::Person && !desk.may_repeat.contains(&Item::of(row))
        };
        let Some(row) = rows.iter().find(certain) else { return };
        let end = (hand_off.clone(), RowEnd::Delivered);
        if !log.settled().any(|(_, settled)| settled.rows.contains(&end)) {
            return;
        }
        let gives_back = |arrival: &Arrival| {
            // What was written before the hand-off does not take it back.
            let later = arrival.event.vendor_ms.is_none_or(|said| said > *at_ms);
            arrival.owner == Some(Owner::Bot) && later
                || matches!(
                    arrival.event.body,
                    EventBody::Returned(_) | EventBody::ForwardFailed(_) | EventBody::Ended(_)
                )
        };
        let wanted = |turn: &Turn| turn.state.rows.iter().any(|row| row.id == *hand_off);
        let since = log.turns().skip_while(|(_, turn)| !wanted(turn)).skip(1);
        let given_back = since.into_iter().any(|(_, turn)| {
            // What a start of the host's own goes before may not be stored yet.
            let starts = turn.event.as_str().ends_with("-start");
            let mut brought = log.arrivals().filter(|(_, it)| it.event.id == turn.event);
            starts || brought.any(|(_, arrival)| gives_back(arrival))
        });
        assert!(given_back, "{} was said after the hand-off {hand_off}", row.id);
    }

    /// A lane that leaves memory knows what the store knows.
    pub(crate) fn check_known(&self, conversation: usize, lane: &Lane) {
        let log = &self.logs[conversation];
        if log.due() != Some(0) {
            assert!(*lane.state() == log.state(), "lane {conversation} and its log differ");
        }
    }

    /// The store wakes a lane in time that has left memory.
    pub(crate) fn check_asleep(&self, conversation: usize, lane: &Lane) {
        let due = self.logs[conversation].due();
        if due == Some(0) {
            // Another host has accepted an event meanwhile, or turns are paused.
            return;
        }
        if let Some(at) = lane.wake_at(self.now) {
            // What grows too old while nothing may leave is given up a little later.
            let at = at.max(self.now).max(lane.state().closed_until_ms);
            // An earlier lane may know of a longer wait before the next try.
            let at = at + RETRY_AFTER_MAX_MS + MINUTE;
            assert!(due.is_some_and(|due| due <= at), "asleep until {due:?}, due at {at}");
        }
    }
}
