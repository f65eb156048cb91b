//! Large bytes, named by their hash.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use botyard_kernel::id::Digest;

use crate::{StoreError, limits};

/// Large bytes, named by their hash: components, long bodies.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Keeps bytes and answers their name. The same bytes are kept once.
    async fn put(&self, bytes: Vec<u8>) -> Result<Digest, StoreError>;

    /// The bytes of a name; absent where there are none. Fails with
    /// [`StoreError::Corrupt`] where they are no longer what they were.
    async fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError>;

    /// Whether there are bytes of this name, without reading them.
    async fn has(&self, digest: &Digest) -> Result<bool, StoreError>;

    /// Takes away all blobs but these and those that were put, for the first time or
    /// again, not longer ago than this: whoever puts one has so long to write down that
    /// it is needed. Answers how many.
    async fn sweep(
        &self,
        keep: BTreeSet<Digest>,
        unused_for: Duration,
    ) -> Result<usize, StoreError>;
}

/// Blobs as files of a directory: `ab/cdef…`, by the digits of the hash.
#[derive(Clone, Debug)]
pub struct BlobDirectory {
    root: PathBuf,
    /// Nothing is taken away while somebody reads this.
    kept: Arc<RwLock<()>>,
}

impl BlobDirectory {
    /// Uses a directory, which is made when the first blob comes.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), kept: Arc::default() }
    }

    /// Nothing is taken away until this is dropped.
    pub(crate) fn keep_all(&self) -> RwLockReadGuard<'_, ()> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let digits = digest.to_string();
        self.root.join(&digits[..2]).join(&digits[2..])
    }
}

#[async_trait]
impl Blobs for BlobDirectory {
    async fn put(&self, bytes: Vec<u8>) -> Result<Digest, StoreError> {
        limits::blob(&bytes)?;
        let blobs = self.clone();
        blocking(move || {
            let digest = Digest::of(&bytes);
            let path = blobs.path(&digest);
            // Between the look at a file and the sign that it is needed.
            let kept = blobs.keep_all();
            // A damaged file is replaced by putting the right bytes again.
            if fs::read(&path).is_ok_and(|old| old == bytes) {
                renew(&path).map_err(io_error)?;
            } else {
                write(&blobs.root, &path, &bytes).map_err(io_error)?;
            }
            drop(kept);
            // Also where the bytes were there: somebody else may be putting them just
            // now, and not have come as far as this.
            keep_names(&blobs.root, &path).map_err(io_error)?;
            Ok(digest)
        })
        .await
    }

    async fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let (path, digest) = (self.path(digest), *digest);
        blocking(move || match fs::read(&path) {
            Ok(bytes) if Digest::of(&bytes) == digest => Ok(Some(bytes)),
            Ok(_) => Err(StoreError::Corrupt(format!("blob {digest} has other bytes"))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error(error)),
        })
        .await
    }

    async fn has(&self, digest: &Digest) -> Result<bool, StoreError> {
        let path = self.path(digest);
        blocking(move || path.try_exists().map_err(io_error)).await
    }

    async fn sweep(
        &self,
        keep: BTreeSet<Digest>,
        unused_for: Duration,
    ) -> Result<usize, StoreError> {
        let blobs = self.clone();
        blocking(move || {
            let mut swept = 0;
            for shelf in entries(&blobs.root).map_err(io_error)? {
                for path in entries(&shelf).map_err(io_error)? {
                    let Some(digest) = digest_of(&path) else { continue };
                    if !keep.contains(&digest) && blobs.take(&path, unused_for).map_err(io_error)? {
                        swept += 1;
                    }
                }
            }
            Ok(swept)
        })
        .await
    }
}

impl BlobDirectory {
    /// Takes a file away that nobody has put of late. Answers whether it did.
    fn take(&self, path: &Path, unused_for: Duration) -> std::io::Result<bool> {
        // Whoever puts one, or copies them all, is not waited for: the next sweep comes.
        let Ok(_nobody) = self.kept.try_write() else { return Ok(false) };
        let put = match fs::metadata(path).and_then(|file| file.modified()) {
            Ok(put) => put,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        // What was put in the future by a clock that went wrong stays.
        let old = put.elapsed().is_ok_and(|age| age >= unused_for);
        if old {
            fs::remove_file(path)?;
        }
        Ok(old)
    }
}

/// What lies in a directory; nothing where there is none.
fn entries(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    match fs::read_dir(directory) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// The name of a blob by its path.
fn digest_of(path: &Path) -> Option<Digest> {
    let shelf = path.parent()?.file_name()?.to_str()?;
    Digest::from_hex(&format!("{shelf}{}", path.file_name()?.to_str()?))
}

/// Marks a file as put just now.
fn renew(path: &Path) -> std::io::Result<()> {
    File::options().append(true).open(path)?.set_modified(SystemTime::now())
}

/// Writes a file so that its name appears only with all of its bytes, which by
/// then survive a loss of power.
fn write(root: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let shelf = path.parent().expect("a blob lies on a shelf of the root");
    fs::create_dir_all(shelf)?;
    let mut file = tempfile::NamedTempFile::new_in(root)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Lets the name of a blob, and that of its shelf, survive a loss of power.
fn keep_names(root: &Path, path: &Path) -> std::io::Result<()> {
    flush(path.parent().expect("a blob lies on a shelf of the root"))?;
    flush(root)
}

fn flush(directory: &Path) -> std::io::Result<()> {
    #[cfg(test)]
    tests::FLUSHED.lock().unwrap().push(directory.to_owned());
    File::open(directory)?.sync_all()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(StoreError::Unavailable("the host is stopping".to_owned())),
    }
}

fn io_error(error: std::io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Unavailable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    pub(super) static FLUSHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

    /// Whoever is told that bytes are kept relies on it, also if another one has
    /// written them and not yet flushed their name.
    #[tokio::test]
    async fn bytes_that_are_there_are_flushed_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = BlobDirectory::new(directory.path());
        let digest = blobs.put(b"component".to_vec()).await.unwrap();
        let flushed = || {
            let (path, all) = (blobs.path(&digest), FLUSHED.lock().unwrap());
            let times = |wanted: &Path| all.iter().filter(|path| *path == wanted).count();
            (times(path.parent().unwrap()), times(&blobs.root))
        };
        assert_eq!(flushed(), (1, 1));
        blobs.put(b"component".to_vec()).await.unwrap();
        assert_eq!(flushed(), (2, 2));
    }

    #[tokio::test]
    async fn damage_is_found_and_repaired_by_putting_again() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = BlobDirectory::new(directory.path().join("blobs"));
        let digest = blobs.put(b"component".to_vec()).await.unwrap();
        fs::write(blobs.path(&digest), b"other").unwrap();

        let error = blobs.get(&digest).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{error}");

        blobs.put(b"component".to_vec()).await.unwrap();
        assert_eq!(blobs.get(&digest).await.unwrap().unwrap(), b"component");
    }

    #[tokio::test]
    async fn nothing_but_whole_blobs_stays_behind() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = BlobDirectory::new(directory.path());
        let digest = blobs.put(vec![7; 100_000]).await.unwrap();
        let names: Vec<_> = fs::read_dir(directory.path()).unwrap().flatten().collect();
        assert_eq!(names.len(), 1);
        assert_eq!(names[0].file_name().to_str().unwrap(), &digest.to_string()[..2]);
    }
}
