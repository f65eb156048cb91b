//! What a component is, read from its bytes without running or compiling them.
//! Only the compiling child calls this: the bytes are a stranger's.

use std::borrow::Cow;

use wasmparser::{
    ComponentExternalKind, Encoding, KnownCustom, Parser, Payload, Validator, WasmFeatures,
};

use crate::census::Census;
use crate::componentize::{componentize, is_metadata};
use crate::engine::WASM;
use crate::load_error::{LoadError, WORDS_BYTES, short};
use crate::manifest::{MANIFEST_SECTION, Manifest};
use crate::tier::Tier;
use crate::wanted::{NAME_BYTES, powers};

/// The export that makes a component a bot, without its version.
const HANDLER: &str = "botyard:bot/handler";
/// The largest manifest, in bytes as it came.
const MANIFEST_BYTES: usize = 64 << 10;
/// And as this host writes it again, which may be much longer: `1e15` becomes
/// `1000000000000000.0`. Each version keeps one, and lists show many.
const WRITTEN_BYTES: usize = 32 << 10;
/// Of that, the schema of the configuration.
const CONFIG_BYTES: usize = 16 << 10;
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
/// Names of imports and exports that a refusal lists.
const NAMED: usize = 100;
/// Whoever signs as an interpreter has so much code, or carries none: that of the Python
/// that componentize-py brings has 6.3 MiB, that of componentize-js 8.8, while a Rust bot
/// with a client of HTTP and regular expressions has 0.6.
const INTERPRETER_CODE_BYTES: usize = 4 << 20;
/// Whoever does not sign carries one above this many bytes: nothing else needs more.
const INTERPRETER_BYTES: usize = 8 << 20;

/// What a component is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Inspection<'a> {
    /// The component: what was uploaded, or what became of a core module.
    pub(crate) component: Cow<'a, [u8]>,
    pub(crate) tier: Tier,
    pub(crate) manifest: Option<Manifest>,
    /// What it asks of the host.
    pub(crate) imports: Vec<String>,
    /// What it takes in memory while it is linked, about, in bytes.
    pub(crate) linked_bytes: u64,
}

/// Reads a component and refuses what is not a bot. A core module that carries
/// the type of a component is made into that component first.
///
/// The tier is interpreted where the component has the code of an interpreter: at least
/// 4 MiB of it, all modules together, and either a signature of a tool that embeds one
/// in a `producers` section, or more than 8 MiB in all. Everything else is native: a
/// signature is what the uploader wrote, and so is whatever is no code.
pub(crate) fn inspect(uploaded: &[u8]) -> Result<Inspection<'_>, LoadError> {
    let mut component = Cow::Borrowed(uploaded);
    let mut outline = Outline::read(&component)?;
    if outline.encoding == Encoding::Module {
        if !outline.metadata {
            return Err(LoadError::CoreModule);
        }
        component = Cow::Owned(componentize(uploaded)?);
        outline = Outline::read(&component)?;
    }
    let imports = powers(outline.imports.iter().map(String::as_str));
    let imports = imports.map_err(|mut imports| {
        let more = imports.len().saturating_sub(NAMED);
        imports.truncate(NAMED);
        LoadError::ForeignImports { imports, more }
    })?;
    check_exports(outline.exports)?;
    validate(&component)?;
    let interpreted = outline.code_bytes >= INTERPRETER_CODE_BYTES
        && (outline.interpreter || component.len() > INTERPRETER_BYTES);
    let tier = if interpreted { Tier::Interpreted } else { Tier::Native };
    let (manifest, linked_bytes) = (outline.manifest, outline.census.linked_bytes());
    Ok(Inspection { component, tier, manifest, imports, linked_bytes })
}

struct Outline {
    encoding: Encoding,
    /// It is a module that says which component it wants to be.
    metadata: bool,
    imports: Vec<String>,
    exports: Vec<String>,
    /// A tool that embeds an interpreter has signed it.
    interpreter: bool,
    /// What its functions have, in bytes.
    code_bytes: usize,
    manifest: Option<Manifest>,
    census: Census,
}

