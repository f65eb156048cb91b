//! Single stories, told step by step.

use std::collections::BTreeMap;
use std::sync::Arc;

use botyard_kernel::action::{
    Action, Delay, Forward, ForwardTarget, Media, Message, OnFailure, Schedule, TextFormat,
};
use botyard_kernel::lane::{Input, Lane, Rules};
use botyard_kernel::log::{Entry, Outcome, RowEnd, SkipReason};
use botyard_kernel::outbox::Called;
use botyard_kernel::owner::Owner;
use botyard_kernel::plan::Overlap;
use botyard_kernel::profile::{Delivery, Limited, Rate};
use botyard_kernel::time::MINUTE;

use crate::jobs::Job;
use crate::vendor::{Kind, State};
use crate::world::{World, key};

/// A Userlike channel whose bot says what it is told to say.
pub(crate) fn userlike<const N: usize>(script: [(&str, Vec<Action>); N]) -> World {
    let mut world = World::new(1, false);
    let mut policy = world.rules.policy.clone();
    policy.sends_start = true;
    policy.failure_texts.insert(String::new(), "Something went wrong.".to_owned());
    policy.failure_hand_off = true;
    policy.overlap = Overlap::Serial;
    let delivery = Delivery {
        inline: true,
        answer_by_ms: 4_000,
        after_answer_ms: 500,
        lists: true,
        native_delay: true,
        delay_step_ms: 1_000,
        silent_hand_off: false,
        contacts_in_answers: false,
        rate: Some(Rate { calls: 20, window_ms: MINUTE }),
        token_rate: None,
        limited: Limited::Conversation,
        acknowledgements_elsewhere: false,
        sends_start: true,
        reopens: false,
        ends_silent_sessions: false,
        age_max_ms: 15 * MINUTE,
        hold_ambiguous: false,
    };
    world.rules = Arc::new(Rules { policy, delivery });
    world.lane = Lane::new(key(), Arc::clone(&world.rules));
    world.calm = true;
    world.read_max = 500;
    let script: BTreeMap<_, _> =
        script.into_iter().map(|(token, actions)| (token.to_owned(), actions)).collect();
    world.script = Some(script);
    world.feed(Input::Wake);
    world.end_all();
    world.say(Kind::Start);
    world.end_all();
    world
}

pub(crate) fn say(text: &str) -> Action {
    Action::Message(Message { text: text.to_owned(), format: TextFormat::Plain })
}

pub(crate) fn picture() -> Action {
    let link = "https://pictures.example/1".to_owned();
    Action::Media(Media { link, name: None, mime_type: None, caption: None })
}

pub(crate) fn wait(delay_ms: u32) -> Action {
    Action::Delay(Delay { delay_ms, typing: true })
}

pub(crate) fn hand_over() -> Action {
    let on_failure = Some(OnFailure::Feedback);
    Action::Forward(Forward { target: ForwardTarget::Any, on_failure })
}

impl World {
    /// Everything that was asked for ends well, and what follows from it.
    pub(crate) fn end_all(&mut self) {
        for _ in 0..500 {
            if self.jobs.is_empty() {
                return;
            }
            self.end_job(0);
        }
        panic!("there is always more to do: {:?}", self.jobs);
    }

    pub(crate) fn end_all_but(&mut self, kept: impl Fn(&Job) -> bool) {
        while let Some(at) = self.jobs.iter().position(|job| !kept(job)) {
            self.end_job(at);
        }
    }

    /// The names of what the last answer or call carries.
    pub(crate) fn leaving(&self) -> Vec<&'static str> {
        let rows = self.jobs.iter().rev().find_map(|job| match job {
            Job::Answer { rows, .. } | Job::Call { rows, .. } => Some(rows),
            _ => None,
        });
        rows.into_iter().flatten().map(|row| row.action.name()).collect()
    }

    /// The person says the very words of an earlier webhook again.
    pub(crate) fn say_again(&mut self, n: usize) {
        let bytes = self.vendor.webhooks[n].bytes;
        self.say_bytes(Kind::Message, bytes);
    }

    /// Everybody who waits for an answer leaves.
    pub(crate) fn leave_all(&mut self) {
        let open: Vec<_> = self.open.keys().copied().collect();
        for request in open {
            self.fail_request(request);
            self.feed(Input::ClientLeft(request));
        }
    }

    pub(crate) fn end_first(&mut self, wanted: impl Fn(&Job) -> bool) {
        let at = self.jobs.iter().position(wanted).expect("it was asked for");
        self.end_job(at);
    }

    pub(crate) fn ran(&self) -> usize {
        self.log.turns().filter(|(_, turn)| matches!(turn.outcome, Outcome::Ran { .. })).count()
    }

    pub(crate) fn ends(&self) -> Vec<&RowEnd> {
        self.log.settled().flat_map(|(_, settled)| &settled.rows).map(|(_, end)| end).collect()
    }
}

pub(crate) fn is_run(job: &Job) -> bool {
    matches!(job, Job::Run { .. })
}

pub(crate) fn is_commit(job: &Job) -> bool {
    matches!(job, Job::Commit(_))
}

