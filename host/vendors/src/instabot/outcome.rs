//! What the answer to a post to a callback URL means. The vendor's page does not say
//! what clients answer; it is what the statuses mean anywhere. The callback is the
//! client's own, so what is wrong with it the tenant's side must mend.

use botyard_kernel::run::Blame;
use botyard_kernel::time::Millis;
use http::StatusCode;

use crate::{CallAnswer, Outcome};

/// What became of the texts.
pub(super) fn of(answer: &CallAnswer) -> Outcome {
    match answer {
        CallAnswer::Answered { status, retry_after_ms, .. } => answered(*status, *retry_after_ms),
        CallAnswer::NotSent(why) => retry(None, false, Blame::Host, format!("not sent: {why}")),
        CallAnswer::Lost(why) => {
            let reason = format!("the callback URL gave no whole answer: {why}");
            retry(None, true, Blame::Vendor, reason)
        }
    }
}

fn answered(status: StatusCode, after_ms: Option<Millis>) -> Outcome {
    let code = status.as_u16();
    match code {
        200..=299 => Outcome::DELIVERED,
        410 => Outcome::Gone("the callback URL answered 410: the chat is over there".to_owned()),
        408 | 425 | 429 | 503 => {
            let reason = format!("the callback URL answered {code}: it cannot take posts now");
            retry(after_ms, false, Blame::Vendor, reason)
        }
        500..=599 => {
            let reason = format!("the callback URL answered {code}: look into the client's log");
            retry(after_ms, true, Blame::Vendor, reason)
        }
        _ => Outcome::Fatal {
            reason: format!(
                "the callback URL answered {code}: the client gave a `callbackUrl` at the start \
                 of the chat that takes no posts of `streamId` and `text`"
            ),
            blame: Blame::Tenant,
        },
    }
}

/// Trying again may help.
pub(super) fn retry(
    after_ms: Option<Millis>,
    ambiguous: bool,
    blame: Blame,
    reason: String,
) -> Outcome {
    Outcome::Retry { after_ms, ambiguous, reason, blame, tries_max: None }
}
