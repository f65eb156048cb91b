//! Conversations against their entries.

use std::collections::{BTreeMap, BTreeSet};

use botyard_kernel::id::Digest;
use botyard_kernel::log::{Entry, Seq, Turn};
use botyard_kernel::time::Millis;
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::{Check, Fault, Finding};
use crate::archive::{minute_of, settlement_time, time_of};
use crate::limits;
use crate::log::email_of;
use crate::sqlite::conversation::owner_text;
use crate::sqlite::{from_sql, to_sql};

/// After so many conversations it is said how far the check is.
const PROGRESS_EVERY: u64 = 1_000;

impl Check<'_> {
    pub(super) fn conversations(&mut self) -> rusqlite::Result<()> {
        let database = self.database;
        let of = database.query_row("SELECT count(*) FROM conversation", [], number)?;
        let human = if self.version > 2 { "human_ms" } else { "NULL" };
        let email = if self.version > 3 { "email" } else { "NULL" };
        let archive = match self.version > 4 {
            true => "active_ms, turns, owner, floor, erased, minute",
            false => "NULL, NULL, NULL, 0, 0, NULL",
        };
        let mut all = database.prepare(&format!(
            "SELECT tenant || '/' || channel || '/' || vendor_key, last, accepted, turn, turn_id,
                base, watermark, due_ms, id, {human}, {email}, {archive}
             FROM conversation ORDER BY id",
        ))?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            let (name, id) = (row.get(0)?, row.get(8)?);
            let says = Sum::from_row(row)?;
            self.conversation(name, id, &says)?;
            self.checked.conversations += 1;
            let done = self.checked.conversations;
            if done.is_multiple_of(PROGRESS_EVERY) || done == of {
                (self.tell)(Finding::Progress { done, of });
            }
        }
        self.orphans()
    }

    fn conversation(&mut self, name: String, id: i64, says: &Sum) -> rusqlite::Result<()> {
        let mut log = Log::new(name, says);
        let filed = match self.version > 4 {
            true => "(SELECT name FROM bot WHERE bot.id = entry.bot), at_ms",
            false => "NULL, NULL",
        };
        let mut all = self.database.prepare_cached(&ENTRIES.replace("{filed}", filed))?;
        let mut rows = all.query([id, to_sql(says.floor)])?;
        while let Some(row) = rows.next()? {
            let (place, kind) = (from_sql(row.get(0)?), row.get(1)?);
            let filed = (row.get(3)?, row.get::<_, Option<i64>>(4)?.map(from_sql));
            log.entry(place, kind, row.get_ref(2)?.as_bytes().unwrap_or_default(), filed);
            self.checked.entries += 1;
            log.faults.drain(..).for_each(|fault| (self.tell)(Finding::Fault(&fault)));
        }
        log.compare(says);
        if self.version > 1 {
            let letters = self.letters(id, says.floor)?;
            log.compare_letters(&letters);
        }
        log.faults.drain(..).for_each(|fault| (self.tell)(Finding::Fault(&fault)));
        Ok(())
    }

    fn letters(&self, conversation: i64, floor: Seq) -> rusqlite::Result<BTreeMap<String, Seq>> {
        let sql = "SELECT part, seq FROM dead_letter WHERE conversation = ?1 AND seq > ?2";
        let mut letters = self.database.prepare_cached(sql)?;
        let letter = |row: &Row<'_>| Ok((row.get(0)?, from_sql(row.get(1)?)));
        letters.query_map([conversation, to_sql(floor)], letter)?.collect()
    }

    pub(super) fn orphaned_letters(&mut self) -> rusqlite::Result<()> {
        let mut lost = self.database.prepare(
            "SELECT 'dead letter ' || part FROM dead_letter
             WHERE NOT EXISTS (SELECT 1 FROM conversation WHERE id = dead_letter.conversation
                AND tenant = dead_letter.tenant)",
        )?;
        let mut rows = lost.query([])?;
        while let Some(row) = rows.next()? {
            self.fault(Fault::Orphan { what: row.get(0)?, owner: "conversation of its tenant" });
        }
        Ok(())
    }

    fn orphans(&mut self) -> rusqlite::Result<()> {
        let mut lost = self.database.prepare(
            "SELECT 'entry ' || seq || ' of conversation row ' || conversation FROM entry
             WHERE NOT EXISTS (SELECT 1 FROM conversation WHERE id = entry.conversation)",
        )?;
        let mut rows = lost.query([])?;
        while let Some(row) = rows.next()? {
            self.fault(Fault::Orphan { what: row.get(0)?, owner: "conversation" });
        }
        Ok(())
    }
}

