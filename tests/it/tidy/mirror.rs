//! The kernel's types mirror the contract, name by name.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Fields, Item, ItemEnum, ItemStruct};
use wit_parser::TypeDefKind;

use super::{tree, wit};

/// Interfaces whose types the kernel mirrors, and the files that do.
const MIRRORS: &[(&str, &[&str])] = &[
    ("types", &["event", "session"]),
    ("event", &["event"]),
    ("action", &["action"]),
    ("session", &["session"]),
];

#[test]
fn the_kernel_mirrors_the_contract() {
    let resolve = wit::contract();
    for (interface, files) in MIRRORS {
        let kernel = names(files);
        let (_, interface) = resolve
            .interfaces
            .iter()
            .find(|(_, found)| found.name.as_deref() == Some(interface))
            .unwrap_or_else(|| panic!("wit/v1 has no interface {interface}"));
        for (name, id) in &interface.types {
            let Some(expected) = parts(&resolve.types[*id].kind) else {
                continue;
            };
            let found = kernel.get(&camel(name)).unwrap_or_else(|| {
                panic!("wit/v1 has {name}: add {} to the kernel ({files:?})", camel(name))
            });
            assert_eq!(*found, expected, "{name} of wit/v1 (right) and of the kernel (left)");
        }
    }
}

/// Fields or cases of a type of the contract, in `snake_case`.
fn parts(kind: &TypeDefKind) -> Option<BTreeSet<String>> {
    let names: Vec<&str> = match kind {
        TypeDefKind::Record(record) => record.fields.iter().map(|field| &*field.name).collect(),
        TypeDefKind::Variant(variant) => variant.cases.iter().map(|case| &*case.name).collect(),
        TypeDefKind::Enum(plain) => plain.cases.iter().map(|case| &*case.name).collect(),
        _ => return None,
    };
    Some(names.into_iter().map(|name| name.replace('-', "_")).collect())
}

/// The types of some files of the kernel with their fields or cases, as their
/// JSON names them.
fn names(files: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let mut structs = BTreeMap::new();
    let mut all = BTreeMap::new();
    for file in files {
        let path = tree::root().join(format!("host/kernel/src/{file}.rs"));
        for item in tree::rust(&path).items {
            match item {
                Item::Struct(item) => {
                    structs.insert(item.ident.to_string(), item);
                }
                Item::Enum(item) => {
                    all.insert(item.ident.to_string(), cases(&item));
                }
                _ => {}
            }
        }
    }
    for (name, item) in &structs {
        all.insert(name.clone(), fields(item, &structs));
    }
    all
}

fn cases(item: &ItemEnum) -> BTreeSet<String> {
    item.variants.iter().map(|variant| snake(&variant.ident.to_string())).collect()
}

/// A flattened field stands for the fields of its type.
fn fields(item: &ItemStruct, structs: &BTreeMap<String, ItemStruct>) -> BTreeSet<String> {
    let Fields::Named(named) = &item.fields else {
        return BTreeSet::new();
    };
    let mut names = BTreeSet::new();
    for field in &named.named {
        if is_flattened(field) {
            if let syn::Type::Path(inner) = &field.ty {
                names.extend(fields(&structs[&tree::joined(&inner.path)], structs));
            }
        } else if let Some(ident) = &field.ident {
            names.insert(ident.to_string());
        }
    }
    names
}

fn is_flattened(field: &syn::Field) -> bool {
    field.attrs.iter().any(|attribute| {
        attribute.path().is_ident("serde")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "flatten")
    })
}

/// `markdown-v1` and `MarkdownV1`.
fn camel(kebab: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    };
    kebab.split('-').map(word).collect()
}

/// What serde's `snake_case` makes of a name.
fn snake(camel: &str) -> String {
    let mut snake = String::new();
    for (index, letter) in camel.char_indices() {
        if letter.is_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
