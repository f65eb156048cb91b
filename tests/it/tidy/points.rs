//! Every point at which a host can end itself has exactly one place.

use std::collections::BTreeMap;

use botyard_failpoints::Point;
use syn::Path;
use syn::visit::{self, Visit};

use super::tree;

#[test]
fn every_point_is_passed_in_exactly_one_place() {
    let mut search = Search::default();
    for folder in ["host/server/src", "host/store/src"] {
        for file in tree::product(folder) {
            search.file = tree::name(&file);
            search.visit_file(&tree::rust(&file));
        }
    }
    for point in Point::ALL {
        let places = search.places.remove(&format!("{point:?}")).unwrap_or_default();
        assert_eq!(
            places.len(),
            1,
            "`{}` is to be passed in one place, so that a kill there means one thing; it is in \
             {places:?}",
            point.name()
        );
    }
}

/// Where points are named.
#[derive(Default)]
struct Search {
    file: String,
    places: BTreeMap<String, Vec<String>>,
}

impl<'ast> Visit<'ast> for Search {
    fn visit_path(&mut self, path: &'ast Path) {
        if let Some(name) = tree::joined(path).strip_prefix("Point::") {
            let line = path.segments[0].ident.span().start().line;
            let place = format!("{}:{line}", self.file);
            self.places.entry(name.to_owned()).or_default().push(place);
        }
        visit::visit_path(self, path);
    }
}
