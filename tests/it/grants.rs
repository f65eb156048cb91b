//! What bots may do: what they wish for, what their tenant grants, what the operator
//! allows, and what they use of it.

use std::time::Duration;

use botyard_tests::client::management::{Answered, Management};
use botyard_tests::client::userlike::Conversation;
use botyard_tests::host::{operate, plugin, with_section};
use botyard_tests::peers::shop::Shop;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::hosted::Hosted;

const GRANTS: &str = "/tenants/acme/bots/bot/grants";
const DEPLOYMENT: &str = "/tenants/acme/bots/bot/deployment";

/// The component of a bot, with a manifest that wishes for these hosts: the last one counts.
fn wishing(bot: &str, hosts: &[String]) -> Vec<u8> {
    let manifest = json!({"name": "wishful", "hosts": hosts}).to_string();
    let wasm = std::fs::read(plugin(bot).unwrap()).unwrap();
    with_section(wasm, "botyard:manifest", manifest.as_bytes())
}

async fn shop() -> Shop {
    Shop::start(Duration::ZERO).await.unwrap()
}

async fn uploaded(admin: &Management, hosts: &[String]) -> Value {
    let path = "/tenants/acme/bots/bot/versions";
    let answered = admin.upload(path, wishing("puppet", hosts)).await.unwrap();
    assert_eq!(answered.status, StatusCode::CREATED, "{}", answered.body);
    answered.body
}

async fn deploy(who: &Management, version: &Value) -> Answered {
    let step = json!({"action": "deploy", "version": version["digest"]});
    who.ask(Method::POST, DEPLOYMENT, Some(step)).await.unwrap()
}

/// What the bot is told of a call.
async fn fetched(conversation: &Conversation, shop: &Shop) -> String {
    let answer = conversation.message(&format!("fetch {}/visits", shop.url())).await.unwrap();
    answer.texts()[0].to_owned()
}

async fn begun(hosted: &Hosted) -> Conversation {
    let conversation = hosted.open("acme-web");
    assert_eq!(conversation.start().await.unwrap().texts(), ["welcome"]);
    conversation
}

#[tokio::test]
async fn a_wish_beyond_the_grant_waits_while_the_old_version_runs() {
    let (hosted, shop) = (Hosted::start().await, shop().await);
    let admin = hosted.tenant("acme", "tally").await;
    let other = hosted.tenant("other", "tally").await;
    let token = json!({"scope": "deploy"});
    let token = admin.post("/tenants/acme/tokens", token).await.unwrap();
    let deployer = admin.with(token["token"].as_str().unwrap());
    let version = uploaded(&deployer, &[shop.authority()]).await;
    let missing = json!([
        {"what": "import", "name": "http", "approver": "tenant",
         "text": "the import `http`: an admin of the tenant may grant it"},
        {"what": "host", "name": shop.authority(), "approver": "tenant",
         "text": format!("calls to {}: an admin of the tenant may grant it", shop.authority())},
    ]);
    assert_eq!(version["pending"], missing);
    let added = version["changes"]["added"].as_array().unwrap();
    assert!(added.contains(&json!({"what": "host", "name": shop.authority()})), "{version}");

    let before = admin.get(DEPLOYMENT).await.unwrap();
    let refused = deploy(&deployer, &version).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::CONFLICT, "grant-pending"));
    let said = refused.body["detail"].as_str().unwrap();
    assert!(said.contains(&shop.authority()) && said.contains("botyard bot approve"), "{said}");
    assert_eq!(admin.get(DEPLOYMENT).await.unwrap(), before);
    assert_eq!(hosted.open("acme-web").start().await.unwrap().texts(), ["1 1 start"]);
    let waiting = deployer.get(GRANTS).await.unwrap()["waiting"].clone();
    assert_eq!((&waiting["version"], &waiting["pending"]), (&version["digest"], &missing));

    // Only an admin of the tenant grants.
    let approval = json!({"version": version["digest"]});
    for (method, body) in [(Method::POST, Some(approval.clone())), (Method::DELETE, None)] {
        let small = deployer.ask(method.clone(), GRANTS, body.clone()).await.unwrap();
        assert_eq!((small.status, small.code()), (StatusCode::FORBIDDEN, "forbidden"));
        let foreign = other.ask(method, GRANTS, body).await.unwrap();
        assert_eq!((foreign.status, foreign.code()), (StatusCode::NOT_FOUND, "not-found"));
    }
    let approved = admin.post(GRANTS, approval.clone()).await.unwrap();
    assert_eq!(approved["deployment"]["current"], version["digest"], "{approved}");
    assert_eq!(approved["pending"], json!([]));
    assert_eq!(
        admin.get("/tenants/acme/bots/bot").await.unwrap()["settings"]["hosts"][0],
        shop.authority()
    );
    let after = admin.get(GRANTS).await.unwrap();
    assert_eq!((&after["waiting"], &after["pending"]), (&Value::Null, &json!([])));
    assert_eq!(fetched(&begun(&hosted).await, &shop).await, "200 1");
    // What is granted already is granted again without a change.
    let again = admin.post(GRANTS, approval).await.unwrap();
    assert_eq!((&again["granted"], &again["deployment"]), (&json!([]), &Value::Null));
    let audit = admin.get("/tenants/acme/audit?limit=200").await.unwrap().to_string();
    assert!(audit.contains("approval"), "{audit}");
    admin.get("/tenants/acme/audit/verify").await.unwrap();
}

