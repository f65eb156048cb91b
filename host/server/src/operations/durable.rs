//! Operations that go on until they are done, over restarts, too.

use std::sync::Arc;
use std::time::Duration;

use botyard_kernel::id::TenantId;
use botyard_store::{Stamp, StoreError};
use serde_json::{Value, json};

use super::kept::{KIND, unfinished};
use super::{Begun, Durable, Operations, Report};
use crate::api::{Code, Problem};
use crate::clock;
use crate::tenancy::{Deleting, Tenancy};

/// How long until what did not go is tried again, the first time and at most.
pub(super) const AGAIN_AFTER: Duration = Duration::from_millis(500);
pub(super) const AGAIN_AFTER_MAX: Duration = Duration::from_secs(30);

/// Begins what is to be done, among the operations of a tenant.
///
/// # Errors
/// As [`Operations::begin`].
pub(crate) async fn begin(
    operations: &Arc<Operations>,
    tenancy: &Arc<Tenancy>,
    tenant: &TenantId,
    durable: Durable,
    actor: &str,
) -> Result<Begun, Problem> {
    let (owner, who) = (tenant.clone(), actor.to_owned());
    let tenancy = Arc::clone(tenancy);
    let task = durable.clone().into();
    let then = free(&tenancy, &durable);
    let work = |report| {
        hide(&tenancy, &durable);
        until_done(tenancy, owner, durable, who, report)
    };
    operations.begin_then(tenant, task, actor, work, then).await
}

/// Goes on with what an earlier run of the host has promised.
///
/// # Errors
/// When the store cannot be read.
pub(crate) async fn resume(
    operations: &Arc<Operations>,
    tenancy: &Arc<Tenancy>,
) -> Result<(), StoreError> {
    let mut running = operations.running.lock().await;
    for ((tenant, id, kept), durable) in unfinished(tenancy.all_notes(KIND).await?) {
        tracing::info!(%tenant, id, "what was promised goes on");
        let (tenancy, owner) = (Arc::clone(tenancy), tenant.clone());
        let actor = kept.actor().to_owned();
        let then = free(&tenancy, &durable);
        let work = |report| {
            hide(&tenancy, &durable);
            until_done(tenancy, owner, durable, actor, report)
        };
        operations.carry_on(&mut running, (tenant, id, kept), work, then);
    }
    Ok(())
}

/// The tenants whose deletion was promised and is not done yet.
///
/// # Errors
/// When the store cannot be read.
pub(crate) async fn deletions(tenancy: &Tenancy) -> Result<Vec<TenantId>, StoreError> {
    let unfinished = unfinished(tenancy.all_notes(KIND).await?);
    let tenants = unfinished.filter_map(|(_, durable)| match durable {
        Durable::TenantDeletion(tenant) => Some(tenant),
        Durable::Erasure(_) => None,
    });
    Ok(tenants.collect())
}

/// What was promised to be gone is not there for anybody, before anybody hears of the promise.
fn hide(tenancy: &Tenancy, durable: &Durable) {
    match durable {
        Durable::TenantDeletion(tenant) => tenancy.begin_deleting(tenant),
        Durable::Erasure(_) => {}
    }
}

/// Its name can be had again, or it is there again where it could not be taken away, once that
/// is noted and no restart can begin it anew.
fn free(tenancy: &Arc<Tenancy>, durable: &Durable) -> impl FnOnce() + Send + 'static {
    let (tenancy, durable) = (Arc::clone(tenancy), durable.clone());
    move || match durable {
        Durable::TenantDeletion(tenant) => tenancy.end_deleting(&tenant),
        Durable::Erasure(_) => {}
    }
}

/// Tries until it is done, or cannot be for good.
async fn until_done(
    tenancy: Arc<Tenancy>,
    owner: TenantId,
    durable: Durable,
    actor: String,
    report: Arc<Report>,
) -> Result<Option<Value>, Problem> {
    let mut pause = AGAIN_AFTER;
    let mut erased = 0;
    loop {
        let stamp = Stamp { at_ms: clock::now(), actor: actor.clone() };
        let tried = match &durable {
            Durable::Erasure(who) => {
                report.phase("erasing");
                let erase = tenancy.erase_person(&owner, who, &stamp, || {
                    erased += 1;
                    report.progress(erased, None);
                });
                erase.await.map(|()| Some(json!({ "conversations": erased })))
            }
            Durable::TenantDeletion(tenant) => {
                let told = |step| match step {
                    Deleting::Stopping => report.phase("stopping"),
                    Deleting::Rows(rows) => {
                        report.phase("deleting");
                        report.progress(rows, None);
                    }
                };
                tenancy.delete_tenant(tenant, &stamp, told).await.map(|()| None)
            }
        };
        let problem = match tried {
            Ok(result) => return Ok(result),
            Err(error) => Problem::from(error),
        };
        if !may_pass(&problem) {
            return Err(problem);
        }
        tracing::warn!(%owner, code = problem.code, "an operation does not get on, and is tried again");
        report.stuck(&problem);
        tokio::time::sleep(pause).await;
        pause = AGAIN_AFTER_MAX.min(pause * 2);
    }
}

/// Whether another try may do it: the store may come back, turns end.
fn may_pass(problem: &Problem) -> bool {
    [Code::Unavailable, Code::HostFault, Code::InUse].iter().any(|code| code.name() == problem.code)
}
