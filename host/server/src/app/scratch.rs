//! A host without listeners on an empty store, for tests of what it does by itself.

use std::fs;
use std::iter;
use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusBuilder;
use tempfile::TempDir;

use super::App;
use crate::config::Config;

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
