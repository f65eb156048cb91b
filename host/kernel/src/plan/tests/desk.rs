//! Humans at the host's desk.

use super::*;
use crate::log::{HandOff, RowEnd};
use crate::plan::{SessionTimeout, TimeoutAction, session_timeout_id};

#[test]
fn who_has_it_at_the_desk_keeps_it_whatever_the_vendor_says() {
    let spoke = || EventBody::HumanSpoke(event::HumanSpoke::default());
    let returned = || EventBody::Returned(event::Returned::default());
    for at_desk in [false, true] {
        let mut world = World::new();
        let mut taken = world.arrival(spoke());
        taken.by_host = at_desk;
        let Step::Skip(reason) = world.step(&taken) else { panic!("it runs") };
        world.state = world.plan(&taken).skip(reason).state;
        assert_eq!((world.state.owner, world.state.at_desk), (Owner::Human, at_desk));
        // The vendor goes on saying that the bot has it, or closes a ticket of its own.
        let mut said = world.arrival(hello());
        said.owner = Some(Owner::Bot);
        assert_eq!(matches!(world.step(&said), Step::Skip(SkipReason::NotOwner)), at_desk);
        let closed = world.arrival(returned());
        assert_eq!(matches!(world.step(&closed), Step::Skip(SkipReason::NotOwner)), at_desk);
        let state = world.plan(&said).skip(SkipReason::NotOwner).state;
        assert_eq!(state.owner, if at_desk { Owner::Human } else { Owner::Bot });
        let mut given = world.arrival(returned());
        given.by_host = true;
        let turn = world.turn(&given, Ok(Vec::new()));
        assert_eq!((turn.state.owner, turn.state.at_desk), (Owner::Bot, false));
    }
}

/// A world whose vendor hands over to nobody.
fn without_hand_off(has_desk: bool) -> World {
    let mut world = World { native: &["message"], ..World::new() };
    world.policy.has_desk = has_desk;
    world
}

fn hand_offs(turn: &Turn) -> Vec<Option<HandOff>> {
    turn.state.rows.iter().map(|row| row.hand_off).collect()
}

fn forward(target: ForwardTarget) -> Action {
    Action::Forward(Forward { target, on_failure: None })
}

#[test]
fn a_hand_off_that_the_vendor_cannot_carry_goes_to_the_desk_behind_what_was_said() {
    for action in [forward(ForwardTarget::Any), Action::Abort] {
        let mut world = without_hand_off(true);
        let turn = world.says(vec![say("One moment."), action, say("withheld")]);
        assert_eq!(hand_offs(&turn), [None, Some(HandOff::Desk)]);
        assert_eq!(turn.state.owner, Owner::HandingOff);
        let rows = turn.state.rows.iter().map(|row| (row.id.clone(), RowEnd::Delivered));
        let (rows, owner) = (rows.collect(), Some(Owner::Human));
        world.state.settle(&Settled { at_ms: 5_000, rows, owner, ..Settled::default() });
        assert_eq!((world.state.owner, world.state.at_desk), (Owner::Human, true));
        assert_eq!(world.state.with_human(), Some(5_000), "the desk lists it");
    }
}

#[test]
fn what_the_vendor_says_of_its_own_agents_stops_no_hand_off_to_the_desk() {
    let returned = || EventBody::Returned(event::Returned::default());
    let failed = || EventBody::ForwardFailed(event::ForwardFailed::default());
    let spoke = || EventBody::HumanSpoke(event::HumanSpoke::default());
    for by_host in [false, true] {
        for body in [returned(), failed()] {
            let mut world = without_hand_off(true);
            let turn = world.says(vec![say("One moment."), forward(ForwardTarget::Any)]);
            let mut given = world.arrival(body);
            (given.by_host, given.owner) = (by_host, (!by_host).then_some(Owner::Bot));
            if by_host {
                let turn = world.turn(&given, Ok(Vec::new()));
                assert_eq!(turn.state.owner, Owner::Bot, "the desk gives back what it waits for");
                continue;
            }
            let (reason, _) = world.skip_arrival(&given);
            assert_eq!((reason, world.state.owner), (SkipReason::NotOwner, Owner::HandingOff));
            let rows = turn.state.rows.iter().map(|row| (row.id.clone(), RowEnd::Delivered));
            let (rows, owner) = (rows.collect(), Some(Owner::Human));
            world.state.settle(&Settled { at_ms: 5_000, rows, owner, ..Settled::default() });
            assert_eq!((world.state.owner, world.state.at_desk), (Owner::Human, true));
        }
    }
    // An agent of the vendor's who is first has it like any other.
    let mut world = without_hand_off(true);
    world.says(vec![forward(ForwardTarget::Any)]);
    world.skip(spoke());
    assert_eq!((world.state.owner, world.state.at_desk), (Owner::Human, false));
}

