//! Good settings, and what each bad one is told.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use botyard_kernel::limits::Limit;
use botyard_kernel::time::DAY;
use botyard_runtime::{CompileLimits, Layout, TierConfig};
use botyard_vendors::userlike;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::send::HostPattern;

const CHANNEL: &str = "[tenants.demo.bots.lead]\ncomponent = \"/bots/lead.wasm\"\n\
                       [tenants.demo.channels.web]\nvendor = \"userlike\"\nbot = \"lead\"\n";

fn load(file: &str, env: &[(&str, &str)]) -> Result<Config, String> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("botyard.toml");
    fs::write(&path, file).unwrap();
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let shown = path.display().to_string();
    Config::load(Some(&path), env).map_err(|error| error.to_string().replace(&shown, "FILE"))
}

fn check(file: &str, env: &[(&str, &str)], expected: &str) {
    let problem = load(file, env).expect_err(file);
    assert!(problem.contains(expected), "{file}{env:?}: {problem}");
}

/// The manual with its examples switched on.
fn manual() -> String {
    let example = |line: &str| line.len() > 1 && line.starts_with('#') && !line.starts_with("# ");
    let line = |line: &str| line.get(1..).filter(|_| example(line)).unwrap_or(line).to_owned();
    DEFAULT.lines().map(|text| line(text) + "\n").collect()
}

/// Every value below a value, each with its path.
fn leaves(path: &str, value: &serde_json::Value) -> BTreeSet<String> {
    match value.as_object() {
        None => BTreeSet::from([format!("{path} = {value}")]),
        Some(table) => {
            table.iter().flat_map(|(key, value)| leaves(&format!("{path}.{key}"), value)).collect()
        }
    }
}

#[test]
fn the_defaults_are_a_configuration() {
    let config = Config::load(None, std::iter::empty()).unwrap();
    assert_eq!(config.server.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.server.public_url, None);
    assert_eq!(config.server.body_bytes_max, 1 << 20);
    assert_eq!(config.server.shutdown_grace, Duration::from_secs(30));
    assert_eq!(config.log.format, LogFormat::Text);
    assert_eq!(config.store.directory, Path::new("var"));
    assert_eq!(config.admin.socket, Path::new("var/admin.sock"));
    assert_eq!(config.alerts.operator, None);
    assert_eq!(config.runtime.artefact_directory, Path::new("var/artefacts"));
    assert_eq!(config.runtime.layout, Layout::Hardened);
    assert_eq!(config.runtime.compile, CompileLimits::default());
    assert_eq!(config.runtime.native, TierConfig::native());
    assert_eq!(config.runtime.interpreted, TierConfig::interpreted());
    assert!(!config.egress.allow_loopback);
    assert!(config.egress.allow_hosts.is_empty());
    assert!(config.tenants.is_empty());
}

/// Each page on switching shows a channel that connects as it stands there.
#[test]
fn the_channels_of_the_pages_on_switching_connect() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/switch");
    let mut vendors = BTreeSet::new();
    for page in fs::read_dir(pages).unwrap() {
        let text = fs::read_to_string(page.unwrap().path()).unwrap();
        let Some((_, rest)) = text.split_once("```toml\n") else { continue };
        let (example, _) = rest.split_once("```").unwrap();
        let file = format!("[tenants.acme.bots.orders]\ncomponent = \"/o.wasm\"\n{example}");
        let names = example.split("env = \"").skip(1).filter_map(|rest| rest.split('"').next());
        let value = |name: &str| match name {
            "ACME_API_URL" => "https://api.example.com/v1/",
            "ACME_INSTABOT_STREAM_SECRET" => "0123456789abcdef0123456789abcdef",
            _ => "0123456789abcdef",
        };
        let env: Vec<_> = names.map(|name| (name, value(name))).collect();
        let config = load(&file, &env).unwrap();
        for channel in config.tenants[&"acme".into()].channels.values() {
            let connected = botyard_vendors::connect(&channel.vendor, channel.settings.clone());
            vendors.insert(connected.unwrap().name());
        }
    }
    let known = botyard_vendors::VENDORS.iter().map(|vendor| vendor.name).collect();
    assert_eq!(vendors, known, "a vendor has no page, or a page no vendor");
}

