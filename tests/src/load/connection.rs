//! Connections that stay open, and just enough of HTTP/1 for the host's answers.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// Userlike's webhook of a channel.
#[derive(Clone, Debug)]
pub struct Target {
    /// The path of the webhook.
    pub path: String,
    /// What the header `API-SECURITY-TOKEN` carries.
    pub secret: String,
    /// Distinguishes the conversations of this target from others'.
    pub name: String,
}

/// What the host answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The header `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
}

/// Connections to a host, as many as there are requests at the same time.
#[derive(Debug)]
pub struct Connections {
    address: SocketAddr,
    idle: Mutex<Vec<TcpStream>>,
    room: Semaphore,
}

impl Target {
    /// A whole request: a message of a person. The number makes it another message than
    /// the one before with the same text, and no redelivery of it.
    pub fn message(&self, conversation: usize, number: usize, text: &str) -> Vec<u8> {
        let body = serde_json::json!({
            "number": number,
            "info": {
                "approach_mode": "normal",
                "cid": format!("chatbot::612:{}-{conversation}", self.name),
                "contact": { "id": conversation, "name": "", "email": "" },
                "context": {},
                "conversation": {
                    "id": conversation,
                    "locale": "en",
                    "contact_channel": { "state": "valid", "type": "web" },
                },
            },
            "packet": { "name": "message", "payload": { "body": text } },
        })
        .to_string();
        let (path, secret, length) = (&self.path, &self.secret, body.len());
        format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             api-security-token: {secret}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

impl Connections {
    /// At most so many connections to a host, whose URL has no path.
    ///
    /// # Errors
    ///
    /// The URL is none of this machine's.
    pub fn new(url: &str, most: usize) -> Result<Self> {
        let address = url.strip_prefix("http://").context("no http URL")?.parse()?;
        Ok(Self { address, idle: Mutex::default(), room: Semaphore::new(most) })
    }

    /// Sends a request as it is and reads the answer to its end. Waits where all
    /// connections are in use.
    ///
    /// # Errors
    ///
    /// The connection broke, or the answer is none.
    pub async fn send(&self, request: &[u8]) -> Result<Answer> {
        let _place = self.room.acquire().await?;
        loop {
            let idle = self.idle().pop();
            let (mut stream, used) = match idle {
                Some(stream) => (stream, true),
                None => (self.connect().await?, false),
            };
            let answered = exchange(&mut stream, request).await;
            let (answer, stays_open) = match answered {
                Ok(answered) => answered,
                // The host closes connections that were idle for long.
                Err(_) if used => continue,
                Err(error) => return Err(error),
            };
            if stays_open {
                self.idle().push(stream);
            }
            return Ok(answer);
        }
    }

    async fn connect(&self) -> Result<TcpStream> {
        let stream = TcpStream::connect(self.address).await.context("the host takes nobody")?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<TcpStream>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends and reads; says whether the connection can be used again.
async fn exchange(stream: &mut TcpStream, request: &[u8]) -> Result<(Answer, bool)> {
    stream.write_all(request).await?;
    let mut read = Vec::with_capacity(1_024);
    let head = loop {
        if let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut read).await? == 0 {
            bail!("the connection was closed before there was an answer");
        }
    };
    let text = std::str::from_utf8(&read[..head]).context("a head that is no text")?;
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.with_context(|| format!("an answer without a status: {text}"))?;
    let header = |name: &str| {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        let mut found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.trim().to_owned())
    };
    let length: usize = header("content-length").context("no content-length")?.parse()?;
    let retry_after = header("retry-after").and_then(|seconds| seconds.parse().ok());
    let stays_open = header("connection").is_none_or(|value| value != "close");
    while read.len() < head + length {
        if stream.read_buf(&mut read).await? == 0 {
            bail!("the answer broke off");
        }
    }
    Ok((Answer { status, retry_after }, stays_open))
}
