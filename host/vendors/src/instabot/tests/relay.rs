//! An Instabot bot as one that conversations are handed over to.

use botyard_kernel::action::ContactUpdate;
use botyard_kernel::relay::{Ask, Heard, Person, Text};
use http::StatusCode;
use serde_json::{Value, json};

use super::{API_KEY, BOT_ID};
use crate::external::{Asked, ExternalBot, connect_external};
use crate::{CallAnswer, Outcome};

const TO: Asked<'_> = Asked { guest: "0a1b2c", callback_url: Some("https://h.invalid/secret") };

fn bot(dialect: Value) -> std::sync::Arc<dyn ExternalBot> {
    let base_url = "https://api.instabot.io/v1";
    let settings =
        json!({ "base-url": base_url, "api-key": API_KEY, "bot-id": BOT_ID, "dialect": dialect });
    connect_external("instabot", settings).expect("settings")
}

fn body(ask: &Ask) -> Value {
    let call = bot(json!({})).ask(ask, &TO);
    assert_eq!(call.url, "https://api.instabot.io/v1/secure/send");
    serde_json::from_slice(&call.body).expect("JSON")
}

fn answered(status: u16, body: &Value) -> CallAnswer {
    let status = StatusCode::from_u16(status).expect("a status");
    CallAnswer::Answered {
        status,
        retry_after_ms: None,
        body: body.to_string().into(),
        headers: http::HeaderMap::new(),
    }
}

#[test]
fn a_chat_begins_with_an_address_and_what_is_known() {
    let (name, email) = (Some("Ada".to_owned()), Some("ada@example.invalid".to_owned()));
    let person = Person { name, email, locale: Some("de".to_owned()), medium: "web".to_owned() };
    let start = body(&Ask::Start(person.clone()));
    assert_eq!(start["email"], "ada@example.invalid");
    assert_eq!(start["callbackUrl"], "https://h.invalid/secret");
    assert_eq!(start["metadata"], json!({ "name": "Ada", "locale": "de", "medium": "web" }));
    let nobody = body(&Ask::Start(Person { email: None, ..person }));
    assert_eq!(nobody["email"], "0a1b2c@guest.invalid", "the vendor demands one");
}

#[test]
fn a_choice_goes_back_as_the_number_that_it_came_with() {
    let say = |option: Option<&str>| {
        let option = option.map(str::to_owned);
        body(&Ask::Say { stream: "77".to_owned(), text: "Rye".to_owned(), option })
    };
    let chosen = json!({ "streamId": "77", "message": { "text": "Rye", "payload": 478_137_613 } });
    assert_eq!(say(Some("478137613")), chosen);
    let typed = json!({ "streamId": "77", "message": { "text": "Rye" } });
    assert_eq!(say(None), typed);
    assert_eq!(say(Some("label-1")), typed, "it came without a number");
}

#[test]
fn options_are_told_from_each_other() {
    let reply = |title: &str, payload: Value| json!({ "title": title, "payload": payload });
    let replies = [reply("A", json!(1)), reply("B", json!(1)), reply("C", Value::Null)];
    let message = json!({ "text": "Which?", "quick_replies": replies });
    let body = json!({ "messages": [{ "text": "Hi" }, message], "streamId": "77" });
    let heard = bot(json!({})).heard(&answered(200, &body)).expect("heard");
    let option = |id: &str, label: &str| (id.to_owned(), label.to_owned());
    let options = vec![option("1", "A"), option("label-1", "B"), option("label-2", "C")];
    let texts = vec![
        Text { text: "Hi".to_owned(), options: Vec::new() },
        Text { text: "Which?".to_owned(), options },
    ];
    assert_eq!(heard, Heard { stream: Some("77".to_owned()), texts, ..Heard::default() });
}

