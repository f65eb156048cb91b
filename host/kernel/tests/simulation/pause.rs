//! Stories of operators: pauses, dead letters that are sent again.

use botyard_kernel::lane::Input;
use botyard_kernel::log::{Outcome, Row, RowEnd, Settled, Turn};
use botyard_kernel::outbox::{Called, Paused};
use botyard_kernel::stored;
use botyard_kernel::time::MINUTE;

use crate::failures::retry;
use crate::scenarios::{hand_over, is_call, say, userlike};
use crate::vendor::Kind;
use crate::world::World;

const BOT: Paused = Paused { bot: true, channel: false };
const CHANNEL: Paused = Paused { bot: false, channel: true };

impl World {
    pub(crate) fn letters(&self) -> Vec<Row> {
        self.log.settled().flat_map(|(_, settled)| settled.dead_letters.clone()).collect()
    }
}

#[test]
fn a_paused_bot_takes_events_and_runs_on_them_later() {
    let mut world = userlike([("w1p0", vec![say("a")])]);
    world.feed(Input::Pause(BOT));
    world.say(Kind::Message);
    world.say(Kind::Message);
    world.end_all();
    assert_eq!(world.ran(), 1, "the start ran before");
    assert!(world.open.is_empty(), "nobody waits for the answer of a paused bot");
    assert!(world.lane.is_idle(), "nothing is kept in memory for it");
    assert_eq!(world.lane.wake_at(world.now), None);
    world.feed(Input::Pause(Paused::default()));
    world.end_all();
    assert_eq!(world.ran(), 3);
    world.check();
}

#[test]
fn the_same_words_to_a_paused_bot_are_two_events_and_a_redelivery_is_one() {
    let mut world = userlike([]);
    world.feed(Input::Pause(BOT));
    world.say(Kind::Message);
    // The first one is being stored, and is answered as soon as it is.
    world.say_again(1);
    world.end_all();
    assert_eq!(world.log.arrivals().count(), 3, "the start and both");
    world.say(Kind::Message);
    world.leave_all();
    world.deliver(3);
    world.end_all();
    assert_eq!(world.log.arrivals().count(), 4, "whoever left comes again with the same event");
    world.feed(Input::Pause(Paused::default()));
    world.end_all();
    assert_eq!(world.ran(), 4);
}

#[test]
fn a_paused_channel_sends_nothing_and_goes_on_later() {
    let mut world = userlike([("w1p0", vec![say("a")])]);
    world.held = true;
    world.say_and_leave();
    world.end_all();
    world.feed(Input::Pause(CHANNEL));
    world.held = false;
    world.sleep_until(world.now + 10_000);
    assert!(!world.jobs.iter().any(is_call));
    world.feed(Input::Pause(Paused::default()));
    world.end_all();
    assert_eq!(world.vendor.received.len(), 1);
}

/// A place may come late: what waits for one is held to what holds for all that waits.
#[test]
fn a_call_that_waits_for_its_place_is_paused_and_grows_old() {
    let waits = || {
        let mut world = userlike([("w1p0", vec![say("a")])]);
        world.crowded = true;
        world.say_and_leave();
        world.end_all();
        assert_eq!(world.placeless.len(), 1);
        world
    };
    let mut world = waits();
    world.feed(Input::Pause(CHANNEL));
    assert!(!world.lane.is_calling(world.placeless[0]), "its place is for others");
    world.crowded = false;
    world.feed(Input::Pause(Paused::default()));
    world.end_all();
    assert_eq!(world.vendor.received.len(), 1, "it asks again");

    let mut world = waits();
    let due = world.lane.wake_at(world.now).expect("it wakes for its age");
    assert!(due <= world.now + 16 * MINUTE);
    world.sleep_until(due);
    world.end_all();
    assert!(matches!(world.ends()[..], [RowEnd::Dead(_)]), "{:?}", world.ends());
    assert_eq!(world.vendor.received.len(), 0);
}

#[test]
fn what_a_pause_holds_back_for_too_long_is_given_up_like_everything_else() {
    let mut world = userlike([("w1p0", vec![say("a")])]);
    world.held = true;
    world.say_and_leave();
    world.end_all();
    world.feed(Input::Pause(CHANNEL));
    world.sleep_until(world.now + 16 * MINUTE);
    world.end_all();
    assert!(matches!(world.ends()[..], [RowEnd::Dead(_)]), "{:?}", world.ends());
}

