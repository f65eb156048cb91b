//! Versions and deployments: an upload changes no traffic, a deployment does at once.

use std::sync::Arc;

use botyard_kernel::deployment::Deployment;
use botyard_kernel::id::{BotId, Digest, TenantId};
use botyard_runtime::{LoadError, Phase, Upload, Version};
use botyard_store::{Stamp, StoreError};
use serde_json::json;

use super::fitting::schema_can_be_read;
use super::records::{OPERATOR, VersionRecord, kind, version_name};
use super::stored::parsed;
use super::{Change, ChangeError, Tenancy};
use crate::alerts::{Alert, AlertKind};
use crate::clock;
use crate::send::HostPattern;
use crate::work::{Work, Worse};
use botyard_kernel::run::Blame;

/// A change of which version answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// This version answers from now on.
    Deploy(Digest),
    /// This version is tried with so many of a hundred conversations.
    StartCanary(Digest, u8),
    /// The canary is tried with so many.
    SetPercent(u8),
    /// The canary answers from now on.
    Promote,
    /// Back to what answered before.
    RollBack,
    /// This version runs no more.
    Withdraw(Digest),
}

impl Tenancy {
    /// Takes a component as a version of a bot. The same bytes again are the same version.
    /// Each phase is told when it begins.
    ///
    /// # Errors
    /// There is no such bot of the tenant's own, or the component is refused.
    pub async fn upload(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        upload: &Upload,
        stamp: &Stamp,
        progress: &(dyn Fn(Phase) + Send + Sync),
    ) -> Change<(VersionRecord, bool)> {
        self.owned(tenant, bot).await?;
        let name = version_name(bot, upload.digest());
        let store = self.store(tenant);
        if let Some(known) = store.get(kind::VERSION, &name).await? {
            // Its bytes may have been lost: this puts them back.
            self.keep_component(upload.read().await.map_err(unreadable)?).await?;
            return Ok((parsed(&name, known)?, false));
        }
        self.room_for(tenant, kind::VERSION).await?;
        self.room_for_bytes(tenant, upload.bytes()).await?;
        let version = self.work.load(tenant, upload, progress).await?;
        wishes_can_be_read(&version)?;
        schema_can_be_read(&version).await?;
        let wasm = upload.read().await.map_err(unreadable)?;
        // That took its time: others came and went meanwhile.
        let _turn = self.change(tenant).await;
        self.owned(tenant, bot).await?;
        self.keep_component(wasm).await?;
        if let Some(known) = store.get(kind::VERSION, &name).await? {
            return Ok((parsed(&name, known)?, false));
        }
        self.room_for(tenant, kind::VERSION).await?;
        self.room_for_bytes(tenant, upload.bytes()).await?;
        let record = VersionRecord::of(bot, &version, stamp.at_ms, &stamp.actor);
        store.put(kind::VERSION, &name, &json!(record), stamp).await?;
        self.components.changed(tenant);
        Ok((record, true))
    }

    /// Takes a version away that nothing runs any more.
    ///
    /// # Errors
    /// There is none, the tenant is in the settings file, or the deployment has need of it.
    pub async fn delete_version(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        digest: &Digest,
        stamp: &Stamp,
    ) -> Change<()> {
        let _turn = self.change(tenant).await;
        self.own(tenant).await?;
        self.version(tenant, bot, digest).await?;
        let store = self.store(tenant);
        let deployment = self.deployment(&store, bot).await?;
        if deployment.is_some_and(|deployment| deployment.needs(digest)) {
            let what = "this version answers, or sessions go on with it: deploy another one and \
                        withdraw this first";
            return Err(ChangeError::InUse(what.to_owned()));
        }
        if self.waits_for_grant(tenant, bot).await?.is_some_and(|it| it.version == *digest) {
            self.settled(tenant, bot, stamp).await?;
        }
        // Its bytes stay as long as anybody's version is made of them.
        store.delete(kind::VERSION, &version_name(bot, digest), stamp).await?;
        self.components.changed(tenant);
        Ok(())
    }

