//! What one turn has while it runs: the data of its store.

use std::collections::BTreeMap;
use std::sync::Arc;

use botyard_kernel::session::Seed;
use botyard_kernel::time::Millis;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::cpu::CpuMeter;
use crate::imports::kv::TurnKv;
use crate::imports::log::TurnLog;
use crate::limits::{InstanceLimiter, TierLimits};
use crate::run::BotValues;
use crate::wasi;
use crate::wasi::clock::VirtualClock;
use crate::wasi::http::TurnHttp;
use crate::wasi::random::TurnRandom;

/// Streams, pollables and the like that a bot may hold at the same time.
const HANDLES: usize = 256;

/// What one turn has while it runs.
pub(crate) struct Turn {
    pub(crate) limiter: InstanceLimiter,
    pub(crate) meter: Arc<CpuMeter>,
    pub(crate) log: Arc<TurnLog>,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) kv: TurnKv,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) random: TurnRandom,
    pub(crate) table: ResourceTable,
    pub(crate) http: TurnHttp,
    wasi: Option<WasiCtx>,
}

impl Turn {
    /// A turn of a bot that sees these things besides the event and the session.
    pub(crate) fn new(given: Given, values: Arc<dyn BotValues>, limits: &TierLimits) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES);
        Self {
            limiter: InstanceLimiter::new(limits),
            meter: Arc::default(),
            log: Arc::new(TurnLog::new(limits.log_bytes)),
            config: given.config,
            kv: TurnKv::new(given.conversation_kv, values),
            clock: Arc::new(VirtualClock::at(given.now_ms)),
            random: TurnRandom::new(given.seed),
            table,
            http: TurnHttp::default(),
            wasi: None,
        }
    }
}

/// What a bot can see besides the event and the session.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) conversation_kv: BTreeMap<String, String>,
    pub(crate) now_ms: Millis,
    pub(crate) seed: Seed,
}

impl WasiView for Turn {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        // Many turns never touch what is left of WASI, so it is made when needed.
        let ctx = self.wasi.get_or_insert_with(|| wasi::context(&self.log));
        WasiCtxView { ctx, table: &mut self.table }
    }
}
