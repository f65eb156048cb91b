//! Requests see one tenant's data: the view over all tenants is named in few
//! places.

use syn::visit::{self, Visit};
use syn::{Expr, ExprMethodCall, Member};

use super::tree;

/// Where `store.host()` may stand: the loops that do the work, the front that
/// finds a webhook's channel, the keeper of tenants, and components, which have no owner.
const ALLOWED: &[&str] = &[
    "host/server/src/work/",
    "host/server/src/http/hooks",
    "host/server/src/tenancy/mod",
    "host/server/src/registry/versions",
];

#[test]
fn the_view_over_all_tenants_stays_in_its_places() {
    for file in tree::product("host/server/src") {
        let name = tree::name(&file);
        if ALLOWED.iter().any(|place| name.starts_with(place)) {
            continue;
        }
        let mut search = Search::default();
        search.visit_file(&tree::rust(&file));
        assert!(
            search.lines.is_empty(),
            "{name}, lines {:?}: use `store.tenant(id)` here; `store.host()` sees every tenant \
             and stands only in {ALLOWED:?}",
            search.lines
        );
    }
}

#[test]
fn the_search_knows_stores_from_addresses() {
    let source =
        "fn f() { self.store.host().due(); store.host(); app.store().host(); url.host(); }";
    let mut search = Search::default();
    search.visit_file(&syn::parse_str(source).unwrap());
    assert_eq!(search.lines, [1, 1, 1]);
}

#[derive(Default)]
struct Search {
    lines: Vec<usize>,
}

impl<'ast> Visit<'ast> for Search {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !tree::is_test(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        if call.method == "host" && is_store(&call.receiver) {
            self.lines.push(call.method.span().start().line);
        }
        visit::visit_expr_method_call(self, call);
    }
}

fn is_store(receiver: &Expr) -> bool {
    match receiver {
        Expr::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "store"),
        Expr::Field(field) => matches!(&field.member, Member::Named(name) if name == "store"),
        Expr::MethodCall(call) => call.method == "store" || is_store(&call.receiver),
        Expr::Reference(reference) => is_store(&reference.expr),
        _ => false,
    }
}
