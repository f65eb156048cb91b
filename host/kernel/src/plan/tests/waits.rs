//! How much may wait in a conversation: its state is written with every turn.

use super::*;
use crate::action::Request;

#[test]
fn requests_have_room_for_so_much_and_no_more() {
    let mut world = World::new();
    let request = |bytes| {
        Action::Request(Request {
            name: "order".to_owned(),
            method: "POST".to_owned(),
            url: "https://shop.example/".to_owned(),
            headers: Vec::new(),
            body: Some("x".repeat(bytes)),
            timeout_ms: None,
        })
    };
    for _ in 0..4 {
        let turn = world.says(vec![request(31 * 1024)]);
        assert!(matches!(turn.outcome, Outcome::Ran { .. }), "{:?}", turn.outcome);
    }
    let turn = world.says(vec![say("one more"), request(4 * 1024)]);
    let Outcome::Failed { failure, .. } = &turn.outcome else { panic!("it fits") };
    assert_eq!((failure.blame, failure.kind), (Blame::Bot, FailureKind::InvalidAction));
    assert!(failure.message.contains("131072 are allowed"), "{failure}");
    let waiting = turn.state.rows.iter().filter(|row| row.action.name() == "request");
    assert_eq!(waiting.count(), 4, "those that were there stay");
}

#[test]
fn timers_have_room_for_so_much_and_no_more() {
    let mut world = World::new();
    let schedule = |n: usize| {
        let payload = Some(format!("\"{}\"", "x".repeat(4_000)));
        Action::Schedule(Schedule { name: format!("t{n}"), after_ms: HOUR, payload })
    };
    for n in 0..16 {
        let turn = world.says(vec![schedule(n)]);
        assert!(matches!(turn.outcome, Outcome::Ran { .. }), "{n}");
    }
    let turn = world.says(vec![say("one more"), schedule(16)]);
    let Outcome::Failed { failure, .. } = &turn.outcome else { panic!("it fits") };
    assert_eq!((failure.blame, failure.kind), (Blame::Bot, FailureKind::InvalidAction));
    assert!(failure.message.contains("17 timers"), "{failure}");
    assert_eq!(turn.state.timers.len(), 16, "those that were there stay");
    let turn = world.says(vec![say("hi"), schedule(3)]);
    assert!(matches!(turn.outcome, Outcome::Skipped(_) | Outcome::Ran { .. }));
}
