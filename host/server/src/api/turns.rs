//! Turns, as their tenant looks at them: what happened, what the bot made of it, and what
//! it knew afterwards.

use std::sync::Arc;

use botyard_kernel::access::redact;
use botyard_kernel::event::Event;
use botyard_kernel::id::ConversationKey;
use botyard_kernel::log::{Outcome, Turn as LoggedTurn};
use botyard_kernel::relay::is_relays;
use botyard_kernel::run::{LogLevel, LogLine};
use botyard_kernel::time::Millis;
use botyard_store::{StoreError, TenantStore};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::caller::Allowed;
use crate::redactor::Redactor;
use crate::shown::event_json;

/// One event handled.
#[derive(Serialize, ToSchema)]
pub(super) struct Turn {
    /// Its place in the conversation.
    seq: u64,
    /// Its id.
    turn: String,
    /// The event that was handled.
    event: String,
    /// When it came (Unix milliseconds). As `happened`, absent for a start that the host
    /// has made itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    received_ms: Option<Millis>,
    /// What it said, in the canonical form. Without the right to read texts, their lengths
    /// stand there. Of what a web service answered, there is only how it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    happened: Option<Value>,
    /// `ran`, `failed`, or why nobody ran.
    result: Value,
    /// The version that ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// What the bot returned, in the canonical form. Without the right to read texts,
    /// their lengths stand there.
    actions: Value,
    /// CPU time in microseconds; 0 where the bot failed.
    cpu_us: u64,
    /// What the bot wrote into its log.
    log: Vec<Line>,
    /// The bot's context afterwards, or its length; absent outside of a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<String>,
}

/// A line of a bot's log.
#[derive(Serialize, ToSchema)]
pub(super) struct Line {
    #[schema(value_type = String)]
    level: LogLevel,
    message: String,
}

/// The events that turns handled, as long as they are kept. Turns take events in order, so each
/// is the last of those that were consumed with it.
///
/// # Errors
/// The store fails.
pub(super) async fn handled(
    store: &TenantStore,
    turns: &[(&ConversationKey, &LoggedTurn)],
) -> Result<Vec<Option<Event>>, StoreError> {
    let apart = turns.iter().filter(|(_, turn)| turn.fused.is_none());
    let places: Vec<_> = apart.map(|(key, turn)| ((*key).clone(), turn.watermark)).collect();
    let mut found = store.accepted_at(&places).await?.into_iter();
    let event = |(_, turn): &(&ConversationKey, &LoggedTurn)| match &turn.fused {
        Some(arrival) => Some(arrival.event.clone()),
        None => found.next().flatten().map(|it| it.event).filter(|event| event.id == turn.event),
    };
    Ok(turns.iter().map(event).collect())
}

/// Whoever reads turns.
pub(super) struct Reader {
    /// They may read what people said, were told and are known for; else they see lengths.
    texts: bool,
    /// Takes the tenant's secrets out of what anybody said.
    redactor: Option<Arc<Redactor>>,
}

impl Reader {
    /// Who asks for them.
    pub(super) fn of(allowed: &Allowed) -> Self {
        let redactor = allowed.app.work.redactors().of(&allowed.tenant);
        Self { texts: allowed.shows_texts(), redactor }
    }

    /// Whoever is handed out all that is known of a person.
    pub(super) fn of_all() -> Self {
        Self { texts: true, redactor: None }
    }

    /// A turn with the event that it handled.
    pub(super) fn turn(&self, seq: u64, turn: LoggedTurn, event: Option<Event>) -> Turn {
        let (result, version, actions, cpu_us) = match turn.outcome {
            Outcome::Ran { version, actions, cpu_us } => {
                let actions = if self.texts { json!(actions) } else { redact::actions(&actions) };
                (json!("ran"), Some(version.to_string()), actions, cpu_us)
            }
            Outcome::Failed { version, mut failure } => {
                // It may quote what was said, or what the bot wrote before it broke down.
                failure.message = self.text(failure.message);
                (json!({ "failed": failure }), Some(version.to_string()), json!([]), 0)
            }
            Outcome::Skipped(reason) => {
                (json!({ "skipped": format!("{reason:?}") }), None, json!([]), 0)
            }
        };
        let line = |line: LogLine| Line { level: line.level, message: self.text(line.message) };
        Turn {
            seq,
            turn: turn.id.0,
            event: turn.event.0,
            received_ms: event.as_ref().map(|event| event.received_ms),
            happened: event.map(|event| self.happened(&event)),
            result,
            version,
            actions,
            cpu_us,
            log: turn.log.into_iter().map(line).collect(),
            context: turn.state.session.map(|session| self.text(session.context)),
        }
    }

    fn text(&self, mut text: String) -> String {
        if !self.texts {
            return redact::length(&text);
        }
        if let Some(redactor) = &self.redactor {
            redactor.text(&mut text);
        }
        text
    }

    fn happened(&self, event: &Event) -> Value {
        if is_relays(&event.body) {
            // Around what an external bot says stands the key of the conversation there,
            // which is a secret.
            return json!({ "name": event.body.name() });
        }
        if !self.texts {
            return redact::event(event)["body"].take();
        }
        let mut happened = event_json(&event.body);
        if let Some(redactor) = &self.redactor {
            redactor.value(&mut happened);
        }
        happened
    }
}

#[cfg(test)]
mod tests {
    use botyard_kernel::action::TextFormat;
    use botyard_kernel::event::{EventBody, Message};
    use botyard_kernel::id::Digest;
    use botyard_kernel::run::{Blame, FailureKind, RunFailure};

    use super::*;
    use crate::app::scratch::turn;

    #[test]
    fn a_failure_tells_no_words_to_whoever_may_read_none() {
        let failure = RunFailure {
            blame: Blame::Bot,
            kind: FailureKind::Trap,
            message: "panicked at `my secret words`".to_owned(),
        };
        let turn = turn(Outcome::Failed { version: Digest::of(b""), failure });
        let failed = |texts| {
            let reader = Reader { texts, redactor: None };
            reader.turn(1, turn.clone(), None).result["failed"].clone()
        };
        assert!(failed(true).to_string().contains("my secret words"));
        let hidden = failed(false);
        assert_eq!(hidden["message"], "[29 characters]");
        assert_eq!((&hidden["blame"], &hidden["kind"]), (&json!("bot"), &json!("trap")));
    }

    #[test]
    fn what_a_person_said_is_shown_to_whoever_may_read_it() {
        let said = Message { text: "my secret words".to_owned(), format: TextFormat::Plain };
        let event = Event::new("e".into(), 70, EventBody::Message(said));
        let happened = |texts| {
            let version = Digest::of(b"");
            let turn = turn(Outcome::Ran { version, actions: Vec::new(), cpu_us: 1 });
            let reader = Reader { texts, redactor: None };
            let shown = json!(reader.turn(1, turn, Some(event.clone())));
            assert_eq!(shown["received_ms"], 70);
            shown["happened"].clone()
        };
        let said =
            |text| json!({ "name": "message", "payload": { "text": text, "format": "plain" } });
        assert_eq!(happened(true), said("my secret words"));
        assert_eq!(happened(false), said("[15 characters]"));
    }
}
