//! The log of a bot, followed by a command over connections that break.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use botyard_tests::host::{operate, program};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::sync::watch;

use crate::hosted::Hosted;

const WITHIN: Duration = Duration::from_secs(30);
/// So long nothing must be printed.
const QUIET: Duration = Duration::from_millis(1_500);

/// The way to a host, which can be cut. Its address stays its own all the time.
struct Line {
    address: String,
    whole: watch::Sender<bool>,
}

impl Line {
    async fn to(url: &str) -> Self {
        let host = url.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let whole = watch::Sender::new(true);
        let line = Self { address, whole: whole.clone() };
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (host, mut whole) = (host.clone(), whole.subscribe());
                tokio::spawn(async move {
                    let carried = async {
                        let mut server = TcpStream::connect(host).await.unwrap();
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    };
                    tokio::select! {
                        biased;
                        _ = whole.wait_for(|whole| !whole) => {}
                        () = carried => {}
                    }
                });
            }
        });
        line
    }

    fn mend(&self) {
        self.whole.send_replace(true);
    }

    /// Whoever connects from now on is left at once, as is whoever has been connected.
    async fn cut(&self) {
        self.whole.send_replace(false);
        while self.whole.receiver_count() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// `botyard bot logs --follow`.
struct Follows {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    said: Lines<BufReader<ChildStderr>>,
}

impl Follows {
    fn begin(hosted: &Hosted, more: &[&str], elsewhere: Option<(&str, &str)>) -> Self {
        let mut command = Command::new(program());
        command.args(["bot", "logs", "bot", "--follow", "--tenant", "acme"]).args(more);
        match elsewhere {
            Some((url, token)) => command.env("BOTYARD_URL", url).env("BOTYARD_TOKEN", token),
            None => command.arg("--socket").arg(hosted.config.directory.join("admin.sock")),
        };
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines, said }
    }

    /// From now on it misses nothing.
    async fn is_connected(&mut self) {
        let said = tokio::time::timeout(WITHIN, self.said.next_line()).await;
        let said = said.expect("it says so").unwrap().expect("it goes on");
        assert!(said.contains("is followed from here"), "{said}");
    }

    async fn line(&mut self) -> String {
        let line = tokio::time::timeout(WITHIN, self.lines.next_line()).await;
        line.expect("a line is printed").unwrap().expect("it goes on")
    }

    /// The conversation of the turn that is printed next.
    async fn conversation(&mut self) -> String {
        let line = self.line().await;
        let turn: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        turn["conversation"].as_str().unwrap().to_owned()
    }

    async fn is_quiet(&mut self) {
        let line = tokio::time::timeout(QUIET, self.lines.next_line()).await;
        assert!(line.is_err(), "{line:?}");
    }

    /// How it ends, with what it said of it.
    async fn end(mut self) -> (ExitStatus, String) {
        let status = tokio::time::timeout(WITHIN, self.child.wait()).await.expect("it ends");
        let mut said = String::new();
        self.said.into_inner().read_to_string(&mut said).await.unwrap();
        (status.unwrap(), said)
    }
}

async fn began(hosted: &Hosted) -> String {
    let conversation = hosted.open("acme-web");
    conversation.start().await.unwrap();
    conversation.cid
}

#[tokio::test]
async fn a_log_is_followed_over_a_connection_that_breaks_until_its_token_ends() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let made = admin.post("/tenants/acme/tokens", json!({"scope": "read"})).await.unwrap();
    let (id, token) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    let past = began(&hosted).await;
    let line = Line::to(hosted.host.url()).await;
    let url = format!("http://{}", line.address);
    let more = ["--json", "--since", "5"];
    let mut follows = Follows::begin(&hosted, &more, Some((&url, token)));
    assert_eq!(follows.conversation().await, past, "what was there comes first");
    let live = began(&hosted).await;
    assert_eq!(follows.conversation().await, live);

    line.cut().await;
    let missed = [began(&hosted).await, began(&hosted).await];
    follows.is_quiet().await;
    line.mend();
    for expected in missed {
        assert_eq!(follows.conversation().await, expected, "in order, from where it was");
    }
    let later = began(&hosted).await;
    assert_eq!(follows.conversation().await, later);
    follows.is_quiet().await;

    admin.delete(&format!("/tenants/acme/tokens/{id}")).await.unwrap();
    let (status, said) = follows.end().await;
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("the host is away"), "{said}");
    assert!(said.contains("the token is good for nothing any more"), "{said}");
    assert!(said.contains("(unauthorized)"), "{said}");
}

#[tokio::test]
async fn a_log_is_followed_over_a_restart_before_its_first_turn_and_ends_at_ctrl_c() {
    let hosted = Hosted::start().await;
    hosted.tenant("acme", "tally").await;
    began(&hosted).await;
    let mut follows = Follows::begin(&hosted, &[], None);
    // Without a time only what is new is told.
    follows.is_connected().await;
    follows.is_quiet().await;
    let hosted = hosted.again(json!({})).await;
    let cid = began(&hosted).await;
    assert_eq!(follows.line().await, format!("acme-web {cid}: \"ran\""));
    let process = follows.child.id().unwrap().to_string();
    std::process::Command::new("kill").args(["-INT", &process]).status().unwrap();
    let (status, said) = follows.end().await;
    assert_eq!(status.code(), Some(0), "{said}");
}

#[tokio::test]
async fn a_log_is_printed_to_its_newest_turn_however_long_it_is() {
    let hosted = Hosted::start().await;
    hosted.tenant("acme", "tally").await;
    let mut all = Vec::new();
    // More than the API gives at once.
    for _ in 0..205 {
        all.push(began(&hosted).await);
    }
    let printed = operate(&hosted.config, &["bot", "logs", "bot", "--tenant", "acme"]).await;
    let printed = String::from_utf8(printed.unwrap().stdout).unwrap();
    let expected: String = all.iter().map(|cid| format!("acme-web {cid}: \"ran\"\n")).collect();
    assert_eq!(printed, expected);
    let mut follows = Follows::begin(&hosted, &["--since", "5"], None);
    for cid in all {
        assert_eq!(follows.line().await, format!("acme-web {cid}: \"ran\""));
    }
    follows.is_quiet().await;
}

#[tokio::test]
async fn what_cannot_be_followed_is_said_at_once() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let wrong = Follows::begin(&hosted, &[], Some((hosted.host.url(), "botyard_no")));
    let (status, said) = wrong.end().await;
    assert_eq!(status.code(), Some(1));
    assert!(said.contains("(unauthorized)"), "{said}");
    let nobody = Follows::begin(&hosted, &[], Some(("http://127.0.0.1:9", "botyard_no")));
    let (status, said) = nobody.end().await;
    assert_eq!(status.code(), Some(3), "{said}");
    // Where it was is a number that the host has said.
    let client = botyard_tests::client::userlike::client().unwrap();
    let url = format!("{}/v1/tenants/acme/bots/bot/logs/live", hosted.host.url());
    let asked = client.get(url).bearer_auth(admin.token.unwrap()).header("last-event-id", "x");
    assert_eq!(asked.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    let gone = hosted.operator.ask(Method::GET, "/tenants/acme/bots/none/logs/live", None).await;
    assert_eq!(gone.unwrap().status, StatusCode::NOT_FOUND);
}
