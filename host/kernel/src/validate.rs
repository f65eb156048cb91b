//! Whether what a bot returned can be carried out at all.
//!
//! The limits are those of `wit/v1/action.wit`, whatever the vendor: what a
//! medium carries less of is [`crate::degrade`]'s business. Failures name the
//! action, the field and the limit, never what a bot's user said.

mod check;
mod menu;
mod request;

use crate::action::{
    Action, Buttons, ContactUpdate, ConversationUpdate, EmailRecipient, ForwardTarget, Header,
    Media, NamedPayload, RichLink, Schedule,
};
use crate::json;
use crate::run::{Blame, FailureKind, RunFailure};
use crate::validate::check::Check;

/// Actions of a turn.
pub const ACTIONS_MAX: usize = 32;
/// The canonical JSON of a turn's actions together, in bytes.
pub const ACTIONS_MAX_BYTES: usize = 64 * 1024;
/// A text of any kind, in characters (Unicode scalar values).
pub const TEXT_MAX_CHARACTERS: usize = 5_000;
/// A label of an option or a button, in characters.
pub const LABEL_MAX_CHARACTERS: usize = 500;
/// The id of an option, in bytes.
pub const OPTION_ID_MAX_BYTES: usize = 1_000;
/// The buttons of a `button_template`.
pub const BUTTONS_MAX: usize = 3;
/// A context as compact JSON, in bytes.
pub const CONTEXT_MAX_BYTES: usize = 10_000;
/// The delays of a turn in sum.
pub const DELAY_MAX_MS: u64 = 60_000;
/// The name of a timer or a request, in bytes.
pub const NAME_MAX_BYTES: usize = 200;
/// How far ahead a timer may be set: 365 days.
pub const AFTER_MAX_MS: u64 = 365 * crate::time::DAY;
/// The payload of a timer, in bytes.
pub const TIMER_PAYLOAD_MAX_BYTES: usize = 8 * 1024;
/// The JSON of a `passthrough`, in bytes.
pub const PASSTHROUGH_MAX_BYTES: usize = 32 * 1024;
/// The JSON of an `other`, in bytes.
pub const OTHER_MAX_BYTES: usize = 64 * 1024;

/// Checks the actions of a turn.
///
/// # Errors
///
/// Bot-blamed. [`FailureKind::Output`] for too many actions or too many bytes
/// in all, [`FailureKind::InvalidAction`] for the first action that breaks a
/// rule.
pub fn actions(actions: &[Action]) -> Result<(), RunFailure> {
    if actions.len() > ACTIONS_MAX {
        let given = actions.len();
        return Err(output(format!("{given} actions given, at most {ACTIONS_MAX} are allowed")));
    }
    let mut delays_ms = 0;
    for (index, action) in actions.iter().enumerate() {
        let check = Check::new(index, action);
        self::action(check, action)?;
        if let Action::Delay(delay) = action {
            delays_ms += u64::from(delay.delay_ms);
            check.at_most("delay_ms", delays_ms, DELAY_MAX_MS, "ms with the delays before it")?;
        }
    }
    let bytes = json::bytes(actions);
    if bytes > ACTIONS_MAX_BYTES {
        return Err(output(format!(
            "the actions have {bytes} bytes of JSON together, at most {ACTIONS_MAX_BYTES} are \
             allowed; send less, or put the rest behind a link"
        )));
    }
    Ok(())
}

fn output(message: String) -> RunFailure {
    RunFailure { blame: Blame::Bot, kind: FailureKind::Output, message }
}

fn action(check: Check, action: &Action) -> Result<(), RunFailure> {
    match action {
        Action::Message(message) => check.text("text", &message.text),
        Action::Bubbles(bubbles) => check.bubbles(bubbles),
        Action::Carousel(carousel) => check.carousel(carousel),
        Action::ButtonTemplate(template) => check.button_template(template),
        Action::ListTemplate(template) => check.list_template(template),
        Action::Buttons(buttons) => check.buttons(buttons),
        Action::RichLink(link) => check.rich_link(link),
        Action::Media(media) => check.media(media),
        Action::Navigate(navigate) => check.link("link", &navigate.link),
        Action::ContextUpdate(json) => check.context(json),
        Action::ContactUpdate(update) => check.contact_update(update),
        Action::ConversationUpdate(update) => check.conversation_update(update),
        Action::NoteCreate(note) => {
            check.text("text", &note.text)?;
            check.optional_id("contact_id", note.contact_id.as_deref())
        }
        Action::Tag(tags) | Action::Untag(tags) => check.ids("payload", tags),
        Action::WorkQueue(work) => {
            check.id("queue", &work.queue)?;
            check.optional_text("comment", work.comment.as_deref())
        }
        Action::Resolve(resolve) => check.optional_text("comment", resolve.comment.as_deref()),
        Action::SecureForm(form) => {
            check.id("form", &form.form)?;
            check.optional_text("text", form.text.as_deref())
        }
        Action::Forward(forward) => check.forward_target(&forward.target),
        Action::AddonDispatch(dispatch) => check.id("addon", &dispatch.addon),
        Action::EmailDispatch(dispatch) => match &dispatch.recipient {
            EmailRecipient::Contact => Ok(()),
            EmailRecipient::Operator(id) => check.id("recipient", id),
        },
        Action::Schedule(schedule) => check.schedule(schedule),
        Action::CancelTimer(name) => check.name("payload", name),
        Action::Request(request) => check.request(request),
        Action::Passthrough(passthrough) => {
            check.id("vendor", &passthrough.vendor)?;
            check.json_object("json", &passthrough.json, PASSTHROUGH_MAX_BYTES)
        }
        Action::Other(payload) => check.other(payload),
        // The sum of the delays is checked over the whole turn.
        Action::Delay(_)
        | Action::Typing(_)
        | Action::ContextClear
        | Action::Priority(_)
        | Action::Abort
        | Action::End => Ok(()),
    }
}

