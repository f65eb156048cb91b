//! Runs of bots.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use botyard_failpoints::{Point, pass};
use botyard_kernel::event::Event;
use botyard_kernel::id::BotId;
use botyard_kernel::lane::Input;
use botyard_kernel::log::Call;
use botyard_kernel::run::RunInput;
use botyard_kernel::session::Session;
use botyard_runtime::{BotValues, Services};
use botyard_store::TenantStore;
use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};
use tokio::sync::mpsc;

use super::Message;
use super::driver::Driver;
use super::fetch::Calls;

/// The event, the session, the conversation's values, recorded calls.
pub(super) type Given = (Event, Session, BTreeMap<String, String>, Vec<Call>);

/// A run, and whether it has to wait for room.
pub(super) fn run(
    driver: &Driver,
    run: u64,
    (event, mut session, conversation_kv, calls): Given,
    lane: mpsc::UnboundedSender<Message>,
) -> (bool, BoxFuture<'static, Input>) {
    let bot = Arc::clone(&driver.channel.bot);
    let runtime = Arc::clone(&driver.work.runtime);
    let tenant = driver.key.tenant.clone();
    let profile = driver.profile(&session.facts.medium, &event.id);
    session.profile = profile.settings.clone();
    let version = *bot.version.digest();
    if let Some(output) = driver.work.suspended(&driver.channel) {
        let (output, profile) = (Box::new(output), Box::new(profile));
        return (false, future::ready(Input::Ran { run, output, version, profile }).boxed());
    }
    let values = Values { store: driver.work.store.tenant(&tenant), bot: bot.id.clone() };
    let permit = runtime.try_permit(&bot.version, &tenant);
    let waits = permit.is_none();
    let future = async move {
        let permit = match permit {
            Some(permit) => permit,
            None => runtime.permit(&bot.version, &tenant).await,
        };
        let input = RunInput { event, session, conversation_kv, config: bot.config.clone(), calls };
        let services = Services { values: Arc::new(values), http: Arc::new(Calls { run, lane }) };
        pass(Point::RunBegins);
        let output = runtime.run(&bot.version, permit, input, services).await;
        pass(Point::RunEnded);
        Input::Ran { run, output: Box::new(output), version, profile: Box::new(profile) }
    };
    (waits, future.boxed())
}

/// The bot's values as the committed turns left them.
#[derive(Clone)]
struct Values {
    store: TenantStore,
    bot: BotId,
}

#[async_trait]
impl BotValues for Values {
    async fn get(&self, key: &str) -> anyhow::Result<Option<String>> {
        Ok(self.store.bot_value(&self.bot, key).await?)
    }
}
