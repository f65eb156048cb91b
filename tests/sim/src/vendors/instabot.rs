//! The Instabot Chat API with a bot of ours at its other end: clients start chats and
//! respond, and read what the bot says out of the answers. What comes late is posted to
//! the chat's callback, or waits for the person's next words where there is none.

use std::sync::Arc;

use botyard_chance::Chance;
use botyard_kernel::action::Action;
use botyard_kernel::time::{DAY, MINUTE, Millis, SECOND};
use botyard_vendors::Vendor;
use serde_json::{Value, json};

use super::{Came, Line, Manner, Posted, Said, Way, Whose};
use crate::desk::Desk;
use crate::webhook::Saying;

const BOT: u64 = 474_960_032;
const KEY: &str = "a-key";
const STREAM_SECRET: &str = "a-secret-of-more-than-thirty-two-characters";

const MANNER: Manner = Manner {
    opening: Saying::Start,
    sayings: &[
        (62, Saying::Message),
        (8, Saying::SameWords),
        (10, Saying::Click),
        (8, Saying::Signal),
        (8, Saying::DeskReturns),
        (4, Saying::Forged),
    ],
    // Nobody but the host's own desk ever has a chat.
    gives_back: Saying::DeskReturns,
    has_ids: false,
    batches: false,
};

struct Instabot {
    vendor: Arc<dyn Vendor>,
    /// Of a hundred chats so many have a callback.
    callback_percent: usize,
}

pub(super) fn draw(_number: u64, chance: &mut Chance) -> Box<dyn Line> {
    let settings = json!({
        "bot-id": BOT,
        "api-key": KEY,
        "stream-secret": STREAM_SECRET,
        "hold-ambiguous": chance.percent(15),
        "age-max-ms": if chance.percent(15) { 20 * SECOND } else { 15 * MINUTE },
    });
    let vendor = botyard_vendors::connect("instabot", settings).expect("these settings are right");
    Box::new(Instabot { vendor, callback_percent: [0, 50, 100][chance.pick(3)] })
}

impl Line for Instabot {
    fn vendor(&self) -> Arc<dyn Vendor> {
        Arc::clone(&self.vendor)
    }

    fn manner(&self) -> &'static Manner {
        &MANNER
    }

    /// The host names chats by the chance of their first request, which is the number.
    fn key(&self, number: usize) -> String {
        format!("{:020}", number + 1)
    }

    /// Nobody can go on with a chat whose start was not answered.
    fn can_say(&self, saying: Saying, desk: &Desk) -> bool {
        matches!(saying, Saying::Start | Saying::Forged)
            || saying.is_ours()
            || desk.stream.is_some()
    }

    /// Nothing tells a start from the same one again: it is another chat.
    fn starts_anew(&self) -> bool {
        true
    }

    fn post(&self, said: &Said<'_>) -> Posted {
        let whose = &said.of[0];
        let body = match said.saying {
            Saying::Start | Saying::Forged => json!({
                "apiKey": said.secret(KEY), "start": true, "botId": BOT,
                "email": format!("person{}@people.example", whose.number),
                "callbackUrl": self.callback(whose.desk.person),
            }),
            Saying::Message
            | Saying::SameWords
            | Saying::Click
            | Saying::Several
            | Saying::Signal
            | Saying::DeskReturns
            | Saying::ExternalSpeaks
            | Saying::ExternalLeaves
            | Saying::Takes
            | Saying::HumanSpoke
            | Saying::Returned
            | Saying::ForwardFailed
            | Saying::Closed => respond(said, whose),
        };
        Posted { rest: "secure/send", ..Posted::with("content-type", "application/json", body) }
    }

    fn take(&self, came: &Came<'_>, desk: &mut Desk) {
        let body: Value = serde_json::from_slice(came.body()).expect("clients take JSON");
        let texts = came.rows.iter().map(|row| match &row.action {
            Action::Message(message) => &*message.text,
            other => panic!("{} reached a client as {}", row.id, other.name()),
        });
        let texts: Vec<&str> = texts.collect();
        match came.way {
            Way::Answer { .. } => {
                let messages = body["messages"].as_array().expect("an answer holds messages");
                let told: Vec<_> = messages.iter().map(|it| it["text"].as_str()).collect();
                let texts: Vec<_> = texts.into_iter().map(Some).collect();
                assert_eq!(told, texts, "other messages than were meant");
            }
            Way::Call(call) => {
                let callback = self.callback(desk.person);
                assert_eq!(Some(&call.url), callback.as_ref(), "to somebody else");
                assert_eq!(body["text"], texts.join("\n\n"), "another text than was meant");
            }
        }
        // What the host itself hears is answered to nobody.
        let Some(stream) = body.get("streamId") else { return };
        let stream = stream.as_str().expect("a stream id is a text");
        assert!(stream.starts_with(came.key), "of another chat");
        let known = desk.stream.get_or_insert_with(|| stream.to_owned());
        assert_eq!(known, stream, "a chat has one stream id");
    }

    fn tells_gone(&self) -> bool {
        true
    }

    /// A chat without a callback is shown only what it asks for.
    fn waits_for_person(&self, desk: &Desk) -> Option<Millis> {
        self.callback(desk.person).is_none().then_some(DAY)
    }
}

impl Instabot {
    fn callback(&self, person: usize) -> Option<String> {
        let has = person * 37 % 100 < self.callback_percent;
        has.then(|| format!("https://client.example/{person}"))
    }
}

fn respond(said: &Said<'_>, whose: &Whose<'_>) -> Value {
    let mut message = json!({ "text": said.words(0) });
    if said.saying == Saying::Click {
        message["payload"] = said.number.into();
    }
    json!({ "streamId": whose.desk.stream, "message": message })
}
