//! What takes long: it is begun and says how far it is. What was promised, because nobody
//! could be told later that it was not done, goes on after a restart (`durable`).

mod durable;
mod kept;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use botyard_kernel::id::{Digest, TenantId};
use botyard_kernel::limits::Limit;
use botyard_store::{Store, StoreError};
use serde_json::{Value, json};
use tokio::sync::{Mutex, watch};

use durable::{AGAIN_AFTER, AGAIN_AFTER_MAX};
pub(crate) use durable::{begin, deletions, resume};
use kept::DONE;
pub(crate) use kept::{Durable, Kept, Progress, Task};

use crate::api::{Code, Problem};
use crate::clock;

/// Whoever has too many looks again after so many seconds.
const RETRY_AFTER_S: u64 = 10;

/// All operations of a host.
pub struct Operations {
    store: Store,
    /// Those that are under way, by whose they are and what they do.
    running: Mutex<HashMap<Digest, Running>>,
}

struct Running {
    tenant: TenantId,
    id: String,
    now: watch::Receiver<Kept>,
}

/// An operation that was begun.
pub(crate) struct Begun {
    /// Whose notes it is among.
    pub(crate) tenant: TenantId,
    /// Its name.
    pub(crate) id: String,
    now: watch::Receiver<Kept>,
}

/// By this an operation tells how far it is.
pub(crate) struct Report(watch::Sender<Kept>);

impl Operations {
    /// None is under way yet.
    pub fn new(store: Store) -> Arc<Self> {
        Arc::new(Self { store, running: Mutex::default() })
    }

