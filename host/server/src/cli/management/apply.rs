//! `botyard apply`: brings a host to what files say.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use botyard_kernel::limits::Limit;
use bytes::Bytes;
use clap::Args;
use http::Method;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use super::declared::{read, section};
use super::{Api, escaped, good};

/// Brings a host to what files say.
///
/// The files have the form of the host's settings, below `tenants`: TOML, one file or all
/// `*.toml` of a directory; sections of the host itself are left alone. A bot's `component`
/// is a file beside them: it is uploaded and deployed. Besides, a tenant has a `label`, and a
/// bot is `shared` (with the name of a bot of the operator's) or `offered` to others. A secret is put first, by `botyard secret put`, and named:
/// `{ secret = "NAME" }`. What stands there already is left alone, so the command can be
/// repeated; what the files do not name stays as it is. `limits` of a tenant are set for the
/// operator of the host, and left alone for everybody else.
#[derive(Debug, Args)]
pub(in crate::cli) struct Apply {
    /// A file, or a directory of them.
    #[arg(long, short, value_name = "PATH")]
    file: PathBuf,
    /// Only say what would be changed.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    api: Api,
}

/// The key of a tenant's limits.
pub(super) const LIMITS: &str = "limits";

impl Apply {
    /// All of a directory, for good.
    pub(super) fn of(file: PathBuf, api: Api) -> Self {
        Self { file, dry_run: false, api }
    }
}

/// Something that is not yet as the files have it.
struct Step {
    /// In words.
    what: String,
    method: Method,
    path: String,
    kind: &'static str,
    body: Bytes,
}

pub(super) async fn apply(asked: Apply) -> anyhow::Result<()> {
    let tenants = read(&asked.file)?;
    let api = &asked.api;
    check_limits(api, &tenants).await?;
    let mut steps = Vec::new();
    for (tenant, wanted) in &tenants {
        let plan = Planned { api, base: format!("/tenants/{}", escaped(tenant)), name: tenant };
        done(&asked, plan.tenant(wanted).await?, &mut steps).await?;
        done(&asked, plan.limits(wanted).await?, &mut steps).await?;
        for (bot, wanted) in section(wanted, "bots")? {
            done(&asked, plan.bot(bot, wanted, &asked.file).await?, &mut steps).await?;
        }
        for (kind, word) in [("relays", "external bot"), ("channels", "channel")] {
            for (name, wanted) in section(wanted, kind)? {
                done(&asked, plan.settings(kind, word, name, wanted).await?, &mut steps).await?;
            }
        }
    }
    let answer = json!({"dry_run": asked.dry_run, "steps": steps});
    api.print(&answer, |_| {
        let would = if asked.dry_run { "would be changed" } else { "changed" };
        let things = if steps.len() == 1 { "thing" } else { "things" };
        format!("{} {things} {would}\n", steps.len())
    })
}

/// Says and does what is to be done. With `--json` it is said at the end.
async fn done(asked: &Apply, steps: Vec<Step>, said: &mut Vec<String>) -> anyhow::Result<()> {
    for Step { what, method, path, kind, body } in steps {
        if !asked.api.local.json {
            writeln!(std::io::stdout(), "{what}").context("cannot print the answer")?;
        }
        if !asked.dry_run {
            let headers = [(CONTENT_TYPE, kind)];
            let answered = asked.api.send(method, &path, &headers, Some(body)).await;
            answered.and_then(good).with_context(|| {
                let done = if asked.api.local.json && !said.is_empty() {
                    format!("; done before: {}", said.join(", "))
                } else {
                    String::new()
                };
                format!("{what} failed{done}")
            })?;
        }
        said.push(what);
    }
    Ok(())
}

