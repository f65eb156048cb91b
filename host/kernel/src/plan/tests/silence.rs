//! External bots that say nothing more, without a word of the end.

use proptest::prelude::*;

use super::relay::{answered, arrives, asks, goes, relayed, relayed_by, relayed_on, said, tells};
use super::*;
use crate::event::NamedPayload;
use crate::relay::{Ask, RELAY, Relay, silence_id};
use crate::time::MINUTE;

const AFTER: Millis = 5 * MINUTE;
/// Turns are made so long after their events here.
const MADE: Millis = 7;

/// A conversation that is given back when an external bot owes the person a word for too
/// long; it has just been handed over.
fn impatient() -> World {
    relayed_by(|policy| policy.relay_returns_after_ms = Some(AFTER))
}

fn from_now(world: &World) -> Option<Millis> {
    Some(world.now + MADE + AFTER)
}

/// The time in which it owes a word is over. What is asked of it then.
fn falls_silent(world: &mut World) -> Vec<Ask> {
    world.now = world.state.relay_silent_at().expect("it owes a word");
    let id = silence_id(world.state.turns, world.now);
    let (name, json) = (RELAY.to_owned(), "{}".to_owned());
    let event = Event::new(id, world.now, EventBody::Other(NamedPayload { name, json }));
    let arrival = Arrival { by_host: true, ..Arrival::new(event, Seed::default()) };
    let (actions, log) = relayed_on(world, &arrival);
    assert_eq!(log, [""; 0]);
    asks(&actions)
}

fn reason(body: &EventBody) -> &str {
    match body {
        EventBody::Returned(returned) => returned.reason.as_deref().unwrap_or_default(),
        other => panic!("it is not given back: {other:?}"),
    }
}

#[test]
fn it_owes_a_word_from_the_first_one_on_that_it_has_not_answered() {
    let mut world = impatient();
    assert_eq!(world.state.relay_silent_at(), from_now(&world), "to the hand-over");
    goes(&mut world, answered(&tells(&["Hi!"], Some("77"))));
    assert_eq!(world.state.relay_silent_at(), None, "it has the last word");
    goes(&mut world, said("hello"));
    let first = from_now(&world);
    assert_eq!(world.state.relay_silent_at(), first);
    world.now += MINUTE;
    goes(&mut world, said("anybody?"));
    assert_eq!(world.state.relay_silent_at(), first, "who goes on writing waits no longer");
    world.now += MINUTE;
    goes(&mut world, answered(&tells(&[], None)));
    assert_eq!(world.state.relay_silent_at(), first, "that was no word");
    goes(&mut world, answered(&tells(&["Yes."], None)));
    assert_eq!(world.state.relay_silent_at(), None);
}

#[test]
fn where_more_waits_each_of_its_words_begins_the_time_anew() {
    let mut world = impatient();
    goes(&mut world, answered(&tells(&["Hi!"], Some("77"))));
    goes(&mut world, said("one"));
    goes(&mut world, said("two"));
    world.now += MINUTE;
    goes(&mut world, answered(&tells(&["That is one."], None)));
    assert_eq!(world.state.relay_silent_at(), from_now(&world), "the other one waits");
}

#[test]
fn where_the_channel_does_not_say_so_it_may_be_silent_for_ever() {
    let mut world = relayed();
    assert_eq!(world.state.relay_silent_at(), None);
    goes(&mut world, answered(&tells(&[], Some("77"))));
    goes(&mut world, said("hello"));
    assert_eq!(world.state.relay_silent_at(), None);
}

#[test]
fn a_relay_of_an_older_host_owes_a_word_from_the_persons_next_one_on() {
    let mut world = impatient();
    let written = r#"{"bot":"care","stream":"77","asked":false}"#;
    world.state.relay = Some(serde_json::from_str::<Relay>(written).unwrap());
    assert_eq!(world.state.relay_silent_at(), None);
    goes(&mut world, said("hello"));
    assert_eq!(world.state.relay_silent_at(), from_now(&world));
    let written = serde_json::to_string(&world.state.relay).unwrap();
    let read: Option<Relay> = serde_json::from_str(&written).unwrap();
    assert_eq!(read, world.state.relay, "the time is written down");
}

