//! The gate before the pool: a full pool makes turns wait, never fail. Who goes
//! next is decided by the kernel; here waiting turns are woken.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use botyard_kernel::id::TenantId;
use botyard_kernel::share::{Permits, TenantRate, Ticket};
use botyard_kernel::time::Millis;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// What names whoever shares the places behind a gate.
pub trait Who: Ord + Clone + Send + 'static {}

impl<K: Ord + Clone + Send + 'static> Who for K {}

/// The gate before a number of places, for example those of a tier, that tenants share.
/// Nobody can keep the others from them, and more wait. A clone is the same gate.
#[derive(Debug)]
pub struct Gate<K: Who = TenantId>(Arc<Inner<K>>);

#[derive(Debug)]
struct Inner<K: Who> {
    start: Instant,
    state: Mutex<State<K>>,
    /// Where those that wait do so. Permits are given back anywhere.
    waits_on: OnceLock<Handle>,
}

/// Sends the permit to whoever waits for it.
type Wake<K> = oneshot::Sender<Permit<K>>;

#[derive(Debug)]
struct State<K: Who> {
    permits: Permits<K>,
    tickets: Ticket,
    wakes: HashMap<Ticket, Wake<K>>,
    /// Somebody sleeps until the rate of a tenant lets its turns begin.
    sleeping: bool,
}

/// The right to run one turn. Given back when it is dropped, at the latest when
/// the turn has ended.
#[derive(Debug)]
pub struct Permit<K: Who = TenantId> {
    gate: Gate<K>,
    who: K,
    cpu_us: u64,
}

/// How many turns of a tier may run at the same time, and do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occupancy {
    /// All permits.
    pub total: usize,
    /// Those that nobody holds.
    pub free: usize,
    /// Turns that wait for one.
    pub waiting: usize,
}

/// A place among those who wait, given up when it is dropped.
struct Place<'a, K: Who> {
    gate: &'a Gate<K>,
    who: &'a K,
    ticket: Ticket,
}

impl<K: Who> Clone for Gate<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Who> Gate<K> {
    /// A gate for so many turns at the same time. Tenants have no rate until
    /// `Gate::set_rate`.
    pub fn new(total: usize) -> Self {
        let permits = Permits::new(total, BTreeMap::new());
        let state = State { permits, tickets: 0, wakes: HashMap::new(), sleeping: false };
        let (start, state) = (Instant::now(), Mutex::new(state));
        Self(Arc::new(Inner { start, state, waits_on: OnceLock::new() }))
    }

    /// Changes how many places there are, from now on; at least 1.
    pub fn set_total(&self, total: usize) {
        self.state().permits.set_total(total);
        self.serve();
    }

    /// How many places are taken.
    pub fn held(&self) -> usize {
        self.state().permits.held()
    }

    /// Changes what a tenant may use in a second, from now on.
    pub(crate) fn set_rate(&self, who: &K, rate: TenantRate) {
        self.state().permits.set_rate(who, rate);
    }

    /// Changes how many turns of a tenant run at once, from now on; absent: as many as there
    /// is room for.
    pub(crate) fn set_at_once(&self, who: &K, most: Option<usize>) {
        self.state().permits.set_at_once(who, most);
        self.serve();
    }

    /// A permit, if the tenant may have one now.
    pub fn try_permit(&self, who: &K) -> Option<Permit<K>> {
        let taken = self.state().permits.try_take(who, self.now());
        taken.then(|| self.permit_of(who))
    }

    /// A permit, as soon as the tenant may have one. Dropping the future gives up
    /// the place in the queue.
    pub async fn permit(&self, who: &K) -> Permit<K> {
        let (wake, woken) = oneshot::channel();
        self.0.waits_on.get_or_init(Handle::current);
        let ticket = {
            let mut state = self.state();
            state.tickets += 1;
            let ticket = state.tickets;
            state.permits.ask(who, ticket);
            state.wakes.insert(ticket, wake);
            ticket
        };
        let _place = Place { gate: self, who, ticket };
        self.serve();
        woken.await.expect("the gate wakes who waits before it forgets them")
    }

