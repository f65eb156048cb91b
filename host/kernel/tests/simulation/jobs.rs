//! What the lane has asked for, and how it ends.

use botyard_kernel::call::Ask;
use botyard_kernel::event::Answer;
use botyard_kernel::id::PartId;
use botyard_kernel::lane::Input;
use botyard_kernel::log::{Arrival, Call, Row, Settled, Turn};
use botyard_kernel::outbox::{CallId, Called, RequestId, Requested, Rides};
use botyard_kernel::profile::Profile;
use botyard_kernel::run::RunOutput;
use botyard_kernel::time::Millis;

use crate::bot;
use crate::calls::Turning;
use crate::failures::retry;
use crate::vendor::State;
use crate::world::{World, ids};

const NATIVE: &[&str] = &["message", "media", "delay", "forward", "end"];

/// Something that the lane has asked for and that has not ended.
#[derive(Debug)]
pub(crate) enum Job {
    Load,
    Accept(Vec<Arrival>),
    Commit(Box<Turn>),
    Settle(Box<Settled>),
    Record(Box<Call>),
    Run { run: u64, turning: Turning },
    Fetch { run: u64, key: String, ask: Box<Ask> },
    Answer { request: RequestId, rows: Vec<Row>, since: Millis },
    Call { call: CallId, rows: Vec<Row> },
    Acknowledge { call: CallId, id: PartId },
    Request { call: CallId, row: Box<Row> },
}

impl Job {
    pub(crate) fn is_store(&self) -> bool {
        match self {
            Self::Load | Self::Accept(_) | Self::Commit(_) | Self::Settle(_) | Self::Record(_) => {
                true
            }
            Self::Run { .. }
            | Self::Fetch { .. }
            | Self::Answer { .. }
            | Self::Call { .. }
            | Self::Acknowledge { .. }
            | Self::Request { .. } => false,
        }
    }
}

impl World {
    /// Something that was asked for ends, well or badly.
    pub(crate) fn end_job(&mut self, at: usize) {
        let job = self.jobs.remove(at);
        self.tell(|| format!("ends: {}", brief(&job)));
        if job.is_store() {
            return self.end_write(job);
        }
        let input = match job {
            Job::Run { run, turning } => {
                let fails = !self.calm && self.chance.percent(6);
                if fails {
                    return self.fail_run(run, bot::host_failure());
                }
                let Err(turning) = self.ask(run, turning) else { return };
                let Turning { event, session, kv, .. } = &turning;
                let mut output = bot::run(event, session, kv);
                output.log = turning.log();
                if let Some(script) = &self.script {
                    output.result = Ok(script.get(&bot::token(event)).cloned().unwrap_or_default());
                }
                self.ran_to(run, output)
            }
            Job::Fetch { run, key, .. } => self.end_fetch(run, key),
            Job::Answer { request, rows, .. } => self.end_answer(request, &rows),
            Job::Call { call, rows } => self.end_call(call, &rows),
            Job::Acknowledge { call, id } => self.end_acknowledge(call, id),
            Job::Request { call, row } => self.end_request(call, &row),
            Job::Load | Job::Accept(_) | Job::Commit(_) | Job::Settle(_) | Job::Record(_) => {
                unreachable!()
            }
        };
        self.feed(input);
    }

    pub(crate) fn fail_run(&mut self, run: u64, output: RunOutput) {
        self.feed(self.ran_to(run, output));
    }

    fn end_write(&mut self, job: Job) {
        let fails = !self.calm && self.chance.percent(6);
        if fails && self.chance.percent(50) {
            self.tell(|| "the store fails".to_owned());
            return self.feed(Input::StoreFailed);
        }
        let input = match job {
            Job::Load => Input::Loaded(Box::new(self.log.load(self.read_max))),
            Job::Accept(arrivals) => Input::Accepted(self.log.accept(&arrivals)),
            Job::Commit(turn) => Input::Committed(self.log.commit(&turn)),
            Job::Settle(settled) => {
                let (events, last) = self.log.settle(&settled);
                Input::Settled { events, last }
            }
            Job::Record(call) => Input::Recorded(self.log.record(&call)),
            _ => unreachable!("no write"),
        };
        if fails {
            self.tell(|| "the store fails after it wrote".to_owned());
            self.wrote_and_failed = true;
            return self.feed(Input::StoreFailed);
        }
        self.feed(input);
    }

