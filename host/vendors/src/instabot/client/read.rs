//! What comes back of a client's calls, and what is posted to its callback URL.

use std::fmt;

use botyard_kernel::run::Blame;
use botyard_kernel::time::Millis;
use http::StatusCode;
use serde_json::{Map, Value};

use super::Dialect;
use crate::instabot::numbers::whole;
use crate::instabot::outcome::retry;
use crate::{CallAnswer, Outcome};

/// What the bot answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The key of the chat, a secret. The answer of a start always has one.
    pub stream_id: Option<String>,
    /// What the person is to be told, in order.
    pub messages: Vec<Text>,
    /// Messages and quick replies that are not as documented and were left out.
    pub unreadable: usize,
}

/// A text, with what may be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The text; empty where there are quick replies alone.
    pub text: String,
    /// What may be chosen; one of them, if any.
    pub quick_replies: Vec<QuickReply>,
}

/// What may be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuickReply {
    /// What the person sees, and what is sent as the text of the choice.
    pub title: String,
    /// What is sent beside it, as it is. Absent where it is no whole number: then the
    /// title alone must do.
    pub payload: Option<i64>,
}

/// What is known of a person.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// The vendor's number of the person.
    pub object_id: Option<i64>,
    /// The name to call them by.
    pub friendly_name: Option<String>,
    /// That name is the e-mail address, as nobody told another one.
    pub is_default_friendly_name: bool,
    /// When they were first seen, as the vendor writes it; its year 1 stands for never.
    pub create_date: Option<String>,
    /// Everything that the vendor told.
    pub all: Map<String, Value>,
}

