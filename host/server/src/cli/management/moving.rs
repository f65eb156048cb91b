//! Tenants that move between hosts: out as a directory that `botyard apply` reads, in from
//! such a one.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use http::Method;
use serde_json::{Map, Value, json};

use super::apply::{self, Apply};
use super::declared;
use super::{Api, escaped};
use crate::tenancy::named_secrets;

/// Where the settings of an exported tenant stand.
const FILE: &str = "tenant.toml";

/// Write what a tenant is into a directory: its settings, bots with the components that
/// answer, external bots and channels, and the limits that the operator has set for it,
/// which only an operator of the other host can set there. A bot that shares one of the
/// operator's does so there, too, under the same name. Secrets stand there by name only;
/// conversations, tokens and the audit stay where they are.
#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    /// The tenant.
    name: String,
    /// A directory that is not there yet, or empty.
    #[arg(long, value_name = "DIRECTORY")]
    into: PathBuf,
    #[command(flatten)]
    api: Api,
}

/// Make a tenant of a directory that `export` has written, or go on where an earlier try
/// has ended.
#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// The directory.
    directory: PathBuf,
    #[command(flatten)]
    api: Api,
}

pub(super) async fn export(Export { name, into, api }: Export) -> anyhow::Result<()> {
    let at = || format!("cannot write into {}", into.display());
    std::fs::create_dir_all(&into).with_context(at)?;
    let full = std::fs::read_dir(&into).with_context(at)?.next().is_some();
    ensure!(!full, "{} is not empty: name another directory", into.display());
    let base = format!("/tenants/{}", escaped(&name));
    let known = api.ask(Method::GET, &base, None).await?;
    ensure!(
        known["managed"] != "settings",
        "the tenant `{name}` stands in the host's settings file: move what stands there"
    );
    let Value::Object(mut tenant) = known["settings"].clone() else {
        bail!("settings are shown to the scope `admin` only: use such a token");
    };
    if let Some(label) = known["label"].as_str() {
        tenant.insert("label".to_owned(), json!(label));
    }
    let bots = bots(&api, &base, &into).await?;
    tenant.insert("bots".to_owned(), bots);
    for kind in ["relays", "channels"] {
        tenant.insert(kind.to_owned(), settings(&api, &base, kind).await?);
    }
    let limits = limits(&api, &base).await?;
    if !limits.is_empty() {
        tenant.insert(apply::LIMITS.to_owned(), Value::Object(limits));
    }
    let secrets: BTreeSet<String> = names(tenant.values()).map(str::to_owned).collect();
    let whole = json!({"tenants": {name.as_str(): tenant}});
    let text = toml::to_string_pretty(&without_nulls(whole)).context("cannot write it as TOML")?;
    std::fs::write(into.join(FILE), text).with_context(at)?;
    let answer = json!({"tenant": name, "directory": into, "secrets": secrets});
    api.print(&answer, |_| exported(&name, &into, &secrets))
}

fn exported(name: &str, into: &Path, secrets: &BTreeSet<String>) -> String {
    let mut text = format!("the tenant {name} is in {}\n", into.display());
    if !secrets.is_empty() {
        let _ = writeln!(text, "its secrets are not: put these on the other host as well:");
        for secret in secrets {
            let _ = writeln!(text, "    botyard secret put --tenant {name} {secret}");
        }
    }
    text
}

/// The limits that the operator has set for a tenant. What it has set for itself would be
/// the operator's on the other host, and it could not take that back.
async fn limits(api: &Api, base: &str) -> anyhow::Result<Map<String, Value>> {
    let rows = api.ask(Method::GET, &format!("{base}/limits"), None).await?;
    let set = rows.as_array().into_iter().flatten().filter_map(|row| {
        let value = row.get("set_by_operator").filter(|value| !value.is_null())?;
        Some((row["name"].as_str()?.to_owned(), value.clone()))
    });
    Ok(set.collect())
}

