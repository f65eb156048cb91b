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

/// The process lives.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The host takes webhooks, with the safety features that are really active.
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Response {
    let store = app.work.reads_store().await;
    let stopping = app.stopping.load(Ordering::Acquire);
    let writes = app.writes();
    let ready = store.is_ok() && writes && !stopping;
    let safety: Vec<_> = app
        .safety()
        .into_iter()
        .map(|SafetyFeature { name, active, detail }| {
            json!({"name": name, "active": active, "detail": detail})
        })
        .collect();
    let body = json!({
        "ready": ready,
        "stopping": stopping,
        "store": match (store, writes) {
            (Ok(()), true) => "ok",
            (Ok(()), false) => "takes no writes since an IO error: restart the host",
            (Err(_), _) => "does not answer: the host's log says why",
        },
        "lanes": app.work.lanes_active(),
        "safety": safety,
    });
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body)).into_response()
}

/// Prometheus' text format.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let text = app.metrics.render();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
