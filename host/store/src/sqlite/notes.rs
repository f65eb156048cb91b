//! The table of notes.

use async_trait::async_trait;
use botyard_kernel::id::TenantId;
use botyard_kernel::time::Millis;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;

use super::health::store_error;
use super::{Engine, from_sql, to_sql};
use crate::limits::SWEEP_ROWS_MAX;
use crate::{Count, Notes, NotesSize, Record, StoreError, limits, notes};

#[async_trait]
impl Notes for Engine {
    async fn put(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        value: &Value,
        expires_ms: Option<Millis>,
    ) -> Result<(), StoreError> {
        let text = limits::note(value)?;
        let (bytes, place) = (text.len(), Place::new(tenant, kind, name));
        let put = move |database: &Connection| place.put(database, &text, expires_ms);
        self.writer.write(tenant, bytes, put).await
    }

    async fn put_new(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        value: &Value,
        expires_ms: Option<Millis>,
        now: Millis,
    ) -> Result<Option<Value>, StoreError> {
        let text = limits::note(value)?;
        let (bytes, place) = (text.len(), Place::new(tenant, kind, name));
        let put = move |database: &Connection| {
            let found = place.find(database, now)?;
            if found.is_none() {
                place.put(database, &text, expires_ms)?;
            }
            Ok(found)
        };
        let found = self.writer.write(tenant, bytes, put).await?;
        found.map(|text| parse(&text)).transpose()
    }

    async fn get(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        now: Millis,
    ) -> Result<Option<Value>, StoreError> {
        let place = Place::new(tenant, kind, name);
        let read = move |database: &Connection| {
            let found = place.find(database, now).map_err(|e| store_error(&e))?;
            found.map(|text| parse(&text)).transpose()
        };
        self.readers.read(read).await
    }

