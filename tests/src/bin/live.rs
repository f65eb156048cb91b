//! How soon a bot is live: from the first byte of its upload until a person has the answer
//! of that very version. With a real host on which nothing else happens.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use botyard_tests::client::management::{Management, userlike_channel};
use botyard_tests::host::{Config, Host, distinct, plugin};
use botyard_tests::load::{Connections, Target, median};
use botyard_tests::verdict;
use http::StatusCode;
use serde_json::json;

const SECRET: &str = "live-webhook-secret";
const AIM: Duration = Duration::from_secs(2);

/// Measures how soon an upload is live.
#[derive(clap::Parser)]
struct Arguments {
    /// How often.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// The component; the aim is that of one in Rust with 1 MiB. Default: the example bot
    /// `finder`, which is a little larger.
    #[arg(long)]
    component: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    verdict("the bench failed", run(&clap::Parser::parse()).await)
}

async fn run(arguments: &Arguments) -> Result<bool> {
    let component = match &arguments.component {
        Some(path) => path.clone(),
        None => plugin("finder")?,
    };
    let component = fs::read(&component).with_context(|| component.display().to_string())?;
    let directory = tempfile::Builder::new().prefix("botyard-live-").tempdir()?;
    let settings = json!({ "tenants": null, "log": { "filter": "error,botyard::app=info" } });
    let host = Host::start(&Config::new(directory.path()).with(settings)).await?;
    let operator = host.management();
    operator.post("/tenants", json!({"name": "acme"})).await?;
    for secret in ["webhook", "token"] {
        let path = format!("/tenants/acme/secrets/{secret}");
        operator.put(&path, json!({"value": SECRET})).await?;
    }
    let connections = Connections::new(host.url(), 1)?;
    println!(
        "a component of {} bytes; in each round another one, as far as the host can see",
        component.len()
    );
    println!("\n| round | uploaded | deployed | answered |\n|---|---|---|---|");
    let mut all = Vec::new();
    for round in 0..arguments.rounds {
        let took = one(&operator, &connections, round, distinct(component.clone(), round)).await?;
        let [uploaded, deployed, answered] =
            took.map(|time| format!("{:.2} s", time.as_secs_f64()));
        println!("| {} | {uploaded} | {deployed} | {answered} |", round + 1);
        all.push(took[2].as_secs_f64());
    }
    host.stop().await?;
    let middle = median(&all);
    let reached = middle <= AIM.as_secs_f64();
    let verdict = if reached { "reached" } else { "NOT reached" };
    println!("\nlive after {middle:.2} s; aim: at most {} s: {verdict}", AIM.as_secs());
    Ok(reached)
}

/// Until it was uploaded, deployed, and had answered.
async fn one(
    operator: &Management,
    connections: &Connections,
    round: usize,
    component: Vec<u8>,
) -> Result<[Duration; 3]> {
    let (bot, channel) = (format!("/tenants/acme/bots/b{round}"), format!("acme-{round}"));
    operator.put(&bot, json!({})).await?;
    let settings = userlike_channel(&format!("b{round}"), "https://api.example.invalid/");
    operator.put(&format!("/tenants/acme/channels/{channel}"), settings).await?;

    let start = Instant::now();
    let uploaded = operator.upload(&format!("{bot}/versions"), component).await?;
    let (status, body) = (uploaded.status, uploaded.body);
    ensure!(status == StatusCode::CREATED, "the upload was refused: {status} {body}");
    let uploaded = start.elapsed();
    let deploy = json!({"action": "deploy", "version": body["digest"]});
    operator.post(&format!("{bot}/deployment"), deploy).await?;
    let deployed = start.elapsed();
    let target = Target {
        path: format!("/webhooks/{channel}"),
        secret: SECRET.to_owned(),
        name: "live".to_owned(),
    };
    let answer = connections.send(&target.message(0, 0, "of 2026-11-27")).await?;
    ensure!(answer.status == 200, "the webhook was answered with {}", answer.status);
    let answered = start.elapsed();
    let turns = format!("/tenants/acme/channels/{channel}/conversations/chatbot::612:live-0/turns");
    let turns = operator.get(&turns).await?;
    ensure!(turns["items"][0]["result"] == "ran", "the bot did not answer: {turns}");
    Ok([uploaded, deployed, answered])
}
