//! How the lives of rows ended that were not delivered: never without a reason that the
//! world outside knows, and never in silence.

use std::collections::BTreeSet;

use botyard_kernel::action::Action;
use botyard_kernel::event::{Event, EventBody};
use botyard_kernel::log::{
    Arrival, Entry, HandOff, Outcome, Row, RowEnd, Seq, Settled, SkipReason, Turn,
};
use botyard_kernel::outbox::WAITING_BYTES_MAX;
use botyard_kernel::owner::Owner;
use botyard_kernel::plan::{Reach, reach};
use botyard_kernel::relay::Ask;
use botyard_log::Log;

use super::deliveries::became;
use super::turns::own;
use crate::asks::ask_of;
use crate::desk::Desk;
use crate::rides::pieces;
use crate::webhook::Saying;
use crate::world::World;

impl World {
    /// Every end of a row that was not delivered has its reason.
    pub(super) fn nothing_was_given_up_without_a_reason(&self, conversation: usize) {
        let (log, desk) = (&self.logs[conversation], &self.desks[conversation]);
        for (made, turn) in log.turns() {
            for row in &own(turn).flat_map(|row| became(log, row)).collect::<Vec<_>>() {
                for (seq, settled) in log.settled() {
                    match settled.rows.iter().find(|(id, _)| *id == row.id) {
                        Some((_, RowEnd::Dead(why))) => {
                            let again = desk.redriven.contains(&row.id);
                            let may = again || self.may_die(conversation, row, seq, settled);
                            assert!(may, "{} was given up: {why}", row.id);
                            // Of a hand-off that nobody waits for any more nobody is told.
                            let over = hands_over(row)
                                && (self.was_taken(conversation, turn, made, seq)
                                    || self.is_obsolete(conversation, turn, made, seq));
                            let told = over || self.is_told(conversation, row, settled);
                            assert!(told, "nobody was told that {} was given up: {why}", row.id);
                        }
                        Some((_, RowEnd::Quarantined)) if ask_of(row).is_some() => {
                            let gone = self.has_no_external(conversation, row, seq);
                            assert!(gone, "{} was not asked, and whom it asks is there", row.id);
                        }
                        Some((_, RowEnd::Quarantined)) => {
                            assert_eq!(
                                reach(&row.action),
                                Reach::Person,
                                "{} is no speech",
                                row.id
                            );
                            let taken = self.was_taken(conversation, turn, made, seq);
                            let obsolete =
                                hands_over(row) && self.is_obsolete(conversation, turn, made, seq);
                            let reason = taken || obsolete;
                            assert!(reason, "{} was quarantined, and nobody took it", row.id);
                        }
                        Some((_, RowEnd::Delivered)) | None => {}
                    }
                }
            }
        }
    }

    /// Who is said to have taken or ended a conversation has done so.
    pub(super) fn nobody_took_it_but_who_did(&self, conversation: usize) {
        let desk = &self.desks[conversation];
        for (_, arrival) in self.logs[conversation].arrivals() {
            let id = arrival.event.id.as_str();
            let of = |end: &str| id.strip_prefix('e').and_then(|id| id.strip_suffix(end));
            let real = match &arrival.event.body {
                EventBody::HumanSpoke(_) => {
                    self.is_said(id, Saying::HumanSpoke)
                        || self.is_said(id, Saying::Takes)
                        || desk.told_taken.iter().any(|row| of(".taken") == Some(row.as_str()))
                }
                EventBody::Ended(_) => {
                    self.is_said(id, Saying::Closed)
                        || desk.told_gone.iter().any(|row| of(".ended") == Some(row.as_str()))
                }
                EventBody::Start(_)
                | EventBody::Message(_)
                | EventBody::Click(_)
                | EventBody::Media(_)
                | EventBody::Location(_)
                | EventBody::Timer(_)
                | EventBody::Response(_)
                | EventBody::Signal(_)
                | EventBody::ForwardFailed(_)
                | EventBody::Returned(_)
                | EventBody::CampaignUnsubscribe(_)
                | EventBody::DeliveryFailed(_)
                | EventBody::Other(_) => true,
            };
            assert!(real, "{id} says {}, and it is not so", arrival.event.body.name());
        }
    }

    /// Whether an event is that of a webhook in which somebody did this.
    fn is_said(&self, id: &str, saying: Saying) -> bool {
        self.webhook_of(id).is_some_and(|webhook| webhook.saying == saying)
    }

    fn may_die(&self, conversation: usize, row: &Row, seq: Seq, settled: &Settled) -> bool {
        let (desk, channel) = (&self.desks[conversation], self.site.channel_of(conversation));
        let age_max_ms = channel.line.waits_for_person(desk);
        let age_max_ms = age_max_ms.unwrap_or(channel.rules.delivery.age_max_ms);
        let too_old = settled.at_ms >= row.made_ms + age_max_ms;
        let nobody = row.hand_off == Some(HandOff::Nobody);
        let too_much = || self.waiting_bytes(conversation, seq) > WAITING_BYTES_MAX;
        let refused = [&desk.refused_rows, &desk.told_taken, &desk.held];
        too_old
            || nobody
            || too_much()
            || refused.iter().any(|rows| rows.contains(&row.id))
            || is_gone(desk, settled)
    }