    /// How many permits there are, and how many are taken.
    pub fn occupancy(&self) -> Occupancy {
        let permits = &self.state().permits;
        Occupancy { total: permits.total(), free: permits.free(), waiting: permits.waiting() }
    }

    /// Hands free permits to those who wait, now and when their rates let them begin.
    fn serve(&self) {
        let now = self.now();
        self.hand_out(now);
        self.serve_later(now);
    }

    fn hand_out(&self, now: Millis) {
        loop {
            let mut state = self.state();
            let Some((who, ticket)) = state.permits.next(now) else { return };
            let wake = state.wakes.remove(&ticket);
            drop(state);
            let permit = self.permit_of(&who);
            if let Some(wake) = wake {
                // Who stopped waiting gives the permit back by dropping it, right here.
                let _ = wake.send(permit);
            }
        }
    }

    /// Sees to it that those are served whom a rate still held back at this time, which is
    /// that of the last look: later ones would be missed by both.
    fn serve_later(&self, now: Millis) {
        // Whoever waits has come by here with its runtime.
        let Some(runtime) = self.0.waits_on.get() else { return };
        let mut state = self.state();
        if state.sleeping || state.permits.wake_at(now).is_none() {
            return;
        }
        state.sleeping = true;
        drop(state);
        let gate = self.clone();
        runtime.spawn(async move {
            let mut now = now;
            while let Some(pause) = gate.pause(now) {
                tokio::time::sleep(pause).await;
                now = gate.now();
                gate.hand_out(now);
            }
        });
    }

    /// How long until a rate that held somebody back at this time lets them begin.
    fn pause(&self, now: Millis) -> Option<Duration> {
        let mut state = self.state();
        let at = state.permits.wake_at(now);
        state.sleeping = at.is_some();
        at.map(|at| Duration::from_millis(at.saturating_sub(self.now()).max(1)))
    }

    fn permit_of(&self, who: &K) -> Permit<K> {
        Permit { gate: self.clone(), who: who.clone(), cpu_us: 0 }
    }

    /// From the start of the gate: rates only look at differences.
    fn now(&self) -> Millis {
        Millis::try_from(self.0.start.elapsed().as_millis()).unwrap_or(Millis::MAX)
    }

    fn state(&self) -> MutexGuard<'_, State<K>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Whose turn it is for.
    pub(crate) fn tenant(&self) -> &TenantId {
        &self.who
    }

    /// The turn has used so much CPU time, in microseconds.
    pub(crate) fn used(&mut self, cpu_us: u64) {
        self.cpu_us = cpu_us;
    }
}

impl<K: Who> Drop for Permit<K> {
    fn drop(&mut self) {
        let now = self.gate.now();
        self.gate.state().permits.ended(&self.who, self.cpu_us, now);
        self.gate.serve();
    }
}

