use proptest::prelude::*;

use super::*;

fn version(n: u8) -> Digest {
    Digest::of(&[n])
}

fn bot() -> BotId {
    "lead".into()
}

fn key(n: u32) -> ConversationKey {
    ConversationKey { tenant: "demo".into(), channel: "web".into(), vendor_key: format!("cid-{n}") }
}

/// `b` answers, `a` did before.
fn deployed() -> Deployment {
    Deployment::first(version(1), 1_000).deploy(version(2), 2_000).unwrap()
}

fn trial(percent: u8) -> Deployment {
    deployed().start_canary(version(3), percent, 3_000).unwrap()
}

fn runs(deployment: &Deployment, pinned: Option<Pinned>, now: Millis) -> Digest {
    deployment.version_for(pinned, &bot(), &key(1), now)
}

fn session(version: Digest) -> Option<Pinned> {
    Some(Pinned::Session { version, active_ms: 5_000 })
}

fn tried_with(deployment: &Deployment) -> Vec<u32> {
    let canary = deployment.canary.unwrap().version;
    let takes = |n: &u32| deployment.version_for(None, &bot(), &key(*n), 0) == canary;
    (0..2_000).filter(takes).collect()
}

#[test]
fn a_session_goes_on_with_its_version_until_it_is_idle_for_a_day() {
    let deployment = deployed();
    assert_eq!(runs(&deployment, None, 5_000), version(2), "a session begins with the newest");
    assert_eq!(runs(&deployment, session(version(1)), 5_000 + DAY - 1), version(1));
    assert_eq!(runs(&deployment, session(version(1)), 5_000 + DAY), version(2));
    let much_later =
        (3..40).fold(deployment, |deployment, n| deployment.deploy(version(n), 3_000).unwrap());
    assert_eq!(runs(&much_later, session(version(1)), 6_000), version(1));
}

#[test]
fn a_session_leaves_a_version_that_is_withdrawn_or_was_another_bots() {
    let deployment = deployed();
    let withdrawn = deployment.withdraw(version(1), 3_000).unwrap();
    assert_eq!(runs(&withdrawn, session(version(1)), 6_000), version(2));
    assert_eq!(runs(&deployment, session(version(9)), 6_000), version(2));
}

#[test]
fn what_answered_before_is_neither_on_trial_nor_withdrawn() {
    let before = |deployment: &Deployment, of| deployment.before(of).collect::<Vec<_>>();
    let four = (3..5).fold(deployed(), |now, n| now.deploy(version(n), 3_000).unwrap());
    assert_eq!(before(&four, version(4)), [3, 2, 1].map(version));
    let withdrawn = four.withdraw(version(2), 4_000).unwrap();
    assert_eq!(before(&withdrawn, version(4)), [3, 1].map(version));
    let tried = withdrawn.start_canary(version(5), 1, 5_000).unwrap();
    assert_eq!(before(&tried, version(4)), [3, 1].map(version));
    assert_eq!(before(&tried, version(5)), [4, 3, 1].map(version));
}

#[test]
fn an_event_that_was_tried_keeps_its_version_even_when_that_is_withdrawn() {
    let withdrawn = deployed().withdraw(version(1), 3_000).unwrap();
    let again = Some(Pinned::Event { version: version(1) });
    assert_eq!(runs(&withdrawn, again, 5_000 + 2 * DAY), version(1));
}

#[test]
fn a_full_deployment_is_rolled_back_in_one_call() {
    let back = deployed().roll_back(3_000).unwrap();
    assert_eq!((back.current, back.previous, back.deployed_ms), (version(1), None, 3_000));
    assert_eq!(runs(&back, session(version(2)), 6_000), version(1), "its sessions leave at once");
    assert_eq!(back.roll_back(4_000), Err(Refusal::NothingBefore));
    let again = back.deploy(version(2), 5_000).unwrap();
    assert_eq!(runs(&again, session(version(2)), 6_000), version(2), "deployed again, it may run");
}

#[test]
fn a_canary_that_is_rolled_back_leaves_its_sessions_to_the_current_version() {
    let back = trial(100).roll_back(4_000).unwrap();
    assert_eq!((back.current, back.canary), (version(2), None));
    assert_eq!(runs(&back, session(version(3)), 6_000), version(2));
    assert_eq!(back.previous, Some(version(1)), "there is still what answered before");
    assert!(back.start_canary(version(3), 5, 6_000).unwrap().may_go_on(&version(3)));
}

#[test]
fn a_canary_takes_its_share_and_keeps_whom_it_has() {
    let shares = [1, 5, 25, 50, 99, 100];
    let taken = shares.map(|percent| tried_with(&trial(percent)));
    for (percent, taken) in shares.iter().zip(&taken) {
        let expected = usize::from(*percent) * 20;
        assert!(taken.len().abs_diff(expected) < 120, "{percent} %: {}", taken.len());
    }
    for two in taken.windows(2) {
        assert!(two[0].iter().all(|n| two[1].contains(n)), "a higher share loses nobody");
    }
    assert_eq!(taken[5].len(), 2_000);
    let other = deployed().start_canary(version(4), 5, 3_000).unwrap();
    assert_ne!(tried_with(&other), taken[1], "another canary is tried with others");
}

#[test]
fn a_canary_that_is_promoted_answers_everybody() {
    let promoted = trial(5).promote(4_000).unwrap();
    let expected = (version(3), Some(version(2)), None);
    assert_eq!((promoted.current, promoted.previous, promoted.canary), expected);
    assert_eq!(trial(5).deploy(version(3), 4_000), Ok(promoted), "which is what deploying it does");
}

