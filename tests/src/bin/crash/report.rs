//! What a run has found, in words.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use botyard_failpoints::Point;

use crate::lap::Outcome;
use crate::oracle::{Rule, Violation};
use crate::plan::Plan;

/// So many broken promises are told in full.
const TOLD_MAX: usize = 20;

/// What a run has found.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) violations: Vec<Violation>,
    seed: u64,
    asked: u64,
    deliveries: u64,
    broken: Option<String>,
    sum: Outcome,
    kills: u64,
    points: String,
    seldom_reached: Vec<(&'static str, u64)>,
    took: Duration,
}

impl Report {
    /// A run that was asked for so many kills, or else for so many deliveries.
    pub(crate) fn new(seed: u64, asked: u64, deliveries: u64, broken: Option<&str>) -> Self {
        Self {
            violations: Vec::new(),
            seed,
            asked,
            deliveries,
            broken: broken.map(str::to_owned),
            sum: Outcome::default(),
            kills: 0,
            points: String::new(),
            seldom_reached: Vec::new(),
            took: Duration::ZERO,
        }
    }

    pub(crate) fn add(&mut self, mut outcome: Outcome) {
        self.violations.append(&mut outcome.violations);
        self.sum.conversations += outcome.conversations;
        self.sum.acked += outcome.acked;
        self.sum.deliveries += outcome.deliveries;
        self.sum.again += outcome.again;
        self.sum.pairs += outcome.pairs;
        self.sum.traps += outcome.traps;
        self.sum.left += outcome.left;
        self.sum.turns += outcome.turns;
        for (channel, turns) in outcome.turns_of {
            *self.sum.turns_of.entry(channel).or_default() += turns;
        }
        for (channel, shown) in outcome.shown_of {
            *self.sum.shown_of.entry(channel).or_default() += shown;
        }
        self.sum.parts += outcome.parts;
        self.sum.repeated += outcome.repeated;
        self.sum.load += outcome.load;
    }

    pub(crate) fn close(&mut self, plan: &Plan, took: Duration) {
        self.kills = plan.kills;
        self.took = took;
        let hits = |point: &Point| plan.hits.get(point).copied().unwrap_or(0);
        let reached = Point::ALL.iter().filter(|point| hits(point) > 0).count();
        let least = Point::ALL.iter().map(hits).min().unwrap_or(0);
        let all = Point::ALL.len();
        self.points = format!("{reached} of {all} points, each {least} times or more");
        self.seldom_reached = plan.seldom_reached();
    }

    pub(crate) fn is_good(&self) -> bool {
        self.violations.is_empty() && self.seldom_reached.is_empty() && self.silent().is_empty()
    }

    /// Channels on which nothing was done or nothing was shown, so that nothing is proved.
    fn silent(&self) -> Vec<&'static str> {
        let none = |of: &BTreeMap<&'static str, u64>| {
            let none = of.iter().filter(|(_, count)| **count == 0);
            none.map(|(channel, _)| *channel).collect::<BTreeSet<_>>()
        };
        none(&self.sum.turns_of).union(&none(&self.sum.shown_of)).copied().collect()
    }

    /// Channels on which a promise was broken, by this rule.
    pub(crate) fn broken_on(&self, rule: Rule) -> BTreeSet<&'static str> {
        let told = self.violations.iter().filter(|violation| violation.rule == rule);
        told.filter_map(|violation| violation.channel).collect()
    }

    /// Tells everything, the closing line on stdout.
    pub(crate) fn print(&self) {
        self.print_violations(TOLD_MAX);
        for (point, hits) in &self.seldom_reached {
            eprintln!(
                "hosts died at the point {point} {hits} times, which is too seldom: is its place \
                 still on the way?"
            );
        }
        self.print_channels();
        let Outcome { conversations, acked, deliveries, turns, parts, repeated, .. } = &self.sum;
        println!(
            "crash: {} kills ({}), {acked} events acknowledged of {deliveries} deliveries in \
             {conversations} conversations, {turns} turns, {parts} parts ({repeated} came again \
             over a kill), {} violations, {:.0} s, seed {}",
            self.kills,
            self.points,
            self.violations.len(),
            self.took.as_secs_f64(),
            self.seed
        );
    }

    fn print_channels(&self) {
        let counts = |of: &BTreeMap<&'static str, u64>| {
            let counts = of.iter().map(|(channel, count)| format!("{channel} {count}"));
            counts.collect::<Vec<_>>().join(", ")
        };
        eprintln!("  turns by channel: {}", counts(&self.sum.turns_of));
        eprintln!("  shown by channel: {}", counts(&self.sum.shown_of));
        for channel in self.silent() {
            eprintln!("nothing came of the channel {channel}: nothing is proved of it");
        }
    }

    /// Tells what came of deliveries without kills.
    pub(crate) fn print_deliveries(&self) {
        self.print_violations(TOLD_MAX);
        self.print_channels();
        let sum = &self.sum;
        let share = |count: u64| 100.0 * count as f64 / sum.deliveries.max(1) as f64;
        println!(
            "{} deliveries in {} conversations, {:.0} s, {:.0} a second: {:.1} % duplicates, \
             {:.1} % in pairs out of order, {:.1} % bot faults, {:.1} % dropped answers, {} turns",
            sum.deliveries,
            sum.conversations,
            sum.load.as_secs_f64(),
            sum.deliveries as f64 / sum.load.as_secs_f64().max(0.001),
            share(sum.again),
            share(2 * sum.pairs),
            share(sum.traps),
            share(sum.left),
            sum.turns
        );
        let of =
            |rules: &[Rule]| self.violations.iter().filter(|one| rules.contains(&one.rule)).count();
        let lost = of(&[Rule::Lost, Rule::Undelivered, Rule::Timers, Rule::Requests]);
        let doubled = of(&[Rule::Doubled, Rule::Repeated, Rule::PartIds]);
        let order = of(&[Rule::Order, Rule::DeliveryOrder]);
        let others = self.violations.len() - lost - doubled - order;
        println!(
            "lost {lost}, doubled {doubled}, out of order {order}, other violations {others}, \
             seed {}",
            self.seed
        );
    }

    /// Tells what was noticed first.
    pub(crate) fn print_first(&self) {
        self.print_violations(2);
    }

    fn print_violations(&self, most: usize) {
        for violation in self.violations.iter().take(most) {
            eprintln!("  {violation}");
        }
        if self.violations.is_empty() {
            return;
        }
        let mut counts: BTreeMap<_, u64> = BTreeMap::new();
        for violation in &self.violations {
            *counts.entry(violation.rule).or_default() += 1;
        }
        let counts: Vec<_> =
            counts.iter().map(|(rule, count)| format!("{rule:?} {count}")).collect();
        let broken = self.broken.as_ref().map(|name| format!(" --broken {name}"));
        let what = match self.asked {
            0 => format!("--deliveries {}", self.deliveries),
            kills => format!("--kills {kills}"),
        };
        eprintln!(
            "  {} violations: {}\n  again: cargo xtask crash {what} --seed {}{}",
            self.violations.len(),
            counts.join(", "),
            self.seed,
            broken.unwrap_or_default()
        );
    }
}
