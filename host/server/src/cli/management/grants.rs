//! What bots may do, on the command line.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Subcommand;
use http::Method;
use serde_json::{Value, json};

use super::table::table;
use super::{Api, TenantApi, escaped, json_file};

/// The operator's policy for all bots.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PolicyCommand {
    /// Show what holds.
    Show {
        #[command(flatten)]
        api: Api,
    },
    /// Set it, from now on: it narrows what the settings file of the host says.
    Set {
        /// A JSON object with `hosts` (only these), `forbidden-hosts` (never these) and
        /// `imports` (only these); `-` reads standard input. `{}` takes back what was set.
        file: PathBuf,
        #[command(flatten)]
        api: Api,
    },
}

pub(super) async fn policy(command: PolicyCommand) -> anyhow::Result<()> {
    let (api, answer) = match command {
        PolicyCommand::Show { api } => {
            let answer = api.ask(Method::GET, "/policy", None).await?;
            (api, answer)
        }
        PolicyCommand::Set { file, api } => {
            let answer = api.ask(Method::PUT, "/policy", Some(&json_file(&file)?)).await?;
            (api, answer)
        }
    };
    api.print(&answer, |answer| format!("{:#}\n", answer["effective"]))
}

/// Grants what a version wishes for.
pub(super) async fn approve(of: &TenantApi, bot: &str, version: &str) -> anyhow::Result<()> {
    let body = json!({"version": version});
    let outcome = of.api.ask(Method::POST, &path(of, bot).await?, Some(&body)).await?;
    of.api.print(&outcome, |outcome| {
        let mut text = String::new();
        for power in each(&outcome["granted"]) {
            let _ = writeln!(text, "{bot} is granted {}", named(power));
        }
        if each(&outcome["granted"]).next().is_none() {
            text.push_str("there was nothing to grant\n");
        }
        waits_for(&mut text, &outcome["pending"]);
        if let Some(current) = outcome["deployment"]["current"].as_str() {
            let canary = outcome["deployment"]["canary"]["version"].as_str();
            let _ = match canary {
                None => writeln!(text, "{bot} answers with {current}"),
                Some(canary) => writeln!(text, "{canary} is on trial"),
            };
        }
        text
    })
}

/// Forgets the deployment that waits for a grant.
pub(super) async fn decline(of: &TenantApi, bot: &str) -> anyhow::Result<()> {
    let gone = of.api.ask(Method::DELETE, &path(of, bot).await?, None).await?;
    of.api.print(&gone, |_| format!("nothing waits for a grant to {bot} any more\n"))
}

/// What a bot may do, or what it uses of that.
pub(super) async fn grants(of: &TenantApi, bot: &str, used: bool) -> anyhow::Result<()> {
    let path = path(of, bot).await?;
    if used {
        let report = of.api.ask(Method::GET, &format!("{path}/used"), None).await?;
        return of.api.print(&report, in_words);
    }
    let grants = of.api.ask(Method::GET, &path, None).await?;
    of.api.print(&grants, |grants| {
        let mut text = String::new();
        for (field, word) in [("granted", "granted"), ("effective", "may use")] {
            for kind in ["hosts", "imports"] {
                let names: Vec<_> = each(&grants[field][kind]).filter_map(Value::as_str).collect();
                if !names.is_empty() {
                    let _ = writeln!(text, "{word} {kind}: {}", names.join(", "));
                }
            }
        }
        waits_for(&mut text, &grants["pending"]);
        if let Some(version) = grants["waiting"]["version"].as_str() {
            let _ = writeln!(text, "version {version} waits to be deployed:");
            waits_for(&mut text, &grants["waiting"]["pending"]);
            let _ = writeln!(text, "`botyard bot approve {bot} {version}` grants that");
        }
        if text.is_empty() { "it is granted nothing\n".to_owned() } else { text }
    })
}

/// What an uploaded version wants otherwise than the one that answers, and what nobody has
/// granted yet.
pub(super) fn wants(version: &Value) -> String {
    let mut text = String::new();
    for (field, word) in [("added", "wants"), ("removed", "does without")] {
        for power in each(&version["changes"][field]) {
            let _ = writeln!(text, "{word} {}", named(power));
        }
    }
    waits_for(&mut text, &version["pending"]);
    text
}

fn in_words(report: &Value) -> String {
    let hosts: Vec<Value> = each(&report["hosts"]).cloned().collect();
    let mut text = table(&hosts, &["name", "count", "last_ms"]);
    for power in each(&report["unused"]) {
        let _ = writeln!(text, "granted and not used: {}", named(power));
    }
    for denied in each(&report["denied"]) {
        let _ = writeln!(text, "denied {} times: {}", denied["count"], named(denied));
    }
    let enough: Vec<_> = each(&report["enough"]["hosts"]).filter_map(Value::as_str).collect();
    let _ = writeln!(text, "enough would be: {}", json!(enough));
    text
}

fn waits_for(text: &mut String, pending: &Value) {
    for missing in each(pending) {
        let _ = writeln!(text, "not granted: {}", missing["text"].as_str().unwrap_or_default());
    }
}

fn named(power: &Value) -> String {
    let name = power["name"].as_str().unwrap_or_default();
    match power["what"].as_str() {
        Some("import") => format!("the import `{name}`"),
        _ => format!("calls to {name}"),
    }
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

async fn path(of: &TenantApi, bot: &str) -> anyhow::Result<String> {
    Ok(format!("{}/bots/{}/grants", of.base().await?, escaped(bot)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_uploads_is_told_what_the_version_wants_anew_and_what_is_not_granted() {
        let host = json!({"what": "host", "name": "shop.example"});
        let version = json!({
            "changes": {"added": [host], "removed": [{"what": "import", "name": "kv"}]},
            "pending": [{"what": "host", "name": "shop.example", "text": "shop.example: no"}],
        });
        let expected = "wants calls to shop.example\ndoes without the import `kv`\n\
                        not granted: shop.example: no\n";
        assert_eq!(wants(&version), expected);
        assert_eq!(wants(&json!({"pending": []})), "");
    }
}
