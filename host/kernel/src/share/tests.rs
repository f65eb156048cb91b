//! The laws of sharing.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::id::TenantId;
use crate::time::Millis;

fn tenant(name: &str) -> TenantId {
    TenantId::from(name)
}

fn numbered(number: usize) -> TenantId {
    TenantId(format!("tenant {number}"))
}

fn permits(total: usize) -> Permits {
    Permits::new(total, BTreeMap::new())
}

#[test]
fn the_last_quarter_is_kept_for_who_holds_less_than_a_quarter() {
    let mut permits = permits(8);
    let taken = (0..9).filter(|_| permits.try_take(&tenant("a"), 0)).count();
    assert_eq!(taken, 6);
    assert!(permits.try_take(&tenant("b"), 0));
    assert!(permits.try_take(&tenant("c"), 0));
    assert_eq!(permits.free(), 0);
}

#[test]
fn who_holds_fewest_gets_the_next_one_and_who_waits_longest_of_equals() {
    let mut permits = permits(4);
    let (a, b, c) = (tenant("a"), tenant("b"), tenant("c"));
    for holder in [&a, &a, &a, &b] {
        assert!(permits.try_take(holder, 0));
    }
    permits.ask(&a, 1);
    permits.ask(&b, 2);
    permits.ask(&c, 3);
    assert_eq!(permits.next(0), None);
    permits.ended(&a, 0, 0);
    assert_eq!(permits.next(0), Some((c.clone(), 3)));
    permits.ended(&a, 0, 0);
    assert_eq!(permits.next(0), None, "all hold their quarter and one is kept for newcomers");
    permits.ended(&c, 0, 0);
    assert_eq!(permits.next(0), Some((a.clone(), 1)), "a and b hold one each, a asked first");
    permits.gave_up(&b, 2, 0);
    permits.ended(&b, 0, 0);
    assert_eq!((permits.next(0), permits.waiting()), (None, 0));
}

#[test]
fn over_its_rate_a_tenant_waits_and_the_others_do_not() {
    let rates = [
        (tenant("turns"), TenantRate { turns: Some(2), cpu_ms: None }),
        (tenant("cpu"), TenantRate { turns: None, cpu_ms: Some(100) }),
    ];
    let mut permits = Permits::new(64, rates.into());
    let begun = (0..10).filter(|_| permits.try_take(&tenant("turns"), 5_000)).count();
    assert_eq!(begun, 3, "a second's worth and the one that fills it");
    assert!(permits.try_take(&tenant("cpu"), 5_000));
    permits.ended(&tenant("cpu"), 150_000, 5_000);
    assert!(!permits.try_take(&tenant("cpu"), 5_000));
    assert!(permits.try_take(&tenant("free"), 5_000));
    permits.ask(&tenant("turns"), 1);
    permits.ask(&tenant("cpu"), 2);
    assert_eq!(permits.next(5_000), None);
    assert_eq!(permits.wake_at(5_000), Some(5_500));
    assert_eq!(permits.next(5_499), None);
    let mut next: Vec<_> = std::iter::from_fn(|| permits.next(5_500)).collect();
    next.sort_unstable();
    assert_eq!(next, [(tenant("cpu"), 2), (tenant("turns"), 1)]);
}

#[test]
fn no_more_turns_of_a_tenant_run_at_once_than_it_may_have() {
    let mut permits = permits(64);
    let (a, b) = (tenant("a"), tenant("b"));
    permits.set_at_once(&a, Some(2));
    assert_eq!((0..5).filter(|_| permits.try_take(&a, 0)).count(), 2);
    assert_eq!((0..5).filter(|_| permits.try_take(&b, 0)).count(), 5, "the others have room");
    permits.ask(&a, 1);
    permits.ask(&b, 2);
    assert_eq!(permits.next(0), Some((b, 2)), "nobody waits behind it");
    assert_eq!((permits.next(0), permits.wake_at(0)), (None, None), "no clock helps it");
    permits.ended(&a, 0, 0);
    assert_eq!(permits.next(0), Some((a.clone(), 1)));
    permits.ask(&a, 3);
    assert_eq!(permits.next(0), None);
    permits.set_at_once(&a, Some(3));
    assert_eq!(permits.next(0), Some((a.clone(), 3)));
    permits.set_at_once(&a, Some(0));
    assert!(!permits.try_take(&a, 0), "those that run go on");
    for _ in 0..3 {
        permits.ended(&a, 0, 0);
    }
    assert!(permits.try_take(&a, 0), "none at all would wait for ever");
    permits.set_at_once(&a, None);
    assert_eq!((0..20).filter(|_| permits.try_take(&a, 0)).count(), 20);
}

