//! Which option a typed text means.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strsim::osa_distance;

use super::normal::normal;
use super::ordinal;

/// A shorter text is no beginning of a label.
const PREFIX_CHARACTERS_MIN: usize = 3;
/// A shorter label has no room for a typing error.
const TYPO_CHARACTERS_MIN: usize = 5;
/// A longer text is no answer to a menu.
const TEXT_BYTES_MAX: usize = 1024;

/// Which typed texts mean an option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recognition {
    /// Numbers, ordinals, labels, beginnings of labels and labels with one typing error.
    #[default]
    All,
    /// Numbers and whole labels.
    NumbersAndLabels,
    /// Whole labels: what a bot that asks for numbers may want.
    Labels,
    /// None: what is typed stays a message.
    Off,
}

impl Recognition {
    /// The same where a number, or half a word, may answer something else.
    pub(super) fn by_labels_only(self) -> Self {
        match self {
            Self::All | Self::NumbersAndLabels | Self::Labels => Self::Labels,
            Self::Off => Self::Off,
        }
    }
}

/// The option that a text means: its label, its number, an ordinal, its id, the
/// beginning of one label only, or a label with one typing error. Where more than one
/// fits in the same way, or none does, it means none.
///
/// A number that is itself a label means that label, whatever its place. One that stands in
/// the label of another option than the one at its place ("2" of "Table for 2", which is
/// the first) may mean either, so it means none. Persons do not see ids, so one that is a
/// number does not stand in the way of a place.
pub fn recognize(text: &str, options: &[(String, String)], locale: Option<&str>) -> Option<usize> {
    match meaning(text, options, &BTreeMap::new(), locale, Recognition::All)? {
        Meaning::Option(option) => Some(option),
        Meaning::Place { place, id, named } => {
            let at = (1..=options.len()).contains(&place).then(|| place - 1);
            at.or(id).filter(|option| named.iter().all(|it| it == option))
        }
    }
}

/// What a text means of options, before it is known which of them have numbers.
pub(super) enum Meaning {
    /// This one.
    Option(usize),
    /// The one at this place, from 1, and else the one with this id. `named` are those in
    /// whose labels the same stands: where they are others, it may mean either.
    Place { place: usize, id: Option<usize>, named: Vec<usize> },
}

pub(super) fn meaning(
    text: &str,
    options: &[(String, String)],
    short: &BTreeMap<usize, String>,
    locale: Option<&str>,
    recognition: Recognition,
) -> Option<Meaning> {
    let off = recognition == Recognition::Off;
    if off || text.len() > TEXT_BYTES_MAX || options.is_empty() {
        return None;
    }
    let exact = options.iter().position(|(id, _)| id == text.trim());
    let said = normal(text);
    if said.is_empty() {
        return exact.map(Meaning::Option);
    }
    let whole = options.iter().enumerate().map(|(option, (_, label))| (option, label));
    let all = whole.chain(short.iter().map(|(option, label)| (*option, label)));
    let labels: Vec<(usize, String)> = all.map(|(option, label)| (option, normal(label))).collect();
    let fits: [&dyn Fn(&str) -> bool; 3] = [
        &|label| label == said,
        &|label| {
            let long = said.chars().count() >= PREFIX_CHARACTERS_MIN;
            long && label.strip_prefix(&said).is_some_and(|rest| !tears_number(&said, rest))
        },
        &|label| {
            let long = label.chars().count() >= TYPO_CHARACTERS_MIN;
            long && is_same_number(label, &said) && osa_distance(label, &said) == 1
        },
    ];
    let [same, begins, nearly] = fits.map(|fits| only(&labels, fits));
    match same {
        Found::One(option) => return Some(Meaning::Option(option)),
        Found::Many => return None,
        Found::None => {}
    }
    let all = recognition == Recognition::All;
    let numbers = all || recognition == Recognition::NumbersAndLabels;
    let ordinal = || ordinal::place(&said, locale).filter(|_| all);
    if let Some(place) = number(&said).filter(|_| numbers).or_else(ordinal) {
        let named = naming(&said, place, locale, &labels);
        return Some(Meaning::Place { place, id: exact, named });
    }
    // Persons do not see ids: one that is a number is no answer where numbers are none.
    if exact.is_some() && (numbers || !is_place(text, locale)) {
        return exact.map(Meaning::Option);
    }
    for found in [begins, nearly].into_iter().filter(|_| all) {
        match found {
            Found::One(option) => return Some(Meaning::Option(option)),
            Found::Many => return None,
            Found::None => {}
        }
    }
    None
}

enum Found {
    None,
    One(usize),
    Many,
}

/// The option that has a label which fits; it may have two.
fn only(labels: &[(usize, String)], fits: &dyn Fn(&str) -> bool) -> Found {
    let mut found = labels.iter().filter(|(_, label)| fits(label)).map(|(option, _)| *option);
    match found.next() {
        None => Found::None,
        Some(option) if found.all(|other| other == option) => Found::One(option),
        Some(_) => Found::Many,
    }
}

/// Whether two texts have the same digits: another one is another room, day or hour, and no
/// slip of the hand.
fn is_same_number(one: &str, other: &str) -> bool {
    let digits = |text: &str| text.chars().filter(|it| it.is_numeric()).collect::<String>();
    digits(one) == digits(other)
}

/// Whether what is said ends within a number of the label: "Room 1" is not "Room 10".
fn tears_number(said: &str, rest: &str) -> bool {
    said.ends_with(|it: char| it.is_numeric()) && rest.starts_with(|it: char| it.is_numeric())
}

/// The options in whose labels the number stands, in digits or as a word: "2" and "two" are in
/// "Table for 2" and in "Table for two", and not in "€2.50".
fn naming(
    said: &str,
    place: usize,
    locale: Option<&str>,
    labels: &[(usize, String)],
) -> Vec<usize> {
    let is_word = !said.contains(' ');
    let names = |label: &str| {
        let mut words = label.split(|c: char| !c.is_alphanumeric() && !".,:".contains(c));
        words.any(|word| {
            let word = word.trim_matches(|c| ".,:".contains(c));
            let says = || number(word).or_else(|| ordinal::place(word, locale));
            word == said || is_word && says() == Some(place)
        })
    };
    labels.iter().filter(|(_, label)| names(label)).map(|(option, _)| *option).collect()
}

/// "2", "2.", "(2)" and "#2": the marks around it are gone already.
fn number(said: &str) -> Option<usize> {
    let digits = !said.is_empty() && said.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| said.parse().ok()).flatten()
}

/// Whether a text is a number or an ordinal, which may answer many things.
pub(super) fn is_place(text: &str, locale: Option<&str>) -> bool {
    let said = normal(text);
    number(&said).is_some() || ordinal::place(&said, locale).is_some()
}
