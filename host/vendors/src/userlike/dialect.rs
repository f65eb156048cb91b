//! What the vendor's page does not prove, as data: key names and switches.
//!
//! Every field can be overridden in a channel's settings, under `dialect`. A
//! list of paths is tried in its order and is replaced as a whole.

use std::num::NonZeroUsize;

use botyard_kernel::time::{MINUTE, Millis};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Everything that may differ from what we believe.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Dialect {
    /// Where `info` says what.
    pub(super) info: InfoPaths,
    /// Where `packet.payload` says what.
    pub(super) payload: PayloadPaths,
    /// The keys of the packets that we send.
    pub(super) keys: Keys,
    /// How fast and how often.
    pub(super) timing: Timing,
    /// The medium of a conversation without a contact channel; `unknown` where
    /// this is empty.
    pub(super) missing_medium: String,
    /// An answer without actions: an empty body, else an empty list.
    pub(super) empty_answer: EmptyAnswer,
    /// A single link button without a text goes out as the deprecated `button`.
    pub(super) single_button_as_button: bool,
    /// Ids of groups, skills, operators and contacts that are digits only go out as numbers.
    pub(super) numeric_ids: bool,
    /// Delays go out in fractions of seconds, else rounded up to whole ones.
    pub(super) delay_fractions: bool,
    /// Bubbles take the `text_format` of messages.
    pub(super) bubbles_text_format: bool,
    /// Hand-offs by skills take `on_failure`: the vendor's page names it for the
    /// others only.
    pub(super) skills_feedback: bool,
    /// Statuses of answers to calls that say that the session is over, for good.
    pub(super) gone_statuses: Vec<u16>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            info: InfoPaths::default(),
            payload: PayloadPaths::default(),
            keys: Keys::default(),
            timing: Timing::default(),
            missing_medium: "web".to_owned(),
            empty_answer: EmptyAnswer::Nothing,
            single_button_as_button: false,
            numeric_ids: true,
            delay_fractions: false,
            bubbles_text_format: false,
            skills_feedback: false,
            gone_statuses: Vec::new(),
        }
    }
}

/// What an answer without actions looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum EmptyAnswer {
    /// No body at all.
    Nothing,
    /// `[]`.
    List,
}

/// How fast and how often.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Timing {
    /// How long a webhook's answer waits for its turn; the vendor names no deadline.
    pub(super) answer_by_ms: Millis,
    /// How long the next call waits after an answer.
    pub(super) after_answer_ms: Millis,
    /// Calls a conversation in the window; stated by the vendor.
    pub(super) rate_calls: NonZeroUsize,
    /// The window.
    pub(super) rate_window_ms: Millis,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            answer_by_ms: 4_000,
            after_answer_ms: 500,
            rate_calls: const { NonZeroUsize::new(20).unwrap() },
            rate_window_ms: MINUTE,
        }
    }
}

/// Where `info` says what, from `info` on; the names are those of `Facts`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct InfoPaths {
    pub(super) medium: Paths,
    pub(super) entry: Paths,
    /// An object whose scalar fields become the entry's params.
    pub(super) params: Paths,
    pub(super) locale: Paths,
    pub(super) conversation_url: Paths,
    pub(super) subject: Paths,
    /// A text, a list of texts, or a list of objects with a `name`.
    pub(super) topics: Paths,
    pub(super) contact_id: Paths,
    pub(super) contact_name: Paths,
    pub(super) contact_email: Paths,
    pub(super) contact_mobile_number: Paths,
    pub(super) contact_external_customer_id: Paths,
    pub(super) contact_locale: Paths,
    pub(super) contact_custom_fields: Paths,
}

