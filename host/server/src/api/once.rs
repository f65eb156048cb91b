//! What comes with the same `Idempotency-Key` is done once, however often it is sent. Only
//! where the host dies between a change and keeping its answer, the same is done again when
//! it comes after two minutes: what is changed and what is noted are two writes.
//!
//! The first answer is kept for a day, sealed: it may hold a token. A key belongs to who
//! asks, the path and the tenant. Who asks is known before anything is noted, each time
//! anew: whoever may do nothing here leaves no trace and is told nothing that was kept.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts as _, MatchedPath, Path, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use botyard_kernel::access::OPERATOR;
use botyard_kernel::id::{Digest, TenantId};
use botyard_kernel::limits::{Limit, Limits};
use botyard_kernel::time::{DAY, MINUTE, Millis};
use botyard_store::{NotesSize, StoreError, TenantStore};
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::caller::Caller;
use super::page::whole;
use super::problem::{Code, Problem};
use crate::app::App;
use crate::clock;
use crate::envelope::{Envelope, Sealed};
use crate::http::KEY_BYTES_MAX;
use crate::tenancy::ChangeError;

/// The kind of the notes.
const KIND: &str = "idempotency";
const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// The header, as the description has it.
pub(super) const HEADER_NAME: &str = "Idempotency-Key";
/// Where components are uploaded: the same component is the same version anyway.
pub(super) const UPLOADS: &str = "/v1/tenants/{tenant}/bots/{bot}/versions";
/// Where signals come in: the log of their conversation has the key, as exactly and as long.
pub(super) const SIGNALS: &str =
    "/v1/tenants/{tenant}/channels/{channel}/conversations/{conversation}/signals";
const KEPT_MS: Millis = DAY;
/// After so long a request that has no answer yet is taken for one that was cut off.
const UNDER_WAY_MS: Millis = 2 * MINUTE;
/// Who has too many keys looks again after so many seconds at the latest.
const RETRY_AFTER_MAX_S: u64 = 3_600;

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
    /// It was done, and its answer was too large to be kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    too_large: bool,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    body: Sealed,
}

/// Where the answer to one request lies.
struct Note<'a> {
    envelope: &'a Envelope,
    store: TenantStore,
    name: String,
    asked: Digest,
    limits: Arc<Limits>,
}

/// Whether the answer to a `POST` to this route is kept by its key.
pub(super) fn keeps(route: &str) -> bool {
    ![UPLOADS, SIGNALS].contains(&route)
}

/// Does a request with a key once.
pub(super) async fn once(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    // By the route: the content type is whatever a client makes of a component.
    let route = request.extensions().get::<MatchedPath>();
    let kept = request.method() == Method::POST && route.is_none_or(|route| keeps(route.as_str()));
    let key = request.headers().get(HEADER).cloned();
    match key {
        Some(key) if kept => {
            keyed(&app, &key, request, next).await.unwrap_or_else(|problem| problem.into_response())
        }
        Some(_) | None => next.run(request).await,
    }
}

async fn keyed(
    app: &Arc<App>,
    key: &HeaderValue,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, app).await?;
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(Problem::bad("an `Idempotency-Key` has 1 to 200 characters"));
    }
    let Some(tenant) = reached(app, &caller, &mut parts).await? else {
        return Ok(next.run(Request::from_parts(parts, body)).await);
    };
    let body = whole(app, body).await?;
    // Nobody can show the socket's door as a token, or the other way round.
    let who = match &caller.token {
        Some(id) => ["token", id.as_str()],
        None => ["socket", caller.actor.as_str()],
    };
    let path = parts.uri.path().as_bytes();
    let name = [who[0].as_bytes(), who[1].as_bytes(), path, key.as_bytes()];
    let note = Note {
        envelope: app.work.envelope(),
        store: app.tenancy.store_of(&tenant),
        name: Digest::of_parts(name).to_string(),
        asked: Digest::of(&body),
        limits: app.work.quotas().limits(&tenant),
    };
    if let Some(answer) = note.earlier(clock::now()).await? {
        return Ok(answer);
    }
    let answer = next.run(Request::from_parts(parts, Body::from(body))).await;
    note.keep(answer).await
}