#[test]
fn permits_are_made_fewer_and_more_while_some_are_held() {
    let mut permits = permits(8);
    assert_eq!((0..9).filter(|_| permits.try_take(&tenant("a"), 0)).count(), 6);
    permits.set_total(2);
    assert_eq!((permits.free(), permits.held()), (0, 6));
    permits.ask(&tenant("b"), 1);
    for _ in 0..4 {
        permits.ended(&tenant("a"), 0, 0);
        assert_eq!(permits.next(0), None);
    }
    permits.ended(&tenant("a"), 0, 0);
    assert_eq!(permits.next(0), Some((tenant("b"), 1)));
    permits.set_total(0);
    assert_eq!(permits.total(), 1, "none at all would wait for ever");
}

#[test]
fn who_waited_for_a_permit_and_then_waits_for_a_rate_is_woken() {
    let mut permits = permits(64);
    let a = tenant("a");
    permits.set_at_once(&a, Some(1));
    permits.set_rate(&a, TenantRate { turns: None, cpu_ms: Some(100) });
    assert!(permits.try_take(&a, 5_000));
    permits.ask(&a, 1);
    assert_eq!((permits.next(5_000), permits.wake_at(5_000)), (None, None));
    permits.ended(&a, 150_000, 5_000);
    assert_eq!((permits.next(5_000), permits.wake_at(5_000)), (None, Some(5_500)));
    assert_eq!(permits.next(5_500), Some((a, 1)));
}

#[test]
fn a_newcomer_computes_before_those_who_have_done_so() {
    let mut slices = Slices::new(1);
    for ticket in 0..3 {
        slices.ask(&numbered(ticket), ticket as Ticket, Length::Short);
    }
    assert_eq!(slices.grant(), Some(0));
    slices.ended(&numbered(0), 0, 5_000);
    slices.ask(&numbered(0), 0, Length::Short);
    slices.ask(&tenant("new"), 9, Length::Short);
    assert_eq!([slices.grant(), slices.grant()], [Some(1), None]);
    slices.ended(&numbered(1), 1, 20);
    assert_eq!(slices.grant(), Some(2));
    slices.ended(&numbered(2), 2, 20);
    assert_eq!(slices.grant(), Some(9));
    slices.ended(&tenant("new"), 9, 20);
    assert_eq!(slices.grant(), Some(0));
}