impl Default for InfoPaths {
    fn default() -> Self {
        Self {
            medium: Paths::of(&["conversation.contact_channel.type"]),
            entry: Paths::of(&["widget.id"]),
            params: Paths::of(&["widget"]),
            locale: Paths::of(&["conversation.locale", "contact.locale"]),
            conversation_url: Paths::of(&["conversation.url", "conversation.conversation_url"]),
            subject: Paths::of(&["conversation.subject"]),
            topics: Paths::of(&["conversation.topics", "conversation.topic"]),
            contact_id: Paths::of(&["contact.id", "contact.contact_identity_id"]),
            contact_name: Paths::of(&["contact.name"]),
            contact_email: Paths::of(&["contact.email"]),
            contact_mobile_number: Paths::of(&["contact.mobile_number", "contact.phone"]),
            contact_external_customer_id: Paths::of(&[
                "contact.external_customer_id",
                "contact.external_id",
            ]),
            contact_locale: Paths::of(&["contact.locale"]),
            contact_custom_fields: Paths::of(&["contact.custom_fields", "contact.custom"]),
        }
    }
}

/// Where `packet.payload` says what, from `payload` on; the names are those of
/// the event bodies.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PayloadPaths {
    pub(super) text: Paths,
    pub(super) text_format: Paths,
    /// Where none of them is found, the label stands for the id.
    pub(super) option_id: Paths,
    pub(super) option_label: Paths,
    pub(super) media_link: Paths,
    pub(super) media_name: Paths,
    pub(super) media_mime_type: Paths,
    pub(super) media_size: Paths,
    pub(super) latitude: Paths,
    pub(super) longitude: Paths,
    pub(super) place_name: Paths,
    pub(super) place_address: Paths,
    pub(super) campaign_id: Paths,
    pub(super) campaign_name: Paths,
    pub(super) campaign_keyword: Paths,
    pub(super) failure_reason: Paths,
    /// Objects in the payload of `start` that hold what the person opened with.
    pub(super) start_message: Paths,
    pub(super) start_media: Paths,
    pub(super) start_click: Paths,
    pub(super) start_location: Paths,
    /// Where the payload of `start` itself holds what the person opened with:
    /// one of these makes it a click, because an id alone may be that of a message.
    pub(super) start_click_marks: Paths,
}

impl Default for PayloadPaths {
    fn default() -> Self {
        Self {
            text: Paths::of(&["body", "text", "label", "message.body", "message.text", "message"]),
            text_format: Paths::of(&["text_format", "message.text_format"]),
            option_id: Paths::of(&["id", "value", "option_id", "option.id", "payload"]),
            option_label: Paths::of(&["label", "body", "text", "option.label", "title"]),
            media_link: Paths::of(&["link"]),
            media_name: Paths::of(&["name", "file_name"]),
            media_mime_type: Paths::of(&["mime_type", "content_type"]),
            media_size: Paths::of(&["size"]),
            latitude: Paths::of(&["latitude", "lat"]),
            longitude: Paths::of(&["longitude", "lng", "lon"]),
            place_name: Paths::of(&["name"]),
            place_address: Paths::of(&["address"]),
            campaign_id: Paths::of(&["campaign.id", "campaign_id"]),
            campaign_name: Paths::of(&["campaign.name", "campaign_name"]),
            campaign_keyword: Paths::of(&["keyword", "campaign.keyword"]),
            failure_reason: Paths::of(&["reason"]),
            start_message: Paths::of(&["message"]),
            start_media: Paths::of(&["media"]),
            start_click: Paths::of(&["click"]),
            start_location: Paths::of(&["location"]),
            start_click_marks: Paths::of(&["label", "value", "option_id", "option.id"]),
        }
    }
}

