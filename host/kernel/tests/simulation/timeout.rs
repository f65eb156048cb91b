//! Stories of a person who says nothing more, where the host ends the session.

use botyard_kernel::action::Action;
use botyard_kernel::lane::Input;
use botyard_kernel::log::{Outcome, SkipReason};
use botyard_kernel::outbox::{Called, Paused};
use botyard_kernel::owner::Owner;
use botyard_kernel::plan::{SessionTimeout, TimeoutAction};
use botyard_kernel::time::MINUTE;

use crate::scenarios::{hand_over, is_call, say, userlike};
use crate::vendor::Kind;
use crate::world::World;

fn timed<const N: usize>(then: TimeoutAction, script: [(&str, Vec<Action>); N]) -> World {
    let mut world = userlike(script);
    let timeout = SessionTimeout { after_ms: 10 * MINUTE, then };
    world.settled_rules(|rules| rules.policy.session_timeout = Some(timeout));
    world.say(Kind::Message);
    world.end_all();
    world
}

impl World {
    fn timeouts(&self) -> usize {
        let timed_out = Outcome::Skipped(SkipReason::SessionTimeout);
        self.log.turns().filter(|(_, turn)| turn.outcome == timed_out).count()
    }

    fn rest_until(&mut self, until: u64) {
        while let Some(at) = self.lane.wake_at(self.now).filter(|at| *at <= until) {
            self.sleep_until(at);
            self.end_all();
        }
        self.sleep_until(until);
        self.end_all();
    }
}

#[test]
fn a_silent_session_ends_once_and_the_vendor_is_told() {
    let mut world = timed(TimeoutAction::End, []);
    let (began, got) = (world.now, world.vendor.received.len());
    assert_eq!(world.lane.state().due(), Some(began + 10 * MINUTE), "the store wakes it");
    world.rest_until(began + 10 * MINUTE - 1);
    assert_eq!(world.timeouts(), 0);
    world.rest_until(began + 60 * MINUTE);
    assert_eq!(world.timeouts(), 1);
    assert_eq!(world.vendor.received.len(), got + 1);
    let state = world.lane.state();
    assert_eq!((&state.session, state.owner, state.due()), (&None, Owner::Ended, None));
}

#[test]
fn where_nobody_speaks_at_all_the_conversation_does_not_go_to_and_fro_for_ever() {
    let mut world = timed(TimeoutAction::Forward, []);
    world.settled_rules(|rules| rules.policy.returns_after_ms = Some(5 * MINUTE));
    world.say(Kind::Message);
    world.end_all();
    world.rest_until(world.now + 300 * MINUTE);
    assert_eq!((world.timeouts(), world.lane.state().owner), (1, Owner::Bot));
    assert_eq!(world.lane.state().due(), None, "nothing happens any more");
    world.say(Kind::Message);
    world.end_all();
    world.rest_until(world.now + 300 * MINUTE);
    assert_eq!(world.timeouts(), 2, "whoever writes again may fall silent again");
}

#[test]
fn each_word_of_the_person_begins_the_time_anew() {
    let mut world = timed(TimeoutAction::End, []);
    let began = world.now;
    world.rest_until(began + 6 * MINUTE);
    world.say(Kind::Message);
    world.end_all();
    world.say(Kind::Signal);
    world.rest_until(began + 15 * MINUTE);
    assert_eq!(world.timeouts(), 0);
    world.rest_until(began + 16 * MINUTE);
    assert_eq!(world.timeouts(), 1);
}

#[test]
fn a_silent_conversation_is_handed_over_where_that_is_wanted() {
    for then in [TimeoutAction::Forward, TimeoutAction::Unassign] {
        let mut world = timed(then, []);
        let began = world.now;
        world.rest_until(began + 60 * MINUTE);
        assert_eq!((world.timeouts(), world.lane.state().owner), (1, Owner::Human));
    }
}

#[test]
fn nobody_times_out_while_a_human_has_the_conversation() {
    let mut world = timed(TimeoutAction::End, [("w1p0", vec![say("bye"), hand_over()])]);
    let began = world.now;
    world.rest_until(began + 60 * MINUTE);
    assert_eq!((world.timeouts(), world.lane.state().owner), (0, Owner::Human));
}

#[test]
fn a_crash_at_the_end_of_the_time_ends_the_session_once() {
    for steps in 0..4 {
        let mut world = timed(TimeoutAction::End, []);
        world.sleep_until(world.now + 10 * MINUTE);
        for _ in 0..steps {
            if !world.jobs.is_empty() {
                world.end_job(0);
            }
        }
        world.crash();
        let now = world.now;
        world.end_all();
        world.rest_until(now + MINUTE);
        assert_eq!(world.timeouts(), 1, "after {steps} steps");
    }
}

#[test]
fn a_hand_off_at_the_end_of_the_time_that_fails_is_not_tried_for_ever() {
    let mut world = timed(TimeoutAction::Forward, []);
    let ran = world.ran();
    world.sleep_until(world.now + 10 * MINUTE);
    world.end_all_but(is_call);
    world.call_ends(Called::Fatal("nobody there".to_owned()));
    let now = world.now;
    world.rest_until(now + 300 * MINUTE);
    assert_eq!((world.timeouts(), world.lane.state().owner), (1, Owner::Bot));
    assert_eq!(world.ran(), ran, "no bot asked for it, so none is told");
}

#[test]
fn a_person_whose_hand_off_failed_has_time_to_answer_what_the_bot_says_to_that() {
    let mut world = timed(TimeoutAction::End, [("w1p0", vec![hand_over()])]);
    world.rest_until(world.now + 11 * MINUTE);
    world.say(Kind::ForwardFailed);
    world.end_all();
    let failed = world.now;
    assert_eq!((world.timeouts(), world.lane.state().owner), (0, Owner::Bot));
    world.rest_until(failed + 10 * MINUTE - 1);
    assert_eq!(world.timeouts(), 0);
    world.rest_until(failed + 60 * MINUTE);
    assert_eq!(world.timeouts(), 1);
}

#[test]
fn whoever_waits_long_for_a_turn_has_as_much_time_to_answer_it() {
    let mut world = timed(TimeoutAction::End, []);
    world.feed(Input::Pause(Paused { bot: true, channel: false }));
    world.say(Kind::Message);
    world.end_all();
    let until = world.now + 40 * MINUTE;
    world.rest_until(until);
    world.feed(Input::Pause(Paused::default()));
    world.end_all();
    world.rest_until(until + 10 * MINUTE - 1);
    assert_eq!(world.timeouts(), 0);
    world.rest_until(until + 11 * MINUTE);
    assert_eq!(world.timeouts(), 1);
}
