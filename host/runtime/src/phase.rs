//! How far the loading of a component is.

use serde::{Deserialize, Serialize};

/// How far the loading of a component is. A component that was compiled before
/// is rehearsed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Other compilations go first.
    Waiting,
    /// It is read: whether it is a bot, and whether it keeps the limits.
    Checking,
    /// It is compiled.
    Compiling,
    /// One instance is made of it.
    Rehearsing,
}
