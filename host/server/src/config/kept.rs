//! What files for a host say by where it is kept, `{ env = "NAME" }` or `{ file = "PATH" }`:
//! whoever has the files reads it, and the host keeps it among the secrets of the tenant.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use botyard_kernel::id::Digest;
use botyard_kernel::limits::Limit;
use serde_json::{Map, Value, json};

use super::environment::Environment;
use super::error::{ConfigError, Wrong};
use super::layers::holds;
use super::secret::{Secret, reveal};
use super::section::is_name;

/// Stands between the parts of a secret's name.
const BETWEEN: &str = "--";

/// Secrets by the names under which a tenant is to keep them.
pub(crate) type Kept = BTreeMap<String, Secret>;

/// Makes relative paths of `{ file = "PATH" }` in the tenants of a file paths from `directory` on.
pub(crate) fn relative_to(directory: &Path, whole: &mut Value) {
    let tenants = whole.get_mut("tenants").and_then(Value::as_object_mut);
    for tenant in tenants.into_iter().flatten().map(|(_, tenant)| tenant) {
        each(tenant, &mut |key, value| relative(&[key], value, directory));
    }
}

fn relative(path: &[String], value: &mut Value, directory: &Path) {
    if is_kept_elsewhere(path, value) {
        if let Some(Value::String(file)) = value.get_mut("file") {
            *file = directory.join(&*file).display().to_string();
        }
        return;
    }
    each(value, &mut |key, inner| relative(&[path, &[key]].concat(), inner, directory));
}

/// Takes out of the settings of a tenant what is kept elsewhere, and puts the name of a
/// secret in its place. The name is made of the place, so the same files give the same names.
///
/// # Errors
/// A variable is not there or empty, a file cannot be read, is empty or has more than a secret
/// may, or a place is none. The text names the key and the last file that has it, and
/// never a secret.
pub(crate) fn take_out(
    tenant: &str,
    settings: &mut Map<String, Value>,
    variables: impl Iterator<Item = (String, String)>,
    files: &[(PathBuf, Value)],
) -> Result<Kept, ConfigError> {
    let environment = Environment::new(variables);
    let mut kept = Kept::new();
    let taken = settings.iter_mut().try_for_each(|(key, value)| {
        take(std::slice::from_ref(key), value, &environment, &mut kept)
    });
    taken.map_err(|wrong| {
        let path = [vec!["tenants".to_owned(), tenant.to_owned()], wrong.path].concat();
        let file = files.iter().rev().find(|(_, settings)| holds(settings, &path));
        let source = file.map(|(file, _)| format!("in {}", file.display()));
        Wrong { path, problem: wrong.problem }.at(source)
    })?;
    Ok(kept)
}

fn take(
    path: &[String],
    value: &mut Value,
    environment: &Environment,
    kept: &mut Kept,
) -> Result<(), Wrong> {
    let wrong = |problem| Wrong { path: path.to_owned(), problem };
    if !is_kept_elsewhere(path, value) {
        let mut all = Ok(());
        each(value, &mut |key, inner| {
            if all.is_ok() {
                all = take(&[path, &[key]].concat(), inner, environment, kept);
            }
        });
        return all;
    }
    if let Some(text) = reveal(value, environment) {
        let text = text.map_err(wrong)?;
        let most = Limit::SecretBytes.preset_size();
        if text.len() > most {
            return Err(wrong(format!("is no secret: it has more than {most} bytes")));
        }
        let name = name(path);
        *value = json!({"secret": name});
        kept.insert(name, Secret::new(text));
    }
    Ok(())
}

