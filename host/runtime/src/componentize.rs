//! A core module that says which component it wants to be becomes that
//! component: compilers of C and Go, and older ones of Rust, end there.
//!
//! Only the compiling child calls this: the bytes are a stranger's.

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::ComponentEncoder;

use crate::load_error::{LoadError, WORDS_BYTES, short};

/// How the names of the custom sections begin that carry a component's type.
const METADATA: &str = "component-type";

/// Whether a custom section says which component a module wants to be.
pub(crate) fn is_metadata(section: &str) -> bool {
    section.starts_with(METADATA)
}

/// Wraps a core module into the component that it describes. Where it calls
/// WASI 0.1, those calls are turned into ones of WASI 0.2.
pub(crate) fn componentize(module: &[u8]) -> Result<Vec<u8>, LoadError> {
    let encoded = || {
        ComponentEncoder::default()
            // What comes out is inspected like an upload.
            .validate(false)
            .module(module)?
            .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)?
            .encode()
    };
    encoded().map_err(|error: anyhow::Error| {
        LoadError::Componentize(short(&format!("{error:#}"), WORDS_BYTES))
    })
}
