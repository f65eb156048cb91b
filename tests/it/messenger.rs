//! Messenger's strict twin against the whole host.

use std::time::Duration;

use botyard_tests::client::desk::Desk;
use botyard_tests::site::{Setup, Site};
use botyard_twins::account::{Conduct, Twin};
use botyard_twins::faults::{Fault, Faults};
use botyard_twins::messenger::document::PAGE_INBOX;
use botyard_twins::messenger::{Act, Event, HOOK, Noise, Options, Page, Role, conduct, start};
use serde_json::{Value, json};

const WITHIN: Duration = Duration::from_secs(10);
const PSID: &str = "2410099887766";
const PAGE: &str = "410088123456789";
const DESK_TOKEN: &str = "canary-desk-token";

struct Stage {
    site: Site,
    twin: Twin<Page>,
}

impl Stage {
    async fn set() -> Self {
        Self::with(conduct()).await
    }

    async fn with(conduct: Conduct) -> Self {
        Self::of(Role::Primary, json!({}), conduct).await
    }

    /// An app with this part in the page's handover roles, and a dialect.
    async fn of(role: Role, dialect: Value, conduct: Conduct) -> Self {
        // Echoes, deliveries and reads come as they do with all fields subscribed.
        let options = Options::new("canary-app-secret", "canary-verify-token", "canary-page-token");
        let options = Options { noise: Noise::ALL, role, ..options };
        let app_id = options.app_id.clone();
        let twin = start(options, conduct).unwrap();
        let channel = json!({
            "vendor": "messenger",
            "webhook-header": null, "webhook-secret": null, "api-url": null, "api-token": null,
            "app-secret": "canary-app-secret",
            "verify-token": "canary-verify-token",
            "page-token": "canary-page-token",
            "app-id": app_id,
            "graph-url": format!("{}/v23.0", twin.url()),
            "desk-token": DESK_TOKEN,
            "dialect": dialect,
        });
        let site = Setup::new("puppet").unwrap().channel("page", channel).start().await.unwrap();
        twin.account().point(HOOK, &site.url("/webhooks/page"));
        Self { site, twin }
    }

    /// What a person does, and what has happened in the thread when there is so much of it.
    async fn act(&self, act: Act, seen: usize) -> Vec<String> {
        let account = self.twin.account();
        let event = account.act(PSID, act).unwrap();
        let delivery = account.deliver(account.webhook(&[event])).await;
        assert!(delivery.is_delivered(), "{}", delivery.reason());
        account.wait_seen(PSID, seen, WITHIN).await.unwrap();
        account.texts(PSID)
    }

    /// Something comes of it at the page, and the host hears of it.
    async fn deliver(&self, event: Event) {
        let account = self.twin.account();
        let delivery = account.deliver(account.webhook(&[event])).await;
        assert!(delivery.is_delivered(), "{}", delivery.reason());
    }

    /// A person writes what a bot would answer.
    async fn write(&self, text: &str) {
        self.deliver(self.twin.account().act(PSID, Act::Write(text.to_owned())).unwrap()).await;
    }

    /// Whoever is at the host's desk gives the conversation back, which a human has in the
    /// page's inbox.
    async fn given_back_at_the_desk(&self) {
        self.act(Act::Write("say hi".to_owned()), 1).await;
        self.deliver(self.twin.account().take_over(PSID)).await;
        self.write("say nobody").await;
        self.site.wait_metric("botyard_turns_total", &["skipped"], 2.0).await.unwrap();
        let url = self.site.url("/v1/channels/page/desk");
        let desk = Desk { url, token: DESK_TOKEN.to_owned() };
        let back = format!("/conversations/{PAGE}:{PSID}/return");
        let answered = desk.post(&back, Some("back"), &json!({ "reason": "done" })).await;
        assert_eq!(answered.unwrap().0, 202);
    }

    /// The calls about who controls the thread, and whether each was carried out.
    fn takes(&self) -> Vec<bool> {
        let calls = self.twin.account().calls();
        let takes = calls.iter().filter(|call| call.path.ends_with("/take_thread_control"));
        takes.map(|call| call.acted).collect()
    }

    fn nothing_was_refused(&self) {
        for call in self.twin.account().calls() {
            assert!(call.acted, "{call:?}");
        }
    }
}

#[tokio::test]
async fn a_person_talks_with_a_bot_and_no_echo_starts_a_turn() {
    let stage = Stage::set().await;
    assert_eq!(stage.act(Act::Write("say hi".to_owned()), 1).await, ["hi"]);
    stage.act(Act::Write("menu Which? rye spelt".to_owned()), 2).await;
    // A tap, and the same by its number.
    assert_eq!(stage.act(Act::Tap("spelt".to_owned()), 3).await.last().unwrap(), "clicked spelt");
    stage.act(Act::Write("menu Which? rye spelt".to_owned()), 4).await;
    assert_eq!(stage.act(Act::Write("1".to_owned()), 5).await.last().unwrap(), "clicked rye");
    let picture = Act::Write("media https://x.example/a.png\nsay below".to_owned());
    assert_eq!(stage.act(picture, 7).await.last().unwrap(), "below");
    // Webhooks of echoes, deliveries and reads are under way: none of them runs a bot.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let metrics = stage.site.metrics().await.unwrap();
    assert_eq!(metrics.sum("botyard_turns_total", &["result=\"ran\""]), 6.0);
    stage.nothing_was_refused();
}

