//! Runs of bots: with a permit of the host's, and with calls to a shop within their
//! turns. The shop answers otherwise each time, so that an answer that was not taken
//! from the log gives itself away.

use std::collections::BTreeMap;

use botyard_kernel::call::{
    Ask, CallAnswer, CallError, CallRequest, CallResponse, Journal, write_answer,
};
use botyard_kernel::event::Event;
use botyard_kernel::id::{Digest, TenantId};
use botyard_kernel::lane::Input;
use botyard_kernel::log::Call;
use botyard_kernel::run::{LogLevel, LogLine};
use botyard_kernel::session::Session;

use crate::bot;
use crate::world::{Life, Step, World};

/// A run of a bot.
pub(crate) struct Run {
    pub(crate) conversation: usize,
    pub(crate) life: Life,
    pub(crate) run: u64,
    pub(crate) event: Box<Event>,
    pub(crate) session: Box<Session>,
    pub(crate) kv: BTreeMap<String, String>,
    /// What earlier runs have recorded.
    pub(crate) calls: Vec<Call>,
    /// What this run was told so far, as it is recorded.
    pub(crate) answers: Vec<String>,
}

impl World {
    /// A bot is to run: now if there is a permit, else in its turn.
    pub(crate) fn run(&mut self, run: Run) -> Option<Input> {
        let conversation = run.conversation;
        self.begin(conversation);
        self.tell(|| format!("conversation {conversation}: run on {}", run.event.id));
        let (tenant, now) = (self.tenant(conversation), self.now);
        self.requests += 1;
        let ticket = self.requests;
        let host = self.host.as_mut()?;
        if host.permits.try_take(&tenant, now) {
            let pause = self.latency();
            self.after(pause, Step::RunEnds { run: Box::new(run) });
            return None;
        }
        host.permits.ask(&tenant, ticket);
        host.waiting.insert(ticket, run);
        self.after(0, Step::Permits);
        Some(Input::NoRoom)
    }

    /// Whoever waits for a permit that is there begins.
    pub(crate) fn hand_out_permits(&mut self) {
        let now = self.now;
        while let Some(host) = &mut self.host
            && let Some((_, ticket)) = host.permits.next(now)
        {
            if let Some(run) = host.waiting.remove(&ticket) {
                let pause = self.latency();
                self.after(pause, Step::RunEnds { run: Box::new(run) });
            }
        }
        if let Some(at) = self.host.as_ref().and_then(|host| host.permits.wake_at(now)) {
            self.after(at.saturating_sub(now), Step::Permits);
        }
    }

    /// A bot has come to its next call or to its end.
    pub(crate) fn go_on(&mut self, mut run: Run) {
        let conversation = run.conversation;
        if self.life(conversation) != Some(run.life) {
            return;
        }
        if self.goes_wrong(self.weather.run_percent) {
            return self.finish(run, bot::host_failure());
        }
        let wanted = self.site.channel_of(conversation).bot.calls(&run.event);
        while run.answers.len() < wanted {
            let index = run.answers.len();
            let request = request(&run, index);
            let Some(call) = run.calls.get(index) else {
                let index = u32::try_from(index).unwrap_or(u32::MAX);
                let journal = Journal::default();
                let ask = Box::new(Ask { index, request, timeout_ms: 9_000, journal });
                let name = run.run;
                if let Some(host) = &mut self.host {
                    host.parked.insert((conversation, name), run);
                }
                self.tell(|| format!("conversation {conversation}: run {name} makes call {index}"));
                return self.feed(conversation, Input::Asked { run: name, ask });
            };
            let version = Digest::of(b"bot");
            assert_eq!(call.mismatch(&request.digest(), &version, &version), None);
            run.answers.push(call.answer.clone());
        }
        let bot = self.site.channel_of(conversation).bot;
        check_context(&run.session);
        let mut output = bot.run(&run.event, &run.session, &run.kv);
        let line = |answer: &String| LogLine { level: LogLevel::Info, message: answer.clone() };
        output.log = run.answers.iter().map(line).collect();
        self.finish(run, output);
    }

