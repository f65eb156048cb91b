//! Hosting by commands and out of files.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use botyard_tests::client::userlike::{Conversation, Webhook};
use botyard_tests::host::{Config, Host, operate, plugin, program};
use botyard_tests::site::{HEADER, SECRET, TOKEN};
use botyard_twins::userlike::{Contact, Userlike};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::hosted::Hosted;

async fn started() -> (Host, Config, tempfile::TempDir) {
    let directory = tempfile::Builder::new().prefix("botyard-it-").tempdir().unwrap();
    let config = Config::new(directory.path()).with(json!({"tenants": null}));
    let host = Host::start(&config).await.unwrap();
    (host, config, directory)
}

async fn says(config: &Config, words: &[&str]) -> String {
    let output = operate(config, words).await.unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {text}");
    String::from_utf8(output.stdout).unwrap()
}

fn complaint(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_tenant_is_set_up_by_commands() {
    let (_host, config, directory) = started().await;
    says(&config, &["tenant", "create", "acme", "--label", "Acme Ltd"]).await;
    let secret = directory.path().join("secret.txt");
    fs::write(&secret, format!("{SECRET}\n")).unwrap();
    let file = secret.to_str().unwrap();
    says(&config, &["secret", "put", "webhook", "--tenant", "acme", "--file", file]).await;
    says(&config, &["bot", "put", "bot", "--tenant", "acme"]).await;
    let wasm = plugin("tally").unwrap();
    let upload = ["bot", "upload", "bot", wasm.to_str().unwrap(), "--tenant", "acme"];
    let digest = says(&config, &upload).await.trim().to_owned();
    assert_eq!(digest.len(), 64, "{digest}");

    let tried = ["bot", "try", "bot", &digest, "--tenant", "acme", "--say", "one", "--json"];
    let tried: Value = serde_json::from_str(&says(&config, &tried).await).unwrap();
    let turns = tried["turns"].as_array().unwrap();
    let texts: Vec<_> = turns
        .iter()
        .map(|turn| turn["actions"].as_array().unwrap().last().unwrap()["payload"]["text"].clone())
        .collect();
    assert_eq!(texts, ["1 1 one"], "{tried:#}");
    assert!(turns[0]["sends"][0]["call"]["url"].is_string(), "{tried:#}");
    assert!(tried["cpu_us"].as_u64().unwrap() > 0);

    let deployed = says(&config, &["bot", "deploy", "bot", &digest, "--tenant", "acme"]).await;
    assert_eq!(deployed, format!("bot answers with {digest}\n"));
    let listed = says(&config, &["bot", "list", "--tenant", "acme"]).await;
    assert!(listed.contains(&digest), "{listed}");
    let listed = says(&config, &["secret", "list", "--tenant", "acme"]).await;
    assert!(listed.contains("webhook") && !listed.contains(SECRET), "{listed}");
    let audit = says(&config, &["audit", "list", "--tenant", "acme"]).await;
    assert!(audit.contains("operator"), "{audit}");
    let verified = says(&config, &["audit", "verify", "--tenant", "acme"]).await;
    assert!(verified.contains("each as it was written"), "{verified}");

    let token = ["token", "create", "--tenant", "acme", "--scope", "read", "--days", "30"];
    let token = says(&config, &token).await;
    assert!(token.starts_with("botyard_"), "{token}");
    let tokens = says(&config, &["token", "list", "--tenant", "acme", "--json"]).await;
    let tokens: Value = serde_json::from_str(&tokens).unwrap();
    let [created, expires] = ["created_ms", "expires_ms"].map(|key| tokens[0][key].as_u64());
    let days = (expires.unwrap() - created.unwrap()).div_ceil(24 * 60 * 60 * 1_000);
    assert_eq!(days, 30);
    let refused = operate(&config, &["bot", "share", "bot", "20", "--tenant", "acme"]).await;
    assert!(complaint(&refused.unwrap()).contains("canary"), "there is none yet");
}

#[tokio::test]
async fn commands_say_what_is_wrong() {
    let (host, config, _directory) = started().await;
    let rows: [(&[&str], &str); 5] = [
        (&["tenant", "create", "Bad Name"], "is no name"),
        (&["tenant", "show", "nobody"], "there is no such object"),
        (&["bot", "list"], "--tenant"),
        (&["bot", "deploy", "bot", "12", "--tenant", "nobody"], "there is no such object"),
        (&["person", "erase", "--email", "ada@example.com", "--tenant", "x"], "--yes"),
    ];
    for (words, expected) in rows {
        let said = complaint(&operate(&config, words).await.unwrap());
        assert!(said.contains(expected), "{words:?}: {said}");
    }
    // From elsewhere a token is wanted, and a host.
    let elsewhere = |url: &str, token: Option<&str>| {
        let mut command = std::process::Command::new(program());
        command.args(["tenant", "list", "--url", url]).env_remove("BOTYARD_TOKEN");
        if let Some(token) = token {
            command.env("BOTYARD_TOKEN", token);
        }
        command.output().unwrap()
    };
    assert!(complaint(&elsewhere(host.url(), None)).contains("BOTYARD_TOKEN"));
    assert!(complaint(&elsewhere(host.url(), Some("no"))).contains("unauthorized"));
    let nobody = elsewhere("http://127.0.0.1:9", Some("no"));
    assert_eq!(nobody.status.code(), Some(3), "{}", complaint(&nobody));
    let token = host.management().token.unwrap();
    assert!(elsewhere(host.url(), Some(&token)).status.success());
}

#[tokio::test]
async fn files_are_applied_and_applied_again() {
    let (host, config, directory) = started().await;
    let userlike = Userlike::start(TOKEN).await.unwrap();
    let files = directory.path().join("tenants");
    fs::create_dir(&files).unwrap();
    fs::copy(plugin("tally").unwrap(), files.join("tally.wasm")).unwrap();
    let text = format!(
        "[tenants.acme.bots.bot]\ncomponent = \"tally.wasm\"\n\n\
         [tenants.acme.channels.acme-web]\nvendor = \"userlike\"\nbot = \"bot\"\n\
         webhook-header = \"{HEADER}\"\nwebhook-secret = {{ secret = \"webhook\" }}\n\
         api-url = \"{}\"\napi-token = {{ secret = \"token\" }}\n",
        userlike.api_url()
    );
    fs::write(files.join("acme.toml"), text).unwrap();
    let path = files.to_str().unwrap();
    let planned = says(&config, &["apply", "-f", path, "--dry-run"]).await;
    assert!(planned.ends_with("5 things would be changed\n"), "{planned}");
    let tenants = says(&config, &["tenant", "list"]).await;
    assert!(!tenants.contains("acme"), "nothing was done: {tenants}");

    // Secrets come first: what names one that is not there is refused.
    let refused = complaint(&operate(&config, &["apply", "-f", path]).await.unwrap());
    assert!(refused.contains("put the secret `token` first"), "{refused}");
    for (name, value) in [("token", TOKEN), ("webhook", SECRET)] {
        let file = directory.path().join(name);
        fs::write(&file, value).unwrap();
        let file = file.to_str().unwrap();
        says(&config, &["secret", "put", name, "--tenant", "acme", "--file", file]).await;
    }
    let done = says(&config, &["apply", "-f", path]).await;
    assert!(done.ends_with("1 thing changed\n"), "{done}");
    let again = says(&config, &["apply", "-f", path]).await;
    assert_eq!(again, "0 things changed\n");
    differences_are_shown(&config, &files).await;

    let webhook = Webhook {
        url: format!("{}/webhooks/acme-web", host.url()),
        header: Some((HEADER.to_owned(), SECRET.to_owned())),
    };
    let conversation = Conversation::open(userlike.account(), &webhook, Contact::new()).unwrap();
    assert_eq!(conversation.start().await.unwrap().texts(), ["1 1 start"]);
}

/// As [`operate`], with a variable, by somebody who stands elsewhere than the files.
fn applied(config: &Config, words: &[&str], token: Option<&str>) -> Output {
    let mut command = std::process::Command::new(program());
    let file = config.write().unwrap();
    command.args(words).arg("--config").arg(file).current_dir("/").env_remove("IT_TOKEN");
    command.envs(token.map(|token| ("IT_TOKEN", token))).output().unwrap()
}

#[tokio::test]
async fn secrets_that_files_name_by_where_they_are_kept_are_put() {
    let (host, config, directory) = started().await;
    let userlike = Userlike::start(TOKEN).await.unwrap();
    let files = directory.path().join("tenants");
    fs::create_dir_all(files.join("keys")).unwrap();
    fs::copy(plugin("tally").unwrap(), files.join("tally.wasm")).unwrap();
    fs::write(files.join("keys/webhook"), format!("{SECRET}\n")).unwrap();
    let alert = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    fs::write(files.join("keys/alert"), alert).unwrap();
    fs::write(files.join("keys/url"), "https://alerts.example").unwrap();
    let text = format!(
        "[tenants.acme]\nalert-url = {{ file = \"keys/url\" }}\n\
         alert-secret = {{ file = \"keys/alert\" }}\n\n\
         [tenants.acme.bots.bot]\ncomponent = \"tally.wasm\"\n\
         config = {{ file = \"no-place\", key = {{ env = \"IT_TOKEN\" }} }}\n\n\
         [tenants.acme.channels.acme-web]\nvendor = \"userlike\"\nbot = \"bot\"\n\
         webhook-header = \"{HEADER}\"\nwebhook-secret = {{ file = \"keys/webhook\" }}\n\
         api-url = \"{}\"\napi-token = {{ env = \"IT_TOKEN\" }}\n",
        userlike.api_url()
    );
    fs::write(files.join("acme.toml"), &text).unwrap();
    let path = files.to_str().unwrap();
    let (none, token) = (None, Some(TOKEN));

    // What cannot be read ends it before anything is done.
    let twice = text.replace("keys/webhook\"", "keys\", env = \"IT_TOKEN\"");
    let rows = [
        (text.clone(), none, "set the environment variable IT_TOKEN"),
        (text.clone(), Some(""), "is empty"),
        (text.replace("keys/webhook", "keys/none"), token, "keys/none"),
        (twice, token, "kept in one place"),
    ];
    for (text, token, expected) in rows {
        fs::write(files.join("acme.toml"), text).unwrap();
        let said = complaint(&applied(&config, &["apply", "-f", path], token));
        assert!(said.contains(expected) && said.contains("nothing was done"), "{said}");
        assert!(said.contains("acme.toml") && !said.contains(TOKEN), "{said}");
    }
    assert!(!says(&config, &["tenant", "list"]).await.contains("acme"));

    fs::write(files.join("acme.toml"), &text).unwrap();
    let said = |words: &[&str], token: &str| {
        let output = applied(&config, words, Some(token));
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{words:?}: {text}");
        assert!(!text.contains(token) && !text.contains(SECRET), "{words:?}: {text}");
        text
    };
    let (apply, dry) = (["apply", "-f", path], ["apply", "-f", path, "--dry-run"]);
    let planned = said(&dry, TOKEN);
    assert!(planned.contains("+ secret channels--acme-web--webhook-secret\n"), "{planned}");
    assert!(planned.ends_with("11 things would be changed\n"), "{planned}");
    let done = said(&apply, TOKEN);
    assert!(done.ends_with("11 things changed\n"), "{done}");

    // Again: nothing differs, and the audit has not grown.
    let audit = async || host.management().get("/tenants/acme/audit").await.unwrap();
    let before = audit().await;
    let planned = said(&dry, TOKEN);
    assert!(planned.contains("? secret alert-secret\n    put again"), "{planned}");
    assert_eq!(said(&apply, TOKEN), "0 things changed\n");
    assert_eq!(audit().await, before);

    let webhook = Webhook {
        url: format!("{}/webhooks/acme-web", host.url()),
        header: Some((HEADER.to_owned(), SECRET.to_owned())),
    };
    let conversation = Conversation::open(userlike.account(), &webhook, Contact::new()).unwrap();
    assert_eq!(conversation.start().await.unwrap().texts(), ["1 1 start"]);

    // What is another is put, and what names it has it.
    let done = said(&apply, "another-token-of-the-test");
    assert!(done.contains("~ secret channels--acme-web--api-token\n"), "{done}");
    assert!(done.ends_with("2 things changed\n") && !done.contains("webhook-secret"), "{done}");
    let bot = host.management().get("/tenants/acme/bots/bot").await.unwrap();
    let config = json!({"file": "no-place", "key": {"secret": "bots--bot--config--key"}});
    assert_eq!(bot["settings"]["config"], config);

    // A directory that is moved in may name them so as well.
    said(&["tenant", "import", path], TOKEN);
}

/// What was there is shown beside what is to be there, for everything that can be named.
async fn differences_are_shown(config: &Config, files: &Path) {
    let file = files.join("acme.toml");
    let before = fs::read_to_string(&file).unwrap();
    let path = files.to_str().unwrap();
    says(config, &["limit", "set", "bots", "5", "--tenant", "acme"]).await;
    let limits = "[tenants.acme.limits]\nbots = 7\nchannels = 9\n";
    let inline = before.replace("bot = \"bot\"", "bot = \"bot\"\ninline = false");
    fs::write(&file, format!("{inline}\n{limits}")).unwrap();
    let planned = says(config, &["apply", "-f", path, "--dry-run"]).await;
    let expected = [
        "~ channel acme-web\n    inline: null -> false\n",
        "~ limit bots\n    value: 5 -> 7\n",
        "~ limit channels\n    value: null -> 9\n",
        "3 things would be changed\n",
    ];
    for words in expected {
        assert!(planned.contains(words), "{words} is not in:\n{planned}");
    }
    // The host's own settings file may be given as well; what is in no such file is refused.
    let labelled = "[server]\nlisten = \"127.0.0.1:1\"\n\n[tenants.acme]\nlabel = \"Acme Ltd\"\n";
    fs::write(&file, format!("{labelled}\n{before}")).unwrap();
    let done: Value =
        serde_json::from_str(&says(config, &["apply", "-f", path, "--json"]).await).unwrap();
    let labels = json!(["~ tenant acme\n    label: null -> \"Acme Ltd\""]);
    assert_eq!(done, json!({"dry_run": false, "steps": labels}));
    fs::write(&file, format!("[sever]\n\n{before}")).unwrap();
    let refused = complaint(&operate(config, &["apply", "-f", path]).await.unwrap());
    assert!(refused.contains("`sever` is no section of settings"), "{refused}");
    // A name with a dot, not in quotes, is a table to TOML.
    let nested = "[tenants.acme.limits]\nbacklog.events = 5\n";
    fs::write(&file, format!("{before}\n{nested}")).unwrap();
    let refused = complaint(&operate(config, &["apply", "-f", path]).await.unwrap());
    assert!(refused.contains("write it in quotes, `\"backlog.events\" = ...`"), "{refused}");
    fs::write(&file, before).unwrap();
}

#[tokio::test]
async fn what_comes_with_the_same_key_is_made_once() {
    let (host, _config, directory) = started().await;
    let operator = host.management();
    let acme = json!({"name": "acme"});
    let made = operator.post_once("/tenants", "k1", acme.clone()).await.unwrap();
    assert_eq!(made.status.as_u16(), 201);
    assert_eq!(operator.post_once("/tenants", "k1", acme.clone()).await.unwrap(), made);
    let other = operator.post_once("/tenants", "k1", json!({"name": "b"})).await.unwrap();
    assert_eq!((other.status.as_u16(), other.code()), (422, "idempotency-key-reused"));
    let again = operator.post_once("/tenants", "k2", acme).await.unwrap();
    assert_eq!((again.status.as_u16(), again.code()), (409, "already-exists"));

    // A token is made once as well, and its text lies nowhere in the clear.
    let path = "/tenants/acme/tokens";
    let one = operator.post_once(path, "t1", json!({"scope": "read"})).await.unwrap();
    let same = operator.post_once(path, "t1", json!({"scope": "read"})).await.unwrap();
    assert_eq!(one, same);
    assert_eq!(operator.get(path).await.unwrap()["items"].as_array().unwrap().len(), 1);
    let token = one.body["token"].as_str().unwrap();
    // The secret itself may have an underscore.
    let secret = token.splitn(3, '_').nth(2).unwrap().as_bytes().to_owned();
    for file in fs::read_dir(directory.path()).unwrap().flatten() {
        let bytes = fs::read(file.path()).unwrap_or_default();
        let found = bytes.windows(secret.len()).any(|part| part == secret);
        assert!(!found, "{}", file.path().display());
    }
    // Another token's key is its own.
    let admin = operator.post(path, json!({"scope": "admin"})).await.unwrap();
    let admin = operator.with(admin["token"].as_str().unwrap());
    let own = admin.post_once(path, "t1", json!({"scope": "read"})).await.unwrap();
    assert_ne!(own.body["id"], one.body["id"]);
}

#[tokio::test]
async fn a_tenant_moves_to_another_host() {
    let from = Hosted::start().await;
    let admin = from.tenant("acme", "tally").await;
    from.operator.put("/tenants/acme/limits/bots", json!({"value": 7})).await.unwrap();
    // What the tenant has set for itself is no matter of the operator of the other host.
    for (name, value) in [("bots", 5), ("channels", 3)] {
        let path = format!("/tenants/acme/limits/{name}");
        admin.put(&path, json!({"value": value})).await.unwrap();
    }
    let into = from.directory.path().join("acme");
    let place = into.to_str().unwrap();
    let export = ["tenant", "export", "acme", "--into", place];
    let said = says(&from.config, &export).await;
    assert!(said.contains("secret put --tenant acme webhook"), "{said}");
    let again = operate(&from.config, &export).await.unwrap();
    assert!(complaint(&again).contains("is not empty"));
    let text = fs::read_to_string(into.join("tenant.toml")).unwrap();
    assert!(!text.contains(SECRET) && !text.contains(TOKEN), "{text}");
    let limits: toml::Table = toml::from_str(&text).unwrap();
    let limits = json!(limits["tenants"]["acme"]["limits"]);
    assert_eq!(limits, json!({"bots": 7}), "only what the operator has set");

    let to = Hosted::start().await;
    let wrong = from.directory.path().join("wrong");
    fs::create_dir(&wrong).unwrap();
    let fixed = "\"turn.actions\" = 7";
    for limit in ["none = 7", "bots = -1", "bots = \"many\"", "turns-per-second = 0", fixed] {
        let text = format!("[tenants.acme.limits]\n{limit}\n");
        fs::write(wrong.join("tenant.toml"), text).unwrap();
        let wrong = ["tenant", "import", wrong.to_str().unwrap()];
        let said = complaint(&operate(&to.config, &wrong).await.unwrap());
        assert!(said.contains("nothing was done"), "{limit}: {said}");
        let tenant = to.operator.ask(Method::GET, "/tenants/acme", None).await.unwrap();
        assert_eq!(tenant.status, StatusCode::NOT_FOUND, "{limit}");
    }
    let import = ["tenant", "import", place];
    let said = complaint(&operate(&to.config, &import).await.unwrap());
    assert!(said.contains("lacks secrets") && said.contains("acme token"), "{said}");
    for (name, value) in [("webhook", SECRET), ("token", TOKEN)] {
        let path = format!("/tenants/acme/secrets/{name}");
        to.operator.put(&path, json!({"value": value})).await.unwrap();
    }
    says(&to.config, &import).await;
    // The vendor's side is the old one's: only the webhooks have another address.
    let webhook = Webhook {
        url: format!("{}/webhooks/acme-web", to.host.url()),
        header: Some((HEADER.to_owned(), SECRET.to_owned())),
    };
    let account = from.userlike.account();
    let conversation = Conversation::open(account, &webhook, Contact::new()).unwrap();
    assert_eq!(conversation.start().await.unwrap().texts(), ["1 1 start"]);
    assert!(says(&to.config, &import).await.contains("0 things changed"));
    let bots = async || {
        let rows = to.operator.get("/tenants/acme/limits").await.unwrap();
        let row = rows.as_array().unwrap().iter().find(|row| row["name"] == "bots").cloned();
        row.unwrap()["value"].clone()
    };
    assert_eq!(bots().await, 7);
    // Whoever is no operator of the other host sets none there.
    to.operator.put("/tenants/acme/limits/bots", json!({"value": 9})).await.unwrap();
    let admin = json!({"scope": "admin"});
    let admin = to.operator.post("/tenants/acme/tokens", admin).await.unwrap();
    let output = std::process::Command::new(program())
        .args(["tenant", "import", place, "--url", to.host.url()])
        .env("BOTYARD_TOKEN", admin["token"].as_str().unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("the operator's to set"), "{said}");
    assert_eq!(bots().await, 9);
}

#[tokio::test]
async fn channels_and_conversations_are_looked_after_by_commands() {
    let hosted = Hosted::start().await;
    hosted.tenant("acme", "tally").await;
    let settings = hosted.directory.path().join("channel.json");
    fs::write(&settings, hosted.channel()["settings"].to_string()).unwrap();
    let file = settings.to_str().unwrap();
    let of = ["--tenant", "acme"];
    let run = async |words: &[&str]| says(&hosted.config, &[words, &of].concat()).await;
    let put = run(&["channel", "put", "second", "--settings", file]).await;
    let url = format!("{}/webhooks/second", hosted.host.url());
    assert!(put.contains(&url), "{put}");
    let listed = run(&["channel", "list"]).await;
    assert!(listed.contains("acme-web") && listed.contains("second"), "{listed}");
    let conversation = hosted.open("second");
    conversation.start().await.unwrap();
    let listed = run(&["conversation", "list", "--channel", "second"]).await;
    assert!(listed.contains(&conversation.cid), "{listed}");
    let signal = ["conversation", "signal", "second", &conversation.cid, "paid", "--key", "o-7"];
    run(&signal).await;
    run(&signal).await;
    let account = hosted.userlike.account();
    let within = Duration::from_secs(30);
    account.wait_delivered(&conversation.cid, 1, within).await.unwrap();
    let turns = run(&["conversation", "turns", "second", &conversation.cid]).await;
    assert_eq!(turns.lines().count(), 3, "a line of heads, the start and one signal: {turns}");
    let limits = run(&["limit", "set", "bots", "7"]).await;
    assert!(
        limits.lines().any(|line| line.starts_with("bots ") && line.contains(" 7 ")),
        "{limits}"
    );
    run(&["usage"]).await;
    let sums = run(&["usage", "--sum"]).await;
    assert!(sums.lines().last().is_some_and(|line| line.starts_with("(all) ")), "{sums}");
    let storage = run(&["storage"]).await;
    assert!(storage.contains(" bytes of 10737418240\n"), "{storage}");
    let kept =
        |part: &str| storage.lines().any(|line| line.starts_with(part) && !line.ends_with(" 0"));
    assert!(kept("conversations") && kept("components") && kept("audit"), "{storage}");
    run(&["channel", "delete", "second"]).await;
    assert!(!run(&["channel", "list"]).await.contains("second"));
    let gone = [&["channel", "show", "second"][..], &of].concat();
    let gone = operate(&hosted.config, &gone).await.unwrap();
    assert!(complaint(&gone).contains("not-found"));
    let wrong = ["tenant", "delete", "acme", "--confirm", "other"];
    let wrong = operate(&hosted.config, &wrong).await.unwrap();
    assert!(complaint(&wrong).contains("nothing is taken away"));
    says(&hosted.config, &["tenant", "delete", "acme", "--confirm", "acme"]).await;
    assert!(!says(&hosted.config, &["tenant", "list"]).await.contains("acme"));
}
