//! Whether what is configured for a bot is what its versions want: the schema of their
//! manifests.

use botyard_kernel::id::{BotId, Digest, TenantId};
use botyard_runtime::{ConfigFault, ConfigSchema, LoadError, Version};
use serde_json::{Map, Value};
use tokio::task::spawn_blocking;

use super::records::{BotRecord, VersionRecord, kind, named_secrets, version_name};
use super::stored::{owner, parsed};
use super::{Change, ChangeError, DefinedBot, Step, Tenancy};
use crate::config::ConfigError;

/// Of so many versions, the newest, it is asked whether they know a key that another one
/// does not.
const ASKED: usize = 8;

/// What is configured for a bot: texts, and which of them are secrets.
#[derive(Clone, Debug, Default)]
struct Configured {
    texts: Map<String, Value>,
    secrets: Vec<String>,
}

impl Configured {
    /// As it stands in settings. A secret is some text: nobody is told which by a refusal.
    fn of(settings: &Value) -> Self {
        let mut texts = settings.get("config").and_then(Value::as_object).cloned();
        let texts_of = texts.iter_mut().flatten();
        let named = texts_of.filter(|(_, value)| !named_secrets(value).is_empty());
        let secrets = named.map(|(key, value)| {
            *value = Value::String("a secret".to_owned());
            key.clone()
        });
        let secrets = secrets.collect();
        Self { texts: texts.unwrap_or_default(), secrets }
    }

    /// As it was read from the settings file.
    fn read(bot: &DefinedBot) -> Self {
        let hidden = |(_, text): &(&String, &String)| bot.settings.secrets.contains(text);
        let texts = bot.settings.config.iter();
        Self {
            secrets: texts.clone().filter(hidden).map(|(key, _)| key.clone()).collect(),
            texts: texts.map(|(key, text)| (key.clone(), Value::from(text.as_str()))).collect(),
        }
    }

    fn faults(&self, schema: Option<&Value>) -> Vec<ConfigFault> {
        // A version from before schemas were read at the upload may have none that is one.
        let Ok(schema) = ConfigSchema::read(schema) else { return Vec::new() };
        schema.faults(&self.texts, |key| self.secrets.iter().any(|secret| secret == key))
    }

    /// Whether it fits a version that names the keys which another one does not know. What
    /// that one does not know may in turn be the other's.
    fn named_by(&self, version: &VersionRecord, unknown: &[ConfigFault]) -> bool {
        let named = version.schema().and_then(|schema| schema.get("properties"));
        let names = |fault: &ConfigFault| {
            let key = fault.path.first();
            key.zip(named).is_some_and(|(key, named)| named.get(key).is_some())
        };
        let own = || self.faults(version.schema());
        unknown.iter().all(names) && own().iter().all(|fault| fault.unknown)
    }
}

impl VersionRecord {
    /// What its bot's configuration must be.
    fn schema(&self) -> Option<&Value> {
        self.manifest.as_ref()?.get("config")
    }
}

impl Tenancy {
    /// Fails where a bot would be configured otherwise than what answers wants: the version
    /// and the canary of its own, or of the operator's bot that it runs. What was so before
    /// is not this change's fault. Whoever offers a bot leaves its configuration to others.
    pub(super) async fn configured(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        record: &BotRecord,
    ) -> Change<()> {
        let config = |record: &BotRecord| record.settings.get("config").cloned();
        let same =
            |known: &BotRecord| known.shared == record.shared && config(known) == config(record);
        let known = self.bot(tenant, bot).await;
        if record.offered || known.is_ok_and(|known| same(&known)) {
            return Ok(());
        }
        let of = owner(tenant, bot, record);
        let Some(now) = self.work.registry().deployed(&of.0, &of.1).now() else { return Ok(()) };
        self.fits(&of, now.current, &record.settings).await?;
        match now.canary {
            None => Ok(()),
            Some(canary) => self.fits(&of, canary.version, &record.settings).await,
        }
    }

