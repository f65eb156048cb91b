//! What a version may do with a bot: what it imports, and wishes for, and its tenant
//! grants, and the operator's policy allows.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use botyard_kernel::grants::{Approver, HTTP, Pending, Policy, Powers, Refusal, Sides, Wish};
use botyard_runtime::Version;

use crate::send::HostPattern;

/// What the operator says of all bots.
pub struct Operator {
    /// Hosts that every bot is granted.
    everywhere: BTreeSet<HostPattern>,
    /// The policy of the settings file.
    settings: Policy,
    /// What holds: that of the settings, narrowed by what was set since.
    policy: RwLock<Arc<Policy>>,
}

impl Operator {
    /// What the settings say.
    pub fn new(everywhere: impl IntoIterator<Item = HostPattern>, settings: Policy) -> Self {
        let policy = RwLock::new(Arc::new(settings.clone()));
        Self { everywhere: everywhere.into_iter().collect(), settings, policy }
    }

    /// The policy that holds.
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on this narrows the policy of the settings.
    pub fn narrow(&self, by: &Policy) {
        let policy = Arc::new(self.settings.and(by));
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = policy;
    }

    /// What a bot is granted that may call these hosts. Whoever may call any has the import
    /// that does so.
    pub fn grant(&self, hosts: &[HostPattern]) -> Powers {
        let hosts: BTreeSet<_> = hosts.iter().chain(&self.everywhere).cloned().collect();
        if hosts.is_empty() {
            return Powers::default();
        }
        Powers::with_hosts(hosts, BTreeSet::new())
    }
}

/// What a version asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// Powers that it imports.
    pub component: BTreeSet<String>,
    /// What its manifest wishes for; absent where that names no host.
    pub wishes: Option<Powers>,
}

impl Asks {
    /// Out of the hosts of a manifest, and the imports of its component.
    pub fn new<'a>(hosts: impl IntoIterator<Item = &'a str>, imports: &[String]) -> Self {
        // WASI is there for everybody, and denies.
        let power = |name: &&String| !name.starts_with("wasi:");
        let component = imports.iter().filter(power).cloned().collect();
        let mut hosts = hosts.into_iter().peekable();
        let says = hosts.peek().is_some();
        // An upload with another one is refused; nobody can grant what is no host.
        let hosts = hosts.filter_map(|host| HostPattern::read(host).ok()).collect();
        let wishes = says.then(|| Powers::with_hosts(hosts, BTreeSet::new()));
        Self { component, wishes }
    }

    /// What a loaded version asks for.
    pub fn of(version: &Version) -> Self {
        let hosts = version.manifest().map(|manifest| manifest.hosts.as_slice());
        Self::new(hosts.unwrap_or_default().iter().map(String::as_str), version.imports())
    }

    /// With what it is granted and what the operator allows.
    pub fn sides<'a>(&'a self, grant: &'a Powers, policy: &'a Policy) -> Sides<'a> {
        Sides { component: &self.component, wishes: self.wishes.as_ref(), grant, policy }
    }

    /// All that it wants, to compare with what another version wants.
    pub fn wants(&self) -> Powers {
        let hosts = self.wishes.as_ref().map(|wishes| wishes.hosts.clone());
        Powers { hosts: hosts.unwrap_or_default(), imports: self.component.clone() }
    }
}

/// What a version may do with a bot.
#[derive(Debug)]
pub struct Powered {
    asks: Asks,
    grant: Powers,
    /// The policy under which that is so.
    pub policy: Arc<Policy>,
    /// Where its calls may go.
    pub hosts: Vec<HostPattern>,
    /// Whether it wishes for something that the tenant could grant and has not.
    pub lacks_grant: bool,
    calls: Option<Refusal>,
}

impl Powered {
    /// Decides it.
    pub fn new(asks: Asks, grant: Powers, policy: Arc<Policy>) -> Self {
        let sides = asks.sides(&grant, &policy);
        let hosts = sides.effective().hosts.into_iter().collect();
        let by_tenant = |pending: &Pending| pending.approver != Approver::Operator;
        let lacks_grant = sides.pending().iter().any(by_tenant);
        let calls = sides.refusal(&Wish::Import(HTTP.to_owned()));
        Self { asks, grant, policy, hosts, lacks_grant, calls }
    }

