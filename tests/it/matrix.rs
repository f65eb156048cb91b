//! Every operation of the API against every object of another tenant: it is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use botyard_tests::client::management::{Management, userlike_channel};
use botyard_tests::client::userlike::client;
use botyard_tests::host::{distinct, plugin, with_section};
use botyard_tests::site::{SECRET, TOKEN};
use botyard_tests::wait;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::hosted::Hosted;

const WITHIN: Duration = Duration::from_secs(20);

/// What stands in a path for each of its places, by the places' names.
type Names = BTreeMap<&'static str, String>;

/// Operations that show everybody the same and nothing of anybody's, or the caller's own
/// token.
const OPEN: [&str; 6] = [
    "get /v1/errors",
    "get /v1/errors/{code}",
    "get /v1/limits",
    "get /v1/whoami",
    "get /v1/wit",
    "get /v1/wit/{file}",
];

/// What shows an object.
const LOOKS: [&str; 30] = [
    "get /v1/status",
    "get /v1/policy",
    "get /v1/tenants",
    "get /v1/tenants/{tenant}",
    "get /v1/tenants/{tenant}/audit",
    "get /v1/tenants/{tenant}/audit/verify",
    "get /v1/tenants/{tenant}/bots",
    "get /v1/tenants/{tenant}/bots/{bot}",
    "get /v1/tenants/{tenant}/bots/{bot}/deployment",
    "get /v1/tenants/{tenant}/bots/{bot}/grants",
    "get /v1/tenants/{tenant}/bots/{bot}/grants/used",
    "get /v1/tenants/{tenant}/bots/{bot}/logs",
    "get /v1/tenants/{tenant}/bots/{bot}/logs/live",
    "get /v1/tenants/{tenant}/bots/{bot}/versions",
    "get /v1/tenants/{tenant}/bots/{bot}/versions/{digest}",
    "get /v1/tenants/{tenant}/bots/{bot}/versions/{digest}/component",
    "get /v1/tenants/{tenant}/channels",
    "get /v1/tenants/{tenant}/channels/{channel}",
    "get /v1/tenants/{tenant}/channels/{channel}/conversations/{conversation}",
    "get /v1/tenants/{tenant}/channels/{channel}/conversations/{conversation}/turns",
    "get /v1/tenants/{tenant}/conversations",
    "get /v1/tenants/{tenant}/dead-letters",
    "get /v1/tenants/{tenant}/dead-letters/{part}",
    "get /v1/tenants/{tenant}/limits",
    "get /v1/tenants/{tenant}/operations/{id}",
    "get /v1/tenants/{tenant}/relays",
    "get /v1/tenants/{tenant}/secrets",
    "get /v1/tenants/{tenant}/storage",
    "get /v1/tenants/{tenant}/tokens",
    "get /v1/tenants/{tenant}/usage",
];

/// An operation that has objects, and a request of it that changes or shows one.
struct Row {
    operation: &'static str,
    query: String,
    body: Body,
}

enum Body {
    Nothing,
    Json(Value),
    Component(Vec<u8>),
}

impl Row {
    fn plain(operation: &'static str) -> Self {
        Self::of(operation, "")
    }

    fn of(operation: &'static str, query: &str) -> Self {
        Self { operation, query: query.to_owned(), body: Body::Nothing }
    }

    fn method(&self) -> Method {
        let (method, _) = self.operation.split_once(' ').unwrap();
        method.to_uppercase().parse().unwrap()
    }

    fn template(&self) -> &'static str {
        self.operation.split_once(' ').unwrap().1
    }

    /// Its paths in which the names from some place on are the other tenant's: all of
    /// them, all but the tenant's, and so on.
    fn paths(&self, own: &Names, foreign: &Names) -> Vec<String> {
        let places = self.template().matches('{').count();
        // Whoever puts something gives it a name of their own, which nobody else's is.
        let last = if self.method() == Method::PUT { 1 } else { places.max(1) };
        (0..last).map(|first| self.path(own, foreign, first)).collect()
    }

    fn path(&self, own: &Names, foreign: &Names, first: usize) -> String {
        let mut pieces = self.template().split(['{', '}']);
        let mut path = pieces.next().unwrap().to_owned();
        for place in 0.. {
            let Some(name) = pieces.next() else { break };
            let names = if place < first { own } else { foreign };
            path += &names[name];
            path += pieces.next().unwrap();
        }
        path + &self.query
    }
}

