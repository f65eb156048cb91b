//! `botyard vendor`: what webhooks and actions become, without a server.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use botyard_tests::host::program;
use serde_json::{Value, json};
use tempfile::TempDir;

const SECRET: &str = "canary-alice-secret";

/// Runs the program, with a file's text where the arguments say `FILE`.
struct Shell {
    directory: TempDir,
}

impl Shell {
    fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn run(&self, arguments: &[&str], text: &str) -> Output {
        let file = self.write("file.json", text);
        let mut command = Command::new(program());
        command.arg("vendor").current_dir(self.directory.path());
        for argument in arguments {
            match *argument {
                "FILE" => command.arg(&file),
                argument => command.arg(argument),
            };
        }
        command.env("ALICE_SECRET", SECRET).output().unwrap()
    }

    /// The lines that it prints.
    fn prints(&self, arguments: &[&str], text: &str) -> Vec<Value> {
        let output = self.run(arguments, text);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What it says when it fails.
    fn fails(&self, arguments: &[&str], text: &str) -> String {
        let output = self.run(arguments, text);
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

fn actions() -> String {
    let message = |text: &str| json!({ "name": "message", "payload": { "text": text } });
    let media = json!({ "name": "media", "payload": { "link": "https://x.example/a.png" } });
    json!([message("one"), media, message("two")]).to_string()
}

#[test]
fn vendors_that_take_actions_in_answers_are_shown_the_answer_and_what_follows() {
    let shell = Shell::new();
    let texts = |lines: &[Value]| -> Vec<String> {
        let texts = lines.iter().skip(1).map(|line| line["body"]["text"].as_str().unwrap());
        texts.map(str::to_owned).collect()
    };
    let answered = |lines: &[Value]| lines[0]["answer"].clone();

    let lines = shell.prints(&["render", "myalice", "FILE"], &actions());
    assert_eq!(answered(&lines)["status"], 200);
    assert_eq!(answered(&lines)["headers"], json!({ "content-type": "application/json" }));
    assert_eq!(answered(&lines)["body"]["data"], "one");
    assert_eq!(texts(&lines), ["https://x.example/a.png", "two"]);
    assert_eq!(lines[1]["body"]["customer_id"], "1022");

    let lines = shell.prints(&["render", "myalice", "--form", "image", "FILE"], &actions());
    assert_eq!(answered(&lines)["body"]["data"], "https://x.example/a.png");
    assert_eq!(texts(&lines), ["one", "two"]);

    let lines = shell.prints(&["render", "myalice", "--late", "FILE"], &actions());
    assert_eq!(answered(&lines)["body"]["data"], "");
    assert_eq!(texts(&lines), ["one", "https://x.example/a.png", "two"]);

    let lines = shell.prints(&["render", "instabot", "FILE"], &actions());
    let said = answered(&lines)["body"]["messages"].clone();
    assert_eq!((lines.len(), said[2]["text"].as_str()), (1, Some("two")), "{said}");
    let stream = answered(&lines)["body"]["streamId"].as_str().unwrap().len();
    assert_eq!(stream, 40, "a stream id as the vendor would have it");
    let lines = shell.prints(&["render", "instabot", "--late", "FILE"], &actions());
    assert_eq!(lines[1]["url"], "https://client.example.invalid/agent");
}

#[test]
fn calls_name_the_medium_and_what_follows_from_them_is_shown() {
    let shell = Shell::new();
    let lines = shell.prints(&["render", "khoros", "--medium", "apple", "FILE"], &actions());
    let coordinate = &lines[0]["body"]["coordinate"];
    let keys = ["companyKey", "networkKey", "externalId", "messageId"];
    let told = keys.map(|key| coordinate[key].as_str().unwrap_or_default());
    assert_eq!(told, ["acmehotel", "apple", "a-page", "a-message"], "{coordinate}");
    let typed = json!([{ "name": "typing", "payload": "start" }, { "name": "message", "payload": { "text": "one" } }]);
    let lines =
        shell.prints(&["render", "khoros", "--medium", "apple", "FILE"], &typed.to_string());
    let kinds = lines.iter().filter_map(|line| line["body"]["type"].as_str());
    assert_eq!(kinds.collect::<Vec<_>>(), ["typing_start", "message", "typing_stop"]);
    let asked = lines.iter().any(|line| line.get("follow_up").is_some());
    assert!(!asked, "replies wait for the network: {lines:?}");
    let menu = json!({ "name": "bubbles", "payload": { "text": "Which?", "options": [{ "id": "a", "label": "A" }] } });
    let followed =
        json!([menu, { "name": "message", "payload": { "text": "Take your time." } }]).to_string();
    let lines = shell.prints(&["render", "messenger", "FILE"], &followed);
    let kind = &lines[0]["body"]["message"]["attachment"]["payload"]["template_type"];
    assert_eq!(kind, "button", "quick replies would go with the text behind them");

    let lines = shell.prints(&["render", "lexer", "--medium", "facebook", "FILE"], &actions());
    let echo = &lines[1]["follow_up"];
    assert!(echo["url"].as_str().unwrap().ends_with("/echo"), "{echo}");
    assert_eq!(lines[0]["headers"]["authorization"], "(a secret)");
}

#[test]
fn the_switches_of_a_dialect_are_printed_as_they_can_be_pasted() {
    let shell = Shell::new();
    let printed = shell.run(&["dialect", "khoros"], "");
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert!(
        printed.starts_with("[dialect]\n# ") && printed.contains("[dialect.hmac]"),
        "{printed}"
    );
    assert!(
        shell.fails(&["dialect", "nobody"], "").contains("khoros"),
        "it names those that there are"
    );
}

#[test]
fn a_channel_of_the_hosts_settings_can_be_tried_as_it_stands() {
    let shell = Shell::new();
    let config = r#"
        [tenants.demo.bots.lead]
        component = "lead.wasm"
        [tenants.demo.channels.alice]
        vendor = "myalice"
        bot = "lead"
        desk-token = "0123456789abcdef"
        webhook-secret = { env = "ALICE_SECRET" }
        api-key = "a-key"
        wait-text = "One moment."
    "#;
    shell.write("botyard.toml", config);
    let of = ["--config", "botyard.toml", "--channel", "alice"];
    let render = [&["render", "myalice", "--late", "FILE"][..], &of].concat();
    assert_eq!(shell.prints(&render, &actions())[0]["answer"]["body"]["data"], "One moment.");

    let block = json!({ "uid": 7, "platform_id": 1, "last_message_text": "hi" }).to_string();
    let header = format!("X-Secret={SECRET}");
    let receive = ["receive", "myalice", "FILE", "--path", "text/menu", "--header"];
    let known = [&receive[..], &[&header], &of].concat();
    assert_eq!(shell.prints(&known, &block)[0]["conversation"], "1:7");
    let guessed = [&receive[..], &["X-Secret=guess"], &of].concat();
    let error = shell.fails(&guessed, &block);
    assert!(error.contains("401") && !error.contains(SECRET), "{error}");

    let wrong = [
        (vec!["render", "khoros", "FILE"], "is one of myalice, not of khoros"),
        (vec!["render", "myalice", "FILE", "--settings", "x.json"], "cannot be used with"),
    ];
    for (arguments, words) in wrong {
        let error = shell.fails(&[&arguments[..], &of].concat(), &actions());
        assert!(error.contains(words), "{error}");
    }
    let nowhere = ["render", "myalice", "FILE", "--config", "botyard.toml", "--channel", "bob"];
    let error = shell.fails(&nowhere, &actions());
    assert!(error.contains("there is no channel `bob`"), "{error}");
}

#[test]
fn the_vendors_own_settings_are_taken_as_json() {
    let shell = Shell::new();
    let settings = json!({ "webhook-secret": SECRET, "api-key": "a-key", "wait-text": "Wait." });
    shell.write("own.json", &settings.to_string());
    let arguments = ["render", "myalice", "--late", "FILE", "--settings", "own.json"];
    assert_eq!(shell.prints(&arguments, &actions())[0]["answer"]["body"]["data"], "Wait.");
}

#[test]
fn payloads_of_anybodys_account_are_shown_without_settings() {
    let shell = Shell::new();
    let khoros = json!({
        "type": "message", "text": "Hello", "author": { "id": "7200" },
        "coordinate": {
            "companyKey": "someoneelse", "networkKey": "facebook", "externalId": "4100",
            "messageId": "m_1", "botId": "their-bot",
        },
        "owner": { "type": "BOT", "appId": "their-bot" },
    });
    let shown = &shell.prints(&["receive", "khoros", "FILE"], &khoros.to_string())[0];
    assert_eq!(shown["conversation"], "someoneelse/facebook/4100/7200", "{shown}");
    assert_eq!((&shown["owner"], &shown["event"]["name"]), (&json!("bot"), &json!("message")));

    // With settings it is compared, and without any of it nothing is a success.
    let settings = json!({
        "company-key": "acmehotel", "app-id": "acme-bot", "gateway-url": "https://a.example",
        "token": "a-token", "webhook-method": "basic", "webhook-identity": "me",
        "webhook-secret": "a-secret",
    });
    shell.write("own.json", &settings.to_string());
    let basic = "authorization=Basic bWU6YS1zZWNyZXQ=";
    let own = ["receive", "khoros", "FILE", "--settings", "own.json", "--header", basic];
    let error = shell.fails(&own, &khoros.to_string());
    assert!(error.contains("`company-key`") && error.contains("nothing of it can be read"));
    assert!(!error.contains("invented"), "{error}");
    let error = shell.fails(&["receive", "khoros", "FILE"], "[]");
    assert!(error.contains("nothing of it can be read") && error.contains("invented settings"));

    let chat = json!({ "apiKey": "theirs", "botId": 7, "start": true, "email": "a@b.example" });
    let send = ["receive", "instabot", "FILE", "--path", "secure/send"];
    let shown = &shell.prints(&send, &chat.to_string())[0];
    assert_eq!(shown["event"]["name"], "start", "{shown}");
    let error = shell.fails(&["receive", "instabot", "FILE"], &chat.to_string());
    assert!(error.contains("/secure/send") && error.contains("invented settings"), "{error}");
}

/// An ignored webhook is no failure: nothing on standard output, and why on the other.
#[test]
fn what_is_ignored_prints_nothing_and_says_why() {
    let shell = Shell::new();
    let echo = |app: u64| {
        let message = json!({ "mid": "m_1", "is_echo": true, "app_id": app, "text": "Booked." });
        let item = json!({ "sender": { "id": "410088" }, "recipient": { "id": "7200" },
            "timestamp": 1_700_000_752_478_u64, "message": message });
        let entry = json!({ "id": "410088", "time": 1_700_000_752_498_u64, "messaging": [item] });
        json!({ "object": "page", "entry": [entry] }).to_string()
    };
    let ignored = |app: u64| {
        let output = shell.run(&["receive", "messenger", "FILE"], &echo(app));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && output.stdout.is_empty(), "{error}");
        error
    };
    // The app of a channel without settings.
    let error = ignored(1_000_000_000_000_001);
    assert!(error.contains("ignored: an echo of our own"), "{error}");
    let shown = shell.prints(&["receive", "messenger", "FILE"], &echo(263_902_037_430_900));
    assert_eq!(shown[0]["event"]["name"], "human_spoke", "{shown:?}");
}

#[test]
fn what_stays_with_the_host_is_told() {
    let shell = Shell::new();
    let actions = json!([{ "name": "contact_update", "payload": { "name": "Ida" } }]);
    let output = shell.run(&["render", "messenger", "FILE"], &actions.to_string());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && output.stdout.is_empty(), "{error}");
    assert!(error.contains("action 0 (contact_update): kept by the host"), "{error}");
}
