//! Every item of the contract says what it is.

use wit_parser::{Docs, Resolve, TypeDefKind};

use super::tree;

/// The contract, parsed.
pub(super) fn contract() -> Resolve {
    let mut resolve = Resolve::default();
    resolve.push_dir(tree::root().join("wit/v1")).expect("wit/v1 is a package");
    resolve
}

#[test]
fn every_item_of_the_contract_is_documented() {
    let resolve = contract();
    let mut bare = Vec::new();
    let mut check = |docs: &Docs, name: String| {
        if docs.contents.as_ref().is_none_or(|text| text.trim().is_empty()) {
            bare.push(name);
        }
    };
    for (_, world) in &resolve.worlds {
        check(&world.docs, format!("world {}", world.name));
    }
    for (_, interface) in &resolve.interfaces {
        let owner = interface.name.clone().unwrap_or_default();
        check(&interface.docs, format!("interface {owner}"));
        for (name, function) in &interface.functions {
            check(&function.docs, format!("{owner}.{name}"));
        }
        for (name, id) in &interface.types {
            let definition = &resolve.types[*id];
            // A name that came in by `use` is documented where it is at home.
            if matches!(definition.kind, TypeDefKind::Type(wit_parser::Type::Id(_))) {
                continue;
            }
            check(&definition.docs, format!("{owner}.{name}"));
            for (part, docs) in parts(&definition.kind) {
                check(docs, format!("{owner}.{name}.{part}"));
            }
        }
    }
    assert!(bare.is_empty(), "these items of wit/v1 have no comment:\n{}", bare.join("\n"));
}

fn parts(kind: &TypeDefKind) -> Vec<(&str, &Docs)> {
    match kind {
        TypeDefKind::Record(record) => {
            record.fields.iter().map(|field| (&*field.name, &field.docs)).collect()
        }
        TypeDefKind::Variant(variant) => {
            variant.cases.iter().map(|case| (&*case.name, &case.docs)).collect()
        }
        TypeDefKind::Enum(plain) => {
            plain.cases.iter().map(|case| (&*case.name, &case.docs)).collect()
        }
        TypeDefKind::Flags(flags) => {
            flags.flags.iter().map(|flag| (&*flag.name, &flag.docs)).collect()
        }
        _ => Vec::new(),
    }
}
