//! What is said in a chat, as the page shows it.

use serde_json::Value;

use crate::fields::Fields;

/// An answer to a start or to a message.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) stream: String,
    pub(super) messages: Vec<Value>,
}

/// Reads an answer.
pub(super) fn judge(body: &str) -> Result<Said, String> {
    let value: Value = serde_json::from_str(body).map_err(|error| format!("not JSON: {error}"))?;
    let fields = Fields::of("the answer", &value)?;
    fields.no_others(&["messages", "streamId"])?;
    fields.some_text("streamId")?;
    let stream = fields.word("streamId").to_owned();
    if !stream.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("streamId is not made of digits".to_owned());
    }
    let messages = value["messages"].as_array().ok_or("the answer without a list of messages")?;
    messages.iter().try_for_each(judge_message)?;
    Ok(Said { stream, messages: messages.clone() })
}

fn judge_message(message: &Value) -> Result<(), String> {
    let fields = Fields::of("a message", message)?;
    fields.no_others(&["text", "quick_replies"])?;
    fields.some_text("text")?;
    if !fields.has("quick_replies") {
        return Ok(());
    }
    for (reply, value) in fields.list("quick_replies", usize::MAX)?.iter().zip(options(message)) {
        reply.no_others(&["content_type", "title", "payload"])?;
        reply.some_text("content_type")?;
        reply.one_of("content_type", &["text"])?;
        reply.some_text("title")?;
        if !value["payload"].is_i64() {
            return Err(format!("a payload is {}, not a whole number", value["payload"]));
        }
    }
    Ok(())
}

/// The options of a message.
pub(super) fn options(message: &Value) -> impl Iterator<Item = &Value> {
    message["quick_replies"].as_array().into_iter().flatten()
}
