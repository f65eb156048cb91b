//! Requests that are refused, and how: the vendor's page is silent about it.

use botyard_kernel::run::Blame;
use bytes::Bytes;
use http::StatusCode;
use serde_json::Value;

use super::dialect::Errors;
use crate::fields::Fields;
use crate::{Rejection, Reply};

/// The client sent what the vendor's page does not allow.
pub(super) fn malformed(errors: &Errors, reason: impl Into<String>) -> Rejection {
    rejection(errors.malformed, StatusCode::BAD_REQUEST, Blame::Vendor, reason)
}

/// There is nothing at this address.
pub(super) fn unknown_path(errors: &Errors) -> Rejection {
    let reason = "the path must end with `/secure/send` or `/secure/user`";
    rejection(errors.unknown_path, StatusCode::NOT_FOUND, Blame::Tenant, reason)
}

/// It is no POST.
pub(super) fn wrong_method(errors: &Errors) -> Rejection {
    let reason = "Chat API requests are POST requests";
    rejection(errors.wrong_method, StatusCode::METHOD_NOT_ALLOWED, Blame::Vendor, reason)
}

/// The keys of client and channel differ.
pub(super) fn wrong_key(errors: &Errors, reason: &str) -> Rejection {
    rejection(errors.wrong_key, StatusCode::UNAUTHORIZED, Blame::Tenant, reason)
}

/// The client wants another bot.
pub(super) fn unknown_bot(errors: &Errors) -> Rejection {
    let reason = "`botId` is not this channel's: compare the client with the setting `bot-id`";
    rejection(errors.unknown_bot, StatusCode::NOT_FOUND, Blame::Tenant, reason)
}

/// The chat was never begun here, or with a secret that is no longer known.
pub(super) fn unknown_stream(errors: &Errors) -> Rejection {
    let reason = "there is no chat with this `streamId`: start a new one";
    rejection(errors.unknown_stream, StatusCode::NOT_FOUND, Blame::Vendor, reason)
}

/// What the client is told.
pub(super) fn reply(errors: &Errors, rejection: &Rejection) -> Reply {
    let code = errors.codes.get(&rejection.status.as_u16()).unwrap_or(&errors.other_code);
    let body =
        Fields::new().with(&errors.code_key, &**code).with(&errors.message_key, &*rejection.reason);
    Reply {
        status: rejection.status,
        content_type: "application/json",
        body: Bytes::from(Value::from(body).to_string()),
    }
}

/// The settings were checked to hold statuses; the usual one stands in for none.
fn rejection(status: u16, usual: StatusCode, blame: Blame, reason: impl Into<String>) -> Rejection {
    let status = StatusCode::from_u16(status).unwrap_or(usual);
    Rejection { status, reason: reason.into(), blame }
}
