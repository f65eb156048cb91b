//! What a component wants from outside, and whether it is there.

use serde::{Deserialize, Serialize};

use crate::load_error::short;

/// Interfaces of the contract that a bot may import.
const CONTRACT: [&str; 8] = ["types", "event", "action", "session", "log", "config", "kv", "http"];
/// Those of them that can do something.
const POWERS: [&str; 4] = ["log", "config", "kv", "http"];
/// Packages of WASI 0.2 that are linked, in a locked-down form, each with its interfaces.
const WASI: [(&str, &[&str]); 7] = [
    (
        "cli",
        &[
            "environment",
            "exit",
            "stderr",
            "stdin",
            "stdout",
            "terminal-input",
            "terminal-output",
            "terminal-stderr",
            "terminal-stdin",
            "terminal-stdout",
        ],
    ),
    ("clocks", &["monotonic-clock", "wall-clock"]),
    ("filesystem", &["preopens", "types"]),
    ("http", &["outgoing-handler", "types"]),
    ("io", &["error", "poll", "streams"]),
    ("random", &["insecure", "insecure-seed", "random"]),
    (
        "sockets",
        &[
            "instance-network",
            "ip-name-lookup",
            "network",
            "tcp",
            "tcp-create-socket",
            "udp",
            "udp-create-socket",
        ],
    ),
];

/// How much of a name is quoted, in bytes.
pub(crate) const NAME_BYTES: usize = 200;

/// An import that this host does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignImport {
    /// Its name, as the component has it.
    pub name: String,
    /// What its author can do.
    pub advice: String,
}

impl std::fmt::Display for ForeignImport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.advice)
    }
}

/// What the imports ask of the host, in words of ours: `log`, `config`, `kv`,
/// `http`, and packages of WASI such as `wasi:sockets`. Sorted, each once.
///
/// # Errors
///
/// Every import that this host does not have.
pub(crate) fn powers<'a>(
    imports: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<String>, Vec<ForeignImport>> {
    let (mut powers, mut foreign) = (Vec::new(), Vec::new());
    for name in imports {
        match judge(name) {
            Ok(power) => powers.extend(power),
            Err(advice) => foreign.push(ForeignImport { name: short(name, NAME_BYTES), advice }),
        }
    }
    powers.sort_unstable();
    powers.dedup();
    if foreign.is_empty() { Ok(powers) } else { Err(foreign) }
}

/// The power that an import is, if any, or what to do about it.
fn judge(import: &str) -> Result<Option<String>, String> {
    let (name, version) = import.split_once('@').unwrap_or((import, ""));
    let (package, interface) = name.split_once('/').unwrap_or((name, ""));
    match package.split_once(':') {
        Some(("botyard", "bot")) => of_contract(interface, version),
        Some(("wasi", part)) => of_wasi(part, interface, version),
        _ if name.starts_with("wasi_") || name == "env" => {
            Err("build for the target wasm32-wasip2".to_owned())
        }
        _ => Err("build for the world `bot` of botyard:bot@1.0.0, and compose what else it needs \
                  into the component"
            .to_owned()),
    }
}

fn of_contract(interface: &str, version: &str) -> Result<Option<String>, String> {
    if !version.starts_with("1.") {
        let built_for = if version.is_empty() { "no version" } else { version };
        return Err(format!(
            "it was built for {} of botyard:bot and this host speaks 1: build with an \
             SDK for version 1",
            short(built_for, 20)
        ));
    }
    if !CONTRACT.contains(&interface) {
        let powers = POWERS.join(", ");
        return Err(format!(
            "this host's botyard:bot has {powers}: build against its wit/v1, or ask its operator \
             for a newer Botyard"
        ));
    }
    Ok(POWERS.contains(&interface).then(|| interface.to_owned()))
}

fn of_wasi(part: &str, interface: &str, version: &str) -> Result<Option<String>, String> {
    let instead = match part {
        "keyvalue" => "kv",
        "config" => "config",
        "logging" => "log",
        _ => "",
    };
    if !instead.is_empty() {
        return Err(format!("use botyard:bot/{instead} instead"));
    }
    let Some((_, interfaces)) = WASI.iter().find(|(package, _)| *package == part) else {
        return Err(format!(
            "a bot has no wasi:{}: leave out what needs it; calls to web services go by \
             botyard:bot/http",
            short(part, 20)
        ));
    };
    if !version.starts_with("0.2.") {
        return Err("this host has WASI 0.2: build for the target wasm32-wasip2".to_owned());
    }
    if !interfaces.contains(&interface) {
        let there = interfaces.join(", ");
        return Err(format!("of wasi:{part} a bot has {there}: leave out what needs more"));
    }
    Ok(Some(format!("wasi:{part}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_listed_once_and_in_order() {
        let imports = [
            "wasi:sockets/tcp@0.2.6",
            "botyard:bot/types@1.0.0",
            "botyard:bot/kv@1.4.0",
            "wasi:sockets/udp@0.2.3",
            "botyard:bot/http@1.0.0",
        ];
        assert_eq!(powers(imports).unwrap(), ["http", "kv", "wasi:sockets"]);
        assert!(powers([]).unwrap().is_empty());
    }

    #[test]
    fn all_foreign_imports_are_named_each_with_what_to_do() {
        let imports = [
            ("wasi:keyvalue/store@0.2.0", "botyard:bot/kv"),
            ("wasi:logging/logging", "botyard:bot/log"),
            ("wasi:nn/graph@0.2.0", "has no wasi:nn"),
            ("wasi:cli/stdout@0.3.0", "wasm32-wasip2"),
            ("wasi:cli/stdout", "wasm32-wasip2"),
            ("wasi:cli/nonsense@0.2.0", "of wasi:cli a bot has environment, exit"),
            ("wasi:clocks@0.2.0", "of wasi:clocks a bot has monotonic-clock, wall-clock"),
            ("wasi:clocks/timezone@0.2.0", "leave out what needs more"),
            ("wasi_snapshot_preview1", "wasm32-wasip2"),
            ("env", "wasm32-wasip2"),
            ("botyard:bot/kv@2.0.0", "built for 2.0.0"),
            ("botyard:bot/kv", "built for no version"),
            ("botyard:bot/kv@10.0.0", "built for 10.0.0"),
            ("botyard:bot/secrets@1.9.0", "newer Botyard"),
            ("botyard:bots/kv@1.0.0", "world `bot`"),
            ("acme:shop/cart@1.0.0", "world `bot`"),
            ("", "world `bot`"),
        ];
        let foreign = powers(imports.map(|(name, _)| name)).expect_err("foreign");
        assert_eq!(foreign.len(), imports.len());
        for (foreign, (name, advice)) in foreign.iter().zip(imports) {
            assert_eq!(foreign.name, name);
            assert!(foreign.advice.contains(advice), "{foreign}");
        }
    }
}
