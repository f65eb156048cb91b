//! A tenant's conversations as lists, and their erasure.

use botyard_kernel::id::{BotId, ChannelId, ConversationKey};
use botyard_kernel::log::{Arrival, Seq, Turn};
use botyard_kernel::time::Millis;

use super::TenantStore;
use crate::{BotTurn, Cause, Place, Stamp, StoreError, Summary, Which};

/// By what a person is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person<'a> {
    /// The vendor's own key of the conversation, exactly.
    VendorKey(&'a str),
    /// An address of e-mail; see [`crate::Log::with_email`].
    Email(&'a str),
}

impl TenantStore {
    /// See [`crate::Archive::channels`].
    pub async fn channels(&self) -> Result<Vec<ChannelId>, StoreError> {
        self.store.log.channels(&self.tenant).await
    }

    /// See [`crate::Archive::conversations`].
    pub async fn conversations(
        &self,
        which: Which<'_>,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<(Summary, Place)>, StoreError> {
        self.store.log.conversations(&self.tenant, which, after, limit).await
    }

    /// See [`crate::Archive::summary`].
    pub async fn summary(&self, key: &ConversationKey) -> Result<Option<Summary>, StoreError> {
        self.log(key)?.summary(key).await
    }

    /// At most `limit` conversations of a person in a channel, or in all of them.
    pub async fn person_conversations(
        &self,
        channel: Option<&ChannelId>,
        person: Person<'_>,
        limit: usize,
    ) -> Result<Vec<Summary>, StoreError> {
        let channels = match channel {
            Some(channel) => vec![channel.clone()],
            None => self.channels().await?,
        };
        let mut found = Vec::new();
        for channel in channels {
            let keys = match person {
                Person::Email(email) => self.with_email(&channel, email, limit).await?,
                Person::VendorKey(vendor_key) => {
                    let (tenant, vendor_key) = (self.tenant.clone(), vendor_key.to_owned());
                    vec![ConversationKey { tenant, channel, vendor_key }]
                }
            };
            for key in keys {
                found.extend(self.summary(&key).await?);
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// See [`crate::Archive::turns`].
    pub async fn turns(
        &self,
        key: &ConversationKey,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<(Seq, Turn)>, StoreError> {
        self.log(key)?.turns(key, after, limit).await
    }

    /// See [`crate::Archive::accepted_at`].
    pub async fn accepted_at(
        &self,
        places: &[(ConversationKey, Seq)],
    ) -> Result<Vec<Option<Arrival>>, StoreError> {
        for (key, _) in places {
            self.log(key)?;
        }
        self.store.log.accepted_at(places).await
    }

    /// See [`crate::Archive::bot_turns`].
    pub async fn bot_turns(
        &self,
        bot: &BotId,
        since_ms: Millis,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<BotTurn>, StoreError> {
        self.store.log.bot_turns(&self.tenant, bot, since_ms, after, limit).await
    }

    /// See [`crate::Archive::bot_news`].
    pub async fn bot_news(
        &self,
        bot: &BotId,
        after: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<BotTurn>, u64), StoreError> {
        self.store.log.bot_news(&self.tenant, bot, after, limit).await
    }

    /// See [`crate::Archive::erase`].
    pub async fn erase(
        &self,
        key: &ConversationKey,
        cause: Cause,
        stamp: &Stamp,
    ) -> Result<bool, StoreError> {
        self.log(key)?.erase(key, cause, stamp).await
    }

    /// See [`crate::Archive::sweep`].
    pub async fn sweep(
        &self,
        older_than_ms: Millis,
        limit: usize,
        stamp: &Stamp,
    ) -> Result<usize, StoreError> {
        self.store.log.sweep(&self.tenant, older_than_ms, limit, stamp).await
    }

    /// See [`crate::Archive::forget_values`].
    pub async fn forget_bot_values(&self, bot: &BotId) -> Result<usize, StoreError> {
        self.store.log.forget_values(&self.tenant, bot).await
    }

    /// See [`crate::Archive::trim`].
    pub async fn trim(&self, older_than_ms: Millis, limit: usize) -> Result<usize, StoreError> {
        self.store.log.trim(&self.tenant, older_than_ms, limit).await
    }
}
