//! What a vendor is still to be told and asked.

use super::*;
use crate::log::{Acknowledgement, Taken};

#[test]
fn a_line_says_how_many_acknowledgements_give_way_and_of_which_kind() {
    let taken = Taken { part: "t0.0.0".into(), action: "message".to_owned() };
    let waiting = |n: usize, asks_of| Acknowledgement {
        id: format!("t0.{n}").as_str().into(),
        made_ms: 1,
        token: n.to_string(),
        asks_of,
    };
    // How many wait to be told and asked, and how many of them give way to one more.
    for (told, asked, gone) in [(63, 0, None), (64, 0, Some((1, 0))), (65, 2, Some((2, 2)))] {
        let mut world = World::new();
        let asks = (told..told + asked).map(|n| waiting(n, Some(taken.clone())));
        let all = (0..told).map(|n| waiting(n, None)).chain(asks);
        world.state.acknowledgements = all.collect();
        let mut arrival = world.arrival(hello());
        let turn = world.plan(&arrival).skip(SkipReason::NotOwner);
        assert!(turn.log.is_empty(), "nothing more is to be told");
        arrival.acknowledge = Some("m1".to_owned());
        let lines = world.turn(&arrival, Ok(Vec::new())).log;
        let line = lines.first().map(|line| line.message.clone()).unwrap_or_default();
        let says =
            |(told, asked)| format!("the oldest {told}, and not asked what became of {asked} ");
        assert!(gone.map_or(lines.is_empty(), |gone| line.contains(&says(gone))), "{line:?}");
        assert!(!line.contains("  "), "{line:?}");
    }
}

#[test]
fn whoever_of_ours_has_the_conversation_tells_the_vendor_that_it_was_heard() {
    let owners = [
        (Owner::Bot, true),
        (Owner::Relay, true),
        (Owner::HandingOff, false),
        (Owner::Human, false),
        (Owner::Ended, false),
    ];
    for (owner, tells) in owners {
        let mut world = World::new();
        world.policy.reopens = false;
        world.state.owner = owner;
        let mut arrival = world.arrival(hello());
        arrival.acknowledge = Some("m1".to_owned());
        let turn = world.plan(&arrival).skip(SkipReason::Relayed);
        let told: Vec<_> = turn.state.acknowledgements.iter().map(|it| &*it.token).collect();
        let expect: &[&str] = if tells { &["m1"] } else { &[] };
        assert_eq!(told, expect, "{owner:?}");
    }
}