    /// Keeps the bytes of a component.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn keep_component(&self, wasm: Vec<u8>) -> Result<Digest, StoreError> {
        self.host_store().put_blob(wasm).await
    }

    /// The bytes of a component, whosever it is.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn component(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.host_store().blob(digest).await
    }

    /// At most so many versions of a bot, by digest, behind the digest `after`.
    ///
    /// # Errors
    /// There is no such bot.
    pub async fn versions(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        after: Option<&str>,
        limit: usize,
    ) -> Change<Vec<VersionRecord>> {
        self.bot(tenant, bot).await?;
        let prefix = format!("{bot}.");
        let after = after.map(|after| format!("{prefix}{after}"));
        let store = self.store(tenant);
        let found = store.page(kind::VERSION, &prefix, after.as_deref(), limit).await?.into_iter();
        Ok(found.map(|record| parsed(&record.name, record.value)).collect::<Result<_, _>>()?)
    }

    /// A version of a bot.
    ///
    /// # Errors
    /// There is none.
    pub async fn version(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        digest: &Digest,
    ) -> Change<VersionRecord> {
        let name = version_name(bot, digest);
        let found = self.store(tenant).get(kind::VERSION, &name).await?;
        Ok(parsed(&name, found.ok_or(ChangeError::NotFound)?)?)
    }

    /// Which version of a bot answers; absent where none was deployed yet.
    ///
    /// # Errors
    /// There is no such bot.
    pub async fn deployed(&self, tenant: &TenantId, bot: &BotId) -> Change<Option<Deployment>> {
        self.bot(tenant, bot).await?;
        Ok(self.deployment(&self.store(tenant), bot).await?)
    }

    /// Changes which version of a bot answers. Where a revision is named, only that one
    /// is changed.
    ///
    /// # Errors
    /// There is no such bot or version, the deployment cannot be changed so, or somebody
    /// else has changed it.
    pub async fn deploy(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        step: Step,
        revision: Option<u64>,
        stamp: &Stamp,
    ) -> Change<Deployment> {
        let turn = self.change(tenant).await;
        self.own(tenant).await?;
        self.owned(tenant, bot).await?;
        if let Step::Deploy(digest) | Step::StartCanary(digest, _) | Step::Withdraw(digest) = step {
            self.version(tenant, bot, &digest).await?;
        }
        let store = self.store(tenant);
        let known = self.deployment(&store, bot).await?;
        if revision.is_some_and(|seen| seen != known.as_ref().map_or(0, |known| known.revision)) {
            return Err(ChangeError::Stale);
        }
        let next = next(known.as_ref(), step, stamp.at_ms)?;
        self.version_fits(tenant, bot, step, next.current).await?;
        self.agreed(tenant, bot, step, stamp).await?;
        // The first event of each that is to answer finds it loaded.
        let canary = if let Step::StartCanary(digest, _) = step { Some(digest) } else { None };
        for digest in canary.iter().chain([&next.current]) {
            self.work.registry().versions().get(tenant, digest).await?;
        }
        let (old, new) = (known.map(|known| json!(known)), json!(next));
        let name = bot.as_str();
        if !store.replace(kind::DEPLOYMENT, name, old.as_ref(), &new, stamp).await? {
            return Err(ChangeError::Stale);
        }
        self.work.registry().deployed(tenant, bot).set(next.clone());
        if let Step::Deploy(_) | Step::StartCanary(..) = step {
            // What waited before is superseded.
            self.settled(tenant, bot, stamp).await?;
        }
        self.refresh(tenant).await?;
        drop(turn);
        self.refresh_sharing(tenant, bot).await?;
        Ok(next)
    }

    /// Rolls back what does worse than what was before, from now on.
    pub fn start_rolling_back(self: &Arc<Self>) {
        let (tenancy, mut worse) = (Arc::downgrade(self), self.work.worse_versions());
        tokio::spawn(async move {
            loop {
                let told = worse.recv().await;
                let Some(tenancy) = tenancy.upgrade() else { return };
                match told {
                    // Whoever is rolled back waits for no other tenant.
                    Ok(worse) => drop(tokio::spawn(async move { tenancy.roll_back(&worse).await })),
                    Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
                }
            }
        });
    }

    async fn roll_back(&self, worse: &Worse) {
        let Worse { deployed, reason, revision } = worse;
        let (tenant, bot) = (&deployed.owner, &deployed.bot);
        let stamp = Stamp { at_ms: clock::now(), actor: format!("the host: {reason}") };
        let rolled = self.deploy(tenant, bot, Step::RollBack, Some(*revision), &stamp).await;
        match rolled {
            Ok(_) => {
                tracing::error!(%tenant, %bot, "rolled back: {reason}");
                let what_to_do = "look into the bot's log, mend it and upload it again: the \
                                  version before answers now";
                self.tell_of_version(AlertKind::VersionRolledBack, worse, &stamp, what_to_do);
            }
            // Somebody has changed meanwhile what answers.
            Err(ChangeError::Stale) => {}
            Err(error) => {
                tracing::error!(%tenant, %bot, %error, "{reason}, and it could not be rolled back");
                let what_to_do = "let the version before answer again, where it was deployed: in \
                                  the settings file, or by `botyard bot rollback`; then look into \
                                  the bot's log";
                self.tell_of_version(AlertKind::VersionWorse, worse, &stamp, what_to_do);
            }
        }
    }

    fn tell_of_version(
        &self,
        kind: AlertKind,
        worse: &Worse,
        stamp: &Stamp,
        what_to_do: &'static str,
    ) {
        self.work.alerts().raise(&Alert {
            tenant: Some(worse.deployed.owner.clone()),
            bot: Some(worse.deployed.bot.clone()),
            version: Some(worse.reason.version.to_string()),
            ..Alert::new(kind, Blame::Bot, stamp.at_ms, what_to_do)
        });
    }

    /// Whoever runs a bot of the operator's follows it.
    async fn refresh_sharing(&self, tenant: &TenantId, bot: &BotId) -> Change<()> {
        if tenant.as_str() != OPERATOR {
            return Ok(());
        }
        let mut others: Vec<TenantId> = Vec::new();
        for channel in self.work.channels() {
            let answers = channel.bot();
            let shares = answers.deployed.owner == *tenant && answers.deployed.bot == *bot;
            if shares && channel.tenant != *tenant && !others.contains(&channel.tenant) {
                others.push(channel.tenant.clone());
            }
        }
        for other in others {
            let _turn = self.change(&other).await;
            self.refresh(&other).await?;
            // The deployment is done, and nobody else's refresh waits for what is only told.
            if let Err(error) = self.tell_misfits(&other).await {
                tracing::warn!(tenant = %other, "its configuration was not looked at: {error}");
            }
        }
        Ok(())
    }
}

