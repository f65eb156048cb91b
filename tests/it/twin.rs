//! Userlike's twin against what we make, and a host against the twin's faults.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use botyard_tests::client::userlike::Conversation;
use botyard_tests::host::program;
use botyard_tests::peers::userlike::{
    Account, Contact, Fault, Faults, Operators, Packet, Record, Step, Userlike, client,
};
use botyard_tests::site::{HEADER, MAIN, SECRET, Setup, Site, TOKEN};
use botyard_tests::wait;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::puppet::{begun, site};

const WITHIN: Duration = Duration::from_secs(120);

/// Fixtures whose packets this twin does not take, and a word of why: keys that a
/// channel's dialect spells otherwise, and packets that nobody documents.
const OTHERS: &[(&str, &str)] = &[
    ("out.bubbles_dialect.json", "options"),
    ("out.button_deprecated_dialect.json", "without body"),
    ("out.button_template_dialect.json", "without body"),
    ("out.delay_fractions.json", "seconds"),
    ("out.email_dispatch_dialect.json", "agent"),
    ("out.forward_group_texts.json", "group_id"),
    ("out.passthrough.json", "survey"),
];

#[tokio::test]
async fn userlike_takes_every_packet_that_we_render() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/vendors/fixtures/userlike");
    let userlike = Userlike::start(TOKEN).await.unwrap();
    let http = client().unwrap();
    let mut refused = BTreeSet::new();
    let mut taken = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("out.") {
            continue;
        }
        let fixture: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let mut contact = Contact::new();
        contact.insert("email".to_owned(), json!("ines@example.invalid"));
        userlike.account().open(&name, contact);
        let mut info = json!({ "cid": name });
        if let Some(context) = fixture.get("context") {
            info["context"] = context.clone();
        }
        let event = json!([{ "info": info, "packet": fixture["packet"] }]);
        let call = http.post(userlike.api_url()).header("SECURITY-TOKEN", TOKEN);
        let call = call.header("content-type", "application/json").body(event.to_string());
        let answer = call.send().await.unwrap();
        let (status, reason) = (answer.status().as_u16(), answer.text().await.unwrap());
        match OTHERS.iter().find(|(other, _)| *other == name) {
            None => {
                assert_eq!((status, &*reason), (200, ""), "{name}");
                taken += 1;
            }
            Some((_, why)) => {
                assert_eq!(status, 400, "{name}");
                assert!(reason.contains(why), "{name}: {reason}");
                refused.insert(name);
            }
        }
    }
    assert_eq!(refused.len(), OTHERS.len(), "{refused:?}");
    assert!(taken >= 40, "{taken}");
}

/// What the person saw, texts and the last part of links.
fn seen(account: &Account, cid: &str) -> Vec<String> {
    let text = |packet: &Packet| {
        let link = packet.payload["link"].as_str().and_then(|link| link.rsplit('/').next());
        packet.text().or(link).map(str::to_owned)
    };
    let seen = account.seen(cid);
    seen.iter().filter_map(|seen| text(&seen.packet)).collect()
}

/// A host that is patient with a slow bot, at a vendor whose minute is a second.
async fn patient() -> Site {
    let timing = json!({ "timing": { "rate-window-ms": 1_000 } });
    let setup = Setup::new("puppet").unwrap().window(Duration::from_secs(1));
    let cpu = json!({ "runtime": { "native": { "cpu-ms": 5_000, "wall-ms": 60_000 } } });
    setup.channel(MAIN, json!({ "dialect": timing })).with(cpu).start().await.unwrap()
}

