//! How much unfinished work there is, of each tenant and in all. What is too much
//! is the kernel's to say; here it is counted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use botyard_kernel::id::{ConversationKey, TenantId};
use botyard_kernel::quota::{self, Account, Bounds, Drain, Load, Refusal};

use crate::clock;

/// What every event takes besides its text.
const EVENT_BYTES: usize = 512;

/// The unfinished work of a host. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Backlog(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    tenant_bounds: Bounds,
    host: Entry,
    host_bounds: Bounds,
    tenants: HashMap<TenantId, Entry>,
    /// How many events wait in conversations that nothing but the end of a pause goes
    /// on with: no lane counts them.
    resting: HashMap<ConversationKey, usize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    load: Load,
    drain: Drain,
    /// Absent where the bounds of all tenants hold.
    bounds: Option<Bounds>,
}

/// A request that is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Admitted {
    part: Part,
}

/// What a conversation has waiting, counted until this is dropped.
#[derive(Debug)]
pub(super) struct Waits(Part);

#[derive(Debug)]
struct Part {
    backlog: Backlog,
    tenant: TenantId,
    load: Load,
}

impl Backlog {
    /// Nothing is unfinished yet.
    pub(crate) fn new(tenant_bounds: Bounds, host_bounds: Bounds) -> Self {
        let (host, tenants) = (Entry::default(), HashMap::new());
        let resting = HashMap::new();
        Self(Arc::new(Mutex::new(State { tenant_bounds, host, host_bounds, tenants, resting })))
    }

    /// Takes a request whose body has so many bytes, or says when to come again.
    pub(crate) fn admit(&self, tenant: &TenantId, bytes: usize) -> Result<Admitted, Refusal> {
        let load = Load { requests: 1, events: 0, bytes };
        let mut state = self.state();
        state.admit(tenant, bytes)?;
        state.change(tenant, Load::default(), load);
        drop(state);
        let (backlog, tenant) = (self.clone(), tenant.clone());
        Ok(Admitted { part: Part { backlog, tenant, load } })
    }

    /// From now on a tenant has these bounds.
    pub(crate) fn set_bounds(&self, tenant: &TenantId, bounds: Bounds) {
        self.state().tenants.entry(tenant.clone()).or_default().bounds = Some(bounds);
    }

    /// What is unfinished of a tenant.
    pub(crate) fn of(&self, tenant: &TenantId) -> Load {
        self.state().tenants.get(tenant).map_or_else(Load::default, |entry| entry.load)
    }

    /// What a conversation of a tenant has waiting: nothing so far.
    pub(super) fn waits(&self, tenant: &TenantId) -> Waits {
        let (backlog, tenant) = (self.clone(), tenant.clone());
        Waits(Part { backlog, tenant, load: Load::default() })
    }

    /// So many events of a conversation go on waiting without a lane.
    pub(super) fn rest(&self, key: &ConversationKey, events: usize) {
        self.state().rest(key, events);
    }

    /// A lane counts them again.
    pub(super) fn wake(&self, key: &ConversationKey) {
        self.state().rest(key, 0);
    }

    /// Nothing of a tenant rests any more, and it has no bounds of its own.
    pub(super) fn forget(&self, tenant: &TenantId) {
        let mut state = self.state();
        let own = state.resting.keys().filter(|key| key.tenant == *tenant);
        let own: Vec<_> = own.cloned().collect();
        own.iter().for_each(|key| state.rest(key, 0));
        // What is counted by somebody else ends with them.
        if let Some(entry) = state.tenants.get_mut(tenant) {
            entry.bounds = None;
        }
    }

    /// Everything that is unfinished.
    pub(crate) fn total(&self) -> Load {
        self.state().host.load
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn admit(&mut self, tenant: &TenantId, bytes: usize) -> Result<(), Refusal> {
        let mut known = self.tenants.get(tenant).copied().unwrap_or_default();
        let account = |entry: &mut Entry, bounds| Account {
            load: entry.load,
            bounds,
            drained_per_second: entry.drain.per_second(clock::now()),
        };
        let host = account(&mut self.host, self.host_bounds);
        let bounds = known.bounds.unwrap_or(self.tenant_bounds);
        quota::admit(&account(&mut known, bounds), &host, bytes)
    }

    fn rest(&mut self, key: &ConversationKey, events: usize) {
        let before = if events == 0 {
            self.resting.remove(key)
        } else {
            self.resting.insert(key.clone(), events)
        };
        let load = |events| Load { requests: 0, events, bytes: 0 };
        self.change(&key.tenant, load(before.unwrap_or(0)), load(events));
    }

    fn change(&mut self, tenant: &TenantId, before: Load, after: Load) {
        let entry = self.tenants.entry(tenant.clone()).or_default();
        for load in [&mut entry.load, &mut self.host.load] {
            load.requests = load.requests + after.requests - before.requests;
            load.events = load.events + after.events - before.events;
            load.bytes = load.bytes + after.bytes - before.bytes;
        }
    }
}

impl Admitted {
    /// The request turned out to have a body of so many bytes, from somebody who may
    /// send it: what strangers only announce takes nobody's room.
    pub(crate) fn weigh(&mut self, bytes: usize) {
        let load = Load { bytes, ..self.part.load };
        self.part.backlog.state().change(&self.part.tenant, self.part.load, load);
        self.part.load = load;
    }
}

impl Waits {
    /// So many events wait now, and those of them that are in memory take so many
    /// bytes, about.
    pub(super) fn set(&mut self, events: usize, bytes: usize) {
        let load = Load { requests: 0, events, bytes };
        if load != self.0.load {
            self.0.backlog.state().change(&self.0.tenant, self.0.load, load);
            self.0.load = load;
        }
    }

