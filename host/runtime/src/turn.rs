//! What one turn has while it runs: the data of its store.

use std::collections::BTreeMap;
use std::sync::Arc;

use botyard_kernel::id::Digest;
use botyard_kernel::log::Call;
use botyard_kernel::session::Seed;
use botyard_kernel::time::Millis;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::cpu::CpuMeter;
use crate::imports::http::TurnCalls;
use crate::imports::kv::TurnKv;
use crate::imports::log::TurnLog;
use crate::limits::{InstanceLimiter, TurnLimits};
use crate::services::Services;
use crate::wall::Wall;
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
    pub(crate) calls: TurnCalls,
    pub(crate) wall: Arc<Wall>,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) random: TurnRandom,
    pub(crate) table: ResourceTable,
    pub(crate) http: TurnHttp,
    wasi: Option<WasiCtx>,
}

impl Turn {
    /// A turn of a bot that sees these things besides the event and the session.
    pub(crate) fn new(given: Given, services: Services, limits: &TurnLimits) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES);
        let Services { values, http } = services;
        let wall = Wall::start(limits);
        let kv = TurnKv::new(given.conversation_kv, values, &given.calls);
        let calls = TurnCalls::new(http, given.version, given.calls, Arc::clone(&wall));
        Self {
            limiter: InstanceLimiter::new(&limits.tier),
            meter: Arc::default(),
            log: Arc::new(TurnLog::new(limits.tier.log_bytes)),
            config: given.config,
            kv,
            calls,
            wall,
            clock: Arc::new(VirtualClock::at(given.now_ms)),
            random: TurnRandom::new(given.seed),
            table,
            http: TurnHttp::default(),
            wasi: None,
        }
    }
}

/// What a bot can see besides the event and the session.
pub(crate) struct Given {
    pub(crate) version: Digest,
    pub(crate) calls: Vec<Call>,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) conversation_kv: BTreeMap<String, String>,
    pub(crate) now_ms: Millis,
    pub(crate) seed: Seed,
}

impl Given {
    /// Nothing at all, for an instance that handles no event.
    pub(crate) fn nothing() -> Self {
        Self {
            version: Digest::of(b""),
            calls: Vec::new(),
            config: BTreeMap::new(),
            conversation_kv: BTreeMap::new(),
            now_ms: 0,
            seed: Seed::default(),
        }
    }
}

impl WasiView for Turn {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        // Many turns never touch what is left of WASI, so it is made when needed.
        let ctx = self.wasi.get_or_insert_with(|| wasi::context(&self.log));
        WasiCtxView { ctx, table: &mut self.table }
    }
}