pub(crate) fn is_answer(job: &Job) -> bool {
    matches!(job, Job::Answer { .. })
}

pub(crate) fn is_call(job: &Job) -> bool {
    matches!(job, Job::Call { .. })
}

#[test]
fn a_quick_turn_is_one_write_and_one_answer() {
    let mut world = userlike([("w1p0", vec![say("a"), say("b")])]);
    let before = world.log.entries().count();
    world.say(Kind::Message);
    world.end_first(is_run);
    world.end_first(is_commit);
    assert_eq!(world.leaving(), ["message", "message"]);
    assert_eq!(world.log.entries().count(), before + 1);
    world.end_all();
    let (_, last) = world.log.entries().last().unwrap();
    let Entry::Settled(settled) = last else { panic!("not settled: {last:?}") };
    assert_eq!((settled.rows.len(), settled.answered.len()), (2, 1));
    assert_eq!(world.vendor.calls.len(), 0);
}

#[test]
fn a_slow_turn_is_accepted_after_20_ms_and_answered_empty_after_4_s() {
    let mut world = userlike([("w1p0", vec![say("a")])]);
    world.say(Kind::Message);
    assert_eq!(world.lane.wake_at(world.now), Some(world.now + 20));
    world.sleep_until(world.now + 20);
    world.end_first(|job| matches!(job, Job::Accept(_)));
    assert_eq!(world.lane.wake_at(world.now), Some(world.now + 3_980));
    world.sleep_until(world.now + 3_980);
    assert!(world.jobs.iter().any(is_answer));
    assert!(world.leaving().is_empty());
    world.end_first(is_answer);
    world.end_all();
    assert_eq!(world.vendor.calls.len(), 1, "the action followed by a call");
}

#[test]
fn the_same_words_after_a_whole_answer_are_a_second_event() {
    // Also where the answer went out before the turn.
    for late in [false, true] {
        let mut world = userlike([]);
        world.say(Kind::Message);
        if late {
            world.sleep_until(world.now + 20);
            world.end_first(|job| matches!(job, Job::Accept(_)));
            world.sleep_until(world.now + 4_000);
            world.end_first(is_answer);
        } else {
            world.end_all();
        }
        let ran = world.ran();
        world.say_again(1);
        world.end_all();
        assert_eq!(world.ran(), ran + if late { 2 } else { 1 }, "late: {late}");
    }
}

#[test]
fn the_same_words_while_the_first_are_open_are_a_second_event() {
    let mut world = userlike([]);
    world.say(Kind::Message);
    let ran = world.ran();
    world.say_again(1);
    world.end_all();
    assert_eq!(world.ran(), ran + 2);
}

#[test]
fn a_redelivery_carries_what_the_failed_answer_did_not() {
    for restarts in [false, true] {
        let mut world = userlike([("w1p0", vec![say("a")])]);
        world.say(Kind::Message);
        world.end_first(is_run);
        world.leave_all();
        if restarts {
            world.held = true;
            world.end_first(is_commit);
            world.crash();
            world.held = false;
        }
        let ran = world.ran() + usize::from(!restarts);
        world.deliver(1);
        while !world.jobs.iter().any(is_answer) && !world.jobs.is_empty() {
            world.end_job(0);
        }
        assert_eq!(world.leaving(), ["message"], "restarts: {restarts}");
        world.end_all();
        assert_eq!(world.ran(), ran, "restarts: {restarts}");
        assert_eq!(world.vendor.received.len(), 1);
    }
}

#[test]
fn a_redelivery_whose_client_left_while_the_conversation_was_read_is_still_known() {
    let mut world = userlike([]);
    world.say(Kind::Message);
    world.leave_all();
    world.end_all();
    let turns = world.log.turns().count();
    world.crash();
    world.deliver(1);
    world.leave_all();
    world.end_all();
    assert_eq!(world.log.turns().count(), turns);
}

#[test]
fn a_second_start_is_answered_and_runs_nothing() {
    let mut world = userlike([]);
    let turns = world.log.turns().count();
    world.deliver(0);
    assert!(world.leaving().is_empty());
    world.end_all();
    assert_eq!(world.log.turns().count(), turns);
    assert_eq!(world.vendor.webhooks[0].state, State::Answered);
}

#[test]
fn a_store_that_fails_refuses_and_forgets() {
    let mut world = userlike([]);
    world.say(Kind::Message);
    world.end_first(is_run);
    world.jobs.retain(|job| !is_commit(job));
    world.feed(Input::StoreFailed);
    assert_eq!(world.vendor.webhooks[1].state, State::Failed);
    world.deliver(1);
    assert_eq!(world.vendor.webhooks[1].state, State::Failed, "refused until the store is back");
    world.sleep_until(world.lane.wake_at(world.now).unwrap());
    world.end_all();
    world.deliver(1);
    world.end_all();
    assert_eq!(world.vendor.webhooks[1].state, State::Answered);
    world.come_to_rest();
    world.check();
}

