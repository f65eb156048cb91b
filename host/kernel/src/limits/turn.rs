//! What holds a single turn: the limit of its kind of bot, or that of its tenant where this
//! one is less.

use std::fmt;

use super::{Change, Limit, Limits};

/// A number that a turn is held to, and which limit says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The most there may be, in the unit of the limit.
    pub most: u64,
    /// The limit.
    pub limit: Limit,
    /// The tenant has set it for itself, so it can raise it again.
    pub is_own: bool,
}

/// What a tenant's turns are held to, whatever kind of bot they run; absent where its kind
/// alone says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TurnBounds {
    /// CPU time in milliseconds.
    pub cpu_ms: Option<Bound>,
    /// Wall time in milliseconds, with calls and without.
    pub wall_ms: Option<Bound>,
    /// Memory in bytes.
    pub memory_bytes: Option<Bound>,
}

impl Bound {
    /// What the host says of all turns of a kind.
    pub const fn of_kind(limit: Limit, most: u64) -> Self {
        Self { most, limit, is_own: false }
    }

    /// This one, or the tenant's where it is less.
    pub fn lowered(self, tenants: Option<Self>) -> Self {
        tenants.filter(|bound| bound.most < self.most).unwrap_or(self)
    }

    /// Whether the tenant is held to less than others.
    pub fn is_tenants(&self) -> bool {
        self.limit.row().change == Change::Tenant
    }
}

/// Which limit, and who may raise it.
impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match (self.limit.row().change, self.is_own) {
            (Change::Tenant, true) => "an admin of the tenant may raise it",
            (Change::Tenant, false) => "the operator may raise it for the tenant",
            (Change::Host, _) => "the operator may raise it, for all tenants",
            (Change::Fixed, _) => "nobody may raise it",
        };
        write!(f, "limit `{}`: {who}", self.limit)
    }
}

impl Limits {
    /// What the tenant's turns are held to.
    pub fn of_turns(&self) -> TurnBounds {
        let bound = |limit| {
            let most = self.value(limit)?;
            let without = Self { own: super::Values::new(), ..self.clone() }.value(limit);
            let is_own = without.is_none_or(|without| without > most);
            Some(Bound { most, limit, is_own })
        };
        TurnBounds {
            cpu_ms: bound(Limit::TurnCpuMs),
            wall_ms: bound(Limit::TurnWallMs),
            memory_bytes: bound(Limit::TurnMemoryBytes),
        }
    }
}
