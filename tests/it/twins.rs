//! `botyard twin <vendor>` as somebody uses it: what it prints first is copied into the
//! settings of a host, and then a person talks to the bot there.

use std::process::Stdio;
use std::time::Duration;

use botyard_tests::host::program;
use botyard_tests::peers::userlike::Packet;
use botyard_tests::site::{MAIN, Setup, Site};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdout};

use crate::puppet::begun;

const WITHIN: Duration = Duration::from_secs(120);

/// A twin that runs, and what it wants the host to know.
struct Twin {
    child: Child,
    output: BufReader<ChildStdout>,
    settings: Value,
    listen: String,
}

/// What came of it.
struct Ended {
    good: bool,
    out: String,
    error: String,
}

impl Twin {
    /// Starts a twin for the host that will be at a port that is free now.
    async fn start(vendor: &str, arguments: &[&str]) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = free.local_addr().unwrap().to_string();
        drop(free);
        let webhook = format!("http://{listen}/webhooks/chat");
        let arguments = [&[vendor, "--webhook", &webhook], arguments].concat();
        let mut twin = Self::spawn(&arguments, listen).await;
        twin.settings = twin.settings["channels"]["chat"].take();
        twin
    }

    /// Starts a twin, with the settings that it prints for a tenant.
    async fn spawn(arguments: &[&str], listen: String) -> Self {
        let mut child = tokio::process::Command::new(program())
            .arg("twin")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let settings = settings(&mut output).await;
        Self { child, output, settings, listen }
    }

    /// A host with these settings and no others.
    async fn host(&self) -> Site {
        let mut channel = self.settings.clone();
        channel["bot"] = json!("bot");
        let channel_of_the_harness =
            ["webhook-header", "webhook-secret", "api-url", "api-token", "desk-token"];
        for name in channel_of_the_harness {
            if channel.get(name).is_none() {
                channel[name] = Value::Null;
            }
        }
        let listen = json!({ "server": { "listen": self.listen } });
        let setup = Setup::new("puppet").unwrap().channel("chat", channel);
        setup.with(listen).start().await.unwrap()
    }

    /// A person types these lines and goes.
    async fn play(mut self, lines: &str) -> Ended {
        let mut input = self.child.stdin.take().unwrap();
        input.write_all(lines.as_bytes()).await.unwrap();
        drop(input);
        let mut out = String::new();
        let read = self.output.read_to_string(&mut out);
        tokio::time::timeout(WITHIN, read).await.unwrap().unwrap();
        let ended = self.child.wait_with_output().await.unwrap();
        let error = String::from_utf8_lossy(&ended.stderr).into_owned();
        Ended { good: ended.status.success(), out, error }
    }
}

/// The settings of the tenant, out of what a twin says first.
async fn settings(output: &mut BufReader<ChildStdout>) -> Value {
    let mut file = String::new();
    let mut is_file = false;
    loop {
        let mut line = String::new();
        let read = tokio::time::timeout(WITHIN, output.read_line(&mut line));
        assert!(read.await.unwrap().unwrap() > 0, "the twin ended after:\n{file}");
        match line.trim_end() {
            "" => is_file = true,
            last if last.contains("/help lists") => break,
            _ if is_file => file.push_str(&line),
            _ => {}
        }
    }
    let file: toml::Table = toml::from_str(&file).unwrap();
    serde_json::to_value(&file["tenants"]["TENANT"]).unwrap()
}

/// Plays lines; what was printed, in which nothing may be wrong.
async fn talk(vendor: &str, arguments: &[&str], lines: &str) -> String {
    let twin = Twin::start(vendor, arguments).await;
    let site = twin.host().await;
    let Ended { good, out, error } = twin.play(lines).await;
    let log = site.host().log();
    assert!(good, "{vendor}: {error}\n{out}\n{log}");
    for line in out.lines() {
        let wrong = line.starts_with("??") || line.starts_with("!!");
        assert!(!wrong, "{vendor}: {line} in:\n{out}\n{log}");
    }
    out
}

/// These lines stand there, in this order.
#[track_caller]
fn shows(out: &str, expected: &[&str]) {
    let mut lines = out.lines();
    for expected in expected {
        assert!(lines.any(|line| line == *expected), "{expected} in:\n{out}");
    }
}

#[tokio::test]
async fn khoros_and_its_agents() {
    let lines = "say hi\n/expect hi\nmenu Which? rye spelt\n/expect Which\n/click spelt\n\
                 /expect clicked spelt\nforward\n/wait 1\nsay nobody\n/back\nsay again\n\
                 /expect again\n";
    let out = talk("khoros", &[], lines).await;
    shows(&out, &["bot> hi", "bot> Which?", "     [spelt]  /click spelt", "bot> clicked spelt"]);
    shows(&out, &["(owner AGENT)", "(owner BOT)", "bot> again"]);
    assert!(!out.contains("bot> nobody"), "{out}");
    let signed = talk("khoros", &["--hmac", "--medium", "twitter"], "say hi\n/expect hi\n").await;
    shows(&signed, &["bot> hi"]);
}