#[test]
fn a_picture_cuts_the_list_and_leaves_by_itself() {
    let mut world = userlike([("w1p0", vec![say("a"), picture(), say("b")])]);
    world.say(Kind::Message);
    world.end_first(is_run);
    world.end_first(is_commit);
    assert_eq!(world.leaving(), ["message"]);
    let answered = world.now;
    world.end_all();
    assert_eq!(world.lane.wake_at(world.now), Some(answered + 500));
    world.sleep_until(answered + 500);
    assert_eq!(world.leaving(), ["media"]);
    world.end_first(is_call);
    assert_eq!(world.leaving(), ["message"]);
}

#[test]
fn delays_ride_in_lists_and_are_waited_for_before_a_picture() {
    let native = vec![say("a"), wait(1_200), say("b")];
    let mut world = userlike([("w1p0", native), ("w2p0", vec![wait(3_000), picture()])]);
    world.say(Kind::Message);
    world.end_first(is_run);
    world.end_first(is_commit);
    assert_eq!(world.leaving(), ["message", "delay", "message"]);
    // The vendor counts in whole seconds.
    let played = world.now + 2_000;
    world.end_all();
    assert_eq!(world.lane.state().closed_until_ms, played);
    world.say(Kind::Message);
    world.end_first(is_run);
    world.end_first(is_commit);
    assert!(!world.jobs.iter().any(is_answer), "the list is still being played");
    world.end_all();
    world.sleep_until(played);
    world.end_all();
    let media = world.lane.wake_at(world.now).unwrap();
    assert_eq!(media, played + 3_000);
    world.sleep_until(media);
    assert_eq!(world.leaving(), ["media"]);
}

#[test]
fn a_hand_off_belongs_to_the_human_once_it_is_delivered_and_to_the_bot_when_it_fails() {
    let script = [("w1p0", vec![say("bye"), hand_over()]), ("w3p0", vec![say("sorry")])];
    let mut world = userlike(script);
    world.say(Kind::Message);
    world.end_first(is_run);
    world.end_first(is_commit);
    assert_eq!(world.lane.state().owner, Owner::HandingOff);
    world.end_all();
    assert_eq!(world.lane.state().owner, Owner::Human);
    world.say(Kind::Message);
    world.end_all();
    let (_, skipped) = world.log.turns().last().unwrap();
    assert_eq!(skipped.outcome, Outcome::Skipped(SkipReason::NotOwner));
    world.say(Kind::ForwardFailed);
    world.end_all();
    assert_eq!(world.lane.state().owner, Owner::Bot);
    assert!(world.lane.state().skipped.is_empty(), "handed over with the next run");
}

#[test]
fn speech_that_waits_is_withheld_when_a_human_speaks() {
    let mut world = userlike([("w1p0", vec![say("a"), picture(), say("b")])]);
    world.say(Kind::Message);
    world.end_all();
    world.say(Kind::HumanSpoke);
    world.end_all();
    let withheld = &RowEnd::Quarantined;
    assert_eq!(world.ends(), [&RowEnd::Delivered, withheld, withheld]);
    assert_eq!(world.vendor.received.len(), 1);
    assert_eq!(world.lane.state().owner, Owner::Human);
}

#[test]
fn a_refused_list_leaves_one_by_one() {
    let mut world = userlike([("w1p0", vec![say("a"), picture(), say("b"), say("c")])]);
    world.say(Kind::Message);
    world.end_all();
    world.sleep_until(world.now + 500);
    world.end_first(is_call);
    let call = world.jobs.iter().position(is_call).unwrap();
    let Job::Call { call, rows } = world.jobs.remove(call) else { unreachable!() };
    assert_eq!(rows.len(), 2);
    world.feed(Input::Called { call, called: Called::Fatal("no".to_owned()) });
    assert_eq!(world.leaving(), ["message"]);
    world.end_all();
    assert_eq!(world.vendor.received.len(), 4);
}

#[test]
fn a_bot_that_wakes_itself_at_once_is_slowed_down() {
    let again = || Action::Schedule(Schedule { name: "n".into(), after_ms: 0, payload: None });
    let mut world = userlike([("w1p0", vec![again()])]);
    world.say(Kind::Message);
    for _ in 0..100 {
        let due = world.lane.state().timers.first().map(|timer| timer.due_ms);
        if let Some(due) = due {
            let script = world.script.as_mut().unwrap();
            script.insert(format!("timer:n:{due}"), vec![again()]);
        }
        if world.jobs.is_empty() {
            break;
        }
        world.end_job(0);
    }
    let fired = world.log.turns().filter(|(_, turn)| turn.event.as_str().starts_with("timer"));
    assert_eq!(fired.count(), 30, "no more within a minute");
    assert!(world.lane.wake_at(world.now).unwrap() > world.now);
}

#[test]
fn the_pause_after_an_answer_outlives_the_host() {
    let mut world = userlike([("w1p0", vec![say("a"), picture()])]);
    world.say(Kind::Message);
    world.end_first(is_run);
    world.end_first(is_commit);
    let answered = world.now;
    world.end_all();
    world.begin_anew();
    world.end_all();
    assert_eq!(world.lane.wake_at(world.now), Some(answered + 500));
    assert_eq!(world.lane.state().due(), Some(answered + 500), "the store knows it, too");
}
