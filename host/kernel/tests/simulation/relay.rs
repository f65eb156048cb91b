//! Stories of conversations that an external bot has, over crashes.

use botyard_kernel::action::{Action, Forward, ForwardTarget};
use botyard_kernel::event::{Answer, Event, EventBody, NamedPayload};
use botyard_kernel::id::EventId;
use botyard_kernel::lane::{Input, UNPROMPTED_RATE};
use botyard_kernel::log::{Arrival, Outcome, RowEnd, SkipReason};
use botyard_kernel::outbox::{CallId, Called, Requested};
use botyard_kernel::owner::Owner;
use botyard_kernel::relay::{Heard, RELAY, Text};
use botyard_kernel::session::Seed;
use botyard_kernel::time::{HOUR, MINUTE, Millis, SECOND};

use crate::jobs::Job;
use crate::scenarios::{is_call, is_run, say, userlike};
use crate::vendor::Kind;
use crate::world::World;

fn hand_over() -> Action {
    let target = ForwardTarget::Bot("care".to_owned());
    Action::Forward(Forward { target, on_failure: None })
}

fn is_request(job: &Job) -> bool {
    matches!(job, Job::Request { .. })
}

fn heard(text: &str, over: bool) -> Heard {
    Heard {
        stream: Some("77".to_owned()),
        texts: vec![Text { text: text.to_owned(), options: Vec::new() }],
        over: over.then(|| "it is done".to_owned()),
        ..Heard::default()
    }
}

/// A conversation whose bot hands over, and does what the script says besides.
fn handed_over<const N: usize>(script: [(&str, Vec<Action>); N]) -> World {
    handed_over_for(None, script)
}

/// The same on a channel that waits so long for a word of the external bot.
fn handed_over_for<const N: usize>(
    relay_returns_after_ms: Option<Millis>,
    script: [(&str, Vec<Action>); N],
) -> World {
    let mut world = userlike(script);
    world.settled_rules(|rules| {
        rules.policy.relays.insert("care".to_owned());
        rules.policy.relay_returns_after_ms = relay_returns_after_ms;
    });
    world.say(Kind::Message);
    world.all_but_requests();
    assert_eq!(world.lane.state().owner, Owner::Relay);
    world
}

impl World {
    fn is_asked(&self) -> bool {
        self.jobs.iter().any(is_request)
    }

    fn take_question(&mut self) -> CallId {
        let at = self.jobs.iter().position(is_request).expect("it is asked");
        let Job::Request { call, .. } = self.jobs.remove(at) else { unreachable!() };
        call
    }

    fn external_says(&mut self, text: &str, over: bool) {
        let call = self.take_question();
        let body = serde_json::to_string(&heard(text, over)).unwrap();
        let answer = Answer { status: 200, headers: Vec::new(), body, truncated: false };
        self.feed(Input::Requested { call, requested: Requested::Answered(answer) });
    }

    /// An agent of the external bot says something that nobody asked for.
    fn agent_says(&mut self, text: &str) {
        let json = serde_json::to_string(&heard(text, false)).unwrap();
        let body = EventBody::Other(NamedPayload { name: RELAY.to_owned(), json });
        let event = Event::new(EventId(format!("agent.{text}")), self.now, body);
        let arrivals = vec![Arrival::new(event, Seed::default())];
        self.feed(Input::Arrived { request: None, arrivals, accept_only: true, rides: self.rides });
    }

    fn all_but_requests(&mut self) {
        self.end_all_but(is_request);
    }

    fn turns_of(&self, skipped: SkipReason) -> usize {
        let turns = self.log.turns().filter(|(_, turn)| turn.outcome == Outcome::Skipped(skipped));
        turns.count()
    }
}