/// The bots with their settings; the components that answer are written into files.
async fn bots(api: &Api, base: &str, into: &Path) -> anyhow::Result<Value> {
    let mut bots = Map::new();
    for bot in api.all(&format!("{base}/bots")).await? {
        let name = bot["name"].as_str().context("a bot without a name")?;
        let mut settings = bot["settings"].as_object().cloned().unwrap_or_default();
        if bot["offered"] == json!(true) {
            settings.insert("offered".to_owned(), json!(true));
        }
        if let Some(shared) = bot["shared"].as_str() {
            // The operator's, which the other host has to have as well.
            settings.insert("shared".to_owned(), json!(shared));
            bots.insert(name.to_owned(), Value::Object(settings));
            continue;
        }
        let path = format!("{base}/bots/{}", escaped(name));
        let deployed = api.find(&format!("{path}/deployment")).await?;
        if let Some(digest) = deployed.as_ref().and_then(|it| it["current"].as_str()) {
            let file = format!("{name}.wasm");
            let wasm = api.fetch(&format!("{path}/versions/{digest}/component")).await?;
            let place = into.join(&file);
            std::fs::write(&place, wasm)
                .with_context(|| format!("cannot write {}", place.display()))?;
            settings.insert("component".to_owned(), json!(file));
        }
        bots.insert(name.to_owned(), Value::Object(settings));
    }
    Ok(Value::Object(bots))
}

/// The names of the secrets that settings name.
fn names<'a>(settings: impl Iterator<Item = &'a Value>) -> impl Iterator<Item = &'a str> {
    settings.flat_map(named_secrets).map(|(_, name)| name)
}

async fn settings(api: &Api, base: &str, kind: &str) -> anyhow::Result<Value> {
    let mut named = Map::new();
    for item in api.all(&format!("{base}/{kind}")).await? {
        let name = item["name"].as_str().context("an object without a name")?;
        named.insert(name.to_owned(), item["settings"].clone());
    }
    Ok(Value::Object(named))
}

/// TOML has no word for nothing.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(table) => {
            let kept = table.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

pub(super) async fn import(Import { directory, api }: Import) -> anyhow::Result<()> {
    let declared = declared::read(&directory)?;
    apply::check_limits(&api, &declared.tenants).await?;
    for (name, tenant) in &declared.tenants {
        let base = format!("/tenants/{}", escaped(name));
        if api.find(&base).await?.is_none() {
            let body = json!({"name": name});
            api.ask(Method::POST, "/tenants", Some(&body)).await?;
        }
        let known = api.all(&format!("{base}/secrets")).await?;
        let known: BTreeSet<&str> = known.iter().filter_map(|it| it["name"].as_str()).collect();
        let given = declared.secrets(name);
        let needed: BTreeSet<&str> =
            names(tenant.values()).filter(|name| !given.contains_key(*name)).collect();
        let missing: Vec<&str> = needed.difference(&known).copied().collect();
        if !missing.is_empty() {
            let mut text = format!("the tenant {name} is there and lacks secrets; put them:\n");
            for secret in missing {
                let _ = writeln!(text, "    botyard secret put --tenant {name} {secret}");
            }
            bail!("{text}then give the same command again");
        }
    }
    apply::apply(Apply::of(directory, api)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_what_is_nothing() {
        let value = json!({"a": null, "b": {"c": null, "d": 1}, "e": [{"f": null}]});
        assert_eq!(without_nulls(value), json!({"b": {"d": 1}, "e": [{}]}));
    }

    #[test]
    fn whoever_exports_is_told_which_secrets_to_put() {
        let secrets = BTreeSet::from(["token".to_owned()]);
        let text = exported("acme", Path::new("out"), &secrets);
        assert!(text.contains("botyard secret put --tenant acme token"), "{text}");
        assert!(!exported("acme", Path::new("out"), &BTreeSet::new()).contains("secret put"));
    }
}
