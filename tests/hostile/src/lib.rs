//! Hostile uploads, as data: each row is a component and what must become of it. The
//! runtime's own tests hold them against the runtime, `cargo xtask hostile` against a
//! whole host under load.

pub mod build;
mod refused;
mod turns;

use botyard_kernel::run::FailureKind;

pub use refused::rows as refused;
pub use turns::rows as turns;

/// An upload and what must become of it.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it tries.
    pub name: &'static str,
    /// The upload.
    pub bytes: Vec<u8>,
    /// What must become of it.
    pub expect: Expect,
}

/// What becomes of an upload.
#[derive(Clone, Copy, Debug)]
pub enum Expect {
    /// It is not loaded, for a reason of this kind, with these words.
    Refused(&'static str, &'static str),
    /// It is loaded, and a turn fails by its fault, in this way, with these words.
    Fails(FailureKind, &'static str),
    /// It is loaded, and a turn finds nothing that it should not.
    Harmless,
}
