//! A host without listeners on an empty store, for tests of what it does by itself.

use std::fs;
use std::iter;
use std::sync::Arc;

use botyard_kernel::access::Scope;
use botyard_kernel::id::TenantId;
use botyard_kernel::log::{Conversation, Outcome, Turn};
use botyard_store::Stamp;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::App;
use crate::clock;
use crate::config::Config;
use crate::tenancy::TenantRecord;

/// A host with these settings, and where it keeps everything.
pub(crate) async fn scratch(settings: &str) -> (Arc<App>, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("botyard.toml");
    let store = format!("[store]\ndirectory = {:?}\n", directory.path());
    fs::write(&file, format!("{store}{settings}")).unwrap();
    let config = Config::load(Some(&file), iter::empty()).unwrap();
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    (Arc::new(App::start(config, metrics).await.unwrap()), directory)
}

/// Whoever changes something in a test.
pub(crate) fn stamp() -> Stamp {
    Stamp { at_ms: clock::now(), actor: "test".to_owned() }
}

/// A tenant with these settings.
pub(crate) async fn tenant(app: &App, name: &str, settings: Value) {
    let record = TenantRecord { settings, ..TenantRecord::default() };
    app.tenancy.create_tenant(&name.into(), record, &stamp()).await.unwrap();
}

/// A tenant that hears of its alerts at this address, which is its secret `owner`.
pub(crate) async fn told_at(app: &App, name: &str, url: &str) {
    tenant(app, name, json!({})).await;
    let name = TenantId::from(name);
    app.tenancy.put_secret(&name, "owner", url, &stamp()).await.unwrap();
    let settings = Some(json!({"alert-url": {"secret": "owner"}}));
    app.tenancy.put_tenant(&name, (None, settings), Scope::Operator, &stamp()).await.unwrap();
}

/// The first turn of a conversation, which came to this.
pub(crate) fn turn(outcome: Outcome) -> Turn {
    Turn {
        id: "t".into(),
        previous: 0,
        base: 0,
        watermark: 0,
        fused: None,
        event: "e".into(),
        outcome,
        log: Vec::new(),
        bot: "bot".into(),
        bot_writes: Vec::new(),
        state: Conversation::default(),
        due_ms: None,
        human_ms: None,
    }
}
