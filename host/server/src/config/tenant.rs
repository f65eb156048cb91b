//! What is set of a tenant as a whole, in the settings file or by its own command.

use botyard_kernel::share::TenantRate;
use botyard_kernel::time::{DAY, Millis};

use super::alerts::{self, AlertPlace};
use super::entry::Entry;
use super::error::Wrong;
use super::section::Section;

/// What is set of a tenant as a whole.
#[derive(Clone, Debug, Default)]
pub struct TenantSettings {
    /// Where alerts about its bots and channels go.
    pub alerts: Option<AlertPlace>,
    /// What its bots may use in a second.
    pub rate: TenantRate,
    /// How long its conversations are kept.
    pub retention: Retention,
}

/// How long conversations are kept; absent: until somebody erases them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// A conversation in which nothing has happened for so long is erased.
    pub silent_ms: Option<Millis>,
    /// Turns of a conversation that goes on are taken away when they are so old.
    pub turns_ms: Option<Millis>,
}

impl TenantSettings {
    /// Reads the keys that are a tenant's own, and leaves the others.
    pub(super) fn read(section: &mut Section<'_>) -> Result<Self, Wrong> {
        Ok(Self {
            alerts: alerts::place(section, "alert-url", "alert-secret")?,
            rate: rate(section.section("rate")?)?,
            retention: retention(section.section("retention")?)?,
        })
    }
}

fn rate(mut section: Section<'_>) -> Result<TenantRate, Wrong> {
    let turns = section.optional("turns-per-second");
    let cpu_ms = section.optional("cpu-ms-per-second");
    let rate = TenantRate {
        turns: turns.map(|entry| a_second(entry, "turns")).transpose()?,
        cpu_ms: cpu_ms.map(|entry| a_second(entry, "milliseconds")).transpose()?,
    };
    section.finish()?;
    Ok(rate)
}

fn a_second(entry: Entry<'_>, unit: &str) -> Result<u32, Wrong> {
    let too_many = entry.wrong("is more than a host can do".to_owned());
    u32::try_from(entry.number(1..=1_000_000, unit)?).map_err(|_| too_many)
}

fn retention(mut section: Section<'_>) -> Result<Retention, Wrong> {
    let days = |entry: Entry<'_>| Ok(entry.number(1..=36_500, "days")? * DAY);
    let retention = Retention {
        silent_ms: section.optional("silent-days").map(days).transpose()?,
        turns_ms: section.optional("turns-days").map(days).transpose()?,
    };
    section.finish()?;
    Ok(retention)
}