    /// Why it does not have the import `http`; absent where it has, or has no use for it.
    pub fn without_http(&self) -> Option<Refusal> {
        self.calls.filter(|_| self.asks.component.contains(HTTP))
    }

    /// Why it may not call a host; absent where it may.
    pub fn refusal(&self, host: &HostPattern) -> Option<Refusal> {
        if self.hosts.iter().any(|own| own.covers(host)) {
            return None;
        }
        self.asks.sides(&self.grant, &self.policy).refusal(&Wish::Host(host.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> HostPattern {
        HostPattern::read(text).unwrap()
    }

    fn imports(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_manifest_that_names_no_host_wishes_for_nothing_in_particular() {
        let asks = Asks::new([], &imports(&["http", "kv", "wasi:http"]));
        assert_eq!(asks.wishes, None);
        assert_eq!(asks.component, BTreeSet::from(["http".to_owned(), "kv".to_owned()]));
        // One that names nonsense wishes for nothing, which is not the same.
        let nonsense = Asks::new(["*"], &[]).wishes.unwrap();
        assert!(nonsense.hosts.is_empty());
        let asks = Asks::new(["SHOP.example"], &[]).wishes.unwrap();
        assert_eq!(asks.hosts, BTreeSet::from([host("shop.example")]));
    }

    #[test]
    fn whoever_may_call_a_host_has_the_import() {
        let operator = Operator::new([], Policy::default());
        assert!(!operator.grant(&[]).imports.contains(HTTP));
        assert!(operator.grant(&[host("a.test")]).imports.contains(HTTP));
        let open = Operator::new([host("b.test")], Policy::default());
        assert!(open.grant(&[]).imports.contains(HTTP));
    }

    #[test]
    fn the_policy_of_the_settings_is_only_narrowed() {
        let policy = |host: &str| Policy {
            hosts: Some(BTreeSet::from([self::host(host)])),
            ..Policy::default()
        };
        let operator = Operator::new([], policy("*.a.test"));
        operator.narrow(&policy("b.test"));
        assert_eq!(operator.policy().hosts, Some(BTreeSet::new()));
        operator.narrow(&policy("x.a.test"));
        assert_eq!(*operator.policy(), policy("x.a.test"));
        operator.narrow(&Policy::default());
        assert_eq!(*operator.policy(), policy("*.a.test"));
    }

    #[test]
    fn what_the_tenant_has_still_to_grant_is_lacking_whatever_the_operator_allows() {
        let lacks = |granted: &[HostPattern], forbidden: Option<HostPattern>| {
            let policy =
                Policy { forbidden_hosts: forbidden.into_iter().collect(), ..Policy::default() };
            let operator = Operator::new([], policy);
            let asks = Asks::new(["a.test"], &imports(&["http"]));
            Powered::new(asks, operator.grant(granted), operator.policy()).lacks_grant
        };
        assert!(lacks(&[], None));
        assert!(lacks(&[], Some(host("a.test"))), "both have to");
        assert!(!lacks(&[host("a.test")], Some(host("a.test"))), "only the operator has to");
        assert!(!lacks(&[host("a.test")], None));
    }

    #[test]
    fn a_version_without_the_import_is_told_why_only_if_it_has_a_use_for_it() {
        let operator = Operator::new([], Policy::default());
        let powered = |names: &[&str], hosts: &[HostPattern]| {
            Powered::new(Asks::new([], &imports(names)), operator.grant(hosts), operator.policy())
        };
        assert_eq!(powered(&["http"], &[]).without_http(), Some(Refusal::Ungranted));
        assert_eq!(powered(&["kv"], &[]).without_http(), None);
        let may = powered(&["http"], &[host("a.test")]);
        assert_eq!(may.without_http(), None);
        assert_eq!(may.refusal(&host("a.test")), None);
        assert_eq!(may.refusal(&host("b.test")), Some(Refusal::Ungranted));
    }
}
