//! Tenants of the settings file: their records say what runs, without secrets, and each
//! change leaves its row in the audit.

use std::collections::BTreeMap;

use botyard_kernel::deployment::Deployment;
use botyard_kernel::id::{BotId, Digest, TenantId};
use botyard_runtime::Version;
use botyard_store::{Stamp, StoreError, TenantStore};
use serde_json::{Value, json};

use super::records::{
    BotRecord, ChannelRecord, Managed, OPERATOR, SELF, TenantRecord, VersionRecord, kind,
    version_name,
};
use super::{DefinedBot, Definition, Tenancy, Unfit};
use crate::clock;
use crate::registry::Asks;

/// A bot of the settings file, with the component that was found there.
pub struct SettingsBot {
    /// Where it lies.
    pub component: String,
    /// What it is.
    pub version: Version,
}

const ACTOR: &str = "settings";

impl Tenancy {
    /// Records and runs a tenant as the settings file has it. What did not change leaves
    /// no trace.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn put_from_settings(
        &self,
        tenant: &TenantId,
        definition: &Definition,
        bots: &BTreeMap<BotId, SettingsBot>,
    ) -> Result<Vec<Unfit>, StoreError> {
        let _turn = self.change(tenant).await;
        let store = self.store(tenant);
        let limits = match keep_tenant(&store, self.left_before(tenant).await?).await? {
            Ok(record) => record.limits,
            Err(unfit) => return Ok(vec![unfit]),
        };
        let mut records = Vec::new();
        for (name, bot) in bots {
            let defined = definition.bots.get(name);
            let hosts = defined.map(|bot| bot.settings.hosts.iter().map(ToString::to_string));
            let hosts: Vec<_> = hosts.into_iter().flatten().collect();
            let settings = json!({"component": bot.component, "hosts": hosts});
            let record = BotRecord { shared: None, offered: false, settings };
            records.push((name.to_string(), json!(record)));
        }
        keep(&store, kind::BOT, records).await?;
        for (name, bot) in bots {
            self.answer(&store, name, &bot.version).await?;
            if let Some(bot) = definition.bots.get(name).map(|own| (own, &bot.version)) {
                self.tell_pending(tenant, name, bot);
                self.tell_misfit(tenant, name, bot);
            }
        }
        let channels = definition.channels.iter().map(|(name, channel)| {
            let settings = json!({"vendor": channel.vendor, "bot": channel.bot});
            (name.to_string(), json!(ChannelRecord { settings }))
        });
        keep(&store, kind::CHANNEL, channels.collect()).await?;
        let bots = definition.bots.values();
        self.work.redactors().set(tenant, bots.flat_map(|bot| &bot.settings.secrets));
        Ok(self.run(tenant, definition, &limits))
    }

    /// Whoever writes the settings has granted what they name, so nothing waits: the bot
    /// runs with that, and the log says what else it wishes for.
    fn tell_pending(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        (defined, version): (&DefinedBot, &Version),
    ) {
        let operator = self.work.registry().operator();
        let (grant, policy) = (operator.grant(&defined.settings.hosts), operator.policy());
        for pending in Asks::of(version).sides(&grant, &policy).pending() {
            tracing::warn!(%tenant, %bot, "the bot does without {pending}");
        }
    }

    /// Whoever was a tenant of the settings and is no longer there has nothing.
    ///
    /// # Errors
    /// As [`Tenancy::put_from_settings`].
    pub async fn drop_from_settings(
        &self,
        still: &BTreeMap<TenantId, Definition>,
    ) -> Result<(), StoreError> {
        for (tenant, record) in self.host_store().list_all(kind::TENANT).await? {
            let Ok(record) = serde_json::from_value::<TenantRecord>(record.value) else { continue };
            let gone = record.managed == Managed::Settings;
            if !gone || still.contains_key(&tenant) {
                continue;
            }
            if tenant.as_str() == OPERATOR {
                self.give_back(record).await?;
            } else {
                // Its conversations stay, and nobody is given its name while they do.
                self.keep_lost(&tenant, record.audit_after, &stamp()).await?;
                self.host_store().drop_records(&tenant, &stamp()).await?;
                self.components.changed(&tenant);
            }
        }
        Ok(())
    }

    /// The rows of the audit that are an earlier tenant's, where one begins: one that the
    /// file had lost for a while goes on with its own.
    async fn left_before(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        if self.store(tenant).get(kind::TENANT, SELF).await?.is_some() {
            return Ok(0);
        }
        if let Some(audit_after) = self.lost(tenant).await? {
            return Ok(audit_after);
        }
        // A host of an earlier version kept nothing of whom the file had lost.
        if self.host_store().keeps_any(tenant, clock::now()).await? {
            return Ok(0);
        }
        self.told_before(tenant).await
    }

    /// The operator's own tenant is there in any case: with its tokens, and with what was
    /// made of it by commands.
    async fn give_back(&self, record: TenantRecord) -> Result<(), StoreError> {
        let store = self.store(&OPERATOR.into());
        for kind in [kind::BOT, kind::CHANNEL] {
            keep(&store, kind, Vec::new()).await?;
        }
        let record = TenantRecord { managed: Managed::Api, ..record };
        store.put(kind::TENANT, SELF, &json!(record), &stamp()).await
    }

    /// The version of the settings answers: sessions that began with another one go on
    /// with that.
    async fn answer(
        &self,
        store: &TenantStore,
        bot: &BotId,
        version: &Version,
    ) -> Result<(), StoreError> {
        let digest = *version.digest();
        let name = version_name(bot, &digest);
        if store.get(kind::VERSION, &name).await?.is_none() {
            let record = VersionRecord::of(bot, version, clock::now(), ACTOR);
            store.put(kind::VERSION, &name, &json!(record), &stamp()).await?;
            self.components.changed(store.id());
        }
        let known = self.deployment(store, bot).await?;
        let next = next(known.as_ref(), digest);
        if let Some(next) = &next {
            store.put(kind::DEPLOYMENT, bot.as_str(), &json!(next), &stamp()).await?;
        }
        if let Some(now) = next.or(known) {
            self.work.registry().deployed(store.id(), bot).set(now);
        }
        Ok(())
    }
}