/// Fails where limits that the files name cannot be set on this host: before anything is
/// changed.
pub(super) async fn check_limits(
    api: &Api,
    tenants: &BTreeMap<String, Map<String, Value>>,
) -> anyhow::Result<()> {
    let mut wanted = Vec::new();
    for (tenant, whole) in tenants {
        let named = section(whole, LIMITS)?.into_iter();
        wanted.extend(named.map(|(name, value)| (format!("tenants.{tenant}.limits"), name, value)));
    }
    if wanted.is_empty() || !is_operator(api).await? {
        return Ok(());
    }
    let rows = api.ask(Method::GET, "/limits", None).await?;
    for (place, name, value) in wanted {
        let mut rows = rows.as_array().into_iter().flatten();
        let Some(row) = rows.find(|row| row["name"] == json!(name)) else {
            if let Some(inner) = value.as_object().and_then(|table| table.keys().next()) {
                bail!(
                    "`{name}.{inner}` in `{place}` is one name with a dot: write it in quotes, \
                     `\"{name}.{inner}\" = ...`; nothing was done"
                );
            }
            bail!("this host knows no limit `{name}`: take it out of `{place}`; nothing was done");
        };
        if row["change"] != json!("tenant") {
            bail!(
                "`{name}` is the same for all tenants of a host: take it out of `{place}`; \
                 nothing was done"
            );
        }
        let least = Limit::ALL.iter().find(|limit| limit.row().name == name);
        let least = least.map_or(0, |limit| limit.least());
        if value.as_u64().is_none_or(|value| value < least) {
            bail!(
                "`{name}` in `{place}` is no number from {least} on: correct it; nothing was done"
            );
        }
    }
    Ok(())
}

async fn is_operator(api: &Api) -> anyhow::Result<bool> {
    Ok(api.ask(Method::GET, "/whoami", None).await?["scope"] == json!("operator"))
}

/// What is to be done for one tenant.
struct Planned<'a> {
    api: &'a Api,
    base: String,
    name: &'a str,
}

impl Planned<'_> {
    async fn tenant(&self, wanted: &Map<String, Value>) -> anyhow::Result<Vec<Step>> {
        let (own, beside) = parted(wanted, &["label"], &["bots", "relays", "channels", LIMITS]);
        let name = self.name;
        let Some(known) = self.api.find(&self.base).await? else {
            let mut body = json!({"name": name, "settings": own});
            add(&mut body, beside);
            return Ok(vec![json_step("+", "tenant", name, Method::POST, "/tenants", &body, None)]);
        };
        let mut body = json!({});
        if !own.is_empty() && known["settings"] != json!(own) {
            body["settings"] = json!(own);
        }
        add(&mut body, beside.into_iter().filter(|(key, value)| known[key] != *value).collect());
        if body == json!({}) {
            return Ok(Vec::new());
        }
        let old = Some(&known);
        Ok(vec![json_step("~", "tenant", name, Method::PATCH, &self.base, &body, old)])
    }

    /// What the operator is to set of the tenant's limits.
    async fn limits(&self, wanted: &Map<String, Value>) -> anyhow::Result<Vec<Step>> {
        let wanted = section(wanted, LIMITS)?;
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        if !is_operator(self.api).await? {
            let name = self.name;
            writeln!(std::io::stderr(), "limits of {name} are the operator's to set: they stay")?;
            return Ok(Vec::new());
        }
        let known = self.api.find(&format!("{}/limits", self.base)).await?.unwrap_or_default();
        let value = |name: &str| {
            let rows = known.as_array().into_iter().flatten();
            rows.into_iter().find(|row| row["name"] == json!(name))?.get("set_by_operator")
        };
        let other = wanted.into_iter().filter(|(name, wanted)| value(name) != Some(*wanted));
        let step = |(name, wanted): (&str, &Value)| {
            let (path, body) = (format!("{}/limits/{}", self.base, escaped(name)), wanted);
            let body = json!({"value": body});
            let old = value(name).map(|old| json!({"value": old}));
            json_step("~", "limit", name, Method::PUT, &path, &body, old.as_ref())
        };
        Ok(other.map(step).collect())
    }

    async fn bot(&self, bot: &str, wanted: &Value, beside: &Path) -> anyhow::Result<Vec<Step>> {
        let wanted =
            wanted.as_object().with_context(|| format!("`{bot}` is a table of settings"))?;
        let component = wanted.get("component");
        let (settings, apart) = parted(wanted, &["shared", "offered"], &["component"]);
        let path = format!("{}/bots/{}", self.base, escaped(bot));
        let known = self.api.find(&path).await?;
        let mut body = json!({"settings": settings});
        add(&mut body, apart);
        let mut steps = changed("bot", bot, &path, &body, known.as_ref());
        let Some(component) = component else { return Ok(steps) };
        let component = component.as_str().context("`component` is the path of a file")?;
        let directory = if beside.is_dir() { Some(beside) } else { beside.parent() };
        let file = directory.unwrap_or_else(|| Path::new(".")).join(component);
        let wasm = std::fs::read(&file).with_context(|| {
            format!("cannot read the component {} of bot `{bot}`", file.display())
        })?;
        let digest = botyard_kernel::id::Digest::of(&wasm).to_string();
        if self.api.find(&format!("{path}/versions/{digest}")).await?.is_none() {
            let step = Step {
                what: format!("+ version {} of bot {bot}", &digest[..12]),
                method: Method::POST,
                path: format!("{path}/versions"),
                kind: "application/wasm",
                body: wasm.into(),
            };
            // Where a bot is there already, its settings may be for the new version alone.
            steps.insert(if known.is_none() { steps.len() } else { 0 }, step);
        }
        let deployed = self.api.find(&format!("{path}/deployment")).await?;
        if deployed.is_none_or(|deployed| deployed["current"] != json!(digest)) {
            let body = json!({"action": "deploy", "version": digest});
            let what = format!("~ bot {bot} answers with {}", &digest[..12]);
            let step = Step {
                what,
                method: Method::POST,
                path: format!("{path}/deployment"),
                kind: "application/json",
                body: body.to_string().into(),
            };
            steps.push(step);
        }
        Ok(steps)
    }

    async fn settings(
        &self,
        kind: &str,
        word: &str,
        name: &str,
        wanted: &Value,
    ) -> anyhow::Result<Vec<Step>> {
        let path = format!("{}/{kind}/{}", self.base, escaped(name));
        let known = match kind {
            "relays" => self.relay(name).await?,
            _ => self.api.find(&path).await?,
        };
        Ok(changed(word, name, &path, &json!({"settings": wanted}), known.as_ref()))
    }

    async fn relay(&self, name: &str) -> anyhow::Result<Option<Value>> {
        if self.api.find(&self.base).await?.is_none() {
            return Ok(None);
        }
        let all = self.api.all(&format!("{}/relays", self.base)).await?;
        Ok(all.into_iter().find(|relay| relay["name"] == json!(name)))
    }
}

