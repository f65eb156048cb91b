//! Which kind of program a bot is.

use serde::{Deserialize, Serialize};

/// Which kind of program a bot is; each kind has its own engine, pool and limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Compiled to wasm: Rust, C, Go.
    Native,
    /// Carries an interpreter: JavaScript, Python.
    Interpreted,
}

impl Tier {
    /// Every tier.
    pub const ALL: [Self; 2] = [Self::Native, Self::Interpreted];

    /// The name for logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Interpreted => "interpreted",
        }
    }
}

impl std::fmt::Display for Tier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