    /// An operation of a tenant by its name.
    pub(crate) async fn find(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Option<Kept>, StoreError> {
        let running = self.running.lock().await;
        let own = running.values().find(|it| it.tenant == *tenant && it.id == id);
        if let Some(running) = own {
            return Ok(Some(running.now.borrow().clone()));
        }
        // Meanwhile none ends, which is noted before it is under way no more.
        Ok(Kept::find(&self.store.tenant(tenant), id).await?.map(Kept::left))
    }

    /// The operation that does the same already, if there is one.
    pub(crate) async fn same(&self, tenant: &TenantId, task: &Task) -> Option<Begun> {
        self.running.lock().await.get(&name(tenant, task)).map(Running::begun)
    }

    /// Begins an operation, once it is noted among those of a tenant. Where the same is
    /// under way already, it is that one.
    ///
    /// # Errors
    /// [`Code::OverLimit`] where the tenant has too many, [`Code::Unavailable`] where it
    /// cannot be noted.
    pub(crate) async fn begin<W>(
        self: &Arc<Self>,
        tenant: &TenantId,
        task: Task,
        actor: &str,
        work: impl FnOnce(Arc<Report>) -> W,
    ) -> Result<Begun, Problem>
    where
        W: Future<Output = Result<Option<Value>, Problem>> + Send + 'static,
    {
        self.begin_then(tenant, task, actor, work, || ()).await
    }

    /// As [`Operations::begin`], with what is done when the end has been noted.
    async fn begin_then<W>(
        self: &Arc<Self>,
        tenant: &TenantId,
        task: Task,
        actor: &str,
        work: impl FnOnce(Arc<Report>) -> W,
        then: impl FnOnce() + Send + 'static,
    ) -> Result<Begun, Problem>
    where
        W: Future<Output = Result<Option<Value>, Problem>> + Send + 'static,
    {
        let mut running = self.running.lock().await;
        if let Some(same) = running.get(&name(tenant, &task)) {
            return Ok(same.begun());
        }
        let (limit, own) = (Limit::OperationsAtOnce, |it: &&Running| it.tenant == *tenant);
        let most = limit.preset_size();
        if running.values().filter(own).count() >= most {
            let detail = format!(
                "the limit `{limit}` is {most}, and so many are under way: come again in \
                 {RETRY_AFTER_S} s, or when one has ended"
            );
            return Err(Problem::new(Code::OverLimit, detail).after(RETRY_AFTER_S));
        }
        let (id, kept) = (format!("op_{:032x}", rand::random::<u128>()), Kept::begun(task, actor));
        kept.put(&self.store.tenant(tenant), &id).await?;
        Ok(self.carry_on(&mut running, (tenant.clone(), id, kept), work, then))
    }

    fn carry_on<W>(
        self: &Arc<Self>,
        running: &mut HashMap<Digest, Running>,
        (tenant, id, kept): kept::Unfinished,
        work: impl FnOnce(Arc<Report>) -> W,
        then: impl FnOnce() + Send + 'static,
    ) -> Begun
    where
        W: Future<Output = Result<Option<Value>, Problem>> + Send + 'static,
    {
        let name = name(&tenant, &kept.task);
        let (report, now) = watch::channel(kept);
        let report = Arc::new(Report(report));
        let own = Running { tenant, id, now };
        let begun = own.begun();
        running.insert(name, own);
        let work = tokio::spawn(work(Arc::clone(&report)));
        let (operations, tenant, id) = (Arc::clone(self), begun.tenant.clone(), begun.id.clone());
        tokio::spawn(async move {
            let what = "the host broke down over it";
            let done = work.await.unwrap_or_else(|error| Err(Problem::host_fault(&error, what)));
            operations.ended(name, (&tenant, &id), &report, done).await;
            then();
        });
        begun
    }

    /// What goes on after a restart ends when that is noted: else it would be done once more
    /// then, to whoever has the name by that time. Of others an end that cannot be noted is
    /// one all the same.
    async fn ended(
        &self,
        name: Digest,
        (tenant, id): (&TenantId, &str),
        Report(report): &Report,
        done: Result<Option<Value>, Problem>,
    ) {
        let begun = report.borrow().clone();
        let goes_on = begun.task.durable().is_some();
        let kept = begun.ended(done);
        let mut pause = AGAIN_AFTER;
        while let Err(error) = self.note_end(tenant, id, &kept).await {
            tracing::warn!(%tenant, id, %error, goes_on, "the end of an operation cannot be noted");
            if !goes_on {
                break;
            }
            tokio::time::sleep(pause).await;
            pause = AGAIN_AFTER_MAX.min(pause * 2);
        }
        report.send_replace(kept);
        self.running.lock().await.remove(&name);
    }

    async fn note_end(&self, tenant: &TenantId, id: &str, kept: &Kept) -> Result<(), StoreError> {
        let store = self.store.tenant(tenant);
        match Kept::find(&store, id).await? {
            Some(_) => kept.put(&store, id).await,
            // Its tenant was deleted: nothing may be left of that.
            None => Ok(()),
        }
    }
}

impl Running {
    fn begun(&self) -> Begun {
        Begun { tenant: self.tenant.clone(), id: self.id.clone(), now: self.now.clone() }
    }
}

impl Begun {
    /// How it is now.
    pub(crate) fn now(&self) -> Kept {
        self.now.borrow().clone()
    }

    /// How it is at its end, or after so long.
    pub(crate) async fn within(mut self, wait: Duration) -> Kept {
        // Whoever carries it on says its end before they are gone.
        let _ = tokio::time::timeout(wait, self.now.wait_for(Kept::is_ended)).await;
        self.now()
    }
}

impl Report {
    /// Another phase begins.
    pub(crate) fn phase(&self, phase: &str) {
        self.0.send_modify(|kept| {
            if kept.phase != phase {
                phase.clone_into(&mut kept.phase);
                (kept.progress, kept.changed_ms) = (None, clock::now());
            }
            kept.problem = None;
        });
    }

    /// So much of the phase is done.
    pub(crate) fn progress(&self, done: u64, total: Option<u64>) {
        self.0.send_modify(|kept| {
            kept.progress = Some(Progress { done, total });
            (kept.problem, kept.changed_ms) = (None, clock::now());
        });
    }

    /// It does not get past this now.
    fn stuck(&self, problem: &Problem) {
        self.0.send_modify(|kept| kept.problem = Some(json!(problem)));
    }
}

impl Kept {
    /// Whether it has come to a good end.
    pub(crate) fn is_done(&self) -> bool {
        self.phase == DONE
    }
}

/// The same for what does the same.
fn name(tenant: &TenantId, task: &Task) -> Digest {
    Digest::of_parts([tenant.as_str().as_bytes(), json!(task).to_string().as_bytes()])
}

#[cfg(test)]
mod tests;
