//! Which crate may depend on which: `kernel <- {vendors, runtime, store} <- server`.

use std::collections::BTreeSet;

use super::cargo::Metadata;
use super::tree;

/// Crates of this repository that a crate of the host may name, in any kind of
/// dependency.
const OWN: &[(&str, &[&str])] = &[
    // Its simulation plays by chance, on a log of its own.
    ("botyard-kernel", &["botyard-chance", "botyard-log"]),
    ("botyard-chance", &[]),
    ("botyard-log", &["botyard-kernel"]),
    ("botyard-vendors", &["botyard-kernel"]),
    // Its tests run the hostile uploads.
    ("botyard-runtime", &["botyard-kernel", "botyard-hostile"]),
    ("botyard-hostile", &["botyard-kernel"]),
    ("botyard-store", &["botyard-kernel", "botyard-failpoints"]),
    // Named points for the crash test; empty in an ordinary build.
    ("botyard-failpoints", &[]),
    (
        "botyard",
        &[
            "botyard-kernel",
            "botyard-vendors",
            "botyard-runtime",
            "botyard-store",
            "botyard-failpoints",
            // For `botyard twin` only.
            "botyard-twins",
        ],
    ),
    ("botyard-power", &["botyard-chance", "botyard-kernel", "botyard-store"]),
    ("xtask", &[]),
    // What an author compiles into a bot holds nothing of the host.
    ("botyard-sdk", &[]),
    // A twin that read the host's own limits could not find a mistake in them.
    ("botyard-twins", &[]),
];

/// Crates that the pure crates may use: none of them reads a clock, draws a
/// random number or does IO.
const PURE: &[(&str, &[&str])] = &[
    (
        "botyard-kernel",
        &[
            "base64",
            "http",
            "serde",
            "serde_json",
            "sha2",
            "strsim",
            "thiserror",
            "unicode-normalization",
            "unicode-segmentation",
            "url",
        ],
    ),
    (
        "botyard-vendors",
        &[
            "base64",
            "botyard-kernel",
            "bytes",
            "hmac",
            "http",
            "jiff",
            "percent-encoding",
            "serde",
            "serde_json",
            "sha1",
            "sha2",
            "subtle",
            "thiserror",
            "toml",
            "url",
        ],
    ),
];

/// What must not come in through a crate that looks pure.
const IMPURE: &[&str] = &["getrandom", "mio", "rand", "socket2", "tokio", "web-time"];

#[test]
fn dependencies_point_one_way() {
    let metadata = Metadata::read();
    let workspace: BTreeSet<_> = metadata.members().map(|package| &package.name).collect();
    for (name, allowed) in OWN {
        for dependency in &metadata.member(name).dependencies {
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
fn only_the_power_tests_can_open_a_store_that_forgets() {
    let metadata = Metadata::read();
    for package in metadata.members().filter(|package| package.name != "botyard-power") {
        for dependency in &package.dependencies {
            let weak = dependency.features.iter().any(|feature| feature == "weak-commits");
            assert!(!weak, "{} must not ask for weak-commits: commits are durable", package.name);
        }
    }
    let power = metadata.member("botyard-power");
    let asks = |name: &str| power.dependencies.iter().any(|d| d.features.iter().any(|f| f == name));
    assert!(asks("weak-commits"), "the feature has another name now: correct this test");
}

#[test]
fn every_crate_of_the_host_has_its_place() {
    let metadata = Metadata::read();
    for package in metadata.members() {
        let path = tree::name(&package.manifest_path);
        assert!(
            !path.starts_with("host/") || OWN.iter().any(|(name, _)| package.name == *name),
            "{} is new in host/: say in the tidy test on what it may depend",
            package.name
        );
    }
}

#[test]
fn the_pure_crates_use_pure_crates_only() {
    let metadata = Metadata::read();
    for (name, allowed) in PURE {
        for dependency in &metadata.member(name).dependencies {
            assert!(
                dependency.kind.as_deref() == Some("dev") || allowed.contains(&&*dependency.name),
                "{name} must stay without clock, chance and IO: show that {} has none of them \
                 and add it to the list in the tidy test",
                dependency.name
            );
        }
    }
}

#[test]
fn nothing_impure_comes_in_from_behind() {
    let metadata = Metadata::read();
    for (name, _) in PURE {
        for reached in metadata.reached_from(name) {
            assert!(
                !IMPURE.contains(&reached),
                "{name} reaches {reached} through its dependencies: switch off the feature that \
                 brings it in"
            );
        }
    }
}
