//! Tokens: who may use the management API, and for what. Only hashes are kept.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use botyard_kernel::access::token::TokenText;
use botyard_kernel::access::{Grant, OPERATOR, Scope, Texts};
use botyard_kernel::id::{BotId, Digest, TenantId};
use botyard_kernel::time::Millis;
use botyard_store::{Stamp, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::json;
use subtle::ConstantTimeEq as _;

use super::records::{SELF, TenantRecord, kind};
use super::stored::parsed;
use super::{Change, ChangeError, Tenancy};
use crate::clock;

/// A token, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// What it is good for.
    pub grant: Grant,
    /// The SHA-256 of its secret.
    pub hash: Digest,
    /// The secret before the last rotation, until the time is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// When it was made.
    pub created_ms: Millis,
    /// Who made it.
    pub created_by: String,
    /// When its secret was changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_ms: Option<Millis>,
}

/// An earlier secret that still counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Its SHA-256.
    pub hash: Digest,
    /// Until then.
    pub until_ms: Millis,
}

/// Who shows a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The token's id.
    pub id: String,
    /// What it is good for.
    pub grant: Grant,
}

/// All tokens of all tenants, in memory: each request shows one.
#[derive(Debug, Default)]
pub(super) struct Tokens(RwLock<HashMap<String, (TenantId, TokenRecord)>>);

impl Tokens {
    fn all(&self) -> RwLockReadGuard<'_, HashMap<String, (TenantId, TokenRecord)>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, HashMap<String, (TenantId, TokenRecord)>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tenancy {
    /// Whoever shows this text, if it is a token.
    pub fn holder(&self, text: &str) -> Option<Holder> {
        let text: TokenText = text.parse().ok()?;
        let (_, record) = self.tokens.all().get(text.id()).cloned()?;
        let given = text.secret_hash();
        let same = |hash: &Digest| bool::from(hash.as_bytes().ct_eq(given.as_bytes()));
        let now = clock::now();
        let before = record.before.filter(|before| now < before.until_ms);
        let known = same(&record.hash) | before.is_some_and(|before| same(&before.hash));
        known.then(|| Holder { id: text.id().to_owned(), grant: record.grant })
    }

    /// Whether a token is still there and its time is not over.
    pub fn is_good(&self, id: &str, now: Millis) -> bool {
        let all = self.tokens.all();
        let known = all.get(id).map(|(_, record)| &record.grant);
        known.is_some_and(|grant| grant.expires_ms.is_none_or(|at| now < at))
    }

    /// When a token got another secret last.
    pub fn rotated_ms(&self, id: &str) -> Option<Millis> {
        self.tokens.all().get(id).and_then(|(_, record)| record.rotated_ms)
    }

