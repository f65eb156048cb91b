//! What is known of a person goes.

use std::collections::BTreeSet;
use std::sync::Arc;

use botyard_kernel::id::{ChannelId, ConversationKey, TenantId};
use botyard_store::{Cause, Person, Stamp, StoreError};
use serde::{Deserialize, Serialize};

use super::{Change, ChangeError, Tenancy};
use crate::clock;

/// So many conversations of a person are looked for at once.
const SEARCHED: usize = 100;

/// Which person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    by: By,
    /// Only of this channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    channel: Option<ChannelId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum By {
    Email(String),
    Conversation(String),
}

impl Who {
    /// A person by either an address of e-mail or the vendor's own key of a conversation.
    pub fn new(
        email: Option<String>,
        conversation: Option<String>,
        channel: Option<ChannelId>,
    ) -> Option<Self> {
        let by = match (email, conversation) {
            (Some(email), None) => By::Email(email),
            (None, Some(key)) => By::Conversation(key),
            (Some(_), Some(_)) | (None, None) => return None,
        };
        Some(Self { by, channel })
    }

    fn person(&self) -> Person<'_> {
        match &self.by {
            By::Email(email) => Person::Email(email),
            By::Conversation(key) => Person::VendorKey(key),
        }
    }
}

impl Tenancy {
    /// At most so many conversations of a person.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn conversations_of(
        &self,
        tenant: &TenantId,
        who: &Who,
        most: usize,
    ) -> Result<Vec<ConversationKey>, StoreError> {
        let store = self.store(tenant);
        let found = store.person_conversations(who.channel.as_ref(), who.person(), most).await?;
        Ok(found.into_iter().map(|summary| summary.key).collect())
    }

    /// Erases all that is known of a person, and says so of each conversation. What was
    /// captured of webhooks is kept by channel and not by person: all of it goes, of each
    /// channel on which the person was. Cut off in the middle, it is done again.
    ///
    /// # Errors
    /// When the store, or the directory of what was captured, does not do it.
    pub async fn erase_person(
        &self,
        tenant: &TenantId,
        who: &Who,
        stamp: &Stamp,
        mut told: impl FnMut() + Send,
    ) -> Change<()> {
        let (store, mut all) = (self.store(tenant), BTreeSet::new());
        loop {
            let found = self.conversations_of(tenant, who, SEARCHED).await?;
            let mut channels: BTreeSet<_> = found.iter().map(|key| key.channel.clone()).collect();
            self.keep_own(tenant, &mut channels);
            all.extend(channels.iter().cloned());
            // Before, as the channels are not known any more afterwards.
            self.forget_captured(channels).await?;
            let mut erased = false;
            for key in found {
                let stamp = Stamp { at_ms: clock::now(), ..stamp.clone() };
                if store.erase(&key, Cause::Person, &stamp).await? {
                    erased = true;
                    told();
                }
            }
            if !erased {
                break;
            }
        }
        // What came meanwhile.
        self.forget_captured(all).await
    }

    /// Leaves out channels whose name is another tenant's by now.
    pub(super) fn keep_own(&self, tenant: &TenantId, channels: &mut BTreeSet<ChannelId>) {
        let is_own = |id: &ChannelId| self.work.channel(id).is_none_or(|it| it.tenant == *tenant);
        channels.retain(is_own);
    }

    async fn forget_captured(&self, channels: BTreeSet<ChannelId>) -> Change<()> {
        let captures = Arc::clone(&self.captures);
        let forget = move || channels.iter().try_for_each(|channel| captures.forget(channel));
        let done = tokio::task::spawn_blocking(forget).await.map_err(anyhow::Error::from);
        done.and_then(|done| done).map_err(ChangeError::Captured)
    }
}
