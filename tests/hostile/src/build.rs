//! Makes hostile uploads.

use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Text to bytes.
///
/// # Panics
///
/// The text is no WebAssembly.
pub fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A component with a handler that is none, and more besides.
pub fn component(more: &str) -> Vec<u8> {
    wat(&format!(
        r#"(component {more}
            (instance $handler)
            (export "botyard:bot/handler@1.0.0" (instance $handler)))"#
    ))
}

/// A component with a core module of these fields.
pub fn module(fields: &str) -> Vec<u8> {
    component(&format!("(core module {fields})"))
}

/// The same text so many times, with its number in the place of `#`.
pub fn times(count: usize, text: &str) -> String {
    (0..count).map(|index| text.replace('#', &index.to_string())).collect()
}

/// A core module that wants to be a bot. Its handler does what `body` says and
/// leaves the address of its answer; 16 is that of no actions at all. Memory is
/// free from 4096 on, and `$realloc` may be replaced.
#[derive(Clone, Copy, Debug)]
pub struct Bot<'a> {
    /// Its imports, as fields of the module.
    pub imports: &'a str,
    /// Its own functions, tables and data.
    pub fields: &'a str,
    /// The body of the function that gives out memory.
    pub realloc: &'a str,
    /// The body of its handler.
    pub body: &'a str,
}

/// Gives out memory from the first page's end on, and never takes it back.
const BUMP: &str = "(local $at i32)
    (local.set $at (global.get $top))
    (global.set $top (i32.add (global.get $top)
        (i32.and (i32.add (local.get 3) (i32.const 15)) (i32.const -16))))
    (local.get $at)";

/// A bot with nothing but a handler.
pub fn bot(body: &str) -> Vec<u8> {
    Bot::plain(body).build()
}

/// A bot that imports functions.
pub fn calling(imports: &str, body: &str) -> Vec<u8> {
    Bot { imports, ..Bot::plain(body) }.build()
}

/// A bot that makes a call of the host without end, and keeps no answer.
pub fn flooding(imports: &str, call: &str) -> Vec<u8> {
    let body = format!("(loop {call} (br 0)) unreachable");
    Bot { imports, realloc: "(i32.const 69632)", ..Bot::plain(&body) }.build()
}

/// A bot with functions of its own.
pub fn with(fields: &str, body: &str) -> Vec<u8> {
    Bot { fields, ..Bot::plain(body) }.build()
}

/// A bot whose memory is given out in another way.
pub fn allocating(realloc: &str) -> Vec<u8> {
    Bot { realloc, ..Bot::plain("(i32.const 16)") }.build()
}

impl<'a> Bot<'a> {
    /// One with nothing but a handler.
    pub fn plain(body: &'a str) -> Self {
        Self { imports: "", fields: "", realloc: BUMP, body }
    }

    /// The module, with the contract in it.
    ///
    /// # Panics
    ///
    /// The text is no module.
    pub fn build(&self) -> Vec<u8> {
        let Self { imports, fields, realloc, body } = self;
        let mut module = wat(&format!(
            r#"(module {imports}
                (memory (export "memory") 8)
                (global $top (mut i32) (i32.const 65536))
                {fields}
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})
                (func (export "botyard:bot/handler@1.0.0#handle") (param i32) (result i32)
                    (local $n i32) (local $wide i64)
                    {body}))"#
        ));
        let mut resolve = Resolve::default();
        let wit = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/v1");
        let (package, _) = resolve.push_dir(wit).expect("the contract is readable");
        let world = resolve.select_world(&[package], Some("bot")).expect("it has the world");
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
            .expect("the world fits into a section");
        module
    }
}

/// Cheap to write and slow to compile: values live across many branches.
pub fn compile_bomb(functions: usize, branches: usize) -> Vec<u8> {
    let step = "(if (local.get 0) (then (local.set 1 (i64.mul (local.get 1) (local.get 2)))
        (local.set 2 (i64.add (local.get 2) (local.get 1)))) (else
        (local.set 2 (i64.xor (local.get 1) (i64.const #)))))";
    let function = format!("(func (param i32 i64 i64) {})", times(branches, step));
    with(&function.repeat(functions), "(i32.const 16)")
}