    /// How much of a conversation waits for its delivery at a place of its log.
    fn waiting_bytes(&self, conversation: usize, seq: Seq) -> usize {
        let log = &self.logs[conversation];
        let (mut ended, mut by_call) = (BTreeSet::new(), BTreeSet::new());
        for (_, settled) in log.settled().filter(|(at, _)| *at < seq) {
            ended.extend(settled.rows.iter().map(|(part, _)| part));
            by_call.extend(&settled.by_call);
            for row in &settled.revived {
                ended.remove(&row.id);
            }
        }
        let turns = log.turns().filter(|(at, _)| *at < seq);
        let rows = turns.flat_map(|(_, turn)| own(turn));
        let rows = rows.filter(|row| !matches!(row.action, Action::Request(_)));
        let rows =
            rows.flat_map(
                |row| {
                    if by_call.contains(&row.id) { pieces(row) } else { vec![row.clone()] }
                },
            );
        rows.filter(|row| !ended.contains(&row.id)).map(|row| row.bytes()).sum()
    }

    /// Whether whoever wanted a row hears that it was given up.
    fn is_told(&self, conversation: usize, row: &Row, settled: &Settled) -> bool {
        let events = || self.logs[conversation].arrivals().map(|(_, it)| &it.event);
        let ended = |id: &str| settled.rows.iter().any(|(row, _)| id == format!("e{row}.ended"));
        let is_end = |it: &Event| matches!(it.body, EventBody::Ended(_)) && ended(it.id.as_str());
        // A host that died before it heard of the end may have heard something else.
        if is_gone(&self.desks[conversation], settled) && events().any(is_end) {
            return true;
        }
        let stem = format!("e{}.failed.", row.id);
        let mut failed = events().filter(|it| it.id.as_str().starts_with(&stem));
        match &row.action {
            Action::Forward(_) | Action::Abort => {
                failed.any(|it| matches!(it.body, EventBody::ForwardFailed(_)))
            }
            Action::Delay(_) | Action::Typing(_) => true,
            _ if row.quiet => failed.next().is_none(),
            _ => failed.any(|it| matches!(&it.body, EventBody::DeliveryFailed(failed) if failed.part == row.id.as_str())),
        }
    }

    /// Whether somebody took the conversation from the bot after it had made a turn, and
    /// before `seq`, or the vendor said so.
    fn was_taken(&self, conversation: usize, turn: &Turn, made: Seq, seq: Seq) -> bool {
        let (log, desk) = (&self.logs[conversation], &self.desks[conversation]);
        let arrival = |turn: &Turn| arrival_of(log, turn);
        let mut since = log.entries().filter(|(at, _)| *at > turn.base && *at <= seq);
        since.any(|(at, entry)| match entry {
            Entry::Turn(other) => {
                at != made
                    && (other.outcome == Outcome::Skipped(SkipReason::SessionTimeout)
                        || arrival(other).is_some_and(takes))
            }
            Entry::Settled(settled) => {
                settled.owner == Some(Owner::Human)
                    || settled.rows.iter().any(|(row, _)| desk.told_taken.contains(row))
            }
            Entry::Accepted(_) | Entry::Called(_) => false,
        })
    }

    /// Whether the external bot that a row asks has lost the conversation before `seq`, or
    /// got it anew.
    fn has_no_external(&self, conversation: usize, row: &Row, seq: Seq) -> bool {
        let log = &self.logs[conversation];
        let since = log.turns().skip_while(|(_, turn)| turn.id != row.turn);
        let mut since = since.take_while(|(at, _)| *at < seq);
        let begins = |row: &Row| matches!(ask_of(row), Some(Ask::Start(_)));
        let anew = |turn: &Turn| {
            let own = |it: &&Row| it.turn == turn.id && it.turn != row.turn;
            turn.state.rows.iter().any(|it| own(&it) && begins(it))
        };
        since.any(|(_, turn)| turn.state.owner != Owner::Relay || anew(turn))
    }

    /// Whether a hand-off that waits is of the past: somebody has given the conversation
    /// back after it was made and before `seq`, or the bot has handed over once more.
    fn is_obsolete(&self, conversation: usize, turn: &Turn, made: Seq, seq: Seq) -> bool {
        let log = &self.logs[conversation];
        let arrival = |turn: &Turn| arrival_of(log, turn);
        let mut since = log.turns().filter(|(at, _)| *at > turn.base && *at <= seq && *at != made);
        since.any(|(_, other)| {
            let own = |row: &&Row| row.turn == other.id && hands_over(row);
            arrival(other).is_some_and(gives_back) || other.state.rows.iter().any(|row| own(&row))
        })
    }
}

/// The arrival that a turn handles.
fn arrival_of<'a>(log: &'a Log, turn: &Turn) -> Option<&'a Arrival> {
    let mut all = log.arrivals().map(|(_, arrival)| arrival);
    all.find(|arrival| arrival.event.id == turn.event)
}

fn hands_over(row: &Row) -> bool {
    matches!(row.action, Action::Forward(_) | Action::Abort)
}

/// Whether the bot has the conversation again with this. The vendor's word that the bot has it
/// says nothing while a hand-off waits: it may not have heard of that. Where somebody had
/// taken it meanwhile, that is the reason.
fn gives_back(arrival: &Arrival) -> bool {
    matches!(arrival.event.body, EventBody::Returned(_) | EventBody::ForwardFailed(_))
}

/// Whether the vendor said to one of the calls that end here that it is over.
fn is_gone(desk: &Desk, settled: &Settled) -> bool {
    settled.rows.iter().any(|(row, _)| desk.told_gone.contains(row))
}

/// Whether somebody else has the conversation with this.
fn takes(arrival: &Arrival) -> bool {
    matches!(arrival.owner, Some(Owner::Human | Owner::Ended))
        || matches!(arrival.event.body, EventBody::HumanSpoke(_) | EventBody::Ended(_))
}
