//! The catalog's tables.

use std::collections::BTreeSet;

use async_trait::async_trait;
use botyard_kernel::id::{Digest, TenantId};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::Value;

use super::health::store_error;
use super::weight::Part;
use super::{Engine, changes, from_sql, to_sql};
use crate::limits::SWEEP_ROWS_MAX;
use crate::{AuditRow, Catalog, Change, Record, Stamp, StoreError, limits};

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
        let place = Place::new(tenant, kind, name);
        let stamp = stamp.clone();
        let put = move |database: &Connection| place.put(database, &text, &stamp);
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
        let place = Place::new(tenant, kind, name);
        let stamp = stamp.clone();
        let replace = move |database: &Connection| {
            if place.find(database)? != old {
                return Ok(false);
            }
            place.put(database, &text, &stamp).map(|()| true)
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
        let place = Place::new(tenant, kind, name);
        let stamp = stamp.clone();
        let delete = move |database: &Connection| place.delete(database, &stamp);
        let found = self.writer.write(tenant, 0, delete).await?;
        if found { Ok(()) } else { Err(StoreError::NotFound) }
    }

    async fn change(
        &self,
        tenant: &TenantId,
        changes: &[Change],
        stamp: &Stamp,
    ) -> Result<bool, StoreError> {
        let changes = changes::prepare(tenant, changes)?;
        let (bytes, stamp) = (changes.iter().map(changes::Prepared::bytes).sum(), stamp.clone());
        let change = move |database: &Connection| changes::make(database, &changes, &stamp);
        self.writer.write(tenant, bytes, change).await?
    }

    async fn page(
        &self,
        tenant: &TenantId,
        kind: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        let (tenant, kind, prefix) = (tenant.0.clone(), kind.to_owned(), prefix.to_owned());
        let (after, limit) = (after.map(str::to_owned), to_sql(limit as u64));
        let read = move |database: &Connection| {
            let sql = "SELECT tenant, name, value FROM record
                WHERE kind = ?1 AND tenant = ?2 AND name >= ?3 AND (?4 IS NULL OR name > ?4)
                    AND substr(name, 1, length(?3)) = ?3 ORDER BY name LIMIT ?5";
            rows(database, sql, params![kind, tenant, prefix, after, limit])
        };
        let found = self.readers.read(read).await?;
        Ok(found.into_iter().map(|(_, record)| record).collect())
    }

    async fn count(&self, tenant: &TenantId, kind: &str) -> Result<u64, StoreError> {
        let wanted = (kind.to_owned(), tenant.0.clone());
        let count = move |database: &Connection| {
            let sql = "SELECT count(*) FROM record WHERE kind = ?1 AND tenant = ?2";
            let counted = database
                .prepare_cached(sql)
                .and_then(|mut found| found.query_row(wanted, |row| row.get::<_, i64>(0)));
            counted.map(i64::unsigned_abs).map_err(|e| store_error(&e))
        };
        self.readers.read(count).await
    }

    async fn weigh(&self, tenant: &TenantId) -> Result<(u64, u64), StoreError> {
        let records = self.weight(tenant, Part::Records).await?;
        Ok((records, self.weight(tenant, Part::Audit).await?))
    }

    async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        self.readers.read(|database| tenants(database).map_err(|e| store_error(&e))).await
    }

    async fn forget(&self, tenant: &TenantId, stamp: &Stamp) -> Result<usize, StoreError> {
        let (owner, stamp) = (tenant.clone(), stamp.clone());
        let forget = move |database: &Connection| {
            let sql = "SELECT kind, name FROM record WHERE kind = ?1 AND tenant = ?2 LIMIT ?3";
            let mut gone = 0;
            for kind in kinds(database)? {
                // Each takes a row of the audit, too.
                let left = to_sql((SWEEP_ROWS_MAX / 2 - gone) as u64);
                let names: Vec<Place> = database
                    .prepare_cached(sql)?
                    .query_map(params![kind, owner.0, left], |row| {
                        let (kind, name) = (row.get(0)?, row.get(1)?);
                        Ok(Place { tenant: owner.clone(), kind, name })
                    })?
                    .collect::<rusqlite::Result<_>>()?;
                names.iter().try_for_each(|place| place.delete(database, &stamp).map(drop))?;
                gone += names.len();
            }
            Ok(gone)
        };
        self.writer.write(tenant, 0, forget).await
    }

    async fn witness(
        &self,
        tenant: &TenantId,
        action: &str,
        kind: &str,
        name: &str,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        let (owner, stamp) = (tenant.clone(), stamp.clone());
        let what = (action.to_owned(), kind.to_owned(), name.to_owned());
        let leave = move |database: &Connection| {
            witness(database, &owner, (&what.0, &what.1, &what.2), &stamp)
        };
        self.writer.write(tenant, 0, leave).await
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
                rows(database, sql, params![wanted.0, wanted.1])
            })
            .await
    }
}

