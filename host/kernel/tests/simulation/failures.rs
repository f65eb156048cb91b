//! Single stories of what goes wrong: at the bot, at the vendor, at the store.

use botyard_kernel::action::{Action, Request};
use botyard_kernel::event::{Answer, EventBody, ResponseOutcome};
use botyard_kernel::lane::{Input, Rules};
use botyard_kernel::log::{Outcome, RowEnd, SkipReason, Turn};
use botyard_kernel::outbox::{Called, RESPONSE_BYTES_MAX, Requested};
use botyard_kernel::owner::Owner;
use botyard_kernel::run::Blame;
use botyard_kernel::time::{MINUTE, Millis, SECOND};

use crate::bot;
use crate::jobs::Job;
use crate::scenarios::{hand_over, is_answer, is_call, is_commit, is_run, say, userlike};
use crate::vendor::Kind;
use crate::world::World;

impl World {
    /// The call under way ends like this.
    pub(crate) fn call_ends(&mut self, called: Called) {
        let at = self.jobs.iter().position(is_call).expect("a call is under way");
        let Job::Call { call, .. } = self.jobs.remove(at) else { unreachable!() };
        self.feed(Input::Called { call, called });
    }

    fn request_ends(&mut self, requested: Requested) {
        let is_request = |job: &Job| matches!(job, Job::Request { .. });
        let at = self.jobs.iter().position(is_request).expect("a request is under way");
        let Job::Request { call, .. } = self.jobs.remove(at) else { unreachable!() };
        self.feed(Input::Requested { call, requested });
    }

    /// The client leaves, so that everything goes by call.
    pub(crate) fn say_and_leave(&mut self) {
        self.say(Kind::Message);
        self.leave_all();
    }

    pub(crate) fn last_turn(&self) -> &Turn {
        self.log.turns().last().expect("there was a turn").1
    }

    fn settled_delivery(&mut self, change: impl FnOnce(&mut botyard_kernel::profile::Delivery)) {
        self.settled_rules(|rules| change(&mut rules.delivery));
    }

    /// A host with other rules takes the conversation up.
    pub(crate) fn settled_rules(&mut self, change: impl FnOnce(&mut Rules)) {
        let mut rules = Rules::clone(&self.rules);
        change(&mut rules);
        self.rules = std::sync::Arc::new(rules);
        self.begin_anew();
        self.end_all();
    }

    pub(crate) fn events_named(&self, name: &str) -> usize {
        self.log.arrivals().filter(|(_, arrival)| arrival.event.body.name() == name).count()
    }
}

fn ask() -> Action {
    Action::Request(Request {
        name: "r".to_owned(),
        method: "GET".to_owned(),
        url: "https://shop.example/".to_owned(),
        headers: Vec::new(),
        body: None,
        timeout_ms: None,
    })
}

pub(crate) fn retry(ambiguous: bool) -> Called {
    Called::Retry { after_ms: None, ambiguous, reason: "busy".to_owned(), tries_max: None }
}

#[test]
fn what_is_too_old_is_given_up_and_told_once() {
    let mut world = userlike([("w1p0", vec![say("a")])]);
    world.say_and_leave();
    let made = world.now;
    while world.now <= made + 15 * MINUTE {
        while !world.jobs.is_empty() && !world.jobs.iter().any(is_call) {
            world.end_job(0);
        }
        if world.jobs.iter().any(is_call) {
            world.call_ends(retry(false));
        }
        while !world.jobs.is_empty() {
            world.end_job(0);
        }
        let Some(at) = world.lane.wake_at(world.now) else { break };
        world.sleep_until(at);
    }
    world.end_all();
    assert_eq!(world.events_named("delivery_failed"), 1);
    assert!(matches!(world.ends()[..], [RowEnd::Dead(_)]));
    assert!(world.lane.is_idle());
}

