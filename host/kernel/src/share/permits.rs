//! Who may begin a turn.

use std::collections::{BTreeMap, BTreeSet};

use super::rate::Pacer;
use super::{TenantRate, Ticket};
use crate::id::TenantId;
use crate::limits::Limit;
use crate::time::Millis;

/// The permits of a pool: a turn has one from its first step to its last.
///
/// A tenant with less than a quarter of them gets the next free one. A tenant
/// with more may go on taking them, but not those of the last free quarter: turns
/// can be long, and a newcomer must not have to wait for somebody else's to end.
/// Where none is free, the next one goes to the tenant that holds fewest. A tenant
/// may besides have a number of its own, of which no more run at once.
///
/// Whoever else shares a number of places takes part under a name of its own kind.
#[derive(Debug)]
pub struct Permits<K = TenantId> {
    total: usize,
    held: usize,
    rates: BTreeMap<K, TenantRate>,
    at_once: BTreeMap<K, usize>,
    tenants: BTreeMap<K, Account>,
    /// Tenants that wait: who holds fewest first, then who has waited longest.
    order: BTreeSet<(usize, Ticket, K)>,
}

#[derive(Debug, Default)]
struct Account {
    held: usize,
    waiting: BTreeSet<Ticket>,
    turns: Pacer,
    cpu: Pacer,
}

impl<K: Ord + Clone> Permits<K> {
    /// So many permits, at least 1, all of them free. Tenants that are not named
    /// in `rates` have none.
    pub fn new(total: usize, rates: BTreeMap<K, TenantRate>) -> Self {
        let total = total.max(1);
        let (tenants, order) = (BTreeMap::new(), BTreeSet::new());
        Self { total, held: 0, rates, at_once: BTreeMap::new(), tenants, order }
    }

    /// Changes how many permits there are, at least 1. Those that are held stay so.
    pub fn set_total(&mut self, total: usize) {
        self.total = total.max(1);
    }

    /// Changes what a tenant may use in a second, from now on. What it used beyond
    /// an earlier rate it still waits for.
    pub fn set_rate(&mut self, who: &K, rate: TenantRate) {
        match rate == TenantRate::default() {
            true => drop(self.rates.remove(who)),
            false => drop(self.rates.insert(who.clone(), rate)),
        }
    }

    /// Changes how many turns of a tenant run at once, at least 1; absent: as many as there is
    /// room for. Turns that run are not touched.
    pub fn set_at_once(&mut self, who: &K, most: Option<usize>) {
        match most {
            None => drop(self.at_once.remove(who)),
            Some(most) => drop(self.at_once.insert(who.clone(), most.max(1))),
        }
    }

    /// A permit at once, or none. Whoever of the tenant waits already goes first.
    pub fn try_take(&mut self, who: &K, now: Millis) -> bool {
        let account = self.tenants.get(who);
        let waits = account.is_some_and(|account| !account.waiting.is_empty());
        let held = account.map_or(0, |account| account.held);
        let slowed = account.is_some_and(|account| now < account.free_at());
        if waits || slowed || !self.may_take(who, held) {
            return false;
        }
        self.take(who, now);
        true
    }

    /// Waits for a permit; [`Permits::next`] says when it is there.
    pub fn ask(&mut self, who: &K, ticket: Ticket) {
        self.change(who, |account| {
            account.waiting.insert(ticket);
        });
    }

    /// Waits no longer. Nothing happens where the permit was given already.
    pub fn gave_up(&mut self, who: &K, ticket: Ticket, now: Millis) {
        self.change(who, |account| {
            account.waiting.remove(&ticket);
        });
        self.forget(who, now);
    }

    /// Gives a free permit to whoever comes next; to be asked until it says
    /// `None`.
    pub fn next(&mut self, now: Millis) -> Option<(K, Ticket)> {
        let allowed = |(held, _, who): &&(usize, Ticket, K)| {
            let account = self.tenants.get(who);
            self.may_take(who, *held) && account.is_some_and(|account| account.free_at() <= now)
        };
        let (_, ticket, who) = self.order.iter().find(allowed)?.clone();
        self.change(&who, |account| {
            account.waiting.remove(&ticket);
        });
        self.take(&who, now);
        Some((who, ticket))
    }

    /// A turn has ended: its permit is free again, and the CPU time that it used,
    /// in microseconds, counts against its tenant's rate.
    pub fn ended(&mut self, who: &K, cpu_us: u64, now: Millis) {
        let cpu_ms = self.rates.get(who).and_then(|rate| rate.cpu_ms);
        self.held -= 1;
        self.change(who, |account| {
            account.held -= 1;
            if let Some(cpu_ms) = cpu_ms {
                account.cpu.note(cpu_us, u64::from(cpu_ms) * 1_000, now);
            }
        });
        self.forget(who, now);
    }

    /// When the rate of a tenant that holds somebody back does so no longer. Who waits for a
    /// permit only is served when one is given back.
    pub fn wake_at(&self, now: Millis) -> Option<Millis> {
        let waiting = self.order.iter();
        let free_at = waiting.filter_map(|(_, _, who)| Some(self.tenants.get(who)?.free_at()));
        free_at.filter(|at| *at > now).min()
    }

    /// All permits, whoever holds them.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Permits that nobody holds.
    pub fn free(&self) -> usize {
        self.total.saturating_sub(self.held)
    }

    /// Permits that somebody holds: more than there are, where they were made fewer.
    pub fn held(&self) -> usize {
        self.held
    }

    /// How many turns wait.
    pub fn waiting(&self) -> usize {
        self.tenants.values().map(|account| account.waiting.len()).sum()
    }

    /// Whether a tenant that holds so many may have one more.
    fn may_take(&self, who: &K, held: usize) -> bool {
        let percent = Limit::RunningTurnsPercent.preset_size();
        let quarter = self.total.saturating_mul(percent) / 100;
        let has_room = self.free() > if held < quarter.max(1) { 0 } else { quarter };
        has_room && self.at_once.get(who).is_none_or(|most| held < *most)
    }

    fn take(&mut self, who: &K, now: Millis) {
        let turns = self.rates.get(who).and_then(|rate| rate.turns);
        self.held += 1;
        self.change(who, |account| {
            account.held += 1;
            if let Some(turns) = turns {
                account.turns.note(1, turns.into(), now);
            }
        });
    }

    /// Changes a tenant's account and its place in the order with it.
    fn change(&mut self, who: &K, change: impl FnOnce(&mut Account)) {
        let account = self.tenants.entry(who.clone()).or_default();
        let place = |account: &Account| {
            let first = account.waiting.first()?;
            Some((account.held, *first, who.clone()))
        };
        let before = place(account);
        change(account);
        let after = place(account);
        if before != after {
            if let Some(before) = before {
                self.order.remove(&before);
            }
            self.order.extend(after);
        }
    }

    /// Forgets a tenant of whom nothing is left to know.
    fn forget(&mut self, who: &K, now: Millis) {
        let idle = |account: &Account| {
            let even = account.turns.is_even(now) && account.cpu.is_even(now);
            account.held == 0 && account.waiting.is_empty() && even
        };
        if self.tenants.get(who).is_some_and(idle) {
            self.tenants.remove(who);
        }
    }
}

impl Account {
    /// When the tenant's rates let a turn begin.
    fn free_at(&self) -> Millis {
        self.turns.free_at().max(self.cpu.free_at())
    }
}
