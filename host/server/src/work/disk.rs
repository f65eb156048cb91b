//! How full the disk is, as far as it matters: what is not accepted yet waits outside
//! when there is no room for it.

use std::sync::{Mutex, PoisonError};

use botyard_kernel::quota::{Refusal, Whose};
use botyard_kernel::run::Blame;
use botyard_kernel::watermark::{Level, Marks};

use super::Work;
use crate::alerts::{Alert, AlertKind};
use crate::clock;

/// Until whoever is refused comes again, in seconds.
const RETRY_AFTER_S: u64 = 60;

/// How full the disk is.
#[derive(Debug)]
pub(super) struct Disk {
    marks: Marks,
    /// Of a larger disk, only so much counts (bytes): five percent of it are room for long.
    counted: u64,
    level: Mutex<Level>,
}

impl Disk {
    /// Nobody has looked yet.
    pub(super) fn new((marks, counted): (Marks, u64)) -> Self {
        Self { marks, counted, level: Mutex::default() }
    }

    fn level(&self) -> Level {
        *self.level.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So much is free of the whole (bytes). Answers the level before and the one now.
    fn note(&self, free: u64, total: u64) -> (Level, Level) {
        let total = total.min(self.counted);
        let used = total - free.min(total);
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *level;
        *level = self.marks.level(before, used, total);
        (before, *level)
    }
}

impl Work {
    /// How full the disk is.
    pub fn disk_level(&self) -> Level {
        self.disk.level()
    }

    /// Whether there is room for what is not accepted yet.
    ///
    /// # Errors
    /// When to come again.
    pub(crate) fn has_room(&self) -> Result<(), Refusal> {
        match self.disk_level() {
            Level::Normal | Level::Soft => Ok(()),
            Level::Hard => {
                Err(Refusal { whose: Whose::Host, what: "disk", retry_after_s: RETRY_AFTER_S })
            }
        }
    }

    /// So much is free of the disk of the store (bytes). The operator hears of a change.
    pub fn note_disk(&self, free: u64, total: u64) {
        let (before, now) = self.disk.note(free, total);
        if before == now {
            return;
        }
        let (kind, what_to_do) = match now {
            Level::Normal => {
                tracing::info!(free, total, "the disk has room again");
                (AlertKind::DiskHasRoom, "nothing: there is room again")
            }
            Level::Soft => {
                tracing::warn!(free, total, "the disk fills");
                let what_to_do = "make room on the disk of the store, or set how long tenants \
                                  keep conversations: `retention`";
                (AlertKind::DiskFills, what_to_do)
            }
            Level::Hard => {
                tracing::error!(free, total, "the disk is full: nothing more is accepted");
                let what_to_do = "make room on the disk of the store at once: webhooks are refused \
                                  until then, and what was accepted goes on";
                (AlertKind::DiskFull, what_to_do)
            }
        };
        self.alerts.raise(&Alert::new(kind, Blame::Host, clock::now(), what_to_do));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn of_a_large_disk_what_is_free_counts() {
        let disk = Disk::new((Marks::default(), 100 * GIB));
        assert_eq!(disk.note(21 * GIB, 10_000 * GIB), (Level::Normal, Level::Normal));
        assert_eq!(disk.note(19 * GIB, 10_000 * GIB), (Level::Normal, Level::Soft));
        assert_eq!(disk.note(4 * GIB, 10_000 * GIB), (Level::Soft, Level::Hard));
        assert_eq!(disk.level(), Level::Hard);
        assert_eq!(
            disk.note(4 * GIB, 8 * GIB),
            (Level::Hard, Level::Normal),
            "half of a small one"
        );
        assert_eq!(disk.note(9 * GIB, 8 * GIB), (Level::Normal, Level::Normal));
    }
}
