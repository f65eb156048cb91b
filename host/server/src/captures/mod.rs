//! Webhooks as they came, kept for a while on an operator's word: to see what a vendor
//! really sends. Each is sealed like a secret, for persons' words stand in it.

mod shown;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, anyhow, bail};
use botyard_kernel::id::{ChannelId, TenantId};
use botyard_kernel::time::{HOUR, MINUTE, Millis};
use serde::{Deserialize, Serialize};

use crate::envelope::{Envelope, Sealed};
pub use shown::{body, headers, place};

/// A capture ends by itself after at most so long.
pub const CAPTURE_MS_MAX: Millis = HOUR;
/// And after at least so long.
pub const CAPTURE_MS_MIN: Millis = MINUTE / 6;
/// Of a channel at most so many bytes of webhooks that were taken are kept, sealed.
const TAKEN_BYTES_MAX: u64 = 16 << 20;
/// And so many of those that were refused: anybody can send them.
const REFUSED_BYTES_MAX: u64 = 1 << 20;

/// A webhook as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// When (Unix milliseconds).
    pub at_ms: Millis,
    /// The method.
    pub method: String,
    /// What stood behind the channel's name in the path: a secret may stand there, which
    /// is left out.
    pub rest: String,
    /// The query, as `rest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The headers; of most of them only the names.
    pub headers: Vec<(String, String)>,
    /// The body, where it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body in base64, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// What the host made of it: `events`, `ignored`, `challenge`, or why not.
    pub became: String,
}

/// Whether the host took a webhook: each kind has a file and a bound of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It came from the vendor.
    Taken,
    /// Anybody may have sent it.
    Refused,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Taken, Self::Refused];

    fn bytes_max(self) -> u64 {
        match self {
            Self::Taken => TAKEN_BYTES_MAX,
            Self::Refused => REFUSED_BYTES_MAX,
        }
    }
}

/// The captures of a host.
#[derive(Debug)]
pub struct Captures {
    directory: PathBuf,
    /// Whose webhooks are kept. A host that starts again keeps none.
    running: Mutex<HashMap<ChannelId, Running>>,
    /// Held by whoever is at the files, so that nothing is kept behind a deletion.
    files: Mutex<()>,
}

/// A capture that runs.
#[derive(Clone, Copy, Debug)]
struct Running {
    until_ms: Millis,
    /// There is no more room for webhooks that are refused.
    refused_full: bool,
}

impl Captures {
    /// Captures in the store's directory.
    pub fn new(store: &Path) -> Self {
        let directory = store.join("captures");
        Self { directory, running: Mutex::default(), files: Mutex::default() }
    }

    /// Keeps the webhooks of a channel from now on until then.
    pub fn begin(&self, channel: &ChannelId, until_ms: Millis) {
        self.running().insert(channel.clone(), Running { until_ms, refused_full: false });
    }

    /// Whether a webhook that comes now is kept.
    pub fn wants(&self, channel: &ChannelId, kind: Kind, now: Millis) -> bool {
        let mut running = self.running();
        let Some(capture) = running.get(channel) else { return false };
        if now >= capture.until_ms {
            running.remove(channel);
            return false;
        }
        kind == Kind::Taken || !capture.refused_full
    }

    /// Keeps a webhook, unless the capture has ended since it came.
    ///
    /// # Errors
    /// It cannot be written, or there is no more room. The capture has ended then, but for
    /// webhooks that are refused: of those it only keeps no more.
    pub fn keep(
        &self,
        envelope: &Envelope,
        (tenant, channel): (&TenantId, &ChannelId),
        kind: Kind,
        captured: &Captured,
    ) -> anyhow::Result<()> {
        let text = serde_json::to_string(captured)?;
        let sealed = envelope.seal(tenant, &sealed_as(channel), &text);
        let line = format!("{}\n", serde_json::to_string(&sealed)?);
        let _files = self.files();
        if !self.wants(channel, kind, captured.at_ms) {
            return Ok(());
        }
        let written = self.write(channel, kind, &line);
        if written.is_err() {
            let mut running = self.running();
            match kind {
                Kind::Taken => drop(running.remove(channel)),
                Kind::Refused => {
                    running.entry(channel.clone()).and_modify(|it| it.refused_full = true);
                }
            }
        }
        written
    }

