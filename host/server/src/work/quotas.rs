//! What tenants use against what they may: events at the door, calls on their way out,
//! bytes of logs, room in the store. What is too much is the kernel's to say.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use botyard_kernel::id::TenantId;
use botyard_kernel::limits::{Exceeded, Limit, Limits, Values};
use botyard_kernel::quota::{Bounds, Meter};
use botyard_kernel::share::TenantRate;
use botyard_kernel::time::{HOUR, MINUTE, Millis, SECOND};

use super::Work;

/// Who has no storage left comes again when it is weighed anew, and need not come before.
const FULL_RETRY_AFTER_S: u64 = 60;

/// The quotas of all tenants.
#[derive(Debug)]
pub(crate) struct Quotas {
    /// What the settings of the host say.
    host: Values,
    tenants: Mutex<HashMap<TenantId, Tenant>>,
}

#[derive(Debug, Default)]
struct Tenant {
    limits: Arc<Limits>,
    rate: TenantRate,
    events: Meter,
    calls: Meter,
    trials: Meter,
    log: Meter,
    /// What it keeps (bytes), as it was last weighed, and what was accepted since.
    stored: u64,
    /// Its logs are cut, and it was told so.
    log_is_cut: bool,
    /// Its calls are held back, and it was told so.
    calls_are_held: bool,
}

impl Quotas {
    /// Nobody has used anything yet.
    pub(crate) fn new(host: Values) -> Self {
        Self { host, tenants: Mutex::default() }
    }

    /// The limits of a tenant of which nothing is set.
    pub(crate) fn of_host(&self) -> Limits {
        Limits { host: self.host.clone(), ..Limits::default() }
    }

    /// Sets the limits of a tenant, of which its settings may lower some by a rate.
    /// Answers what holds then.
    pub(crate) fn set(&self, tenant: &TenantId, limits: &Limits, rate: TenantRate) -> Arc<Limits> {
        let mut tenants = self.tenants();
        let entry = tenants.entry(tenant.clone()).or_default();
        entry.rate = rate;
        entry.limits = Arc::new(self.effective(limits, rate));
        Arc::clone(&entry.limits)
    }

    /// As [`Quotas::set`], with the rate as it is.
    pub(crate) fn set_limits(&self, tenant: &TenantId, limits: &Limits) -> Arc<Limits> {
        let rate = self.tenants().entry(tenant.clone()).or_default().rate;
        self.set(tenant, limits, rate)
    }

    /// The limits that hold for a tenant.
    pub(crate) fn limits(&self, tenant: &TenantId) -> Arc<Limits> {
        let known = self.tenants().get(tenant).map(|entry| Arc::clone(&entry.limits));
        known.unwrap_or_else(|| Arc::new(self.of_host()))
    }

    /// Nothing more is known of a tenant.
    pub(crate) fn forget(&self, tenant: &TenantId) {
        self.tenants().remove(tenant);
    }

    /// Takes in so many events of so many bytes.
    ///
    /// # Errors
    /// Which limit, and when to come again.
    pub(crate) fn events(
        &self,
        tenant: &TenantId,
        (count, bytes): (u64, u64),
        now: Millis,
    ) -> Result<(), Exceeded> {
        self.with(tenant, |entry| {
            let limits = Arc::clone(&entry.limits);
            let more = (entry.stored, bytes);
            limits.check(Limit::StorageBytes, more, Some(FULL_RETRY_AFTER_S))?;
            entry.events.within(&limits, (Limit::EventsPerSecond, SECOND), count, now)?;
            entry.stored = entry.stored.saturating_add(bytes);
            Ok(())
        })
    }

    /// Lets a call of a bot out.
    ///
    /// # Errors
    /// Which limit, and when to come again.
    pub(crate) fn call(&self, tenant: &TenantId, now: Millis) -> Result<(), Exceeded> {
        self.with(tenant, |entry| {
            let limits = Arc::clone(&entry.limits);
            let taken = entry.calls.within(&limits, (Limit::CallsPerMinute, MINUTE), 1, now);
            let told = std::mem::replace(&mut entry.calls_are_held, taken.is_err());
            if let Err(exceeded) = &taken
                && !told
            {
                tracing::warn!(%tenant, %exceeded, "calls of bots are held back");
            }
            taken
        })
    }

    /// Lets a turn of a trial begin: none takes less than a millisecond.
    ///
    /// # Errors
    /// Which limit, and when to come again.
    pub(crate) fn trial(&self, tenant: &TenantId, now: Millis) -> Result<(), Exceeded> {
        self.with(tenant, |entry| {
            let limits = Arc::clone(&entry.limits);
            entry.trials.within(&limits, (Limit::TrialCpuMsPerMinute, MINUTE), 1, now)
        })
    }

