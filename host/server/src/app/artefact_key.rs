//! The key that authenticates compiled components.

use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, ensure};

/// Reads the key, or makes one where there is none. It lies in a directory of
/// its own, apart from what it authenticates; only this user can read it.
pub(super) fn read_or_make(directory: &Path) -> anyhow::Result<[u8; 32]> {
    let path = directory.join("keys").join("artefacts");
    let at = || format!("cannot use {}", path.display());
    std::fs::create_dir_all(directory.join("keys")).with_context(at)?;
    let fresh: [u8; 32] = rand::random();
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o400).open(&path);
    match made {
        Ok(mut file) => {
            file.write_all(&fresh).and_then(|()| file.sync_all()).with_context(at)?;
            Ok(fresh)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let bytes = std::fs::read(&path).with_context(at)?;
            let length = bytes.len();
            ensure!(
                length == 32,
                "{} has {length} bytes instead of 32: delete it, and all bots are compiled again",
                path.display()
            );
            let mut key = [0; 32];
            key.copy_from_slice(&bytes);
            Ok(key)
        }
        Err(error) => Err(error).with_context(at),
    }
}
