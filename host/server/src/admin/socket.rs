//! A socket file that is there for one user only, from its first moment on.

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tokio::net::UnixListener;

/// A socket file of this host.
#[derive(Debug)]
pub(super) struct Socket {
    path: PathBuf,
    /// Tells the file from one that another host has put in its place.
    inode: u64,
}

impl Socket {
    /// Makes the file. One that a host has left behind is replaced, one on which
    /// a host answers is not.
    pub(super) fn make(path: &Path) -> anyhow::Result<(Self, UnixListener)> {
        if fs::metadata(path).is_ok_and(|file| !file.file_type().is_socket()) {
            bail!("something else than a socket lies there: move it, or set `admin.socket`");
        }
        match UnixStream::connect(path) {
            Ok(_) => bail!("another host takes commands there: stop it, or set `admin.socket`"),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            // Nobody listens: what lies there was left behind.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
            Err(error) => return Err(error).context("what lies there cannot be used"),
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        // In a directory of its own nobody can open it before it is ours alone.
        let place = tempfile::Builder::new()
            .prefix(".a")
            .rand_bytes(4)
            .tempdir_in(parent.unwrap_or_else(|| Path::new(".")))?;
        let made = place.path().join("s");
        let listener = UnixListener::bind(&made)?;
        fs::set_permissions(&made, Permissions::from_mode(0o600))?;
        fs::rename(&made, path)?;
        let inode = fs::metadata(path)?.ino();
        Ok((Self { path: path.to_owned(), inode }, listener))
    }

    /// Takes the file away, unless it is another's by now.
    pub(super) fn remove(self) {
        let ours = fs::metadata(&self.path).is_ok_and(|file| file.ino() == self.inode);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            let path = self.path.display();
            tracing::warn!(%path, %error, "the socket for commands stays behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_file_is_for_one_user_and_goes_with_its_host() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.sock");
        let (socket, listener) = Socket::make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left");
        let second = Socket::make(&path).unwrap_err();
        assert!(second.to_string().contains("another host"), "{second}");
        socket.remove();
        assert!(!path.exists());
        drop(listener);
    }

    #[tokio::test]
    async fn a_file_that_was_left_behind_is_replaced_and_a_later_one_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.sock");
        let (first, listener) = Socket::make(&path).unwrap();
        drop(listener);
        let (second, _listener) = Socket::make(&path).unwrap();
        first.remove();
        assert!(path.exists(), "it is the second one's");
        second.remove();
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_is_no_socket_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notes");
        fs::write(&path, "mine").unwrap();
        assert!(Socket::make(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }
}