/// Userlike leaves before answers, reads them slowly, and its API URL fails in
/// every way that leaves no doubt: the person sees everything once, in order.
#[tokio::test]
async fn through_all_faults_nothing_is_lost_doubled_or_overtaken() {
    const EVENTS: usize = 8;
    let site = patient().await;
    let conversation = begun(&site).await;
    let mut faults = Faults::seeded(11)
        .with(Fault::Leave, 0.4)
        .with(Fault::SlowRead, 0.3)
        .with(Fault::SlowApi, 0.07)
        .with(Fault::Limited, 0.07)
        .with(Fault::LimitedFor, 0.07)
        .with(Fault::Broken, 0.07)
        .with(Fault::Cut, 0.07);
    // The bot works longer than whoever leaves stays.
    faults.patience = Duration::from_millis(2);
    faults.slow = Duration::from_millis(300);
    faults.retry_after = 1;
    site.account().set_faults(faults);
    for n in 1..=EVENTS {
        let script = format!("work 20\ncount\nmedia https://files.example/{n}.png");
        let delivery = conversation.deliver(Step::message(&script)).await;
        assert!(delivery.is_answered(), "{}", delivery.reason());
    }
    let mut expected = vec!["welcome".to_owned()];
    expected.extend((1..=EVENTS).flat_map(|n| [format!("{n} {n}"), format!("{n}.png")]));
    wait_seen(&site, &conversation, expected.len()).await;
    assert_eq!(seen(site.account(), &conversation.cid), expected);
    let faults = met(site.account());
    for fault in ["leave", "slow-read"] {
        assert!(faults.contains(fault), "{faults:?}");
    }
    assert!(faults.len() >= 4, "{faults:?}");
}

/// Where nobody can tell whether a call arrived, it is made again: at least once,
/// and still in order.
#[tokio::test]
async fn what_may_have_arrived_comes_again_in_its_place() {
    const EVENTS: usize = 5;
    let site = patient().await;
    let conversation = begun(&site).await;
    let faults = Faults::seeded(2).with(Fault::CutAfter, 0.2).with(Fault::BrokenAfter, 0.2);
    site.account().set_faults(faults);
    for n in 1..=EVENTS {
        let script = format!("media https://files.example/{n}");
        conversation.deliver(Step::message(&script)).await;
    }
    let last = EVENTS.to_string();
    let all = || (seen(site.account(), &conversation.cid).last() == Some(&last)).then_some(());
    wait::until("the last picture", WITHIN, all).await.unwrap();
    let mut seen = seen(site.account(), &conversation.cid);
    assert!(seen.len() > EVENTS + 1, "nothing came twice: {seen:?}");
    seen.dedup();
    let mut expected = vec!["welcome".to_owned()];
    expected.extend((1..=EVENTS).map(|n| n.to_string()));
    assert_eq!(seen, expected);
}

/// A delay holds back its own list only: what comes in another one meanwhile is
/// shown at once. So it is the host that must wait.
#[tokio::test]
async fn nothing_overtakes_a_delay_at_the_person() {
    let site = site().await;
    let conversation = begun(&site).await;
    conversation.message("say one\npause 1000\nsay two").await.unwrap();
    conversation.message("say three\nmedia https://files.example/four").await.unwrap();
    wait_seen(&site, &conversation, 5).await;
    let expected = ["welcome", "one", "two", "three", "four"];
    assert_eq!(seen(site.account(), &conversation.cid), expected);
}

async fn wait_seen(site: &Site, conversation: &Conversation, count: usize) {
    let enough = || (seen(site.account(), &conversation.cid).len() >= count).then_some(());
    let waited = wait::until("everything at the person", WITHIN, enough).await;
    let saw = seen(site.account(), &conversation.cid);
    waited.unwrap_or_else(|error| panic!("{error}: {saw:?}"));
}

/// The faults that were met so far.
fn met(account: &Account) -> BTreeSet<&'static str> {
    let fault = |record: Record| match record {
        Record::Webhook(sent) => sent.fault,
        Record::Call(call) => call.fault,
        Record::Seen(_) | Record::Session(_) => None,
    };
    account.records().into_iter().filter_map(fault).collect()
}

#[tokio::test]
async fn userlike_tells_the_bot_of_a_hand_off_that_failed() {
    let site = site().await;
    let conversation = begun(&site).await;
    site.account().set_operators(Operators::Away);
    let answer = conversation.message("say bye\nforward-or-return").await.unwrap();
    assert_eq!(answer.packets[1].name, "forward_any");
    wait_seen(&site, &conversation, 3).await;
    assert_eq!(seen(site.account(), &conversation.cid), ["welcome", "bye", "forward failed"]);
    assert_eq!(conversation.message("say on").await.unwrap().texts(), ["on"]);
}