/// What a live agent wrote.
#[derive(Clone, PartialEq, Eq)]
pub struct AgentText {
    /// The chat: a secret.
    pub stream_id: String,
    /// What they wrote.
    pub text: String,
    /// It says that the agent has left: the text is the vendor's own.
    pub left: bool,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("messages", &self.messages)
            .field("unreadable", &self.unreadable)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AgentText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentText")
            .field("text", &self.text)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

/// A body is not as the vendor documents it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

pub(super) fn answer(dialect: &Dialect, answer: &CallAnswer) -> Result<Answer, Outcome> {
    if is_blank(answer) {
        return Ok(Answer { stream_id: None, messages: Vec::new(), unreadable: 0 });
    }
    let body = body(dialect, answer)?;
    let listed = match body.get("messages") {
        Some(Value::Array(listed)) => listed,
        // Nothing is said while a live agent has the chat: no page shows such an answer.
        None | Some(Value::Null) if !body.contains_key("apiStatusCode") => &Vec::new(),
        _ => return Err(unreadable(&body, "it has no list of `messages`")),
    };
    let known = |key: &String| matches!(key.as_str(), "messages" | "streamId");
    let strange = listed.is_empty() && !body.keys().all(known);
    let unreadable = usize::from(strange);
    let mut read = Answer { stream_id: stream_id(&body), messages: Vec::new(), unreadable };
    for message in listed {
        let text = text(message, &mut read.unreadable);
        read.unreadable += usize::from(text.is_none());
        read.messages.extend(text);
    }
    Ok(read)
}

/// Whether a call was taken with no word.
fn is_blank(answer: &CallAnswer) -> bool {
    match answer {
        CallAnswer::Answered { status, body, .. } => {
            status.is_success() && body.iter().all(u8::is_ascii_whitespace)
        }
        CallAnswer::NotSent(_) | CallAnswer::Lost(_) => false,
    }
}

fn text(message: &Value, unreadable: &mut usize) -> Option<Text> {
    let text = message.get("text").and_then(Value::as_str);
    let listed = message.get("quick_replies").and_then(Value::as_array);
    let mut quick_replies = Vec::new();
    for reply in listed.into_iter().flatten() {
        let title = reply.get("title").and_then(Value::as_str).filter(|title| !title.is_empty());
        match title {
            Some(title) => quick_replies.push(QuickReply {
                title: title.to_owned(),
                payload: reply.get("payload").and_then(whole),
            }),
            None => *unreadable += 1,
        }
    }
    if text.is_none() && quick_replies.is_empty() {
        return None;
    }
    Some(Text { text: text.unwrap_or_default().to_owned(), quick_replies })
}

pub(super) fn user(dialect: &Dialect, answer: &CallAnswer) -> Result<User, Outcome> {
    let all = body(dialect, answer)?;
    let text = |key: &str| {
        let text = all.get(key)?.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    };
    if !all.contains_key("objectId") && !all.contains_key("username") {
        return Err(unreadable(&all, "it is no user"));
    }
    Ok(User {
        object_id: all.get("objectId").and_then(whole),
        friendly_name: text("friendlyName"),
        is_default_friendly_name: all.get("isDefaultFriendlyName") == Some(&Value::Bool(true)),
        create_date: text("createDate").filter(|date| !date.starts_with("0001-")),
        all,
    })
}

pub(super) fn agent_text(dialect: &Dialect, body: &[u8]) -> Result<AgentText, Unreadable> {
    let wrong = |reason: &str| Unreadable(reason.to_owned());
    let body = parse(body).ok_or_else(|| wrong("the body is not a JSON object"))?;
    let stream_id = stream_id(&body).ok_or_else(|| wrong("`streamId` must be a text"))?;
    let text = body.get("text").and_then(Value::as_str);
    let text = text.ok_or_else(|| wrong("`text` must be a text"))?.to_owned();
    let plain = |text: &str| text.trim().trim_end_matches('.').to_lowercase();
    let left = dialect.agent_left.iter().any(|known| plain(known) == plain(&text));
    Ok(AgentText { stream_id, text, left })
}

/// The vendor's ids are texts of digits; a bare number would be the same one.
fn stream_id(body: &Map<String, Value>) -> Option<String> {
    match body.get("streamId")? {
        Value::String(text) => (!text.trim().is_empty()).then(|| text.clone()),
        Value::Number(number) => number.as_u64().map(|number| number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The object that a call was answered with.
fn body(dialect: &Dialect, answer: &CallAnswer) -> Result<Map<String, Value>, Outcome> {
    match answer {
        CallAnswer::Answered { status, body, .. } if status.is_success() => {
            parse(body).ok_or_else(|| unreadable(&Map::new(), "it is no JSON object"))
        }
        CallAnswer::Answered { status, retry_after_ms, .. } => {
            Err(refused(dialect, *status, *retry_after_ms))
        }
        CallAnswer::NotSent(why) => {
            Err(retry(None, false, Blame::Host, format!("not sent: {why}")))
        }
        CallAnswer::Lost(why) => {
            let reason = format!("Instabot gave no whole answer: {why}");
            Err(retry(None, true, Blame::Vendor, reason))
        }
    }
}

/// Instabot acted, so that to say it again would be to say it twice. Its Server API
/// names errors by a code, which may stand in an answer of success.
fn unreadable(body: &Map<String, Value>, what: &str) -> Outcome {
    let code = body.get("apiStatusCode").and_then(Value::as_str);
    let word = |code: &&str| code.len() <= 64 && code.bytes().all(|it| it.is_ascii_alphanumeric());
    let reason = match code.filter(word) {
        Some(code) => format!("Instabot answered success with the code `{code}`, and {what}"),
        None => format!("Instabot's answer cannot be read: {what}"),
    };
    Outcome::Fatal { reason, blame: Blame::Vendor }
}

fn refused(dialect: &Dialect, status: StatusCode, after_ms: Option<Millis>) -> Outcome {
    let code = status.as_u16();
    match code {
        _ if dialect.gone_statuses.contains(&code) => Outcome::Gone(format!(
            "Instabot answered {code}, which `gone-statuses` of the `dialect` calls the end of a \
             chat"
        )),
        401 | 403 => {
            let reason = format!(
                "Instabot answered {code}: compare `api-key` and `bot-id` with the account's"
            );
            retry(after_ms, false, Blame::Tenant, reason)
        }
        408 | 425 | 429 | 503 => {
            let reason = format!("Instabot answered {code}: it cannot take calls now");
            retry(after_ms, false, Blame::Vendor, reason)
        }
        500..=599 => {
            let reason = format!("Instabot answered {code}: it may have acted all the same");
            retry(after_ms, true, Blame::Vendor, reason)
        }
        _ => Outcome::Fatal {
            reason: format!(
                "Instabot answered {code}: compare `base-url` and `bot-id` with the account's; \
                 where other chats go on, this one is over"
            ),
            blame: Blame::Tenant,
        },
    }
}

/// Reads a JSON object. The sample answer on the vendor's page has a comma after the
/// last element of a list. That is most likely a slip of the page, and costs little to
/// read: where a body is no JSON, such commas are taken out and it is read again.
fn parse(body: &[u8]) -> Option<Map<String, Value>> {
    let read = serde_json::from_slice(body);
    read.or_else(|_| serde_json::from_slice(&without_last_commas(body))).ok()
}

/// Blanks out the commas that stand before a closing bracket. In UTF-8 no byte of a
/// longer character looks like a quote, a comma or a bracket.
fn without_last_commas(body: &[u8]) -> Vec<u8> {
    let mut kept = body.to_vec();
    // Where the last comma outside of texts stands, if only blanks followed.
    let mut comma = None;
    let (mut in_text, mut escaped) = (false, false);
    for (at, byte) in body.iter().enumerate() {
        if in_text {
            in_text = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        match byte {
            b'}' | b']' => {
                if let Some(comma) = comma.take() {
                    kept[comma] = b' ';
                }
            }
            b',' => comma = Some(at),
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => {
                comma = None;
                in_text = *byte == b'"';
            }
        }
    }
    kept
}
