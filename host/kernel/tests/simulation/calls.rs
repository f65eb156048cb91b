//! Bots that call a shop within their turns. The shop answers otherwise each
//! time, so that an answer that was not taken from the log gives itself away.

use std::collections::BTreeMap;

use botyard_kernel::call::{
    Ask, CallAnswer, CallError, CallRequest, CallResponse, Journal, write_answer,
};
use botyard_kernel::event::Event;
use botyard_kernel::id::Digest;
use botyard_kernel::lane::Input;
use botyard_kernel::log::Call;
use botyard_kernel::run::{LogLevel, LogLine};
use botyard_kernel::session::Session;

use crate::bot;
use crate::jobs::Job;
use crate::world::World;

/// A bot within its turn.
#[derive(Debug)]
pub(crate) struct Turning {
    pub(crate) event: Box<Event>,
    pub(crate) session: Box<Session>,
    pub(crate) kv: BTreeMap<String, String>,
    /// What earlier runs have recorded.
    pub(crate) calls: Vec<Call>,
    /// The component.
    pub(crate) version: Digest,
    /// What this run was told so far, as it is recorded.
    pub(crate) answers: Vec<String>,
}

impl Turning {
    /// What the bot writes into its log of what it was told.
    pub(crate) fn log(&self) -> Vec<LogLine> {
        let line = |answer: &String| LogLine { level: LogLevel::Info, message: answer.clone() };
        self.answers.iter().map(line).collect()
    }
}

impl World {
    /// Lets the bot of a run make its next call; nothing where it makes no more.
    pub(crate) fn ask(&mut self, run: u64, mut turning: Turning) -> Result<(), Turning> {
        let wanted = match &self.script {
            Some(_) => self.fetches.get(&bot::token(&turning.event)).copied().unwrap_or(0),
            None => bot::calls(&turning.event),
        };
        while turning.answers.len() < wanted {
            let index = turning.answers.len();
            let request = request(&turning, index);
            let Some(call) = turning.calls.get(index) else {
                let journal = Journal { version: Some(turning.version), ..Journal::default() };
                let index = u32::try_from(index).unwrap();
                let ask = Box::new(Ask { index, request, timeout_ms: 9_000, journal });
                self.parked.insert(run, turning);
                self.feed(Input::Asked { run, ask });
                return Ok(());
            };
            let (request, version) = (request.digest(), &turning.version);
            assert_eq!(call.mismatch(&request, version, version), None);
            turning.answers.push(call.answer.clone());
        }
        Err(turning)
    }

    pub(crate) fn check_fetch(&self, run: u64, ask: &Ask) {
        self.log.call_may_leave(&self.parked[&run].event.id, ask.index);
    }

    pub(crate) fn end_fetch(&mut self, run: u64, key: String) -> Input {
        self.shop.push(key);
        let body = self.shop.len().to_string().into_bytes();
        let fails = !self.calm && self.chance.percent(20);
        let answer = if fails {
            Err(CallError::Timeout)
        } else {
            Ok(CallResponse { status: 200, headers: Vec::new(), body })
        };
        Input::Fetched { run, answer }
    }

    /// The bot sees an answer, which must be the one that is recorded.
    pub(crate) fn resume(&mut self, run: u64, answer: &CallAnswer) {
        let mut turning = self.parked.remove(&run).expect("the bot waits");
        let index = u32::try_from(turning.answers.len()).unwrap();
        let answer = write_answer(answer);
        let on = turning.event.id.clone();
        let recorded = self.log.calls(&on).find(|(_, call)| call.index == index);
        assert_eq!(recorded.map(|(_, call)| &call.answer), Some(&answer), "not what is recorded");
        turning.answers.push(answer);
        self.jobs.push(Job::Run { run, turning });
    }

    /// The time of a turn is over while its bot waits for an answer.
    pub(crate) fn run_out_of_time(&mut self) {
        if let Some((run, _)) = self.parked.pop_first() {
            self.tell(|| format!("run {run} takes too long"));
            self.fail_run(run, bot::host_failure());
        }
    }
}

/// What is asked for follows from what was answered before.
fn request(turning: &Turning, index: usize) -> CallRequest {
    let before = turning.answers.join("/");
    CallRequest {
        method: "GET".to_owned(),
        url: format!("https://shop.example/{}/{index}/{before}", turning.event.id),
        headers: Vec::new(),
        body: None,
        timeout_ms: None,
    }
}
