use proptest::prelude::*;

use super::*;
use crate::run::{FailureKind, RunFailure};

fn version(n: u8) -> Digest {
    Digest::of(&[n])
}

fn ran(n: u8) -> Outcome {
    Outcome::Ran { version: version(n), actions: Vec::new(), cpu_us: 1 }
}

fn failed(n: u8, blame: Blame, kind: FailureKind) -> Outcome {
    let failure = RunFailure { blame, kind, message: String::new() };
    Outcome::Failed { version: version(n), failure }
}

fn trapped(n: u8) -> Outcome {
    failed(n, Blame::Bot, FailureKind::Trap)
}

fn tally(turns: u64, failures: u64, took_us: u64) -> Tally {
    let mut tally = Tally::default();
    for n in 0..turns {
        tally.note(&if n < failures { trapped(1) } else { ran(1) }, took_us);
    }
    tally
}

/// Version 1 answers, 2 is on trial.
fn trial() -> Deployment {
    Deployment::first(version(1), 0).start_canary(version(2), 10, 0).unwrap()
}

fn owner() -> TenantId {
    TenantId::from("operator")
}

fn feed(watch: &mut Watch, deployment: &Deployment, n: u8, turns: (u64, u64)) {
    feed_of(watch, deployment, &owner(), n, turns);
}

fn feed_of(
    watch: &mut Watch,
    deployment: &Deployment,
    tenant: &TenantId,
    n: u8,
    (turns, failures): (u64, u64),
) {
    for turn in 0..turns {
        let outcome = if turn < failures { trapped(n) } else { ran(n) };
        watch.note(deployment, tenant, &outcome, 1_000);
    }
}

/// Tenants `a` and `b` run a bot of the operator's: version 1 for long, then version 2.
fn shared(turns: [(u64, u64); 2]) -> (Watch, Deployment) {
    let (mut watch, before) = (Watch::default(), Deployment::first(version(1), 0));
    let deployment = before.deploy(version(2), 0).unwrap();
    for tenant in ["a", "b"] {
        feed_of(&mut watch, &before, &tenant.into(), 1, (500, 0));
    }
    for (tenant, turns) in ["a", "b"].into_iter().zip(turns) {
        feed_of(&mut watch, &deployment, &tenant.into(), 2, turns);
    }
    (watch, deployment)
}

#[test]
fn turns_of_all_tenants_that_run_a_bot_count_and_none_decides_for_the_others() {
    let table = [
        // Of `a` and of `b` with the new version, whether it is rolled back.
        ((30, 5), (30, 2), true),
        ((20, 5), (20, 5), false),     // Too few turns of both together.
        ((400, 400), (100, 0), false), // Only `a` sees it, whatever it did for that.
        ((400, 400), (0, 0), false),   // `b` has yet to see it.
        ((400, 400), (9, 9), false),
        ((400, 400), (10, 1), true),
        ((400, 400), (100, 2), false), // 2 points, not over.
        ((400, 400), (100, 3), true),
        ((0, 0), (60, 60), false),
    ];
    for (a, b, expected) in table {
        let (mut watch, deployment) = shared([a, b]);
        let reason = watch.verdict(&deployment, &owner(), |_| false, 10);
        assert_eq!(reason.is_some(), expected, "{a:?} and {b:?}: {reason:?}");
    }
    // The owner's own turns are enough, and so are those of the only tenant that runs it.
    let (mut watch, deployment) = shared([(400, 0), (400, 0)]);
    feed(&mut watch, &deployment, 2, (60, 60));
    assert!(watch.verdict(&deployment, &owner(), |_| false, 10).is_some());
    let mut watch = Watch::default();
    feed_of(&mut watch, &deployment, &"a".into(), 2, (60, 60));
    let others = |tenant: &TenantId| tenant.as_str() == "a";
    assert_eq!(watch.verdict(&deployment, &owner(), others, 10), None, "some have yet to see it");
    assert!(watch.verdict(&deployment, &owner(), |_| false, 10).is_some());
}

#[test]
fn a_service_of_one_tenant_makes_no_version_slow_for_all() {
    let slow = |watch: &mut Watch, deployment: &Deployment, tenant: &str, turns: u64| {
        for _ in 0..turns {
            watch.note(deployment, &tenant.into(), &ran(2), 1_000_000);
        }
    };
    let (mut watch, deployment) = shared([(0, 0), (50, 0)]);
    slow(&mut watch, &deployment, "a", 100);
    assert_eq!(watch.verdict(&deployment, &owner(), |_| false, 10), None);
    slow(&mut watch, &deployment, "b", 10);
    let reason = watch.verdict(&deployment, &owner(), |_| false, 10).unwrap();
    assert!(matches!(reason.worse, Worse::Slow { .. }), "{reason}");
}

