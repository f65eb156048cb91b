//! Every URL of the host on one page.

mod answer;
mod asked;
mod body;
mod captured;
pub mod client;
mod connection;
mod damaged;
mod desk;
mod health;
mod hooks;
mod relays;
mod serve;
mod signals;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{any, get, post};
use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use tower_http::catch_panic::CatchPanicLayer;

pub use connection::ConnectionInfo;
pub(crate) use damaged::is_damaged;
pub(crate) use health::store_health;
pub use serve::{Limits, serve};

use crate::api;
use crate::app::App;
use crate::console;

/// The host's URLs.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/webhooks/{channel}", any(hooks::bare))
        .route("/webhooks/{channel}/{*rest}", any(hooks::with_rest))
        .route("/relays/{channel}/{conversation}/{tag}", post(relays::spoke))
        .route("/v1/channels/{channel}/conversations/{conversation}/signals", post(signals::signal))
        .nest("/v1/channels/{channel}/desk", desk())
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .merge(api::router(&app))
        .layer(map_response(inert))
        // Its pages say themselves what they may do.
        .merge(console::router())
        // Handlers read bodies themselves, with the limit of the configuration.
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::new())
        .with_state(app)
}

/// Whatever a browser is shown of these answers, it runs none of it: they may repeat what
/// strangers have sent, and stand beside the console.
async fn inert(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// Where humans read and answer.
fn desk() -> Router<Arc<App>> {
    Router::new()
        .route("/conversations", get(desk::list))
        .route("/conversations/{conversation}/messages", get(desk::messages))
        .route("/conversations/{conversation}/replies", post(desk::reply))
        .route("/conversations/{conversation}/take", post(desk::take))
        .route("/conversations/{conversation}/return", post(desk::give_back))
}
