//! What happened: the mirror of `wit/v1/event.wit`.
//!
//! The canonical JSON of an event body is `{"name": …, "payload": …}` with the
//! `snake_case` names of the vendors' documents.

use serde::{Deserialize, Serialize};

use crate::id::EventId;
use crate::time::Millis;

/// A raw payload larger than this (in bytes) does not travel with its event.
pub const RAW_BYTES_MAX: usize = 64 * 1024;

/// One thing that happened in a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The same event always has the same id.
    pub id: EventId,
    /// When the host received it.
    pub received_ms: Millis,
    /// When it happened by the vendor's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_ms: Option<Millis>,
    /// The vendor's payload, at most [`RAW_BYTES_MAX`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// What happened, in our words.
    pub body: EventBody,
}

/// What happened, in our words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", content = "payload", rename_all = "snake_case")]
pub enum EventBody {
    /// A session begins.
    Start(Start),
    /// The person wrote.
    Message(Message),
    /// The person chose an option.
    Click(Click),
    /// The person sent a file.
    Media(Media),
    /// The person sent a place.
    Location(Location),
    /// A timer is due.
    Timer(Timer),
    /// The answer to a request of the bot.
    Response(Response),
    /// The tenant's own systems speak into the conversation.
    Signal(NamedPayload),
    /// A hand-off failed.
    ForwardFailed(ForwardFailed),
    /// The conversation was handed back.
    Returned(Returned),
    /// A human agent wrote.
    HumanSpoke(HumanSpoke),
    /// The conversation is over.
    Ended(Ended),
    /// The person left a campaign.
    CampaignUnsubscribe(CampaignUnsubscribe),
    /// An action could not be delivered.
    DeliveryFailed(DeliveryFailed),
    /// An event without a case, by the vendor's own name.
    Other(NamedPayload),
}

impl Event {
    /// What the host saw, without anything of the vendor's.
    pub fn new(id: EventId, received_ms: Millis, body: EventBody) -> Self {
        Self { id, received_ms, vendor_ms: None, raw: None, body }
    }
}

impl EventBody {
    /// Whether it is something that a person said.
    pub fn is_speech(&self) -> bool {
        match self {
            Self::Message(_) | Self::Click(_) | Self::Media(_) | Self::Location(_) => true,
            Self::Start(_)
            | Self::Timer(_)
            | Self::Response(_)
            | Self::Signal(_)
            | Self::ForwardFailed(_)
            | Self::Returned(_)
            | Self::HumanSpoke(_)
            | Self::Ended(_)
            | Self::CampaignUnsubscribe(_)
            | Self::DeliveryFailed(_)
            | Self::Other(_) => false,
        }
    }

    /// The canonical name, for logs and metrics: one of a closed set.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Start(_) => "start",
            Self::Message(_) => "message",
            Self::Click(_) => "click",
            Self::Media(_) => "media",
            Self::Location(_) => "location",
            Self::Timer(_) => "timer",
            Self::Response(_) => "response",
            Self::Signal(_) => "signal",
            Self::ForwardFailed(_) => "forward_failed",
            Self::Returned(_) => "returned",
            Self::HumanSpoke(_) => "human_spoke",
            Self::Ended(_) => "ended",
            Self::CampaignUnsubscribe(_) => "campaign_unsubscribe",
            Self::DeliveryFailed(_) => "delivery_failed",
            Self::Other(_) => "other",
        }
    }
}

/// How a conversation was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approach {
    /// The person opened the messenger.
    Normal,
    /// The messenger opened by itself.
    Proactive,
}

/// How a text is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextFormat {
    /// As it stands.
    #[default]
    Plain,
    /// Userlike's `markdown_v1`.
    MarkdownV1,
}

/// A payload that is understood by its name only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedPayload {
    /// The name that gives it its meaning.
    pub name: String,
    /// A JSON text of at most 64 KiB.
    pub json: String,
}

/// A name with a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

impl Setting {
    /// A name with a value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// A session begins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// How the conversation was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approach: Option<Approach>,
    /// What the person opened with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<First>,
    /// The vendor sent no start; `first` came instead.
    #[serde(default)]
    pub resumed: bool,
}

/// What a person can open a conversation with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", content = "payload", rename_all = "snake_case")]
pub enum First {
    /// The person wrote.
    Message(Message),
    /// The person sent a file.
    Media(Media),
    /// The person chose an option.
    Click(Click),
    /// The person sent a place.
    Location(Location),
}

/// The person wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// What they wrote.
    pub text: String,
    /// How it is to be read.
    #[serde(default)]
    pub format: TextFormat,
}

/// The person chose an option.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Click {
    /// Ids of the chosen options, never empty.
    pub option_ids: Vec<String>,
    /// The label of the first one, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The action that offered them, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub menu: Option<String>,
    /// Offered in an earlier turn than the last menu.
    #[serde(default)]
    pub stale: bool,
    /// What was typed, where a text was recognized as a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typed_text: Option<String>,
}

/// The person sent a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// Where the vendor keeps it.
    pub link: String,
    /// The file's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its media type, for example `image/png`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Its size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
}

/// The person sent a place, in degrees of WGS 84.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// What the place is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its postal address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// A timer is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// The name that the bot gave it.
    pub name: String,
    /// When it should have fired.
    pub due_ms: Millis,
    /// The JSON that the bot gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

/// The answer to a request of the bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// The name that the bot gave the request.
    pub name: String,
    /// How it ended.
    pub outcome: ResponseOutcome,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", content = "payload", rename_all = "snake_case")]
pub enum ResponseOutcome {
    /// A server answered, with whatever status.
    Answered(Answer),
    /// No answer was had; why.
    Failed(String),
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<Setting>,
    /// At most 256 KiB.
    pub body: String,
    /// The body was longer and is cut.
    #[serde(default)]
    pub truncated: bool,
}

/// A hand-off failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardFailed {
    /// Why, where the vendor says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The conversation was handed back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// Why, where the vendor says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A human agent wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HumanSpoke {
    /// What they wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Who, as the vendor tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// The conversation is over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Why, where the vendor says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The person left a campaign.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignUnsubscribe {
    /// The campaign's id at the vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign_id: Option<String>,
    /// The campaign's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign_name: Option<String>,
    /// The word that the person sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyword: Option<String>,
}

/// An action could not be delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryFailed {
    /// The part's id.
    pub part: String,
    /// The canonical name of the action.
    pub action: String,
    /// Why, for the bot's author.
    pub reason: String,
    /// The call may have reached the vendor all the same.
    #[serde(default)]
    pub ambiguous: bool,
}
