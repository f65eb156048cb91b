//! What is in a component that was built with the SDK.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use botyard_sdk::manifest;
use serde_json::{Value, json};
use wasmparser::{Parser, Payload};

/// Builds the example `orders`, which uses the configuration and nothing else of
/// the host, and looks inside.
#[test]
fn a_component_carries_its_manifest_and_imports_what_it_uses() {
    let component = std::fs::read(build_orders()).expect("the component was built");

    let manifest: Value = serde_json::from_slice(&section(&component)).expect("JSON");
    assert_eq!(manifest["name"], "botyard-plugin-orders");
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(manifest["sdk"], manifest::SDK);
    assert_eq!(manifest["wit"], "1.0.0");
    assert_eq!(manifest["hosts"], json!([]));
    assert_eq!(manifest["config"]["required"], json!(["shop-url"]));

    let (imports, exports) = outside(&component);
    assert!(exports.contains("botyard:bot/handler@1.0.0"), "{exports:?}");
    let powers = ["config", "http", "kv", "log"];
    let used = powers.map(|power| imports.contains(&format!("botyard:bot/{power}@1.0.0")));
    // The log is where the SDK notes a context that does not fit.
    assert_eq!(used, [true, false, false, true], "{imports:?}");
}

fn build_orders() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--profile", "plugin"])
        .args(["--target", "wasm32-wasip2", "--package", "botyard-plugin-orders"])
        .current_dir(&workspace)
        .status()
        .expect("cargo starts");
    assert!(built.success(), "is the target there? `rustup target add wasm32-wasip2`");
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace.join("target"), |target| workspace.join(target));
    target.join("wasm32-wasip2/plugin/botyard_plugin_orders.wasm")
}

/// The manifest's section; it is in the core module inside of the component.
fn section(component: &[u8]) -> Vec<u8> {
    let mut sections = Parser::new(0).parse_all(component).filter_map(|payload| {
        match payload.expect("a valid component") {
            Payload::CustomSection(custom) if custom.name() == manifest::SECTION => {
                Some(custom.data().to_vec())
            }
            _ => None,
        }
    });
    let section = sections.next().expect("the section exists");
    assert!(sections.next().is_none(), "the section exists once");
    section
}

/// The names that the component itself imports and exports.
fn outside(component: &[u8]) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut imports, mut exports) = (BTreeSet::new(), BTreeSet::new());
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        match payload.expect("a valid component") {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 1 => {
                let name = |import: wasmparser::ComponentImport<'_>| import.name.name.to_owned();
                imports.extend(section.into_iter().map(|import| name(import.expect("valid"))));
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                let name = |export: wasmparser::ComponentExport<'_>| export.name.name.to_owned();
                exports.extend(section.into_iter().map(|export| name(export.expect("valid"))));
            }
            _ => {}
        }
    }
    (imports, exports)
}