const ALERT_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn the_examples_of_the_manual_are_a_configuration() {
    let env = [
        ("ACME_SIGNAL_TOKEN", "0123456789abcdef"),
        ("ACME_DESK_TOKEN", "fedcba9876543210"),
        ("BOTYARD_ALERT_URL", "https://alerts.example.com/operator"),
        ("BOTYARD_ALERT_SECRET", ALERT_SECRET),
        ("BOTYARD_SECRETS_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        ("BOTYARD_SECRETS_KEY_BEFORE", "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        ("DEMO_ALERT_URL", "https://alerts.example.com/demo"),
        ("DEMO_ALERT_SECRET", ALERT_SECRET),
        ("ACME_WEBHOOK_SECRET", "hook"),
        ("ACME_WEBHOOK_URL_SECRET", "fedcba9876543210"),
        ("ACME_API_TOKEN", "token"),
        ("LEAD_SHOP_AUTHORIZATION", "Bearer sesame"),
    ];
    let config = load(&manual(), &env).unwrap();
    assert_eq!(config.server.public_url.as_deref(), Some("https://bots.example.com"));
    assert!(config.keys.secrets.is_some() && config.keys.secrets_before.is_some());
    assert_eq!(config.limits[&Limit::CallsPerMinute], 6_000);
    assert_eq!(config.limits[&Limit::NativeCpuMs], 50);
    assert_eq!(config.tenants[&"demo".into()].own.retention.silent_ms, Some(90 * DAY));
    assert_eq!(config.runtime.artefact_directory, Path::new("/var/cache/botyard"));
    assert_eq!(config.admin.socket, Path::new("/run/botyard/admin.sock"));
    let secret = Some(Secret::new(ALERT_SECRET));
    let at = |url| Some(AlertPlace { url: Secret::new(url), secret: secret.clone() });
    assert_eq!(config.alerts.operator, at("https://alerts.example.com/operator"));
    let tenant = &config.tenants[&"demo".into()];
    assert_eq!(tenant.own.alerts, at("https://alerts.example.com/demo"));
    let bot = &tenant.bots[&"lead".into()];
    assert_eq!(bot.bot.config["greeting"], "Hello!");
    assert_eq!(bot.bot.hosts, [HostPattern::read("shop.example.com").unwrap()]);
    let shown = format!("{bot:?}");
    assert!(shown.contains("shop.example.com") && !shown.contains("sesame"), "{shown}");
    let channel = &tenant.channels[&"acme-web".into()];
    assert_eq!(channel.signal_token.as_ref().unwrap().expose(), "0123456789abcdef");
    assert_eq!(channel.failure_texts["de"], "Da ging etwas schief.");
    assert_eq!(channel.session_idle_ms, 86_400_000);
    let expected = json!({
        "webhook-header": "api-security-token",
        "webhook-secret": "hook",
        "webhook-url-secret": "fedcba9876543210",
        "api-url": "https://api.userlike.example.com/bots/1",
        "api-token": "token",
        "inline": true,
        "hold-ambiguous": false,
        "age-max-ms": 900_000,
        "dialect": userlike::dialect_defaults(),
    });
    let (shown, known) = (leaves("channel", &channel.settings), leaves("channel", &expected));
    let wrong: Vec<_> = shown.difference(&known).collect();
    let missing: Vec<_> = known.difference(&shown).collect();
    let rule = "default.toml shows every setting of a channel with its default";
    assert!(wrong.is_empty() && missing.is_empty(), "{rule}: not {wrong:?}, but {missing:?}");
    for name in userlike::KEYS {
        assert!(channel.settings.get(name).is_some(), "{rule}: `{name}` is missing");
    }
    botyard_vendors::connect(&channel.vendor, expected).unwrap();
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let file = "[server]\nlisten = \"127.0.0.1:1\"\nbody-bytes-max = 2048\n\
                [egress]\nallow-hosts = [\"a.example\"]\n";
    let env = [
        ("BOTYARD__SERVER__LISTEN", "[::1]:2"),
        ("BOTYARD__SERVER__TRUSTED_PROXIES", "[\"10.0.0.0/8\", \"::1\"]"),
        ("BOTYARD__EGRESS__ALLOW_LOOPBACK", "true"),
        ("BOTYARD__LOG__FILTER", "debug"),
        ("BOTYARD__LOG__FORMAT", "'json'"),
        ("BOTYARD__RUNTIME__NATIVE__CPU_MS", "70"),
        ("BOTYARD__TENANTS__T__BOTS__B_1__COMPONENT", "/b.wasm"),
        ("BOTYARD_SERVER_LISTEN", "is none of ours"),
        ("PATH", "/bin"),
    ];
    let config = load(file, &env).unwrap();
    assert_eq!(config.server.listen, "[::1]:2".parse().unwrap());
    assert_eq!(config.server.body_bytes_max, 2048);
    let proxies = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    assert_eq!(config.server.trusted_proxies, proxies);
    assert!(config.egress.allow_loopback);
    assert_eq!(config.egress.allow_hosts.len(), 1);
    assert_eq!((config.log.format, config.log.filter.as_str()), (LogFormat::Json, "debug"));
    assert_eq!(config.runtime.native.limits.cpu, Duration::from_millis(70));
    assert!(config.tenants[&"t".into()].bots.contains_key(&"b-1".into()));
}

#[test]
fn keys_that_do_not_exist_stop_the_start() {
    for (file, expected) in [
        (
            "[server]\nlisen = \"\"",
            "`server.lisen` (in FILE) does not exist; did you mean `listen`?",
        ),
        (
            "[server]\npublic_url = \"\"",
            "`server.public_url` (in FILE) does not exist; did you mean `public-url`?",
        ),
        ("[sever]\nlisten = \"\"", "`sever` (in FILE) does not exist; did you mean `server`?"),
        (
            "colour = 1",
            "`colour` (in FILE) does not exist; known here are: store, limits, server, ",
        ),
        (
            "[runtime.native]\ncpu = 1",
            "`runtime.native.cpu` (in FILE) does not exist; did you mean `cpu-ms`?",
        ),
        ("[runtime.wasm]\ncpu-ms = 1", "`runtime.wasm` (in FILE) does not exist; known here are"),
        ("[tenants.t]\nbot = 1", "`tenants.t.bot` (in FILE) does not exist; did you mean `bots`?"),
        (
            "[tenants.t.bots.b]\ncomponent = \"c\"\nhost = []",
            "`tenants.t.bots.b.host` (in FILE) does not exist; did you mean `hosts`?",
        ),
    ] {
        check(file, &[], expected);
    }
}

#[test]
fn limits_keys_and_secrets_of_alerts_are_looked_at() {
    for (file, expected) in [
        (
            "[limits]\nbot = 3",
            "`limits.bot` (in FILE) is no limit of a tenant; did you mean `bots`?",
        ),
        ("[limits]\n\"native.cpu-ms\" = 3", "is no limit of a tenant"),
        ("[limits]\nbots = -1", "`limits.bots` (in FILE) must be a whole number"),
        ("[keys]\nsecrets = \"short\"", "`keys.secrets` (in FILE) must be 32 bytes in base64"),
        ("[alerts]\nsecret = \"whsec_x\"", "`alerts.secret` (in FILE) signs nothing without `url`"),
        (
            "[alerts]\nurl = \"https://a.example\"\nsecret = \"canary\"",
            "`alerts.secret` (in FILE) must be a secret as `whsec_`",
        ),
        (
            "[store.disk]\nsoft-percent = 96",
            "`store.disk.soft-percent` (in FILE) the marks make no",
        ),
        ("[tenants.t.retention]\nsilent-days = 0", "must be a whole number of days from 1"),
    ] {
        check(file, &[], expected);
    }
}

#[test]
fn variables_that_name_nothing_stop_the_start() {
    for (name, value, expected) in [
        (
            "BOTYARD__SERVER__LISEN",
            "x",
            "`server.lisen` (set by the environment variable BOTYARD__SERVER__LISEN) does not exist; did you mean `listen`?",
        ),
        (
            "BOTYARD__LISTEN",
            "x",
            "`listen` (set by the environment variable BOTYARD__LISTEN) does not exist",
        ),
        (
            "BOTYARD__SERVER",
            "1",
            "`server` (set by the environment variable BOTYARD__SERVER) must be a table of settings and is a number",
        ),
        (
            "BOTYARD__SERVER__LISTEN__PORT",
            "1",
            "`server.listen` (set by the environment variable BOTYARD__SERVER__LISTEN__PORT) must be an address and a port",
        ),
        ("BOTYARD__", "1", "BOTYARD__ names no setting"),
        ("BOTYARD__SERVER__", "1", "BOTYARD__SERVER__ names no setting"),
        ("BOTYARD__SERVER___LISTEN", "1", "BOTYARD__SERVER___LISTEN names no setting"),
        ("BOTYARD__EGRESS__ALLOW_HOSTS", "[a", "must be a list, each entry a host like"),
        (
            "BOTYARD__SERVER__BODY_BYTES_MAX",
            "1 MiB",
            "must be a whole number of bytes from 1024 to 67108864 and is a text",
        ),
    ] {
        check("", &[(name, value)], expected);
    }
}

#[test]
fn wrong_values_are_told_what_was_expected() {
    for (file, expected) in [
        (
            "[server]\nlisten = 8080",
            "`server.listen` (in FILE) must be an address and a port, for example \"127.0.0.1:8080\" and is a number",
        ),
        ("[server]\nlisten = \"localhost:80\"", "`localhost:80` is none"),
        ("[server]\npublic-url = \"https://a.example/\"", "it has no slash at the end"),
        (
            "[server]\npublic-url = \"a.example\"",
            "`server.public-url` (in FILE) must be an address like",
        ),
        ("[server]\npublic-url = \"ftp://a.example\"", "it begins with https://"),
        ("[server]\npublic-url = \"https://a.example?x=1\"", "it ends before the `?`"),
        ("[server]\npublic-url = \"https://u:p@a.example\"", "no user name"),
        (
            "[server]\ntrusted-proxies = \"10.0.0.1\"",
            "must be a list, each entry an address or a network",
        ),
        (
            "[server]\ntrusted-proxies = [\"::1\", \"10.0.0.0/33\"]",
            "`server.trusted-proxies.1` (in FILE) must be",
        ),
        (
            "[server]\nbody-bytes-max = 1",
            "must be a whole number of bytes from 1024 to 67108864, not 1",
        ),
        ("[server]\nbody-bytes-max = -1", "not -1"),
        ("[server]\nbody-bytes-max = 1e6", "not 1000000.0"),
        ("[server]\nbody-bytes-max = inf", "and is a text"),
        ("[log]\nformat = \"xml\"", "`log.format` (in FILE) must be \"text\" or \"json\""),
        ("[log]\nfilter = \"a=b=c\"", "`log.filter` (in FILE) must be a filter like \"info\""),
        ("[store]\ndirectory = \"\"", "`store.directory` (in FILE) must be a path: it is empty"),
        (
            "[runtime.compile]\nat-once = 0",
            "`runtime.compile.at-once` (in FILE) must be a whole number of compilations from 1 to 256",
        ),
        (
            "[runtime.compile]\nmemory = 1",
            "`runtime.compile.memory` (in FILE) does not exist; did you mean `memory-bytes`?",
        ),
        ("[runtime]\nlayout = \"soft\"", "must be \"hardened\" or \"fast\""),
        (
            "[runtime]\nnative = 3",
            "`runtime.native` (in FILE) must be a table of settings and is a number",
        ),
        (
            "[runtime.interpreted]\nslots = 0",
            "`runtime.interpreted.slots` (in FILE) must be a whole number of instances from 1 to 10000, not 0",
        ),
        (
            "[egress]\nallow-loopback = \"yes\"",
            "`egress.allow-loopback` (in FILE) must be true or false and is a text",
        ),
        (
            "[egress]\nallow-hosts = [\"https://a.example\"]",
            "`egress.allow-hosts.0` (in FILE) must be a host like",
        ),
        ("[egress]\nallow-hosts = [\"*.com\"]", "too wide"),
        ("[server]\nlisten = \"a", "FILE, line 2: "),
        ("tenants = []", "`tenants` (in FILE) must be a table of settings and is a list"),
        ("[tenants.Demo]", "`tenants.Demo` (in FILE) is no name: use 1 to 63 characters"),
        ("[tenants.t.bots.a_b]\ncomponent = \"c\"", "`tenants.t.bots.a_b` (in FILE) is no name"),
        ("[tenants.t.bots.b]", "`tenants.t.bots.b.component` is missing"),
        (
            "[tenants.t.bots.b]\ncomponent = \"c\"\nconfig = { a = 1 }",
            "`tenants.t.bots.b.config.a` (in FILE) must be a text and is a number",
        ),
        (
            "[tenants.t.bots.b]\ncomponent = \"c\"\n[tenants.t.bots.b.http-headers.\"https://a\"]",
            "`tenants.t.bots.b.http-headers.https://a` (in FILE) must be a host like",
        ),
        (
            "[tenants.t.bots.b]\ncomponent = \"c\"\n[tenants.t.bots.b.http-headers.\"a.example\"]\nhost = \"b\"",
            "has `host`, which is this host's own header",
        ),
        (
            "[tenants.t.bots.b]\ncomponent = \"c\"\n[tenants.t.bots.b.http-headers.\"a.example\"]\nx = \"ä\\n\"",
            "has a value for `x` that no header may have",
        ),
        ("[tenants.t.channels.c]\nbot = \"b\"", "`tenants.t.channels.c.vendor` is missing"),
    ] {
        check(file, &[], expected);
    }
}

#[test]
fn wrong_channels_are_told_what_was_expected() {
    for (more, expected) in [
        (
            "signal-token = \"short\"",
            "`tenants.demo.channels.web.signal-token` (in FILE) must be a text of at least 16 bytes: it is shorter",
        ),
        ("failure-texts = \"sorry\"", "must be a table of texts and is a text"),
        ("failure-hand-off = 1", "must be true or false and is a number"),
        ("session-idle-ms = 10", "from 1000 to 31536000000, not 10"),
        ("returns-after-ms = 59999", "from 60000 to 31536000000, not 59999"),
        ("relay-returns-after-ms = \"5 min\"", "from 60000 to 31536000000"),
        (
            "session-timeout-then = \"end\"",
            "`tenants.demo.channels.web.session-timeout-then` (in FILE) needs `session-timeout-ms`",
        ),
        (
            "api-token = { env = \"NONE\" }",
            "`tenants.demo.channels.web.api-token` (in FILE) is not there: set the environment variable NONE",
        ),
        ("api-token = { env = \"EMPTY\" }", "is empty: set the environment variable EMPTY"),
        ("api-token = { file = \"/none/such\" }", "cannot be read from /none/such: "),
        ("api-token = { file = \"/a\", env = \"B\" }", "must be kept in one place"),
        (
            "webhook-secret = [\"a\", { env = \"NONE\" }]",
            "`tenants.demo.channels.web.webhook-secret.1` (in FILE) is not there",
        ),
        (
            "[tenants.other.channels.web]\nvendor = \"userlike\"\nbot = \"x\"\n[tenants.other.bots.x]\ncomponent = \"c\"",
            "`tenants.other.channels.web` (in FILE) has the name of `tenants.demo.channels.web`",
        ),
        (
            "[tenants.demo.channels.app]\nvendor = \"userlike\"\nbot = \"leed\"",
            "`tenants.demo.channels.app.bot` (in FILE) must be the name of a bot of the same tenant: there is no `leed`; did you mean `lead`?",
        ),
        (
            "[tenants.other.channels.app]\nvendor = \"userlike\"\nbot = \"lead\"",
            "there is no `lead`; add it to the tenant's `bots`",
        ),
    ] {
        check(&format!("{CHANNEL}{more}\n"), &[("EMPTY", "")], expected);
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let problem = Config::load(Some(Path::new("/none/such.toml")), std::iter::empty());
    let problem = problem.unwrap_err().to_string();
    assert!(problem.starts_with("cannot read the settings in /none/such.toml: "), "{problem}");
}

#[test]
fn secrets_come_from_files_and_variables_and_are_not_shown() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("token");
    fs::write(&file, "sesame-from-file\r\n").unwrap();
    let file = file.display();
    let text = format!(
        "{CHANNEL}signal-token = \"sesame-signal-token\"\napi-token = {{ file = \"{file}\" }}\n\
         webhook-secret = [{{ env = \"OLD\" }}, \"sesame-new\"]\n\
         dialect = {{ keys = {{ cid = \"sesame-cid\" }} }}\n\
         [tenants.demo.bots.shop]\ncomponent = \"c\"\nconfig.key = {{ env = \"OLD\" }}\n"
    );
    let env = [("OLD", "sesame-old"), ("BOTYARD__TENANTS__DEMO__CHANNELS__WEB__INLINE", "false")];
    let config = load(&text, &env).unwrap();
    let tenant = &config.tenants[&"demo".into()];
    let expected = json!({
        "api-token": "sesame-from-file",
        "webhook-secret": ["sesame-old", "sesame-new"],
        "dialect": { "keys": { "cid": "sesame-cid" } },
        "inline": false,
    });
    assert_eq!(tenant.channels[&"web".into()].settings, expected);
    assert_eq!(tenant.bots[&"shop".into()].bot.config["key"], "sesame-old");
    let shown = format!("{config:?}");
    assert!(shown.contains("api-token") && !shown.contains("sesame"), "{shown}");
}

#[test]
fn errors_do_not_quote_secrets() {
    for file in [
        format!("{CHANNEL}signal-token = \"sesame\"\n"),
        format!("{CHANNEL}signal-token = [\"sesame\"]\n"),
        format!("{CHANNEL}api-token = \"sesame\n"),
        format!("{CHANNEL}failure-hand-off = \"sesame\"\n"),
        format!("{CHANNEL}session-idle-ms = \"sesame\"\n"),
    ] {
        let problem = load(&file, &[]).expect_err(&file);
        assert!(!problem.contains("sesame"), "{problem}");
    }
}

#[test]
fn addresses_of_alerts_and_the_path_of_the_socket_are_checked_and_no_address_is_shown() {
    check("[alerts]\nurl = \"ftp://token@x\"\n", &[], "it begins with https://");
    check("[tenants.demo]\nalert-url = \"secret\"\n", &[], "tenants.demo.alert-url");
    let problem = load("[tenants.demo]\nalert-url = \"secret\"\n", &[]).unwrap_err();
    assert!(!problem.contains("secret"), "{problem}");
    let long = "x".repeat(96);
    check(&format!("[admin]\nsocket = \"{long}\"\n"), &[], "it has 96 bytes");
    check(&format!("[store]\ndirectory = \"{long}\"\n"), &[], "`admin.socket` must be set");
}

#[test]
fn bounds_and_rates_are_numbers_of_something() {
    let config = load("[backlog.tenant]\nevents-max = 7\n", &[]).unwrap();
    assert_eq!((config.backlog.tenant.events, config.backlog.tenant.requests), (7, 1_024));
    assert_eq!(config.backlog.host.bytes, 256 << 20);
    let config = load("[tenants.demo.rate]\nturns-per-second = 5\n", &[]).unwrap();
    let rate = config.tenants[&"demo".into()].own.rate;
    assert_eq!((rate.turns, rate.cpu_ms), (Some(5), None));
    check("[backlog.tenant]\nrequests-max = 0\n", &[], "a whole number of requests from 1 to");
    check("[backlog.host]\nbytes-max = 10\n", &[], "a whole number of bytes from 65536 to");
    check("[backlog]\nevents-max = 10\n", &[], "does not exist");
    check("[tenants.demo.rate]\nturns = 5\n", &[], "did you mean `turns-per-second`?");
    check("[limits]\nturns-per-second = 0\n", &[], "`limits.turns-per-second`");
    check("[tenants.demo.rate]\ncpu-ms-per-second = -1\n", &[], "a whole number of milliseconds");
}
