//! What a bot says of itself without running: a JSON object in the custom
//! section [`SECTION`] of its component.
//!
//! ```json
//! {"name": "my-bot", "version": "0.1.0", "sdk": "rust 0.1.0", "wit": "1.0.0",
//!  "hosts": ["shop.example.com"], "config": {"type": "object"}, "degrade": "allow",
//!  "choices": "all"}
//! ```
//!
//! `hosts` are the hosts that the bot wants to reach, and no others: its tenant may or
//! may not grant them. A bot that learns from its configuration whom to call names none.
//! `config` is the JSON schema of its configuration, `{}` where it
//! needs none, and the host holds what tenants configure against it; `degrade` says what becomes of what a medium cannot carry: `allow`
//! lets the host make something of it that the medium carries, `deny` fails the turn;
//! and `choices` which typed texts are a click on an option of the menu that was asked
//! last: `all`, `numbers-and-labels` only, `labels` only, or none, `off`.
//! [`export!`](crate::export) writes it.

use serde_json::Value;

/// The name of the custom section.
pub const SECTION: &str = "botyard:manifest";

/// The version of `wit/v1` that this SDK speaks.
pub const WIT: &str = "1.0.0";

/// The name and version of this SDK.
pub const SDK: &str = concat!("rust ", env!("CARGO_PKG_VERSION"));

/// The length of all parts together, in bytes.
#[doc(hidden)]
pub const fn length(parts: &[&str]) -> usize {
    let mut length = 0;
    let mut part = 0;
    while part < parts.len() {
        length += parts[part].len();
        part += 1;
    }
    length
}

/// All parts, one after the other; `LENGTH` is what [`length`] says.
#[doc(hidden)]
pub const fn join<const LENGTH: usize>(parts: &[&str]) -> [u8; LENGTH] {
    let mut joined = [0; LENGTH];
    let (mut at, mut part) = (0, 0);
    while part < parts.len() {
        let bytes = parts[part].as_bytes();
        let mut byte = 0;
        while byte < bytes.len() {
            joined[at] = bytes[byte];
            at += 1;
            byte += 1;
        }
        part += 1;
    }
    joined
}

