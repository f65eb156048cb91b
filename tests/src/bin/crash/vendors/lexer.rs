//! Lexer, which rides on Messenger: webhooks hold several events with ids, actions are
//! calls of their own, and beside them Lexer is told what the bot took and said.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use botyard_kernel::log::SkipReason;
use botyard_twins::account::{Outgoing, Twin};
use botyard_twins::faults::Fault;
use botyard_twins::lexer::{self, Hub};
use serde_json::{Value, json};

use super::facebook::Facebook;
use super::{Again, Brought, Channel, Conduct, Late, Said, Vendor, caller, channel};
use crate::oracle::Rule;
use crate::record::Talk;
use crate::story::{How, Story, Told};

const PAGE: &str = "410088123456789";
const LEXER_TOKEN: &str = "crash-lexer-token";
const CLIENT: u64 = 42;

const CHANNELS: &[Channel] = &[Channel {
    name: "lexer",
    // Messenger sends again what it has sent, with the same `mid`.
    again: Again::LastWord,
    // "Batches" of events of a page, whoever wrote them.
    batches: true,
    late: Late::Call,
    holds: false,
    // Lexer is told of a hand-off by what it is not told any more.
    hands_over: true,
    tells_failures: true,
    relays: false,
}];

/// The twins.
#[derive(Debug)]
pub(super) struct Lexer {
    facebook: Facebook,
    hub: Twin<Hub>,
}

impl Lexer {
    pub(super) fn start(conduct: &Conduct) -> Result<Self> {
        let mut of_hub = conduct.for_a_token();
        // An acknowledgement is not tried for ever, and a conversation keeps 64 of them:
        // to see each one arrive, Lexer may be slow and nothing else.
        for fault in [Fault::Limited, Fault::LimitedFor, Fault::Broken] {
            of_hub.faults = of_hub.faults.with(fault, 0.0);
        }
        let hub = Hub {
            client_id: CLIENT,
            token: LEXER_TOKEN.to_owned(),
            accounts: vec![PAGE.to_owned()],
        };
        Ok(Self { facebook: Facebook::start(PAGE, conduct)?, hub: lexer::start(hub, of_hub)? })
    }

    /// Whatever a person says and the bot takes is claimed, once or more; what comes after
    /// the hand-off is the team's. Who has said what is not the host's to say.
    fn claims(&self, talk: &Talk, story: &Story) -> Vec<String> {
        let claimed: BTreeSet<_> = self.hub.account().claimed(PAGE).into_iter().collect();
        let mut wrong = Vec::new();
        let names: BTreeSet<&str> = talk.sent.iter().map(|sent| &*sent.name).collect();
        for name in names {
            // Of signals Messenger knows nothing.
            let Some(id) = self.facebook.id_of(name) else { continue };
            let is_it = |turn: &&Told| turn.name.as_deref() == Some(name);
            let known = |turn: &&Told| matches!(turn.outcome, How::Skipped(SkipReason::Duplicate));
            let turn = story.turns.iter().filter(is_it).find(|turn| !known(turn));
            let is_claimed = claimed.contains(&id);
            match turn.map(|turn| &turn.outcome) {
                Some(How::Ran { .. } | How::Failed { .. }) if !is_claimed => {
                    wrong.push(format!("{name} was taken and never claimed"));
                }
                Some(How::Skipped(SkipReason::NotOwner)) if is_claimed => {
                    wrong.push(format!("{name} was claimed after the hand-off"));
                }
                Some(How::Ran { .. } | How::Failed { .. } | How::Skipped(_)) | None => {}
            }
        }
        wrong
    }

    /// Whatever was said is echoed by one of the ids that it got: of those that a host
    /// has not lived to read nobody knows.
    fn echoes(&self, talk: &Talk, story: &Story) -> Vec<String> {
        let echoed: BTreeSet<_> = self.hub.account().echoed(PAGE).into_iter().collect();
        let told = self.facebook.told(&talk.person);
        // All failures have the same text.
        let mut parts: BTreeMap<&String, usize> = BTreeMap::new();
        for what in story.parts.iter().filter_map(|part| part.what.as_ref()) {
            *parts.entry(what).or_default() += 1;
        }
        let mut wrong = Vec::new();
        for (what, count) in parts {
            let ids = told.iter().filter(|(said, _)| said == what).map(|(_, id)| id);
            let ids: BTreeSet<_> = ids.filter(|id| echoed.contains(*id)).collect();
            match ids.len() {
                0 => wrong.push(format!("\"{what}\" was said and never echoed")),
                times if times < count => wrong
                    .push(format!("\"{what}\" was said {count} times and echoed {times} times")),
                _ => {}
            }
        }
        wrong
    }
}

