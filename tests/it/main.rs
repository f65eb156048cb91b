//! The integration suites, in one binary: it links once.

mod bad_input;
mod delivery;
mod failures;
mod lifecycle;
mod peers;
mod redelivery;
mod signals;
mod tidy;
