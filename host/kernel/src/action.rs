//! What a bot wants done: the mirror of `wit/v1/action.wit`.
//!
//! The canonical JSON of an action is `{"name": …, "payload": …}` with the
//! `snake_case` names of the vendors' documents; cases without a payload have
//! none. Limits are stated in the WIT and enforced by [`crate::plan`].

mod options;

use serde::{Deserialize, Serialize};

pub use crate::event::{NamedPayload, Setting, TextFormat};

/// One thing that the bot wants done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", content = "payload", rename_all = "snake_case")]
pub enum Action {
    /// Say something.
    Message(Message),
    /// A text with options to tap.
    Bubbles(Bubbles),
    /// A text with options that carry pictures.
    Carousel(Carousel),
    /// A card with up to three reply buttons.
    ButtonTemplate(ButtonTemplate),
    /// A button that opens a list of options.
    ListTemplate(ListTemplate),
    /// Buttons that open web pages.
    Buttons(Buttons),
    /// A link with a preview.
    RichLink(RichLink),
    /// A picture, recording or file.
    Media(Media),
    /// Send the person's browser to a page.
    Navigate(Navigate),
    /// Show or hide the typing indicator.
    Typing(Typing),
    /// Hold back what follows in this turn.
    Delay(Delay),
    /// Replace the context of the session, a JSON object.
    ContextUpdate(String),
    /// Forget the context of the session.
    ContextClear,
    /// Change what the vendor knows of the person.
    ContactUpdate(ContactUpdate),
    /// Change what the vendor knows of the conversation.
    ConversationUpdate(ConversationUpdate),
    /// Leave a note for human agents.
    NoteCreate(NoteCreate),
    /// Add tags.
    Tag(Vec<String>),
    /// Take tags away.
    Untag(Vec<String>),
    /// Set the priority, in the vendor's own scale.
    Priority(u32),
    /// Move the conversation to a work queue.
    WorkQueue(WorkQueue),
    /// Mark the conversation as resolved.
    Resolve(Resolve),
    /// Ask the person to fill in a secure form.
    SecureForm(SecureForm),
    /// Hand the conversation over.
    Forward(Forward),
    /// Stop the bot; the vendor routes the conversation to humans.
    Abort,
    /// End the session and the conversation.
    End,
    /// Send the conversation to an add-on when it has ended.
    AddonDispatch(AddonDispatch),
    /// Send the transcript by e-mail when the conversation has ended.
    EmailDispatch(EmailDispatch),
    /// Get a `timer` event later.
    Schedule(Schedule),
    /// Take back a timer by its name.
    CancelTimer(String),
    /// Call a web service after this turn.
    Request(Request),
    /// A packet in one vendor's own form.
    Passthrough(Passthrough),
    /// An action without a case, by name.
    Other(NamedPayload),
}

impl Action {
    /// The canonical name, for logs and metrics: one of a closed set.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Bubbles(_) => "bubbles",
            Self::Carousel(_) => "carousel",
            Self::ButtonTemplate(_) => "button_template",
            Self::ListTemplate(_) => "list_template",
            Self::Buttons(_) => "buttons",
            Self::RichLink(_) => "rich_link",
            Self::Media(_) => "media",
            Self::Navigate(_) => "navigate",
            Self::Typing(_) => "typing",
            Self::Delay(_) => "delay",
            Self::ContextUpdate(_) => "context_update",
            Self::ContextClear => "context_clear",
            Self::ContactUpdate(_) => "contact_update",
            Self::ConversationUpdate(_) => "conversation_update",
            Self::NoteCreate(_) => "note_create",
            Self::Tag(_) => "tag",
            Self::Untag(_) => "untag",
            Self::Priority(_) => "priority",
            Self::WorkQueue(_) => "work_queue",
            Self::Resolve(_) => "resolve",
            Self::SecureForm(_) => "secure_form",
            Self::Forward(_) => "forward",
            Self::Abort => "abort",
            Self::End => "end",
            Self::AddonDispatch(_) => "addon_dispatch",
            Self::EmailDispatch(_) => "email_dispatch",
            Self::Schedule(_) => "schedule",
            Self::CancelTimer(_) => "cancel_timer",
            Self::Request(_) => "request",
            Self::Passthrough(_) => "passthrough",
            Self::Other(_) => "other",
        }
    }
}

/// Say something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// 1 to 5,000 characters.
    pub text: String,
    /// How it is to be read.
    #[serde(default)]
    pub format: TextFormat,
}

/// An option of [`Bubbles`] and [`ButtonTemplate`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Comes back in the click.
    pub id: String,
    /// What the person sees.
    pub label: String,
    /// Stands in its place where the medium has no room for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_label: Option<String>,
}

/// A text with options to tap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bubbles {
    /// What stands above the options.
    pub text: String,
    /// How it is to be read.
    #[serde(default)]
    pub format: TextFormat,
    /// At least one.
    pub options: Vec<Choice>,
    /// Stands before the numbered options where the medium has no buttons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
}