fn unreadable(error: std::io::Error) -> LoadError {
    LoadError::Host(format!("the upload cannot be read again: {error}"))
}

/// A wish that nobody could grant is its author's to correct.
fn wishes_can_be_read(version: &Version) -> Change<()> {
    for host in version.manifest().map_or(&[][..], |manifest| &manifest.hosts) {
        if let Err(why) = HostPattern::read(host) {
            let what = format!("each of `hosts` is {}: {why}", HostPattern::EXPECTED);
            return Err(LoadError::Manifest(what).into());
        }
    }
    Ok(())
}

fn next(known: Option<&Deployment>, step: Step, now: u64) -> Change<Deployment> {
    let Some(known) = known else {
        return match step {
            Step::Deploy(version) => Ok(Deployment::first(version, now)),
            Step::StartCanary(..)
            | Step::SetPercent(_)
            | Step::Promote
            | Step::RollBack
            | Step::Withdraw(_) => {
                let what = "no version of this bot was deployed yet: deploy one first";
                Err(ChangeError::InUse(what.to_owned()))
            }
        };
    };
    Ok(match step {
        Step::Deploy(version) => known.deploy(version, now)?,
        Step::StartCanary(version, percent) => known.start_canary(version, percent, now)?,
        Step::SetPercent(percent) => known.set_percent(percent)?,
        Step::Promote => known.promote(now)?,
        Step::RollBack => known.roll_back(now)?,
        Step::Withdraw(version) => known.withdraw(version, now)?,
    })
}

impl Tenancy {
    /// A bot of a tenant's.
    ///
    /// # Errors
    /// There is none.
    pub async fn bot(&self, tenant: &TenantId, bot: &BotId) -> Change<super::BotRecord> {
        let found = self.store(tenant).get(kind::BOT, bot.as_str()).await?;
        Ok(parsed(bot.as_str(), found.ok_or(ChangeError::NotFound)?)?)
    }

    /// A bot with versions of its own.
    async fn owned(&self, tenant: &TenantId, bot: &BotId) -> Change<()> {
        match self.bot(tenant, bot).await?.shared {
            None => Ok(()),
            Some(shared) => {
                let what = format!(
                    "`{bot}` runs the operator's bot `{shared}`, which has its versions there"
                );
                Err(ChangeError::InUse(what))
            }
        }
    }

    /// What drives conversations.
    pub fn work(&self) -> &Arc<Work> {
        &self.work
    }
}

#[cfg(test)]
mod tests {
    use botyard_kernel::deployment::canary::{self, Reason};
    use serde_json::json;

    use super::*;
    use crate::alerts::heard::Heard;
    use crate::app::scratch::{scratch, told_at};

    #[tokio::test]
    async fn whoever_has_a_worse_version_that_stays_hears_of_it() {
        let owner = Heard::start().await;
        let (app, _directory) = scratch("[egress]\nallow-loopback = true\n").await;
        told_at(&app, "acme", &owner.url()).await;
        // There is no such bot, so there is nothing to roll it back to.
        let deployed = app.work.registry().deployed(&"acme".into(), &"bot".into());
        let (version, before) = (Digest::of(b"new"), Digest::of(b"old"));
        let in_what = canary::Worse::Slow { new_us: 9, old_us: 1 };
        let reason = Reason { version, before, worse: in_what };
        app.tenancy.roll_back(&Worse { deployed, reason, revision: 1 }).await;
        let told = owner.next().await;
        assert_eq!((&told["type"], &told["data"]["bot"]), (&json!("version.worse"), &json!("bot")));
        assert_eq!(told["data"]["version"], version.to_string());
    }
}
