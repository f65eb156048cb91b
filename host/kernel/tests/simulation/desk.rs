//! Stories of a human who uses the host as their desk.

use botyard_kernel::event::{Event, EventBody, HumanSpoke};
use botyard_kernel::id::{EventId, PartId};
use botyard_kernel::lane::Input;
use botyard_kernel::log::{Arrival, Row};
use botyard_kernel::owner::Owner;
use botyard_kernel::session::Seed;
use botyard_kernel::time::MINUTE;

use crate::scenarios::{hand_over, is_call, say, userlike};
use crate::vendor::Kind;
use crate::world::World;

impl World {
    /// A human says something through the host; the same `name` is the same word.
    fn human_says(&mut self, name: &str) {
        let text = Some(format!("says {name}"));
        let body = EventBody::HumanSpoke(HumanSpoke { text, agent: Some("Ada".to_owned()) });
        let event = Event::new(EventId(format!("desk.{name}")), self.now, body);
        let key = Some(format!("desk.{name}"));
        let arrival = Box::new(Arrival { key, ..Arrival::new(event, Seed::default()) });
        let row = Row {
            id: PartId(format!("h{name}.0.0")),
            turn: format!("h{name}").as_str().into(),
            made_ms: self.now,
            action: say(&format!("says {name}")),
            context: None,
            quiet: true,
            event: format!("desk.{name}").as_str().into(),
            by_human: false,
            by_call: Vec::new(),
            hand_off: None,
        };
        self.feed(Input::Speak { arrival, rows: vec![row] });
    }

    fn heard(&self) -> Vec<String> {
        self.vendor.received.iter().map(|(id, _)| id.to_string()).collect()
    }
}

/// The bot has handed the conversation over, and the answer that said so was read.
fn handed_over() -> World {
    let mut world = userlike([("w1p0", vec![hand_over()])]);
    world.say(Kind::Message);
    world.end_all();
    world.sleep_until(world.now + MINUTE);
    world
}

#[test]
fn what_a_human_says_is_delivered_once_and_takes_the_conversation() {
    let mut world = handed_over();
    let before = world.heard().len();
    world.human_says("a");
    world.human_says("a");
    world.end_all();
    world.human_says("a");
    world.end_all();
    assert_eq!(world.heard()[before..], ["ha.0.0"]);
    assert_eq!(world.lane.state().owner, Owner::Human);
    assert_eq!(world.lane.state().human_ms, Some(world.now));
}

#[test]
fn a_human_who_speaks_first_takes_it_from_the_bot() {
    let mut world = userlike([("w1p0", vec![say("bot")])]);
    world.human_says("a");
    world.end_all();
    world.say_and_leave();
    world.end_all();
    world.sleep_until(world.now + MINUTE);
    world.end_all();
    assert_eq!(world.heard(), ["ha.0.0"], "the bot says nothing any more");
}

#[test]
fn a_humans_word_survives_a_crash() {
    let mut world = handed_over();
    let before = world.heard().len();
    world.human_says("a");
    world.end_all_but(is_call);
    assert!(world.jobs.iter().any(is_call));
    world.crash();
    world.end_all();
    let heard = &world.heard()[before..];
    assert!(!heard.is_empty() && heard.iter().all(|part| part == "ha.0.0"), "{heard:?}");
    assert_eq!(world.lane.state().rows.len(), 0);
}
