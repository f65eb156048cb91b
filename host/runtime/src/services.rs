//! What a run may ask the rest of the host for.

use std::sync::Arc;

use async_trait::async_trait;
use botyard_kernel::call::{Ask, CallAnswer, CallError};

/// The bot's values over all conversations, as a turn reads them.
#[async_trait]
pub trait BotValues: Send + Sync {
    /// The value of a key in one snapshot; absent where there is none. An error
    /// is the host's and ends the turn.
    async fn get(&self, key: &str) -> anyhow::Result<Option<String>>;
}

/// Calls to web services within a turn.
#[async_trait]
pub trait HttpCalls: Send + Sync {
    /// Makes a call that no earlier run on the event has recorded, within
    /// [`Ask::timeout_ms`], and ends when its answer is on stable storage. An
    /// error is the host's and ends the turn.
    async fn call(&self, ask: Ask) -> anyhow::Result<CallAnswer>;
}

/// What a run may ask the rest of the host for. By default there is nothing to
/// read, and calls are denied.
#[derive(Clone)]
pub struct Services {
    /// The bot's values.
    pub values: Arc<dyn BotValues>,
    /// The way to web services.
    pub http: Arc<dyn HttpCalls>,
}

impl Default for Services {
    fn default() -> Self {
        Self { values: Arc::new(Nothing), http: Arc::new(Nothing) }
    }
}

/// Nobody is there.
struct Nothing;

#[async_trait]
impl BotValues for Nothing {
    async fn get(&self, _key: &str) -> anyhow::Result<Option<String>> {
        Ok(None)
    }
}

#[async_trait]
impl HttpCalls for Nothing {
    async fn call(&self, _ask: Ask) -> anyhow::Result<CallAnswer> {
        Ok(Err(CallError::Denied("this host makes no calls within turns".to_owned())))
    }
}
