//! Calls to web services within a turn: what a bot is told, what is recorded,
//! and that a rerun is told the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use botyard_kernel::call::{
    Ask, CALL_BODY_BYTES_MAX, CallAnswer, CallError, CallResponse, write_answer,
};
use botyard_kernel::event::Setting;
use botyard_kernel::log::Call;
use botyard_kernel::run::{Blame, FailureKind, RunInput, RunOutput};
use botyard_runtime::{HttpCalls, Services, Version};

use crate::host::{Host, Values, failure, input, text};

/// Answers calls by a rule and remembers them as the host would record them.
struct Web {
    answer: fn(&Ask) -> anyhow::Result<CallAnswer>,
    delay: Duration,
    asked: Mutex<Vec<Ask>>,
    recorded: Mutex<Vec<Call>>,
}

impl Web {
    fn new(answer: fn(&Ask) -> anyhow::Result<CallAnswer>) -> Arc<Self> {
        Self::slow(Duration::ZERO, answer)
    }

    fn slow(delay: Duration, answer: fn(&Ask) -> anyhow::Result<CallAnswer>) -> Arc<Self> {
        let (asked, recorded) = (Mutex::default(), Mutex::default());
        Arc::new(Self { answer, delay, asked, recorded })
    }

    fn asked(&self) -> Vec<Ask> {
        self.asked.lock().unwrap().clone()
    }

    fn recorded(&self) -> Vec<Call> {
        self.recorded.lock().unwrap().clone()
    }
}

#[async_trait]
impl HttpCalls for Web {
    async fn call(&self, ask: Ask) -> anyhow::Result<CallAnswer> {
        self.asked.lock().unwrap().push(ask.clone());
        tokio::time::sleep(self.delay).await;
        let answer = (self.answer)(&ask)?;
        self.recorded.lock().unwrap().push(Call {
            event: "event".into(),
            of_start: false,
            index: ask.index,
            request: ask.request.digest(),
            answer: write_answer(&answer),
            journal: ask.journal,
        });
        Ok(answer)
    }
}

/// Answers with the number of the call.
fn number(ask: &Ask) -> anyhow::Result<CallAnswer> {
    let headers = vec![Setting::new("content-type", "text/plain")];
    Ok(Ok(CallResponse { status: 200, headers, body: format!("n{}", ask.index).into_bytes() }))
}

fn nobody(_: &Ask) -> anyhow::Result<CallAnswer> {
    panic!("what is recorded is not called again")
}

/// The hostile bot makes calls.
struct Caller {
    host: Host,
    version: Version,
}

impl Caller {
    async fn start() -> Self {
        let host = Host::start();
        let version = host.load("hostile").await;
        Self { host, version }
    }

    async fn run(&self, steps: &str, web: &Arc<Web>) -> RunOutput {
        self.rerun(steps, web, Vec::new(), &[]).await
    }

    async fn rerun(
        &self,
        steps: &str,
        web: &Arc<Web>,
        calls: Vec<Call>,
        values: &[(&str, &str)],
    ) -> RunOutput {
        self.run_on(RunInput { calls, ..input(&format!("http {steps}")) }, web, values).await
    }

    async fn run_on(&self, input: RunInput, web: &Arc<Web>, values: &[(&str, &str)]) -> RunOutput {
        let values: BTreeMap<_, _> =
            values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let services = Services { values: Arc::new(Values(values)), http: Arc::<Web>::clone(web) };
        self.host.run_with(&self.version, input, services).await
    }
}

#[tokio::test]
async fn a_call_is_answered_and_told_whole() {
    let (caller, web) = (Caller::start().await, Web::new(number));
    let steps = "get https://a.example/1 250; post 3 https://a.example/2";
    assert_eq!(text(&caller.run(steps, &web).await), "200:2:n0 200:2:n1");
    let asked = web.asked();
    assert_eq!((asked[0].index, asked[0].timeout_ms), (0, 250));
    assert_eq!(asked[0].request.url, "https://a.example/1");
    assert_eq!(asked[1].request.body, Some(vec![7; 3]));
    assert!((1..=19_500).contains(&asked[1].timeout_ms), "within the wall: {asked:?}");
    assert_eq!(asked[1].journal.version, Some(*caller.version.digest()));
}

#[tokio::test]
async fn every_failure_is_an_error_that_the_bot_sees() {
    let caller = Caller::start().await;
    let web = Web::new(|ask| {
        Ok(Err(match ask.index {
            0 => CallError::Denied("no list names it".to_owned()),
            1 => CallError::Timeout,
            2 => CallError::TooLarge,
            _ => CallError::Other("broke off".to_owned()),
        }))
    });
    assert_eq!(
        text(&caller.run("often 4 https://a.example/", &web).await),
        "Error::Denied(\"no list names it\") Error::Timeout Error::TooLarge \
         Error::Other(\"broke off\")"
    );
}

#[tokio::test]
async fn the_ninth_call_is_one_too_many() {
    let (caller, web) = (Caller::start().await, Web::new(number));
    let output = caller.run("often 10 https://a.example/", &web).await;
    assert!(text(&output).ends_with("200:2:n7 Error::Limit Error::Limit"), "{}", text(&output));
    assert_eq!(web.asked().len(), 8);
}

#[tokio::test]
async fn bodies_may_have_a_mebibyte_both_ways() {
    let caller = Caller::start().await;
    let web = Web::new(|ask| {
        let body = ask.request.body.clone().unwrap_or_default();
        Ok(Ok(CallResponse { status: 200, headers: Vec::new(), body }))
    });
    let most = CALL_BODY_BYTES_MAX;
    let output = caller.run(&format!("post {most} https://a.example/"), &web).await;
    assert!(text(&output).starts_with("200:1048576:"), "{}", text(&output));
    let more = caller.run(&format!("post {} https://a.example/", most + 1), &web).await;
    assert!(text(&more).contains("1048577 bytes"), "{}", text(&more));
    assert_eq!(web.asked().len(), 1);
}

