//! Whose conversation it is: a person of a platform, by the vendor's ids.

use serde_json::Value;

/// A longer id is not one of `MyAlice`'s.
const ID_DIGITS_MAX: usize = 20;
/// Stands before ids that may not be those of API blocks.
const TICKET: &str = "ticket:";

/// A person on a platform; a platform is what the vendor calls a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Person<'a> {
    pub(super) platform: &'a str,
    pub(super) customer: &'a str,
}

impl<'a> Person<'a> {
    /// The person of a conversation; none where it is one request and nobody's.
    pub(super) fn of(conversation: &'a str) -> Option<Self> {
        let ids = conversation.strip_prefix(TICKET).unwrap_or(conversation);
        let (platform, customer) = ids.split_once(':')?;
        let all_digits = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
        (all_digits(platform) && all_digits(customer)).then_some(Self { platform, customer })
    }

    /// The key of the conversation with this person, as API blocks name it.
    pub(super) fn conversation(self) -> String {
        format!("{}:{}", self.platform, self.customer)
    }

    /// The key of what tickets tell of a person where their ids are others.
    pub(super) fn ticket_conversation(self) -> String {
        format!("{TICKET}{}", self.conversation())
    }
}

/// An id: a whole number, which may be written as a text.
pub(super) fn id(value: &Value) -> Option<String> {
    let text = match value {
        Value::Number(number) => number.as_u64()?.to_string(),
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let fits = (1..=ID_DIGITS_MAX).contains(&text.len());
    (fits && text.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}

/// An id as the JSON of our calls carries it: a number where it reads the same back.
pub(super) fn number(id: &str) -> Value {
    match id.parse::<u64>() {
        Ok(number) if number.to_string() == id => Value::from(number),
        Ok(_) | Err(_) => Value::from(id),
    }
}
