//! Stories of calls that were under way when a host died.

use botyard_kernel::action::{Action, Passthrough};
use botyard_kernel::log::{Row, RowEnd};
use botyard_kernel::outbox::{Called, LIST_BYTES_MAX};
use botyard_kernel::time::MINUTE;

use crate::failures::retry;
use crate::jobs::Job;
use crate::scenarios::{is_call, is_commit, say, userlike};
use crate::vendor::Kind;
use crate::world::World;

/// A call of one message is under way.
fn calling(hold_ambiguous: bool) -> World {
    let mut world = userlike([("w1p0", vec![say("a")])]);
    world.settled_rules(|rules| rules.delivery.hold_ambiguous = hold_ambiguous);
    world.say_and_leave();
    world.end_all_but(is_call);
    world
}

#[test]
fn a_call_under_way_at_a_crash_is_made_again_and_says_so() {
    let mut world = calling(false);
    world.crash();
    world.end_all();
    assert_eq!(world.again, [false, true]);
    assert_eq!(world.ends(), [&RowEnd::Delivered]);
}

#[test]
fn a_call_under_way_at_a_crash_is_held_where_the_channel_says_so() {
    let mut world = calling(true);
    let received = world.vendor.received.len();
    world.jobs.retain(|job| !matches!(job, Job::Call { .. }));
    world.crash();
    world.end_all();
    assert_eq!(world.vendor.received.len(), received, "nothing is sent again");
    assert!(matches!(world.ends()[..], [RowEnd::Dead(why)] if why.contains("under way")));
    let told = world.log.arrivals().filter(|(_, a)| a.event.body.name() == "delivery_failed");
    assert_eq!(told.count(), 1, "the bot is told");
}