#[test]
fn an_external_bot_is_asked_again_after_a_crash_and_gives_back() {
    let mut world = handed_over([("w1p0", vec![say("One moment."), hand_over()])]);
    world.crash();
    world.all_but_requests();
    world.external_says("I am the other one.", false);
    world.all_but_requests();
    world.say(Kind::Message);
    world.all_but_requests();
    world.crash();
    world.all_but_requests();
    world.external_says("Good bye.", true);
    world.all_but_requests();
    // It is asked who the person is, and has forgotten that.
    world.external_says("", false);
    world.all_but_requests();
    world.sleep_until(world.now + SECOND);
    world.end_all();
    assert_eq!(world.lane.state().owner, Owner::Bot);
    // Three answers, and what the person said between them.
    assert_eq!(world.turns_of(SkipReason::Relayed), 4);
    let returned = world.log.turns().map(|(_, turn)| turn).filter(|turn| {
        turn.event.as_str().starts_with("returns.") && matches!(turn.outcome, Outcome::Ran { .. })
    });
    assert_eq!(returned.count(), 1, "the bot is told once");
    let told =
        world.log.arrivals().filter(|(_, it)| matches!(it.event.body, EventBody::Response(_)));
    assert_eq!(told.count(), 3);
}

#[test]
fn nobody_asks_an_external_bot_that_has_the_conversation_no_longer() {
    let mut world = handed_over([("w1p0", vec![hand_over()])]);
    let call = world.take_question();
    let requested = Requested::Unanswered("nobody is there".to_owned());
    world.feed(Input::Requested { call, requested });
    world.say(Kind::HumanSpoke);
    world.all_but_requests();
    assert!(world.ends().contains(&&RowEnd::Quarantined), "{:?}", world.ends());
    world.sleep_until(world.now + MINUTE);
    assert!(!world.is_asked(), "it is not tried again");
    world.come_to_rest();
    world.check();
}

#[test]
fn what_an_external_bot_answers_too_late_is_noted() {
    let mut world = handed_over([("w1p0", vec![hand_over()])]);
    world.say(Kind::HumanSpoke);
    world.all_but_requests();
    world.external_says("I am too late.", false);
    world.end_all();
    let (_, turn) = world.log.turns().last().unwrap();
    assert_eq!(turn.outcome, Outcome::Skipped(SkipReason::Relayed));
    assert!(turn.log[0].message.contains("1 texts of an external bot came"), "{:?}", turn.log);
}

#[test]
fn a_bot_that_hands_over_whenever_it_is_given_back_is_slowed_and_people_are_not() {
    let given_back = "the external bot `care`: it is done";
    let hands_over = || vec![hand_over()];
    let mut world = handed_over([("w1p0", hands_over()), (given_back, hands_over())]);
    let relayed = |world: &World| world.turns_of(SkipReason::Relayed);
    let live_until = |world: &mut World, end| {
        for _ in 0..1_000 {
            world.all_but_requests();
            if world.is_asked() {
                world.external_says("No.", true);
                continue;
            }
            match world.lane.wake_at(world.now).filter(|at| *at < end) {
                Some(at) => world.sleep_until(at),
                None => return,
            }
        }
        panic!("nothing holds it back");
    };
    let end = world.now + MINUTE;
    world.external_says("Hello.", false);
    world.all_but_requests();
    world.say(Kind::Message);
    live_until(&mut world, end);
    // In each round it answers twice, and the bot is given the conversation back.
    let round = 2 * (UNPROMPTED_RATE.calls / 3);
    assert_eq!(relayed(&world), 2 + round, "with its greeting and what the person said");
    world.say(Kind::Message);
    live_until(&mut world, end);
    assert_eq!(relayed(&world), 3 + round, "what a person says is not slowed");
    world.sleep_until(end);
    live_until(&mut world, end + MINUTE);
    assert_eq!(relayed(&world), 3 + 2 * round, "nothing is dropped");
}

#[test]
fn an_external_bot_that_speaks_on_and_on_is_slowed_and_loses_nothing() {
    let mut world = handed_over([("w1p0", vec![hand_over()])]);
    world.external_says("Hello.", false);
    let words = UNPROMPTED_RATE.calls + 10;
    (1..words).for_each(|n| world.agent_says(&n.to_string()));
    world.all_but_requests();
    assert_eq!(world.turns_of(SkipReason::Relayed), UNPROMPTED_RATE.calls);
    world.sleep_until(world.now + MINUTE);
    world.all_but_requests();
    assert_eq!(world.turns_of(SkipReason::Relayed), words);
}

