//! The smallest bot: it says what it hears.

use botyard_sdk::prelude::*;

/// Answers a message with the same text, and nothing else with anything.
#[derive(Debug, Default)]
pub struct Echo;

impl Bot for Echo {
    fn on_message(&self, message: &event::Message, _turn: &Turn<'_>) -> Answer {
        let (text, format) = (message.text.clone(), message.format);
        Ok(actions![action::Message { text, format }])
    }
}

export!(Echo);

#[cfg(test)]
mod tests {
    use botyard_sdk::testing::Chat;

    use super::*;

    #[test]
    fn says_what_it_hears() {
        let mut chat = Chat::<Echo>::new();
        chat.start().is_silent();
        let outcome = chat.say("Hello, *world*");
        assert_eq!(outcome.actions(), actions![reply("Hello, *world*")]);
        chat.media("https://files.example/cat.png", "image/png").is_silent();
    }

    #[test]
    fn hears_what_a_session_opens_with() {
        Chat::<Echo>::new().say("Anybody there?").says("Anybody there?");
    }
}
