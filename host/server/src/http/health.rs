//! What operators' machines ask.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use botyard_runtime::SafetyFeature;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::json;

use crate::app::App;

const STORE_OK: &str = "ok";

/// The process lives.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The host takes webhooks, with the safety features that are really active. Anybody may
/// ask, so what was found in detail is in the operator's `status` only.
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Response {
    let Readiness { ready, stopping, store } = readiness(&app).await;
    let safety: Vec<_> = app
        .safety()
        .into_iter()
        .map(|SafetyFeature { name, active, .. }| json!({"name": name, "active": active}))
        .collect();
    let inactive = safety.iter().filter(|feature| feature["active"] == false).count();
    let body = json!({
        "ready": ready,
        "stopping": stopping,
        "store": store,
        "lanes": app.work.lanes_active(),
        "safety_inactive": inactive,
        "safety": safety,
    });
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body)).into_response()
}

/// Whether a host takes webhooks.
pub(crate) struct Readiness {
    pub(crate) ready: bool,
    pub(crate) stopping: bool,
    /// `ok`, or what is wrong with the store and what to do.
    pub(crate) store: &'static str,
}

/// Whether the host takes webhooks now.
pub(crate) async fn readiness(app: &App) -> Readiness {
    let (store, stopping) = (store_health(app).await, app.stopping.load(Ordering::Acquire));
    Readiness { ready: store == STORE_OK && !stopping, stopping, store }
}

async fn store_health(app: &App) -> &'static str {
    match (app.work.reads_store().await, app.writes()) {
        (Ok(()), true) => STORE_OK,
        (Ok(()), false) => "takes no writes since an IO error: restart the host",
        (Err(_), _) => "does not answer: the host's log says why",
    }
}

/// Prometheus' text format.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let text = app.metrics.render();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
