//! Stories of the bot's way back from a human who says nothing more.

use botyard_kernel::action::{Action, Passthrough};
use botyard_kernel::event::EventBody;
use botyard_kernel::outbox::Called;
use botyard_kernel::owner::Owner;
use botyard_kernel::time::{HOUR, MINUTE};

use crate::failures::retry;
use crate::scenarios::{hand_over, is_call, say, userlike};
use crate::vendor::Kind;
use crate::world::World;

/// A conversation that the bot has handed over.
fn handed_over() -> World {
    let mut world = userlike([("w1p0", vec![hand_over()])]);
    world.settled_rules(|rules| rules.policy.returns_after_ms = Some(4 * HOUR));
    world.say(Kind::Message);
    world.end_all();
    assert_eq!(world.lane.state().owner, Owner::Human);
    world
}

fn returns(world: &World) -> usize {
    let returned = |event: &EventBody| matches!(event, EventBody::Returned(_));
    world
        .log
        .turns()
        .filter_map(|(_, turn)| turn.fused.as_ref())
        .filter(|it| returned(&it.event.body))
        .count()
}

#[test]
fn where_to_hand_over_is_to_fall_silent_no_call_is_made_for_it() {
    let mut world = userlike([("w1p0", vec![say("one moment"), hand_over()])]);
    world.settled_rules(|rules| {
        rules.delivery.silent_hand_off = true;
        (rules.delivery.inline, rules.delivery.lists) = (false, false);
    });
    world.say(Kind::Message);
    world.end_all_but(is_call);
    assert_eq!(world.leaving(), ["message"], "in order");
    assert_eq!(world.lane.state().owner, Owner::HandingOff);
    world.end_first(is_call);
    assert!(!world.jobs.iter().any(is_call), "nobody is told");
    world.end_all();
    assert_eq!(world.lane.state().owner, Owner::Human);
    assert!(world.lane.state().human_ms.is_some(), "its way back begins");
}

#[test]
fn the_bot_is_back_when_no_human_has_spoken_for_long() {
    let mut world = handed_over();
    let due = world.lane.state().due().expect("the store wakes it");
    assert_eq!(due, world.lane.state().human_ms.unwrap() + 4 * HOUR);
    world.sleep_until(due - 1);
    world.end_all();
    assert_eq!(world.lane.state().owner, Owner::Human);
    world.sleep_until(due);
    world.end_all();
    assert_eq!((world.lane.state().owner, returns(&world)), (Owner::Bot, 1));
    world.sleep_until(due + 24 * HOUR);
    world.end_all();
    assert_eq!(returns(&world), 1, "once");
}

#[test]
fn each_word_of_a_human_begins_the_time_anew_and_none_of_the_persons() {
    let mut world = handed_over();
    let first = world.lane.state().due().unwrap();
    world.sleep_until(first - HOUR);
    world.say(Kind::Message);
    world.end_all();
    assert_eq!(world.lane.state().due(), Some(first), "it is the human who is silent");
    world.say(Kind::HumanSpoke);
    world.end_all();
    assert_eq!(world.lane.state().due(), Some(world.now + 4 * HOUR));
}

#[test]
fn a_crash_does_not_forget_the_way_back() {
    let mut world = handed_over();
    let due = world.lane.state().due().unwrap();
    world.crash();
    world.end_all();
    world.sleep_until(due);
    world.end_all();
    assert_eq!((world.lane.state().owner, returns(&world)), (Owner::Bot, 1));
}