#[tokio::test]
async fn whoever_shares_a_bot_keeps_the_version_that_it_has_granted() {
    let (hosted, shop) = (Hosted::start().await, shop().await);
    let (operator, admin) = (&hosted.operator, hosted.tenant("acme", "echo").await);
    let own = "/tenants/operator/bots/common";
    operator
        .put(own, json!({"offered": true, "settings": {"hosts": [shop.authority()]}}))
        .await
        .unwrap();
    let made = async |wasm: Vec<u8>| {
        let uploaded = operator.upload(&format!("{own}/versions"), wasm).await.unwrap();
        let step = json!({"action": "deploy", "version": uploaded.body["digest"]});
        operator.post(&format!("{own}/deployment"), step).await.unwrap();
        uploaded.body["digest"].clone()
    };
    let first = made(std::fs::read(plugin("tally").unwrap()).unwrap()).await;
    admin.put("/tenants/acme/bots/mine", json!({"shared": "common"})).await.unwrap();
    let mut channel = hosted.channel();
    channel["settings"]["bot"] = json!("mine");
    admin.put("/tenants/acme/channels/acme-web", channel).await.unwrap();
    let begun = hosted.open("acme-web");
    assert_eq!(begun.start().await.unwrap().texts(), ["1 1 start"]);

    // The next one wishes for the shop, which this tenant has not granted.
    let version = made(wishing("puppet", &[shop.authority()])).await;
    let meanwhile = hosted.open("acme-web");
    assert_eq!(meanwhile.start().await.unwrap().texts(), ["1 1 start"]);
    let approval = json!({"version": version});
    admin.post("/tenants/acme/bots/mine/grants", approval).await.unwrap();
    let after = hosted.open("acme-web");
    assert_eq!(after.start().await.unwrap().texts(), ["welcome"]);
    assert_eq!(fetched(&after, &shop).await, "200 1");
    // What began with a version goes on with it.
    assert_eq!(meanwhile.message("one").await.unwrap().texts(), ["2 2 one"]);

    // One that the tenant has not granted is not chosen where the policy forbids it as well.
    let other = "other.example".to_owned();
    let both = json!({"settings": {"hosts": [shop.authority(), other.clone()]}});
    operator.put(own, both).await.unwrap();
    let third = made(wishing("tally", std::slice::from_ref(&other))).await;
    operator.put("/policy", json!({"forbidden-hosts": [other]})).await.unwrap();
    let forbids = hosted.open("acme-web");
    assert_eq!(forbids.start().await.unwrap().texts(), ["welcome"], "as before");
    // A session whose version is withdrawn goes on with what is granted, too.
    let withdraw = json!({"action": "withdraw", "version": first});
    operator.post(&format!("{own}/deployment"), withdraw).await.unwrap();
    assert_eq!(fetched(&meanwhile, &shop).await, "200 2", "with {version}, not {third}");
}

