//! The three envelopes in which the API tells errors.

use serde_json::json;

use crate::account::Reply;

/// Most endpoints: `error.messages`, here and there with a `requestId`.
pub(super) fn messages(status: u16, why: impl Into<String>) -> Reply {
    let why = why.into();
    Reply::refused(status, &json!({ "error": { "messages": [why] } }), why)
}

/// The call is not for this bot now.
pub(super) fn not_owner(author: &str) -> Reply {
    let why = format!("This bot doesn't own the conversation {author}");
    let body = json!({ "error": { "messages": [why] }, "requestId": "r-1" });
    Reply::refused(403, &body, why)
}

/// Authentication: `error.message` and `error.requestId`.
pub(super) fn unauthorized(status: u16) -> Reply {
    let body = json!({ "error": { "message": "Unauthorized", "requestId": "r-3" } });
    Reply::refused(status, &body, "the token or the user is none of ours")
}

/// Registrations that are not there: `error.message` alone.
pub(super) fn no_registration() -> Reply {
    let why = "No bot registration found";
    Reply::refused(404, &json!({ "error": { "message": why } }), why)
}

/// Registrations: a list in `errors`.
pub(super) fn errors(status: u16, why: &[String]) -> Reply {
    Reply::refused(status, &json!({ "errors": why }), why.join("; "))
}
