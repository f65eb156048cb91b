//! What bots are granted, and deployments that wait for a grant.
//!
//! The grant is what the bot's own settings name as `hosts`: one place says what a bot may
//! do, whether it was written by hand, by `botyard apply` or by an approval.

use std::sync::Arc;

use botyard_kernel::deployment::Deployment;
use botyard_kernel::grants::{Approver, Diff, Pending, Policy, Powers, Wish, diff};
use botyard_kernel::id::{BotId, Digest, TenantId};
use botyard_store::{Stamp, StoreError};
use serde_json::{Map, Value, json};

use super::records::{
    ApprovalRecord, BotRecord, OPERATOR, SELF, VersionRecord, kind, version_name,
};
use super::stored::{owner, parsed};
use super::{Change, ChangeError, Step, Tenancy};
use crate::config::Secrets;
use crate::registry::Asks;

/// What versions of a bot are held against.
#[derive(Clone, Debug)]
pub struct Standing {
    /// What the bot is granted.
    pub grant: Powers,
    /// What the operator allows.
    pub policy: Arc<Policy>,
    /// What the version that answers asks for; absent where none does.
    pub running: Option<(Digest, Asks)>,
}

impl Standing {
    /// What a version wishes for and may not have yet.
    pub fn pending(&self, asks: &Asks) -> Vec<Pending> {
        asks.sides(&self.grant, &self.policy).pending()
    }

    /// Imports of a version that are there and deny, as its manifest does not wish for
    /// them.
    pub fn unwished(&self, asks: &Asks) -> Vec<String> {
        asks.sides(&self.grant, &self.policy).unwished()
    }

    /// What a version may do.
    pub fn effective(&self, asks: &Asks) -> Powers {
        asks.sides(&self.grant, &self.policy).effective()
    }

    /// How what a version wants differs from what the one that answers wants.
    pub fn changes(&self, digest: &Digest, asks: &Asks) -> Option<Diff> {
        let (running, now) = self.running.as_ref()?;
        (running != digest).then(|| diff(&now.wants(), &asks.wants()))
    }
}

/// What came of an approval.
#[derive(Clone, Debug)]
pub struct Approved {
    /// What was granted by it.
    pub granted: Vec<Wish>,
    /// What is still missing: the operator's to allow.
    pub pending: Vec<Pending>,
    /// The deployment that had waited for it.
    pub deployment: Option<Deployment>,
}

impl Tenancy {
    /// What versions of a bot are held against.
    ///
    /// # Errors
    /// There is no such bot.
    pub async fn standing(&self, tenant: &TenantId, bot: &BotId) -> Change<Standing> {
        let record = self.bot(tenant, bot).await?;
        let (of, name) = owner(tenant, bot, &record);
        let deployment = self.work.registry().deployed(&of, &name).now();
        let running = match deployment {
            None => None,
            Some(now) => {
                let known = self.version_of(tenant, bot, &record, &now.current).await;
                Some((now.current, known.map(|known| known.asks()).unwrap_or_default()))
            }
        };
        let operator = self.work.registry().operator();
        let grant = operator.grant(&record.hosts());
        Ok(Standing { grant, policy: operator.policy(), running })
    }

    /// A version that a bot may run: its own, or one of the operator's bot that it shares.
    async fn version_of(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        record: &BotRecord,
        digest: &Digest,
    ) -> Change<VersionRecord> {
        let (of, name) = owner(tenant, bot, record);
        let place = version_name(&name, digest);
        let found = self.store(&of).get(kind::VERSION, &place).await?;
        Ok(parsed(&place, found.ok_or(ChangeError::NotFound)?)?)
    }