/// A tenant with one of everything, each under a name that nobody else has.
async fn furnished(hosted: &Hosted, tenant: &str, number: usize) -> (Management, Names) {
    let operator = &hosted.operator;
    let own = format!("/tenants/{tenant}");
    let named = |what: &str| format!("{tenant}-{what}");
    operator.post("/tenants", json!({"name": tenant})).await.unwrap();
    let grant = json!({"scope": "admin", "texts": "full"});
    let token = operator.post(&format!("{own}/tokens"), grant).await.unwrap();
    let admin = operator.with(token["token"].as_str().unwrap());
    for (name, value) in [("token", TOKEN), ("webhook", SECRET), (&named("secret"), "a-secret")] {
        admin.put(&format!("{own}/secrets/{name}"), json!({"value": value})).await.unwrap();
    }
    let (bot, channel) = (named("bot"), named("web"));
    admin.put(&format!("{own}/bots/{bot}"), json!({})).await.unwrap();
    let versions = format!("{own}/bots/{bot}/versions");
    let tally = distinct(fs::read(plugin("tally").unwrap()).unwrap(), number);
    let first = admin.upload(&versions, tally.clone()).await.unwrap().body["digest"].clone();
    let deployment = format!("{own}/bots/{bot}/deployment");
    admin.post(&deployment, json!({"action": "deploy", "version": first})).await.unwrap();
    // The next one wishes for more than it is granted, so its deployment waits.
    let manifest = json!({"name": "wishful", "hosts": ["shop.example"]}).to_string();
    let wishful = with_section(tally.clone(), "botyard:manifest", manifest.as_bytes());
    let wishful = admin.upload(&versions, wishful).await.unwrap().body["digest"].clone();
    let step = json!({"action": "deploy", "version": wishful});
    let waits = admin.ask(Method::POST, &deployment, Some(step)).await.unwrap();
    assert_eq!(waits.code(), "grant-pending", "{}", waits.body);
    let later = admin.upload_later(&versions, distinct(tally, 7)).await.unwrap();
    let relay = json!({"settings": {
        "vendor": "instabot", "base-url": "https://external.example", "bot-id": 1,
        "api-key": {"secret": named("secret")},
    }});
    admin.put(&format!("{own}/relays/{}", named("relay")), relay).await.unwrap();
    let settings = userlike_channel(&bot, &hosted.userlike.api_url());
    admin.put(&format!("{own}/channels/{channel}"), settings).await.unwrap();
    let spare = admin.post(&format!("{own}/tokens"), json!({"scope": "read"})).await.unwrap();
    let (conversation, part) = dead_letter(hosted, &admin, tenant, &channel).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let names = Names::from([
        ("tenant", tenant.to_owned()),
        ("bot", bot),
        ("digest", text(&wishful)),
        ("channel", channel),
        ("conversation", conversation),
        ("part", part),
        ("id", text(&later.body["id"])),
        ("relay", named("relay")),
        ("secret", named("secret")),
        ("token", text(&spare["id"])),
        ("limit", "bots".to_owned()),
    ]);
    (admin, names)
}

/// A conversation in which the vendor has refused what the bot said.
async fn dead_letter(
    hosted: &Hosted,
    admin: &Management,
    tenant: &str,
    channel: &str,
) -> (String, String) {
    let conversation = hosted.open(channel);
    conversation.start().await.unwrap();
    hosted.userlike.account().refuse_next([400]);
    let key = conversation.cid.replace(':', "%3A");
    let path = format!("/tenants/{tenant}/channels/{channel}/conversations/{key}/signals");
    let signal = json!({"name": "paid", "payload": {}});
    let taken = admin.post_once(&path, "first", signal).await.unwrap();
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.body);
    let path = format!("/tenants/{tenant}/dead-letters");
    let letter = async || {
        let letters = admin.get(&path).await?;
        Ok(letters["items"][0]["part"].as_str().map(str::to_owned))
    };
    (key, wait::until_asked("a dead letter", WITHIN, letter).await.unwrap())
}

/// In an order in which each finds its object, if the caller may have it.
fn rows(of: &Names, channel: &Value) -> Vec<Row> {
    let person = format!("?conversation={}", of["conversation"]);
    let component = fs::read(plugin("echo").unwrap()).unwrap();
    let upload = Row {
        body: Body::Component(component),
        ..Row::plain("post /v1/tenants/{tenant}/bots/{bot}/versions")
    };
    let lasts = [
        Row::of("delete /v1/tenants/{tenant}/persons", &person),
        Row::plain("delete /v1/tenants/{tenant}/channels/{channel}"),
        Row::plain("delete /v1/tenants/{tenant}/bots/{bot}"),
        Row::plain("delete /v1/tenants/{tenant}"),
    ];
    let looks = LOOKS.map(Row::plain).into_iter();
    let export = Row::of("get /v1/tenants/{tenant}/persons", &person);
    looks.chain([export, upload]).chain(writes(of, channel)).chain(lasts).collect()
}

