//! How a deployment is written down: apart from what is computed with, so that either
//! can change without the other. A field may be added where its absence has a meaning;
//! any other change is a new form.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Canary, Deployment};
use crate::id::Digest;
use crate::time::Millis;

/// The number of this form.
const VERSION: u32 = 1;

/// Form 1 of [`Deployment`].
#[derive(Serialize, Deserialize)]
pub(super) struct Form {
    v: u32,
    current: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    canary: Option<Canary>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    withdrawn: BTreeSet<Digest>,
    answered: Vec<Digest>,
    deployed_ms: Millis,
    revision: u64,
}

/// A newer host wrote it.
#[derive(Debug, thiserror::Error)]
#[error(
    "the deployment has form {0}, this host reads form {VERSION}: start a host at least as new as \
     the one that wrote it"
)]
pub(super) struct UnknownForm(u32);

impl From<Deployment> for Form {
    fn from(deployment: Deployment) -> Self {
        let Deployment { current, previous, canary, .. } = deployment;
        let Deployment { withdrawn, answered, deployed_ms, revision, .. } = deployment;
        Self { v: VERSION, current, previous, canary, withdrawn, answered, deployed_ms, revision }
    }
}

impl TryFrom<Form> for Deployment {
    type Error = UnknownForm;

    fn try_from(form: Form) -> Result<Self, UnknownForm> {
        let Form { v, current, previous, canary, withdrawn, answered, deployed_ms, revision } =
            form;
        if v != VERSION {
            return Err(UnknownForm(v));
        }
        Ok(Self { current, previous, canary, withdrawn, answered, deployed_ms, revision })
    }
}