#[test]
fn what_cannot_be_read_is_told_to_our_bots_log() {
    let body = json!({ "messages": [{ "text": "Hi" }, 7, { "card": {} }], "streamId": "77" });
    let heard = bot(json!({})).heard(&answered(200, &body)).expect("heard");
    assert_eq!(heard.texts.len(), 1);
    assert!(heard.notes[0].starts_with("2 messages or quick replies"), "{:?}", heard.notes);
}

#[test]
fn the_end_is_told_by_status_by_words_and_by_the_agent_who_leaves() {
    let dialect = json!({ "gone-statuses": [404], "end-texts": ["Good bye!"] });
    let gone = bot(dialect.clone()).heard(&answered(404, &json!({})));
    assert!(matches!(gone, Err(Outcome::Gone(_))), "{gone:?}");
    let bye = json!({ "messages": [{ "text": "good bye! " }], "streamId": "77" });
    let heard = bot(dialect).heard(&answered(200, &bye)).expect("heard");
    assert_eq!((heard.texts.len(), heard.over.is_some()), (1, true));
    let on = bot(json!({})).heard(&answered(200, &bye)).expect("heard");
    assert_eq!(on.over, None);

    let posted = |text: &str| json!({ "streamId": "77", "text": text }).to_string();
    let spoke = |dialect: Value, text: &str| bot(dialect).spoke(posted(text).as_bytes());
    let agent = spoke(json!({}), "I am Ada.").expect("heard");
    assert_eq!((&*agent.texts[0].text, &agent.over), ("I am Ada.", &None));
    let left = "Agent has ended this live session";
    let over = spoke(json!({}), left).expect("heard");
    assert!(over.texts.is_empty() && over.over.is_some(), "{over:?}");
    let bot_goes_on = spoke(json!({ "agent-left-ends": false }), left).expect("heard");
    assert_eq!((bot_goes_on.texts.len(), bot_goes_on.over), (0, None));
    assert!(bot(json!({})).spoke(b"{}").is_err());
}

#[test]
fn other_vendors_have_no_external_bots() {
    let wrong = connect_external("khoros", json!({})).expect_err("none");
    assert!(wrong.0.contains("`khoros`") && wrong.0.contains("instabot"), "{wrong}");
}

#[test]
fn what_is_known_of_a_person_is_asked_by_their_address() {
    let asks = |dialect: Value| bot(dialect).asks_who();
    assert!(asks(json!({})) && !asks(json!({ "ask-user": false })));
    let bot = bot(json!({}));
    let call = bot.ask(&Ask::Who(Person::default()), &TO);
    assert_eq!(call.url, "https://api.instabot.io/v1/secure/user");
    let asked: Value = serde_json::from_slice(&call.body).expect("JSON");
    assert_eq!(asked, json!({ "apiKey": API_KEY, "email": "0a1b2c@guest.invalid" }));

    let page = include_str!("../../../fixtures/instabot/client.get_user.json");
    let mut user = super::parsed(page.as_bytes())["response"]["body"].take();
    let known = bot.known(&answered(200, &user)).expect("a user");
    assert_eq!(known, ContactUpdate::default(), "the address is no name, and nothing is set");
    let bare =
        json!({ "username": "a@b.example", "friendlyName": "Ada", "customProperties": null });
    let named = bot.known(&answered(200, &bare)).expect("a user");
    assert_eq!((named.name.as_deref(), named.custom_fields), (Some("Ada"), None));
    user["friendlyName"] = json!("Ida");
    user["isDefaultFriendlyName"] = json!(false);
    user["customProperties"]["utm_source"] = json!("ads");
    let known = bot.known(&answered(200, &user)).expect("a user");
    assert_eq!(known.name.as_deref(), Some("Ida"));
    assert_eq!(known.custom_fields.as_deref(), Some(r#"{"utm_source":"ads"}"#));
    for nobody in [answered(404, &json!({})), CallAnswer::Lost("cut".to_owned())] {
        assert_eq!(bot.known(&nobody), None);
    }
}
