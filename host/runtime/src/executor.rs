//! The threads that run bots and nothing else: a bot that spins holds up other
//! bots for a millisecond at most, and never the host's own work.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::priority::Priority;

/// Where the threads of bots stand: an event that arrives is taken and stored before a
/// bot goes on computing.
const PRIORITY: Priority = Priority { nice: 10, slice: Duration::from_millis(20) };

/// The threads that run bots.
pub(crate) struct Executor(Option<Runtime>);

impl Executor {
    /// Starts so many threads, at least one.
    pub(crate) fn start(threads: usize) -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .thread_name("botyard-guest")
            .on_thread_start(stand_back)
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Runs a future on the threads. A panic in it is an error of the handle.
    pub(crate) fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.runtime().spawn(future)
    }

    /// Runs blocking work beside the threads.
    pub(crate) fn spawn_blocking<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> JoinHandle<R> {
        self.runtime().spawn_blocking(work)
    }

    fn runtime(&self) -> &Runtime {
        self.0.as_ref().expect("the executor lives until it is dropped")
    }
}

/// Lets the host's own threads go before this one.
fn stand_back() {
    // Where the system does not let us, bots and the host stand equal, which is only slower.
    let _ = PRIORITY.take();
}

impl Drop for Executor {
    fn drop(&mut self) {
        // Waiting for the threads is not allowed within async code, where the last
        // owner may well be. Turns end by themselves within their budgets.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
