//! A channel of a vendor, a medium of it, and the twin that judges what is sent there.

use std::sync::Arc;

use botyard_kernel::action::Action;
use botyard_kernel::degrade::{Degraded, degrade_in};
use botyard_kernel::id::{Digest, PartId};
use botyard_kernel::profile::Profile;
use botyard_kernel::session::Seed;
use botyard_twins::{instabot, khoros, messenger, myalice, userlike};
use botyard_vendors::{Inbound, Incoming, Part, Received, To, Vendor, known};
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

pub(crate) const NOW: u64 = 1_700_000_000_000;
/// The part that offers a menu.
const MENU: &str = "t0123456789abcdef0123456789abcdef.31.0";

/// Who judges.
#[derive(Clone, Debug)]
pub(crate) enum Twin {
    Userlike,
    Khoros(Box<khoros::Options>),
    /// Lexer rides on it.
    Messenger(messenger::Medium),
    /// The output type of the block; absent for what goes by REST alone.
    MyAlice(Option<myalice::Output>),
    /// An answer, or a post to a callback.
    Instabot {
        answers: bool,
    },
}

/// A medium of a vendor.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    pub(crate) name: String,
    /// What we take to be its limits.
    pub(crate) profile: Profile,
    medium: String,
    pub(crate) vendor: Arc<dyn Vendor>,
    /// What the person has written.
    pub(crate) event: Incoming,
    /// The webhook of it: what follows the channel's name in its URL, and its body.
    pub(crate) said: (String, Value),
    pub(crate) twin: Twin,
}

impl Side {
    /// Every medium of every vendor.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        let userlike =
            ["web", "facebook", "telegram", "threema", "sms", "whatsapp_business", "custom"];
        for medium in userlike {
            all.push(Self::new("userlike", medium, "", &of_userlike(), Twin::Userlike));
        }
        for network in ["facebook", "smooch", "brandmessenger", "apple", "gbm", "twitter", "new"] {
            for scope in ["PRIVATE", "PUBLIC"] {
                let options = khoros::Options {
                    network_key: network.to_owned(),
                    external_id: "410088".to_owned(),
                    ..khoros::Options::new("", "")
                };
                let twin = Twin::Khoros(Box::new(options));
                all.push(Self::new("khoros", network, "", &of_khoros(network, scope), twin));
            }
        }
        for vendor in ["messenger", "lexer"] {
            for medium in messenger::Medium::ALL {
                let object = match medium {
                    messenger::Medium::Facebook => "page",
                    messenger::Medium::Instagram => "instagram",
                };
                let twin = Twin::Messenger(*medium);
                all.push(Self::new(vendor, medium.name(), "", &of_page(object), twin));
            }
        }
        for output in myalice::Output::ALL {
            let form = output.name().replace('_', "-");
            let (rest, twin) = (format!("{form}/menu"), Twin::MyAlice(Some(*output)));
            all.push(Self::new("myalice", &form, &rest, &of_myalice(), twin));
        }
        all.push(Self::new("myalice", "rest", "text/menu", &of_myalice(), Twin::MyAlice(None)));
        for answers in [true, false] {
            let medium = if answers { "answer" } else { "callback" };
            let twin = Twin::Instabot { answers };
            all.push(Self::new("instabot", medium, "secure/send", &of_instabot(), twin));
        }
        all
    }

    fn new(vendor: &str, medium: &str, rest: &str, body: &Value, twin: Twin) -> Self {
        let name = format!("{vendor} on {medium}");
        let known = known(vendor).unwrap();
        let vendor = (known.connect)((known.sample)()).unwrap();
        let event = hear(&*vendor, rest, body);
        let mut profile = vendor.profile(medium);
        if let Twin::MyAlice(Some(_)) = &twin {
            let rides = vendor.rides(event.form).unwrap_or_default();
            profile.let_ride(rides);
        }
        let said = (rest.to_owned(), body.clone());
        Self { name, profile, medium: medium.to_owned(), vendor, event, said, twin }
    }

    /// The event that a webhook becomes.
    pub(crate) fn hears(&self, body: &Value) -> Incoming {
        hear(&*self.vendor, &self.said.0, body)
    }

    /// All that becomes of an action here, with a menu's later pages.
    pub(crate) fn carry(&self, action: &Action, locale: Option<&str>) -> Vec<Action> {
        let vendor = self.vendor.name();
        let mut done = degrade_in(action.clone(), &self.profile, vendor, locale);
        done.name_options(&self.profile, MENU, action);
        let Degraded { actions, pages, .. } = done;
        actions.into_iter().chain(pages).collect()
    }

    /// Renders an action that the medium carries, and puts it to the twin.
    pub(crate) fn judge(&self, action: &Action) -> Result<(), String> {
        let id = PartId::from(MENU);
        let parts = [Part { id: &id, action, context: None }];
        match &self.twin {
            Twin::Userlike => {
                let answer = self.vendor.answer(&self.to(""), &parts);
                [answer.body, self.call(&parts)?].iter().try_for_each(|body| {
                    let packets = userlike::packets(body)?;
                    packets.iter().try_for_each(|it| userlike::judge_on(&self.medium, it))
                })
            }
            Twin::Khoros(options) => khoros::judge(options, &json(&self.call(&parts)?)),
            Twin::Messenger(medium) => messenger::judge(*medium, &json(&self.call(&parts)?)),
            Twin::MyAlice(Some(output)) if self.rides(action) => {
                let answer = self.vendor.answer(&self.to(self.event.form), &parts);
                myalice::judge_answer(*output, &text(&answer.body))
            }
            Twin::MyAlice(_) => myalice::judge_text(&json(&self.call(&parts)?)),
            Twin::Instabot { answers: true } => {
                let answer = self.vendor.answer(&self.to(self.event.form), &parts);
                instabot::judge_answer(&text(&answer.body))
            }
            Twin::Instabot { answers: false } => instabot::judge_post(&json(&self.call(&parts)?)),
        }
    }

    /// What the vendor is given to show, in its own form.
    pub(crate) fn shown(&self, action: &Action) -> Value {
        let id = PartId::from(MENU);
        let parts = [Part { id: &id, action, context: None }];
        let answers = match &self.twin {
            Twin::MyAlice(Some(_)) => self.rides(action),
            Twin::Instabot { answers } => *answers,
            Twin::Userlike | Twin::Khoros(_) | Twin::Messenger(_) | Twin::MyAlice(None) => false,
        };
        if answers {
            json(&self.vendor.answer(&self.to(self.event.form), &parts).body)
        } else {
            json(&self.call(&parts).unwrap())
        }
    }

    fn rides(&self, action: &Action) -> bool {
        self.vendor.rides(self.event.form).is_some_and(|names| names.contains(&action.name()))
    }

    fn call(&self, parts: &[Part<'_>]) -> Result<Bytes, String> {
        let call = self.vendor.call(&self.to(""), parts);
        if call.url.is_empty() { Err("there is no call for it".to_owned()) } else { Ok(call.body) }
    }

    fn to<'a>(&'a self, form: &'a str) -> To<'a> {
        let (conversation, reply_to) = (&self.event.conversation, self.event.reply_to.as_deref());
        To { reply_to, form, ..To::conversation(conversation) }
    }
}

