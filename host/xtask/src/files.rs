//! Folders, walked and copied without what tools leave behind.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Folders that hold nothing that a person wrote.
const LEFT_BEHIND: &[&str] = &["node_modules", "__pycache__", "target", "build", "dist"];

/// The files below a path in a fixed order; a file is below itself.
pub(crate) fn below(path: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    collect(path, &mut files).with_context(|| format!("cannot read {}", path.display()))?;
    files.sort();
    Ok(files)
}

/// The folders directly below a path, by name.
pub(crate) fn folders(path: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?.path();
        if entry.is_dir() {
            folders.push(entry);
        }
    }
    folders.sort();
    Ok(folders)
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    for file in below(from)? {
        let target = to.join(file.strip_prefix(from)?);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(&file, &target).with_context(|| format!("cannot copy {}", file.display()))?;
    }
    Ok(())
}

/// A new empty folder outside the repository, removed with the value.
pub(crate) fn scratch(purpose: &str) -> Result<tempfile::TempDir> {
    tempfile::Builder::new()
        .prefix(&format!("botyard-{purpose}-"))
        .tempdir()
        .context("cannot make a temporary folder")
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let own = entry.file_name();
        let hidden = own.to_string_lossy().starts_with('.') && entry.path().is_dir();
        if !hidden && !LEFT_BEHIND.iter().any(|name| own == *name) {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}