#[test]
fn what_the_vendor_refuses_so_often_is_given_up_and_releases_the_rest() {
    let mut world = userlike([("w1p0", vec![say("a")]), ("w2p0", vec![say("b")])]);
    world.say_and_leave();
    for _ in 0..3 {
        while !world.jobs.iter().any(is_call) {
            if world.jobs.is_empty() {
                let at = world.lane.wake_at(world.now).expect("it is tried again");
                world.sleep_until(at);
            } else {
                world.end_job(0);
            }
        }
        world.call_ends(Called::Retry {
            after_ms: None,
            ambiguous: false,
            reason: "no such file".to_owned(),
            tries_max: Some(3),
        });
    }
    world.end_all();
    let why = "no such file (tried 3 times)".to_owned();
    assert_eq!(world.ends()[0], &RowEnd::Dead(why));
    assert_eq!(world.events_named("delivery_failed"), 1);
    world.say(Kind::Message);
    world.end_all();
    assert!(world.ends()[1..].contains(&&RowEnd::Delivered), "{:?}", world.ends());
    assert!(world.lane.is_idle());
}

#[test]
fn more_than_a_conversation_can_keep_is_given_up_from_the_oldest() {
    let large = "x".repeat(4_900);
    let many = || (0..12).map(|_| say(&large)).collect::<Vec<_>>();
    let mut world = userlike([("w1p0", many()), ("w2p0", many()), ("w3p0", many())]);
    for _ in 0..3 {
        world.say_and_leave();
        world.end_first(is_run);
        world.end_first(is_commit);
        if world.jobs.iter().any(is_call) {
            world.call_ends(retry(false));
        }
        while !world.jobs.is_empty() {
            world.end_job(0);
        }
    }
    let dead = |end: &&&RowEnd| matches!(end, RowEnd::Dead(why) if why.contains("bytes wait"));
    let ends = world.ends();
    let given_up = ends.iter().filter(dead).count();
    assert!((3..=6).contains(&given_up), "{given_up} of {}", ends.len());
}

#[test]
fn a_send_of_unknown_outcome_is_held_where_the_channel_says_so() {
    let mut world = userlike([("w1p0", vec![say("a")])]);
    world.settled_delivery(|delivery| delivery.hold_ambiguous = true);
    world.say_and_leave();
    world.end_first(is_run);
    world.end_first(is_commit);
    world.call_ends(retry(true));
    world.end_all();
    assert!(matches!(world.ends()[..], [RowEnd::Dead(_)]));
    assert_eq!(world.events_named("delivery_failed"), 1);
}

#[test]
fn a_hand_off_that_cannot_be_delivered_gives_the_conversation_back() {
    let mut world = userlike([("w1p0", vec![hand_over()])]);
    world.say_and_leave();
    world.end_first(is_run);
    world.end_first(is_commit);
    assert_eq!(world.lane.state().owner, Owner::HandingOff);
    world.call_ends(Called::Fatal("nobody".to_owned()));
    world.end_all();
    assert_eq!(world.lane.state().owner, Owner::Bot);
    assert_eq!(world.events_named("forward_failed"), 1);
    assert!(matches!(world.last_turn().outcome, Outcome::Ran { .. }));
}

#[test]
fn the_twenty_first_call_within_a_minute_waits_and_takes_all_along() {
    let mut world = userlike([]);
    for n in 1..=23 {
        world.script.as_mut().unwrap().insert(format!("w{n}p0"), vec![say("a")]);
        world.say_and_leave();
        world.end_all();
        world.sleep_until(world.now + 10);
        world.end_all();
    }
    assert_eq!((world.vendor.calls.len(), world.vendor.received.len()), (20, 20));
    let first = world.vendor.calls[0];
    assert_eq!(world.lane.wake_at(world.now), Some(first + MINUTE));
    // The next answer takes what waits, in order.
    world.script.as_mut().unwrap().insert("w24p0".to_owned(), vec![say("b")]);
    world.say(Kind::Message);
    world.end_all();
    assert_eq!((world.vendor.calls.len(), world.vendor.received.len()), (20, 24));
}

