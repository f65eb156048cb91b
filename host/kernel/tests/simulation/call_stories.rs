//! Single stories of calls within a turn.

use botyard_kernel::action::{Action, Schedule};
use botyard_kernel::call::{CallAnswer, CallError, read_answer};
use botyard_kernel::event::EventBody;
use botyard_kernel::lane::Input;
use botyard_kernel::log::{Entry, Outcome, Turn};
use botyard_kernel::run::{Blame, RunOutput};
use botyard_kernel::time::SECOND;

use crate::bot;
use crate::jobs::Job;
use crate::scenarios::{is_answer, is_commit, is_run, say, userlike};
use crate::vendor::Kind;
use crate::world::World;

fn is_accept(job: &Job) -> bool {
    matches!(job, Job::Accept(_))
}

fn is_fetch(job: &Job) -> bool {
    matches!(job, Job::Fetch { .. })
}

fn is_record(job: &Job) -> bool {
    matches!(job, Job::Record(_))
}

/// A bot that says `a` on the first message, after so many calls.
fn calling(calls: usize) -> World {
    let mut world = userlike([("w1p0", vec![say("a")]), ("w2p0", vec![say("b")])]);
    world.fetches.insert("w1p0".to_owned(), calls);
    world
}

impl World {
    /// The person writes, and the bot's first call is on its way.
    fn say_until_out(&mut self) {
        self.say(Kind::Message);
        self.end_first(is_run);
        self.end_first(is_accept);
        assert!(self.jobs.iter().any(is_fetch), "the call leaves: {:?}", self.jobs);
    }

    /// Takes away what is under way, without an end.
    fn take(&mut self, wanted: impl Fn(&Job) -> bool) -> Job {
        let at = self.jobs.iter().position(wanted).expect("it is under way");
        self.jobs.remove(at)
    }

    fn kinds(&self) -> Vec<&'static str> {
        let kind = |entry: &Entry| match entry {
            Entry::Accepted(_) => "accepted",
            Entry::Called(_) => "called",
            Entry::Turn(_) => "turn",
            Entry::Settled(_) => "settled",
        };
        self.log.entries().map(|(_, entry)| kind(entry)).filter(|kind| *kind != "settled").collect()
    }

    /// What the bot of the last turn was told.
    fn told(&self) -> Vec<CallAnswer> {
        let (_, turn) = self.log.turns().last().expect("there was a turn");
        turn.log.iter().filter_map(|line| read_answer(&line.message).ok()).collect()
    }

    fn bodies(&self) -> Vec<String> {
        let body = |answer: CallAnswer| String::from_utf8(answer.unwrap().body).unwrap();
        self.told().into_iter().map(body).collect()
    }

    fn last(&self) -> &Turn {
        self.log.turns().last().expect("there was a turn").1
    }

    fn rests(&mut self) {
        self.come_to_rest();
        self.check();
    }
}

#[test]
fn the_event_is_stored_first_and_each_answer_before_it_is_seen() {
    let mut world = calling(2);
    world.say(Kind::Message);
    world.end_first(is_run);
    assert!(!world.jobs.iter().any(is_fetch), "nothing leaves before the event is stored");
    world.end_first(is_accept);
    for _ in 0..2 {
        world.end_first(is_fetch);
        assert!(!world.jobs.iter().any(is_run), "the bot waits until it is recorded");
        world.end_first(is_record);
        world.end_first(is_run);
    }
    world.end_first(is_commit);
    assert_eq!(world.kinds(), ["turn", "accepted", "called", "called", "turn"]);
    assert_eq!(world.bodies(), ["1", "2"]);
    assert_eq!(world.leaving(), ["message"], "it rides in the answer all the same");
    world.rests();
}

#[test]
fn what_comes_during_a_call_is_stored_and_waits() {
    let mut world = calling(1);
    world.say_until_out();
    world.say(Kind::Message);
    world.end_first(is_accept);
    world.end_all();
    assert_eq!(world.kinds()[1..], ["accepted", "accepted", "called", "turn", "turn"]);
    assert_eq!(world.shop.len(), 1);
    world.rests();
}

