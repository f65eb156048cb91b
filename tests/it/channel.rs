//! What operators see of a channel: what its vendor takes, and what it sends.

use std::time::Duration;

use botyard_tests::client::userlike::client;
use botyard_tests::peers::vendor::Vendor;
use botyard_tests::site::{MAIN, Setup, Site};
use botyard_tests::wait::{until, until_asked};
use serde_json::{Value, json};

use crate::puppet::{begun, site};

const WITHIN: Duration = Duration::from_secs(10);

async fn done(site: &Site, arguments: &[&str]) -> String {
    let (code, printed) = site.operate(arguments).await.unwrap();
    assert_eq!(code, Some(0), "{arguments:?}: {printed}");
    printed
}

/// A host with a channel of another vendor beside the main one.
async fn site_with(name: &str, own: Value) -> Site {
    let mut channel = json!({
        "webhook-header": null, "webhook-secret": null, "api-url": null, "api-token": null,
    });
    channel.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    Setup::new("puppet").unwrap().channel(name, channel).start().await.unwrap()
}

#[tokio::test]
async fn a_capture_keeps_webhooks_sealed_and_for_a_while() {
    let site = site().await;
    let conversation = begun(&site).await;
    conversation.message("say before").await.unwrap();
    let told = done(&site, &["channel", "capture", MAIN, "--for", "1m"]).await;
    assert!(told.contains("in the next 60 s are kept for a day"), "{told}");
    conversation.message("say canary words").await.unwrap();
    let read = async || {
        let printed = done(&site, &["channel", "captured", MAIN]).await;
        Ok(Some(printed).filter(|printed| printed.lines().count() == 1))
    };
    let printed = until_asked("a captured webhook", WITHIN, read).await.unwrap();
    let kept: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&kept["method"], &kept["became"]), (&"POST".into(), &"1 events, 0 damaged".into()));
    assert!(kept["body"].as_str().unwrap().contains("canary words"), "{kept}");
    let secret =
        kept["headers"].as_array().unwrap().iter().find(|it| it[0] == "api-security-token");
    assert_eq!(secret.unwrap()[1], "(left out)");
    let files = site.captured_bytes(MAIN).unwrap();
    assert!(
        !files.is_empty() && !files.windows(12).any(|it| it == b"canary words"),
        "it is sealed"
    );

    // Anybody can send what is refused: it is kept apart.
    let url = site.webhook(MAIN).url;
    let stranger = client().unwrap().post(url).header("x-ticket", "canary words").body("{}");
    assert_eq!(stranger.send().await.unwrap().status().as_u16(), 401);
    let both = async || {
        let printed = done(&site, &["channel", "captured", MAIN]).await;
        Ok(Some(printed).filter(|printed| printed.lines().count() == 2))
    };
    let printed = until_asked("a refused webhook", WITHIN, both).await.unwrap();
    let refused: Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
    assert!(refused["became"].as_str().unwrap().starts_with("refused with 401"), "{refused}");
    assert!(refused.to_string().contains("x-ticket") && !refused.to_string().contains("canary"));
    assert_eq!(site.captured_bytes(MAIN).unwrap(), files);

    done(&site, &["channel", "captured", MAIN, "--delete"]).await;
    conversation.message("say after").await.unwrap();
    assert_eq!(done(&site, &["channel", "captured", MAIN]).await, "");
    // People's words were looked at: the audit says by whom.
    let audit = done(&site, &["audit", "list", "--tenant", "demo"]).await;
    for action in ["capture", "read-capture", "take-capture"] {
        let is = |line: &str| line.split_whitespace().any(|word| word == action);
        assert!(audit.lines().any(is), "{action}: {audit}");
    }
    for (arguments, expect) in [
        (&["channel", "capture", MAIN, "--for", "2h"][..], "an hour at most"),
        (&["channel", "capture", "nobody", "--for", "1m"], "there is no channel nobody"),
    ] {
        let (code, printed) = site.operate(arguments).await.unwrap();
        assert!(code == Some(1) && printed.contains(expect), "{code:?}: {printed}");
    }
}