    /// A run has come to something. The answer that waited may have gone out meanwhile.
    fn finish(&mut self, run: Run, output: botyard_kernel::run::RunOutput) {
        let Run { conversation, life, run, event, session, .. } = run;
        let profile = self.profile(conversation, &session.facts.medium, &event.id);
        let (output, profile) = (Box::new(output), Box::new(profile));
        self.give_permit_back(conversation);
        let input = Input::Ran { run, output, version: Digest::of(b"bot"), profile };
        self.tell_lane(conversation, life, input);
    }

    fn give_permit_back(&mut self, conversation: usize) {
        let (tenant, now) = (self.tenant(conversation), self.now);
        if let Some(host) = &mut self.host {
            host.permits.ended(&tenant, 7, now);
        }
        self.hand_out_permits();
    }

    fn tenant(&self, conversation: usize) -> TenantId {
        self.site.conversations[conversation].key.tenant.clone()
    }

    /// A call of a running bot leaves: its event is stored, and no answer to it is.
    pub(crate) fn fetch(&mut self, conversation: usize, run: u64, key: &str, ask: &Ask) {
        let parked = self.host.as_ref().and_then(|host| host.parked.get(&(conversation, run)));
        // Its time may be over.
        let Some(on) = parked.map(|run| run.event.id.clone()) else { return };
        let index = ask.index;
        self.logs[conversation].call_may_leave(&on, index);
        let name = format!("{conversation} {on} {index}");
        let before = self.shop.insert(key.to_owned(), name.clone());
        assert!(before.is_none_or(|it| it == name), "two calls share an idempotency key");
        let answer = if self.goes_wrong(20) {
            Err(CallError::Timeout)
        } else {
            let body = self.chance.number().to_string().into_bytes();
            Ok(CallResponse { status: 200, headers: Vec::new(), body })
        };
        let life = self.begin(conversation);
        let pause = self.latency();
        self.after(pause, Step::Tell { conversation, life, input: Input::Fetched { run, answer } });
        if self.goes_wrong(3) {
            // The time of the turn is over while its bot waits.
            self.after(pause / 2, Step::OutOfTime { conversation, life, run });
        }
    }

    pub(crate) fn out_of_time(&mut self, conversation: usize, life: Life, run: u64) {
        if self.life(conversation) != Some(life) {
            return;
        }
        let parked = self.host.as_mut().and_then(|host| host.parked.remove(&(conversation, run)));
        if let Some(run) = parked {
            self.tell(|| format!("conversation {conversation}: a run takes too long"));
            self.finish(run, bot::host_failure());
        }
    }

    /// The bot sees an answer, which must be the one that is recorded.
    pub(crate) fn resume(&mut self, conversation: usize, run: u64, answer: &CallAnswer) {
        let parked = self.host.as_mut().and_then(|host| host.parked.remove(&(conversation, run)));
        let Some(mut run) = parked else { return };
        let index = run.answers.len();
        let answer = write_answer(answer);
        let mut recorded = self.logs[conversation].calls(&run.event.id);
        let first = recorded.find(|(_, call)| call.index as usize == index);
        assert_eq!(first.map(|(_, it)| &it.answer), Some(&answer), "not what is recorded");
        drop(recorded);
        run.answers.push(answer);
        let pause = self.latency();
        self.after(pause, Step::RunEnds { run: Box::new(run) });
    }

    /// The bot of a run waits in vain.
    pub(crate) fn abandon(&mut self, conversation: usize, run: u64) {
        let parked = self.host.as_mut().and_then(|host| host.parked.remove(&(conversation, run)));
        if parked.is_some() {
            self.tell(|| format!("conversation {conversation}: run {run} is given up"));
            if let Some(slot) = self.slot(conversation) {
                slot.under_way -= 1;
            }
            self.give_permit_back(conversation);
        }
    }
}

/// What is asked for follows from what was answered before.
fn request(run: &Run, index: usize) -> CallRequest {
    let before = run.answers.join("/");
    CallRequest {
        method: "GET".to_owned(),
        url: format!("https://shop.example/{}/{index}/{before}", run.event.id),
        headers: Vec::new(),
        body: None,
        timeout_ms: None,
    }
}

/// What is called foreign was not sent by us: nobody else keeps contexts here.
fn check_context(session: &Session) {
    let foreign = session.context_by.is_none() && session.context != "{}";
    assert!(!foreign, "our own context came back as foreign: {}", session.context);
}
