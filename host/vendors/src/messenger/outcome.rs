//! What an answer to a call means. Errors have a code and often a subcode, which say
//! more than the HTTP status.

use botyard_kernel::run::Blame;
use botyard_kernel::time::Millis;
use http::StatusCode;
use serde_json::Value;

use super::dialect::Dialect;
use super::items::MID_BYTES_MAX;
use crate::{CallAnswer, Outcome};

/// A file that the vendor could not fetch so often is not worth the wait of what
/// stands behind it.
const MEDIA_TRIES_MAX: u32 = 3;

/// What became of the part of a call: the vendor's codes mean the same for all.
pub(super) fn of(dialect: &Dialect, answer: &CallAnswer) -> Outcome {
    match answer {
        CallAnswer::Answered { status, retry_after_ms, body, .. } => {
            let body: Value = serde_json::from_slice(body).unwrap_or_default();
            Answer { dialect, status: *status, after_ms: *retry_after_ms }.outcome(&body)
        }
        CallAnswer::NotSent(why) => retry(None, false, Blame::Host, format!("not sent: {why}")),
        CallAnswer::Lost(why) => {
            let reason = format!("Messenger gave no whole answer: {why}");
            retry(None, true, Blame::Vendor, reason)
        }
    }
}

/// The id of the message that was sent.
pub(super) fn message_id(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let id = body.get("message_id")?.as_str()?;
    (!id.is_empty() && id.len() <= MID_BYTES_MAX).then(|| id.to_owned())
}

/// Whether an error says that there were too many calls.
pub(super) fn says_too_many(dialect: &Dialect, body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = body.pointer("/error/code").and_then(Value::as_u64);
    code.is_some_and(|code| dialect.errors.limited_codes.contains(&code))
}

/// An answer of the vendor.
struct Answer<'a> {
    dialect: &'a Dialect,
    status: StatusCode,
    after_ms: Option<Millis>,
}

impl Answer<'_> {
    fn outcome(&self, body: &Value) -> Outcome {
        let error = body.get("error");
        let number = |key: &str| error.and_then(|it| it.get(key)).and_then(Value::as_u64);
        if let Some(code) = number("code") {
            let subcode = number("error_subcode");
            let said = match subcode {
                Some(subcode) => format!("Messenger's error {code}, {subcode}"),
                None => format!("Messenger's error {code}"),
            };
            return self.error(code, subcode, &said);
        }
        if self.status.is_success() && error.is_none() {
            // The calls for the control of a thread say so in words.
            if body.get("success") == Some(&Value::Bool(false)) {
                let reason = "Messenger answered that it did not do it".to_owned();
                return self.retry(false, Blame::Vendor, reason);
            }
            return Outcome::DELIVERED;
        }
        self.unexplained()
    }

    fn error(&self, code: u64, subcode: Option<u64>, said: &str) -> Outcome {
        let errors = &self.dialect.errors;
        let below = |codes: &[u64]| subcode.is_some_and(|subcode| codes.contains(&subcode));
        if below(&errors.window_subcodes) {
            let why = "the person's last word is too long ago; what is allowed then needs a tag";
            return fatal(Blame::Bot, format!("{said}: {why}"));
        }
        if below(&errors.control_subcodes) {
            return Outcome::Taken(format!("{said}: another app has control of the thread"));
        }
        // Nobody is there for this page: what is still to be said is for nobody, too.
        if below(&errors.no_person_subcodes) {
            return Outcome::Gone(format!("{said}: this page knows no such person"));
        }
        if below(&errors.file_subcodes) {
            let reason = format!("{said}: is the file at the media's `link` reachable?");
            return self.file(reason);
        }
        if errors.token_codes.contains(&code) {
            let why = "the page's token is not valid: put a new one into `page-token`";
            return fatal(Blame::Tenant, format!("{said}: {why}"));
        }
        // Blocked, or gone for a while: the session may go on.
        if errors.unavailable_codes.contains(&code) {
            return fatal(Blame::Vendor, format!("{said}: the person cannot be reached"));
        }
        if errors.limited_codes.contains(&code) {
            return self.retry(false, Blame::Vendor, format!("{said}: too many calls"));
        }
        if errors.temporary_codes.contains(&code) {
            return self.retry(false, Blame::Vendor, format!("{said}: not sent, for now"));
        }
        if errors.unready_codes.contains(&code) {
            return self.retry(true, Blame::Vendor, format!("{said}: it cannot take calls now"));
        }
        if errors.permission_codes.contains(&code) {
            let why = "the app may not do this for the page: check its permissions";
            return fatal(Blame::Tenant, format!("{said}: {why}"));
        }
        if self.status.is_client_error() && self.status != StatusCode::TOO_MANY_REQUESTS {
            let why = "the message is not to its liking; compare the action with its limits";
            return fatal(Blame::Bot, format!("{said}: {why}"));
        }
        self.unexplained()
    }

    /// An answer of which only the status tells something.
    fn unexplained(&self) -> Outcome {
        let code = self.status.as_u16();
        let said = format!("Messenger answered {code}");
        match code {
            429 => self.retry(false, Blame::Vendor, format!("{said}: too many calls")),
            // It was turned away before anybody looked at it.
            408 | 425 | 503 => self.retry(false, Blame::Vendor, format!("{said}: not now")),
            500..=599 => {
                self.retry(true, Blame::Vendor, format!("{said}: it cannot take calls now"))
            }
            401 | 403 => {
                let reason = format!("{said}: compare `page-token` with the page's token");
                self.retry(false, Blame::Tenant, reason)
            }
            400 | 405..=499 if code != 410 => {
                let reason = format!("{said}: compare the action with the vendor's limits");
                fatal(Blame::Bot, reason)
            }
            _ => {
                let reason = format!("{said}: compare `graph-url` with the vendor's address");
                self.retry(false, Blame::Tenant, reason)
            }
        }
    }

    fn file(&self, reason: String) -> Outcome {
        let (blame, tries_max) = (Blame::Bot, Some(MEDIA_TRIES_MAX));
        Outcome::Retry { after_ms: self.after_ms, ambiguous: false, reason, blame, tries_max }
    }

    fn retry(&self, ambiguous: bool, blame: Blame, reason: String) -> Outcome {
        retry(self.after_ms, ambiguous, blame, reason)
    }
}

fn retry(after_ms: Option<Millis>, ambiguous: bool, blame: Blame, reason: String) -> Outcome {
    Outcome::Retry { after_ms, ambiguous, reason, blame, tries_max: None }
}

fn fatal(blame: Blame, reason: String) -> Outcome {
    Outcome::Fatal { reason, blame }
}
