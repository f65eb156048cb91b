//! Keys of the host's own, each in a file that only its user can read.

use std::fs::{File, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};

use crate::envelope::HostKey;

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

/// Where the host's own secrets key lies, and those before it.
pub(super) struct SecretKeys {
    directory: PathBuf,
}

/// What earlier keys of the host's are called, with their names behind it.
const EARLIER: &str = "secrets.before.";

impl SecretKeys {
    /// The keys of a store.
    pub(super) fn of(store: &Path) -> Self {
        Self { directory: store.join("keys") }
    }

    /// All keys that there are; none where the settings have always named it.
    pub(super) fn all(&self) -> anyhow::Result<Vec<HostKey>> {
        let mut keys = self.earlier()?;
        let path = self.directory.join(Purpose::Secrets.file());
        if path.exists() {
            keys.push(HostKey::new(read(&path, Purpose::Secrets)?));
        }
        Ok(keys)
    }

    /// Keys that still open what they have sealed.
    pub(super) fn earlier(&self) -> anyhow::Result<Vec<HostKey>> {
        let at = || format!("cannot look into {}", self.directory.display());
        std::fs::create_dir_all(&self.directory).with_context(at)?;
        let mut keys = Vec::new();
        for entry in std::fs::read_dir(&self.directory).with_context(at)? {
            let path = entry.with_context(at)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with(EARLIER) {
                keys.push(HostKey::new(read(&path, Purpose::Secrets)?));
            }
        }
        Ok(keys)
    }

    /// Makes another key and puts it in the place of the present one, which stays beside
    /// it. A host that is killed in the middle has the one or the other.
    pub(super) fn renew(&self, present: &HostKey) -> anyhow::Result<HostKey> {
        let path = self.directory.join(Purpose::Secrets.file());
        let fresh: [u8; 32] = rand::random();
        let before = self.directory.join(format!("{EARLIER}{}", present.name()));
        let at = || format!("cannot change {}", path.display());
        let mut file = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o400))
            .tempfile_in(&self.directory)
            .with_context(at)?;
        file.write_all(&fresh).and_then(|()| file.as_file().sync_all()).with_context(at)?;
        match std::fs::hard_link(&path, &before) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(at),
        }
        file.persist(&path).with_context(at)?;
        File::open(&self.directory).and_then(|all| all.sync_all()).with_context(at)?;
        Ok(HostKey::new(fresh))
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
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(&path, purpose),
        Err(error) => Err(error).with_context(at),
    }
}

/// A key that others can read is none: whoever has a copy of the database could open it. A
/// copy that was put back without its mode is the usual reason, and is put right at once.
fn read(path: &Path, purpose: Purpose) -> anyhow::Result<[u8; 32]> {
    let at = || format!("cannot use {}", path.display());
    let mode = std::fs::metadata(path).with_context(at)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let path = path.display();
        return Err(anyhow!(
            "{path} has the mode {mode:04o}, so others on this machine may use the key: find out \
             whether anybody has, then `chmod 0400 {path}`; where somebody may have, give \
             `botyard rotate-key` to the host once it runs"
        ));
    }
    let bytes = std::fs::read(path).with_context(at)?;
    let length = bytes.len();
    <[u8; 32]>::try_from(bytes).map_err(|_| {
        let (path, remedy) = (path.display(), purpose.remedy());
        anyhow!("{path} has {length} bytes instead of 32: {remedy}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_renewed_stays_beside_the_new_one() {
        let store = tempfile::tempdir().unwrap();
        let first = HostKey::new(read_or_make(store.path(), Purpose::Secrets).unwrap());
        let keys = SecretKeys::of(store.path());
        assert!(keys.earlier().unwrap().is_empty());
        let second = keys.renew(&first).unwrap();
        let third = keys.renew(&second).unwrap();
        let now = HostKey::new(read_or_make(store.path(), Purpose::Secrets).unwrap());
        assert_eq!(now.name(), third.name());
        let mut earlier: Vec<_> = keys.earlier().unwrap();
        earlier.sort_by_key(|key| key.name() == second.name());
        assert_eq!([earlier[0].name(), earlier[1].name()], [first.name(), second.name()]);
        let path = store.path().join("keys").join("secrets");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o400);
    }

    #[test]
    fn a_key_of_another_length_is_told_with_what_to_do() {
        let store = tempfile::tempdir().unwrap();
        std::fs::create_dir(store.path().join("keys")).unwrap();
        let path = store.path().join("keys").join("secrets");
        std::fs::write(&path, b"short").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
        let error = read_or_make(store.path(), Purpose::Secrets).unwrap_err().to_string();
        assert!(error.contains("5 bytes instead of 32: put back"), "{error}");
    }

    #[test]
    fn a_key_that_others_may_use_is_refused_with_what_to_do() {
        let store = tempfile::tempdir().unwrap();
        let made = read_or_make(store.path(), Purpose::Secrets).unwrap();
        let path = store.path().join("keys").join("secrets");
        let before = store.path().join("keys").join("secrets.before.1");
        std::fs::copy(&path, &before).unwrap();
        let mode = |path: &Path, mode| {
            std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        };
        for open in [0o440, 0o404, 0o420, 0o644, 0o777] {
            mode(&path, open);
            let error = read_or_make(store.path(), Purpose::Secrets).unwrap_err().to_string();
            assert!(error.contains(&format!("the mode {open:04o}")), "{error}");
            assert!(error.contains(&format!("chmod 0400 {}", path.display())), "{error}");
            assert!(SecretKeys::of(store.path()).all().is_err(), "{open:o}");
        }
        for closed in [0o400, 0o600] {
            mode(&path, closed);
            assert_eq!(read_or_make(store.path(), Purpose::Secrets).unwrap(), made);
        }
        // An earlier one opens what it has sealed, too.
        mode(&before, 0o644);
        assert!(SecretKeys::of(store.path()).earlier().is_err());
    }
}