    fn end_answer(&mut self, request: RequestId, rows: &[Row]) -> Input {
        let there = self.open.contains_key(&request);
        let whole = there && (self.calm || self.chance.percent(85));
        if whole {
            self.vendor.receive(rows, self.now);
            self.vendor.offered.extend(rows.iter().map(|row| row.id.clone()));
            if let Some(n) = self.open.remove(&request) {
                self.vendor.webhooks[n].state = State::Answered;
            }
        } else {
            if there && self.chance.percent(50) {
                self.vendor.receive(rows, self.now);
                self.vendor.doubt(rows);
                self.vendor.offered.extend(rows.iter().map(|row| row.id.clone()));
            }
            self.fail_request(request);
        }
        self.tell(|| format!("the answer was whole: {whole}"));
        Input::Answered { request, whole }
    }

    fn end_call(&mut self, call: CallId, rows: &[Row]) -> Input {
        let rolled = if self.calm { 0 } else { self.chance.below(100) };
        self.vendor.calls.push(self.now);
        let reason = "no".to_owned();
        let called = match rolled {
            0..=74 => {
                self.vendor.receive(rows, self.now);
                Called::Delivered { follow_ups: Vec::new(), asks: None }
            }
            75..=84 => {
                let after_ms = self.chance.percent(50).then(|| self.chance.below(5_000));
                Called::Retry { after_ms, ambiguous: false, reason, tries_max: None }
            }
            85..=92 => {
                if self.chance.percent(50) {
                    self.vendor.receive(rows, self.now);
                }
                self.vendor.doubt(rows);
                if self.rules.delivery.hold_ambiguous {
                    self.vendor.give_up(rows);
                }
                Called::Retry { after_ms: None, ambiguous: true, reason, tries_max: None }
            }
            _ => {
                self.vendor.give_up(rows);
                Called::Fatal(reason)
            }
        };
        self.tell(|| format!("called: {called:?}"));
        Input::Called { call, called }
    }

    fn end_acknowledge(&mut self, call: CallId, id: PartId) -> Input {
        let fails = !self.calm && self.chance.percent(30);
        if fails {
            return Input::Acknowledged { call, called: retry(self.chance.percent(50)) };
        }
        self.vendor.acknowledged.push(id);
        Input::Acknowledged {
            call,
            called: Called::Delivered { follow_ups: Vec::new(), asks: None },
        }
    }

    fn end_request(&mut self, call: CallId, _row: &Row) -> Input {
        let rolled = if self.calm { 0 } else { self.chance.below(100) };
        let requested = match rolled {
            0..=69 => {
                let (headers, body, truncated) = (Vec::new(), String::new(), false);
                Requested::Answered(Answer { status: 200, headers, body, truncated })
            }
            70..=84 => Requested::Unanswered("nobody".to_owned()),
            85..=89 => Requested::Held { until_ms: self.now + self.chance.below(60_000) },
            _ => Requested::Refused("not allowed".to_owned()),
        };
        Input::Requested { call, requested }
    }
}

pub(crate) fn brief(job: &Job) -> String {
    let rows = |rows: &[Row]| -> Vec<String> {
        rows.iter().map(|row| format!("{}:{}", row.id, row.action.name())).collect()
    };
    match job {
        Job::Load => "load".to_owned(),
        Job::Accept(arrivals) => format!("accept {:?}", ids(arrivals)),
        Job::Commit(turn) => {
            let fused = if turn.fused.is_some() { "fused " } else { "" };
            let (base, watermark) = (turn.base, turn.watermark);
            format!("commit {fused}{} base {base} watermark {watermark}", turn.event)
        }
        Job::Settle(s) => {
            let events = ids(&s.events);
            format!("settle {:?} answered {:?} events {events:?}", s.rows, s.answered)
        }
        Job::Run { run, turning } => {
            let (event, answers) = (&turning.event, turning.answers.len());
            format!("run {run} on {} {} after {answers} calls", event.id, event.body.name())
        }
        Job::Fetch { run, ask, .. } => format!("call {} of run {run}", ask.index),
        Job::Record(call) => format!("record call {} of {}", call.index, call.made_on()),
        Job::Answer { request, rows: r, .. } => format!("answer {request} with {:?}", rows(r)),
        Job::Call { call, rows: r } => format!("call {call} with {:?}", rows(r)),
        Job::Acknowledge { call, id } => format!("acknowledge {call}: {id}"),
        Job::Request { call, row } => format!("request {call} of {}", row.id),
    }
}

impl World {
    /// What every medium carries here, and what rides besides.
    pub(crate) fn profile(&self) -> Profile {
        let mut profile = Profile::new(NATIVE, 5_000);
        if let Rides::One(names) = self.rides {
            profile.let_ride(names);
        }
        profile
    }
}
