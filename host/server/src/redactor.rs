//! Known secrets in what bots write: whoever reads a log, or why a run failed, finds
//! none of them, also where the bot was told one in its configuration.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};
use botyard_kernel::id::TenantId;
use botyard_kernel::run::RunOutput;
use serde_json::Value;

/// Shorter ones would take ordinary words out of every log.
const BYTES_MIN: usize = 6;
/// What stands in their place.
const INSTEAD: &str = "[secret]";

/// The secrets of all tenants, as they are looked for.
#[derive(Debug, Default)]
pub struct Redactors(RwLock<HashMap<TenantId, Arc<Redactor>>>);

impl Redactors {
    /// A tenant has these secrets from now on.
    pub fn set<'a>(&self, tenant: &TenantId, secrets: impl IntoIterator<Item = &'a String>) {
        let redactor = Redactor::new(secrets);
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match redactor {
            Some(redactor) => drop(all.insert(tenant.clone(), Arc::new(redactor))),
            None => drop(all.remove(tenant)),
        }
    }

    /// Looks for the secrets of a tenant; absent where it has none.
    pub fn of(&self, tenant: &TenantId) -> Option<Arc<Redactor>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(tenant).cloned()
    }
}

/// Looks for secrets.
#[derive(Debug)]
pub struct Redactor(AhoCorasick);

impl Redactor {
    fn new<'a>(secrets: impl IntoIterator<Item = &'a String>) -> Option<Self> {
        let mut forms = Vec::new();
        for secret in secrets.into_iter().filter(|secret| secret.len() >= BYTES_MIN) {
            // As it stands in JSON, which bots like to write into their logs.
            let quoted = Value::from(secret.as_str()).to_string();
            let inner = quoted.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
            forms.extend([secret.clone(), inner.unwrap_or(&quoted).to_owned()]);
        }
        if forms.is_empty() {
            return None;
        }
        let known = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(forms);
        let known = known.inspect_err(|error| {
            tracing::error!(%error, "secrets cannot be looked for in what bots write");
        });
        known.ok().map(Self)
    }

    /// Takes secrets out of what a run says of itself. What it wants done stays as it is.
    pub fn output(&self, output: &mut RunOutput) {
        for line in &mut output.log {
            self.text(&mut line.message);
        }
        if let Err(failure) = &mut output.result {
            self.text(&mut failure.message);
        }
    }

    /// Takes secrets out of all texts of a value.
    pub fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(table) => table.values_mut().for_each(|value| self.value(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Takes secrets out of a text.
    pub fn text(&self, text: &mut String) {
        if self.0.is_match(text.as_str()) {
            let mut clean = String::with_capacity(text.len());
            self.0.replace_all_with(text, &mut clean, |_, _, clean| {
                clean.push_str(INSTEAD);
                true
            });
            *text = clean;
        }
    }
}

#[cfg(test)]
mod tests {
    use botyard_kernel::run::{Blame, FailureKind, LogLevel, LogLine, RunFailure};
    use serde_json::json;

    use super::*;

    fn redactor(secrets: &[&str]) -> Option<Redactor> {
        let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        Redactor::new(&secrets)
    }

    #[test]
    fn secrets_are_taken_out_in_each_form_and_whole() {
        let redactor = redactor(&["swordfish", "swordfish-2", "a\"quote\n\"", "short"]).unwrap();
        let rows = [
            ("key=swordfish!", "key=[secret]!"),
            ("swordfish-2swordfish", "[secret][secret]"),
            (r#"{"k":"a\"quote\n\""}"#, r#"{"k":"[secret]"}"#),
            ("a\"quote\n\"", "[secret]"),
            ("short words stay, Swordfish, too", "short words stay, Swordfish, too"),
            ("", ""),
        ];
        for (text, expected) in rows {
            let mut text = text.to_owned();
            redactor.text(&mut text);
            assert_eq!(text, expected);
        }
        let mut value = json!({"a": ["swordfish", 1], "b": null});
        redactor.value(&mut value);
        assert_eq!(value, json!({"a": ["[secret]", 1], "b": null}));
    }

    #[test]
    fn who_has_no_secrets_has_none_looked_for() {
        assert!(redactor(&[]).is_none());
        assert!(redactor(&["", "short"]).is_none());
        let (redactors, acme) = (Redactors::default(), TenantId::from("acme"));
        redactors.set(&acme, [&"swordfish".to_owned()]);
        assert!(redactors.of(&acme).is_some());
        assert!(redactors.of(&"other".into()).is_none());
        redactors.set(&acme, []);
        assert!(redactors.of(&acme).is_none());
    }

    #[test]
    fn a_run_says_no_secret_of_itself() {
        let failure = |message: &str| RunFailure {
            blame: Blame::Bot,
            kind: FailureKind::Trap,
            message: message.to_owned(),
        };
        let line = |message: &str| LogLine { level: LogLevel::Info, message: message.to_owned() };
        let mut output = RunOutput::failed(failure("at swordfish"));
        output.log = vec![line("swordfish")];
        redactor(&["swordfish"]).unwrap().output(&mut output);
        assert_eq!(output.result, Err(failure("at [secret]")));
        assert_eq!(output.log, [line("[secret]")]);
    }
}
