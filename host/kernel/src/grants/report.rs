//! What changes between versions, and what a bot really uses of what it has.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{BASIC, Pattern, Powers, Wish};
use crate::time::Millis;

/// How the wishes of two versions differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// The new one wishes for these, too.
    pub added: Vec<Wish>,
    /// The new one does without these.
    pub removed: Vec<Wish>,
}

/// How the wishes of a new version differ from those of the old one. What an old wish
/// covers already is nothing new.
pub fn diff(old: &Powers, new: &Powers) -> Diff {
    let added = new.each().filter(|wish| !old.cover(wish)).collect();
    let removed = old.each().filter(|wish| !new.cover(wish)).collect();
    Diff { added, removed }
}

/// How often something was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// So many times.
    pub count: u64,
    /// When last.
    pub last_ms: Millis,
}

impl Use {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let count = self.count.saturating_add(other.count);
        Self { count, last_ms: self.last_ms.max(other.last_ms) }
    }
}

/// What a bot has used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Used {
    /// Hosts that it called, each exactly.
    pub hosts: BTreeMap<Pattern, Use>,
    /// Imports.
    pub imports: BTreeMap<String, Use>,
}

/// What a bot has, against what it uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What it has and uses, how often.
    pub used: Vec<(Wish, Use)>,
    /// What it has and never used: it can be taken away.
    pub unused: Vec<Wish>,
    /// What would have been enough: each host by itself instead of all under a name.
    pub enough: Powers,
}

/// What a bot uses of what it is granted. What it tried beyond that is not told here: it
/// was denied.
pub fn used_against_granted(granted: &Powers, used: &Used) -> Report {
    let mut report = Report::default();
    for wish in granted.each() {
        let all = match &wish {
            Wish::Import(import) => used.imports.get(import).copied().unwrap_or_default(),
            Wish::Host(own) => {
                let of = used.hosts.iter().filter(|(host, _)| own.covers(host));
                of.fold(Use::default(), |sum, (_, one)| sum.and(*one))
            }
        };
        match (&wish, all.count) {
            // Every bot has them.
            (Wish::Import(import), 0) if BASIC.contains(&import.as_str()) => {}
            (_, 0) => report.unused.push(wish),
            _ => report.used.push((wish, all)),
        }
    }
    let granted_host = |host: &&Pattern| granted.hosts.iter().any(|own| own.covers(host));
    let hosts: BTreeSet<Pattern> = used.hosts.keys().filter(granted_host).cloned().collect();
    let imports = granted.imports.iter().filter(|import| used.imports.contains_key(*import));
    report.enough = Powers { hosts, imports: imports.cloned().collect() };
    report
}