    /// Reads the tokens of all tenants.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn load_tokens(&self) -> Result<(), StoreError> {
        for (tenant, record) in self.host_store().list_all(kind::TOKEN).await? {
            if self.is_deleted(&tenant) {
                continue;
            }
            match parsed(&record.name, record.value) {
                Ok(known) => drop(self.tokens.change().insert(record.name, (tenant, known))),
                Err(error) => tracing::error!(%tenant, %error, "a token is good for nothing"),
            }
        }
        Ok(())
    }

    /// Tokens that end between now and then, with whose they are and when.
    pub(super) fn ending(&self, now: Millis, until: Millis) -> Vec<(TenantId, String, Millis)> {
        let all = self.tokens.all();
        let ending = all.iter().filter_map(|(id, (tenant, record))| {
            let at = record.grant.expires_ms.filter(|at| (now..until).contains(at))?;
            Some((tenant.clone(), id.clone(), at))
        });
        ending.collect()
    }

    /// The tokens of a tenant are good for nothing from now on.
    pub(super) fn forget_tokens(&self, tenant: &TenantId) {
        self.tokens.change().retain(|_, (owner, _)| owner != tenant);
    }

    /// Makes the operator's first token, where there is none yet. It is shown to whoever
    /// started the host, once.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn first_operator_token(&self) -> Change<Option<TokenText>> {
        let operator = |(_, record): &(TenantId, TokenRecord)| {
            record.grant.tenant.is_none() && record.grant.scope == Scope::Operator
        };
        if self.tokens.all().values().any(operator) {
            return Ok(None);
        }
        let grant = Grant {
            tenant: None,
            scope: Scope::Operator,
            bot: None,
            expires_ms: None,
            texts: Texts::Full,
        };
        let stamp = Stamp { at_ms: clock::now(), actor: "first start".to_owned() };
        // Its tokens are managed like those of others.
        let (own, made) = (TenantId::from(OPERATOR), TenantRecord::made_at(stamp.at_ms));
        let store = self.store(&own);
        store.replace(kind::TENANT, SELF, None, &json!(made), &stamp).await?;
        let label = Some("made at the first start".to_owned());
        let (text, _) = self.put_token(grant, label, &stamp).await?;
        Ok(Some(text))
    }

    /// Makes a token.
    ///
    /// # Errors
    /// The tenant has as many as it may, or the store cannot be written.
    pub async fn put_token(
        &self,
        grant: Grant,
        label: Option<String>,
        stamp: &Stamp,
    ) -> Change<(TokenText, TokenRecord)> {
        let tenant = grant.tenant.clone().unwrap_or_else(|| OPERATOR.into());
        let _turn = self.change(&tenant).await;
        // It may have gone meanwhile.
        self.tenant(&tenant).await?;
        self.room_for(&tenant, kind::TOKEN).await?;
        let text = TokenText::new(rand::random(), rand::random());
        let record = TokenRecord {
            hash: text.secret_hash(),
            before: None,
            label,
            created_ms: stamp.at_ms,
            created_by: stamp.actor.clone(),
            rotated_ms: None,
            grant,
        };
        self.keep_token(text.id(), &record, stamp).await?;
        Ok((text, record))
    }

    /// Gives a token another secret. The old one counts for so long yet.
    ///
    /// # Errors
    /// When there is no such token of the tenant's, or the store cannot be written.
    pub async fn rotate_token(
        &self,
        tenant: &TenantId,
        id: &str,
        overlap_ms: Millis,
        stamp: &Stamp,
    ) -> Change<(TokenText, TokenRecord)> {
        let _turn = self.change(tenant).await;
        let before = self.token(tenant, id).ok_or(ChangeError::NotFound)?;
        let fresh = TokenText::new(rand::random(), rand::random());
        let text: TokenText = format!("botyard_{id}_{}", &fresh.reveal()[25..])
            .parse()
            .map_err(|_| ChangeError::NotFound)?;
        let until_ms = stamp.at_ms.saturating_add(overlap_ms);
        let record = TokenRecord {
            before: (overlap_ms > 0).then_some(Before { hash: before.hash, until_ms }),
            hash: text.secret_hash(),
            rotated_ms: Some(stamp.at_ms),
            ..before
        };
        self.keep_token(id, &record, stamp).await?;
        Ok((text, record))
    }

    /// Takes a token away: it is good for nothing at once.
    ///
    /// # Errors
    /// As [`Tenancy::rotate_token`].
    pub async fn revoke_token(&self, tenant: &TenantId, id: &str, stamp: &Stamp) -> Change<()> {
        let _turn = self.change(tenant).await;
        self.revoke_in_turn(tenant, id, stamp).await
    }

    /// Takes away the tokens for one bot, for who has the tenant's turn: a later bot of its
    /// name is none of theirs.
    pub(super) async fn revoke_tokens_for(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        stamp: &Stamp,
    ) -> Change<()> {
        for (id, record) in self.tokens_of(tenant) {
            if record.grant.bot.as_ref() == Some(bot) {
                self.revoke_in_turn(tenant, &id, stamp).await?;
            }
        }
        Ok(())
    }

    async fn revoke_in_turn(&self, tenant: &TenantId, id: &str, stamp: &Stamp) -> Change<()> {
        self.token(tenant, id).ok_or(ChangeError::NotFound)?;
        match self.store(tenant).delete(kind::TOKEN, id, stamp).await {
            // It was taken away by half before.
            Ok(()) | Err(StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
        self.tokens.change().remove(id);
        Ok(())
    }

    /// A token of a tenant's.
    pub fn token(&self, tenant: &TenantId, id: &str) -> Option<TokenRecord> {
        let all = self.tokens.all();
        let (owner, record) = all.get(id)?;
        (owner == tenant).then(|| record.clone())
    }

    /// The tokens of a tenant, by id.
    pub fn tokens_of(&self, tenant: &TenantId) -> Vec<(String, TokenRecord)> {
        let all = self.tokens.all();
        let own = all.iter().filter(|(_, (owner, _))| owner == tenant);
        let mut own: Vec<_> = own.map(|(id, (_, record))| (id.clone(), record.clone())).collect();
        own.sort_by(|(one, _), (other, _)| one.cmp(other));
        own
    }

    async fn keep_token(
        &self,
        id: &str,
        record: &TokenRecord,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        let tenant = record.grant.tenant.clone().unwrap_or_else(|| OPERATOR.into());
        self.store(&tenant).put(kind::TOKEN, id, &json!(record), stamp).await?;
        self.tokens.change().insert(id.to_owned(), (tenant, record.clone()));
        Ok(())
    }
}