/// As [`handed_over`], at a vendor that has to do something before it hears the bot.
fn taken_back(back: &str) -> World {
    let speaks = vec![say("Can I help?")];
    let mut world = userlike([("w1p0", vec![hand_over()]), (back, speaks)]);
    let take = Passthrough { vendor: "userlike".to_owned(), json: r#"{"take":{}}"#.to_owned() };
    world.settled_rules(|rules| {
        rules.policy.returns_after_ms = Some(4 * HOUR);
        rules.policy.takes_back = Some(Action::Passthrough(take));
        (rules.delivery.inline, rules.delivery.lists) = (false, false);
    });
    world.say(Kind::Message);
    world.end_all();
    world
}

#[test]
fn the_vendor_does_first_what_makes_it_hear_the_bot_again() {
    let refused = || Called::Fatal("only the primary receiver may".to_owned());
    let done = || Called::Delivered { follow_ups: Vec::new(), asks: None };
    for called in [done(), refused()] {
        let mut world = taken_back("no human has said anything for too long");
        world.sleep_until(world.lane.state().due().unwrap());
        world.end_all_but(is_call);
        assert_eq!(world.leaving(), ["passthrough"]);
        world.call_ends(called);
        world.end_all_but(is_call);
        assert_eq!(world.leaving(), ["message"], "the rest goes on");
        world.end_all();
        assert_eq!(world.lane.state().owner, Owner::Bot);
        assert_eq!(world.events_named("delivery_failed"), 0, "no bot asked for it");
    }
}

#[test]
fn a_vendor_that_itself_gives_back_has_nothing_to_do() {
    let mut world = taken_back("w2p0");
    world.say(Kind::Returned);
    world.end_all_but(is_call);
    assert_eq!(world.leaving(), ["message"]);
}

#[test]
fn a_hand_off_that_was_carried_out_and_waits_for_another_try_ends_with_the_return() {
    let mut world = userlike([("w1p0", vec![hand_over()]), ("w2p0", vec![say("I am back")])]);
    world.settled_rules(|rules| rules.delivery.inline = false);
    world.say_and_leave();
    world.end_all_but(is_call);
    assert_eq!(world.leaving(), ["forward"]);
    // The vendor did it, and its answer was lost: an agent has it, and gives it back.
    world.call_ends(retry(true));
    world.say(Kind::Returned);
    world.end_all_but(is_call);
    world.sleep_until(world.now + MINUTE);
    world.end_all_but(is_call);
    assert_eq!(world.leaving(), ["message"], "agents get nobody a second time");
    world.end_all();
    let state = world.lane.state();
    assert_eq!((state.owner, state.rows.len()), (Owner::Bot, 0));
}

#[test]
fn of_two_hand_offs_that_wait_only_the_last_is_made() {
    let again = vec![say("Somebody else, then."), hand_over()];
    let mut world = userlike([("w1p0", vec![hand_over()]), ("w2p0", again)]);
    world.settled_rules(|rules| (rules.delivery.inline, rules.delivery.lists) = (false, false));
    world.say_and_leave();
    world.end_all_but(is_call);
    world.call_ends(retry(true));
    world.say(Kind::Returned);
    world.end_all_but(is_call);
    world.sleep_until(world.now + MINUTE);
    world.end_all_but(is_call);
    assert_eq!(world.leaving(), ["message"]);
    world.end_first(is_call);
    world.end_all_but(is_call);
    assert_eq!(world.leaving(), ["forward"]);
    world.end_all();
    assert_eq!(world.lane.state().owner, Owner::Human);
}

/// The bot hands over, by a call that is under way.
fn handing_over(again: Vec<Action>) -> World {
    let mut world = userlike([("w1p0", vec![hand_over()]), ("w2p0", again)]);
    world.settled_rules(|rules| {
        (rules.delivery.inline, rules.delivery.lists) = (false, false);
        rules.delivery.hold_ambiguous = true;
    });
    world.say_and_leave();
    world.end_all_but(is_call);
    assert_eq!(world.leaving(), ["forward"]);
    world
}

#[test]
fn a_hand_off_that_ends_badly_takes_nothing_from_whoever_has_the_conversation() {
    for (next, owner) in [(Kind::HumanSpoke, Owner::Human), (Kind::Returned, Owner::Bot)] {
        // Its answer is lost, it is refused after all, or the host dies.
        let ends = [Some(retry(true)), Some(Called::Fatal("nobody is there".to_owned())), None];
        for end in ends {
            let mut world = handing_over(Vec::new());
            world.say(next);
            world.end_all_but(is_call);
            assert_eq!(world.lane.state().owner, owner);
            match end.clone() {
                Some(called) => world.call_ends(called),
                None => world.crash(),
            }
            world.end_all();
            assert_eq!(world.events_named("forward_failed"), 0, "{end:?}");
            let state = world.lane.state();
            assert_eq!((state.owner, state.rows.len()), (owner, 0), "{end:?}");
        }
    }
}

#[test]
fn the_failure_of_one_hand_off_does_not_undo_the_next() {
    let mut world = handing_over(vec![hand_over()]);
    world.say(Kind::Returned);
    world.end_all_but(is_call);
    assert_eq!(world.lane.state().owner, Owner::HandingOff);
    world.call_ends(Called::Fatal("nobody is there".to_owned()));
    world.end_all();
    assert_eq!(world.events_named("forward_failed"), 0);
    assert_eq!(world.lane.state().owner, Owner::Human, "the other one is made");
}
