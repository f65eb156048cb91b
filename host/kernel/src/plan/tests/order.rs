//! Webhooks that overtake each other.

use super::*;
use crate::log::RowEnd;

fn spoke() -> EventBody {
    EventBody::HumanSpoke(event::HumanSpoke::default())
}

fn returned() -> EventBody {
    EventBody::Returned(event::Returned::default())
}

fn failed() -> EventBody {
    EventBody::ForwardFailed(event::ForwardFailed::default())
}

impl World {
    /// The vendor tells of something that was at this time by its clock.
    fn at(&mut self, body: EventBody, vendor_ms: Option<u64>) -> Arrival {
        let mut arrival = self.arrival(body);
        arrival.event.vendor_ms = vendor_ms;
        arrival
    }

    /// It comes in, and whether the bot ran on it.
    fn hears(&mut self, arrival: &Arrival) -> bool {
        match self.step(arrival) {
            Step::Skip(reason) => {
                self.state = self.plan(arrival).skip(reason).state;
                false
            }
            _ => {
                self.turn(arrival, Ok(Vec::new()));
                true
            }
        }
    }
}

#[test]
fn whoever_had_a_conversation_last_has_it_in_whatever_order_webhooks_come() {
    // What comes first, what comes second though it was before, and who has it then.
    for (newer, older, owner) in [
        (returned(), spoke(), Owner::Bot),
        (spoke(), returned(), Owner::Human),
        (spoke(), failed(), Owner::Human),
        (failed(), spoke(), Owner::Bot),
    ] {
        let mut world = World::new();
        world.says(Vec::new());
        (world.state.owner, world.state.human_ms) = (Owner::Human, Some(50));
        let newer = world.at(newer, Some(101));
        world.hears(&newer);
        assert_eq!(world.state.owner, owner, "{newer:?}");
        let skipped = world.state.skipped.len();
        let late = world.at(older.clone(), Some(100));
        assert!(!world.hears(&late), "nobody runs on what is over: {late:?}");
        assert_eq!(world.state.owner, owner, "{late:?}");
        assert_eq!(world.state.skipped.len(), skipped + 1, "it is recorded: {late:?}");
        // At the same time and without a time, the one that comes later counts.
        for vendor_ms in [Some(101), None] {
            let mut other = World { state: world.state.clone(), ..World::new() };
            let next = other.at(older.clone(), vendor_ms);
            other.hears(&next);
            assert_ne!(other.state.owner, owner, "{next:?}");
        }
    }
}

#[test]
fn what_comes_late_takes_nothing_back_besides() {
    let mut world = World::new();
    world.says(Vec::new());
    let given = world.at(returned(), Some(101));
    world.hears(&given);
    world.fails();
    assert!(world.state.host_hand_off);
    let mut late = world.at(spoke(), Some(100));
    late.owner = Some(Owner::Human);
    world.hears(&late);
    assert_eq!(world.state.owner, Owner::HandingOff, "nor by what is said with it");
    assert!(world.state.host_hand_off, "the host's hand-off can fail as before");
}

#[test]
fn a_word_about_the_owner_counts_as_a_change_of_hands() {
    let mut world = World::new();
    world.says(Vec::new());
    let mut standby = world.at(hello(), Some(102));
    standby.owner = Some(Owner::Human);
    world.hears(&standby);
    let late = world.at(returned(), Some(101));
    assert!(!world.hears(&late));
    assert_eq!(world.state.owner, Owner::Human);
    // What changes nothing leaves the order as it was.
    let mut later = world.at(hello(), Some(110));
    later.owner = Some(Owner::Human);
    world.hears(&later);
    assert_eq!(world.state.hands_ms, Some(102));
}

#[test]
fn the_host_itself_needs_no_clock_of_the_vendors() {
    let mut world = World::new();
    world.says(Vec::new());
    let taken = world.at(spoke(), Some(u64::MAX));
    world.hears(&taken);
    let mut given = world.at(returned(), Some(1));
    given.by_host = true;
    assert!(world.hears(&given));
    assert_eq!(world.state.owner, Owner::Bot);
    assert_eq!(world.state.hands_ms, Some(1_002), "which is the vendor's alone");
}

