//! Webhooks as they came, kept for a while on an operator's word: to see what a vendor
//! really sends. Each is sealed like a secret, for persons' words stand in it.

use std::collections::HashMap;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use botyard_kernel::id::ChannelId;
use botyard_kernel::time::{HOUR, MINUTE, Millis};
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::envelope::{Envelope, Sealed};

/// A capture ends by itself after at most so long.
pub const CAPTURE_MS_MAX: Millis = HOUR;
/// And after at least so long.
pub const CAPTURE_MS_MIN: Millis = MINUTE / 6;
/// Of a channel at most so many bytes are kept, sealed.
const BYTES_MAX: u64 = 16 << 20;
/// Words in the names of headers whose values are left out: they may open doors.
const SECRET_WORDS: [&str; 6] = ["authorization", "token", "secret", "api-key", "apikey", "cookie"];

/// Words of a path or a query that are at least as long are left out.
const SECRET_LENGTH: usize = 14;

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
    /// The headers; values that may open doors are left out.
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

/// The captures of a host.
#[derive(Debug)]
pub struct Captures {
    directory: PathBuf,
    /// Until when each channel's webhooks are kept. A host that starts again keeps none.
    running: Mutex<HashMap<ChannelId, Millis>>,
}

impl Captures {
    /// Captures in the store's directory.
    pub fn new(store: &Path) -> Self {
        Self { directory: store.join("captures"), running: Mutex::default() }
    }

    /// Keeps the webhooks of a channel from now on until then.
    pub fn begin(&self, channel: &ChannelId, until_ms: Millis) {
        self.running().insert(channel.clone(), until_ms);
    }

    /// Whether the webhooks of a channel are kept now.
    pub fn runs(&self, channel: &ChannelId, now: Millis) -> bool {
        let mut running = self.running();
        let runs = running.get(channel).is_some_and(|until| now < *until);
        if !runs {
            running.remove(channel);
        }
        runs
    }

    /// Keeps a webhook.
    ///
    /// # Errors
    /// It cannot be written, or there is no more room; the capture has ended then.
    pub fn keep(
        &self,
        envelope: &Envelope,
        channel: &Channel,
        captured: &Captured,
    ) -> anyhow::Result<()> {
        let written = self.write(envelope, channel, captured);
        if written.is_err() {
            self.running().remove(&channel.id);
        }
        written
    }

    fn write(
        &self,
        envelope: &Envelope,
        channel: &Channel,
        captured: &Captured,
    ) -> anyhow::Result<()> {
        let path = self.path(&channel.id);
        std::fs::create_dir_all(&self.directory).context("there is no place for captures")?;
        let kept = std::fs::metadata(&path).map_or(0, |file| file.len());
        ensure!(
            kept < BYTES_MAX,
            "the capture is full: look at it and delete it with `botyard channel captured {} \
             --delete`",
            channel.id
        );
        let text = serde_json::to_string(captured)?;
        let sealed = envelope.seal(&channel.tenant, &sealed_as(&channel.id), &text);
        let line = format!("{}\n", serde_json::to_string(&sealed)?);
        let mut file =
            std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
        file.write_all(line.as_bytes())?;
        Ok(())
    }

    /// What was kept of a channel, the oldest first.
    ///
    /// # Errors
    /// It cannot be read, or was sealed with another key.
    pub fn read(&self, envelope: &Envelope, channel: &Channel) -> anyhow::Result<Vec<Captured>> {
        let text = match std::fs::read_to_string(self.path(&channel.id)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            read => read?,
        };
        let open = |line: &str| {
            // The last line may be torn, where the host died.
            let sealed: Sealed = serde_json::from_str(line).ok()?;
            let opened = envelope.open(&channel.tenant, &sealed_as(&channel.id), &sealed);
            let read = |text: String| Ok(serde_json::from_str(&text)?);
            Some(opened.map_err(anyhow::Error::from).and_then(read))
        };
        text.lines().filter_map(open).collect()
    }

    /// Forgets what was kept of a channel, and keeps nothing more.
    ///
    /// # Errors
    /// It cannot be deleted.
    pub fn delete(&self, channel: &ChannelId) -> anyhow::Result<()> {
        self.running().remove(channel);
        match std::fs::remove_file(self.path(channel)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn path(&self, channel: &ChannelId) -> PathBuf {
        self.directory.join(format!("{channel}.jsonl"))
    }

    fn running(&self) -> MutexGuard<'_, HashMap<ChannelId, Millis>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sealed_as(channel: &ChannelId) -> String {
    format!("capture/{channel}")
}

/// A body as text, or in base64 where it is none.
pub fn body(bytes: &[u8]) -> (Option<String>, Option<String>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (Some(text.to_owned()), None),
        Err(_) => (None, Some(BASE64_STANDARD.encode(bytes))),
    }
}

/// A path or a query as it may be kept: vendors that show no header show a secret
/// there, and secrets are long.
pub fn place(text: &str) -> String {
    let mut kept = String::new();
    for part in text.split_inclusive(['/', '&', '=']) {
        let word = part.trim_end_matches(['/', '&', '=']);
        let end = &part[word.len()..];
        kept.push_str(if word.len() < SECRET_LENGTH { word } else { "(left out)" });
        kept.push_str(end);
    }
    kept
}

/// Headers as they may be kept.
pub fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = |name: &str, value: &http::HeaderValue| {
        if SECRET_WORDS.iter().any(|word| name.contains(word)) {
            return "(left out)".to_owned();
        }
        String::from_utf8_lossy(value.as_bytes()).into_owned()
    };
    headers.iter().map(|(name, value)| (name.to_string(), shown(name.as_str(), value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_doors_is_left_out() {
        let mut given = HeaderMap::new();
        given.insert("x-hub-signature-256", "sha256=00".parse().unwrap());
        given.insert("api-security-token", "canary".parse().unwrap());
        given.insert("Authorization", "Basic canary".parse().unwrap());
        let kept = headers(&given);
        assert!(kept.iter().all(|(_, value)| !value.contains("canary")), "{kept:?}");
        assert!(kept.contains(&("x-hub-signature-256".to_owned(), "sha256=00".to_owned())));
        assert_eq!(body(b"{}"), (Some("{}".to_owned()), None));
        assert_eq!(body(&[0xff]), (None, Some("/w==".to_owned())));
    }

    #[test]
    fn long_words_of_an_address_are_left_out() {
        assert_eq!(place("text/welcome"), "text/welcome");
        assert_eq!(place("tickets/canary-secret-of-tickets"), "tickets/(left out)");
        let query = "hub.mode=subscribe&hub.verify_token=canary-verify-token&a=";
        assert_eq!(place(query), "hub.mode=subscribe&(left out)=(left out)&a=");
        assert_eq!(place(""), "");
    }

    #[test]
    fn a_capture_ends_by_itself() {
        let captures = Captures::new(Path::new("/nowhere"));
        let channel = ChannelId::from("chat");
        assert!(!captures.runs(&channel, 5));
        captures.begin(&channel, 10);
        assert!(captures.runs(&channel, 9) && !captures.runs(&channel, 10));
        assert!(!captures.runs(&channel, 9), "a clock that goes back begins nothing");
    }
}
