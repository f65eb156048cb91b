//! Which version a session keeps.

use super::*;
use crate::deployment::Pinned;

fn pinned(world: &mut World, body: EventBody) -> Option<Pinned> {
    let arrival = world.arrival(body);
    world.plan(&arrival).pinned()
}

fn fails_with(world: &mut World, blame: Blame, kind: FailureKind) {
    let arrival = world.arrival(hello());
    let failure = RunFailure { blame, kind, message: String::new() };
    world.turn(&arrival, Err(failure));
}

#[test]
fn a_session_keeps_the_version_that_ran_in_it() {
    let mut world = World::new();
    assert_eq!(pinned(&mut world, hello()), None, "it has not begun");
    let turn = world.says(vec![say("hi")]);
    let Outcome::Ran { version, .. } = turn.outcome else { panic!("it ran") };
    let active_ms = world.now;
    let expected = Some(Pinned::Session { version, active_ms });
    world.now += 5 * HOUR;
    assert_eq!(pinned(&mut world, hello()), expected, "as it was before the event");
    world.state.owner = Owner::Human;
    assert_eq!(world.skip(hello()), SkipReason::NotOwner);
    world.state.owner = Owner::Bot;
    let Some(Pinned::Session { active_ms: later, .. }) = pinned(&mut world, hello()) else {
        panic!("the session goes on")
    };
    assert!(later > active_ms, "what no bot runs on keeps a session alive, too");
}

#[test]
fn another_session_begins_with_whatever_answers_then() {
    let begins: [fn(&mut World) -> EventBody; 2] = [
        |_| EventBody::Start(event::Start::default()),
        |world| {
            world.now += world.policy.session_idle_ms;
            hello()
        },
    ];
    for begin in begins {
        let mut world = World::new();
        world.says(vec![say("hi")]);
        let body = begin(&mut world);
        assert_eq!(pinned(&mut world, body), None);
    }
    let mut world = World::new();
    world.policy.reopens = true;
    world.says(vec![Action::End]);
    assert_eq!(pinned(&mut world, hello()), None, "the bot has ended it");
}

#[test]
fn a_version_that_failed_in_it_is_kept_and_one_that_could_not_run_is_not() {
    let table = [
        (Blame::Bot, FailureKind::Trap, true),
        (Blame::Bot, FailureKind::Suspended, false),
        (Blame::Host, FailureKind::Internal, false),
    ];
    for (blame, kind, kept) in table {
        let mut world = World::new();
        world.policy.failure_hand_off = false;
        fails_with(&mut world, blame, kind);
        assert_eq!(pinned(&mut world, hello()).is_some(), kept, "{blame:?} {kind}");
    }
}
