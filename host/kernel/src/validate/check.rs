//! The rules that many fields share.

use std::fmt::Display;

use http::Uri;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::action::Action;
use crate::run::{Blame, FailureKind, RunFailure};
use crate::validate::{LABEL_MAX_CHARACTERS, NAME_MAX_BYTES, TEXT_MAX_CHARACTERS};

const NO_LINK: &str = "is no absolute http or https address; characters beyond ASCII and blanks \
                       must be percent-encoded";

/// One action under check: what a failure says of where it happened.
#[derive(Clone, Copy)]
pub(super) struct Check {
    index: usize,
    action: &'static str,
}

impl Check {
    pub(super) fn new(index: usize, action: &Action) -> Self {
        Self { index, action: action.name() }
    }

    /// A field of this action breaks a rule.
    pub(super) fn fail(self, field: impl Display, problem: impl Display) -> RunFailure {
        let Self { index, action } = self;
        let message = format!("action {index} ({action}): `{field}` {problem}");
        RunFailure { blame: Blame::Bot, kind: FailureKind::InvalidAction, message }
    }

    pub(super) fn at_most<N: Display + PartialOrd>(
        self,
        field: impl Display,
        given: N,
        most: N,
        unit: &str,
    ) -> Result<(), RunFailure> {
        if given > most {
            let problem = format_args!("has {given} {unit}, at most {most} are allowed");
            return Err(self.fail(field, problem));
        }
        Ok(())
    }

    pub(super) fn not_empty(self, field: impl Display, given: usize) -> Result<(), RunFailure> {
        if given == 0 {
            return Err(self.fail(field, "is empty, at least one is needed"));
        }
        Ok(())
    }

    /// 1 to 5,000 characters.
    pub(super) fn text(self, field: impl Display, text: &str) -> Result<(), RunFailure> {
        self.characters(field, text, TEXT_MAX_CHARACTERS)
    }

    /// At most 5,000 characters; bots may write an absent text as an empty one.
    pub(super) fn optional_text(
        self,
        field: impl Display,
        text: Option<&str>,
    ) -> Result<(), RunFailure> {
        match text {
            None | Some("") => Ok(()),
            Some(text) => self.text(field, text),
        }
    }

    /// 1 to 500 characters.
    pub(super) fn label(self, field: impl Display, label: &str) -> Result<(), RunFailure> {
        self.characters(field, label, LABEL_MAX_CHARACTERS)
    }

    /// As [`Self::label`], and not blank: nobody could tell options by that. An empty one
    /// counts as absent.
    pub(super) fn short_label(
        self,
        field: impl Display,
        label: Option<&str>,
    ) -> Result<(), RunFailure> {
        match label {
            None | Some("") => Ok(()),
            Some(label) if label.trim().is_empty() => {
                Err(self.fail(field, "is blank: leave it out where the label has none"))
            }
            Some(label) => self.label(field, label),
        }
    }

    fn characters(self, field: impl Display, text: &str, most: usize) -> Result<(), RunFailure> {
        if text.is_empty() {
            return Err(
                self.fail(field, format_args!("is empty, 1 to {most} characters are needed"))
            );
        }
        // Counting is only needed for texts that could be too long.
        if text.len() <= most {
            return Ok(());
        }
        self.at_most(field, text.chars().count(), most, "characters")
    }

    /// 1 to 200 bytes.
    pub(super) fn name(self, field: impl Display, name: &str) -> Result<(), RunFailure> {
        if name.is_empty() {
            let problem = format_args!("is empty, 1 to {NAME_MAX_BYTES} bytes are needed");
            return Err(self.fail(field, problem));
        }
        self.at_most(field, name.len(), NAME_MAX_BYTES, "bytes")
    }

    /// A vendor's id or name, of whatever length the vendor gives them.
    pub(super) fn id(self, field: impl Display, id: &str) -> Result<(), RunFailure> {
        if id.is_empty() {
            return Err(self.fail(field, "is empty"));
        }
        Ok(())
    }

    pub(super) fn optional_id(
        self,
        field: impl Display,
        id: Option<&str>,
    ) -> Result<(), RunFailure> {
        id.map_or(Ok(()), |id| self.id(field, id))
    }

    /// At least one id.
    pub(super) fn ids(self, field: &str, ids: &[String]) -> Result<(), RunFailure> {
        self.not_empty(field, ids.len())?;
        for (n, id) in ids.iter().enumerate() {
            self.id(format_args!("{field}[{n}]"), id)?;
        }
        Ok(())
    }

    /// An absolute address, http or https. Its text may hold secrets and stays
    /// out of the failure.
    pub(super) fn link(self, field: impl Display, link: &str) -> Result<(), RunFailure> {
        match scheme(link).as_deref() {
            Some("http" | "https") => Ok(()),
            Some(_) | None => Err(self.fail(field, NO_LINK)),
        }
    }

    pub(super) fn optional_link(
        self,
        field: impl Display,
        link: Option<&str>,
    ) -> Result<(), RunFailure> {
        link.map_or(Ok(()), |link| self.link(field, link))
    }

    /// An absolute https address.
    pub(super) fn secure_link(self, field: impl Display, link: &str) -> Result<(), RunFailure> {
        match scheme(link).as_deref() {
            Some("https") => Ok(()),
            Some(_) | None => Err(self.fail(field, "is no absolute https address")),
        }
    }

    pub(super) fn optional_secure_link(
        self,
        field: impl Display,
        link: Option<&str>,
    ) -> Result<(), RunFailure> {
        link.map_or(Ok(()), |link| self.secure_link(field, link))
    }

    /// JSON of any kind.
    pub(super) fn json(
        self,
        field: impl Display + Copy,
        json: &str,
        most: usize,
    ) -> Result<(), RunFailure> {
        self.at_most(field, json.len(), most, "bytes")?;
        match serde_json::from_str::<IgnoredAny>(json) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.fail(field, format_args!("is no JSON: {}", position(&error)))),
        }
    }

    /// A JSON object.
    pub(super) fn json_object(
        self,
        field: impl Display + Copy,
        json: &str,
        most: usize,
    ) -> Result<(), RunFailure> {
        self.at_most(field, json.len(), most, "bytes")?;
        self.object(field, json).map(drop)
    }

    pub(super) fn optional_object(
        self,
        field: impl Display,
        json: Option<&str>,
    ) -> Result<(), RunFailure> {
        json.map_or(Ok(()), |json| self.object(field, json).map(drop))
    }

    /// How many bytes a JSON object has without insignificant white space.
    pub(super) fn compact_object(
        self,
        field: impl Display,
        json: &str,
    ) -> Result<usize, RunFailure> {
        Ok(Value::Object(self.object(field, json)?).to_string().len())
    }

    fn object(self, field: impl Display, json: &str) -> Result<Map<String, Value>, RunFailure> {
        serde_json::from_str(json).map_err(|error| {
            self.fail(field, format_args!("is no JSON object: {}", position(&error)))
        })
    }
}

/// The scheme of an absolute address, in lower case.
fn scheme(link: &str) -> Option<String> {
    let uri: Uri = link.parse().ok()?;
    uri.host().filter(|host| !host.is_empty())?;
    uri.scheme_str().map(str::to_ascii_lowercase)
}

/// Where a JSON text is wrong. The parser's own words can quote the text.
fn position(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Data => "it is of another type",
        serde_json::error::Category::Io | serde_json::error::Category::Syntax => {
            "its syntax is wrong"
        }
    };
    format!("{what} at line {}, column {}", error.line(), error.column())
}
