//! Which version a run is bound to.

use super::*;
use crate::run::{Blame, FailureKind};

fn run_in(effects: Vec<Effect>) -> Option<(u64, Option<Pinned>)> {
    effects.into_iter().find_map(|effect| {
        let Effect::Run { run, pinned, .. } = effect else { return None };
        Some((run, pinned))
    })
}

/// A lane with one stored event whose bot runs, and the run.
fn running(calls: Vec<Call>) -> (Lane, (u64, Option<Pinned>)) {
    let mut lane = Host::new(|_| false).lane;
    lane.on(Input::Wake, 1_000);
    let accepted = vec![(1, arrival(1, 1_000))];
    let loaded = Loaded { last: 1, accepted, calls, ..Loaded::default() };
    let effects = lane.on(Input::Loaded(Box::new(loaded)), 1_000);
    let run = run_in(effects).expect("it runs");
    (lane, run)
}

fn ended(run: u64, version: &[u8], blame: Option<Blame>) -> Input {
    let Input::Ran { mut output, profile, .. } = ran(run) else { unreachable!() };
    if let Some(blame) = blame {
        let kind = FailureKind::Internal;
        output.result = Err(RunFailure { blame, kind, message: String::new() });
    }
    Input::Ran { run, output, version: Digest::of(version), profile }
}

#[test]
fn a_rerun_has_the_version_of_the_try_before_it() {
    let (mut lane, (run, pinned)) = running(Vec::new());
    assert_eq!(pinned, None, "nothing has run on it");
    lane.on(ended(run, b"one", Some(Blame::Host)), 1_000);
    let later = lane.wake_at(1_000).expect("it is tried again");
    let (run, pinned) = run_in(lane.on(Input::Wake, later)).expect("it is tried again");
    assert_eq!(pinned, Some(Pinned::Event { version: Digest::of(b"one") }));
    lane.on(ended(run, b"one", None), later);
    lane.on(Input::Committed(Some(2)), later);
    let arrivals = vec![arrival(2, later + 5)];
    let (request, rides) = (None, Rides::List);
    let input = Input::Arrived { request, arrivals, accept_only: true, rides };
    let (_, pinned) = run_in(lane.on(input, later + 5)).expect("it runs");
    let expected = Pinned::Session { version: Digest::of(b"one"), active_ms: 1_000 };
    assert_eq!(pinned, Some(expected), "another event is bound to its session alone");
}

#[test]
fn a_rerun_with_recorded_calls_has_the_version_that_made_them() {
    let journal = Journal { version: Some(Digest::of(b"one")), ..Journal::default() };
    let call = Call {
        event: "e1".into(),
        of_start: false,
        index: 0,
        request: Digest::of(b"request"),
        answer: String::new(),
        journal,
    };
    let others = Call { event: "e2".into(), ..call.clone() };
    let (_, (_, pinned)) = running(vec![call]);
    assert_eq!(pinned, Some(Pinned::Event { version: Digest::of(b"one") }));
    let (_, (_, pinned)) = running(vec![others]);
    assert_eq!(pinned, None, "another event's calls bind nobody");
}
