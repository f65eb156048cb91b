//! The vendor's desk: contacts, notes, tags, routing and hand-offs.
//!
//! The vendor is told of these before a [`Forward`], [`abort`] or [`end`] of the
//! same answer, wherever they stand in it.

use super::{
    Action, AddonDispatch, ContactUpdate, ConversationUpdate, EmailDispatch, EmailRecipient,
    Forward, ForwardTarget, NoteCreate, OnFailure, Resolve, SecureForm, WorkQueue,
};

/// Adds tags, by the vendor's ids or names.
pub fn tag(tags: impl IntoIterator<Item = impl Into<String>>) -> Action {
    Action::Tag(tags.into_iter().map(Into::into).collect())
}

/// Takes tags away, by the vendor's ids or names.
pub fn untag(tags: impl IntoIterator<Item = impl Into<String>>) -> Action {
    Action::Untag(tags.into_iter().map(Into::into).collect())
}

/// Sets the priority, in the vendor's own scale.
pub fn priority(priority: u32) -> Action {
    Action::Priority(priority)
}

/// Stops the bot and lets the vendor route the conversation to humans. Put it last:
/// speech after it is withheld, and what else follows may not be delivered.
pub fn abort() -> Action {
    Action::Abort
}

/// Ends the session and the conversation, and its timers with them. Put it last:
/// speech after it is withheld, and what else follows may not be delivered.
pub fn end() -> Action {
    Action::End
}

/// Sends the conversation to an add-on of the vendor, by its type, when it has ended.
/// Put it last, with only [`end`], [`abort`] or [`Forward`] behind it: what follows
/// may not be delivered.
pub fn addon_dispatch(addon: impl Into<String>) -> Action {
    AddonDispatch { addon: addon.into() }.into()
}

/// Sends the transcript to the person when the conversation has ended; an e-mail
/// address must be known by then. Put it last, as [`addon_dispatch`].
pub fn email_to_contact() -> Action {
    EmailDispatch { recipient: EmailRecipient::Contact }.into()
}

/// Sends the transcript to an operator, by the vendor's id, when the conversation has
/// ended. Put it last, as [`addon_dispatch`].
pub fn email_to_operator(operator: impl Into<String>) -> Action {
    EmailDispatch { recipient: EmailRecipient::Operator(operator.into()) }.into()
}

impl ContactUpdate {
    /// A change of what the vendor knows of the person; name at least one field.
    pub fn new() -> Self {
        Self {
            name: None,
            email: None,
            mobile_number: None,
            external_customer_id: None,
            custom_fields: None,
        }
    }

    /// The name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The e-mail address.
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }

    /// The mobile number.
    pub fn mobile_number(mut self, number: impl Into<String>) -> Self {
        self.mobile_number = Some(number.into());
        self
    }

    /// The tenant's own id of this person.
    pub fn external_customer_id(mut self, id: impl Into<String>) -> Self {
        self.external_customer_id = Some(id.into());
        self
    }

    /// Custom fields. Where the vendor merges, those that it does not name stay.
    pub fn custom_fields(mut self, fields: &serde_json::Map<String, serde_json::Value>) -> Self {
        self.custom_fields = Some(object(fields));
        self
    }
}

impl Default for ContactUpdate {
    fn default() -> Self {
        Self::new()
    }
}

impl ConversationUpdate {
    /// A change of what the vendor knows of the conversation; name at least one field.
    pub fn new() -> Self {
        Self { subject: None, topics: None, locale: None, custom_fields: None }
    }

    /// The subject.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// The topics, each of at least one character. Whether they take the place of the
    /// old ones or join them is the vendor's choice.
    pub fn topics(mut self, topics: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.topics = Some(topics.into_iter().map(Into::into).collect());
        self
    }

    /// The language tag.
    pub fn locale(mut self, locale: impl Into<String>) -> Self {
        self.locale = Some(locale.into());
        self
    }

    /// Custom fields. Where the vendor merges, those that it does not name stay.
    pub fn custom_fields(mut self, fields: &serde_json::Map<String, serde_json::Value>) -> Self {
        self.custom_fields = Some(object(fields));
        self
    }
}

impl Default for ConversationUpdate {
    fn default() -> Self {
        Self::new()
    }
}

impl NoteCreate {
    /// A note for human agents about the conversation.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), contact_id: None }
    }

    /// The note is about this contact, by the id that the session has for it.
    pub fn about_contact(mut self, id: impl Into<String>) -> Self {
        self.contact_id = Some(id.into());
        self
    }
}

impl WorkQueue {
    /// Moves the conversation to a work queue, by the vendor's id.
    pub fn new(queue: impl Into<String>) -> Self {
        Self { queue: queue.into(), comment: None }
    }

    /// A word for agents.
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }
}

impl Resolve {
    /// Marks the conversation as resolved.
    pub fn new() -> Self {
        Self { comment: None }
    }

    /// A word for agents.
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }
}

impl Default for Resolve {
    fn default() -> Self {
        Self::new()
    }
}

impl SecureForm {
    /// Asks the person to fill in a secure form, by the vendor's id.
    pub fn new(form: impl Into<String>) -> Self {
        Self { form: form.into(), text: None }
    }

    /// What stands beside it.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }
}

/// Put a hand-off last in an answer: speech after it is withheld, and what else
/// follows may not be delivered.
impl Forward {
    /// To anybody of the bot's own group.
    pub fn any() -> Self {
        Self::to(ForwardTarget::Any)
    }

    /// To anybody of a group, by the vendor's id.
    pub fn group(group: impl Into<String>) -> Self {
        Self::to(ForwardTarget::Group(group.into()))
    }

    /// To somebody who has all of these skills, by the vendor's ids.
    pub fn skills(skills: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::to(ForwardTarget::Skills(skills.into_iter().map(Into::into).collect()))
    }

    /// To an agent, by the vendor's id.
    pub fn human(agent: impl Into<String>) -> Self {
        Self::to(ForwardTarget::Human(agent.into()))
    }

    /// To another bot, by its name among the channel's external bots.
    pub fn bot(bot: impl Into<String>) -> Self {
        Self::to(ForwardTarget::Bot(bot.into()))
    }

    /// The bot stays responsible when nobody is there, and gets `forward_failed`.
    pub fn or_feedback(mut self) -> Self {
        self.on_failure = Some(OnFailure::Feedback);
        self
    }

    /// The conversation waits for a human when nobody is there; the bot hears no
    /// more of it.
    pub fn or_unassign(mut self) -> Self {
        self.on_failure = Some(OnFailure::Unassign);
        self
    }

    fn to(target: ForwardTarget) -> Self {
        Self { target, on_failure: None }
    }
}

fn object(fields: &serde_json::Map<String, serde_json::Value>) -> String {
    serde_json::Value::Object(fields.clone()).to_string()
}