/// The tenant that a path names, or the host's own; absent where it is not there, or not
/// for this caller: whoever handles the request says so.
async fn reached(
    app: &Arc<App>,
    caller: &Caller,
    parts: &mut Parts,
) -> Result<Option<TenantId>, Problem> {
    let path = Path::<HashMap<String, String>>::from_request_parts(parts, app).await;
    let Path(mut path) = path.map_err(|error| Problem::bad(error.body_text()))?;
    let tenant = path.remove("tenant").map_or_else(|| OPERATOR.into(), TenantId);
    if caller.grant.tenant.as_ref().is_some_and(|own| *own != tenant) {
        return Ok(None);
    }
    match app.tenancy.tenant(&tenant).await {
        Ok(_) => Ok(Some(tenant)),
        Err(ChangeError::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Note<'_> {
    /// The answer to an earlier request with this key; absent where there was none, and
    /// now this one is noted.
    async fn earlier(&self, now: Millis) -> Result<Option<Response>, Problem> {
        let (fresh, until) = (json!(self.kept(now)), Some(now + KEPT_MS));
        let found = self.store.note_put_new(KIND, &self.name, &fresh, until, now).await?;
        let Some(found) = found else {
            let room = self.room(now).await;
            if room.is_err() {
                // Nothing is under way with this key.
                self.store.note_delete(KIND, &self.name).await?;
            }
            return room.map(|()| None);
        };
        let kept: Kept = serde_json::from_value(found).map_err(fault)?;
        if kept.request != self.asked {
            let detail = "this key came before with another body: take another key";
            return Err(Problem::new(Code::KeyReused, detail));
        }
        if kept.too_large {
            let detail = "the same request was done before: look at what it has changed";
            return Err(Problem::new(Code::AnswerNotKept, detail));
        }
        let Some(answer) = kept.answer else {
            return self.take_over(kept.at_ms, now).await.map(|()| None);
        };
        let text = self.envelope.open(self.store.id(), &self.place(), &answer.body);
        let text = text.map_err(fault)?;
        let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
        Ok(Some(json_answer(status, text.into())))
    }

    /// Whether there is room for this note among the tenant's. An earlier one is never taken
    /// away for it: what it stands for would be done again.
    async fn room(&self, now: Millis) -> Result<(), Problem> {
        let NotesSize { count, bytes, ends_ms } = self.store.note_size(KIND).await?;
        let ends_in_s = ends_ms.map(|ends_ms| ends_ms.saturating_sub(now).div_ceil(1_000));
        let after = ends_in_s.map(|seconds| seconds.clamp(1, RETRY_AFTER_MAX_S));
        // This one is among them.
        let enough = self.limits.check(Limit::IdempotencyKeys, (count.saturating_sub(1), 1), after);
        let enough =
            enough.and_then(|()| self.limits.check(Limit::IdempotencyBytes, (bytes, 0), after));
        if let Err(exceeded) = enough {
            let problem = Problem::new(Code::OverLimit, format!("{exceeded}; or send no key"));
            return Err(problem.after(after.unwrap_or(RETRY_AFTER_MAX_S)));
        }
        Ok(())
    }

    /// Goes on in the place of a request that was cut off: of many at once exactly one.
    async fn take_over(&self, since_ms: Millis, now: Millis) -> Result<(), Problem> {
        let under_way = || {
            let detail = "the same request is still under way: send it again in a moment";
            Problem::new(Code::Unavailable, detail)
        };
        if now < since_ms.saturating_add(UNDER_WAY_MS) {
            return Err(under_way());
        }
        let claim = Digest::of_parts([self.name.as_bytes(), &since_ms.to_be_bytes()]).to_string();
        let until = Some(now + UNDER_WAY_MS);
        if self.store.note_put_new(KIND, &claim, &json!({}), until, now).await?.is_some() {
            return Err(under_way());
        }
        let fresh = json!(self.kept(now));
        self.store.note_put(KIND, &self.name, &fresh, Some(now + KEPT_MS)).await?;
        Ok(())
    }

    /// Keeps an answer, unless the same may be asked again: where the host is to blame for
    /// it, or where whoever asks gets another right meanwhile.
    async fn keep(&self, answer: Response) -> Result<Response, Problem> {
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.map_err(fault)?;
        let again = [
            StatusCode::UNAUTHORIZED,
            StatusCode::FORBIDDEN,
            StatusCode::NOT_FOUND,
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::TOO_MANY_REQUESTS,
        ];
        let kept = if parts.status.is_server_error() || again.contains(&parts.status) {
            self.store.note_delete(KIND, &self.name).await.map(drop)
        } else {
            self.keep_answer(parts.status, &body).await
        };
        if let Err(error) = kept {
            // It is done: whoever asked is to know.
            tracing::error!(%error, "an answer is not kept for its idempotency key");
        }
        Ok(Response::from_parts(parts, Body::from(body)))
    }

    async fn keep_answer(&self, status: StatusCode, body: &[u8]) -> Result<(), StoreError> {
        let text = String::from_utf8_lossy(body);
        let sealed = self.envelope.seal(self.store.id(), &self.place(), &text);
        let now = clock::now();
        let answer = Answer { status: status.as_u16(), body: sealed };
        let whole = Kept { answer: Some(answer), ..self.kept(now) };
        let until = Some(now + KEPT_MS);
        match self.store.note_put(KIND, &self.name, &json!(whole), until).await {
            Err(StoreError::TooLarge { .. }) => {
                let short = Kept { too_large: true, ..self.kept(now) };
                self.store.note_put(KIND, &self.name, &json!(short), until).await
            }
            other => other,
        }
    }

    fn kept(&self, at_ms: Millis) -> Kept {
        Kept { request: self.asked, at_ms, answer: None, too_large: false }
    }

    fn place(&self) -> String {
        format!("idempotency/{}", self.name)
    }
}

fn fault(error: impl std::fmt::Display) -> Problem {
    Problem::new(Code::HostFault, error.to_string())
}

fn json_answer(status: StatusCode, body: Bytes) -> Response {
    let problem = status.is_client_error();
    let kind = if problem { "application/problem+json" } else { "application/json" };
    (status, [(CONTENT_TYPE, kind)], body).into_response()
}

#[cfg(test)]
mod tests {
    use botyard_store::MemoryStore;

    use super::*;
    use crate::envelope::HostKey;

    fn note<'a>(envelope: &'a Envelope, memory: &MemoryStore) -> Note<'a> {
        let store = memory.store().tenant(&"acme".into());
        let limits = Arc::new(Limits::default());
        Note { envelope, store, name: "n".to_owned(), asked: Digest::of(b"{}"), limits }
    }

    #[tokio::test]
    async fn who_has_too_many_keys_is_refused_another_and_keeps_those_that_there_are() {
        let (envelope, memory) = (Envelope::new(HostKey::new([7; 32]), []), MemoryStore::new());
        let limited = |name: &str, limit: Limit, most: u64| {
            let limits = Limits { tenant: [(limit, most)].into(), ..Limits::default() };
            let (name, limits) = (name.to_owned(), Arc::new(limits));
            Note { name, limits, ..note(&envelope, &memory) }
        };
        let first = limited("first", Limit::IdempotencyKeys, 1);
        assert!(first.earlier(1_000).await.unwrap().is_none());
        let made = (StatusCode::CREATED, "x".repeat(5_000)).into_response();
        first.keep(made).await.unwrap();
        for (limit, most) in [(Limit::IdempotencyKeys, 1), (Limit::IdempotencyBytes, 5_000)] {
            let second = limited("second", limit, most);
            let refused = second.earlier(clock::now()).await.unwrap_err();
            assert_eq!((refused.status, refused.code), (429, "over-limit"));
            assert!(refused.detail.contains(&format!("`{limit}` is {most}")), "{}", refused.detail);
            assert_eq!(refused.retry_after_s, Some(RETRY_AFTER_MAX_S));
            let again = first.earlier(clock::now()).await.unwrap().unwrap();
            assert_eq!(again.status(), StatusCode::CREATED, "it is still done once");
        }
        // Nothing is left of what was refused.
        let second = limited("second", Limit::IdempotencyKeys, 2);
        assert!(second.earlier(clock::now()).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_request_that_was_cut_off_is_taken_over_by_one_alone() {
        let (envelope, memory) = (Envelope::new(HostKey::new([7; 32]), []), MemoryStore::new());
        let note = note(&envelope, &memory);
        assert!(note.earlier(1_000).await.unwrap().is_none());
        assert_eq!(note.earlier(1_000 + UNDER_WAY_MS - 1).await.unwrap_err().status, 503);
        let late = 1_000 + UNDER_WAY_MS;
        assert!(note.take_over(1_000, late).await.is_ok());
        // Another one that read the same note comes too late.
        assert_eq!(note.take_over(1_000, late).await.unwrap_err().status, 503);
        assert_eq!(note.earlier(late + 1).await.unwrap_err().status, 503);
        assert!(note.earlier(late + UNDER_WAY_MS).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn an_answer_that_is_too_large_reaches_whoever_asked_and_counts_as_done() {
        let (envelope, memory) = (Envelope::new(HostKey::new([7; 32]), []), MemoryStore::new());
        let note = note(&envelope, &memory);
        for bytes in [300 << 10, 3 << 20] {
            note.store.note_delete(KIND, "n").await.unwrap();
            assert!(note.earlier(1_000).await.unwrap().is_none());
            let answer = (StatusCode::CREATED, "x".repeat(bytes)).into_response();
            let answer = note.keep(answer).await.unwrap();
            assert_eq!(answer.status(), StatusCode::CREATED);
            assert_eq!(to_bytes(answer.into_body(), usize::MAX).await.unwrap().len(), bytes);
            let again = note.earlier(clock::now() + UNDER_WAY_MS).await.unwrap_err();
            assert_eq!((again.status, again.code), (409, "answer-not-kept"));
        }
    }

    #[tokio::test]
    async fn what_may_be_asked_again_is_not_kept() {
        let (envelope, memory) = (Envelope::new(HostKey::new([7; 32]), []), MemoryStore::new());
        let note = note(&envelope, &memory);
        for status in [401, 403, 404, 408, 429, 500, 503] {
            assert!(note.earlier(1_000).await.unwrap().is_none(), "{status}");
            let status = StatusCode::from_u16(status).unwrap();
            note.keep((status, "{}").into_response()).await.unwrap();
        }
        assert!(note.earlier(1_000).await.unwrap().is_none());
        note.keep((StatusCode::CONFLICT, "{}").into_response()).await.unwrap();
        let kept = note.earlier(1_000).await.unwrap().unwrap();
        assert_eq!(kept.status(), StatusCode::CONFLICT);
    }
}
