//! Compiled components on disk. They are machine code: only what this host
//! wrote itself may ever be loaded.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File, Permissions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

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

/// A compiled component of other engines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artefact {
    /// What it was compiled from.
    pub component: Digest,
    /// The engines, by a short name.
    pub engines: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// How long nobody has loaded it.
    pub unused: Duration,
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
        ours.ok()?;
        // When it was last of use; where this cannot be noted it only looks older.
        let _ = file.set_modified(SystemTime::now());
        Some((label.facts, file))
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

    /// Artefacts of other engines, which this host cannot load, that nobody has
    /// used for so long: those of a version of Botyard before this one, or of one
    /// that is being prepared.
    pub(crate) fn foreign(&self, unused_for: Duration) -> anyhow::Result<Vec<Artefact>> {
        let ours = self.compatibility.short();
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            let entry = entry?;
            let Some((component, engines)) = parse(&entry.file_name()) else { continue };
            let metadata = entry.metadata()?;
            let unused = metadata.modified()?.elapsed().unwrap_or_default();
            if engines != ours && unused >= unused_for {
                found.push(Artefact { component, engines, bytes: metadata.len(), unused });
            }
        }
        found.sort_by(|a, b| (&a.engines, a.component).cmp(&(&b.engines, b.component)));
        Ok(found)
    }

    /// Deletes what [`Artefacts::foreign`] lists, and says what it was.
    pub(crate) fn sweep(&self, unused_for: Duration) -> anyhow::Result<Vec<Artefact>> {
        let found = self.foreign(unused_for)?;
        for artefact in &found {
            let name = format!("{}-{}", artefact.component, artefact.engines);
            let [code, label] = ["cwasm", "json"].map(|kind| format!("{name}.{kind}"));
            // Without its label an artefact is not loaded, so a half is no harm. Who
            // has it open and mapped keeps it.
            for file in [label, code] {
                match std::fs::remove_file(self.directory.join(&file)) {
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        return Err(error).with_context(|| format!("cannot delete {file}"));
                    }
                    Ok(()) | Err(_) => {}
                }
            }
        }
        Ok(found)
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
        let [code, label] = ["cwasm", "json"].map(|kind| format!("{name}.{kind}"));
        (self.directory.join(code), self.directory.join(label))
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

/// What an artefact was compiled from and for, by its name.
fn parse(file: &OsStr) -> Option<(Digest, String)> {
    let (component, engines) = file.to_str()?.strip_suffix(".cwasm")?.split_once('-')?;
    Some((Digest::from_hex(component)?, engines.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tier::Tier;

    const COMPONENT: &[u8] = b"a component";

    fn facts() -> Facts {
        Facts { tier: Tier::Native, manifest: None, component_bytes: 11, imports: Vec::new() }
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
    fn only_old_artefacts_of_other_engines_are_swept() {
        let directory = tempfile::tempdir().unwrap();
        let (old, new) =
            (artefacts(directory.path(), 1, b"old"), artefacts(directory.path(), 1, b"new"));
        let component = Digest::of(COMPONENT);
        for host in [&old, &new] {
            host.put(&component, &facts(), b"machine code").unwrap();
        }
        std::fs::write(directory.path().join("notes.txt"), b"not ours").unwrap();
        let day = Duration::from_secs(86_400);
        assert!(new.sweep(day).unwrap().is_empty(), "it is still of use to somebody");
        let (code, _) = old.paths(&component);
        let long_ago = SystemTime::now() - 2 * day;
        File::options().write(true).open(&code).unwrap().set_modified(long_ago).unwrap();
        let listed = new.foreign(day).unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!((listed[0].component, listed[0].bytes), (component, 12));
        // Who loads it shows that it is of use.
        assert!(old.get(&component).is_some());
        assert!(new.sweep(day).unwrap().is_empty());
        File::options().write(true).open(&code).unwrap().set_modified(long_ago).unwrap();
        assert_eq!(new.sweep(day).unwrap().len(), 1);
        assert!(old.get(&component).is_none());
        assert!(new.get(&component).is_some(), "its own is never swept");
        assert!(directory.path().join("notes.txt").exists());
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