    /// An event had its turn.
    pub(super) fn turned(&self) {
        let (mut state, now) = (self.0.backlog.state(), clock::now());
        state.host.drain.note(now);
        if let Some(tenant) = state.tenants.get_mut(&self.0.tenant) {
            tenant.drain.note(now);
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.backlog.state().change(&self.tenant, self.load, Load::default());
    }
}

/// What the events of a conversation take in memory, by those that came of late.
#[derive(Debug, Default)]
pub(super) struct Weight {
    events: usize,
    bytes: usize,
}

impl Weight {
    /// An event came, of which the vendor's own form has so many bytes.
    pub(super) fn note(&mut self, raw_bytes: usize) {
        self.events += 1;
        // The typed form says the same again.
        self.bytes += 2 * raw_bytes + EVENT_BYTES;
    }

    /// So many events, by the average.
    pub(super) fn of(&self, events: usize) -> usize {
        self.bytes.saturating_mul(events).checked_div(self.events).unwrap_or(events * EVENT_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use botyard_kernel::quota::Whose;

    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::from(name)
    }

    #[test]
    fn what_a_pause_keeps_waiting_is_counted_without_a_lane() {
        let bounds = Bounds { requests: 10, events: 100, bytes: 10_000 };
        let backlog = Backlog::new(bounds, bounds);
        let key = ConversationKey {
            tenant: tenant("acme"),
            channel: "chat".into(),
            vendor_key: "1".to_owned(),
        };
        let mut waits = backlog.waits(&key.tenant);
        waits.set(7, 4_000);
        backlog.rest(&key, 7);
        drop(waits);
        assert_eq!(backlog.total(), Load { requests: 0, events: 7, bytes: 0 });
        backlog.rest(&key, 9);
        assert_eq!(backlog.total().events, 9);
        backlog.wake(&key);
        backlog.wake(&key);
        assert_eq!(backlog.total(), Load::default());
    }

    #[test]
    fn nothing_of_a_tenant_that_is_gone_counts() {
        let bounds = |requests| Bounds { requests, events: 100, bytes: 10_000 };
        let backlog = Backlog::new(bounds(9), bounds(9));
        let key = |name: &str, vendor_key: &str| ConversationKey {
            tenant: tenant(name),
            channel: "chat".into(),
            vendor_key: vendor_key.to_owned(),
        };
        backlog.rest(&key("acme", "1"), 7);
        backlog.rest(&key("acme", "2"), 5);
        backlog.rest(&key("other", "1"), 3);
        backlog.set_bounds(&tenant("acme"), bounds(1));
        let late = backlog.admit(&tenant("acme"), 10).unwrap();
        backlog.forget(&tenant("acme"));
        assert_eq!(backlog.total(), Load { requests: 1, events: 3, bytes: 10 });
        let again = backlog.admit(&tenant("acme"), 10);
        assert!(again.is_ok(), "a later tenant of its name has the bounds of all");
        drop((late, again));
        assert_eq!(backlog.of(&tenant("acme")), Load::default());
        assert_eq!(backlog.total().events, 3);
    }

    #[test]
    fn what_ends_leaves_room() {
        let bounds = |requests| Bounds { requests, events: 100, bytes: 10_000 };
        let backlog = Backlog::new(bounds(2), bounds(3));
        let a = backlog.admit(&tenant("a"), 10).unwrap();
        let _other = backlog.admit(&tenant("a"), 10).unwrap();
        let whose = |name| backlog.admit(&tenant(name), 10).map_err(|refusal| refusal.whose);
        assert_eq!(whose("a").unwrap_err(), Whose::Tenant);
        let _b = backlog.admit(&tenant("b"), 10).unwrap();
        assert_eq!(whose("b").unwrap_err(), Whose::Host);
        assert_eq!(backlog.total(), Load { requests: 3, events: 0, bytes: 30 });
        drop(a);
        assert!(whose("b").is_ok());
    }

    #[test]
    fn a_tenant_may_have_bounds_of_its_own() {
        let bounds = |requests| Bounds { requests, events: 100, bytes: 10_000 };
        let backlog = Backlog::new(bounds(1), bounds(10));
        backlog.set_bounds(&tenant("a"), bounds(2));
        let _first = backlog.admit(&tenant("a"), 10).unwrap();
        let _second = backlog.admit(&tenant("a"), 10).unwrap();
        assert!(backlog.admit(&tenant("a"), 10).is_err());
        let _of_another = backlog.admit(&tenant("b"), 10).unwrap();
        assert!(backlog.admit(&tenant("b"), 10).is_err());
        assert_eq!((backlog.of(&tenant("a")).requests, backlog.of(&tenant("c")).requests), (2, 0));
    }

    #[test]
    fn events_count_until_their_conversation_has_none_left() {
        let bounds = Bounds { requests: 10, events: 5, bytes: 10_000 };
        let backlog = Backlog::new(bounds, bounds);
        let mut one = backlog.waits(&tenant("a"));
        let mut other = backlog.waits(&tenant("a"));
        one.set(3, 100);
        other.set(2, 100);
        assert_eq!(backlog.admit(&tenant("a"), 1).unwrap_err().what, "events");
        one.set(2, 100);
        assert!(backlog.admit(&tenant("a"), 1).is_ok());
        drop((one, other));
        assert_eq!(backlog.total(), Load::default());
    }
}
