//! Stories of telling a vendor that its events were taken.

use botyard_kernel::event::EventBody;
use botyard_kernel::lane::Input;
use botyard_kernel::log::ACKNOWLEDGEMENTS_MAX;
use botyard_kernel::outbox::{ACKNOWLEDGE_ATTEMPTS_MAX, ASK_AFTER_MS, Called, Paused};
use botyard_kernel::time::{MINUTE, SECOND};

use crate::failures::retry;
use crate::jobs::Job;
use crate::scenarios::{is_call, say, userlike};
use crate::vendor::Kind;
use crate::world::World;

fn is_acknowledgement(job: &Job) -> bool {
    matches!(job, Job::Acknowledge { .. })
}

impl World {
    fn acknowledgement_ends(&mut self, called: Called) {
        let at = self.jobs.iter().position(is_acknowledgement).expect("it is under way");
        let Job::Acknowledge { call, .. } = self.jobs.remove(at) else { unreachable!() };
        self.feed(Input::Acknowledged { call, called });
    }
}

/// Two events were taken, and the first acknowledgement is under way.
fn taken() -> World {
    let mut world = userlike([]);
    world.say(Kind::Messages);
    world.end_all_but(is_acknowledgement);
    world
}

#[test]
fn each_event_is_acknowledged_once_and_in_order() {
    let mut world = taken();
    world.end_all();
    assert_eq!(world.vendor.acknowledged.len(), 2);
    assert_eq!(world.lane.state().acknowledgements.len(), 0);
    world.check();
}

#[test]
fn an_acknowledgement_that_hangs_holds_up_no_reply() {
    let mut world = taken();
    world.say_and_leave();
    world.end_all_but(|job| is_acknowledgement(job) || is_call(job));
    assert!(world.jobs.iter().any(is_acknowledgement), "it still hangs");
    assert_eq!(world.ran(), 4, "the conversation goes on");
}

#[test]
fn an_acknowledgement_survives_a_crash() {
    let mut world = taken();
    world.crash();
    world.end_all();
    assert_eq!(world.vendor.acknowledged.len(), 2);
}

#[test]
fn an_acknowledgement_is_given_up_after_some_tries() {
    let mut world = taken();
    for _ in 0..ACKNOWLEDGE_ATTEMPTS_MAX {
        world.acknowledgement_ends(retry(false));
        world.end_all_but(is_acknowledgement);
        world.sleep_until(world.now + MINUTE);
        world.end_all_but(is_acknowledgement);
    }
    world.end_all();
    assert_eq!(world.vendor.acknowledged.len(), 1, "the other one went on");
    assert_eq!(world.lane.state().acknowledgements.len(), 0);
}

#[test]
fn an_acknowledgement_that_comes_too_late_is_given_up() {
    let mut world = taken();
    world.acknowledgement_ends(retry(false));
    world.end_all_but(is_acknowledgement);
    world.sleep_until(world.now + 16 * MINUTE);
    world.end_all();
    assert_eq!(world.vendor.acknowledged.len(), 0);
    assert_eq!(world.lane.state().due(), None);
}

#[test]
fn an_acknowledgement_waits_for_its_destination() {
    let mut world = userlike([]);
    world.held = true;
    world.say(Kind::Messages);
    world.end_all();
    assert_eq!(world.vendor.acknowledged.len(), 0);
    assert!(world.lane.wake_at(world.now).is_some(), "it is asked again");
    world.held = false;
    world.sleep_until(world.now + MINUTE);
    world.end_all();
    assert_eq!(world.vendor.acknowledged.len(), 2);
    world.check();
}

#[test]
fn no_acknowledgement_leaves_a_paused_channel() {
    let mut world = userlike([]);
    world.feed(Input::Pause(Paused { bot: false, channel: true }));
    world.say(Kind::Messages);
    world.end_all();
    assert_eq!(world.vendor.acknowledged.len(), 0);
    world.feed(Input::Pause(Paused::default()));
    world.end_all();
    assert_eq!(world.vendor.acknowledged.len(), 2);
}

#[test]
fn what_was_taken_and_is_not_delivered_in_the_end_is_told_once() {
    let asks = || Some("request:7".to_owned());
    for (answer, failures) in [
        (Called::Delivered { follow_ups: Vec::new(), asks: None }, 0),
        (Called::Fatal("the network refused it".to_owned()), 1),
    ] {
        let mut world = userlike([("w1p0", vec![say("a")])]);
        world.say_and_leave();
        world.end_all_but(is_call);
        world.call_ends(Called::Delivered { follow_ups: vec!["stop".to_owned()], asks: asks() });
        world.end_all_but(is_acknowledgement);
        // What only follows from it may fail without a word.
        world.acknowledgement_ends(Called::Fatal("no".to_owned()));
        world.end_all_but(is_acknowledgement);
        world.crash();
        world.end_all_but(is_acknowledgement);
        world.sleep_until(world.now + ASK_AFTER_MS);
        world.end_all_but(is_acknowledgement);
        world.acknowledgement_ends(answer);
        world.end_all();
        assert_eq!(world.events_named("delivery_failed"), failures);
        assert_eq!(world.lane.state().acknowledgements.len(), 0);
    }
}

