//! Tenants of the catalog: read, with their secrets opened.

use std::collections::{BTreeMap, BTreeSet};

use botyard_kernel::deployment::Deployment;
use botyard_kernel::id::{BotId, ChannelId, TenantId};
use botyard_store::{Record, StoreError, TenantStore};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::records::{
    BotRecord, ChannelRecord, Managed, OPERATOR, Opened, RelayRecord, SELF, SecretRecord,
    TenantRecord, VersionRecord, kind, secret_place, version_name,
};
use super::{Change, ChangeError, DefinedBot, Definition, Tenancy, Unfit};
use crate::clock;
use crate::config::{self, Secrets};
use crate::envelope::EnvelopeError;
use crate::registry::Wishes;

/// So many notes are read at once.
const NOTES: usize = 256;

/// The records of a tenant that say what it runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    pub(super) tenant: TenantRecord,
    pub(super) bots: BTreeMap<BotId, BotRecord>,
    pub(super) relays: BTreeMap<String, RelayRecord>,
    pub(super) channels: BTreeMap<ChannelId, ChannelRecord>,
}

impl Tenancy {
    /// Runs what the catalog has of tenants that are not in the settings. What cannot run
    /// is told in the log and left out, so that nobody else waits for it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn run_stored(&self) -> Result<(), StoreError> {
        let tenants = self.tenant_records().await?;
        // The operator's bots may be run by others, who come before them by name.
        for (tenant, _) in &tenants {
            self.load_deployments(tenant).await?;
        }
        for (tenant, record) in tenants {
            if record.managed == Managed::Api && !self.is_deleted(&tenant) {
                let _turn = self.change(&tenant).await;
                for unfit in self.refresh(&tenant).await? {
                    tracing::error!(%tenant, "{unfit:#}: it does not run");
                }
            }
        }
        Ok(())
    }

    /// Runs what the catalog has of a tenant now: nothing, where it is being taken away.
    pub(super) async fn refresh(&self, tenant: &TenantId) -> Result<Vec<Unfit>, StoreError> {
        if self.is_deleted(tenant) {
            return Ok(Vec::new());
        }
        let (records, mut unfit) = self.records(tenant).await?;
        let (opened, sealed) = self.secrets(tenant).await?;
        self.work.redactors().set(tenant, opened.values());
        let (definition, wrong) = self.define(tenant, &records, opened).await?;
        unfit.extend(sealed.into_iter().chain(wrong));
        unfit.extend(self.run(tenant, &definition, &records.tenant.limits));
        Ok(unfit)
    }

    /// All tenants, by name: those of the settings and the others.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        Ok(self.tenant_records().await?.into_iter().map(|(tenant, _)| tenant).collect())
    }

    /// All tenants with what is kept of them, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn tenant_records(&self) -> Result<Vec<(TenantId, TenantRecord)>, StoreError> {
        let records = self.host_store().list_all(kind::TENANT).await?.into_iter();
        let known = records.filter_map(|(tenant, record)| match parsed(SELF, record.value) {
            Ok(known) => Some((tenant, known)),
            Err(error) => {
                tracing::error!(%tenant, %error, "a tenant is left out");
                None
            }
        });
        Ok(known.collect())
    }

    /// All notes of a kind, of all tenants: for what a host goes on with when it starts.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn all_notes(&self, kind: &str) -> Result<Vec<(TenantId, Record)>, StoreError> {
        let (mut all, now) = (Vec::<(TenantId, Record)>::new(), clock::now());
        loop {
            let after = all.last().map(|(tenant, record)| (tenant, record.name.as_str()));
            let page = self.host_store().notes(kind, after, NOTES, now).await?;
            let more = page.len() == NOTES;
            all.extend(page);
            if !more {
                return Ok(all);
            }
        }
    }

    /// Whose bots, or channels, have this name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn owners(&self, kind: &str, name: &str) -> Result<Vec<TenantId>, StoreError> {
        let records = self.host_store().list_all(kind).await?.into_iter();
        let own = records.filter(|(_, record)| record.name == name);
        Ok(own.map(|(tenant, _)| tenant).collect())
    }

    /// What is set of a channel of the catalog's, its secrets opened.
    ///
    /// # Errors
    /// There is no such channel, or its settings are wrong.
    pub async fn channel_settings(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
    ) -> Change<config::Channel> {
        let (records, _) = self.records(tenant).await?;
        let record = records.channels.get(channel).ok_or(ChangeError::NotFound)?;
        let (opened, _) = self.secrets(tenant).await?;
        let bots = records.bots.keys().cloned().collect();
        Ok(Secrets::new(opened).channel(record.settings.clone(), &bots)?)
    }

    /// What is written down of a tenant; what cannot be read is left out and told.
    pub(super) async fn records(
        &self,
        tenant: &TenantId,
    ) -> Result<(Records, Vec<Unfit>), StoreError> {
        let (store, mut unfit) = (self.store(tenant), Vec::new());
        let own = store.get(kind::TENANT, SELF).await?;
        let own = own.map(|own| parsed(SELF, own)).transpose();
        let own = own.unwrap_or_else(|error| {
            unfit.push(Unfit { what: "the tenant".to_owned(), error: error.into() });
            None
        });
        let records = Records {
            tenant: own.unwrap_or_default(),
            bots: all(&store, kind::BOT, BotId, &mut unfit).await?,
            relays: all(&store, kind::RELAY, |name| name, &mut unfit).await?,
            channels: all(&store, kind::CHANNEL, ChannelId, &mut unfit).await?,
        };
        Ok((records, unfit))
    }

    /// Reads what records say; what is wrong with them is left out and told.
    pub(super) async fn define(
        &self,
        tenant: &TenantId,
        records: &Records,
        opened: Opened,
    ) -> Result<(Definition, Vec<Unfit>), StoreError> {
        let mut unfit = Vec::new();
        let secrets = Secrets::new(opened);
        let mut definition = Definition::default();
        match secrets.tenant(object(&records.tenant.settings)) {
            Ok(own) => definition.own = own,
            Err(error) => unfit.push(Unfit { what: "the tenant".to_owned(), error: error.into() }),
        }
        for (name, record) in &records.bots {
            match secrets.bot(object(&record.settings)) {
                Ok(settings) => {
                    let of = owner(tenant, name, record);
                    let wishes = self.wishes(&of).await?;
                    definition.bots.insert(name.clone(), DefinedBot { settings, of, wishes });
                }
                Err(error) => {
                    unfit.push(Unfit { what: format!("bot `{name}`"), error: error.into() });
                }
            }
        }
        for (name, record) in &records.relays {
            match secrets.relay(record.settings.clone()) {
                Ok(relay) => drop(definition.relays.insert(name.clone(), relay)),
                Err(error) => {
                    unfit.push(Unfit { what: format!("relay `{name}`"), error: error.into() });
                }
            }
        }
        let bots: BTreeSet<BotId> = records.bots.keys().cloned().collect();
        for (name, record) in &records.channels {
            match secrets.channel(record.settings.clone(), &bots) {
                Ok(channel) => drop(definition.channels.insert(name.clone(), channel)),
                Err(error) => {
                    unfit.push(Unfit { what: format!("channel `{name}`"), error: error.into() });
                }
            }
        }
        Ok((definition, unfit))
    }

    /// What a tenant has configured for a bot, as trials show it: `secret NAME` stands in
    /// the place of each secret. Whoever tries a version of their own would be told them.
    ///
    /// # Errors
    /// There is no such bot, or its settings are wrong.
    pub async fn trial_config(
        &self,
        tenant: &TenantId,
        bot: &BotId,
    ) -> Change<BTreeMap<String, String>> {
        let record = self.bot(tenant, bot).await?;
        let names = self.store(tenant).list(kind::SECRET).await?.into_iter();
        let opened = names.map(|Record { name, .. }| {
            let stand_in = format!("secret {name}");
            (name, stand_in)
        });
        let opened: Opened = opened.collect();
        Ok(Secrets::new(opened).bot(object(&record.settings))?.config)
    }

    /// Which version of a bot answers, as it is written down.
    pub(super) async fn deployment(
        &self,
        store: &TenantStore,
        bot: &BotId,
    ) -> Result<Option<Deployment>, StoreError> {
        let found = store.get(kind::DEPLOYMENT, bot.as_str()).await?;
        found.map(|found| parsed(bot.as_str(), found)).transpose()
    }

    async fn load_deployments(&self, tenant: &TenantId) -> Result<(), StoreError> {
        for record in self.store(tenant).list(kind::DEPLOYMENT).await? {
            match parsed(&record.name, record.value) {
                Ok(now) => self.work.registry().deployed(tenant, &BotId(record.name)).set(now),
                Err(error) => tracing::error!(%tenant, %error, "a bot does not run"),
            }
        }
        Ok(())
    }

    /// All secrets of a tenant. One that cannot be opened is told, and missing.
    pub(super) async fn secrets(
        &self,
        tenant: &TenantId,
    ) -> Result<(Opened, Vec<Unfit>), StoreError> {
        let (mut opened, mut unfit) = (Opened::new(), Vec::new());
        let sealed: BTreeMap<String, SecretRecord> =
            all(&self.store(tenant), kind::SECRET, |name| name, &mut unfit).await?;
        for (name, SecretRecord { sealed, .. }) in sealed {
            match self.work.envelope().open(tenant, &secret_place(&name), &sealed) {
                Ok(text) => drop(opened.insert(name, text)),
                Err(error @ (EnvelopeError::OtherKey(_) | EnvelopeError::Damaged)) => {
                    unfit.push(Unfit { what: format!("secret `{name}`"), error: error.into() });
                }
            }
        }
        Ok((opened, unfit))
    }

    /// What the version that answers wishes of the way in which it is served.
    async fn wishes(&self, (owner, bot): &(TenantId, BotId)) -> Result<Wishes, StoreError> {
        let Some(deployment) = self.work.registry().deployed(owner, bot).now() else {
            return Ok(Wishes::default());
        };
        let name = version_name(bot, &deployment.current);
        let found = self.store(owner).get(kind::VERSION, &name).await?;
        let record = found.map(|found| parsed::<VersionRecord>(&name, found)).transpose()?;
        let manifest = record.and_then(|record| record.manifest);
        Ok(manifest.as_ref().map(Wishes::of).unwrap_or_default())
    }
}

