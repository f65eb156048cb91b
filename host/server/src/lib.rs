//! The Botyard host: webhooks in, sandboxed bots, vendor calls out.
//!
//! Decisions are the kernel's; this crate asks the clock, opens sockets and
//! drives. `main` is a thin door to [`cli`].

pub mod admin;
pub mod alerts;
pub mod api;
pub mod app;
pub mod captures;
pub mod cli;
pub mod clock;
pub mod config;
mod console;
pub mod envelope;
pub mod http;
pub mod operations;
pub mod redactor;
pub mod registry;
pub mod relays;
pub mod send;
mod shown;
pub mod supervisor;
pub mod telemetry;
pub mod tenancy;
pub mod trial;
pub mod work;
