//! The log of a bot, followed as it comes, also over connections that break.

use std::collections::HashSet;
use std::io::{self, ErrorKind, Write as _};
use std::pin::Pin;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures_util::StreamExt as _;
use http::StatusCode;
use http::header::HeaderName;
use http_body_util::BodyExt as _;
use serde_json::Value;
use sse_stream::{Sse, SseStream};

use super::bot::turn_in_words;
use super::{Answered, Api, AsItComes, good};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// A host says every 15 s that it is there: one that is silent for longer is not.
const SILENT_MAX: Duration = Duration::from_secs(45);
/// How long until it is tried again, the first time and at most.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
const AGAIN_AFTER_MAX: Duration = Duration::from_secs(10);
/// A turn of the past that comes as a new one, too, does so within this time.
const LATE_MAX: Duration = Duration::from_secs(60);

type Events = Pin<Box<SseStream<AsItComes>>>;

/// What a host says to whoever wants to follow.
enum Opened {
    Events(Events),
    Refused(Answered),
}

/// Prints the turns of a bot, whose path is given, as they come, until somebody ends it;
/// before them those from a time on, if one is named (Unix milliseconds).
pub(super) async fn follow(api: &Api, bot: String, since_ms: Option<u64>) -> anyhow::Result<()> {
    let past = Past { places: HashSet::new(), until: Instant::now() };
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
    past: Past,
}

/// Turns that were printed of the past: they may come as new ones, too, soon after.
struct Past {
    places: HashSet<String>,
    /// When the last of them was printed.
    until: Instant,
}

impl Past {
    /// Whether a turn that comes now was printed before. Where one was not and comes late, no
    /// other one was that still comes.
    fn had(&mut self, place: &str, now: Instant) -> bool {
        let had = self.places.remove(place);
        if !had && now.saturating_duration_since(self.until) > LATE_MAX {
            self.places = HashSet::new();
        }
        had
    }
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

    /// Prints what there is from a time on, page by page.
    async fn print_past(&mut self, since_ms: u64) -> anyhow::Result<()> {
        let path = format!("{}/logs?since_ms={since_ms}", self.bot);
        let mut after = None;
        loop {
            let (turns, next) = self.api.page(&path, after.as_deref()).await?;
            for turn in turns {
                self.print(&turn)?;
                self.past.places.insert(place(&turn));
            }
            self.past.until = Instant::now();
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
            if !self.past.had(&place(&turn), Instant::now()) {
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
        let mut pause = AGAIN_AFTER;
        let mut told = false;
        loop {
            tokio::time::sleep(pause).await;
            let problem = match self.open().await {
                Ok(Opened::Events(events)) => return Ok(events),
                Ok(Opened::Refused(answered)) if !may_end(answered.status) => {
                    return Err(ended(answered));
                }
                Ok(Opened::Refused(Answered { status, .. })) => format!("it answers {status}"),
                Err(error) => format!("{error:#}"),
            };
            if !told {
                // Not among the lines, which a program may read.
                writeln!(io::stderr(), "the host is away ({problem}); it is tried again")?;
                told = true;
            }
            pause = AGAIN_AFTER_MAX.min(pause * 2);
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
    fn what_was_printed_of_the_past_is_known_until_something_new_comes_late() {
        let until = Instant::now();
        let places = ["a 1", "a 2", "a 3"].map(str::to_owned).into();
        let mut past = Past { places, until };
        assert!(past.had("a 1", until));
        assert!(!past.had("b 1", until + LATE_MAX), "a new one, and soon");
        let late = until + LATE_MAX + Duration::from_secs(1);
        assert!(past.had("a 2", late), "however late it comes");
        assert!(!past.had("b 2", late));
        assert!(past.places.is_empty(), "nothing is kept for ever");
    }
}
