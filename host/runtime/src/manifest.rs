//! What a bot says about itself, written by its SDK into the component.

use botyard_kernel::choices::Recognition;
use botyard_kernel::degrade::Degrading;
use serde::{Deserialize, Serialize};

/// The custom section that carries the manifest, as JSON. It may lie in the
/// component or in a core module within it.
pub const MANIFEST_SECTION: &str = "botyard:manifest";

/// What a bot says about itself. Nothing in it is trusted: it is a wish list,
/// read at the upload without running anything. Unknown fields are ignored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// The bot's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The bot's own version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The SDK that wrote this, with its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdk: Option<String>,
    /// Hosts that it wants to call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// What can be configured: a JSON schema, `{}` where there is nothing. See
    /// [`ConfigSchema`](crate::ConfigSchema).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<serde_json::Value>,
    /// What becomes of what a medium cannot carry: `allow`, the default, or `deny`.
    pub degrade: Degrading,
    /// Which typed texts mean an option of a menu: `all`, the default,
    /// `numbers-and-labels`, `labels`, or `off`.
    pub choices: Recognition,
    /// The version of the contract that it was built for, for example `1.0.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wit: Option<String>,
}
