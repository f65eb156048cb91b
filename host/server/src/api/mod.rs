//! The management API under `/v1`: for operators, tenants and the machines of both. Its
//! description is made of this code.

mod audit;
mod bots;
mod caller;
mod channels;
mod components;
mod conversations;
mod deployments;
mod description;
mod errors;
mod grants;
mod letters;
mod limits;
mod logs;
mod once;
mod operations;
mod page;
mod pauses;
mod people;
mod places;
mod problem;
mod receive;
mod secrets;
mod signals;
pub mod status;
mod storage;
mod tenants;
mod tokens;
mod trials;
mod turns;
mod usage;
mod versions;
mod wit;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use botyard_kernel::limits::Limit;
use http::Method;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::http::doors;
pub use caller::{AtSocket, Caller};
pub(crate) use operations::answer;
pub(crate) use page::{Path, Query};
pub use places::{Place, Places};
pub use problem::{Code, Problem};

/// The API's own paths.
pub fn router(app: &Arc<App>) -> Router<Arc<App>> {
    let apart = app.config.server.management_listen.is_some();
    // Where both are reached at one address, that is this one.
    let webhooks = if apart { app.base_url() } else { HERE.to_owned() };
    let (router, openapi) = described(&webhooks);
    let json = openapi.to_pretty_json().unwrap_or_default();
    router
        .route("/v1/openapi.json", get(move || async move { ([JSON], json) }))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(Arc::clone(app), once::once))
        .layer(middleware::from_fn(to_its_end))
}

/// At most so many bytes of a body, but for components.
const BODY_BYTES_MAX: usize = Limit::ApiBodyBytes.preset_size();
/// A change is made whole, also where whoever asked for it leaves in the middle: what is
/// written is in force as well.
async fn to_its_end(request: Request, next: Next) -> Response {
    if request.method() == Method::GET {
        return next.run(request).await;
    }
    tokio::spawn(next.run(request)).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a request to the management API broke down");
        Problem::new(Code::HostFault, "the host broke down over it: tell its operator")
            .into_response()
    })
}

/// The catalogue of problems alone, for where the rest of the API is not.
pub(crate) fn catalogue() -> Router<Arc<App>> {
    Router::from(errors())
}

/// The address of whatever is described.
const HERE: &str = "/";

const JSON: (http::HeaderName, &str) = (http::header::CONTENT_TYPE, "application/json");

/// The API's description, as JSON.
///
/// # Errors
/// None that is known: everything in it is text.
pub fn openapi() -> Result<String, serde_json::Error> {
    described(HERE).1.to_pretty_json()
}

/// The API's own paths, and the description of all that speaks as it does: what stands beside
/// the webhooks has their address.
fn described(webhooks: &str) -> (Router<Arc<App>>, OpenApi) {
    let (router, mut openapi) = routes().split_for_parts();
    openapi.merge(description::beside_webhooks(doors().into_openapi(), webhooks));
    (router, description::completed(openapi))
}

fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(description::empty())
        .routes(routes!(status::show))
        .routes(routes!(status::release))
        .routes(routes!(tenants::list, tenants::create))
        .routes(routes!(tenants::show, tenants::update, tenants::delete))
        .routes(routes!(usage::hours))
        .routes(routes!(storage::show))
        .routes(routes!(components::component))
        .routes(routes!(signals::bring_signal))
        .routes(routes!(wit::list))
        .routes(routes!(wit::show))
        .routes(routes!(tokens::whoami))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(tokens::rotate))
        .routes(routes!(bots::list))
        .routes(routes!(bots::show, bots::put, bots::delete))
        .routes(routes!(versions::list, versions::upload))
        .routes(routes!(versions::show, versions::delete))
        .routes(routes!(trials::run))
        .routes(routes!(operations::show))
        .routes(routes!(deployments::show, deployments::change))
        .routes(routes!(grants::show, grants::approve, grants::decline))
        .routes(routes!(grants::used))
        .routes(routes!(grants::policy, grants::set_policy))
        .routes(routes!(channels::list))
        .routes(routes!(channels::show, channels::put, channels::delete))
        .routes(routes!(pauses::pause_bot))
        .routes(routes!(pauses::resume_bot))
        .routes(routes!(pauses::pause_channel))
        .routes(routes!(pauses::resume_channel))
        .routes(routes!(channels::list_relays))
        .routes(routes!(channels::put_relay, channels::delete_relay))
        .routes(routes!(secrets::list))
        .routes(routes!(secrets::put, secrets::delete))
        .routes(routes!(conversations::list))
        .routes(routes!(conversations::show))
        .routes(routes!(conversations::turns))
        .routes(routes!(logs::list))
        .routes(routes!(logs::live))
        .routes(routes!(letters::list))
        .routes(routes!(letters::show))
        .routes(routes!(letters::redrive))
        .routes(routes!(people::export, people::erase))
        .routes(routes!(limits::list))
        .routes(routes!(limits::of_tenant))
        .routes(routes!(limits::set))
        .routes(routes!(audit::list))
        .routes(routes!(audit::verify))
        .merge(errors())
}

fn errors() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(errors::list)).routes(routes!(errors::show))
}

#[cfg(test)]
mod tests {
    /// The description that is checked in is what this code says. `BOTYARD_WRITE_DOCS=1`
    /// writes it.
    #[test]
    fn the_description_is_the_checked_in_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        let now = super::openapi().unwrap() + "\n";
        if std::env::var_os("BOTYARD_WRITE_DOCS").is_some() {
            std::fs::write(path, &now).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == now, "host/server/openapi.json is old: BOTYARD_WRITE_DOCS=1 writes it");
    }
}
