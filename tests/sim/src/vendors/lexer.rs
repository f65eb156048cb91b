//! Lexer Respond, which rides on Messenger: it wants to hear of every message of a person
//! that the bot takes, and of everything that the bot says.

use std::sync::Arc;

use botyard_chance::Chance;
use botyard_kernel::action::Action;
use botyard_kernel::log::Row;
use botyard_vendors::{Call, Vendor};
use serde_json::{Value, json};

use super::messenger::{Messenger, mid, part_of};
use super::{Came, Line, Manner, Posted, Said, Trouble};
use crate::desk::Desk;
use crate::webhook::Saying;

const TOKEN: &str = "a-bot-user";
const OBJECTS: &str = "https://hub.lexer.io/api/clients/42/bots/objects";

const MANNER: Manner = Manner {
    opening: Saying::Message,
    sayings: &[
        (50, Saying::Message),
        (14, Saying::Several),
        (10, Saying::Click),
        (6, Saying::HumanSpoke),
        (8, Saying::DeskReturns),
        (8, Saying::Signal),
        (4, Saying::Forged),
    ],
    // The team never says that it is done.
    gives_back: Saying::DeskReturns,
    has_ids: true,
    batches: true,
};

struct Lexer {
    messenger: Messenger,
}

pub(super) fn draw(number: u64, chance: &mut Chance) -> Box<dyn Line> {
    // To hand over is to stop claiming, but for pages that have handover roles as well.
    let passes = chance.percent(30);
    let rides = |messenger| {
        let dialect = json!({ "pass-thread": passes });
        let own = json!({ "client-id": 42, "token": TOKEN, "dialect": dialect });
        let Value::Object(mut settings) = own else { unreachable!("it is an object") };
        settings.insert("messenger".to_owned(), messenger);
        ("lexer", Value::Object(settings))
    };
    Box::new(Lexer { messenger: Messenger::draw(number, chance, passes, rides) })
}

impl Line for Lexer {
    fn vendor(&self) -> Arc<dyn Vendor> {
        self.messenger.vendor()
    }

    fn manner(&self) -> &'static Manner {
        &MANNER
    }

    fn key(&self, number: usize) -> String {
        self.messenger.key(number)
    }

    fn post(&self, said: &Said<'_>) -> Posted {
        self.messenger.post(said)
    }

    fn is_repeatable(&self, row: &Row) -> bool {
        self.messenger.is_repeatable(row)
    }

    fn keeps_out(&self) -> bool {
        self.messenger.keeps_out()
    }

    fn objects(&self, came: &Came<'_>, desk: &Desk) -> Option<Trouble> {
        self.messenger.objects(came, desk)
    }

    fn take(&self, came: &Came<'_>, desk: &mut Desk) {
        self.messenger.take(came, desk);
    }

    fn thanks(&self, rows: &[Row]) -> (u16, String) {
        self.messenger.thanks(rows)
    }

    fn complains(&self, trouble: Trouble) -> (u16, String) {
        self.messenger.complains(trouble)
    }

    fn own_trouble(&self, rows: &[Row], chance: &mut Chance) -> Option<Trouble> {
        self.messenger.own_trouble(rows, chance)
    }

    fn tells_gone(&self) -> bool {
        self.messenger.tells_gone()
    }

    fn hear(&self, token: &str, call: &Call) {
        let shown = call.headers.get("auth-api-token").and_then(|it| it.to_str().ok());
        assert_eq!(shown, Some(TOKEN), "the call shows no token");
        let body: Value = serde_json::from_slice(&call.body).expect("Lexer takes JSON");
        let (claims, object) = object_of(token);
        let (path, state) = if claims { ("claim", "closed".into()) } else { ("echo", Value::Null) };
        assert_eq!(call.url, format!("{OBJECTS}/{path}"));
        assert_eq!(body.get("state").unwrap_or(&Value::Null), &state, "only claims have a state");
        assert_eq!(body["source"], "facebook");
        assert_eq!(body["account_id"], *self.messenger.page());
        assert_eq!(body["object_id"], *object, "another message was meant");
        assert!(body["published_at"].is_u64(), "the time of a message is missing");
    }

    /// Only 201 is success.
    fn nods(&self) -> (u16, String) {
        (201, json!({ "status": "ok" }).to_string())
    }

    fn shakes_head(&self) -> (u16, String) {
        (503, "<html>".to_owned())
    }

    /// Whatever a person says is claimed or left to the team.
    fn awaits(&self, saying: Saying, number: usize, part: usize) -> Option<String> {
        saying.is_word().then(|| mid(number, part))
    }

    fn taken_of(&self, token: &str) -> Option<String> {
        let (claims, object) = object_of(token);
        claims.then_some(object)
    }

    /// Whatever the person is told.
    fn awaits_echo(&self, row: &Row) -> bool {
        matches!(row.action, Action::Message(_) | Action::Media(_))
    }

    fn echo_of(&self, token: &str) -> Option<String> {
        let (claims, object) = object_of(token);
        let part = || part_of(&object).expect("an echo is of what was said").to_owned();
        (!claims).then(part)
    }
}

/// Whether a token claims, and which message it is about.
fn object_of(token: &str) -> (bool, String) {
    let token: Value = serde_json::from_str(token).expect("tokens are JSON");
    let object = |kind: &str| token.get(kind)?.get("object_id")?.as_str().map(str::to_owned);
    let claimed = object("claim");
    let claims = claimed.is_some();
    (claims, claimed.or_else(|| object("echo")).expect("a token claims or echoes"))
}
