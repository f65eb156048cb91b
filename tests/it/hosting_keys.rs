//! Idempotency keys: who asks is known before anything is noted.

use std::time::Duration;

use botyard_kernel::id::TenantId;
use botyard_store::SqliteStore;
use botyard_tests::client::management::Management;
use botyard_tests::host::{Config, Host};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

const TOKENS: &str = "/tenants/acme/tokens";

async fn started(more: Value) -> (Host, Config, tempfile::TempDir) {
    let directory = tempfile::Builder::new().prefix("botyard-it-").tempdir().unwrap();
    let config = Config::new(directory.path()).with(json!({"tenants": null})).with(more);
    let host = Host::start(&config).await.unwrap();
    (host, config, directory)
}

/// Makes a token with a key as the operator at the host's own socket does.
async fn made_at_socket(config: &Config, key: &str) -> String {
    let body = json!({"scope": "operator"}).to_string();
    let socket = config.directory.join("admin.sock");
    let mut stream = UnixStream::connect(socket).await.unwrap();
    let request = format!(
        "POST /v1/tenants/operator/tokens HTTP/1.1\r\nhost: host\r\nconnection: close\r\n\
         content-type: application/json\r\nidempotency-key: {key}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_key_notes_and_tells_nothing_without_a_token() {
    let (host, config, _directory) = started(json!({})).await;
    let operator = host.management();
    operator.post("/tenants", json!({"name": "acme"})).await.unwrap();
    let nobody = Management { token: None, ..operator.clone() };
    let read = json!({"scope": "read"});
    for path in [TOKENS, "/tenants", "/tenants/operator/tokens", "/tenants/invented/tokens"] {
        let answered = nobody.post_once(path, "k", read.clone()).await.unwrap();
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    // What is not there, or another tenant's, is answered and not noted either.
    let admin = operator.post(TOKENS, json!({"scope": "admin"})).await.unwrap();
    let admin = operator.with(admin["token"].as_str().unwrap());
    for (who, path) in
        [(&operator, "/tenants/invented/tokens"), (&admin, "/tenants/operator/tokens")]
    {
        let answered = who.post_once(path, "k", read.clone()).await.unwrap();
        assert_eq!(answered.status, StatusCode::NOT_FOUND, "{path}");
    }
    // What was made at the socket is told to nobody who asks elsewhere.
    let made = made_at_socket(&config, "k").await;
    assert!(made.starts_with("HTTP/1.1 201"), "{made}");
    assert_eq!(made_at_socket(&config, "k").await.lines().last(), made.lines().last());
    let path = "/tenants/operator/tokens";
    let operators = json!({"scope": "operator"});
    let answered = nobody.post_once(path, "k", operators).await.unwrap();
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED);
    host.stop().await.unwrap();

    let sqlite = SqliteStore::open(&config.directory).unwrap();
    let notes = sqlite.store().host().notes("idempotency", None, 10, 0).await.unwrap();
    let owners: Vec<_> = notes.into_iter().map(|(tenant, _)| tenant).collect();
    assert_eq!(owners, [TenantId::from("operator")]);
}

#[tokio::test]
async fn a_kept_answer_is_for_whoever_may_still_ask() {
    let (host, _config, _directory) = started(json!({})).await;
    let operator = host.management();
    operator.post("/tenants", json!({"name": "acme"})).await.unwrap();
    let made = operator.post(TOKENS, json!({"scope": "admin"})).await.unwrap();
    let admin = operator.with(made["token"].as_str().unwrap());
    let read = json!({"scope": "read"});
    let first = admin.post_once(TOKENS, "k", read.clone()).await.unwrap();
    assert_eq!(first.status, StatusCode::CREATED);
    // With another secret it is the same token.
    let id = made["id"].as_str().unwrap();
    let rotated = admin.post(&format!("{TOKENS}/{id}/rotate"), json!({})).await.unwrap();
    let fresh = admin.with(rotated["token"].as_str().unwrap());
    assert_eq!(fresh.post_once(TOKENS, "k", read.clone()).await.unwrap(), first);
    operator.delete(&format!("{TOKENS}/{id}")).await.unwrap();
    for gone in [&admin, &fresh] {
        let answered = gone.post_once(TOKENS, "k", read.clone()).await.unwrap();
        assert_eq!((answered.status, answered.code()), (StatusCode::UNAUTHORIZED, "unauthorized"));
    }
}

#[tokio::test]
async fn whoever_sends_a_body_too_slowly_is_not_waited_for() {
    let (host, _config, _directory) = started(json!({"server": {"body-timeout-ms": 300}})).await;
    let token = host.management().token.unwrap();
    let address = host.url().strip_prefix("http://").unwrap().to_owned();
    for key in ["", "idempotency-key: k\r\n"] {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let head = format!(
            "POST /v1/tenants HTTP/1.1\r\nhost: host\r\nauthorization: Bearer {token}\r\n{key}\
             content-type: application/json\r\ncontent-length: 100\r\n\r\n{{"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let (mut answer, within) = (vec![0; 12], Duration::from_secs(10));
        let read = tokio::time::timeout(within, stream.read_exact(&mut answer)).await;
        read.expect("it waits").unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 408", "{key}");
    }
}
