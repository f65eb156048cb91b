//! The commands, as the host does them.

use std::sync::Arc;

use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::IncomingStream;
use axum::{Json, Router};
use botyard_kernel::access::{OPERATOR, Scope};
use botyard_kernel::id::TenantId;
use botyard_store::{BackupError, Stamp, StoreError};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use tokio::net::UnixListener;

use super::protocol::{BackupRequest, DeployedVersion, PauseRequest, Paused, Problem};
use super::{channels, letters, probes};
use crate::api::{self, AtSocket};
use crate::app::{App, Rotated};
use crate::clock;
use crate::operations::{Report, Task};
use crate::tenancy::{ChangeError, deployed_versions, kind};
use crate::work::{Pausable, Subject};

/// The commands by their paths.
pub(super) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/deployed", get(deployed))
        .route("/pause", post(pause))
        .route("/resume", post(resume))
        .route("/backup", post(backup))
        .route("/rotate-key", post(rotate_key))
        .route("/dead-letters", get(letters::list))
        .route("/dead-letters/redrive", post(letters::redrive))
        .route("/dead-letters/{part}", get(letters::show))
        .route("/channels/{channel}/samples", get(probes::list))
        .route("/channels/{channel}/probe", get(probes::probes).post(probes::probe))
        .route("/channels/{channel}/capture", post(channels::capture))
        .route("/channels/{channel}/captured", get(channels::captured))
        .merge(api::router(&app).layer(middleware::from_fn(as_operator)))
        .with_state(app)
}

/// Whoever can open the socket is the operator to the management API, too.
async fn as_operator(
    ConnectInfo(Operator(actor)): ConnectInfo<Operator>,
    mut request: Request,
    next: Next,
) -> Response {
    request.extensions_mut().insert(AtSocket(actor));
    next.run(request).await
}

/// Who gives a command, as the system knows them.
#[derive(Clone, Debug)]
pub(super) struct Operator(pub(super) String);

impl Connected<IncomingStream<'_, UnixListener>> for Operator {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        let user = stream.io().peer_cred().map(|peer| peer.uid());
        Self(user.map_or_else(|_| "operator".to_owned(), |user| format!("operator (user {user})")))
    }
}

/// Why a command is not done, as its answer.
pub(super) struct Refused(pub(super) StatusCode, pub(super) String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(Problem { problem: self.1 })).into_response()
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, format!("the store does not do it: {error}"))
    }
}

impl From<ChangeError> for Refused {
    fn from(error: ChangeError) -> Self {
        api::Problem::from(error).into()
    }
}

impl From<api::Problem> for Refused {
    fn from(problem: api::Problem) -> Self {
        let status = StatusCode::from_u16(problem.status);
        Self(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), problem.detail)
    }
}

/// What answers, for whoever prepares an upgrade.
async fn deployed(State(app): State<Arc<App>>) -> Result<Json<Vec<DeployedVersion>>, Refused> {
    let versions = deployed_versions(app.work.store()).await?.into_iter();
    let told = versions.map(|(version, tenant)| DeployedVersion {
        version: version.to_string(),
        tenant: tenant.to_string(),
    });
    Ok(Json(told.collect()))
}

async fn backup(
    State(app): State<Arc<App>>,
    ConnectInfo(Operator(actor)): ConnectInfo<Operator>,
    headers: HeaderMap,
    Json(request): Json<BackupRequest>,
) -> Result<Response, Refused> {
    if !request.into.is_absolute() {
        let problem = "the host may run in another directory: name the whole path".to_owned();
        return Err(Refused(StatusCode::BAD_REQUEST, problem));
    }
    let task = Task::Backup { into: request.into.display().to_string() };
    let (host, stamp) = (Arc::clone(&app), Stamp { at_ms: clock::now(), actor: actor.clone() });
    let work = |report: Arc<Report>| async move {
        report.phase("copying");
        let progress = move |done, total| report.progress(done, Some(total));
        match host.back_up(request.into, &stamp, progress).await {
            Ok(made) => Ok(Some(json!(made))),
            Err(error @ BackupError::NotEmpty(_)) => {
                Err(api::Problem::new(api::Code::InUse, error.to_string()))
            }
            // It is the operator who asks.
            Err(error) => Err(api::Problem::new(api::Code::HostFault, error.to_string())),
        }
    };
    let begun = app.operations.begin(&OPERATOR.into(), task, &actor, work).await?;
    Ok(api::answer(begun, &headers).await?)
}