/// The vendor has taken the first reply and is to be asked what became of it.
fn asked_later() -> World {
    let mut world = userlike([("w1p0", vec![say("a")]), ("w2p0", vec![say("b")])]);
    world.settled_rules(|rules| rules.delivery.inline = false);
    world.say_and_leave();
    world.end_all_but(is_call);
    let asks = Some("request:7".to_owned());
    world.call_ends(Called::Delivered { follow_ups: Vec::new(), asks });
    world.end_all_but(is_acknowledgement);
    world
}

impl World {
    /// How often the bot hears that a part failed, and for how many of them that is
    /// not sure.
    fn failures(&self) -> (usize, usize) {
        let failed = self.log.arrivals().filter_map(|(_, arrival)| match &arrival.event.body {
            EventBody::DeliveryFailed(failed) => Some(failed.ambiguous),
            _ => None,
        });
        let failed: Vec<bool> = failed.collect();
        (failed.len(), failed.iter().filter(|ambiguous| **ambiguous).count())
    }
}

#[test]
fn what_was_only_taken_is_asked_for_until_the_vendor_says_or_it_is_too_old() {
    let mut world = asked_later();
    let made = world.now;
    assert!(!world.jobs.iter().any(is_acknowledgement), "not at once");
    assert_eq!(world.lane.wake_at(world.now), Some(made + ASK_AFTER_MS));
    let mut asked = Vec::new();
    while let Some(at) = world.lane.wake_at(world.now) {
        world.sleep_until(at);
        world.end_all_but(is_acknowledgement);
        if world.jobs.iter().any(is_acknowledgement) {
            asked.push(world.now);
            world.acknowledgement_ends(retry(false));
        }
        world.end_all_but(is_acknowledgement);
    }
    // Ever less often, as many others wait in the same line.
    let waits: Vec<_> = asked.windows(2).map(|pair| (pair[1] - pair[0]) / SECOND).collect();
    assert!(asked.len() > ACKNOWLEDGE_ATTEMPTS_MAX as usize && waits.len() < 11, "{waits:?}");
    let least = [2, 4, 8, 16, 32, 64, 128, 256, 300];
    assert!(waits.iter().zip(least).all(|(wait, least)| *wait >= least), "{waits:?}");
    assert!(world.now > made + 15 * MINUTE, "it is given up too soon");
    assert_eq!(world.failures(), (1, 1), "the bot hears that nobody knows");
    assert_eq!(world.lane.state().acknowledgements.len(), 0);
}

#[test]
fn a_vendor_that_will_not_say_is_no_failure_for_sure() {
    let reason = || "no".to_owned();
    let retry =
        Called::Retry { after_ms: None, ambiguous: false, reason: reason(), tries_max: Some(1) };
    for (answer, ambiguous) in
        [(retry, 1), (Called::Gone(reason()), 1), (Called::Fatal(reason()), 0)]
    {
        let mut world = asked_later();
        world.sleep_until(world.now + ASK_AFTER_MS);
        world.end_all_but(is_acknowledgement);
        world.acknowledgement_ends(answer);
        world.end_all();
        assert_eq!(world.failures(), (1, ambiguous));
    }
}

#[test]
fn a_question_that_waits_holds_up_nothing() {
    let mut world = asked_later();
    world.sleep_until(world.now + ASK_AFTER_MS);
    world.end_all_but(is_acknowledgement);
    world.acknowledgement_ends(retry(false));
    // The next reply leaves meanwhile, and what follows from it.
    world.say_and_leave();
    world.end_all_but(|job| is_call(job) || is_acknowledgement(job));
    world.call_ends(Called::Delivered { follow_ups: vec!["stop".to_owned()], asks: None });
    world.end_all_but(is_acknowledgement);
    assert_eq!(world.lane.state().acknowledgements.len(), 2);
    world.acknowledgement_ends(Called::Delivered { follow_ups: Vec::new(), asks: None });
    world.end_all_but(is_acknowledgement);
    let left = &world.lane.state().acknowledgements;
    let left: Vec<_> = left.iter().map(|it| it.token.as_str()).collect();
    assert_eq!(left, ["request:7"]);
}

#[test]
fn of_too_much_that_is_to_be_told_questions_give_way_first_and_that_is_told() {
    let mut world = userlike([("w1p0", vec![say("a")])]);
    world.say_and_leave();
    world.end_all_but(is_call);
    let follow_ups = (0..ACKNOWLEDGEMENTS_MAX + 3).map(|n| n.to_string()).collect();
    let asks = Some("request:7".to_owned());
    world.call_ends(Called::Delivered { follow_ups, asks });
    world.end_all_but(is_acknowledgement);
    let kept = &world.lane.state().acknowledgements;
    assert_eq!(kept.len(), ACKNOWLEDGEMENTS_MAX);
    assert!(kept.iter().all(|it| it.asks_of.is_none()));
    assert_eq!(kept[0].token, "3", "the oldest give way");
    assert_eq!(world.failures(), (1, 1));
}
