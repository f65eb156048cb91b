//! Uploads that must not be loaded.

use crate::build::{component, module, times, wat, with};
use crate::{Expect, Row};

fn row(name: &'static str, bytes: Vec<u8>, kind: &'static str, words: &'static str) -> Row {
    Row { name, bytes, expect: Expect::Refused(kind, words) }
}

/// Every one of them.
pub fn rows() -> Vec<Row> {
    [other_bytes(), imports(), parts(), single_parts(), features(), starts()]
        .into_iter()
        .flatten()
        .collect()
}

fn other_bytes() -> Vec<Row> {
    let manifest = |json: &str| {
        module(&format!("(@custom \"botyard:manifest\" \"{}\")", json.replace('"', "\\22")))
    };
    let described = r#"(module (@custom "component-type:bot" "\00asm nonsense"))"#;
    vec![
        row("empty", Vec::new(), "not_wasm", "not WebAssembly"),
        row("a program of Linux", b"\x7fELF\x02\x01\x01".to_vec(), "not_wasm", "upload the .wasm"),
        row("only a magic number", b"\0asm".to_vec(), "malformed", "cannot be read"),
        row("an unknown version", b"\0asm\x07\0\x01\0".to_vec(), "malformed", "version"),
        row("a plain module", wat("(module)"), "core_module", "wasm-tools component new"),
        row("a module that describes nonsense", wat(described), "componentize", "cannot be made"),
        row("no handler", wat("(component)"), "no_handler", "exports no botyard:bot/handler"),
        row(
            "a section without end",
            b"\0asm\x0d\0\x01\0\x07\xff\xff\xff\x7f".to_vec(),
            "malformed",
            "",
        ),
        row("a manifest that is no record", manifest("7"), "manifest", "manifest"),
        row("a manifest without bottom", manifest(&"[".repeat(50_000)), "manifest", "manifest"),
        row("a huge manifest", manifest(&" ".repeat(70_000)), "manifest", "70000 bytes"),
        row(
            "more exports than can be told",
            wat(&format!(
                "(component (instance $i) {})",
                times(1_900, &format!(r#"(export "acme:a{}#/b" (instance $i))"#, "x".repeat(900))),
            )),
            "no_handler",
            "it exports acme:a",
        ),
        row(
            "a type with a name without end",
            component(&format!(r#"(type (record (field "_{}" u64)))"#, "x".repeat(90_000))),
            "malformed",
            "...",
        ),
        row("nonsense in a function", module("(func (result i32))"), "malformed", "type mismatch"),
    ]
}

fn imports() -> Vec<Row> {
    let importing = |name: &str| component(&format!(r#"(import "{name}" (instance))"#));
    let typed = |name: &str, ty: &str| component(&format!(r#"(import "{name}" {ty})"#));
    let squatter = |item: &str| {
        let instance = format!("(instance (export {item}))");
        wat(&format!(
            r#"(component (import "botyard:bot/kv@1.0.0" {instance})
                (core module $m (func (export "handle")))
                (core instance $i (instantiate $m))
                (func $f (canon lift (core func $i "handle")))
                (instance $handler (export "handle" (func $f)))
                (export "botyard:bot/handler@1.0.0" (instance $handler)))"#
        ))
    };
    let foreign = "foreign_imports";
    vec![
        row("key-value of WASI", importing("wasi:keyvalue/store@0.2.0"), foreign, "botyard:bot/kv"),
        row("a newer WASI", importing("wasi:cli/stdout@0.3.0"), foreign, "wasm32-wasip2"),
        row("neural networks", importing("wasi:nn/graph@0.2.0"), foreign, "no wasi:nn"),
        row("a newer contract", importing("botyard:bot/kv@2.0.0"), foreign, "built for 2.0.0"),
        row("a power that is none", importing("botyard:bot/root@1.0.0"), foreign, "newer Botyard"),
        row("a neighbour's package", importing("acme:secrets/all@1.0.0"), foreign, "acme:secrets"),
        row(
            "more foreign imports than can be told",
            component(&times(1_900, &format!(r#"(import "acme:a{}#/b" (func))"#, "x".repeat(900)))),
            foreign,
            "and 1800 more",
        ),
        row("a bare function", typed("run-shell", "(func)"), foreign, "run-shell"),
        row("a core module", typed("host", "(core module)"), foreign, "host"),
        row("a power as a function", typed("botyard:bot/kv@1.0.0", "(func)"), "wrong_type", ""),
        row("a stolen function", squatter(r#""steal" (func)"#), "wrong_type", "steal"),
        row("a known function of another type", squatter(r#""get" (func)"#), "wrong_type", "get"),
        row("the handler as an import", importing("botyard:bot/handler@1.0.0"), foreign, "handler"),
    ]
}

/// One more than there may be.
fn parts() -> Vec<Row> {
    let many = |name, bytes, words| row(name, bytes, "too_many", words);
    let nested = |depth: usize| format!("{}{}", "(component ".repeat(depth), ")".repeat(depth));
    let exports = times(100_001, r#"(export "e#" (func 0))"#);
    vec![
        many("components", component(&"(component)".repeat(257)), "257; a bot may have 256"),
        many("components within components", component(&nested(9)), "nested too deeply"),
        many("modules", component(&"(core module)".repeat(257)), "too many core modules"),
        many(
            "instances",
            component(&format!(
                "(core module $m) {}",
                "(core instance (instantiate $m))".repeat(1_001)
            )),
            "too many instances",
        ),
        many("types", module(&"(type (func))".repeat(20_001)), "too many types"),
        many("types of components", component(&"(type string)".repeat(20_001)), "too many types"),
        many(
            "imports",
            component(&times(2_001, r#"(import "a#" (func))"#)),
            "2001; a bot may have 2000",
        ),
        many("core imports", module(&times(50_001, r#"(import "a" "b#" (func))"#)), "core modules"),
        many("core exports", module(&format!("(func) {exports}")), "exports of core modules"),
        many("functions", module(&"(func)".repeat(100_001)), "too many functions"),
        many("tables", module(&"(table 1 funcref)".repeat(17)), "too many tables"),
        many("memories", component(&"(core module (memory 1))".repeat(3)), "too many memories"),
        many("globals", module(&"(global i32 (i32.const 0))".repeat(50_001)), "too many globals"),
        many(
            "data segments",
            module(&format!("(memory 1) {}", r#"(data "x")"#.repeat(50_001))),
            "too many data segments",
        ),
        many(
            "element segments",
            module(&"(elem funcref)".repeat(10_001)),
            "too many element segments",
        ),
        many("custom sections", module(&r#"(@custom "a" "")"#.repeat(1_001)), "strip it"),
    ]
}

/// Single parts that are too large.
fn single_parts() -> Vec<Row> {
    let many = |name, bytes, words| row(name, bytes, "too_many", words);
    let long = "n".repeat(1_001);
    vec![
        many("a huge function", module(&format!("(func {})", "nop ".repeat(2 << 20))), "split"),
        many(
            "a function of locals",
            module(&format!("(func {})", "(local i32)".repeat(20_001))),
            "too many locals",
        ),
        many(
            "a table of branches",
            module(&format!("(func (block (br_table {} (i32.const 0))))", "0 ".repeat(20_002))),
            "`br_table`",
        ),
        many("a long export", module(&format!(r#"(func (export "{long}"))"#)), "shorten it"),
        many("a long import", module(&format!(r#"(import "{long}" "" (func))"#)), "shorten it"),
        many("a long section", module(&format!(r#"(@custom "{long}" "")"#)), "shorten it"),
    ]
}

fn features() -> Vec<Row> {
    let off = |name, fields| row(name, module(fields), "feature", "switched off");
    vec![
        off("memory of 64 bits", "(memory i64 1)"),
        off("two memories in a module", "(memory 1) (memory 1)"),
        off("shared memory", "(memory 1 1 shared)"),
        off("atomic access", "(memory 1) (func (drop (i32.atomic.load (i32.const 0))))"),
        off("exceptions", "(tag)"),
        off("garbage collection", "(type (struct (field i32)))"),
        off("references to the host", "(table 1 externref)"),
        off(
            "relaxed vectors",
            "(func (param v128 v128) (result v128)
            (i8x16.relaxed_swizzle (local.get 0) (local.get 1)))",
        ),
        off("small pages", "(memory 1 (pagesize 1))"),
    ]
}

/// Bots that already break a rule when an instance is made.
fn starts() -> Vec<Row> {
    let start = |name, fields, words| row(name, with(fields, "(i32.const 16)"), "start", words);
    vec![
        start("an endless start", "(func $f (loop br 0)) (start $f)", "ms of CPU"),
        start("a trap at the start", "(func $f unreachable) (start $f)", "unreachable"),
        start("recursion at the start", "(func $f (call $f)) (start $f)", "256 KiB"),
        start(
            "memory at the start",
            "(func $f (loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
                unreachable) (start $f)",
            "32 MiB",
        ),
        start("a table at the start", "(table 30000 funcref)", "table"),
        start("data outside of memory", r#"(data (i32.const 999999) "x")"#, "out of bounds"),
    ]
}
