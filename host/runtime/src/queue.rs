//! Who may compile next: one compilation of a tenant at a time, tenants in turn,
//! and never more at once than the machine should bear.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use botyard_kernel::id::TenantId;
use tokio::sync::oneshot;

/// The queue before the compiler.
#[derive(Clone, Debug)]
pub(crate) struct Queue(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    free: usize,
    /// Tenants that compile or wait, with those of theirs who wait.
    tenants: BTreeMap<TenantId, Tenant>,
    /// Tenants of whom somebody waits and nobody compiles, the next one first.
    order: VecDeque<TenantId>,
}

#[derive(Debug, Default)]
struct Tenant {
    compiles: bool,
    waiting: VecDeque<oneshot::Sender<Place>>,
}

/// The right to compile, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    queue: Queue,
    tenant: TenantId,
}

impl Queue {
    /// So many compilations at once, at least 1.
    pub(crate) fn new(at_once: usize) -> Self {
        let (tenants, order) = (BTreeMap::new(), VecDeque::new());
        Self(Arc::new(Mutex::new(State { free: at_once.max(1), tenants, order })))
    }

    /// Waits for the tenant's place. Who stops waiting loses it.
    pub(crate) async fn place(&self, tenant: &TenantId) -> Place {
        let (wake, woken) = oneshot::channel();
        self.state().ask(tenant, wake);
        self.serve();
        woken.await.expect("the queue wakes who waits before it forgets them")
    }

    /// Gives free places to who is next.
    fn serve(&self) {
        loop {
            let Some((tenant, wake)) = self.state().next() else { return };
            // Who stopped waiting right now gives the place back by dropping it.
            let _ = wake.send(Place { queue: self.clone(), tenant });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn ask(&mut self, tenant: &TenantId, wake: oneshot::Sender<Place>) {
        let account = self.tenants.entry(tenant.clone()).or_default();
        if account.waiting.is_empty() && !account.compiles {
            self.order.push_back(tenant.clone());
        }
        account.waiting.push_back(wake);
    }

    fn next(&mut self) -> Option<(TenantId, oneshot::Sender<Place>)> {
        if self.free == 0 {
            return None;
        }
        loop {
            let tenant = self.order.pop_front()?;
            let account = self.tenants.get_mut(&tenant)?;
            // Who stopped waiting is only met here.
            account.waiting.retain(|wake| !wake.is_closed());
            match account.waiting.pop_front() {
                None => drop(self.tenants.remove(&tenant)),
                Some(wake) => {
                    account.compiles = true;
                    self.free -= 1;
                    return Some((tenant, wake));
                }
            }
        }
    }

    fn ended(&mut self, tenant: &TenantId) {
        self.free += 1;
        let Some(account) = self.tenants.get_mut(tenant) else { return };
        account.compiles = false;
        // Behind everybody who waits already.
        match account.waiting.is_empty() {
            true => drop(self.tenants.remove(tenant)),
            false => self.order.push_back(tenant.clone()),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.queue.state().ended(&self.tenant);
        self.queue.serve();
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn ready<F: Future>(future: Pin<&mut F>) -> F::Output {
        match poll(future) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("it should have got its place"),
        }
    }

    #[test]
    fn a_tenant_compiles_one_at_a_time_also_where_there_is_room() {
        let queue = Queue::new(2);
        let (a, b) = (TenantId::from("a"), TenantId::from("b"));
        let first = ready(pin!(queue.place(&a)));
        let mut second = pin!(queue.place(&a));
        assert!(poll(second.as_mut()).is_pending());
        let _of_b = ready(pin!(queue.place(&b)));
        drop(first);
        ready(second);
    }

    #[test]
    fn tenants_take_turns_however_many_one_of_them_has() {
        let queue = Queue::new(1);
        let (a, b) = (TenantId::from("a"), TenantId::from("b"));
        let running = ready(pin!(queue.place(&a)));
        let mut of_a: Vec<_> = (0..3).map(|_| Box::pin(queue.place(&a))).collect();
        for waiting in &mut of_a {
            assert!(poll(waiting.as_mut()).is_pending());
        }
        let mut of_b = pin!(queue.place(&b));
        assert!(poll(of_b.as_mut()).is_pending());
        drop(running);
        let running = ready(of_b);
        assert!(of_a.iter_mut().all(|waiting| poll(waiting.as_mut()).is_pending()));
        drop(running);
        for waiting in of_a {
            drop(ready(pin!(waiting)));
        }
        assert!(queue.state().tenants.is_empty(), "nothing is kept of who is done");
    }

    #[test]
    fn never_more_at_once_than_the_host_allows() {
        let queue = Queue::new(2);
        let tenants = ["a", "b", "c"].map(TenantId::from);
        let _first = ready(pin!(queue.place(&tenants[0])));
        let _second = ready(pin!(queue.place(&tenants[1])));
        assert!(poll(pin!(queue.place(&tenants[2]))).is_pending());
    }

    #[test]
    fn who_stops_waiting_holds_up_nobody() {
        let queue = Queue::new(1);
        let (a, b) = (TenantId::from("a"), TenantId::from("b"));
        let running = ready(pin!(queue.place(&a)));
        {
            let mut gives_up = pin!(queue.place(&b));
            assert!(poll(gives_up.as_mut()).is_pending());
        }
        drop(running);
        drop(ready(pin!(queue.place(&a))));
        assert!(queue.state().tenants.is_empty());
    }
}
