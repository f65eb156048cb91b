//! What is due, channel by channel.

use botyard_kernel::id::{ChannelId, ConversationKey, TenantId};
use botyard_kernel::time::Millis;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{from_sql, to_sql};
use crate::DuePlace;

/// At most `limit` conversations that are due, longest first. Looks at so many of
/// each channel.
pub(super) fn everywhere(
    database: &Connection,
    now: Millis,
    limit: usize,
) -> rusqlite::Result<Vec<(ConversationKey, Millis)>> {
    let mut all = Vec::new();
    for (tenant, channel) in channels(database, now)? {
        all.extend(of_channel(database, &tenant, &channel, None, now, limit)?);
        all.sort_by_key(|(_, place)| *place);
        all.truncate(limit);
    }
    Ok(all.into_iter().map(|(key, place)| (key, place.due_ms)).collect())
}

/// The channels in which something is due. Looks at one conversation of each.
pub(super) fn channels(
    database: &Connection,
    now: Millis,
) -> rusqlite::Result<Vec<(TenantId, ChannelId)>> {
    let sql = "SELECT tenant, channel, due_ms FROM conversation
        WHERE due_ms IS NOT NULL AND (tenant, channel) > (?1, ?2)
        ORDER BY tenant, channel, due_ms LIMIT 1";
    let mut next = database.prepare_cached(sql)?;
    let (mut last, mut found) = ((String::new(), String::new()), Vec::new());
    loop {
        let row = next.query_row(params![last.0, last.1], |row| {
            Ok(((row.get(0)?, row.get(1)?), from_sql(row.get(2)?)))
        });
        let Some((place, due_ms)) = row.optional()? else { return Ok(found) };
        last = place;
        if due_ms <= now {
            found.push((TenantId(last.0.clone()), ChannelId(last.1.clone())));
        }
    }
}

/// At most `limit` conversations of a channel that are due, behind a place.
pub(super) fn of_channel(
    database: &Connection,
    tenant: &TenantId,
    channel: &ChannelId,
    after: Option<DuePlace>,
    now: Millis,
    limit: usize,
) -> rusqlite::Result<Vec<(ConversationKey, DuePlace)>> {
    let sql = "SELECT vendor_key, due_ms, id FROM conversation
        WHERE tenant = ?1 AND channel = ?2 AND due_ms <= ?3 AND (due_ms, id) > (?4, ?5)
        ORDER BY due_ms, id LIMIT ?6";
    page(database, sql, (tenant, channel), now, after, limit)
}

/// At most `limit` conversations of a channel that a human has, behind a place, the
/// one first that has waited longest for the human's next word.
pub(super) fn with_human(
    database: &Connection,
    tenant: &TenantId,
    channel: &ChannelId,
    after: Option<DuePlace>,
    limit: usize,
) -> rusqlite::Result<Vec<(ConversationKey, DuePlace)>> {
    let sql = "SELECT vendor_key, human_ms, id FROM conversation
        WHERE tenant = ?1 AND channel = ?2 AND human_ms <= ?3 AND (human_ms, id) > (?4, ?5)
        ORDER BY human_ms, id LIMIT ?6";
    page(database, sql, (tenant, channel), Millis::MAX, after, limit)
}

fn page(
    database: &Connection,
    sql: &str,
    (tenant, channel): (&TenantId, &ChannelId),
    until: Millis,
    after: Option<DuePlace>,
    limit: usize,
) -> rusqlite::Result<Vec<(ConversationKey, DuePlace)>> {
    let (at_ms, id) = after.map_or((0, -1), |a| (to_sql(a.due_ms), to_sql(a.number)));
    let wanted = params![tenant.0, channel.0, to_sql(until), at_ms, id, to_sql(limit as u64)];
    database
        .prepare_cached(sql)?
        .query_map(wanted, |row| {
            let (tenant, channel) = (tenant.clone(), channel.clone());
            let key = ConversationKey { tenant, channel, vendor_key: row.get(0)? };
            let (due_ms, number) = (from_sql(row.get(1)?), from_sql(row.get(2)?));
            Ok((key, DuePlace { due_ms, number }))
        })?
        .collect()
}
