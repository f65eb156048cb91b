//! Crash points by the thousand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::Context as _;
use botyard_chance::Chance;

use crate::check::check;
use crate::disk::{self, Disk};
use crate::trace::Change;
use crate::workload::{self, Commits, Run};

/// Threads that check images.
const CHECKERS: usize = 2;
/// So many different failures are kept of a round; more say nothing new.
const KEPT: usize = 5;

/// What came of a round.
#[derive(Debug, Default)]
pub struct Report {
    /// Crash points that were checked.
    pub points: usize,
    /// Flushes of the workload's files.
    pub flushes: usize,
    /// How many of the points lost something.
    pub failed: usize,
    /// The first failures.
    pub failures: Vec<Failure>,
}

/// A crash point after which something was missing or half there.
#[derive(Debug)]
pub struct Failure {
    /// The seed of the round.
    pub seed: u64,
    /// How many changes had been made.
    pub point: usize,
    /// What was wrong.
    pub what: String,
    /// What the disk held, where nothing should have been lost.
    pub image: Option<PathBuf>,
}

/// Runs a workload and cuts the power at so many points of it: at every flush,
/// before and after, at every answer, and elsewhere by chance.
///
/// # Errors
/// When the workload itself fails.
pub fn round(seed: u64, points: usize, commits: Commits) -> anyhow::Result<Report> {
    let directory = scratch()?;
    let run = workload::run(directory.path(), seed, commits)?;
    let mut chance = Chance::new(seed);
    let points = choose(&run, points, &mut chance);
    let shares: Vec<_> = (0..CHECKERS)
        .map(|n| points.iter().copied().skip(n).step_by(CHECKERS).collect::<Vec<_>>())
        .collect();
    let run = &run;
    thread::scope(|scope| {
        let checkers: Vec<_> = (shares.iter().enumerate())
            .map(|(n, share)| {
                let chance = Chance::new(seed.wrapping_add(1 + n as u64));
                scope.spawn(move || check_all(run, (seed, commits), share, chance))
            })
            .collect();
        let is_flush = |change: &&Change| matches!(change, Change::Sync { .. });
        let flushes = run.changes.iter().filter(is_flush).count();
        let mut report = Report { flushes, ..Report::default() };
        for checker in checkers {
            let part = checker.join().expect("a checker does not panic")?;
            report.points += part.points;
            report.failed += part.failed;
            report.failures.extend(part.failures);
        }
        Ok(report)
    })
}

/// The points of a round, in order.
fn choose(run: &Run, count: usize, chance: &mut Chance) -> Vec<usize> {
    let mut points = Vec::new();
    for (index, change) in run.changes.iter().enumerate() {
        if let Change::Sync { began, .. } = change {
            points.extend([*began, index, index + 1]);
        }
    }
    let steps = run.conversations.iter().flat_map(|history| &history.steps);
    points.extend(steps.map(|step| step.answered));
    points.sort_unstable();
    points.dedup();
    while points.len() > count {
        points.swap_remove(chance.pick(points.len()));
    }
    while points.len() < count {
        points.push(chance.pick(run.changes.len() + 1));
    }
    points.sort_unstable();
    points
}

fn check_all(
    run: &Run,
    (seed, commits): (u64, Commits),
    points: &[usize],
    mut chance: Chance,
) -> anyhow::Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut disk = Disk::with("botyard.db");
    let mut report = Report::default();
    for point in points {
        disk.advance(&run.changes, *point);
        let image = disk.after_power_loss(&mut chance);
        let directory = scratch()?;
        disk::write(&image, directory.path()).context("cannot write an image")?;
        report.points += 1;
        if let Err(what) = runtime.block_on(check(directory.path(), run, *point)) {
            report.failed += 1;
            if report.failures.len() < KEPT {
                let image = (commits == Commits::Durable).then(|| keep(&image)).transpose()?;
                report.failures.push(Failure { seed, point: *point, what, image });
            }
        }
    }
    Ok(report)
}

/// Workloads do not repeat themselves exactly, so whoever looks for the cause
/// needs what the disk held.
fn keep(image: &BTreeMap<String, Vec<u8>>) -> anyhow::Result<PathBuf> {
    let kept = scratch()?.keep();
    disk::write(image, &kept).context("cannot keep an image")?;
    Ok(kept)
}

/// A directory in memory where there is one: these disks are flushed by the
/// thousand, and none of them has to outlive the test.
fn scratch() -> anyhow::Result<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.context("cannot make a scratch directory")
}
