//! How a run ends: nothing goes wrong any more, and everything comes to rest.

use botyard_kernel::outbox::Paused;
use botyard_kernel::owner::Owner;

use crate::webhook::{Saying, State};
use crate::world::{Step, World};

/// A run that needs more steps than this never comes to rest.
const STEPS_MAX: usize = 60_000;

impl World {
    /// The eventful part: until everybody has done what they had in mind.
    pub(crate) fn live(&mut self) -> usize {
        let mut steps = 0;
        while self.steps.values().any(is_planned) && steps < STEPS_MAX {
            self.step();
            steps += 1;
        }
        steps
    }

    /// Everything comes to rest: first all conversations but the stuck one.
    pub(crate) fn come_to_rest(&mut self) -> usize {
        self.tell(|| "nothing goes wrong any more".to_owned());
        self.calm = true;
        self.paused.fill(Paused::default());
        for channel in 0..self.site.channels.len() {
            self.pass_on(channel, Paused::default());
        }
        let mut steps = self.rest(self.stuck);
        self.stuck = None;
        for step in std::mem::take(&mut self.held) {
            self.after(0, step);
        }
        steps += self.rest(None);
        // Whoever else had a conversation gives it back, so that the bot hears what it
        // has missed.
        for _ in 0..2 {
            for conversation in 0..self.logs.len() {
                if !self.logs[conversation].state().skipped.is_empty() {
                    let at_desk = self.logs[conversation].state().at_desk;
                    let manner = self.site.channel_of(conversation).line.manner();
                    let saying = if at_desk {
                        Saying::DeskReturns
                    } else if self.has_external(conversation) {
                        Saying::ExternalLeaves
                    } else {
                        manner.gives_back
                    };
                    self.say(conversation, saying);
                }
            }
            steps += self.rest(None);
        }
        steps
    }

    /// Whether an external bot has a conversation, and can say that it is done.
    fn has_external(&self, conversation: usize) -> bool {
        let is_reached = self.site.channel_of(conversation).is_reached;
        is_reached && self.logs[conversation].state().owner == Owner::Relay
    }

    fn rest(&mut self, stuck: Option<usize>) -> usize {
        for steps in 0..STEPS_MAX {
            if self.is_at_rest(stuck) {
                return steps;
            }
            assert!(self.step(), "nothing happens any more");
        }
        let lanes = self.host.iter().flat_map(|host| host.lanes.keys()).collect::<Vec<_>>();
        let due: Vec<_> = self.logs.iter().map(botyard_log::Log::due).collect();
        panic!("it never comes to rest: in memory {lanes:?}, due {due:?}");
    }

    /// Whether nothing is left to do but for the stuck conversation.
    fn is_at_rest(&self, stuck: Option<usize>) -> bool {
        let Some(host) = &self.host else { return false };
        let other = |conversation: &usize| Some(*conversation) != stuck;
        host.lanes.keys().all(|lane| !other(lane))
            && self.steps.values().all(|step| self.is_idle(step, stuck))
            && self
                .webhooks
                .iter()
                .filter(|webhook| webhook.parts.iter().all(other))
                .all(|webhook| webhook.state == State::Answered)
            && (0..self.logs.len()).filter(other).all(|it| self.logs[it].due().is_none())
    }

    /// Whether a step is none of any conversation's but the stuck one's.
    fn is_idle(&self, step: &Step, stuck: Option<usize>) -> bool {
        match step {
            Step::Sweep | Step::Permits => true,
            Step::Leave { connection } => self
                .connections
                .get(connection)
                .is_none_or(|open| open.waits.iter().all(|it| Some(it.conversation) == stuck)),
            Step::Post { webhook, .. } => {
                self.webhooks[*webhook].parts.iter().all(|it| Some(*it) == stuck)
            }
            Step::RunEnds { run } => Some(run.conversation) == stuck,
            Step::Say { conversation, .. }
            | Step::Read { conversation, .. }
            | Step::Write { conversation, .. }
            | Step::Tell { conversation, .. }
            | Step::Call { conversation, .. }
            | Step::Ask { conversation, .. }
            | Step::Acknowledge { conversation, .. }
            | Step::OutOfTime { conversation, .. }
            | Step::Wake { conversation, .. }
            | Step::Foreign { conversation }
            | Step::Redrive { conversation } => Some(*conversation) == stuck,
            Step::Handed { .. } | Step::Boot | Step::Pause { .. } => false,
        }
    }
}

/// What was planned for the eventful part.
fn is_planned(step: &Step) -> bool {
    matches!(
        step,
        Step::Say { .. } | Step::Foreign { .. } | Step::Pause { .. } | Step::Redrive { .. }
    )
}
