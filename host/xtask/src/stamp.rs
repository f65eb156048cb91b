//! Skipping work whose inputs did not change.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use crate::files;

/// A hash over inputs, kept beside what was made of them.
pub(crate) struct Stamp {
    file: PathBuf,
    hash: String,
}

impl Stamp {
    /// Hashes files and folders (whole, but for what tools leave behind) and
    /// words, to be kept in `file`.
    pub(crate) fn new(file: PathBuf, inputs: &[&Path], words: &[&str]) -> Result<Self> {
        let mut hash = Sha256::new();
        for word in words {
            add(&mut hash, word.as_bytes());
        }
        for input in inputs {
            for path in files::below(input)? {
                let name = path.strip_prefix(input).unwrap_or(&path);
                add(&mut hash, name.to_string_lossy().as_bytes());
                let bytes =
                    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
                add(&mut hash, &bytes);
            }
        }
        let hash = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { file, hash })
    }

    /// The inputs are those of the last [`Stamp::keep`].
    pub(crate) fn is_fresh(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|kept| kept == self.hash)
    }

    /// Notes that the work is done.
    pub(crate) fn keep(&self) -> Result<()> {
        fs::write(&self.file, &self.hash)
            .with_context(|| format!("cannot write {}", self.file.display()))
    }
}

/// The length goes in, too, so that no two different lists of parts are equal.
fn add(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_fresh_until_an_input_or_a_word_changes() {
        let directory = files::scratch("stamp").unwrap();
        let input = directory.path().join("input");
        let kept = directory.path().join("kept");
        fs::write(&input, "one").unwrap();
        let stamp = |word: &str| Stamp::new(kept.clone(), &[&input], &[word]).unwrap();

        assert!(!stamp("a").is_fresh());
        stamp("a").keep().unwrap();
        assert!(stamp("a").is_fresh());
        assert!(!stamp("b").is_fresh());
        fs::write(&input, "two").unwrap();
        assert!(!stamp("a").is_fresh());
    }
}
