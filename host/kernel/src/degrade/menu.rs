//! What all actions that offer options have in common.

use crate::action::{Bubbles, ButtonTemplate, Carousel, Choice, Header, ListTemplate, TextFormat};

/// A text with options, whatever form the bot gave it.
pub(super) struct Menu {
    /// What stands above the text.
    above: Vec<String>,
    pub(super) text: String,
    pub(super) format: TextFormat,
    /// What stands between the text and the options.
    title: Option<String>,
    entries: Vec<Entry>,
    /// What stands below the options.
    below: Option<String>,
    pub(super) fallback: Option<String>,
    losses: Vec<&'static str>,
}

/// An option.
struct Entry {
    /// The headline of the section that begins here.
    section: Option<String>,
    id: String,
    label: String,
    description: Option<String>,
    picture: Option<String>,
}

impl Menu {
    /// What every other form of this menu lacks.
    pub(super) fn losses(&self) -> &[&'static str] {
        &self.losses
    }

    /// As options to tap; what has no place beside them stands in the text.
    pub(super) fn into_bubbles(self) -> Bubbles {
        let mut blocks = self.above;
        blocks.push(self.text);
        blocks.extend(self.title);
        for entry in &self.entries {
            blocks.extend(entry.section.clone());
            if entry.description.is_some() {
                blocks.push(entry.line());
            }
            blocks.extend(entry.picture.clone());
        }
        blocks.extend(self.below);
        let choice = |entry: Entry| Choice { id: entry.id, label: entry.label };
        Bubbles {
            text: blocks.join("\n"),
            format: self.format,
            options: self.entries.into_iter().map(choice).collect(),
            fallback: self.fallback,
        }
    }

    /// As blocks of text: the options are numbered from 1. The bot's fallback
    /// stands for everything around them.
    pub(super) fn numbered(&self) -> Vec<String> {
        let mut blocks = Vec::new();
        match &self.fallback {
            Some(fallback) => blocks.push(fallback.clone()),
            None => {
                blocks.extend_from_slice(&self.above);
                blocks.push(self.text.clone());
                blocks.extend(self.title.clone());
            }
        }
        for (n, entry) in (1..).zip(&self.entries) {
            blocks.extend(entry.section.clone());
            blocks.push(format!("{n}. {}", entry.line()));
            blocks.extend(entry.picture.clone());
        }
        if self.fallback.is_none() {
            blocks.extend(self.below.clone());
        }
        blocks
    }
}

impl Entry {
    fn line(&self) -> String {
        match &self.description {
            Some(description) => format!("{} – {description}", self.label),
            None => self.label.clone(),
        }
    }
}

impl From<Choice> for Entry {
    fn from(choice: Choice) -> Self {
        let Choice { id, label } = choice;
        Self { section: None, id, label, description: None, picture: None }
    }
}

impl From<Bubbles> for Menu {
    fn from(bubbles: Bubbles) -> Self {
        let Bubbles { text, format, options, fallback } = bubbles;
        Self {
            above: Vec::new(),
            text,
            format,
            title: None,
            entries: options.into_iter().map(Entry::from).collect(),
            below: None,
            fallback: present(fallback),
            losses: Vec::new(),
        }
    }
}

impl From<Carousel> for Menu {
    fn from(carousel: Carousel) -> Self {
        let Carousel { text, cards, fallback } = carousel;
        let entries = cards.into_iter().map(|card| Entry {
            section: None,
            id: card.id,
            label: card.label,
            description: present(card.description),
            picture: present(card.image),
        });
        Self {
            above: Vec::new(),
            text,
            format: TextFormat::Plain,
            title: None,
            entries: entries.collect(),
            below: None,
            fallback: present(fallback),
            losses: Vec::new(),
        }
    }
}

impl From<ButtonTemplate> for Menu {
    fn from(template: ButtonTemplate) -> Self {
        let ButtonTemplate { header, text, footer, buttons, fallback } = template;
        let header = header.map(|header| match header {
            Header::Text(text) => text,
            Header::Image(link) | Header::Video(link) | Header::Document(link) => link,
        });
        Self {
            above: present(header).into_iter().collect(),
            text,
            format: TextFormat::Plain,
            title: None,
            entries: buttons.into_iter().map(Entry::from).collect(),
            below: present(footer),
            fallback: present(fallback),
            losses: Vec::new(),
        }
    }
}

impl From<ListTemplate> for Menu {
    fn from(template: ListTemplate) -> Self {
        let ListTemplate { header, text, footer, button: _, title, sections, multiple, fallback } =
            template;
        let mut entries = Vec::new();
        for section in sections {
            let mut headline = present(section.title);
            entries.extend(section.rows.into_iter().map(|row| Entry {
                section: headline.take(),
                id: row.id,
                label: row.label,
                description: present(row.description),
                picture: None,
            }));
        }
        let mut losses = vec!["the label of its button was left out: no button opens the options"];
        if multiple {
            losses.push("only one option can be chosen: this medium has no multiple choice");
        }
        Self {
            above: present(header).into_iter().collect(),
            text,
            format: TextFormat::Plain,
            title: present(title),
            entries,
            below: present(footer),
            fallback: present(fallback),
            losses,
        }
    }
}

/// Bots may write an absent text as an empty one.
pub(super) fn present<T: AsRef<str>>(text: Option<T>) -> Option<T> {
    text.filter(|text| !text.as_ref().trim().is_empty())
}
