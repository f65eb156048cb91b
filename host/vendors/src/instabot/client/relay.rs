//! An Instabot bot as one that a conversation is handed over to.

use botyard_kernel::action::ContactUpdate;
use botyard_kernel::relay::{Ask, Heard, Person, Text};
use serde_json::{Map, Value};

use super::read::{self, Answer};
use super::{Client, NewChat};
use crate::external::{Asked, ExternalBot};
use crate::{Call, CallAnswer, Outcome};

/// What stands before the place of an option that came without a payload: only its
/// label is sent.
const WITHOUT_PAYLOAD: &str = "label-";

impl ExternalBot for Client {
    fn vendor(&self) -> &'static str {
        "instabot"
    }

    fn ask(&self, ask: &Ask, to: &Asked<'_>) -> Call {
        match ask {
            Ask::Start(person) => {
                let metadata = metadata(person);
                self.start(&NewChat {
                    email: &self.email(person, to),
                    callback_url: to.callback_url,
                    metadata: Some(&metadata),
                })
            }
            Ask::Say { stream, text, option } => {
                let payload = option.as_deref().and_then(|id| id.parse().ok());
                self.respond(stream, text, payload)
            }
            Ask::Who(person) => self.get_user(&self.email(person, to)),
        }
    }

    fn heard(&self, answer: &CallAnswer) -> Result<Heard, Outcome> {
        let Answer { stream_id, messages, unreadable } = self.answer(answer)?;
        let note = format!(
            "{unreadable} messages or quick replies of the external bot are not as Instabot \
             documents them, and were left out"
        );
        let notes = Some(note).filter(|_| unreadable > 0).into_iter().collect();
        let says_end = |message: &read::Text| self.is_end(&message.text);
        let over = messages.iter().any(says_end).then(|| "it said that it is done".to_owned());
        let texts = messages.into_iter().map(text).collect();
        Ok(Heard { stream: stream_id, texts, over, notes, ..Heard::default() })
    }

    fn asks_who(&self) -> bool {
        self.dialect.ask_user
    }

    fn known(&self, answer: &CallAnswer) -> Option<ContactUpdate> {
        let user = self.user(answer).ok()?;
        let name = user.friendly_name.filter(|_| !user.is_default_friendly_name);
        let own = user.all.get("customProperties").and_then(Value::as_object);
        let mut properties = own.cloned().unwrap_or_default();
        properties.retain(|_, value| !value.is_null());
        let custom_fields = (!properties.is_empty()).then(|| Value::Object(properties).to_string());
        Some(ContactUpdate { name, custom_fields, ..ContactUpdate::default() })
    }

    fn spoke(&self, body: &[u8]) -> Result<Heard, String> {
        let said = self.agent_text(body).map_err(|unreadable| unreadable.0)?;
        let over = said.left && self.dialect.agent_left_ends;
        let text = Text { text: said.text, options: Vec::new() };
        Ok(Heard {
            stream: Some(said.stream_id),
            // That they have left is said by the vendor, in its own words.
            texts: if said.left { Vec::new() } else { vec![text] },
            over: over.then(|| "its agent has left".to_owned()),
            ..Heard::default()
        })
    }
}

impl Client {
    /// The vendor knows a person by an address: who has none gets one, always the same.
    fn email(&self, person: &Person, to: &Asked<'_>) -> String {
        let email = person.email.as_deref().filter(|email| !email.trim().is_empty());
        let guest = || format!("{}@{}", to.guest, self.dialect.guest_domain);
        email.map_or_else(guest, str::to_owned)
    }

    fn is_end(&self, text: &str) -> bool {
        let plain = |text: &str| text.trim().to_lowercase();
        self.dialect.end_texts.iter().any(|known| plain(known) == plain(text))
    }
}

fn metadata(person: &Person) -> Map<String, Value> {
    let known = [
        ("name", person.name.as_deref()),
        ("locale", person.locale.as_deref()),
        ("medium", Some(person.medium.as_str()).filter(|medium| !medium.is_empty())),
    ];
    let known = known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into())));
    known.collect()
}

/// Options are known again by their payloads; one that came before needs another name.
fn text(text: read::Text) -> Text {
    let mut options: Vec<(String, String)> = Vec::new();
    for (place, reply) in text.quick_replies.into_iter().enumerate() {
        let payload = reply.payload.map(|payload| payload.to_string());
        let free = payload.filter(|id| !options.iter().any(|(known, _)| known == id));
        let id = free.unwrap_or_else(|| format!("{WITHOUT_PAYLOAD}{place}"));
        options.push((id, reply.title));
    }
    Text { text: text.text, options }
}
