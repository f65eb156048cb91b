//! Compiled components on disk. They are machine code: only what this host
//! wrote itself may ever be loaded.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{DirBuilder, File, Permissions};
use std::io::{ErrorKind, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use botyard_kernel::id::Digest;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tempfile::NamedTempFile;

use crate::compile::Facts;

type Tag = Hmac<Sha256>;

/// So much of an artefact is in memory at a time, in bytes.
const PIECE_BYTES: usize = 256 << 10;
/// How the names of files begin that are being written.
const UNFINISHED: &str = ".tmp";
/// An upgrade that was prepared for comes within this time; after it, what other
/// engines have compiled is taken for that of an earlier version.
const PREPARED_FOR: Duration = Duration::from_secs(30 * 86_400);

/// The directory of compiled components, for one configuration of the engines.
pub(crate) struct Artefacts {
    directory: PathBuf,
    key: [u8; 32],
    compatibility: Digest,
}

/// A compiled component on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artefact {
    /// What it was compiled from.
    pub component: Digest,
    /// The engines that it was compiled for, by a short name.
    pub engines: String,
    /// These are the engines of this very program.
    pub ours: bool,
    /// Its size in bytes, with what lies beside it.
    pub bytes: u64,
    /// How long nobody has loaded it.
    pub unused: Duration,
}

/// What a sweep took away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Compiled components.
    pub artefacts: Vec<Artefact>,
    /// Files that a host had begun to write when it died.
    pub unfinished: usize,
}

