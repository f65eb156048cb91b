//! Who computes next: deficit round robin between tenants, in slices of CPU time.

use std::collections::{BTreeMap, VecDeque};

use super::{Length, Ticket};
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
///
/// Long turns leave a processor to the others, where there are two: whoever answers at
/// once does not wait for the end of somebody's slice, and neither does the host.
#[derive(Debug)]
pub struct Slices {
    /// Processors that nobody computes on.
    free: usize,
    total: usize,
    /// Processors on which long turns may yet begin.
    free_for_long: usize,
    /// How many were asked for so far.
    asked: u64,
    short_waiting: usize,
    long_waiting: usize,
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
    short: Line,
    long: Line,
    running: BTreeMap<Ticket, Running>,
    /// It stands in one of the two queues.
    placed: bool,
}

/// Who waits, in the order in which they asked, with the number of their question.
type Line = VecDeque<(u64, Ticket)>;

#[derive(Debug)]
struct Running {
    charged_us: i64,
    length: Length,
}

impl Slices {
    /// So many processors, at least 1.
    pub fn new(processors: usize) -> Self {
        let total = processors.max(1);
        Self {
            free: total,
            total,
            free_for_long: (total - 1).max(1),
            asked: 0,
            short_waiting: 0,
            long_waiting: 0,
            tenants: BTreeMap::new(),
            fresh: VecDeque::new(),
            round: VecDeque::new(),
        }
    }

    /// Waits for a slice of a turn; [`Slices::grant`] says when it begins.
    pub fn ask(&mut self, tenant: &TenantId, ticket: Ticket, length: Length) {
        let account = self.tenants.entry(tenant.clone()).or_default();
        if !account.waits(ticket) {
            self.asked += 1;
            match length {
                Length::Short => {
                    account.short.push_back((self.asked, ticket));
                    self.short_waiting += 1;
                }
                Length::Long => {
                    account.long.push_back((self.asked, ticket));
                    self.long_waiting += 1;
                }
            }
        }
        if !account.placed {
            account.placed = true;
            account.deficit_us = account.deficit_us.min(0) + QUANTUM_US;
            self.fresh.push_back(tenant.clone());
        }
    }

    /// Waits no longer. Nothing happens where the slice has begun.
    pub fn gave_up(&mut self, tenant: &TenantId, ticket: Ticket) {
        if let Some(account) = self.tenants.get_mut(tenant) {
            self.short_waiting -= leave_line(&mut account.short, ticket);
            self.long_waiting -= leave_line(&mut account.long, ticket);
        }
        self.rest();
    }

    /// Begins the next slice, if a processor is free; to be asked until it says
    /// `None`.
    pub fn grant(&mut self) -> Option<Ticket> {
        while self.may_begin() {
            let from_fresh = !self.fresh.is_empty();
            let queue = if from_fresh { &mut self.fresh } else { &mut self.round };
            let tenant = queue.pop_front()?;
            let Some(account) = self.tenants.get_mut(&tenant) else { continue };
            let Some(length) = account.next_length(self.free_for_long > 0) else {
                // Who was fresh passes the round once before being so again.
                if from_fresh || !account.idle() {
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
            let ticket = account.begin(length)?;
            self.free -= 1;
            match length {
                Length::Short => self.short_waiting -= 1,
                Length::Long => {
                    self.long_waiting -= 1;
                    self.free_for_long -= 1;
                }
            }
            let queue = if from_fresh { &mut self.fresh } else { &mut self.round };
            queue.push_front(tenant);
            return Some(ticket);
        }
        None
    }

    /// A slice has ended after so many microseconds of CPU time.
    pub fn ended(&mut self, tenant: &TenantId, ticket: Ticket, used_us: u64) {
        let Some(account) = self.tenants.get_mut(tenant) else { return };
        let Some(Running { charged_us, length }) = account.running.remove(&ticket) else { return };
        let used_us = i64::try_from(used_us).unwrap_or(i64::MAX / 2);
        account.deficit_us = account.deficit_us.saturating_add(charged_us - used_us);
        account.usual_us = (account.usual_us * 7 + used_us) / 8;
        self.free += 1;
        match length {
            Length::Short => {}
            Length::Long => self.free_for_long += 1,
        }
        self.rest();
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.short_waiting + self.long_waiting
    }

    /// Whether somebody waits who may have one of the free processors.
    fn may_begin(&self) -> bool {
        let long = self.long_waiting > 0 && self.free_for_long > 0;
        self.free > 0 && (self.short_waiting > 0 || long)
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
        if self.waiting() == 0 && self.free == self.total {
            self.asked = 0;
            self.tenants.clear();
            self.fresh.clear();
            self.round.clear();
        }
    }
}

impl Account {
    fn waits(&self, ticket: Ticket) -> bool {
        self.short.iter().chain(&self.long).any(|(_, waiting)| *waiting == ticket)
    }

    fn idle(&self) -> bool {
        self.running.is_empty() && self.short.is_empty() && self.long.is_empty()
    }

    /// Which of its turns is next: the one that asked first of those that may begin.
    fn next_length(&self, long_may: bool) -> Option<Length> {
        let long = self.long.front().filter(|_| long_may);
        match (self.short.front(), long) {
            (Some((short, _)), Some((long, _))) if long < short => Some(Length::Long),
            (Some(_), _) => Some(Length::Short),
            (None, Some(_)) => Some(Length::Long),
            (None, None) => None,
        }
    }

    fn begin(&mut self, length: Length) -> Option<Ticket> {
        let line = match length {
            Length::Short => &mut self.short,
            Length::Long => &mut self.long,
        };
        let (_, ticket) = line.pop_front()?;
        let charged_us = self.usual_us;
        self.deficit_us -= charged_us;
        self.running.insert(ticket, Running { charged_us, length });
        Some(ticket)
    }
}

/// How many left: one or none.
fn leave_line(line: &mut Line, ticket: Ticket) -> usize {
    let before = line.len();
    line.retain(|(_, waiting)| *waiting != ticket);
    before - line.len()
}
