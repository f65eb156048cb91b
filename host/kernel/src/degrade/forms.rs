//! The forms of options, each within the limits of the medium or not at all.

use crate::action::{Action, Bubbles, ButtonTemplate, Carousel, Header, TextFormat};
use crate::degrade::Carrier;
use crate::degrade::locale::reply_with_a_number;
use crate::degrade::menu::{Menu, present};
use crate::degrade::options::Labels;
use crate::degrade::parts::Label;
use crate::validate::BUTTONS_MAX;

impl Carrier<'_> {
    pub(super) fn tap_bubbles(
        &mut self,
        mut bubbles: Bubbles,
        labels: Labels,
    ) -> Result<(), String> {
        self.count("bubbles", bubbles.options.len())?;
        let options = bubbles.options.iter_mut();
        let options = options.map(|it| Label::new(&mut it.label, &mut it.short_label));
        self.labels("bubbles", options, labels)?;
        let apart = self.profile.carries("bubbles_text_apart") && !bubbles.text.trim().is_empty();
        if apart && self.profile.carries("bubbles_until_next") {
            bubbles.text = self.numbered(&bubbles);
        }
        self.say_apart("bubbles", &mut bubbles.text, bubbles.format);
        if bubbles.text.is_empty() {
            bubbles.format = TextFormat::Plain;
        }
        let (text, format) = self.read(bubbles.text, bubbles.format, "bubbles_markdown");
        bubbles.text = self.lead("bubbles", text, format);
        bubbles.format = format;
        self.push(Action::Bubbles(bubbles));
        Ok(())
    }

    pub(super) fn tap_carousel(
        &mut self,
        mut carousel: Carousel,
        labels: Labels,
    ) -> Result<(), String> {
        const FORM: &str = "carousel";
        self.count(FORM, carousel.cards.len())?;
        let cards = carousel.cards.iter_mut();
        let described = cards.map(|card| (&*card.label, &mut card.description));
        self.move_descriptions(FORM, described, &mut carousel.text);
        let cards = carousel.cards.iter_mut();
        let cards = cards.map(|it| Label::new(&mut it.label, &mut it.short_label));
        self.labels(FORM, cards, labels)?;
        self.say_apart(FORM, &mut carousel.text, TextFormat::Plain);
        carousel.text = self.lead(FORM, carousel.text, TextFormat::Plain);
        self.push(Action::Carousel(carousel));
        Ok(())
    }

    /// The text beside options that vanish with it names them all.
    fn numbered(&self, bubbles: &Bubbles) -> String {
        let blocks = Menu::from(bubbles.clone()).numbered(reply_with_a_number(self.locale));
        blocks.join("\n")
    }

    /// The text of options is a message of its own where these show none.
    fn say_apart(&mut self, form: &str, text: &mut String, format: TextFormat) {
        let shown = match form {
            "bubbles" if self.profile.carries("bubbles_text_apart") => "options",
            "carousel" if self.profile.carries("carousel_text_apart") => "cards",
            _ => return,
        };
        self.apart(shown, text, format);
    }

    /// Takes a text from what shows none and says it beside that, where anything can be said
    /// beside it. A blank one stays.
    pub(super) fn apart(&mut self, shown: &str, text: &mut String, format: TextFormat) {
        if text.trim().is_empty() {
            return;
        }
        let text = std::mem::take(text);
        if self.profile.carries("text_left_out") {
            self.note(format!(
                "the text is left out: {shown} carry none here, and nothing follows the answer"
            ));
            return;
        }
        self.note(format!("the text is a message of its own: {shown} carry none here"));
        let (text, format) = self.read(text, format, "message_markdown");
        self.say(&text, format);
    }

    pub(super) fn tap_button_template(
        &mut self,
        mut template: ButtonTemplate,
        labels: Labels,
    ) -> Result<(), String> {
        const FORM: &str = "button_template";
        let buttons = template.buttons.len();
        if buttons > BUTTONS_MAX {
            return Err(format!(
                "a `{FORM}` has at most {BUTTONS_MAX} options, these are {buttons}"
            ));
        }
        self.count(FORM, buttons)?;
        let buttons = template.buttons.iter_mut();
        let buttons = buttons.map(|it| Label::new(&mut it.label, &mut it.short_label));
        self.labels(FORM, buttons, labels)?;
        let limits = self.profile.of(FORM);
        let text = &mut template.text;
        if let Some(Header::Text(header)) = &template.header
            && limits.header.as_ref().is_some_and(|limit| !limit.takes(header))
        {
            self.note("the header went into the text: it is too long for its place here");
            *text = format!("{header}\n{text}");
            template.header = None;
        }
        self.move_below("footer", limits.footer.as_ref(), &mut template.footer, text);
        self.note_lost_around(&template);
        template.text = self.lead(FORM, template.text, TextFormat::Plain);
        self.push(Action::ButtonTemplate(template));
        Ok(())
    }

    fn note_lost_around(&mut self, template: &ButtonTemplate) {
        let header = template.header.as_ref().map(|header| match header {
            Header::Text(_) => "button_template_header_text",
            Header::Image(_) => "button_template_header_image",
            Header::Video(_) => "button_template_header_video",
            Header::Document(_) => "button_template_header_document",
        });
        let header_lost = header.is_some_and(|kind| !self.profile.carries(kind));
        let footer_lost = present(template.footer.as_deref()).is_some()
            && !self.profile.carries("button_template_footer");
        self.note_vendors_loss(&[("header", header_lost), ("footer", footer_lost)]);
    }
}
