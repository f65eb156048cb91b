//! Each upload of the corpus, as a stranger sends it: refused by its name, or deployed and
//! spoken to, and failing by its own fault.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use botyard_hostile::{Expect, Row, build, refused, turns};
use botyard_kernel::run::{Blame, FailureKind};
use botyard_tests::wait;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::stage::{Attacker, Stage};

const WITHIN: Duration = Duration::from_secs(20);

/// Sends them all; the first that meets anything else than its error ends it.
pub(crate) async fn check(stage: &Stage) -> Result<()> {
    let attacker = stage.attacker("corpus").await?;
    let (refused, turns) = (refused(), turns());
    for row in &refused {
        let Expect::Refused(_, words) = row.expect else { continue };
        refuse(&attacker, &row.bytes, words).await.with_context(|| row.name)?;
    }
    refuse(&attacker, &bomb(), "took too much").await.context("a compile bomb")?;
    for (number, row) in turns.iter().enumerate() {
        fail(&attacker, number, row).await.with_context(|| row.name)?;
    }
    println!(
        "{} uploads: {} refused by their names, {} deployed and spoken to, each as it must be",
        refused.len() + 1 + turns.len(),
        refused.len() + 1,
        turns.len(),
    );
    Ok(())
}

/// Small enough to be uploaded, and more to compile than this host allows.
pub(crate) fn bomb() -> Vec<u8> {
    build::compile_bomb(10, 26_000)
}

async fn refuse(attacker: &Attacker<'_>, bytes: &[u8], words: &str) -> Result<()> {
    let (status, body) = attacker.upload("refused", bytes).await?;
    ensure!(status == StatusCode::UNPROCESSABLE_ENTITY, "{status} {body}");
    ensure!(body["code"] == "component-refused", "{body}");
    let detail = body["detail"].as_str().context("a detail")?;
    ensure!(detail.contains(words), "`{words}` is not in: {detail}");
    Ok(())
}

async fn fail(attacker: &Attacker<'_>, number: usize, row: &Row) -> Result<()> {
    let channel = attacker.deploy(&format!("row-{number}"), &row.bytes).await?;
    let stage = attacker.stage();
    let request = Stage::target(&channel, "corpus").message(0, 0, "go");
    let answer = stage.connections.send(&request).await?;
    ensure!(answer.status == 200, "the webhook was answered with {}", answer.status);
    let result = turn(attacker, &channel).await?;
    match row.expect {
        Expect::Fails(kind, words) => failed(&result, kind, words),
        Expect::Harmless | Expect::Refused(..) => {
            ensure!(result == "ran", "it found something: {result}");
            Ok(())
        }
    }
}

/// What became of the only event of a channel.
async fn turn(attacker: &Attacker<'_>, channel: &str) -> Result<Value> {
    let own = format!("/tenants/{}/channels/{channel}", attacker.name);
    let turns = format!("{own}/conversations/chatbot::612:corpus-0/turns");
    wait::until_asked("a turn", WITHIN, async || {
        let answered = attacker.admin.ask(Method::GET, &turns, None).await?;
        Ok(answered.body["items"].get(0).map(|turn| turn["result"].clone()))
    })
    .await
}

fn failed(result: &Value, kind: FailureKind, words: &str) -> Result<()> {
    let failure = &result["failed"];
    let (expected, bot) = (json!(kind), json!(Blame::Bot));
    ensure!(failure["kind"] == expected && failure["blame"] == bot, "not {kind}: {result}");
    let message = failure["message"].as_str().context("a message")?;
    ensure!(message.contains(words), "`{words}` is not in: {message}");
    Ok(())
}
