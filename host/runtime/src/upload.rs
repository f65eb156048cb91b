//! The bytes of a component that is to be loaded, wherever they are.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use botyard_kernel::id::Digest;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::task::spawn_blocking;

/// So much of a file is in memory at a time, in bytes.
const CHUNK_BYTES: usize = 256 << 10;

/// The bytes of a component that is to be loaded: in memory, or in a file, so
/// that whoever waits for the compiler holds none. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Upload {
    digest: Digest,
    bytes: usize,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Memory(Arc<[u8]>),
    File(Arc<File>),
}

impl Upload {
    /// The SHA-256 of the bytes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// How many bytes there are.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// All the bytes.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn read(&self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.bytes);
        self.copy_to(&mut bytes).await?;
        Ok(bytes)
    }

    /// Writes the bytes somewhere.
    pub(crate) async fn copy_to(&self, to: &mut (impl AsyncWrite + Unpin)) -> std::io::Result<()> {
        let file = match &self.place {
            Place::Memory(bytes) => return to.write_all(bytes).await,
            Place::File(file) => file,
        };
        let mut at = 0;
        while at < self.bytes {
            let (file, length) = (Arc::clone(file), CHUNK_BYTES.min(self.bytes - at));
            let read = move || {
                let mut chunk = vec![0; length];
                file.read_exact_at(&mut chunk, at as u64).map(|()| chunk)
            };
            to.write_all(&spawn_blocking(read).await??).await?;
            at += length;
        }
        Ok(())
    }
}

/// A component that comes in piece by piece. It goes into a file without a name,
/// which is gone with the last that knows it, also where the host dies.
#[derive(Debug)]
pub struct Incoming {
    file: File,
    hash: Sha256,
    bytes: usize,
}

impl Incoming {
    /// Nothing has come yet. The directory must be there.
    ///
    /// # Errors
    ///
    /// When no file can be made there.
    pub async fn begin(directory: &Path) -> std::io::Result<Self> {
        let directory = directory.to_owned();
        let file = spawn_blocking(move || tempfile::tempfile_in(directory)).await??;
        Ok(Self { file, hash: Sha256::new(), bytes: 0 })
    }

    /// How many bytes have come.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// A piece has come.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub async fn push(mut self, piece: Bytes) -> std::io::Result<Self> {
        let write = move || {
            self.file.write_all(&piece)?;
            self.hash.update(&piece);
            self.bytes += piece.len();
            Ok(self)
        };
        spawn_blocking(write).await?
    }

    /// All has come.
    pub fn finish(self) -> Upload {
        let digest = Digest::from(<[u8; 32]>::from(self.hash.finalize()));
        Upload { digest, bytes: self.bytes, place: Place::File(Arc::new(self.file)) }
    }
}

impl From<&[u8]> for Upload {
    fn from(bytes: &[u8]) -> Self {
        let place = Place::Memory(bytes.into());
        Self { digest: Digest::of(bytes), bytes: bytes.len(), place }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_gives_what_came_however_often_it_is_read() {
        let bytes: Vec<u8> = (0..CHUNK_BYTES * 2 + 7).map(|index| (index % 251) as u8).collect();
        let directory = tempfile::tempdir().unwrap();
        let mut incoming = Incoming::begin(directory.path()).await.unwrap();
        for piece in bytes.chunks(100_000) {
            incoming = incoming.push(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        let upload = incoming.finish();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "it has no name");
        for _ in 0..2 {
            assert_eq!(upload.read().await.unwrap(), bytes);
        }
        let in_memory = Upload::from(bytes.as_slice());
        assert_eq!((in_memory.digest(), in_memory.bytes()), (upload.digest(), upload.bytes()));
        assert_eq!(in_memory.read().await.unwrap(), bytes);
    }

    #[tokio::test]
    async fn a_file_that_became_shorter_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let incoming = Incoming::begin(directory.path()).await.unwrap();
        let upload = incoming.push(Bytes::from_static(b"bytes")).await.unwrap().finish();
        let Place::File(file) = &upload.place else { panic!("it is in a file") };
        file.set_len(2).unwrap();
        assert!(upload.read().await.is_err());
    }
}
