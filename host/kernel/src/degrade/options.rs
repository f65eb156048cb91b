//! Options to tap, down a ladder: the form that the bot gave them, with the short labels
//! that it gave besides where its labels are too long; another one that takes them so; one
//! that takes them with labels that we have cut; pages of one of the forms; and numbered
//! text, which takes everything.

use crate::action::{Bubbles, ButtonTemplate, Carousel, ListTemplate, TextFormat};
use crate::degrade::menu::Menu;
use crate::degrade::{Carrier, locale};

const NO_SUCH_FORM: &str = "this medium has no such form";
const VANISHES: &str =
    "such options vanish here behind what is said next, and this turn says more: say that first";
/// A place where no medium has formats.
const NOWHERE: &str = "";

/// A form of options, with the one that loses least first: a list hides its
/// options behind a button, and cards need pictures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Bubbles,
    ButtonTemplate,
    ListTemplate,
    Carousel,
}

pub(super) const FORMS: [Form; 4] =
    [Form::Bubbles, Form::ButtonTemplate, Form::ListTemplate, Form::Carousel];

impl Form {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bubbles => "bubbles",
            Self::ButtonTemplate => "button_template",
            Self::ListTemplate => "list_template",
            Self::Carousel => "carousel",
        }
    }
}

/// What may become of labels that are too long.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Labels {
    /// Nothing.
    Whole,
    /// The bot's own short ones stand in their place.
    Own,
    /// Those, and where there is none the beginning of the label.
    Cut,
}

/// What is tried before the next form is: the bot has written its short labels for this,
/// and what we cut off is lost.
const STEPS: [&[Labels]; 2] = [&[Labels::Whole, Labels::Own], &[Labels::Cut]];

impl Carrier<'_> {
    pub(super) fn bubbles(&mut self, bubbles: Bubbles) {
        self.offer(Form::Bubbles, bubbles, Self::tap_bubbles);
    }

    pub(super) fn carousel(&mut self, carousel: Carousel) {
        self.offer(Form::Carousel, carousel, Self::tap_carousel);
    }

    pub(super) fn button_template(&mut self, template: ButtonTemplate) {
        self.offer(Form::ButtonTemplate, template, Self::tap_button_template);
    }

    pub(super) fn list_template(&mut self, list: ListTemplate) {
        self.offer(Form::ListTemplate, list, Self::tap_list_template);
    }

    /// Offers options in the best form that the medium has.
    fn offer<T: Clone + Into<Menu>>(
        &mut self,
        form: Form,
        given: T,
        tap: impl Fn(&mut Self, T, Labels) -> Result<(), String>,
    ) {
        let vanishes = form == Form::Bubbles && self.profile.carries("bubbles_until_next");
        let mut why = if vanishes { VANISHES } else { NO_SUCH_FORM }.to_owned();
        for step in STEPS {
            for labels in step.iter().filter(|_| self.profile.carries(form.name())) {
                match self.attempt(|attempt| tap(attempt, given.clone(), *labels)) {
                    Ok(()) => return,
                    Err(reason) => why = reason,
                }
            }
            let others = FORMS.into_iter().filter(|other| *other != form);
            for other in others.filter(|other| self.profile.carries(other.name())) {
                for labels in step {
                    let menu = given.clone().into();
                    if self.attempt(|attempt| attempt.convert(menu, other, &why, *labels)).is_ok() {
                        return;
                    }
                }
            }
        }
        for labels in [Labels::Whole, Labels::Own, Labels::Cut] {
            if self.page(form, &given.clone().into(), &why, labels) {
                return;
            }
        }
        self.number(given.into(), &why);
    }

    /// Keeps what is done of it only where all of it can be done.
    pub(super) fn attempt(
        &mut self,
        way: impl FnOnce(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        let (actions, notes) = (self.done.actions.len(), self.done.notes.len());
        let tried = way(self);
        if tried.is_err() {
            self.done.actions.truncate(actions);
            self.done.notes.truncate(notes);
        }
        tried
    }

    /// Sends a menu in another form than the bot gave it.
    pub(super) fn convert(
        &mut self,
        menu: Menu,
        form: Form,
        why: &str,
        labels: Labels,
    ) -> Result<(), String> {
        self.note_losses(&menu);
        self.note(format!("sent as `{}`: {why}", form.name()));
        self.tap(menu, form, labels)
    }

    /// Offers options to tap in a form.
    pub(super) fn tap(&mut self, mut menu: Menu, form: Form, labels: Labels) -> Result<(), String> {
        if form != Form::Bubbles {
            (menu.text, menu.format) = self.read(menu.text, menu.format, NOWHERE);
        }
        match form {
            Form::Bubbles => self.tap_bubbles(menu.into_bubbles(), labels),
            Form::ButtonTemplate => self.tap_button_template(menu.into_button_template(), labels),
            Form::ListTemplate => {
                let details = self.profile.carries("list_template_details");
                let list = menu.into_list_template(details, locale::choose(self.locale));
                self.tap_list_template(list, labels)
            }
            Form::Carousel => self.tap_carousel(menu.into_carousel(), labels),
        }
    }

    fn number(&mut self, mut menu: Menu, why: &str) {
        self.note_losses(&menu);
        self.note(format!("sent as numbered text, without options to tap: {why}"));
        // A fallback stands for the text and has no format of its own.
        if menu.fallback.is_some() {
            menu.format = TextFormat::Plain;
        }
        (menu.text, menu.format) = self.read(menu.text, menu.format, "message_markdown");
        let blocks = menu.numbered(locale::reply_with_a_number(self.locale));
        self.say_blocks(blocks.iter().map(String::as_str), menu.format);
    }

    pub(super) fn note_losses(&mut self, menu: &Menu) {
        for loss in menu.losses() {
            self.note(*loss);
        }
    }
}