/// The entries of a conversation in order. The index has one run for each kind;
/// entries of no kind come in a fifth, so that they are named, too.
const ENTRIES: &str = "
    SELECT seq, kind, value, {filed} FROM entry
        WHERE conversation = ?1 AND kind = 1 AND seq > ?2
    UNION ALL SELECT seq, kind, value, {filed} FROM entry
        WHERE conversation = ?1 AND kind = 2 AND seq > ?2
    UNION ALL SELECT seq, kind, value, {filed} FROM entry
        WHERE conversation = ?1 AND kind = 3 AND seq > ?2
    UNION ALL SELECT seq, kind, value, {filed} FROM entry
        WHERE conversation = ?1 AND kind = 4 AND seq > ?2
    UNION ALL SELECT seq, kind, value, {filed} FROM entry
        WHERE conversation = ?1 AND kind < 1 AND seq > ?2
    UNION ALL SELECT seq, kind, value, {filed} FROM entry
        WHERE conversation = ?1 AND kind > 4 AND seq > ?2
    ORDER BY seq";

/// What entries add up to.
#[derive(Clone, Default)]
struct Sum {
    last: Seq,
    accepted: Seq,
    turn: Seq,
    turn_id: Option<String>,
    base: Seq,
    watermark: Seq,
    due_ms: Option<Millis>,
    human_ms: Option<Millis>,
    email: Option<String>,
    active_ms: Option<Millis>,
    turns: u64,
    owner: Option<String>,
    /// That of the time in the row.
    minute: Option<u64>,
    /// Older tables have nothing of what follows, nor of the four above.
    has_archive: bool,
    /// Entries up to here are gone.
    floor: Seq,
    /// The place of the turn that the last erasure left.
    erased: Seq,
}

impl Sum {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            last: from_sql(row.get(1)?),
            accepted: from_sql(row.get(2)?),
            turn: from_sql(row.get(3)?),
            turn_id: row.get(4)?,
            base: from_sql(row.get(5)?),
            watermark: from_sql(row.get(6)?),
            due_ms: row.get::<_, Option<i64>>(7)?.map(from_sql),
            human_ms: row.get::<_, Option<i64>>(9)?.map(from_sql),
            email: row.get(10)?,
            active_ms: row.get::<_, Option<i64>>(11)?.map(from_sql),
            turns: row.get::<_, Option<i64>>(12)?.map_or(0, from_sql),
            owner: row.get(13)?,
            has_archive: row.get_ref(12)? != ValueRef::Null,
            floor: from_sql(row.get(14)?),
            erased: from_sql(row.get(15)?),
            minute: row.get::<_, Option<i64>>(16)?.map(from_sql),
        })
    }

    /// As the engine notes it with each entry.
    fn wake(&mut self, due_ms: Option<Millis>) {
        self.due_ms = if self.accepted > self.watermark { Some(0) } else { due_ms };
    }
}

/// A log that is being read.
#[derive(Default)]
struct Log {
    name: String,
    sum: Sum,
    /// Dead letters, with their settlements.
    letters: BTreeMap<String, Seq>,
    faults: Vec<Fault>,
}

/// Under which bot and time a turn is filed; absent in what an older host wrote.
type Filed = (Option<String>, Option<Millis>);

impl Log {
    /// The log of a conversation from its floor on. What is below it nobody knows any
    /// more, so that it is what the row says.
    fn new(name: String, says: &Sum) -> Self {
        let floor = says.floor;
        let accepted = says.accepted.min(floor);
        let sum = Sum { last: floor, accepted, floor, erased: says.erased, ..Sum::default() };
        Self { name, sum, ..Self::default() }
    }

    fn entry(&mut self, place: Seq, kind: i64, value: &[u8], filed: Filed) {
        let conversation = || self.name.clone();
        let expected = self.sum.last + 1;
        if place != expected {
            self.faults.push(Fault::Gap { conversation: conversation(), expected, found: place });
        }
        self.sum.last = place;
        let entry = match limits::decode(value) {
            Ok(entry) => entry,
            Err(error) => {
                let why = error.to_string();
                self.faults.push(Fault::Unreadable { conversation: conversation(), place, why });
                // What can be known without it.
                if kind == 1 {
                    self.sum.accepted = place;
                }
                return;
            }
        };
        let (is, named) = match &entry {
            Entry::Accepted(_) => (1, "an accepted event"),
            Entry::Called(_) => (2, "a recorded call"),
            Entry::Turn(_) => (3, "a turn"),
            Entry::Settled(_) => (4, "a settlement"),
        };
        if is != kind {
            let row = format!("kind {kind}");
            let conversation = conversation();
            self.faults.push(Fault::Kind { conversation, place, row, entry: named });
        }
        match entry {
            Entry::Accepted(arrival) => {
                self.sum.accepted = place;
                self.sum.active_ms = self.sum.active_ms.max(Some(arrival.event.received_ms));
                self.sum.wake(self.sum.due_ms);
            }
            Entry::Called(_) => {}
            Entry::Turn(turn) => self.turn(place, &turn, filed),
            Entry::Settled(settled) => {
                self.sum.active_ms = self.sum.active_ms.max(settlement_time(&settled));
                let owner = settled.owner.map(|owner| owner_text(owner).to_owned());
                self.sum.owner = owner.or_else(|| self.sum.owner.take());
                for row in &settled.revived {
                    self.letters.remove(&row.id.0);
                }
                let dead = settled.dead_letters.into_iter().map(|row| (row.id.0, place));
                self.letters.extend(dead);
                self.sum.wake(settled.due_ms);
                self.sum.human_ms = settled.human_ms;
            }
        }
    }

