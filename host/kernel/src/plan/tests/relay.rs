//! Conversations that an external bot has.

use super::*;
use crate::action::Action;
use crate::event::{Answer, Click, Message, NamedPayload, Response, ResponseOutcome};
use crate::log::SkipReason;
use crate::relay::{Ask, Heard, RELAY, Text};

fn hand_over() -> Action {
    let target = ForwardTarget::Bot("care".to_owned());
    Action::Forward(Forward { target, on_failure: None })
}

fn said(text: &str) -> EventBody {
    EventBody::Message(Message { text: text.to_owned(), format: TextFormat::Plain })
}

fn answered(heard: &Heard) -> EventBody {
    let body = serde_json::to_string(heard).unwrap();
    let answer = Answer { status: 200, headers: Vec::new(), body, truncated: false };
    let outcome = ResponseOutcome::Answered(answer);
    EventBody::Response(Response { name: RELAY.to_owned(), outcome })
}

fn failed(why: &str) -> EventBody {
    let outcome = ResponseOutcome::Failed(why.to_owned());
    EventBody::Response(Response { name: RELAY.to_owned(), outcome })
}

fn tells(texts: &[&str], stream: Option<&str>) -> Heard {
    let text = |text: &&str| Text { text: (*text).to_owned(), options: Vec::new() };
    let texts = texts.iter().map(text).collect();
    Heard { stream: stream.map(str::to_owned), texts, over: None }
}

/// A conversation that the bot has just handed over.
fn relayed() -> World {
    let mut world = World::new();
    world.native = &["message", "bubbles"];
    world.policy.relays.insert("care".to_owned());
    world.says(vec![say("One moment."), hand_over()]);
    assert_eq!(world.state.owner, Owner::Relay);
    world
}

/// What an event makes of it: what is said and asked besides.
fn goes(world: &mut World, body: EventBody) -> Vec<Action> {
    let arrival = world.arrival(body);
    assert!(matches!(world.step(&arrival), Step::Relay(_)), "{:?}", world.step(&arrival));
    let profile = Profile::new(world.native, 5_000);
    let turn = world.plan(&arrival).relayed(&profile, world.now + 7);
    assert_eq!(turn.outcome, Outcome::Skipped(SkipReason::Relayed));
    let before = world.state.rows.len();
    world.state = turn.state;
    world.state.rows[before..].iter().map(|row| row.action.clone()).collect()
}

fn asks(actions: &[Action]) -> Vec<Ask> {
    let ask = |action: &Action| match action {
        Action::Request(request) => {
            assert_eq!((&*request.name, &*request.url), (RELAY, "relay:care"));
            serde_json::from_str(request.body.as_deref()?).ok()
        }
        _ => None,
    };
    actions.iter().filter_map(ask).collect()
}

fn ask(text: &str, option: Option<&str>) -> Ask {
    let (stream, text, option) = ("77".to_owned(), text.to_owned(), option.map(str::to_owned));
    Ask::Say { stream, text, option }
}

#[test]
fn what_the_person_says_goes_to_the_external_bot_one_after_the_other() {
    let mut world = relayed();
    let rows: Vec<_> = world.state.rows.iter().map(|row| row.action.clone()).collect();
    assert!(matches!(asks(&rows)[..], [Ask::Start(_)]), "{rows:?}");
    assert_eq!(goes(&mut world, said("hello")), [], "it has not begun");
    assert_eq!(goes(&mut world, said("anybody?")), []);

    let begun = goes(&mut world, answered(&tells(&["Hi!", "What is it?"], Some("77"))));
    assert_eq!(begun[..2], [say("Hi!"), say("What is it?")]);
    assert_eq!(asks(&begun), [ask("hello", None)]);
    let next = goes(&mut world, answered(&tells(&["I see."], None)));
    assert_eq!((next[0].clone(), asks(&next)), (say("I see."), vec![ask("anybody?", None)]));
    assert_eq!(goes(&mut world, answered(&tells(&[], None))), []);
    assert_eq!(asks(&goes(&mut world, said("no"))), [ask("no", None)]);
}