#[test]
fn a_request_is_tried_four_times_and_its_answer_is_an_event() {
    let mut world = userlike([("w1p0", vec![ask()])]);
    world.say(Kind::Message);
    world.end_first(is_run);
    world.end_first(is_commit);
    for _ in 0..4 {
        world.request_ends(Requested::Unanswered("nobody".to_owned()));
        while !world.jobs.is_empty() {
            world.end_job(0);
        }
        let Some(at) = world.lane.wake_at(world.now) else { break };
        world.sleep_until(at);
    }
    assert_eq!(world.events_named("response"), 1);
    assert!(world.lane.is_idle());
}

#[test]
fn an_answer_that_is_too_large_to_store_is_cut() {
    let mut world = userlike([("w1p0", vec![ask()])]);
    world.say(Kind::Message);
    world.end_first(is_run);
    world.end_first(is_commit);
    let body = "\u{1}".repeat(256 * 1024);
    let answer = Answer { status: 200, headers: Vec::new(), body, truncated: false };
    world.request_ends(Requested::Answered(answer));
    world.end_all();
    let response = world.log.arrivals().find_map(|(_, arrival)| match &arrival.event.body {
        EventBody::Response(response) => Some(response.outcome.clone()),
        _ => None,
    });
    let Some(ResponseOutcome::Answered(answer)) = response else { panic!("no answer") };
    assert!(answer.truncated && !answer.body.is_empty());
    assert!(serde_json::to_vec(&answer).unwrap().len() <= RESPONSE_BYTES_MAX);
}

#[test]
fn a_run_that_fails_by_the_hosts_fault_is_repeated_five_times() {
    let mut world = userlike([]);
    world.say(Kind::Message);
    let began: Millis = world.now;
    let mut runs = 0;
    loop {
        if let Some(at) = world.jobs.iter().position(is_run) {
            let Job::Run { run, .. } = world.jobs.remove(at) else { unreachable!() };
            runs += 1;
            world.fail_run(run, bot::host_failure());
        } else if let Some(at) = world.jobs.iter().position(|job| !is_call(job)) {
            world.end_job(at);
        } else if matches!(world.last_turn().outcome, Outcome::Failed { .. }) {
            break;
        } else {
            let at = world.lane.wake_at(world.now).expect("it is repeated");
            world.sleep_until(at);
        }
    }
    assert_eq!(runs, 6);
    // Each is told of at once, and the last one is a turn.
    let pauses = [1, 4, 12, 40, 110].map(|seconds| began + seconds * SECOND);
    assert_eq!(world.repeats, (1..).zip(pauses).collect::<Vec<_>>());
    assert!(world.now <= began + 2 * MINUTE);
    let Outcome::Failed { failure, .. } = &world.last_turn().outcome else { unreachable!() };
    assert_eq!(failure.blame, Blame::Host);
}

#[test]
fn a_result_is_thrown_away_when_another_host_was_quicker() {
    let mut world = userlike([("w1p0", vec![say("a")])]);
    world.say(Kind::Message);
    world.end_first(is_run);
    world.foreign_event();
    world.end_first(is_commit);
    assert!(world.jobs.iter().any(|job| matches!(job, Job::Load)), "it reads again");
    while !world.jobs.iter().any(is_answer) {
        world.end_job(0);
    }
    world.end_all();
    let order: Vec<_> = world.log.turns().map(|(_, turn)| turn.event.to_string()).collect();
    assert_eq!(order[order.len() - 2..], ["w2p0t1", "w1p0t1"]);
    world.come_to_rest();
    world.check();
}

#[test]
fn a_settlement_that_was_written_twice_brings_its_events_once() {
    let mut world = userlike([("w1p0", vec![ask()])]);
    world.say(Kind::Message);
    world.end_first(is_run);
    world.end_first(is_commit);
    world.end_first(is_answer);
    world.end_all_but(|job| matches!(job, Job::Request { .. }));
    let answer = Answer { status: 200, headers: Vec::new(), body: String::new(), truncated: false };
    world.request_ends(Requested::Answered(answer));
    let at = world.jobs.iter().position(|job| matches!(job, Job::Settle(_))).unwrap();
    let Job::Settle(settled) = world.jobs.remove(at) else { unreachable!() };
    world.log.settle(&settled);
    world.wrote_and_failed = true;
    world.feed(Input::StoreFailed);
    world.come_to_rest();
    let duplicate = Outcome::Skipped(SkipReason::Duplicate);
    let duplicates = world.log.turns().filter(|(_, turn)| turn.outcome == duplicate).count();
    assert_eq!((world.events_named("response"), duplicates), (2, 1));
    world.check();
}

