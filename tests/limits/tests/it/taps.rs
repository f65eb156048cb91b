//! Whatever a bot offers, its person can choose each option, and the bot gets its own id:
//! by a tap on what the vendor shows, or by the number that stands before the option.

use botyard_kernel::action::{
    Action, Bubbles, ButtonTemplate, Card, Carousel, Choice, ListSection, ListTemplate, Message,
    Row, TextFormat,
};
use botyard_kernel::event::{Event, EventBody};
use botyard_kernel::id::{BotId, ConversationKey, Digest, EventId};
use botyard_kernel::log::{Arrival, Conversation, Outcome};
use botyard_kernel::plan::{Plan, Policy, Step};
use botyard_kernel::run::{Cost, RunOutput};
use botyard_kernel::session::Seed;
use botyard_twins::{myalice, userlike};
use botyard_vendors::Incoming;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::side::{NOW, Side, Twin};

impl Side {
    /// The webhook of what a person types.
    fn types(&self, text: &str) -> Value {
        let mut body = self.said.1.clone();
        match &self.twin {
            Twin::Userlike => body["packet"]["payload"]["body"] = json!(text),
            Twin::Khoros(_) => body["text"] = json!(text),
            Twin::Messenger(_) => {
                body["entry"][0]["messaging"][0]["message"]["text"] = json!(text);
            }
            Twin::MyAlice(_) => body["last_message_text"] = json!(text),
            Twin::Instabot { .. } => return self.responds(json!({ "text": text })),
        }
        body
    }

    /// The webhooks of taps on all that is shown of an action, in order, as the vendors
    /// document them.
    fn taps(&self, action: &Action) -> Vec<Value> {
        let shown = self.shown(action);
        match &self.twin {
            Twin::Userlike => {
                let packets = userlike::packets(shown.to_string().as_bytes()).unwrap();
                let options = packets.iter().flat_map(userlike::Packet::options);
                let click = |(id, label)| json!({ "id": id, "label": label });
                let packet = |payload| json!({ "name": "click", "payload": payload });
                options.map(|it| self.said_with("packet", packet(click(it)))).collect()
            }
            Twin::Khoros(_) => {
                let buttons = list(&shown["actions"]).map(|it| ("actions", json!([it])));
                let sections = list(&shown["list"]["sections"]);
                let choices = sections.flat_map(|section| list(&section["choices"]));
                let answer = |it| ("list", json!({ "sections": [{ "choices": [it] }] }));
                let all = buttons.chain(choices.map(answer));
                all.map(|(name, value)| {
                    let mut body = self.said_with(name, value);
                    body.as_object_mut().unwrap().remove("text");
                    body
                })
                .collect()
            }
            Twin::Messenger(_) => self.taps_on_page(&shown["message"]),
            Twin::MyAlice(_) => {
                let data = shown["data"].as_str().unwrap_or_default();
                let items: Value = serde_json::from_str(data).unwrap_or_default();
                let buttons = |item: &Value| match list(&item["buttons"]).next() {
                    Some(button) => button["title"].clone(),
                    None => item["title"].clone(),
                };
                let titles: Vec<Value> = list(&items).map(buttons).collect();
                titles.iter().map(|title| self.types(title.as_str().unwrap())).collect()
            }
            Twin::Instabot { .. } => {
                let messages = list(&shown["messages"]).chain([&shown, &shown["message"]]);
                let replies = messages.flat_map(|message| list(&message["quick_replies"]));
                let said = |it: &Value| json!({ "text": it["title"], "payload": it["payload"] });
                replies.map(|reply| self.responds(said(reply))).collect()
            }
        }
    }

    fn taps_on_page(&self, message: &Value) -> Vec<Value> {
        let item = |name: &str, value: Value| {
            let mut body = self.said.1.clone();
            let item = body["entry"][0]["messaging"][0].as_object_mut().unwrap();
            item.remove("message");
            item.insert(name.to_owned(), value);
            body
        };
        let replies = list(&message["quick_replies"]).map(|it| {
            let reply = json!({ "payload": it["payload"] });
            item("message", json!({ "mid": "m_2", "text": it["title"], "quick_reply": reply }))
        });
        let payload = &message["attachment"]["payload"];
        let owners = std::iter::once(payload).chain(list(&payload["elements"]));
        let buttons = owners.flat_map(|owner| list(&owner["buttons"]));
        let buttons = buttons.map(|it| {
            let tap = json!({ "mid": "m_2", "title": it["title"], "payload": it["payload"] });
            item("postback", tap)
        });
        replies.chain(buttons).collect()
    }

