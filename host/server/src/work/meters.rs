//! What tenants and their bots use, by the hour. It is counted in memory and added to
//! the notes of the tenant every few seconds: a host that is killed loses those.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use botyard_kernel::id::{BotId, TenantId};
use botyard_kernel::time::{DAY, HOUR, Millis};
use botyard_kernel::usage::{Hours, PEAKS, Usage};
use botyard_store::{Count, StoreError};
use serde_json::Value;

use super::Work;
use crate::clock;

/// The kind of the notes: named by the hour since 1970 and the bot.
pub const USAGE: &str = "usage";
/// How long they are kept.
const KEPT_MS: Millis = 400 * DAY;

const EVERY: Duration = Duration::from_secs(10);

/// What was used and is not written down yet.
#[derive(Debug, Default)]
pub(crate) struct Meters(Mutex<HashMap<(TenantId, BotId), Hours>>);

impl Meters {
    /// A bot of a tenant has used so much.
    pub(crate) fn add(&self, tenant: &TenantId, bot: &BotId, usage: Usage) {
        let key = (tenant.clone(), bot.clone());
        self.all().entry(key).or_default().add(usage, clock::now());
    }

    /// Nothing is known of a tenant any more.
    pub(crate) fn forget(&self, tenant: &TenantId) {
        self.all().retain(|(known, _), _| known != tenant);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<(TenantId, BotId), Hours>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of the note of an hour and a bot.
fn name(at: Millis, bot: &BotId) -> String {
    format!("{:08}.{bot}", at / HOUR)
}

/// The first name that the notes of an hour can have.
pub fn from_hour(at: Millis) -> String {
    format!("{:08}.", at / HOUR)
}

/// When the hour of a note began, and whose it is.
pub fn named(name: &str) -> Option<(Millis, BotId)> {
    let (hour, bot) = name.split_once('.')?;
    Some((hour.parse::<u64>().ok()?.checked_mul(HOUR)?, BotId(bot.to_owned())))
}

impl Work {
    /// A bot of a tenant has used so much.
    pub(crate) fn count(&self, tenant: &TenantId, bot: &BotId, usage: Usage) {
        self.meters.add(tenant, bot, usage);
    }

    /// Writes down what was used, now and from now on.
    pub fn start_metering(self: &Arc<Self>) {
        tokio::spawn(run(Arc::downgrade(self)));
    }

    /// Writes down what was used since the last time.
    pub async fn write_usage(&self) {
        let used = std::mem::take(&mut *self.meters.all());
        for ((tenant, bot), hours) in used {
            if self.is_gone(&tenant) {
                continue;
            }
            for (at, usage) in hours.each() {
                if let Err(error) = self.write(&tenant, &bot, at, usage).await {
                    tracing::warn!(%tenant, %bot, %error, "what was used is not written down yet");
                    let mut all = self.meters.all();
                    all.entry((tenant.clone(), bot.clone())).or_default().add(usage, at);
                }
            }
        }
    }

    async fn write(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        at: Millis,
        usage: Usage,
    ) -> Result<(), StoreError> {
        let fields = serde_json::to_value(usage).ok();
        let fields = fields.as_ref().and_then(Value::as_object).into_iter().flatten();
        let fields = fields.filter_map(|(name, count)| {
            let count = count.as_i64()?;
            let is_peak = PEAKS.contains(&name.as_str());
            Some((name.as_str(), if is_peak { Count::Peak(count) } else { Count::More(count) }))
        });
        let fields: Vec<(&str, Count)> = fields.collect();
        if !fields.is_empty() {
            let (store, ends) = (self.store.tenant(tenant), at.saturating_add(KEPT_MS));
            store.note_add(USAGE, &name(at, bot), &fields, Some(ends), clock::now()).await?;
        }
        Ok(())
    }
}

async fn run(work: Weak<Work>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(work) = work.upgrade() else { return };
        work.write_usage().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_in_the_order_of_their_hours() {
        let bot = BotId::from("orders.v2");
        let (early, late) = (name(9 * HOUR + 5, &bot), name(100_000 * HOUR, &bot));
        assert!(early < late && from_hour(9 * HOUR) < early && early < from_hour(10 * HOUR));
        assert_eq!(named(&early), Some((9 * HOUR, bot)));
        assert_eq!(named("none"), None);
        assert_eq!(named("x.bot"), None);
    }
}
