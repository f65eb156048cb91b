//! The command line's side of the socket.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::Value;
use tokio::net::UnixStream;

use super::protocol::Problem;

/// Compiling a bot and copying a store take their time.
const ANSWER_WITHIN: Duration = Duration::from_secs(3_600);
/// Answers are lists of at most a few thousand lines.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// No host can be spoken with.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// Nobody is there.
    #[error(
        "no host takes commands on {}: start it with `botyard serve`, or name its settings with \
         --config or its socket with --socket", .0.display()
    )]
    NoHost(PathBuf),
    /// It is another user's.
    #[error(
        "{} belongs to another user: give the command as the user that runs the host", .0.display()
    )]
    NotOurs(PathBuf),
    /// It is on another machine, or is meant to be.
    #[error("no host answers at {url}: {error}; look at the address")]
    Elsewhere {
        /// Its address.
        url: String,
        /// What.
        error: String,
    },
    /// Something else is wrong with it.
    #[error("no host can be spoken with on {}: {error}", path.display())]
    Broken {
        /// Where.
        path: PathBuf,
        /// What.
        error: io::Error,
    },
}

impl Unreachable {
    fn at(path: &Path, error: io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => Self::NoHost(path),
            ErrorKind::PermissionDenied => Self::NotOurs(path),
            _ => Self::Broken { path, error },
        }
    }
}

/// Gives a command and waits for what it came to.
///
/// # Errors
/// [`Unreachable`], or what the host says is wrong with the command.
pub async fn command(
    socket: &Path,
    method: Method,
    path: &str,
    body: Option<&impl Serialize>,
) -> anyhow::Result<Value> {
    let body = body.map(serde_json::to_vec).transpose()?.map(Bytes::from);
    let json = [(CONTENT_TYPE, "application/json")];
    let (status, body) = talk(socket, method, path, &json, body).await?;
    if status.is_success() {
        return serde_json::from_slice(&body).context("the answer of the host is no JSON");
    }
    match serde_json::from_slice::<Problem>(&body) {
        Ok(Problem { problem }) => bail!("{problem}"),
        Err(_) => bail!("the host answers {status}: is it of this version?"),
    }
}

/// Sends a request and answers what comes back, as it comes.
///
/// # Errors
/// [`Unreachable`], or a host that breaks off.
pub async fn open(
    socket: &Path,
    method: Method,
    path: &str,
    headers: &[(HeaderName, &str)],
    body: Option<Bytes>,
) -> anyhow::Result<Response<Incoming>> {
    let stream = UnixStream::connect(socket).await;
    let stream = stream.map_err(|error| Unreachable::at(socket, error))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer, and its errors are those of the answer.
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header(HOST, "botyard");
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let request = request.body(Full::new(body.unwrap_or_default()))?;
    Ok(sender.send_request(request).await?)
}

/// Sends a request and waits for its answer, whatever it is.
///
/// # Errors
/// [`Unreachable`], or a host that breaks off.
pub async fn talk(
    socket: &Path,
    method: Method,
    path: &str,
    headers: &[(HeaderName, &str)],
    body: Option<Bytes>,
) -> anyhow::Result<(StatusCode, Bytes)> {
    let talk = async {
        let answer = open(socket, method, path, headers, body).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
        anyhow::Ok((status, body))
    };
    let answered = tokio::time::timeout(ANSWER_WITHIN, talk)
        .await
        .context("the host does not answer: its log may say why")?;
    answered.map_err(|error| match error.is::<Unreachable>() {
        true => error,
        false => error.context("the host broke off: its log may say why"),
    })
}
