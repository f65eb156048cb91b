//! Tenants at the start: those of the settings, then those of the catalog.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use botyard_kernel::id::TenantId;
use botyard_runtime::Runtime;

use super::load::{self, Component};
use crate::config::Config;
use crate::registry::Deployed;
use crate::tenancy::{Definition, SettingsBot, Tenancy, Unfit};
use crate::work::Work;

/// Runs everything. What is wrong with the settings stops the start; what is wrong with
/// a tenant of the catalog does not.
pub(super) async fn run(
    config: &Config,
    tenancy: &Tenancy,
    runtime: &Arc<Runtime>,
    work: &Work,
) -> anyhow::Result<()> {
    tenancy.load_policy().await.context("cannot read the policy for bots")?;
    let mut definitions = BTreeMap::new();
    for (id, tenant) in &config.tenants {
        let components = load::components(id, tenant, runtime).await;
        let components = components.with_context(|| format!("tenant `{id}`"))?;
        let definition = load::definition(id, tenant, &components);
        let mut bots = BTreeMap::new();
        for (name, Component { version, wasm }) in components {
            let kept = tenancy.keep_component(wasm).await;
            kept.with_context(|| format!("cannot keep the component of bot `{name}`"))?;
            work.registry().versions().keep(version.clone());
            let component = tenant.bots[&name].component.display().to_string();
            bots.insert(name, SettingsBot { component, version });
        }
        let unfit = tenancy.put_from_settings(id, &definition, &bots).await;
        fit(id, unfit.context("cannot record the settings")?)?;
        definitions.insert(id.clone(), definition);
    }
    let dropped = tenancy.drop_from_settings(&definitions).await;
    dropped.context("cannot record what the settings no longer have")?;
    tenancy.load_tokens().await.context("cannot read the tokens")?;
    tenancy.run_stored().await.context("cannot read the tenants of the catalog")
}

/// Whether all that the settings say can run.
pub(super) async fn check(config: &Config, runtime: &Arc<Runtime>) -> anyhow::Result<()> {
    for (id, tenant) in &config.tenants {
        let components = load::components(id, tenant, runtime).await;
        let components = components.with_context(|| format!("tenant `{id}`"))?;
        let definition: Definition = load::definition(id, tenant, &components);
        let nothing =
            |owner: &TenantId, bot: &_| Deployed::nothing(owner.clone(), Clone::clone(bot));
        let (_, unfit) = definition.connect(|owner, bot| Arc::new(nothing(owner, bot)));
        fit(id, unfit)?;
    }
    Ok(())
}

fn fit(tenant: &TenantId, unfit: Vec<Unfit>) -> anyhow::Result<()> {
    match unfit.into_iter().next() {
        None => Ok(()),
        Some(Unfit { what, error }) => Err(error.context(format!("{what} of tenant `{tenant}`"))),
    }
}