impl<K: Who> Drop for Place<'_, K> {
    fn drop(&mut self) {
        let now = self.gate.now();
        let mut state = self.gate.state();
        if state.wakes.remove(&self.ticket).is_some() {
            state.permits.gave_up(self.who, self.ticket, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::from(name)
    }

    fn gate(total: usize) -> Gate {
        Gate::new(total)
    }

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn a_tenant_over_its_share_lets_others_go_first() {
        let gate = gate(4);
        let (a, b) = (tenant("a"), tenant("b"));
        let mut held: Vec<_> = (0..3).map(|_| gate.try_permit(&a).unwrap()).collect();
        held.push(gate.try_permit(&b).unwrap());
        let c = tenant("c");
        let mut greedy = pin!(gate.permit(&a));
        let mut modest = pin!(gate.permit(&c));
        assert!(poll(greedy.as_mut()).is_pending());
        assert!(poll(modest.as_mut()).is_pending());
        assert_eq!(gate.occupancy(), Occupancy { total: 4, free: 0, waiting: 2 });
        held.pop();
        assert!(poll(greedy.as_mut()).is_pending());
        let Poll::Ready(_of_c) = poll(modest.as_mut()) else {
            panic!("the tenant that holds nothing comes first");
        };
        held.clear();
        assert!(poll(greedy.as_mut()).is_ready());
    }

    #[tokio::test]
    async fn who_stops_waiting_loses_no_permit() {
        let gate = gate(1);
        let only = gate.try_permit(&tenant("a")).unwrap();
        {
            let b = tenant("b");
            let mut waiting = pin!(gate.permit(&b));
            assert!(poll(waiting.as_mut()).is_pending());
            let mut given = pin!(gate.permit(&b));
            assert!(poll(given.as_mut()).is_pending());
            drop(only);
            // Given to the first, which is dropped without looking.
        }
        assert_eq!(gate.state().permits.free(), 1);
        assert!(gate.state().wakes.is_empty());
        assert!(gate.try_permit(&tenant("c")).is_some());
    }

    #[tokio::test]
    async fn over_its_rate_a_tenant_waits_and_then_goes_on() {
        let rate = TenantRate { turns: Some(1_000), cpu_ms: Some(1) };
        let gate = Gate::new(4);
        gate.set_rate(&tenant("a"), rate);
        let mut first = gate.try_permit(&tenant("a")).unwrap();
        first.used(1_010);
        drop(first);
        assert!(gate.try_permit(&tenant("a")).is_none(), "it used more than a second's worth");
        assert!(gate.try_permit(&tenant("b")).is_some());
        let a = tenant("a");
        let waits = tokio::time::timeout(Duration::from_secs(60), gate.permit(&a));
        assert!(waits.await.is_ok());
    }

    #[tokio::test]
    async fn more_turns_than_a_tenant_may_have_at_once_wait_for_its_own() {
        let (gate, a) = (gate(8), tenant("a"));
        gate.set_at_once(&a, Some(1));
        gate.set_rate(&a, TenantRate { turns: None, cpu_ms: Some(10) });
        let mut first = gate.try_permit(&a).unwrap();
        assert!(gate.try_permit(&a).is_none());
        assert!(gate.try_permit(&tenant("b")).is_some());
        let waiting = tokio::spawn({
            let (gate, a) = (gate.clone(), a.clone());
            async move { gate.permit(&a).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(gate.occupancy().waiting, 1);
        // Given back on a thread that is no runtime's, over the rate: a clock has to wake it.
        first.used(11_000);
        std::thread::spawn(move || drop(first)).join().unwrap();
        let within = tokio::time::timeout(Duration::from_secs(60), waiting);
        let second = within.await.expect("nobody else would have woken it").unwrap();
        // Raised, it lets those that wait begin at once.
        gate.set_rate(&a, TenantRate::default());
        let mut third = pin!(gate.permit(&a));
        assert!(poll(third.as_mut()).is_pending());
        gate.set_at_once(&a, None);
        assert!(poll(third.as_mut()).is_ready());
        drop(second);
    }

    #[tokio::test]
    async fn a_rate_can_be_set_and_taken_away_while_turns_run() {
        let gate = gate(4);
        let a = tenant("a");
        let used = |cpu_us| {
            let mut permit = gate.try_permit(&a).unwrap();
            permit.used(cpu_us);
        };
        used(60_000_000);
        used(0);
        gate.set_rate(&a, TenantRate { turns: None, cpu_ms: Some(1_000) });
        used(60_000_000);
        assert!(gate.try_permit(&a).is_none(), "it used a minute's worth");
        let b = tenant("b");
        gate.set_rate(&b, TenantRate { turns: None, cpu_ms: Some(1) });
        gate.set_rate(&b, TenantRate::default());
        for _ in 0..2 {
            let mut permit = gate.try_permit(&b).unwrap();
            permit.used(60_000_000);
        }
    }
}
