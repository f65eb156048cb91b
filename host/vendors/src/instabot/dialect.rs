//! What the vendor's page does not prove, as data: names, switches and errors.
//!
//! Every field can be overridden in a channel's settings, under `dialect`.

use std::collections::BTreeMap;

use botyard_kernel::time::Millis;
use serde::{Deserialize, Serialize};

/// Everything that may differ from what we believe.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Dialect {
    /// What the keys of `metadata` mean.
    pub(super) metadata: MetadataKeys,
    /// The medium of a chat whose metadata names none; `unknown` where this is empty.
    pub(super) missing_medium: String,
    /// A `callbackUrl` may begin with `http://`: for tests on one machine.
    pub(super) plain_callbacks: bool,
    /// A start whose `callbackUrl` cannot be used is refused. Else the chat begins as
    /// one without a callback.
    pub(super) refuse_callbacks: bool,
    /// How long an answer waits for its turn; the vendor names no deadline.
    pub(super) answer_by_ms: Millis,
    /// What the client is told when a live agent gives the chat back, as the vendor's page
    /// words it; nothing where this is empty.
    pub(super) agent_left: String,
    /// How requests are refused.
    pub(super) errors: Errors,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            metadata: MetadataKeys::default(),
            missing_medium: "api".to_owned(),
            plain_callbacks: false,
            refuse_callbacks: false,
            answer_by_ms: 10_000,
            agent_left: "Agent has ended this live session".to_owned(),
            errors: Errors::default(),
        }
    }
}

/// Keys of `metadata` that say what, in the order in which they are tried; the names
/// are those of `Facts`. The vendor gives none of them a meaning, so only the one that
/// can hardly mean anything else has one by default.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct MetadataKeys {
    pub(super) medium: Vec<String>,
    pub(super) entry: Vec<String>,
    pub(super) locale: Vec<String>,
    pub(super) conversation_url: Vec<String>,
    pub(super) subject: Vec<String>,
    pub(super) contact_id: Vec<String>,
    pub(super) contact_name: Vec<String>,
    pub(super) contact_mobile_number: Vec<String>,
    pub(super) contact_external_customer_id: Vec<String>,
}

impl Default for MetadataKeys {
    fn default() -> Self {
        Self {
            medium: Vec::new(),
            entry: Vec::new(),
            locale: vec!["locale".to_owned()],
            conversation_url: Vec::new(),
            subject: Vec::new(),
            contact_id: Vec::new(),
            contact_name: Vec::new(),
            contact_mobile_number: Vec::new(),
            contact_external_customer_id: Vec::new(),
        }
    }
}

/// How requests are refused: no page of the Chat API says so. Where several causes have
/// one status, they have one code.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Errors {
    /// Statuses, 400 to 599: `apiKey` is missing or wrong.
    pub(super) wrong_key: u16,
    /// `botId` is another bot's.
    pub(super) unknown_bot: u16,
    /// We made no such `streamId`.
    pub(super) unknown_stream: u16,
    /// The body is not as documented.
    pub(super) malformed: u16,
    /// Neither `/secure/send` nor `/secure/user`.
    pub(super) unknown_path: u16,
    /// No POST.
    pub(super) wrong_method: u16,
    /// The key of the body that holds the code.
    pub(super) code_key: String,
    /// The key of the body that holds the reason.
    pub(super) message_key: String,
    /// The codes by their statuses.
    pub(super) codes: BTreeMap<u16, String>,
    /// The code of any other status.
    pub(super) other_code: String,
}

impl Default for Errors {
    /// The keys are those of the vendor's Server API.
    fn default() -> Self {
        let code = |(status, code): (u16, &str)| (status, code.to_owned());
        Self {
            wrong_key: 401,
            unknown_bot: 404,
            unknown_stream: 404,
            malformed: 400,
            unknown_path: 404,
            wrong_method: 405,
            code_key: "apiStatusCode".to_owned(),
            message_key: "apiStatusMessage".to_owned(),
            codes: [
                (400, "BadRequest"),
                (401, "Unauthorized"),
                (404, "NotFound"),
                (405, "MethodNotAllowed"),
            ]
            .map(code)
            .into(),
            other_code: "Error".to_owned(),
        }
    }
}

impl Errors {
    /// Every status with the name that it has in the settings.
    pub(super) fn statuses(&self) -> [(&'static str, u16); 6] {
        [
            ("wrong-key", self.wrong_key),
            ("unknown-bot", self.unknown_bot),
            ("unknown-stream", self.unknown_stream),
            ("malformed", self.malformed),
            ("unknown-path", self.unknown_path),
            ("wrong-method", self.wrong_method),
        ]
    }
}