/// A compiled component that has no name yet: nobody finds it, and when this is
/// dropped it is gone.
pub(crate) struct Staged {
    file: NamedTempFile,
    component: Digest,
    label: Label,
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
        let (code, label) = self.paths(component, &self.compatibility.short());
        let label: Label = serde_json::from_slice(&std::fs::read(label).ok()?).ok()?;
        let mut file = File::open(code).ok()?;
        let length = file.metadata().ok()?.len();
        let tag = Digest::from_hex(&label.tag)?;
        let ours = self.tag(component, &label.facts, length, &mut file).ok()?;
        ours.verify_slice(tag.as_bytes()).ok()?;
        // When it was last of use; where this cannot be noted it only looks older.
        let _ = file.set_modified(SystemTime::now());
        Some((label.facts, file))
    }

    /// Writes an artefact down, readable for this host's user only, but does not keep
    /// it yet: it may turn out that no instance can be made of it.
    pub(crate) fn stage(
        &self,
        component: &Digest,
        facts: Facts,
        artefact: &[u8],
    ) -> anyhow::Result<Staged> {
        let (length, mut code) = (artefact.len() as u64, artefact);
        let tag = self.tag(component, &facts, length, &mut code)?.finalize().into_bytes();
        let tag = tag.iter().map(|byte| format!("{byte:02x}")).collect();
        let file = self.aside(artefact)?;
        Ok(Staged { file, component: *component, label: Label { facts, tag } })
    }

    /// Keeps an artefact. Nobody ever sees half a file, and a file that is mapped is
    /// never changed.
    pub(crate) fn keep(&self, staged: Staged) -> anyhow::Result<()> {
        let Staged { file, component, label } = staged;
        let (code, beside) = self.paths(&component, &self.compatibility.short());
        let label = self.aside(&serde_json::to_vec(&label)?)?;
        file.persist(code)?;
        label.persist(beside)?;
        Ok(())
    }

    /// All artefacts: those of this host, and those of a version of Botyard before it
    /// or of one that is being prepared.
    pub(crate) fn list(&self) -> anyhow::Result<Vec<Artefact>> {
        let ours = self.compatibility.short();
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            let entry = entry?;
            let Some((component, engines)) = parse(&entry.file_name()) else { continue };
            // Whoever else keeps or sweeps may be quicker.
            let Some((code_bytes, unused)) = size_and_age(&entry.path())? else { continue };
            let (_, label) = self.paths(&component, &engines);
            let label_bytes = size_and_age(&label)?.map_or(0, |(bytes, _)| bytes);
            let (ours, bytes) = (engines == ours, code_bytes + label_bytes);
            found.push(Artefact { component, engines, ours, bytes, unused });
        }
        found.sort_by(|a, b| (&a.engines, a.component).cmp(&(&b.engines, b.component)));
        Ok(found)
    }

    /// Deletes what nobody has used for so long and is of no more use: artefacts of
    /// components that are not to be kept, those of other engines also of components
    /// that are, once an upgrade must have come, and what a host had begun to write.
    pub(crate) fn sweep(
        &self,
        keep: &BTreeSet<Digest>,
        unused_for: Duration,
    ) -> anyhow::Result<Swept> {
        let needless = |artefact: &Artefact| {
            let prepared = artefact.ours || artefact.unused < PREPARED_FOR;
            artefact.unused >= unused_for && !(keep.contains(&artefact.component) && prepared)
        };
        let artefacts: Vec<_> = self.list()?.into_iter().filter(needless).collect();
        for Artefact { component, engines, .. } in &artefacts {
            let (code, label) = self.paths(component, engines);
            // Without its label an artefact is not loaded, so a half is no harm. Who
            // has it open and mapped keeps it.
            delete(&label)?;
            delete(&code)?;
        }
        let mut unfinished = 0;
        for entry in std::fs::read_dir(&self.directory)? {
            let path = entry?.path();
            let age = size_and_age(&path)?.filter(|_| is_unfinished(&path));
            if age.is_some_and(|(_, age)| age >= unused_for) {
                delete(&path)?;
                unfinished += 1;
            }
        }
        Ok(Swept { artefacts, unfinished })
    }

    /// Bytes in a file that has no name to be found by.
    fn aside(&self, bytes: &[u8]) -> anyhow::Result<NamedTempFile> {
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.directory)?;
        file.write_all(bytes)?;
        Ok(file)
    }

    fn paths(&self, component: &Digest, engines: &str) -> (PathBuf, PathBuf) {
        let [code, label] = ["cwasm", "json"].map(|kind| format!("{component}-{engines}.{kind}"));
        (self.directory.join(code), self.directory.join(label))
    }

    /// The artefact is read in pieces: it may have hundreds of megabytes.
    fn tag(
        &self,
        component: &Digest,
        facts: &Facts,
        length: u64,
        artefact: &mut impl Read,
    ) -> anyhow::Result<Tag> {
        let mut tag = Tag::new_from_slice(&self.key)?;
        let facts = serde_json::to_vec(facts)?;
        let compatibility = self.compatibility.as_bytes();
        for part in [b"botyard artefact 1", component.as_bytes().as_slice(), compatibility, &facts]
        {
            tag.update(&(part.len() as u64).to_be_bytes());
            tag.update(part);
        }
        tag.update(&length.to_be_bytes());
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let count = artefact.read(&mut piece)?;
            if count == 0 {
                return Ok(tag);
            }
            tag.update(&piece[..count]);
        }
    }
}

impl Staged {
    /// The artefact, open: it stays the same file when it is kept.
    pub(crate) fn open(&self) -> anyhow::Result<File> {
        Ok(self.file.reopen()?)
    }
}

