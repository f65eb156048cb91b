//! Actions to the one object that a block takes as its answer.

use botyard_kernel::action::{Action, ContactUpdate};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value};

use super::dialect::Attributes;
use super::form::Form;
use super::ids::Person;
use super::settings::Settings;
use crate::fields::{Fields, object};
use crate::{Part, Reply, To};

/// The answer of a webhook: what the first action that the block is made for says, and
/// every `contact_update`.
pub(super) fn answer(settings: &Settings, to: &To<'_>, parts: &[Part<'_>]) -> Reply {
    let dialect = &settings.dialect;
    let form = Form::named(to.form);
    let shown =
        form.and_then(|form| parts.iter().find_map(|part| dialect.data.of(form, part.action)));
    let (data, success) = match (shown, form) {
        (Some(data), _) => (data, true),
        (None, Some(Form::Text)) => (instead(settings, to).to_owned(), true),
        // A picture or a button of nothing would be shown broken.
        (None, Some(Form::Image | Form::Gallery | Form::Button | Form::QuickReply)) => {
            (String::new(), dialect.empty_success)
        }
        // Nobody sees what a ticket webhook is answered.
        (None, None) => (String::new(), true),
    };
    let attributes = attributes(&dialect.attributes, parts);
    let body = Fields::new()
        .with("data", data)
        .with("success", success)
        .with("message", if success { "Successful" } else { "Nothing to show" })
        .some("attributes", (!attributes.is_empty()).then_some(attributes))
        .with("status", StatusCode::OK.as_u16());
    Reply {
        status: StatusCode::OK,
        content_type: "application/json",
        body: Bytes::from(Value::from(body).to_string()),
    }
}

/// What a text block shows where it is to show nothing, or not yet: the wait text
/// promises that more comes, so it is only for who can be told later.
fn instead<'a>(settings: &'a Settings, to: &To<'a>) -> &'a str {
    match Person::of(to.conversation) {
        _ if !to.late => "",
        Some(_) => &settings.wait_text,
        None => to.failure_text.unwrap_or_default(),
    }
}

/// What the vendor shall save of the person; what came last holds.
fn attributes(names: &Attributes, parts: &[Part<'_>]) -> Map<String, Value> {
    let mut attributes = Map::new();
    for part in parts {
        if let Action::ContactUpdate(update) = part.action {
            attributes.extend(updated(names, update));
        }
    }
    attributes
}

fn updated(names: &Attributes, update: &ContactUpdate) -> Map<String, Value> {
    let mut updated = update.custom_fields.as_deref().and_then(object).unwrap_or_default();
    let fields = [
        (&names.name, &update.name),
        (&names.email, &update.email),
        (&names.mobile_number, &update.mobile_number),
        (&names.external_customer_id, &update.external_customer_id),
    ];
    for (name, field) in fields {
        if let Some(field) = field {
            updated.insert(name.clone(), Value::from(&**field));
        }
    }
    updated
}
