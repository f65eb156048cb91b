//! What a turn came to, and what tests ask of it.

use crate::action::{Action, ContactUpdate, Forward, Request};

/// What a turn came to.
///
/// The methods named as verbs are assertions: they panic with what the bot really
/// did. Those without a result answer the outcome itself, so that they can be chained.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an outcome is there to be asked"]
pub struct Outcome {
    result: Result<Vec<Action>, String>,
    /// Which of the actions the host withholds.
    withheld: Vec<bool>,
    ran: bool,
}

impl Outcome {
    pub(super) fn of_run(result: Result<Vec<Action>, String>, withheld: Vec<bool>) -> Self {
        Self { result, withheld, ran: true }
    }

    pub(super) fn skipped() -> Self {
        Self { result: Ok(Vec::new()), withheld: Vec::new(), ran: false }
    }

    /// Whether the bot ran at all. It does not while a human has the conversation.
    pub fn ran(&self) -> bool {
        self.ran
    }

    /// The actions as the bot gave them, also those that the host withholds;
    /// panics where the bot failed.
    #[track_caller]
    pub fn actions(&self) -> &[Action] {
        match &self.result {
            Ok(actions) => actions,
            Err(reason) => panic!("the bot failed: {reason}"),
        }
    }

    /// The actions that the host withholds: what the person would notice, behind
    /// a hand-off, `abort` or `end`, or after the conversation has ended. All
    /// methods but [`Outcome::actions`] and this one leave them out. Panics where
    /// the bot failed.
    #[track_caller]
    pub fn withheld(&self) -> Vec<&Action> {
        self.actions().iter().zip(&self.withheld).filter(|(_, out)| **out).map(|(a, _)| a).collect()
    }

    /// Why the bot failed, if it did.
    pub fn failure(&self) -> Option<&str> {
        self.result.as_ref().err().map(String::as_str)
    }

    /// Every text that the person reads, in order; panics where the bot failed.
    #[track_caller]
    pub fn texts(&self) -> Vec<&str> {
        self.delivered().filter_map(text).collect()
    }

    /// The ids and labels of every option, in order; panics where the bot failed.
    #[track_caller]
    pub fn options(&self) -> Vec<(&str, &str)> {
        self.delivered().flat_map(options).collect()
    }

    /// Some text of this turn contains this one.
    #[track_caller]
    pub fn says(&self, part: &str) -> &Self {
        let texts = self.texts();
        let found = texts.iter().any(|text| text.contains(part));
        assert!(found, "expected to read {part:?}, the bot said {texts:?}");
        self
    }

    /// The person reads nothing of this turn.
    #[track_caller]
    pub fn says_nothing(&self) -> &Self {
        let texts = self.texts();
        assert!(texts.is_empty(), "expected no text, the bot said {texts:?}");
        self
    }

    /// The options have exactly these ids, in this order.
    #[track_caller]
    pub fn offers(&self, ids: &[&str]) -> &Self {
        let offered: Vec<&str> = self.options().iter().map(|(id, _)| *id).collect();
        assert_eq!(offered, ids, "the options that the bot offered (left) are others");
        self
    }

    /// The bot ran and wants nothing done.
    #[track_caller]
    pub fn is_silent(&self) -> &Self {
        assert!(self.ran, "the bot did not run: a human has the conversation");
        let actions = self.actions();
        assert!(actions.is_empty(), "expected no action, the bot wants {actions:?}");
        self
    }

    /// The bot failed with a reason that contains this.
    #[track_caller]
    pub fn fails(&self, part: &str) -> &Self {
        match &self.result {
            Ok(actions) => panic!("expected a failure, the bot wants {actions:?}"),
            Err(reason) => assert!(reason.contains(part), "expected {part:?} in {reason:?}"),
        }
        self
    }

    /// The hand-off of this turn.
    #[track_caller]
    pub fn forwards(&self) -> &Forward {
        self.find("a hand-off", |action| match action {
            Action::Forward(forward) => Some(forward),
            _ => None,
        })
    }

    /// The request of this name.
    #[track_caller]
    pub fn requests(&self, name: &str) -> &Request {
        self.find(&format!("a request named {name:?}"), |action| match action {
            Action::Request(request) if request.name == name => Some(request),
            _ => None,
        })
    }

    /// The change of the contact.
    #[track_caller]
    pub fn updates_contact(&self) -> &ContactUpdate {
        self.find("a contact update", |action| match action {
            Action::ContactUpdate(update) => Some(update),
            _ => None,
        })
    }

    #[track_caller]
    fn find<'a, T>(&'a self, what: &str, pick: impl Fn(&'a Action) -> Option<&'a T>) -> &'a T {
        match self.delivered().find_map(pick) {
            Some(found) => found,
            None => panic!("expected {what}, the bot wants {:?}", self.actions()),
        }
    }

    #[track_caller]
    fn delivered(&self) -> impl Iterator<Item = &Action> {
        let actions = self.actions().iter().zip(&self.withheld);
        actions.filter(|(_, withheld)| !**withheld).map(|(action, _)| action)
    }
}

fn text(action: &Action) -> Option<&str> {
    match action {
        Action::Message(message) => Some(&message.text),
        Action::Bubbles(bubbles) => Some(&bubbles.text),
        Action::Carousel(carousel) => Some(&carousel.text),
        Action::ButtonTemplate(template) => Some(&template.text),
        Action::ListTemplate(template) => Some(&template.text),
        Action::Buttons(buttons) => buttons.text.as_deref(),
        Action::RichLink(link) => Some(&link.title),
        Action::Media(media) => media.caption.as_deref(),
        Action::SecureForm(form) => form.text.as_deref(),
        _ => None,
    }
}

pub(super) fn options(action: &Action) -> Vec<(&str, &str)> {
    match action {
        Action::Bubbles(bubbles) => {
            bubbles.options.iter().map(|o| (o.id.as_str(), o.label.as_str())).collect()
        }
        Action::Carousel(carousel) => {
            carousel.cards.iter().map(|c| (c.id.as_str(), c.label.as_str())).collect()
        }
        Action::ButtonTemplate(template) => {
            template.buttons.iter().map(|b| (b.id.as_str(), b.label.as_str())).collect()
        }
        Action::ListTemplate(template) => {
            let rows = template.sections.iter().flat_map(|section| &section.rows);
            rows.map(|row| (row.id.as_str(), row.label.as_str())).collect()
        }
        _ => Vec::new(),
    }
}