    async fn list(
        &self,
        tenant: &TenantId,
        kind: &str,
        after: Option<&str>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Record>, StoreError> {
        let wanted = (kind.to_owned(), tenant.0.clone(), after.map(str::to_owned));
        let (now, limit) = (to_sql(now), to_sql(limit as u64));
        let read = move |database: &Connection| {
            let sql = "SELECT tenant, name, value FROM note
                WHERE kind = ?1 AND tenant = ?2 AND (?3 IS NULL OR name > ?3)
                    AND (expires_ms IS NULL OR expires_ms > ?4) ORDER BY name LIMIT ?5";
            rows(database, sql, params![wanted.0, wanted.1, wanted.2, now, limit])
        };
        let found = self.readers.read(read).await?;
        Ok(found.into_iter().map(|(_, record)| record).collect())
    }

    async fn list_all(
        &self,
        kind: &str,
        after: Option<(&TenantId, &str)>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<(TenantId, Record)>, StoreError> {
        // No tenant has an empty name, so this stands before all.
        let (tenant, name) = after.map_or(("", ""), |(tenant, name)| (tenant.as_str(), name));
        let wanted = (kind.to_owned(), tenant.to_owned(), name.to_owned());
        let (now, limit) = (to_sql(now), to_sql(limit as u64));
        let read = move |database: &Connection| {
            let sql = "SELECT tenant, name, value FROM note
                WHERE kind = ?1 AND (tenant, name) > (?2, ?3)
                    AND (expires_ms IS NULL OR expires_ms > ?4) ORDER BY tenant, name LIMIT ?5";
            rows(database, sql, params![wanted.0, wanted.1, wanted.2, now, limit])
        };
        self.readers.read(read).await
    }

    async fn size(&self, tenant: &TenantId, kind: &str) -> Result<NotesSize, StoreError> {
        let wanted = (kind.to_owned(), tenant.0.clone());
        let read = move |database: &Connection| {
            let wanted = [&wanted.0, &wanted.1];
            let found = database
                .prepare_cached(SIZE)
                .and_then(|mut found| found.query_row(wanted, notes_size).optional());
            Ok(found.map_err(|e| store_error(&e))?.unwrap_or_default())
        };
        self.readers.read(read).await
    }

    async fn weigh(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        let owner = tenant.clone();
        let read = move |database: &Connection| {
            let weigh = || -> rusqlite::Result<u64> {
                let sum = "SELECT bytes FROM note_sum WHERE kind = ?1 AND tenant = ?2";
                let (mut sum, mut bytes) = (database.prepare_cached(sum)?, 0);
                for kind in kinds(database)? {
                    let of = |row: &rusqlite::Row<'_>| row.get(0).map(from_sql);
                    bytes += sum.query_row([&kind, &owner.0], of).optional()?.unwrap_or(0);
                }
                Ok(bytes)
            };
            weigh().map_err(|e| store_error(&e))
        };
        self.readers.read(read).await
    }

    async fn delete(&self, tenant: &TenantId, kind: &str, name: &str) -> Result<bool, StoreError> {
        let place = Place::new(tenant, kind, name);
        let delete = move |database: &Connection| {
            let sql = "DELETE FROM note WHERE kind = ?1 AND tenant = ?2 AND name = ?3";
            let gone = database.prepare_cached(sql)?.execute(place.columns())?;
            Ok(gone > 0)
        };
        self.writer.write(tenant, 0, delete).await
    }

    async fn add(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        fields: &[(&str, Count)],
        expires_ms: Option<Millis>,
        now: Millis,
    ) -> Result<(), StoreError> {
        let place = Place::new(tenant, kind, name);
        let fields: Vec<_> =
            fields.iter().map(|(field, count)| ((*field).to_owned(), *count)).collect();
        let add = move |database: &Connection| {
            // What cannot be read starts again: a meter is no reason to refuse a turn.
            let old = place.find(database, now)?.and_then(|text| parse(&text).ok());
            match limits::note(&notes::added(old, &fields)) {
                Ok(text) => place.put(database, &text, expires_ms).map(Ok),
                Err(too_large) => Ok(Err(too_large)),
            }
        };
        self.writer.write(tenant, 0, add).await?
    }

    async fn sweep(&self, now: Millis) -> Result<usize, StoreError> {
        let sweep = move |database: &Connection| {
            let sql = "DELETE FROM note WHERE id IN
                (SELECT id FROM note WHERE expires_ms <= ?1 ORDER BY expires_ms LIMIT ?2)";
            database.prepare_cached(sql)?.execute([to_sql(now), to_sql(SWEEP_ROWS_MAX as u64)])
        };
        self.writer.write(&TenantId::from(super::SWEEPER), 0, sweep).await
    }

    async fn has_any(&self, tenant: &TenantId, now: Millis) -> Result<bool, StoreError> {
        let owner = tenant.clone();
        let read = move |database: &Connection| {
            let has_any = || -> rusqlite::Result<bool> {
                let sql = "SELECT EXISTS (SELECT 1 FROM note WHERE kind = ?1 AND tenant = ?2
                    AND (expires_ms IS NULL OR expires_ms > ?3))";
                let mut any = database.prepare_cached(sql)?;
                for kind in kinds(database)? {
                    if any.query_row(params![kind, owner.0, to_sql(now)], |row| row.get(0))? {
                        return Ok(true);
                    }
                }
                Ok(false)
            };
            has_any().map_err(|e| store_error(&e))
        };
        self.readers.read(read).await
    }

    async fn forget(&self, tenant: &TenantId) -> Result<usize, StoreError> {
        let owner = tenant.clone();
        let forget = move |database: &Connection| {
            let mut gone = 0;
            for kind in kinds(database)? {
                let sql = "DELETE FROM note WHERE id IN
                    (SELECT id FROM note WHERE kind = ?1 AND tenant = ?2 LIMIT ?3)";
                let left = to_sql((SWEEP_ROWS_MAX - gone) as u64);
                gone += database.prepare_cached(sql)?.execute(params![kind, owner.0, left])?;
            }
            Ok(gone)
        };
        self.writer.write(tenant, 0, forget).await
    }
}

/// How much there is of a kind of a tenant's notes. One row and one place of an index,
/// however many there are.
const SIZE: &str = "SELECT notes, bytes,
        (SELECT expires_ms FROM note WHERE kind = ?1 AND tenant = ?2 AND expires_ms IS NOT NULL
            ORDER BY expires_ms LIMIT 1)
    FROM note_sum WHERE kind = ?1 AND tenant = ?2";

fn notes_size(row: &rusqlite::Row<'_>) -> rusqlite::Result<NotesSize> {
    let ends_ms: Option<i64> = row.get(2)?;
    let (count, bytes) = (from_sql(row.get(0)?), from_sql(row.get(1)?));
    Ok(NotesSize { count, bytes, ends_ms: ends_ms.map(from_sql) })
}

/// Where a note stands.
struct Place {
    tenant: TenantId,
    kind: String,
    name: String,
}

impl Place {
    fn new(tenant: &TenantId, kind: &str, name: &str) -> Self {
        Self { tenant: tenant.clone(), kind: kind.to_owned(), name: name.to_owned() }
    }

    fn columns(&self) -> [&str; 3] {
        [&self.kind, self.tenant.as_str(), &self.name]
    }