/// Whose versions a bot runs.
pub(super) fn owner(tenant: &TenantId, bot: &BotId, record: &BotRecord) -> (TenantId, BotId) {
    match &record.shared {
        Some(shared) => (TenantId::from(OPERATOR), shared.clone()),
        None => (tenant.clone(), bot.clone()),
    }
}

async fn all<K: Ord, T: DeserializeOwned>(
    store: &TenantStore,
    kind: &str,
    key: impl Fn(String) -> K,
    unfit: &mut Vec<Unfit>,
) -> Result<BTreeMap<K, T>, StoreError> {
    let mut all = BTreeMap::new();
    for record in store.list(kind).await? {
        match parsed(&record.name, record.value) {
            Ok(value) => drop(all.insert(key(record.name), value)),
            Err(error) => {
                let what = format!("{kind} `{}`", record.name);
                unfit.push(Unfit { what, error: error.into() });
            }
        }
    }
    Ok(all)
}

/// A record as it was written by this host or an earlier one.
pub(super) fn parsed<T: DeserializeOwned>(name: &str, value: Value) -> Result<T, StoreError> {
    serde_json::from_value(value)
        .map_err(|error| StoreError::Corrupt(format!("the record `{name}`: {error}")))
}

fn object(settings: &Value) -> Value {
    if settings.is_null() { Value::Object(serde_json::Map::new()) } else { settings.clone() }
}
