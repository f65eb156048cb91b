//! What comes with the same `Idempotency-Key` is done once, however often it is sent.
//!
//! The first answer is kept for a day, sealed: it may hold a token. A key belongs to who
//! shows the token, the method and the path.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use botyard_kernel::access::OPERATOR;
use botyard_kernel::id::{Digest, TenantId};
use botyard_kernel::time::{DAY, MINUTE, Millis};
use botyard_store::TenantStore;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::BODY_BYTES_MAX;
use super::problem::{Code, Problem};
use crate::app::App;
use crate::clock;
use crate::envelope::Sealed;

/// The kind of the notes.
const KIND: &str = "idempotency";
const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const KEY_BYTES_MAX: usize = 200;
const KEPT_MS: Millis = DAY;
/// After so long a request that has no answer yet is taken for one that was cut off.
const UNDER_WAY_MS: Millis = 2 * MINUTE;

/// What is kept of a request.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// What was asked.
    request: Digest,
    /// Since when.
    at_ms: Millis,
    /// What was answered; absent while it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Answer>,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    body: Sealed,
}

/// Does a request with a key once.
pub(super) async fn once(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let component = HeaderValue::from_static("application/wasm");
    let uploads = request.headers().get(CONTENT_TYPE) == Some(&component);
    let key = request.headers().get(HEADER).cloned();
    match key {
        // The same component is the same version anyway.
        Some(key) if request.method() == Method::POST && !uploads => {
            keyed(&app, &key, request, next).await.unwrap_or_else(|problem| problem.into_response())
        }
        Some(_) | None => next.run(request).await,
    }
}

async fn keyed(
    app: &App,
    key: &HeaderValue,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(Problem::bad("an `Idempotency-Key` has 1 to 200 characters"));
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES_MAX).await;
    let body = body.map_err(|_| Problem::new(Code::TooLarge, "a body has at most 1 MiB"))?;
    let who = parts.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    let path = parts.uri.path();
    let name = Digest::of_parts([who, path.as_bytes(), key.as_bytes()]).to_string();
    let asked = Digest::of(&body);
    let store = app.tenancy.store_of(&tenant_of(path));
    if let Some(answer) = earlier(app, &store, &name, asked).await? {
        return Ok(answer);
    }
    let answer = next.run(Request::from_parts(parts, Body::from(body))).await;
    keep(app, &store, &name, asked, answer).await
}

/// The answer to an earlier request with this key; absent where there was none, and now
/// this one is noted.
async fn earlier(
    app: &App,
    store: &TenantStore,
    name: &str,
    asked: Digest,
) -> Result<Option<Response>, Problem> {
    let now = clock::now();
    let fresh = json!(Kept { request: asked, at_ms: now, answer: None });
    let found = store.note_put_new(KIND, name, &fresh, Some(now + KEPT_MS), now).await?;
    let Some(found) = found else { return Ok(None) };
    let Ok(kept) = serde_json::from_value::<Kept>(found) else { return Ok(None) };
    if kept.request != asked {
        let detail = "this key came before with another body: take another key";
        return Err(Problem::new(Code::KeyReused, detail));
    }
    let Some(answer) = kept.answer else {
        if now < kept.at_ms.saturating_add(UNDER_WAY_MS) {
            let detail = "the same request is still under way: send it again in a moment";
            return Err(Problem::new(Code::Unavailable, detail));
        }
        return Ok(None);
    };
    let text = app.work.envelope().open(store.id(), &place(name), &answer.body);
    let text = text.map_err(|error| Problem::new(Code::HostFault, error.to_string()))?;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    Ok(Some(json_answer(status, text.into())))
}

/// Keeps an answer, unless the host is to blame for it: then the same may be asked again.
async fn keep(
    app: &App,
    store: &TenantStore,
    name: &str,
    asked: Digest,
    answer: Response,
) -> Result<Response, Problem> {
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, BODY_BYTES_MAX).await.unwrap_or_default();
    if parts.status.is_server_error() {
        store.note_delete(KIND, name).await?;
    } else {
        let text = String::from_utf8_lossy(&body);
        let sealed = app.work.envelope().seal(store.id(), &place(name), &text);
        let now = clock::now();
        let answer = Answer { status: parts.status.as_u16(), body: sealed };
        let kept = Kept { request: asked, at_ms: now, answer: Some(answer) };
        store.note_put(KIND, name, &json!(kept), Some(now + KEPT_MS)).await?;
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn json_answer(status: StatusCode, body: Bytes) -> Response {
    let problem = status.is_client_error();
    let kind = if problem { "application/problem+json" } else { "application/json" };
    (status, [(CONTENT_TYPE, kind)], body).into_response()
}

/// Whose notes they are: the tenant's that the path names.
fn tenant_of(path: &str) -> TenantId {
    let rest = path.strip_prefix("/v1/tenants/").and_then(|rest| rest.split('/').next());
    rest.filter(|name| !name.is_empty()).unwrap_or(OPERATOR).into()
}

fn place(name: &str) -> String {
    format!("idempotency/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_lie_with_the_tenant_that_a_path_names() {
        let rows = [
            ("/v1/tenants/acme/tokens", "acme"),
            ("/v1/tenants/acme", "acme"),
            ("/v1/tenants", OPERATOR),
            ("/v1/tenants/", OPERATOR),
        ];
        for (path, tenant) in rows {
            assert_eq!(tenant_of(path), tenant.into(), "{path}");
        }
    }
}
