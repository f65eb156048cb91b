//! The processors that bots compute on, shared between tenants.
//!
//! A turn asks for a processor before each of its polls and gives it back behind
//! it, with the CPU time that the poll has used: a bot that spins is interrupted
//! once a millisecond, one that waits holds nothing. Who comes next is decided by
//! the kernel.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use botyard_kernel::id::TenantId;
use botyard_kernel::share::{Slices, Ticket};

use crate::cpu::thread_cpu_ns;

/// The processors of a host's bots.
#[derive(Clone, Debug)]
pub(crate) struct Processors(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    slices: Slices,
    tickets: Ticket,
    waiting: HashMap<Ticket, Waker>,
}

/// A turn whose polls each take a processor.
pub(crate) struct Sliced<F> {
    inner: Pin<Box<F>>,
    processors: Processors,
    tenant: TenantId,
    ticket: Ticket,
    asked: bool,
}

impl Processors {
    /// So many, at least 1.
    pub(crate) fn new(count: usize) -> Self {
        let (slices, waiting) = (Slices::new(count), HashMap::new());
        Self(Arc::new(Mutex::new(State { slices, tickets: 0, waiting })))
    }

    /// Runs a tenant's turn in slices.
    pub(crate) fn share<F: Future>(&self, tenant: TenantId, inner: F) -> Sliced<F> {
        let mut state = self.state();
        state.tickets += 1;
        let (inner, ticket) = (Box::pin(inner), state.tickets);
        drop(state);
        Sliced { inner, processors: self.clone(), tenant, ticket, asked: false }
    }

    /// A processor for a turn, now or when it is woken.
    fn take(&self, tenant: &TenantId, ticket: Ticket, asked: bool, waker: &Waker) -> bool {
        let mut state = self.state();
        if !asked {
            state.slices.ask(tenant, ticket);
        } else if !state.waiting.contains_key(&ticket) {
            return true;
        }
        state.waiting.insert(ticket, waker.clone());
        let woken = state.begin(Some(ticket));
        let taken = !state.waiting.contains_key(&ticket);
        drop(state);
        woken.into_iter().for_each(Waker::wake);
        taken
    }

    fn give_back(&self, tenant: &TenantId, ticket: Ticket, used_us: u64) {
        let mut state = self.state();
        state.slices.ended(tenant, ticket, used_us);
        let woken = state.begin(None);
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }

    fn give_up(&self, tenant: &TenantId, ticket: Ticket) {
        let mut state = self.state();
        if state.waiting.remove(&ticket).is_some() {
            state.slices.gave_up(tenant, ticket);
            return;
        }
        drop(state);
        // It was given a processor and never came to use it.
        self.give_back(tenant, ticket, 0);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Begins slices as long as processors are free; says who is to be woken,
    /// besides who asks.
    fn begin(&mut self, asks: Option<Ticket>) -> Vec<Waker> {
        let mut woken = Vec::new();
        while let Some(ticket) = self.slices.grant() {
            let waker = self.waiting.remove(&ticket);
            woken.extend(waker.filter(|_| asks != Some(ticket)));
        }
        woken
    }
}

impl<F: Future> Future for Sliced<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let (ticket, asked) = (self.ticket, self.asked);
        self.asked = true;
        if !self.processors.take(&self.tenant, ticket, asked, cx.waker()) {
            return Poll::Pending;
        }
        let start = thread_cpu_ns();
        // A host call that panics ends the turn by a drop, which gives back.
        let polled = self.inner.as_mut().poll(cx);
        let used_us = thread_cpu_ns().saturating_sub(start) / 1_000;
        self.asked = false;
        self.processors.give_back(&self.tenant, ticket, used_us);
        polled
    }
}

impl<F> Drop for Sliced<F> {
    fn drop(&mut self) {
        if self.asked {
            self.processors.give_up(&self.tenant, self.ticket);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    /// Burns so many slices of a millisecond.
    async fn burn(slices: usize, done: Arc<AtomicUsize>) {
        for _ in 0..slices {
            let end = thread_cpu_ns() + 1_000_000;
            while thread_cpu_ns() < end {
                std::hint::spin_loop();
            }
            done.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_tenant_with_many_turns_gets_no_more_than_one_with_a_single_turn() {
        let processors = Processors::new(1);
        let (many, one) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut turns = tokio::task::JoinSet::new();
        for _ in 0..20 {
            turns.spawn(processors.share(TenantId::from("many"), burn(10, many.clone())));
        }
        let single = tokio::spawn(processors.share(TenantId::from("one"), burn(20, one.clone())));
        single.await.unwrap();
        let others = many.load(Ordering::Relaxed);
        assert!((10..=40).contains(&others), "{others} slices of others while 20 were used");
        while let Some(turn) = turns.join_next().await {
            turn.unwrap();
        }
        assert_eq!(many.load(Ordering::Relaxed), 200);
    }

    #[tokio::test]
    async fn who_waits_for_something_holds_no_processor() {
        let processors = Processors::new(1);
        let stuck = processors.share(TenantId::from("a"), std::future::pending::<()>());
        let stuck = tokio::spawn(stuck);
        let done = Arc::new(AtomicUsize::new(0));
        let quick = processors.share(TenantId::from("b"), burn(2, done));
        tokio::time::timeout(Duration::from_secs(10), quick).await.unwrap();
        stuck.abort();
        assert!(stuck.await.unwrap_err().is_cancelled());
    }

    #[tokio::test]
    async fn a_dropped_turn_leaves_its_processor_to_others() {
        let processors = Processors::new(1);
        let turn = processors.share(TenantId::from("a"), async { panic!("as a bug would") });
        assert!(tokio::spawn(turn).await.unwrap_err().is_panic());
        let waker = Waker::noop();
        let mut first = Box::pin(processors.share(TenantId::from("a"), async {}));
        first.asked = processors.take(&TenantId::from("a"), first.ticket, false, waker);
        assert!(first.asked);
        let second = tokio::spawn(processors.share(TenantId::from("b"), async {}));
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        tokio::time::timeout(Duration::from_secs(10), second).await.unwrap().unwrap();
    }
}
