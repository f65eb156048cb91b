//! Conversations that an external bot has.

use super::*;
use crate::action::{Action, ContactUpdate};
use crate::event::{Answer, Click, Message, NamedPayload, Response, ResponseOutcome};
use crate::log::{Row, SkipReason};
use crate::outbox::response_id;
use crate::relay::{
    Ask, Heard, RELAY, Relay, SAID_BYTES_MAX, TEXTS_BYTES_MAX, Text, WAITING_BYTES_MAX,
};

fn hand_over() -> Action {
    let target = ForwardTarget::Bot("care".to_owned());
    Action::Forward(Forward { target, on_failure: None })
}

pub(super) fn said(text: &str) -> EventBody {
    EventBody::Message(Message { text: text.to_owned(), format: TextFormat::Plain })
}

pub(super) fn answered(heard: &Heard) -> EventBody {
    let body = serde_json::to_string(heard).unwrap();
    let answer = Answer { status: 200, headers: Vec::new(), body, truncated: false };
    let outcome = ResponseOutcome::Answered(answer);
    EventBody::Response(Response { name: RELAY.to_owned(), outcome })
}

fn failed(why: &str) -> EventBody {
    let outcome = ResponseOutcome::Failed(why.to_owned());
    EventBody::Response(Response { name: RELAY.to_owned(), outcome })
}

pub(super) fn tells(texts: &[&str], stream: Option<&str>) -> Heard {
    let text = |text: &&str| Text { text: (*text).to_owned(), options: Vec::new() };
    let texts = texts.iter().map(text).collect();
    Heard { stream: stream.map(str::to_owned), texts, ..Heard::default() }
}

/// A conversation that the bot has just handed over.
pub(super) fn relayed() -> World {
    relayed_by(|_| ())
}

/// The same by a policy that says more.
pub(super) fn relayed_by(settle: impl FnOnce(&mut Policy)) -> World {
    let mut world = World::new();
    settle(&mut world.policy);
    world.native = &["message", "bubbles"];
    world.policy.relays.insert("care".to_owned());
    world.says(vec![say("One moment."), hand_over()]);
    assert_eq!(world.state.owner, Owner::Relay);
    world
}

/// What an event makes of it: what is said and asked besides. A response is that to what
/// was asked last.
pub(super) fn goes(world: &mut World, body: EventBody) -> Vec<Action> {
    let arrival = arrives(world, body);
    relayed_on(world, &arrival).0
}

pub(super) fn arrives(world: &mut World, body: EventBody) -> Arrival {
    let mut arrival = world.arrival(body);
    if let (EventBody::Response(_), Some(asked)) = (&arrival.event.body, last_asked(world)) {
        arrival.event.id = response_id(&asked.id);
    }
    arrival
}

fn last_asked(world: &World) -> Option<&Row> {
    world.state.rows.iter().rfind(|row| crate::relay::is_ask(&row.action))
}

/// What an arrival makes of it, and what the log says.
pub(super) fn relayed_on(world: &mut World, arrival: &Arrival) -> (Vec<Action>, Vec<String>) {
    assert!(matches!(world.step(arrival), Step::Relay(_)), "{:?}", world.step(arrival));
    let profile = Profile::new(world.native, 5_000);
    let turn = world.plan(arrival).relayed(&profile, world.now + 7);
    assert_eq!(turn.outcome, Outcome::Skipped(SkipReason::Relayed));
    let before = world.state.rows.len();
    world.state = turn.state;
    let actions = world.state.rows[before..].iter().map(|row| row.action.clone()).collect();
    (actions, turn.log.into_iter().map(|line| line.message).collect())
}

pub(super) fn asks(actions: &[Action]) -> Vec<Ask> {
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
    let heard = Heard { stream: Some("77".to_owned()), texts: vec![text], ..Heard::default() };
    let offered = goes(&mut world, answered(&heard));
    assert_eq!(offered[0].option_ids().collect::<Vec<_>>(), ["478137613"]);
    assert_eq!(asks(&goes(&mut world, said("1"))), [ask("Rye", Some("478137613"))], "typed");
    goes(&mut world, answered(&tells(&[], None)));
    let tap = Click { option_ids: vec!["478137613".to_owned()], ..Click::default() };
    let tapped = goes(&mut world, EventBody::Click(tap));
    assert_eq!(asks(&tapped), [ask("Rye", Some("478137613"))]);
}