#[test]
fn without_a_desk_the_bot_hears_once_that_nobody_took_it() {
    let mut world = without_hand_off(false);
    let turn = world.says(vec![forward(ForwardTarget::Any)]);
    assert_eq!(hand_offs(&turn), [Some(HandOff::Nobody)]);
    assert!(turn.log[0].message.contains("`forward_failed` follows"), "{:?}", turn.log);
    let failed = world.arrival(EventBody::ForwardFailed(event::ForwardFailed::default()));
    world.state.rows.clear();
    let turn = world.turn(&failed, Ok(vec![forward(ForwardTarget::Any), say("Nobody is here.")]));
    assert_eq!(names(&turn), ["message"], "the same hand-off does not fail for ever");
    assert_eq!(turn.state.owner, Owner::Bot);
    // No bot asked for the host's own.
    world.state.rows.clear();
    let turn = world.fails();
    assert_eq!((names(&turn), turn.state.owner), (vec!["message"], Owner::Bot));
}

#[test]
fn a_failure_is_handed_over_to_the_desk() {
    let turn = without_hand_off(true).fails();
    assert_eq!(hand_offs(&turn), [None, Some(HandOff::Desk)]);
    assert_eq!(turn.state.owner, Owner::HandingOff);
}

#[test]
fn an_author_who_denies_changes_hears_of_a_target_that_the_desk_does_not_know() {
    let group = || forward(ForwardTarget::Group("billing".to_owned()));
    for (has_desk, action, runs) in [
        (true, forward(ForwardTarget::Any), true),
        (true, group(), false),
        (false, forward(ForwardTarget::Any), false),
    ] {
        let mut world = without_hand_off(has_desk);
        world.policy.degrading = Degrading::Deny;
        let turn = world.says(vec![action]);
        assert_eq!(matches!(turn.outcome, Outcome::Ran { .. }), runs, "{:?}", turn.outcome);
    }
}

#[test]
fn who_can_be_answered_only_once_is_not_given_to_the_desk() {
    let mut world = without_hand_off(true);
    let mut arrival = world.arrival(hello());
    arrival.route = Some(crate::log::Route::ThisAnswer);
    let turn = world.turn(&arrival, Ok(vec![forward(ForwardTarget::Any)]));
    assert_eq!(hand_offs(&turn), [Some(HandOff::Nobody)]);
}

#[test]
fn a_silent_conversation_goes_to_the_desk_and_ends_where_nobody_can_take_it() {
    for then in [TimeoutAction::Forward, TimeoutAction::Unassign] {
        for (has_desk, hand_off, owner) in
            [(true, vec![Some(HandOff::Desk)], Owner::HandingOff), (false, Vec::new(), Owner::Bot)]
        {
            let mut world = without_hand_off(has_desk);
            world.policy.session_timeout = Some(SessionTimeout { after_ms: 1, then });
            world.says(Vec::new());
            let mut silence = world.arrival(hello());
            silence.event.id = session_timeout_id(world.state.turns, world.now);
            let Step::TimeOut(_) = world.step(&silence) else { panic!("its time is over") };
            let profile = Profile::new(world.native, 5_000);
            let turn = world.plan(&silence).by_host(&profile, world.now);
            assert_eq!((hand_offs(&turn), turn.state.owner), (hand_off, owner));
            assert_eq!(turn.state.host_hand_off, has_desk, "no bot asked for it");
            assert_eq!(turn.state.session.is_some(), has_desk, "{then:?}");
        }
    }
}
