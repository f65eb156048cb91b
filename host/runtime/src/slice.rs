//! The processors that bots compute on, shared between tenants.
//!
//! A turn waits for a processor before each of its polls and gives it back behind
//! it, with the CPU time that the poll has used: a bot that spins is interrupted
//! once a millisecond, one that waits holds nothing. Who comes next is decided by
//! the kernel. So a turn that is woken does not go to the executor, whose queue
//! knows no tenants, but asks for its slice first.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use botyard_kernel::id::TenantId;
use botyard_kernel::share::{Length, Paces, Slices, Ticket};

use crate::cpu::thread_cpu_ns;

/// The processors of a host's bots.
#[derive(Clone, Debug)]
pub(crate) struct Processors(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    slices: Slices,
    tickets: Ticket,
    turns: HashMap<Ticket, Turn>,
}

#[derive(Debug)]
struct Turn {
    phase: Phase,
    /// CPU time that its slices took so far.
    used_us: u64,
    /// What its version's turns are like.
    paces: SharedPaces,
    /// The executor's.
    task: Waker,
}

/// What the turns of a version are like, for all that run.
pub(crate) type SharedPaces = Arc<Mutex<Paces>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing to do: whatever it waits for wakes it.
    Asleep,
    /// It waits for a slice.
    Asking,
    /// It has a slice and is on its way to use it.
    Given,
    /// It is being polled.
    Polled,
    /// It is being polled and was woken meanwhile.
    Woken,
}

/// A turn whose polls each take a processor.
pub(crate) struct Sliced<F> {
    inner: Pin<Box<F>>,
    bell: Arc<Bell>,
    length: Length,
}

/// Wakes a turn: it asks for a slice.
struct Bell {
    processors: Processors,
    tenant: TenantId,
    ticket: Ticket,
}

impl Processors {
    /// So many, at least 1.
    pub(crate) fn new(count: usize) -> Self {
        let (slices, turns) = (Slices::new(count), HashMap::new());
        Self(Arc::new(Mutex::new(State { slices, tickets: 0, turns })))
    }

    /// Runs a tenant's turn in slices. Spawn it at once: it asks for its first slice
    /// right here, not when the executor comes to it, which is behind all others. Until
    /// then nobody has to be woken: the thread whose slice it gets finds it.
    pub(crate) fn share<F: Future>(
        &self,
        tenant: TenantId,
        paces: &SharedPaces,
        inner: F,
    ) -> Sliced<F> {
        let mut state = self.state();
        state.tickets += 1;
        let ticket = state.tickets;
        let (paces, task) = (paces.clone(), Waker::noop().clone());
        let turn = Turn { phase: Phase::Asking, used_us: 0, paces, task };
        let length = turn.length(&tenant);
        state.turns.insert(ticket, turn);
        state.slices.ask(&tenant, ticket, length);
        begin(state);
        let bell = Bell { processors: self.clone(), tenant, ticket };
        Sliced { inner: Box::pin(inner), bell: Arc::new(bell), length }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Begins slices as long as processors are free; says who is to be woken.
    fn begin(&mut self) -> Vec<Waker> {
        let mut woken = Vec::new();
        while let Some(ticket) = self.slices.grant() {
            if let Some(turn) = self.turns.get_mut(&ticket) {
                turn.phase = Phase::Given;
                woken.push(turn.task.clone());
            }
        }
        woken
    }
}

impl Turn {
    fn length(&self, tenant: &TenantId) -> Length {
        Length::of(self.used_us).max(self.paces().expected(tenant))
    }

