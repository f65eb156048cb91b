//! Keys of the host's own, each in a file that only its user can read.

use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, ensure};

/// What a key is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// To authenticate compiled components.
    Artefacts,
    /// To seal what is secret in the store.
    Secrets,
}

impl Purpose {
    fn file(self) -> &'static str {
        match self {
            Self::Artefacts => "artefacts",
            Self::Secrets => "secrets",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Artefacts => "delete it, and all bots are compiled again",
            Self::Secrets => {
                "put back the one that you keep; if it is lost, delete it, and what vendors gave \
                 us has to be had anew"
            }
        }
    }
}

/// Reads a key, or makes one where there is none. It lies in a directory of its own,
/// apart from what it protects.
pub(super) fn read_or_make(directory: &Path, purpose: Purpose) -> anyhow::Result<[u8; 32]> {
    let path = directory.join("keys").join(purpose.file());
    let at = || format!("cannot use {}", path.display());
    std::fs::create_dir_all(directory.join("keys")).with_context(at)?;
    let fresh: [u8; 32] = rand::random();
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o400).open(&path);
    match made {
        Ok(mut file) => {
            file.write_all(&fresh).and_then(|()| file.sync_all()).with_context(at)?;
            if let Purpose::Secrets = purpose {
                let path = path.display();
                tracing::info!(%path, "a new key was made: keep a copy apart from the database's");
            }
            Ok(fresh)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let bytes = std::fs::read(&path).with_context(at)?;
            let length = bytes.len();
            ensure!(
                length == 32,
                "{} has {length} bytes instead of 32: {}",
                path.display(),
                purpose.remedy()
            );
            let mut key = [0; 32];
            key.copy_from_slice(&bytes);
            Ok(key)
        }
        Err(error) => Err(error).with_context(at),
    }
}
