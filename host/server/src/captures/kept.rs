//! A captured webhook as it lies on the disk: sealed, but for what the host must know
//! to let go of it.

use botyard_kernel::id::{ChannelId, TenantId};
use botyard_kernel::time::{DAY, Millis};
use serde::{Deserialize, Serialize};

use super::Captured;
use crate::envelope::{Envelope, Sealed};

/// So long is it kept.
const KEPT_MS: Millis = DAY;

/// A line of a file.
#[derive(Serialize, Deserialize)]
pub(super) struct Line {
    at_ms: Millis,
    /// Whose channel it was: the settings may have lost it meanwhile.
    pub(super) tenant: TenantId,
    sealed: Sealed,
}

impl Line {
    /// The line of a webhook, with its end.
    pub(super) fn seal(
        envelope: &Envelope,
        (tenant, channel): (&TenantId, &ChannelId),
        captured: &Captured,
    ) -> anyhow::Result<String> {
        let text = serde_json::to_string(captured)?;
        let sealed = envelope.seal(tenant, &sealed_as(channel), &text);
        let line = Self { at_ms: captured.at_ms, tenant: tenant.clone(), sealed };
        Ok(serde_json::to_string(&line)? + "\n")
    }

    /// Absent where it is none.
    pub(super) fn read(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    /// Opens it for this tenant, whatever the line itself says.
    pub(super) fn open(
        &self,
        envelope: &Envelope,
        tenant: &TenantId,
        channel: &ChannelId,
    ) -> anyhow::Result<Captured> {
        let text = envelope.open(tenant, &sealed_as(channel), &self.sealed)?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Whether it stays. What comes from another time is from a clock that was wrong.
    pub(super) fn is_young(&self, now: Millis) -> bool {
        now.abs_diff(self.at_ms) <= KEPT_MS
    }
}

fn sealed_as(channel: &ChannelId) -> String {
    format!("capture/{channel}")
}