    fn write(&self, channel: &ChannelId, kind: Kind, line: &str) -> anyhow::Result<()> {
        fs::create_dir_all(&self.directory).context("there is no place for captures")?;
        let path = self.path(channel, kind);
        let mut file: File = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        if file.metadata()?.len() + line.len() as u64 > kind.bytes_max() {
            let full = match kind {
                Kind::Taken => "the capture is full",
                Kind::Refused => "the capture keeps no more webhooks that are refused",
            };
            bail!(
                "{full}: look at it and delete it with `botyard channel captured {channel} --delete`"
            );
        }
        file.write_all(line.as_bytes())?;
        Ok(())
    }

    /// What was kept of a channel, the oldest first.
    ///
    /// # Errors
    /// It cannot be read, or was sealed with another key.
    pub fn read(
        &self,
        envelope: &Envelope,
        tenant: &TenantId,
        channel: &ChannelId,
    ) -> anyhow::Result<Vec<Captured>> {
        let _files = self.files();
        let texts = self.texts(channel).context("the capture cannot be read")?;
        opened(envelope, tenant, channel, &texts).context("the capture cannot be read")
    }

    /// What was kept of a channel, the oldest first. It is forgotten, whether it can be
    /// opened or not, and nothing more is kept. Where its files cannot be read, which may
    /// pass, nothing happens.
    ///
    /// # Errors
    /// As [`Captures::read`], and when it cannot be deleted.
    pub fn take(
        &self,
        envelope: &Envelope,
        tenant: &TenantId,
        channel: &ChannelId,
    ) -> anyhow::Result<Vec<Captured>> {
        let _files = self.files();
        let texts = self.texts(channel);
        let texts =
            texts.context("the capture cannot be read, so nothing is deleted: try again")?;
        let kept = opened(envelope, tenant, channel, &texts);
        self.running().remove(channel);
        for kind in Kind::ALL {
            let path = self.path(channel, kind);
            let deleted = absent_is(fs::remove_file(&path), || ());
            deleted.with_context(|| format!("{} cannot be deleted", path.display()))?;
        }
        // Why it could not be opened tells how to mend that, and it is too late.
        kept.map_err(|_| {
            anyhow!(
                "the capture is deleted, and nobody has seen it: it was sealed with another key \
                 of the host's, or was damaged"
            )
        })
    }

    /// The files, which need not be text any more.
    fn texts(&self, channel: &ChannelId) -> io::Result<Vec<String>> {
        let read = |kind| absent_is(fs::read(self.path(channel, kind)), Vec::new);
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Kind::ALL.into_iter().map(|kind| read(kind).map(text)).collect()
    }

    /// No name of a channel has a dot.
    fn path(&self, channel: &ChannelId, kind: Kind) -> PathBuf {
        self.directory.join(match kind {
            Kind::Taken => format!("{channel}.jsonl"),
            Kind::Refused => format!("{channel}.refused.jsonl"),
        })
    }

    fn running(&self) -> MutexGuard<'_, HashMap<ChannelId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn files(&self) -> MutexGuard<'_, ()> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What stands in these files, the oldest first.
fn opened(
    envelope: &Envelope,
    tenant: &TenantId,
    channel: &ChannelId,
    texts: &[String],
) -> anyhow::Result<Vec<Captured>> {
    let place = sealed_as(channel);
    let open = |line: &str| {
        // The last line may be torn, where the host died.
        let sealed: Sealed = serde_json::from_str(line).ok()?;
        let opened = envelope.open(tenant, &place, &sealed).map_err(anyhow::Error::from);
        Some(opened.and_then(|text| Ok(serde_json::from_str(&text)?)))
    };
    let lines = texts.iter().flat_map(|text| text.lines());
    let mut kept = lines.filter_map(open).collect::<anyhow::Result<Vec<Captured>>>()?;
    kept.sort_by_key(|captured| captured.at_ms);
    Ok(kept)
}

fn sealed_as(channel: &ChannelId) -> String {
    format!("capture/{channel}")
}

/// What came of a file, where a file that is not there is no error.
fn absent_is<T>(done: io::Result<T>, absent: impl FnOnce() -> T) -> io::Result<T> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(absent()),
        done => done,
    }
}
