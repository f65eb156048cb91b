//! What the vendor's pages do not prove, as data: key names, forms and switches.
//!
//! Every field can be overridden in a channel's settings, under `dialect`.

use std::collections::BTreeMap;

use botyard_kernel::time::Millis;
use serde::{Deserialize, Serialize};

use super::data::Data;
use crate::written::is_whole;

/// Everything that may differ from what we believe.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Dialect {
    /// What the paths of calls are put behind.
    pub(super) rest_base: String,
    /// How fast.
    pub(super) timing: Timing,
    /// Params of a GET that carry the words of the person; the first one counts that
    /// is there and not empty.
    pub(super) get_text: Vec<String>,
    /// `bot_enabled: true` gives the conversation back to the bot.
    pub(super) enabled_returns: bool,
    /// What `success` says where a block other than a text shows nothing.
    pub(super) empty_success: bool,
    /// What ticket webhooks say where.
    pub(super) tickets: Tickets,
    /// What blocks other than a text take as `data`.
    pub(super) data: Data,
    /// How a `contact_update` is called among the attributes of a customer.
    pub(super) attributes: Attributes,
    /// The passthroughs that can be sent, by their names.
    pub(super) passthroughs: BTreeMap<String, Call>,
    /// Statuses of answers to calls that say that the customer is gone, for good.
    pub(super) gone_statuses: Vec<u16>,
    /// What `status` in the body of an answer says where the call failed.
    pub(super) failed_words: Vec<String>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            rest_base: "https://api.myalice.ai/stable/open".to_owned(),
            timing: Timing::default(),
            get_text: words(&["text", "message"]),
            enabled_returns: true,
            empty_success: false,
            tickets: Tickets::default(),
            data: Data::default(),
            attributes: Attributes::default(),
            passthroughs: Call::known(),
            gone_statuses: Vec::new(),
            failed_words: words(&["error", "failed", "failure"]),
        }
    }
}

impl Dialect {
    /// What can only be seen by looking at the values; in words for the tenant.
    pub(super) fn check(&self) -> Result<(), String> {
        if !is_whole(&self.rest_base) || self.rest_base.ends_with('/') {
            return Err("`rest-base` must be a whole address that begins with https:// and does \
                        not end with a slash"
                .to_owned());
        }
        if let Some((name, _)) = self.passthroughs.iter().find(|(_, it)| !it.path.starts_with('/'))
        {
            return Err(format!("the `path` of the passthrough `{name}` must begin with a slash"));
        }
        self.data.check()
    }
}

/// How fast.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Timing {
    /// How long an answer waits for its turn: the vendor wants it within five seconds.
    pub(super) answer_by_ms: Millis,
    /// How long the next call waits after an answer.
    pub(super) after_answer_ms: Millis,
}

impl Default for Timing {
    fn default() -> Self {
        Self { answer_by_ms: 4_000, after_answer_ms: 500 }
    }
}

/// What ticket webhooks say where; paths are keys with dots between them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Tickets {
    /// The two ids are the `platform_id` and the `uid` of API blocks; else what tickets
    /// tell is a conversation of its own.
    pub(super) same_ids: bool,
    pub(super) platform: String,
    pub(super) customer: String,
    /// Actions after which the bot has the conversation back.
    pub(super) resolved: Vec<String>,
    /// Actions with which a human may come in.
    pub(super) assigned: Vec<String>,
    /// Where an agent that is an object says a name.
    pub(super) agent_names: Vec<String>,
}

impl Default for Tickets {
    fn default() -> Self {
        Self {
            same_ids: true,
            platform: "channel.id".to_owned(),
            customer: "customer.id".to_owned(),
            resolved: words(&["ticket_resolved"]),
            assigned: words(&["ticket_created", "ticket_reopened"]),
            agent_names: words(&["full_name", "name", "email", "id"]),
        }
    }
}

/// How a `contact_update` is called among the attributes of a customer; its custom
/// fields keep their own names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Attributes {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) mobile_number: String,
    pub(super) external_customer_id: String,
}

impl Default for Attributes {
    fn default() -> Self {
        Self {
            name: "full_name".to_owned(),
            email: "email".to_owned(),
            mobile_number: "phone".to_owned(),
            external_customer_id: "external_customer_id".to_owned(),
        }
    }
}

/// A call that a bot may make by a passthrough. Where a key is named, the payload says
/// there who the person of the conversation is, whatever the bot wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Call {
    /// What follows `rest-base`.
    pub(super) path: String,
    /// The key of the customer's id, a text.
    pub(super) customer: Option<String>,
    /// The key of the platform's id, a number.
    pub(super) platform: Option<String>,
    /// The key of the customer's telephone number, as far as the vendor told it.
    pub(super) phone: Option<String>,
}

impl Call {
    fn known() -> BTreeMap<String, Self> {
        let sequence = Self {
            path: "/customers/send-sequence".to_owned(),
            customer: Some("customer_id".to_owned()),
            ..Self::default()
        };
        let template = Self {
            path: "/whatsapp/send-template-message".to_owned(),
            platform: Some("channel_id".to_owned()),
            phone: Some("customer_phone".to_owned()),
            ..Self::default()
        };
        BTreeMap::from([
            ("send-sequence".to_owned(), sequence),
            ("send-template-message".to_owned(), template),
        ])
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