    /// The deployment that waits for a grant, and what it waits for.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn waiting(
        &self,
        tenant: &TenantId,
        bot: &BotId,
    ) -> Change<Option<(ApprovalRecord, Vec<Pending>)>> {
        let Some(waiting) = self.waits_for_grant(tenant, bot).await? else { return Ok(None) };
        let version = self.version(tenant, bot, &waiting.version).await?;
        let pending = self.standing(tenant, bot).await?.pending(&version.asks());
        Ok(Some((waiting, pending)))
    }

    /// The deployment that waits for a grant.
    pub(super) async fn waits_for_grant(
        &self,
        tenant: &TenantId,
        bot: &BotId,
    ) -> Change<Option<ApprovalRecord>> {
        let found = self.store(tenant).get(kind::APPROVAL, bot.as_str()).await?;
        Ok(found.map(|found| parsed(bot.as_str(), found)).transpose()?)
    }

    /// Fails where a version that is to answer wishes for more than its bot may: then its
    /// deployment waits, and what answers goes on.
    pub(super) async fn agreed(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        step: Step,
        stamp: &Stamp,
    ) -> Change<()> {
        let (version, percent) = match step {
            Step::Deploy(version) => (version, None),
            Step::StartCanary(version, percent) => (version, Some(percent)),
            Step::SetPercent(_) | Step::Promote | Step::RollBack | Step::Withdraw(_) => {
                return Ok(());
            }
        };
        let asks = self.version(tenant, bot, &version).await?.asks();
        let pending = self.standing(tenant, bot).await?.pending(&asks);
        if pending.is_empty() {
            return Ok(());
        }
        let (store, name) = (self.store(tenant), bot.as_str());
        let known = store.get(kind::APPROVAL, name).await?;
        let known: Option<ApprovalRecord> = known.and_then(|it| parsed(name, it).ok());
        let same = |it: &ApprovalRecord| it.version == version && it.percent == percent;
        if !known.as_ref().is_some_and(same) {
            let (asked_ms, asked_by) = (stamp.at_ms, stamp.actor.clone());
            let waiting = ApprovalRecord { version, percent, asked_ms, asked_by };
            store.put(kind::APPROVAL, name, &json!(waiting), stamp).await?;
        }
        let wishes: Vec<String> = pending.iter().map(ToString::to_string).collect();
        Err(ChangeError::Pending(format!(
            "the version wishes for more than `{bot}` may: {}. Its deployment waits for that, and \
             what answers goes on: `botyard bot approve {bot} {version}` grants it and deploys it",
            wishes.join("; ")
        )))
    }

    /// Nothing waits for a grant any more.
    pub(super) async fn settled(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        stamp: &Stamp,
    ) -> Change<bool> {
        match self.store(tenant).delete(kind::APPROVAL, bot.as_str(), stamp).await {
            Ok(()) => Ok(true),
            Err(StoreError::NotFound) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Grants what a version wishes for, as far as it is the tenant's to grant. A deployment
    /// of this version that has waited for it goes ahead.
    ///
    /// # Errors
    /// There is no such bot or version, the tenant is in the settings file, or the
    /// deployment cannot be made any more: the grant holds all the same.
    pub async fn approve(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        version: &Digest,
        stamp: &Stamp,
    ) -> Change<Approved> {
        let turn = self.change(tenant).await;
        self.own(tenant).await?;
        let mut record = self.bot(tenant, bot).await?;
        let asks = self.version_of(tenant, bot, &record, version).await?.asks();
        let standing = self.standing(tenant, bot).await?;
        let theirs = |pending: &Pending| pending.approver != Approver::Operator;
        let missing = standing.pending(&asks).into_iter().filter(theirs);
        let granted: Vec<Wish> = missing.map(|pending| pending.wish).collect();
        if !granted.is_empty() {
            allow(&mut record, &granted);
            self.put_bot_in_turn(tenant, bot, &record, stamp).await?;
        }
        let pending = self.standing(tenant, bot).await?.pending(&asks);
        drop(turn);
        let waiting = self.waiting(tenant, bot).await?.map(|(waiting, _)| waiting);
        let deployment = match waiting.filter(|it| it.version == *version && pending.is_empty()) {
            None => None,
            Some(ApprovalRecord { percent, .. }) => {
                let step = match percent {
                    None => Step::Deploy(*version),
                    Some(percent) => Step::StartCanary(*version, percent),
                };
                Some(self.deploy(tenant, bot, step, None, stamp).await?)
            }
        };
        Ok(Approved { granted, pending, deployment })
    }

    /// A deployment that waits for a grant waits no more: nobody grants it.
    ///
    /// # Errors
    /// None waits.
    pub async fn decline(&self, tenant: &TenantId, bot: &BotId, stamp: &Stamp) -> Change<()> {
        let _turn = self.change(tenant).await;
        self.own(tenant).await?;
        self.bot(tenant, bot).await?;
        if self.settled(tenant, bot, stamp).await? { Ok(()) } else { Err(ChangeError::NotFound) }
    }

    /// What the operator has set of the policy, beside the settings file.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn policy(&self) -> Change<Policy> {
        let found = self.store(&OPERATOR.into()).get(kind::POLICY, SELF).await?;
        Ok(found.map(|found| parsed(SELF, found)).transpose()?.unwrap_or_default())
    }

    /// Sets the policy for all bots, from now on. It narrows that of the settings file.
    ///
    /// # Errors
    /// It is none.
    pub async fn set_policy(&self, policy: Value, stamp: &Stamp) -> Change<Policy> {
        let operator = TenantId::from(OPERATOR);
        let _turn = self.change(&operator).await;
        let policy = Secrets::new(std::collections::BTreeMap::new()).policy(policy)?;
        self.store(&operator).put(kind::POLICY, SELF, &json!(policy), stamp).await?;
        self.work.narrow(&policy);
        Ok(policy)
    }

    /// What the operator has set of the policy holds.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn load_policy(&self) -> Change<()> {
        let policy = self.policy().await?;
        self.work.narrow(&policy);
        Ok(())
    }
}

/// Adds hosts to what the settings of a bot name. Whoever may call one has the import.
fn allow(record: &mut BotRecord, wishes: &[Wish]) {
    let mut hosts: Vec<String> = record.hosts().iter().map(ToString::to_string).collect();
    let new = wishes.iter().filter_map(|wish| match wish {
        Wish::Host(host) => Some(host.to_string()),
        Wish::Import(_) => None,
    });
    hosts.extend(new);
    if !record.settings.is_object() {
        record.settings = Value::Object(Map::new());
    }
    record.settings["hosts"] = json!(hosts);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_added_and_nothing_else_of_the_settings_changes() {
        let wish = |host: &str| Wish::Host(host.parse().unwrap());
        let wishes = [Wish::Import("http".to_owned()), wish("new.example")];
        let settings = json!({"hosts": ["OLD.example"], "config": {"k": {"secret": "s"}}});
        let mut record = BotRecord { settings, ..BotRecord::default() };
        allow(&mut record, &wishes);
        let expected =
            json!({"hosts": ["old.example", "new.example"], "config": {"k": {"secret": "s"}}});
        assert_eq!(record.settings, expected);
        let mut record = BotRecord::default();
        allow(&mut record, &wishes);
        assert_eq!(record.settings, json!({"hosts": ["new.example"]}));
    }
}
