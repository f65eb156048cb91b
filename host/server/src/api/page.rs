//! Lists in pages, and bodies that are read with our own errors.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::BODY_BYTES_MAX;
use super::problem::{Code, Problem};
use crate::app::App;
use crate::http::read;

/// At most so many in a page.
pub(super) const PAGE_MAX: usize = 200;

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Paging {
    /// At most so many: 1 to 200, 50 by default.
    pub(super) limit: Option<usize>,
    /// The `after` of the page before.
    pub(super) after: Option<String>,
}

impl Paging {
    /// How many are wanted.
    pub(super) fn limit(&self) -> usize {
        self.limit.unwrap_or(50).clamp(1, PAGE_MAX)
    }
}

/// A page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// What is in it.
    pub(super) items: Vec<T>,
    /// Asks for the next page; absent in the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<String>,
}

impl<T> Page<T> {
    /// A page of a list that is sorted by names and whole in memory.
    pub(super) fn of(all: Vec<T>, paging: &Paging, name: impl Fn(&T) -> &str) -> Self {
        let behind = |item: &T| paging.after.as_deref().is_none_or(|after| name(item) > after);
        let mut items: Vec<T> = all.into_iter().filter(behind).collect();
        let more = items.len() > paging.limit();
        items.truncate(paging.limit());
        let after = items.last().filter(|_| more).map(|item| name(item).to_owned());
        Self { items, after }
    }
}

/// A JSON body, or a result.
#[derive(Clone, Debug)]
pub(super) struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let body = whole(app, body).await?;
        Self::read(parts, body, app).await
    }
}

/// Nothing where there is no body at all, or `null`.
impl<T: DeserializeOwned> OptionalFromRequest<Arc<App>> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Option<Self>, Problem> {
        let (parts, body) = request.into_parts();
        let body = whole(app, body).await?;
        let nothing = body.is_empty() || body.trim_ascii() == b"null";
        if nothing { Ok(None) } else { Self::read(parts, body, app).await.map(Some) }
    }
}

impl<T: DeserializeOwned> Json<T> {
    async fn read(parts: Parts, body: Bytes, app: &Arc<App>) -> Result<Self, Problem> {
        // A list would be read as the object's parts in their order.
        if body.trim_ascii_start().starts_with(b"[") {
            return Err(Problem::bad("the body is a list: send a JSON object"));
        }
        let request = Request::from_parts(parts, Body::from(body));
        let read = <axum::Json<T> as FromRequest<_>>::from_request(request, app).await;
        let axum::Json(value) = read?;
        Ok(Self(value))
    }
}

/// A body, once all of it is there.
pub(super) async fn whole(app: &App, body: Body) -> Result<Bytes, Problem> {
    Ok(read(body, BODY_BYTES_MAX, app.config.server.body_timeout).await?)
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// What stands behind the `?`.
#[derive(Clone, Debug, FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
pub(crate) struct Query<T>(pub T);

/// What stands in the path.
#[derive(Clone, Debug, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub(crate) struct Path<T>(pub T);

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let code = match rejection.status() {
            http::StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
            _ => Code::BadRequest,
        };
        Self::new(code, rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::bad(rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad(rejection.body_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_a_gap() {
        let all: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).into();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let paging = Paging { limit: Some(2), after };
            let page = Page::of(all.clone(), &paging, |name| name);
            seen.extend(page.items);
            after = page.after;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, all);
    }
}
