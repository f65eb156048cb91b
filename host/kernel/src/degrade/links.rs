//! Buttons that open pages, and links with a preview.

use crate::action::{Action, Buttons, LinkButton, RichLink, TextFormat};
use crate::degrade::options::Labels;
use crate::degrade::parts::{self, Label};
use crate::degrade::{Carrier, labelled};
use crate::files::Kind;

impl Carrier<'_> {
    pub(super) fn buttons(&mut self, buttons: Buttons) {
        let mut why = "this medium has no buttons that open pages".to_owned();
        if self.profile.carries("buttons") {
            for labels in [Labels::Whole, Labels::Own, Labels::Cut] {
                match self.attempt(|attempt| attempt.tap_links(buttons.clone(), labels)) {
                    Ok(()) => return,
                    Err(reason) => why = reason,
                }
            }
        }
        self.note(format!("sent as text: {why}"));
        let lines = buttons.links.iter().map(|button| labelled(&button.label, &button.link));
        let blocks: Vec<String> = buttons.text.iter().cloned().chain(lines).collect();
        self.say_blocks(blocks.iter().map(String::as_str), TextFormat::Plain);
    }

    fn tap_links(&mut self, mut buttons: Buttons, labels: Labels) -> Result<(), String> {
        self.count("buttons", buttons.links.len())?;
        let links = buttons.links.iter_mut();
        let links = links.map(|it| Label::new(&mut it.label, &mut it.short_label));
        self.labels("buttons", links, labels)?;
        if let Some(mut text) = buttons.text.take() {
            if self.profile.carries("buttons_text") {
                buttons.text = Some(self.lead("buttons", text, TextFormat::Plain));
            } else {
                self.apart("these buttons", &mut text, TextFormat::Plain);
            }
        }
        self.push(Action::Buttons(buttons));
        Ok(())
    }

    pub(super) fn rich_link(&mut self, mut rich: RichLink) {
        let lacks_image = self.native() && self.lacks_image(&rich);
        if self.native() && !lacks_image {
            if let Some(limit) = self.profile.of("rich_link").title.as_ref()
                && !limit.takes(&rich.title)
            {
                self.note(format!("the title was cut to {limit} and went into the text whole"));
                let short = parts::cut(&rich.title, limit);
                let whole = std::mem::replace(&mut rich.title, short);
                rich.text = Some(match rich.text {
                    Some(text) => format!("{whole}\n{text}"),
                    None => whole,
                });
            }
            if let Some(text) = rich.text.take() {
                rich.text = Some(self.lead("rich_link", text, TextFormat::Plain));
            }
            self.push(Action::RichLink(rich));
            return;
        }
        if lacks_image {
            self.note("sent without a preview: on this medium it needs a picture");
        } else if rich.image.is_some() {
            self.note("the preview picture was left out: this medium shows none beside a link");
        }
        let button = LinkButton { label: rich.title, short_label: None, link: rich.link };
        if self.profile.carries("buttons") {
            self.note("sent as `buttons`: this medium has no links with a preview");
        }
        self.buttons(Buttons { text: rich.text, links: vec![button] });
    }

    /// Whether a preview here needs a picture that the link does not have.
    fn lacks_image(&self, rich: &RichLink) -> bool {
        let shown = |image: &String| {
            // An address without an ending is most often a picture's.
            Kind::at(image).is_none_or(|kind| matches!(kind, Kind::Image | Kind::Video))
        };
        self.profile.carries("rich_link_needs_image") && !rich.image.as_ref().is_some_and(shown)
    }
}
