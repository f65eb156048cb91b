//! How a host dies: between two steps. What it had asked for may have happened all
//! the same.

use std::collections::BTreeSet;

use botyard_kernel::id::PartId;
use botyard_kernel::time::SECOND;

use crate::rides::Item;
use crate::world::{At, Step, World};

impl World {
    pub(crate) fn crash(&mut self) {
        self.tell(|| "the host dies".to_owned());
        self.crashes += 1;
        self.host = None;
        let asked: Vec<At> =
            self.steps.iter().filter(|(_, it)| dies(it)).map(|(at, _)| *at).collect();
        let asked: Vec<Step> = asked.into_iter().filter_map(|at| self.steps.remove(&at)).collect();
        let held = std::mem::take(&mut self.held);
        for step in asked.into_iter().chain(held) {
            if self.chance.percent(50) {
                self.survive(step);
            }
        }
        let open: Vec<_> = self.connections.keys().copied().collect();
        for connection in open {
            self.hang_up(connection);
        }
        self.doubt_what_is_not_settled();
        self.hold_what_is_claimed();
        // A host that starts takes longer than the pause between an answer and a call.
        let pause = SECOND / 2 + self.chance.below(5 * SECOND);
        self.after(pause, Step::Boot);
    }

    /// What was under way and happens although nobody is there any more to hear of it.
    fn survive(&mut self, step: Step) {
        if let Step::Write { conversation, life: _, write } = step {
            self.do_write(conversation, write);
        } else if let Step::Call { conversation, life, left } = step {
            // The bytes had left; the next host cannot know.
            let held = self.site.channel_of(conversation).rules.delivery.hold_ambiguous;
            let desk = &mut self.desks[conversation];
            desk.doubt(&left.rows);
            if held {
                desk.give_up(&left.rows);
            }
            let pause = crate::chance::pause(&mut self.chance, 2_000);
            self.after(pause, Step::Call { conversation, life, left });
        } else if let Step::Ask { conversation, life, asking } = step {
            let pause = crate::chance::pause(&mut self.chance, 2_000);
            self.after(pause, Step::Ask { conversation, life, asking });
        } else if let Step::Handed { connection, whole: _ } = step
            && let Some(open) = self.connections.remove(&connection)
        {
            for wait in &open.waits {
                self.waits.remove(&wait.request);
            }
            let conversation = open.waits[0].conversation;
            let reply = open.waits.into_iter().next().and_then(|wait| wait.reply);
            let answer = reply.unwrap_or_default();
            let webhook = if open.duplicate { usize::MAX } else { open.webhook };
            let read_ms = &mut self.desks[conversation].read_ms;
            *read_ms = self.now.max(*read_ms + 1);
            let pause = *read_ms - self.now;
            self.after(pause, Step::Read { webhook, conversation, answer });
        }
    }

    /// What vendors have, or are about to read, and the logs do not know of is sent
    /// again.
    fn doubt_what_is_not_settled(&mut self) {
        let mut all = BTreeSet::new();
        for (log, desk) in self.logs.iter().zip(&mut self.desks) {
            let ended: BTreeSet<&PartId> =
                log.settled().flat_map(|(_, it)| it.rows.iter().map(|(id, _)| id)).collect();
            let received = desk.received.iter().map(|(item, _)| item);
            let doubtful = received.filter(|item| !ended.contains(&item.part));
            desk.may_repeat.extend(doubtful.cloned().collect::<Vec<_>>());
            all.extend(ended.into_iter().cloned());
        }
        self.external.doubt(&all);
        for step in self.steps.values() {
            if let Step::Read { conversation, answer, .. } = step {
                let log = &self.logs[*conversation];
                let ended = |id: &PartId| {
                    log.settled().any(|(_, it)| it.rows.iter().any(|(ended, _)| ended == id))
                };
                let doubtful = answer.rows.iter().filter(|row| !ended(&row.id));
                self.desks[*conversation].may_repeat.extend(doubtful.map(Item::of));
            }
        }
    }

    /// A call that was about to leave may have left: some channels do not repeat it.
    fn hold_what_is_claimed(&mut self) {
        for (conversation, log) in self.logs.iter().enumerate() {
            if self.site.channel_of(conversation).rules.delivery.hold_ambiguous {
                self.desks[conversation].held.extend(log.state().claimed);
            }
        }
    }
}

/// Whether nobody is there any more to hear of a step.
fn dies(step: &Step) -> bool {
    match step {
        Step::Handed { .. }
        | Step::Write { .. }
        | Step::Tell { .. }
        | Step::RunEnds { .. }
        | Step::Call { .. }
        | Step::Ask { .. }
        | Step::Acknowledge { .. }
        | Step::Wake { .. }
        | Step::OutOfTime { .. }
        | Step::Permits
        | Step::Sweep => true,
        Step::Say { .. }
        | Step::Post { .. }
        | Step::Leave { .. }
        | Step::Read { .. }
        | Step::Boot
        | Step::Foreign { .. }
        | Step::Pause { .. }
        | Step::Redrive { .. } => false,
    }
}
