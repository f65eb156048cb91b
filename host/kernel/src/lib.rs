//! The vocabulary of Botyard and every decision it takes.
//!
//! This crate does no IO: it has no socket, no file, no clock, no source of
//! chance, no wasm and no SQL. Time and chance are arguments.
//!
//! Besides the way of an event ([`lane`], [`plan`], [`outbox`]) it says who may do what
//! ([`access`]), which version of a bot answers ([`deployment`]), what a bot may reach
//! ([`grants`]), and how much of anything there may be ([`limits`], [`quota`],
//! [`share`], [`usage`], [`watermark`]).

pub mod access;
pub mod action;
pub mod breaker;
pub mod broken;
pub mod call;
pub mod choices;
pub mod context;
pub mod degrade;
pub mod deployment;
pub mod destination;
pub mod event;
pub mod files;
pub mod grants;
pub mod id;
pub mod json;
pub mod lane;
pub mod limits;
pub mod log;
pub mod outbox;
pub mod owner;
pub mod plan;
pub mod profile;
pub mod quota;
pub mod rate;
pub mod relay;
pub mod retry;
pub mod run;
pub mod session;
pub mod share;
pub mod stored;
pub mod text;
pub mod time;
pub mod upkeep;
pub mod usage;
pub mod validate;
pub mod watermark;
