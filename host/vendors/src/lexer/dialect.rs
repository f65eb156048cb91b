//! What the vendor's page leaves open, as data, which a channel's setting `dialect`
//! overrides.

use serde::{Deserialize, Serialize};

/// Everything that may differ from what we believe.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Dialect {
    /// How times are written: the page allows both.
    pub(super) published_at: PublishedAt,
    /// Taps on buttons are claimed too. The page speaks of messages only, and a tap has
    /// an id like theirs.
    pub(super) claim_postbacks: bool,
    /// What the bot says is echoed, under the id that the Send API gave it.
    pub(super) echo: bool,
    /// A hand-off passes the thread to the page's inbox or to another app, as on a
    /// Messenger channel. Lexer asks for no such call, and a page without handover
    /// roles refuses it: so it is for pages that have them set up beside Lexer.
    pub(super) pass_thread: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            published_at: PublishedAt::EpochMs,
            claim_postbacks: true,
            echo: true,
            pass_thread: false,
        }
    }
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PublishedAt {
    /// Milliseconds since 1970, a number: what the page's sample holds.
    EpochMs,
    /// `2017-08-01T05:29:44Z`, a text in whole seconds.
    #[serde(rename = "iso-8601")]
    Iso8601,
}