/// An option of [`Carousel`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Comes back in the click.
    pub id: String,
    /// What the person sees.
    pub label: String,
    /// Stands in its place where the medium has no room for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_label: Option<String>,
    /// The address of a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// A second line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A text with options that carry pictures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carousel {
    /// What stands above the cards.
    pub text: String,
    /// At least one.
    pub cards: Vec<Card>,
    /// As in [`Bubbles`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
}

/// What stands above a template's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", content = "payload", rename_all = "snake_case")]
pub enum Header {
    /// A headline.
    Text(String),
    /// The address of a picture.
    Image(String),
    /// The address of a video.
    Video(String),
    /// The address of a document.
    Document(String),
}

/// A card with up to three reply buttons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ButtonTemplate {
    /// What stands above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    /// The text itself.
    pub text: String,
    /// What stands below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// One to three.
    pub buttons: Vec<Choice>,
    /// As in [`Bubbles`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
}

/// A row of [`ListSection`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Comes back in the click.
    pub id: String,
    /// What the person sees.
    pub label: String,
    /// Stands in its place where the medium has no room for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_label: Option<String>,
    /// A second line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A part of [`ListTemplate`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListSection {
    /// Its headline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// At least one.
    pub rows: Vec<Row>,
}

/// A button that opens a list of options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListTemplate {
    /// What stands above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The text itself.
    pub text: String,
    /// What stands below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// The label of the button that opens the list.
    pub button: String,
    /// The headline above the options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// At least one.
    pub sections: Vec<ListSection>,
    /// More than one row may be chosen.
    #[serde(default)]
    pub multiple: bool,
    /// As in [`Bubbles`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
}

/// A button that opens a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkButton {
    /// What the person sees.
    pub label: String,
    /// Stands in its place where the medium has no room for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_label: Option<String>,
    /// The page.
    pub link: String,
}

/// Buttons that open web pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buttons {
    /// What stands above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// At least one.
    pub links: Vec<LinkButton>,
}

/// A link with a preview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RichLink {
    /// The page.
    pub link: String,
    /// The preview's headline.
    pub title: String,
    /// The address of a preview picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// What stands beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A picture, recording or file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// Its address.
    pub link: String,
    /// The file's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// What stands beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
}

/// Send the person's browser to a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Navigate {
    /// The page.
    pub link: String,
}

/// Show or hide the typing indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Typing {
    /// Show it.
    Start,
    /// Hide it.
    Stop,
}

/// Hold back what follows in this turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delay {
    /// At most 60,000 a turn, in sum.
    pub delay_ms: u32,
    /// Show the typing indicator meanwhile.
    pub typing: bool,
}

/// Change what the vendor knows of the person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactUpdate {
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The mobile number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile_number: Option<String>,
    /// The tenant's own id of this person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_customer_id: Option<String>,
    /// A JSON object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_fields: Option<String>,
}

/// Change what the vendor knows of the conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationUpdate {
    /// The subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The topics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topics: Option<Vec<String>>,
    /// The language tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// A JSON object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_fields: Option<String>,
}

/// Leave a note for human agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteCreate {
    /// The note.
    pub text: String,
    /// The contact that it is about; absent: the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<String>,
}

/// Move the conversation to a work queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkQueue {
    /// The queue, by the vendor's id.
    pub queue: String,
    /// For agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// Mark the conversation as resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolve {
    /// For agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// Ask the person to fill in a secure form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecureForm {
    /// The form's id at the vendor.
    pub form: String,
    /// What stands beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Hand the conversation over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    /// To whom.
    pub target: ForwardTarget,
    /// What happens when nobody is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
}

/// Who shall take over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", content = "payload", rename_all = "snake_case")]
pub enum ForwardTarget {
    /// Anybody of the bot's own group.
    Any,
    /// Anybody of this group.
    Group(String),
    /// Somebody who has all of these skills.
    Skills(Vec<String>),
    /// This agent.
    Human(String),
    /// Another bot.
    Bot(String),
}

/// What happens when a hand-off finds nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The bot stays responsible and gets `forward_failed`.
    Feedback,
    /// The conversation waits for a human.
    Unassign,
}

/// Send the conversation to an add-on when it has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddonDispatch {
    /// The add-on's type, as the vendor names it.
    pub addon: String,
}

/// Send the transcript by e-mail when the conversation has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailDispatch {
    /// To whom.
    pub recipient: EmailRecipient,
}

/// Who gets the transcript.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", content = "payload", rename_all = "snake_case")]
pub enum EmailRecipient {
    /// The person.
    Contact,
    /// An operator, by the vendor's id.
    Operator(String),
}

/// Get a `timer` event later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Names the timer within the conversation.
    pub name: String,
    /// From the turn's `now_ms`.
    pub after_ms: u64,
    /// JSON that comes back in the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

/// Call a web service after this turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Comes back in the response.
    pub name: String,
    /// The HTTP method.
    pub method: String,
    /// The address.
    pub url: String,
    /// The headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Setting>,
    /// The body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Until the answer is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u32>,
}

/// A packet in one vendor's own form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passthrough {
    /// The vendor that this is for.
    pub vendor: String,
    /// The packet, a JSON object; what it must hold is the vendor's to say.
    pub json: String,
}
