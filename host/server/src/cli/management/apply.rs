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

use super::{Api, escaped, good};
use crate::config::merge;

/// Brings a host to what files say.
///
/// The files have the form of the host's settings, below `tenants`: TOML, one file or all
/// `*.toml` of a directory. A bot's `component` is a file beside them: it is uploaded and
/// deployed. A secret is put first, by `botyard secret put`, and named:
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
    let (mut steps, api) = (0, &asked.api);
    check_limits(api, &tenants).await?;
    for (tenant, wanted) in &tenants {
        let mut plan = Planned { api, base: format!("/tenants/{}", escaped(tenant)), name: tenant };
        for step in plan.tenant(wanted).await? {
            steps += 1;
            done(&asked, step).await?;
        }
        for step in plan.limits(wanted).await? {
            steps += 1;
            done(&asked, step).await?;
        }
        for (bot, wanted) in section(wanted, "bots")? {
            for step in plan.bot(bot, wanted, &asked.file).await? {
                steps += 1;
                done(&asked, step).await?;
            }
        }
        for (kind, word) in [("relays", "external bot"), ("channels", "channel")] {
            for (name, wanted) in section(wanted, kind)? {
                for step in plan.settings(kind, word, name, wanted).await? {
                    steps += 1;
                    done(&asked, step).await?;
                }
            }
        }
    }
    let would = if asked.dry_run { "would be changed" } else { "changed" };
    let mut out = std::io::stdout();
    let things = if steps == 1 { "thing" } else { "things" };
    writeln!(out, "{steps} {things} {would}").context("cannot print the answer")
}

async fn done(asked: &Apply, step: Step) -> anyhow::Result<()> {
    let Step { what, method, path, kind, body } = step;
    writeln!(std::io::stdout(), "{what}").context("cannot print the answer")?;
    if !asked.dry_run {
        let answered = asked.api.send(method, &path, &[(CONTENT_TYPE, kind)], Some(body)).await?;
        good(answered).with_context(|| format!("{what} failed"))?;
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
    async fn tenant(&mut self, wanted: &Map<String, Value>) -> anyhow::Result<Vec<Step>> {
        let own = |key: &&String| !["bots", "relays", "channels", LIMITS].contains(&key.as_str());
        let own: Map<String, Value> = wanted
            .iter()
            .filter(|(key, _)| own(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let name = self.name;
        let Some(known) = self.api.find(&self.base).await? else {
            let body = json!({"name": name, "settings": own});
            return Ok(vec![json_step("+", "tenant", name, Method::POST, "/tenants", &body, None)]);
        };
        let settings = json!(own);
        if known["settings"] == settings || own.is_empty() {
            return Ok(Vec::new());
        }
        let (body, old) = (json!({"settings": settings}), &known["settings"]);
        Ok(vec![json_step("~", "tenant", name, Method::PATCH, &self.base, &body, Some(old))])
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
        let mut settings = wanted.clone();
        let component = settings.as_object_mut().and_then(|table| table.remove("component"));
        let mut steps = self.settings("bots", "bot", bot, &settings).await?;
        let Some(component) = component else { return Ok(steps) };
        let component = component.as_str().context("`component` is the path of a file")?;
        let directory = if beside.is_dir() { Some(beside) } else { beside.parent() };
        let file = directory.unwrap_or_else(|| Path::new(".")).join(component);
        let wasm = std::fs::read(&file).with_context(|| {
            format!("cannot read the component {} of bot `{bot}`", file.display())
        })?;
        let digest = botyard_kernel::id::Digest::of(&wasm).to_string();
        let path = format!("{}/bots/{}", self.base, escaped(bot));
        if self.api.find(&format!("{path}/versions/{digest}")).await?.is_none() {
            steps.push(Step {
                what: format!("+ version {} of bot {bot}", &digest[..12]),
                method: Method::POST,
                path: format!("{path}/versions"),
                kind: "application/wasm",
                body: wasm.into(),
            });
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
        let (body, old) = (json!({"settings": wanted}), known.as_ref().map(|it| &it["settings"]));
        if old == Some(wanted) {
            return Ok(Vec::new());
        }
        let sign = if old.is_some() { "~" } else { "+" };
        Ok(vec![json_step(sign, word, name, Method::PUT, &path, &body, old)])
    }

    async fn relay(&self, name: &str) -> anyhow::Result<Option<Value>> {
        if self.api.find(&self.base).await?.is_none() {
            return Ok(None);
        }
        let all = self.api.all(&format!("{}/relays", self.base)).await?;
        Ok(all.into_iter().find(|relay| relay["name"] == json!(name)))
    }
}

/// A step with what changes: secrets stand in it by name only.
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
    let empty = Map::new();
    let new = body["settings"].as_object().unwrap_or(&empty);
    let old = old.and_then(Value::as_object).unwrap_or(&empty);
    for (key, value) in new {
        if old.get(key) != Some(value) {
            let _ =
                write!(what, "\n    {key}: {} -> {value}", old.get(key).unwrap_or(&Value::Null));
        }
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        let _ = write!(what, "\n    {key}: {} -> null", old[key]);
    }
    let body = body.to_string().into();
    Step { what, method, path: path.to_owned(), kind: "application/json", body }
}

/// The tenants of a file, or of all files of a directory, merged key by key.
pub(super) fn read(path: &Path) -> anyhow::Result<BTreeMap<String, Map<String, Value>>> {
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        let found = std::fs::read_dir(path);
        let found = found.with_context(|| format!("cannot read {}", path.display()))?;
        let toml = |file: &PathBuf| file.extension().is_some_and(|end| end == "toml");
        files = found.flatten().map(|file| file.path()).filter(toml).collect();
        files.sort();
    }
    if files.is_empty() {
        bail!("there is no `*.toml` in {}", path.display());
    }
    let mut merged = Value::Object(Map::new());
    for file in files {
        let at = || file.display().to_string();
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", at()))?;
        let table: toml::Table = toml::from_str(&text).with_context(at)?;
        merge(&mut merged, serde_json::to_value(table).with_context(at)?);
    }
    let Value::Object(mut whole) = merged else { bail!("no file holds a table") };
    let tenants = whole.remove("tenants");
    if let Some(other) = whole.keys().next() {
        bail!("`{other}` is the host's own to set: here stands only what is below `tenants`");
    }
    let Some(Value::Object(tenants)) = tenants else {
        bail!("the files name no tenant: write `[tenants.NAME]`");
    };
    tenants
        .into_iter()
        .map(|(name, tenant)| match tenant {
            Value::Object(tenant) => Ok((name, tenant)),
            _ => bail!("`tenants.{name}` is a table of settings"),
        })
        .collect()
}

fn section<'a>(
    tenant: &'a Map<String, Value>,
    key: &str,
) -> anyhow::Result<Vec<(&'a str, &'a Value)>> {
    match tenant.get(key) {
        None => Ok(Vec::new()),
        Some(Value::Object(named)) => {
            Ok(named.iter().map(|(name, value)| (name.as_str(), value)).collect())
        }
        Some(_) => bail!("`{key}` is a table of settings by name"),
    }
}
