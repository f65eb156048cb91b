//! A bot that does what it is told, so that the way of its actions can be tested
//! with a real component. A message is a script: one command a line, see
//! `script`. What else happens is told in one line, so that it can be seen.

mod script;

use botyard_sdk::prelude::*;

/// The bot.
#[derive(Debug, Default)]
pub struct Puppet;

impl Bot for Puppet {
    fn on_start(&self, start: &event::Start, turn: &Turn<'_>) -> Answer {
        match start.first {
            Some(_) => self.open_with(start, turn),
            None if start.resumed => Ok(actions![]),
            None => Ok(actions![reply("welcome")]),
        }
    }

    fn on_message(&self, message: &event::Message, turn: &Turn<'_>) -> Answer {
        script::perform(&message.text, turn)
    }

    fn on_click(&self, click: &event::Click, _turn: &Turn<'_>) -> Answer {
        told(&format!("clicked {}", click.option_ids.join(",")))
    }

    /// A timer carries a script as its payload.
    fn on_timer(&self, timer: &event::Timer, turn: &Turn<'_>) -> Answer {
        let script: Option<String> =
            timer.payload.as_deref().map(serde_json::from_str).transpose()?;
        script::perform(script.as_deref().unwrap_or_default(), turn)
    }

    fn on_response(&self, response: &event::Response, _turn: &Turn<'_>) -> Answer {
        let name = &response.name;
        match &response.outcome {
            event::ResponseOutcome::Answered(answer) => {
                told(&format!("{name} answered {}", answer.status))
            }
            event::ResponseOutcome::Failed(_) => told(&format!("{name} failed")),
        }
    }

    fn on_signal(&self, signal: &event::NamedPayload, _turn: &Turn<'_>) -> Answer {
        told(&format!("signal {} {}", signal.name, signal.json))
    }

    fn on_forward_failed(&self, _failed: &event::ForwardFailed, _turn: &Turn<'_>) -> Answer {
        told("forward failed")
    }

    fn on_delivery_failed(&self, failed: &event::DeliveryFailed, _turn: &Turn<'_>) -> Answer {
        told(&format!("could not deliver {}", failed.action))
    }

    fn on_other(&self, other: &event::NamedPayload, _turn: &Turn<'_>) -> Answer {
        told(&format!("other {}", other.name))
    }
}

export!(Puppet);

fn told(text: &str) -> Answer {
    Ok(actions![reply(text)])
}

#[cfg(test)]
mod tests {
    use botyard_sdk::http;
    use botyard_sdk::testing::Chat;

    use super::*;

    #[test]
    fn counts_in_its_context_and_in_its_values() {
        let mut chat = Chat::<Puppet>::new();
        chat.start().says("welcome");
        chat.say("count").says("1 1");
        chat.say("count").says("2 2");
        chat.say("clear").says_nothing();
        chat.say("count").says("1 3");
    }

    #[test]
    fn does_one_command_a_line() {
        let mut chat = Chat::<Puppet>::new();
        let outcome = chat.say("say one two\nmarkdown *three*\nmenu Which? left right");
        let menu = Bubbles::new("Which?").option("left", "left").option("right", "right");
        let expected = actions![reply("one two"), reply("*three*").markdown(), menu];
        assert_eq!(outcome.actions(), expected);
    }

    #[test]
    fn a_timer_brings_a_script() {
        let mut chat = Chat::<Puppet>::new();
        chat.say("later 50 say soon").says_nothing();
        assert_eq!(chat.timers(), ["later-50"]);
    }

    #[test]
    fn says_what_came_of_a_call() {
        let mut chat = Chat::<Puppet>::new().web(|request| {
            let slow = request.timeout_ms.is_some();
            if slow { Err(http::Error::Timeout) } else { Ok(http::Response::new(200).body("yes")) }
        });
        chat.say("fetch https://shop.example/").says("200 yes");
        chat.say("fetch https://shop.example/ 50").says("Error::Timeout");
        chat.say("often 9 https://shop.example/").says("Error::Limit");
    }

    #[test]
    fn other_words_are_echoed() {
        Chat::<Puppet>::new().say("yes").says("you said: yes");
    }
}