    /// Whether what is said next takes the options of this away: quick replies "disappear if a
    /// new inbound or outbound message arrives", as reply actions of Brand Messenger do.
    fn takes_away(&self, action: &Action) -> bool {
        let quick = match &self.twin {
            Twin::Messenger(_) | Twin::MyAlice(Some(myalice::Output::QuickReply)) => true,
            Twin::Khoros(options) => {
                ["facebook", "brandmessenger", "smooch"].contains(&&*options.network_key)
            }
            Twin::Userlike | Twin::MyAlice(_) | Twin::Instabot { .. } => false,
        };
        quick && matches!(action, Action::Bubbles(_))
    }

    fn said_with(&self, name: &str, value: Value) -> Value {
        let mut body = self.said.1.clone();
        body[name] = value;
        body
    }

    /// The id of the stream is all that a client shows.
    fn responds(&self, message: Value) -> Value {
        let reply_to = self.event.reply_to.as_deref().unwrap_or_default();
        let reply_to: Value = serde_json::from_str(reply_to).unwrap();
        json!({ "streamId": reply_to["stream"], "message": message })
    }
}

fn list(value: &Value) -> std::slice::Iter<'_, Value> {
    value.as_array().map(|items| items.iter()).unwrap_or_default()
}

/// All texts in a value.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// A conversation in which a bot offered something.
struct Offered {
    key: ConversationKey,
    policy: Policy,
    state: Conversation,
}

impl Offered {
    fn by(side: &Side, actions: &[Action]) -> Self {
        let key = ConversationKey {
            tenant: "demo".into(),
            channel: "channel".into(),
            vendor_key: side.event.conversation.clone(),
        };
        let policy = Policy::new(side.vendor.name(), BotId::from("bot"));
        let mut offered = Self { key, policy, state: Conversation::default() };
        let output = RunOutput {
            result: Ok(actions.to_vec()),
            writes: Vec::new(),
            log: Vec::new(),
            log_cut_bytes: 0,
            cost: Cost::default(),
        };
        let arrival = arrival("e1", &side.event);
        let plan = offered.plan(&arrival);
        let turn = plan.complete(output, Digest::of(b"bot"), &side.profile, NOW);
        assert!(matches!(turn.outcome, Outcome::Ran { .. }), "{}: {turn:?}", side.name);
        offered.state = turn.state;
        offered
    }

    fn plan<'a>(&'a self, arrival: &'a Arrival) -> Plan<'a> {
        Plan { key: &self.key, state: &self.state, arrival, policy: &self.policy }
    }

    /// The option that the bot is told of, where it is told of one.
    fn chosen(&self, side: &Side, webhook: &Value) -> Option<String> {
        let arrival = arrival("e2", &side.hears(webhook));
        let Step::Run(run) = self.plan(&arrival).step() else { return None };
        match run.0.body {
            EventBody::Click(click) => click.option_ids.into_iter().next(),
            _ => None,
        }
    }

    /// Whether what is shown in the turn names each option with its number.
    fn tells_numbers(&self, side: &Side, count: usize) -> bool {
        let shown = self.state.rows.iter().map(|row| side.shown(&row.action));
        let texts: Vec<String> = shown.flat_map(|shown| texts(&shown)).collect();
        let lines: Vec<&str> = texts.iter().flat_map(|text| text.lines()).collect();
        (1..=count).all(|n| lines.iter().any(|line| line.starts_with(&format!("{n}. "))))
    }

    /// What the person can tap: in all rows, and in the pages that they can ask for. Each
    /// page but the last ends in what asks for more.
    fn taps(&self, side: &Side) -> Vec<Value> {
        let rows: Vec<_> = self.state.rows.iter().map(|row| &row.action).collect();
        let last = rows.iter().rposition(|action| !matches!(action, Action::Typing(_)));
        let there = |(place, action): (usize, &&Action)| {
            let gone = Some(place) != last && side.takes_away(action);
            (!gone).then(|| side.taps(action))
        };
        let mut pages: Vec<Vec<Value>> = rows.iter().enumerate().filter_map(there).collect();
        let later = self.state.menus.iter().flat_map(|menu| &menu.pages);
        pages.extend(later.map(|action| side.taps(action)));
        pages.retain(|taps| !taps.is_empty());
        let last = pages.len().saturating_sub(1);
        pages.iter_mut().take(last).for_each(|page| drop(page.pop()));
        pages.into_iter().flatten().collect()
    }
}