impl Vendor for Lexer {
    fn channels(&self) -> &'static [Channel] {
        CHANNELS
    }

    fn settings(&self, _own: &Channel, life: usize) -> Value {
        let settings = json!({
            "messenger": self.facebook.settings(life),
            "client-id": CLIENT,
            "token": LEXER_TOKEN,
            "hub-url": caller(&self.hub.url(), life),
        });
        channel("lexer", settings)
    }

    fn person(&self, number: u64) -> String {
        format!("2410{number:012}")
    }

    fn key(&self, person: &str) -> String {
        self.facebook.key(person)
    }

    fn say(&self, said: &[Said<'_>]) -> Outgoing {
        self.facebook.say(said)
    }

    fn calls(&self) -> Vec<Brought> {
        self.facebook.calls()
    }

    fn laws(&self, talk: &Talk, story: &Story) -> Vec<(Rule, String)> {
        let claims = self.claims(talk, story).into_iter();
        claims.chain(self.echoes(talk, story)).map(|text| (Rule::Claims, text)).collect()
    }
}

#[cfg(test)]
mod tests {
    use botyard_tests::client::userlike::client;
    use botyard_tests::peers::userlike::Faults;

    use super::*;
    use crate::record::Sent;
    use crate::story::{Heard, Kind, Made};

    fn turn(name: &str, outcome: How) -> (Heard, Told) {
        let (id, name) = (format!("e-{name}"), name.to_owned());
        let shows = Vec::new();
        let (kind, tells) = (Kind::Speech, Vec::new());
        let told =
            Told { event: id.clone(), name: Some(name.clone()), kind, tells, outcome, shows };
        let tells = Vec::new();
        (Heard { id, name, kind, tells }, told)
    }

    /// The bot takes the first message and answers it, the team has the second one.
    fn story() -> Story {
        let ran = How::Ran {
            count: None,
            says: Vec::new(),
            timers: Vec::new(),
            requests: Vec::new(),
            hands_over: true,
            relays: false,
        };
        let skipped = How::Skipped(SkipReason::NotOwner);
        let (heard, turns) = [turn("m1", ran), turn("m2", skipped)].into_iter().unzip();
        let mut story = Story::default();
        (story.heard, story.turns) = (heard, turns);
        let what = Some("1 1 m1".to_owned());
        story.parts =
            vec![Made { id: "p".to_owned(), made_ms: 0, what, hands_over: false, asks: None }];
        story
    }

    async fn claim(lexer: &Lexer, id: &str) {
        let url = format!("{}/api/clients/{CLIENT}/bots/objects/claim", lexer.hub.url());
        let body = json!({
            "object_id": id, "published_at": 1_700_000_000_000_u64,
            "source": "facebook", "state": "closed", "account_id": PAGE,
        });
        let call = client().unwrap().post(url).header("auth-api-token", LEXER_TOKEN);
        let call = call.header("content-type", "application/json").body(body.to_string());
        assert_eq!(call.send().await.unwrap().status().as_u16(), 201);
    }

    #[tokio::test]
    async fn what_lexer_is_not_told_and_what_it_is_told_too_late_is_found() {
        let (window, faults) = (std::time::Duration::from_secs(1), Faults::none());
        let lexer = Lexer::start(&Conduct { window, faults }).unwrap();
        let mut talk = Talk::new(&CHANNELS[0], lexer.person(1));
        for name in ["m1", "m2"] {
            lexer.say(&[Said { person: &talk.person, text: &format!("{name}; part") }]);
            let (name, wants) = (name.to_owned(), Vec::new());
            let (begun_us, acked_us, traps, behind) = (1, 2, false, None);
            talk.sent.push(Sent { name, begun_us, acked_us, traps, behind, wants });
        }
        let id = |name: &str| lexer.facebook.id_of(name).unwrap();
        let (first, second) = (id("m1"), id("m2"));
        let found = |lexer: &Lexer| {
            let laws = lexer.laws(&talk, &story()).into_iter();
            laws.map(|(_, text)| text).collect::<Vec<_>>()
        };
        let silent = "\"1 1 m1\" was said and never echoed";
        assert_eq!(found(&lexer), ["m1 was taken and never claimed", silent]);
        claim(&lexer, &first).await;
        assert_eq!(found(&lexer), [silent]);
        claim(&lexer, &second).await;
        assert_eq!(found(&lexer), ["m2 was claimed after the hand-off", silent]);
    }
}
