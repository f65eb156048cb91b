//! Stories of operators: pauses, dead letters that are sent again.

use botyard_kernel::lane::Input;
use botyard_kernel::log::{Row, RowEnd};
use botyard_kernel::outbox::{Called, Paused};
use botyard_kernel::time::MINUTE;

use crate::scenarios::{is_call, say, userlike};
use crate::vendor::Kind;
use crate::world::World;

const BOT: Paused = Paused { bot: true, channel: false };
const CHANNEL: Paused = Paused { bot: false, channel: true };

impl World {
    fn letters(&self) -> Vec<Row> {
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
