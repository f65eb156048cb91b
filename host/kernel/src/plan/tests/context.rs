//! The context that a bot keeps, and the one that the vendor holds.

use super::*;

#[test]
fn the_last_context_that_is_not_empty_wins() {
    let cases: [(&[Action], &str); 4] = [
        (&[remember("{}")], "{}"),
        (&[remember(r#"{"a": 1}"#), remember("{}")], r#"{"a":1}"#),
        (&[remember(r#"{"a":1}"#), remember(r#"{"b":2}"#)], r#"{"b":2}"#),
        (&[remember(r#"{"a":1}"#), Action::ContextClear], "{}"),
    ];
    for (actions, expected) in cases {
        let mut world = World::new();
        world.says(actions.to_vec());
        assert_eq!(world.seen(None), expected, "{actions:?}");
    }
}

#[test]
fn a_foreign_context_is_offered_only_while_there_is_none_of_ours() {
    let mut world = World::new();
    let foreign = r#"{"theirs":true}"#;
    assert_eq!(world.seen(Some(foreign)), foreign);
    world.says(vec![say("a"), remember(r#"{"ours":1}"#)]);
    assert_eq!(world.seen(Some(foreign)), r#"{"ours":1}"#);
    // What is on its way to the vendor, or has been there, is not foreign.
    let mut arrival = world.arrival(hello());
    arrival.vendor_context = Some(r#"{"ours":1}"#.to_owned());
    world.turn(&arrival, Ok(vec![Action::ContextClear]));
    assert_eq!(world.state.foreign_context, None);
    let mirrored = Some(Digest::of(br#"{"ours":1}"#));
    world.state.rows.clear();
    world.state.settle(&Settled { mirrored, ..Settled::default() });
    assert_eq!(world.seen(Some(r#"{"ours":1}"#)), "{}");
}

#[test]
fn a_bot_sees_which_version_wrote_the_context() {
    let mut world = World::new();
    assert_eq!(world.writer(None), None, "nobody has");
    let foreign = r#"{"theirs":true}"#;
    assert_eq!(world.writer(Some(foreign)), None, "no version of ours has");
    world.version = b"old";
    world.says(vec![remember(r#"{"a":1}"#)]);
    world.version = b"new";
    assert_eq!(world.writer(None), Some(Digest::of(b"old")));
    world.says(vec![say("hi"), remember("{}")]);
    assert_eq!(world.writer(None), Some(Digest::of(b"old")), "the new one has only read it");
    world.says(vec![remember(r#"{"a":2}"#)]);
    assert_eq!(world.writer(None), Some(Digest::of(b"new")));
    world.says(vec![Action::ContextClear]);
    assert_eq!(world.writer(None), None, "there is none any more");
}

#[test]
fn the_context_rides_on_the_last_row_unless_the_vendor_has_it() {
    let mut world = World::new();
    let turn = world.says(vec![say("a"), say("b"), remember(r#"{"a":1}"#)]);
    let contexts: Vec<_> = turn.state.rows.iter().map(|row| row.context.is_some()).collect();
    assert_eq!(contexts, [false, true]);
    let turn = world.says(vec![say("c")]);
    assert_eq!(turn.state.rows[2].context, None, "it is on its way");
    world.says(vec![say("d"), remember(r#"{"a":2}"#)]);
    let turn = world.says(vec![say("e"), remember(r#"{"a":1}"#)]);
    assert!(turn.state.rows[4].context.is_some(), "another one is on its way");
}

#[test]
fn a_cleared_context_does_not_come_back_as_somebody_elses() {
    let mut world = World::new();
    let foreign = r#"{"state":"order_id","n":1}"#;
    assert_eq!(world.seen(Some(foreign)), foreign);
    let mut arrival = world.arrival(hello());
    arrival.vendor_context = Some(foreign.to_owned());
    world.turn(&arrival, Ok(vec![Action::ContextClear]));
    assert_eq!(world.seen(Some(r#"{"n":1,"state":"order_id"}"#)), "{}", "whatever its order");
    world.says(vec![remember(r#"{"a":1,"b":2}"#), say("hi")]);
    world.says(vec![Action::ContextClear]);
    assert_eq!(world.seen(Some(r#"{"b":2,"a":1}"#)), "{}");
    assert_eq!(world.seen(Some(r#"{"b":3}"#)), r#"{"b":3}"#, "a new foreign one is offered");
}

#[test]
fn a_bot_corrects_the_address_that_it_has_learned_and_none_that_the_vendor_told() {
    let update = |email: &str| {
        let email = Some(email.to_owned());
        Action::ContactUpdate(crate::action::ContactUpdate { email, ..Default::default() })
    };
    let tells = |world: &mut World, email: Option<&str>| {
        let email = email.map(str::to_owned);
        let contact = crate::session::Contact { email, ..Default::default() };
        let facts = Some(Facts { contact, ..Facts::default() });
        let arrival = Arrival { facts, ..world.arrival(hello()) };
        world.turn(&arrival, Ok(Vec::new()));
    };
    let knows = |world: &World| world.state.facts.contact.email.clone().unwrap_or_default();
    let mut world = World::new();
    world.says(vec![update("ida@exmaple.com")]);
    world.says(vec![update("ida@example.com")]);
    assert_eq!(knows(&world), "ida@example.com");
    tells(&mut world, None);
    world.says(vec![update("ida@example.org")]);
    assert_eq!(knows(&world), "ida@example.org", "what the vendor leaves out it does not know");
    tells(&mut world, Some("ada@example.com"));
    world.says(vec![update("otto@example.com")]);
    assert_eq!(knows(&world), "ada@example.com", "it names her");
}
