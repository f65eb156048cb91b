//! Calls to servers of this machine.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Redirect;
use axum::routing::{any, get};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::config::Egress;

const PATIENCE: Duration = Duration::from_secs(20);

fn door(allow_loopback: bool) -> Door {
    let egress = Egress {
        allow_loopback,
        allow_hosts: Vec::new(),
        timeout: PATIENCE,
        answer_bytes_max: 1 << 20,
    };
    Door::new(&egress).unwrap()
}

/// A call that may go to the hosts in `allow`.
fn call(method: Method, url: String, allow: &[&str]) -> Outgoing {
    Outgoing {
        method,
        url,
        headers: HeaderMap::new(),
        body: Bytes::new(),
        timeout: PATIENCE,
        answer_bytes_max: 1000,
        allow: allow.iter().map(|pattern| HostPattern::read(pattern).unwrap()).collect(),
        secrets: SecretHeaders::default(),
        follow_redirects: true,
    }
}

fn get_from(server: SocketAddr, path: &str) -> Outgoing {
    call(Method::GET, format!("http://{server}{path}"), &[&server.to_string()])
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Answers each connection's first request with some bytes and hangs up.
async fn serve_bytes(answer: &'static [u8]) -> SocketAddr {
    serve_once(true, answer).await
}

async fn serve_once(read_first: bool, answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            if read_first {
                read_head(&mut stream).await;
            }
            let _ = stream.write_all(answer).await;
        }
    });
    address
}

/// Takes connections and requests, and counts, but never answers.
async fn serve_silence() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            open.push(stream);
        }
    });
    (address, connections)
}

async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => head.extend_from_slice(&buffer[..count]),
        }
    }
}

/// Says what it was asked.
async fn mirror(method: Method, headers: HeaderMap, body: Bytes) -> String {
    let mut lines: Vec<String> = headers
        .iter()
        .map(|(name, value)| format!("{name}={}", value.to_str().unwrap_or("?")))
        .collect();
    lines.sort();
    format!("{method} {} {}", lines.join(" "), String::from_utf8_lossy(&body))
}

fn mirrors() -> Router {
    Router::new().route("/", any(mirror))
}

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

fn denied(result: Result<Answer, SendError>) -> String {
    match result {
        Err(SendError::Denied(why)) => why,
        other => panic!("not denied: {other:?}"),
    }
}

#[tokio::test]
async fn a_call_to_an_allowed_host_is_answered() {
    let server = serve(mirrors()).await;
    let mut request = get_from(server, "/");
    request.method = Method::POST;
    request.body = Bytes::from_static(b"hello");
    for (name, value) in [("x-key", "k"), ("host", "inner.example"), ("content-length", "3")] {
        request.headers.insert(name, value.parse().unwrap());
    }
    let answer = door(true).send(request).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!answer.truncated);
    let expected = format!("POST accept=*/* content-length=5 host={server} x-key=k hello");
    assert_eq!(text(&answer), expected);
}

#[tokio::test]
async fn the_list_of_a_call_is_whole_and_the_operator_may_read_less_of_answers() {
    let server = serve(mirrors()).await;
    let egress = Egress {
        allow_loopback: true,
        allow_hosts: vec![HostPattern::read(&server.to_string()).unwrap()],
        timeout: PATIENCE,
        answer_bytes_max: 10,
    };
    // What every bot is granted is for whoever makes the list of a bot's call.
    let door = Door::new(&egress).unwrap();
    let why = denied(door.send(call(Method::GET, format!("http://{server}/"), &[])).await);
    assert!(why.contains("is on no list"), "{why}");
    let answer = door.send(get_from(server, "/")).await.unwrap();
    assert!(answer.truncated && answer.body.len() == 10);
}

#[tokio::test]
async fn where_the_operator_forbids_a_host_nobody_reaches_it() {
    let server = serve(Router::new().route("/", get(async || "here"))).await;
    let door = door(true);
    let before = door.clone();
    assert!(door.send(get_from(server, "/")).await.is_ok());
    door.forbid([HostPattern::read("127.0.0.1").unwrap()].into());
    let why = denied(before.send(get_from(server, "/")).await);
    assert!(why.contains("the operator forbids") && why.contains("forbidden-hosts"), "{why}");
    door.forbid(BTreeSet::new());
    assert!(before.send(get_from(server, "/")).await.is_ok());
}

