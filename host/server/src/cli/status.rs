//! How a host is, on the command line.

use std::fmt::Write as _;

use botyard_kernel::watermark::Level;
use http::Method;

use super::management::Api;
use super::operate::{age, read};
use crate::admin::protocol::Paused;
use crate::api::status::{
    Backlog, LETTERS_COUNTED_MAX, Permits, Released, Room, Safety, Status, StoreStatus,
};

/// Prints how a host is.
pub(super) async fn status(api: &Api) -> anyhow::Result<()> {
    let answer = api.ask(Method::GET, "/status", None).await?;
    let status = read(&answer)?;
    api.print(&answer, |_| in_words(status))
}

/// Lets a host deliver whose store was made of a backup.
pub(super) async fn release(api: &Api) -> anyhow::Result<()> {
    let answer = api.ask(Method::POST, "/status/release", None).await?;
    let Released { released } = read(&answer)?;
    api.print(&answer, |_| {
        let done = "the host delivers from now on\n";
        let nothing = "the host delivers already: its store is of no backup, or was released\n";
        if released { done.to_owned() } else { nothing.to_owned() }
    })
}

fn in_words(status: Status) -> String {
    let Status { version, started_ms, now_ms, stopping, held, restored, store, backlog, .. } =
        status;
    let Status { lanes, dead_letters, paused, breakers, permits, safety, .. } = status;
    let ends = if stopping { ", stopping" } else { "" };
    let mut text = format!("botyard {version}, started {} ago{ends}\n", age(now_ms, started_ms));
    store_in_words(&mut text, &store, now_ms);
    if held {
        let made = restored.map(|made| format!(" of {} ago", age(now_ms, made.backup_ms)));
        let _ = writeln!(
            text,
            "held: the store is of a backup{}, nothing is delivered until `botyard release`",
            made.unwrap_or_default()
        );
    }
    let Backlog { requests, events, bytes } = backlog;
    let bytes = in_units(bytes as u64);
    let _ = writeln!(text, "waiting: {events} events, {requests} requests, {bytes}");
    let _ = writeln!(text, "in memory: {lanes}");
    let letters = dead_letters.map_or_else(|| "unknown".to_owned(), |count| count.to_string());
    let more = if dead_letters == Some(LETTERS_COUNTED_MAX) { " or more" } else { "" };
    let _ = writeln!(text, "dead letters: {letters}{more}");
    for Permits { tier, total, free, waiting } in permits {
        let _ = writeln!(text, "{tier} turns: {} of {total} run, {waiting} wait", total - free);
    }
    for Paused { what, tenant, name, since_ms, by, reason } in paused {
        let (what, since) = (what.name(), age(now_ms, since_ms));
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        let _ =
            writeln!(text, "paused: {what} {name} of tenant {tenant}, {since} ago by {by}{reason}");
    }
    for breaker in breakers {
        let since = age(now_ms, breaker.since_ms);
        let _ = writeln!(text, "keeps failing: {} {}, for {since}", breaker.what, breaker.name);
    }
    for Safety { name, detail, .. } in safety.into_iter().filter(|feature| !feature.active) {
        let _ = writeln!(text, "NOT protected by {name}: {detail}");
    }
    text
}

fn store_in_words(text: &mut String, store: &StoreStatus, now_ms: u64) {
    let StoreStatus { state, room, disk, soft_percent, hard_percent, last_backup_ms } = store;
    let _ = write!(text, "store: {state}");
    if let Some(Room { database_bytes, blobs_bytes, free_bytes, total_bytes }) = room {
        let [database, blobs, free, total] =
            [database_bytes, blobs_bytes, free_bytes, total_bytes].map(|bytes| in_units(*bytes));
        let level = match disk {
            Level::Normal => "",
            Level::Soft => ", fills: make room",
            Level::Hard => ", FULL: nothing more is accepted until there is room",
        };
        let _ = write!(
            text,
            "; the database takes {database}, blobs {blobs}\ndisk: {free} of {total} free (the \
             operator is told at {soft_percent} %, nothing is accepted at {hard_percent} %){level}"
        );
    }
    let backup = last_backup_ms.map(|made| format!("{} ago", age(now_ms, made)));
    let backup = backup.unwrap_or_else(|| "none is known of".to_owned());
    let _ = writeln!(text, "\nlast backup: {backup}");
}

/// Bytes in the largest unit that leaves a number above one.
fn in_units(bytes: u64) -> String {
    let units = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / *unit as f64),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_in_their_largest_unit() {
        let told = [0, 1_023, 1_024, 1_536, 5 << 30].map(in_units);
        assert_eq!(told, ["0 bytes", "1023 bytes", "1.0 KiB", "1.5 KiB", "5.0 GiB"]);
    }
}
