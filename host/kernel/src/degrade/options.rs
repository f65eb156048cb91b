//! Options to tap: in the form that the bot gave them, else as bubbles, else as
//! numbered text.

use crate::action::{
    Action, Bubbles, ButtonTemplate, Carousel, Header, ListTemplate, Row, TextFormat,
};
use crate::degrade::Carrier;
use crate::degrade::menu::{Menu, present};

const NO_SUCH_FORM: &str = "this medium has no such form";

impl Carrier<'_> {
    pub(super) fn bubbles(&mut self, mut bubbles: Bubbles) {
        if !self.native() {
            return self.offer(bubbles.into(), NO_SUCH_FORM);
        }
        let (text, format) = self.read(bubbles.text, bubbles.format, "bubbles_markdown");
        bubbles.text = self.lead(text, format);
        bubbles.format = format;
        self.push(Action::Bubbles(bubbles));
    }

    pub(super) fn carousel(&mut self, mut carousel: Carousel) {
        if !self.native() {
            return self.offer(carousel.into(), NO_SUCH_FORM);
        }
        if self.profile.carries("carousel_text_apart") && !carousel.text.trim().is_empty() {
            self.note("the text went before as a message: cards carry none here");
            self.say(&std::mem::take(&mut carousel.text), TextFormat::Plain);
        }
        carousel.text = self.lead(carousel.text, TextFormat::Plain);
        self.push(Action::Carousel(carousel));
    }

    pub(super) fn button_template(&mut self, mut template: ButtonTemplate) {
        if !self.native() {
            return self.offer(template.into(), NO_SUCH_FORM);
        }
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
        template.text = self.lead(template.text, TextFormat::Plain);
        self.push(Action::ButtonTemplate(template));
    }

    pub(super) fn list_template(&mut self, mut list: ListTemplate) {
        if !self.native() {
            return self.offer(list.into(), NO_SUCH_FORM);
        }
        let rows: usize = list.sections.iter().map(|section| section.rows.len()).sum();
        if let Some(most) = self.profile.list_rows.filter(|most| rows > *most) {
            let why = format!("a list has at most {most} options here, this one {rows}");
            return self.offer(list.into(), &why);
        }
        if list.multiple && !self.profile.carries("list_template_multiple") {
            list.multiple = false;
            self.note("only one option can be chosen: this medium has no multiple choice");
        }
        self.merge_sections(&mut list);
        if !self.profile.carries("list_template_details") {
            let described = |row: &Row| present(row.description.as_deref()).is_some();
            let rows = list.sections.iter().flat_map(|section| &section.rows);
            let descriptions = rows.into_iter().any(described);
            self.note_vendors_loss(&[
                ("header", present(list.header.as_deref()).is_some()),
                ("footer", present(list.footer.as_deref()).is_some()),
                ("title", present(list.title.as_deref()).is_some()),
                ("descriptions of its options", descriptions),
            ]);
        }
        list.text = self.lead(list.text, TextFormat::Plain);
        self.push(Action::ListTemplate(list));
    }

    /// Takes the headlines of sections away where the medium shows one list.
    fn merge_sections(&mut self, list: &mut ListTemplate) {
        if self.profile.carries("list_template_sections") {
            return;
        }
        let titles = list.sections.iter_mut().filter_map(|section| present(section.title.take()));
        let mut titles: Vec<String> = titles.collect();
        if titles.is_empty() {
            return;
        }
        if list.sections.len() == 1 && present(list.title.as_deref()).is_none() {
            list.title = titles.pop();
            self.note("the headline of its only section became its title: no sections here");
        } else {
            self.note("the headlines of its sections were left out: this medium shows one list");
        }
    }

    /// What the vendor itself leaves out stays in the action: it knows best.
    fn note_vendors_loss(&mut self, parts: &[(&str, bool)]) {
        let lost: Vec<&str> =
            parts.iter().filter(|(_, lost)| *lost).map(|(part, _)| *part).collect();
        if !lost.is_empty() {
            let lost = lost.join(", ");
            self.note(format!("the vendor may leave out on this medium: {lost}"));
        }
    }

    /// Offers options in the best form that the medium has.
    fn offer(&mut self, mut menu: Menu, why: &str) {
        for loss in menu.losses() {
            self.note(*loss);
        }
        if self.profile.carries("bubbles") {
            self.note(format!("sent as `bubbles`: {why}"));
            let mut bubbles = menu.into_bubbles();
            bubbles.text = self.lead(bubbles.text, bubbles.format);
            self.push(Action::Bubbles(bubbles));
        } else {
            self.note(format!("sent as numbered text, without options to tap: {why}"));
            // A fallback stands for the text and has no format of its own.
            if menu.fallback.is_some() {
                menu.format = TextFormat::Plain;
            }
            (menu.text, menu.format) = self.read(menu.text, menu.format, "message_markdown");
            let blocks = menu.numbered();
            self.say_blocks(blocks.iter().map(String::as_str), menu.format);
        }
    }
}
