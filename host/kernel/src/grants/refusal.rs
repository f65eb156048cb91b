//! Why a bot may not do something, in words for whoever can change it.

use super::{Sides, Wish};
use crate::run::Blame;

/// Which of the four sides says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its manifest names others.
    #[error(
        "the bot's manifest does not wish for it: its author adds it to `hosts` there and builds \
         it anew"
    )]
    Unwished,
    /// Its tenant does not grant it.
    #[error(
        "nobody has granted it to the bot: an admin of the tenant adds it to the bot's `hosts`, or \
         approves it (`botyard bot approve`)"
    )]
    Ungranted,
    /// The operator's policy says no.
    #[error("the operator's policy does not allow it: ask the operator of this host")]
    Forbidden,
}

impl Refusal {
    /// Who can change it.
    pub fn blame(self) -> Blame {
        match self {
            Self::Unwished => Blame::Bot,
            Self::Ungranted => Blame::Tenant,
            Self::Forbidden => Blame::Host,
        }
    }

    /// The name for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unwished => "unwished",
            Self::Ungranted => "ungranted",
            Self::Forbidden => "forbidden",
        }
    }
}

impl Sides<'_> {
    /// Why the bot does not have something that it imports or calls; absent where it has.
    pub fn refusal(&self, wish: &Wish) -> Option<Refusal> {
        if self.effective().cover(wish) {
            None
        } else if !self.wished(wish) {
            Some(Refusal::Unwished)
        } else if !self.grant.cover(wish) {
            Some(Refusal::Ungranted)
        } else {
            Some(Refusal::Forbidden)
        }
    }
}
