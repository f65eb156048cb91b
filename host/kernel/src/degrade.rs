//! What a medium cannot carry becomes something that it can.
//!
//! The rules are total: every action of every bot can be put to every profile.
//! No option is lost: what cannot be tapped is numbered text. Nothing is longer
//! than the profile allows, but for the ids of options: what stands for one that is
//! too long is put in its place by [`Degraded::name_options`]. What is left out or
//! changed is noted in words for the bot's log, never in silence; where a label has no
//! room, the bot's own short one is what it wanted.
//!
//! Every profile carries `message`. Besides the names of actions a profile lists
//! what it carries of them:
//!
//! - `message_markdown` and `bubbles_markdown` are texts in `markdown_v1`.
//! - `forward` hands over to anybody, to a group and by skills; a vendor with
//!   other targets lists them one by one (`forward_any`, `forward_group`,
//!   `forward_skills`, `forward_human`, `forward_bot`).
//! - `forward_skills_feedback` is `on_failure: feedback` of a hand-off by skills.
//! - `buttons_text` is a text above buttons that open pages.
//! - `carousel_text_apart` and `bubbles_text_apart` say that cards or options are shown
//!   and nothing else: the text is a message of its own, before them in a list, and behind
//!   the answer in which they ride.
//! - `bubbles_until_next` says that options of this form vanish behind whatever is said
//!   next: see [`Profile::followed`].
//! - `typing_until_stopped` says that a message does not end the sign of typing.
//! - `text_left_out` says that there is no message beside the answer: such a text is left
//!   out, and noted.
//! - `rich_link_needs_image` says that no link has a preview without a picture.
//! - `media_image`, `media_video`, `media_audio` and `media_document` are the kinds of
//!   files that the medium takes; where none of them stands it takes all.
//! - `media_caption` is a text beside a file.
//! - `button_template_header_text`, `…_image`, `…_video`, `…_document` and
//!   `button_template_footer` are what the medium shows around the text.
//! - `list_template_multiple` is the choice of more than one row,
//!   `list_template_sections` are headlines between them, and
//!   `list_template_details` are header, footer, title and descriptions.
//! - `passthrough_packet` says that a passthrough is `{"name", "payload"}`; every
//!   vendor takes its own passthroughs.
//! - `other:reaction` is the `other` named `reaction`.

mod forms;
mod links;
mod lists;
mod locale;
mod menu;
mod options;
mod pages;
mod parts;
mod refuse;

use serde_json::{Map, Value};

use crate::action::{
    Action, Forward, ForwardTarget, Media, Message, NamedPayload, Navigate, OnFailure, Passthrough,
    SecureForm, TextFormat,
};
use crate::choices;
use crate::files::Kind;
use crate::id::{PartId, TurnId};
use crate::profile::{Length, Profile};
use crate::text;

pub(crate) use locale::more;
pub use refuse::{Degrading, refusal};

/// What became of an action.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Degraded {
    /// What the medium gets, in order; empty when nothing of it can be carried.
    pub actions: Vec<Action>,
    /// What is other than the bot wanted.
    pub notes: Vec<Note>,
    /// Where a menu has more options than the medium shows at once: the pages after
    /// the first, which is the last of `actions`. Each page but the last ends in an
    /// option that asks for the next one, which [`Degraded::name_options`] names.
    pub pages: Vec<Action>,
}

impl Degraded {
    /// Puts short words in the place of ids that the medium does not take, and names
    /// the options that ask for the next page. `menu` is the part that offers the
    /// menu, `given` is the bot's own action.
    pub fn name_options(&mut self, profile: &Profile, menu: &str, given: &Action) {
        for action in self.actions.iter_mut().chain(&mut self.pages) {
            choices::shorten_ids(action, profile, menu, given);
        }
        if !self.pages.is_empty() {
            choices::link_pages(self.actions.last_mut().into_iter().chain(&mut self.pages), menu);
        }
    }

