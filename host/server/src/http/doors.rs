//! The doors of a channel beside its webhooks: its tenant's own systems speak into
//! conversations, and humans read and answer at the desk. Each has a token of the channel's
//! own. They speak as the management API does, and stand in its description.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use botyard_kernel::id::ChannelId;
use botyard_kernel::limits::Exceeded;
use botyard_kernel::quota::Refusal;
use http::HeaderMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::openapi::{Content, Ref, RefOr, Response, Schema};
use utoipa::{IntoResponses, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::token::shows;
use super::{answer, body, desk, signals};
use crate::api::{Code, Problem};
use crate::app::App;
use crate::registry::Channel;

/// All doors, described.
pub(crate) fn doors() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(signals::send))
        .routes(routes!(desk::list))
        .routes(routes!(desk::messages))
        .routes(routes!(desk::reply))
        .routes(routes!(desk::take))
        .routes(routes!(desk::give_back))
}

/// Which token of a channel opens a door.
#[derive(Clone, Copy)]
pub(super) enum Door {
    Signals,
    Desk,
}

/// It is on stable storage.
#[derive(Serialize, ToSchema)]
pub(super) struct Accepted {
    pub(super) accepted: bool,
}

/// What a door may answer besides what was asked for.
pub(super) struct Refusals;

impl Door {
    /// The channel, for whoever shows its token. A stranger is not told which there are.
    pub(super) fn open(
        self,
        app: &App,
        channel: String,
        headers: &HeaderMap,
    ) -> Result<Arc<Channel>, Problem> {
        let may_open = |known: &Arc<Channel>| {
            let setup = known.setup();
            let token = match self {
                Self::Signals => setup.signal_token.as_ref(),
                Self::Desk => setup.desk_token.as_ref(),
            };
            shows(headers, token)
        };
        app.work.channel(&ChannelId(channel)).filter(may_open).ok_or_else(|| {
            let name = match self {
                Self::Signals => "signal",
                Self::Desk => "desk",
            };
            let detail = format!(
                "no such channel, or not its {name} token: send `Authorization: Bearer …` with \
                 the channel's `{name}-token`"
            );
            Problem::new(Code::Unauthorized, detail)
        })
    }
}

/// A JSON object of at most so many bytes, whatever content type it says it has; an empty
/// body and `null` are an empty object. `form` says what is expected.
pub(super) async fn object<T: DeserializeOwned>(
    app: &App,
    body: Body,
    bytes_max: usize,
    form: &str,
) -> Result<T, Problem> {
    let bytes = body::read(body, bytes_max, app.config.server.body_timeout).await?;
    let nothing = bytes.is_empty() || bytes.trim_ascii() == b"null";
    let json: &[u8] = if nothing { b"{}" } else { &bytes };
    // A list would be read as the object's parts in their order.
    if json.trim_ascii_start().starts_with(b"[") {
        return Err(Problem::bad(format!("expected {form}, and the body is a list")));
    }
    let read = serde_json::from_slice(json);
    read.map_err(|error| Problem::bad(format!("expected {form}: {error}")))
}

/// There is too much unfinished work to take more.
pub(super) fn busy(refusal: &Refusal) -> Problem {
    answer::count_busy(refusal);
    Problem::busy(refusal)
}

/// A tenant has used up what it may.
pub(super) fn over(exceeded: &Exceeded) -> Problem {
    answer::count_exceeded(exceeded);
    Problem::over(exceeded)
}

/// The request could not be stored: come again.
pub(super) fn not_now() -> Problem {
    Problem::new(Code::Unavailable, answer::NOT_STORED)
}

/// There is no such conversation.
pub(super) fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is no such conversation on this channel")
}

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let codes = [
            Code::BadRequest,
            Code::Unauthorized,
            Code::NotFound,
            Code::TooSlow,
            Code::TooLarge,
            Code::OverLimit,
            Code::Unavailable,
        ];
        let described = codes.map(|code| {
            let mut response = Response::new(format!("`{}`: {}", code.name(), code.title()));
            let problem = RefOr::<Schema>::Ref(Ref::from_schema_name("Problem"));
            response.content.insert(Problem::TYPE.to_owned(), Content::new(Some(problem)));
            (code.status().as_str().to_owned(), RefOr::T(response))
        });
        described.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_of_a_door_has_a_status_of_its_own() {
        // Two codes of one status would hide each other in the description.
        assert_eq!(Refusals::responses().len(), 7);
    }
}