/// What is to be put of an object, unless it is so already.
fn changed(word: &str, name: &str, path: &str, body: &Value, known: Option<&Value>) -> Vec<Step> {
    let is = |known: &Value| {
        body.as_object().into_iter().flatten().all(|(key, value)| known[key] == *value)
    };
    if known.is_some_and(is) {
        return Vec::new();
    }
    let sign = if known.is_some() { "~" } else { "+" };
    vec![json_step(sign, word, name, Method::PUT, path, body, known)]
}

/// The settings among what a file says, and what stands beside them in the API.
fn parted(
    wanted: &Map<String, Value>,
    beside: &[&str],
    elsewhere: &[&str],
) -> (Map<String, Value>, Map<String, Value>) {
    let rest = wanted.clone().into_iter().filter(|(key, _)| !elsewhere.contains(&key.as_str()));
    let (apart, own): (Vec<_>, Vec<_>) = rest.partition(|(key, _)| beside.contains(&key.as_str()));
    (own.into_iter().collect(), apart.into_iter().collect())
}

fn add(body: &mut Value, more: Map<String, Value>) {
    if let Some(table) = body.as_object_mut() {
        table.extend(more);
    }
}

/// A step with what changes: secrets stand in it by name only. What there was has at least
/// the keys of what there is to be.
fn json_step(
    sign: &str,
    word: &str,
    name: &str,
    method: Method,
    path: &str,
    body: &Value,
    old: Option<&Value>,
) -> Step {
    let mut what = format!("{sign} {word} {name}");
    for (key, value) in body.as_object().into_iter().flatten() {
        let old = old.map_or(&Value::Null, |old| &old[key]);
        match value.as_object() {
            Some(new) if key == "settings" => differences(&mut what, new, old),
            _ if key == "name" || value == old => {}
            _ => {
                let _ = write!(what, "\n    {key}: {old} -> {value}");
            }
        }
    }
    let body = body.to_string().into();
    Step { what, method, path: path.to_owned(), kind: "application/json", body }
}

fn differences(what: &mut String, new: &Map<String, Value>, old: &Value) {
    for (key, value) in new.iter().filter(|(key, value)| old[key.as_str()] != **value) {
        let _ = write!(what, "\n    {key}: {} -> {value}", old[key.as_str()]);
    }
    let old = old.as_object().into_iter().flatten();
    for (key, value) in old.filter(|(key, _)| !new.contains_key(*key)) {
        let _ = write!(what, "\n    {key}: {value} -> null");
    }
}