    /// A turn of a trial that was let begin has taken so much CPU time, in microseconds.
    pub(crate) fn tried(&self, tenant: &TenantId, cpu_us: u64, now: Millis) {
        self.with(tenant, |entry| {
            if let Some(rate) = entry.limits.value(Limit::TrialCpuMsPerMinute) {
                let rest_ms = cpu_us.div_ceil(1_000).saturating_sub(1);
                entry.trials.charge(rest_ms, (rate, MINUTE), now);
            }
        });
    }

    /// Takes so many bytes of a bot's log.
    ///
    /// # Errors
    /// They are not kept. Which limit, where the tenant was not told so yet.
    pub(crate) fn log(
        &self,
        tenant: &TenantId,
        bytes: u64,
        now: Millis,
    ) -> Result<(), Option<Exceeded>> {
        self.with(tenant, |entry| {
            let limits = Arc::clone(&entry.limits);
            let taken = entry.log.within(&limits, (Limit::LogBytesPerHour, HOUR), bytes, now);
            let told = std::mem::replace(&mut entry.log_is_cut, taken.is_err());
            taken.map_err(|exceeded| (!told).then_some(exceeded))
        })
    }

    /// Whether there is room for so many bytes more.
    ///
    /// # Errors
    /// There is not.
    pub(crate) fn room(&self, tenant: &TenantId, bytes: u64) -> Result<(), Exceeded> {
        self.with(tenant, |entry| {
            entry.limits.check(Limit::StorageBytes, (entry.stored, bytes), None)
        })
    }

    /// What a tenant keeps was weighed.
    pub(crate) fn weighed(&self, tenant: &TenantId, bytes: u64) {
        self.with(tenant, |entry| entry.stored = bytes);
    }

    fn effective(&self, limits: &Limits, rate: TenantRate) -> Limits {
        let mut limits = Limits { host: self.host.clone(), ..limits.clone() };
        let rates = [(Limit::TurnsPerSecond, rate.turns), (Limit::CpuMsPerSecond, rate.cpu_ms)];
        for (limit, most) in rates {
            if let Some(most) = most.map(u64::from) {
                let own = limits.own.entry(limit).or_insert(most);
                *own = most.min(*own);
            }
        }
        limits
    }

    fn with<T>(&self, tenant: &TenantId, act: impl FnOnce(&mut Tenant) -> T) -> T {
        let mut tenants = self.tenants();
        if let Some(entry) = tenants.get_mut(tenant) {
            return act(entry);
        }
        let limits = Arc::new(self.of_host());
        act(tenants.entry(tenant.clone()).or_insert_with(|| Tenant { limits, ..Tenant::default() }))
    }

    fn tenants(&self) -> MutexGuard<'_, HashMap<TenantId, Tenant>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    /// How many calls of a tenant are open, against its limit.
    pub(crate) fn open_calls(&self, tenant: &TenantId) -> u64 {
        self.open_calls.open(tenant)
    }

    /// The limits of a tenant hold from now on; its settings may lower some by a rate.
    pub(crate) fn set_limits(&self, tenant: &TenantId, limits: &Limits, rate: Option<TenantRate>) {
        let holds = match rate {
            Some(rate) => self.quotas.set(tenant, limits, rate),
            None => self.quotas.set_limits(tenant, limits),
        };
        self.backlog.set_bounds(tenant, bounds(&holds));
        self.runtime.set_rate(tenant, self::rate(&holds));
        let at_once = holds.value(Limit::TurnsAtOnce);
        let at_once = at_once.map(|most| usize::try_from(most).unwrap_or(usize::MAX));
        self.runtime.set_turns(tenant, at_once, holds.of_turns());
        self.open_calls.set(tenant, &holds);
    }
}

/// How much unfinished work of a tenant is taken.
fn bounds(limits: &Limits) -> Bounds {
    let most = |limit| {
        let most = limits.value(limit).unwrap_or(u64::MAX);
        usize::try_from(most).unwrap_or(usize::MAX)
    };
    Bounds {
        requests: most(Limit::BacklogRequests),
        events: most(Limit::BacklogEvents),
        bytes: most(Limit::BacklogBytes),
    }
}

/// What the bots of a tenant may use in a second.
fn rate(limits: &Limits) -> TenantRate {
    let most = |limit| {
        let most = limits.value(limit)?;
        Some(u32::try_from(most).unwrap_or(u32::MAX))
    };
    TenantRate { turns: most(Limit::TurnsPerSecond), cpu_ms: most(Limit::CpuMsPerSecond) }
}

#[cfg(test)]
mod tests {
    use botyard_kernel::access::Scope;

    use super::*;

    const NOW: Millis = 1_000_000 * SECOND;

    fn acme() -> TenantId {
        TenantId::from("acme")
    }

    fn quotas(limits: &[(Limit, u64)]) -> Quotas {
        let quotas = Quotas::new(Values::new());
        let tenant = limits.iter().copied().collect();
        let limits = Limits { tenant, ..Limits::default() };
        quotas.set(&acme(), &limits, TenantRate::default());
        quotas
    }

