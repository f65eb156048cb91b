//! The gate before the pool: a full pool makes turns wait, never fail, and no
//! tenant can hold it all while others wait.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use botyard_kernel::id::TenantId;
use tokio::sync::oneshot;

/// The gate of a tier.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    total: usize,
    free: usize,
    held: HashMap<TenantId, usize>,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    tenant: TenantId,
    wake: oneshot::Sender<Permit>,
}

/// The right to run one turn. Given back when it is dropped, at the latest when
/// the turn has ended.
#[derive(Debug)]
pub struct Permit {
    gate: Gate,
    tenant: TenantId,
}

impl Gate {
    /// A gate for so many turns at the same time.
    pub(crate) fn new(total: usize) -> Self {
        let state = State { total, free: total, held: HashMap::new(), waiting: VecDeque::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// A permit, if one is free and nobody waits for it.
    pub(crate) fn try_permit(&self, tenant: &TenantId) -> Option<Permit> {
        let mut state = self.state();
        state.waiting.retain(|waiting| !waiting.wake.is_closed());
        if state.free == 0 || !state.waiting.is_empty() {
            return None;
        }
        state.take(tenant);
        Some(self.permit_of(tenant))
    }

    /// A permit, after those who wait already. Dropping the future gives up the
    /// place in the queue.
    pub(crate) async fn permit(&self, tenant: &TenantId) -> Permit {
        if let Some(permit) = self.try_permit(tenant) {
            return permit;
        }
        let (wake, woken) = oneshot::channel();
        self.state().waiting.push_back(Waiting { tenant: tenant.clone(), wake });
        // A permit may have come back between the two steps.
        self.serve();
        woken.await.expect("the gate wakes who waits before it forgets them")
    }

    /// Hands free permits to those who wait.
    fn serve(&self) {
        loop {
            let mut state = self.state();
            let Some(next) = state.next() else {
                return;
            };
            state.take(&next.tenant);
            drop(state);
            // Who stopped waiting gives the permit back by dropping it, right here.
            let _ = next.wake.send(self.permit_of(&next.tenant));
        }
    }

    fn permit_of(&self, tenant: &TenantId) -> Permit {
        Permit { gate: self.clone(), tenant: tenant.clone() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, tenant: &TenantId) {
        self.free -= 1;
        *self.held.entry(tenant.clone()).or_default() += 1;
    }

    /// Who comes next: the first whose tenant holds less than a quarter. Where
    /// all hold more, the one that holds least, so that nothing stands idle.
    fn next(&mut self) -> Option<Waiting> {
        if self.free == 0 {
            return None;
        }
        let share = (self.total / 4).max(1);
        let held = |tenant: &TenantId| self.held.get(tenant).copied().unwrap_or(0);
        let rank = |waiting: &Waiting| match held(&waiting.tenant) {
            few if few < share => 0,
            many => many,
        };
        let (index, _) =
            self.waiting.iter().enumerate().min_by_key(|(_, waiting)| rank(waiting))?;
        self.waiting.remove(index)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        state.free += 1;
        if let Some(held) = state.held.get_mut(&self.tenant) {
            *held -= 1;
            if *held == 0 {
                state.held.remove(&self.tenant);
            }
        }
        drop(state);
        self.gate.serve();
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::from(name)
    }

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn one_tenant_may_hold_all_while_nobody_waits() {
        let gate = Gate::new(4);
        let held: Vec<_> = (0..4).map(|_| gate.try_permit(&tenant("a")).unwrap()).collect();
        assert!(gate.try_permit(&tenant("a")).is_none());
        drop(held);
        assert!(gate.try_permit(&tenant("b")).is_some());
        assert!(gate.state().held.is_empty());
    }

    #[test]
    fn a_tenant_over_its_share_lets_others_go_first() {
        let gate = Gate::new(4);
        let mut held: Vec<_> = (0..4).map(|_| gate.try_permit(&tenant("a")).unwrap()).collect();
        let (a, b) = (tenant("a"), tenant("b"));
        let mut greedy = pin!(gate.permit(&a));
        let mut modest = pin!(gate.permit(&b));
        assert!(poll(greedy.as_mut()).is_pending());
        assert!(poll(modest.as_mut()).is_pending());
        held.pop();
        assert!(poll(greedy.as_mut()).is_pending());
        let Poll::Ready(_of_b) = poll(modest.as_mut()) else {
            panic!("the tenant that holds nothing comes first");
        };
        held.pop();
        assert!(poll(greedy.as_mut()).is_ready(), "nothing stands idle");
    }

    #[test]
    fn who_stops_waiting_loses_no_permit() {
        let gate = Gate::new(1);
        let only = gate.try_permit(&tenant("a")).unwrap();
        {
            let b = tenant("b");
            let mut waiting = pin!(gate.permit(&b));
            assert!(poll(waiting.as_mut()).is_pending());
        }
        drop(only);
        assert!(gate.try_permit(&tenant("c")).is_some());
    }

    #[test]
    fn a_newcomer_does_not_overtake_who_waits() {
        let gate = Gate::new(2);
        let held: Vec<_> = (0..2).map(|_| gate.try_permit(&tenant("a")).unwrap()).collect();
        let b = tenant("b");
        let mut waiting = pin!(gate.permit(&b));
        assert!(poll(waiting.as_mut()).is_pending());
        assert!(gate.try_permit(&tenant("c")).is_none());
        drop(held);
        assert!(poll(waiting.as_mut()).is_ready());
    }
}
