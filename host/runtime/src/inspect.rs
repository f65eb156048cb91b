//! What a component is, read from its bytes without running or compiling them.
//! Only the compiling child calls this: the bytes are a stranger's.

use wasmparser::{ComponentExternalKind, Encoding, KnownCustom, Parser, Payload};

use crate::load_error::LoadError;
use crate::manifest::{MANIFEST_SECTION, Manifest};
use crate::tier::Tier;

/// The export that makes a component a bot, without its version.
const HANDLER: &str = "botyard:bot/handler";
/// Interfaces of the contract that a bot may import.
const CONTRACT: [&str; 8] = ["types", "event", "action", "session", "log", "config", "kv", "http"];
/// Packages of WASI 0.2 that are linked, in a locked-down form.
const WASI: [&str; 7] = ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"];
/// The largest manifest, in bytes.
const MANIFEST_BYTES: usize = 64 << 10;
/// Names of tools that put an interpreter into a component, as they sign it.
const INTERPRETERS: [&str; 8] = [
    "componentize-js",
    "componentizejs",
    "componentize-py",
    "starlingmonkey",
    "spidermonkey",
    "quickjs",
    "javascript",
    "python",
];
/// No interpreter fits below this many bytes, and nothing else needs more.
const INTERPRETER_BYTES: usize = 8 << 20;

/// What a component is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Inspection {
    pub(crate) tier: Tier,
    pub(crate) manifest: Option<Manifest>,
}

/// Reads a component and refuses what is not a bot.
///
/// The tier is interpreted where a tool that embeds an interpreter has signed
/// one of the `producers` sections, or where the component has more than 8 MiB;
/// everything else is native.
pub(crate) fn inspect(bytes: &[u8]) -> Result<Inspection, LoadError> {
    let outline = Outline::read(bytes)?;
    check_imports(&outline.imports)?;
    check_exports(outline.exports)?;
    let interpreted = outline.interpreter || bytes.len() > INTERPRETER_BYTES;
    let tier = if interpreted { Tier::Interpreted } else { Tier::Native };
    Ok(Inspection { tier, manifest: outline.manifest })
}

#[derive(Default)]
struct Outline {
    imports: Vec<String>,
    exports: Vec<String>,
    interpreter: bool,
    manifest: Option<Manifest>,
}

