//! Changes of tenants, bots, channels and external bots: each is tried on paper
//! first, so that nothing is written that cannot run.

use botyard_kernel::access::Scope;
use botyard_kernel::id::{BotId, ChannelId, TenantId};
use botyard_store::{Stamp, StoreError, TenantStore};
use serde_json::json;

use super::records::{
    BotChange, BotRecord, ChannelRecord, Managed, OPERATOR, Opened, RelayRecord, SELF,
    TenantRecord, kind, named_secrets,
};
use super::stored::{Records, parsed};
use super::{Change, ChangeError, Tenancy, Unfit};
use crate::config;
use crate::work::{Pausable, Subject};

impl Tenancy {
    /// A tenant.
    ///
    /// # Errors
    /// There is none, or the store cannot be read.
    pub async fn tenant(&self, tenant: &TenantId) -> Change<TenantRecord> {
        let found = self.store(tenant).get(kind::TENANT, SELF).await?;
        let found = found.filter(|_| !self.is_deleted(tenant));
        Ok(parsed(SELF, found.ok_or(ChangeError::NotFound)?)?)
    }

    /// Makes a tenant.
    ///
    /// # Errors
    /// There is one of this name, the name is none, or its settings are wrong.
    pub async fn create_tenant(
        &self,
        tenant: &TenantId,
        record: TenantRecord,
        stamp: &Stamp,
    ) -> Change<TenantRecord> {
        named(tenant.as_str())?;
        if self.is_deleted(tenant) {
            let what = "an earlier tenant of this name is being taken away: come again later";
            return Err(ChangeError::InUse(what.to_owned()));
        }
        let _turn = self.change(tenant).await;
        let record = TenantRecord { managed: Managed::Api, created_ms: stamp.at_ms, ..record };
        let store = self.store(tenant);
        let exists = || ChangeError::Exists(format!("the tenant `{tenant}`"));
        if store.get(kind::TENANT, SELF).await?.is_some() {
            return Err(exists());
        }
        let has_left = self.host_store().keeps_any(tenant, stamp.at_ms).await?;
        if has_left || self.lost(tenant).await?.is_some() {
            let what = format!(
                "the name is an earlier tenant's, and what it has left may still be here, \
                 conversations of people among it: take another name, or clear it first (`botyard \
                 tenant delete {tenant} --confirm {tenant}`)"
            );
            return Err(ChangeError::InUse(what));
        }
        let record = TenantRecord { audit_after: self.told_before(tenant).await?, ..record };
        self.tried(tenant, |records, _| records.tenant = record.clone()).await?;
        if !store.replace(kind::TENANT, SELF, None, &json!(record), stamp).await? {
            return Err(exists());
        }
        self.refresh(tenant).await?;
        Ok(record)
    }

    /// The last row of the audit that an earlier tenant of this name has left behind.
    pub(super) async fn told_before(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        Ok(self.store(tenant).audit_head().await?.map_or(0, |(seq, _)| seq))
    }

    /// Sets something of a tenant, by somebody with this scope: what is not named stays.
    ///
    /// # Errors
    /// It is in the settings file, is not there, or its settings are wrong; what it may
    /// use is the operator's to set.
    pub async fn put_tenant(
        &self,
        tenant: &TenantId,
        (label, settings): (Option<String>, Option<serde_json::Value>),
        by: Scope,
        stamp: &Stamp,
    ) -> Change<TenantRecord> {
        let _turn = self.change(tenant).await;
        let known = self.own(tenant).await?;
        let label = label.or_else(|| known.label.clone());
        let settings = settings.unwrap_or_else(|| known.settings.clone());
        if by < Scope::Operator && settings.get("rate") != known.settings.get("rate") {
            let what = "`rate` is the operator's to set: leave it as it is, or ask for more";
            return Err(ChangeError::Forbidden(what.to_owned()));
        }
        let record = TenantRecord { label, settings, ..known };
        self.tried(tenant, |records, _| records.tenant = record.clone()).await?;
        self.store(tenant).put(kind::TENANT, SELF, &json!(record), stamp).await?;
        self.refresh(tenant).await?;
        Ok(record)
    }

