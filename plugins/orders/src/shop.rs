//! The shop's order service: names, ids and answers.

use botyard_sdk::event::{Response, ResponseOutcome};
use serde::Deserialize;

/// Requests of this bot are named by it and the order.
const REQUEST: &str = "order-";

const ORDER_BYTES_MAX: usize = 40;

/// What came of a lookup.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// The shop knows the order; `status` is for the person.
    Found { order: String, status: String },
    /// The shop knows no such order.
    Unknown { order: String },
    /// The shop gave no answer, or none that could be read.
    Failed { order: String },
}

/// What the shop answers; other fields are of no use here.
#[derive(Deserialize)]
struct Order {
    status: String,
    expected: Option<String>,
}

impl Lookup {
    /// Reads the answer; nothing where the request was not for an order.
    pub(crate) fn of(response: &Response) -> Option<Self> {
        let order = response.name.strip_prefix(REQUEST)?.to_owned();
        let ResponseOutcome::Answered(answer) = &response.outcome else {
            return Some(Self::Failed { order });
        };
        Some(match (answer.status, serde_json::from_str::<Order>(&answer.body)) {
            (200, Ok(found)) => Self::Found { order, status: found.in_words() },
            (404, _) => Self::Unknown { order },
            _ => Self::Failed { order },
        })
    }
}

impl Order {
    fn in_words(self) -> String {
        match self.expected {
            Some(expected) => format!("{}, expected {expected}", self.status),
            None => self.status,
        }
    }
}

/// The name of the request for an order.
pub(crate) fn request_name(order: &str) -> String {
    format!("{REQUEST}{order}")
}

/// The first word of a text that may be an order ID: letters, digits and dashes,
/// with a digit among them. Nothing else may get into an address.
pub(crate) fn find_order(text: &str) -> Option<&str> {
    text.split_whitespace()
        .map(|word| word.trim_matches(|c: char| "#.,;:!?()\"'".contains(c)))
        .find(|word| is_order(word))
}

fn is_order(word: &str) -> bool {
    word.len() <= ORDER_BYTES_MAX
        && word.chars().any(|c| c.is_ascii_digit())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_found() {
        let long = "1".repeat(41);
        let rows = [
            ("84-11907", Some("84-11907")),
            ("My order is #A4711.", Some("A4711")),
            ("(4711)", Some("4711")),
            ("order", None),
            ("1/2", None),
            ("4711?all", None),
            ("٤٧", None),
            (long.as_str(), None),
        ];
        for (text, order) in rows {
            assert_eq!(find_order(text), order, "{text}");
        }
    }
}
