//! Errors of the management API: problem details as RFC 9457 has them, with stable codes.

use axum::Json;
use axum::response::{IntoResponse, Response};
use botyard_kernel::access::Denied;
use botyard_kernel::limits::Exceeded;
use botyard_kernel::quota::{Refusal, Whose};
use botyard_kernel::run::Blame;
use botyard_runtime::LoadError;
use botyard_store::StoreError;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::tenancy::ChangeError;

/// A problem, as `application/problem+json`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Where the code is explained.
    #[serde(rename = "type")]
    #[schema(example = "/v1/errors/not-found")]
    pub kind: String,
    /// The code's sentence.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong here, and what to do.
    pub detail: String,
    /// For programs: it never changes its meaning.
    pub code: &'static str,
    /// When to come again, in seconds.
    #[serde(skip)]
    #[schema(ignore)]
    pub retry_after_s: Option<u64>,
}

macro_rules! codes {
    ($($case:ident $name:literal $status:ident $title:literal,)+) => {
        /// The kinds of problems.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $(#[doc = $title] $case,)+ }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$case,)+];

            /// The stable name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$case => $name,)+ }
            }

            /// The HTTP status.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$case => StatusCode::$status,)+ }
            }

            /// What it means and who can mend it.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$case => $title,)+ }
            }
        }
    };
}

codes! {
    Unauthorized "unauthorized" UNAUTHORIZED "The request shows no token that is known here. Send `Authorization: Bearer …`; the detail says with which.",
    TokenExpired "token-expired" UNAUTHORIZED "The token's time is over. Whoever gave it to you can give you another one.",
    Forbidden "forbidden" FORBIDDEN "The token's scope is too small for this.",
    TextsHidden "texts-hidden" FORBIDDEN "The token shows no people's texts.",
    PausedByOperator "paused-by-operator" FORBIDDEN "The operator of the host has stopped it, and they alone end that. The detail says why, where they said so.",
    NotFound "not-found" NOT_FOUND "There is no such object, or the token does not reach it.",
    BadRequest "bad-request" BAD_REQUEST "The request cannot be read: its path, query, headers or body.",
    BadName "bad-name" UNPROCESSABLE_ENTITY "A name has 1 to 63 characters: a-z, 0-9 and `-`, which is not the first.",
    BadSettings "bad-settings" UNPROCESSABLE_ENTITY "What is to be set is wrong. The detail names the key.",
    CannotRun "cannot-run" UNPROCESSABLE_ENTITY "What is to be set cannot run. The detail says what is in the way.",
    ComponentRefused "component-refused" UNPROCESSABLE_ENTITY "The component cannot be a bot here. The detail says what to change.",
    AlreadyExists "already-exists" CONFLICT "Something of this name is there already.",
    InSettings "managed-by-settings" CONFLICT "The settings file of the host has this: the operator changes it there.",
    InUse "in-use" CONFLICT "Something else stands in the way. The detail names it.",
    DeploymentRefused "deployment-refused" CONFLICT "The deployment cannot be changed like this now.",
    GrantPending "grant-pending" CONFLICT "The version wishes for more than its bot may. Somebody has to approve it first.",
    Stale "stale" CONFLICT "Somebody else has changed it meanwhile: read it again.",
    KeyReused "idempotency-key-reused" UNPROCESSABLE_ENTITY "The idempotency key came before with another request.",
    AuditDiffers "audit-differs" CONFLICT "The audit lacks a row that was there before. Its operator must find out why.",
    AnswerNotKept "answer-not-kept" CONFLICT "The same request was done before, and its answer was too large to be kept.",
    TooSlow "too-slow" REQUEST_TIMEOUT "The body did not arrive in time. Send it again over a better line.",
    TooLarge "too-large" PAYLOAD_TOO_LARGE "The body is larger than it may be.",
    TooMany "too-many" UNPROCESSABLE_ENTITY "More, or larger, than it may be. The detail names the limit.",
    OverLimit "over-limit" TOO_MANY_REQUESTS "A limit is reached. `Retry-After` says when to come back.",
    HostFault "host-fault" INTERNAL_SERVER_ERROR "The host is to blame. Its operator finds the reason in its log.",
    Unavailable "unavailable" SERVICE_UNAVAILABLE "The host cannot do it now. Send the same again later.",
}

impl Problem {
    /// Its content type.
    pub const TYPE: &str = "application/problem+json";