async fn rotate_key(
    State(app): State<Arc<App>>,
    ConnectInfo(Operator(actor)): ConnectInfo<Operator>,
) -> Result<Json<Rotated>, Refused> {
    let stamp = Stamp { at_ms: clock::now(), actor };
    let rotated = app.rotate_key(&stamp).await;
    let failed = |error| Refused(StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}"));
    rotated.map(Json).map_err(failed)
}

async fn pause(
    State(app): State<Arc<App>>,
    ConnectInfo(Operator(actor)): ConnectInfo<Operator>,
    Json(request): Json<PauseRequest>,
) -> Result<Json<Paused>, Refused> {
    let subject = served(&app, &request).await?;
    let stamp = Stamp { at_ms: clock::now(), actor };
    let pause = app.tenancy.pause(&subject, request.reason, Scope::Operator, &stamp).await?;
    Ok(Json(Paused::from((subject, pause))))
}

async fn resume(
    State(app): State<Arc<App>>,
    ConnectInfo(Operator(actor)): ConnectInfo<Operator>,
    Json(request): Json<PauseRequest>,
) -> Result<Json<Paused>, Refused> {
    let PauseRequest { what, name, .. } = &request;
    let of_tenant =
        |tenant: &TenantId| request.tenant.as_ref().is_none_or(|wanted| wanted == tenant.as_str());
    // Also what the settings do not name any more can go on.
    let mut found = app.work.pauses().into_iter().filter(|(subject, _)| {
        subject.what == *what && subject.name == *name && of_tenant(&subject.tenant)
    });
    let (Some((subject, pause)), more) = (found.next(), found.next()) else {
        served(&app, &request).await?;
        let problem = format!("{} {name} is not paused", what.name());
        return Err(Refused(StatusCode::CONFLICT, problem));
    };
    if more.is_some() {
        return Err(ambiguous(*what, name));
    }
    let stamp = Stamp { at_ms: clock::now(), actor };
    app.tenancy.resume(&subject, Scope::Operator, &stamp).await?;
    Ok(Json(Paused::from((subject, pause))))
}

/// The bot or channel that is meant, among those that this host serves.
async fn served(app: &App, request: &PauseRequest) -> Result<Subject, Refused> {
    let PauseRequest { what, name, tenant, .. } = request;
    let kind = match what {
        Pausable::Bot => kind::BOT,
        Pausable::Channel => kind::CHANNEL,
    };
    let owners = app.tenancy.owners(kind, name).await?;
    let wanted = |id: &TenantId| tenant.as_ref().is_none_or(|wanted| wanted == id.as_str());
    let mut owners = owners.into_iter().filter(wanted);
    match (owners.next(), owners.next()) {
        (Some(tenant), None) => Ok(Subject { what: *what, tenant, name: name.clone() }),
        (Some(_), Some(_)) => Err(ambiguous(*what, name)),
        (None, _) => {
            let (what, of) = (what.name(), tenant.as_ref().map(|id| format!(" of tenant {id}")));
            let problem = format!(
                "there is no {what} {name}{}: look into the settings",
                of.unwrap_or_default()
            );
            Err(Refused(StatusCode::NOT_FOUND, problem))
        }
    }
}

fn ambiguous(what: Pausable, name: &str) -> Refused {
    let what = what.name();
    let problem = format!("several tenants have a {what} {name}: say which with --tenant");
    Refused(StatusCode::CONFLICT, problem)
}