/// Runs `botyard twin userlike` with these lines as a person's.
async fn twin(site: &Site, arguments: &[&str], lines: &str) -> (bool, String, String) {
    let mut child = tokio::process::Command::new(program())
        .args(["twin", "userlike", "--webhook", &site.webhook(MAIN).url])
        .args(["--header", &format!("{HEADER}: {SECRET}")])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Whoever ends early reads nothing more.
    stdin.write_all(lines.as_bytes()).await.ok();
    drop(stdin);
    let output = tokio::time::timeout(WITHIN, child.wait_with_output()).await.unwrap().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn a_person_chats_with_a_bot_from_the_command_line() {
    let site = site().await;
    let lines = "/start\nmenu Which? left right\n/click left\n/click left\n/nonsense\nsay bye\n";
    let (good, out, error) = twin(&site, &[], lines).await;
    assert!(good, "{error}");
    let heard = [
        "bot> welcome",
        "bot> Which?",
        "     [left]  /click left",
        "bot> clicked left",
        "?? left cannot be tapped: the choice was answered already",
        "?? there is no /nonsense: /help lists what there is",
        "bot> bye",
    ];
    let mut lines = out.lines();
    for heard in heard {
        assert!(lines.any(|line| line == heard), "{heard} in:\n{out}");
    }

    let (good, out, error) = twin(&site, &["--json", "--medium", "sms"], "say 1\nsay 2\n").await;
    assert!(good, "{error}");
    let records: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let webhooks: Vec<_> = records.iter().filter(|record| record["record"] == "webhook").collect();
    assert_eq!(webhooks.len(), 2, "{out}");
    let first: Value = serde_json::from_str(webhooks[0]["body"].as_str().unwrap()).unwrap();
    assert_eq!(first["packet"]["name"], "start");
    assert_eq!(first["info"]["conversation"]["contact_channel"]["type"], "sms");
}

#[tokio::test]
async fn a_script_fails_where_something_is_not_as_it_should_be() {
    // A port that is free now, for the API URL that the host has to know before.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let api_url = format!("http://{address}/v1/");
    let setup = Setup::new("puppet").unwrap().channel(MAIN, json!({ "api-url": api_url }));
    let site = setup.start().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("chat.txt");
    let file = script.to_string_lossy().into_owned();
    let rows = [
        ("/start\n/expect welcome\nlater 50 say hello\n/expect hello\n", true, ""),
        ("/start\nsay hello\n/expect hello\n/expect welcome\n", false, "did not say `welcome`"),
        // Another run is another conversation, which the host welcomes again.
        ("/start\n/expect welcome\n", true, ""),
        ("/start\nlater 50 say hello\n/expire\n/wait 3\n", false, "and 0 webhooks"),
        ("/start\n/click nothing\n", false, "line 2, `/click nothing`: no option"),
    ];
    for (lines, expect, words) in rows {
        fs::write(&script, lines).unwrap();
        let arguments = ["--script", &file, "--listen", &address, "--token", TOKEN];
        let (good, out, error) = twin(&site, &arguments, "").await;
        assert_eq!(good, expect, "{out}{error}");
        assert!(error.contains(words), "{error}");
    }
    // The host is where it is; nobody answers at another port.
    fs::write(&script, "/start\n").unwrap();
    let arguments = ["--script", &file, "--redeliver", "0.1", "--fault", "leave=0"];
    let nowhere = ["--webhook", "http://127.0.0.1:1/webhooks/main"];
    let output = tokio::process::Command::new(program())
        .args(["twin", "userlike"])
        .args(nowhere)
        .args(arguments)
        .output()
        .await
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(error.contains("refused 0 answers or calls, and 1 webhooks"), "{error}");
}

#[tokio::test]
async fn wrong_arguments_are_told_what_is_right() {
    let site = site().await;
    let rows: [(&[&str], &str); 4] = [
        (&["--medium", "pigeon"], "choose one of web, facebook"),
        (&["--fault", "flood=1"], "429-retry-after"),
        (&["--listen", "nowhere"], "--listen"),
        (&["--script", "/nowhere/chat.txt"], "cannot open /nowhere/chat.txt"),
    ];
    for (arguments, words) in rows {
        let (good, out, error) = twin(&site, arguments, "").await;
        assert!(!good, "{arguments:?}: {out}");
        assert!(error.contains(words), "{arguments:?}: {error}");
    }
}
