//! A bot that greets people and remembers their favourite colour.

use botyard_sdk::prelude::*;
use serde::{Deserialize, Serialize};

/// The bot. A fresh one handles each event.
#[derive(Debug, Default)]
pub struct MyBot;

/// What it remembers of a session.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    colour: Option<String>,
}

impl Bot for MyBot {
    fn on_start(&self, _start: &event::Start, _turn: &Turn<'_>) -> Answer {
        Ok(actions![
            reply("Hello! I am a bot."),
            Bubbles::new("Which colour do you like?").option("red", "Red").option("blue", "Blue"),
        ])
    }

    fn on_click(&self, click: &event::Click, _turn: &Turn<'_>) -> Answer {
        let colour = click.option_ids[0].clone();
        Ok(actions![
            reply(format!("I like {colour}, too.")),
            context_update(&State { colour: Some(colour) })?,
        ])
    }

    fn on_message(&self, message: &event::Message, turn: &Turn<'_>) -> Answer {
        if message.text.to_lowercase().contains("human") {
            return Ok(actions![reply("I will find you somebody."), Forward::any().or_feedback()]);
        }
        let state: State = turn.context();
        Ok(actions![match state.colour {
            Some(colour) => reply(format!("You told me that you like {colour}.")),
            None => reply("Red or blue?"),
        }])
    }

    fn on_forward_failed(&self, _failed: &event::ForwardFailed, _turn: &Turn<'_>) -> Answer {
        Ok(actions![reply("I am sorry, nobody is there right now.")])
    }
}

export!(MyBot);
