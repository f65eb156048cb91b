//! Bots that are loaded and break a rule when they handle an event.

use botyard_kernel::run::FailureKind;
use botyard_kernel::run::FailureKind::{Cpu, Memory, Output, Rejected, Stack, Trap};

use crate::build::{Bot, allocating, bot, calling, flooding, with};
use crate::{Expect, Row};

const LOG: &str = r#"(import "botyard:bot/log@1.0.0" "log" (func $log (param i32 i32 i32)))"#;
const GET: &str = r#"(import "botyard:bot/kv@1.0.0" "get" (func $get (param i32 i32 i32 i32)))"#;
const SET: &str =
    r#"(import "botyard:bot/kv@1.0.0" "set" (func $set (param i32 i32 i32 i32 i32 i32)))"#;
const ALL: &str = r#"(import "botyard:bot/config@1.0.0" "all" (func $all (param i32)))"#;

fn row(name: &'static str, bytes: Vec<u8>, kind: FailureKind, words: &'static str) -> Row {
    Row { name, bytes, expect: Expect::Fails(kind, words) }
}

/// Every one of them.
pub fn rows() -> Vec<Row> {
    let all =
        [computing(), moving(), trapping(), answering(), floods(), calls(), finding(), reaching()];
    all.into_iter().flatten().collect()
}

/// What uses up time, memory or stack.
fn computing() -> Vec<Row> {
    let grown = "(loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))";
    vec![
        row("a spin", bot("(loop br 0) unreachable"), Cpu, "ms of CPU"),
        row(
            "two functions that spin",
            with(
                "(func $a (return_call $b)) (func $b (return_call $a))",
                "(call $a) (i32.const 16)",
            ),
            Cpu,
            "ms of CPU",
        ),
        row("a memory bomb", bot(&format!("{grown} unreachable")), Memory, "32 MiB"),
        row(
            "a memory bomb of a small bot that signs as Python",
            with(
                r#"(@producers (processed-by "componentize-py" "0.25"))"#,
                &format!("{grown} unreachable"),
            ),
            Memory,
            "32 MiB",
        ),
        row(
            "a table bomb",
            with(
                "(table $t 1 funcref)",
                "(loop (br_if 0 (i32.ne (table.grow $t (ref.null func) (i32.const 1000))
                    (i32.const -1)))) unreachable",
            ),
            Memory,
            "table",
        ),
        row(
            "recursion",
            with("(func $f (call $f) (call $f))", "(call $f) (i32.const 16)"),
            Stack,
            "256 KiB",
        ),
        row(
            "recursion by a table",
            with(
                "(table 1 funcref) (elem (i32.const 0) $f)
                 (func $f (call_indirect (i32.const 0)) (call $f))",
                "(call $f) (i32.const 16)",
            ),
            Stack,
            "256 KiB",
        ),
    ]
}

/// Single instructions that move a lot.
fn moving() -> Vec<Row> {
    let large = "(drop (memory.grow (i32.const 472)))";
    vec![
        row(
            "copies of 15 MiB without end",
            bot(&format!(
                "{large} (loop (memory.copy (i32.const 0) (i32.const 15728640)
                    (i32.const 15728640)) (br 0)) unreachable"
            )),
            Cpu,
            "ms of CPU",
        ),
        row(
            "fills of 30 MiB without end",
            bot(&format!(
                "{large} (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 31457280))
                    (br 0)) unreachable"
            )),
            Cpu,
            "ms of CPU",
        ),
        row(
            "copies of tables without end",
            with(
                "(table $t 20000 funcref)",
                "(loop (table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 19999)) (br 0))
                    unreachable",
            ),
            Cpu,
            "ms of CPU",
        ),
    ]
}

