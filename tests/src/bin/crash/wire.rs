//! A plain HTTP client that keeps its connection and knows exactly what came of a
//! request: a whole answer, or not.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A host that takes longer counts as gone.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// What came of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// An answer was read to its end.
    Whole { status: u16, body: Vec<u8> },
    /// The host cannot be reached, or the connection ended before a whole answer.
    Broken,
}

/// A connection that is made when it is needed.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    open: Option<(SocketAddr, TcpStream)>,
}

impl Wire {
    /// Sends a request. With `leaves`, nothing more is sent after so long, which a
    /// host takes for a client that is gone; what it has written by then, and only
    /// that, is still read. So both sides agree on whether the answer went out.
    pub(crate) async fn post(
        &mut self,
        address: SocketAddr,
        request: &[u8],
        leaves: Option<Duration>,
    ) -> Outcome {
        let kept = self.open.take().filter(|(known, _)| *known == address && leaves.is_none());
        let stream = match kept {
            Some((_, stream)) => Ok(stream),
            None => TcpStream::connect(address).await,
        };
        let Ok(mut stream) = stream else { return Outcome::Broken };
        // Small writes must not wait for each other.
        stream.set_nodelay(true).ok();
        let exchange = async {
            stream.write_all(request).await.ok()?;
            if let Some(pause) = leaves {
                tokio::time::sleep(pause).await;
                stream.shutdown().await.ok();
            }
            answer(&mut stream).await
        };
        let answered = tokio::time::timeout(ANSWER_WITHIN, exchange).await;
        match answered.ok().flatten() {
            Some((status, body)) => {
                if leaves.is_none() {
                    self.open = Some((address, stream));
                }
                Outcome::Whole { status, body }
            }
            None => Outcome::Broken,
        }
    }
}

/// A whole answer, or nothing.
async fn answer(stream: &mut TcpStream) -> Option<(u16, Vec<u8>)> {
    let mut bytes = Vec::with_capacity(4_096);
    loop {
        if let Some(head) = end_of_head(&bytes) {
            let text = std::str::from_utf8(&bytes[..head]).ok()?;
            let status = text.split(' ').nth(1)?.parse().ok()?;
            let length = content_length(text);
            if bytes.len() >= head + length {
                return Some((status, bytes[head..head + length].to_vec()));
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

fn content_length(head: &str) -> usize {
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    length.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";
        assert_eq!(end_of_head(answer), Some(answer.len() - 2));
        assert_eq!(content_length("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), 2);
        assert_eq!(content_length("HTTP/1.1 204 No Content\r\n\r\n"), 0);
    }
}