impl Outline {
    fn read(bytes: &[u8]) -> Result<Self, LoadError> {
        if !bytes.starts_with(b"\0asm") {
            return Err(LoadError::NotWasm);
        }
        let mut outline = Self {
            encoding: Encoding::Component,
            metadata: false,
            imports: Vec::new(),
            exports: Vec::new(),
            interpreter: false,
            code_bytes: 0,
            manifest: None,
            census: Census::default(),
        };
        // 1 within the component itself, more within what is nested in it.
        let mut depth = 0_usize;
        let mut parser = Parser::new(0);
        parser.set_features(WASM);
        for payload in parser.parse_all(bytes) {
            let payload = payload.map_err(LoadError::malformed)?;
            outline.census.count(&payload)?;
            match payload {
                Payload::Version { encoding, .. } => {
                    if depth == 0 {
                        outline.encoding = encoding;
                    }
                    depth += 1;
                    outline.census.depth(depth)?;
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 1 => {
                    for import in section {
                        let import = import.map_err(LoadError::malformed)?;
                        outline.imports.push(import.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    for export in section {
                        let export = export.map_err(LoadError::malformed)?;
                        if export.kind == ComponentExternalKind::Instance {
                            outline.exports.push(export.name.name.to_owned());
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => outline.code_bytes += body.range().len(),
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
        } else if is_metadata(section.name()) {
            self.metadata = true;
        } else if let KnownCustom::Producers(fields) = section.as_known() {
            self.interpreter |= names_interpreter(fields);
        }
        Ok(())
    }
}

/// Checks every part against the rules and the features that are on.
fn validate(component: &[u8]) -> Result<(), LoadError> {
    let Err(error) = Validator::new_with_features(WASM).validate_all(component) else {
        return Ok(());
    };
    // What is right with everything on needs something that is off here.
    let anywhere = Validator::new_with_features(WasmFeatures::all()).validate_all(component);
    Err(match anywhere {
        Ok(_) => LoadError::Feature(short(&error.to_string(), WORDS_BYTES)),
        Err(_) => LoadError::malformed(error),
    })
}

fn read_manifest(json: &[u8]) -> Result<Manifest, LoadError> {
    if json.len() > MANIFEST_BYTES {
        return Err(LoadError::Manifest(format!("it has {} bytes", json.len())));
    }
    let unreadable =
        |error: serde_json::Error| LoadError::Manifest(short(&error.to_string(), WORDS_BYTES));
    let manifest: Manifest = serde_json::from_slice(json).map_err(unreadable)?;
    let config = serde_json::to_vec(&manifest.config).map_err(unreadable)?.len();
    let whole = serde_json::to_vec(&manifest).map_err(unreadable)?.len();
    for (what, bytes, most) in
        [("its `config`", config, CONFIG_BYTES), ("it", whole, WRITTEN_BYTES)]
    {
        if bytes > most {
            let words = format!("{what} has {bytes} bytes when it is written out, {most} at most");
            return Err(LoadError::Manifest(words));
        }
    }
    Ok(manifest)
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

fn check_exports(exports: Vec<String>) -> Result<(), LoadError> {
    let is_handler = |name: &String| match name.split_once('@') {
        Some((HANDLER, version)) => version.starts_with("1."),
        _ => false,
    };
    match exports.iter().any(is_handler) {
        true => Ok(()),
        false => {
            let named = exports.iter().take(NAMED).map(|name| short(name, NAME_BYTES));
            Err(LoadError::NoHandler { exports: named.collect() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANDLER_INSTANCE: &str = r#"
        (instance $handler)
        (export "botyard:bot/handler@1.0.0" (instance $handler))
    "#;

    fn inspected(wat: &str) -> Result<Inspection<'static>, LoadError> {
        inspect(wat::parse_str(wat).expect("valid text").leak())
    }

    fn bot(more: &str) -> Result<Inspection<'static>, LoadError> {
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
    fn all_foreign_imports_are_named() {
        let imports = r#"(import "wasi:keyvalue/store@0.2.0" (instance))
            (import "botyard:bot/kv@1.4.0" (instance)) (import "acme:shop/cart" (instance))"#;
        let error = bot(imports).expect_err("not offered").to_string();
        assert!(error.contains("wasi:keyvalue/store@0.2.0 (use botyard:bot/kv"), "{error}");
        assert!(error.contains("acme:shop/cart (build for the world"), "{error}");
        assert!(!error.contains("kv@1.4.0"), "{error}");
    }

    #[test]
    fn what_it_asks_of_the_host_is_listed() {
        let imports = r#"(import "botyard:bot/kv@1.4.0" (instance))
            (import "wasi:io/poll@0.2.3" (instance))"#;
        assert_eq!(bot(imports).expect("a bot").imports, ["kv", "wasi:io"]);
    }

    #[test]
    fn a_feature_that_is_off_is_told_from_nonsense() {
        for module in ["(memory i64 1)", "(memory 1) (memory 1)", "(tag)", "(memory 1 1 shared)"] {
            let error = bot(&format!("(core module {module})")).expect_err("off");
            assert!(matches!(error, LoadError::Feature(_)), "{module}: {error}");
        }
        let nonsense = bot("(core module (func (result i32)))").expect_err("nonsense");
        assert!(matches!(nonsense, LoadError::Malformed(_)), "{nonsense}");
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
    fn a_manifest_that_grows_when_it_is_written_is_refused() {
        let with = |json: String| {
            let json = json.replace('"', "\\\"");
            bot(&format!(r#"(core module (@custom "botyard:manifest" "{json}"))"#))
        };
        let numbers = |count: usize| format!(r#"{{"config":[{}1]}}"#, "1e15,".repeat(count));
        assert!(with(numbers(800)).is_ok());
        let error = with(numbers(12_000)).expect_err("it grows").to_string();
        assert!(error.contains("its `config` has 228003 bytes"), "{error}");
        let hosts = format!(r#"{{"hosts":[{}"a"]}}"#, r#""a.example","#.repeat(3_000));
        let error = with(hosts).expect_err("too many").to_string();
        assert!(error.contains("(it has "), "{error}");
    }

    /// Functions of so many bytes together and a few more.
    fn code(bytes: usize) -> String {
        // The longest instruction there is, and one byte that drops what it gives.
        const STEP: (&str, usize) = ("(drop (v128.const i64x2 0 0))", 19);
        let function = format!("(func {})", STEP.0.repeat((64 << 10) / STEP.1 + 1));
        function.repeat(bytes.div_ceil(64 << 10))
    }

    #[test]
    fn whoever_signs_as_an_interpreter_carries_one_or_stays_native() {
        let tier = |code_bytes: usize, signed: bool, padding: usize| {
            let signature = r#"(@producers (processed-by "ComponentizeJS" "0.23"))"#;
            let (code, padding) = (code(code_bytes), "x".repeat(padding));
            let signature = if signed { signature } else { "" };
            let module =
                format!(r#"(core module {code} {signature} (@custom "padding" "{padding}"))"#);
            bot(&module).expect("a bot").tier
        };
        let rows = [
            (0, false, 0, Tier::Native),
            // What is written in a component makes no interpreter of it, nor what fills it.
            (0, true, 0, Tier::Native),
            (INTERPRETER_CODE_BYTES / 2, true, INTERPRETER_BYTES, Tier::Native),
            (0, false, INTERPRETER_BYTES, Tier::Native),
            (INTERPRETER_CODE_BYTES, false, 0, Tier::Native),
            (INTERPRETER_CODE_BYTES, true, 0, Tier::Interpreted),
            (INTERPRETER_CODE_BYTES, false, INTERPRETER_BYTES, Tier::Interpreted),
        ];
        for (code_bytes, signed, padding, expected) in rows {
            let found = tier(code_bytes, signed, padding);
            assert_eq!(found, expected, "{code_bytes} {signed} {padding}");
        }
    }
}
