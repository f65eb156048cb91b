//! Every URL of the host on one page.

mod answer;
mod asked;
mod body;
mod captured;
pub mod client;
mod connection;
mod damaged;
mod desk;
mod doors;
mod health;
mod hooks;
mod reading;
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

pub(crate) use body::read;
pub use connection::ConnectionInfo;
pub(crate) use damaged::is_damaged;
pub(crate) use doors::doors;
pub(crate) use health::{Readiness, readiness};
pub use reading::Reading;
pub use serve::{Limits, serve};
pub(crate) use signals::{Signal, bring};
pub(crate) use token::{KEY_BYTES_MAX, idempotency_key};

use crate::api;
use crate::app::App;
use crate::console;

/// A part of the host's URLs, which may have a listener of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// What the world talks to: vendors' webhooks, external bots, tenants' own systems,
    /// humans at the desk.
    Webhooks,
    /// The management API and its page.
    Management,
    /// What the host has counted.
    Metrics,
}

/// The URLs of these faces. How the host is can be asked at each of them.
pub fn router(app: Arc<App>, faces: &[Face]) -> Router {
    let health =
        Router::new().route("/healthz", get(health::healthz)).route("/readyz", get(health::readyz));
    let all = faces.iter().fold(health.layer(map_response(inert)), |router, face| {
        router.merge(match face {
            Face::Webhooks => {
                let apart = !faces.contains(&Face::Management);
                // What is refused there names a page of the catalogue.
                let catalogue = apart.then(api::catalogue).unwrap_or_default();
                webhooks().merge(catalogue).layer(map_response(inert))
            }
            // The pages of the console say themselves what they may do.
            Face::Management => {
                api::router(&app).layer(map_response(inert)).merge(console::router())
            }
            Face::Metrics => {
                Router::new().route("/metrics", get(health::metrics)).layer(map_response(inert))
            }
        })
    });
    // Handlers read bodies themselves, with the limit of the configuration.
    all.layer(DefaultBodyLimit::disable()).layer(CatchPanicLayer::new()).with_state(app)
}

fn webhooks() -> Router<Arc<App>> {
    Router::new()
        .route("/webhooks/{channel}", any(hooks::bare))
        .route("/webhooks/{channel}/{*rest}", any(hooks::with_rest))
        .route("/relays/{channel}/{conversation}/{tag}", post(relays::spoke))
        .merge(Router::from(doors()))
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