#[test]
fn a_request_that_is_held_has_not_been_tried() {
    let mut world = userlike([("w1p0", vec![ask()])]);
    world.say(Kind::Message);
    world.end_first(is_run);
    world.end_first(is_commit);
    for _ in 0..8 {
        let until_ms = world.now + MINUTE;
        world.request_ends(Requested::Held { until_ms });
        world.end_all();
        assert_eq!(world.lane.wake_at(world.now), Some(until_ms));
        world.sleep_until(until_ms);
    }
    assert_eq!(world.events_named("response"), 0, "it still waits for its first try");
    world.sleep_until(world.now + 3 * MINUTE);
    world.request_ends(Requested::Held { until_ms: world.now + MINUTE });
    world.end_all();
    assert_eq!(world.events_named("response"), 1, "it is told that it was not tried");
    assert!(world.lane.is_idle());
}

#[test]
fn the_pause_that_a_vendor_asks_for_outlives_the_host() {
    let mut world = userlike([("w1p0", vec![say("a")])]);
    world.say_and_leave();
    while let Some(at) = world.jobs.iter().position(|job| !is_call(job)) {
        world.end_job(at);
    }
    let (refused, after_ms) = (world.now, 2 * MINUTE);
    let reason = "too many".to_owned();
    let asks =
        Called::Retry { after_ms: Some(after_ms), ambiguous: false, reason, tries_max: None };
    world.call_ends(asks);
    world.end_all();
    let next = world.lane.state().due().expect("it is tried again");
    assert!(next >= refused + after_ms, "due after {} ms", next - refused);
    world.begin_anew();
    world.end_all();
    assert_eq!(world.lane.wake_at(world.now), Some(next));
}

#[test]
fn where_somebody_else_has_the_conversation_all_that_waits_is_quarantined() {
    let mut world = userlike([("w1p0", vec![say("a"), say("b"), hand_over()])]);
    world.settled_delivery(|delivery| (delivery.inline, delivery.lists) = (false, false));
    world.say(Kind::Message);
    world.end_all_but(is_call);
    assert_eq!(world.leaving(), ["message"]);
    world.call_ends(Called::Taken("an agent has it".to_owned()));
    world.end_all();
    assert!(!world.jobs.iter().any(is_call), "nothing else is tried");
    let quarantined = world.ends().iter().filter(|end| ***end == RowEnd::Quarantined).count();
    assert_eq!(quarantined, 3, "{:?}", world.ends());
    assert_eq!(world.lane.state().owner, Owner::Human);
    assert_eq!((world.events_named("human_spoke"), world.events_named("forward_failed")), (1, 0));
    assert_eq!(world.lane.state().rows, []);
}

#[test]
fn what_a_bot_says_before_it_ends_the_conversation_fails_by_itself() {
    let mut world = userlike([("w1p0", vec![say("a"), Action::End])]);
    world.settled_delivery(|delivery| (delivery.inline, delivery.lists) = (false, false));
    world.settled_delivery(|delivery| delivery.age_max_ms = 20_000);
    world.say(Kind::Message);
    world.end_all_but(is_call);
    // The end grows too old while the vendor thinks about what stands before it.
    world.sleep_until(world.now + 30_000);
    world.end_all_but(is_call);
    assert_eq!(world.ends(), [] as [&RowEnd; 0], "the end waits for what stands before it");
    let reason = "not now".to_owned();
    world.call_ends(Called::Retry { after_ms: None, ambiguous: false, reason, tries_max: None });
    world.end_all();
    let dead = world.ends().iter().filter(|end| matches!(end, RowEnd::Dead(_))).count();
    assert_eq!(dead, 2, "nobody has taken the conversation: {:?}", world.ends());
    assert_eq!(world.events_named("delivery_failed"), 2);
}
