//! Single stories of too much: turns without end, and what the store does not take.

use botyard_kernel::action::{Action, Request, Schedule};
use botyard_kernel::lane::{TURN_RATE, UNPROMPTED_RATE};
use botyard_kernel::log::Outcome;
use botyard_kernel::time::MINUTE;

use crate::bot;
use crate::jobs::Job;
use crate::scenarios::{say, userlike};
use crate::vendor::Kind;
use crate::world::World;

impl World {
    /// The bot answers everything of its own making, told by a part of its name, like this.
    fn live_with(&mut self, answer: impl Fn(&str) -> Option<Vec<Action>>) {
        for _ in 0..2_000 {
            let Some(job) = self.jobs.first() else { return };
            if let Job::Run { event, .. } = job {
                let token = bot::token(event);
                if let Some(actions) = answer(&token) {
                    self.script.get_or_insert_default().insert(token, actions);
                }
            }
            self.end_job(0);
        }
        panic!("nothing holds it back");
    }

    fn runs_on(&self, stem: &str) -> usize {
        let ran = |outcome: &Outcome| matches!(outcome, Outcome::Ran { .. });
        self.log.turns().filter(|(_, t)| t.event.as_str().contains(stem) && ran(&t.outcome)).count()
    }
}

fn again() -> Vec<Action> {
    vec![Action::Schedule(Schedule { name: "n".into(), after_ms: 0, payload: None })]
}

fn ask() -> Vec<Action> {
    vec![Action::Request(Request {
        name: "of:again".to_owned(),
        method: "GET".to_owned(),
        url: "https://shop.example/".to_owned(),
        headers: Vec::new(),
        body: None,
        timeout_ms: None,
    })]
}

#[test]
fn a_bot_that_asks_itself_again_and_again_is_slowed_down_and_loses_nothing() {
    for (stem, actions) in [("timer", again()), ("response", ask())] {
        let mut world = userlike([("w1p0", actions.clone())]);
        world.say(Kind::Message);
        let answer = |token: &str| token.starts_with(stem).then(|| actions.clone());
        world.live_with(answer);
        assert_eq!(world.runs_on(stem), UNPROMPTED_RATE.calls, "no more {stem}s within a minute");
        let next = world.lane.wake_at(world.now).expect("it goes on");
        assert_eq!(next, world.now + MINUTE);
        world.sleep_until(next);
        world.live_with(answer);
        assert_eq!(world.runs_on(stem), 2 * UNPROMPTED_RATE.calls);
    }
}

#[test]
fn a_loop_of_the_bot_does_not_slow_what_people_say_before_it() {
    let mut world = userlike([("w1p0", again()), ("w2p0", vec![say("b")])]);
    world.say(Kind::Message);
    world.live_with(|token| token.starts_with("timer").then(again));
    assert!(world.lane.wake_at(world.now).is_some_and(|at| at > world.now));
    world.say(Kind::Message);
    world.live_with(|token| token.starts_with("timer").then(again));
    assert_eq!(world.runs_on("w2p0"), 1);
}

#[test]
fn six_hundred_turns_a_minute_are_enough_for_anybody() {
    let mut world = userlike([]);
    while world.ran() < TURN_RATE.calls {
        let before = world.ran();
        world.say(Kind::Message);
        world.end_all();
        assert_eq!(world.ran(), before + 1);
    }
    world.say(Kind::Message);
    world.end_all_but(|_| false);
    // The event is accepted all the same.
    world.sleep_until(world.now + 20);
    world.end_all();
    assert_eq!((world.ran(), world.log.waiting(0).count()), (TURN_RATE.calls, 1));
    world.sleep_until(world.now + MINUTE);
    world.end_all();
    assert_eq!(world.ran(), TURN_RATE.calls + 1);
}
