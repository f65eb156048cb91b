//! Single stories of too much: turns without end, and what the store does not take.

use botyard_kernel::action::{Action, Request, Schedule};
use botyard_kernel::lane::{Input, TOO_LARGE_RETRY_MS, TURN_RATE, UNPROMPTED_RATE};
use botyard_kernel::log::Outcome;
use botyard_kernel::run::{Blame, FailureKind};
use botyard_kernel::time::MINUTE;

use crate::bot;
use crate::jobs::Job;
use crate::scenarios::{is_commit, is_run, say, userlike};
use crate::vendor::{Kind, State};
use crate::world::World;

impl World {
    /// The bot answers everything of its own making, told by a part of its name, like this.
    fn live_with(&mut self, answer: impl Fn(&str) -> Option<Vec<Action>>) {
        for _ in 0..2_000 {
            let Some(job) = self.jobs.first() else { return };
            if let Job::Run { turning, .. } = job {
                let token = bot::token(&turning.event);
                if let Some(actions) = answer(&token) {
                    self.script.get_or_insert_default().insert(token, actions);
                }
            }
            self.end_job(0);
        }
        panic!("nothing holds it back");
    }

    /// The store does not take what was to be written.
    fn refuse(&mut self, wanted: impl Fn(&Job) -> bool) {
        let at = self.jobs.iter().position(wanted).expect("it is to be written");
        self.jobs.remove(at);
        self.feed(Input::TooLarge);
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

#[test]
fn a_turn_that_is_too_large_ends_as_a_failure_of_the_bot() {
    let mut world = userlike([("w1p0", vec![say("much")])]);
    world.say(Kind::Message);
    world.end_first(is_run);
    world.refuse(is_commit);
    assert!(!world.jobs.iter().any(is_run), "the same turn would be too large again");
    world.end_first(is_accept);
    world.end_all();
    let (_, turn) = world.log.turns().last().unwrap();
    let Outcome::Failed { failure, .. } = &turn.outcome else { panic!("{:?}", turn.outcome) };
    assert_eq!((failure.blame, failure.kind), (Blame::Bot, FailureKind::Output));
    assert!(turn.fused.is_none(), "the event was stored first");
    assert_eq!(world.vendor.received.len(), 2, "the failure text and the hand-off");
    assert!(world.too_large.is_empty());
    world.come_to_rest();
}

#[test]
fn a_failure_that_is_too_large_is_told_once_and_tried_each_minute() {
    let mut world = userlike([("w1p0", vec![say("much")])]);
    world.say(Kind::Message);
    world.end_first(is_run);
    world.refuse(is_commit);
    world.end_first(is_accept);
    for n in 1..4 {
        world.refuse(is_commit);
        let next = world.now + TOO_LARGE_RETRY_MS;
        while world.now < next {
            assert!(!world.jobs.iter().any(|job| is_commit(job) || is_run(job)), "try {n}");
            world.end_all_but(|_| false);
            let at = world.lane.wake_at(world.now).expect("it is tried again");
            assert!(at > world.now && at <= next, "try {n}");
            world.sleep_until(at);
        }
        assert!(world.jobs.iter().any(is_commit), "try {n}");
    }
    assert_eq!(world.too_large.len(), 1, "told once");
    world.end_all();
    let (_, turn) = world.log.turns().last().unwrap();
    assert!(matches!(turn.outcome, Outcome::Failed { .. }));
    world.come_to_rest();
}

#[test]
fn an_event_that_is_too_large_is_refused_and_others_go_on() {
    let mut world = userlike([]);
    world.say(Kind::Message);
    world.sleep_until(world.now + 20);
    world.refuse(is_accept);
    assert_eq!(world.vendor.webhooks[1].state, State::Failed);
    world.say(Kind::Message);
    // What the bot made of the refused event is not wanted any more.
    world.end_all();
    assert_eq!(world.vendor.webhooks[2].state, State::Answered);
    assert_eq!((world.runs_on("w1p0"), world.runs_on("w2p0")), (0, 1));
    world.come_to_rest();
    world.check();
}

fn is_accept(job: &Job) -> bool {
    matches!(job, Job::Accept(_))
}
