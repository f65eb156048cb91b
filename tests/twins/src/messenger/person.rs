//! What the people around a page do: those who write to it, and those who answer in
//! its inbox.

use serde_json::{Value, json};

use super::document::PAGE_INBOX;
use super::event::{Event, HOOK};
use super::page::Page;
use crate::account::{Account, Delivery, Outgoing};

/// What a person does.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Taps "Get started".
    Start,
    /// Writes.
    Write(String),
    /// Taps a quick reply or a button, by its payload.
    Tap(String),
    /// Sends a file: `image`, `video`, `audio` or `file`, and its address.
    Media(String, String),
    /// Sends a place: latitude and longitude.
    Location(f64, f64),
    /// Sends a thumb.
    Like,
    /// Comes by a link with this word.
    Referral(String),
    /// Reacts to a message with this id.
    React(String),
}

impl Account<Page> {
    /// The page knows this person, who has done nothing yet.
    pub fn know(&self, psid: &str) {
        let mut memory = self.memory();
        memory.vendor.thread(psid);
        memory.ledger.open(psid);
    }

    /// The event that comes of what a person does.
    ///
    /// # Errors
    ///
    /// Says why there is none: Messenger does not offer it.
    pub fn act(&self, psid: &str, act: Act) -> Result<Event, String> {
        let mut memory = self.memory();
        let now = memory.ledger.now();
        let page = &mut memory.vendor;
        let mid = page.next_mid();
        let (key, value) = match act {
            Act::Tap(payload) => tap(page, psid, mid, &payload)?,
            Act::Start => {
                let payload = page.options.get_started.clone();
                ("postback", json!({ "mid": mid, "title": "Get Started", "payload": payload }))
            }
            Act::Write(text) => ("message", json!({ "mid": mid, "text": text })),
            Act::Media(kind, url) => {
                let attachment = json!({ "type": kind, "payload": { "url": url } });
                ("message", json!({ "mid": mid, "attachments": [attachment] }))
            }
            Act::Location(latitude, longitude) => {
                let coordinates = json!({ "lat": latitude, "long": longitude });
                let payload = json!({ "coordinates": coordinates });
                let attachment =
                    json!({ "type": "location", "title": "Pinned", "payload": payload });
                ("message", json!({ "mid": mid, "attachments": [attachment] }))
            }
            Act::Like => {
                let payload = json!({
                    "url": "https://scontent.example.invalid/like.png",
                    "sticker_id": 369_239_263_222_822_u64,
                });
                let image = json!({ "type": "image", "payload": payload });
                (
                    "message",
                    json!({ "mid": mid, "sticker_id": payload["sticker_id"], "attachments": [image] }),
                )
            }
            Act::Referral(word) => {
                ("referral", json!({ "ref": word, "source": "SHORTLINK", "type": "OPEN_THREAD" }))
            }
            Act::React(mid) => {
                let value = json!({ "reaction": "smile", "emoji": "\u{1f642}", "action": "react", "mid": mid });
                ("reaction", value)
            }
        };
        page.thread(psid).heard(now);
        Ok(Event::from_person(page, psid, key, value))
    }

    /// A signed webhook with these events, in entries of at most two.
    pub fn webhook(&self, events: &[Event]) -> Outgoing {
        self.memory().vendor.webhook(events)
    }

    /// A signed webhook with any body.
    pub fn signed(&self, body: &Value) -> Outgoing {
        self.memory().vendor.signed("", body)
    }

    /// A person writes, and the page tells the app.
    pub async fn write(&self, psid: &str, text: &str) -> Delivery {
        // Everybody can write at any time.
        let event = self.act(psid, Act::Write(text.to_owned()));
        self.deliver(self.webhook(&event.into_iter().collect::<Vec<_>>())).await
    }

    /// A person taps, and the page tells the app.
    ///
    /// # Errors
    ///
    /// Nothing with this payload can be tapped.
    pub async fn tap(&self, psid: &str, payload: &str) -> Result<Delivery, String> {
        let event = self.act(psid, Act::Tap(payload.to_owned()))?;
        Ok(self.deliver(self.webhook(&[event])).await)
    }

    /// A person blocks the page, or comes back.
    pub fn set_gone(&self, psid: &str, is_gone: bool) {
        self.memory().vendor.thread(psid).is_gone = is_gone;
    }

