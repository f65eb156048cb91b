//! What lies beside the conversations: values of bots, audits, blobs.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use botyard_kernel::id::{Digest, TenantId};

use super::{Check, Fault};
use crate::catalog::verify;
use crate::sqlite::catalog::audit_row;
use crate::sqlite::from_sql;

impl Check<'_> {
    pub(super) fn values(&mut self) -> rusqlite::Result<()> {
        let mut bots = self.database.prepare(
            "SELECT tenant, name, bytes, count(bot_value.id),
                coalesce(sum(octet_length(key) + octet_length(value)), 0)
             FROM bot LEFT JOIN bot_value ON bot_value.bot = bot.id GROUP BY bot.id",
        )?;
        let mut rows = bots.query([])?;
        while let Some(row) = rows.next()? {
            self.checked.values += from_sql(row.get(3)?);
            let (says, values) = (row.get(2)?, row.get(4)?);
            if says != values {
                let (tenant, bot) = (row.get(0)?, row.get(1)?);
                self.fault(Fault::Sum { tenant, bot, row: says, values });
            }
        }
        let mut lost = self.database.prepare(
            "SELECT 'value ' || key || ' of bot row ' || bot FROM bot_value
             WHERE NOT EXISTS (SELECT 1 FROM bot WHERE id = bot_value.bot)",
        )?;
        let mut rows = lost.query([])?;
        while let Some(row) = rows.next()? {
            self.fault(Fault::Orphan { what: row.get(0)?, owner: "bot" });
        }
        Ok(())
    }

    /// What should be gone and is not.
    pub(super) fn remains(&mut self) -> rusqlite::Result<()> {
        let mut remains = self.database.prepare(
            "SELECT tenant || '/' || channel || '/' || vendor_key, count(*)
             FROM (SELECT conversation, seq FROM entry
                UNION ALL SELECT conversation, seq FROM dead_letter) AS rest
             JOIN conversation ON conversation.id = rest.conversation
             WHERE purging = 0 AND rest.seq <= floor GROUP BY conversation.id",
        )?;
        let mut rows = remains.query([])?;
        while let Some(row) = rows.next()? {
            let (conversation, rows) = (row.get(0)?, from_sql(row.get(1)?));
            self.fault(Fault::Remains { conversation, rows });
        }
        Ok(())
    }

    pub(super) fn notes(&mut self) -> rusqlite::Result<()> {
        let mut damaged = self.database.prepare(
            "SELECT tenant || '/' || kind || '/' || name FROM note WHERE NOT json_valid(value)",
        )?;
        let mut rows = damaged.query([])?;
        while let Some(row) = rows.next()? {
            self.fault(Fault::Note { note: row.get(0)? });
        }
        Ok(())
    }

    pub(super) fn note_sums(&mut self) -> rusqlite::Result<()> {
        let mut wrong = self.database.prepare(
            "SELECT tenant || '/' || kind, sum(row), sum(row_bytes), sum(notes), sum(bytes) FROM (
                SELECT kind, tenant, notes AS row, bytes AS row_bytes, 0 AS notes, 0 AS bytes
                FROM note_sum
                UNION ALL SELECT kind, tenant, 0, 0, count(*), sum(octet_length(value))
                FROM note GROUP BY kind, tenant)
             GROUP BY kind, tenant HAVING sum(row) <> sum(notes) OR sum(row_bytes) <> sum(bytes)",
        )?;
        let mut rows = wrong.query([])?;
        while let Some(row) = rows.next()? {
            let (says, notes) = ((row.get(1)?, row.get(2)?), (row.get(3)?, row.get(4)?));
            self.fault(Fault::NoteSum { notes_of: row.get(0)?, row: says, notes });
        }
        Ok(())
    }

    pub(super) fn weights(&mut self) -> rusqlite::Result<()> {
        let mut wrong = self.database.prepare(
            "SELECT tenant, CASE part WHEN 'entry' THEN 'entries' WHEN 'record' THEN 'records'
                ELSE 'rows of the ' || part END, sum(row), sum(bytes) FROM (
                SELECT tenant, part, bytes AS row, 0 AS bytes FROM weight
                UNION ALL SELECT tenant, 'entry', 0, sum(octet_length(value))
                FROM entry JOIN conversation ON conversation.id = entry.conversation
                GROUP BY tenant
                UNION ALL SELECT tenant, 'record', 0,
                    sum(octet_length(name) + octet_length(value))
                FROM record GROUP BY tenant
                UNION ALL SELECT tenant, 'audit', 0, sum(octet_length(actor)
                    + octet_length(action) + octet_length(kind) + octet_length(name)
                    + coalesce(octet_length(digest), 0) + octet_length(previous)
                    + octet_length(hash))
                FROM audit GROUP BY tenant)
             GROUP BY tenant, part HAVING sum(row) <> sum(bytes)",
        )?;
        let mut rows = wrong.query([])?;
        while let Some(row) = rows.next()? {
            let (tenant, part) = (row.get(0)?, row.get(1)?);
            self.fault(Fault::Weight { tenant, part, row: row.get(2)?, bytes: row.get(3)? });
        }
        Ok(())
    }

    pub(super) fn audits(&mut self) -> rusqlite::Result<()> {
        let mut all = self.database.prepare(
            "SELECT seq, at_ms, actor, action, kind, name, digest, previous, hash, tenant
             FROM audit ORDER BY tenant, seq",
        )?;
        let mut rows = all.query([])?;
        let (mut tenant, mut last, mut broken) = (TenantId(String::new()), None, false);
        while let Some(row) = rows.next()? {
            let owner = TenantId(row.get(9)?);
            if owner != tenant {
                (tenant, last, broken) = (owner, None, false);
            }
            self.checked.audit_rows += 1;
            // What stands behind a broken row says nothing more.
            if broken {
                continue;
            }
            match audit_row(row).map(|row| verify(&tenant, last, &[row])) {
                Ok(Ok(next)) => last = next,
                Ok(Err(error)) => {
                    broken = true;
                    self.fault(Fault::Audit(error.to_string()));
                }
                Err(error) => {
                    broken = true;
                    self.fault(Fault::Audit(format!("the audit of {tenant}: {error}")));
                }
            }
        }
        Ok(())
    }

    pub(super) fn blobs(&mut self, root: &Path) {
        let shelves = match fs::read_dir(root) {
            Ok(shelves) => shelves,
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            Err(error) => return self.blob_fault("the directory", &error.to_string()),
        };
        for shelf in shelves.flatten().filter(|entry| entry.path().is_dir()) {
            let shelf_name = shelf.file_name().to_string_lossy().into_owned();
            let files = match fs::read_dir(shelf.path()) {
                Ok(files) => files,
                Err(error) => {
                    self.blob_fault(&shelf_name, &error.to_string());
                    continue;
                }
            };
            for file in files.flatten() {
                let digits = format!("{shelf_name}{}", file.file_name().to_string_lossy());
                self.blob(&digits, &file.path());
            }
        }
    }

    fn blob(&mut self, digits: &str, path: &Path) {
        self.checked.blobs += 1;
        let Some(digest) = Digest::from_hex(digits) else {
            return self.blob_fault(digits, "its name is no hash");
        };
        match fs::read(path) {
            Ok(bytes) if Digest::of(&bytes) == digest => {}
            Ok(bytes) => {
                let why = format!("its {} bytes are other ones than its name says", bytes.len());
                self.blob_fault(digits, &why);
            }
            Err(error) => self.blob_fault(digits, &error.to_string()),
        }
    }

    fn blob_fault(&mut self, name: &str, why: &str) {
        self.fault(Fault::Blob { name: name.to_owned(), why: why.to_owned() });
    }
}