    #[test]
    fn events_are_bounded_by_the_second_and_other_tenants_are_not() {
        let quotas = quotas(&[(Limit::EventsPerSecond, 2), (Limit::StorageBytes, 1_000)]);
        let come = |now| quotas.events(&acme(), (1, 10), now);
        assert_eq!((come(NOW), come(NOW)), (Ok(()), Ok(())));
        let refused = come(NOW).unwrap_err();
        assert_eq!((refused.limit, refused.retry_after_s), (Limit::EventsPerSecond, Some(1)));
        assert_eq!(quotas.events(&"other".into(), (1_000, 10), NOW), Ok(()));
        assert_eq!(come(NOW + SECOND), Ok(()));
        let full = quotas.room(&acme(), 1_000).unwrap_err();
        assert_eq!(full.used, 30, "what is refused takes no room");
    }

    #[test]
    fn a_full_store_takes_nothing_until_it_is_weighed_again() {
        let quotas = quotas(&[(Limit::StorageBytes, 100)]);
        quotas.weighed(&acme(), 90);
        assert_eq!(quotas.events(&acme(), (1, 10), NOW), Ok(()));
        let refused = quotas.events(&acme(), (1, 1), NOW).unwrap_err();
        let expected = (Limit::StorageBytes, 100, 100, 101, Some(FULL_RETRY_AFTER_S));
        let Exceeded { limit, most, used, wanted, retry_after_s } = refused;
        assert_eq!((limit, most, used, wanted, retry_after_s), expected);
        assert_eq!(quotas.room(&acme(), 1).unwrap_err().retry_after_s, None);
        quotas.weighed(&acme(), 50);
        assert_eq!(quotas.room(&acme(), 50), Ok(()));
        assert_eq!(quotas.events(&acme(), (1, 50), NOW), Ok(()));
        assert!(quotas.room(&acme(), 1).is_err(), "what was accepted since counts");
        assert_eq!(quotas.room(&"other".into(), 1), Ok(()));
    }

    #[test]
    fn a_tenant_is_told_once_that_its_logs_are_cut() {
        let quotas = quotas(&[(Limit::LogBytesPerHour, 100)]);
        assert_eq!(quotas.log(&acme(), 100, NOW), Ok(()));
        assert!(quotas.log(&acme(), 1, NOW).unwrap_err().is_some());
        assert!(quotas.log(&acme(), 1, NOW).unwrap_err().is_none());
        assert_eq!(quotas.log(&acme(), 50, NOW + HOUR / 2), Ok(()));
        assert!(quotas.log(&acme(), 99, NOW + HOUR / 2).unwrap_err().is_some(), "and once more");
    }

    #[test]
    fn trials_are_bounded_by_what_they_took() {
        let quotas = quotas(&[(Limit::TrialCpuMsPerMinute, 1_000)]);
        let begins = |now| quotas.trial(&acme(), now);
        assert_eq!(begins(NOW), Ok(()));
        quotas.tried(&acme(), 1, NOW);
        assert_eq!(begins(NOW), Ok(()), "the first one took little");
        quotas.tried(&acme(), 1_199_000, NOW);
        let refused = begins(NOW).unwrap_err();
        assert_eq!((refused.limit, refused.used), (Limit::TrialCpuMsPerMinute, 1_200));
        assert_eq!(refused.retry_after_s, Some(13));
        assert_eq!(begins(NOW + 13 * SECOND), Ok(()));
        assert_eq!(quotas.trial(&"other".into(), NOW), Ok(()));
    }

    #[test]
    fn calls_are_bounded_by_the_minute() {
        let quotas = quotas(&[(Limit::CallsPerMinute, 1)]);
        assert_eq!(quotas.call(&acme(), NOW), Ok(()));
        assert_eq!(quotas.call(&acme(), NOW).unwrap_err().retry_after_s, Some(60));
    }

    #[test]
    fn what_is_set_later_holds_with_the_rate_of_the_settings() {
        let quotas = Quotas::new(Values::from([(Limit::BacklogEvents, 7)]));
        let of_settings = TenantRate { turns: Some(5), cpu_ms: None };
        let holds = quotas.set(&acme(), &Limits::default(), of_settings);
        assert_eq!(rate(&holds), of_settings);
        assert_eq!(bounds(&holds).events, 7);
        let mut limits = Limits::default();
        limits.set(Limit::TurnsPerSecond, Some(9), Scope::Operator).unwrap();
        limits.set(Limit::CpuMsPerSecond, Some(300), Scope::Operator).unwrap();
        let holds = quotas.set_limits(&acme(), &limits);
        assert_eq!(rate(&holds), TenantRate { turns: Some(5), cpu_ms: Some(300) });
        quotas.forget(&acme());
        assert_eq!(rate(&quotas.limits(&acme())), TenantRate::default());
    }
}