#[tokio::test]
async fn what_the_rules_forbid_never_leaves() {
    for (loopback, url, allow, expected) in [
        (true, "https://evil.example/?token=sesame", "good.example", "evil.example is on no list"),
        (true, "https://good.example:8443/", "good.example", "good.example:8443 is on no list"),
        (true, "http://good.example/", "good.example", "by https only"),
        (true, "http://8.8.8.8/", "8.8.8.8", "by https only"),
        (true, "http://localhost.example/", "localhost.example", "by https only"),
        (false, "http://127.0.0.1/", "127.0.0.1", "by https only"),
        (true, "ftp://good.example/", "good.example", "not by ftp"),
        (true, "file:///etc/passwd", "good.example", "has no host"),
        (true, "data:text/plain,a", "good.example", "has no host"),
        (true, "/relative", "good.example", "the address of the call is wrong"),
        (true, "https://sesame@good.example/", "good.example", "holds a user name"),
        (true, "https://:sesame@good.example/", "good.example", "holds a user name"),
        (true, "https://good.example@evil.example/", "good.example", "holds a user name"),
        (true, "https://10.0.0.1/", "10.0.0.1", "10.0.0.1 is not a public address"),
        (true, "https://0xa9fea9fe/", "169.254.169.254", "169.254.169.254 is not a public"),
        (true, "https://0.0.0.0/", "0.0.0.0", "is not a public address"),
        (true, "https://[fd00::1]/", "[fd00::1]", "is not a public address"),
        (true, "https://[::127.0.0.1]/", "[::127.0.0.1]", "is not a public address"),
        (false, "https://127.0.0.1/", "127.0.0.1", "is not a public address"),
        (false, "https://2130706433/", "127.0.0.1", "is not a public address"),
        (false, "https://[::1]/", "[::1]", "is not a public address"),
        (false, "https://[::ffff:7f00:1]/", "[::ffff:7f00:1]", "is not a public address"),
        (false, "https://localhost/", "localhost", "`localhost` has an address that is not public"),
    ] {
        let result = door(loopback).send(call(Method::GET, url.to_owned(), &[allow])).await;
        let why = denied(result);
        assert!(why.contains(expected) && !why.contains("sesame"), "{url}: {why}");
    }
}

