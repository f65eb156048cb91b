//! Dead letters: an index of the settlements that gave rows up.

use std::collections::BTreeSet;

use botyard_kernel::id::{ChannelId, ConversationKey, PartId, TenantId};
use botyard_kernel::log::{self, Entry, Seq, Settled};
use rusqlite::{Connection, Params, Row, params};

use super::conversation::Kind;
use super::health::store_error;
use super::{from_sql, to_sql};
use crate::{DeadLetter, StoreError, limits};

/// What a settlement changes in the index.
pub(super) struct Letters {
    dead: Vec<String>,
    revived: Vec<String>,
}

impl Letters {
    pub(super) fn of(settled: &Settled) -> Self {
        let ids = |rows: &[log::Row]| rows.iter().map(|row| row.id.0.clone()).collect();
        Self { dead: ids(&settled.dead_letters), revived: ids(&settled.revived) }
    }

    /// Writes it down for a settlement at a place of a conversation.
    pub(super) fn save(
        &self,
        database: &Connection,
        tenant: &TenantId,
        conversation: i64,
        seq: Seq,
    ) -> rusqlite::Result<()> {
        for part in &self.revived {
            let sql = "DELETE FROM dead_letter WHERE conversation = ?1 AND part = ?2";
            database.prepare_cached(sql)?.execute(params![conversation, part])?;
        }
        for part in &self.dead {
            let sql = "INSERT INTO dead_letter (tenant, conversation, part, seq)
                VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET seq = excluded.seq";
            let row = params![tenant.0, conversation, part, to_sql(seq)];
            database.prepare_cached(sql)?.execute(row)?;
        }
        Ok(())
    }
}

/// Those of some rows of a conversation that are letters now.
pub(super) fn of(
    database: &Connection,
    conversation: i64,
    rows: &[log::Row],
) -> rusqlite::Result<BTreeSet<PartId>> {
    let sql = "SELECT EXISTS (SELECT 1 FROM dead_letter AS letter
        JOIN conversation ON conversation.id = letter.conversation
        WHERE letter.conversation = ?1 AND part = ?2 AND letter.seq > floor)";
    let mut is_letter = database.prepare_cached(sql)?;
    let mut found = BTreeSet::new();
    for row in rows {
        if is_letter.query_row(params![conversation, row.id.0], |row| row.get(0))? {
            found.insert(row.id.clone());
        }
    }
    Ok(found)
}

/// At most `limit` letters of a tenant above a place, in order.
pub(super) fn above(
    database: &Connection,
    tenant: &TenantId,
    after: u64,
    limit: usize,
) -> Result<Vec<DeadLetter>, StoreError> {
    let sql = "SELECT letter.id, channel, vendor_key, part, value
        FROM dead_letter AS letter
        JOIN conversation ON conversation.id = letter.conversation
        JOIN entry ON entry.conversation = letter.conversation AND kind = ?1 AND entry.seq = letter.seq
        WHERE letter.tenant = ?2 AND letter.id > ?3 AND letter.seq > floor ORDER BY letter.id LIMIT ?4";
    let wanted = params![Kind::Settled as i64, tenant.0, to_sql(after), to_sql(limit as u64)];
    find(database, tenant, sql, wanted)
}

/// The letter of a part.
pub(super) fn of_part(
    database: &Connection,
    tenant: &TenantId,
    part: &PartId,
) -> Result<Option<DeadLetter>, StoreError> {
    let sql = "SELECT letter.id, channel, vendor_key, part, value
        FROM dead_letter AS letter
        JOIN conversation ON conversation.id = letter.conversation
        JOIN entry ON entry.conversation = letter.conversation AND kind = ?1 AND entry.seq = letter.seq
        WHERE letter.tenant = ?2 AND part = ?3 AND letter.seq > floor ORDER BY letter.id LIMIT 1";
    let wanted = params![Kind::Settled as i64, tenant.0, part.0];
    Ok(find(database, tenant, sql, wanted)?.pop())
}

fn find(
    database: &Connection,
    tenant: &TenantId,
    sql: &str,
    wanted: impl Params,
) -> Result<Vec<DeadLetter>, StoreError> {
    let found: rusqlite::Result<Vec<Found>> = database
        .prepare_cached(sql)
        .and_then(|mut letters| letters.query_map(wanted, Found::from_row)?.collect());
    let found = found.map_err(|error| store_error(&error))?;
    found.into_iter().map(|found| found.letter(tenant)).collect()
}

struct Found {
    place: u64,
    channel: String,
    vendor_key: String,
    part: String,
    settled: Vec<u8>,
}

impl Found {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            place: from_sql(row.get(0)?),
            channel: row.get(1)?,
            vendor_key: row.get(2)?,
            part: row.get(3)?,
            settled: row.get(4)?,
        })
    }

    fn letter(self, tenant: &TenantId) -> Result<DeadLetter, StoreError> {
        let Self { place, channel, vendor_key, part, settled } = self;
        let Entry::Settled(settled) = limits::decode(&settled)? else {
            return Err(missing(&part));
        };
        let conversation =
            ConversationKey { tenant: tenant.clone(), channel: ChannelId(channel), vendor_key };
        DeadLetter::of(&settled, &PartId(part.clone()), place, conversation)
            .ok_or_else(|| missing(&part))
    }
}

fn missing(part: &str) -> StoreError {
    StoreError::Corrupt(format!("the settlement that gave {part} up does not have it"))
}