#[test]
fn whoever_leaves_and_whose_answer_is_due_does_not_stop_a_call() {
    let mut world = calling(1);
    world.say_until_out();
    world.sleep_until(world.now + 4 * SECOND);
    assert!(world.jobs.iter().any(is_answer), "the vendor is answered in time");
    world.leave_all();
    world.end_all();
    assert_eq!((world.bodies(), world.shop.len()), (vec!["1".to_owned()], 1));
    world.rests();
}

#[test]
fn a_store_that_fails_to_record_has_the_call_made_again_under_the_same_key() {
    let mut world = calling(1);
    world.say_until_out();
    world.end_first(is_fetch);
    world.take(is_record);
    world.feed(Input::StoreFailed);
    assert!(world.parked.is_empty(), "the bot waits no longer");
    world.rests();
    assert_eq!(world.shop.len(), 2);
    assert_eq!(world.shop[0], world.shop[1]);
    assert_eq!(world.bodies(), ["2"]);
}

#[test]
fn what_a_failing_store_has_recorded_is_not_called_again() {
    let mut world = calling(1);
    world.say_until_out();
    world.end_first(is_fetch);
    let Job::Record(call) = world.take(is_record) else { unreachable!() };
    world.log.record(&call);
    world.feed(Input::StoreFailed);
    world.rests();
    assert_eq!((world.shop.len(), world.bodies()), (1, vec!["1".to_owned()]));
}

#[test]
fn of_two_records_of_a_call_the_first_counts() {
    let mut world = calling(2);
    world.say_until_out();
    world.end_first(is_fetch);
    let Job::Record(call) = world.take(is_record) else { unreachable!() };
    world.feed(Input::StoreFailed);
    world.sleep_until(world.now + SECOND);
    world.end_first(|job| matches!(job, Job::Load));
    world.end_first(is_run);
    world.end_first(is_fetch);
    // The write that was given up comes through after all, before the new one.
    world.log.record(&call);
    world.wrote_and_failed = true;
    world.end_first(is_record);
    world.rests();
    assert_eq!(world.bodies()[0], "1");
}

#[test]
fn whoever_dies_between_request_and_record_calls_again_and_after_it_does_not() {
    for recorded in [false, true] {
        let mut world = calling(2);
        world.say_until_out();
        world.end_first(is_fetch);
        if recorded {
            world.end_first(is_record);
            world.end_first(is_run);
            world.end_first(is_fetch);
        }
        world.jobs.clear();
        world.crashes += 1;
        world.begin_anew();
        world.rests();
        let expected = if recorded { ["1", "3"] } else { ["2", "3"] };
        assert_eq!(world.bodies(), expected);
        let again = if recorded { 1 } else { 0 };
        assert_eq!(world.shop[again], world.shop[again + 1]);
    }
}

#[test]
fn another_hosts_event_during_a_call_waits_for_its_turn() {
    let mut world = calling(1);
    world.say_until_out();
    world.end_first(is_fetch);
    world.foreign_event();
    world.end_first(is_record);
    assert!(world.jobs.iter().any(|job| matches!(job, Job::Load)), "it reads again");
    world.rests();
    assert_eq!(world.shop.len(), 1);
    let order: Vec<_> = world.log.turns().map(|(_, turn)| turn.event.to_string()).collect();
    assert_eq!(order[1..], ["w1p0t1", "w2p0t1"]);
}

#[test]
fn another_hosts_event_before_the_first_call_goes_first() {
    let mut world = calling(1);
    world.say(Kind::Message);
    world.foreign_event();
    world.end_first(is_run);
    world.end_first(is_accept);
    assert!(world.shop.is_empty() && !world.jobs.iter().any(is_fetch));
    world.rests();
    let order: Vec<_> = world.log.turns().map(|(_, turn)| turn.event.to_string()).collect();
    assert_eq!(order[1..], ["w2p0t1", "w1p0t1"]);
    assert_eq!(world.shop.len(), 1);
}

