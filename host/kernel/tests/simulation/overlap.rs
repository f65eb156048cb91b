//! Stories of a person who writes faster than the bot answers.

use botyard_kernel::lane::Input;
use botyard_kernel::log::{Outcome, SkipReason};
use botyard_kernel::plan::{Overlap, SKIPPED_MAX};

use crate::bot::token;
use crate::jobs::Job;
use crate::scenarios::{is_answer, is_run, userlike};
use crate::vendor::Kind;
use crate::world::World;

fn overlapping(overlap: Overlap) -> World {
    let mut world = userlike([]);
    world.settled_rules(|rules| rules.policy.overlap = overlap);
    world
}

impl World {
    /// What the run under way is told: what was skipped, and its event.
    fn told_now(&self) -> Vec<String> {
        let run = self.jobs.iter().find_map(|job| match job {
            Job::Run { turning, .. } => Some((&turning.event, &turning.session)),
            _ => None,
        });
        let Some((event, session)) = run else { return Vec::new() };
        session.skipped.iter().chain([event.as_ref()]).map(token).collect()
    }

    fn superseded(&self) -> usize {
        let superseded = Outcome::Skipped(SkipReason::Superseded);
        self.log.turns().filter(|(_, turn)| turn.outcome == superseded).count()
    }
}

#[test]
fn the_latest_message_has_the_turn_and_the_others_come_with_it() {
    let mut world = overlapping(Overlap::Latest);
    for _ in 0..4 {
        world.say(Kind::Message);
    }
    assert_eq!(world.told_now(), ["w1p0"], "the first one found nobody waiting");
    world.end_first(is_run);
    world.end_all_but(is_run);
    assert_eq!(world.told_now(), ["w2p0", "w3p0", "w4p0"]);
    world.end_all();
    assert_eq!((world.ran(), world.superseded()), (3, 2));
    assert!(world.open.is_empty(), "whoever was superseded is answered, too");
}

#[test]
fn what_no_person_said_is_never_superseded() {
    let mut world = overlapping(Overlap::Latest);
    for kind in [Kind::Message, Kind::Message, Kind::Signal, Kind::Message] {
        world.say(kind);
    }
    world.end_all();
    assert_eq!((world.ran(), world.superseded()), (5, 0), "a signal stands between");
}

#[test]
fn a_bot_that_coalesces_runs_when_the_person_has_been_silent() {
    let mut world = overlapping(Overlap::Coalesce { silence_ms: 1_500 });
    world.say(Kind::Message);
    world.end_all_but(is_answer);
    let second = world.now + 1_000;
    world.sleep_until(second);
    world.end_all_but(is_answer);
    assert_eq!(world.told_now(), [""; 0]);
    world.say(Kind::Message);
    world.end_all();
    assert_eq!(world.lane.wake_at(world.now).map(|at| at - second), Some(1_500));
    world.sleep_until(second + 1_499);
    assert_eq!(world.told_now(), [""; 0]);
    world.sleep_until(second + 1_500);
    assert_eq!(world.told_now(), ["w1p0", "w2p0"]);
    world.end_all();
    assert_eq!((world.ran(), world.superseded()), (2, 1));
}

#[test]
fn no_more_is_skipped_than_can_be_handed_over() {
    let mut world = overlapping(Overlap::Latest);
    let many = SKIPPED_MAX + 50;
    world.say(Kind::Message);
    for _ in 0..many {
        world.say(Kind::Message);
    }
    for _ in 0..many * 8 {
        if !world.jobs.is_empty() {
            world.end_job(0);
        }
    }
    while let Some(at) = world.lane.wake_at(world.now) {
        world.sleep_until(at);
        world.end_all();
    }
    // The first, the one for which there was no more room, and the last.
    assert_eq!((world.ran(), world.superseded()), (1 + 3, many - 2));
    world.check();
}

#[test]
fn a_crash_while_messages_are_superseded_loses_none_of_them() {
    let mut world = overlapping(Overlap::Latest);
    for _ in 0..4 {
        world.say(Kind::Message);
    }
    world.end_first(is_run);
    for _ in 0..3 {
        world.end_job(0);
    }
    world.crash();
    world.feed(Input::Wake);
    world.come_to_rest();
    world.check();
}
