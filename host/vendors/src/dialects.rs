//! What a channel's setting `dialect` may say, for people: the keys of every vendor with what
//! they do and what holds where a channel says nothing, as TOML.
//!
//! The words are those of the types: each `dialect.rs` is read as text, so that nothing is
//! written twice.

mod source;

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::instabot::client;
use crate::known::VENDORS;
use source::{Field, Source, Type};

/// The keys of a dialect.
#[derive(Debug)]
pub struct Described {
    /// The text of the module that has them.
    pub source: &'static str,
    /// What holds where nothing is said.
    pub defaults: fn() -> Value,
}

const INTRODUCTION: &str = "\
# Dialects

What a vendor's pages leave open is a *dialect*: key names, switches and paces that a channel can
set in the place of ours. This page has them all with their defaults, and is made from the code;
`BOTYARD_WRITE_DOCS=1 cargo test -p botyard-vendors dialects` writes it anew. `botyard vendor
dialect NAME` prints the same for one vendor.

Write down only what your account does otherwise: in the settings file as below, behind the name
of the channel (`[tenants.acme.channels.acme-care.dialect.hmac]`), over the API as an object of
the same shape. A key that there is not is refused. A list replaces the whole of ours, and so does
a table of names that are not ours.
`botyard channel probe NAME --dialect '{…}'` tries some without changing the channel.
";

/// The keys of all vendors, as Markdown.
pub fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for known in VENDORS {
        section(&mut page, known.name, &known.dialect);
    }
    section(&mut page, "instabot, as an external bot", &client::DIALECT);
    page
}

fn section(page: &mut String, name: &str, described: &Described) {
    // Writing to a text cannot fail.
    let _ = write!(page, "\n## {name}\n\n```toml\n{}```\n", toml(described));
}

/// The keys of a dialect, as TOML with comments. A key that is not set by default is a comment.
pub fn toml(described: &Described) -> String {
    let source = Source::read(described.source);
    let mut text = String::new();
    if let Value::Object(defaults) = (described.defaults)() {
        table(&mut text, &source, "dialect", "Dialect", &defaults);
    }
    text
}

/// The keys of a table, those that are tables themselves last.
fn table(text: &mut String, source: &Source, path: &str, name: &str, values: &Map<String, Value>) {
    let _ = writeln!(text, "[{path}]");
    let kind = |field: Option<&Field>| field.and_then(|field| source.kind(&field.kind));
    let is_table = |field: Option<&Field>| matches!(kind(field), Some(Type::Struct));
    let fields = values.iter().map(|(key, value)| (key, value, source.field(name, key)));
    let (tables, keys): (Vec<_>, Vec<_>) = fields.partition(|(.., field)| is_table(*field));
    for (key, value, field) in keys {
        comment(text, field);
        if let Some(Type::Words(words)) = kind(field) {
            for (word, docs) in words {
                let meaning = docs.join(" ");
                let separator = if meaning.is_empty() { "" } else { ": " };
                let _ = writeln!(text, "# {word:?}{separator}{meaning}");
            }
        }
        let _ = match value {
            Value::Null => writeln!(text, "#{key} = …"),
            value => writeln!(text, "{key} = {}", literal(value)),
        };
    }
    for (key, value, field) in tables {
        let (Value::Object(values), Some(Field { kind, .. })) = (value, field) else { continue };
        text.push('\n');
        comment(text, field);
        table(text, source, &format!("{path}.{key}"), kind, values);
    }
}

fn comment(text: &mut String, field: Option<&Field>) {
    for line in field.into_iter().flat_map(|field| &field.docs) {
        let _ = writeln!(text, "# {line}");
    }
}

/// A value as TOML writes it in one line.
fn literal(value: &Value) -> String {
    match value {
        Value::Array(values) => {
            format!("[{}]", values.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let set = fields.iter().filter(|(_, value)| !value.is_null());
            let fields = set.map(|(key, value)| format!("{key} = {}", literal(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/dialects.md");

    #[test]
    fn the_page_is_made_from_the_code() {
        let page = page();
        if std::env::var_os("BOTYARD_WRITE_DOCS").is_some() {
            std::fs::write(PAGE, &page).expect("the page can be written");
        }
        let written = std::fs::read_to_string(PAGE).unwrap_or_default();
        assert!(
            page == written,
            "docs/dialects.md is out of date: run `BOTYARD_WRITE_DOCS=1 cargo test -p \
             botyard-vendors dialects`"
        );
    }

    fn without_nothing(value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                let set = fields.iter().filter(|(_, value)| !value.is_null());
                set.map(|(key, value)| (key.clone(), without_nothing(value))).collect()
            }
            value => value.clone(),
        }
    }

    #[test]
    fn what_is_printed_is_what_holds_and_can_be_pasted() {
        for known in VENDORS {
            let printed = toml(&known.dialect);
            let read: Value = toml::from_str(&printed).expect("TOML");
            let defaults = without_nothing(&(known.dialect.defaults)());
            assert_eq!(read["dialect"], defaults, "{}", known.name);
            let mut settings = (known.sample)();
            settings["dialect"] = read["dialect"].clone();
            assert!((known.connect)(settings).is_ok(), "{}", known.name);
        }
    }

    #[test]
    fn every_table_and_nearly_every_key_says_what_it_is_for() {
        let all = VENDORS.iter().map(|known| &known.dialect).chain([&client::DIALECT]);
        for described in all {
            let printed = toml(described);
            let lines: Vec<_> = printed.lines().collect();
            let said = lines.iter().filter(|line| line.starts_with("# ")).count();
            assert!(said > 3 && !printed.contains("///"), "{printed}");
        }
        let khoros = VENDORS.iter().find(|known| known.name == "khoros").expect("it");
        let printed = toml(&khoros.dialect);
        assert!(
            printed.contains("\n# \"base64\": Of either"),
            "words have their meaning: {printed}"
        );
        assert_eq!(literal(&json!({ "a": [1, "b"], "c": null })), r#"{ a = [1, "b"] }"#);
    }
}
