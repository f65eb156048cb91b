//! Work that takes long: it is begun, answered with 202, and says how far it is.

use std::sync::{Arc, LazyLock};

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use botyard_kernel::access::Permission;
use botyard_kernel::id::{BotId, TenantId};
use botyard_kernel::time::{DAY, Millis};
use botyard_runtime::{Phase, Upload};
use botyard_store::{Stamp, StoreError, TenantStore};
use http::header::{HeaderName, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use utoipa::ToSchema;

use super::caller::{Allowed, OfTenant};
use super::page::Json;
use super::places::Place;
use super::problem::{Code, Problem};
use crate::app::App;
use crate::clock;
use crate::tenancy::Tenancy;

/// The kind of the notes.
const KIND: &str = "operation";
/// An operation can be asked for so long.
const KEPT_MS: Millis = DAY;
const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const ASYNCHRONOUS: &str = "respond-async";

/// This run of the host: what an earlier one had begun does not go on.
static RUN: LazyLock<u64> = LazyLock::new(rand::random);

/// Something that takes long.
#[derive(Serialize, ToSchema)]
pub(super) struct Operation {
    /// Its name.
    id: String,
    /// The bot that a version was uploaded for.
    #[schema(value_type = String)]
    bot: BotId,
    /// The digest of the version.
    version: String,
    /// `waiting`, `checking`, `compiling`, `rehearsing`; at its end `done` or `failed`.
    phase: String,
    started_ms: Millis,
    /// When the phase began.
    changed_ms: Millis,
    /// Why it has failed, as the upload would have been answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    problem: Option<Value>,
}

/// What is kept of an operation.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    bot: BotId,
    version: String,
    phase: String,
    started_ms: Millis,
    changed_ms: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem: Option<Value>,
    run: u64,
}

/// How far something is that was answered with 202. It can be asked for a day.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/operations/{id}", tag = "operations",
    params(("tenant" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Operation), (status = "4XX", body = Problem)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    of: OfTenant,
    Path((tenant, id)): Path<(TenantId, String)>,
) -> Result<Json<Operation>, Problem> {
    let found = app.tenancy.store_of(&tenant).note_get(KIND, &id, clock::now()).await?;
    let kept = found.and_then(|found| serde_json::from_value::<Kept>(found).ok());
    // Whoever may not see the tenant is not told whether there is one.
    of.may(Permission::ReadObjects, kept.as_ref().map(|kept| &kept.bot))?;
    Ok(Json(kept.ok_or_else(Problem::not_found)?.shown(id)))
}

/// Whether a request asks to be answered before it is done (RFC 7240).
pub(super) fn is_asked_for(headers: &HeaderMap) -> bool {
    let preferences = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let mut preferences = preferences.flat_map(|value| value.split([',', ';']));
    preferences.any(|preference| preference.trim().eq_ignore_ascii_case(ASYNCHRONOUS))
}

/// Goes on with an upload and answers at once where its progress can be asked for.
pub(super) async fn begin(
    allowed: &Allowed,
    bot: &BotId,
    upload: Upload,
    place: Place,
) -> Result<Response, Problem> {
    let (id, now) = (format!("op_{:032x}", rand::random::<u128>()), clock::now());
    let kept = Kept {
        bot: bot.clone(),
        version: upload.digest().to_string(),
        phase: word(Phase::Waiting),
        started_ms: now,
        changed_ms: now,
        problem: None,
        run: *RUN,
    };
    let store = allowed.tenancy().store_of(&allowed.tenant);
    put(&store, &id, &kept).await?;
    let work = Uploading { tenancy: Arc::clone(allowed.tenancy()), store, id: id.clone(), upload };
    tokio::spawn(work.run(kept.clone(), allowed.stamp.clone(), place));
    let location = format!("/v1/tenants/{}/operations/{id}", allowed.tenant);
    let location = HeaderValue::try_from(location).map_err(|_| Problem::not_found())?;
    let headers =
        [(LOCATION, location), (PREFERENCE_APPLIED, HeaderValue::from_static(ASYNCHRONOUS))];
    Ok((StatusCode::ACCEPTED, headers, Json(kept.shown(id))).into_response())
}