#[tokio::test]
async fn what_the_tenant_takes_back_is_gone_at_once() {
    let (hosted, shop) = (Hosted::start().await, shop().await);
    let admin = hosted.tenant("acme", "puppet").await;
    let conversation = begun(&hosted).await;
    let denied = fetched(&conversation, &shop).await;
    assert!(denied.contains("the import `http`") && denied.contains("`hosts`"), "{denied}");
    assert!(shop.lookups().is_empty());
    // A manifest that names no host leaves it to the grant.
    let bot = "/tenants/acme/bots/bot";
    let grant = |hosts: Value| json!({"settings": {"hosts": hosts}});
    admin.put(bot, grant(json!([shop.authority()]))).await.unwrap();
    assert_eq!(fetched(&conversation, &shop).await, "200 1");
    admin.put(bot, grant(json!(["elsewhere.example"]))).await.unwrap();
    let denied = fetched(&conversation, &shop).await;
    let expected = "may not be called: nobody has granted it to the bot";
    assert!(denied.contains(expected), "{denied}");
    let script = format!("request gone {}/visits", shop.url());
    conversation.message(&script).await.unwrap();
    let within = Duration::from_secs(10);
    let account = hosted.userlike.account();
    let told = account.wait_delivered(&conversation.cid, 1, within).await.unwrap();
    let told = told[0].text().unwrap_or_default().to_owned();
    assert!(told.contains("gone"), "{told}");
    assert_eq!(shop.lookups().len(), 1, "the action `request` has the same door");
    let report = admin.get(&format!("{GRANTS}/used")).await.unwrap();
    let denied = &report["denied"][0];
    assert_eq!((&denied["name"], &denied["count"]), (&json!(shop.authority()), &json!(2)));
}

#[tokio::test]
async fn the_manifest_and_the_operator_narrow_what_is_granted() {
    let (hosted, wished, other) = (Hosted::start().await, shop().await, shop().await);
    let admin = hosted.tenant("acme", "tally").await;
    let bot = "/tenants/acme/bots/bot";
    let hosts = json!([wished.authority(), other.authority()]);
    admin.put(bot, json!({"settings": {"hosts": hosts}})).await.unwrap();
    let version = uploaded(&admin, &[wished.authority()]).await;
    assert_eq!(version["pending"], json!([]));
    assert_eq!(deploy(&admin, &version).await.status, StatusCode::OK);
    let conversation = begun(&hosted).await;
    assert_eq!(fetched(&conversation, &wished).await, "200 1");
    let denied = fetched(&conversation, &other).await;
    assert!(denied.contains("manifest does not wish for it"), "{denied}");

    // The policy is the operator's, and holds at once.
    let policy = json!({"forbidden-hosts": [wished.authority()]});
    let refused = admin.ask(Method::PUT, "/policy", Some(policy.clone())).await.unwrap();
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let refused = admin.ask(Method::GET, "/policy", None).await.unwrap();
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    for (bad, key) in [
        (json!({"forbidden-hosts": ["*"]}), "forbidden-hosts"),
        (json!({"imports": ["kv"]}), "imports"),
        (json!({"host": []}), "did you mean `hosts`"),
    ] {
        let wrong = hosted.operator.ask(Method::PUT, "/policy", Some(bad)).await.unwrap();
        assert_eq!((wrong.status.as_u16(), wrong.code()), (422, "bad-settings"));
        assert!(wrong.body["detail"].as_str().unwrap().contains(key), "{}", wrong.body);
    }
    let list = hosted.operator.ask(Method::PUT, "/policy", Some(json!([]))).await.unwrap();
    assert_eq!((list.status.as_u16(), list.code()), (400, "bad-request"));
    let set = hosted.operator.put("/policy", policy.clone()).await.unwrap();
    assert_eq!((&set["set"], &set["effective"]), (&policy, &policy));
    let denied = fetched(&conversation, &wished).await;
    assert!(denied.contains("the operator's policy does not allow it"), "{denied}");
    let grants = admin.get(GRANTS).await.unwrap();
    assert_eq!(grants["effective"]["hosts"], json!([]));
    assert_eq!(grants["pending"][0]["approver"], "operator");
    // What is the operator's to allow no admin grants; nothing is deployed meanwhile.
    let more = uploaded(&admin, &[wished.authority(), "more.example".to_owned()]).await;
    assert_eq!(deploy(&admin, &more).await.code(), "grant-pending");
    let approval = json!({"version": more["digest"]});
    let approved = admin.post(GRANTS, approval.clone()).await.unwrap();
    assert_eq!(approved["granted"], json!([{"what": "host", "name": "more.example"}]));
    assert_eq!(approved["pending"][0]["name"], wished.authority());
    assert_eq!(approved["deployment"], Value::Null);
    hosted.operator.put("/policy", json!({"imports": []})).await.unwrap();
    let denied = fetched(&conversation, &wished).await;
    assert!(denied.contains("the import `http`") && denied.contains("operator"), "{denied}");
    hosted.operator.put("/policy", json!({})).await.unwrap();
    let approved = admin.post(GRANTS, approval).await.unwrap();
    assert_eq!(approved["deployment"]["current"], more["digest"], "{approved}");
    assert_eq!(fetched(&conversation, &wished).await, "200 2");
    assert_eq!(wished.lookups().len(), 2);
}