/// The schema of a bot, which may have none.
#[doc(hidden)]
pub const fn schema(given: &[&'static str]) -> &'static str {
    if given.is_empty() { "{}" } else { given[0] }
}

/// What becomes of what a medium cannot carry.
#[doc(hidden)]
pub const fn degrade(given: &[&'static str]) -> &'static str {
    if given.is_empty() { "allow" } else { given[0] }
}

/// Which typed texts mean an option.
#[doc(hidden)]
pub const fn choices(given: &[&'static str]) -> &'static str {
    if given.is_empty() { "all" } else { given[0] }
}

/// Whether a manifest is one that a host can read; every bot's tests run it.
///
/// # Errors
/// Says in a sentence what the author of the bot has to change.
#[doc(hidden)]
pub fn check(manifest: &[u8]) -> Result<(), String> {
    let manifest: Value = serde_json::from_slice(manifest).map_err(|error| {
        format!("`hosts` or `config` in `export!` are not written as JSON: {error}")
    })?;
    if !manifest["config"].is_object() {
        return Err("`config` in `export!` has to be a JSON schema, an object".to_owned());
    }
    if !["allow", "deny"].map(Value::from).contains(&manifest["degrade"]) {
        return Err("`degrade` in `export!` has to be \"allow\" or \"deny\"".to_owned());
    }
    let words = ["all", "numbers-and-labels", "labels", "off"];
    if !words.map(Value::from).contains(&manifest["choices"]) {
        return Err("`choices` in `export!` has to be \"all\", \"numbers-and-labels\", \
                    \"labels\" or \"off\""
            .to_owned());
    }
    for host in manifest["hosts"].as_array().into_iter().flatten() {
        let host = host.as_str().unwrap_or_default();
        let legal = |c: char| c.is_ascii_alphanumeric() || ".-:*[]".contains(c);
        if host.is_empty() || !host.chars().all(legal) {
            return Err(format!(
                "`{host}` in `hosts` has to be a host name, with a port if need be"
            ));
        }
    }
    Ok(())
}

/// Makes a [`Bot`](crate::Bot) the bot of this component, and writes its manifest.
///
/// Say it once, in the crate's root, with the name of the type. Optional, in this
/// order: `hosts`, the hosts that the bot wants to reach; `config`, the JSON schema of
/// its configuration (a string literal, or `include_str!` of a file); `degrade`,
/// where `"deny"` fails a turn whose actions the person's medium cannot carry as they
/// are, instead of changing them; and `choices`, where `"numbers-and-labels"` lets only
/// these answer a menu that the bot asked, and no ordinals, beginnings of labels and
/// typing errors, `"labels"` no numbers either, and `"off"` leaves all that is typed a message.
/// The name and the version are those of the package. A test that checks the
/// manifest comes with it.
///
/// ```
/// use botyard_sdk::prelude::*;
///
/// #[derive(Default)]
/// struct Orders;
///
/// impl Bot for Orders {}
///
/// export!(
///     Orders,
///     hosts: ["shop.example.com"],
///     config: r#"{"type": "object", "required": ["shop-url"]}"#,
/// );
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export {
    (
        $bot:ident
        $(, hosts: [$($host:literal),* $(,)?])?
        $(, config: $config:expr)?
        $(, degrade: $degrade:literal)?
        $(, choices: $choices:literal)?
        $(,)?
    ) => {
        #[doc(hidden)]
        mod botyard_export {
            const PARTS: &[&str] = &[
                "{\"name\":\"",
                env!("CARGO_PKG_NAME"),
                "\",\"version\":\"",
                env!("CARGO_PKG_VERSION"),
                "\",\"sdk\":\"",
                $crate::manifest::SDK,
                "\",\"wit\":\"",
                $crate::manifest::WIT,
                "\",\"hosts\":",
                stringify!([$($($host),*)?]),
                ",\"config\":",
                $crate::manifest::schema(&[$($config)?]),
                ",\"degrade\":\"",
                $crate::manifest::degrade(&[$($degrade)?]),
                "\",\"choices\":\"",
                $crate::manifest::choices(&[$($choices)?]),
                "\"}",
            ];

            #[used]
            #[cfg_attr(target_arch = "wasm32", unsafe(link_section = "botyard:manifest"))]
            static MANIFEST: [u8; $crate::manifest::length(PARTS)] =
                $crate::manifest::join(PARTS);

            #[cfg(target_arch = "wasm32")]
            mod component {
                type Exported = $crate::component::Component<super::super::$bot>;
                $crate::bindings::export_handler!(Exported with_types_in $crate::bindings);
            }

            #[cfg(test)]
            #[test]
            fn the_manifest_is_readable() {
                if let Err(reason) = $crate::manifest::check(&MANIFEST) {
                    panic!("{reason}");
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined() {
        const PARTS: &[&str] = &[
            "{\"degrade\":\"",
            degrade(&[]),
            "\",\"choices\":\"",
            choices(&[]),
            "\",\"config\":",
            schema(&[]),
            "}",
        ];
        const JOINED: [u8; length(PARTS)] = join(PARTS);
        assert_eq!(&JOINED, br#"{"degrade":"allow","choices":"all","config":{}}"#);
        assert_eq!(check(&JOINED), Ok(()));
    }

    #[test]
    fn a_bad_manifest_is_named() {
        let rows = [
            (r#"{"config":{a}}"#, "not written as JSON"),
            (r#"{"config":[]}"#, "JSON schema"),
            (r#"{"config":{},"degrade":"never"}"#, "\"allow\" or \"deny\""),
            (r#"{"config":{},"degrade":"allow","choices":"some"}"#, "\"numbers-and-labels\""),
            (
                r#"{"config":{},"degrade":"deny","choices":"off","hosts":["https://shop.example.com/"]}"#,
                "host name",
            ),
            (r#"{"config":{},"degrade":"allow","choices":"all","hosts":[""]}"#, "host name"),
        ];
        for (manifest, expected) in rows {
            let reason = check(manifest.as_bytes()).unwrap_err();
            assert!(reason.contains(expected), "{manifest}: {reason}");
        }
    }
}