    fn turn(&mut self, place: Seq, turn: &Turn, (bot, at_ms): Filed) {
        let before = &self.sum;
        let is_first = before.turn == 0 && turn.previous <= before.floor;
        let is_filed = match (&bot, at_ms) {
            (Some(bot), Some(at_ms)) => *bot == turn.bot.0 && at_ms >= time_of(turn, None),
            (None, None) => true,
            (None, Some(_)) | (Some(_), None) => false,
        };
        let rules = [
            (is_first || turn.previous == before.turn, "does not follow the turn before it"),
            (is_filed, "is filed under another bot or time"),
            (turn.base >= before.turn && turn.base < place, "has a snapshot of another place"),
            (turn.base >= before.base, "has an older snapshot than the turn before it"),
            (turn.watermark <= turn.base, "consumes events that its snapshot does not have"),
            (turn.watermark >= before.watermark, "gives back events that were consumed"),
            (before.turn_id.as_ref() != Some(&turn.id.0), "is written twice"),
            (
                turn.fused.is_none() || before.accepted <= turn.base,
                "brings its event past one that was accepted before",
            ),
        ];
        for (_, what) in rules.into_iter().filter(|(holds, _)| !holds) {
            let (conversation, what) = (self.name.clone(), what.to_owned());
            self.faults.push(Fault::Turn { conversation, place, what });
        }
        self.sum.turn = place;
        self.sum.turn_id = Some(turn.id.0.clone());
        self.sum.base = turn.base;
        self.sum.watermark = turn.watermark;
        self.sum.wake(turn.due_ms);
        self.sum.human_ms = turn.human_ms;
        self.sum.email = email_of(turn);
        self.sum.owner = Some(owner_text(turn.state.owner).to_owned());
        if place == self.sum.erased {
            (self.sum.active_ms, self.sum.turns) = (None, 0);
        } else {
            self.sum.active_ms = Some(time_of(turn, self.sum.active_ms));
            self.sum.turns += 1;
        }
    }

    fn compare_letters(&mut self, says: &BTreeMap<String, Seq>) {
        let parts: BTreeSet<_> = says.keys().chain(self.letters.keys()).collect();
        for part in parts.into_iter().filter(|part| says.get(*part) != self.letters.get(*part)) {
            let place = |letters: &BTreeMap<String, Seq>| letters.get(part).copied();
            let (row, entries) = (place(says), place(&self.letters));
            let (conversation, part) = (self.name.clone(), part.clone());
            self.faults.push(Fault::Letter { conversation, part, row, entries });
        }
    }

    fn compare(&mut self, says: &Sum) {
        let sum = &self.sum;
        let place = |seq: Seq| seq.to_string();
        let time = |due: Option<Millis>| due.map_or_else(|| "never".to_owned(), |d| d.to_string());
        let text = |id: &Option<String>| id.clone().unwrap_or_else(|| "none".to_owned());
        // Whose address it is, is nothing for whoever reads what a check says.
        let address = |email: &Option<String>| {
            let digest = email.as_ref().map(|email| Digest::of(email.as_bytes()).short());
            digest.unwrap_or_else(|| "none".to_owned())
        };
        // What an older host wrote is found by no address until its next turn.
        let email = says.email.as_ref().map_or(&None, |_| &sum.email);
        // The same goes for who may speak. What is below the floor was counted, and an
        // older host's conversations count as active when this one began with them.
        let owner = says.owner.as_ref().map_or(&None, |_| &sum.owner);
        let active = says.active_ms.max(sum.active_ms);
        let is_cut = says.floor > 0 && says.erased <= says.floor;
        let turns = if is_cut { says.turns.max(sum.turns) } else { sum.turns };
        let archive = [
            ("active_ms", time(says.active_ms), time(active)),
            ("minute", time(says.minute), time(says.active_ms.map(minute_of))),
            ("turns", says.turns.to_string(), turns.to_string()),
            ("owner", text(&says.owner), text(owner)),
        ];
        let archive = archive.into_iter().filter(|_| says.has_archive);
        let columns = [
            ("last", place(says.last), place(sum.last)),
            ("accepted", place(says.accepted), place(sum.accepted)),
            ("turn", place(says.turn), place(sum.turn)),
            ("turn_id", text(&says.turn_id), text(&sum.turn_id)),
            ("base", place(says.base), place(sum.base)),
            ("watermark", place(says.watermark), place(sum.watermark)),
            ("due_ms", time(says.due_ms), time(sum.due_ms)),
            ("human_ms", time(says.human_ms), time(sum.human_ms)),
            ("email", address(&says.email), address(email)),
        ];
        for (column, row, entries) in archive.chain(columns).filter(|(_, row, sum)| row != sum) {
            let conversation = self.name.clone();
            self.faults.push(Fault::Row { conversation, column, row, entries });
        }
    }
}

fn number(row: &Row<'_>) -> rusqlite::Result<u64> {
    row.get(0).map(from_sql)
}
