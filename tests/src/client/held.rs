//! A webhook whose answer is not read yet, and perhaps never.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::userlike::Webhook;

const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// A call that went out whole. Dropping it closes the connection.
#[derive(Debug)]
pub struct Held {
    stream: TcpStream,
}

impl Held {
    /// Calls a webhook without waiting for its answer.
    ///
    /// # Errors
    ///
    /// The host cannot be reached.
    pub async fn send(webhook: &Webhook, body: &[u8]) -> Result<Self> {
        let length = format!("content-length: {}", body.len());
        Self::begin(webhook, &length, body).await
    }

    /// As [`Held::send`], with a line of the head that says how the body comes,
    /// and what has come of it.
    ///
    /// # Errors
    ///
    /// As [`Held::send`].
    pub async fn begin(webhook: &Webhook, how: &str, body: &[u8]) -> Result<Self> {
        let rest = webhook.url.strip_prefix("http://").context("a plain address")?;
        let (authority, path) = rest.split_once('/').context("an address with a path")?;
        let mut stream = TcpStream::connect(authority).await?;
        let header = webhook.header.as_ref();
        let header = header.map(|(name, value)| format!("{name}: {value}\r\n")).unwrap_or_default();
        let head = format!(
            "POST /{path} HTTP/1.1\r\nhost: {authority}\r\n{header}{how}\r\n\
             connection: close\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), body].concat()).await?;
        Ok(Self { stream })
    }

    /// Waits for the answer: its status and its body.
    ///
    /// # Errors
    ///
    /// There is none within half a minute, or it breaks off.
    pub async fn answer(mut self) -> Result<(u16, String)> {
        let mut bytes = Vec::new();
        tokio::time::timeout(ANSWER_WITHIN, self.stream.read_to_end(&mut bytes))
            .await
            .context("no answer in time")??;
        let text = String::from_utf8(bytes)?;
        let (head, body) = text.split_once("\r\n\r\n").context("an answer without a head")?;
        let status = head.split(' ').nth(1).context("an answer without a status")?.parse()?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>().ok())?
        });
        ensure!(length.is_none_or(|length| length == body.len()), "the answer broke off");
        Ok((status, body.to_owned()))
    }
}
