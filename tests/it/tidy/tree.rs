//! The source tree as the other checks read it.

use std::fs;
use std::path::{Path, PathBuf};

use syn::Item;

/// The root of the repository.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository")
}

/// Files below a folder with one of these extensions, but for what tools leave
/// behind.
pub(super) fn files(folder: &str, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&root().join(folder), extensions, &mut found);
    found.sort();
    assert!(!found.is_empty(), "{folder} holds no file with the extensions {extensions:?}");
    found
}

/// As [`files`], the Rust ones, without those that are compiled for tests only.
pub(super) fn product(folder: &str) -> Vec<PathBuf> {
    let mut found = files(folder, &["rs"]);
    found.retain(|path| {
        let name = name(path);
        !name.ends_with("/tests.rs") && !name.contains("/tests/")
    });
    found
}

/// A path as one would name it in the repository.
pub(super) fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// A file's text.
pub(super) fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", name(path)))
}

/// A Rust file, parsed.
pub(super) fn rust(path: &Path) -> syn::File {
    syn::parse_file(&text(path)).unwrap_or_else(|error| panic!("{}: {error}", name(path)))
}

/// Whether an item is compiled for tests only.
pub(super) fn is_test(item: &Item) -> bool {
    let Item::Mod(module) = item else {
        return false;
    };
    module.attrs.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}

/// The segments of a path, joined with `::`.
pub(super) fn joined(path: &syn::Path) -> String {
    let segments: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    segments.join("::")
}

fn walk(path: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
    const LEFT_BEHIND: &[&str] = &["target", "node_modules", "__pycache__"];
    if path.is_dir() {
        let entries = fs::read_dir(path).unwrap_or_else(|error| {
            panic!("cannot read {}: {error}", name(path));
        });
        for entry in entries.flatten() {
            let own = entry.file_name();
            let hidden = own.to_string_lossy().starts_with('.');
            if !hidden && !LEFT_BEHIND.iter().any(|left| own == *left) {
                walk(&entry.path(), extensions, found);
            }
        }
    } else if path.extension().is_some_and(|own| extensions.iter().any(|one| own == *one)) {
        found.push(path.to_owned());
    }
}