#[test]
fn an_option_goes_back_by_the_id_that_it_came_with() {
    let mut world = relayed();
    let options = vec![("478137613".to_owned(), "Rye".to_owned())];
    let text = Text { text: "Which?".to_owned(), options };
    let heard = Heard { stream: Some("77".to_owned()), texts: vec![text], over: None };
    let offered = goes(&mut world, answered(&heard));
    assert_eq!(offered[0].option_ids().collect::<Vec<_>>(), ["478137613"]);
    assert_eq!(asks(&goes(&mut world, said("1"))), [ask("Rye", Some("478137613"))], "typed");
    goes(&mut world, answered(&tells(&[], None)));
    let tap = Click { option_ids: vec!["478137613".to_owned()], ..Click::default() };
    let tapped = goes(&mut world, EventBody::Click(tap));
    assert_eq!(asks(&tapped), [ask("Rye", Some("478137613"))]);
}

#[test]
fn when_it_is_over_the_bot_has_the_conversation_and_what_was_said() {
    let mut world = relayed();
    goes(&mut world, answered(&tells(&[], Some("77"))));
    goes(&mut world, said("thanks"));
    let over = Heard { over: Some("the agent has left".to_owned()), ..tells(&["Bye!"], None) };
    assert_eq!(goes(&mut world, answered(&over)), [say("Bye!")]);
    assert_eq!(world.state.due(), Some(0), "the bot is to be told at once");
    let told = world.state.relay_over().expect("it is over");
    let EventBody::Returned(returned) = &told else { panic!("{told:?}") };
    let reason = returned.reason.as_deref().unwrap_or_default();
    assert_eq!(reason, "the external bot `care`: the agent has left");
    let arrival = world.arrival(told);
    let Step::Run(run) = world.step(&arrival) else { panic!("the bot does not run") };
    let skipped: Vec<_> = run.1.skipped.iter().map(|event| event.body.name()).collect();
    assert_eq!(skipped, ["message"]);
    world.turn(&arrival, Ok(vec![say("Welcome back.")]));
    assert_eq!((world.state.owner, &world.state.relay), (Owner::Bot, &None));
}

#[test]
fn a_hand_over_that_fails_is_told_as_such() {
    for body in [failed("Instabot answered 401"), answered(&tells(&[], None))] {
        let mut world = relayed();
        goes(&mut world, body);
        let told = world.state.relay_over().expect("it is over");
        assert!(matches!(told, EventBody::ForwardFailed(_)), "{told:?}");
        let arrival = world.arrival(told);
        assert!(matches!(world.step(&arrival), Step::Run(_)));
    }
}

#[test]
fn it_speaks_by_itself_only_where_it_knows_the_key_and_has_the_conversation() {
    let alone = |heard: &Heard| {
        let json = serde_json::to_string(heard).unwrap();
        EventBody::Other(NamedPayload { name: RELAY.to_owned(), json })
    };
    let mut world = relayed();
    assert_eq!(goes(&mut world, alone(&tells(&["guess"], None))), []);
    goes(&mut world, answered(&tells(&[], Some("77"))));
    assert_eq!(goes(&mut world, alone(&tells(&["guess"], Some("78")))), []);
    let agent = alone(&tells(&["I am Ada."], Some("77")));
    assert_eq!(goes(&mut world, agent.clone()), [say("I am Ada.")]);

    world.state.owner = Owner::Human;
    assert_eq!(world.skip(agent), SkipReason::Relayed);
    assert_eq!(world.state.relay, None, "whoever took the conversation has it");
    assert_eq!(world.skip(answered(&tells(&["late"], None))), SkipReason::Relayed);
}

#[test]
fn what_waits_for_it_is_bounded() {
    let mut world = relayed();
    for n in 0..crate::relay::WAITING_MAX + 3 {
        goes(&mut world, said(&n.to_string()));
    }
    let begun = goes(&mut world, answered(&tells(&[], Some("77"))));
    assert_eq!(asks(&begun), [ask("3", None)]);
}

#[test]
fn other_names_are_the_vendors() {
    let mut world = World::new();
    world.says(vec![hand_over()]);
    assert_ne!(world.state.owner, Owner::Relay);
}