#[tokio::test]
async fn a_canary_waits_too_and_may_be_declined() {
    let (hosted, shop) = (Hosted::start().await, shop().await);
    let admin = hosted.tenant("acme", "tally").await;
    let version = uploaded(&admin, &[shop.authority()]).await;
    let step = json!({"action": "start-canary", "version": version["digest"], "percent": 10});
    let refused = admin.ask(Method::POST, DEPLOYMENT, Some(step.clone())).await.unwrap();
    assert_eq!(refused.code(), "grant-pending");
    admin.delete(GRANTS).await.unwrap();
    let nothing = admin.ask(Method::DELETE, GRANTS, None).await.unwrap();
    assert_eq!((nothing.status, nothing.code()), (StatusCode::NOT_FOUND, "not-found"));
    assert_eq!(admin.get(GRANTS).await.unwrap()["waiting"], Value::Null);

    let refused = admin.ask(Method::POST, DEPLOYMENT, Some(step)).await.unwrap();
    assert_eq!(refused.code(), "grant-pending");
    assert_eq!(admin.get(GRANTS).await.unwrap()["waiting"]["percent"], 10);
    let rows = [
        (json!({"version": "12"}), 400, "bad-request"),
        (json!({"version": "0".repeat(64)}), 404, "not-found"),
        (json!({"hosts": ["a.example"]}), 400, "bad-request"),
        (json!({}), 400, "bad-request"),
    ];
    for (body, status, code) in rows {
        let answered = admin.ask(Method::POST, GRANTS, Some(body.clone())).await.unwrap();
        assert_eq!((answered.status.as_u16(), answered.code()), (status, code), "{body}");
    }
    let approval = json!({"version": version["digest"]});
    let approved = admin.post(GRANTS, approval).await.unwrap();
    assert_eq!(approved["deployment"]["canary"]["percent"], 10, "{approved}");
    // What cannot be granted is refused with the upload.
    let path = "/tenants/acme/bots/bot/versions";
    let wasm = wishing("puppet", &["https://shop.example/".to_owned()]);
    let refused = admin.upload(path, wasm).await.unwrap();
    assert_eq!((refused.status.as_u16(), refused.code()), (422, "component-refused"));
    assert!(refused.body["detail"].as_str().unwrap().contains("`hosts`"), "{}", refused.body);
}

#[tokio::test]
async fn a_version_that_goes_waits_for_no_grant_any_more() {
    let (hosted, shop) = (Hosted::start().await, shop().await);
    let admin = hosted.tenant("acme", "tally").await;
    let other = hosted.upload(&admin, "acme", "echo").await;
    let version = uploaded(&admin, &[shop.authority()]).await;
    assert_eq!(deploy(&admin, &version).await.code(), "grant-pending");
    let versions = "/tenants/acme/bots/bot/versions";
    admin.delete(&format!("{versions}/{other}")).await.unwrap();
    assert_eq!(admin.get(GRANTS).await.unwrap()["waiting"]["version"], version["digest"]);
    let path = format!("{versions}/{}", version["digest"].as_str().unwrap());
    admin.delete(&path).await.unwrap();
    assert_eq!(admin.get(GRANTS).await.unwrap()["waiting"], Value::Null);
}