fn trapping() -> Vec<Row> {
    vec![
        row("unreachable", bot("unreachable"), Trap, "unreachable"),
        row("division by zero", bot("(i32.div_u (i32.const 1) (i32.const 0))"), Trap, "divide"),
        row(
            "a number that does not fit",
            bot("(i32.trunc_f64_s (f64.const nan))"),
            Trap,
            "invalid conversion",
        ),
        row("a read beyond memory", bot("(i32.load (i32.const -8))"), Trap, "out of bounds"),
        row(
            "a call of nothing",
            with("(table 1 funcref)", "(call_indirect (i32.const 0)) (i32.const 16)"),
            Trap,
            "uninitialized",
        ),
        row(
            "a call of another type",
            with(
                "(table 1 funcref) (elem (i32.const 0) $f) (func $f)",
                "(call_indirect (result i32) (i32.const 0))",
            ),
            Trap,
            "type mismatch",
        ),
        row(
            "a copy beyond memory",
            bot("(memory.copy (i32.const 0) (i32.const 0) (i32.const -1)) (i32.const 16)"),
            Trap,
            "out of bounds",
        ),
    ]
}

/// Answers, and the memory that the host asks for, that are not as they must be.
fn answering() -> Vec<Row> {
    let store = |stores: &[(u32, &str)]| {
        let stores: String = stores
            .iter()
            .map(|(at, value)| format!("(i32.store (i32.const {at}) (i32.const {value}))"))
            .collect();
        bot(&format!("{stores} (i32.const 32)"))
    };
    let list = |address, length| store(&[(36, address), (40, length)]);
    let reject = |address, length| store(&[(32, "1"), (40, address), (44, length)]);
    vec![
        row("an answer beyond memory", bot("(i32.const -16)"), Trap, "broke a rule"),
        row("an answer between addresses", bot("(i32.const 17)"), Trap, "aligned"),
        row("an answer of no case", store(&[(32, "7")]), Trap, "broke a rule"),
        row("a list beyond memory", list("64", "100000"), Trap, "broke a rule"),
        row("a list of four billion", list("64", "-1"), Trap, "broke a rule"),
        row(
            "actions of no case",
            bot("(memory.fill (i32.const 64) (i32.const 255)
            (i32.const 4096)) (i32.store (i32.const 36) (i32.const 64))
            (i32.store (i32.const 40) (i32.const 1)) (i32.const 32)"),
            Trap,
            "broke a rule",
        ),
        row("a refusal beyond memory", reject("64", "999999999"), Trap, "broke a rule"),
        row(
            "a refusal that is no text",
            bot("(i32.store (i32.const 64) (i32.const -1))
            (i32.store (i32.const 32) (i32.const 1)) (i32.store (i32.const 40) (i32.const 64))
            (i32.store (i32.const 44) (i32.const 4)) (i32.const 32)"),
            Trap,
            "utf-8",
        ),
        row("a refusal without words", reject("64", "0"), Rejected, ""),
        row(
            "memory given out beyond memory",
            allocating("(i32.const -65536)"),
            Trap,
            "broke a rule",
        ),
        row("memory given out askew", allocating("(i32.const 4097)"), Trap, "aligned"),
        row("memory that takes for ever", allocating("(loop br 0) unreachable"), Cpu, "ms of CPU"),
        row("memory that is refused", allocating("unreachable"), Trap, "unreachable"),
    ]
}

/// Calls of the host without end.
fn floods() -> Vec<Row> {
    let flood = |name, imports, call: &str| row(name, flooding(imports, call), Cpu, "ms of CPU");
    let set = "(call $set (i32.const 1) (i32.const 64) (i32.const 9) (i32.const 64)
        (i32.const 60000) (i32.const 65000))";
    vec![
        flood("a flood of log", LOG, "(call $log (i32.const 0) (i32.const 64) (i32.const 1000))"),
        flood(
            "a flood of reads",
            GET,
            "(call $get (i32.const 0) (i32.const 64) (i32.const 9) (i32.const 512))",
        ),
        flood("a flood of writes", SET, set),
        flood("a flood of settings", ALL, "(call $all (i32.const 512))"),
    ]
}

