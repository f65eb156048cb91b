//! Who may compile next: what answers already before what was only uploaded, one
//! compilation of a tenant at a time, tenants in turn, and never more at once than
//! the machine should bear.

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
    /// For each reason, tenants of whom somebody waits and nobody compiles, the next
    /// one first.
    order: [VecDeque<TenantId>; 2],
}

#[derive(Debug, Default)]
struct Tenant {
    compiles: bool,
    /// For each reason.
    waiting: [VecDeque<oneshot::Sender<Place>>; 2],
}

/// Why something is compiled, the more urgent one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It answers people and was compiled for other engines.
    Deployed,
    /// It was uploaded.
    Uploaded,
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
        let (tenants, order) = (BTreeMap::new(), Default::default());
        Self(Arc::new(Mutex::new(State { free: at_once.max(1), tenants, order })))
    }

    /// Waits for the tenant's place. Who stops waiting loses it.
    pub(crate) async fn place(&self, tenant: &TenantId, reason: Reason) -> Place {
        let (wake, woken) = oneshot::channel();
        self.state().ask(tenant, reason, wake);
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
    fn ask(&mut self, tenant: &TenantId, reason: Reason, wake: oneshot::Sender<Place>) {
        let account = self.tenants.entry(tenant.clone()).or_default();
        let waiting = &mut account.waiting[reason as usize];
        if waiting.is_empty() && !account.compiles {
            self.order[reason as usize].push_back(tenant.clone());
        }
        waiting.push_back(wake);
    }

    fn next(&mut self) -> Option<(TenantId, oneshot::Sender<Place>)> {
        if self.free == 0 {
            return None;
        }
        [Reason::Deployed, Reason::Uploaded].into_iter().find_map(|reason| self.first(reason))
    }

    /// The first who waits for a reason.
    fn first(&mut self, reason: Reason) -> Option<(TenantId, oneshot::Sender<Place>)> {
        loop {
            let tenant = self.order[reason as usize].pop_front()?;
            let account = self.tenants.get_mut(&tenant)?;
            // Who stopped waiting is only met here.
            account.waiting[reason as usize].retain(|wake| !wake.is_closed());
            if let Some(wake) = account.waiting[reason as usize].pop_front() {
                account.compiles = true;
                self.free -= 1;
                for order in &mut self.order {
                    order.retain(|other| *other != tenant);
                }
                return Some((tenant, wake));
            }
            self.forget(&tenant);
        }
    }

    fn ended(&mut self, tenant: &TenantId) {
        self.free += 1;
        let Some(account) = self.tenants.get_mut(tenant) else { return };
        account.compiles = false;
        for (waiting, order) in account.waiting.iter().zip(&mut self.order) {
            if !waiting.is_empty() {
                // Behind everybody who waits already.
                order.push_back(tenant.clone());
            }
        }
        self.forget(tenant);
    }

    /// Nothing is kept of a tenant of whom nobody compiles or waits.
    fn forget(&mut self, tenant: &TenantId) {
        let done =
            |account: &Tenant| !account.compiles && account.waiting.iter().all(VecDeque::is_empty);
        if self.tenants.get(tenant).is_some_and(done) {
            self.tenants.remove(tenant);
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
        let first = ready(pin!(queue.place(&a, Reason::Uploaded)));
        let mut second = pin!(queue.place(&a, Reason::Uploaded));
        assert!(poll(second.as_mut()).is_pending());
        let _of_b = ready(pin!(queue.place(&b, Reason::Uploaded)));
        drop(first);
        ready(second);
    }

    #[test]
    fn tenants_take_turns_however_many_one_of_them_has() {
        let queue = Queue::new(1);
        let (a, b) = (TenantId::from("a"), TenantId::from("b"));
        let running = ready(pin!(queue.place(&a, Reason::Uploaded)));
        let mut of_a: Vec<_> =
            (0..3).map(|_| Box::pin(queue.place(&a, Reason::Uploaded))).collect();
        for waiting in &mut of_a {
            assert!(poll(waiting.as_mut()).is_pending());
        }
        let mut of_b = pin!(queue.place(&b, Reason::Uploaded));
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
        let _first = ready(pin!(queue.place(&tenants[0], Reason::Uploaded)));
        let _second = ready(pin!(queue.place(&tenants[1], Reason::Uploaded)));
        assert!(poll(pin!(queue.place(&tenants[2], Reason::Uploaded))).is_pending());
    }

    #[test]
    fn what_answers_goes_before_what_was_uploaded() {
        let queue = Queue::new(1);
        let tenants = ["a", "b", "c"].map(TenantId::from);
        let running = ready(pin!(queue.place(&tenants[0], Reason::Uploaded)));
        let mut uploads: Vec<_> =
            tenants.iter().map(|tenant| Box::pin(queue.place(tenant, Reason::Uploaded))).collect();
        for waiting in &mut uploads {
            assert!(poll(waiting.as_mut()).is_pending());
        }
        // Also one of the tenant that compiles, once that has ended.
        let mut deployed: Vec<_> = [&tenants[2], &tenants[0]]
            .map(|tenant| Box::pin(queue.place(tenant, Reason::Deployed)))
            .into();
        for waiting in &mut deployed {
            assert!(poll(waiting.as_mut()).is_pending());
        }
        drop(running);
        for waiting in &mut deployed {
            let running = ready(waiting.as_mut());
            assert!(uploads.iter_mut().all(|waiting| poll(waiting.as_mut()).is_pending()));
            drop(running);
        }
        for place in [1, 2, 0] {
            drop(ready(uploads[place].as_mut()));
        }
        assert!(queue.state().tenants.is_empty(), "nothing is kept of who is done");
    }

    #[test]
    fn who_stops_waiting_holds_up_nobody() {
        let queue = Queue::new(1);
        let (a, b) = (TenantId::from("a"), TenantId::from("b"));
        let running = ready(pin!(queue.place(&a, Reason::Uploaded)));
        {
            let mut gives_up = pin!(queue.place(&b, Reason::Uploaded));
            assert!(poll(gives_up.as_mut()).is_pending());
        }
        drop(running);
        drop(ready(pin!(queue.place(&a, Reason::Uploaded))));
        assert!(queue.state().tenants.is_empty());
    }
}