#[test]
fn nothing_that_is_said_to_it_is_empty() {
    let mut world = relayed();
    goes(&mut world, answered(&tells(&[], Some("77"))));
    let tap = Click { option_ids: vec!["rye".to_owned()], ..Click::default() };
    let tapped = goes(&mut world, EventBody::Click(tap));
    assert_eq!(asks(&tapped), [ask("rye", Some("rye"))], "without a label");
    goes(&mut world, answered(&tells(&[], None)));
    let blank = world.arrival(said(" \n"));
    let (actions, lines) = relayed_on(&mut world, &blank);
    assert_eq!((actions, lines.len()), (vec![], 1), "{lines:?}");
    assert_eq!(asks(&goes(&mut world, said("hello"))), [ask("hello", None)]);
}

#[test]
fn when_it_is_over_the_bot_has_the_conversation_and_what_was_said() {
    let mut world = relayed();
    goes(&mut world, answered(&tells(&[], Some("77"))));
    goes(&mut world, said("thanks"));
    let over = Heard { over: Some("the agent has left".to_owned()), ..tells(&["Bye!"], None) };
    let bye = goes(&mut world, answered(&over));
    let [ref bye, ref who] = bye[..] else { panic!("{bye:?}") };
    assert_eq!(*bye, say("Bye!"));
    assert!(matches!(asks(std::slice::from_ref(who))[..], [Ask::Who(_)]), "{who:?}");
    assert_eq!(world.state.relay_over(), None, "it is still asked who the person is");
    assert_eq!(goes(&mut world, said("hello?")), [], "nothing more is said to it");
    let name = Some("Ida".to_owned());
    let contact = Some(ContactUpdate { name, ..ContactUpdate::default() });
    goes(&mut world, answered(&Heard { contact, ..Heard::default() }));
    assert_eq!(world.state.due(), Some(0), "the bot is to be told at once");
    let told = world.state.relay_over().expect("it is over");
    let EventBody::Returned(returned) = &told else { panic!("{told:?}") };
    let reason = returned.reason.as_deref().unwrap_or_default();
    assert_eq!(reason, "the external bot `care`: the agent has left");
    let arrival = world.arrival(told);
    let Step::Run(run) = world.step(&arrival) else { panic!("the bot does not run") };
    let skipped: Vec<_> = run.1.skipped.iter().map(|event| event.body.name()).collect();
    assert_eq!(skipped, ["message", "message"]);
    assert_eq!(run.1.facts.contact.name.as_deref(), Some("Ida"));
    world.turn(&arrival, Ok(vec![say("Welcome back.")]));
    assert_eq!((world.state.owner, &world.state.relay), (Owner::Bot, &None));
}