#[test]
fn a_run_that_is_repeated_takes_what_is_recorded() {
    let mut world = calling(2);
    world.say_until_out();
    world.end_first(is_fetch);
    world.end_first(is_record);
    world.end_first(is_run);
    world.run_out_of_time();
    assert_eq!(world.repeats.len(), 1);
    world.rests();
    // The second call was on its way twice, the first one once.
    assert_eq!(world.shop.len(), 3);
    assert_eq!(world.bodies()[0], "1");
}

#[test]
fn a_failure_of_the_bot_consumes_its_calls() {
    let mut world = calling(2);
    world.say_until_out();
    world.end_first(is_fetch);
    world.end_first(is_record);
    let Job::Run { run, .. } = world.take(is_run) else { unreachable!() };
    let mut output: RunOutput = bot::host_failure();
    output.result = output.result.map_err(|failure| {
        let blame = Blame::Bot;
        botyard_kernel::run::RunFailure { blame, ..failure }
    });
    world.fail_run(run, output);
    world.end_all();
    assert!(matches!(world.last().outcome, Outcome::Failed { .. }));
    assert!(world.log.load(100).calls.is_empty(), "nothing is left to replay");
    world.rests();
}

#[test]
fn an_answer_that_the_store_does_not_take_is_too_large_for_the_bot() {
    let mut world = calling(1);
    world.say_until_out();
    world.end_first(is_fetch);
    world.take(is_record);
    world.feed(Input::TooLarge);
    world.end_first(is_record);
    world.rests();
    assert_eq!(world.told(), [Err(CallError::TooLarge)]);
}

/// A timer that is due and whose bot will make a call.
fn ringing() -> World {
    let timer = Schedule { name: "t".to_owned(), after_ms: 1_000, payload: None };
    let mut world = userlike([("w1p0", vec![Action::Schedule(timer)]), ("w2p0", vec![say("b")])]);
    let due = world.now + 1_000;
    world.fetches.insert(format!("timer:t:{due}"), 1);
    world.say(Kind::Message);
    world.end_all();
    world.sleep_until(due);
    assert!(world.jobs.iter().any(is_run), "the timer rings");
    world
}

fn timers(world: &World) -> usize {
    let is_timer = |body: &EventBody| matches!(body, EventBody::Timer(_));
    world.log.arrivals().filter(|(_, arrival)| is_timer(&arrival.event.body)).count()
}

#[test]
fn a_timer_that_calls_is_accepted_first_and_survives_a_crash() {
    let mut world = ringing();
    world.end_first(is_run);
    world.end_first(is_accept);
    world.end_first(is_fetch);
    world.jobs.clear();
    world.crashes += 1;
    world.begin_anew();
    world.rests();
    assert_eq!((timers(&world), world.shop.len()), (1, 2));
    assert_eq!(world.shop[0], world.shop[1]);
}

#[test]
fn a_timer_goes_in_front_of_whoever_is_not_accepted() {
    let mut world = ringing();
    world.say(Kind::Message);
    let accepts = world.jobs.iter().any(is_accept);
    world.end_first(is_run);
    if !accepts {
        world.end_first(is_accept);
        assert!(world.jobs.iter().any(is_fetch));
    }
    world.rests();
    assert_eq!((timers(&world), world.shop.len()), (1, 1));
}

#[test]
fn a_timer_that_would_stand_behind_others_rings_when_they_are_done() {
    let mut world = ringing();
    world.say(Kind::Message);
    world.sleep_until(world.now + 50);
    world.end_first(is_accept);
    world.end_first(is_run);
    assert!(world.shop.is_empty() && world.parked.is_empty(), "nothing has left");
    world.rests();
    assert_eq!((timers(&world), world.shop.len()), (1, 1));
    let last = world.log.turns().last().expect("a turn").1;
    assert!(last.event.as_str().starts_with("timer."), "{}", last.event);
}
