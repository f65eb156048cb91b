//! Versions that change while people write.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use botyard_tests::client::management::Management;
use botyard_tests::client::userlike::{Conversation, Webhook};
use botyard_tests::host::{distinct, plugin};
use botyard_tests::peers::pager::Pager;
use botyard_tests::peers::shop::Shop;
use botyard_tests::site::{HEADER, SECRET};
use botyard_tests::wait;
use botyard_twins::userlike::{Account, Contact};
use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::hosted::Hosted;

const WITHIN: Duration = Duration::from_secs(60);
const POSTERS: usize = 4;
/// So many conversations begin between two changes: of a version on trial with half of them
/// there are then fewer turns than a verdict needs.
const BETWEEN: usize = 12;
const DEPLOYMENT: &str = "/tenants/acme/bots/bot/deployment";

async fn uploaded(admin: &Management, wasm: Vec<u8>) -> String {
    let path = "/tenants/acme/bots/bot/versions";
    let answered = admin.upload(path, wasm).await.unwrap();
    answered.body["digest"].as_str().unwrap().to_owned()
}

async fn step(admin: &Management, step: Value) -> Value {
    admin.post(DEPLOYMENT, step).await.unwrap()
}

/// The versions that ran in a conversation, and how many turns it had.
async fn ran(admin: &Management, cid: &str) -> (BTreeSet<String>, usize) {
    let key = cid.replace(':', "%3A");
    let path = format!("/tenants/acme/channels/acme-web/conversations/{key}/turns?limit=200");
    let turns = admin.get(&path).await.unwrap();
    let turns = turns["items"].as_array().unwrap();
    let versions = turns.iter().map(|turn| turn["version"].as_str().unwrap().to_owned());
    (versions.collect(), turns.len())
}

/// People who begin one conversation after the other and say this in each, until they are
/// told to stop.
struct People {
    stop: Arc<AtomicBool>,
    begun: Arc<AtomicUsize>,
    posters: Vec<JoinHandle<Vec<String>>>,
}

impl People {
    /// `expected` is what a start and each of the messages is answered, where that is known.
    fn write(hosted: &Hosted, words: &[&str], expected: Option<&[&str]>) -> Self {
        let (stop, begun) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let said = Said { words: owned(words), expected: expected.map(owned) };
        let posters = (0..POSTERS).map(|_| {
            let (stop, begun, said) = (Arc::clone(&stop), Arc::clone(&begun), said.clone());
            let account = hosted.userlike.account().clone();
            let webhook = Webhook {
                url: format!("{}/webhooks/acme-web", hosted.host.url()),
                header: Some((HEADER.to_owned(), SECRET.to_owned())),
            };
            tokio::spawn(async move {
                let mut cids = Vec::new();
                while !stop.load(Ordering::Acquire) {
                    cids.push(said.by_one(&account, &webhook).await);
                    begun.fetch_add(1, Ordering::AcqRel);
                }
                cids
            })
        });
        let posters = posters.collect();
        Self { stop, begun, posters }
    }

    /// Waits until so many more conversations were held.
    async fn go_on(&self, more: usize) {
        let enough = self.begun.load(Ordering::Acquire) + more;
        let held = || (self.begun.load(Ordering::Acquire) >= enough).then_some(());
        wait::until("more conversations", WITHIN, held).await.unwrap();
    }

    /// Their conversations.
    async fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Release);
        let mut all = Vec::new();
        for poster in self.posters {
            all.extend(poster.await.unwrap());
        }
        all
    }
}

/// What is said in a conversation, and what the bot says to it.
#[derive(Clone)]
struct Said {
    words: Vec<String>,
    expected: Option<Vec<String>>,
}

impl Said {
    /// Answers the name of the conversation.
    async fn by_one(&self, account: &Account, webhook: &Webhook) -> String {
        let conversation = Conversation::open(account, webhook, Contact::new()).unwrap();
        for number in 0..=self.words.len() {
            let answer = match number.checked_sub(1) {
                None => conversation.start().await.unwrap(),
                Some(before) => conversation.message(&self.words[before]).await.unwrap(),
            };
            assert_eq!(answer.status, 200);
            if let Some(expected) = &self.expected {
                assert_eq!(answer.texts(), [&*expected[number]]);
            }
        }
        conversation.cid
    }
}

#[tokio::test]
async fn deployments_under_load_drop_and_double_nothing() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let tally = fs::read(plugin("tally").unwrap()).unwrap();
    let mut versions = vec![admin.get(DEPLOYMENT).await.unwrap()["current"].clone()];
    for number in 1..4 {
        versions.push(uploaded(&admin, distinct(tally.clone(), number)).await.into());
    }
    let expected: &[&str] = &["1 1 start", "2 2 one", "3 3 two"];
    let people = People::write(&hosted, &["one", "two"], Some(expected));
    // A conversation that lives through all of them.
    let long = hosted.open("acme-web");
    long.start().await.unwrap();
    let canary = json!({"action": "start-canary", "version": versions[2], "percent": 50});
    let steps = [
        json!({"action": "deploy", "version": versions[1]}),
        canary,
        json!({"action": "promote"}),
        json!({"action": "roll-back"}),
        json!({"action": "deploy", "version": versions[3]}),
    ];
    people.go_on(BETWEEN).await;
    for (change, number) in steps.into_iter().zip(2..) {
        step(&admin, change).await;
        people.go_on(BETWEEN).await;
        let said = long.message("more").await.unwrap();
        assert_eq!(said.texts(), [format!("{number} {number} more")]);
    }
    let (mut seen, mut turns) = (BTreeSet::new(), 0);
    for cid in people.end().await {
        let (ran, count) = ran(&admin, &cid).await;
        assert_eq!(count, expected.len(), "{cid}: one turn for each event");
        // Only a version that was rolled back leaves its sessions to another.
        let rolled_back = ran.contains(versions[2].as_str().unwrap());
        assert!(ran.len() == 1 || (ran.len() == 2 && rolled_back), "{cid}: {ran:?}");
        seen.extend(ran);
        turns += count;
    }
    let all: BTreeSet<_> = versions.iter().map(|it| it.as_str().unwrap().to_owned()).collect();
    assert_eq!(seen, all, "each version answered of {turns} turns");
}

