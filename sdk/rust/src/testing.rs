//! A conversation in a bot's own tests: no host, no vendor account, no wasm.
//!
//! [`Chat`] plays the host by its rules: the context is ignored when empty, the
//! last one wins; nothing of a failed turn remains; while a human has the
//! conversation the bot does not run; answers that break a limit of `wit/v1` fail
//! the turn; what the person would notice is withheld once the bot has given the
//! conversation away; `end` ends the timers too; time stands still until a test
//! moves it.
//!
//! ```
//! use botyard_sdk::prelude::*;
//! use botyard_sdk::testing::Chat;
//!
//! #[derive(Default)]
//! struct Parrot;
//!
//! impl Bot for Parrot {
//!     fn on_message(&self, message: &event::Message, _: &Turn<'_>) -> Answer {
//!         Ok(actions![reply(&message.text)])
//!     }
//! }
//!
//! let mut chat = Chat::<Parrot>::new();
//! chat.start().is_silent();
//! chat.say("hello").says("hello");
//! ```

mod chat;
mod events;
mod limits;
mod outcome;
mod reach;
mod values;
mod web;
mod world;

pub use self::chat::Chat;
pub use self::outcome::Outcome;
pub use self::world::World;
