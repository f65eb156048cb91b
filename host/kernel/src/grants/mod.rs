//! What a bot may reach: what its component imports, and its manifest wishes for, and
//! its tenant grants, and the operator's policy allows. Only what all four say is
//! linked.
//!
//! `config`, `kv` and `log` reach nothing that is not the bot's own, so every bot has
//! them. WASI is no power here: it is always linked, and denies.
//!
//! A manifest that names no host leaves it to the grant: many bots are told by their
//! configuration whom to call. One that names hosts means these and no others.

mod pattern;
mod refusal;
mod report;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use pattern::{BadPattern, Pattern};
pub use refusal::Refusal;
pub use report::{Diff, Report, Use, Used, diff, used_against_granted};

/// The import by which a bot calls web services within its turn. Hosts are called without
/// it, too: by the action `request`.
pub const HTTP: &str = "http";
/// Imports that every bot has.
pub const BASIC: [&str; 3] = ["config", "kv", "log"];

/// Hosts and imports: what a bot wishes for, what it is granted, or what it has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Powers {
    /// Hosts that it calls.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub hosts: BTreeSet<Pattern>,
    /// Imports by their short names: `http`, `kv`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub imports: BTreeSet<String>,
}

impl Powers {
    /// What is wished for, or granted, with these hosts: whoever names hosts means the
    /// import that calls them as well.
    pub fn with_hosts(hosts: BTreeSet<Pattern>, mut imports: BTreeSet<String>) -> Self {
        if !hosts.is_empty() {
            imports.insert(HTTP.to_owned());
        }
        Self { hosts, imports }
    }

    /// One by one, imports first.
    pub fn each(&self) -> impl Iterator<Item = Wish> {
        let imports = self.imports.iter().cloned().map(Wish::Import);
        imports.chain(self.hosts.iter().cloned().map(Wish::Host))
    }

    /// Whether a wish is covered by one of these.
    pub fn cover(&self, wish: &Wish) -> bool {
        match wish {
            Wish::Import(import) => self.imports.contains(import),
            Wish::Host(host) => self.hosts.iter().any(|own| own.covers(host)),
        }
    }
}

/// One thing that a bot wishes for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// An import.
    Import(String),
    /// Calls to a host, or to all under a name.
    Host(Pattern),
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Import(import) => write!(f, "the import `{import}`"),
            Self::Host(host) => write!(f, "calls to {host}"),
        }
    }
}

/// What the operator allows to bots of a tenant, whatever the tenant grants. By default
/// everything that the egress door lets out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Policy {
    /// Only these hosts; absent for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<BTreeSet<Pattern>>,
    /// Never these, nor anything under them, see [`Pattern::forbids`].
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub forbidden_hosts: BTreeSet<Pattern>,
    /// Only these imports besides [`BASIC`]; absent for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imports: Option<BTreeSet<String>>,
}

impl Policy {
    /// What both policies allow.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let hosts = match (&self.hosts, &other.hosts) {
            (Some(one), Some(two)) => {
                Some(one.iter().flat_map(|a| two.iter().filter_map(|b| a.both(b))).collect())
            }
            (one, two) => one.as_ref().or(two.as_ref()).cloned(),
        };
        let imports = match (&self.imports, &other.imports) {
            (Some(one), Some(two)) => Some(one.intersection(two).cloned().collect()),
            (one, two) => one.as_ref().or(two.as_ref()).cloned(),
        };
        let forbidden_hosts = self.forbidden_hosts.union(&other.forbidden_hosts).cloned().collect();
        Self { hosts, forbidden_hosts, imports }
    }

    /// What of a host may be called: nothing, all of it, or the hosts of it that are
    /// allowed. Of a name with a forbidden host under it nothing may be: ask for the
    /// others one by one.
    fn hosts_of(&self, wish: &Pattern) -> Vec<Pattern> {
        let parts: Vec<Pattern> = match &self.hosts {
            None => vec![wish.clone()],
            Some(allowed) => allowed.iter().filter_map(|own| own.both(wish)).collect(),
        };
        let forbidden = |part: &Pattern| self.forbidden_hosts.iter().any(|no| no.forbids(part));
        parts.into_iter().filter(|part| !forbidden(part)).collect()
    }

    fn allows(&self, wish: &Wish) -> bool {
        match wish {
            Wish::Import(import) => self.imports.as_ref().is_none_or(|own| own.contains(import)),
            Wish::Host(host) => self.hosts_of(host).iter().any(|part| part.covers(host)),
        }
    }
}