#[test]
fn what_is_said_late_with_a_persons_words_gives_the_conversation_to_nobody() {
    let other = EventBody::Other(event::NamedPayload { name: "o".into(), json: "{}".into() });
    for body in [hello(), other] {
        for idle in [false, true] {
            let mut world = World::new();
            world.says(Vec::new());
            let given = world.at(returned(), Some(101));
            world.hears(&given);
            world.now += if idle { 25 * HOUR } else { 0 };
            let mut late = world.at(body.clone(), Some(100));
            late.owner = Some(Owner::Human);
            if let Step::StartFirst(start) = world.step(&late) {
                assert!(world.hears(&start), "the start has no other word: {start:?}");
            }
            assert!(world.hears(&late), "the bot has it: {late:?}");
            assert_eq!(world.state.owner, Owner::Bot);
            // Whoever says it of the same time or without a time is no later than that.
            for vendor_ms in [Some(101), None] {
                let mut other = World { state: world.state.clone(), ..World::new() };
                let mut next = other.at(body.clone(), vendor_ms);
                next.owner = Some(Owner::Human);
                assert!(!other.hears(&next));
                assert_eq!(other.state.owner, Owner::Human, "{next:?}");
            }
        }
    }
}

#[test]
fn a_hand_off_of_ours_that_failed_gives_back_only_what_the_bot_still_has() {
    for owner in [Owner::Bot, Owner::Relay, Owner::HandingOff, Owner::Human, Owner::Ended] {
        for by_bot in [false, true] {
            let mut world = World::new();
            world.says(Vec::new());
            (world.state.owner, world.state.host_hand_off) = (owner, !by_bot);
            let mut own = world.at(failed(), None);
            own.event.id = EventId("et1.0.0.failed.1000".to_owned());
            let ran = world.hears(&own);
            assert_eq!((ran, world.state.owner), (by_bot && owner == Owner::Bot, owner));
            let flag = !by_bot && owner != Owner::Bot;
            assert_eq!(world.state.host_hand_off, flag, "another one of the host's is under way");
            // The vendor's own word is another.
            (world.state.owner, world.state.host_hand_off) = (owner, false);
            let its = world.at(failed(), None);
            assert!(world.hears(&its), "{owner:?}");
            assert_eq!(world.state.owner, Owner::Bot);
        }
    }
}

#[test]
fn a_time_from_the_future_makes_nothing_late_that_comes_after_it() {
    let mut world = World::new();
    world.says(Vec::new());
    let taken = world.at(spoke(), Some(u64::MAX));
    world.hears(&taken);
    let mut given = world.at(returned(), None);
    given.event.vendor_ms = Some(given.event.received_ms);
    assert!(world.hears(&given));
    assert_eq!(world.state.owner, Owner::Bot);
}

/// An agent has had it, somebody at the desk has given it back, and the bot hands it over
/// again an hour later.
fn handed_over_again() -> World {
    let mut world = World::new();
    world.says(Vec::new());
    let taken = world.at(spoke(), Some(1_001));
    world.hears(&taken);
    world.now += HOUR;
    let mut given = world.at(returned(), None);
    given.by_host = true;
    let forward = Action::Forward(Forward { target: ForwardTarget::Any, on_failure: None });
    world.turn(&given, Ok(vec![forward]));
    assert_eq!(world.state.owner, Owner::HandingOff);
    world
}

#[test]
fn what_was_given_back_before_the_bot_handed_over_undoes_no_hand_off() {
    for carried_out in [false, true] {
        let mut world = handed_over_again();
        if carried_out {
            let rows = world.state.rows.iter().map(|row| (row.id.clone(), RowEnd::Delivered));
            let (rows, owner) = (rows.collect(), Some(Owner::Human));
            world.now += 300;
            let at_ms = world.now;
            world.state.settle(&Settled { at_ms, rows, owner, ..Settled::default() });
        }
        let owner = world.state.owner;
        let late = world.at(returned(), Some(2_000));
        assert!(!world.hears(&late), "it was given back before");
        assert_eq!((world.state.owner, world.state.rows.len()), (owner, usize::from(!carried_out)));
        // The vendor's clock may be behind, and its webhook before the answer to our call.
        let mut given = world.at(returned(), None);
        given.event.vendor_ms = Some(given.event.received_ms - 9_000);
        assert!(world.hears(&given));
        assert_eq!(world.state.owner, Owner::Bot);
    }
}
