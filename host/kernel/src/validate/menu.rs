//! The rules of actions that offer options.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::action::{Bubbles, ButtonTemplate, Carousel, Choice, ListTemplate};
use crate::run::RunFailure;
use crate::validate::check::Check;
use crate::validate::{BUTTONS_MAX, OPTION_ID_MAX_BYTES};

impl Check {
    pub(super) fn bubbles(self, bubbles: &Bubbles) -> Result<(), RunFailure> {
        self.text("text", &bubbles.text)?;
        self.choices("options", &bubbles.options)?;
        self.optional_text("fallback", bubbles.fallback.as_deref())
    }

    pub(super) fn carousel(self, carousel: &Carousel) -> Result<(), RunFailure> {
        self.text("text", &carousel.text)?;
        self.not_empty("cards", carousel.cards.len())?;
        let mut ids = OptionIds::default();
        for (n, card) in carousel.cards.iter().enumerate() {
            let at = format!("cards[{n}]");
            self.option(&at, &card.id, &card.label, card.short_label.as_deref())?;
            self.optional_secure_link(format_args!("{at}.image"), card.image.as_deref())?;
            self.optional_text(format_args!("{at}.description"), card.description.as_deref())?;
            ids.add(self, at, &card.id)?;
        }
        self.optional_text("fallback", carousel.fallback.as_deref())
    }

    pub(super) fn button_template(self, template: &ButtonTemplate) -> Result<(), RunFailure> {
        self.header(template.header.as_ref())?;
        self.text("text", &template.text)?;
        self.optional_text("footer", template.footer.as_deref())?;
        self.choices("buttons", &template.buttons)?;
        self.at_most("buttons", template.buttons.len(), BUTTONS_MAX, "entries")?;
        self.optional_text("fallback", template.fallback.as_deref())
    }

    pub(super) fn list_template(self, template: &ListTemplate) -> Result<(), RunFailure> {
        self.optional_text("header", template.header.as_deref())?;
        self.text("text", &template.text)?;
        self.optional_text("footer", template.footer.as_deref())?;
        self.label("button", &template.button)?;
        self.optional_text("title", template.title.as_deref())?;
        self.not_empty("sections", template.sections.len())?;
        let mut ids = OptionIds::default();
        for (s, section) in template.sections.iter().enumerate() {
            self.optional_text(format_args!("sections[{s}].title"), section.title.as_deref())?;
            self.not_empty(format_args!("sections[{s}].rows"), section.rows.len())?;
            for (r, row) in section.rows.iter().enumerate() {
                let at = format!("sections[{s}].rows[{r}]");
                self.option(&at, &row.id, &row.label, row.short_label.as_deref())?;
                self.optional_text(format_args!("{at}.description"), row.description.as_deref())?;
                ids.add(self, at, &row.id)?;
            }
        }
        self.optional_text("fallback", template.fallback.as_deref())
    }

    fn choices(self, field: &str, choices: &[Choice]) -> Result<(), RunFailure> {
        self.not_empty(field, choices.len())?;
        let mut ids = OptionIds::default();
        for (n, choice) in choices.iter().enumerate() {
            let at = format!("{field}[{n}]");
            self.option(&at, &choice.id, &choice.label, choice.short_label.as_deref())?;
            ids.add(self, at, &choice.id)?;
        }
        Ok(())
    }

    fn option(
        self,
        at: impl Display,
        id: &str,
        label: &str,
        short_label: Option<&str>,
    ) -> Result<(), RunFailure> {
        let field = format_args!("{at}.id");
        if id.is_empty() {
            let problem = format_args!("is empty, 1 to {OPTION_ID_MAX_BYTES} bytes are needed");
            return Err(self.fail(field, problem));
        }
        self.at_most(field, id.len(), OPTION_ID_MAX_BYTES, "bytes")?;
        self.label(format_args!("{at}.label"), label)?;
        self.short_label(format_args!("{at}.short_label"), short_label)
    }
}

/// The ids of the options of one action, with where each was first given.
#[derive(Default)]
struct OptionIds<'a>(BTreeMap<&'a str, String>);

impl<'a> OptionIds<'a> {
    fn add(&mut self, check: Check, at: String, id: &'a str) -> Result<(), RunFailure> {
        let field = format!("{at}.id");
        match self.0.insert(id, at) {
            None => Ok(()),
            Some(first) => Err(check.fail(
                field,
                format_args!("is the same as that of `{first}`; ids must differ within an action"),
            )),
        }
    }
}
