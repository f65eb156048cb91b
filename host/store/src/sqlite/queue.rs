//! Who may queue a write, and whose turn it is.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use botyard_kernel::id::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::StoreError;

/// Room of the queue: 64 MiB in pieces of 1 KiB.
const ROOM: usize = 64 * 1024;
/// What one tenant may take of it, so that a flood leaves room for the others.
const TENANT_ROOM: usize = ROOM / 4;
/// What even the smallest job takes, which makes 8,192 jobs at most.
const LEAST: usize = 8;

/// A place in the queue, given back when the job is answered.
pub(super) struct Place {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

/// The door of the queue. Who comes first waits least, but behind the own
/// tenant's jobs only, as long as others leave room.
pub(super) struct Gate {
    all: Arc<Semaphore>,
    tenants: Mutex<HashMap<TenantId, Arc<Semaphore>>>,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self { all: Arc::new(Semaphore::new(ROOM)), tenants: Mutex::default() }
    }

    /// Waits for room for a job of so many bytes.
    pub(super) async fn enter(&self, tenant: &TenantId, bytes: usize) -> Result<Place, StoreError> {
        let pieces = (bytes / 1024).clamp(LEAST, TENANT_ROOM);
        let pieces = u32::try_from(pieces).expect("the room is small");
        let own = self.tenant(tenant).acquire_many_owned(pieces).await;
        let all = self.all.clone().acquire_many_owned(pieces).await;
        match (own, all) {
            (Ok(own), Ok(all)) => Ok(Place { _own: own, _all: all }),
            _ => Err(StoreError::Unavailable("the store is closed".to_owned())),
        }
    }

    fn tenant(&self, tenant: &TenantId) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().expect("nobody panics at the gate");
        let room = tenants.entry(tenant.clone());
        room.or_insert_with(|| Arc::new(Semaphore::new(TENANT_ROOM))).clone()
    }
}

/// Jobs that wait, a queue for each tenant.
pub(super) struct Fair<J> {
    queues: HashMap<TenantId, VecDeque<J>>,
    round: VecDeque<TenantId>,
}

impl<J> Fair<J> {
    pub(super) fn new() -> Self {
        Self { queues: HashMap::new(), round: VecDeque::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.round.is_empty()
    }

    pub(super) fn push(&mut self, tenant: &TenantId, job: J) {
        let queue = self.queues.entry(tenant.clone()).or_default();
        if queue.is_empty() {
            self.round.push_back(tenant.clone());
        }
        queue.push_back(job);
    }

    /// The next job, one of each tenant before a second of any. A tenant's own
    /// jobs keep their order.
    pub(super) fn pop(&mut self) -> Option<J> {
        let tenant = self.round.pop_front()?;
        let queue = self.queues.get_mut(&tenant)?;
        let job = queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&tenant);
        } else {
            self.round.push_back(tenant);
        }
        job
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_flood_of_one_tenant_does_not_hold_up_another() {
        let mut fair = Fair::new();
        for job in ["a1", "a2", "a3", "b1", "c1", "b2"] {
            fair.push(&TenantId::from(&job[..1]), job);
        }
        let order: Vec<_> = std::iter::from_fn(|| fair.pop()).collect();
        assert_eq!(order, ["a1", "b1", "c1", "a2", "b2", "a3"]);
        assert!(fair.is_empty());
        assert!(fair.queues.is_empty());
    }

    #[tokio::test]
    async fn a_full_share_leaves_the_door_open_for_others() {
        let gate = Gate::new();
        let (loud, quiet) = (TenantId::from("loud"), TenantId::from("quiet"));
        let taken = gate.enter(&loud, TENANT_ROOM * 1024).await.unwrap();
        let soon = Duration::from_millis(20);
        assert!(tokio::time::timeout(soon, gate.enter(&loud, 1)).await.is_err());
        assert!(gate.enter(&quiet, 1).await.is_ok());
        drop(taken);
        assert!(gate.enter(&loud, 1).await.is_ok());
    }
}