#[test]
fn what_tenants_have_shown_is_forgotten_with_what_all_have() {
    let (mut watch, deployment) = shared([(0, 0), (0, 0)]);
    for _ in 0..20 {
        feed_of(&mut watch, &deployment, &"a".into(), 2, (1_000, 0));
        feed_of(&mut watch, &deployment, &"b".into(), 2, (10, 10));
    }
    let shown = &watch.versions[&version(2)];
    let sum: u64 = shown.tenants.values().map(|tally| tally.turns).sum();
    assert!(shown.all.turns < REMEMBERED_TURNS && shown.all.turns - sum <= 10);
    assert!(shown.without(&"a".into()).turns < 200);
}

#[test]
fn failures_count_over_three_times_and_two_points() {
    let table = [
        // New, old, whether it is worse.
        ((49, 49), (1_000, 0), false), // Too few turns.
        ((50, 1), (1_000, 0), false),  // 2 points, not over.
        ((50, 2), (1_000, 0), true),   // 4 points over none.
        ((100, 2), (1_000, 0), false), // Exactly 2 points.
        ((100, 3), (1_000, 0), true),
        ((100, 30), (100, 10), false), // Exactly 3 times.
        ((100, 31), (100, 10), true),
        ((1_000, 29), (1_000, 9), false), // Over 3 times, exactly 2 points.
        ((1_000, 30), (1_000, 9), true),
        ((50, 2), (0, 0), true), // Nothing is known of the old one.
        ((50, 1), (0, 0), false),
        ((50, 20), (10, 4), false), // What little is known counts.
        ((50, 50), (10, 4), false),
        ((50, 50), (10, 3), true),
    ];
    for (new, old, expected) in table {
        let worse = fails_of(new, old);
        assert_eq!(worse, expected, "{new:?} after {old:?}");
    }
}

fn fails_of(new: (u64, u64), old: (u64, u64)) -> bool {
    worse(&tally(new.0, new.1, 1_000), &tally(old.0, old.1, 1_000)).is_some()
}

#[test]
fn times_count_over_twice_and_only_after_enough_turns_of_both() {
    let table = [
        ((50, 10_000), (50, 4_000), true),
        ((50, 10_000), (49, 4_000), false),
        ((49, 10_000), (50, 4_000), false),
        ((50, 10_000), (50, 5_500), false),
        ((50, 4_000), (50, 10_000), false),
    ];
    for (new, old, expected) in table {
        let slow = worse(&tally(new.0, 0, new.1), &tally(old.0, 0, old.1));
        assert_eq!(slow.is_some(), expected, "{new:?} after {old:?}");
    }
}

#[test]
fn a_few_slow_turns_are_no_slow_version() {
    let mut new = tally(96, 0, 1_000);
    (0..4).for_each(|_| new.note(&ran(1), 1_000_000));
    assert_eq!(worse(&new, &tally(100, 0, 1_000)), None);
    (0..3).for_each(|_| new.note(&ran(1), 1_000_000));
    assert!(matches!(worse(&new, &tally(100, 0, 1_000)), Some(Worse::Slow { .. })));
}

#[test]
fn only_the_bots_own_failures_count_and_being_left_alone_for_them_does() {
    let mut tally = Tally::default();
    tally.note(&failed(1, Blame::Host, FailureKind::Internal), 1);
    tally.note(&failed(1, Blame::Tenant, FailureKind::Internal), 1);
    assert_eq!(tally, Tally::default());
    tally.note(&failed(1, Blame::Bot, FailureKind::Suspended), 1);
    assert_eq!((tally.turns, tally.failures), (1, 1));
}

