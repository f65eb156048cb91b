//! Files stay small, and what is left to do has an owner.

use std::collections::{BTreeMap, BTreeSet};

use super::tree;

const LINES_MAX: usize = 500;
/// Files that are longer for a reason: path = "why".
const EXCEPTIONS: &str = include_str!("long-files.toml");
const FOLDERS: &[&str] = &["host", "plugins", "sdk", "tests", "wit"];
const EXTENSIONS: &[&str] = &["rs", "wit", "py", "js", "mjs", "ts", "css", "html"];

#[test]
fn files_stay_small() {
    let exceptions: BTreeMap<String, String> = toml::from_str(EXCEPTIONS).unwrap();
    let mut long = BTreeSet::new();
    for file in FOLDERS.iter().flat_map(|folder| tree::files(folder, EXTENSIONS)) {
        let lines = tree::text(&file).lines().count();
        if lines > LINES_MAX {
            long.insert(tree::name(&file));
        }
    }
    for file in &long {
        assert!(
            exceptions.get(file).is_some_and(|reason| !reason.is_empty()),
            "{file} has more than {LINES_MAX} lines: look for the missing noun and move it to a \
             file of its own, or give the reason in tests/it/tidy/long-files.toml"
        );
    }
    for file in exceptions.keys() {
        assert!(
            long.contains(file),
            "{file} is short or gone: take it out of tests/it/tidy/long-files.toml"
        );
    }
}

#[test]
fn what_is_left_to_do_has_an_owner() {
    for file in FOLDERS.iter().flat_map(|folder| tree::files(folder, EXTENSIONS)) {
        for (number, line) in tree::text(&file).lines().enumerate() {
            assert!(
                !is_orphan(line),
                "{}:{}: write who does it and when: `TO\u{44}O(name): ...`",
                tree::name(&file),
                number + 1
            );
        }
    }
}

#[test]
fn an_orphan_is_a_mark_without_a_name() {
    let mark = concat!("TO", "DO");
    assert!(is_orphan(&format!("// {mark}: later")));
    assert!(is_orphan(&format!("// {mark}(): later")));
    assert!(!is_orphan(&format!("// {mark}(mara): when the format is frozen")));
    assert!(!is_orphan("nothing to do"));
}

fn is_orphan(line: &str) -> bool {
    let Some((_, rest)) = line.split_once(concat!("TO", "DO")) else {
        return false;
    };
    let owner = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    owner.is_none_or(|(name, _)| name.trim().is_empty())
}