#[tokio::test]
async fn messenger_and_instagram() {
    let lines = "say hi\n/expect hi\nmenu Which? rye spelt\n/expect Which\n/click spelt\n\
                 /expect clicked spelt\n";
    for medium in ["facebook", "instagram"] {
        let out = talk("messenger", &["--medium", medium, "--noise"], lines).await;
        let menu = ["bot> hi", "bot> Which?", "     [rye]  /click rye"];
        shows(&out, &menu);
        shows(&out, &["bot> clicked spelt"]);
    }
}

#[tokio::test]
async fn lexer_whose_team_sees_what_nobody_claims() {
    let lines = "say hi\n/expect hi\n/wait 1\n/inbox 0\n";
    let out = talk("lexer", &[], lines).await;
    shows(&out, &["bot> hi"]);
    assert!(out.contains("(Lexer: claim of m_") && out.contains("(Lexer: echo of m_"), "{out}");
}

#[tokio::test]
async fn myalice_and_what_follows_a_block() {
    let out = talk("myalice", &[], "say one\nsay two\n/expect one\n/expect two\n").await;
    shows(&out, &["bot> one", "bot> two"]);
    let lines = "menu Which? rye spelt\n/expect spelt\n/click spelt\n/expect clicked spelt\n";
    let out = talk("myalice", &["--output", "quick-reply"], lines).await;
    shows(&out, &["     [spelt]  /click spelt", "bot> clicked spelt"]);
}

#[tokio::test]
async fn instabots_client_and_its_callback() {
    let lines = "/start\nmenu Which? rye spelt\n/click spelt\n/expect clicked spelt\n\
                 later 100 say hello\n/expect hello\n";
    let out = talk("instabot", &[], lines).await;
    shows(&out, &["     [spelt]  /click spelt", "bot> clicked spelt", "bot> hello"]);
}

#[tokio::test]
async fn an_external_bot_and_its_live_agent() {
    let twin = Twin::spawn(&["instabot-bot"], String::new()).await;
    let more = json!({
        "server": { "public-url": "https://host.example" },
        "tenants": { "demo": { "relays": twin.settings["relays"] } },
    });
    let setup = Setup::new("puppet").unwrap().channel(MAIN, json!({})).with(more);
    let site = setup.start().await.unwrap();
    let conversation = begun(&site).await;
    conversation.message("hand-over care").await.unwrap();
    let got = async |count| {
        let account = site.account();
        let packets = account.wait_delivered(&conversation.cid, count, WITHIN).await.unwrap();
        packets.iter().filter_map(Packet::text).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(got(2).await, ["Here is the external bot.", "Which flour?"]);
    conversation.message("spelt").await.unwrap();
    assert_eq!(got(3).await[2..], ["How many bags?"]);
    conversation.message("3").await.unwrap();
    assert_eq!(got(4).await[3..], ["Thank you, goodbye."]);
    let out = twin.play("").await.out;
    shows(&out, &["person> spelt", "person> 3"]);
}

/// What is sent twice is one message, and what was overtaken comes behind.
#[tokio::test]
async fn faults_are_met_and_a_script_fails_where_something_was_refused() {
    let faults = ["--fault", "reorder=1", "--fault", "duplicate=1", "--fault", "slow-api=0.2"];
    let lines = "say one\nsay two\n/expect two\n/expect one\n";
    let out = talk("messenger", &faults, lines).await;
    assert_eq!(out.matches("bot> one").count(), 1, "{out}");
    let ended = Twin::start("khoros", &[]).await.play("say hi\n").await;
    assert!(ended.good && ended.out.contains("!! webhook 1, sending 1"), "nobody is there");
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("chat.txt");
    std::fs::write(&script, "say hi\n").unwrap();
    let script = script.to_string_lossy().into_owned();
    let ended = Twin::start("myalice", &["--script", &script]).await.play("").await;
    assert!(!ended.good);
    assert!(ended.error.contains("MyAlice refused 0") && ended.error.contains("1 webhooks"));
}

#[tokio::test]
async fn an_unknown_vendor_is_told_which_are_known() {
    let rows = [
        (&["twin", "telegram"][..], "known are: userlike, khoros, messenger, lexer, myalice"),
        (&["twin", "khoros", "--webhook", "nowhere"], "/webhooks/<channel>"),
        (
            &["twin", "messenger", "--webhook", "http://a/webhooks/b", "--medium", "pigeon"],
            "facebook, instagram",
        ),
    ];
    for (arguments, words) in rows {
        let ended = tokio::process::Command::new(program()).args(arguments).output().await;
        let ended = ended.unwrap();
        let error = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!ended.status.success() && error.contains(words), "{arguments:?}: {error}");
    }
}
