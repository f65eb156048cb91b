//! What all actions that offer options have in common.

use crate::action::{
    Bubbles, ButtonTemplate, Card, Carousel, Choice, Header, ListSection, ListTemplate, Row,
    TextFormat,
};

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
    multiple: bool,
}

/// What of an option stands beside its label.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beside {
    Nothing,
    /// Its description.
    Rows,
    /// Its description and its picture.
    Cards,
}

/// An option.
#[derive(Clone)]
struct Entry {
    /// The headline of the section that begins here.
    section: Option<String>,
    id: String,
    label: String,
    short_label: Option<String>,
    description: Option<String>,
    picture: Option<String>,
}

impl Menu {
    /// What every other form of this menu lacks.
    pub(super) fn losses(&self) -> &[&'static str] {
        &self.losses
    }

    /// Whether more than one option may be chosen.
    pub(super) fn is_multiple(&self) -> bool {
        self.multiple
    }

    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| &*entry.label)
    }

    /// The same options on pages of so many, each page but the last with one that
    /// asks for `more`. Only the first page says what stands around the options.
    pub(super) fn pages(&self, room: usize, more: &str) -> Vec<Self> {
        let mut rest = &self.entries[..];
        let mut pages = Vec::new();
        while !rest.is_empty() {
            let own = if rest.len() > room { room.saturating_sub(1).max(1) } else { rest.len() };
            let (now, later) = rest.split_at(own);
            let mut entries = now.to_vec();
            if !later.is_empty() {
                entries.push(Entry::asking_for(more));
            }
            pages.push(self.page(entries, pages.is_empty()));
            rest = later;
        }
        pages
    }

    fn page(&self, entries: Vec<Entry>, first: bool) -> Self {
        let kept = |text: &Option<String>| text.clone().filter(|_| first);
        Self {
            above: if first { self.above.clone() } else { Vec::new() },
            text: if first { self.text.clone() } else { String::new() },
            format: if first { self.format } else { TextFormat::Plain },
            title: kept(&self.title),
            entries,
            below: kept(&self.below),
            fallback: kept(&self.fallback),
            losses: Vec::new(),
            multiple: self.multiple,
        }
    }

    /// As options to tap; what has no place beside them stands in the text.
    pub(super) fn into_bubbles(self) -> Bubbles {
        let text = self.told(Beside::Nothing);
        let (format, fallback) = (self.format, self.fallback);
        let options = self.entries.into_iter().map(Entry::into_choice).collect();
        Bubbles { text, format, options, fallback }
    }

    /// As the buttons of a template, which has no formats.
    pub(super) fn into_button_template(self) -> ButtonTemplate {
        let text = self.told(Beside::Nothing);
        let buttons = self.entries.into_iter().map(Entry::into_choice).collect();
        ButtonTemplate { header: None, text, footer: None, buttons, fallback: self.fallback }
    }

    /// As cards, which have no formats.
    pub(super) fn into_carousel(self) -> Carousel {
        let text = self.told(Beside::Cards);
        let cards = self.entries.into_iter().map(|entry| Card {
            id: entry.id,
            label: entry.label,
            short_label: entry.short_label,
            image: entry.picture,
            description: entry.description,
        });
        Carousel { text, cards: cards.collect(), fallback: self.fallback }
    }

    /// As a list behind a button, which has no formats; `details` says whether
    /// the medium shows more of an option than its label.
    pub(super) fn into_list_template(self, details: bool, button: &str) -> ListTemplate {
        let text = self.told(if details { Beside::Rows } else { Beside::Nothing });
        let rows = self.entries.into_iter().map(|entry| Row {
            id: entry.id,
            label: entry.label,
            short_label: entry.short_label,
            description: entry.description.filter(|_| details),
        });
        ListTemplate {
            header: None,
            text,
            footer: None,
            button: button.to_owned(),
            title: None,
            sections: vec![ListSection { title: None, rows: rows.collect() }],
            multiple: false,
            fallback: self.fallback,
        }
    }

    /// The text, with all that has no place beside the options.
    fn told(&self, beside: Beside) -> String {
        let mut blocks = self.above.clone();
        blocks.push(self.text.clone());
        blocks.extend(self.title.clone());
        for entry in &self.entries {
            blocks.extend(entry.section.clone());
            if entry.description.is_some() && beside == Beside::Nothing {
                blocks.push(entry.line());
            }
            if beside != Beside::Cards {
                blocks.extend(entry.picture.clone());
            }
        }
        blocks.extend(self.below.clone());
        blocks.join("\n")
    }

    /// As blocks of text: the options are numbered from 1, and `hint` says what
    /// the numbers are for. The bot's fallback stands for everything around them.
    pub(super) fn numbered(&self, hint: &str) -> Vec<String> {
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
            blocks.push(hint.to_owned());
        }
        blocks
    }
}

impl Entry {
    fn line(&self) -> String {
        line(&self.label, self.description.as_deref())
    }

    /// Its id is put in its place when the menu has one.
    fn asking_for(more: &str) -> Self {
        let (id, label) = (String::new(), more.to_owned());
        Choice { id, label, short_label: None }.into()
    }

    fn into_choice(self) -> Choice {
        Choice { id: self.id, label: self.label, short_label: self.short_label }
    }
}

/// A label with what is said of it.
pub(super) fn line(label: &str, description: Option<&str>) -> String {
    match description {
        Some(description) => format!("{label} – {description}"),
        None => label.to_owned(),
    }
}

impl From<Choice> for Entry {
    fn from(choice: Choice) -> Self {
        let Choice { id, label, short_label } = choice;
        Self { section: None, id, label, short_label, description: None, picture: None }
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
            multiple: false,
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
            short_label: card.short_label,
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
            multiple: false,
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
            multiple: false,
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
                short_label: row.short_label,
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
            multiple,
        }
    }
}

/// Bots may write an absent text as an empty one.
pub(super) fn present<T: AsRef<str>>(text: Option<T>) -> Option<T> {
    text.filter(|text| !text.as_ref().trim().is_empty())
}
