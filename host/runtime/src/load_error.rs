//! Why a component is refused.

use botyard_kernel::limits::{Bound, Limit};
use botyard_kernel::run::Blame;
use serde::{Deserialize, Serialize};

use crate::census::Cap;
use crate::tier::Tier;
use crate::wanted::ForeignImport;

/// How much of what a tool says is passed on, in bytes.
pub(crate) const WORDS_BYTES: usize = 2_000;

/// Why a component is refused, in a sentence for who uploaded it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum LoadError {
    /// Other bytes.
    #[error("this is not WebAssembly: upload the .wasm file that your build wrote")]
    NotWasm,
    /// A module where a component is wanted.
    #[error(
        "this is a core module, not a component: build it for wasm32-wasip2, or turn it into a \
         component with `wasm-tools component new`"
    )]
    CoreModule,
    /// Bytes that end early or make no sense.
    #[error("the component cannot be read ({0}): build and upload it again")]
    Malformed(String),
    /// Larger than its tier allows.
    #[error(
        "the component has {bytes} bytes; {tier} bots may have {limit} ({}): leave out what it \
         does not need", sized(*.tier, *.limit)
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// What is allowed.
        limit: usize,
        /// Its tier.
        tier: Tier,
    },
    /// The export that makes it a bot is missing.
    #[error(
        "the component exports no botyard:bot/handler@1.0.0{}: build it with a Botyard SDK, or \
         for the world `bot` of wit/v1", found(.exports)
    )]
    NoHandler {
        /// What it exports instead.
        exports: Vec<String>,
    },
    /// Imports that this host does not have: all of them, up to a hundred.
    #[error(
        "the component imports what this host does not offer: {}. A bot may import the interfaces \
         of botyard:bot@1.0.0 and of WASI 0.2", listed(.imports, *.more)
    )]
    ForeignImports {
        /// Which, and what to do about each.
        imports: Vec<ForeignImport>,
        /// How many there are besides.
        more: usize,
    },
    /// More of something than a component may have.
    #[error(
        "the component has {} ({found}; a bot may have {}): {}",
        .cap.complaint(), .cap.most(), .cap.advice()
    )]
    TooMany {
        /// Of what.
        cap: Cap,
        /// How many were found when the reading ended.
        found: u64,
    },
    /// A core module whose description of a component does not fit it.
    #[error(
        "the core module cannot be made into the component that it describes ({0}): build it for \
         wasm32-wasip2, or with `wasm-tools component new` to see more"
    )]
    Componentize(String),
    /// A feature of WebAssembly that is off here.
    #[error(
        "the component needs a feature of WebAssembly that this host has switched off ({0}): build \
         it for wasm32-wasip2 without further features"
    )]
    Feature(String),
    /// The right names with other types.
    #[error(
        "the component does not fit version 1 of the contract ({0}): build it against this host's wit/v1"
    )]
    WrongType(String),
    /// No instance can be made of it.
    #[error("the component cannot be started ({0})")]
    Start(String),
    /// A manifest that is not of its form, or larger than it may be.
    #[error("the manifest in the component cannot be read ({0}): build it with a current SDK")]
    Manifest(String),
    /// A schema of the configuration that this host does not read.
    #[error(
        "the `config` of the component's manifest is no JSON Schema that this host reads ({0}): \
         correct it where the bot says what can be configured"
    )]
    Schema(String),
    /// What the engine refuses although it is valid.
    #[error("the component cannot be compiled ({0})")]
    Unsupported(String),
    /// More work than a compilation may be.
    #[error(
        "compiling the component took too much ({0}): make it smaller, above all its largest functions"
    )]
    TooMuchToCompile(String),
    /// The machine did not get to it in time: however large the component is, CPU time
    /// would have run out first.
    #[error(
        "the component was not compiled within {0} s, as this host has too much to do: upload it \
         again later"
    )]
    Late(u64),
    /// Not the component's fault.
    #[error(
        "this host cannot load components at the moment ({0}): try again, and tell its operator"
    )]
    Host(String),
}

impl LoadError {
    /// Who must act.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Host(_) | Self::Late(_) => Blame::Host,
            Self::NotWasm
            | Self::CoreModule
            | Self::Malformed(_)
            | Self::TooLarge { .. }
            | Self::NoHandler { .. }
            | Self::ForeignImports { .. }
            | Self::TooMany { .. }
            | Self::Componentize(_)
            | Self::Feature(_)
            | Self::WrongType(_)
            | Self::Start(_)
            | Self::Manifest(_)
            | Self::Schema(_)
            | Self::Unsupported(_)
            | Self::TooMuchToCompile(_) => Blame::Bot,
        }
    }

    /// Bytes that make no sense.
    pub(crate) fn malformed(error: wasmparser::BinaryReaderError) -> Self {
        Self::Malformed(short(&error.to_string(), WORDS_BYTES))
    }

    /// A fault of the host, with its causes.
    pub(crate) fn host(error: impl Into<anyhow::Error>) -> Self {
        Self::Host(format!("{:#}", error.into()))
    }
}

/// The beginning of words that may quote a component: what is refused must fit
/// into the compiler's answer, and before somebody's eyes.
pub(crate) fn short(words: &str, bytes: usize) -> String {
    let end = words.floor_char_boundary(bytes);
    let dots = if end < words.len() { "..." } else { "" };
    format!("{}{dots}", &words[..end])
}

/// Which limit of a tier's size it is, why it is that tier's, and who may raise it.
fn sized(tier: Tier, most: usize) -> String {
    let (limit, why) = match tier {
        Tier::Native => {
            (Limit::NativeComponentBytes, "; it does not have the code of an interpreter")
        }
        Tier::Interpreted => (Limit::InterpretedComponentBytes, ""),
    };
    format!("{}{why}", Bound::of_kind(limit, most as u64))
}

fn listed(imports: &[ForeignImport], more: usize) -> String {
    let named = imports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match more {
        0 => named,
        more => format!("{named}, and {more} more"),
    }
}

fn found(exports: &[String]) -> String {
    match exports {
        [] => String::new(),
        some => format!(" (it exports {})", some.join(", ")),
    }
}