    /// Sets a bot: what is not named stays. Answers whether it is new. Whoever is `narrow`
    /// reaches this bot alone, and names no secret where it was not named before.
    ///
    /// # Errors
    /// The tenant is in the settings file, the name is none, its settings are wrong, or
    /// a channel of it could not run any more.
    pub async fn put_bot(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        change: BotChange,
        narrow: bool,
        stamp: &Stamp,
    ) -> Change<bool> {
        named(bot.as_str())?;
        let _turn = self.change(tenant).await;
        self.own(tenant).await?;
        let known = match self.bot(tenant, bot).await {
            Err(ChangeError::NotFound) => BotRecord::default(),
            known => known?,
        };
        if change.seen.as_ref().is_some_and(|seen| *seen != known.settings) {
            return Err(ChangeError::Stale);
        }
        let record = &change.of(known.clone());
        let before = named_secrets(&known.settings);
        let mut after = named_secrets(&record.settings).into_iter();
        if let Some((place, name)) = after.find(|it| narrow && !before.contains(it)) {
            // Its bot, or whoever it calls, could tell what they say.
            let place = place.join(".");
            let what =
                format!("a token for one bot names no secret anew, as `{name}` at `{place}`");
            return Err(ChangeError::Forbidden(what));
        }
        self.put_bot_in_turn(tenant, bot, record, stamp).await
    }

    /// The same, for who has the tenant's turn.
    pub(super) async fn put_bot_in_turn(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        record: &BotRecord,
        stamp: &Stamp,
    ) -> Change<bool> {
        self.offered(tenant, bot, record).await?;
        self.tried(tenant, |records, _| {
            records.bots.insert(bot.clone(), record.clone());
        })
        .await?;
        self.configured(tenant, bot, record).await?;
        self.put(tenant, kind::BOT, bot.as_str(), json!(record), stamp).await
    }

    /// Takes a bot away.
    ///
    /// # Errors
    /// A channel has it, or others run it.
    pub async fn delete_bot(&self, tenant: &TenantId, bot: &BotId, stamp: &Stamp) -> Change<()> {
        let _turn = self.change(tenant).await;
        self.own(tenant).await?;
        self.bot(tenant, bot).await?;
        let (records, _) = self.records(tenant).await?;
        let uses = records.channels.iter().find(|(_, channel)| channel.bot() == Some(bot.as_str()));
        if let Some((channel, _)) = uses {
            let what = format!("the channel `{channel}` has this bot: give it another one first");
            return Err(ChangeError::InUse(what));
        }
        if let Some((of, name)) = self.sharing(tenant, bot).await? {
            let what = format!("the bot `{name}` of the tenant `{of}` runs it: delete that first");
            return Err(ChangeError::InUse(what));
        }
        self.settled(tenant, bot, stamp).await?;
        // No channel has it, so nothing goes on; a later one of its name begins unpaused,
        // unless the operator has stopped it.
        let paused = Subject { what: Pausable::Bot, tenant: tenant.clone(), name: bot.to_string() };
        if !self.work.pause_of(&paused).is_some_and(|pause| pause.by_operator) {
            self.work.resume(&paused, stamp).await?;
        }
        self.work.forget_used(tenant, bot).await?;
        self.revoke_tokens_for(tenant, bot, stamp).await?;
        self.forget_bot(tenant, bot, stamp).await?;
        self.work.registry().forget(tenant, bot);
        self.refresh(tenant).await?;
        Ok(())
    }

