//! The integration suites, in one binary: it links once.

mod bad_input;
mod crash;
mod delivery;
mod failures;
mod full_store;
mod isolation;
mod lifecycle;
mod overlap;
mod overload;
mod peers;
mod puppet;
mod redelivery;
mod signals;
mod supervisor;
mod tidy;