fn writes(of: &Names, channel: &Value) -> impl Iterator<Item = Row> {
    let version = json!({"version": of["digest"]});
    let withdraw = json!({"action": "withdraw", "version": of["digest"]});
    let event = json!({"name": "message", "payload": {"text": "hi"}});
    let rows = [
        ("put /v1/policy", json!({})),
        ("post /v1/status/release", Value::Null),
        ("post /v1/tenants", json!({"name": "mine"})),
        ("patch /v1/tenants/{tenant}", json!({"label": "mine"})),
        ("put /v1/tenants/{tenant}/limits/{limit}", json!({"value": 50})),
        ("put /v1/tenants/{tenant}/secrets/{secret}", json!({"value": "mine"})),
        ("put /v1/tenants/{tenant}/channels/{channel}", channel.clone()),
        ("put /v1/tenants/{tenant}/bots/{bot}", json!({})),
        ("post /v1/tenants/{tenant}/bots/{bot}/versions/{digest}/try", json!({"events": [event]})),
        (
            "post /v1/tenants/{tenant}/channels/{channel}/conversations/{conversation}/signals",
            json!({"name": "paid", "payload": {}}),
        ),
        ("post /v1/tenants/{tenant}/dead-letters/{part}/redrive", Value::Null),
        ("post /v1/tenants/{tenant}/bots/{bot}/pause", json!({})),
        ("post /v1/tenants/{tenant}/bots/{bot}/resume", Value::Null),
        ("post /v1/tenants/{tenant}/channels/{channel}/pause", json!({})),
        ("post /v1/tenants/{tenant}/channels/{channel}/resume", Value::Null),
        ("delete /v1/tenants/{tenant}/bots/{bot}/grants", Value::Null),
        ("post /v1/tenants/{tenant}/bots/{bot}/grants", version),
        ("post /v1/tenants/{tenant}/bots/{bot}/deployment", withdraw),
        ("post /v1/tenants/{tenant}/tokens", json!({"scope": "read"})),
        ("post /v1/tenants/{tenant}/tokens/{token}/rotate", json!({})),
        ("delete /v1/tenants/{tenant}/tokens/{token}", Value::Null),
        ("put /v1/tenants/{tenant}/relays/{relay}", relay(of)),
        ("delete /v1/tenants/{tenant}/relays/{relay}", Value::Null),
        ("delete /v1/tenants/{tenant}/secrets/{secret}", Value::Null),
        ("delete /v1/tenants/{tenant}/bots/{bot}/versions/{digest}", Value::Null),
    ];
    rows.into_iter().map(|(operation, body): (_, Value)| {
        let body = if body.is_null() { Body::Nothing } else { Body::Json(body) };
        Row { body, ..Row::plain(operation) }
    })
}

fn relay(of: &Names) -> Value {
    json!({"settings": {
        "vendor": "instabot", "base-url": "https://elsewhere.example", "bot-id": 2,
        "api-key": {"secret": of["secret"]},
    }})
}

/// What is answered, as status and code. Who is let in is told no more: what follows
/// may go on for ever.
async fn asked(who: &Management, row: &Row, path: &str) -> (StatusCode, String) {
    let url = format!("{}{path}", who.url);
    let mut request = client().unwrap().request(row.method(), url);
    request = request.bearer_auth(who.token.as_ref().unwrap());
    if row.operation.ends_with("/signals") {
        request = request.header("idempotency-key", "mine");
    }
    request = match &row.body {
        Body::Nothing => request,
        Body::Json(body) => {
            request.header("content-type", "application/json").body(body.to_string())
        }
        Body::Component(wasm) => {
            request.header("content-type", "application/wasm").body(wasm.clone())
        }
    };
    let answer = request.send().await.unwrap();
    let status = answer.status();
    if status.is_success() {
        return (status, String::new());
    }
    let problem: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    (status, problem["code"].as_str().unwrap().to_owned())
}

/// What all of a tenant looks like to itself.
async fn looked_at(admin: &Management, of: &Names) -> Vec<Value> {
    let mut seen = Vec::new();
    for list in ["", "/audit?limit=200", "/bots", "/channels", "/relays", "/secrets", "/tokens"] {
        seen.push(admin.get(&format!("/tenants/{}{list}", of["tenant"])).await.unwrap());
    }
    seen
}

