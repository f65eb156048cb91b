//! What lanes have written and read.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use botyard_failpoints::{Point, pass};
use botyard_kernel::id::ConversationKey;
use botyard_kernel::lane::{Input, Loaded, WAITING_MAX};
use botyard_kernel::log::{Arrival, Call, Settled, Turn};
use botyard_store::{Commit, StoreError, TenantStore};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use metrics::counter;

use super::driver::Driver;

/// A store that needs longer counts as failed: whoever waits is told to come again.
const PATIENCE: Duration = Duration::from_secs(5);
/// The verb that only reads.
const LOAD: &str = "load";

/// A write that was given up and may still land. Whoever reads before it has
/// ended would take its events for refused ones, and they would count twice.
#[derive(Clone, Default)]
pub(super) struct Late(Arc<Mutex<Option<Shared<BoxFuture<'static, ()>>>>>);

impl Late {
    fn set(&self, write: BoxFuture<'static, ()>) {
        *self.lock() = Some(write.shared());
    }

    /// Waits until it has ended, one way or the other.
    async fn ended(&self) {
        let late = self.lock().clone();
        if let Some(late) = late {
            late.await;
            *self.lock() = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Shared<BoxFuture<'static, ()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn load(driver: &Driver) -> BoxFuture<'static, Input> {
    let key = driver.key.clone();
    let late = driver.late.clone();
    act(driver, LOAD, move |store| async move {
        late.ended().await;
        let loaded = store.load(&key, WAITING_MAX).await?;
        Ok(Input::Loaded(Box::new(Loaded {
            last: loaded.last,
            turn: loaded.turn,
            accepted: loaded.accepted,
            more: loaded.more,
            settled: loaded.settled,
            calls: loaded.calls,
        })))
    })
}

pub(super) fn accept(driver: &Driver, arrivals: Vec<Arrival>) -> BoxFuture<'static, Input> {
    let key = driver.key.clone();
    act(driver, "accept", move |store| async move {
        or_too_large(&key, store.accept(&key, arrivals).await.map(Input::Accepted))
    })
}

pub(super) fn commit(driver: &Driver, turn: Box<Turn>) -> BoxFuture<'static, Input> {
    let key = driver.key.clone();
    act(driver, "commit", move |store| async move {
        let committed = store.commit(&key, &turn).await.map(|commit| match commit {
            Commit::Committed { seq, refused } => {
                if !refused.is_empty() {
                    let (bot, keys) = (&turn.bot, refused.len());
                    tracing::warn!(%bot, keys, "the bot's values are full: writes were left out");
                }
                Input::Committed(Some(seq))
            }
            Commit::Conflict => Input::Committed(None),
        });
        or_too_large(&key, committed)
    })
}

pub(super) fn settle(driver: &Driver, settled: Box<Settled>) -> BoxFuture<'static, Input> {
    let key = driver.key.clone();
    act(driver, "settle", move |store| async move {
        let claims = settled.claimed.as_ref().is_some_and(|rows| !rows.is_empty());
        if claims {
            pass(Point::ClaimBegins);
        }
        let seqs = store.settle(&key, &settled).await?;
        if claims {
            pass(Point::ClaimCommitted);
        }
        let last = seqs.last().copied().unwrap_or_default();
        let events = seqs.into_iter().skip(1).collect();
        Ok(Input::Settled { events, last })
    })
}

pub(super) fn record(driver: &Driver, call: Box<Call>) -> BoxFuture<'static, Input> {
    let key = driver.key.clone();
    act(driver, "record_call", move |store| async move {
        or_too_large(&key, store.record_call(&key, &call).await.map(Input::Recorded))
    })
}

/// The lane finds a smaller form of what is too large; to ask again would not help.
fn or_too_large(
    key: &ConversationKey,
    done: Result<Input, StoreError>,
) -> Result<Input, StoreError> {
    if let Err(error @ StoreError::TooLarge { .. }) = &done {
        tracing::warn!(conversation = %key, %error, "the store refused what is too large");
        return Ok(Input::TooLarge);
    }
    done
}

fn act<F>(
    driver: &Driver,
    verb: &'static str,
    verb_of: impl FnOnce(TenantStore) -> F,
) -> BoxFuture<'static, Input>
where
    F: Future<Output = Result<Input, StoreError>> + Send + 'static,
{
    let key = driver.key.clone();
    let late = driver.late.clone();
    let mut done = verb_of(driver.work.store.tenant(&key.tenant)).boxed();
    async move {
        let error = match tokio::time::timeout(PATIENCE, &mut done).await {
            Ok(Ok(input)) => return input,
            Ok(Err(error)) => error.to_string(),
            Err(_) => {
                // It may still be written: lanes take every failure for that. A load
                // writes nothing, and may itself be waiting for such a write.
                if verb != LOAD {
                    late.set(done.map(drop).boxed());
                }
                format!("it did not answer within {PATIENCE:?}")
            }
        };
        tracing::error!(conversation = %key, verb, error, "the store failed");
        counter!("botyard_store_failures_total", "verb" => verb).increment(1);
        Input::StoreFailed
    }
    .boxed()
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn whoever_reads_waits_for_a_write_that_was_given_up() {
        let late = Late::default();
        late.ended().await;
        let (write, written) = oneshot::channel::<()>();
        late.set(written.map(drop).boxed());
        let soon = Duration::from_millis(10);
        for _ in 0..2 {
            assert!(tokio::time::timeout(soon, late.ended()).await.is_err(), "it has not landed");
        }
        write.send(()).unwrap();
        late.ended().await;
        assert!(late.lock().is_none(), "and it is waited for once");
    }
}
