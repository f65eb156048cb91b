//! What tenants take, as triggers have added it up.

use std::collections::BTreeMap;

use botyard_kernel::id::{BotId, TenantId};
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::health::store_error;
use super::{Engine, from_sql};
use crate::StoreError;

/// The tables that are weighed.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Entries,
    Records,
    Audit,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Entries => "entry",
            Self::Records => "record",
            Self::Audit => "audit",
        }
    }
}

impl Engine {
    /// What a tenant takes of a table.
    pub(super) async fn weight(&self, tenant: &TenantId, part: Part) -> Result<u64, StoreError> {
        let wanted = (tenant.0.clone(), part.name());
        let read = move |database: &Connection| {
            let sql = "SELECT bytes FROM weight WHERE tenant = ?1 AND part = ?2";
            let bytes = |row: &Row<'_>| row.get(0).map(from_sql);
            let found = database.prepare_cached(sql);
            let found = found.and_then(|mut found| found.query_row(wanted, bytes).optional());
            found.map(Option::unwrap_or_default).map_err(|e| store_error(&e))
        };
        self.readers.read(read).await
    }

    /// What the values of a tenant's bots take.
    pub(super) async fn weight_of_values(
        &self,
        tenant: &TenantId,
    ) -> Result<BTreeMap<BotId, u64>, StoreError> {
        let tenant = tenant.clone();
        let read = move |database: &Connection| {
            let sql = "SELECT name, bytes FROM bot WHERE tenant = ?1 AND bytes > 0";
            let bot = |row: &Row<'_>| Ok((BotId(row.get(0)?), from_sql(row.get(1)?)));
            let found = database.prepare_cached(sql);
            let found = found.and_then(|mut found| found.query_map([tenant.0], bot)?.collect());
            found.map_err(|e| store_error(&e))
        };
        self.readers.read(read).await
    }
}
