//! Compiles what an upgrade of the host needs, before it happens.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use botyard_kernel::id::{Digest, TenantId};
use clap::Args;
use http::Method;
use serde_json::json;

use super::operate::read;
use crate::admin::client::{self, Unreachable};
use crate::admin::protocol::DeployedVersion;
use crate::app::{App, Prepared};
use crate::config::Config;

/// Compile all versions that answer for the engines of this very program, into the
/// directory of artefacts of a host that runs or is stopped: after an upgrade they
/// answer at once. Call it with the new program, beside the old host.
#[derive(Debug, Args)]
pub(super) struct Precompile {
    /// The settings that the new program will have.
    #[arg(long, short, env = "BOTYARD_CONFIG")]
    config: Option<PathBuf>,
    /// Print what became of each version as a line of JSON.
    #[arg(long)]
    json: bool,
}

/// Compiles and says what became of each version.
pub(super) async fn precompile(command: Precompile) -> anyhow::Result<()> {
    let config = Config::load(command.config.as_deref(), std::env::vars())?;
    let versions = deployed(&config).await?;
    let mut report = Report { json: command.json, ..Report::default() };
    App::precompile(&config, versions, |prepared| report.note(&prepared)).await?;
    report.end()
}

/// The versions that answer: of the host that runs, or else of its store.
async fn deployed(config: &Config) -> anyhow::Result<BTreeMap<Digest, TenantId>> {
    let asked = client::command(&config.admin.socket, Method::GET, "/deployed", None::<&()>).await;
    let answer = match asked {
        Err(error) if matches!(error.downcast_ref(), Some(Unreachable::NoHost(_))) => {
            return App::deployed_of_stopped(config).await;
        }
        answered => answered?,
    };
    let deployed: Vec<DeployedVersion> = read(&answer)?;
    let version = |DeployedVersion { version, tenant }: DeployedVersion| {
        let digest = Digest::from_hex(&version);
        Ok((digest.context("the host names a version that is none")?, TenantId(tenant)))
    };
    deployed.into_iter().map(version).collect()
}

#[derive(Debug, Default)]
struct Report {
    json: bool,
    compiled: usize,
    ready: usize,
    failed: usize,
}

impl Report {
    fn note(&mut self, prepared: &Prepared) {
        let Prepared { version, tenant, compiled, took } = prepared;
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let (became, error) = match compiled {
            Ok(true) => ("compiled", None),
            Ok(false) => ("ready", None),
            Err(error) => ("failed", Some(error.to_string())),
        };
        match became {
            "compiled" => self.compiled += 1,
            "ready" => self.ready += 1,
            _ => self.failed += 1,
        }
        let line = if self.json {
            json!({
                "version": version.to_string(), "tenant": tenant.as_str(),
                "became": became, "ms": ms, "error": error,
            })
            .to_string()
        } else {
            let why = error.map(|error| format!(": {error}")).unwrap_or_default();
            format!("{version} of {tenant} {became} in {ms} ms{why}")
        };
        // Whoever reads may have gone; the work is done all the same.
        let _ = writeln!(std::io::stdout(), "{line}");
    }

    fn end(self) -> anyhow::Result<()> {
        let Self { json, compiled, ready, failed } = self;
        if !json || std::io::stderr().is_terminal() {
            let _ = writeln!(
                std::io::stderr(),
                "{compiled} compiled, {ready} were ready, {failed} failed"
            );
        }
        let versions = if failed == 1 { "version" } else { "versions" };
        ensure!(failed == 0, "{failed} {versions} would not run after the upgrade");
        Ok(())
    }
}
