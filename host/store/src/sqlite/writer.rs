//! The one thread that writes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, JoinHandle};

use botyard_kernel::id::TenantId;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

use super::queue::{Fair, Gate, Place};
use crate::{OpenError, StoreError};

/// At most so many jobs share a transaction.
const BATCH_JOBS: usize = 1_024;
/// A transaction with more bytes than this takes no further job.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// What the engine has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Transactions that were committed.
    pub batches: u64,
    /// Writes that were committed in them.
    pub jobs: u64,
    /// Writes that wait for their transaction or run in it.
    pub queued: u64,
    /// Checkpoints of the write-ahead log.
    pub checkpoints: u64,
}

/// The writer's side for everybody else.
pub(super) struct Writer {
    jobs: Mutex<Option<UnboundedSender<Box<dyn Job>>>>,
    gate: Gate,
    health: Arc<Health>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(database: Connection) -> Result<Self, OpenError> {
        let (jobs, queue) = mpsc::unbounded_channel();
        let health = Arc::new(Health::default());
        let desk = Desk { database, health: health.clone() };
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || desk.work(queue))
            .expect("a host that cannot start a thread cannot run at all");
        let (jobs, thread) = (Mutex::new(Some(jobs)), Mutex::new(Some(thread)));
        Ok(Self { jobs, gate: Gate::new(), health, thread })
    }

    pub(super) fn health(&self) -> Arc<Health> {
        self.health.clone()
    }

    /// Does a piece of work in a transaction and answers when it is on stable
    /// storage. The work may be done again, on the state before it, when it
    /// shared a transaction with another one that failed.
    pub(super) async fn write<T, W>(
        &self,
        tenant: &TenantId,
        bytes: usize,
        work: W,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.health.check()?;
        let place = self.gate.enter(tenant, bytes).await?;
        let (reply, answer) = oneshot::channel();
        let queued = Queued::new(&self.health);
        let tenant = tenant.clone();
        let job = Pending { tenant, bytes, work, done: None, reply, place, queued };
        self.send(Box::new(job))?;
        answer.await.map_err(|_| stopped())?
    }

    /// Finishes the queue and stops the thread. Blocks.
    pub(super) fn close(&self) {
        drop(self.jobs.lock().expect("nobody panics while sending").take());
        let thread = self.thread.lock().expect("nobody panics while closing").take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the store's writer panicked; what was acknowledged is safe");
        }
    }

    fn send(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        let jobs = self.jobs.lock().expect("nobody panics while sending");
        jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or_else(stopped)
    }
}

/// How the engine is, shared by its threads.
#[derive(Default)]
pub(super) struct Health {
    poison: OnceLock<String>,
    batches: AtomicU64,
    jobs: AtomicU64,
    queued: AtomicU64,
    checkpoints: AtomicU64,
}

impl Health {
    /// Why nothing more is written, if that is so.
    pub(super) fn poison(&self) -> Option<&str> {
        self.poison.get().map(String::as_str)
    }

    /// After an IO error nobody knows what the disk holds, and asking it to
    /// flush again would answer success for what it has dropped. So nothing more
    /// is acknowledged; opening the store again recovers from its log.
    pub(super) fn give_up(&self, error: &rusqlite::Error) {
        if self.poison.set(error.to_string()).is_ok() {
            tracing::error!(%error, "the store stops writing after an error of its disk; check the disk and restart the host");
        }
    }

    pub(super) fn counters(&self) -> Counters {
        Counters {
            batches: self.batches.load(Ordering::Relaxed),
            jobs: self.jobs.load(Ordering::Relaxed),
            queued: self.queued.load(Ordering::Relaxed),
            checkpoints: self.checkpoints.load(Ordering::Relaxed),
        }
    }

    pub(super) fn checkpointed(&self) {
        self.checkpoints.fetch_add(1, Ordering::Relaxed);
    }

    fn check(&self) -> Result<(), StoreError> {
        match self.poison() {
            Some(why) => Err(StoreError::Unavailable(why.to_owned())),
            None => Ok(()),
        }
    }
}

/// Whether the disk or the file is to blame, so that no later write can be trusted.
pub(super) fn is_fatal(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
        )
    )
}

/// What an error of the database means to the caller.
pub(super) fn store_error(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt(error.to_string())
        }
        _ => StoreError::Unavailable(error.to_string()),
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}

