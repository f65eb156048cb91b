//! Humans at the host's desk.

use super::*;

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
