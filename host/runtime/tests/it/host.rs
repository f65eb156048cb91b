//! A runtime with a component and an event at hand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use botyard_kernel::action::Action;
use botyard_kernel::event::{Event, EventBody, Message, TextFormat};
use botyard_kernel::id::TenantId;
use botyard_kernel::run::{RunFailure, RunInput, RunOutput};
use botyard_kernel::session::{Facts, Seed, Session};
use botyard_runtime::{
    BotValues, CompileCommand, LoadError, Runtime, RuntimeConfig, Services, Version,
};

/// A moment that no clock shows by accident: 2001-09-09T01:46:40Z.
pub(crate) const NOW_MS: u64 = 1_000_000_000_000;

/// CPU time of a turn in the tests; what a spinning bot gets by default has a test of its own.
const CPU: Duration = Duration::from_millis(500);

/// A runtime, and the directory that goes with it.
pub(crate) struct Host {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) directory: tempfile::TempDir,
}

impl Host {
    /// A runtime with the default limits but that of CPU time, in a directory of its own.
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// A runtime with other settings.
    pub(crate) fn start_with(change: impl FnOnce(&mut RuntimeConfig)) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut config = config(directory.path());
        change(&mut config);
        Self { runtime: Runtime::new(config).expect("a runtime"), directory }
    }

    /// Loads a component of `plugins/`.
    pub(crate) async fn load(&self, plugin: &str) -> Version {
        load(&self.runtime, &component(plugin)).await.expect("the plugin loads")
    }

    /// Lets the hostile bot handle a message.
    pub(crate) async fn hostile(&self, text: &str) -> RunOutput {
        let version = self.load("hostile").await;
        self.run(&version, input(text), Arc::new(Values::default())).await
    }

    /// Runs a version once.
    pub(crate) async fn run(
        &self,
        version: &Version,
        input: RunInput,
        values: Arc<dyn BotValues>,
    ) -> RunOutput {
        self.run_with(version, input, Services { values, ..Services::default() }).await
    }

    /// Runs a version once, with more than values around it.
    pub(crate) async fn run_with(
        &self,
        version: &Version,
        input: RunInput,
        services: Services,
    ) -> RunOutput {
        let permit = self.runtime.permit(version, &TenantId::from("tenant")).await;
        self.runtime.run(version, permit, input, services).await
    }
}

/// Loads a component for a tenant.
pub(crate) async fn load(runtime: &Arc<Runtime>, wasm: &[u8]) -> Result<Version, LoadError> {
    runtime.load(wasm, &TenantId::from("tenant"), &|_| {}).await
}

/// The default settings, patience, few slots and this crate's own compiler.
pub(crate) fn config(directory: &Path) -> RuntimeConfig {
    let compiler =
        CompileCommand::new(env!("CARGO_BIN_EXE_botyard-compile"), std::iter::empty::<&str>());
    let mut config = RuntimeConfig::new(directory.join("artefacts"), [7; 32], compiler);
    config.native.slots = 8;
    config.interpreted.slots = 2;
    config.guest_threads = 2;
    // Tests run beside others on small machines, where the same work costs several times the
    // CPU time: what breaks another limit has to reach that one first.
    config.native.limits.cpu = CPU;
    config.native.limits.wall = Duration::from_secs(20);
    config.interpreted.limits.wall = Duration::from_secs(20);
    config
}

/// A component of `plugins/`, as `cargo xtask plugins` builds it.
pub(crate) fn component(plugin: &str) -> Vec<u8> {
    built(&format!("wasm32-wasip2/plugin/botyard_plugin_{plugin}.wasm"))
}

/// A JavaScript or Python component of `plugins/`.
pub(crate) fn interpreted(plugin: &str) -> Vec<u8> {
    built(&format!("plugins/{plugin}.wasm"))
}

fn built(path: &str) -> Vec<u8> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    let path = target.join(path);
    std::fs::read(&path).unwrap_or_else(|error| {
        panic!("{} cannot be read ({error}): run `cargo xtask plugins` first", path.display())
    })
}

/// A message in a conversation.
pub(crate) fn input(text: &str) -> RunInput {
    let message = Message { text: text.to_owned(), format: TextFormat::Plain };
    RunInput {
        event: Event {
            id: "event".into(),
            received_ms: NOW_MS,
            vendor_ms: None,
            raw: None,
            body: EventBody::Message(message),
        },
        session: session(),
        conversation_kv: BTreeMap::new(),
        config: BTreeMap::new(),
        calls: Vec::new(),
    }
}

fn session() -> Session {
    Session {
        id: "session".into(),
        conversation: "cid".to_owned(),
        channel: "shop".into(),
        vendor: "userlike".to_owned(),
        facts: Facts { medium: "web".to_owned(), ..Facts::default() },
        context: "{}".to_owned(),
        context_by: None,
        skipped: Vec::new(),
        started_ms: NOW_MS,
        turn: 3,
        now_ms: NOW_MS,
        seed: Seed([11, 22, 33, 44]),
        profile: Vec::new(),
    }
}

/// The bot's values: these, or a failure.
#[derive(Default)]
pub(crate) struct Values(pub(crate) BTreeMap<String, String>);

#[async_trait]
impl BotValues for Values {
    async fn get(&self, key: &str) -> anyhow::Result<Option<String>> {
        Ok(self.0.get(key).cloned())
    }
}

/// Memory of this process that no file backs, in bytes.
pub(crate) fn own_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.expect("the kernel counts it") << 10
}

/// The text of the only action.
pub(crate) fn text(output: &RunOutput) -> &str {
    match output.result.as_deref() {
        Ok([Action::Message(message)]) => &message.text,
        other => panic!("one message was expected, not {other:?}"),
    }
}

/// The failure of a run.
pub(crate) fn failure(output: &RunOutput) -> &RunFailure {
    output.result.as_ref().expect_err("the run should have failed")
}
