//! What goes with a bot.

use botyard_kernel::id::{BotId, TenantId};
use botyard_store::limits::CHANGES_MAX;
use botyard_store::{Change, ChangeTo, Stamp};

use super::Tenancy;
use super::records::{kind, version_name};

impl Tenancy {
    /// Takes away what a bot has, so that a later one of its name begins with nothing. Cut
    /// off, the bot is still there, and is taken away again.
    pub(super) async fn forget_bot(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        stamp: &Stamp,
    ) -> super::Change<()> {
        let store = self.store(tenant);
        self.bot(tenant, bot).await?;
        while store.forget_bot_values(bot).await? > 0 {}
        let gone = |kind: &str, name: String| {
            let kind = kind.to_owned();
            Change { kind, name, to: ChangeTo::Delete }
        };
        let deployment = self.deployment(&store, bot).await?;
        let (mut first, mut last) = (Vec::new(), vec![gone(kind::BOT, bot.to_string())]);
        let mut after = None::<String>;
        loop {
            let page = self.versions(tenant, bot, after.as_deref(), CHANGES_MAX).await?;
            after = page.last().map(|version| version.digest.to_string());
            for version in &page {
                let answers = deployment.as_ref().is_some_and(|it| it.current == version.digest);
                let version = gone(kind::VERSION, version_name(bot, &version.digest));
                if answers { last.push(version) } else { first.push(version) }
            }
            if page.len() < CHANGES_MAX {
                break;
            }
        }
        if deployment.is_some() {
            last.push(gone(kind::DEPLOYMENT, bot.to_string()));
        }
        for some in first.chunks(CHANGES_MAX).chain([last.as_slice()]) {
            store.change(some, stamp).await?;
            self.components.changed(tenant);
        }
        Ok(())
    }
}