#[tokio::test]
async fn no_operation_reaches_an_object_of_another_tenant() {
    let hosted = Hosted::start().await;
    let (acme, theirs) = furnished(&hosted, "acme", 1).await;
    let (other, own) = furnished(&hosted, "other", 2).await;
    let rows = rows(&theirs, &userlike_channel(&theirs["bot"], &hosted.userlike.api_url()));
    has_each_operation(&other, &rows).await;

    let before = looked_at(&acme, &theirs).await;
    let mut reached = Vec::new();
    for row in &rows {
        for path in row.paths(&own, &theirs) {
            let (status, code) = asked(&other, row, &path).await;
            if (status.as_u16(), &*code) != (404, "not-found") {
                reached.push(format!("{} as {path}: {status} {code}", row.operation));
            }
        }
    }
    assert!(reached.is_empty(), "{reached:#?}");
    named_elsewhere(&hosted, &other, &own, &theirs).await;
    assert_eq!(looked_at(&acme, &theirs).await, before);

    // The control: for whom the guard stands open, which is the operator alone, each of these
    // requests finds its object, or what of it is in the way. So nothing but the guard has
    // answered above.
    for row in &rows {
        let path = row.path(&theirs, &theirs, 0);
        let (status, code) = asked(&hosted.operator, row, &path).await;
        let found = status.is_success() || status == StatusCode::CONFLICT;
        assert!(found, "{} as {path}: {status} {code}", row.operation);
    }
}

/// An operation that is new has to say here whose objects it has. The doors of channels know
/// none of these tokens: `doors.rs` tries theirs.
async fn has_each_operation(who: &Management, rows: &[Row]) {
    let description = who.get("/openapi.json").await.unwrap();
    let mut described = BTreeSet::new();
    let paths = description["paths"].as_object().unwrap().iter();
    for (path, operations) in paths.filter(|(path, _)| !path.starts_with("/v1/channels/")) {
        let methods = operations.as_object().unwrap().keys();
        described.extend(methods.map(|method| format!("{method} {path}")));
    }
    let rows = rows.iter().map(|row| row.operation);
    let known: BTreeSet<_> = rows.chain(OPEN).map(str::to_owned).collect();
    assert_eq!(described, known, "each operation has its row, and each row its operation");
}

/// Other tenants' objects that a query or a body names.
async fn named_elsewhere(hosted: &Hosted, who: &Management, own: &Names, theirs: &Names) {
    let (bot, key) = (&own["bot"], &theirs["conversation"]);
    let persons = format!("/persons?conversation={key}");
    let channels = format!("/conversations?channel={}", theirs["channel"]);
    let empty = [(&persons, json!({"conversations": []})), (&channels, json!({"items": []}))];
    for (path, nothing) in empty {
        let path = format!("/tenants/{}{path}", own["tenant"]);
        assert_eq!(who.get(&path).await.unwrap(), nothing, "{path}");
    }
    let erased = who.delete(&format!("/tenants/{}{persons}", own["tenant"])).await.unwrap();
    assert_eq!(erased["result"], json!({"conversations": 0}));
    let version = &theirs["digest"];
    let channel = |bot: &str| userlike_channel(bot, &hosted.userlike.api_url());
    let refused = [
        (
            Method::POST,
            format!("/bots/{bot}/deployment"),
            json!({"action": "deploy", "version": version}),
            (404, "not-found"),
        ),
        (
            Method::POST,
            format!("/bots/{bot}/grants"),
            json!({"version": version}),
            (404, "not-found"),
        ),
        (Method::PUT, "/bots/mine".to_owned(), json!({"shared": theirs["bot"]}), (409, "in-use")),
        (Method::PUT, "/channels/mine".to_owned(), channel(&theirs["bot"]), (422, "cannot-run")),
        (
            Method::PUT,
            format!("/channels/{}", theirs["channel"]),
            channel(bot),
            (409, "already-exists"),
        ),
        (Method::PUT, "/relays/mine".to_owned(), relay(theirs), (422, "cannot-run")),
    ];
    for (method, path, body, expected) in refused {
        let path = format!("/tenants/{}{path}", own["tenant"]);
        let answered = who.ask(method.clone(), &path, Some(body)).await.unwrap();
        let got = (answered.status.as_u16(), answered.code());
        assert_eq!(got, expected, "{method} {path}");
    }
}
