//! What operators see of a channel: what its vendor takes, and what it sends.

use std::time::Duration;

use botyard_tests::client::userlike::client;
use botyard_tests::site::{MAIN, Site};
use botyard_tests::wait::until_asked;
use serde_json::Value;

use crate::puppet::{begun, site};

const WITHIN: Duration = Duration::from_secs(10);

async fn done(site: &Site, arguments: &[&str]) -> String {
    let (code, printed) = site.operate(arguments).await.unwrap();
    assert_eq!(code, Some(0), "{arguments:?}: {printed}");
    printed
}

#[tokio::test]
async fn a_capture_keeps_webhooks_sealed_and_for_a_while() {
    let site = site().await;
    let conversation = begun(&site).await;
    conversation.message("say before").await.unwrap();
    let told = done(&site, &["channel", "capture", MAIN, "--for", "1m"]).await;
    assert!(told.contains("kept for 60 s"), "{told}");
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
    assert!(printed.contains("userlike took 3 of 3"), "{printed}");
    assert_eq!(site.account().delivered(cid).len(), 3);

    let printed = run("chatbot::612:nobody").await;
    assert!(printed.contains("refused (") && !printed.contains("accepted"), "{printed}");

    let found: Value =
        serde_json::from_str(&done(&site, &["channel", "probed", MAIN]).await).unwrap();
    let last = &found["own"]["message plain"];
    assert_eq!((&last["accepted"], &last["medium"]), (&false.into(), &"web".into()), "{found}");
    let (code, printed) = site
        .operate(&["channel", "probe", MAIN, "--conversation", cid, "--only", "sing"])
        .await
        .unwrap();
    assert!(code == Some(1) && printed.contains("`sing` is no action"), "{printed}");
}