impl Outline {
    fn read(bytes: &[u8]) -> Result<Self, LoadError> {
        if !bytes.starts_with(b"\0asm") {
            return Err(LoadError::NotWasm);
        }
        let mut outline = Self::default();
        // 1 within the component itself, more within what is nested in it.
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(malformed)? {
                Payload::Version { encoding, .. } => {
                    if depth == 0 && encoding == Encoding::Module {
                        return Err(LoadError::CoreModule);
                    }
                    depth += 1;
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 1 => {
                    for import in section {
                        outline.imports.push(import.map_err(malformed)?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    for export in section {
                        let export = export.map_err(malformed)?;
                        if export.kind == ComponentExternalKind::Instance {
                            outline.exports.push(export.name.name.to_owned());
                        }
                    }
                }
                Payload::CustomSection(section) => outline.read_custom(&section)?,
                _ => {}
            }
        }
        Ok(outline)
    }

    fn read_custom(
        &mut self,
        section: &wasmparser::CustomSectionReader<'_>,
    ) -> Result<(), LoadError> {
        if section.name() == MANIFEST_SECTION {
            self.manifest = Some(read_manifest(section.data())?);
        } else if let KnownCustom::Producers(fields) = section.as_known() {
            self.interpreter |= names_interpreter(fields);
        }
        Ok(())
    }
}

fn malformed(error: wasmparser::BinaryReaderError) -> LoadError {
    LoadError::Malformed(error.to_string())
}

fn read_manifest(json: &[u8]) -> Result<Manifest, LoadError> {
    if json.len() > MANIFEST_BYTES {
        return Err(LoadError::Manifest(format!("it has {} bytes", json.len())));
    }
    serde_json::from_slice(json).map_err(|error| LoadError::Manifest(error.to_string()))
}

/// Whether one of the tools that made a module embeds an interpreter. An
/// unreadable section says nothing: it is only a comment.
fn names_interpreter(fields: wasmparser::ProducersSectionReader<'_>) -> bool {
    fields.into_iter().flatten().any(|field| {
        field.values.into_iter().flatten().any(|value| {
            let name = value.name.to_lowercase();
            INTERPRETERS.iter().any(|known| name.contains(known))
        })
    })
}

fn check_imports(imports: &[String]) -> Result<(), LoadError> {
    match imports.iter().find(|name| !is_offered(name)) {
        Some(name) => Err(LoadError::UnknownImport(name.clone())),
        None => Ok(()),
    }
}

fn is_offered(import: &str) -> bool {
    let Some((name, version)) = import.split_once('@') else {
        return false;
    };
    let Some((package, interface)) = name.split_once('/') else {
        return false;
    };
    match package.split_once(':') {
        Some(("botyard", "bot")) => version.starts_with("1.") && CONTRACT.contains(&interface),
        Some(("wasi", package)) => version.starts_with("0.2.") && WASI.contains(&package),
        _ => false,
    }
}

fn check_exports(exports: Vec<String>) -> Result<(), LoadError> {
    let is_handler = |name: &String| match name.split_once('@') {
        Some((HANDLER, version)) => version.starts_with("1."),
        _ => false,
    };
    match exports.iter().any(is_handler) {
        true => Ok(()),
        false => Err(LoadError::NoHandler { exports }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANDLER_INSTANCE: &str = r#"
        (instance $handler)
        (export "botyard:bot/handler@1.0.0" (instance $handler))
    "#;

    fn inspected(wat: &str) -> Result<Inspection, LoadError> {
        inspect(&wat::parse_str(wat).expect("valid text"))
    }

    fn bot(more: &str) -> Result<Inspection, LoadError> {
        inspected(&format!("(component {more} {HANDLER_INSTANCE})"))
    }

    #[test]
    fn other_bytes_are_refused() {
        assert_eq!(inspect(b"MZ"), Err(LoadError::NotWasm));
        assert_eq!(inspect(b"\x7fELF"), Err(LoadError::NotWasm));
        assert!(matches!(inspect(b"\0asm"), Err(LoadError::Malformed(_))));
        assert_eq!(inspected("(module)"), Err(LoadError::CoreModule));
    }

    #[test]
    fn an_unknown_import_is_named() {
        let import = r#"(import "wasi:keyvalue/store@0.2.0" (instance))"#;
        let error = bot(import).expect_err("not offered");
        assert!(error.to_string().contains("imports wasi:keyvalue/store@0.2.0"), "{error}");
        for import in ["botyard:bot/kv@2.0.0", "wasi:cli/stdout@0.3.0", "botyard:bot/secrets@1.0.0"]
        {
            let error = bot(&format!(r#"(import "{import}" (instance))"#));
            assert_eq!(error, Err(LoadError::UnknownImport(import.to_owned())));
        }
        assert!(bot(r#"(import "botyard:bot/kv@1.4.0" (instance))"#).is_ok());
        assert!(bot(r#"(import "wasi:io/poll@0.2.3" (instance))"#).is_ok());
    }

    #[test]
    fn a_missing_handler_is_named() {
        let other = r#"(component (instance $i) (export "wasi:cli/run@0.2.6" (instance $i)))"#;
        let error = inspected(other).expect_err("no handler").to_string();
        assert!(error.contains("exports no botyard:bot/handler@1.0.0"), "{error}");
        assert!(error.contains("wasi:cli/run@0.2.6"), "{error}");
        assert!(matches!(inspected("(component)"), Err(LoadError::NoHandler { .. })));
        let later =
            r#"(component (instance $i) (export "botyard:bot/handler@2.0.0" (instance $i)))"#;
        assert!(matches!(inspected(later), Err(LoadError::NoHandler { .. })));
    }

    #[test]
    fn a_manifest_is_found_in_a_nested_module() {
        let module =
            r#"(core module (@custom "botyard:manifest" "{\"name\":\"lead\",\"new\":1}"))"#;
        let manifest = bot(module).expect("a bot").manifest.expect("a manifest");
        assert_eq!(manifest.name.as_deref(), Some("lead"));
        let bad = r#"(core module (@custom "botyard:manifest" "7"))"#;
        assert!(matches!(bot(bad), Err(LoadError::Manifest(_))));
    }

    #[test]
    fn a_signature_or_the_size_tells_the_interpreter() {
        assert_eq!(bot("").expect("a bot").tier, Tier::Native);
        let signed = r#"(core module (@producers (processed-by "ComponentizeJS" "0.23")))"#;
        assert_eq!(bot(signed).expect("a bot").tier, Tier::Interpreted);
        let large = format!(r#"(core module (@custom "x" "{}"))"#, "x".repeat(INTERPRETER_BYTES));
        assert_eq!(bot(&large).expect("a bot").tier, Tier::Interpreted);
    }
}
