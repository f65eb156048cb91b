//! The threads that load and run bots and do nothing else: a bot that spins holds up
//! other bots for a millisecond at most, and never the host's own work. How many of them
//! compute at once is not for the threads to say: there are as many for short turns as
//! processors that bots have, and as many again for long ones.

use std::future::{Future, pending};
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::time::Duration;

use botyard_kernel::share::Length;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinError, JoinHandle};

use crate::priority::Priority;
use crate::slice::Sliced;

/// Where the threads of bots stand: an event that arrives is taken and stored before a
/// bot goes on computing. The slice is longer than what the system gives the host's own
/// threads, up to 3 ms where there are many processors.
const SHORT: Priority = Priority { nice: 10, slice: Duration::from_millis(5) };

/// Where the threads of long turns stand: the others take a processor from them at once.
/// They are threads of their own because the system remembers of a thread, and not of a
/// turn, how much it has had: a short turn should not pay for what spun before it.
/// Their slice is no longer than that needs: who holds a processor of bots should not wait
/// long for one of the system's.
const LONG: Priority = Priority { nice: 10, slice: Duration::from_millis(20) };

/// The threads that run bots.
pub(crate) struct Executor {
    short: Threads,
    long: Threads,
}

/// Threads that are alike.
struct Threads(Option<Runtime>);

impl Executor {
    /// Starts so many threads for short turns, at least one, and as many for long ones.
    pub(crate) fn start(threads: usize) -> std::io::Result<Self> {
        let short = Threads::start("botyard-guest", threads, SHORT)?;
        let long = Threads::start("botyard-long", threads, LONG)?;
        Ok(Self { short, long })
    }

    /// Runs a turn to its end, also where nobody waits for it: on other threads from when
    /// on it is a long one. A panic in it is an error of the handle.
    pub(crate) fn run<F>(&self, turn: Sliced<F>) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let long = self.long.runtime().handle().clone();
        match turn.length() {
            Length::Long => long.spawn(turn),
            Length::Short => self.short.runtime().spawn(async move {
                match turn.while_short().await {
                    ControlFlow::Break(output) => output,
                    ControlFlow::Continue(turn) => match long.spawn(turn).await {
                        Ok(output) => output,
                        Err(error) => pass_on(error).await,
                    },
                }
            }),
        }
    }

    /// Does other work of the runtime, beside long turns. A panic in it is an error of the
    /// handle.
    pub(crate) fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.long.runtime().spawn(future)
    }

    /// Does blocking work beside the threads, as quickly as a short turn: some wait for it.
    pub(crate) fn spawn_blocking<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> JoinHandle<R> {
        self.short.runtime().spawn_blocking(work)
    }
}

/// A panic becomes the caller's. Where the threads stop, the caller's do as well.
async fn pass_on<T>(error: JoinError) -> T {
    match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(_) => pending().await,
    }
}

impl Threads {
    fn start(name: &str, count: usize, priority: Priority) -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(count.max(1))
            .thread_name(name)
            .on_thread_start(move || {
                // Where the system does not let us, bots and the host stand equal, which is
                // only slower.
                let _ = priority.take();
            })
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    fn runtime(&self) -> &Runtime {
        self.0.as_ref().expect("the threads live until they are dropped")
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Waiting for the threads is not allowed within async code, where the last
        // owner may well be. Turns end by themselves within their budgets.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use botyard_kernel::share::Paces;

    use super::*;
    use crate::cpu::thread_cpu_ns;
    use crate::slice::{Processors, SharedPaces, next_slice};

    fn thread() -> String {
        std::thread::current().name().unwrap_or_default().to_owned()
    }

    /// Says on which threads it began and ended, with so much to compute between.
    async fn compute(milliseconds: u64) -> [String; 2] {
        let began = thread();
        for _ in 0..milliseconds {
            let end = thread_cpu_ns() + 1_000_000;
            while thread_cpu_ns() < end {
                std::hint::spin_loop();
            }
            next_slice().await;
        }
        [began, thread()]
    }

    #[tokio::test]
    async fn long_turns_have_threads_of_their_own() {
        let executor = Executor::start(1).unwrap();
        let processors = Processors::new(1);
        let run = async |paces: &SharedPaces, milliseconds| {
            let turn = processors.share("a".into(), paces, compute(milliseconds));
            executor.run(turn).await.unwrap()
        };
        let paces = SharedPaces::default();
        assert_eq!(run(&paces, 0).await, ["botyard-guest"; 2]);
        assert_eq!(run(&paces, 5).await, ["botyard-guest", "botyard-long"], "it goes on there");
        let mut slow = Paces::default();
        (0..10).for_each(|_| slow.ended(&"a".into(), 50_000));
        let slow = SharedPaces::new(slow.into());
        assert_eq!(run(&slow, 0).await, ["botyard-long"; 2], "as its version is known for it");
    }

    #[tokio::test]
    async fn a_panic_of_a_long_turn_is_its_own() {
        let executor = Executor::start(1).unwrap();
        let processors = Processors::new(1);
        let turn = async {
            compute(5).await;
            panic!("as a bug would");
        };
        let turn = processors.share("a".into(), &SharedPaces::default(), turn);
        assert!(executor.run(turn).await.unwrap_err().is_panic());
        let next = processors.share("a".into(), &SharedPaces::default(), compute(0));
        executor.run(next).await.unwrap();
    }
}
