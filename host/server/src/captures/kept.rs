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

/// What was kept of a channel, as far as it can be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The webhooks, the oldest first.
    pub webhooks: Vec<Captured>,
    /// So many more came for other tenants, who had a channel of this name before.
    pub of_others: usize,
    /// So many more were sealed with another key of the host's, or are damaged.
    pub unreadable: usize,
}

impl Shown {
    /// What of these lines is this tenant's. One that cannot be opened stands in no
    /// other's way; why not is told where that is so of all.
    pub(super) fn of(
        lines: impl Iterator<Item = Line>,
        envelope: &Envelope,
        tenant: &TenantId,
        channel: &ChannelId,
    ) -> anyhow::Result<Self> {
        let (mut shown, mut failed) = (Self::default(), None);
        for line in lines {
            if line.tenant != *tenant {
                shown.of_others += 1;
                continue;
            }
            match line.open(envelope, tenant, channel) {
                Ok(captured) => shown.webhooks.push(captured),
                Err(error) => {
                    shown.unreadable += 1;
                    failed = Some(error);
                }
            }
        }
        shown.webhooks.sort_by_key(|captured| captured.at_ms);
        match failed {
            Some(error) if shown.webhooks.is_empty() => Err(error),
            Some(_) | None => Ok(shown),
        }
    }
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