fn arrival(id: &str, incoming: &Incoming) -> Arrival {
    let event = Event::new(EventId(id.to_owned()), NOW, incoming.body.clone());
    let facts = Some(incoming.facts.clone());
    Arrival { facts, owner: incoming.owner, ..Arrival::new(event, Seed::default()) }
}

/// Labels of many scripts that can be told apart, with ids up to 300 bytes and more.
fn options() -> impl Strategy<Value = Vec<Choice>> {
    let label = prop_oneof![
        4 => "[A-Za-z]{3,12}( [a-z]{3,12}){0,5}",
        2 => "[あ-んア-ン一-十]{2,30}",
        1 => "[אבגדהוזחט]{2,30}",
        1 => "(\u{202e}|[ابتثجح]){2,30}",
        2 => "(👩‍👩‍👧|🇩🇪|e\u{301}|👍🏽){1,12}",
    ];
    let id = prop_oneof![4 => "[a-z]{1,12}", 1 => "[a-z]{300}", 1 => "[a-zé👍]{300}"];
    prop::collection::vec((id, label), 1..30).prop_map(|all| {
        let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap());
        let choice = |(n, (id, label)): (usize, (String, String))| {
            // Both differ at their end, which is what is cut first.
            let end = [letter(n / 26), letter(n)].iter().collect::<String>();
            let short_label = (n % 3 == 1).then(|| format!("Nr x{end}"));
            Choice { id: format!("{id}-{n}"), label: format!("{label} x{end}"), short_label }
        };
        all.into_iter().enumerate().map(choice).collect()
    })
}

fn menus(options: &[Choice]) -> Vec<Action> {
    let text = || "Which one?".to_owned();
    let card = |it: &Choice| Card {
        id: it.id.clone(),
        label: it.label.clone(),
        short_label: it.short_label.clone(),
        image: Some("https://a.invalid/c.png".to_owned()),
        description: None,
    };
    let row = |it: &Choice| Row {
        id: it.id.clone(),
        label: it.label.clone(),
        short_label: it.short_label.clone(),
        description: None,
    };
    let section = |rows: &[Choice]| ListSection {
        title: Some("Some".to_owned()),
        rows: rows.iter().map(row).collect(),
    };
    vec![
        Action::Bubbles(Bubbles {
            text: text(),
            format: TextFormat::Plain,
            options: options.to_vec(),
            fallback: None,
        }),
        Action::Carousel(Carousel {
            text: text(),
            cards: options.iter().map(card).collect(),
            fallback: None,
        }),
        Action::ButtonTemplate(ButtonTemplate {
            header: None,
            text: text(),
            footer: None,
            buttons: options.iter().take(3).cloned().collect(),
            fallback: None,
        }),
        Action::ListTemplate(ListTemplate {
            header: None,
            text: text(),
            footer: None,
            button: "Show".to_owned(),
            title: None,
            sections: options.chunks(7).map(section).collect(),
            multiple: false,
            fallback: None,
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 12, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn each_option_that_is_offered_can_be_chosen_on_every_medium(options in options()) {
        let words = Message { text: "Take your time.".to_owned(), format: TextFormat::Plain };
        for side in Side::all() {
            for (menu, behind) in menus(&options).iter().flat_map(|it| [(it, false), (it, true)]) {
                let words = behind.then(|| Action::Message(words.clone()));
                let actions: Vec<_> = [menu.clone()].into_iter().chain(words).collect();
                let (offered, name) = (Offered::by(&side, &actions), menu.name());
                let taps = offered.taps(&side);
                let ids: Vec<&str> = menu.option_ids().collect();
                let webhooks = if taps.is_empty() {
                    prop_assert!(offered.tells_numbers(&side, ids.len()), "{}, {}", side.name, name);
                    (1..=ids.len()).map(|number| side.types(&number.to_string())).collect()
                } else {
                    taps
                };
                let what = format!("{}, {name}, words behind it: {behind}", side.name);
                prop_assert_eq!(webhooks.len(), ids.len(), "{}", what);
                for (id, webhook) in ids.into_iter().zip(&webhooks) {
                    let chosen = offered.chosen(&side, webhook);
                    prop_assert_eq!(chosen.as_deref(), Some(id), "{}: {}", what, webhook);
                }
            }
        }
    }
}
