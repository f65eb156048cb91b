//! WASI 0.2 in a locked-down form: all that the standard targets of Rust,
//! JavaScript and Python import is present, and what could reach outside denies.
//!
//! Clocks and chance are the turn's own, so that a turn can be replayed. There
//! are no files, no environment, no arguments and no sockets.

pub(crate) mod clock;
pub(crate) mod http;
pub(crate) mod random;
mod stdio;

use std::sync::Arc;

use wasmtime::component::Linker;
use wasmtime_wasi::WasiCtx;

use crate::imports::log::{Stream, TurnLog};
use crate::turn::Turn;
use stdio::LogStream;

/// Adds all of WASI to a linker.
pub(crate) fn add_to_linker(linker: &mut Linker<Turn>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    http::add_to_linker(linker)?;
    // The clocks and random sources of the library are the host's: ours take their place.
    linker.allow_shadowing(true);
    clock::add_to_linker(linker)?;
    random::add_to_linker(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// What is left of WASI: standard streams that end in the log, and denials.
pub(crate) fn context(log: &Arc<TurnLog>) -> WasiCtx {
    WasiCtx::builder()
        .stdout(LogStream::new(Stream::Out, log.clone()))
        .stderr(LogStream::new(Stream::Err, log.clone()))
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .build()
}
