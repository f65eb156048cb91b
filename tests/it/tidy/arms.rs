//! A match over events or actions names every case, so that the compiler lists
//! the places that a new one touches.

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{ExprMatch, ItemImpl, Pat, Type};

use super::tree;

const CLOSED: &[&str] = &["Action", "EventBody"];
/// A comment that begins so, on the line of the arm or above it, lets it pass.
const EXCUSE: &str = "// Wildcard: ";

#[test]
fn matches_over_events_and_actions_name_every_case() {
    let mut found = Vec::new();
    for file in tree::product("host") {
        let source = tree::text(&file);
        for line in wildcards(&source) {
            found.push(format!("{}:{line}", tree::name(&file)));
        }
    }
    assert!(
        found.is_empty(),
        "name the cases instead of a wildcard, or say why above the arm (`{EXCUSE}...`):\n{}",
        found.join("\n")
    );
}

#[test]
fn the_search_finds_wildcards_and_only_those() {
    let found = |body: &str| wildcards(&format!("fn f() {{\n{body}\n}}"));
    assert_eq!(found("match a {\nAction::End => 1,\n_ => 2,\n}"), [4]);
    assert_eq!(found("match a {\nkernel::EventBody::Start(_) => 1,\nother => 2,\n}"), [4]);
    assert_eq!(found("match a {\nSome(Action::End) => 1,\nSome(_) | None => 2,\n}"), [4]);
    assert_eq!(found("match a {\nAction::End => 1,\n// Wildcard: tried.\n_ => 2,\n}"), [0; 0]);
    assert_eq!(found("match a {\nAction::End => 1,\nAction::Abort => 2,\n}"), [0; 0]);
    assert_eq!(found("match a {\nAction::End => 1,\n_ if b => 2,\nAction::Abort => 3,\n}"), [0; 0]);
    assert_eq!(found("match a {\nSome(1) => 1,\n_ => 2,\n}"), [0; 0]);
    let own = "impl Action { fn f(&self) { match self {\nSelf::End => 1,\n_ => 2 } } }";
    assert_eq!(wildcards(own), [3]);
}

/// The lines of wildcard arms that hide cases of a closed type.
fn wildcards(source: &str) -> Vec<usize> {
    let file = syn::parse_file(source).expect("the source is Rust");
    let mut search = Search::default();
    search.visit_file(&file);
    let lines: Vec<_> = source.lines().collect();
    let excused = |line: usize| {
        let above = if line >= 2 { lines[line - 2].trim_start() } else { "" };
        lines[line - 1].contains(EXCUSE) || above.starts_with(EXCUSE)
    };
    search.found.retain(|line| !excused(*line));
    search.found
}

#[derive(Default)]
struct Search {
    /// The `impl` that is being read is one of a closed type.
    own: bool,
    found: Vec<usize>,
}

impl<'ast> Visit<'ast> for Search {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !tree::is_test(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let outer = self.own;
        self.own = matches!(&*item.self_ty, Type::Path(path)
            if path.path.segments.last().is_some_and(|last| CLOSED.iter().any(|name| last.ident == name)));
        visit::visit_item_impl(self, item);
        self.own = outer;
    }

    fn visit_expr_match(&mut self, expression: &'ast ExprMatch) {
        let names_case = expression.arms.iter().any(|arm| {
            let mut cases = Cases { own: self.own, found: false };
            cases.visit_pat(&arm.pat);
            cases.found
        });
        if names_case {
            for arm in &expression.arms {
                if arm.guard.is_none() && is_open(&arm.pat) {
                    self.found.push(arm.pat.span().start().line);
                }
            }
        }
        visit::visit_expr_match(self, expression);
    }
}

/// Looks for a pattern that names a case of a closed type.
struct Cases {
    own: bool,
    found: bool,
}

impl<'ast> Visit<'ast> for Cases {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut segments = path.segments.iter().rev();
        if let (Some(_), Some(parent)) = (segments.next(), segments.next()) {
            self.found |= CLOSED.iter().any(|name| parent.ident == name)
                || (self.own && parent.ident == "Self");
        }
        visit::visit_path(self, path);
    }
}

/// Whether a pattern takes whatever is left: `_`, a bare name, or one of them
/// inside `Some`, `Ok`, a reference, a tuple or an alternative.
fn is_open(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) => true,
        Pat::Ident(name) => match &name.subpat {
            Some((_, inner)) => is_open(inner),
            None => name.ident.to_string().starts_with(char::is_lowercase),
        },
        Pat::Or(or) => or.cases.iter().any(is_open),
        Pat::Paren(inner) => is_open(&inner.pat),
        Pat::Reference(inner) => is_open(&inner.pat),
        Pat::Tuple(tuple) => tuple.elems.iter().all(is_open),
        Pat::TupleStruct(wrapped) => {
            let wrapper = wrapped.path.segments.last().map(|last| last.ident.to_string());
            matches!(wrapper.as_deref(), Some("Some" | "Ok")) && wrapped.elems.iter().all(is_open)
        }
        _ => false,
    }
}