    /// Fails where a version that is to answer wants its bot configured otherwise. One that
    /// has answered before is always gone back to.
    pub(super) async fn version_fits(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        step: Step,
        next: Digest,
    ) -> Change<()> {
        let version = match step {
            Step::Deploy(version) | Step::StartCanary(version, _) => version,
            Step::Promote => next,
            Step::SetPercent(_) | Step::RollBack | Step::Withdraw(_) => return Ok(()),
        };
        let record = self.bot(tenant, bot).await?;
        if record.offered {
            return Ok(());
        }
        self.fits(&(tenant.clone(), bot.clone()), version, &record.settings).await
    }

    /// Tells the operator whose configuration of a shared bot does not fit what it now runs:
    /// it runs all the same, as nobody holds up the operator's deployment.
    pub(super) async fn tell_misfits(&self, tenant: &TenantId) -> Change<()> {
        let (records, _) = self.records(tenant).await?;
        for (bot, record) in records.bots.iter().filter(|(_, record)| record.shared.is_some()) {
            let of = owner(tenant, bot, record);
            let Some(now) = self.work.registry().deployed(&of.0, &of.1).now() else { continue };
            match self.fits(&of, now.current, &record.settings).await {
                Err(misfit @ ChangeError::Settings(_)) => {
                    tracing::warn!(%tenant, %bot, "the bot is configured wrongly: {misfit}");
                }
                other => other?,
            }
        }
        Ok(())
    }

    /// Tells what of the settings file does not fit the component beside it: the bot runs all
    /// the same, as it did before anybody looked.
    pub(super) fn tell_misfit(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        (defined, version): (&DefinedBot, &Version),
    ) {
        let schema = version.manifest().and_then(|manifest| manifest.config.as_ref());
        if let Err(why) = ConfigSchema::read(schema) {
            tracing::warn!(%tenant, %bot, "what is configured is not checked: {}", LoadError::Schema(why));
        }
        for fault in Configured::read(defined).faults(schema) {
            let misfit = misfit(version.digest(), &fault);
            tracing::warn!(%tenant, %bot, "the bot is configured wrongly: {misfit}");
        }
    }

    /// Whether settings fit a version. A key that it does not know is no fault where another
    /// version of the bot names it: else nobody could come from one to the other.
    async fn fits(&self, of: &(TenantId, BotId), version: Digest, settings: &Value) -> Change<()> {
        let config = Configured::of(settings);
        let name = version_name(&of.1, &version);
        let Some(found) = self.store(&of.0).get(kind::VERSION, &name).await? else {
            return Ok(());
        };
        let record: VersionRecord = parsed(&name, found)?;
        let own = config.clone();
        let faults = aside(move || own.faults(record.schema())).await?;
        let Some(fault) = faults.iter().min_by_key(|fault| fault.unknown) else { return Ok(()) };
        if fault.unknown {
            let (others, unknown) = (self.newest(of).await?, faults.clone());
            let named = move || others.iter().any(|other| config.named_by(other, &unknown));
            if aside(named).await? {
                return Ok(());
            }
        }
        Err(misfit(&version, fault).into())
    }

    /// The newest versions of a bot.
    async fn newest(&self, (owner, bot): &(TenantId, BotId)) -> Change<Vec<VersionRecord>> {
        let mut found = self.versions(owner, bot, None, usize::MAX).await?;
        found.sort_by_key(|version| std::cmp::Reverse(version.uploaded_ms));
        found.truncate(ASKED);
        Ok(found)
    }
}

/// A schema that is none is its author's to correct. Only an upload is held against that: a
/// version that was taken before goes on.
pub(super) async fn schema_can_be_read(version: &Version) -> Change<()> {
    let schema = version.manifest().and_then(|manifest| manifest.config.clone());
    match aside(move || ConfigSchema::read(schema.as_ref()).err()).await? {
        None => Ok(()),
        Some(why) => Err(LoadError::Schema(why).into()),
    }
}

/// Schemas are strangers' and may take their time: nobody else's requests wait for that.
async fn aside<T: Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> Change<T> {
    Ok(spawn_blocking(look).await.map_err(|error| LoadError::Host(error.to_string()))?)
}

fn misfit(version: &Digest, fault: &ConfigFault) -> ConfigError {
    let problem = format!(
        "does not fit what version {version} of the bot wants: {fault}; set it as the `config` \
         of its manifest says"
    );
    let key = [&["config".to_owned()], &fault.path[..]].concat().join(".");
    ConfigError::Key { key, source_name: None, problem }
}
