//! The thread that lets every engine look up once a millisecond.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use wasmtime::Engine;

/// How often a running bot is interrupted.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// Raises the epoch of its engines every [`TICK`], on a thread of the operating
/// system: a bot that spins can hold up every other kind of timer.
pub(crate) struct Ticker {
    start: Instant,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// Milliseconds from the start to the last tick; 0 before the first.
    last_ms: AtomicU64,
}

impl Ticker {
    /// Starts the thread.
    pub(crate) fn start(engines: Vec<Engine>) -> std::io::Result<Self> {
        let start = Instant::now();
        let shared = Arc::new(Shared::default());
        let thread = std::thread::Builder::new().name("botyard-epoch".to_owned()).spawn({
            let shared = shared.clone();
            move || {
                while !shared.stop.load(Ordering::Relaxed) {
                    std::thread::sleep(TICK);
                    engines.iter().for_each(Engine::increment_epoch);
                    shared.last_ms.store(since(start), Ordering::Relaxed);
                }
            }
        })?;
        Ok(Self { start, shared, thread: Some(thread) })
    }

    /// How long ago the last tick was.
    pub(crate) fn silence(&self) -> Duration {
        let last = self.shared.last_ms.load(Ordering::Relaxed);
        Duration::from_millis(since(self.start).saturating_sub(last))
    }
}

fn since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic in the loop has nothing left to say here.
            let _ = thread.join();
        }
    }
}