    /// Sets a channel. Answers whether it is new.
    ///
    /// # Errors
    /// The tenant is in the settings file, the name is none or another tenant's, or the
    /// channel cannot run with these settings.
    pub async fn put_channel(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        record: &ChannelRecord,
        stamp: &Stamp,
    ) -> Change<bool> {
        named(channel.as_str())?;
        let _turn = self.change(tenant).await;
        // Names of channels are unique over all tenants: one at a time takes one.
        let _names = self.change(&TenantId::from("")).await;
        self.own(tenant).await?;
        self.free(tenant, channel).await?;
        self.tried(tenant, |records, _| {
            records.channels.insert(channel.clone(), record.clone());
        })
        .await?;
        self.put(tenant, kind::CHANNEL, channel.as_str(), json!(record), stamp).await
    }

    /// Takes a channel away. What waits in it goes on when it is made again.
    ///
    /// # Errors
    /// There is none.
    pub async fn delete_channel(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        stamp: &Stamp,
    ) -> Change<()> {
        let _turn = self.change(tenant).await;
        self.own(tenant).await?;
        found(self.store(tenant).delete(kind::CHANNEL, channel.as_str(), stamp).await)?;
        self.refresh(tenant).await?;
        Ok(())
    }

    /// Sets an external bot. Answers whether it is new.
    ///
    /// # Errors
    /// As [`Tenancy::put_channel`].
    pub async fn put_relay(
        &self,
        tenant: &TenantId,
        name: &str,
        record: &RelayRecord,
        stamp: &Stamp,
    ) -> Change<bool> {
        named(name)?;
        let _turn = self.change(tenant).await;
        self.own(tenant).await?;
        self.tried(tenant, |records, _| {
            records.relays.insert(name.to_owned(), record.clone());
        })
        .await?;
        self.put(tenant, kind::RELAY, name, json!(record), stamp).await
    }

    /// Takes an external bot away.
    ///
    /// # Errors
    /// There is none.
    pub async fn delete_relay(&self, tenant: &TenantId, name: &str, stamp: &Stamp) -> Change<()> {
        let _turn = self.change(tenant).await;
        self.own(tenant).await?;
        found(self.store(tenant).delete(kind::RELAY, name, stamp).await)?;
        self.refresh(tenant).await?;
        Ok(())
    }

    /// A tenant that is not the settings' to change.
    pub(super) async fn own(&self, tenant: &TenantId) -> Change<TenantRecord> {
        let record = self.tenant(tenant).await?;
        match record.managed {
            Managed::Api => Ok(record),
            Managed::Settings => Err(ChangeError::InSettings(tenant.to_string())),
        }
    }

    /// Whether all that a tenant has could run after a change of its records and secrets.
    pub(super) async fn tried(
        &self,
        tenant: &TenantId,
        change: impl FnOnce(&mut Records, &mut Opened),
    ) -> Change<()> {
        let (mut records, _) = self.records(tenant).await?;
        let (mut opened, _) = self.secrets(tenant).await?;
        let before = self.faults(tenant, &records, opened.clone()).await?;
        change(&mut records, &mut opened);
        let after = self.faults(tenant, &records, opened).await?;
        // What was wrong in the same way before is not this change's fault.
        let said = |unfit: &Unfit| unfit.to_string();
        let before: Vec<String> = before.iter().map(said).collect();
        match after.into_iter().find(|unfit| !before.contains(&said(unfit))) {
            None => Ok(()),
            Some(unfit) => Err(unfit.into()),
        }
    }

    async fn faults(
        &self,
        tenant: &TenantId,
        records: &Records,
        opened: Opened,
    ) -> Change<Vec<Unfit>> {
        let (definition, mut unfit) = self.define(tenant, records, opened).await?;
        let registry = self.work.registry();
        unfit.extend(definition.connect(|owner, bot| registry.deployed(owner, bot)).1);
        Ok(unfit)
    }

