//! Events, and calls and answers of vendors, for people who look at them: without secrets.

use botyard_kernel::event::{EventBody, ResponseOutcome};
use botyard_vendors::{Call, Reply};
use bytes::Bytes;
use http::HeaderValue;
use serde_json::{Value, json};

/// An answer to a webhook.
pub(crate) fn answer_json(reply: &Reply) -> Value {
    let headers = json!({ "content-type": reply.content_type });
    let (status, body) = (reply.status.as_u16(), body_json(&reply.body));
    json!({ "answer": { "status": status, "headers": headers, "body": body } })
}

/// A call.
pub(crate) fn call_json(call: &Call) -> Value {
    let shown = |value: &HeaderValue| match value.to_str() {
        Ok(text) if !value.is_sensitive() => json!(text),
        _ => json!("(a secret)"),
    };
    let headers: serde_json::Map<String, Value> =
        call.headers.iter().map(|(name, value)| (name.to_string(), shown(value))).collect();
    let body = body_json(&call.body);
    json!({ "method": call.method.as_str(), "url": call.url, "headers": headers, "body": body })
}

/// What happened. What a service answers a bot may hold what opens doors there, as what it
/// is asked: only its name and how it ended are shown.
pub(crate) fn event_json(body: &EventBody) -> Value {
    if let EventBody::Response(response) = body {
        let outcome = match &response.outcome {
            ResponseOutcome::Answered(answer) => json!({ "status": answer.status }),
            ResponseOutcome::Failed(why) => json!({ "failed": why }),
        };
        return json!({
            "name": body.name(),
            "payload": { "name": response.name, "outcome": outcome },
        });
    }
    serde_json::to_value(body).unwrap_or_default()
}

fn body_json(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| json!(String::from_utf8_lossy(body)))
}
