//! The kernel and the vendors have no clock, no chance and no IO of their own.

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{ItemUse, Path, UseTree};

use super::tree;

/// What a pure crate must not name, by the beginning of its path.
const FORBIDDEN: &[&str] = &[
    "getrandom",
    "rand",
    // Their order is chance.
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::collections::hash_map",
    "std::collections::hash_set",
    "std::env",
    "std::fs",
    "std::io::stderr",
    "std::io::stdin",
    "std::io::stdout",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];
/// What must not be imported whole, since its members would go unseen.
const FORBIDDEN_IMPORTS: &[&str] = &["std", "std::collections", "std::io", "std::time"];
/// Printing is IO, too.
const FORBIDDEN_MACROS: &[&str] =
    &["dbg", "eprint", "eprintln", "print", "println", "thread_local"];

#[test]
fn the_pure_crates_name_no_clock_no_chance_and_no_io() {
    let mut found = Vec::new();
    for folder in ["host/kernel/src", "host/vendors/src"] {
        for file in tree::product(folder) {
            let mut search = Search::default();
            search.visit_file(&tree::rust(&file));
            found.extend(search.found.iter().map(|hit| format!("{}:{hit}", tree::name(&file))));
        }
    }
    assert!(
        found.is_empty(),
        "time, chance and everything that was read are arguments in the pure crates; found\n{}",
        found.join("\n")
    );
}

#[test]
fn the_search_sees_imports_paths_and_macros() {
    let source = "use std::{collections::BTreeMap, time::{Duration, Instant}};
        fn f() { let _ = std::fs::read(\"x\"); println!(); }
        use std::time; use std::collections::{self, HashMap};
        #[cfg(test)] mod tests { use std::thread; }";
    let mut search = Search::default();
    search.visit_file(&syn::parse_str(source).unwrap());
    let found = [
        "1: std::time::Instant",
        "2: std::fs::read",
        "2: println!",
        "3: std::time",
        "3: std::collections",
        "3: std::collections::HashMap",
    ];
    assert_eq!(search.found, found);
}

#[derive(Default)]
struct Search {
    found: Vec<String>,
}

impl Search {
    fn check(&mut self, path: &str, span: proc_macro2::Span) {
        let forbidden = FORBIDDEN.iter().any(|prefix| {
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        });
        if forbidden {
            self.found.push(format!("{}: {path}", span.start().line));
        }
    }

    fn import(&mut self, path: &str, span: proc_macro2::Span) {
        let path = path.strip_suffix("::self").unwrap_or(path);
        if FORBIDDEN_IMPORTS.contains(&path) {
            self.found.push(format!("{}: {path}", span.start().line));
        }
        self.check(path, span);
    }

    fn imports(&mut self, prefix: &str, tree: &UseTree) {
        let join = |name: &dyn std::fmt::Display| {
            if prefix.is_empty() { name.to_string() } else { format!("{prefix}::{name}") }
        };
        match tree {
            UseTree::Path(path) => self.imports(&join(&path.ident), &path.tree),
            UseTree::Name(name) => self.import(&join(&name.ident), name.span()),
            UseTree::Rename(rename) => self.import(&join(&rename.ident), rename.span()),
            UseTree::Glob(glob) => self.import(prefix, glob.span()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.imports(prefix, tree);
                }
            }
        }
    }
}

impl<'ast> Visit<'ast> for Search {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !tree::is_test(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.imports("", &item.tree);
    }

    fn visit_path(&mut self, path: &'ast Path) {
        self.check(&tree::joined(path), path.span());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        let name = tree::joined(&invocation.path);
        if FORBIDDEN_MACROS.contains(&&*name) {
            self.found.push(format!("{}: {name}!", invocation.span().start().line));
        }
        visit::visit_macro(self, invocation);
    }
}
