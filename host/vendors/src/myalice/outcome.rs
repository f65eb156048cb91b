//! What `MyAlice`'s answer to a call means.
//!
//! Its page shows success only, with 200 or 201; the rest is what the statuses mean
//! anywhere.

use botyard_kernel::action::Action;
use botyard_kernel::run::Blame;
use botyard_kernel::time::Millis;
use http::StatusCode;
use serde_json::Value;

use super::dialect::Dialect;
use super::{facts, rest};
use crate::{CallAnswer, Outcome, Part};

/// Of the vendor's own words so much is told.
const WORDS_BYTES_MAX: usize = 200;

/// What became of these parts.
pub(super) fn of(dialect: &Dialect, parts: &[Part<'_>], answer: &CallAnswer) -> Outcome {
    let action = parts.first().map(|part| part.action);
    if let Some((blame, reason)) = action.and_then(|action| rest::refusal(dialect, action)) {
        return Outcome::Fatal { reason, blame };
    }
    // What a passthrough holds is the bot's; all else of a call is the tenant's.
    let by_bot = matches!(action, Some(Action::Passthrough(_)));
    let written_by = if by_bot { Blame::Bot } else { Blame::Tenant };
    match answer {
        CallAnswer::Answered { status, retry_after_ms, body, .. } => match status.as_u16() {
            200..=299 => taken(dialect, body, written_by),
            _ => not_taken(dialect, *status, *retry_after_ms, written_by),
        },
        CallAnswer::NotSent(why) => retry(None, false, Blame::Host, format!("not sent: {why}")),
        CallAnswer::Lost(why) => {
            retry(None, true, Blame::Vendor, format!("MyAlice gave no whole answer: {why}"))
        }
    }
}

/// A call may be answered success and have failed: then the body says so.
fn taken(dialect: &Dialect, body: &[u8], blame: Blame) -> Outcome {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let status = body.get("status").and_then(Value::as_str);
    let failed = body.get("success") == Some(&Value::Bool(false))
        || status.is_some_and(|status| dialect.failed_words.iter().any(|word| word == status));
    if !failed {
        return Outcome::DELIVERED;
    }
    let words = body.get("message").and_then(Value::as_str).map(one_line).unwrap_or_default();
    let reason = if words.is_empty() {
        "MyAlice took the call and says without a reason that it failed".to_owned()
    } else {
        format!("MyAlice took the call and says that it failed: {words}")
    };
    Outcome::Fatal { reason, blame }
}

/// The vendor's own words, as far as they fit on a line.
fn one_line(words: &str) -> String {
    let line = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    facts::cut(line.trim().to_owned(), WORDS_BYTES_MAX)
}

fn not_taken(
    dialect: &Dialect,
    status: StatusCode,
    after_ms: Option<Millis>,
    written_by: Blame,
) -> Outcome {
    let code = status.as_u16();
    let fatal = |blame, hint: &str| Outcome::Fatal {
        reason: format!("MyAlice answered {code}: {hint}"),
        blame,
    };
    let unready = || format!("MyAlice answered {code}: it cannot take calls now");
    match code {
        _ if dialect.gone_statuses.contains(&code) => Outcome::Gone(format!(
            "MyAlice answered {code}, which `gone-statuses` of the channel's `dialect` calls the \
             end of the customer"
        )),
        401 | 403 => fatal(Blame::Tenant, "compare `api-key` with the key of the MyAlice project"),
        404 | 410 => fatal(
            Blame::Tenant,
            "check `rest-base` of the channel's `dialect`; where other customers can be written \
             to, MyAlice does not know this one any more",
        ),
        429 => retry(
            after_ms,
            false,
            Blame::Vendor,
            "MyAlice answered 429: too many calls with this key".to_owned(),
        ),
        // Turned away before anybody looked at it.
        408 | 425 | 503 => retry(after_ms, false, Blame::Vendor, unready()),
        500..=599 => retry(after_ms, true, Blame::Vendor, unready()),
        400..=499 => fatal(
            written_by,
            "the call is not to its liking; is the customer's channel still connected, and does \
             a passthrough name what the project has?",
        ),
        _ => fatal(Blame::Tenant, "check `rest-base` of the channel's `dialect`"),
    }
}

fn retry(after_ms: Option<Millis>, ambiguous: bool, blame: Blame, reason: String) -> Outcome {
    Outcome::Retry { after_ms, ambiguous, reason, blame, tries_max: None }
}
