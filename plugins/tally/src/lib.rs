//! A bot that counts every event that it hears, in its context and in the
//! conversation's values, and says both numbers with the name of the event. So
//! whoever sees what it says can tell whether an event was lost, was heard twice
//! or came out of order.
//!
//! A message is the name of the event and, behind it, commands with a `;` before
//! each:
//!
//! | command | what follows |
//! |---|---|
//! | `part` | one more text, `NAME part N` |
//! | `picture` | a picture, `https://files.example/NAME-N` |
//! | `pause MS` | a delay |
//! | `timer MS` | a timer of the name `t-NAME` |
//! | `ask LINK` | a durable GET of the name `r-NAME` |
//! | `fetch LINK` | a GET within the turn, and a text `NAME fetched STATUS` |
//! | `forward` | the conversation is handed to whoever is there |
//! | `relay BOT` | it is handed to this external bot of the tenant's |
//! | `trap` | the bot breaks down, and nothing of its turn is left |
//!
//! N is the place of the command, from 1.

use botyard_sdk::action::Media;
use botyard_sdk::event::{Event, EventBody};
use botyard_sdk::http;
use botyard_sdk::prelude::*;
use serde_json::{Map, Value};

/// The bot.
#[derive(Debug, Default)]
pub struct Tally;

impl Bot for Tally {
    fn handle(&self, event: &Event, turn: &Turn<'_>) -> Answer {
        let told = told(event);
        let mut words = told.split(';').map(str::trim);
        let name = words.next().unwrap_or_default();
        let mut actions = count(name, turn)?;
        for (place, command) in (1..).zip(words) {
            actions.push(perform(name, place, command, turn)?);
        }
        Ok(actions)
    }
}

export!(Tally);

/// The name of an event and, of a message, what is to be done.
fn told(event: &Event) -> String {
    match &event.body {
        EventBody::Start(start) => match &start.first {
            Some(event::First::Message(message)) => message.text.clone(),
            _ => "start".to_owned(),
        },
        EventBody::Message(message) => message.text.clone(),
        EventBody::Timer(timer) => timer.name.clone(),
        EventBody::Response(response) => match &response.outcome {
            event::ResponseOutcome::Answered(answer) => {
                format!("{} answered {}", response.name, answer.status)
            }
            event::ResponseOutcome::Failed(_) => format!("{} failed", response.name),
        },
        EventBody::Signal(signal) => signal.name.clone(),
        EventBody::DeliveryFailed(failed) => format!("lost {}", failed.part),
        _ => "something else".to_owned(),
    }
}

fn count(name: &str, turn: &Turn<'_>) -> Answer {
    let mut context: Map<String, Value> = turn.context();
    let counted = context.get("count").and_then(Value::as_u64).unwrap_or(0) + 1;
    context.insert("count".to_owned(), counted.into());
    let kept = turn.conversation_kv().add("count", 1)?;
    Ok(actions![context_update(&context)?, reply(format!("{counted} {kept} {name}"))])
}

fn perform(name: &str, place: usize, command: &str, turn: &Turn<'_>) -> Result<Action, Failure> {
    let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
    Ok(match verb {
        "part" => reply(format!("{name} part {place}")).into(),
        "picture" => Media::new(format!("https://files.example/{name}-{place}")).into(),
        "pause" => delay(rest.parse()?),
        "timer" => schedule(format!("t-{name}"), rest.parse()?).into(),
        "ask" => Request::get(format!("r-{name}"), rest).into(),
        "fetch" => {
            let answered = match turn.http(&get(rest)) {
                Ok(answer) => answer.status.to_string(),
                Err(_) => "nothing".to_owned(),
            };
            reply(format!("{name} fetched {answered}")).into()
        }
        "forward" => Forward::any().into(),
        "relay" => Forward::bot(rest).into(),
        "trap" => panic!("{name} told it to"),
        _ => return Err(Failure::new(format!("`{command}` is no command"))),
    })
}

fn get(link: &str) -> http::Request {
    let (method, url) = ("GET".to_owned(), link.to_owned());
    http::Request { method, url, headers: Vec::new(), body: None, timeout_ms: None }
}

#[cfg(test)]
mod tests {
    use botyard_sdk::testing::Chat;

    use super::*;

    #[test]
    fn counts_every_event_and_does_what_a_message_says() {
        let mut chat = Chat::<Tally>::new();
        chat.start().says("1 1 start");
        chat.say("m1").says("2 2 m1");
        let outcome = chat.say("m2; part; picture; timer 100");
        let said = actions![reply("3 3 m2"), reply("m2 part 1")];
        assert_eq!(outcome.actions()[1..3], said);
        assert_eq!(chat.timers(), ["t-m2"]);
        chat.say("m3; dance").fails("is no command");
        chat.say("m4").says("4 4 m4");
        chat.say("m5; forward").says("5 5 m5").forwards();
    }
}
