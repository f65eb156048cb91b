//! What a messenger lets a person do, as the document tells it for each medium.

use serde_json::{Value, json};

use super::account::{Account, Memory};
use super::deliver::Step;
use super::record::Form;
use super::session::{Session, State};

/// What a person does.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Opens the messenger, or a conversation in it.
    Start,
    /// Writes.
    Write(String),
    /// Taps an option, by its id.
    Click(String),
    /// Sends a file.
    Media(String),
    /// Sends a place: latitude and longitude.
    Location(f64, f64),
    /// Writes the word that ends a campaign's messages.
    Unsubscribe(String),
}

impl Account {
    /// The event that comes of what the person of a conversation does.
    ///
    /// # Errors
    ///
    /// Says why there is none: the messenger does not offer it.
    pub fn act(&self, cid: &str, act: Act) -> Result<Step, String> {
        let mut memory = self.memory();
        let Memory { sessions, .. } = &mut *memory;
        let session = sessions.get_mut(cid).ok_or_else(|| format!("no conversation {cid}"))?;
        match act {
            Act::Click(id) => click(session, &id),
            act if session.state != State::Open => {
                let state = session.state.name();
                Err(format!("the session is {state}: {act:?} reaches no bot, begin another one"))
            }
            Act::Start if session.is_begun => Err("the session has begun already".to_owned()),
            Act::Start if session.medium != "web" => {
                let medium = &session.medium;
                Err(format!("on {medium} a conversation begins with what the person sends"))
            }
            Act::Start => Ok(begin(session, json!({}))),
            Act::Write(text) => write(session, &text),
            Act::Media(link) => send(session, "media", media(&link)),
            Act::Location(..) | Act::Unsubscribe(_) if session.medium != "whatsapp_business" => {
                Err(format!("{} has no places and no campaigns: WhatsApp has", session.medium))
            }
            Act::Location(latitude, longitude) => {
                send(session, "location", json!({ "latitude": latitude, "longitude": longitude }))
            }
            Act::Unsubscribe(_) if !session.is_begun => {
                Err("nothing was begun that could be told of it".to_owned())
            }
            Act::Unsubscribe(keyword) => {
                let campaign = json!({ "id": 77, "name": "Spring sale" });
                let payload = json!({ "campaign": campaign, "keyword": keyword });
                Ok(Step::new("campaign_unsubscribe", payload))
            }
        }
    }
}

fn begin(session: &mut Session, payload: Value) -> Step {
    session.is_begun = true;
    Step::new("start", payload)
}

fn media(link: &str) -> Value {
    let name = link.rsplit('/').next().unwrap_or(link);
    json!({ "link": link, "name": name })
}

/// "Chatbot sessions": on the web the start comes before the contact can write; in
/// an app it carries what the contact sent.
fn send(session: &mut Session, name: &str, payload: Value) -> Result<Step, String> {
    if !session.is_begun {
        if session.medium == "web" {
            return Err("on the web a conversation begins with a start".to_owned());
        }
        return Ok(begin(session, json!({ name: payload })));
    }
    session.said();
    Ok(Step::new(name, payload))
}

/// "Text fallback": a number is a click only immediately after the options.
fn write(session: &mut Session, text: &str) -> Result<Step, String> {
    if let Some(choice) = session.choices.back_mut()
        && choice.is_last
        && choice.form == Form::Text
        && let Some(number) = text.trim().parse::<usize>().ok().and_then(|n| n.checked_sub(1))
        && let Some((id, label)) = choice.options.get(number)
    {
        choice.answered = true;
        choice.is_last = false;
        return Ok(Step::new("click", json!({ "id": id, "label": label })));
    }
    send(session, "message", json!({ "body": text }))
}

/// "Differences in Choice Message Behavior": on the web a choice is answered once;
/// in an app only the first click is a click, and none is after the session.
fn click(session: &mut Session, id: &str) -> Result<Step, String> {
    let is_over = session.state != State::Open;
    let in_app = session.medium != "web";
    let offered = session.choices.iter_mut().rev().find_map(|choice| {
        let option = choice.options.iter().find(|(known, _)| known == id)?.clone();
        Some((choice, option))
    });
    let (choice, (id, label)) =
        offered.ok_or_else(|| format!("no option with the id {id} was offered"))?;
    if choice.form == Form::Text {
        return Err(format!("{label} is a line of text here: write its number"));
    }
    if !in_app && (choice.answered || is_over) {
        let why = if is_over { "the session is over" } else { "the choice was answered already" };
        return Err(format!("{label} cannot be tapped: {why}"));
    }
    let first = !choice.answered && !is_over;
    choice.answered = true;
    session.said();
    if first {
        Ok(Step::new("click", json!({ "id": id, "label": label })))
    } else {
        Ok(Step::message(&label))
    }
}

#[cfg(test)]
mod tests;