/// An upload that nobody waits for.
struct Uploading {
    tenancy: Arc<Tenancy>,
    store: TenantStore,
    id: String,
    upload: Upload,
}

impl Uploading {
    async fn run(self, mut kept: Kept, stamp: Stamp, place: Place) {
        let (tell, mut told) = mpsc::unbounded_channel();
        let work = async {
            // Whoever listens does so to the end.
            let progress = move |phase| {
                let _ = tell.send(phase);
            };
            let (tenant, bot) = (self.store.id().clone(), kept.bot.clone());
            self.tenancy.upload(&tenant, &bot, &self.upload, &stamp, &progress).await
        };
        let mut begun = kept.clone();
        let note = async {
            while let Some(phase) = told.recv().await {
                begun.phase = word(phase);
                self.note(&mut begun).await;
            }
        };
        let (done, ()) = tokio::join!(work, note);
        match done {
            Ok(_) => "done".clone_into(&mut kept.phase),
            Err(error) => {
                "failed".clone_into(&mut kept.phase);
                kept.problem = Some(json!(Problem::from(error)));
            }
        }
        self.note(&mut kept).await;
        drop(place);
    }

    /// An operation that cannot be written down is done all the same.
    async fn note(&self, kept: &mut Kept) {
        kept.changed_ms = clock::now();
        if let Err(error) = put(&self.store, &self.id, kept).await {
            tracing::warn!(tenant = %self.store.id(), id = self.id, %error, "an operation cannot be noted");
        }
    }
}

async fn put(store: &TenantStore, id: &str, kept: &Kept) -> Result<(), StoreError> {
    store.note_put(KIND, id, &json!(kept), Some(kept.started_ms + KEPT_MS)).await
}

impl Kept {
    fn shown(self, id: String) -> Operation {
        let Self { bot, version, mut phase, started_ms, changed_ms, mut problem, run } = self;
        if run != *RUN && !matches!(phase.as_str(), "done" | "failed") {
            "failed".clone_into(&mut phase);
            let detail = "the host was started anew meanwhile: send the same again";
            problem = Some(json!(Problem::new(Code::Unavailable, detail)));
        }
        Operation { id, bot, version, phase, started_ms, changed_ms, problem }
    }
}

fn word(phase: Phase) -> String {
    let word = match phase {
        Phase::Waiting => "waiting",
        Phase::Checking => "checking",
        Phase::Compiling => "compiling",
        Phase::Rehearsing => "rehearsing",
    };
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preference_is_found_among_others() {
        let rows = [
            (&["respond-async"][..], true),
            (&["wait=5", "Respond-Async; foo=bar"], true),
            (&["handling=lenient, respond-async"], true),
            (&["respond-asynchronously"], false),
            (&[], false),
        ];
        for (values, asked) in rows {
            let values = values.iter().map(|value| (PREFER, HeaderValue::from_static(value)));
            let mut headers = HeaderMap::new();
            for (name, value) in values {
                headers.append(name, value);
            }
            assert_eq!(is_asked_for(&headers), asked, "{headers:?}");
        }
    }

    #[test]
    fn what_an_earlier_run_had_begun_has_failed() {
        let kept = |phase: &str, run| Kept {
            bot: BotId::from("bot"),
            version: String::new(),
            phase: phase.to_owned(),
            started_ms: 1,
            changed_ms: 2,
            problem: None,
            run,
        };
        let rows = [
            ("compiling", *RUN, "compiling"),
            ("compiling", *RUN ^ 1, "failed"),
            ("done", *RUN ^ 1, "done"),
        ];
        for (phase, run, expected) in rows {
            let shown = kept(phase, run).shown("op".to_owned());
            assert_eq!(shown.phase, expected);
            assert_eq!(shown.problem.is_some(), expected == "failed");
        }
    }
}
