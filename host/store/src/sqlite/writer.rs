//! The one thread that writes.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use botyard_failpoints::{Point, pass};
use botyard_kernel::id::TenantId;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

use super::health::{Failure, Health, Queued};
use super::queue::{Fair, Gate, Place};
use crate::{OpenError, StoreError};

/// At most so many jobs share a transaction.
const BATCH_JOBS: usize = 1_024;
/// A transaction with more bytes than this takes no further job.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

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
            .spawn(move || desk.work_or_say(queue))
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

/// What the thread works with.
struct Desk {
    database: Connection,
    health: Arc<Health>,
}

impl Desk {
    /// A panic is a bug of ours. It must not look like a store that is merely slow.
    fn work_or_say(self, queue: UnboundedReceiver<Box<dyn Job>>) {
        let health = self.health.clone();
        if panic::catch_unwind(AssertUnwindSafe(|| self.work(queue))).is_err() {
            health.stop_because("the writer panicked");
        }
    }

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
        pass(Point::BatchWritten);
        change.commit().map_err(|error| self.health.failure_of_all(&error))?;
        pass(Point::BatchCommitted);
        self.health.wrote(batch.len());
        Ok(())
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
