//! `botyard apply`: brings a host to what files say.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use botyard_kernel::limits::Limit;
use clap::Args;
use http::Method;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use super::declared::{read, section};
use super::steps::{Step, add, changed, json_step, parted};
use super::{Api, escaped, good};
use crate::config::Secret;
use crate::config::kept::Kept;
use crate::tenancy::named_secrets;

/// Brings a host to what files say.
///
/// The files have the form of the host's settings, below `tenants`: TOML, one file or all
/// `*.toml` of a directory; sections of the host itself are left alone. A bot's `component`
/// is a file beside them: it is uploaded and deployed. Besides, a tenant has a `label`, and a
/// bot is `shared` (with the name of a bot of the operator's) or `offered` to others. A secret is
/// named by where it is kept here, `{ env = "NAME" }` or `{ file = "PATH" }`, with paths from the
/// file that names them: it is read by this command and put as a secret of the tenant. Or it
/// is put first, by `botyard secret put`, and named: `{ secret = "NAME" }`. What stands there already is left alone, so the command can be
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

pub(super) async fn apply(asked: Apply) -> anyhow::Result<()> {
    let declared = read(&asked.file)?;
    let api = &asked.api;
    check_limits(api, &declared.tenants).await?;
    let mut steps = Vec::new();
    for (tenant, wanted) in &declared.tenants {
        let base = format!("/tenants/{}", escaped(tenant));
        let plan = Planned { api, base, name: tenant, dry_run: asked.dry_run };
        let secrets = declared.secrets(tenant);
        // A tenant is there before its secrets, and they are before what names them.
        let (first, then) = plan.tenant(wanted, secrets).await?;
        done(&asked, first, &mut steps).await?;
        done(&asked, plan.secrets(secrets).await?, &mut steps).await?;
        done(&asked, then, &mut steps).await?;
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
    for Step { what, method, path, kind, body, same } in steps {
        let say = || {
            if asked.api.local.json {
                return Ok(());
            }
            writeln!(std::io::stdout(), "{what}").context("cannot print the answer")
        };
        // Whether anything is changed is said when it is known.
        if same.is_none() || asked.dry_run {
            say()?;
        }
        if !asked.dry_run {
            let headers = [(CONTENT_TYPE, kind)];
            let answered = asked.api.send(method, &path, &headers, Some(body)).await;
            let answer = answered.and_then(good).with_context(|| {
                let done = if asked.api.local.json && !said.is_empty() {
                    format!("; done before: {}", said.join(", "))
                } else {
                    String::new()
                };
                format!("{what} failed{done}")
            })?;
            match same {
                Some(same) if same == answer => continue,
                Some(_) => say()?,
                None => {}
            }
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
    dry_run: bool,
}

impl Planned<'_> {
    /// What is to be done before its secrets are put, and what behind them.
    async fn tenant(
        &self,
        wanted: &Map<String, Value>,
        secrets: &Kept,
    ) -> anyhow::Result<(Vec<Step>, Vec<Step>)> {
        let (own, beside) = parted(wanted, &["label"], &["bots", "relays", "channels", LIMITS]);
        let name = self.name;
        let Some(known) = self.api.find(&self.base).await? else {
            let mut named = own.values().flat_map(named_secrets);
            let waits = named.any(|(_, secret)| secrets.contains_key(secret));
            let settings = if waits { json!({}) } else { json!(own) };
            let mut body = json!({"name": name, "settings": settings});
            add(&mut body, beside);
            let first = json_step("+", "tenant", name, Method::POST, "/tenants", &body, None);
            let then = waits.then(|| {
                let (body, old) = (json!({"settings": own}), json!({"settings": {}}));
                json_step("~", "tenant", name, Method::PATCH, &self.base, &body, Some(&old))
            });
            return Ok((vec![first], then.into_iter().collect()));
        };
        let mut body = json!({});
        if !own.is_empty() && known["settings"] != json!(own) {
            body["settings"] = json!(own);
        }
        add(&mut body, beside.into_iter().filter(|(key, value)| known[key] != *value).collect());
        if body == json!({}) {
            return Ok((Vec::new(), Vec::new()));
        }
        let old = Some(&known);
        let step = json_step("~", "tenant", name, Method::PATCH, &self.base, &body, old);
        Ok((Vec::new(), vec![step]))
    }

    /// The secrets that are kept on this machine. Nobody can read those of the host, so each
    /// is put, and the host says whether it is another one.
    async fn secrets(&self, secrets: &Kept) -> anyhow::Result<Vec<Step>> {
        if secrets.is_empty() {
            return Ok(Vec::new());
        }
        let base = format!("{}/secrets", self.base);
        let there = self.api.find(&self.base).await?.is_some();
        let known = if there { self.api.all(&base).await? } else { Vec::new() };
        let step = |(name, secret): (&String, &Secret)| {
            let same = known.iter().find(|known| known["name"] == json!(name)).cloned();
            let what = match &same {
                None => format!("+ secret {name}"),
                Some(_) if self.dry_run => format!(
                    "? secret {name}\n    put again: nobody can read it, so only then the host \
                     says whether it differs"
                ),
                Some(_) => format!("~ secret {name}"),
            };
            let body = json!({"value": secret.expose()}).to_string().into();
            let path = format!("{base}/{name}");
            Step { what, method: Method::PUT, path, kind: "application/json", body, same }
        };
        Ok(secrets.iter().map(step).collect())
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
                same: None,
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
                same: None,
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