/// What four turns have said waits, more than may wait, and leaves in lists.
fn calling_with_much() -> World {
    let kept = |name: &str| {
        let json = format!(r#"{{"{name}":"{}"}}"#, "x".repeat(32 * 1024 - 200));
        Action::Passthrough(Passthrough { vendor: "userlike".to_owned(), json })
    };
    let turns = ["w1p0", "w2p0", "w3p0", "w4p0"].map(|word| (word, vec![kept("a"), kept("b")]));
    let mut world = userlike(turns);
    world.settled_rules(|rules| rules.delivery.hold_ambiguous = true);
    world.say_and_leave();
    world.end_all_but(is_call);
    let (after_ms, reason) = (Some(2 * MINUTE), "busy".to_owned());
    world.call_ends(Called::Retry { after_ms, ambiguous: false, reason, tries_max: None });
    for _ in 1..4 {
        world.say_and_leave();
        world.end_all();
    }
    world.sleep_until(world.now + 3 * MINUTE);
    world.end_all_but(is_call);
    world
}

#[test]
fn lists_that_nobody_may_send_again_end_in_settlements_that_the_store_takes() {
    let called = calling_with_much();
    let mut crashed = calling_with_much();
    crashed.jobs.retain(|job| !matches!(job, Job::Call { .. }));
    crashed.crash();
    for mut world in [called, crashed] {
        world.end_all_but(is_call);
        while let Some(Job::Call { rows, .. }) = world.jobs.iter().find(|job| is_call(job)) {
            let bytes: usize = rows.iter().map(Row::bytes).sum();
            assert!(bytes <= LIST_BYTES_MAX, "a list of {bytes} bytes");
            world.call_ends(retry(true));
            world.end_all_but(is_call);
        }
        let letters = world.log.settled().map(|(_, settled)| &settled.dead_letters);
        let most = letters.map(|all| all.iter().map(Row::bytes).sum()).max();
        assert!(most <= Some(LIST_BYTES_MAX), "{most:?} bytes ended at once");
        let dead = |end: &&RowEnd| matches!(end, RowEnd::Dead(_));
        assert_eq!(world.ends().into_iter().filter(dead).count(), 8, "{:?}", world.ends());
        assert!(world.jobs.is_empty(), "the lane goes on");
    }
}

#[test]
fn a_call_that_was_surely_not_taken_leaves_no_doubt_behind() {
    let mut world = calling(true);
    world.call_ends(retry(false));
    world.held = true;
    world.end_all();
    world.crash();
    world.held = false;
    world.end_all();
    world.sleep_until(world.now + MINUTE);
    world.end_all();
    assert_eq!(world.again, [false, false]);
    assert_eq!(world.ends(), [&RowEnd::Delivered]);
}

#[test]
fn the_doubt_about_a_first_call_outlives_the_refusal_of_a_second() {
    let mut world = calling(false);
    world.call_ends(retry(true));
    world.end_all_but(is_call);
    world.sleep_until(world.now + MINUTE);
    world.end_all_but(is_call);
    world.call_ends(retry(false));
    world.held = true;
    world.end_all();
    world.crash();
    world.held = false;
    world.end_all();
    world.sleep_until(world.now + MINUTE);
    world.end_all();
    assert_eq!(world.again, [false, true, true]);
}

#[test]
fn a_destination_that_holds_a_call_back_costs_no_write() {
    let mut world = userlike([("w1p0", vec![say("a")])]);
    world.say_and_leave();
    world.held = true;
    world.end_all();
    let entries = world.log.entries().count();
    for _ in 0..20 {
        let at = world.lane.wake_at(world.now).expect("it asks again");
        world.sleep_until(at);
        world.end_all();
    }
    assert_eq!(world.log.entries().count(), entries);
    world.held = false;
    world.sleep_until(world.now + 5_000);
    world.end_all();
    assert!(matches!(world.ends()[..], [RowEnd::Delivered]));
}

#[test]
fn a_refused_call_of_one_row_is_a_dead_letter_and_frees_the_rest() {
    let mut world = calling(false);
    world.call_ends(Called::Fatal("no".to_owned()));
    world.end_all();
    assert!(world.lane.state().claimed.is_empty());
}

#[test]
fn every_call_under_way_at_a_crash_counts_for_all_hosts_after_it() {
    let mut world = calling(false);
    for crashes in 1..=3 {
        world.crash();
        world.sleep_until(world.now + 1_000);
        world.end_all_but(is_call);
        assert_eq!(world.lane.state().called_ms.len(), crashes, "the vendor has counted them all");
    }
}

#[test]
fn a_call_that_has_not_left_is_called_off_when_a_human_takes_the_conversation() {
    let mut world = userlike([("w1p0", vec![say("a")])]);
    world.say_and_leave();
    world.held = true;
    world.end_all();
    world.say(Kind::HumanSpoke);
    world.end_all_but(is_commit);
    world.held = false;
    world.sleep_until(world.now + 5_000);
    world.end_all();
    assert!(world.again.is_empty(), "the bot speaks while a human does");
    assert_eq!(world.ends(), [&RowEnd::Quarantined]);
}

#[test]
fn a_place_in_the_line_is_kept_as_long_as_somebody_wants_it() {
    let mut world = userlike([("w1p0", vec![say("a")])]);
    world.say_and_leave();
    world.held = true;
    world.end_all();
    for _ in 0..50 {
        if world.lane.keeps_a_place() {
            break;
        }
        let at = world.lane.wake_at(world.now).expect("it asks again");
        world.sleep_until(at);
    }
    assert!(world.lane.keeps_a_place(), "the destination has kept one");
    world.sleep_until(world.now + 20 * MINUTE);
    world.end_all();
    assert!(matches!(world.ends()[..], [RowEnd::Dead(_)]));
    assert!(!world.lane.keeps_a_place(), "nobody comes to take it");
}

#[test]
fn a_call_under_way_at_a_crash_counts_even_if_its_row_grows_too_old_meanwhile() {
    let mut world = calling(false);
    // The host starts again much later.
    world.now += 20 * MINUTE;
    world.crash();
    world.end_all();
    assert!(matches!(world.ends()[..], [RowEnd::Dead(why)] if why.contains("not delivered")));
    assert_eq!(world.lane.state().called_ms.len(), 1, "the vendor may have counted it");
}
