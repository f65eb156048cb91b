//! The thread that moves the write-ahead log into the database file.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use botyard_failpoints::{Point, pass};
use rusqlite::Connection;

use super::directory::Directory;
use super::health::Health;
use super::schema;
use crate::OpenError;

/// How often the log is looked at.
const PERIOD: Duration = Duration::from_millis(75);
/// A log longer than this is restarted even if readers and the writer must wait.
const RESTART_PAGES: i64 = 256 * 1024 * 1024 / 4096;
/// Without work for so long, the log gives its disk space back.
const IDLE: Duration = Duration::from_secs(5);
/// How long a restart may hold up the writer while it waits for readers.
const PATIENCE: Duration = Duration::from_millis(100);

pub(super) struct Checkpointer {
    stop: Mutex<Option<Sender<()>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Checkpointer {
    pub(super) fn start(directory: &Directory, health: Arc<Health>) -> Result<Self, OpenError> {
        let database = schema::open(directory, PATIENCE)?;
        let (stop, stopped) = mpsc::channel();
        let (worked, truncated, erased) = (Instant::now(), false, false);
        let watch = Watch { database, health, seen: 0, worked, truncated, erased };
        let thread = thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || watch.work(&stopped))
            .expect("a host that cannot start a thread cannot run at all");
        Ok(Self { stop: Mutex::new(Some(stop)), thread: Mutex::new(Some(thread)) })
    }

    /// Empties the log and stops the thread. Blocks.
    pub(super) fn close(&self) {
        drop(self.stop.lock().expect("nobody panics while stopping").take());
        let thread = self.thread.lock().expect("nobody panics while closing").take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the store's checkpointer panicked; what was acknowledged is safe");
        }
    }
}

struct Watch {
    database: Connection,
    health: Arc<Health>,
    /// Batches that were written when we last looked.
    seen: u64,
    worked: Instant,
    truncated: bool,
    /// Something was erased since the log was last emptied.
    erased: bool,
}

impl Watch {
    fn work(mut self, stopped: &mpsc::Receiver<()>) {
        while stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
            self.look();
        }
        self.checkpoint("truncate");
    }

    fn look(&mut self) {
        self.erased |= self.health.take_erased();
        if self.erased && !self.health.is_backed_up() {
            // A busy host is never idle: what was erased must not stay in its log.
            self.erased = self.checkpoint("truncate").is_none_or(|log| log.busy);
        }
        let batches = self.health.counters().batches;
        if batches != self.seen {
            self.seen = batches;
            self.worked = Instant::now();
            self.truncated = false;
            // A passive checkpoint waits for nobody. Under writers that never
            // pause it cannot restart the log, which then grows.
            let pages = self.checkpoint("passive").map_or(0, |log| log.pages);
            // A backup reads for long: to wait for it would only hold up the writer.
            if pages > RESTART_PAGES && !self.health.is_backed_up() {
                self.checkpoint("restart");
            }
        } else if !self.truncated && !self.health.is_backed_up() && self.worked.elapsed() > IDLE {
            self.truncated = self.checkpoint("truncate").is_some_and(|log| !log.busy);
        }
    }

    fn checkpoint(&self, mode: &str) -> Option<LogState> {
        if self.health.poison().is_some() {
            return None;
        }
        pass(Point::CheckpointBegins);
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        let state = self.database.query_row(&sql, [], |row| {
            Ok(LogState { busy: row.get::<_, i64>(0)? != 0, pages: row.get(1)? })
        });
        // Being busy is no failure: the next look tries again.
        let state = state.inspect_err(|error| self.health.note(error)).ok()?;
        pass(Point::CheckpointEnded);
        self.health.checkpointed();
        Some(state)
    }
}

struct LogState {
    busy: bool,
    pages: i64,
}
