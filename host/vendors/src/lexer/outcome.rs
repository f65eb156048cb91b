//! What Lexer's answer to a claim or an echo means. What became of a delivery, the
//! Messenger Platform says.

use botyard_kernel::run::Blame;
use botyard_kernel::time::Millis;

use crate::{CallAnswer, Outcome};

/// A page of HTML with 500 stands for a request that Lexer could not read, or for a
/// bad moment: the second one decides.
const HTML_TRIES_MAX: u32 = 2;

pub(super) fn of(answer: &CallAnswer) -> Outcome {
    match answer {
        CallAnswer::Answered { status, retry_after_ms, body, .. } => {
            answered(status.as_u16(), *retry_after_ms, body)
        }
        CallAnswer::NotSent(why) => {
            retry(None, false, Blame::Host, format!("not sent to Lexer: {why}"))
        }
        CallAnswer::Lost(why) => {
            retry(None, true, Blame::Vendor, format!("Lexer gave no whole answer: {why}"))
        }
    }
}

fn answered(code: u16, after_ms: Option<Millis>, body: &[u8]) -> Outcome {
    let said = format!("Lexer answered {code}");
    match code {
        201 => Outcome::DELIVERED,
        400 => {
            fatal(Blame::Tenant, format!("{said}: is the page connected with this Lexer client?"))
        }
        // Not documented: what these say anywhere.
        401 | 403 => {
            fatal(Blame::Tenant, format!("{said}: compare `token` with the Bot User's token"))
        }
        404 => fatal(Blame::Tenant, format!("{said}: check `client-id` and `hub-url`")),
        500 if is_html(body) => Outcome::Retry {
            after_ms,
            ambiguous: true,
            reason: format!("{said} with a page of HTML: it may not have understood the request"),
            blame: Blame::Host,
            tries_max: Some(HTML_TRIES_MAX),
        },
        // Lexer says so of a request with a wrong or missing field.
        500 => fatal(
            Blame::Host,
            format!(
                "{said} without HTML: a field is not to its liking; see the channel's `dialect`"
            ),
        ),
        429 => retry(after_ms, false, Blame::Vendor, format!("{said}: too many calls")),
        502..=504 | 408 => retry(after_ms, true, Blame::Vendor, format!("{said}: not now")),
        // Whoever answers with another success is not this API.
        200..=399 => {
            fatal(Blame::Tenant, format!("{said}, and only 201 is success: check `hub-url`"))
        }
        _ => fatal(Blame::Host, format!("{said}, which its page does not know")),
    }
}

/// One of the vendor's JSON errors is printed as broken JSON, so it is not the parser
/// that tells the two apart.
fn is_html(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

fn retry(after_ms: Option<Millis>, ambiguous: bool, blame: Blame, reason: String) -> Outcome {
    Outcome::Retry { after_ms, ambiguous, reason, blame, tries_max: None }
}

fn fatal(blame: Blame, reason: String) -> Outcome {
    Outcome::Fatal { reason, blame }
}