/// The four that must agree.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// What the component imports, by short names, WASI left out.
    pub component: &'a BTreeSet<String>,
    /// What its manifest wishes for; absent where that names no host.
    pub wishes: Option<&'a Powers>,
    /// What the tenant grants to the bot.
    pub grant: &'a Powers,
    /// What the operator allows.
    pub policy: &'a Policy,
}

impl Sides<'_> {
    /// What is linked, and which hosts the bot may call.
    pub fn effective(&self) -> Powers {
        let agreed = |import: &&String| {
            let wish = Wish::Import((*import).clone());
            let basic = BASIC.contains(&import.as_str());
            basic || self.wished(&wish) && self.grant.cover(&wish) && self.policy.allows(&wish)
        };
        let imports: BTreeSet<String> = self.component.iter().filter(agreed).cloned().collect();
        let granted: BTreeSet<Pattern> = match self.wishes {
            None => self.grant.hosts.clone(),
            Some(wishes) => {
                let of = |wish| self.grant.hosts.iter().filter_map(move |own| own.both(wish));
                wishes.hosts.iter().flat_map(of).collect()
            }
        };
        let hosts = granted.iter().flat_map(|part| self.policy.hosts_of(part)).collect();
        Powers { hosts, imports }
    }

    /// What the bot wishes for and does not have, and who may approve it. While there is
    /// anything, the version is not deployed and the old one runs. An import that the
    /// component has no use for is nothing to wait for.
    pub fn pending(&self) -> Vec<Pending> {
        let moot = |wish: &Wish| {
            matches!(wish, Wish::Import(it)
            if BASIC.contains(&it.as_str()) || !self.component.contains(it))
        };
        let wishes = self.wishes.into_iter().flat_map(Powers::each).filter(|wish| !moot(wish));
        let pending = wishes.filter_map(|wish| {
            let approver = match (self.grant.cover(&wish), self.policy.allows(&wish)) {
                (true, true) => return None,
                (false, true) => Approver::Tenant,
                (true, false) => Approver::Operator,
                (false, false) => Approver::Both,
            };
            Some(Pending { wish, approver })
        });
        pending.collect()
    }

    /// Imports of the component that its manifest does not wish for although it says what
    /// it wishes for: they are linked so that they deny. Mostly a manifest that was not
    /// kept up to date.
    pub fn unwished(&self) -> Vec<String> {
        let other = |import: &&String| {
            !BASIC.contains(&import.as_str()) && !self.wished(&Wish::Import((*import).clone()))
        };
        self.component.iter().filter(other).cloned().collect()
    }

    fn wished(&self, wish: &Wish) -> bool {
        self.wishes.is_none_or(|wishes| wishes.cover(wish))
    }
}

/// A wish that waits for somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// What is wished for.
    pub wish: Wish,
    /// Who may approve it.
    pub approver: Approver,
}

/// Who may approve a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Approver {
    /// An admin of the tenant, by a grant.
    Tenant,
    /// The operator, by the policy.
    Operator,
    /// The operator first, and then the tenant.
    Both,
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wish = &self.wish;
        match self.approver {
            Approver::Tenant => write!(f, "{wish}: an admin of the tenant may grant it"),
            Approver::Operator => {
                write!(f, "{wish}: granted, but the operator's policy does not allow it")
            }
            Approver::Both => write!(
                f,
                "{wish}: the operator's policy does not allow it; where it does, an admin of \
                 the tenant may grant it"
            ),
        }
    }
}

#[cfg(test)]
mod tests;
