//! How much CPU time a turn has used.
//!
//! Wall time would blame a bot that was merely kept waiting by its neighbours.
//! So every poll of a turn is measured with the clock of the thread that polls.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// CPU time of one turn, in nanoseconds of the polling threads' own clocks.
#[derive(Debug, Default)]
pub(crate) struct CpuMeter {
    spent_ns: AtomicU64,
    poll_start_ns: AtomicU64,
}

impl CpuMeter {
    /// The time of all finished polls.
    pub(crate) fn spent(&self) -> Duration {
        Duration::from_nanos(self.spent_ns.load(Ordering::Relaxed))
    }

    /// The time of all polls, that of the running one included. Only the thread
    /// that polls may ask.
    pub(crate) fn spent_with_this_poll(&self) -> Duration {
        let start = self.poll_start_ns.load(Ordering::Relaxed);
        self.spent() + Duration::from_nanos(thread_cpu_ns().saturating_sub(start))
    }
}

/// A future whose polls are measured.
pub(crate) struct Metered<F> {
    inner: Pin<Box<F>>,
    meter: Arc<CpuMeter>,
}

impl<F: Future> Metered<F> {
    /// Measures a future's polls with a meter.
    pub(crate) fn new(meter: Arc<CpuMeter>, inner: F) -> Self {
        Self { inner: Box::pin(inner), meter }
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let start = thread_cpu_ns();
        self.meter.poll_start_ns.store(start, Ordering::Relaxed);
        let polled = self.inner.as_mut().poll(cx);
        let used = thread_cpu_ns().saturating_sub(start);
        self.meter.spent_ns.fetch_add(used, Ordering::Relaxed);
        polled
    }
}

/// The CPU time of this thread so far, in nanoseconds.
pub(crate) fn thread_cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_costs_nothing_and_work_is_summed_over_polls() {
        let meter = Arc::new(CpuMeter::default());
        let work = {
            let meter = meter.clone();
            async move {
                burn(Duration::from_millis(5));
                tokio::time::sleep(Duration::from_millis(50)).await;
                burn(Duration::from_millis(5));
                meter.spent_with_this_poll()
            }
        };
        let inside = Metered::new(meter.clone(), work).await;
        assert!(inside >= Duration::from_millis(10), "{inside:?}");
        assert!(meter.spent() >= inside);
        assert!(meter.spent() < Duration::from_millis(40), "{:?}", meter.spent());
    }

    fn burn(time: Duration) {
        let end = thread_cpu_ns() + time.as_nanos() as u64;
        while thread_cpu_ns() < end {
            std::hint::spin_loop();
        }
    }
}