/// How large a file is and how long nobody has used it; nothing where it is gone.
fn size_and_age(path: &Path) -> anyhow::Result<Option<(u64, Duration)>> {
    match std::fs::metadata(path) {
        Ok(found) => Ok(Some((found.len(), found.modified()?.elapsed().unwrap_or_default()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot look at {}", path.display())),
    }
}

fn delete(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot delete {}", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Whether it is a file that somebody had begun to write.
fn is_unfinished(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED))
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
    const DAY: Duration = Duration::from_secs(86_400);

    fn facts() -> Facts {
        Facts {
            tier: Tier::Native,
            manifest: None,
            component_bytes: 11,
            imports: Vec::new(),
            linked_bytes: 65_536,
        }
    }

    fn artefacts(directory: &Path, key: u8, engines: &[u8]) -> Artefacts {
        Artefacts::open(directory, [key; 32], Digest::of(engines)).unwrap()
    }

    fn put(host: &Artefacts) -> Digest {
        let component = Digest::of(COMPONENT);
        host.keep(host.stage(&component, facts(), b"machine code").unwrap()).unwrap();
        component
    }

    fn ours(host: &Artefacts) -> (PathBuf, PathBuf) {
        host.paths(&Digest::of(COMPONENT), &host.compatibility.short())
    }

    fn age(path: &Path, unused: Duration) {
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - unused).unwrap();
    }

    #[test]
    fn only_what_this_host_wrote_for_these_engines_is_loaded() {
        let directory = tempfile::tempdir().unwrap();
        let ours = artefacts(directory.path(), 1, b"engines");
        assert!(ours.get(&Digest::of(COMPONENT)).is_none());
        let component = put(&ours);
        assert_eq!(ours.get(&component).unwrap().0, facts());
        assert!(ours.get(&Digest::of(b"another")).is_none());
        assert!(artefacts(directory.path(), 2, b"engines").get(&component).is_none());
        assert!(artefacts(directory.path(), 1, b"newer engines").get(&component).is_none());
    }

    #[test]
    fn a_changed_file_is_not_loaded() {
        let directory = tempfile::tempdir().unwrap();
        let host = artefacts(directory.path(), 1, b"engines");
        let component = put(&host);
        let (code, label) = ours(&host);
        std::fs::write(&code, b"other code").unwrap();
        assert!(host.get(&component).is_none());
        put(&host);
        let text = std::fs::read_to_string(&label).unwrap();
        std::fs::write(&label, text.replace("native", "interpreted")).unwrap();
        assert!(host.get(&component).is_none());
    }

    #[test]
    fn what_is_not_kept_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let host = artefacts(directory.path(), 1, b"engines");
        let component = Digest::of(COMPONENT);
        let staged = host.stage(&component, facts(), b"machine code").unwrap();
        let mut code = Vec::new();
        staged.open().unwrap().read_to_end(&mut code).unwrap();
        assert_eq!(code, b"machine code");
        assert!(host.get(&component).is_none());
        drop(staged);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn only_what_is_old_and_of_no_more_use_is_swept() {
        let directory = tempfile::tempdir().unwrap();
        let (old, new) =
            (artefacts(directory.path(), 1, b"old"), artefacts(directory.path(), 1, b"new"));
        let component = put(&old);
        put(&new);
        let unfinished = directory.path().join(".tmp0Az");
        for name in [unfinished.as_path(), &directory.path().join("notes.txt")] {
            std::fs::write(name, b"half").unwrap();
            age(name, 90 * DAY);
        }
        let listed = new.list().unwrap();
        let (code, label) = ours(&new);
        let bytes = [&code, &label].map(|path| std::fs::metadata(path).unwrap().len());
        let own = listed.iter().find(|artefact| artefact.ours).unwrap();
        assert_eq!((listed.len(), own.bytes), (2, bytes.iter().sum()));

        // What is young may be of an upload that is not recorded yet.
        let (none, all) = (BTreeSet::new(), BTreeSet::from([component]));
        let swept = new.sweep(&none, DAY).unwrap();
        assert_eq!((swept.artefacts.len(), swept.unfinished), (0, 1));
        assert!(!unfinished.exists() && directory.path().join("notes.txt").exists());

        // What was prepared for an upgrade waits for it, and not for ever.
        age(&ours(&old).0, 20 * DAY);
        age(&code, 40 * DAY);
        assert_eq!(new.sweep(&all, DAY).unwrap(), Swept::default());
        age(&ours(&old).0, 40 * DAY);
        let swept = new.sweep(&all, DAY).unwrap().artefacts;
        assert_eq!((swept.len(), swept[0].ours), (1, false));
        assert!(old.get(&component).is_none());

        // Who loads it shows that it is of use.
        assert!(new.get(&component).is_some());
        assert_eq!(new.sweep(&none, DAY).unwrap(), Swept::default());
        age(&code, 2 * DAY);
        assert_eq!(new.sweep(&none, DAY).unwrap().artefacts.len(), 1);
        assert!(new.get(&component).is_none() && !label.exists());
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