/// The keys of the packets that we send.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Keys {
    /// The text of choice messages.
    pub(super) choice_text: String,
    pub(super) options: String,
    pub(super) option_id: String,
    pub(super) option_label: String,
    pub(super) option_image: String,
    pub(super) option_description: String,
    pub(super) template_header: String,
    pub(super) header_type: String,
    /// What `header-type` says of a text, a picture, a video and a document.
    pub(super) header_type_text: String,
    pub(super) header_type_image: String,
    pub(super) header_type_video: String,
    pub(super) header_type_document: String,
    pub(super) header_link: String,
    pub(super) header_text: String,
    pub(super) template_footer: String,
    pub(super) template_buttons: String,
    pub(super) list_button: String,
    pub(super) list_title: String,
    /// The text above `buttons`; where this is empty a message says it before.
    pub(super) buttons_text: String,
    pub(super) link_buttons: String,
    pub(super) link_body: String,
    pub(super) link_address: String,
    /// The label and the address of the deprecated `button`.
    pub(super) single_button_body: String,
    pub(super) single_button_link: String,
    pub(super) navigate_link: String,
    pub(super) group: String,
    pub(super) skills: String,
    pub(super) delay: String,
    pub(super) delay_typing: String,
    pub(super) note_text: String,
    pub(super) addon: String,
    pub(super) recipient: String,
    pub(super) recipient_type: String,
    /// What `recipient-type` says of the person and of an operator.
    pub(super) recipient_type_contact: String,
    pub(super) recipient_type_operator: String,
    pub(super) recipient_id: String,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            choice_text: "body".to_owned(),
            options: "options".to_owned(),
            option_id: "id".to_owned(),
            option_label: "label".to_owned(),
            option_image: "image".to_owned(),
            option_description: "description".to_owned(),
            template_header: "header".to_owned(),
            header_type: "type".to_owned(),
            header_type_text: "text".to_owned(),
            header_type_image: "image".to_owned(),
            header_type_video: "video".to_owned(),
            header_type_document: "document".to_owned(),
            header_link: "link".to_owned(),
            header_text: "text".to_owned(),
            template_footer: "footer".to_owned(),
            template_buttons: "buttons".to_owned(),
            list_button: "button".to_owned(),
            list_title: "title".to_owned(),
            buttons_text: "body".to_owned(),
            link_buttons: "buttons".to_owned(),
            link_body: "body".to_owned(),
            link_address: "link".to_owned(),
            single_button_body: "body".to_owned(),
            single_button_link: "link".to_owned(),
            navigate_link: "link".to_owned(),
            group: "group_id".to_owned(),
            skills: "skills".to_owned(),
            delay: "seconds".to_owned(),
            delay_typing: "typing".to_owned(),
            note_text: "body".to_owned(),
            addon: "type".to_owned(),
            recipient: "recipient".to_owned(),
            recipient_type: "type".to_owned(),
            recipient_type_contact: "contact".to_owned(),
            recipient_type_operator: "operator".to_owned(),
            recipient_id: "id".to_owned(),
        }
    }
}

/// Places in a JSON value, in the order in which they are tried.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct Paths(Vec<Path>);

impl Paths {
    fn of(paths: &[&str]) -> Self {
        Self(paths.iter().map(|path| Path::new(path)).collect())
    }

    /// Everything that is there.
    pub(super) fn found<'a>(&'a self, within: &'a Value) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter_map(|path| within.pointer(&path.0))
    }

    /// The first text or number that is not empty, as text.
    pub(super) fn text(&self, within: &Value) -> Option<String> {
        self.found(within).find_map(scalar)
    }

    /// The first number, which may be written as a text.
    pub(super) fn number<T: std::str::FromStr>(&self, within: &Value) -> Option<T> {
        self.found(within).find_map(|value| scalar(value)?.trim().parse().ok())
    }

    /// The first object.
    pub(super) fn object<'a>(&'a self, within: &'a Value) -> Option<&'a Value> {
        self.found(within).find(|value| value.is_object())
    }
}

/// A text or a number as text; an empty text is as good as none.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A place in a JSON value: `a.b.0`, or a JSON pointer where it begins with a
/// slash. Kept as a JSON pointer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "String", into = "String")]
struct Path(String);

impl Path {
    fn new(text: &str) -> Self {
        if text.starts_with('/') {
            return Self(text.to_owned());
        }
        let escaped = text.replace('~', "~0").replace('/', "~1");
        Self(escaped.split('.').fold(String::new(), |pointer, step| pointer + "/" + step))
    }
}

impl From<String> for Path {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

/// As it is written in the settings: with dots where they say it all.
impl From<Path> for String {
    fn from(Path(pointer): Path) -> Self {
        match pointer.strip_prefix('/') {
            Some(steps) if !steps.contains(['.', '~']) => steps.replace('/', "."),
            Some(_) | None => pointer,
        }
    }
}
