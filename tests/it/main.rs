//! The integration suites, in one binary: it links once.

mod alerts;
mod bad_input;
mod crash;
mod delivery;
mod desk;
mod failures;
mod fetch;
mod full_store;
mod instabot;
mod isolation;
mod khoros;
mod lexer;
mod lifecycle;
mod messenger;
mod myalice;
mod operate;
mod overlap;
mod overload;
mod peers;
mod puppet;
mod redelivery;
mod signals;
mod supervisor;
mod tidy;
mod twin;
mod twins;
