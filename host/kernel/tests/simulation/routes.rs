//! Stories of the ways to a person: answers that take one action, conversations that
//! only answers reach, and those that end with one.

use botyard_kernel::action::{Action, Bubbles, Choice, ContactUpdate, TextFormat};
use botyard_kernel::log::{Route, RowEnd};
use botyard_kernel::outbox::{Rides, WAITS_FOR_PERSON_MS};
use botyard_kernel::time::SECOND;

use crate::scenarios::{is_answer, is_call, picture, say, userlike, wait};
use crate::vendor::Kind;
use crate::world::World;

/// What has reached the person, in order.
fn received(world: &World) -> Vec<String> {
    world.vendor.received.iter().map(|(id, _)| id.to_string()).collect()
}

#[test]
fn the_first_that_fits_rides_and_the_rest_follows_in_order() {
    let script = [picture(), say("a"), say("b"), picture()].to_vec();
    let mut world = userlike([("w1p0", script)]);
    world.rides = Rides::One(&["message"]);
    world.say(Kind::Message);
    world.end_all_but(|job| is_answer(job) || is_call(job));
    assert_eq!(world.leaving(), ["message"]);
    world.end_all();
    world.sleep_until(world.now + SECOND);
    world.end_all();
    let parts: Vec<String> =
        received(&world).iter().map(|id| id.split_once('.').unwrap().1.to_owned()).collect();
    assert_eq!(parts, ["1.0", "0.0", "2.0", "3.0"]);
}

#[test]
fn an_answer_in_which_nothing_fits_is_empty() {
    let mut world = userlike([("w1p0", vec![say("a")])]);
    world.rides = Rides::One(&["media"]);
    world.say(Kind::Message);
    world.end_all_but(is_answer);
    assert_eq!(world.leaving().len(), 0);
    world.end_all();
    world.sleep_until(world.now + SECOND);
    world.end_all();
    assert_eq!(received(&world).len(), 1, "it goes by call");
}

/// More options than two messages hold.
fn rooms() -> Action {
    let room = |n| Choice {
        id: format!("{n}"),
        label: format!("Room {n} {}", "x".repeat(200)),
        short_label: None,
    };
    let (text, options) = ("Which room?".to_owned(), (1..=60).map(room).collect());
    Action::Bubbles(Bubbles { text, format: TextFormat::Plain, options, fallback: None })
}

/// What rides only in an answer and missed it becomes rows of its own, of which each is
/// delivered, stopped and sent again by itself.
#[test]
fn what_missed_its_answer_goes_on_after_a_crash_where_it_had_come_to() {
    let mut world = userlike([("w1p0", vec![say("Hello"), rooms()])]);
    world.settled_rules(|rules| rules.delivery.lists = false);
    world.rides = Rides::One(&["bubbles"]);
    world.say_and_leave();
    world.end_all_but(is_call);
    assert_eq!(received(&world).len(), 0);
    // Hello, and the first of the options.
    for _ in 0..2 {
        world.end_job(0);
        world.end_all_but(is_call);
    }
    let before = received(&world);
    assert_eq!(world.jobs.len(), 1, "the second of them is on its way");
    world.crash();
    world.end_all();
    let ids = received(&world);
    assert_eq!(ids[..2], before);
    let names: Vec<&str> = ids.iter().map(|id| id.split_once('.').unwrap().1).collect();
    let mut known = names.clone();
    known.dedup();
    assert_eq!(known, ["0.0", "1.0.0", "1.0.1", "1.0"], "{names:?}");
    assert_eq!(world.again.iter().filter(|again| **again).count(), 1, "{:?}", world.again);
    assert_eq!(world.lane.state().rows.len(), 0);
}

#[test]
fn a_human_who_takes_over_stops_what_missed_its_answer_between_its_calls() {
    let mut world = userlike([("w1p0", vec![rooms()])]);
    world.settled_rules(|rules| rules.delivery.lists = false);
    world.rides = Rides::One(&["bubbles"]);
    world.say_and_leave();
    world.end_all_but(is_call);
    world.say(Kind::HumanSpoke);
    world.end_all_but(is_call);
    world.end_all();
    assert_eq!(received(&world).len(), 1);
    let held = world.ends().into_iter().filter(|end| **end == RowEnd::Quarantined).count();
    assert_eq!(held, 2);
}

#[test]
fn what_the_vendor_hears_of_a_person_in_answers_alone_is_nobodys_failure_where_it_missed_one() {
    let update = || {
        let email = Some("ada@example.org".to_owned());
        Action::ContactUpdate(ContactUpdate { email, ..ContactUpdate::default() })
    };
    let mut world = userlike([
        ("w1p0", vec![say("a"), update()]),
        ("w2p0", vec![say("b"), update()]),
        ("w3p0", vec![say("c"), update()]),
    ]);
    world.settled_rules(|rules| {
        rules.delivery.lists = false;
        rules.delivery.contacts_in_answers = true;
    });
    world.rides = Rides::One(&["message", "contact_update"]);
    world.say(Kind::Message);
    world.end_all_but(is_answer);
    assert_eq!(world.leaving(), ["message", "contact_update"], "an answer tells it");
    world.end_all();
    world.sleep_until(world.now + SECOND);
    for _ in 0..2 {
        world.say_and_leave();
        world.end_all_but(is_call);
        assert_eq!(world.leaving(), ["message"]);
        world.crash();
        world.end_all();
        world.sleep_until(world.now + SECOND);
        world.end_all();
    }
    let untold = |end: &&RowEnd| matches!(end, RowEnd::Dead(why) if why.contains("answers alone"));
    let (untold, delivered): (Vec<_>, Vec<_>) = world.ends().into_iter().partition(untold);
    assert_eq!(untold.len(), 2, "the log says that they were not told");
    assert!(delivered.iter().all(|end| **end == RowEnd::Delivered), "{delivered:?}");
    assert_eq!((world.events_named("delivery_failed"), world.letters().len()), (0, 0));
    let told = received(&world).iter().filter(|id| id.ends_with(".1.0")).count();
    assert_eq!(told, 1, "no call does");
    assert_eq!((world.lane.state().rows.len(), world.lane.state().due()), (0, None));
}