#[tokio::test]
async fn what_is_used_is_told_against_what_is_granted() {
    let (hosted, shop) = (Hosted::start().await, shop().await);
    let admin = hosted.tenant("acme", "puppet").await;
    let other = hosted.tenant("other", "puppet").await;
    let hosts = json!([shop.authority(), "*.never.example"]);
    admin.put("/tenants/acme/bots/bot", json!({"settings": {"hosts": hosts}})).await.unwrap();
    let conversation = begun(&hosted).await;
    for n in 1..=3 {
        assert_eq!(fetched(&conversation, &shop).await, format!("200 {n}"));
    }
    let path = format!("{GRANTS}/used");
    let report = admin.get(&path).await.unwrap();
    let used = &report["hosts"][0];
    assert_eq!((&used["name"], &used["count"]), (&json!(shop.authority()), &json!(3)), "{report}");
    assert!(used["last_ms"].as_u64() >= report["since_ms"].as_u64());
    assert_eq!(report["unused"], json!([{"what": "host", "name": "*.never.example"}]));
    let enough = json!({"hosts": [shop.authority()], "imports": ["http"]});
    assert_eq!(report["enough"], enough);
    for path in [GRANTS, &path] {
        let foreign = other.ask(Method::GET, path, None).await.unwrap();
        assert_eq!((foreign.status, foreign.code()), (StatusCode::NOT_FOUND, "not-found"));
    }
    let own = other.get(&path.replace("acme", "other")).await.unwrap();
    assert_eq!(own["hosts"], json!([]), "another tenant's bot has a report of its own");
    // It is there after a restart, too.
    let Hosted { host, config, directory: _directory, .. } = hosted;
    host.stop().await.unwrap();
    let host = botyard_tests::host::Host::start(&config).await.unwrap();
    let admin = Management { url: host.url().to_owned(), ..admin };
    assert_eq!(admin.get(&path).await.unwrap(), report);
}

#[tokio::test]
async fn grants_are_shown_and_given_by_commands() {
    let (hosted, shop) = (Hosted::start().await, shop().await);
    let admin = hosted.tenant("acme", "tally").await;
    let version = uploaded(&admin, &[shop.authority()]).await;
    let digest = version["digest"].as_str().unwrap();
    let says = async |words: &[&str]| {
        let output = operate(&hosted.config, words).await.unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    };
    let of = ["--tenant", "acme"];
    let (good, said) = says(&[&["bot", "deploy", "bot", digest][..], &of].concat()).await;
    assert!(!good && said.contains("grant-pending"), "{said}");
    let (_, said) = says(&[&["bot", "grants", "bot"][..], &of].concat()).await;
    assert!(said.contains(&format!("version {digest} waits")), "{said}");
    assert!(said.contains(&format!("calls to {}: an admin", shop.authority())), "{said}");
    let (_, said) = says(&[&["bot", "approve", "bot", digest][..], &of].concat()).await;
    assert!(said.contains(&format!("granted calls to {}", shop.authority())), "{said}");
    assert!(said.contains(&format!("bot answers with {digest}")), "{said}");
    fetched(&begun(&hosted).await, &shop).await;
    let (_, said) = says(&[&["bot", "grants", "bot", "--used"][..], &of].concat()).await;
    assert!(said.contains(&shop.authority()) && said.contains("enough would be"), "{said}");
    let (good, said) = says(&[&["bot", "decline", "bot"][..], &of].concat()).await;
    assert!(!good && said.contains("not-found"), "{said}");
    let file = hosted.directory.path().join("policy.json");
    std::fs::write(&file, r#"{"forbidden-hosts": ["*.evil.example"]}"#).unwrap();
    let (good, said) = says(&["policy", "set", file.to_str().unwrap()]).await;
    assert!(good && said.contains("*.evil.example"), "{said}");
    assert!(says(&["policy", "show"]).await.1.contains("*.evil.example"));
}
