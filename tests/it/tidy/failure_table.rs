//! The failure table of the architecture names tests and points that exist.

use std::collections::BTreeSet;

use super::tree;

const PAGE: &str = "host/ARCHITECTURE.md";
const HEADING: &str = "## What dies where";

#[test]
fn every_row_of_the_failure_table_names_what_shows_it() {
    let known = known();
    let page = tree::text(&tree::root().join(PAGE));
    let (_, section) = page.split_once(HEADING).expect("the page has a failure table");
    let rows = section.lines().skip_while(|line| !line.starts_with("|---"));
    let rows: Vec<_> = rows.skip(1).take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 20, "the table is not read whole: {} rows", rows.len());
    for row in rows {
        let shown_by = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let names: Vec<_> = shown_by.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "nothing shows this row: {row}");
        for name in names {
            assert!(known.contains(name), "`{name}` is neither a test nor a point: {row}");
        }
    }
}

/// Functions under a test attribute, and points of the crash test.
fn known() -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for file in tree::files("", &["rs"]) {
        let text = tree::text(&file);
        let mut lines = text.lines().map(str::trim);
        while let Some(line) = lines.next() {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                let name = lines.by_ref().find_map(function);
                known.extend(name.map(str::to_owned));
            }
        }
    }
    let points = tree::text(&tree::root().join("host/failpoints/src/lib.rs"));
    let named = points.lines().filter_map(|line| line.split_once(" = \"")?.1.split_once('"'));
    known.extend(named.map(|(name, _)| name.to_owned()));
    known
}

fn function(line: &str) -> Option<&str> {
    let name = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "))?;
    name.split_once('(').map(|(name, _)| name)
}
