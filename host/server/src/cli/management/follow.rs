//! The log of a bot, followed as it comes, also over connections that break.

use std::io::{self, ErrorKind, Write as _};
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use http::StatusCode;
use http::header::HeaderName;
use http_body_util::BodyExt as _;
use lru::LruCache;
use serde_json::Value;
use sse_stream::{Sse, SseStream};

use super::bot::turn_in_words;
use super::{Answered, Api, AsItComes, Refused, good};
use crate::admin::client::Unreachable;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// A host says every 15 s that it is there: one that is silent for longer is not.
const SILENT_MAX: Duration = Duration::from_secs(45);
/// How long until it is tried again, the first time and at most.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
const AGAIN_AFTER_MAX: Duration = Duration::from_secs(10);
/// So many turns of the past are known again when they come as new ones, too: those that
/// were printed last.
const PAST_MAX: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();

type Events = Pin<Box<SseStream<AsItComes>>>;

/// What a host says to whoever wants to follow.
enum Opened {
    Events(Events),
    Refused(Answered),
}

/// Prints the turns of a bot, whose path is given, as they come, until somebody ends it;
/// before them those from a time on, if one is named (Unix milliseconds).
pub(super) async fn follow(api: &Api, bot: String, since_ms: Option<u64>) -> anyhow::Result<()> {
    let past = LruCache::new(PAST_MAX);
    let mut follower = Follower { api, bot, after: None, past };
    let followed = tokio::select! {
        followed = follower.follow(since_ms) => followed,
        // Who follows ends it so: nothing is wrong.
        _ = tokio::signal::ctrl_c() => return Ok(()),
    };
    match followed {
        // Whoever reads has seen enough.
        Err(error) if is_left(&error) => Ok(()),
        other => other,
    }
}

struct Follower<'a> {
    api: &'a Api,
    /// The path of the bot.
    bot: String,
    /// What came last.
    after: Option<String>,
    /// Turns that were printed of the past: what was committed since the log is followed
    /// comes as new, too, however late its events were.
    past: LruCache<String, ()>,
}

