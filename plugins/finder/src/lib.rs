//! A bot that finds dates, amounts and order numbers in what people write, by regular
//! expressions. They bring all of Unicode along: with them it is about as large as a bot in
//! Rust gets, which is what `cargo xtask bench live` wants of it.

use botyard_sdk::prelude::*;
use regex::Regex;

/// What it looks for, and what it calls it.
const PATTERNS: [(&str, &str); 3] = [
    ("date", r"\b(\d{4}-\d{2}-\d{2}|\d{1,2}\.\s?\d{1,2}\.\s?\d{4}|\d{1,2}\s\p{L}{3,9}\s\d{4})\b"),
    (
        "amount",
        r"(?:\p{Sc}\s?\d+(?:[.,]\d{2})?|\b\d+(?:[.,]\d{2})?\s?(?:\p{Sc}|(?:EUR|USD|GBP)\b))",
    ),
    ("order", r"(?i)\border\s*(?:no\.?|number|#)?\s*([\p{L}\d]+-?\d+)\b"),
];

/// The bot.
#[derive(Debug, Default)]
pub struct Finder;

impl Bot for Finder {
    fn on_message(&self, message: &event::Message, _turn: &Turn<'_>) -> Answer {
        Ok(actions![reply(found(&message.text))])
    }
}

export!(Finder);

/// All that was found, in the order of the patterns.
fn found(text: &str) -> String {
    let all: Vec<_> = PATTERNS
        .iter()
        .filter_map(|(name, pattern)| Some((name, Regex::new(pattern).ok()?)))
        .filter_map(|(name, pattern)| Some(format!("{name}: {}", pattern.find(text)?.as_str())))
        .collect();
    if all.is_empty() { "I found nothing.".to_owned() } else { all.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_amounts_and_orders_are_found() {
        let text = "Order no. AB-1234 of 2026-11-27 cost 12,50 €";
        assert_eq!(found(text), "date: 2026-11-27, amount: 12,50 €, order: Order no. AB-1234");
        assert_eq!(found("am 3. 4. 2026"), "date: 3. 4. 2026");
        assert_eq!(found("hello"), "I found nothing.");
    }

    #[test]
    fn every_pattern_is_one() {
        for (name, pattern) in PATTERNS {
            assert!(Regex::new(pattern).is_ok(), "{name}");
        }
    }
}
