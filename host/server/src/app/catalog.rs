//! What the settings say, as records of the catalog: without secrets, and each
//! change with its row in the audit.

use botyard_store::{Stamp, Store, StoreError};
use serde_json::{Value, json};

use crate::clock;
use crate::config::Config;

/// Records tenants, bots and channels as they are now; what is no longer there
/// is deleted. What did not change leaves no trace.
pub(super) async fn record(config: &Config, store: &Store) -> Result<(), StoreError> {
    for (tenant_id, tenant) in &config.tenants {
        let store = store.tenant(tenant_id);
        let bots = tenant.bots.iter().map(|(name, bot)| {
            let hosts: Vec<String> = bot.bot.hosts.iter().map(ToString::to_string).collect();
            let component = bot.component.display().to_string();
            (name.to_string(), json!({"component": component, "hosts": hosts}))
        });
        keep(&store, "bot", bots.collect()).await?;
        let channels = tenant.channels.iter().map(|(name, channel)| {
            (name.to_string(), json!({"vendor": channel.vendor, "bot": channel.bot}))
        });
        keep(&store, "channel", channels.collect()).await?;
    }
    Ok(())
}

async fn keep(
    store: &botyard_store::TenantStore,
    kind: &str,
    records: Vec<(String, Value)>,
) -> Result<(), StoreError> {
    let stamp = Stamp { at_ms: clock::now(), actor: "settings".to_owned() };
    for known in store.list(kind).await? {
        if !records.iter().any(|(name, _)| *name == known.name) {
            store.delete(kind, &known.name, &stamp).await?;
        }
    }
    for (name, value) in records {
        if store.get(kind, &name).await?.as_ref() != Some(&value) {
            store.put(kind, &name, &value, &stamp).await?;
        }
    }
    Ok(())
}