impl Follower<'_> {
    async fn follow(&mut self, since_ms: Option<u64>) -> anyhow::Result<()> {
        let mut events = match self.open().await? {
            Opened::Events(events) => events,
            Opened::Refused(answered) => return good(answered).map(drop),
        };
        // Whatever comes from now on is told as new, so nothing is missed in between.
        if let Some(since_ms) = since_ms {
            self.print_past(since_ms).await?;
        }
        loop {
            match events.next().await {
                Some(Ok(event)) => self.heard(event)?,
                Some(Err(_)) | None => events = self.open_again().await?,
            }
        }
    }

    /// Prints what there is from a time on, page by page; a host that goes away meanwhile is
    /// waited for.
    async fn print_past(&mut self, since_ms: u64) -> anyhow::Result<()> {
        let path = format!("{}/logs?since_ms={since_ms}", self.bot);
        let (mut after, mut patience) = (None, Patience::new());
        loop {
            let (turns, next) = match self.api.page(&path, after.as_deref()).await {
                Ok(page) => page,
                Err(error) if is_away(&error) => {
                    patience.wait(&format!("{error:#}")).await?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            patience = Patience::new();
            for turn in turns {
                self.print(&turn)?;
                self.past.put(place(&turn), ());
            }
            after = next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    fn heard(&mut self, Sse { event, data, id, .. }: Sse) -> anyhow::Result<()> {
        if event.as_deref() == Some("turn") {
            let turn = serde_json::from_str(&data.unwrap_or_default())
                .context("the host says something else: is it of this version?")?;
            if self.past.pop(&place(&turn)).is_none() {
                self.print(&turn)?;
            }
        }
        if self.after.is_none() && id.is_some() {
            // Whoever has heard where the log is misses nothing from now on.
            writeln!(io::stderr(), "the log is followed from here; Ctrl-C ends it")?;
        }
        self.after = id.or_else(|| self.after.take());
        Ok(())
    }

    /// Goes on where the connection broke, as soon as the host is there. What is refused and
    /// does not end by itself ends the log.
    async fn open_again(&self) -> anyhow::Result<Events> {
        let mut patience = Patience::new();
        tokio::time::sleep(AGAIN_AFTER).await;
        loop {
            let problem = match self.open().await {
                Ok(Opened::Events(events)) => return Ok(events),
                Ok(Opened::Refused(answered)) if !may_end(answered.status) => {
                    return Err(ended(answered));
                }
                Ok(Opened::Refused(Answered { status, .. })) => format!("it answers {status}"),
                Err(error) => format!("{error:#}"),
            };
            patience.wait(&problem).await?;
        }
    }

    async fn open(&self) -> anyhow::Result<Opened> {
        let path = format!("/v1{}/logs/live", self.bot);
        let after = self.after.iter().map(|after| (LAST_EVENT_ID, after.as_str()));
        let headers: Vec<_> = after.collect();
        let (parts, body) = self.api.open(&path, &headers, SILENT_MAX).await?.into_parts();
        let status = parts.status;
        if status.is_success() {
            return Ok(Opened::Events(Box::pin(SseStream::new(body))));
        }
        let text = body.collect().await?.to_bytes();
        let body = serde_json::from_slice(&text).unwrap_or_default();
        Ok(Opened::Refused(Answered { status, body }))
    }

    fn print(&self, turn: &Value) -> anyhow::Result<()> {
        let text = if self.api.local.json { format!("{turn}\n") } else { turn_in_words(turn) };
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        Ok(())
    }
}

/// With a host that is away: it is said once, and the pauses grow.
struct Patience {
    pause: Duration,
    told: bool,
}

impl Patience {
    fn new() -> Self {
        Self { pause: AGAIN_AFTER, told: false }
    }

    async fn wait(&mut self, problem: &str) -> anyhow::Result<()> {
        if !self.told {
            // Not among the lines, which a program may read.
            writeln!(io::stderr(), "the host is away ({problem}); it is tried again")?;
            self.told = true;
        }
        tokio::time::sleep(self.pause).await;
        self.pause = AGAIN_AFTER_MAX.min(self.pause * 2);
        Ok(())
    }
}

/// Whether what went wrong may be another time.
fn is_away(error: &anyhow::Error) -> bool {
    let refused = error.downcast_ref::<Refused>();
    let may_end = refused.is_some_and(|refused| may_end(refused.status));
    may_end || error.downcast_ref::<Unreachable>().is_some()
}

/// Whether somebody else may be let in later where this is answered.
fn may_end(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

fn ended(answered: Answered) -> anyhow::Error {
    let unauthorized = answered.status == StatusCode::UNAUTHORIZED;
    let why = if unauthorized {
        "the token is good for nothing any more, so the log ends here"
    } else {
        "the log ends here"
    };
    match good(answered) {
        Ok(_) => anyhow::Error::msg(why),
        Err(error) => error.context(why),
    }
}

/// Tells a turn from all others of its bot.
fn place(turn: &Value) -> String {
    format!("{} {} {}", turn["channel"], turn["conversation"], turn["seq"])
}

fn is_left(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_is_away_is_waited_for_and_one_that_refuses_is_not() {
        let refused = |status| Refused { status, why: "no".to_owned() }.into();
        assert!(is_away(&refused(StatusCode::SERVICE_UNAVAILABLE)));
        assert!(is_away(&refused(StatusCode::TOO_MANY_REQUESTS)));
        assert!(!is_away(&refused(StatusCode::NOT_FOUND)));
        let (url, error) = ("http://h".to_owned(), "refused".to_owned());
        assert!(is_away(&Unreachable::Elsewhere { url, error }.into()));
        assert!(!is_away(&anyhow::anyhow!("something else")));
    }
}
