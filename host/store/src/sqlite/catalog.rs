//! The catalog's tables.

use async_trait::async_trait;
use botyard_kernel::id::{Digest, TenantId};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::Value;

use super::health::store_error;
use super::{Engine, from_sql, to_sql};
use crate::{AuditRow, Catalog, Record, Stamp, StoreError, limits};

#[async_trait]
impl Catalog for Engine {
    async fn put(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        value: &Value,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        let text = limits::record(value)?;
        let bytes = text.len();
        let change = Change::new(tenant, kind, name, stamp);
        let put = move |database: &Connection| change.put(database, &text);
        self.writer.write(tenant, bytes, put).await
    }

    async fn replace(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        old: Option<&Value>,
        new: &Value,
        stamp: &Stamp,
    ) -> Result<bool, StoreError> {
        let text = limits::record(new)?;
        let bytes = text.len();
        let old = old.map(limits::record).transpose()?;
        let change = Change::new(tenant, kind, name, stamp);
        let replace = move |database: &Connection| {
            let sql = "SELECT value FROM record WHERE tenant = ?1 AND kind = ?2 AND name = ?3";
            let Change { tenant, kind, name, .. } = &change;
            let found: Option<String> = database
                .prepare_cached(sql)?
                .query_row(params![tenant.0, kind, name], |row| row.get(0))
                .optional()?;
            if found != old {
                return Ok(false);
            }
            change.put(database, &text).map(|()| true)
        };
        self.writer.write(tenant, bytes, replace).await
    }

    async fn get(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
    ) -> Result<Option<Value>, StoreError> {
        let wanted = (tenant.0.clone(), kind.to_owned(), name.to_owned());
        self.readers
            .read(move |database| {
                let sql = "SELECT value FROM record WHERE tenant = ?1 AND kind = ?2 AND name = ?3";
                let text: Option<String> = database
                    .prepare_cached(sql)
                    .and_then(|mut found| found.query_row(wanted, |row| row.get(0)).optional())
                    .map_err(|e| store_error(&e))?;
                text.map(|text| value(&text)).transpose()
            })
            .await
    }

    async fn list(&self, tenant: &TenantId, kind: &str) -> Result<Vec<Record>, StoreError> {
        let records = self.records(kind, Some(tenant)).await?;
        Ok(records.into_iter().map(|(_, record)| record).collect())
    }

    async fn list_all(&self, kind: &str) -> Result<Vec<(TenantId, Record)>, StoreError> {
        self.records(kind, None).await
    }

    async fn delete(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        let change = Change::new(tenant, kind, name, stamp);
        let delete = move |database: &Connection| {
            let sql = "DELETE FROM record WHERE tenant = ?1 AND kind = ?2 AND name = ?3";
            let Change { tenant, kind, name, .. } = &change;
            let gone = database.prepare_cached(sql)?.execute(params![tenant.0, kind, name])?;
            if gone == 0 {
                return Ok(false);
            }
            change.audit(database, None).map(|()| true)
        };
        let found = self.writer.write(tenant, 0, delete).await?;
        if found { Ok(()) } else { Err(StoreError::NotFound) }
    }

    async fn audit(
        &self,
        tenant: &TenantId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let wanted = (tenant.0.clone(), to_sql(after), to_sql(limit as u64));
        self.readers
            .read(move |database| {
                let sql = "SELECT seq, at_ms, actor, action, kind, name, digest, previous, hash
                    FROM audit WHERE tenant = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
                database
                    .prepare_cached(sql)
                    .and_then(|mut found| found.query_map(wanted, audit_row)?.collect())
                    .map_err(|e| store_error(&e))
            })
            .await
    }
}

impl Engine {
    async fn records(
        &self,
        kind: &str,
        tenant: Option<&TenantId>,
    ) -> Result<Vec<(TenantId, Record)>, StoreError> {
        let wanted = (kind.to_owned(), tenant.map(|tenant| tenant.0.clone()));
        self.readers
            .read(move |database| {
                let sql = if wanted.1.is_some() {
                    "SELECT tenant, name, value FROM record WHERE kind = ?1 AND tenant = ?2
                     ORDER BY name"
                } else {
                    "SELECT tenant, name, value FROM record WHERE kind = ?1 AND ?2 IS NULL
                     ORDER BY tenant, name"
                };
                let rows: Vec<(String, String, String)> = database
                    .prepare_cached(sql)
                    .and_then(|mut found| {
                        found
                            .query_map(wanted, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                            .collect()
                    })
                    .map_err(|e| store_error(&e))?;
                let record = |(tenant, name, text): (String, String, String)| {
                    Ok((TenantId(tenant), Record { name, value: value(&text)? }))
                };
                rows.into_iter().map(record).collect()
            })
            .await
    }
}

/// Which record is changed, and by whom.
struct Change {
    tenant: TenantId,
    kind: String,
    name: String,
    stamp: Stamp,
}

impl Change {
    fn new(tenant: &TenantId, kind: &str, name: &str, stamp: &Stamp) -> Self {
        let (tenant, stamp) = (tenant.clone(), stamp.clone());
        Self { tenant, kind: kind.to_owned(), name: name.to_owned(), stamp }
    }

    fn put(&self, database: &Connection, text: &str) -> rusqlite::Result<()> {
        let sql = "INSERT INTO record (tenant, kind, name, value) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET value = excluded.value";
        let Self { tenant, kind, name, .. } = self;
        database.prepare_cached(sql)?.execute(params![tenant.0, kind, name, text])?;
        self.audit(database, Some(text))
    }

    fn audit(&self, database: &Connection, value: Option<&str>) -> rusqlite::Result<()> {
        let last = "SELECT seq, hash FROM audit WHERE tenant = ?1 ORDER BY seq DESC LIMIT 1";
        let last = database
            .prepare_cached(last)?
            .query_row([&self.tenant.0], |row| Ok((from_sql(row.get(0)?), digest(row, 1)?)))
            .optional()?;
        let object = (self.kind.as_str(), self.name.as_str());
        let row = AuditRow::after(last, &self.tenant, object, value, &self.stamp);
        let sql = "INSERT INTO audit
            (tenant, seq, at_ms, actor, action, kind, name, digest, previous, hash)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        database.prepare_cached(sql)?.execute(params![
            self.tenant.0,
            to_sql(row.seq),
            to_sql(row.at_ms),
            row.actor,
            row.action,
            row.kind,
            row.name,
            row.digest.map(|digest| digest.to_string()),
            row.previous.to_string(),
            row.hash.to_string(),
        ])?;
        Ok(())
    }
}

pub(super) fn audit_row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    let changed: Option<String> = row.get(6)?;
    Ok(AuditRow {
        seq: from_sql(row.get(0)?),
        at_ms: from_sql(row.get(1)?),
        actor: row.get(2)?,
        action: row.get(3)?,
        kind: row.get(4)?,
        name: row.get(5)?,
        digest: changed.map(|_| digest(row, 6)).transpose()?,
        previous: digest(row, 7)?,
        hash: digest(row, 8)?,
    })
}

fn digest(row: &Row<'_>, column: usize) -> rusqlite::Result<Digest> {
    let text: String = row.get(column)?;
    let damaged = || "a hash has 64 hexadecimal digits".into();
    Digest::from_hex(&text)
        .ok_or_else(|| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, damaged()))
}

fn value(text: &str) -> Result<Value, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Corrupt(format!("a record: {e}")))
}