#[test]
fn a_canary_is_compared_with_what_answers_besides_it() {
    let mut watch = Watch::default();
    let (before, deployment) = (Deployment::first(version(1), 0), trial());
    feed(&mut watch, &before, 1, (1_000, 0));
    feed(&mut watch, &deployment, 1, (100, 50));
    feed(&mut watch, &deployment, 2, (100, 60));
    assert_eq!(
        watch.verdict(&deployment, &owner(), |_| false, 10),
        None,
        "both fail: a service of both is down"
    );
    let mut watch = Watch::default();
    feed(&mut watch, &deployment, 1, (1_000, 3));
    feed(&mut watch, &deployment, 2, (60, 12));
    let reason = watch.verdict(&deployment, &owner(), |_| false, 10).unwrap();
    assert_eq!((reason.version, reason.before), (version(2), version(1)));
    let said = reason.to_string();
    assert!(said.contains("12 of 60 turns (20.0 %)"), "{said}");
    assert!(said.contains("3 of 1000 (0.3 %)"), "{said}");
    assert!(deployment.roll_back(10).is_ok(), "which is what follows");
}

#[test]
fn a_full_deployment_is_watched_for_an_hour_against_what_is_known_of_the_one_before() {
    let mut watch = Watch::default();
    let before = Deployment::first(version(1), 0);
    feed(&mut watch, &before, 1, (500, 1));
    let deployment = before.deploy(version(2), 1_000).unwrap();
    feed(&mut watch, &deployment, 2, (49, 49));
    assert_eq!(
        watch.verdict(&deployment, &owner(), |_| false, 2_000),
        None,
        "it has had too few turns"
    );
    feed(&mut watch, &deployment, 2, (1, 1));
    assert_eq!(
        watch.verdict(&deployment, &owner(), |_| false, 1_000 + HOUR),
        None,
        "the hour is over"
    );
    let reason = watch.verdict(&deployment, &owner(), |_| false, 1_000 + HOUR - 1).unwrap();
    assert_eq!(reason.worse, Worse::Fails { new: (50, 50), old: (1, 500) });
    let back = deployment.roll_back(2_000).unwrap();
    assert_eq!(
        watch.verdict(&back, &owner(), |_| false, 3_000),
        None,
        "what was rolled back to is not judged"
    );
}

#[test]
fn a_version_that_comes_again_begins_anew() {
    let mut watch = Watch::default();
    let deployment = trial();
    feed(&mut watch, &deployment, 2, (60, 60));
    let back = deployment.roll_back(1).unwrap();
    let again = back.start_canary(version(2), 5, 2).unwrap();
    watch.note(&back, &owner(), &ran(1), 1);
    assert_eq!(watch.verdict(&again, &owner(), |_| false, 3), None);
    assert_eq!(watch.tally(&version(2)), Some(&Tally::default()));
}

#[test]
fn what_goes_wrong_after_a_long_time_is_seen_soon() {
    let mut watch = Watch::default();
    let deployment = trial();
    feed(&mut watch, &deployment, 1, (200_000, 0));
    feed(&mut watch, &deployment, 2, (200_000, 0));
    let mut failures = 0;
    while watch.verdict(&deployment, &owner(), |_| false, 1).is_none() {
        watch.note(&deployment, &owner(), &trapped(2), 1_000);
        failures += 1;
    }
    assert!(failures < 100, "{failures}");
}

#[test]
fn versions_that_answer_no_more_are_forgotten() {
    let mut watch = Watch::default();
    let mut deployment = Deployment::first(version(0), 0);
    for n in 1..100 {
        deployment = deployment.deploy(version(n), 0).unwrap();
        feed(&mut watch, &deployment, n, (3, 0));
        // A session of an old version ends.
        watch.note(&deployment, &owner(), &ran(0), 1);
    }
    assert_eq!(watch.versions.len(), 2);
}

proptest! {
    #[test]
    fn a_version_like_the_one_before_stays(turns in 0_u64..400, part in 0_u64..100, us: u32) {
        let one = tally(turns, turns * part / 100, us.into());
        prop_assert_eq!(worse(&one, &one), None);
    }

    #[test]
    fn more_failures_never_save_a_version(
        turns in 50_u64..300, old in (0_u64..300, 0_u64..300), failed: u64, more: u64,
    ) {
        let old = tally(old.0, old.1.min(old.0), 1_000);
        let failed = failed % (turns + 1);
        let more = failed + more % (turns - failed + 1);
        if worse(&tally(turns, failed, 1_000), &old).is_some() {
            prop_assert!(worse(&tally(turns, more, 1_000), &old).is_some());
        }
    }

    #[test]
    fn nothing_is_said_of_few_turns(turns in 0_u64..50, us: u32) {
        let old = tally(1_000, 0, 1);
        prop_assert_eq!(worse(&tally(turns, turns, us.into()), &old), None);
    }
}