    fn find(&self, database: &Connection, now: Millis) -> rusqlite::Result<Option<String>> {
        let sql = "SELECT value FROM note WHERE kind = ?1 AND tenant = ?2 AND name = ?3
            AND (expires_ms IS NULL OR expires_ms > ?4)";
        let [kind, tenant, name] = self.columns();
        let wanted = params![kind, tenant, name, to_sql(now)];
        database.prepare_cached(sql)?.query_row(wanted, |row| row.get(0)).optional()
    }

    fn put(
        &self,
        database: &Connection,
        text: &str,
        expires_ms: Option<Millis>,
    ) -> rusqlite::Result<()> {
        let sql = "INSERT INTO note (kind, tenant, name, value, expires_ms)
            VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE
            SET value = excluded.value, expires_ms = excluded.expires_ms";
        let [kind, tenant, name] = self.columns();
        let row = params![kind, tenant, name, text, expires_ms.map(to_sql)];
        database.prepare_cached(sql)?.execute(row).map(drop)
    }
}

/// The kinds of which there are notes. Looks at one note of each.
fn kinds(database: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut next =
        database.prepare_cached("SELECT kind FROM note WHERE kind > ?1 ORDER BY kind LIMIT 1")?;
    let mut found: Vec<String> = Vec::new();
    loop {
        let last = found.last().map_or("", String::as_str);
        match next.query_row([last], |row| row.get(0)).optional()? {
            Some(kind) => found.push(kind),
            None => return Ok(found),
        }
    }
}

fn rows(
    database: &Connection,
    sql: &str,
    wanted: impl rusqlite::Params,
) -> Result<Vec<(TenantId, Record)>, StoreError> {
    let rows: rusqlite::Result<Vec<(String, String, String)>> =
        database.prepare_cached(sql).and_then(|mut found| {
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            found.query_map(wanted, row)?.collect()
        });
    let record = |(tenant, name, text): (String, String, String)| {
        Ok((TenantId(tenant), Record { name, value: parse(&text)? }))
    };
    rows.map_err(|e| store_error(&e))?.into_iter().map(record).collect()
}

fn parse(text: &str) -> Result<Value, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Corrupt(format!("a note: {e}")))
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;
    use serde_json::json;

    use super::*;
    use crate::SqliteStore;

    async fn ask<T: Send + 'static>(
        sqlite: &SqliteStore,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> T {
        let read = move |database: &Connection| ask(database).map_err(|e| store_error(&e));
        sqlite.engine.readers.read(read).await.unwrap()
    }

    /// Steps of the database's machine that it takes to weigh the notes of a kind, and what
    /// came of it.
    async fn weighed(sqlite: &SqliteStore) -> (i32, NotesSize) {
        let weigh = |database: &Connection| {
            let mut statement = database.prepare(SIZE)?;
            let size = statement.query_row(["key", "acme"], notes_size)?;
            Ok((statement.get_status(StatementStatus::VmStep), size))
        };
        ask(sqlite, weigh).await
    }

    #[tokio::test]
    async fn however_many_notes_there_are_they_are_weighed_without_a_look_at_them() {
        let directory = tempfile::tempdir().unwrap();
        let sqlite = SqliteStore::open(directory.path()).unwrap();
        let acme = sqlite.store().tenant(&"acme".into());
        let text = json!("x".repeat(6_000));
        let put = async |n: u64| {
            acme.note_put("key", &n.to_string(), &text, Some(1_000 - n)).await.unwrap();
        };
        put(0).await;
        let (steps, _) = weighed(&sqlite).await;
        for n in 1..200 {
            put(n).await;
        }
        let size = NotesSize { count: 200, bytes: 200 * 6_002, ends_ms: Some(801) };
        assert_eq!(weighed(&sqlite).await, (steps, size), "as many steps as with one");

        let plan = |database: &Connection| {
            let mut plan = database.prepare(&format!("EXPLAIN QUERY PLAN {SIZE}"))?;
            let steps = plan.query_map(["key", "acme"], |row| row.get::<_, String>(3))?;
            steps.collect::<rusqlite::Result<Vec<_>>>()
        };
        let plan = ask(&sqlite, plan).await;
        let looks: Vec<_> = plan.iter().filter(|step| step.contains(" note ")).collect();
        let [look] = looks[..] else { panic!("{plan:?}") };
        assert!(look.starts_with("SEARCH note USING COVERING INDEX note_end"), "{plan:?}");
        assert!(!plan.iter().any(|step| step.contains("SCAN note")), "{plan:?}");
    }
}
