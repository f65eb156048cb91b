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
#[derive(Debug)]
pub struct Permits {
    total: usize,
    free: usize,
    rates: BTreeMap<TenantId, TenantRate>,
    at_once: BTreeMap<TenantId, usize>,
    tenants: BTreeMap<TenantId, Account>,
    /// Tenants that wait: who holds fewest first, then who has waited longest.
    order: BTreeSet<(usize, Ticket, TenantId)>,
}

#[derive(Debug, Default)]
struct Account {
    held: usize,
    waiting: BTreeSet<Ticket>,
    turns: Pacer,
    cpu: Pacer,
}

impl Permits {
    /// So many permits, at least 1, all of them free. Tenants that are not named
    /// in `rates` have none.
    pub fn new(total: usize, rates: BTreeMap<TenantId, TenantRate>) -> Self {
        let total = total.max(1);
        let (tenants, order) = (BTreeMap::new(), BTreeSet::new());
        Self { total, free: total, rates, at_once: BTreeMap::new(), tenants, order }
    }

    /// Changes what a tenant may use in a second, from now on. What it used beyond
    /// an earlier rate it still waits for.
    pub fn set_rate(&mut self, tenant: &TenantId, rate: TenantRate) {
        match rate == TenantRate::default() {
            true => drop(self.rates.remove(tenant)),
            false => drop(self.rates.insert(tenant.clone(), rate)),
        }
    }

    /// Changes how many turns of a tenant run at once, at least 1; absent: as many as there is
    /// room for. Turns that run are not touched.
    pub fn set_at_once(&mut self, tenant: &TenantId, most: Option<usize>) {
        match most {
            None => drop(self.at_once.remove(tenant)),
            Some(most) => drop(self.at_once.insert(tenant.clone(), most.max(1))),
        }
    }

    /// A permit at once, or none. Whoever of the tenant waits already goes first.
    pub fn try_take(&mut self, tenant: &TenantId, now: Millis) -> bool {
        let account = self.tenants.get(tenant);
        let waits = account.is_some_and(|account| !account.waiting.is_empty());
        let held = account.map_or(0, |account| account.held);
        let slowed = account.is_some_and(|account| now < account.free_at());
        if waits || slowed || !self.may_take(tenant, held) {
            return false;
        }
        self.take(tenant, now);
        true
    }

    /// Waits for a permit; [`Permits::next`] says when it is there.
    pub fn ask(&mut self, tenant: &TenantId, ticket: Ticket) {
        self.change(tenant, |account| {
            account.waiting.insert(ticket);
        });
    }

    /// Waits no longer. Nothing happens where the permit was given already.
    pub fn gave_up(&mut self, tenant: &TenantId, ticket: Ticket, now: Millis) {
        self.change(tenant, |account| {
            account.waiting.remove(&ticket);
        });
        self.forget(tenant, now);
    }

    /// Gives a free permit to whoever comes next; to be asked until it says
    /// `None`.
    pub fn next(&mut self, now: Millis) -> Option<(TenantId, Ticket)> {
        let allowed = |(held, _, tenant): &&(usize, Ticket, TenantId)| {
            let account = self.tenants.get(tenant);
            self.may_take(tenant, *held) && account.is_some_and(|account| account.free_at() <= now)
        };
        let (_, ticket, tenant) = self.order.iter().find(allowed)?.clone();
        self.change(&tenant, |account| {
            account.waiting.remove(&ticket);
        });
        self.take(&tenant, now);
        Some((tenant, ticket))
    }

    /// A turn has ended: its permit is free again, and the CPU time that it used,
    /// in microseconds, counts against its tenant's rate.
    pub fn ended(&mut self, tenant: &TenantId, cpu_us: u64, now: Millis) {
        let cpu_ms = self.rates.get(tenant).and_then(|rate| rate.cpu_ms);
        self.free += 1;
        self.change(tenant, |account| {
            account.held -= 1;
            if let Some(cpu_ms) = cpu_ms {
                account.cpu.note(cpu_us, u64::from(cpu_ms) * 1_000, now);
            }
        });
        self.forget(tenant, now);
    }

    /// When the rate of a tenant that holds somebody back does so no longer. Who waits for a
    /// permit only is served when one is given back.
    pub fn wake_at(&self, now: Millis) -> Option<Millis> {
        let waiting = self.order.iter();
        let free_at =
            waiting.filter_map(|(_, _, tenant)| Some(self.tenants.get(tenant)?.free_at()));
        free_at.filter(|at| *at > now).min()
    }

    /// All permits, whoever holds them.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Permits that nobody holds.
    pub fn free(&self) -> usize {
        self.free
    }

    /// How many turns wait.
    pub fn waiting(&self) -> usize {
        self.tenants.values().map(|account| account.waiting.len()).sum()
    }

    /// Whether a tenant that holds so many may have one more.
    fn may_take(&self, tenant: &TenantId, held: usize) -> bool {
        let quarter = self.total * Limit::RunningTurnsPercent.preset_size() / 100;
        let has_room = self.free > if held < quarter.max(1) { 0 } else { quarter };
        has_room && self.at_once.get(tenant).is_none_or(|most| held < *most)
    }

    fn take(&mut self, tenant: &TenantId, now: Millis) {
        let turns = self.rates.get(tenant).and_then(|rate| rate.turns);
        self.free -= 1;
        self.change(tenant, |account| {
            account.held += 1;
            if let Some(turns) = turns {
                account.turns.note(1, turns.into(), now);
            }
        });
    }

    /// Changes a tenant's account and its place in the order with it.
    fn change(&mut self, tenant: &TenantId, change: impl FnOnce(&mut Account)) {
        let account = self.tenants.entry(tenant.clone()).or_default();
        let place = |account: &Account| {
            let first = account.waiting.first()?;
            Some((account.held, *first, tenant.clone()))
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
    fn forget(&mut self, tenant: &TenantId, now: Millis) {
        let idle = |account: &Account| {
            let even = account.turns.is_even(now) && account.cpu.is_even(now);
            account.held == 0 && account.waiting.is_empty() && even
        };
        if self.tenants.get(tenant).is_some_and(idle) {
            self.tenants.remove(tenant);
        }
    }
}

impl Account {
    /// When the tenant's rates let a turn begin.
    fn free_at(&self) -> Millis {
        self.turns.free_at().max(self.cpu.free_at())
    }
}