/// Whether a value says where something is kept, in the words of the caller's machine.
fn is_kept_elsewhere(path: &[String], value: &Value) -> bool {
    let table = value.as_object();
    let says = table.is_some_and(|table| table.contains_key("file") || table.contains_key("env"));
    says && !is_by_name(&path.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Whether the keys of a table are names that somebody chose: `file` may be one of them.
fn is_by_name(path: &[&str]) -> bool {
    matches!(path, ["bots" | "relays" | "channels"] | ["bots" | "relays" | "channels", _])
        || matches!(path, ["bots", _, "config"])
}

/// The name of the secret of a place. No two places have the same: where the parts are names
/// without the sign between them it tells them apart, and elsewhere a hash does.
fn name(path: &[String]) -> String {
    let plain = |part: &String| is_name(part) && !part.contains(BETWEEN) && !part.ends_with('-');
    let whole = path.join(BETWEEN);
    if path.iter().all(plain) && is_name(&whole) {
        return whole;
    }
    let letter = |letter: char| match letter.to_ascii_lowercase() {
        letter if letter.is_ascii_lowercase() || letter.is_ascii_digit() => letter,
        _ => '-',
    };
    // Three signs in a row stand in no name that is whole, so the two kinds never meet.
    let readable: String = whole.chars().map(letter).take(40).collect();
    let hash = Digest::of_parts(path.iter().map(String::as_bytes)).to_string();
    format!("{}---{}", readable.trim_end_matches('-'), &hash[..16])
}

/// Everything within a value, with its key.
fn each(value: &mut Value, within: &mut dyn FnMut(String, &mut Value)) {
    match value {
        Value::Object(table) => {
            table.iter_mut().for_each(|(key, value)| within(key.clone(), value))
        }
        Value::Array(items) => {
            items.iter_mut().enumerate().for_each(|(n, value)| within(n.to_string(), value));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(settings: Value, file: &str) -> Result<(Value, Kept), String> {
        let variables = [("TOKEN", "t-123"), ("EMPTY", ""), ("LONG", &"x".repeat(70_000))];
        let variables = variables.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let Value::Object(mut table) = settings.clone() else { panic!("a table") };
        let files = [(PathBuf::from(file), json!({"tenants": {"acme": settings}}))];
        let kept = take_out("acme", &mut table, variables.into_iter(), &files);
        kept.map(|kept| (Value::Object(table), kept)).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn what_is_kept_elsewhere_becomes_a_secret_with_the_name_of_its_place() {
        let settings = json!({
            "alert-secret": {"env": "TOKEN"},
            "channels": {"web": {"api-token": {"env": "TOKEN"}, "hook": {"secret": "own"}}},
            "bots": {"b": {"http-headers": {"a.example": {"x-key": {"env": "TOKEN"}}}}},
            "list": [{"env": "TOKEN"}],
        });
        let (settings, kept) = taken(settings, "a.toml").unwrap();
        let [header] = kept.keys().filter(|name| name.starts_with("bots")).collect::<Vec<_>>()[..]
        else {
            panic!("{kept:?}")
        };
        assert!(is_name(header), "{header}");
        let expected = json!({
            "alert-secret": {"secret": "alert-secret"},
            "channels": {"web": {
                "api-token": {"secret": "channels--web--api-token"},
                "hook": {"secret": "own"},
            }},
            "bots": {"b": {"http-headers": {"a.example": {"x-key": {"secret": header}}}}},
            "list": [{"secret": "list--0"}],
        });
        assert_eq!(settings, expected);
        assert!(kept.values().all(|secret| secret.expose() == "t-123"));
        assert_eq!(kept.len(), 4);
    }

    #[test]
    fn a_key_that_is_a_name_may_be_called_file() {
        let settings = json!({
            "bots": {"env": {"config": {"file": "menu.json"}}},
            "channels": {"file": {"vendor": "userlike"}},
        });
        let (same, kept) = taken(settings.clone(), "a.toml").unwrap();
        assert_eq!((same, kept.len()), (settings, 0));
        let within = json!({"bots": {"b": {"config": {"file": {"env": "TOKEN"}}}}});
        let (_, kept) = taken(within, "a.toml").unwrap();
        assert_eq!(kept.keys().collect::<Vec<_>>(), ["bots--b--config--file"]);
    }

    #[test]
    fn names_differ_where_places_do() {
        let path = |parts: &[&str]| parts.iter().map(|&part| part.to_owned()).collect::<Vec<_>>();
        let places: [&[&str]; 8] = [
            &["bots", "a", "b"],
            &["bots", "a--b"],
            &["bots", "a-", "b"],
            &["bots", "A", "b"],
            &["bots", "a.b"],
            &["bots", "a_b"],
            &["bots", &"x".repeat(63), "one"],
            &["bots", &"x".repeat(63), "two"],
        ];
        let names: Vec<_> = places.iter().map(|parts| name(&path(parts))).collect();
        assert!(names.iter().all(|name| is_name(name)), "{names:?}");
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), places.len(), "{names:?}");
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_key_and_its_file() {
        let cases = [
            (json!({"env": "MISSING"}), "is not there: set the environment variable MISSING"),
            (json!({"env": "EMPTY"}), "is empty"),
            (json!({"env": "LONG"}), "is no secret: it has more than"),
            (json!({"file": "/no/such/file"}), "cannot be read from /no/such/file"),
            (json!({"file": "/dev/null"}), "is empty"),
            (json!({"file": 7}), "must be kept in one place"),
            (json!({"env": "TOKEN", "file": "/x"}), "must be kept in one place"),
            (json!({"env": "TOKEN", "secret": "own"}), "must be kept in one place"),
        ];
        for (place, expected) in cases {
            let settings = json!({"channels": {"web": {"api-token": place}}});
            let said = taken(settings, "/etc/acme.toml").unwrap_err();
            let key = "`tenants.acme.channels.web.api-token` (in /etc/acme.toml)";
            assert!(said.starts_with(key) && said.contains(expected), "{said}");
            assert!(!said.contains("t-123"), "{said}");
        }
    }

    #[test]
    fn a_relative_path_is_one_from_the_directory_of_its_file() {
        let with = |token: &str, other: &str| {
            json!({"log": {"file": "own"}, "tenants": {"acme": {
                "alert-secret": {"file": token},
                "channels": {"web": {"list": [{"file": other}, {"env": "file"}]}},
                "bots": {"b": {"config": {"file": "menu.json"}}},
            }}})
        };
        let mut settings = with("token", "/abs");
        relative_to(Path::new("/etc/bots"), &mut settings);
        assert_eq!(settings, with("/etc/bots/token", "/abs"));
    }
}
