//! What happens beside the talk.

use super::*;

/// A tag, a reaction, or the word that a conversation exists: no bot greets because of it.
#[test]
fn what_happens_beside_the_talk_begins_no_session_and_reopens_none() {
    let tagged = || {
        let (name, json) = ("ticket_tags".to_owned(), "{}".to_owned());
        EventBody::Other(event::NamedPayload { name, json })
    };
    for owner in [Owner::Bot, Owner::Ended] {
        let mut world = World::new();
        world.policy.reopens = true;
        world.state.owner = owner;
        let mut aside = world.arrival(tagged());
        (aside.aside, aside.owner) = (true, Some(Owner::Bot));
        let reason = if owner == Owner::Bot { SkipReason::NoSession } else { SkipReason::NotOwner };
        assert_eq!(world.step(&aside), Step::Skip(reason));
        world.state = world.plan(&aside).skip(reason).state;
        assert_eq!((world.state.owner, &world.state.session), (owner, &None));

        let arrival = world.arrival(hello());
        let Step::Run(run) = world.step(&arrival) else { panic!("it does not run") };
        assert!(matches!(run.0.body, EventBody::Start(_)));
        assert_eq!(run.1.skipped[0].body, tagged(), "the next session hears of it");
        world.turn(&arrival, Ok(Vec::new()));

        let mut aside = world.arrival(tagged());
        aside.aside = true;
        assert!(matches!(world.step(&aside), Step::Run(_)), "within a session it runs");
    }
    let mut world = World::new();
    let arrival = world.arrival(tagged());
    assert!(matches!(world.step(&arrival), Step::StartFirst(_)), "a block that was reached");
}
