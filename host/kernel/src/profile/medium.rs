//! How a vendor's mediums are written down: one table of a file for each.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::names::{Carried, Limited};
use super::{ActionLimits, Length, Limits, limit_keys};

/// All mediums of a vendor, as its file has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mediums(Vec<Medium>);

impl Mediums {
    /// All tables, in the order of the file; the last is for mediums that no
    /// other names.
    pub fn all(&self) -> &[Medium] {
        &self.0
    }

    /// The table of a medium.
    pub fn of(&self, medium: &str) -> &Medium {
        let named = self.0.iter().find(|table| table.names.iter().any(|name| name == medium));
        // Reading made sure that there is a last one.
        named.unwrap_or_else(|| &self.0[self.0.len() - 1])
    }
}

/// What mediums of these names carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Medium {
    /// As the vendor names them; `*` stands for all that no table names.
    pub names: Vec<String>,
    /// As [`super::Profile::native`].
    pub native: Vec<&'static str>,
    /// As [`super::Profile::limits`].
    pub limits: Arc<Limits>,
    /// What bots are told besides, or instead of what follows from the rest.
    pub settings: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFile {
    medium: Vec<Medium>,
}

impl<'de> Deserialize<'de> for Mediums {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let WrittenFile { medium: mediums } = WrittenFile::deserialize(deserializer)?;
        if mediums.last().is_none_or(|last| last.names != ["*"]) {
            return Err(Error::custom("the last medium must be `names = [\"*\"]`: all others"));
        }
        let mut names: Vec<_> = mediums.iter().flat_map(|medium| &medium.names).collect();
        names.sort();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::custom(format_args!("the medium `{}` stands twice", twice[0])));
        }
        Ok(Self(mediums))
    }
}

#[derive(Deserialize)]
struct WrittenMedium {
    names: Vec<String>,
    native: Vec<Carried>,
    text: WrittenText,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    #[serde(flatten)]
    actions: BTreeMap<Limited, ActionLimits>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenText {
    limit: Length,
}

impl<'de> Deserialize<'de> for Medium {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let WrittenMedium { names, native, text, settings, actions } =
            WrittenMedium::deserialize(deserializer)?;
        let native: Vec<_> = native.into_iter().map(|Carried(name)| name).collect();
        if !native.contains(&"message") {
            return Err(Error::custom(format_args!("{names:?} must carry `message`")));
        }
        let actions: BTreeMap<_, _> =
            actions.into_iter().map(|(Limited(name), limits)| (name, limits)).collect();
        for (action, limits) in &actions {
            let keys = limits.counts().map(|(key, _)| key).chain(limits.lengths().map(|it| it.0));
            for key in keys {
                if !limit_keys(action).contains(&key) {
                    return Err(Error::custom(format_args!("`{action}` has no limit `{key}`")));
                }
            }
            if !native.contains(action) {
                return Err(Error::custom(format_args!(
                    "{names:?} has limits of `{action}` and does not carry it"
                )));
            }
        }
        Ok(Self { names, native, limits: Arc::new(Limits { text: text.limit, actions }), settings })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn length(max: usize) -> Value {
        json!({ "max": max, "unit": "bytes", "source": "a page", "sure": "guessed" })
    }

    fn others() -> Value {
        json!({ "names": ["*"], "native": ["message"], "text": { "limit": length(9) } })
    }

    fn chat(change: Value) -> Value {
        let mut chat = json!({
            "names": ["chat"],
            "native": ["message", "bubbles"],
            "text": { "limit": length(100) },
        });
        chat.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        chat
    }

    fn read(mediums: &Value) -> Result<Mediums, String> {
        serde_json::from_value(json!({ "medium": mediums })).map_err(|error| error.to_string())
    }

    #[test]
    fn a_medium_is_found_by_its_name() {
        let mediums = read(&json!([chat(json!({})), others()])).expect("mediums");
        assert_eq!(mediums.of("chat").limits.text.max, 100);
        assert_eq!(mediums.of("pigeon").limits.text.max, 9);
        assert_eq!(mediums.of("chat").native, ["message", "bubbles"]);
    }

    #[test]
    fn limits_are_those_of_an_action() {
        let own = json!({ "bubbles": {
            "options": { "max": 3, "source": "a page", "sure": "documented" }, "label": length(20),
        }});
        let mediums = read(&json!([chat(own), others()])).expect("mediums");
        let bubbles = mediums.of("chat").limits.of("bubbles").clone();
        assert_eq!(bubbles.options.map(|it| it.max), Some(3));
        assert_eq!(bubbles.label.map(|it| it.to_string()), Some("20 bytes".to_owned()));
        assert_eq!(mediums.of("chat").limits.of("carousel"), &ActionLimits::NONE);
    }

    #[test]
    fn whatever_nobody_holds_to_is_an_error() {
        let rows = [
            (json!([chat(json!({}))]), "the last medium must be"),
            (json!([]), "the last medium must be"),
            (json!([chat(json!({})), chat(json!({})), others()]), "`chat` stands twice"),
            (json!([chat(json!({ "bubles": {} })), others()]), "`bubles` is no key"),
            (json!([chat(json!({ "typing": {} })), others()]), "`typing` is no key"),
            (json!([chat(json!({ "carousel": {} })), others()]), "does not carry it"),
            (
                json!([chat(json!({ "native": ["message", "bubles"] })), others()]),
                "names no action",
            ),
            (json!([chat(json!({ "native": ["bubbles"] })), others()]), "must carry `message`"),
            (
                json!([chat(json!({ "bubbles": { "labels": length(1) } })), others()]),
                "unknown field `labels`",
            ),
            (
                json!([chat(json!({ "bubbles": { "caption": length(1) } })), others()]),
                "`bubbles` has no limit `caption`",
            ),
            (
                json!([chat(json!({ "bubbles": { "options": length(1) } })), others()]),
                "unknown field `unit`",
            ),
            (
                json!([chat(json!({ "text": { "limit": { "max": 1 } } })), others()]),
                "missing field `unit`",
            ),
        ];
        for (mediums, expect) in rows {
            let error = read(&mediums).expect_err(expect);
            assert!(error.contains(expect), "{error}");
        }
    }
}
