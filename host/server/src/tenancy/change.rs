//! Why something of a tenant is not changed.

use botyard_kernel::deployment::Refusal;
use botyard_runtime::LoadError;
use botyard_store::StoreError;

use super::Unfit;
use crate::config::ConfigError;
use crate::registry::VersionError;

/// A change, or why it was not made.
pub type Change<T> = Result<T, ChangeError>;

/// Why something of a tenant is not changed. Nothing was.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It is not there.
    #[error("there is no such object: look at its name")]
    NotFound,
    /// Something of this name is there already.
    #[error("{0} is there already: change that one, or take another name")]
    Exists(String),
    /// Another channel of the host has this name, which a stranger is told no more of.
    #[error(
        "the name `{0}` is taken: it stands in the webhook URL, so no two channels of this host \
         have the same. Take another, such as one that begins with the tenant's own name"
    )]
    NameTaken(String),
    /// The settings file says it.
    #[error(
        "the tenant `{0}` is in the settings file of the host: change it there, and start the \
         host again"
    )]
    InSettings(String),
    /// Something else needs it.
    #[error("{0}")]
    InUse(String),
    /// It is no name.
    #[error("`{0}` is no name: use 1 to 63 characters, a-z, 0-9 and `-`, which is not the first")]
    BadName(String),
    /// What is to be set is wrong.
    #[error(transparent)]
    Settings(#[from] ConfigError),
    /// What is to be set cannot run.
    #[error("{0}")]
    Unfit(#[from] Unfit),
    /// The component cannot be taken.
    #[error("{0}")]
    Component(#[from] LoadError),
    /// The deployment cannot be changed so.
    #[error("{0}")]
    Deployment(#[from] Refusal),
    /// Somebody else changed it meanwhile.
    #[error("somebody else has changed it meanwhile: look at it again and repeat what is missing")]
    Stale,
    /// The bot wishes for what nobody has granted.
    #[error("{0}")]
    Pending(String),
    /// Whoever wants it may not.
    #[error("{0}")]
    Forbidden(String),
    /// The operator has stopped it.
    #[error("{0}")]
    PausedByOperator(String),
    /// What was captured of webhooks is still there.
    #[error("what was captured of webhooks cannot be deleted: {0:#}")]
    Captured(anyhow::Error),
    /// More than may be.
    #[error("{0}")]
    TooMany(String),
    /// The store does not do it.
    #[error("the store does not do it: {0}")]
    Store(#[from] StoreError),
}

impl From<VersionError> for ChangeError {
    fn from(error: VersionError) -> Self {
        match error {
            // Whoever has the component can do something about it.
            VersionError::Gone(_) => Self::InUse(error.to_string()),
            VersionError::Store(error) => Self::Store(error),
            // It was good when it was uploaded.
            VersionError::Load(error) => Self::Component(LoadError::Host(error.to_string())),
        }
    }
}