#[test]
fn what_only_answers_can_carry_waits_for_the_next_one() {
    let mut world = userlike([("w1p0", vec![say("a")]), ("w2p0", vec![say("b")])]);
    world.route = Some(Route::Answers);
    world.say_and_leave();
    world.end_all();
    world.sleep_until(world.now + 3_600 * SECOND);
    world.end_all();
    assert_eq!(received(&world).len(), 0, "nothing can carry it");
    world.crash();
    world.end_all();
    world.say(Kind::Message);
    world.end_all_but(is_answer);
    assert_eq!(world.leaving(), ["message", "message"], "the older one first");
    world.end_all();
    assert_eq!(received(&world).len(), 2);
    assert_eq!(world.lane.state().due(), None);
}

#[test]
fn a_pause_holds_back_for_its_time_and_no_longer_what_only_answers_carry() {
    let script = vec![wait(3_000), say("a")];
    let mut world = userlike([("w1p0", script), ("w2p0", vec![]), ("w3p0", vec![])]);
    world.settled_rules(|rules| rules.delivery.native_delay = false);
    world.route = Some(Route::Answers);
    world.say_and_leave();
    world.end_all();
    world.say(Kind::Message);
    world.end_all();
    assert_eq!(received(&world).len(), 0, "it is played by the host");
    world.sleep_until(world.now + 10 * SECOND);
    world.end_all();
    world.say(Kind::Message);
    world.end_all();
    assert_eq!(received(&world).len(), 1);
}

#[test]
fn what_waits_for_a_person_who_does_not_come_back_is_given_up() {
    let mut world = userlike([("w1p0", vec![say("a")])]);
    world.route = Some(Route::Answers);
    world.say_and_leave();
    world.end_all();
    let due = world.lane.state().due().expect("it is looked after");
    assert!(due > world.now + WAITS_FOR_PERSON_MS - 60 * SECOND, "and not before its time");
    world.sleep_until(due);
    world.end_all();
    assert!(matches!(world.ends()[..], [RowEnd::Dead(why)] if why.contains("write again")));
}

#[test]
fn nothing_is_said_after_the_only_answer() {
    let script = [say("a"), picture(), say("b")].to_vec();
    let mut world = userlike([("w1p0", script)]);
    world.route = Some(Route::ThisAnswer);
    world.rides = Rides::One(&["message"]);
    world.say(Kind::Message);
    world.end_all();
    world.sleep_until(world.now + SECOND);
    world.end_all();
    assert_eq!(received(&world).len(), 1);
    let dead = world.ends().into_iter().filter(|end| matches!(end, RowEnd::Dead(_))).count();
    assert_eq!(dead, 2);
    assert_eq!(world.lane.state().rows.len(), 0);
}

#[test]
fn a_delay_before_what_only_answers_carry_passes_by_itself() {
    let mut world = userlike([("w1p0", vec![wait(3_000), say("late")]), ("w2p0", vec![])]);
    world.settled_rules(|rules| rules.delivery.native_delay = false);
    world.route = Some(Route::Answers);
    world.say(Kind::Message);
    let asked = world.now;
    world.end_all_but(is_answer);
    assert_eq!(world.leaving().len(), 0, "the answer waits for it");
    world.sleep_until(asked + 3 * SECOND);
    world.end_all_but(is_answer);
    assert_eq!(world.leaving(), ["message"]);
    world.end_all();

    let mut world = userlike([("w1p0", vec![wait(9_000), say("late")]), ("w2p0", vec![])]);
    world.settled_rules(|rules| rules.delivery.native_delay = false);
    world.route = Some(Route::Answers);
    world.say(Kind::Message);
    world.end_all();
    world.sleep_until(world.now + 5 * SECOND);
    world.end_all();
    world.sleep_until(world.now + 9 * SECOND);
    world.end_all();
    assert_eq!(received(&world).len(), 0, "the answer could not wait so long");
    world.say(Kind::Message);
    world.end_all_but(is_answer);
    assert_eq!(world.leaving(), ["message"], "the next one carries it");
    world.end_all();
}

#[test]
fn nobody_is_kept_waiting_for_a_delay_in_the_only_answer() {
    let mut world = userlike([("w1p0", vec![wait(9_000), say("a")])]);
    world.settled_rules(|rules| rules.delivery.native_delay = false);
    world.route = Some(Route::ThisAnswer);
    world.rides = Rides::One(&["message"]);
    world.say(Kind::Message);
    world.end_all_but(is_answer);
    assert_eq!(world.leaving(), ["message"]);
    world.end_all();
    assert_eq!(received(&world).len(), 1);
    assert_eq!(world.lane.state().rows.len(), 0);
}
