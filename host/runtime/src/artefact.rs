//! Compiled components on disk. They are machine code: only what this host
//! wrote itself may ever be loaded.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use botyard_kernel::id::Digest;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::compile::Facts;

type Tag = Hmac<Sha256>;

/// The directory of compiled components, for one configuration of the engines.
pub(crate) struct Artefacts {
    directory: PathBuf,
    key: [u8; 32],
    compatibility: Digest,
}

/// What lies beside an artefact.
#[derive(Serialize, Deserialize)]
struct Label {
    facts: Facts,
    /// HMAC-SHA-256 over all that decides what the artefact does, in hexadecimal.
    tag: String,
}

impl Artefacts {
    /// Opens the directory, or makes it with mode 0700.
    pub(crate) fn open(
        directory: &Path,
        key: [u8; 32],
        compatibility: Digest,
    ) -> anyhow::Result<Self> {
        let say = || format!("cannot use {} for compiled components", directory.display());
        DirBuilder::new().recursive(true).mode(0o700).create(directory).with_context(say)?;
        std::fs::set_permissions(directory, Permissions::from_mode(0o700)).with_context(say)?;
        Ok(Self { directory: directory.to_owned(), key, compatibility })
    }

    /// The artefact of a component, if there is one that this host wrote for
    /// these engines. The file stays open, so what was checked is what is loaded.
    pub(crate) fn get(&self, component: &Digest) -> Option<(Facts, File)> {
        let (code, label) = self.paths(component);
        let label: Label = serde_json::from_slice(&std::fs::read(label).ok()?).ok()?;
        let mut file = File::open(code).ok()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        let tag = Digest::from_hex(&label.tag)?;
        let ours = self.tag(component, &label.facts, &bytes).ok()?.verify_slice(tag.as_bytes());
        ours.ok().map(|()| (label.facts, file))
    }

    /// Keeps an artefact, readable for this host's user only.
    pub(crate) fn put(
        &self,
        component: &Digest,
        facts: &Facts,
        artefact: &[u8],
    ) -> anyhow::Result<File> {
        let (code, label) = self.paths(component);
        let tag = self.tag(component, facts, artefact)?.finalize().into_bytes();
        let tag = tag.iter().map(|byte| format!("{byte:02x}")).collect();
        let json = serde_json::to_vec(&Label { facts: facts.clone(), tag })?;
        self.write(&code, artefact)?;
        self.write(&label, &json)?;
        Ok(File::open(code)?)
    }

    /// Writes aside and renames: nobody ever sees half a file, and a file that
    /// is mapped is never changed.
    fn write(&self, path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    }

    fn paths(&self, component: &Digest) -> (PathBuf, PathBuf) {
        let name = format!("{component}-{}", self.compatibility.short());
        (self.directory.join(format!("{name}.cwasm")), self.directory.join(format!("{name}.json")))
    }

    fn tag(&self, component: &Digest, facts: &Facts, artefact: &[u8]) -> anyhow::Result<Tag> {
        let mut tag = Tag::new_from_slice(&self.key)?;
        let facts = serde_json::to_vec(facts)?;
        let compatibility = self.compatibility.as_bytes();
        for part in [
            b"botyard artefact 1",
            component.as_bytes().as_slice(),
            compatibility,
            &facts,
            artefact,
        ] {
            tag.update(&(part.len() as u64).to_be_bytes());
            tag.update(part);
        }
        Ok(tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tier::Tier;

    const COMPONENT: &[u8] = b"a component";

    fn facts() -> Facts {
        Facts { tier: Tier::Native, manifest: None, component_bytes: 11 }
    }

    fn artefacts(directory: &Path, key: u8, engines: &[u8]) -> Artefacts {
        Artefacts::open(directory, [key; 32], Digest::of(engines)).unwrap()
    }

    #[test]
    fn only_what_this_host_wrote_for_these_engines_is_loaded() {
        let directory = tempfile::tempdir().unwrap();
        let ours = artefacts(directory.path(), 1, b"engines");
        let component = Digest::of(COMPONENT);
        assert!(ours.get(&component).is_none());
        ours.put(&component, &facts(), b"machine code").unwrap();
        assert_eq!(ours.get(&component).unwrap().0, facts());
        assert!(ours.get(&Digest::of(b"another")).is_none());
        assert!(artefacts(directory.path(), 2, b"engines").get(&component).is_none());
        assert!(artefacts(directory.path(), 1, b"newer engines").get(&component).is_none());
    }

    #[test]
    fn a_changed_file_is_not_loaded() {
        let directory = tempfile::tempdir().unwrap();
        let ours = artefacts(directory.path(), 1, b"engines");
        let component = Digest::of(COMPONENT);
        ours.put(&component, &facts(), b"machine code").unwrap();
        let (code, label) = ours.paths(&component);
        std::fs::write(&code, b"other code").unwrap();
        assert!(ours.get(&component).is_none());
        ours.put(&component, &facts(), b"machine code").unwrap();
        let text = std::fs::read_to_string(&label).unwrap();
        std::fs::write(&label, text.replace("native", "interpreted")).unwrap();
        assert!(ours.get(&component).is_none());
    }

    #[test]
    fn nobody_else_can_read_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("artefacts");
        std::fs::create_dir(&path).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        artefacts(&path, 1, b"engines");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