#[tokio::test]
async fn a_probe_says_what_the_vendor_takes() {
    let site = site().await;
    let conversation = begun(&site).await;
    let cid = conversation.cid.as_str();
    let probe = |cid: &str| {
        let only = ["--only", "message", "--only", "navigate"].map(str::to_owned);
        let to = ["channel", "probe", MAIN, "--conversation", cid].map(str::to_owned);
        to.into_iter().chain(only).collect::<Vec<_>>()
    };
    let run = async |cid: &str| {
        let arguments = probe(cid);
        done(&site, &arguments.iter().map(String::as_str).collect::<Vec<_>>()).await
    };
    let printed = run(cid).await;
    assert!(printed.contains("message, plain: message accepted (200)"), "{printed}");
    assert!(printed.contains("userlike took 3 of 3, 0 not sent"), "{printed}");
    assert_eq!(site.account().delivered(cid).len(), 3);

    let printed = run("chatbot::612:nobody").await;
    assert!(printed.contains("refused (") && !printed.contains("accepted"), "{printed}");
    assert!(printed.contains("userlike took 0 of 3, 0 not sent"), "{printed}");

    let found: Value =
        serde_json::from_str(&done(&site, &["channel", "probed", MAIN]).await).unwrap();
    let last = &found["own"]["web"]["message plain"];
    assert_eq!(last["accepted"], false, "{found}");
    let (code, printed) = site
        .operate(&["channel", "probe", MAIN, "--conversation", cid, "--only", "sing"])
        .await
        .unwrap();
    assert!(code == Some(1) && printed.contains("`sing` is no action"), "{printed}");
}

#[tokio::test]
async fn what_a_probe_does_not_send_was_taken_by_nobody() {
    let rest = Vendor::start(json!({ "success": true })).unwrap();
    let channel = json!({
        "vendor": "myalice", "webhook-secret": "canary-alice-secret", "api-key": "canary-key",
        "dialect": { "rest-base": rest.url() },
    });
    let site = site_with("alice", channel).await;
    let only = ["--only", "navigate", "--only", "typing", "--only", "contact_update"];
    let arguments = [&["channel", "probe", "alice", "--conversation", "77:1022"][..], &only];
    let printed = done(&site, &arguments.concat()).await;
    assert!(printed.contains("typing: not sent"), "{printed}");
    assert!(printed.contains("contact_update: not sent") && printed.contains("kept by the host"));
    assert!(printed.contains("myalice took 1 of 3, 2 not sent"), "{printed}");
    assert_eq!(rest.calls().len(), 1);
    let found: Value =
        serde_json::from_str(&done(&site, &["channel", "probed", "alice"]).await).unwrap();
    for (what, sent, accepted) in [("typing", false, Value::Null), ("navigate", true, true.into())]
    {
        let told = &found["own"]["web"][what];
        assert_eq!((&told["sent"], &told["accepted"]), (&sent.into(), &accepted), "{found}");
    }
}