    /// The app that controls a thread.
    pub fn owner(&self, psid: &str) -> Option<String> {
        self.memory().vendor.threads.get(psid)?.owner.clone()
    }

    /// A human takes the thread in the page's inbox.
    pub fn take_over(&self, psid: &str) -> Event {
        self.hand(psid, "take_thread_control", PAGE_INBOX, "agent")
    }

    /// A human gives the thread to the app.
    pub fn hand_back(&self, psid: &str) -> Event {
        let app = self.memory().vendor.options.app_id.clone();
        self.hand(psid, "pass_thread_control", &app, "done")
    }

    /// Another app asks for the thread.
    pub fn ask_for(&self, psid: &str) -> Event {
        let page = &self.memory().vendor;
        let value = json!({ "requested_owner_app_id": PAGE_INBOX, "metadata": "please" });
        Event::of_control(page, psid, "request_thread_control", value)
    }

    /// A human writes in the page's inbox.
    pub fn agent_says(&self, psid: &str, text: &str) -> Event {
        let page = &mut self.memory().vendor;
        let mid = page.next_mid();
        Event::echo(page, psid, &mid, PAGE_INBOX, &json!({ "text": text }))
    }

    /// The page tells which part its apps have; nobody sent that.
    pub fn roles(&self) -> Event {
        let page = &self.memory().vendor;
        Event::of_page(page, "app_roles", json!({ &page.options.app_id: ["primary_receiver"] }))
    }

    /// The app has another secret: from now on webhooks are signed with it.
    pub fn rotate(&self, app_secret: &str) {
        app_secret.clone_into(&mut self.memory().vendor.options.app_secret);
    }

    /// Checks the webhook as Meta does when it is entered: whether the challenge comes
    /// back.
    ///
    /// # Errors
    ///
    /// Says what came instead.
    pub async fn verify(&self, challenge: &str) -> Result<(), String> {
        let token = self.memory().vendor.options.verify_token.clone();
        let mut query = reqwest::Url::parse("http://twin/").map_err(|error| error.to_string())?;
        query
            .query_pairs_mut()
            .append_pair("hub.mode", "subscribe")
            .append_pair("hub.challenge", challenge)
            .append_pair("hub.verify_token", &token);
        let sent = self
            .post(Outgoing {
                conversation: String::new(),
                hook: HOOK.to_owned(),
                method: http::Method::GET,
                suffix: format!("?{}", query.query().unwrap_or_default()),
                headers: Vec::new(),
                body: Vec::new(),
            })
            .await;
        match (sent.status, &*sent.answer) {
            (Some(200), answer) if answer == challenge => Ok(()),
            (Some(200), answer) => Err(format!("answered {answer:?}, not the challenge")),
            (Some(status), _) => Err(format!("answered {status}")),
            (None, _) => Err(sent.reason.clone()),
        }
    }

    fn hand(&self, psid: &str, key: &str, to: &str, metadata: &str) -> Event {
        let mut memory = self.memory();
        let thread = memory.vendor.thread(psid);
        let from = thread.owner.replace(to.to_owned());
        memory.ledger.change(psid, &format!("owner {to}"));
        let value = json!({
            "previous_owner_app_id": from,
            "new_owner_app_id": to,
            "metadata": metadata,
        });
        Event::of_control(&memory.vendor, psid, key, value)
    }
}

/// A quick reply is a message, a button's tap is a postback.
fn tap(
    page: &mut Page,
    psid: &str,
    mid: String,
    payload: &str,
) -> Result<(&'static str, Value), String> {
    let thread = page.thread(psid);
    let by_payload = |(_, own): &&(String, String)| own == payload;
    if let Some((title, _)) = thread.quick_replies.iter().find(by_payload) {
        let quick_reply = json!({ "payload": payload });
        return Ok(("message", json!({ "mid": mid, "text": title, "quick_reply": quick_reply })));
    }
    let button = thread.buttons.iter().rev().find(by_payload);
    let (title, _) = button.ok_or_else(|| format!("nothing with the payload {payload} to tap"))?;
    Ok(("postback", json!({ "mid": mid, "title": title, "payload": payload })))
}
