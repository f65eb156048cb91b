//! How much a medium takes of each part of an action.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use unicode_segmentation::UnicodeSegmentation;

/// What a medium states of all actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Any text of a message; what holds for every text of an action that has
    /// no limit of its own.
    pub text: Length,
    /// What is stated for the parts of an action, by its canonical name.
    pub actions: BTreeMap<&'static str, ActionLimits>,
}

impl Limits {
    /// No limit but one of texts, in characters (Unicode scalar values).
    pub fn of_text(characters: usize) -> Self {
        let source = "none: a limit of ours".to_owned();
        let text = Length { max: characters, unit: Unit::Characters, source, sure: Sure::Guessed };
        Self { text, actions: BTreeMap::new() }
    }

    /// What is stated for the parts of this action.
    pub fn of(&self, action: &str) -> &ActionLimits {
        const NOTHING_STATED: &ActionLimits = &ActionLimits::NONE;
        self.actions.get(action).unwrap_or(NOTHING_STATED)
    }
}

/// What a medium states for the parts of one action; what is absent it does not
/// limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActionLimits {
    /// Options, cards, rows or links of one action together.
    pub options: Option<Count>,
    /// Rows of a list, of all sections together.
    pub rows: Option<Count>,
    /// Sections of a list.
    pub sections: Option<Count>,
    /// The label of an option, a row, a card or a link.
    pub label: Option<Length>,
    /// The id of an option.
    pub id: Option<Length>,
    /// The text above the options, or beside a link or a form.
    pub text: Option<Length>,
    /// The headline above a list, of each of its sections, or of a link.
    pub title: Option<Length>,
    /// The second line of a row or a card.
    pub description: Option<Length>,
    /// What stands above the text, where it is a text itself.
    pub header: Option<Length>,
    /// What stands below.
    pub footer: Option<Length>,
    /// What stands beside a file.
    pub caption: Option<Length>,
    /// The label of the button that opens a list.
    pub button: Option<Length>,
}

impl ActionLimits {
    /// Nothing is stated.
    pub const NONE: Self = Self {
        options: None,
        rows: None,
        sections: None,
        label: None,
        id: None,
        text: None,
        title: None,
        description: None,
        header: None,
        footer: None,
        caption: None,
        button: None,
    };

    /// All counts that are stated, by their keys.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, &Count)> {
        let all = [("options", &self.options), ("rows", &self.rows), ("sections", &self.sections)];
        all.into_iter().filter_map(|(key, count)| Some((key, count.as_ref()?)))
    }

    /// All lengths that are stated, by their keys.
    pub fn lengths(&self) -> impl Iterator<Item = (&'static str, &Length)> {
        let all = [
            ("label", &self.label),
            ("id", &self.id),
            ("text", &self.text),
            ("title", &self.title),
            ("description", &self.description),
            ("header", &self.header),
            ("footer", &self.footer),
            ("caption", &self.caption),
            ("button", &self.button),
        ];
        all.into_iter().filter_map(|(key, length)| Some((key, length.as_ref()?)))
    }
}

/// At most so many of something.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// How many.
    pub max: usize,
    /// Where that is written.
    pub source: String,
    /// How sure that is.
    pub sure: Sure,
}

/// At most so much text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Length {
    /// How much, in `unit`.
    pub max: usize,
    /// What the vendor counts.
    pub unit: Unit,
    /// Where that is written.
    pub source: String,
    /// How sure that is.
    pub sure: Sure,
}

impl Length {
    /// Whether a text is not too long.
    pub fn takes(&self, text: &str) -> bool {
        // No unit counts more than there are bytes.
        text.len() <= self.max || self.unit.count(text) <= self.max
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.max, self.unit.words())
    }
}

/// What a vendor counts in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Unicode scalar values.
    Characters,
    /// Code units of UTF-16.
    Utf16,
    /// Bytes of UTF-8.
    Bytes,
    /// What a reader takes for one character: extended grapheme clusters.
    Graphemes,
    /// Unicode scalar values, of which X counts one for Latin, its neighbours and some
    /// punctuation, and two for everything else ("Counting characters", weights of
    /// version 3). Of an emoji that is more than X counts, never less.
    Weighted,
}

impl Unit {
    /// How much a text has of it.
    pub fn count(self, text: &str) -> usize {
        match self {
            Self::Characters => text.chars().count(),
            Self::Utf16 => text.encode_utf16().count(),
            Self::Bytes => text.len(),
            Self::Graphemes => text.graphemes(true).count(),
            Self::Weighted => text.chars().map(weight).sum(),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Characters => "characters",
            Self::Utf16 => "UTF-16 units",
            Self::Bytes => "bytes",
            Self::Graphemes => "visible characters",
            Self::Weighted => "characters, wide ones counting two",
        }
    }
}

/// What X counts for a character.
pub(crate) fn weight(c: char) -> usize {
    match u32::from(c) {
        0..=4_351 | 8_192..=8_205 | 8_208..=8_223 | 8_242..=8_247 => 1,
        _ => 2,
    }
}

/// How sure a limit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sure {
    /// The vendor's own page says so, and was read.
    Documented,
    /// Commonly known, and not checked against the vendor's page.
    Recalled,
    /// Nobody says so.
    Guessed,
}

impl fmt::Display for Sure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Documented => "documented",
            Self::Recalled => "recalled",
            Self::Guessed => "guessed",
        })
    }
}