#[test]
fn a_dead_letter_is_kept_as_it_was_and_can_be_sent_again() {
    let mut world = userlike([("w1p0", vec![say("a")]), ("w2p0", vec![say("b")])]);
    world.say_and_leave();
    world.end_all_but(is_call);
    world.call_ends(Called::Fatal("no such thing".to_owned()));
    world.end_all();
    let letters = world.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].action, say("a"));
    world.sleep_until(world.now + 60 * MINUTE);
    world.feed(Input::Redrive(letters.clone()));
    world.end_all();
    let received: Vec<_> = world.vendor.received.iter().map(|(id, _)| id).collect();
    assert_eq!(received, [&letters[0].id], "the same part, under its own id");
    assert!(world.lane.state().rows.is_empty());
}

#[test]
fn a_letter_that_is_sent_again_survives_a_crash() {
    for steps in 0..6 {
        let mut world = userlike([("w1p0", vec![say("a")])]);
        world.say_and_leave();
        world.end_all_but(is_call);
        world.call_ends(Called::Fatal("no such thing".to_owned()));
        world.end_all();
        let letters = world.letters();
        world.feed(Input::Redrive(letters.clone()));
        // It may be under way again at the crash.
        world.vendor.doubt(&letters);
        for _ in 0..steps {
            if !world.jobs.is_empty() {
                world.end_job(0);
            }
        }
        let stored = world.log.settled().any(|(_, settled)| !settled.revived.is_empty());
        world.crash();
        let stored = stored || world.log.settled().any(|(_, settled)| !settled.revived.is_empty());
        world.end_all();
        let came = world.vendor.received.iter().any(|(id, _)| *id == letters[0].id);
        assert_eq!(came, stored, "after {steps} steps");
    }
}

#[test]
fn however_many_rows_are_given_up_each_settlement_fits_into_the_store() {
    let many = (0..31).map(|n| say(&format!("{n}{}", "x".repeat(180)))).collect::<Vec<_>>();
    let mut world = userlike([]);
    world.script = Some((1..=30).map(|n| (format!("w{n}p0"), many.clone())).collect());
    world.feed(Input::Pause(Paused { bot: false, channel: false }));
    world.held = true;
    for _ in 0..20 {
        world.say_and_leave();
        world.end_all();
    }
    let waiting = world.lane.state().rows.len();
    assert!(waiting > 400, "{waiting}");
    world.sleep_until(world.now + 16 * MINUTE);
    world.end_all();
    assert!(world.lane.state().rows.is_empty());
    assert_eq!(world.letters().len(), 20 * 31);
    for (_, settled) in world.log.settled() {
        let alone = Settled { events: Vec::new(), ..settled.clone() };
        let bytes = stored::encode(&alone).len();
        assert!(bytes < 200 * 1024, "{bytes} bytes in one settlement");
    }
}

#[test]
fn a_hand_off_that_failed_is_no_letter() {
    let mut world = userlike([("w1p0", vec![hand_over()])]);
    world.say_and_leave();
    world.end_all_but(is_call);
    world.call_ends(Called::Fatal("nobody there".to_owned()));
    world.end_all();
    assert_eq!(world.letters(), []);
}

#[test]
fn speech_is_not_sent_again_while_a_human_has_the_conversation() {
    let mut world = userlike([("w1p0", vec![say("a")])]);
    world.say_and_leave();
    world.end_all_but(is_call);
    world.call_ends(Called::Fatal("no such thing".to_owned()));
    world.end_all();
    world.say(Kind::HumanSpoke);
    world.end_all();
    let letters = world.letters();
    world.feed(Input::Redrive(letters));
    world.end_all();
    assert!(!world.log.settled().any(|(_, settled)| !settled.revived.is_empty()), "it stays");
}

#[test]
fn the_bot_hears_of_a_letter_that_dies_a_second_time() {
    let mut world = userlike([("w1p0", vec![say("a")])]);
    world.say_and_leave();
    for round in 1..=2 {
        world.end_all_but(is_call);
        world.call_ends(Called::Fatal("no such thing".to_owned()));
        world.end_all();
        let failed = |turn: &&Turn| turn.event.as_str().contains(".failed.");
        let ran = |turn: &&Turn| matches!(turn.outcome, Outcome::Ran { .. });
        let turns = world.log.turns().map(|(_, turn)| turn);
        assert_eq!(turns.filter(failed).filter(ran).count(), round);
        world.sleep_until(world.now + MINUTE);
        let letters = world.letters().pop().into_iter().collect();
        world.feed(Input::Redrive(letters));
    }
}

#[test]
fn what_is_written_during_a_pause_is_due_as_soon_as_the_pause_may_end() {
    let mut world = userlike([("w1p0", vec![say("a")])]);
    world.say_and_leave();
    world.end_all_but(is_call);
    world.feed(Input::Pause(CHANNEL));
    world.call_ends(retry(false));
    world.end_all();
    let last = world.log.settled().last().expect("the end of the call is stored").1;
    // A pause has no end that anybody knows; the next try has a time.
    assert_eq!(last.due_ms, Some(world.lane.state().calls_from_ms));
}
