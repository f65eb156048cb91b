//! Nothing acknowledged is lost when the power goes out, and nothing is
//! acknowledged once the disk fails.

use botyard_power::points::{Report, round};
use botyard_power::workload::Commits;

#[test]
fn nothing_acknowledged_is_lost_when_the_power_goes_out() {
    for seed in 1..=4 {
        assert_nothing_lost(&round(seed, 600, Commits::Durable).unwrap());
    }
}

/// The same test, with commits that are not flushed: it must notice.
#[test]
fn commits_that_are_not_flushed_are_lost() {
    let report = round(1, 200, Commits::Weak).unwrap();
    assert!(report.failed > 20, "{} of {} points lost something", report.failed, report.points);
    let lost = |failure: &botyard_power::points::Failure| failure.what.contains("is lost");
    assert!(report.failures.iter().any(lost), "{:?}", report.failures);
}

#[test]
#[ignore = "takes many minutes"]
fn nothing_is_lost_at_twenty_thousand_points() {
    for seed in 100..108 {
        assert_nothing_lost(&round(seed, 2_500, Commits::Durable).unwrap());
    }
}

fn assert_nothing_lost(report: &Report) {
    assert!(
        report.failures.is_empty(),
        "{} of {} points lost something: {:#?}",
        report.failed,
        report.points,
        report.failures
    );
}