/// A write in the queue.
trait Job: Send {
    fn tenant(&self) -> &TenantId;
    fn bytes(&self) -> usize;
    fn apply(&mut self, database: &Connection) -> rusqlite::Result<()>;
    fn answer(self: Box<Self>, end: Result<(), StoreError>);
}

struct Pending<T, W> {
    tenant: TenantId,
    bytes: usize,
    work: W,
    done: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
    place: Place,
    queued: Queued,
}

impl<T, W> Job for Pending<T, W>
where
    T: Send,
    W: Fn(&Connection) -> rusqlite::Result<T> + Send,
{
    fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn apply(&mut self, database: &Connection) -> rusqlite::Result<()> {
        self.done = Some((self.work)(database)?);
        Ok(())
    }

    fn answer(self: Box<Self>, end: Result<(), StoreError>) {
        let Self { done, reply, place, queued, .. } = *self;
        drop((place, queued));
        // Nobody may be waiting any more; the write stands all the same.
        let _ = reply.send(end.and_then(|()| done.ok_or_else(stopped)));
    }
}

/// Counts a job while it lives.
struct Queued(Arc<Health>);

impl Queued {
    fn new(health: &Arc<Health>) -> Self {
        health.queued.fetch_add(1, Ordering::Relaxed);
        Self(health.clone())
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.queued.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What the thread works with.
struct Desk {
    database: Connection,
    health: Arc<Health>,
}

impl Desk {
    fn work(mut self, mut queue: UnboundedReceiver<Box<dyn Job>>) {
        let mut waiting = Fair::new();
        loop {
            if waiting.is_empty() {
                let Some(job) = queue.blocking_recv() else { return };
                waiting.push(&job.tenant().clone(), job);
            }
            while let Ok(job) = queue.try_recv() {
                waiting.push(&job.tenant().clone(), job);
            }
            self.serve(batch(&mut waiting));
        }
    }

    /// Writes a batch and answers it. Where one job fails for a reason of its
    /// own, the others are written without it.
    fn serve(&mut self, mut batch: Vec<Box<dyn Job>>) {
        match self.transact(&mut batch) {
            Ok(()) => batch.into_iter().for_each(|job| job.answer(Ok(()))),
            Err(Failure::OfJob(_)) if batch.len() > 1 => {
                batch.into_iter().for_each(|job| self.serve(vec![job]));
            }
            Err(Failure::OfJob(error) | Failure::OfAll(error)) => {
                batch.into_iter().for_each(|job| job.answer(Err(error.clone())));
            }
        }
    }

    fn transact(&mut self, batch: &mut [Box<dyn Job>]) -> Result<(), Failure> {
        self.health.check().map_err(Failure::OfAll)?;
        let begun = self.database.transaction_with_behavior(TransactionBehavior::Immediate);
        let change = begun.map_err(|error| self.health.failure_of_all(&error))?;
        for job in batch.iter_mut() {
            job.apply(&change).map_err(|error| self.health.failure_of_job(&error))?;
        }
        change.commit().map_err(|error| self.health.failure_of_all(&error))?;
        self.health.batches.fetch_add(1, Ordering::Relaxed);
        self.health.jobs.fetch_add(batch.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

/// Whom an error of a transaction concerns.
enum Failure {
    /// One job; the others may do without it.
    OfJob(StoreError),
    /// Every job of the transaction.
    OfAll(StoreError),
}

impl Health {
    fn failure_of_job(&self, error: &rusqlite::Error) -> Failure {
        if is_fatal(error) {
            self.failure_of_all(error)
        } else {
            Failure::OfJob(store_error(error))
        }
    }

    fn failure_of_all(&self, error: &rusqlite::Error) -> Failure {
        if is_fatal(error) {
            self.give_up(error);
        }
        Failure::OfAll(store_error(error))
    }
}

fn batch(waiting: &mut Fair<Box<dyn Job>>) -> Vec<Box<dyn Job>> {
    let mut batch = Vec::new();
    let mut bytes = 0;
    while batch.len() < BATCH_JOBS && bytes < BATCH_BYTES {
        let Some(job) = waiting.pop() else { break };
        bytes += job.bytes();
        batch.push(job);
    }
    batch
}