#[tokio::test]
async fn a_human_in_the_inbox_silences_the_bot_until_the_thread_comes_back() {
    let stage = Stage::set().await;
    stage.act(Act::Write("say hi".to_owned()), 1).await;
    let account = stage.twin.account();
    let spoke = account.agent_says(PSID, "I am Ada.");
    assert!(account.deliver(account.webhook(&[spoke])).await.is_delivered());
    let event = account.act(PSID, Act::Write("say nobody".to_owned())).unwrap();
    assert!(account.deliver(account.webhook(&[event])).await.is_delivered());
    stage.site.wait_metric("botyard_turns_total", &["skipped"], 1.0).await.unwrap();
    let back = account.hand_back(PSID);
    assert!(account.deliver(account.webhook(&[back])).await.is_delivered());
    let event = account.act(PSID, Act::Write("say again".to_owned())).unwrap();
    assert!(account.deliver(account.webhook(&[event])).await.is_delivered());
    botyard_tests::wait::until("the bot again", WITHIN, || {
        account.texts(PSID).contains(&"again".to_owned()).then_some(())
    })
    .await
    .unwrap();
    assert!(!account.texts(PSID).contains(&"nobody".to_owned()));
    stage.nothing_was_refused();
}

/// On a page with handover roles nobody is heard who does not control the thread.
#[tokio::test]
async fn the_host_takes_the_thread_before_its_bot_speaks_where_it_is_told_to() {
    let dialect = json!({ "take-thread": true });
    let stage = Stage::of(Role::Primary, dialect, conduct()).await;
    stage.given_back_at_the_desk().await;
    let account = stage.twin.account();
    let app = Options::new("", "", "").app_id;
    botyard_tests::wait::until("the thread", WITHIN, || {
        (account.owner(PSID).as_ref() == Some(&app)).then_some(())
    })
    .await
    .unwrap();
    stage.write("say again").await;
    botyard_tests::wait::until("the bot again", WITHIN, || {
        account.texts(PSID).contains(&"again".to_owned()).then_some(())
    })
    .await
    .unwrap();
    assert!(!account.texts(PSID).contains(&"nobody".to_owned()));
    assert_eq!(stage.takes(), [true], "once, and nobody refused it");
    stage.nothing_was_refused();
}

/// Neither where it is not told to, nor where Facebook refuses it, which only the primary
/// receiver may ask: then the thread stays with the human, and so does the conversation.
#[tokio::test]
async fn who_does_not_get_the_thread_leaves_the_conversation_to_the_human() {
    let takes = json!({ "take-thread": true });
    let rows = [(Role::Primary, json!({}), &[][..]), (Role::Secondary, takes, &[false])];
    for (role, dialect, tried) in rows {
        let stage = Stage::of(role, dialect, conduct()).await;
        stage.given_back_at_the_desk().await;
        stage.site.wait_metric("botyard_turns_total", &["ran"], 2.0).await.unwrap();
        stage.write("say again").await;
        stage.site.wait_metric("botyard_turns_total", &["skipped"], 3.0).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let account = stage.twin.account();
        assert_eq!((stage.takes(), account.texts(PSID)), (tried.to_vec(), vec!["hi".to_owned()]));
        assert_eq!(account.owner(PSID).as_deref(), Some(PAGE_INBOX));
    }
}

/// Each page but the last has an option that asks for the next, which the vendor takes
/// only where it is named.
#[tokio::test]
async fn a_probe_sends_every_page_of_a_long_menu() {
    let stage = Stage::set().await;
    stage.act(Act::Write("say hi".to_owned()), 1).await;
    let probe = ["channel", "probe", "page", "--medium", "facebook", "--only", "bubbles"];
    let probe = [&probe[..], &["--conversation", PSID]].concat();
    let (code, printed) = stage.site.operate(&probe).await.unwrap();
    assert_eq!(code, Some(0), "{printed}");
    let line = printed.lines().find(|line| line.starts_with("bubbles, 20 options"));
    let pages = "bubbles accepted (200); bubbles accepted (200)";
    assert!(line.is_some_and(|line| line.ends_with(pages)), "{printed}");
    stage.nothing_was_refused();
}

/// Messenger says "too many" with a code in the body and the status 400. It means the
/// page: nobody else's message is tried meanwhile.
#[tokio::test]
async fn too_many_calls_of_one_conversation_hold_up_all_of_the_page() {
    let mut faults = Faults::seeded(1).with(Fault::LimitedFor, 1.0);
    faults.retry_after = 30;
    let stage = Stage::with(Conduct { faults, ..conduct() }).await;
    let account = stage.twin.account();
    let write = async |psid: &str| {
        let event = account.act(psid, Act::Write("say hi".to_owned())).unwrap();
        assert!(account.deliver(account.webhook(&[event])).await.is_delivered());
    };
    write(PSID).await;
    let asked = ["result=\"retry\""];
    stage.site.wait_metric("botyard_calls_total", &asked, 1.0).await.unwrap();
    write("2410099887767").await;
    stage.site.wait_metric("botyard_turns_total", &["ran"], 2.0).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(account.calls().len(), 1, "the second waits, too");
}
