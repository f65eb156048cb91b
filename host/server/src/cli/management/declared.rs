//! What files declare of tenants.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};

use crate::config::{DEFAULT, merge};

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
    tenants
        .into_iter()
        .map(|(name, tenant)| match tenant {
            Value::Object(tenant) => Ok((name, tenant)),
            _ => bail!("`tenants.{name}` is a table of settings"),
        })
        .collect()
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
