//! What vendors were told besides: that an event was taken, that something was delivered.

use std::collections::BTreeSet;

use botyard_kernel::log::{Outcome, Row, RowEnd, SkipReason, Turn};
use botyard_kernel::owner::Owner;
use botyard_kernel::time::Millis;

use super::deliveries::rows;
use crate::desk::Desk;
use crate::vendors::Line;
use crate::world::World;

impl World {
    pub(super) fn acknowledgements_left_in_order(&self, conversation: usize) {
        let log = &self.logs[conversation];
        let mut made = Vec::new();
        for (_, turn) in log.turns() {
            let new = turn.state.acknowledgements.iter();
            made.extend(new.filter(|it| it.id.as_str().starts_with(turn.id.as_str())));
        }
        let done: BTreeSet<_> = log.settled().flat_map(|(_, it)| &it.acknowledged).collect();
        let left = made.iter().find(|it| !done.contains(&it.id));
        assert!(left.is_none(), "an acknowledgement never ended: {left:?}");
        let place = |token: &String| made.iter().position(|made| made.token == *token);
        let mut first = BTreeSet::new();
        let told = self.desks[conversation].acknowledged.iter().filter(|it| first.insert(*it));
        let line = &self.site.channel_of(conversation).line;
        let taken = told.filter(|token| line.echo_of(token).is_none());
        assert!(taken.map(place).is_sorted(), "acknowledgements overtook each other");
    }

    /// What follows from a delivery is told, and nothing of what was not delivered.
    pub(super) fn deliveries_were_echoed(&self, conversation: usize) {
        let log = &self.logs[conversation];
        let wanted: Vec<_> = log.settled().flat_map(|(_, it)| &it.follow_ups).collect();
        let done: BTreeSet<_> = log.settled().flat_map(|(_, it)| &it.acknowledged).collect();
        let left = wanted.iter().find(|it| !done.contains(&it.id));
        assert!(left.is_none(), "an echo never ended: {left:?}");
        // One may have left just before a crash forgot that its call was answered.
        let desk = &self.desks[conversation];
        let line = &self.site.channel_of(conversation).line;
        let received: BTreeSet<_> =
            desk.received.iter().map(|(item, _)| item.part.as_str()).collect();
        let mut echoed = desk.acknowledged.iter().filter_map(|token| line.echo_of(token));
        assert!(echoed.all(|part| received.contains(&*part)), "an echo of what nobody got");
        let delivered: BTreeSet<&str> = log
            .settled()
            .flat_map(|(_, settled)| &settled.rows)
            .filter(|(_, end)| *end == RowEnd::Delivered)
            .map(|(part, _)| part.as_str())
            .collect();
        let mut wanted = wanted.iter().filter_map(|it| line.echo_of(&it.token));
        let all = wanted.all(|part| delivered.contains(&*part));
        assert!(all, "an echo of what was not delivered");
    }

    /// Whatever a person said and a bot took, ours or an external one through us, is
    /// claimed where the vendor wants that, and what somebody else has taken is not: as
    /// the vendor has heard it, and not as the log says.
    pub(super) fn what_was_taken_was_claimed(&self, conversation: usize) {
        let (log, desk) = (&self.logs[conversation], &self.desks[conversation]);
        let (line, age_max_ms) = self.line_and_age(conversation);
        let heard: BTreeSet<String> =
            desk.acknowledged.iter().filter_map(|token| line.taken_of(token)).collect();
        for (_, turn) in log.turns() {
            let Some(object) = self.awaited_of(line, turn) else { continue };
            let came = log.arrivals().map(|(_, it)| it).find(|it| it.event.id == turn.event);
            let came_ms = came.map_or(0, |it| it.event.received_ms);
            let refused =
                is_refused(desk, line, |token| line.taken_of(token) == Some(object.clone()));
            let late = || {
                self.ended_late(conversation, &format!("{}.taken", turn.id), came_ms + age_max_ms)
            };
            match &turn.outcome {
                Outcome::Ran { .. }
                | Outcome::Failed { .. }
                | Outcome::Skipped(
                    SkipReason::Superseded | SkipReason::NextPage | SkipReason::Relayed,
                ) => {
                    // When it was said somebody else had the conversation, by the vendor's
                    // word, and it is theirs, however late the bot hears of it.
                    let theirs = came.is_some_and(|it| it.owner == Some(Owner::Human));
                    let told = heard.contains(&object) || refused || theirs || late();
                    assert!(told, "{} was taken by a bot and never claimed", turn.event);
                }
                Outcome::Skipped(SkipReason::NotOwner) => {
                    assert!(!heard.contains(&object), "{} was claimed from others", turn.event);
                }
                Outcome::Skipped(
                    SkipReason::Duplicate
                    | SkipReason::NoSession
                    | SkipReason::HostHandOff
                    | SkipReason::SessionTimeout,
                ) => {}
            }
        }
    }

    /// Whatever was delivered is echoed where the vendor wants that.
    pub(super) fn what_was_delivered_was_echoed(&self, conversation: usize) {
        let (log, desk) = (&self.logs[conversation], &self.desks[conversation]);
        let (line, age_max_ms) = self.line_and_age(conversation);
        let echoed: BTreeSet<String> =
            desk.acknowledged.iter().filter_map(|token| line.echo_of(token)).collect();
        let awaited: Vec<Row> = rows(log).into_iter().filter(|row| line.awaits_echo(row)).collect();
        for (_, settled) in log.settled() {
            for (part, end) in &settled.rows {
                let awaited = awaited.iter().any(|row| row.id == *part);
                if *end != RowEnd::Delivered || !awaited {
                    continue;
                }
                let is_it = |token: &str| line.echo_of(token).as_deref() == Some(part.as_str());
                let late = || {
                    let last_ms = settled.at_ms + age_max_ms;
                    self.ended_late(conversation, &format!("{part}.follows."), last_ms)
                };
                let told =
                    echoed.contains(part.as_str()) || is_refused(desk, line, is_it) || late();
                assert!(told, "{part} was delivered and never echoed");
            }
        }
    }

    /// By what the vendor wants to hear of the event of a turn.
    fn awaited_of(&self, line: &dyn Line, turn: &Turn) -> Option<String> {
        let (n, rest) = turn.event.as_str().strip_prefix('w')?.split_once('p')?;
        let (n, part): (usize, usize) = (n.parse().ok()?, rest.split_once('t')?.0.parse().ok()?);
        line.awaits(self.webhooks.get(n)?.saying, n, part)
    }

    fn line_and_age(&self, conversation: usize) -> (&dyn Line, Millis) {
        let channel = self.site.channel_of(conversation);
        (&*channel.line, channel.rules.delivery.age_max_ms)
    }

    /// Whether news of this name came to their end only when they were too old.
    fn ended_late(&self, conversation: usize, stem: &str, last_ms: Millis) -> bool {
        let ended = self.logs[conversation].settled().filter(|(_, it)| it.at_ms > last_ms);
        ended.flat_map(|(_, it)| &it.acknowledged).any(|id| id.as_str().starts_with(stem))
    }
}

/// Whether the vendor has refused to hear of it so often that nobody need try again.
fn is_refused(desk: &Desk, line: &dyn Line, is_it: impl Fn(&str) -> bool) -> bool {
    let refused = desk.refused.iter().filter(|(_, count)| **count >= line.refusals_max());
    refused.into_iter().any(|(token, _)| is_it(token))
}