/// What the host knows of a conversation need not be said, and accounts have tags of their own.
#[tokio::test]
async fn a_probe_takes_the_operators_own_actions_to_where_the_person_writes() {
    let site = site().await;
    let conversation = begun(&site).await;
    let cid = conversation.cid.as_str();
    let to = ["channel", "probe", MAIN, "--conversation", cid];
    let actions = json!([
        { "name": "message", "payload": { "text": "own words" } },
        { "name": "note_create", "payload": { "text": "a note" } },
    ]);
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let file = &*write("actions.json", &actions.to_string());
    let printed = done(&site, &[&to[..], &["--actions", file]].concat()).await;
    assert!(printed.contains("on the medium web"), "{printed}");
    assert!(printed.contains("message, number 1 of the file: message accepted"), "{printed}");
    assert!(printed.contains("userlike took 2 of 2, 0 not sent"), "{printed}");
    let texts: Vec<_> = site.account().seen(cid);
    assert!(texts.iter().any(|seen| seen.packet.text() == Some("own words")));

    let (code, printed) = site
        .operate(&[&to[..], &["--only", "carousel", "--medium", "facebook"]].concat())
        .await
        .unwrap();
    assert!(code == Some(1) && printed.contains("the address of one by --picture"), "{printed}");
    let wrong = write("wrong.json", r#"[{ "name": "sing" }]"#);
    let wrong = ["--actions", &*wrong];
    let (code, printed) = site.operate(&[&to[..], &wrong].concat()).await.unwrap();
    assert!(code == Some(1) && printed.contains("a JSON list of actions"), "{printed}");
}

#[tokio::test]
async fn a_probe_hands_over_as_the_host_does() {
    let facebook = Vendor::start(json!({ "recipient_id": "7200", "message_id": "m_1" })).unwrap();
    let channel = |dialect: Value| {
        json!({
            "vendor": "lexer", "client-id": 42, "token": "canary-lexer-token",
            "hub-url": facebook.url(), "dialect": dialect,
            "messenger": {
                "app-secret": "canary-app-secret", "verify-token": "canary-verify-token",
                "page-token": "canary-page-token", "app-id": "1234567890",
                "graph-url": facebook.url(),
            },
        })
    };
    let site = site_with("page", channel(json!({}))).await;
    let run = async |more: &[&str]| {
        let to = ["channel", "probe", "page", "--conversation", "410088:7200", "--ends"];
        let only = ["--only", "abort"];
        done(&site, &[&to[..], &only, more].concat()).await
    };
    let printed = run(&[]).await;
    let silent = "forward not sent: the host falls silent, without a call";
    assert!(printed.contains(silent) && printed.contains("took 0 of 1, 1 not sent"), "{printed}");
    assert_eq!(facebook.calls().len(), 0);
    // On a page with handover roles the host makes a call, and so does the probe.
    let printed = run(&["--dialect", r#"{"pass-thread": true}"#]).await;
    assert!(printed.contains("lexer took 1 of 1, 0 not sent"), "{printed}");
    assert!(facebook.calls()[0].path.ends_with("/pass_thread_control"));
}

#[tokio::test]
async fn a_capture_has_no_secrets_and_ends_with_its_day_or_when_it_is_deleted() {
    let key = "canary-key";
    let channel = json!({
        "vendor": "instabot", "bot-id": 7, "api-key": key,
        "stream-secret": "canary-instabot-stream-secret-of-32",
    });
    let mut site = site_with("chat", channel).await;
    done(&site, &["channel", "capture", "chat", "--for", "1m"]).await;
    let body = json!({
        "apiKey": key, "botId": 7, "start": true, "email": "guest@example.invalid",
        "callbackUrl": "https://a.example/canary",
    });
    let url = site.url("/webhooks/chat/secure/send");
    let answer = client().unwrap().post(url).body(body.to_string()).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let captured = async |site: &Site, more: &[&str]| {
        done(site, &[&["channel", "captured", "chat"], more].concat()).await
    };
    let read = async || Ok(Some(captured(&site, &[]).await).filter(|printed| !printed.is_empty()));
    let printed = until_asked("a captured webhook", WITHIN, read).await.unwrap();
    assert!(printed.contains("guest@example.invalid") && !printed.contains("canary"), "{printed}");

    // It is there for whoever takes the channel out of the settings.
    let gone = json!({ "tenants": { "demo": { "channels": { "chat": null } } } });
    site.restart_with(gone).await.unwrap();
    assert_eq!(captured(&site, &[]).await, printed);
    // For less than a day the next host leaves it, and then it does not.
    let hours = |hours: u64| hours * 60 * 60 * 1_000;
    site.age_captured("chat", hours(23)).unwrap();
    site.restart().await.unwrap();
    assert_eq!(captured(&site, &["--delete"]).await, printed);
    let (code, told) = site.operate(&["channel", "captured", "chat"]).await.unwrap();
    assert!(code == Some(1) && told.contains("there is no channel chat"), "{told}");
}

#[tokio::test]
async fn a_host_deletes_what_was_captured_a_day_ago() {
    let mut site = site().await;
    done(&site, &["channel", "capture", MAIN, "--for", "1m"]).await;
    begun(&site).await;
    let kept = || site.captured_bytes(MAIN).ok().filter(|bytes| !bytes.is_empty()).map(drop);
    until("a captured webhook", WITHIN, kept).await.unwrap();
    site.age_captured(MAIN, 25 * 60 * 60 * 1_000).unwrap();
    site.restart().await.unwrap();
    let gone = || site.captured_bytes(MAIN).is_err().then_some(());
    until("the deletion", WITHIN, gone).await.unwrap();
    let told = || site.host().log().contains("have lain for a day and are deleted").then_some(());
    until("the word on it", WITHIN, told).await.unwrap();
}