/// Which record.
pub(super) struct Place {
    tenant: TenantId,
    kind: String,
    name: String,
}

impl Place {
    pub(super) fn new(tenant: &TenantId, kind: &str, name: &str) -> Self {
        Self { tenant: tenant.clone(), kind: kind.to_owned(), name: name.to_owned() }
    }

    pub(super) fn find(&self, database: &Connection) -> rusqlite::Result<Option<String>> {
        let sql = "SELECT value FROM record WHERE tenant = ?1 AND kind = ?2 AND name = ?3";
        let Self { tenant, kind, name } = self;
        let wanted = params![tenant.0, kind, name];
        database.prepare_cached(sql)?.query_row(wanted, |row| row.get(0)).optional()
    }

    pub(super) fn put(
        &self,
        database: &Connection,
        text: &str,
        stamp: &Stamp,
    ) -> rusqlite::Result<()> {
        let sql = "INSERT INTO record (tenant, kind, name, value) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET value = excluded.value";
        let Self { tenant, kind, name } = self;
        database.prepare_cached(sql)?.execute(params![tenant.0, kind, name, text])?;
        audit(database, tenant, ("put", kind, name), Some(text), stamp)
    }

    /// Answers whether it was there.
    pub(super) fn delete(&self, database: &Connection, stamp: &Stamp) -> rusqlite::Result<bool> {
        let sql = "DELETE FROM record WHERE tenant = ?1 AND kind = ?2 AND name = ?3";
        let Self { tenant, kind, name } = self;
        if database.prepare_cached(sql)?.execute(params![tenant.0, kind, name])? == 0 {
            return Ok(false);
        }
        audit(database, tenant, ("delete", kind, name), None, stamp).map(|()| true)
    }
}

/// Leaves a row in the audit for what changes no record.
pub(super) fn witness(
    database: &Connection,
    tenant: &TenantId,
    what: (&str, &str, &str),
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    audit(database, tenant, what, None, stamp)
}

fn audit(
    database: &Connection,
    tenant: &TenantId,
    what: (&str, &str, &str),
    value: Option<&str>,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    let last = "SELECT seq, hash FROM audit WHERE tenant = ?1 ORDER BY seq DESC LIMIT 1";
    let last = database
        .prepare_cached(last)?
        .query_row([&tenant.0], |row| Ok((from_sql(row.get(0)?), digest(row, 1)?)))
        .optional()?;
    let row = AuditRow::after(last, tenant, what, value, stamp);
    let sql = "INSERT INTO audit
        (tenant, seq, at_ms, actor, action, kind, name, digest, previous, hash)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    database.prepare_cached(sql)?.execute(params![
        tenant.0,
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

/// The kinds of which there are records. Looks at one record of each.
fn kinds(database: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT kind FROM record WHERE kind > ?1 ORDER BY kind LIMIT 1";
    let mut next = database.prepare_cached(sql)?;
    let mut found: Vec<String> = Vec::new();
    loop {
        let last = found.last().map_or("", String::as_str);
        match next.query_row([last], |row| row.get(0)).optional()? {
            Some(kind) => found.push(kind),
            None => return Ok(found),
        }
    }
}

/// The tenants that have records. Looks at one record of each kind of each.
fn tenants(database: &Connection) -> rusqlite::Result<Vec<TenantId>> {
    let sql = "SELECT kind, tenant FROM record WHERE (kind, tenant) > (?1, ?2)
        ORDER BY kind, tenant LIMIT 1";
    let mut next = database.prepare_cached(sql)?;
    let (mut last, mut found) = ((String::new(), String::new()), BTreeSet::new());
    while let Some(row) =
        next.query_row([&last.0, &last.1], |row| Ok((row.get(0)?, row.get(1)?))).optional()?
    {
        last = row;
        found.insert(TenantId(last.1.clone()));
    }
    Ok(found.into_iter().collect())
}

fn rows(
    database: &Connection,
    sql: &str,
    wanted: impl rusqlite::Params,
) -> Result<Vec<(TenantId, Record)>, StoreError> {
    let rows: rusqlite::Result<Vec<(String, String, String)>> =
        database.prepare_cached(sql).and_then(|mut found| {
            found.query_map(wanted, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        });
    let record = |(tenant, name, text): (String, String, String)| {
        Ok((TenantId(tenant), Record { name, value: value(&text)? }))
    };
    rows.map_err(|e| store_error(&e))?.into_iter().map(record).collect()
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
