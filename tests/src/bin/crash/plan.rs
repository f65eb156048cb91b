//! In which ways hosts are to end, drawn by a seed.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use botyard_chance::Chance;
use botyard_failpoints::{Phase, Point};

/// So often every point is to be reached in a run of a thousand kills.
const HITS_OF_A_THOUSAND: u64 = 5;
/// A point that was not reached is tried so often in all.
const TRIES_MAX: u64 = 6;

/// How a host ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It is killed so long after it began to listen.
    After(Duration),
    /// It kills itself at a point, at this pass of it.
    At { point: Point, nth: u64, tries: u64 },
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(pause) => write!(f, "killed after {} ms", pause.as_millis()),
            Self::At { point, nth, .. } => write!(f, "died at {}:{nth}", point.name()),
        }
    }
}

/// What is still to be done, and what was.
#[derive(Debug)]
pub(crate) struct Plan {
    left: VecDeque<End>,
    /// So often at least every point is to be reached.
    least: u64,
    pub(crate) kills: u64,
    pub(crate) hits: BTreeMap<Point, u64>,
    /// Points that were tried and not reached, with how often that was.
    pub(crate) missed: BTreeMap<Point, u64>,
}

impl Plan {
    /// At least so many kills: up to half of them at the points, each as often as the
    /// next and at least once, the others at random moments.
    pub(crate) fn draw(seed: u64, kills: u64) -> Self {
        let mut chance = Chance::of(seed, u64::MAX);
        let points = Point::ALL.len() as u64;
        let least = (kills * HITS_OF_A_THOUSAND / 1_000).max(kills.min(1));
        let each = (kills / 2 / points).max(least);
        let at = Point::ALL.iter().flat_map(|point| (0..each).map(|_| *point));
        let mut ends: Vec<End> =
            at.map(|point| End::At { point, nth: nth(&mut chance, point), tries: 1 }).collect();
        while (ends.len() as u64) < kills {
            ends.push(End::After(Duration::from_millis(chance.within(20, 500))));
        }
        chance.shuffle(&mut ends);
        let (hits, missed) = (BTreeMap::new(), BTreeMap::new());
        Self { left: ends.into(), least, kills: 0, hits, missed }
    }

    /// The next end, if there is one.
    pub(crate) fn next(&mut self) -> Option<End> {
        self.left.pop_front()
    }

    pub(crate) fn left(&self) -> usize {
        self.left.len()
    }

    /// Takes note of how a host ended. A point that was not reached is tried again
    /// at its first pass.
    pub(crate) fn ended(&mut self, end: End, reached: bool) {
        self.kills += 1;
        let End::At { point, tries, .. } = end else { return };
        if reached {
            *self.hits.entry(point).or_default() += 1;
        } else {
            *self.missed.entry(point).or_default() += 1;
            if tries < TRIES_MAX {
                self.left.push_back(End::At { point, nth: 1, tries: tries + 1 });
            }
        }
    }

    /// Points that hosts ended at less often than the plan wants, with how often they
    /// did. A run that is cut short has others to look at first.
    pub(crate) fn seldom_reached(&self) -> Vec<(&'static str, u64)> {
        if !self.left.is_empty() {
            return Vec::new();
        }
        let hits = |point: &Point| self.hits.get(point).copied().unwrap_or(0);
        let seldom = Point::ALL.iter().filter(|point| hits(point) < self.least);
        seldom.map(|point| (point.name(), hits(point))).collect()
    }
}

/// A pass of a point that a host reaches soon.
fn nth(chance: &mut Chance, point: Point) -> u64 {
    match point.phase() {
        Phase::Migration | Phase::Start | Phase::Upkeep | Phase::Stop => 1,
        Phase::Load if point == Point::DueFound => 1,
        Phase::Load => chance.within(1, 6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_in_every_plan_and_often_in_a_long_one() {
        for (kills, least) in [(1, 1), (30, 1), (1_000, 5)] {
            let mut plan = Plan::draw(7, kills);
            let mut count: BTreeMap<Point, u64> = BTreeMap::new();
            let mut all = 0;
            while let Some(end) = plan.next() {
                all += 1;
                if let End::At { point, .. } = end {
                    *count.entry(point).or_default() += 1;
                }
            }
            assert!(all >= kills);
            assert!(Point::ALL.iter().all(|point| count[point] >= least), "{kills}: {count:?}");
        }
    }

    #[test]
    fn a_point_that_was_not_reached_comes_again() {
        let mut plan = Plan::draw(7, 1);
        let is_first = |end: &End| matches!(end, End::At { point: Point::RunEnded, tries: 1, .. });
        for _ in 0..plan.left() {
            let end = plan.next().unwrap();
            plan.ended(end, !is_first(&end));
        }
        let again = plan.next().unwrap();
        assert_eq!(again, End::At { point: Point::RunEnded, nth: 1, tries: 2 });
        assert_eq!(plan.seldom_reached(), [("run-ended", 0)]);
        plan.ended(again, true);
        assert!(plan.seldom_reached().is_empty());
        assert_eq!(plan.next(), None);
    }
}