/// The deployment in which a version answers; absent where it does already.
fn next(known: Option<&Deployment>, version: Digest) -> Option<Deployment> {
    let now = clock::now();
    match known {
        None => Some(Deployment::first(version, now)),
        Some(known) if known.current == version => None,
        Some(known) => {
            // A canary of the time before the settings had the bot is over.
            let without = Deployment { canary: None, ..known.clone() };
            without.deploy(version, now).ok()
        }
    }
}

/// Fails where the tenant was made by the API: it is not taken over silently.
async fn keep_tenant(
    store: &TenantStore,
    audit_after: u64,
) -> Result<Result<TenantRecord, Unfit>, StoreError> {
    let known = store.get(kind::TENANT, SELF).await?;
    let old: Option<TenantRecord> =
        known.clone().and_then(|known| serde_json::from_value(known).ok());
    let by_api = |old: &TenantRecord| old.managed == Managed::Api;
    if store.id().as_str() != OPERATOR && old.as_ref().is_some_and(by_api) {
        let error = anyhow::anyhow!(
            "a tenant of this name was made by a command: give the one of the settings another name"
        );
        return Ok(Err(Unfit { what: "the tenant".to_owned(), error }));
    }
    let mut record = old.unwrap_or_else(|| TenantRecord { audit_after, ..TenantRecord::default() });
    record.managed = Managed::Settings;
    if record.created_ms == 0 {
        record.created_ms = clock::now();
    }
    let value = json!(record);
    if known.as_ref() != Some(&value) {
        store.put(kind::TENANT, SELF, &value, &stamp()).await?;
    }
    Ok(Ok(record))
}

/// Has exactly these records of a kind. What commands have made of the operator's tenant
/// stays.
async fn keep(
    store: &TenantStore,
    kind: &str,
    records: Vec<(String, Value)>,
) -> Result<(), StoreError> {
    for known in store.list(kind).await? {
        let by_command = store.id().as_str() == OPERATOR && !of_settings(kind, &known.value);
        if !by_command && !records.iter().any(|(name, _)| *name == known.name) {
            store.delete(kind, &known.name, &stamp()).await?;
        }
    }
    for (name, value) in records {
        if store.get(kind, &name).await?.as_ref() != Some(&value) {
            store.put(kind, &name, &value, &stamp()).await?;
        }
    }
    Ok(())
}

/// Whether a record says what only [`Tenancy::put_from_settings`] writes.
fn of_settings(kind: &str, record: &Value) -> bool {
    let settings = record.get("settings").and_then(Value::as_object);
    let has = |key: &str| settings.is_some_and(|settings| settings.contains_key(key));
    match kind {
        kind::BOT => has("component"),
        // The names of its vendor and its bot, without what connects it.
        kind::CHANNEL => has("vendor") && settings.is_some_and(|settings| settings.len() == 2),
        _ => false,
    }
}

fn stamp() -> Stamp {
    Stamp { at_ms: clock::now(), actor: ACTOR.to_owned() }
}
