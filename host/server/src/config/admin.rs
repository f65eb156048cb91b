//! Where operators' commands come in.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::error::Wrong;
use super::section::Section;
use super::store::{self, Store};

/// The system's own bound of 107 bytes, less what the socket's name has more of
/// while it is being made.
const PATH_BYTES_MAX: usize = 95;

/// Where operators' commands come in.
#[derive(Clone, Debug)]
pub struct Admin {
    /// A local socket that only the host's own user can open.
    pub socket: PathBuf,
}

impl Admin {
    pub(super) fn read(mut section: Section<'_>, store: &Store) -> Result<Self, Wrong> {
        let socket = section.optional("socket").map(|entry| {
            entry.parsed("the path of a socket", |text| {
                store::path(text).and_then(|path| fitting(&path).map(|()| path))
            })
        });
        let socket = match socket.transpose()? {
            Some(socket) => socket,
            None => {
                let socket = store.directory.join("admin.sock");
                fitting(&socket).map_err(|why| Wrong {
                    path: vec!["admin".to_owned(), "socket".to_owned()],
                    problem: format!("must be set: in the store's directory {why}"),
                })?;
                socket
            }
        };
        section.finish()?;
        Ok(Self { socket })
    }
}

fn fitting(path: &Path) -> Result<(), String> {
    let length = path.as_os_str().as_bytes().len();
    if length <= PATH_BYTES_MAX {
        return Ok(());
    }
    Err(format!("it has {length} bytes, and the path of a socket at most {PATH_BYTES_MAX}"))
}