#[test]
fn who_falls_silent_is_asked_who_the_person_is_and_gives_back() {
    let mut world = impatient();
    goes(&mut world, answered(&tells(&[], Some("77"))));
    assert_eq!(world.state.passes_on_at(), world.state.relay_silent_at(), "the store wakes it");
    let asked = falls_silent(&mut world);
    assert!(matches!(asked[..], [Ask::Who(_)]), "{asked:?}");
    assert_eq!(world.state.relay_silent_at(), None, "once");
    goes(&mut world, answered(&tells(&[], None)));
    let told = world.state.relay_over().expect("it is over");
    assert_eq!(reason(&told), "the external bot `care`: it has said nothing for too long");
    let arrival = world.arrival(told);
    assert!(matches!(world.step(&arrival), Step::Run(_)));
}

#[test]
fn who_does_not_even_answer_is_asked_nothing_more() {
    let mut world = impatient();
    goes(&mut world, answered(&tells(&["Hi!"], Some("77"))));
    goes(&mut world, said("hello"));
    assert_eq!(falls_silent(&mut world), []);
    reason(&world.state.relay_over().expect("it is over"));
    assert_eq!(world.state.due(), Some(0));
}

#[test]
fn a_hand_over_to_one_that_has_not_begun_by_then_has_failed() {
    let mut world = impatient();
    assert_eq!(falls_silent(&mut world), []);
    let told = world.state.relay_over().expect("it is over");
    assert!(matches!(told, EventBody::ForwardFailed(_)), "{told:?}");
}

#[test]
fn whoever_has_it_by_then_is_not_disturbed() {
    let mut world = impatient();
    goes(&mut world, answered(&tells(&[], Some("77"))));
    assert!(world.state.relay_silent_at().is_some());
    world.skip(EventBody::HumanSpoke(event::HumanSpoke::default()));
    assert_eq!((world.state.owner, world.state.relay_silent_at()), (Owner::Human, None));
}

/// What happens while an external bot has a conversation.
#[derive(Clone, Copy, Debug)]
enum Happens {
    PersonSays,
    ItAnswers { words: usize },
    AgentSays { words: usize },
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        Just(Happens::PersonSays),
        (0_usize..3).prop_map(|words| Happens::ItAnswers { words }),
        (0_usize..2).prop_map(|words| Happens::AgentSays { words }),
    ]
}

proptest! {
    /// Whatever happens, the time ends so long after the oldest word that the person has had
    /// no answer to, or after its own last one where more waits; and where it has had the
    /// last word there is none.
    #[test]
    fn the_time_is_that_of_the_oldest_word_without_an_answer(
        steps in prop::collection::vec((happens(), 0..2 * MINUTE), 0..30),
    ) {
        let mut world = impatient();
        let mut owes = from_now(&world);
        let (mut asked, mut waiting) = (true, 0_usize);
        for (step, pause) in steps {
            world.now += pause;
            let words = match step {
                Happens::PersonSays => {
                    waiting += 1;
                    goes(&mut world, said("hello"));
                    0
                }
                Happens::ItAnswers { .. } if !asked => continue,
                Happens::ItAnswers { words } => {
                    asked = false;
                    let body = answered(&tells(&["a word"; 2][..words], Some("77")));
                    let arrival = arrives(&mut world, body);
                    relayed_on(&mut world, &arrival);
                    words
                }
                Happens::AgentSays { words } => {
                    let heard = tells(&["a word"; 1][..words], Some("77"));
                    let (name, json) = (RELAY.to_owned(), serde_json::to_string(&heard).unwrap());
                    // Nobody knows the key of a chat that has not begun.
                    let begun = world.state.relay.as_ref().is_some_and(Relay::has_begun);
                    goes(&mut world, EventBody::Other(NamedPayload { name, json }));
                    if begun { words } else { 0 }
                }
            };
            if words > 0 {
                owes = None;
            }
            if waiting > 0 {
                owes = owes.or_else(|| from_now(&world));
            }
            let begun = world.state.relay.as_ref().is_some_and(Relay::has_begun);
            if begun && !asked && waiting > 0 {
                (asked, waiting) = (true, waiting - 1);
            }
            prop_assert_eq!(world.state.relay_silent_at(), owes, "{:?}", step);
            prop_assert!(world.state.due() <= owes.or(Some(Millis::MAX)));
        }
    }
}
