//! Who computes next: deficit round robin between tenants, in slices of CPU time.

use std::collections::{BTreeMap, VecDeque};

use super::Ticket;
use crate::id::TenantId;

/// What a tenant may use in each round, in microseconds of CPU time: as long as
/// a slice lasts before a bot is interrupted.
pub const QUANTUM_US: i64 = 1_000;

/// The processors of a host and who waits for one.
///
/// Nobody knows beforehand what a slice will cost. So a slice is charged with
/// what slices of its tenant cost of late, and corrected when it has ended. Who
/// has used more than its quantum pays it back in the next rounds; who does
/// nothing saves nothing up. A tenant that begins to compute goes before the
/// round once: most turns need microseconds and should not wait for all others.
///
/// A tenant's own turns go round, too: a bot that spins must not hold up the short
/// turns of its neighbours.
#[derive(Debug)]
pub struct Slices {
    /// Processors that nobody computes on.
    free: usize,
    total: usize,
    waiting: usize,
    tenants: BTreeMap<TenantId, Account>,
    /// Tenants that have just begun to compute.
    fresh: VecDeque<TenantId>,
    round: VecDeque<TenantId>,
}

#[derive(Debug, Default)]
struct Account {
    deficit_us: i64,
    /// What a slice cost of late.
    usual_us: i64,
    /// In the order in which they asked.
    waiting: VecDeque<Ticket>,
    /// What the slices that run were charged with.
    running: BTreeMap<Ticket, i64>,
    /// It stands in one of the two queues.
    placed: bool,
}

impl Slices {
    /// So many processors, at least 1.
    pub fn new(processors: usize) -> Self {
        let total = processors.max(1);
        let (fresh, round) = (VecDeque::new(), VecDeque::new());
        Self { free: total, total, waiting: 0, tenants: BTreeMap::new(), fresh, round }
    }

    /// Waits for a slice; [`Slices::grant`] says when it begins.
    pub fn ask(&mut self, tenant: &TenantId, ticket: Ticket) {
        let account = self.tenants.entry(tenant.clone()).or_default();
        if !account.waiting.contains(&ticket) {
            account.waiting.push_back(ticket);
            self.waiting += 1;
        }
        if !account.placed {
            account.placed = true;
            account.deficit_us = account.deficit_us.min(0) + QUANTUM_US;
            self.fresh.push_back(tenant.clone());
        }
    }

    /// Waits no longer. Nothing happens where the slice has begun.
    pub fn gave_up(&mut self, tenant: &TenantId, ticket: Ticket) {
        if let Some(account) = self.tenants.get_mut(tenant)
            && let Some(at) = account.waiting.iter().position(|waiting| *waiting == ticket)
        {
            account.waiting.remove(at);
            self.waiting -= 1;
        }
        self.rest();
    }

    /// Begins the next slice, if a processor is free; to be asked until it says
    /// `None`.
    pub fn grant(&mut self) -> Option<Ticket> {
        while self.free > 0 && self.waiting > 0 {
            let from_fresh = !self.fresh.is_empty();
            let queue = if from_fresh { &mut self.fresh } else { &mut self.round };
            let tenant = queue.pop_front()?;
            let Some(account) = self.tenants.get_mut(&tenant) else { continue };
            let Some(ticket) = account.waiting.front().copied() else {
                // Who was fresh passes the round once before being so again.
                if from_fresh || !account.running.is_empty() {
                    self.round.push_back(tenant);
                } else {
                    self.leave(&tenant);
                }
                continue;
            };
            if account.deficit_us <= 0 {
                account.deficit_us += QUANTUM_US;
                self.round.push_back(tenant);
                continue;
            }
            account.waiting.pop_front();
            account.deficit_us -= account.usual_us;
            account.running.insert(ticket, account.usual_us);
            self.waiting -= 1;
            self.free -= 1;
            let queue = if from_fresh { &mut self.fresh } else { &mut self.round };
            queue.push_front(tenant);
            return Some(ticket);
        }
        None
    }

    /// A slice has ended after so many microseconds of CPU time.
    pub fn ended(&mut self, tenant: &TenantId, ticket: Ticket, used_us: u64) {
        let Some(account) = self.tenants.get_mut(tenant) else { return };
        let Some(charged_us) = account.running.remove(&ticket) else { return };
        let used_us = i64::try_from(used_us).unwrap_or(i64::MAX / 2);
        account.deficit_us = account.deficit_us.saturating_add(charged_us - used_us);
        account.usual_us = (account.usual_us * 7 + used_us) / 8;
        self.free += 1;
        self.rest();
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// A tenant that does nothing keeps its debt and no credit.
    fn leave(&mut self, tenant: &TenantId) {
        let Some(account) = self.tenants.get_mut(tenant) else { return };
        account.placed = false;
        account.deficit_us = account.deficit_us.min(0);
        if account.deficit_us == 0 {
            self.tenants.remove(tenant);
        }
    }

    /// Where nobody computes and nobody waits, there is nobody to be unfair to.
    fn rest(&mut self) {
        if self.waiting == 0 && self.free == self.total {
            self.tenants.clear();
            self.fresh.clear();
            self.round.clear();
        }
    }
}