#[test]
fn an_external_bot_that_is_over_is_due_at_once_whatever_waits_for_delivery() {
    let mut world = handed_over([("w1p0", vec![hand_over()])]);
    world.external_says("Hello.", false);
    world.all_but_requests();
    world.say(Kind::Message);
    world.all_but_requests();
    world.external_says("Good bye.", true);
    world.end_all_but(|job| is_request(job) || is_call(job));
    world.external_says("", false);
    world.end_all_but(|job| is_run(job) || is_call(job));
    assert!(world.jobs.iter().any(is_run), "the bot is told, which takes its time");
    let after_ms = Some(5 * MINUTE);
    let reason = "busy".to_owned();
    world.call_ends(Called::Retry { after_ms, ambiguous: false, reason, tries_max: None });
    world.end_all_but(is_run);
    let (_, settled) = world.log.settled().last().unwrap();
    assert_eq!(settled.due_ms, Some(0), "the next host does not wait for the vendor");
    world.crash();
    world.end_all();
    assert_eq!(world.lane.state().owner, Owner::Bot);
}

/// As [`handed_over`], on a channel that waits five minutes for a word of the external bot,
/// which has greeted.
fn awaited<const N: usize>(script: [(&str, Vec<Action>); N]) -> World {
    let mut world = handed_over_for(Some(5 * MINUTE), script);
    world.external_says("Hello.", false);
    world.all_but_requests();
    world
}

const SILENT: &str = "the external bot `care`: it has said nothing for too long";

#[test]
fn a_flow_that_ends_without_a_word_gives_the_conversation_back() {
    let mut world = awaited([("w1p0", vec![hand_over()]), (SILENT, vec![say("I am back.")])]);
    assert_eq!(world.lane.state().due(), None, "it is the person who is to say something");
    let said_ms = world.now;
    world.say(Kind::Message);
    world.all_but_requests();
    world.external_says("", false);
    world.all_but_requests();
    let due = world.lane.state().due().expect("the store wakes it");
    assert!((said_ms..=world.now).contains(&(due - 5 * MINUTE)), "{due}");
    world.crash();
    world.all_but_requests();
    world.sleep_until(due - 1);
    world.all_but_requests();
    assert_eq!((world.lane.state().owner, world.is_asked()), (Owner::Relay, false));
    world.sleep_until(due);
    world.all_but_requests();
    // It is asked who the person is.
    world.external_says("", false);
    world.end_all();
    assert_eq!(world.lane.state().owner, Owner::Bot);
    world.sleep_until(due + 24 * HOUR);
    world.end_all();
    let returned =
        world.log.turns().filter(|(_, turn)| turn.event.as_str().starts_with("returns."));
    assert_eq!(returned.count(), 1, "once");
}

#[test]
fn an_external_bot_that_does_not_even_answer_is_not_waited_for() {
    let mut world = awaited([("w1p0", vec![hand_over()]), (SILENT, vec![say("I am back.")])]);
    world.say(Kind::Message);
    world.all_but_requests();
    let call = world.take_question();
    world.sleep_until(world.now + 5 * MINUTE);
    world.all_but_requests();
    assert_eq!((world.lane.state().owner, world.is_asked()), (Owner::Bot, false));
    let body = serde_json::to_string(&heard("I am too late.", false)).unwrap();
    let answer = Answer { status: 200, headers: Vec::new(), body, truncated: false };
    world.feed(Input::Requested { call, requested: Requested::Answered(answer) });
    world.end_all();
    let (_, turn) = world.log.turns().last().unwrap();
    assert!(turn.log[0].message.contains("1 texts of an external bot came"), "{:?}", turn.log);
    world.come_to_rest();
    assert!(world.lane.state().rows.is_empty(), "nothing is still to be asked");
}