fn hear(vendor: &dyn Vendor, rest: &str, body: &Value) -> Incoming {
    let body = Bytes::from(body.to_string());
    let (method, headers) = (&Method::POST, &HeaderMap::new());
    // The ids of chats are made of it.
    let chance = Seed::from_digest(&Digest::of(b"chance"));
    let request = Inbound { method, rest, query: None, headers, body: &body, chance };
    match vendor.read(&request, NOW) {
        Received::Events { mut events, damaged } if damaged.is_empty() => events.remove(0),
        other => panic!("{}: {body:?} became {other:?}", vendor.name()),
    }
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

fn text(body: &[u8]) -> String {
    String::from_utf8(body.to_vec()).unwrap()
}

fn of_userlike() -> Value {
    json!({
        "info": { "cid": "chatbot::612:3f0d6c1be2a94b0f8a51c7de90ab4412" },
        "packet": { "name": "message", "payload": { "body": "Hello" } },
    })
}

fn of_khoros(network: &str, scope: &str) -> Value {
    json!({
        "type": "message",
        "coordinate": { "companyKey": "acmehotel", "networkKey": network,
            "externalId": "410088", "messageId": "m_1", "botId": "acme-bot", "scope": scope },
        "author": { "id": "7200", "fullName": "Ines Roth" },
        "owner": { "type": "BOT", "appId": "acme-bot" },
        "text": "Hello", "publishedTS": NOW, "receivedTS": NOW,
    })
}

fn of_page(object: &str) -> Value {
    let item = json!({
        "sender": { "id": "7200" }, "recipient": { "id": "410088" }, "timestamp": NOW,
        "message": { "mid": "m_1", "text": "Hello" },
    });
    json!({ "object": object, "entry": [{ "id": "410088", "time": NOW, "messaging": [item] }] })
}

fn of_myalice() -> Value {
    json!({ "uid": 1022, "platform_id": 77, "bot_enabled": true, "full_name": "Mara",
        "last_message_text": "Hello" })
}

fn of_instabot() -> Value {
    json!({ "apiKey": "a-sample-key", "start": true, "botId": 474_960_032,
        "email": "mara@example.invalid", "callbackUrl": "https://client.example/agent" })
}
