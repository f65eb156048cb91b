//! A person at a keyboard, or a script in their place, who talks to a bot through a
//! running host. What a person can do is a vendor's own: it is a [`Side`].

mod line;
mod show;
mod talk;

pub use line::Line;
pub use talk::Talk;

pub(crate) use line::seconds;
pub(crate) use show::{option, said, why};
pub(crate) use talk::{Person, told};

use std::future::Future;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, Lines};

use crate::wait;

/// When the input is at its end, the twin stays until so long nothing happened.
const QUIET: Duration = Duration::from_secs(1);
const EXPECTED_WITHIN: Duration = Duration::from_secs(10);
/// A webhook that is to be overtaken waits so long for the next one.
const OVERTAKEN_WITHIN: Duration = Duration::from_secs(3);

/// What every console has.
const HELP: &str = "\
/expect TEXT        wait at most ten seconds until the bot says it, after what was expected before
/wait SECONDS       do nothing for a while
/help, /quit        this list; leave
anything else       write it; //x writes /x";

/// A vendor's side of a conversation: what a person does there, and what is seen of it.
pub trait Side {
    /// A webhook that is ready to be sent.
    type Webhook;

    /// The commands that no other vendor has, one in each line.
    fn help(&self) -> &'static str;

    /// Does what a person does; the webhooks that come of it.
    ///
    /// # Errors
    ///
    /// Says why a person cannot do that.
    fn act(&mut self, line: Line<'_>) -> Result<Vec<Self::Webhook>, String>;

    /// Sends a webhook until it is answered or given up; whether it was answered.
    fn deliver(&mut self, webhook: Self::Webhook) -> impl Future<Output = bool>;

    /// Whether the plan of faults lets the next webhook go before this one.
    fn is_overtaken(&self, webhook: &Self::Webhook) -> bool;

    /// Whether the bot has said this after what was looked for before.
    fn has_said(&mut self, text: &str) -> bool;

    /// Tells what happens from now on: as JSON, or as a person sees it.
    fn watch(&self, json: bool, tell: impl Fn(Told) + Send + Sync + 'static);
}

/// One thing that happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// What to print of it, if anything.
    pub text: Option<String>,
    /// The bot or its host did what the vendor refuses. A fault of the plan is nobody's
    /// mistake.
    pub is_refusal: bool,
}

/// How a console is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Console {
    /// Print every record as a line of JSON instead of a conversation.
    pub json: bool,
    /// The input is a script: it is echoed, and a line that cannot be done ends it.
    pub is_script: bool,
}

/// What a conversation came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Answers and calls that the vendor refuses.
    pub refused: usize,
    /// Webhooks that were given up.
    pub unanswered: usize,
}

type Output = Arc<Mutex<Box<dyn Write + Send>>>;

/// Says what the host needs to know, plays lines of input until they end, and prints
/// what happens.
///
/// # Errors
///
/// The input cannot be read, or a line of a script cannot be done.
pub async fn run<S: Side>(
    console: Console,
    side: S,
    greeting: &str,
    input: impl AsyncBufRead + Unpin,
    output: Box<dyn Write + Send>,
) -> Result<Report> {
    let mut play = Play::begin(console, side, Arc::new(Mutex::new(output)));
    if !console.json {
        print(&play.output, greeting);
    }
    let mut lines = input.lines();
    let mut number = 0;
    while let Some(line) = play.next(&mut lines).await? {
        number += 1;
        if console.is_script && !console.json && !line.trim().is_empty() {
            print(&play.output, &format!("you> {line}"));
        }
        match play.take(&line).await {
            Ok(true) => {}
            Ok(false) => {
                play.send_held().await;
                return Ok(play.report());
            }
            Err(why) if console.is_script => bail!("line {number}, `{line}`: {why}"),
            // Standard output may be read by a program.
            Err(why) if console.json => eprintln!("{why}"),
            Err(why) => print(&play.output, &format!("?? {why}")),
        }
    }
    play.send_held().await;
    play.wait_quiet().await;
    Ok(play.report())
}

/// The conversation that is going on.
struct Play<S: Side> {
    console: Console,
    side: S,
    output: Output,
    unanswered: usize,
    /// The next webhook goes before it.
    held: Option<S::Webhook>,
    // Counted where records are shown, which is while the account is locked.
    refused: Arc<AtomicUsize>,
    last: Arc<Mutex<Instant>>,
}

impl<S: Side> Play<S> {
    fn begin(console: Console, side: S, output: Output) -> Self {
        let refused = Arc::new(AtomicUsize::new(0));
        let last = Arc::new(Mutex::new(Instant::now()));
        side.watch(console.json, {
            let (output, refused, last) = (output.clone(), refused.clone(), last.clone());
            move |told: Told| {
                *last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                refused.fetch_add(usize::from(told.is_refusal), Ordering::Relaxed);
                if let Some(text) = told.text {
                    print(&output, &text);
                }
            }
        });
        Self { console, side, output, unanswered: 0, held: None, refused, last }
    }

    /// The next line. What waits to be overtaken does not wait for ever.
    async fn next(
        &mut self,
        lines: &mut Lines<impl AsyncBufRead + Unpin>,
    ) -> Result<Option<String>> {
        if self.held.is_some() {
            match tokio::time::timeout(OVERTAKEN_WITHIN, lines.next_line()).await {
                Ok(line) => return line.context("the input cannot be read"),
                Err(_) => self.send_held().await,
            }
        }
        lines.next_line().await.context("the input cannot be read")
    }

    /// Does what a line says; whether there is to be another one.
    async fn take(&mut self, line: &str) -> Result<bool, String> {
        let Some(line) = Line::parse(line) else { return Ok(true) };
        let Line::Command { verb, .. } = line else { return self.act(line).await };
        match verb {
            "expect" => {
                let text = line.one("a text")?;
                self.send_held().await;
                let side = &mut self.side;
                let said = wait::until("it", EXPECTED_WITHIN, || side.has_said(text).then_some(()));
                said.await.map_err(|_| format!("the bot did not say `{text}`"))?;
            }
            "wait" => {
                let time = seconds(line)?;
                self.send_held().await;
                tokio::time::sleep(time).await;
            }
            "help" => {
                let help = format!("{}\n{HELP}", self.side.help());
                if self.console.json { eprintln!("{help}") } else { print(&self.output, &help) }
            }
            "quit" => return Ok(false),
            _ => return self.act(line).await,
        }
        Ok(true)
    }

    async fn act(&mut self, line: Line<'_>) -> Result<bool, String> {
        for webhook in self.side.act(line)? {
            match self.held.take() {
                Some(before) => {
                    self.deliver(webhook).await;
                    self.deliver(before).await;
                }
                None if self.side.is_overtaken(&webhook) => self.held = Some(webhook),
                None => self.deliver(webhook).await,
            }
        }
        Ok(true)
    }

    async fn send_held(&mut self) {
        if let Some(webhook) = self.held.take() {
            self.deliver(webhook).await;
        }
    }

    async fn deliver(&mut self, webhook: S::Webhook) {
        let answered = self.side.deliver(webhook).await;
        self.unanswered += usize::from(!answered);
    }

    async fn wait_quiet(&self) {
        loop {
            let quiet = self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
            if quiet >= QUIET {
                return;
            }
            tokio::time::sleep(QUIET - quiet).await;
        }
    }

    fn report(&self) -> Report {
        Report { refused: self.refused.load(Ordering::Relaxed), unanswered: self.unanswered }
    }
}

/// Who no longer reads is not told.
fn print(output: &Output, text: &str) {
    let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = writeln!(output, "{text}").and_then(|()| output.flush());
}
