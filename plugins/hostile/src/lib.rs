//! A bot that breaks one rule for each word that it is told, so that the
//! sandbox can be tested with a real component. The text of a message is the
//! name of a probe and, after a space, its argument.
//!
//! A probe that survives answers with one message of what it saw.

mod attack;
mod probe;

mod wit {
    wit_bindgen::generate!({ path: "../../wit/v1", world: "bot" });
}

use wit::botyard::bot::action::{Action, Message};
use wit::botyard::bot::event::{Event, EventBody};
use wit::botyard::bot::session::Session;
use wit::botyard::bot::types::TextFormat;
use wit::exports::botyard::bot::handler::{Failure, Guest};

struct Hostile;

impl Guest for Hostile {
    fn handle(event: Event, session: Session) -> Result<Vec<Action>, Failure> {
        let EventBody::Message(message) = event.body else {
            return Ok(Vec::new());
        };
        let (name, argument) = message.text.split_once(' ').unwrap_or((&message.text, ""));
        if name == "reject" {
            return Err(Failure::Reject(argument.to_owned()));
        }
        if let Some(actions) = attack::run(name, argument) {
            return Ok(actions);
        }
        match probe::run(name, argument, &session) {
            Some(seen) => Ok(vec![say(seen)]),
            None => Err(Failure::Reject(format!("no probe is called {name}"))),
        }
    }
}

/// A message of this text.
fn say(text: impl Into<String>) -> Action {
    Action::Message(Message { text: text.into(), format: TextFormat::Plain })
}

#[expect(unsafe_code, reason = "the generated exports are plain C functions")]
mod export {
    use super::Hostile;

    crate::wit::export!(Hostile with_types_in crate::wit);
}