    /// All that the medium may get of an action, for whoever shows or tries it outside of a
    /// conversation: pages that a person would have to ask for follow at once. They are the
    /// parts of the action of this number in a turn.
    pub fn into_parts(
        mut self,
        profile: &Profile,
        turn: &TurnId,
        index: usize,
        given: &Action,
    ) -> Vec<(PartId, Action)> {
        self.name_options(profile, PartId::of(turn, index, 0).as_str(), given);
        let all = self.actions.into_iter().chain(self.pages).enumerate();
        all.map(|(part, action)| (PartId::of(turn, index, part), action)).collect()
    }
}

/// A word for the bot's log on what was changed and why. It never quotes what
/// the bot said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The canonical name of the bot's action.
    pub action: &'static str,
    /// What was changed and why.
    pub what: String,
}

/// Turns an action into what the medium carries.
///
/// Actions that the host carries out itself (`context_update`,
/// `context_clear`, `schedule`, `cancel_timer`, `request`, and `delay`, which
/// the host waits out where the vendor does not) pass untouched.
///
/// The few words that the host adds are English; see [`degrade_in`].
pub fn degrade(action: Action, profile: &Profile, vendor: &str) -> Degraded {
    degrade_in(action, profile, vendor, None)
}

/// As [`degrade`], with the host's own words in the language of a locale, where
/// they are known in it: English, German, French and Spanish.
pub fn degrade_in(
    action: Action,
    profile: &Profile,
    vendor: &str,
    locale: Option<&str>,
) -> Degraded {
    let done = Degraded::default();
    let mut carrier = Carrier { name: action.name(), profile, vendor, locale, done };
    carrier.carry(action);
    carrier.done
}

/// One action on its way to a medium.
struct Carrier<'a> {
    name: &'static str,
    profile: &'a Profile,
    vendor: &'a str,
    locale: Option<&'a str>,
    done: Degraded,
}

