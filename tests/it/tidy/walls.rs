//! Which crate may depend on which: `kernel <- {vendors, runtime, store} <- server`.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

use super::tree;

/// Crates of this repository that a crate of the host may name, in any kind of
/// dependency.
const OWN: &[(&str, &[&str])] = &[
    ("botyard-kernel", &[]),
    ("botyard-vendors", &["botyard-kernel"]),
    ("botyard-runtime", &["botyard-kernel"]),
    ("botyard-store", &["botyard-kernel"]),
    ("botyard", &["botyard-kernel", "botyard-vendors", "botyard-runtime", "botyard-store"]),
    ("xtask", &[]),
    // What an author compiles into a bot holds nothing of the host.
    ("botyard-sdk", &[]),
];

/// Crates that the pure crates may use: none of them reads a clock, draws a
/// random number or does IO.
const PURE: &[(&str, &[&str])] = &[
    (
        "botyard-kernel",
        &["http", "serde", "serde_json", "sha2", "thiserror", "unicode-segmentation", "url"],
    ),
    (
        "botyard-vendors",
        &[
            "base64",
            "botyard-kernel",
            "bytes",
            "hmac",
            "http",
            "serde",
            "serde_json",
            "sha2",
            "subtle",
            "thiserror",
        ],
    ),
];

/// What must not come in through a crate that looks pure.
const IMPURE: &[&str] = &["getrandom", "mio", "rand", "socket2", "tokio", "web-time"];

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(tree::root().join("Cargo.toml"))
        .other_options(vec!["--filter-platform".into(), "wasm32-unknown-unknown".into()])
        .exec()
        .expect("cargo metadata answers")
}

fn package<'a>(metadata: &'a Metadata, name: &str) -> &'a Package {
    metadata
        .workspace_packages()
        .into_iter()
        .find(|package| package.name.as_str() == name)
        .unwrap_or_else(|| panic!("the workspace has no package {name}"))
}

#[test]
fn dependencies_point_one_way() {
    let metadata = metadata();
    let workspace: BTreeSet<_> =
        metadata.workspace_packages().into_iter().map(|package| package.name.to_string()).collect();
    for (name, allowed) in OWN {
        for dependency in &package(&metadata, name).dependencies {
            assert!(
                !workspace.contains(&dependency.name) || allowed.contains(&&*dependency.name),
                "{name} must not depend on {}: dependencies point one way, \
                 kernel <- {{vendors, runtime, store}} <- server",
                dependency.name
            );
        }
    }
}

#[test]
fn every_crate_of_the_host_has_its_place() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let path = tree::name(package.manifest_path.as_std_path());
        assert!(
            !path.starts_with("host/") || OWN.iter().any(|(name, _)| package.name == *name),
            "{} is new in host/: say in the tidy test on what it may depend",
            package.name
        );
    }
}

#[test]
fn the_pure_crates_use_pure_crates_only() {
    let metadata = metadata();
    for (name, allowed) in PURE {
        for dependency in &package(&metadata, name).dependencies {
            assert!(
                dependency.kind == DependencyKind::Development
                    || allowed.contains(&&*dependency.name),
                "{name} must stay without clock, chance and IO: show that {} has none of them \
                 and add it to the list in the tidy test",
                dependency.name
            );
        }
    }
}

#[test]
fn nothing_impure_comes_in_from_behind() {
    let metadata = metadata();
    for (name, _) in PURE {
        let mut seen = BTreeSet::new();
        reach(&metadata, &package(&metadata, name).id, &mut seen);
        for id in seen {
            let reached = &metadata[id].name;
            assert!(
                !IMPURE.contains(&reached.as_str()),
                "{name} reaches {reached} through its dependencies: switch off the feature that \
                 brings it in"
            );
        }
    }
}

fn reach<'a>(metadata: &'a Metadata, id: &'a PackageId, seen: &mut BTreeSet<&'a PackageId>) {
    if !seen.insert(id) {
        return;
    }
    let nodes = &metadata.resolve.as_ref().expect("cargo metadata resolves").nodes;
    let node = nodes.iter().find(|node| node.id == *id).expect("every package has a node");
    for dependency in &node.deps {
        if dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal) {
            reach(metadata, &dependency.pkg, seen);
        }
    }
}
