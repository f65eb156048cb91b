//! What Userlike's answer to a call means.
//!
//! Of the answers the vendor's page knows success, 429, and an error where a
//! media file could not be fetched; the rest is what the statuses mean anywhere.

use botyard_kernel::action::Action;
use botyard_kernel::run::Blame;
use botyard_kernel::time::Millis;
use http::StatusCode;

use super::dialect::Dialect;
use crate::{CallAnswer, Outcome, Part};

/// A file that Userlike could not fetch so often is not worth the wait of what
/// stands behind it.
const MEDIA_TRIES_MAX: u32 = 3;

/// What became of these parts.
pub(super) fn of(dialect: &Dialect, parts: &[Part<'_>], answer: &CallAnswer) -> Outcome {
    match answer {
        CallAnswer::Answered { status, retry_after_ms, .. } => {
            let media = parts.iter().any(|part| matches!(part.action, Action::Media(_)));
            answered(dialect, *status, *retry_after_ms, media)
        }
        CallAnswer::NotSent(why) => retry(None, false, Blame::Host, format!("not sent: {why}")),
        CallAnswer::Lost(why) => {
            let reason = format!("Userlike gave no whole answer: {why}");
            retry(None, true, Blame::Vendor, reason)
        }
    }
}

fn answered(
    dialect: &Dialect,
    status: StatusCode,
    after_ms: Option<Millis>,
    media: bool,
) -> Outcome {
    let code = status.as_u16();
    match code {
        200..=299 => Outcome::DELIVERED,
        _ if dialect.gone_statuses.contains(&code) => Outcome::Gone(format!(
            "Userlike answered {code}, which `gone-statuses` of the channel's `dialect` calls the \
             end of the session"
        )),
        401 | 403 => retry(
            after_ms,
            false,
            Blame::Tenant,
            format!("Userlike answered {code}: compare `api-token` with the bot's API token"),
        ),
        429 => retry(
            after_ms,
            false,
            Blame::Vendor,
            "Userlike answered 429: too many calls in this conversation".to_owned(),
        ),
        408 | 425 => retry(after_ms, false, Blame::Vendor, unready(code)),
        400..=499 if media => Outcome::Retry {
            after_ms,
            ambiguous: false,
            reason: unfetched(code),
            blame: Blame::Bot,
            tries_max: Some(MEDIA_TRIES_MAX),
        },
        500..=599 if media => retry(after_ms, false, Blame::Bot, unfetched(code)),
        // No page says what these mean: a wrong address is as likely as a session
        // that is over, and only the first can be mended.
        404 | 410 => retry(
            after_ms,
            false,
            Blame::Tenant,
            format!(
                "Userlike answered {code}: check `api-url` against the bot's API settings; where \
                 other conversations take calls, this one's session is over"
            ),
        ),
        // The vendor turned it away before looking at it.
        503 => retry(after_ms, false, Blame::Vendor, unready(code)),
        500..=599 => retry(after_ms, true, Blame::Vendor, unready(code)),
        400..=499 => Outcome::Fatal {
            reason: format!(
                "Userlike answered {code}: a packet is not to its liking; compare the action with \
                 its limits, and the packet's keys with the channel's `dialect`"
            ),
            blame: Blame::Bot,
        },
        _ => retry(
            after_ms,
            false,
            Blame::Tenant,
            format!("Userlike answered {code}: compare `api-url` with the bot's API settings"),
        ),
    }
}

fn unready(code: u16) -> String {
    format!("Userlike answered {code}: it cannot take calls now")
}

fn unfetched(code: u16) -> String {
    format!("Userlike answered {code}: is the file at the media's `link` reachable?")
}

fn retry(after_ms: Option<Millis>, ambiguous: bool, blame: Blame, reason: String) -> Outcome {
    Outcome::Retry { after_ms, ambiguous, reason, blame, tries_max: None }
}