#[tokio::test]
async fn waiting_for_an_answer_costs_no_cpu_time() {
    let (caller, web) = (Caller::start().await, Web::slow(Duration::from_millis(300), number));
    let output = caller.run("get https://a.example/", &web).await;
    assert_eq!(text(&output), "200:2:n0");
    assert!(output.cost.cpu_us < 200_000, "{:?}", output.cost);
}

#[tokio::test]
async fn who_waits_in_a_call_until_the_turn_is_over_is_told_what_to_change() {
    let host = Host::start_with(|config| {
        config.native.limits.wall = Duration::from_secs(10);
        config.native.limits.wall_with_calls = Duration::from_secs(10);
    });
    let version = host.load("hostile").await;
    let caller = Caller { host, version };
    let web = Web::slow(Duration::from_secs(60), number);
    let output = caller.run("get https://a.example/", &web).await;
    let failure = failure(&output);
    assert_eq!((failure.blame, failure.kind), (Blame::Bot, FailureKind::Wall), "{failure}");
    assert!(failure.message.contains("1 http calls"), "{failure}");
    assert!(web.asked()[0].timeout_ms <= 9_500, "{:?}", web.asked());
}

#[tokio::test]
async fn a_host_that_cannot_record_ends_the_turn_by_its_own_fault() {
    let (caller, web) = (Caller::start().await, Web::new(|_| anyhow::bail!("the store failed")));
    let output = caller.run("get https://a.example/", &web).await;
    assert_eq!(failure(&output).blame, Blame::Host);
    assert!(failure(&output).message.contains("the store failed"));
}

#[tokio::test]
async fn a_rerun_takes_what_is_recorded_and_makes_only_the_open_call() {
    let (caller, web) = (Caller::start().await, Web::new(number));
    let steps = "bot a; get https://a.example/; bot b; get https://a.example/; bot c";
    let values = [("a", "1"), ("b", "2"), ("c", "3")];
    let first = caller.rerun(steps, &web, Vec::new(), &values).await;
    let calls = web.recorded();
    let reads = |call: &Call| call.journal.reads.keys().cloned().collect::<Vec<_>>();
    assert_eq!(calls.iter().map(reads).collect::<Vec<_>>(), [["a"], ["b"]]);

    // The bot's values have changed since: what was read before a call is read as
    // it was, what was read after the last one is not known.
    let later = [("a", "x"), ("b", "x"), ("c", "x")];
    let whole = caller.rerun(steps, &Web::new(nobody), calls.clone(), &later).await;
    assert_eq!(text(&whole), text(&first).replace("\"3\"", "\"x\""));

    let open = Web::new(number);
    let half = caller.rerun(steps, &open, calls[..1].to_vec(), &later).await;
    assert_eq!(open.asked().iter().map(|ask| ask.index).collect::<Vec<_>>(), [1]);
    assert_eq!(text(&half).split(' ').next(), text(&first).split(' ').next());
}

#[tokio::test]
async fn a_recorded_failure_is_the_same_failure_again() {
    let (caller, web) = (Caller::start().await, Web::new(|_| Ok(Err(CallError::Timeout))));
    let first = caller.run("get https://a.example/", &web).await;
    let again =
        caller.rerun("get https://a.example/", &Web::new(nobody), web.recorded(), &[]).await;
    assert_eq!((text(&first), text(&again)), ("Error::Timeout", "Error::Timeout"));
}

#[tokio::test]
async fn a_rerun_that_differs_is_the_hosts_fault_and_says_where() {
    let (caller, web) = (Caller::start().await, Web::new(number));
    caller.run("get https://a.example/1", &web).await;
    let recorded = web.recorded();
    let failed = |output: RunOutput| {
        let failure = failure(&output).clone();
        assert_eq!(failure.blame, Blame::Host, "{failure}");
        failure.message
    };
    let web = Web::new(nobody);
    let other = caller.rerun("get https://a.example/2", &web, recorded.clone(), &[]).await;
    assert!(failed(other).contains("asks for something else"));

    let mut of_other_version = recorded.clone();
    of_other_version[0].journal.version = Some(botyard_kernel::id::Digest::of(b"other"));
    let other = caller.rerun("get https://a.example/1", &web, of_other_version, &[]).await;
    assert!(failed(other).contains("another version"));

    let mut changed = input("http get https://a.example/1");
    changed.calls = recorded.clone();
    changed.config.insert("greeting".to_owned(), "hello".to_owned());
    assert!(failed(caller.run_on(changed, &web, &[]).await).contains("configuration"));

    let mut with_a_gap = recorded;
    with_a_gap[0].index = 1;
    let other = caller.rerun("get https://a.example/1", &web, with_a_gap, &[]).await;
    assert!(failed(other).contains("1 was recorded, not 0"));
}

#[tokio::test]
async fn too_much_to_record_is_refused_in_words() {
    let (caller, web) = (Caller::start().await, Web::new(number));
    let large = "x".repeat(60_000);
    let keys = ["a", "b", "c", "d", "e"];
    let values: Vec<_> = keys.iter().map(|key| (*key, large.as_str())).collect();
    let steps = "bot a; bot b; bot c; bot d; bot e; get https://a.example/";
    let output = caller.rerun(steps, &web, Vec::new(), &values).await;
    assert!(text(&output).contains("more than 256 KiB"), "{}", text(&output));
    assert!(web.asked().is_empty());
}
