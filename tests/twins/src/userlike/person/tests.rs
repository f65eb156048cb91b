//! What each medium lets a person do.

use serde_json::{Value, json};

use crate::userlike::document::EVENTS;
use crate::userlike::{Account, Act, Contact, Options, Packet, Step};

const CID: &str = "c";

fn on(medium: &str) -> Account {
    let (account, _) = Account::new(Options::new("t")).unwrap();
    account.open(CID, Contact::new());
    medium.clone_into(&mut account.memory().sessions.get_mut(CID).unwrap().medium);
    account
}

fn says(account: &Account, name: &str, payload: Value) {
    let packet = Packet { cid: CID.to_owned(), context: None, name: name.to_owned(), payload };
    account.take(&[packet]);
}

fn offers(account: &Account) {
    let options = json!([{ "id": "y", "label": "Yes" }, { "id": "n", "label": "No" }]);
    says(account, "bubbles", json!({ "body": "?", "options": options, "fallback": "?" }));
}

fn write(text: &str) -> Act {
    Act::Write(text.to_owned())
}

fn click(id: &str) -> Act {
    Act::Click(id.to_owned())
}

fn clicked() -> Result<Step, String> {
    Ok(Step::new("click", json!({ "id": "y", "label": "Yes" })))
}

#[test]
fn the_web_begins_with_a_start_and_apps_with_what_was_sent() {
    let web = on("web");
    assert!(web.act(CID, write("hi")).unwrap_err().contains("begins with a start"));
    assert_eq!(web.act(CID, Act::Start), Ok(Step::new("start", json!({}))));
    assert!(web.act(CID, Act::Start).unwrap_err().contains("begun already"));
    assert_eq!(web.act(CID, write("hi")), Ok(Step::message("hi")));

    let app = on("telegram");
    assert!(app.act(CID, Act::Start).is_err());
    let first = json!({ "message": { "body": "hi" } });
    assert_eq!(app.act(CID, write("hi")), Ok(Step::new("start", first)));
    assert_eq!(app.act(CID, write("ho")), Ok(Step::message("ho")));
    let file = json!({ "media": { "link": "https://files.example/a.png", "name": "a.png" } });
    let send = Act::Media("https://files.example/a.png".to_owned());
    assert_eq!(on("sms").act(CID, send), Ok(Step::new("start", file)));
}

#[test]
fn places_are_sent_and_campaigns_are_left_on_whatsapp() {
    for (medium, good) in [("whatsapp_business", true), ("facebook", false), ("web", false)] {
        let account = on(medium);
        let first = if medium == "web" { Act::Start } else { write("hi") };
        account.act(CID, first).unwrap();
        for act in [Act::Location(50.9, 6.9), Act::Unsubscribe("STOP".to_owned())] {
            let step = account.act(CID, act);
            assert_eq!(step.is_ok(), good, "{medium}");
            assert!(step.is_err() || EVENTS.contains(&&*step.unwrap().name));
        }
    }
}

#[test]
fn the_web_answers_a_choice_once() {
    let web = on("web");
    web.act(CID, Act::Start).unwrap();
    offers(&web);
    assert_eq!(web.act(CID, write("1")), Ok(Step::message("1")), "numbers are words here");
    assert_eq!(web.act(CID, click("y")), clicked());
    assert!(web.act(CID, click("n")).unwrap_err().contains("answered already"));
    assert!(web.act(CID, click("x")).unwrap_err().contains("no option"));
    offers(&web);
    assert_eq!(web.act(CID, click("y")), clicked());
}

#[test]
fn in_apps_with_buttons_the_first_click_counts_and_others_are_words() {
    let app = on("facebook");
    app.act(CID, write("hi")).unwrap();
    offers(&app);
    assert_eq!(app.act(CID, write("hm")), Ok(Step::message("hm")));
    assert_eq!(app.act(CID, click("y")), clicked());
    assert_eq!(app.act(CID, click("n")), Ok(Step::message("No")));
    offers(&app);
    app.expire(CID);
    assert_eq!(app.act(CID, click("y")), Ok(Step::message("Yes")));
    assert!(app.act(CID, write("hi")).unwrap_err().contains("expired"));
}

#[test]
fn a_number_answers_a_text_only_at_once() {
    let app = on("telegram");
    app.act(CID, write("hi")).unwrap();
    offers(&app);
    assert!(app.act(CID, click("y")).unwrap_err().contains("write its number"));
    assert_eq!(app.act(CID, write(" 1 ")), clicked());
    assert_eq!(app.act(CID, write("1")), Ok(Step::message("1")), "it is answered");
    offers(&app);
    assert_eq!(app.act(CID, write("3")), Ok(Step::message("3")), "there are two");
    assert_eq!(app.act(CID, write("1")), Ok(Step::message("1")), "something came between");
    offers(&app);
    says(&app, "message", json!({ "body": "well?" }));
    assert_eq!(app.act(CID, write("1")), Ok(Step::message("1")), "the bot spoke on");
}
