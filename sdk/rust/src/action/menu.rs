//! Offering something to choose. Ids come back in a click: unique within the
//! action, at most 1,000 bytes. Labels are 1 to 500 characters; 20 are safe everywhere. A
//! short label stands in the place of one that a medium has no room for, which would be cut.

use super::{
    Bubbles, ButtonTemplate, Buttons, Card, Carousel, Choice, Header, LinkButton, ListSection,
    ListTemplate, Row, TextFormat,
};

impl Bubbles {
    /// A text with options to tap; add at least one [`Bubbles::option`].
    pub fn new(text: impl Into<String>) -> Self {
        let format = TextFormat::Plain;
        Self { text: text.into(), format, options: Vec::new(), fallback: None }
    }

    /// Adds an option.
    pub fn option(mut self, id: impl Into<String>, label: impl Into<String>) -> Self {
        self.options.push(Choice { id: id.into(), label: label.into(), short_label: None });
        self
    }

    /// Gives the option that was added last a short label.
    pub fn short_label(mut self, label: impl Into<String>) -> Self {
        if let Some(option) = self.options.last_mut() {
            option.short_label = Some(label.into());
        }
        self
    }

    /// The text is `markdown_v1`, as Userlike documents it.
    pub fn markdown(mut self) -> Self {
        self.format = TextFormat::MarkdownV1;
        self
    }

    /// What stands before the numbered options where the medium has no buttons;
    /// made from the text where absent.
    pub fn fallback(mut self, fallback: impl Into<String>) -> Self {
        self.fallback = Some(fallback.into());
        self
    }
}

impl Carousel {
    /// A text with options that carry pictures; add at least one [`Carousel::card`].
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), cards: Vec::new(), fallback: None }
    }

    /// Adds an option.
    pub fn card(mut self, card: Card) -> Self {
        self.cards.push(card);
        self
    }

    /// As [`Bubbles::fallback`].
    pub fn fallback(mut self, fallback: impl Into<String>) -> Self {
        self.fallback = Some(fallback.into());
        self
    }
}

impl Card {
    /// An option of a [`Carousel`].
    pub fn new(id: impl Into<String>, label: impl Into<String>) -> Self {
        let (id, label) = (id.into(), label.into());
        Self { id, label, short_label: None, image: None, description: None }
    }

    /// Stands in the place of the label where a medium has no room for that.
    pub fn short_label(mut self, label: impl Into<String>) -> Self {
        self.short_label = Some(label.into());
        self
    }

    /// The address of its picture, https.
    pub fn image(mut self, image: impl Into<String>) -> Self {
        self.image = Some(image.into());
        self
    }

    /// A second line.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }
}

impl ButtonTemplate {
    /// A card with one to three reply buttons; add them with [`ButtonTemplate::button`].
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { header: None, text, footer: None, buttons: Vec::new(), fallback: None }
    }

    /// Adds a button.
    pub fn button(mut self, id: impl Into<String>, label: impl Into<String>) -> Self {
        self.buttons.push(Choice { id: id.into(), label: label.into(), short_label: None });
        self
    }

    /// Gives the button that was added last a short label.
    pub fn short_label(mut self, label: impl Into<String>) -> Self {
        if let Some(button) = self.buttons.last_mut() {
            button.short_label = Some(label.into());
        }
        self
    }

    /// What stands above the text.
    pub fn header(mut self, header: Header) -> Self {
        self.header = Some(header);
        self
    }

    /// What stands below the text.
    pub fn footer(mut self, footer: impl Into<String>) -> Self {
        self.footer = Some(footer.into());
        self
    }

    /// As [`Bubbles::fallback`].
    pub fn fallback(mut self, fallback: impl Into<String>) -> Self {
        self.fallback = Some(fallback.into());
        self
    }
}

impl ListTemplate {
    /// A text with a button of this label that opens a list; add rows with
    /// [`ListTemplate::row`] or whole sections with [`ListTemplate::section`].
    pub fn new(text: impl Into<String>, button: impl Into<String>) -> Self {
        Self {
            header: None,
            text: text.into(),
            footer: None,
            button: button.into(),
            title: None,
            sections: Vec::new(),
            multiple: false,
            fallback: None,
        }
    }

    /// Adds a row to the last section; the first row opens one without a headline.
    pub fn row(mut self, row: Row) -> Self {
        match self.sections.last_mut() {
            Some(section) => section.rows.push(row),
            None => self.sections.push(ListSection { title: None, rows: vec![row] }),
        }
        self
    }

    /// Opens a section with a headline; the rows that follow are in it.
    pub fn section(mut self, title: impl Into<String>) -> Self {
        self.sections.push(ListSection { title: Some(title.into()), rows: Vec::new() });
        self
    }

    /// What stands above the text.
    pub fn header(mut self, header: impl Into<String>) -> Self {
        self.header = Some(header.into());
        self
    }

    /// What stands below the text.
    pub fn footer(mut self, footer: impl Into<String>) -> Self {
        self.footer = Some(footer.into());
        self
    }

    /// The headline above the options.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// More than one row may be chosen, where the medium can.
    pub fn multiple(mut self) -> Self {
        self.multiple = true;
        self
    }

    /// As [`Bubbles::fallback`].
    pub fn fallback(mut self, fallback: impl Into<String>) -> Self {
        self.fallback = Some(fallback.into());
        self
    }
}

impl Row {
    /// An option of a [`ListTemplate`].
    pub fn new(id: impl Into<String>, label: impl Into<String>) -> Self {
        Self { id: id.into(), label: label.into(), short_label: None, description: None }
    }

    /// Stands in the place of the label where a medium has no room for that.
    pub fn short_label(mut self, label: impl Into<String>) -> Self {
        self.short_label = Some(label.into());
        self
    }

    /// A second line.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }
}

impl Buttons {
    /// Buttons that open web pages, without a text; no click is reported.
    pub fn new() -> Self {
        Self { text: None, links: Vec::new() }
    }

    /// Adds a button with the page that it opens, http or https.
    pub fn link(mut self, label: impl Into<String>, link: impl Into<String>) -> Self {
        let (label, link) = (label.into(), link.into());
        self.links.push(LinkButton { label, short_label: None, link });
        self
    }

    /// Gives the button that was added last a short label.
    pub fn short_label(mut self, label: impl Into<String>) -> Self {
        if let Some(button) = self.links.last_mut() {
            button.short_label = Some(label.into());
        }
        self
    }

    /// What stands above them.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }
}

impl Default for Buttons {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_label_is_that_of_the_option_before_it() {
        let bubbles = Bubbles::new("Which?")
            .short_label("nobody's")
            .option("lake", "A room with a view of the lake")
            .short_label("Lake view")
            .option("yard", "Yard");
        let short: Vec<_> = bubbles.options.iter().map(|it| it.short_label.as_deref()).collect();
        assert_eq!(short, [Some("Lake view"), None]);
        let template = ButtonTemplate::new("This?").button("y", "Yes, this one").short_label("Yes");
        assert_eq!(template.buttons[0].short_label.as_deref(), Some("Yes"));
        let buttons = Buttons::new().link("All of our rooms", "https://a.b").short_label("Rooms");
        assert_eq!(buttons.links[0].short_label.as_deref(), Some("Rooms"));
        let card = Card::new("lake", "A room with a view of the lake").short_label("Lake view");
        let row = Row::new("lake", "A room with a view of the lake").short_label("Lake view");
        assert_eq!(card.short_label, row.short_label);
    }
}