#[test]
fn what_answers_is_withdrawn_only_where_something_is_left() {
    let first = Deployment::first(version(1), 1_000);
    assert_eq!(first.withdraw(version(1), 2_000), Err(Refusal::NothingElse(version(1))));
    let back = deployed().withdraw(version(2), 3_000).unwrap();
    assert_eq!((back.current, back.previous), (version(1), None));
    let lost = deployed().withdraw(version(1), 3_000).unwrap();
    assert_eq!(lost.withdraw(version(2), 4_000), Err(Refusal::NothingElse(version(2))));
    let dropped = trial(5).withdraw(version(3), 4_000).unwrap();
    assert_eq!((dropped.current, dropped.canary), (version(2), None));
}

#[test]
fn every_refusal_says_what_to_do() {
    let (first, deployed, trial) = (Deployment::first(version(1), 1_000), deployed(), trial(5));
    let withdrawn = deployed.withdraw(version(1), 3_000).unwrap();
    let table = [
        (deployed.deploy(version(2), 0), "answers-already"),
        (trial.deploy(version(4), 0), "canary-runs"),
        (trial.start_canary(version(4), 5, 0), "canary-runs"),
        (deployed.start_canary(version(2), 5, 0), "answers-already"),
        (deployed.start_canary(version(4), 0, 0), "bad-percent"),
        (trial.set_percent(101), "bad-percent"),
        (deployed.set_percent(5), "no-canary"),
        (deployed.promote(0), "no-canary"),
        (first.roll_back(0), "nothing-before"),
        (first.withdraw(version(1), 0), "nothing-else"),
        (deployed.withdraw(version(7), 0), "never-answered"),
        (withdrawn.withdraw(version(1), 0), "withdrawn-already"),
    ];
    for (changed, code) in table {
        let refusal = changed.unwrap_err();
        assert_eq!(refusal.code(), code);
        assert!(refusal.to_string().contains(": ") || code == "bad-percent", "{refusal}");
    }
}

#[test]
fn what_answers_is_never_forgotten_however_much_was_deployed() {
    let mut deployment = deployed();
    for n in 0..3_000_u32 {
        let canary = Digest::of(&n.to_be_bytes());
        deployment = deployment.start_canary(canary, 5, 0).unwrap().roll_back(0).unwrap();
    }
    assert_eq!(deployment.answered.len(), ANSWERED_MAX);
    assert!(deployment.withdrawn.len() < ANSWERED_MAX);
    assert!(deployment.may_go_on(&version(1)) && deployment.may_go_on(&version(2)));
}

#[test]
fn the_form_has_not_changed() {
    let hex = |n| version(n).to_string();
    let (one, two, three) = (hex(1), hex(2), hex(3));
    let golden = [
        (
            Deployment::first(version(1), 1_000),
            format!(
                r#"{{"v":1,"current":"{one}","answered":["{one}"],"deployed_ms":1000,"revision":1}}"#
            ),
        ),
        (
            trial(5).withdraw(version(1), 4_000).unwrap(),
            format!(
                r#"{{"v":1,"current":"{two}","canary":{{"version":"{three}","percent":5,"since_ms":3000}},"withdrawn":["{one}"],"answered":["{one}","{two}","{three}"],"deployed_ms":2000,"revision":4}}"#
            ),
        ),
    ];
    for (deployment, text) in golden {
        assert_eq!(serde_json::to_string(&deployment).unwrap(), text);
        assert_eq!(serde_json::from_str::<Deployment>(&text).unwrap(), deployment);
    }
}

#[test]
fn a_newer_form_is_said_in_words() {
    let text = serde_json::to_string(&deployed()).unwrap().replace(r#""v":1"#, r#""v":2"#);
    let error = serde_json::from_str::<Deployment>(&text).unwrap_err();
    assert!(error.to_string().contains("start a host at least as new"), "{error}");
}

proptest! {
    /// Whatever is asked for: what answers may run, each change counts once, and a
    /// refusal changes nothing.
    #[test]
    fn changes_keep_the_deployment_whole(
        steps in prop::collection::vec((0_u8..6, 1_u8..7, 0_u8..105), 1..60),
    ) {
        let mut deployment = Deployment::first(version(1), 0);
        for (now, (what, n, percent)) in steps.into_iter().enumerate() {
            let (version, now) = (version(n), now as Millis);
            let changed = match what {
                0 => deployment.deploy(version, now),
                1 => deployment.start_canary(version, percent, now),
                2 => deployment.set_percent(percent),
                3 => deployment.promote(now),
                4 => deployment.roll_back(now),
                _ => deployment.withdraw(version, now),
            };
            let Ok(next) = changed else { continue };
            prop_assert_eq!(next.revision, deployment.revision + 1);
            let canary = next.canary.map(|canary| canary.version);
            for one in [Some(next.current), next.previous, canary].into_iter().flatten() {
                prop_assert!(next.may_go_on(&one), "{:?}", next);
            }
            prop_assert!(canary != Some(next.current) && next.previous != Some(next.current));
            prop_assert!(canary.is_none() || canary != next.previous);
            let text = serde_json::to_string(&next).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Deployment>(&text).unwrap(), &next);
            deployment = next;
        }
    }

    /// No session ever runs what is withdrawn, nor what was never deployed.
    #[test]
    fn what_runs_may_run(pinned in 1_u8..9, idle in 0..2 * DAY, withdrawn in 1_u8..4, n: u32) {
        let mut deployment = trial(30);
        if let Ok(next) = deployment.withdraw(version(withdrawn), 4_000) {
            deployment = next;
        }
        let pinned = Pinned::Session { version: version(pinned), active_ms: 5_000 };
        let runs = deployment.version_for(Some(pinned), &bot(), &key(n), 5_000 + idle);
        prop_assert!(deployment.may_go_on(&runs));
    }
}