impl Carrier<'_> {
    fn carry(&mut self, action: Action) {
        match action {
            Action::Message(message) => self.message(message),
            Action::Bubbles(bubbles) => self.bubbles(bubbles),
            Action::Carousel(carousel) => self.carousel(carousel),
            Action::ButtonTemplate(template) => self.button_template(template),
            Action::ListTemplate(list) => self.list_template(list),
            Action::Buttons(buttons) => self.buttons(buttons),
            Action::RichLink(link) => self.rich_link(link),
            Action::Media(media) => self.media(media),
            Action::Navigate(navigate) => self.navigate(navigate),
            Action::SecureForm(form) => self.secure_form(form),
            Action::Forward(forward) => self.forward(forward),
            Action::Abort => self.abort(),
            Action::Passthrough(passthrough) => self.passthrough(passthrough),
            Action::Other(payload) => self.other(payload),
            Action::ContactUpdate(_) | Action::End => self.done_here_too(action),
            Action::Typing(_)
            | Action::ConversationUpdate(_)
            | Action::NoteCreate(_)
            | Action::Tag(_)
            | Action::Untag(_)
            | Action::Priority(_)
            | Action::WorkQueue(_)
            | Action::Resolve(_)
            | Action::AddonDispatch(_)
            | Action::EmailDispatch(_) => self.keep_or_drop(action),
            Action::Delay(_)
            | Action::ContextUpdate(_)
            | Action::ContextClear
            | Action::Schedule(_)
            | Action::CancelTimer(_)
            | Action::Request(_) => self.push(action),
        }
    }

    /// Whether the medium carries the action as it is.
    fn native(&self) -> bool {
        self.profile.carries(self.name)
    }

    fn push(&mut self, action: Action) {
        self.done.actions.push(action);
    }

    fn note(&mut self, what: impl Into<String>) {
        self.done.notes.push(Note { action: self.name, what: what.into() });
    }

    fn keep_or_drop(&mut self, action: Action) {
        if self.native() {
            self.push(action);
        } else {
            self.drop_it();
        }
    }

    /// The host knows what was learned of a person, and ends the session, in any case: nothing
    /// is lost where the vendor is not told.
    fn done_here_too(&mut self, action: Action) {
        if self.native() {
            self.push(action);
        }
    }

    fn drop_it(&mut self) {
        let vendor = self.vendor;
        self.note(format!("dropped: {vendor} has nothing like it on this medium"));
    }

    fn message(&mut self, message: Message) {
        let (text, format) = self.read(message.text, message.format, "message_markdown");
        self.say(&text, format);
    }

    /// The text as this medium reads it there.
    fn read(&mut self, text: String, format: TextFormat, place: &str) -> (String, TextFormat) {
        // What does not fit there goes before as messages.
        let marked =
            |profile: &Profile| profile.carries(place) && profile.carries("message_markdown");
        if format == TextFormat::Plain || marked(self.profile) {
            return (text, format);
        }
        self.note("sent as bare text: this medium has no formatting there");
        (text::bare(&text), TextFormat::Plain)
    }

    /// Says a text, in as many messages as it needs.
    fn say(&mut self, text: &str, format: TextFormat) {
        let limit = self.profile.text_of("message");
        self.say_parts(text::split(text, limit.max, limit.unit), format);
    }

    /// Says blocks of text one below the other, none of them torn where that
    /// can be helped.
    fn say_blocks<'b>(&mut self, blocks: impl IntoIterator<Item = &'b str>, format: TextFormat) {
        let blocks = blocks.into_iter().filter(|block| !block.trim().is_empty());
        let limit = self.profile.text_of("message");
        let parts = text::pack(blocks, limit.max, limit.unit);
        if parts.is_empty() {
            self.note("dropped: it has no text");
        }
        self.say_parts(parts, format);
    }

    fn say_parts(&mut self, parts: Vec<String>, format: TextFormat) {
        self.note_parts(parts.len(), self.profile.text_of("message"));
        for text in parts {
            self.push(Action::Message(Message { text, format }));
        }
    }

    /// Says all of a text that does not fit into an action of this name and
    /// returns the rest, for an action whose options belong below the last part.
    fn lead(&mut self, action: &str, text: String, format: TextFormat) -> String {
        let (message, own) = (self.profile.text_of("message"), self.profile.text_of(action));
        if own.takes(&text) {
            return text;
        }
        let mut messages = text::split(&text, message.max, message.unit);
        let last = messages.pop().unwrap_or_default();
        let mut rest = text::split(&last, own.max, own.unit).pop().unwrap_or_default();
        match last.trim_end().strip_suffix(&*rest).map(str::trim_end) {
            Some(before) if !before.is_empty() => messages.push(before.to_owned()),
            Some(_) => {}
            // White space alone is cut at its end.
            None => rest = text::split(&last, own.max, own.unit).swap_remove(0),
        }
        self.note_parts(messages.len() + 1, own);
        for text in messages {
            self.push(Action::Message(Message { text, format }));
        }
        rest
    }

    fn note_parts(&mut self, parts: usize, most: &Length) {
        if parts > 1 {
            self.note(format!("the text was split into {parts} parts: this medium carries {most}"));
        }
    }

    fn media(&mut self, mut media: Media) {
        if let Some(why) = self.refused_file(&media) {
            self.note(format!("sent as a link: {why}"));
            let name = media.name.as_deref().unwrap_or_default();
            let caption = media.caption.as_deref().unwrap_or_default();
            let line = labelled(name, &media.link);
            self.say_blocks([caption, line.as_str()], TextFormat::Plain);
            return;
        }
        let limit = self.profile.of("media").caption.as_ref().unwrap_or(&self.profile.limits.text);
        let fits = |caption: &String| self.profile.carries("media_caption") && limit.takes(caption);
        let below = media.caption.take_if(|caption| !fits(caption));
        self.push(Action::Media(media));
        if let Some(caption) = below.filter(|caption| !caption.trim().is_empty()) {
            self.note("the caption follows as a text: this medium carries no such caption");
            self.say(&caption, TextFormat::Plain);
        }
    }

    /// Why the medium does not take this file.
    fn refused_file(&self, media: &Media) -> Option<&'static str> {
        if !self.native() {
            return Some("this medium carries no files");
        }
        let carries = |kind: Kind| self.profile.carries(kind.part());
        if !Kind::ALL.into_iter().any(carries) {
            return None;
        }
        match Kind::of_media(media) {
            Some(kind) if carries(kind) => None,
            Some(_) => Some("this medium carries no files of this kind"),
            None => Some("this medium carries some kinds of files only; say `mime_type`"),
        }
    }

    fn navigate(&mut self, navigate: Navigate) {
        if self.native() {
            self.push(Action::Navigate(navigate));
        } else {
            self.note("sent as a link: the person's browser is out of reach on this medium");
            self.say(&navigate.link, TextFormat::Plain);
        }
    }

    fn secure_form(&mut self, mut form: SecureForm) {
        if self.native() {
            if let Some(text) = form.text.take() {
                form.text = Some(self.lead("secure_form", text, TextFormat::Plain));
            }
            self.push(Action::SecureForm(form));
            return;
        }
        match form.text.filter(|text| !text.trim().is_empty()) {
            Some(text) => {
                self.note("only its text was sent: this medium has no secure forms");
                self.say(&text, TextFormat::Plain);
            }
            None => self.drop_it(),
        }
    }

    fn forward(&mut self, mut forward: Forward) {
        let (name, usual) = match forward.target {
            ForwardTarget::Any => ("forward_any", true),
            ForwardTarget::Group(_) => ("forward_group", true),
            ForwardTarget::Skills(_) => ("forward_skills", true),
            ForwardTarget::Human(_) => ("forward_human", false),
            ForwardTarget::Bot(_) => ("forward_bot", false),
        };
        if self.profile.carries(name) || usual && self.native() {
            let feedback = forward.on_failure == Some(OnFailure::Feedback);
            let skills = matches!(forward.target, ForwardTarget::Skills(_));
            if feedback && skills && !self.profile.carries("forward_skills_feedback") {
                forward.on_failure = None;
                self.note(
                    "`on_failure: feedback` was left out: with skills this vendor takes none, and \
                     the bot hears no more where nobody is there",
                );
            }
            self.push(Action::Forward(forward));
        } else if self.reaches_anybody() {
            self.note(format!("handed over to anybody: this medium has no `{name}`"));
            self.push(Action::Forward(Forward { target: ForwardTarget::Any, ..forward }));
        } else {
            self.drop_it();
        }
    }

    fn reaches_anybody(&self) -> bool {
        self.profile.carries("forward") || self.profile.carries("forward_any")
    }

    fn abort(&mut self) {
        if !self.native() && self.reaches_anybody() {
            self.note("handed over to anybody: this medium has no `abort`");
            self.push(Action::Forward(Forward { target: ForwardTarget::Any, on_failure: None }));
        } else {
            self.keep_or_drop(Action::Abort);
        }
    }

    fn passthrough(&mut self, passthrough: Passthrough) {
        let vendor = self.vendor;
        if passthrough.vendor != vendor {
            self.note(format!("dropped: it is for another vendor than {vendor}"));
        } else if self.profile.carries("passthrough_packet") {
            self.packet(passthrough);
        } else {
            self.push(Action::Passthrough(passthrough));
        }
    }

    /// A packet by itself; one in the vendor's envelope is taken out of it.
    fn packet(&mut self, mut passthrough: Passthrough) {
        let written: Option<Map<String, Value>> = serde_json::from_str(&passthrough.json).ok();
        let mut packet = written.unwrap_or_default();
        if let Some(Value::Object(inner)) = packet.remove("packet") {
            packet = inner;
            passthrough.json = Value::Object(packet.clone()).to_string();
            self.note("only its `packet` was sent: the host makes what stands around it");
        }
        let name = packet.get("name").and_then(Value::as_str).unwrap_or_default();
        if name.trim().is_empty() {
            self.note(
                "dropped: `json` must be a packet, `{\"name\": \"…\", \"payload\": {…}}`, with a \
                 text as `name`",
            );
        } else {
            self.push(Action::Passthrough(passthrough));
        }
    }

    fn other(&mut self, payload: NamedPayload) {
        if self.profile.carries(&format!("other:{}", payload.name)) {
            self.push(Action::Other(payload));
        } else {
            let vendor = self.vendor;
            self.note(format!("dropped: {vendor} knows no action of this name on this medium"));
        }
    }
}

/// A line with a label before a link, where there is one.
fn labelled(label: &str, link: &str) -> String {
    match label.trim() {
        "" => link.to_owned(),
        label => format!("{label}: {link}"),
    }
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
