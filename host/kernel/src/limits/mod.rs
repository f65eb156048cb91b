//! All limits in one table: what each is called, what it is by default, who may change
//! it, and what enforces it. Whoever enforces one takes its value from here, and one
//! endpoint lists them.

mod table;
mod turn;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::access::Scope;
pub use table::Limit;
pub use turn::{Bound, TurnBounds};

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Unit {
    Milliseconds,
    Bytes,
    Characters,
    Percent,
    Pieces,
    PerSecond,
    PerMinute,
    PerHour,
    MillisecondsPerSecond,
    MillisecondsPerMinute,
    BytesPerHour,
}

/// Who may set a limit lower or higher than it is by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Nobody: vendors, the contract or the store depend on it.
    Fixed,
    /// The operator, for the whole host.
    Host,
    /// The operator for a tenant; the tenant itself may set it lower.
    Tenant,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The name in the API and in refusals.
    pub name: &'static str,
    /// What it bounds.
    pub what: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// Its value where nobody has changed it; absent where nothing is bounded then.
    pub default: Option<u64>,
    /// Who may change it.
    pub change: Change,
    /// The part of the host that enforces it.
    pub enforced_by: &'static str,
}

/// What somebody has set.
pub type Values = BTreeMap<Limit, u64>;

/// The limits of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// What the operator set for the whole host.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub host: Values,
    /// What the operator set for this tenant, in the place of that.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub tenant: Values,
    /// What the tenant set for itself: it counts where it is lower.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub own: Values,
}

impl Limit {
    /// Its value by default, for whoever enforces it; where nothing is bounded then, all
    /// there can be.
    pub const fn preset(self) -> u64 {
        match self.row().default {
            Some(value) => value,
            None => u64::MAX,
        }
    }

    /// The same, for what is counted in memory.
    pub const fn preset_size(self) -> usize {
        let value = self.preset();
        if value > usize::MAX as u64 { usize::MAX } else { value as usize }
    }

    /// The smallest value that can be set: what only slows must let something through, or
    /// what waits would wait for ever; and what no turn at all could keep would say of every
    /// bot that it is to blame.
    pub fn least(self) -> u64 {
        match self {
            Self::TurnsPerSecond
            | Self::CpuMsPerSecond
            | Self::TurnsAtOnce
            | Self::CallsAtOnce
            | Self::TurnCpuMs => 1,
            // So long may the host itself keep a turn waiting that has others beside it.
            Self::TurnWallMs => 100,
            // A page, the least that a memory has.
            Self::TurnMemoryBytes => 64 << 10,
            _ => 0,
        }
    }

    /// How a tenant makes room, where its name does not say what to take away.
    fn room(self) -> Option<&'static str> {
        let storage = "take away versions and bots that nobody needs, keep conversations for \
                       less time (`retention`)";
        match self {
            Self::StorageBytes => Some(storage),
            Self::CallsAtOnce => Some("give calls less time (`timeout-ms`), or make fewer at once"),
            _ => None,
        }
    }
}

impl Limits {
    /// The value that holds; absent where nothing is bounded.
    pub fn value(&self, limit: Limit) -> Option<u64> {
        let Row { default, change, .. } = limit.row();
        let host = self.host.get(&limit).copied().filter(|_| change != Change::Fixed);
        if change != Change::Tenant {
            return host.or(default);
        }
        let given = self.tenant.get(&limit).copied().or(host).or(default);
        given.into_iter().chain(self.own.get(&limit).copied()).min()
    }

    /// Sets a limit for this tenant, or with `None` takes back what was set, by somebody
    /// with this scope: an operator raises and lowers, others only lower.
    ///
    /// # Errors
    /// Why not, and who may.
    pub fn set(&mut self, limit: Limit, value: Option<u64>, by: Scope) -> Result<(), NotYours> {
        let change = limit.row().change;
        if change != Change::Tenant {
            return Err(NotYours::NotTenants { limit, change });
        }
        if by < Scope::Admin {
            return Err(NotYours::Scope { limit });
        }
        if value.is_some_and(|value| value < limit.least()) {
            return Err(NotYours::Nothing { limit });
        }
        if by < Scope::Operator {
            let given = Self { own: Values::new(), ..self.clone() }.value(limit);
            if let (Some(wanted), Some(given)) = (value, given)
                && wanted > given
            {
                return Err(NotYours::Raise { limit, wanted, given });
            }
        }
        let values = if by == Scope::Operator { &mut self.tenant } else { &mut self.own };
        match value {
            Some(value) => values.insert(limit, value),
            None => values.remove(&limit),
        };
        Ok(())
    }

    /// Whether there may be so much more of what a limit bounds, where so much of it is
    /// used. Where time makes room, `retry_after_s` says when.
    ///
    /// # Errors
    /// Which limit, and when to come again.
    pub fn check(
        &self,
        limit: Limit,
        (used, more): (u64, u64),
        retry_after_s: Option<u64>,
    ) -> Result<(), Exceeded> {
        let wanted = used.saturating_add(more);
        match self.value(limit) {
            Some(most) if wanted > most => {
                Err(Exceeded { limit, most, used, wanted, retry_after_s })
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// There would be too much of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// Which limit.
    pub limit: Limit,
    /// What it is.
    pub most: u64,
    /// What there is.
    pub used: u64,
    /// What there would be.
    pub wanted: u64,
    /// When there should be room again, in seconds from now; absent where somebody has
    /// to make it.
    pub retry_after_s: Option<u64>,
}

impl std::error::Error for Exceeded {}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, most, used, wanted, retry_after_s } = self;
        write!(f, "the limit `{limit}` is {most}; {used} are used, this would make {wanted}: ")?;
        let room = limit.room();
        match (retry_after_s, limit.row().change) {
            (Some(seconds), Change::Tenant) => {
                let room = room.map(|room| format!(", {room}")).unwrap_or_default();
                write!(f, "come again in {seconds} s{room}, or ask the operator to raise it")
            }
            (Some(seconds), Change::Fixed | Change::Host) => {
                write!(f, "come again in {seconds} s")
            }
            (None, Change::Tenant) => {
                let room = room.unwrap_or("make room");
                write!(f, "{room}, or ask the operator to raise it")
            }
            (None, Change::Host) => f.write_str("make room, or ask the operator"),
            (None, Change::Fixed) => f.write_str("it is the same for everybody, ask for less"),
        }
    }
}

/// A limit is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotYours {
    /// It is no limit of a tenant's.
    #[error(
        "the limit `{limit}` is the same for all tenants: {}",
        if *change == Change::Host { "the operator sets it in the host's settings" } else { "nobody changes it" }
    )]
    NotTenants {
        /// Which.
        limit: Limit,
        /// Who may change it.
        change: Change,
    },
    /// The token's scope is too small.
    #[error("the limit `{limit}` is set by an admin of the tenant or by the operator: ask one")]
    Scope {
        /// Which.
        limit: Limit,
    },
    /// It would let nothing through, or nothing succeed.
    #[error(
        "the limit `{limit}` is at least {}: to let no turns begin, pause the bots",
        limit.least()
    )]
    Nothing {
        /// Which.
        limit: Limit,
    },
    /// A tenant may only lower it.
    #[error(
        "the limit `{limit}` is {given}, and a tenant may only lower it: ask the operator for \
         {wanted}"
    )]
    Raise {
        /// Which.
        limit: Limit,
        /// What is asked for.
        wanted: u64,
        /// What it is.
        given: u64,
    },
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().name)
    }
}

#[cfg(test)]
mod tests;
