//! What protects the host from its bots.

use botyard_runtime::SafetyFeature;

use super::App;

impl App {
    /// What protects this host from its bots, and whether it is really active.
    pub fn safety(&self) -> Vec<SafetyFeature> {
        let mut all = self.runtime.safety();
        all.push(SafetyFeature {
            name: "durable_commits",
            active: self.store.is_healthy(),
            detail: "SQLite with a write-ahead log, synchronous=FULL".to_owned(),
        });
        let loopback = self.config.egress.allow_loopback;
        let detail = if loopback {
            "calls to this machine are allowed: bots may reach what listens here"
        } else {
            "only https to public addresses of hosts on a list"
        };
        let (name, detail) = ("egress_public_only", detail.to_owned());
        all.push(SafetyFeature { name, active: !loopback, detail });
        all
    }
}
