//! Which versions of a bot answer, for all that run it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use botyard_kernel::deployment::canary::{Reason, Watch};
use botyard_kernel::deployment::{Deployment, Pinned};
use botyard_kernel::id::{BotId, ConversationKey, Digest, TenantId};
use botyard_kernel::log::Outcome;
use botyard_kernel::time::Millis;

/// Which versions of a bot answer. Tenants that run a bot of the operator's share one.
pub struct Deployed {
    /// Whose the bot is.
    pub owner: TenantId,
    /// Its name there.
    pub bot: BotId,
    now: RwLock<Option<Arc<Deployment>>>,
    watch: Mutex<Watched>,
}

#[derive(Default)]
struct Watched {
    watch: Watch,
    /// The deployment whose end was asked for: once is enough.
    told: u64,
}

impl fmt::Debug for Deployed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deployed")
            .field("owner", &self.owner)
            .field("bot", &self.bot)
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}

impl Deployed {
    /// Of a bot that no version was deployed of yet.
    pub fn nothing(owner: TenantId, bot: BotId) -> Self {
        Self { owner, bot, now: RwLock::default(), watch: Mutex::default() }
    }

    /// The deployment; absent where no version was ever deployed.
    pub fn now(&self) -> Option<Arc<Deployment>> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on this deployment holds.
    pub fn set(&self, deployment: Deployment) {
        let deployment = Some(Arc::new(deployment));
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = deployment;
    }

    /// The version that runs; absent where none was deployed.
    pub fn version_for(
        &self,
        pinned: Option<Pinned>,
        key: &ConversationKey,
        now: Millis,
    ) -> Option<Digest> {
        Some(self.now()?.version_for(pinned, &self.bot, key, now))
    }

    /// Notes how a turn of a tenant that runs the bot ended. Answers why the newest change is to be rolled back, if it
    /// is, with the revision that is: once for each change. `others_run_it` says whether
    /// tenants besides this one run the bot.
    pub fn note(
        &self,
        tenant: &TenantId,
        (outcome, took_us): (&Outcome, u64),
        others_run_it: impl Fn(&TenantId) -> bool,
        now: Millis,
    ) -> Option<(Reason, u64)> {
        let deployment = self.now()?;
        let mut watched = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        watched.watch.note(&deployment, tenant, outcome, took_us);
        if watched.told == deployment.revision {
            return None;
        }
        let reason = watched.watch.verdict(&deployment, &self.owner, others_run_it, now)?;
        watched.told = deployment.revision;
        Some((reason, deployment.revision))
    }
}