    /// A problem with what is to be said of it here.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("/v1/errors/{}", code.name()),
            title: code.title(),
            status: code.status().as_u16(),
            detail: detail.into(),
            code: code.name(),
            retry_after_s: None,
        }
    }

    /// The same, with when to come again.
    #[must_use]
    pub fn after(self, retry_after_s: u64) -> Self {
        Self { retry_after_s: Some(retry_after_s), ..self }
    }

    /// There is too much unfinished work, or no room.
    pub fn busy(refusal: &Refusal) -> Self {
        let Refusal { whose, what, retry_after_s } = refusal;
        let problem = match whose {
            Whose::Tenant => {
                let limit = refusal.limit();
                Self::new(Code::OverLimit, format!("the limit `{limit}` is reached: come again"))
            }
            Whose::Host => {
                let detail = format!("the host has too much unfinished work, or no room ({what})");
                Self::new(Code::Unavailable, detail)
            }
        };
        problem.after(*retry_after_s)
    }

    /// A limit of the table is reached.
    pub fn over(exceeded: &Exceeded) -> Self {
        let problem = Self::new(Code::OverLimit, exceeded.to_string());
        Self { retry_after_s: exceeded.retry_after_s, ..problem }
    }

    /// There is no such object.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, Denied::NotFound.to_string())
    }

    /// The host is to blame: its operator finds out why in the log, and nobody else.
    pub fn host_fault(error: &impl std::fmt::Display, what: &str) -> Self {
        tracing::error!(%error, "{what}");
        Self::new(Code::HostFault, format!("{what}: try again, and tell the host's operator"))
    }

    /// The request cannot be read.
    pub fn bad(detail: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let after = HeaderValue::from(self.retry_after_s.unwrap_or(1));
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(Self::TYPE));
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(RETRY_AFTER, after);
            }
            _ => {}
        }
        response
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let code = match denied {
            Denied::Expired => Code::TokenExpired,
            Denied::NotFound => Code::NotFound,
            Denied::Forbidden { .. } => Code::Forbidden,
            Denied::Redacted => Code::TextsHidden,
        };
        Self::new(code, denied.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::not_found(),
            error => {
                tracing::error!(%error, "the management API cannot use the store");
                let detail = "the host cannot use its store now: send the same again";
                Self::new(Code::Unavailable, detail)
            }
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        let code = match &error {
            ChangeError::Store(_) => {
                let ChangeError::Store(error) = error else { return Self::not_found() };
                return error.into();
            }
            ChangeError::NotFound => return Self::not_found(),
            ChangeError::Exists(_) | ChangeError::NameTaken(_) => Code::AlreadyExists,
            ChangeError::InSettings(_) => Code::InSettings,
            ChangeError::InUse(_) => Code::InUse,
            ChangeError::BadName(_) => Code::BadName,
            ChangeError::Settings(_) => Code::BadSettings,
            ChangeError::Unfit(_) => Code::CannotRun,
            ChangeError::Component(LoadError::Late(_)) => Code::Unavailable,
            ChangeError::Component(refused) => match refused.blame() {
                Blame::Host => {
                    return Self::host_fault(refused, "the host cannot load components now");
                }
                Blame::Bot | Blame::Tenant | Blame::Vendor => Code::ComponentRefused,
            },
            ChangeError::Captured(error) => {
                let what = "what was captured of webhooks is still there";
                return Self::host_fault(&format_args!("{error:#}"), what);
            }
            ChangeError::Deployment(_) => Code::DeploymentRefused,
            ChangeError::Stale => Code::Stale,
            ChangeError::Pending(_) => Code::GrantPending,
            ChangeError::Forbidden(_) => Code::Forbidden,
            ChangeError::PausedByOperator(_) => Code::PausedByOperator,
            ChangeError::TooMany(_) => Code::TooMany,
        };
        Self::new(code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_is_to_blame_for_is_told_to_nobody_else() {
        let why = "cannot start the compiler /srv/secret/botyard: no memory";
        let problem = Problem::from(ChangeError::Component(LoadError::Host(why.to_owned())));
        assert_eq!((problem.code, problem.status), ("host-fault", 500));
        assert!(!problem.detail.contains("secret"), "{}", problem.detail);
        let late = Problem::from(ChangeError::Component(LoadError::Late(180)));
        assert_eq!((late.code, late.status), ("unavailable", 503));
        assert!(late.detail.contains("again later"), "{}", late.detail);
    }

    #[test]
    fn codes_are_names_and_each_stands_for_one_problem() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        for code in Code::ALL {
            assert!(code.status().is_client_error() || code.status().is_server_error());
            assert!(code.title().ends_with('.'), "{}", code.name());
        }
    }
}
