//! Runs bots. The only crate that names wasmtime.
//!
//! A bot is a component of WebAssembly that a stranger wrote. [`Runtime::load`]
//! checks it and compiles it in a child process, [`Runtime::run`] lets it handle
//! one event in a fresh instance, with the turn's own clock and chance, and
//! within limits that name who is to blame where they are broken.

mod artefact;
mod bindings;
mod blame;
mod census;
mod child;
mod compile;
mod componentize;
mod config;
mod cpu;
mod engine;
mod executor;
mod imports;
mod inspect;
mod jail;
mod limits;
mod link;
mod load;
mod load_error;
mod manifest;
pub mod measure;
mod permit;
mod phase;
mod priority;
mod queue;
mod run;
mod runtime;
mod safety;
mod schema;
mod services;
mod slice;
mod ticker;
mod tier;
mod turn;
mod upload;
mod version;
mod wall;
mod wanted;
mod wasi;

pub use artefact::{Artefact, Swept};
pub use census::Cap;
pub use compile::compile_main;
pub use config::{CompileCommand, CompileLimits, Features, Layout, RuntimeConfig, TierConfig};
pub use jail::Part as JailPart;
pub use limits::TierLimits;
pub use load_error::LoadError;
pub use manifest::{MANIFEST_SECTION, Manifest};
pub use permit::{Gate, Occupancy, Permit, Who};
pub use phase::Phase;
pub use runtime::Runtime;
pub use safety::SafetyFeature;
pub use schema::{ConfigFault, ConfigSchema};
pub use services::{BotValues, HttpCalls, Services};
pub use tier::Tier;
pub use upload::{Incoming, Upload};
pub use version::Version;
pub use wanted::ForeignImport;
