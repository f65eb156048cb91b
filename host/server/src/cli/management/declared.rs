//! What files declare of tenants.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};

use crate::config::kept::{self, Kept};
use crate::config::{ConfigError, DEFAULT, merge};

/// Tenants as files have them, by name.
pub(super) struct Declared {
    /// Their settings, as the API takes them: secrets stand in them by name only.
    pub(super) tenants: BTreeMap<String, Map<String, Value>>,
    /// The secrets that the files name by where they are kept on this machine.
    secrets: BTreeMap<String, Kept>,
}

impl Declared {
    /// The secrets that are to be put for a tenant.
    pub(super) fn secrets(&self, tenant: &str) -> &Kept {
        static NONE: Kept = Kept::new();
        self.secrets.get(tenant).unwrap_or(&NONE)
    }
}

/// The tenants of a file, or of all files of a directory, merged key by key, with all that the
/// files name of this machine's variables and files.
pub(super) fn read(path: &Path) -> anyhow::Result<Declared> {
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
    let mut parts = Vec::new();
    for file in files {
        let at = || file.display().to_string();
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", at()))?;
        let table: toml::Table = toml::from_str(&text).with_context(at)?;
        let mut part = serde_json::to_value(table).with_context(at)?;
        kept::relative_to(file.parent().unwrap_or_else(|| Path::new("")), &mut part);
        merge(&mut merged, part.clone());
        parts.push((file, part));
    }
    let Value::Object(mut whole) = merged else { bail!("no file holds a table") };
    let tenants = whole.remove("tenants");
    let hosts_own: toml::Table = toml::from_str(DEFAULT).context("cannot read the defaults")?;
    for section in whole.keys() {
        if !hosts_own.contains_key(section) {
            bail!("`{section}` is no section of settings: only `tenants` is read here");
        }
        let mut out = std::io::stderr();
        writeln!(out, "`{section}` is the host's own and is left alone: it is read at its start")?;
    }
    let Some(Value::Object(tenants)) = tenants else {
        bail!("the files name no tenant: write `[tenants.NAME]`");
    };
    let mut declared = Declared { tenants: BTreeMap::new(), secrets: BTreeMap::new() };
    for (name, tenant) in tenants {
        let Value::Object(mut tenant) = tenant else {
            bail!("`tenants.{name}` is a table of settings");
        };
        let kept = kept::take_out(&name, &mut tenant, std::env::vars(), &parts);
        declared.secrets.insert(name.clone(), kept.map_err(|wrong| nothing_done(&wrong))?);
        declared.tenants.insert(name, tenant);
    }
    Ok(declared)
}

fn nothing_done(wrong: &ConfigError) -> anyhow::Error {
    anyhow::anyhow!("{wrong}; nothing was done")
}

/// What a tenant has of a kind, by name.
pub(super) fn section<'a>(
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