#[tokio::test]
async fn what_reads_a_context_sees_which_version_wrote_it() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "puppet").await;
    let first = admin.get(DEPLOYMENT).await.unwrap()["current"].clone();
    let conversation = hosted.open("acme-web");
    conversation.start().await.unwrap();
    let says = async |words: &str| {
        conversation.message(words).await.unwrap().texts().first().map(|text| (*text).to_owned())
    };
    assert_eq!(says("writer").await.as_deref(), Some("nobody"));
    assert_eq!(says("count").await.as_deref(), Some("1 1"));
    assert_eq!(says("writer").await.as_deref(), first.as_str());
    let puppet = fs::read(plugin("puppet").unwrap()).unwrap();
    let second = uploaded(&admin, distinct(puppet, 2)).await;
    step(&admin, json!({"action": "deploy", "version": second})).await;
    step(&admin, json!({"action": "withdraw", "version": first})).await;
    // The session goes on with the next version, which finds the first one's context.
    assert_eq!(says("writer").await.as_deref(), first.as_str());
    assert_eq!(says("context").await.as_deref(), Some(r#"{"count":1}"#));
    assert_eq!(says("count").await.as_deref(), Some("2 2"));
    assert_eq!(says("writer").await, Some(second));
}

/// Waits until the canary is gone; answers why, as the audit says it.
async fn rolled_back(admin: &Management, canary: &str) -> String {
    let back = async || {
        let now = admin.get(DEPLOYMENT).await?;
        Ok(now["canary"].is_null().then_some(now))
    };
    let now = wait::until_asked("the end of the trial", WITHIN, back).await.unwrap();
    assert_eq!(now["withdrawn"], json!([canary]));
    let audit = admin.get("/tenants/acme/audit?limit=200").await.unwrap();
    let last = audit["items"].as_array().unwrap().last().unwrap();
    last["actor"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_canary_that_fails_is_rolled_back_and_its_people_go_on() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let good = admin.get(DEPLOYMENT).await.unwrap()["current"].clone();
    let owner = Pager::start().unwrap();
    admin.put("/tenants/acme/secrets/owner", json!({"value": owner.url()})).await.unwrap();
    let told = Some(json!({"settings": {"alert-url": {"secret": "owner"}}}));
    let told = admin.ask(Method::PATCH, "/tenants/acme", told).await.unwrap();
    assert!(told.status.is_success(), "{}", told.body);
    let bad = uploaded(&admin, fs::read(plugin("hostile").unwrap()).unwrap()).await;
    step(&admin, json!({"action": "start-canary", "version": bad, "percent": 50})).await;
    let people = People::write(&hosted, &["panic now", "panic now"], None);
    let why = rolled_back(&admin, &bad).await;
    assert!(why.starts_with("the host: version"), "{why}");
    assert!(why.contains("over 3 times as often"), "{why}");
    assert_eq!(admin.get(DEPLOYMENT).await.unwrap()["current"], good);
    let cids = people.end().await;
    let mut tried = 0;
    for cid in &cids {
        tried += usize::from(ran(&admin, cid).await.0.contains(&bad));
    }
    assert!(0 < tried && tried < cids.len(), "{tried} of {} were tried on", cids.len());
    assert_eq!(hosted.open("acme-web").start().await.unwrap().texts(), ["1 1 start"]);
    let is_told = |it: &Value| it["type"] == "version.rolled_back";
    let told = || owner.posted().into_iter().find(is_told);
    let told = wait::until("the notice", WITHIN, told).await.unwrap();
    let (whose, what) = (&told["data"]["bot"], &told["data"]["version"]);
    assert_eq!((whose, what), (&json!("bot"), &json!(bad)), "{told}");
}

#[tokio::test]
async fn a_canary_that_keeps_people_waiting_is_rolled_back() {
    const SLOW: Duration = Duration::from_millis(100);
    let (hosted, shop) = (Hosted::start().await, Shop::start(SLOW).await.unwrap());
    // What answers repeats these words; the canary does what they say.
    let admin = hosted.tenant("acme", "puppet").await;
    let settings = json!({"settings": {"hosts": [shop.authority()]}});
    admin.put("/tenants/acme/bots/bot", settings).await.unwrap();
    let slow = uploaded(&admin, fs::read(plugin("tally").unwrap()).unwrap()).await;
    step(&admin, json!({"action": "start-canary", "version": slow, "percent": 50})).await;
    let words = format!("word; fetch {}/visits", shop.url());
    let people = People::write(&hosted, &[&words, &words], None);
    let why = rolled_back(&admin, &slow).await;
    people.end().await;
    let needs = why.split_once("needs up to ").and_then(|(_, rest)| rest.split_once(" ms"));
    let ms: f64 = needs.unwrap_or_else(|| panic!("{why}")).0.parse().unwrap();
    // As wide as a bucket of the times is.
    assert!(ms > SLOW.as_secs_f64() * 1_000.0 * 0.9, "{why}");
}
