//! How a run ends: nothing goes wrong any more, and everything comes to rest.

use botyard_kernel::owner::Owner;

use crate::vendor::{Kind, State};
use crate::world::World;

/// A lane that needs more steps than this never comes to rest.
const STEPS_MAX: usize = 3_000;

impl World {
    pub(crate) fn come_to_rest(&mut self) {
        self.calm = true;
        for _ in 0..STEPS_MAX {
            if !self.jobs.is_empty() {
                self.end_job(0);
            } else if let Some(n) = self.failed_webhook() {
                // The vendor waits a little before it tries again.
                self.sleep_until(self.now + 1_000);
                self.deliver(n);
            } else if let Some(at) = self.lane.wake_at(self.now) {
                self.sleep_until(at);
            } else if self.somebody_waits_unseen() {
                self.begin_anew();
            } else if self.lane.state().owner != Owner::Bot || !self.lane.state().skipped.is_empty()
            {
                self.say(Kind::Returned);
            } else {
                assert!(self.lane.is_idle(), "the lane is at rest but not idle: {:?}", self.lane);
                assert!(
                    self.open.is_empty(),
                    "somebody still waits for an answer: {:?}",
                    self.open
                );
                return;
            }
        }
        panic!("the lane never comes to rest: {:#?}", self.lane);
    }

    fn failed_webhook(&self) -> Option<usize> {
        self.vendor.webhooks.iter().position(|webhook| webhook.state == State::Failed)
    }

    /// Events of another host that this lane has not heard of.
    fn somebody_waits_unseen(&self) -> bool {
        let watermark = self.log.turns().last().map_or(0, |(_, turn)| turn.watermark);
        self.log.waiting(watermark).next().is_some()
    }
}
