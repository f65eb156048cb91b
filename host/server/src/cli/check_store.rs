//! `botyard check --store`.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use anyhow::Context as _;
use botyard_store::sqlite::check::{Checked, Finding, check};

/// Looks through a store, names each fault on a line of its own, and fails if
/// there was any.
pub(super) fn run(directory: &Path) -> anyhow::Result<()> {
    let (mut faults, mut printed) = (0_u64, Ok(()));
    let shows_progress = std::io::stderr().is_terminal();
    let checked = check(directory, &mut |finding| match finding {
        Finding::Fault(fault) => {
            faults += 1;
            let line = writeln!(std::io::stdout(), "{fault}");
            if printed.is_ok() {
                printed = line;
            }
        }
        Finding::Progress { done, of } if shows_progress => {
            // Nobody misses a line about progress.
            let _ = write!(std::io::stderr(), "\r{done} of {of} conversations");
            if done == of {
                let _ = writeln!(std::io::stderr());
            }
        }
        Finding::Progress { .. } => {}
    });
    let Checked { conversations, entries, values, audit_rows, blobs } =
        checked.with_context(|| format!("cannot check the store in {}", directory.display()))?;
    printed.context("cannot print what was found")?;
    writeln!(
        std::io::stdout(),
        "checked {conversations} conversations with {entries} entries, {values} values of bots, \
         {audit_rows} audit rows and {blobs} blobs"
    )?;
    anyhow::ensure!(faults == 0, "the store has {faults} faults, named above");
    Ok(())
}
