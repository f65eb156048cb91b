//! Twins: strict emulators of chat vendors.
//!
//! A twin stands where the vendor stands. It sends webhooks, takes calls, and
//! refuses what the vendor's documents rule out; it fails, repeats and delays as
//! vendors do, by a plan that a seed decides; and it records everything, so that
//! one can ask afterwards what a person saw, in which order and how often.
//!
//! Its limits are typed from the vendor's documents and nothing here depends on
//! the host: a rule that both sides had wrong in the same way would go unseen.
//!
//! One folder is one vendor. What they have in common lies beside them.

pub mod account;
pub mod chance;
mod clock;
pub mod console;
pub mod faults;
mod fields;
pub mod held;
#[cfg(test)]
mod host;
pub mod instabot;
pub mod khoros;
pub mod lexer;
mod listener;
pub mod messenger;
pub mod myalice;
pub mod record;
mod sign;
pub mod userlike;
pub mod wait;
pub mod wire;
