//! A page on Facebook, which Messenger channels are, and on which others ride: webhooks hold
//! several events with ids, and actions are calls of their own.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use botyard_twins::account::{Outgoing, Twin};
use botyard_twins::messenger::{self, Act, Noise, Options, Page};
use botyard_twins::record::Call;
use serde_json::{Value, json};

use super::{Brought, Conduct, Said, brought, caller};

const APP_SECRET: &str = "crash-app-secret";
const VERIFY_TOKEN: &str = "crash-verify-token";
const PAGE_TOKEN: &str = "crash-page-token";

/// A page, and what was said to it.
#[derive(Debug)]
pub(super) struct Facebook {
    page: Twin<Page>,
    pub(super) page_id: String,
    app_id: String,
    /// What Messenger calls what persons have said, by its names.
    said: Mutex<BTreeMap<String, String>>,
}

impl Facebook {
    pub(super) fn start(page_id: &str, conduct: &Conduct) -> Result<Self> {
        // Echoes of what we say ourselves would be twice the load, and tell nothing.
        let options = Options::new(APP_SECRET, VERIFY_TOKEN, PAGE_TOKEN);
        let options = Options { noise: Noise::NONE, page_id: page_id.to_owned(), ..options };
        let (page_id, app_id) = (options.page_id.clone(), options.app_id.clone());
        let page = messenger::start(options, conduct.for_a_token())?;
        Ok(Self { page, page_id, app_id, said: Mutex::default() })
    }

    /// The settings of a Messenger channel for the host process `life`.
    pub(super) fn settings(&self, life: usize) -> Value {
        json!({
            "app-secret": APP_SECRET,
            "verify-token": VERIFY_TOKEN,
            "page-token": PAGE_TOKEN,
            "app-id": self.app_id,
            "graph-url": format!("{}/v23.0", caller(&self.page.url(), life)),
        })
    }

    pub(super) fn key(&self, person: &str) -> String {
        format!("{}:{person}", self.page_id)
    }

    pub(super) fn say(&self, said: &[Said<'_>]) -> Outgoing {
        let account = self.page.account();
        let mut ids = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let events = said.iter().map(|said| {
            let event = account.act(said.person, Act::Write(said.text.to_owned()));
            let event = event.expect("everybody can write at any time");
            let id = event.value["message"]["mid"].as_str().unwrap_or_default().to_owned();
            let name = said.text.split(';').next().unwrap_or_default();
            ids.insert(name.to_owned(), id);
            event
        });
        account.webhook(&events.collect::<Vec<_>>())
    }

    /// What Messenger calls what a person has said; nothing of what came otherwise.
    pub(super) fn id_of(&self, name: &str) -> Option<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    pub(super) fn calls(&self) -> Vec<Brought> {
        brought(self.page.account(), |call: &Call| {
            Some((self.key(call.conversation.as_deref()?), what_of(&call.body["message"])?))
        })
    }

    /// What Messenger calls the messages in which a person was told something.
    pub(super) fn told(&self, person: &str) -> Vec<(String, String)> {
        let seen = self.page.account().seen(person);
        let messages = seen.iter().filter(|seen| seen.name == "message");
        let told = messages.filter_map(|seen| {
            Some((what_of(&seen.value)?, seen.value["mid"].as_str()?.to_owned()))
        });
        told.collect()
    }

    /// Who controls the thread of a person: the app, or who else.
    pub(super) fn is_with_app(&self, person: &str) -> bool {
        self.page.account().owner(person).is_none_or(|owner| owner == self.app_id)
    }
}

/// What a person sees of a message.
fn what_of(message: &Value) -> Option<String> {
    let link = || message["attachment"]["payload"]["url"].as_str();
    message["text"].as_str().or_else(link).map(str::to_owned)
}
