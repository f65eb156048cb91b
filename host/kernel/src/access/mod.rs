//! Who may do what: scopes, permissions, and what a token is good for.
//!
//! A token belongs to one tenant, or to the operator and reaches all of them. What it
//! does not reach looks to it as if it were not there.

pub mod redact;
pub mod token;

use serde::{Deserialize, Serialize};

use crate::id::{BotId, TenantId};
use crate::time::Millis;

/// The tenant of the operator's own objects: shared bots, and the host itself.
pub const OPERATOR: &str = "operator";

/// How much a token may do. Each scope includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Look.
    Read,
    /// Bring versions of bots into use.
    Deploy,
    /// Run a tenant: its channels, secrets, tokens, people.
    Admin,
    /// Run the host: tenants, quotas, policy.
    Operator,
}

impl Scope {
    /// All of them, the smallest first.
    pub const ALL: [Self; 4] = [Self::Read, Self::Deploy, Self::Admin, Self::Operator];

    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Deploy => "deploy",
            Self::Admin => "admin",
            Self::Operator => "operator",
        }
    }
}

/// Something that a token may be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// See objects: bots, channels, deployments, turns without what people said.
    ReadObjects,
    /// See what people said and were told, and what bots wrote into their logs.
    ReadTexts,
    /// Upload a version.
    Upload,
    /// Try a version; nothing is sent.
    Try,
    /// Deploy, start and promote a canary, roll back, withdraw.
    Deploy,
    /// Speak into a conversation as one of the tenant's own systems.
    Signal,
    /// Send dead letters again.
    Redrive,
    /// Pause and resume a bot or a channel.
    Pause,
    /// Let a bot have what it wishes for.
    ApproveGrants,
    /// Create, configure and delete bots.
    ManageBots,
    /// Create, change and delete channels and external bots.
    ManageChannels,
    /// Write and delete secrets; nobody reads them.
    ManageSecrets,
    /// Create, rotate and revoke tokens.
    ManageTokens,
    /// Answer people at the host's desk.
    Answer,
    /// Export and erase what is known of a person.
    ManagePeople,
    /// Read the audit rows.
    ReadAudit,
    /// Lower the tenant's own limits, and set how long things are kept.
    LowerLimits,
    /// Raise limits.
    RaiseLimits,
    /// Create, change and delete tenants; import and export them.
    ManageTenants,
    /// Policy, backups, precompiling, resuming delivery: the host as a whole.
    ManageHost,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::ReadObjects,
        Self::ReadTexts,
        Self::Upload,
        Self::Try,
        Self::Deploy,
        Self::Signal,
        Self::Redrive,
        Self::Pause,
        Self::ApproveGrants,
        Self::ManageBots,
        Self::ManageChannels,
        Self::ManageSecrets,
        Self::ManageTokens,
        Self::Answer,
        Self::ManagePeople,
        Self::ReadAudit,
        Self::LowerLimits,
        Self::RaiseLimits,
        Self::ManageTenants,
        Self::ManageHost,
    ];

    /// The smallest scope that has it: the table of who may do what.
    pub fn needs(self) -> Scope {
        match self {
            Self::ReadObjects | Self::ReadTexts => Scope::Read,
            Self::Upload
            | Self::Try
            | Self::Deploy
            | Self::Signal
            | Self::Redrive
            | Self::Pause => Scope::Deploy,
            Self::ApproveGrants
            | Self::ManageBots
            | Self::ManageChannels
            | Self::ManageSecrets
            | Self::ManageTokens
            | Self::Answer
            | Self::ManagePeople
            | Self::ReadAudit
            | Self::LowerLimits => Scope::Admin,
            Self::RaiseLimits | Self::ManageTenants | Self::ManageHost => Scope::Operator,
        }
    }
}

/// What a token shows of people's texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Texts {
    /// Their lengths; see [`redact`].
    #[default]
    Redacted,
    /// The texts themselves.
    Full,
}

/// What a token is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Whose objects it reaches; absent for all of them, which only the scope
    /// `operator` has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// What may be done with them.
    pub scope: Scope,
    /// It reaches this bot and nothing else of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<BotId>,
    /// From then on it is good for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<Millis>,
    /// What it shows of people's texts.
    #[serde(default)]
    pub texts: Texts,
}

/// Why something is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The token's time is over (401).
    #[error("the token has expired: ask whoever gave it to you for another one")]
    Expired,
    /// It is another tenant's or another bot's, or is not there: nobody learns which (404).
    #[error("there is no such object, or the token does not reach it: look at its name")]
    NotFound,
    /// The token's scope is too small (403).
    #[error("the token's scope is too small: ask for one with the scope `{}`", needs.name())]
    Forbidden {
        /// The smallest scope that would do.
        needs: Scope,
    },
    /// The token shows no texts (403, or the texts redacted).
    #[error("the token shows no people's texts: ask for one that does (`texts: full`)")]
    Redacted,
}

impl Grant {
    /// Whether something may be done now with an object of a tenant's: one of a bot's, or
    /// one that belongs to no bot. The host's own objects are those of [`OPERATOR`].
    ///
    /// # Errors
    /// Why not. What the token does not reach is told before what it may not do.
    pub fn permits(
        &self,
        permission: Permission,
        tenant: &TenantId,
        bot: Option<&BotId>,
        now: Millis,
    ) -> Result<(), Denied> {
        if self.expires_ms.is_some_and(|at| at <= now) {
            return Err(Denied::Expired);
        }
        if !self.reaches(tenant, bot) {
            return Err(Denied::NotFound);
        }
        if self.scope < permission.needs() {
            return Err(Denied::Forbidden { needs: permission.needs() });
        }
        if permission == Permission::ReadTexts && self.texts == Texts::Redacted {
            return Err(Denied::Redacted);
        }
        Ok(())
    }

    /// Whether a token that is good for this may make one that is good for `other`:
    /// nobody gives away more than they have. A new one may live longer, or nobody
    /// could rotate theirs.
    pub fn includes(&self, other: &Self) -> bool {
        let tenant = match (&self.tenant, &other.tenant) {
            (None, None) => self.scope == Scope::Operator,
            (None, Some(tenant)) => self.reaches(tenant, other.bot.as_ref()),
            (Some(_), None) => false,
            (Some(own), Some(tenant)) => own == tenant,
        };
        let bot = self.bot.is_none() || self.bot == other.bot;
        tenant && bot && self.scope >= other.scope && self.texts >= other.texts
    }

    fn reaches(&self, tenant: &TenantId, bot: Option<&BotId>) -> bool {
        let whose = match &self.tenant {
            Some(own) => own == tenant,
            None => self.scope == Scope::Operator,
        };
        whose && self.bot.as_ref().is_none_or(|own| bot == Some(own))
    }
}

#[cfg(test)]
mod tests;