/// Single calls of the host that are not as they must be.
fn calls() -> Vec<Row> {
    let log = |before: &str, arguments: &str| {
        calling(LOG, &format!("{before} (call $log {arguments}) (i32.const 16)"))
    };
    let get = |before: &str, arguments: &str| {
        calling(GET, &format!("{before} (call $get {arguments}) (i32.const 16)"))
    };
    let large = "(drop (memory.grow (i32.const 400)))";
    let no_text = "(i32.store (i32.const 64) (i32.const -1))";
    vec![
        row(
            "a huge line",
            log(large, "(i32.const 0) (i32.const 64) (i32.const 20000000)"),
            Output,
            "1088 KiB",
        ),
        row(
            "a huge key",
            get(large, "(i32.const 0) (i32.const 64) (i32.const 20000000) (i32.const 512)"),
            Output,
            "1088 KiB",
        ),
        row(
            "a line beyond memory",
            log("", "(i32.const 0) (i32.const 64) (i32.const 2000000000)"),
            Trap,
            "broke a rule",
        ),
        row(
            "a line that is no text",
            log(no_text, "(i32.const 0) (i32.const 64) (i32.const 4)"),
            Trap,
            "utf-8",
        ),
        row(
            "a level of no case",
            log("", "(i32.const 99) (i32.const 64) (i32.const 1)"),
            Trap,
            "broke a rule",
        ),
        row(
            "an answer of the host beyond memory",
            get("", "(i32.const 0) (i32.const 64) (i32.const 9) (i32.const -64)"),
            Trap,
            "broke a rule",
        ),
    ]
}

/// What a bot can find out by WASI 0.1, which the host wraps. A finding is a trap.
fn finding() -> Vec<Row> {
    let clock = r#""clock_time_get" (func $clock (param i32 i64 i32) (result i32))"#;
    let random = r#""random_get" (func $random (param i32 i32) (result i32))"#;
    let sizes = r#""environ_sizes_get" (func $sizes (param i32 i32) (result i32))"#;
    let still = "(drop (call $clock (i32.const 1) (i64.const 0) (i32.const 512)))
        (loop (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if 0 (i32.lt_u (local.get $n) (i32.const 1000000))))
        (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 520)))
        (if (i64.ne (i64.load (i32.const 512)) (i64.load (i32.const 520))) (then unreachable))";
    // A turn's time is in whole milliseconds, which that of a real clock is once in a million.
    let now = "(drop (call $clock (i32.const 0) (i64.const 0) (i32.const 512)))
        (if (i64.ne (i64.rem_u (i64.load (i32.const 512)) (i64.const 1000000)) (i64.const 0))
            (then unreachable))";
    let drawn = "(drop (call $random (i32.const 512) (i32.const 8)))
        (if (i64.eqz (i64.load (i32.const 512))) (then unreachable))";
    let empty = "(drop (call $sizes (i32.const 512) (i32.const 516)))
        (if (i32.load (i32.const 512)) (then unreachable))";
    vec![
        probe("the clock stands still", clock, still),
        probe("the clock is the turn's", clock, now),
        probe("chance is there", random, drawn),
        probe("the environment is empty", sizes, empty),
    ]
}

/// What a bot can reach by WASI 0.1: each call must fail.
fn reaching() -> Vec<Row> {
    let fails = |name, function, call: &str| {
        probe(name, function, &format!("(if (i32.eqz {call}) (then unreachable))"))
    };
    let preopen = r#""fd_prestat_get" (func $preopen (param i32 i32) (result i32))"#;
    let open =
        r#""path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32))"#;
    let shut = r#""sock_shutdown" (func $shut (param i32 i32) (result i32))"#;
    let exit = r#""proc_exit" (func $exit (param i32))"#;
    vec![
        fails("no directory is open", preopen, "(call $preopen (i32.const 3) (i32.const 512))"),
        fails(
            "no file can be opened",
            open,
            "(call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 0)
                (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 512))",
        ),
        fails("no socket is there", shut, "(call $shut (i32.const 3) (i32.const 0))"),
        Row {
            expect: Expect::Fails(Trap, "exit("),
            ..probe("an exit", exit, "(call $exit (i32.const 1))")
        },
    ]
}

/// A bot that calls a function of WASI 0.1.
fn probe(name: &'static str, function: &str, body: &str) -> Row {
    let imports = format!(r#"(import "wasi_snapshot_preview1" {function})"#);
    let bytes = Bot { imports: &imports, ..Bot::plain(&format!("{body} (i32.const 16)")) }.build();
    Row { name, bytes, expect: Expect::Harmless }
}