impl Check {
    fn buttons(self, buttons: &Buttons) -> Result<(), RunFailure> {
        self.optional_text("text", buttons.text.as_deref())?;
        self.not_empty("links", buttons.links.len())?;
        for (n, button) in buttons.links.iter().enumerate() {
            self.label(format_args!("links[{n}].label"), &button.label)?;
            let short = button.short_label.as_deref();
            self.short_label(format_args!("links[{n}].short_label"), short)?;
            self.link(format_args!("links[{n}].link"), &button.link)?;
        }
        Ok(())
    }

    fn rich_link(self, rich: &RichLink) -> Result<(), RunFailure> {
        self.link("link", &rich.link)?;
        self.label("title", &rich.title)?;
        self.optional_link("image", rich.image.as_deref())?;
        self.optional_text("text", rich.text.as_deref())
    }

    fn media(self, media: &Media) -> Result<(), RunFailure> {
        self.secure_link("link", &media.link)?;
        self.optional_text("name", media.name.as_deref())?;
        self.optional_text("mime_type", media.mime_type.as_deref())?;
        self.optional_text("caption", media.caption.as_deref())
    }

    fn header(self, header: Option<&Header>) -> Result<(), RunFailure> {
        match header {
            None => Ok(()),
            Some(Header::Text(text)) => self.text("header", text),
            Some(Header::Image(link) | Header::Video(link) | Header::Document(link)) => {
                self.link("header", link)
            }
        }
    }

    fn context(self, json: &str) -> Result<(), RunFailure> {
        let compact = self.compact_object("payload", json)?;
        self.at_most("payload", compact, CONTEXT_MAX_BYTES, "bytes of compact JSON")
    }

    fn contact_update(self, update: &ContactUpdate) -> Result<(), RunFailure> {
        let ContactUpdate { name, email, mobile_number, external_customer_id, custom_fields } =
            update;
        let texts = [
            ("name", name),
            ("email", email),
            ("mobile_number", mobile_number),
            ("external_customer_id", external_customer_id),
        ];
        if texts.iter().all(|(_, text)| text.is_none()) && custom_fields.is_none() {
            return Err(self.fail("payload", "names no field, at least one is needed"));
        }
        for (field, text) in texts {
            self.optional_text(field, text.as_deref())?;
        }
        self.optional_object("custom_fields", custom_fields.as_deref())
    }

    fn conversation_update(self, update: &ConversationUpdate) -> Result<(), RunFailure> {
        let ConversationUpdate { subject, topics, locale, custom_fields } = update;
        if subject.is_none() && topics.is_none() && locale.is_none() && custom_fields.is_none() {
            return Err(self.fail("payload", "names no field, at least one is needed"));
        }
        self.optional_text("subject", subject.as_deref())?;
        for (n, topic) in topics.iter().flatten().enumerate() {
            self.text(format_args!("topics[{n}]"), topic)?;
        }
        self.optional_text("locale", locale.as_deref())?;
        self.optional_object("custom_fields", custom_fields.as_deref())
    }

    fn forward_target(self, target: &ForwardTarget) -> Result<(), RunFailure> {
        match target {
            ForwardTarget::Any => Ok(()),
            ForwardTarget::Group(id) | ForwardTarget::Human(id) | ForwardTarget::Bot(id) => {
                self.id("target", id)
            }
            ForwardTarget::Skills(ids) => self.ids("target", ids),
        }
    }

    fn schedule(self, schedule: &Schedule) -> Result<(), RunFailure> {
        self.name("name", &schedule.name)?;
        self.at_most("after_ms", schedule.after_ms, AFTER_MAX_MS, "ms")?;
        match &schedule.payload {
            Some(json) => self.json("payload", json, TIMER_PAYLOAD_MAX_BYTES),
            None => Ok(()),
        }
    }

    fn other(self, payload: &NamedPayload) -> Result<(), RunFailure> {
        self.id("name", &payload.name)?;
        self.json("json", &payload.json, OTHER_MAX_BYTES)
    }
}

#[cfg(test)]
mod tests;