#[test]
fn the_turns_of_a_tenant_go_round() {
    let mut slices = Slices::new(1);
    slices.ask(&tenant("a"), 1, Length::Short);
    slices.ask(&tenant("a"), 2, Length::Short);
    for expected in [1, 2, 1, 2] {
        assert_eq!(slices.grant(), Some(expected));
        slices.ended(&tenant("a"), expected, 1_000);
        slices.ask(&tenant("a"), expected, Length::Short);
    }
    // Who comes later waits for a slice of each of the others.
    slices.ask(&tenant("a"), 3, Length::Short);
    let order = std::iter::from_fn(|| {
        let ticket = slices.grant()?;
        slices.ended(&tenant("a"), ticket, 1_000);
        Some(ticket)
    });
    assert_eq!(order.collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn long_turns_leave_a_processor_to_short_ones() {
    let mut slices = Slices::new(2);
    slices.ask(&tenant("a"), 1, Length::Long);
    slices.ask(&tenant("a"), 2, Length::Long);
    slices.ask(&tenant("b"), 3, Length::Long);
    assert_eq!([slices.grant(), slices.grant()], [Some(1), None]);
    // Its own tenant's, too; and who asked first comes first again.
    slices.ask(&tenant("a"), 4, Length::Short);
    assert_eq!([slices.grant(), slices.grant()], [Some(4), None]);
    slices.ended(&tenant("a"), 4, 20);
    slices.ended(&tenant("a"), 1, 1_000);
    slices.gave_up(&tenant("a"), 2);
    assert_eq!([slices.grant(), slices.grant()], [Some(3), None]);
    slices.ended(&tenant("b"), 3, 1_000);
    assert_eq!(format!("{slices:?}"), format!("{:?}", Slices::new(2)));
}

#[test]
fn a_single_processor_is_for_long_turns_too() {
    let mut slices = Slices::new(1);
    slices.ask(&tenant("a"), 1, Length::Long);
    assert_eq!(slices.grant(), Some(1));
}

#[test]
fn nothing_is_remembered_of_a_host_at_rest() {
    let mut slices = Slices::new(2);
    slices.ask(&tenant("a"), 1, Length::Short);
    assert_eq!(slices.grant(), Some(1));
    slices.ended(&tenant("a"), 1, 70_000);
    assert_eq!(format!("{slices:?}"), format!("{:?}", Slices::new(2)));
}

/// What a tenant's turns are like: how many want to compute at the same time, and
/// what their slices cost.
#[derive(Clone, Debug)]
struct Habit {
    turns: usize,
    length: Length,
    costs_us: Vec<u64>,
}

fn habit(turns_min: usize) -> impl Strategy<Value = Habit> {
    let costs_us = prop::collection::vec(1_u64..=SLICE_MAX_US as u64, 1..5);
    (turns_min..6, costs_us).prop_map(|(turns, costs_us)| Habit {
        turns,
        length: Length::Short,
        costs_us,
    })
}

fn short_or_long_habit() -> impl Strategy<Value = Habit> {
    let length = prop::sample::select(vec![Length::Short, Length::Long]);
    (habit(1), length).prop_map(|(habit, length)| Habit { length, ..habit })
}

const SLICE_MAX_US: i64 = 1_500;

/// Processors that work in virtual time: which slice ends when.
struct World {
    slices: Slices,
    habits: Vec<Habit>,
    running: Vec<(u64, Ticket, u64)>,
    used_us: Vec<i64>,
    slices_had: Vec<usize>,
    last_us: Vec<u64>,
    now_us: u64,
    last_granted: Option<Ticket>,
}

/// Somebody beside the tenants with habits.
const NEWCOMER: Ticket = 99;

impl World {
    fn new(processors: usize, habits: Vec<Habit>) -> Self {
        let mut slices = Slices::new(processors);
        let count = habits.len();
        for (index, habit) in habits.iter().enumerate() {
            for turn in 0..habit.turns {
                slices.ask(&numbered(index), (turn * 100 + index) as Ticket, habit.length);
            }
        }
        let (used_us, slices_had, last_us) = (vec![0; count], vec![0; count], vec![0; count]);
        Self {
            slices,
            habits,
            running: Vec::new(),
            used_us,
            slices_had,
            last_us,
            now_us: 0,
            last_granted: None,
        }
    }

    fn fill(&mut self) {
        while let Some(ticket) = self.slices.grant() {
            self.last_granted = Some(ticket);
            if ticket == NEWCOMER {
                return;
            }
            let index = (ticket % 100) as usize;
            let costs = &self.habits[index].costs_us;
            let cost = costs[self.slices_had[index] % costs.len()];
            self.slices_had[index] += 1;
            self.last_us[index] = self.now_us;
            self.running.push((self.now_us + cost, ticket, cost));
        }
    }

    /// Until the next slice ends; its turn asks for the next one at once.
    fn step(&mut self) {
        self.fill();
        let ends = self.running.iter().enumerate().min_by_key(|(_, slice)| **slice);
        let (at, _) = ends.expect("somebody computes as long as somebody wants to");
        let (end_us, ticket, cost) = self.running.swap_remove(at);
        self.now_us = end_us;
        let index = (ticket % 100) as usize;
        self.used_us[index] += cost as i64;
        self.slices.ended(&numbered(index), ticket, cost);
        self.slices.ask(&numbered(index), ticket, self.habits[index].length);
        self.fill();
    }

    /// How many short turns and how many long ones there are and compute.
    fn counts(&self) -> [(usize, usize); 2] {
        let is_long = |index: usize| self.habits[index].length == Length::Long;
        [false, true].map(|long| {
            let of_habits = self.habits.iter().enumerate().filter(|(at, _)| is_long(*at) == long);
            let running = self
                .running
                .iter()
                .filter(|(_, ticket, _)| is_long((ticket % 100) as usize) == long);
            (of_habits.map(|(_, habit)| habit.turns).sum(), running.count())
        })
    }
}

proptest! {
    #[test]
    fn tenants_with_work_left_get_equal_cpu_time_whatever_their_slices_cost(
        processors in 1_usize..4,
        habits in prop::collection::vec(habit(4), 2..5),
    ) {
        let mut world = World::new(processors, habits);
        for _ in 0..3_000 {
            world.step();
        }
        let (most, least) =
            (*world.used_us.iter().max().unwrap(), *world.used_us.iter().min().unwrap());
        // Each may be ahead by a round, by its slices that run, and by estimates.
        let apart = 2 * QUANTUM_US + 2 * (processors as i64 + 1) * SLICE_MAX_US;
        prop_assert!(most - least <= apart, "{:?}", world.used_us);
    }

    #[test]
    fn no_processor_is_idle_while_somebody_waits_and_nobody_starves(
        processors in 1_usize..4,
        habits in prop::collection::vec(short_or_long_habit(), 1..6),
    ) {
        let round_us = (habits.len() as u64 + 1) * (QUANTUM_US + 2 * SLICE_MAX_US) as u64;
        let mut world = World::new(processors, habits);
        for _ in 0..1_000 {
            world.fill();
            let [(short, short_run), (long, long_run)] = world.counts();
            let long_most = (processors - 1).max(1);
            prop_assert!(long_run <= long_most, "{long_run} long turns compute");
            prop_assert_eq!(world.slices.waiting(), short + long - short_run - long_run);
            let all_run = short_run == short && (long_run == long || long_run == long_most);
            prop_assert!(world.running.len() == processors || all_run, "a processor is idle");
            for (index, last_us) in world.last_us.iter().enumerate() {
                let waited = world.now_us - last_us;
                prop_assert!(waited <= 3 * round_us, "tenant {index} waited {waited} µs");
            }
            world.step();
        }
    }

    #[test]
    fn a_newcomer_waits_at_most_for_who_has_just_begun_too(
        processors in 1_usize..4,
        habits in prop::collection::vec(habit(4), 1..5),
        steps in 0_usize..300,
    ) {
        // Whoever has just begun may use up a quantum first, and its last slice.
        let most_us = (habits.len() as i64 + 1) * (QUANTUM_US + SLICE_MAX_US);
        let mut world = World::new(processors, habits);
        for _ in 0..steps {
            world.step();
        }
        world.fill();
        world.slices.ask(&tenant("new"), NEWCOMER, Length::Short);
        let asked_us = world.now_us;
        while world.last_granted != Some(NEWCOMER) {
            world.step();
            prop_assert!(world.now_us - asked_us <= most_us as u64, "it still waits");
        }
    }

    #[test]
    fn permits_are_never_idle_nor_hoarded(
        total in 1_usize..20,
        steps in prop::collection::vec((0_usize..5, 0_u8..3), 1..200),
    ) {
        let mut permits = permits(total);
        let (mut held, mut waiting) = (BTreeMap::new(), Vec::new());
        let quarter = (total / 4).max(1);
        for (ticket, (who, what)) in steps.into_iter().enumerate() {
            let (name, count) = (numbered(who), held.get(&who).copied().unwrap_or(0_usize));
            match what {
                0 => {
                    permits.ask(&name, ticket as Ticket);
                    waiting.push((who, ticket as Ticket));
                }
                1 if count > 0 => {
                    permits.ended(&name, 0, 0);
                    held.insert(who, count - 1);
                }
                _ => {
                    if let Some(at) = waiting.iter().position(|(waits, _)| *waits == who) {
                        permits.gave_up(&name, waiting.remove(at).1, 0);
                    }
                }
            }
            while let Some((name, ticket)) = permits.next(0) {
                let at = waiting.iter().position(|(_, waits)| *waits == ticket).unwrap();
                let (who, _) = waiting.remove(at);
                prop_assert_eq!(numbered(who), name);
                let fewest = |other: &(usize, Ticket)| held.get(&other.0).copied().unwrap_or(0);
                let mine = held.get(&who).copied().unwrap_or(0);
                prop_assert!(waiting.iter().all(|other| fewest(other) >= mine));
                *held.entry(who).or_default() += 1;
            }
            let taken: usize = held.values().sum();
            prop_assert_eq!(permits.free(), total - taken);
            for (who, _) in &waiting {
                let mine = held.get(who).copied().unwrap_or(0);
                prop_assert!(taken == total || (mine >= quarter && total - taken <= total / 4));
            }
        }
    }

    #[test]
    fn a_rate_is_kept_over_any_stretch_of_time(
        turns in 1_u32..50,
        pauses in prop::collection::vec(0_u64..400, 1..100),
    ) {
        let rate = TenantRate { turns: Some(turns), cpu_ms: None };
        let mut permits = Permits::new(1_000, [(tenant("a"), rate)].into());
        let (mut now, mut begun): (Millis, Vec<Millis>) = (10_000, Vec::new());
        for pause in pauses {
            now += pause;
            if permits.try_take(&tenant("a"), now) {
                begun.push(now);
            }
        }
        for (index, from) in begun.iter().enumerate() {
            for (count, until) in begun[index..].iter().enumerate() {
                let allowed = u64::from(turns) * (until - from + 1_000) / 1_000 + 1;
                prop_assert!(count as u64 <= allowed);
            }
        }
    }
}
