//! What cargo knows of the workspace, as far as the walls need it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

use super::tree;

/// The answer of `cargo metadata`, as far as it is used.
#[derive(Deserialize)]
pub(super) struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    id: String,
    pub(super) manifest_path: PathBuf,
    pub(super) dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
    /// `dev` or `build`; absent for an ordinary one.
    pub(super) kind: Option<String>,
    /// What is asked for beyond the defaults.
    pub(super) features: Vec<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

impl Metadata {
    /// Asks cargo, for the target that has no clock, no chance and no IO.
    pub(super) fn read() -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--format-version", "1"])
            .args(["--filter-platform", "wasm32-unknown-unknown"])
            .current_dir(tree::root())
            .output()
            .expect("cargo starts");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// The packages of this repository.
    pub(super) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// One of them by its name.
    pub(super) fn member(&self, name: &str) -> &Package {
        self.members()
            .find(|package| package.name == name)
            .unwrap_or_else(|| panic!("the workspace has no package {name}"))
    }

    /// The names of all packages that one of them is built with.
    pub(super) fn reached_from(&self, name: &str) -> BTreeSet<&str> {
        let nodes: BTreeMap<_, _> =
            self.resolve.nodes.iter().map(|node| (&*node.id, &node.deps)).collect();
        let names: BTreeMap<_, _> =
            self.packages.iter().map(|package| (&*package.id, &*package.name)).collect();
        let mut seen = BTreeSet::new();
        let mut left = vec![&*self.member(name).id];
        while let Some(id) = left.pop() {
            if seen.insert(id) {
                let ordinary = nodes[id]
                    .iter()
                    .filter(|edge| edge.dep_kinds.iter().any(|one| one.kind.is_none()));
                left.extend(ordinary.map(|edge| &*edge.pkg));
            }
        }
        seen.into_iter().map(|id| names[id]).collect()
    }
}
