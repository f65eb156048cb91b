//! Webhooks as they came, kept for a while on an operator's word: to see what a vendor
//! really sends. Each is sealed like a secret, for persons' words stand in it.

mod kept;
mod shown;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use botyard_kernel::id::{ChannelId, TenantId};
use botyard_kernel::time::{HOUR, MINUTE, Millis};
use serde::{Deserialize, Serialize};

use self::kept::Line;
pub use self::kept::Shown;
use crate::clock;
use crate::envelope::Envelope;
pub use shown::{body, headers, place, query};

/// A capture ends by itself after at most so long.
pub const CAPTURE_MS_MAX: Millis = HOUR;
/// And after at least so long.
pub const CAPTURE_MS_MIN: Millis = MINUTE / 6;
/// Of a channel at most so many bytes of webhooks that were taken are kept, sealed.
const TAKEN_BYTES_MAX: u64 = 16 << 20;
/// And so many of those that were refused: anybody can send them.
const REFUSED_BYTES_MAX: u64 = 1 << 20;
/// What has lain for a day is looked for so often.
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
/// How a file is called while another one takes its place.
const SCRATCH: &str = "sweep.tmp";

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
    /// The query, as `rest`, and without what the vendor's secrets are called by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The headers; of most of them only the names.
    pub headers: Vec<(String, String)>,
    /// The body, where it is text, without the secrets that the vendor's bodies hold.
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
    pub fn new(store: &Path) -> Arc<Self> {
        let directory = store.join("captures");
        Arc::new(Self { directory, running: Mutex::default(), files: Mutex::default() })
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
        let line = Line::seal(envelope, (tenant, channel), captured)?;
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
        let mut file: File = private().read(true).append(true).open(path)?;
        let size = file.metadata()?.len();
        if size + line.len() as u64 > kind.bytes_max() {
            let full = match kind {
                Kind::Taken => "the capture is full",
                Kind::Refused => "the capture keeps no more webhooks that are refused",
            };
            bail!(
                "{full}: look at it and delete it with `botyard channel captured {channel} --delete`"
            );
        }
        if size > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                // The last line was torn, where the host died: this one is no part of it.
                file.write_all(b"\n")?;
            }
        }
        file.write_all(line.as_bytes())?;
        Ok(())
    }

    /// What was kept of a channel.
    ///
    /// # Errors
    /// It cannot be read, or all of it was sealed with another key.
    pub fn read(
        &self,
        envelope: &Envelope,
        tenant: &TenantId,
        channel: &ChannelId,
    ) -> anyhow::Result<Shown> {
        let (_files, kept) =
            self.opened(envelope, tenant, channel).context("the capture cannot be read")?;
        kept.context("the capture cannot be read")
    }

    /// What was kept of a channel. It is forgotten, with what cannot be shown, whether it can be
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
    ) -> anyhow::Result<Shown> {
        let (_files, kept) = self
            .opened(envelope, tenant, channel)
            .context("the capture cannot be read, so nothing is deleted: try again")?;
        self.running().remove(channel);
        self.delete(channel)?;
        // Why it could not be opened tells how to mend that, and it is too late.
        kept.map_err(|_| {
            anyhow!(
                "the capture is deleted, and nobody has seen it: it was sealed with another key \
                 of the host's, or was damaged"
            )
        })
    }

    /// Forgets what was kept of a channel so far. What is to be captured of it still is.
    ///
    /// # Errors
    /// It cannot be deleted.
    pub fn forget(&self, channel: &ChannelId) -> anyhow::Result<()> {
        let _files = self.files();
        self.delete(channel)
    }

    /// Forgets what was kept of a channel, unseen, and keeps nothing more of it.
    ///
    /// # Errors
    /// It cannot be deleted.
    pub fn end(&self, channel: &ChannelId) -> anyhow::Result<()> {
        let _files = self.files();
        self.running().remove(channel);
        self.delete(channel)
    }

    fn delete(&self, channel: &ChannelId) -> anyhow::Result<()> {
        for kind in Kind::ALL {
            let path = self.path(channel, kind);
            let deleted = absent_is(fs::remove_file(&path), || ());
            deleted.with_context(|| format!("{} cannot be deleted", path.display()))?;
        }
        Ok(())
    }

    /// Whose channel it was, of a name that the settings may have lost meanwhile; absent
    /// where nothing is kept.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn owner(&self, channel: &ChannelId) -> io::Result<Option<TenantId>> {
        // Others are no names of channels, but may be those of other files.
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if !channel.0.bytes().all(letter) {
            return Ok(None);
        }
        let _files = self.files();
        let texts = self.texts(channel)?;
        Ok(texts.iter().flat_map(|text| text.lines()).find_map(Line::read).map(|it| it.tenant))
    }

    /// What is kept of each channel, in bytes.
    ///
    /// # Errors
    /// The files cannot be listed.
    pub fn sizes(&self) -> io::Result<HashMap<ChannelId, u64>> {
        let _files = self.files();
        let mut sizes = HashMap::new();
        let found = absent_is(fs::read_dir(&self.directory).map(Some), || None)?;
        for file in found.into_iter().flatten() {
            let file = file?;
            // No name of a channel has a dot.
            let name = file.file_name().to_string_lossy().into_owned();
            if let Some((channel, _)) = name.split_once('.')
                && name != SCRATCH
            {
                *sizes.entry(ChannelId(channel.to_owned())).or_default() += file.metadata()?.len();
            }
        }
        Ok(sizes)
    }

    /// Deletes what was kept more than a day ago, and what nobody knows the age of. The
    /// answer is how many webhooks that were.
    ///
    /// # Errors
    /// The files cannot be listed. One that cannot be read or written is told and left.
    pub fn forget_old(&self, now: Millis) -> io::Result<usize> {
        let _files = self.files();
        let Some(found) = absent_is(fs::read_dir(&self.directory).map(Some), || None)? else {
            return Ok(0);
        };
        let mut forgotten = 0;
        for file in found {
            let path = file?.path();
            match self.forget_old_of(&path, now) {
                Ok(count) => forgotten += count,
                Err(error) => {
                    let path = path.display();
                    tracing::warn!(%path, %error, "old captured webhooks cannot be deleted");
                }
            }
        }
        Ok(forgotten)
    }

    fn forget_old_of(&self, path: &Path, now: Millis) -> io::Result<usize> {
        let scratch = self.directory.join(SCRATCH);
        if path == scratch {
            fs::remove_file(path)?;
            return Ok(0);
        }
        let text = text(fs::read(path)?);
        let is_young = |line: &&str| Line::read(line).is_some_and(|line| line.is_young(now));
        let (young, old): (Vec<&str>, Vec<&str>) = text.lines().partition(is_young);
        if young.is_empty() {
            fs::remove_file(path)?;
        } else if !old.is_empty() {
            let mut file = private().truncate(true).open(&scratch)?;
            file.write_all((young.join("\n") + "\n").as_bytes())?;
            file.sync_all()?;
            fs::rename(&scratch, path)?;
        }
        Ok(old.len())
    }

    /// Holds the files, and opens what stands in them.
    fn opened(
        &self,
        envelope: &Envelope,
        tenant: &TenantId,
        channel: &ChannelId,
    ) -> io::Result<(MutexGuard<'_, ()>, anyhow::Result<Shown>)> {
        let files = self.files();
        let texts = self.texts(channel)?;
        // The last line may be torn, where the host died.
        let lines = texts.iter().flat_map(|text| text.lines()).filter_map(Line::read);
        let kept = Shown::of(lines, envelope, tenant, channel);
        Ok((files, kept))
    }

    fn texts(&self, channel: &ChannelId) -> io::Result<Vec<String>> {
        let read = |kind| absent_is(fs::read(self.path(channel, kind)), Vec::new);
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

/// Deletes what is old, now and from time to time, for as long as there are captures.
pub async fn sweep(captures: Weak<Captures>) {
    loop {
        let Some(captures) = captures.upgrade() else { return };
        let forget = move || captures.forget_old(clock::now());
        match tokio::task::spawn_blocking(forget).await.unwrap_or_else(|it| Err(it.into())) {
            Ok(0) => {}
            Ok(webhooks) => {
                tracing::info!(webhooks, "captured webhooks have lain for a day and are deleted");
            }
            Err(error) => tracing::warn!(%error, "old captured webhooks cannot be deleted"),
        }
        tokio::time::sleep(SWEEP_EVERY).await;
    }
}

/// Opens files that nobody else can read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).write(true).mode(0o600);
    options
}

/// A file, which need not be text any more.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|it| String::from_utf8_lossy(it.as_bytes()).into_owned())
}

/// What came of a file, where a file that is not there is no error.
fn absent_is<T>(done: io::Result<T>, absent: impl FnOnce() -> T) -> io::Result<T> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(absent()),
        done => done,
    }
}
