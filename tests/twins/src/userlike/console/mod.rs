//! A person at a keyboard, or a script in their place, who talks to a bot through
//! a running host.

mod command;
mod show;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

use self::command::{Command, HELP};
use super::account::Account;
use super::document::MEDIUMS;
use super::options::Options;
use super::record::{Record, Seen};
use super::session::Contact;
use super::webhook::{Conversation, Webhook};
use super::{Act, Userlike};
use crate::wait;

/// When the input is at its end, the twin stays until so long nothing happened.
const QUIET: Duration = Duration::from_secs(1);
const EXPECTED_WITHIN: Duration = Duration::from_secs(10);

/// What the console is started with.
#[derive(Debug)]
pub struct Console {
    /// Where the API URL is served.
    pub address: SocketAddr,
    /// How the account behaves.
    pub options: Options,
    /// The bot.
    pub webhook: Webhook,
    /// What the person writes on.
    pub medium: String,
    /// What is known of the person.
    pub contact: Contact,
    /// Links of media with one of these texts in them cannot be fetched.
    pub unfetchable: Vec<String>,
    /// Print every record as a line of JSON instead of a conversation.
    pub json: bool,
    /// The input is a script: it is echoed, and a line that cannot be done ends it.
    pub is_script: bool,
}

/// What a conversation came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Answers and calls that Userlike refuses.
    pub refused: usize,
    /// Webhooks that were given up.
    pub unanswered: usize,
}

type Output = Arc<Mutex<Box<dyn Write + Send>>>;

/// Plays lines of input until it ends, and prints what happens.
///
/// # Errors
///
/// The address cannot be had, the medium is unknown, the input cannot be read, or
/// a line of a script cannot be done.
pub async fn run(
    console: Console,
    input: impl AsyncBufRead + Unpin,
    output: Box<dyn Write + Send>,
) -> Result<Report> {
    let output = Arc::new(Mutex::new(output));
    let userlike = Userlike::with(console.options.clone(), console.address)?;
    let mut talk = Talk::begin(&console, &userlike, Arc::clone(&output))?;
    if !console.json {
        print(&output, &greeting(&console, &userlike));
    }
    let mut lines = input.lines();
    let mut number = 0;
    while let Some(line) = lines.next_line().await.context("the input cannot be read")? {
        number += 1;
        if console.is_script && !console.json && !line.trim().is_empty() {
            print(&output, &format!("you> {line}"));
        }
        match talk.take(&line).await {
            Ok(true) => {}
            Ok(false) => return Ok(talk.report()),
            Err(why) if console.is_script => bail!("line {number}, `{line}`: {why}"),
            // Standard output may be read by a program.
            Err(why) if console.json => eprintln!("{why}"),
            Err(why) => print(&output, &format!("?? {why}")),
        }
    }
    talk.wait_quiet().await;
    Ok(talk.report())
}

fn greeting(console: &Console, userlike: &Userlike) -> String {
    format!(
        "Userlike's twin: a {} conversation with the bot at {}\n\
         api-url = \"{}\"\n\
         The channel of your host needs this api-url and the twin's token as api-token, and the \
         host `egress.allow-loopback = true`.\n\
         Write to the bot; /help lists what else a person can do.",
        console.medium,
        console.webhook.url,
        userlike.api_url()
    )
}

/// The conversation that is going on.
struct Talk<'a> {
    console: &'a Console,
    account: Account,
    conversation: Conversation,
    output: Output,
    report: Report,
    /// Where the next text that is expected may stand at the earliest.
    expected: u64,
    // Counted where records are shown, which is while the account is locked.
    refused: Arc<AtomicUsize>,
    last: Arc<Mutex<Instant>>,
}

impl<'a> Talk<'a> {
    fn begin(console: &'a Console, userlike: &Userlike, output: Output) -> Result<Self> {
        let account = userlike.account().clone();
        let conversation = open(&account, console, &console.medium)?;
        let unfetchable = console.unfetchable.clone();
        account.set_fetches(move |link| !unfetchable.iter().any(|text| link.contains(text)));
        let refused = Arc::new(AtomicUsize::new(0));
        let last = Arc::new(Mutex::new(Instant::now()));
        account.watch({
            let (output, refused, last) = (output.clone(), refused.clone(), last.clone());
            let json = console.json;
            move |record| {
                *last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                refused.fetch_add(usize::from(show::is_refusal(record)), Ordering::Relaxed);
                if let Some(text) = if json { line(record) } else { show::record(record) } {
                    print(&output, &text);
                }
            }
        });
        Ok(Self {
            console,
            account,
            conversation,
            output,
            report: Report::default(),
            expected: 0,
            refused,
            last,
        })
    }

    /// Does what a line says; whether there is to be another one.
    async fn take(&mut self, line: &str) -> Result<bool, String> {
        match Command::parse(line)? {
            Command::Nothing => {}
            Command::Act(act) => self.act(act).await?,
            Command::New => self.reopen(self.conversation.medium.clone())?,
            Command::Medium(medium) => self.reopen(medium)?,
            Command::Expire => self.account.expire(&self.conversation.cid),
            Command::Operators(operators) => self.account.set_operators(operators),
            Command::Expect(text) => self.expect(&text).await?,
            Command::Wait(time) => tokio::time::sleep(time).await,
            Command::Help if self.console.json => eprintln!("{HELP}"),
            Command::Help => print(&self.output, HELP),
            Command::Quit => return Ok(false),
        }
        Ok(true)
    }

    async fn act(&mut self, act: Act) -> Result<(), String> {
        let step = self.account.act(&self.conversation.cid, act)?;
        let delivery = self.conversation.deliver(step).await;
        self.report.unanswered += usize::from(!delivery.is_answered());
        Ok(())
    }

    async fn expect(&mut self, text: &str) -> Result<(), String> {
        let cid = self.conversation.cid.clone();
        let (account, from) = (&self.account, self.expected);
        let said = wait::until("it", EXPECTED_WITHIN, || {
            let seen = account.seen(&cid);
            let says = |seen: &Seen| seen.packet.payload.to_string().contains(text);
            seen.iter().find(|seen| seen.number >= from && says(seen)).map(|seen| seen.number)
        });
        let number = said.await.map_err(|_| format!("the bot did not say `{text}`"))?;
        self.expected = number + 1;
        Ok(())
    }

    fn reopen(&mut self, medium: String) -> Result<(), String> {
        let opened = open(&self.account, self.console, &medium);
        self.conversation = opened.map_err(|error| format!("{error:#}"))?;
        self.expected = 0;
        Ok(())
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
        Report { refused: self.refused.load(Ordering::Relaxed), ..self.report }
    }
}

fn open(account: &Account, console: &Console, medium: &str) -> Result<Conversation> {
    if !MEDIUMS.contains(&medium) {
        bail!("Userlike has no medium `{medium}`: choose one of {}", MEDIUMS.join(", "));
    }
    let mut conversation = Conversation::open(account, &console.webhook, console.contact.clone())?;
    medium.clone_into(&mut conversation.medium);
    conversation.connect();
    Ok(conversation)
}

fn line(record: &Record) -> Option<String> {
    serde_json::to_string(record).ok()
}

/// Who no longer reads is not told.
fn print(output: &Output, text: &str) {
    let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = writeln!(output, "{text}").and_then(|()| output.flush());
}