#[test]
fn whether_it_tells_who_the_person_is_or_not_it_is_over() {
    for body in [failed("nobody is there"), answered(&Heard::default())] {
        let mut world = relayed();
        goes(&mut world, answered(&tells(&[], Some("77"))));
        goes(&mut world, said("thanks"));
        // Its agent leaves while it is asked something: that is still answered.
        let left = Heard { over: Some("gone".to_owned()), ..tells(&[], Some("77")) };
        let json = serde_json::to_string(&left).unwrap();
        let left = EventBody::Other(NamedPayload { name: RELAY.to_owned(), json });
        assert_eq!(goes(&mut world, left), []);
        let last = goes(&mut world, answered(&tells(&["Bye!"], None)));
        assert_eq!((&last[0], asks(&last).len()), (&say("Bye!"), 1));
        goes(&mut world, body);
        assert!(matches!(world.state.relay_over(), Some(EventBody::Returned(_))));
    }
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
fn what_waits_for_it_is_bounded_and_a_line_says_what_is_not_said_to_it() {
    let mut world = relayed();
    let long = |n: usize| format!("{n} {}", "x".repeat(SAID_BYTES_MAX - 2));
    let mut lines = Vec::new();
    for n in 0..5 {
        let arrival = world.arrival(said(&long(n)));
        lines.push(relayed_on(&mut world, &arrival).1);
    }
    let relay = serde_json::to_vec(&world.state.relay).unwrap();
    assert!(relay.len() < WAITING_BYTES_MAX + 1_000, "{} bytes", relay.len());
    // With what stands around them, three have room.
    let lost = lines.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(lost, [0, 0, 0, 1, 1]);
    assert!(lines[3][0].contains("the 1 oldest messages"), "{lines:?}");
    let begun = goes(&mut world, answered(&tells(&[], Some("77"))));
    assert_eq!(asks(&begun), [ask(&long(2), None)]);
}

#[test]
fn of_one_long_text_the_beginning_is_said_to_it_and_a_line_says_so() {
    let mut world = relayed();
    goes(&mut world, answered(&tells(&[], Some("77"))));
    let long = "ä".repeat(SAID_BYTES_MAX / 2 + 5);
    let arrival = world.arrival(said(&long));
    let (actions, log) = relayed_on(&mut world, &arrival);
    assert_eq!(asks(&actions), [ask(&"ä".repeat(SAID_BYTES_MAX / 2), None)]);
    assert!(log[0].contains("the last 10 bytes of a text are not said"), "{log:?}");
    let EventBody::Message(kept) = &world.state.skipped[0].body else { panic!("a message") };
    assert_eq!(kept.text, long, "the bot finds all of it");
}

#[test]
fn of_a_very_long_answer_as_much_is_told_as_a_turn_has_room_for() {
    let mut world = relayed();
    let long = "x".repeat(TEXTS_BYTES_MAX / 4);
    let arrival = arrives(&mut world, answered(&tells(&[long.as_str(); 5], Some("77"))));
    let (actions, log) = relayed_on(&mut world, &arrival);
    let told = actions.iter().map(|action| match action {
        Action::Message(message) => message.text.len(),
        other => panic!("no message: {other:?}"),
    });
    assert_eq!(told.sum::<usize>(), 3 * long.len(), "what stands around them counts, too");
    assert!(log[0].contains("the last 2 texts of an answer"), "{log:?}");
}

#[test]
fn only_what_answers_its_own_question_is_heard() {
    let mut world = relayed();
    let late = arrives(&mut world, answered(&tells(&["I am too late."], Some("77"))));
    let silent = arrives(&mut world, answered(&tells(&[], Some("77"))));
    world.skip(EventBody::HumanSpoke(event::HumanSpoke::default()));
    let (reason, log) = world.skip_arrival(&late);
    assert_eq!(reason, SkipReason::Relayed);
    assert!(log[0].message.contains("1 texts of an external bot came"), "{log:?}");
    assert_eq!(world.skip_arrival(&silent), (SkipReason::Relayed, vec![]), "nothing is lost");

    let returned = world.arrival(EventBody::Returned(event::Returned::default()));
    world.turn(&returned, Ok(vec![hand_over()]));
    let (actions, log) = relayed_on(&mut world, &late);
    assert_eq!((actions, log.len()), (vec![], 1), "it answers the first hand-over");
    assert_eq!(goes(&mut world, said("hello")), [], "the second has not begun");
    let begun = goes(&mut world, answered(&tells(&["Hi!"], Some("78"))));
    assert_eq!(begun[0], say("Hi!"));
}

#[test]
fn an_answer_to_what_an_older_host_asked_is_heard() {
    let mut world = relayed();
    let written = r#"{"bot":"care","asked":true}"#;
    world.state.relay = Some(serde_json::from_str::<Relay>(written).unwrap());
    let begun = goes(&mut world, answered(&tells(&["Hi!"], Some("77"))));
    assert_eq!(begun, [say("Hi!")]);
}

#[test]
fn an_option_that_was_typed_is_handed_over_as_what_it_means() {
    let mut world = relayed();
    let options = vec![("478137613".to_owned(), "Rye".to_owned())];
    let text = Text { text: "Which?".to_owned(), options };
    goes(&mut world, answered(&Heard { texts: vec![text], ..tells(&[], Some("77")) }));
    goes(&mut world, said("1"));
    let EventBody::Click(kept) = &world.state.skipped[0].body else { panic!("a click") };
    assert_eq!(kept.option_ids, ["478137613"]);
}

#[test]
fn a_hand_over_that_fails_is_told_also_after_a_hand_over_of_the_hosts_own() {
    let mut world = relayed();
    world.state = Conversation::default();
    world.native = &["message", "forward"];
    world.fails();
    assert!(world.state.host_hand_off);
    // The vendor says so, without a word of a hand-off that failed.
    world.state.owner = Owner::Bot;
    world.says(vec![hand_over()]);
    goes(&mut world, failed("Instabot answered 401"));
    let told = world.state.relay_over().expect("it is over");
    let arrival = world.arrival(told);
    assert!(matches!(world.step(&arrival), Step::Run(_)), "{:?}", world.step(&arrival));
}

#[test]
fn other_names_are_the_vendors() {
    let mut world = World::new();
    world.says(vec![hand_over()]);
    assert_ne!(world.state.owner, Owner::Relay);
}