    pub(super) async fn put(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        value: serde_json::Value,
        stamp: &Stamp,
    ) -> Change<bool> {
        let store = self.store(tenant);
        let known = store.get(kind, name).await?;
        if known.is_none() {
            self.room_for(tenant, kind).await?;
        }
        if known.as_ref() != Some(&value) {
            store.put(kind, name, &value, stamp).await?;
        }
        // Also where it was written before and did not get as far.
        self.refresh(tenant).await?;
        Ok(known.is_none())
    }

    /// Whether a channel's name is nobody else's.
    async fn free(&self, tenant: &TenantId, channel: &ChannelId) -> Change<()> {
        let taken = || ChangeError::NameTaken(channel.to_string());
        if self.work.channel(channel).is_some_and(|known| known.tenant != *tenant) {
            return Err(taken());
        }
        for (owner, record) in self.host_store().list_all(kind::CHANNEL).await? {
            if record.name == channel.as_str() && owner != *tenant {
                return Err(taken());
            }
        }
        Ok(())
    }

    /// Whether the bot that is to be shared is the operator's, and offered.
    async fn offered(&self, tenant: &TenantId, bot: &BotId, record: &BotRecord) -> Change<()> {
        if record.offered && tenant.as_str() != OPERATOR {
            let what = format!("only the tenant `{OPERATOR}` offers bots to others");
            return Err(ChangeError::InUse(what));
        }
        let Some(shared) = &record.shared else { return Ok(()) };
        let found = self.store(&OPERATOR.into()).get(kind::BOT, shared.as_str()).await?;
        let found = found.map(|found| parsed::<BotRecord>(shared.as_str(), found)).transpose()?;
        if found.is_some_and(|found| found.offered) {
            return Ok(());
        }
        let what = format!("the operator offers no bot `{shared}`, which `{bot}` is to run");
        Err(ChangeError::InUse(what))
    }

    /// Who runs a bot of the operator's, if anybody does.
    async fn sharing(&self, tenant: &TenantId, bot: &BotId) -> Change<Option<(TenantId, String)>> {
        if tenant.as_str() != OPERATOR {
            return Ok(None);
        }
        for (of, record) in self.host_store().list_all(kind::BOT).await? {
            let known = parsed::<BotRecord>(&record.name, record.value).ok();
            if known.is_some_and(|known| known.shared.as_ref() == Some(bot)) {
                return Ok(Some((of, record.name)));
            }
        }
        Ok(None)
    }
}

impl Records {
    /// What names a secret, if anything does.
    pub(super) fn naming(&self, secret: &str) -> Option<String> {
        let tenant = [("the tenant".to_owned(), &self.tenant.settings)];
        let bots = self.bots.iter().map(|(id, it)| (format!("the bot `{id}`"), &it.settings));
        let relays = self.relays.iter().map(|(id, it)| (format!("the relay `{id}`"), &it.settings));
        let channels =
            self.channels.iter().map(|(id, it)| (format!("the channel `{id}`"), &it.settings));
        let mut all = tenant.into_iter().chain(bots).chain(relays).chain(channels);
        let names = |settings| named_secrets(settings).iter().any(|(_, name)| *name == secret);
        all.find(|(_, settings)| names(settings)).map(|(what, _)| what)
    }
}

impl ChannelRecord {
    fn bot(&self) -> Option<&str> {
        self.settings.get("bot").and_then(serde_json::Value::as_str)
    }
}

pub(super) fn named(name: &str) -> Change<()> {
    if config::is_name(name) { Ok(()) } else { Err(ChangeError::BadName(name.to_owned())) }
}

pub(super) fn found(deleted: Result<(), StoreError>) -> Change<()> {
    match deleted {
        Err(StoreError::NotFound) => Err(ChangeError::NotFound),
        other => Ok(other?),
    }
}

/// The store of a tenant, for whoever reads only.
impl Tenancy {
    /// What the catalog and the log have of a tenant.
    pub fn store_of(&self, tenant: &TenantId) -> TenantStore {
        self.store(tenant)
    }
}
