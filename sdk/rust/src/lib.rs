#![doc = include_str!("../README.md")]

// The generated code names this crate the way that bots do.
extern crate self as botyard_sdk;

pub mod action;
#[doc(hidden)]
pub mod bindings;
mod bot;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod component;
mod failure;
pub mod http;
#[cfg(target_arch = "wasm32")]
mod imports;
pub mod kv;
pub mod manifest;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod turn;

#[doc(hidden)]
pub use wit_bindgen::rt;

pub use self::action::{Action, reply};
pub use self::bot::{Answer, Bot};
pub use self::event::Event;
pub use self::failure::Failure;
pub use self::session::Session;
pub use self::turn::Turn;

/// What happened: the records of `wit/v1/event.wit`.
pub mod event {
    pub use crate::bindings::botyard::bot::event::{
        Answer, CampaignUnsubscribe, Click, DeliveryFailed, Ended, Event, EventBody, First,
        ForwardFailed, HumanSpoke, Location, Media, Message, Response, ResponseOutcome, Returned,
        Start, Timer,
    };
    pub use crate::bindings::botyard::bot::types::{Approach, NamedPayload, Setting, TextFormat};
}

/// Where an event happened: the records of `wit/v1/session.wit`.
pub mod session {
    pub use crate::bindings::botyard::bot::session::Session;
    pub use crate::bindings::botyard::bot::types::{Approach, Contact, Setting};
}

/// How important a line of the bot's log is, see [`Turn::log`].
pub mod log {
    pub use crate::bindings::botyard::bot::log::Level;
}

/// What most bots want in scope: `use botyard_sdk::prelude::*;`.
pub mod prelude {
    pub use crate::action::{
        self, Action, Bubbles, ContactUpdate, Forward, Request, context_clear, context_update,
        delay, end, reply, schedule, typing,
    };
    pub use crate::event;
    pub use crate::{Answer, Bot, Failure, Turn, actions, export};
}
