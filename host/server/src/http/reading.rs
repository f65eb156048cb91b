//! Bodies that are on their way. Anybody may send a webhook one, and nobody is known before
//! it is there: whoever sends theirs slowly must hold up nobody.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use botyard_kernel::id::TenantId;
use bytes::Bytes;
use tokio::sync::oneshot;

use super::{answer, body};

/// So many bodies for a tenant's channels may be on their way at the same time, and so many
/// in all. Where there are more, the oldest one is not waited for: those of vendors are
/// there within milliseconds.
const TENANT_MAX: usize = 256;
const HOST_MAX: usize = 2_048;

const SLOW: &str = "too many requests are on their way, and the body of this one came slowly: \
                    send the same again";

/// All bodies that are on their way.
#[derive(Debug, Default)]
pub struct Reading(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Counts those that came: the oldest has the lowest number.
    next: u64,
    all: BTreeMap<u64, (TenantId, oneshot::Sender<()>)>,
    tenants: HashMap<TenantId, BTreeSet<u64>>,
}

/// One body that is waited for, until this is dropped.
struct Place {
    reading: Arc<Reading>,
    number: u64,
    /// Closed when others need the place.
    needed: oneshot::Receiver<()>,
}

impl Reading {
    /// Reads a body whole that is meant for a tenant.
    ///
    /// # Errors
    /// As [`body::read`], and where too many others are on their way.
    pub(super) async fn read(
        self: &Arc<Self>,
        tenant: &TenantId,
        body: Body,
        (limit, within): (usize, Duration),
    ) -> Result<Bytes, Response> {
        let mut place = self.begin(tenant);
        tokio::select! {
            // A body that is there is never given up.
            biased;
            body = body::read(body, limit, within) => Ok(body?),
            _ = &mut place.needed => Err(answer::later(SLOW, 1)),
        }
    }

    /// How many bodies are on their way.
    pub fn count(&self) -> usize {
        self.state().all.len()
    }

    fn begin(self: &Arc<Self>, tenant: &TenantId) -> Place {
        let (sender, needed) = oneshot::channel();
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.all.insert(number, (tenant.clone(), sender));
        let own = state.tenants.entry(tenant.clone()).or_default();
        own.insert(number);
        let oldest_own = own.first().filter(|_| own.len() > TENANT_MAX).copied();
        if let Some(oldest) = oldest_own {
            state.end(oldest);
        }
        let oldest = state.all.first_key_value().filter(|_| state.all.len() > HOST_MAX);
        if let Some(oldest) = oldest.map(|(oldest, _)| *oldest) {
            state.end(oldest);
        }
        Place { reading: Arc::clone(self), number, needed }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Dropping the sender tells whoever waits.
    fn end(&mut self, number: u64) {
        let Some((tenant, _)) = self.all.remove(&number) else { return };
        if let Some(own) = self.tenants.get_mut(&tenant) {
            own.remove(&number);
            if own.is_empty() {
                self.tenants.remove(&tenant);
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.reading.state().end(self.number);
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    const RULES: (usize, Duration) = (1 << 10, Duration::from_secs(20));

    /// A body that never ends.
    fn slow() -> Body {
        Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>())
    }

    #[tokio::test]
    async fn the_oldest_of_too_many_is_not_waited_for_and_a_quick_one_is_always_read() {
        let reading = Arc::new(Reading::default());
        let (acme, other) = (TenantId::from("acme"), TenantId::from("other"));
        let begin = |tenant: &TenantId| {
            let (reading, tenant) = (Arc::clone(&reading), tenant.clone());
            tokio::spawn(async move { reading.read(&tenant, slow(), RULES).await })
        };
        let first_of_other = begin(&other);
        let mut all: Vec<_> = (0..TENANT_MAX).map(|_| begin(&acme)).collect();
        while reading.count() <= TENANT_MAX {
            tokio::task::yield_now().await;
        }
        assert!(all.iter().all(|read| !read.is_finished()));
        let quick = reading.read(&acme, Body::from("hello"), RULES).await.unwrap();
        assert_eq!(quick, "hello");
        let put_off = all.remove(0).await.unwrap().unwrap_err();
        assert_eq!(put_off.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(all.iter().all(|read| !read.is_finished()), "the others are waited for");
        assert!(!first_of_other.is_finished(), "nor is another tenant's, which is older");
        for read in all.into_iter().chain([first_of_other]) {
            read.abort();
            let _ = read.await;
        }
        let state = reading.state();
        assert!(state.all.is_empty() && state.tenants.is_empty(), "nothing is left of them");
    }
}
