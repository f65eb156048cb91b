//! A webhook whose answer is not read yet, and perhaps never.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::wire::{ANSWER_WITHIN, Target};

/// What a slow reader takes at once.
const SLOW_BYTES: usize = 64;
/// A small window, so that a long answer does not fit into the system's buffers.
const RECEIVE_BYTES: u32 = 2_304;

/// A call that went out whole. Dropping it closes the connection.
#[derive(Debug)]
pub struct Held {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Held {
    /// Calls a webhook without waiting for its answer.
    ///
    /// # Errors
    ///
    /// The host cannot be reached.
    pub async fn send(to: impl Into<Target>, body: &[u8]) -> Result<Self> {
        let length = format!("content-length: {}", body.len());
        Self::begin(to, &length, body).await
    }

    /// As [`Held::send`], with a line of the head that says how the body comes,
    /// and what has come of it.
    ///
    /// # Errors
    ///
    /// As [`Held::send`].
    pub async fn begin(to: impl Into<Target>, how: &str, body: &[u8]) -> Result<Self> {
        let Target { method, url, headers } = to.into();
        let rest = url.strip_prefix("http://").with_context(|| {
            format!("`{url}` does not begin with http://: only plain connections are held")
        })?;
        let (authority, path) = rest.split_once('/').context("an address with a path")?;
        let mut stream = connect(authority).await?;
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!(
            "{method} /{path} HTTP/1.1\r\nhost: {authority}\r\n{headers}\
             content-type: application/json\r\n{how}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), body].concat()).await?;
        Ok(Self { stream, read: Vec::new() })
    }

    /// Waits for the answer's beginning for a while; whether it has come.
    ///
    /// # Errors
    ///
    /// The connection is broken.
    pub async fn is_answered_within(&mut self, time: Duration) -> Result<bool> {
        match tokio::time::timeout(time, self.stream.peek(&mut [0])).await {
            Ok(peeked) => Ok(peeked? > 0),
            // The last moment counts: between this look and the end of the
            // connection lies nothing that waits.
            Err(_) => match self.stream.try_read_buf(&mut self.read) {
                Ok(read) => Ok(read > 0),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(false),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Waits until so many bytes of the answer have come.
    ///
    /// # Errors
    ///
    /// They have not within half a minute.
    pub async fn read_some(&mut self, bytes: usize) -> Result<()> {
        let mut some = vec![0; bytes];
        let read = self.stream.read_exact(&mut some);
        tokio::time::timeout(ANSWER_WITHIN, read).await.context("no answer in time")??;
        self.read.extend(some);
        Ok(())
    }

    /// Waits for the answer: its status and its body.
    ///
    /// # Errors
    ///
    /// There is none within half a minute, or it breaks off.
    pub async fn answer(mut self) -> Result<(u16, String)> {
        tokio::time::timeout(ANSWER_WITHIN, self.stream.read_to_end(&mut self.read))
            .await
            .context("no answer in time")??;
        parse(self.read)
    }

    /// As [`Held::answer`], with a pause after every 64 bytes.
    ///
    /// # Errors
    ///
    /// As [`Held::answer`]; each 64 bytes have half a minute.
    pub async fn answer_slowly(mut self, pause: Duration) -> Result<(u16, String)> {
        let mut piece = [0; SLOW_BYTES];
        loop {
            let read = tokio::time::timeout(ANSWER_WITHIN, self.stream.read(&mut piece));
            let read = read.await.context("no answer in time")??;
            if read == 0 {
                return parse(self.read);
            }
            self.read.extend_from_slice(&piece[..read]);
            tokio::time::sleep(pause).await;
        }
    }
}

async fn connect(authority: &str) -> Result<TcpStream> {
    let named =
        if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
    let mut addresses = tokio::net::lookup_host(&named).await?;
    let address = addresses.next().with_context(|| format!("{named} has no address"))?;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_recv_buffer_size(RECEIVE_BYTES)?;
    Ok(socket.connect(address).await?)
}

fn parse(bytes: Vec<u8>) -> Result<(u16, String)> {
    let text = String::from_utf8(bytes)?;
    let (head, body) = text.split_once("\r\n\r\n").context("an answer without a head")?;
    let status = head.split(' ').nth(1).context("an answer without a status")?.parse()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    ensure!(length.is_none_or(|length| length == body.len()), "the answer broke off");
    Ok((status, body.to_owned()))
}