#[tokio::test]
async fn a_denied_name_opens_no_connection() {
    let (server, connections) = serve_silence().await;
    let port = server.port();
    let allow = format!("localhost:{port}");
    let request = call(Method::GET, format!("https://localhost:{port}/"), &[&allow]);
    denied(door(false).send(request).await);
    // The listener's queue is in order: after our own connection nothing older is left.
    drop(TcpStream::connect(server).await.unwrap());
    while connections.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn localhost_is_reached_where_the_operator_allows_it() {
    let server = serve(mirrors()).await;
    let allow = format!("localhost:{}", server.port());
    let answer = door(true).send(call(Method::GET, format!("http://{allow}/"), &[&allow])).await;
    assert_eq!(answer.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn redirects_are_followed_and_credentials_stay() {
    let target = serve(mirrors()).await;
    let there = format!("http://{target}/");
    let router = mirrors()
        .route("/near", get(|| async { Redirect::temporary("/") }))
        .route("/far", get(async move || Redirect::permanent(&there)));
    let server = serve(router).await;
    let secrets = ["authorization", "cookie", "idempotency-key", "x-api-key"];
    for (path, kept) in [("/near", true), ("/far", false)] {
        let mut request = get_from(server, path);
        request.allow.push(HostPattern::read(&target.to_string()).unwrap());
        request.headers.insert("accept", "text/plain".parse().unwrap());
        for name in secrets {
            request.headers.insert(name, "sesame".parse().unwrap());
        }
        let answer = door(true).send(request).await.unwrap();
        assert!(text(&answer).contains("accept=text/plain"), "{}", text(&answer));
        for name in secrets {
            assert_eq!(text(&answer).contains(&format!("{name}=sesame")), kept, "{path} {name}");
        }
    }
}

#[tokio::test]
async fn a_redirect_leads_nowhere_where_a_call_could_not() {
    for (location, expected) in [
        ("https://evil.example/", "evil.example is on no list"),
        ("//good.example/", "by https only"),
        ("http://good.example/", "by https only"),
        ("https://169.254.169.254/latest", "169.254.169.254 is not a public address"),
        ("https://good.example@169.254.169.254/", "holds a user name"),
        ("file:///etc/passwd", "has no host"),
    ] {
        let redirect = async move || Redirect::to(location);
        let server = serve(Router::new().route("/", get(redirect))).await;
        let mut request = get_from(server, "/");
        for host in ["good.example", "169.254.169.254"] {
            request.allow.push(HostPattern::read(host).unwrap());
        }
        let why = denied(door(true).send(request).await);
        assert!(why.contains(expected), "{location}: {why}");
    }
}

#[tokio::test]
async fn a_loop_of_redirects_ends() {
    let count = Arc::new(AtomicUsize::new(0));
    let again = async |State(count): State<Arc<AtomicUsize>>| {
        count.fetch_add(1, Ordering::Relaxed);
        Redirect::to("/")
    };
    let router = Router::new().route("/", get(again)).with_state(Arc::clone(&count));
    let server = serve(router).await;
    let why = denied(door(true).send(get_from(server, "/")).await);
    assert!(why.contains("redirects again after 3 redirects"), "{why}");
    assert_eq!(count.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn other_redirects_are_answers() {
    let router = Router::new().route("/", any(async || Redirect::temporary("/elsewhere")));
    let server = serve(router).await;
    for (method, follow_redirects) in [(Method::POST, true), (Method::GET, false)] {
        let request = Outgoing { method, follow_redirects, ..get_from(server, "/") };
        let answer = door(true).send(request).await.unwrap();
        assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
        assert_eq!(answer.headers["location"], "/elsewhere");
    }
    let nowhere = serve_bytes(b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n").await;
    let answer = door(true).send(get_from(nowhere, "/")).await.unwrap();
    assert_eq!(answer.status, StatusCode::FOUND);
}

#[tokio::test]
async fn a_body_is_cut_at_the_limit() {
    for (bytes, truncated) in [(999, false), (1000, false), (1001, true), (300_000, true)] {
        let server = serve(Router::new().route("/", get(async move || "x".repeat(bytes)))).await;
        let answer = door(true).send(get_from(server, "/")).await.unwrap();
        assert_eq!(answer.truncated, truncated, "{bytes}");
        assert_eq!(answer.body.len(), bytes.min(1000));
    }
}

#[tokio::test]
async fn bodies_are_not_decompressed_and_cookies_not_kept() {
    let server = serve_bytes(
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nset-cookie: a=b\r\ncontent-length: 3\r\n\r\nraw",
    )
    .await;
    let answer = door(true).send(get_from(server, "/")).await.unwrap();
    assert_eq!(text(&answer), "raw");
    assert_eq!(answer.headers["content-encoding"], "gzip");
    assert_eq!(answer.headers["set-cookie"], "a=b");
}

#[tokio::test]
async fn what_breaks_off_after_it_left_is_lost() {
    for answer in [
        &b""[..],
        b"HTTP/1.1 200",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let server = serve_bytes(answer).await;
        for body in ["", "hello"] {
            let request = Outgoing { body: body.into(), ..get_from(server, "/?token=sesame") };
            let result = door(true).send(request).await;
            let Err(SendError::Lost(why)) = result else {
                panic!("{:?}: {result:?}", String::from_utf8_lossy(answer));
            };
            assert!(why.contains(&server.to_string()) && !why.contains("sesame"), "{why}");
        }
    }
}

#[tokio::test]
async fn a_secret_header_goes_to_its_own_host_only() {
    let shown = async |headers: HeaderMap| {
        let shown = |name: &str| headers.get(name).map_or("-", |value| value.to_str().unwrap());
        format!("{} {}", shown("authorization"), shown("x-mine"))
    };
    let other = serve(Router::new().route("/", get(shown))).await;
    let to_other = Redirect::temporary(&format!("http://{other}/"));
    let router = Router::new()
        .route("/", get(shown))
        .route("/away", get(async move || to_other))
        .route("/on", get(async || Redirect::temporary("/")));
    let own = serve(router).await;
    let secret = HeaderValue::from_static("sesame");
    let secrets = SecretHeaders::new([(
        HostPattern::read(&own.to_string()).unwrap(),
        vec![(header::AUTHORIZATION, secret)],
    )]);
    let said = async |path: &str, server: SocketAddr| {
        let mut request = get_from(server, path);
        request.allow.push(HostPattern::read(&other.to_string()).unwrap());
        request.headers.insert(header::AUTHORIZATION, HeaderValue::from_static("guessed"));
        request.headers.insert("x-mine", HeaderValue::from_static("1"));
        request.secrets = secrets.clone();
        String::from_utf8(door(true).send(request).await.unwrap().body.to_vec()).unwrap()
    };
    assert_eq!(said("/", own).await, "sesame 1", "in the place of the bot's own");
    assert_eq!(said("/on", own).await, "sesame 1", "after a redirect to the same host");
    assert_eq!(said("/away", own).await, "- -", "not after one to another");
    assert_eq!(said("/", other).await, "guessed 1");
    assert!(!format!("{secrets:?}").contains("sesame"));
}

#[tokio::test]
async fn a_slow_answer_is_lost() {
    let (silent, _) = serve_silence().await;
    let router = Router::new().route("/", get(async || std::future::pending::<String>().await));
    for server in [silent, serve(router).await] {
        for body in ["", "hello"] {
            let request = Outgoing {
                body: body.into(),
                timeout: Duration::from_millis(300),
                ..get_from(server, "/")
            };
            let result = door(true).send(request).await;
            let Err(SendError::Lost(why)) = result else { panic!("{result:?}") };
            assert!(why.contains("did not answer in time"), "{why}");
        }
    }
}

#[tokio::test]
async fn a_stalled_body_is_lost() {
    let router = Router::new().route(
        "/",
        get(async || {
            let stalled = http_body_util::StreamBody::new(futures_util::stream::pending::<
                Result<http_body::Frame<Bytes>, std::convert::Infallible>,
            >());
            axum::body::Body::new(stalled)
        }),
    );
    let server = serve(router).await;
    let request = Outgoing { timeout: Duration::from_millis(500), ..get_from(server, "/") };
    let result = door(true).send(request).await;
    let Err(SendError::Lost(why)) = result else { panic!("{result:?}") };
    assert!(why.contains("was not complete in time"), "{why}");
}

#[tokio::test]
async fn what_is_not_connected_was_not_sent() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    // A name under `.invalid` never has an address, RFC 2606.
    let unknown = call(Method::GET, "https://a.invalid/".to_owned(), &["a.invalid"]);
    for request in [get_from(closed, "/"), unknown] {
        let result = door(true).send(request).await;
        assert!(matches!(result, Err(SendError::NotSent(_))), "{result:?}");
    }
}

#[tokio::test]
async fn without_a_tls_handshake_nothing_was_sent() {
    let server = serve_once(false, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let plain = Outgoing { url: format!("https://{server}/"), ..get_from(server, "/") };
    let result = door(true).send(plain).await;
    assert!(matches!(result, Err(SendError::NotSent(_))), "{result:?}");

    // A handshake that never ends: the body proves that the call is still here.
    let (silent, _) = serve_silence().await;
    let stuck = Outgoing {
        url: format!("https://{silent}/"),
        body: "hello".into(),
        timeout: Duration::from_millis(300),
        ..get_from(silent, "/")
    };
    let result = door(true).send(stuck).await;
    assert!(matches!(result, Err(SendError::NotSent(_))), "{result:?}");
}

/// Runs another test of this file in a process whose variables name a proxy.
#[tokio::test]
async fn proxies_of_the_environment_are_ignored() {
    let (proxy, connections) = serve_silence().await;
    let proxy = format!("http://{proxy}");
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "send::tests::a_call_to_an_allowed_host_is_answered"]);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        child.env(name, &proxy);
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy").env_remove("REQUEST_METHOD");
    let output = child.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(PATIENCE * 2, output).await.unwrap().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    assert_eq!(connections.load(Ordering::Relaxed), 0);
}

#[test]
fn nothing_of_a_call_is_shown() {
    let mut request = call(Method::POST, "https://a.example/?sesame".to_owned(), &[]);
    request.headers.insert("authorization", "sesame".parse().unwrap());
    request.body = "sesame".into();
    let answer = Answer {
        status: StatusCode::OK,
        headers: request.headers.clone(),
        body: request.body.clone(),
        truncated: false,
    };
    assert!(!format!("{request:?}{answer:?}").contains("sesame"));
}