    fn paces(&self) -> MutexGuard<'_, Paces> {
        self.paces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bell {
    /// Whether the turn may be polled now.
    fn may_poll(&self, task: &Waker) -> bool {
        let mut state = self.processors.state();
        let woken = state.begin();
        let Some(turn) = state.turns.get_mut(&self.ticket) else { return false };
        turn.task.clone_from(task);
        let given = turn.phase == Phase::Given;
        if given {
            turn.phase = Phase::Polled;
        }
        drop(state);
        wake(woken, Some(task));
        given
    }

    /// The turn was polled, which took so much CPU time, and goes on; says how long it is.
    fn polled(&self, used_us: u64) -> Length {
        let mut state = self.processors.state();
        state.slices.ended(&self.tenant, self.ticket, used_us);
        let mut length = Length::of(used_us);
        if let Some(turn) = state.turns.get_mut(&self.ticket) {
            turn.used_us += used_us;
            length = turn.length(&self.tenant);
            let woken = turn.phase == Phase::Woken;
            turn.phase = if woken { Phase::Asking } else { Phase::Asleep };
            if woken {
                state.slices.ask(&self.tenant, self.ticket, length);
            }
        }
        begin(state);
        length
    }

    /// The turn has ended with a poll that took so much CPU time.
    fn ended(&self, used_us: u64) {
        let mut state = self.processors.state();
        state.slices.ended(&self.tenant, self.ticket, used_us);
        if let Some(turn) = state.turns.remove(&self.ticket) {
            turn.paces().ended(&self.tenant, turn.used_us + used_us);
        }
        begin(state);
    }

    /// The turn is dropped.
    fn leave(&self) {
        let mut state = self.processors.state();
        match state.turns.remove(&self.ticket).map(|turn| turn.phase) {
            Some(Phase::Asking) => state.slices.gave_up(&self.tenant, self.ticket),
            Some(Phase::Given | Phase::Polled | Phase::Woken) => {
                state.slices.ended(&self.tenant, self.ticket, 0);
            }
            Some(Phase::Asleep) | None => {}
        }
        begin(state);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let mut state = self.processors.state();
        let Some(turn) = state.turns.get_mut(&self.ticket) else { return };
        match turn.phase {
            Phase::Asleep => turn.phase = Phase::Asking,
            Phase::Polled => {
                turn.phase = Phase::Woken;
                return;
            }
            Phase::Asking | Phase::Given | Phase::Woken => return,
        }
        let length = turn.length(&self.tenant);
        state.slices.ask(&self.tenant, self.ticket, length);
        begin(state);
    }
}

/// Ends the slice of the turn that waits for it: the turn asks for the next one at
/// once. Tokio's own yield would let it ask only after all other turns had one.
pub(crate) async fn next_slice() {
    let mut ended = false;
    poll_fn(|cx| {
        if ended {
            return Poll::Ready(());
        }
        ended = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Begins slices as long as processors are free, and wakes who has one.
fn begin(mut state: MutexGuard<'_, State>) {
    let woken = state.begin();
    drop(state);
    wake(woken, None);
}

/// Wakes tasks, but for the one that runs this.
fn wake(woken: Vec<Waker>, own: Option<&Waker>) {
    for task in woken {
        if own.is_none_or(|own| !own.will_wake(&task)) {
            task.wake();
        }
    }
}

impl<F: Future> Sliced<F> {
    /// How long the turn is, as far as is known.
    pub(crate) fn length(&self) -> Length {
        self.length
    }

    /// Runs it as long as it is a short one. A long one goes on where the caller lets it.
    pub(crate) async fn while_short(mut self) -> ControlFlow<F::Output, Self> {
        let output = poll_fn(|cx| match Pin::new(&mut self).poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.length == Length::Long => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        match output.await {
            Some(output) => ControlFlow::Break(output),
            None => ControlFlow::Continue(self),
        }
    }
}

impl<F: Future> Future for Sliced<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if !self.bell.may_poll(cx.waker()) {
            return Poll::Pending;
        }
        let waker = Waker::from(Arc::clone(&self.bell));
        let start = thread_cpu_ns();
        // A host call that panics ends the turn by a drop, which gives back.
        let polled = self.inner.as_mut().poll(&mut Context::from_waker(&waker));
        let used_us = thread_cpu_ns().saturating_sub(start) / 1_000;
        match &polled {
            Poll::Ready(_) => self.bell.ended(used_us),
            Poll::Pending => self.length = self.bell.polled(used_us),
        }
        polled
    }
}

impl<F> Drop for Sliced<F> {
    fn drop(&mut self) {
        self.bell.leave();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::executor::Executor;

    /// The paces of a version that nobody has run.
    fn unknown() -> SharedPaces {
        SharedPaces::default()
    }

    /// Burns so many slices of a millisecond.
    async fn burn(slices: usize, done: Arc<AtomicUsize>) {
        for _ in 0..slices {
            let end = thread_cpu_ns() + 1_000_000;
            while thread_cpu_ns() < end {
                std::hint::spin_loop();
            }
            done.fetch_add(1, Ordering::Relaxed);
            next_slice().await;
        }
    }

    #[tokio::test]
    async fn a_tenant_with_many_turns_gets_no_more_than_one_with_a_single_turn() {
        let processors = Processors::new(1);
        let (many, one) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut turns = tokio::task::JoinSet::new();
        for _ in 0..20 {
            turns.spawn(processors.share(
                TenantId::from("many"),
                &unknown(),
                burn(10, many.clone()),
            ));
        }
        let others = many.clone();
        // Looked at right then: the test itself is only woken some turns later.
        let single = async move {
            burn(20, one).await;
            others.load(Ordering::Relaxed)
        };
        let single = processors.share(TenantId::from("one"), &unknown(), single);
        let others = tokio::spawn(single).await.unwrap();
        // Each of the many begins before the one has asked for the first time.
        assert!((20..=50).contains(&others), "{others} slices of others while 20 were used");
        while let Some(turn) = turns.join_next().await {
            turn.unwrap();
        }
        assert_eq!(many.load(Ordering::Relaxed), 200);
    }

    #[tokio::test]
    async fn a_new_turn_waits_for_one_slice_however_many_spin() {
        let executor = Executor::start(1).unwrap();
        let processors = Processors::new(1);
        let done = Arc::new(AtomicUsize::new(0));
        for _ in 0..20 {
            executor.run(processors.share("many".into(), &unknown(), burn(50, done.clone())));
        }
        while done.load(Ordering::Relaxed) < 10 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for _ in 0..20 {
            let (before, others) = (done.load(Ordering::Relaxed), done.clone());
            let turn = processors
                .share("one".into(), &unknown(), async move { others.load(Ordering::Relaxed) });
            let waited = executor.run(turn).await.unwrap() - before;
            // The one that runs, and one that may have begun while this was said.
            assert!(waited <= 2, "{waited} slices of others went before");
        }
    }

    #[tokio::test]
    async fn who_waits_for_something_holds_no_processor() {
        let processors = Processors::new(1);
        let stuck = processors.share(TenantId::from("a"), &unknown(), std::future::pending::<()>());
        let stuck = tokio::spawn(stuck);
        let done = Arc::new(AtomicUsize::new(0));
        let quick = processors.share(TenantId::from("b"), &unknown(), burn(2, done));
        tokio::time::timeout(Duration::from_secs(10), quick).await.unwrap();
        stuck.abort();
        assert!(stuck.await.unwrap_err().is_cancelled());
    }

    #[tokio::test]
    async fn a_dropped_turn_leaves_its_processor_to_others() {
        let processors = Processors::new(1);
        let turn =
            processors.share(TenantId::from("a"), &unknown(), async { panic!("as a bug would") });
        assert!(tokio::spawn(turn).await.unwrap_err().is_panic());
        let holds = processors.share(TenantId::from("a"), &unknown(), async {});
        assert!(holds.bell.may_poll(Waker::noop()));
        let waits = tokio::spawn(processors.share(TenantId::from("b"), &unknown(), async {}));
        let gives_up = tokio::spawn(processors.share(TenantId::from("c"), &unknown(), async {}));
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        gives_up.abort();
        assert!(gives_up.await.unwrap_err().is_cancelled());
        drop(holds);
        tokio::time::timeout(Duration::from_secs(10), waits).await.unwrap().unwrap();
        assert!(processors.state().turns.is_empty());
    }
}
