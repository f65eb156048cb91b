//! A bot that greets people and remembers their favourite colour.

use botyard_sdk::prelude::*;
use serde::{Deserialize, Serialize};

/// The colours to choose from: the id of each option, and what it says.
const COLOURS: [(&str, &str); 2] = [("red", "Red"), ("blue", "Blue")];

/// The bot. A fresh one handles each event.
#[derive(Debug, Default)]
pub struct MyBot;

/// What it remembers of a session.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    colour: Option<String>,
}

impl Bot for MyBot {
    fn on_start(&self, start: &event::Start, turn: &Turn<'_>) -> Answer {
        // Messaging apps open with a message, and so does a conversation that was going on
        // before this bot came. It comes here and nowhere else.
        if start.first.is_some() || start.resumed {
            return self.open_with(start, turn);
        }
        Ok(actions![reply("Hello! I am a bot."), menu()])
    }

    fn on_click(&self, click: &event::Click, _turn: &Turn<'_>) -> Answer {
        like(&click.option_ids[0])
    }

    fn on_message(&self, message: &event::Message, turn: &Turn<'_>) -> Answer {
        let text = message.text.trim().to_lowercase();
        if text.contains("human") {
            return Ok(actions![reply("I will find you somebody."), Forward::any().or_feedback()]);
        }
        // Some type what they could have tapped, or cannot tap at all.
        if let Some((id, _)) = COLOURS.iter().find(|(_, label)| text == label.to_lowercase()) {
            return like(id);
        }
        let state: State = turn.context();
        match state.colour {
            Some(colour) => Ok(actions![reply(format!("You told me that you like {colour}."))]),
            None => Ok(actions![menu()]),
        }
    }

    fn on_forward_failed(&self, _failed: &event::ForwardFailed, _turn: &Turn<'_>) -> Answer {
        Ok(actions![reply("I am sorry, nobody is there right now.")])
    }
}

export!(MyBot);

fn menu() -> Bubbles {
    let menu = Bubbles::new("Which colour do you like?");
    COLOURS.iter().fold(menu, |menu, (id, label)| menu.option(*id, *label))
}

fn like(colour: &str) -> Answer {
    Ok(actions![
        reply(format!("I like {colour}, too.")),
        context_update(&State { colour: Some(colour.to_owned()) })?,
    ])
}
