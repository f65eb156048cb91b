//! `botyard vendor`: a vendor's payloads as events, and actions as its calls, without
//! a server or a database.

use std::io::{Read as _, Write as _, stderr, stdin, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use botyard_kernel::action::Action;
use botyard_kernel::degrade::degrade_in;
use botyard_kernel::id::{PartId, TurnId};
use botyard_kernel::plan::{Reach, reach};
use botyard_kernel::validate;
use botyard_vendors::{Call, Inbound, Incoming, Part, Received, To, Vendor, known};
use bytes::Bytes;
use clap::{Args, Subcommand};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use crate::clock;

/// What can be tried of a vendor.
#[derive(Debug, Subcommand)]
pub(super) enum VendorCommand {
    /// Print the events that a webhook becomes, as lines of JSON.
    ///
    /// Nothing is printed for one that is ignored; the reason is on standard error.
    Receive(Receive),
    /// Print the calls that actions become, as lines of JSON.
    ///
    /// What the medium cannot carry is degraded first; each change is on standard
    /// error. Pages of a menu are printed one after the other.
    Render(Render),
}

#[derive(Debug, Args)]
pub(super) struct Receive {
    /// The vendor's name.
    vendor: String,
    /// The webhook's body; `-` reads standard input.
    file: PathBuf,
    /// A header of the webhook, as `NAME=VALUE`; repeatable.
    #[arg(long, value_name = "NAME=VALUE", value_parser = header)]
    header: Vec<(HeaderName, HeaderValue)>,
    /// The method.
    #[arg(long, default_value = "POST")]
    method: Method,
    /// What follows the channel's name in the URL, with its query.
    #[arg(long, value_name = "REST", default_value = "")]
    path: String,
    #[command(flatten)]
    channel: ChannelSettings,
}

#[derive(Debug, Args)]
pub(super) struct Render {
    /// The vendor's name.
    vendor: String,
    /// A JSON list of actions in the canonical form; `-` reads standard input.
    file: PathBuf,
    /// What the person writes on.
    #[arg(long, default_value = "web")]
    medium: String,
    /// The vendor's own key of the conversation.
    #[arg(long, value_name = "KEY", default_value = "a-conversation")]
    conversation: String,
    /// The person's language, for the few words that the host adds.
    #[arg(long, value_name = "TAG")]
    locale: Option<String>,
    /// What a reply needs besides the key, as `receive` prints it.
    #[arg(long, value_name = "TEXT")]
    reply_to: Option<String>,
    #[command(flatten)]
    channel: ChannelSettings,
}

#[derive(Debug, Args)]
struct ChannelSettings {
    /// The channel's settings as JSON, as in the host's settings. Without them the
    /// vendor is tried with invented secrets, and webhooks are not verified.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
}

/// Does what is asked for.
pub(super) fn run(command: &VendorCommand) -> anyhow::Result<()> {
    match command {
        VendorCommand::Receive(receive) => self::receive(receive),
        VendorCommand::Render(render) => self::render(render),
    }
}

fn receive(asked: &Receive) -> anyhow::Result<()> {
    let vendor = asked.channel.connect(&asked.vendor)?;
    let body = Bytes::from(read(&asked.file)?);
    let headers: HeaderMap = asked.header.iter().cloned().collect();
    let (rest, query) = match asked.path.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (asked.path.as_str(), None),
    };
    let inbound = Inbound {
        method: &asked.method,
        rest: rest.trim_matches('/'),
        query,
        headers: &headers,
        body: &body,
        chance: clock::seed(),
    };
    let now = clock::now();
    let received = if asked.channel.settings.is_some() {
        vendor.receive(&inbound, now)
    } else {
        writeln!(stderr(), "not verified: give the channel's --settings for that")?;
        vendor.read(&inbound, now)
    };
    match received {
        Received::Events { events, damaged } => {
            for part in &damaged {
                writeln!(stderr(), "a part cannot be read: {}", part.reason)?;
            }
            events.iter().try_for_each(|event| line(&event_json(event)))
        }
        Received::Ignored(why) => Ok(writeln!(stderr(), "ignored: {why}")?),
        Received::Challenge(reply) => {
            let body = String::from_utf8_lossy(&reply.body).into_owned();
            line(&json!({ "answer": { "status": reply.status.as_u16(), "body": body } }))
        }
        Received::Rejected(rejection) => {
            let (status, blame) = (rejection.status.as_u16(), rejection.blame.name());
            bail!("{status}: {} (the {blame} must act)", rejection.reason)
        }
    }
}

/// An event with what the vendor said around it.
fn event_json(incoming: &Incoming) -> Value {
    let mut json = json!({
        "conversation": incoming.conversation,
        "event": incoming.body,
        "facts": incoming.facts,
    });
    let optional = [
        ("vendor_ms", json!(incoming.vendor_ms)),
        ("key", json!(incoming.key)),
        ("owner", json!(incoming.owner)),
        ("route", json!(incoming.route)),
        ("reply_to", json!(incoming.reply_to)),
        ("acknowledge", json!(incoming.acknowledge)),
        ("context", json!(incoming.context)),
    ];
    for (name, value) in optional {
        if !value.is_null() {
            json[name] = value;
        }
    }
    json
}

fn render(asked: &Render) -> anyhow::Result<()> {
    let vendor = asked.channel.connect(&asked.vendor)?;
    let text = read(&asked.file)?;
    let actions: Vec<Action> = serde_json::from_slice(&text)
        .context("expected a JSON list of actions, for example [{\"name\": \"message\", \"payload\": {\"text\": \"Hello\"}}]")?;
    validate::actions(&actions).map_err(|failure| anyhow::anyhow!(failure.message))?;
    let profile = vendor.profile(&asked.medium);
    let turn = TurnId::from("t0");
    let mut parts: Vec<(PartId, Action)> = Vec::new();
    for (index, action) in actions.into_iter().enumerate() {
        if reach(&action) == Reach::Host {
            let name = action.name();
            writeln!(stderr(), "action {index} ({name}): the host does it, without a call")?;
            continue;
        }
        let options = action.options().unwrap_or_default().into_iter();
        let options: Vec<_> =
            options.map(|(id, label)| (id.to_owned(), label.to_owned())).collect();
        let mut degraded = degrade_in(action, &profile, vendor.name(), asked.locale.as_deref());
        for note in &degraded.notes {
            writeln!(stderr(), "action {index} ({}): {}", note.action, note.what)?;
        }
        degraded.name_options(&profile, PartId::of(&turn, index, 0).as_str(), &options);
        // Later pages leave when the person asks for them; here they follow at once.
        let own = degraded.actions.into_iter().chain(degraded.pages).enumerate();
        parts.extend(own.map(|(part, action)| (PartId::of(&turn, index, part), action)));
    }
    let to = To {
        conversation: &asked.conversation,
        reply_to: asked.reply_to.as_deref(),
        form: "",
        ..To::default()
    };
    for list in lists(&*vendor, &parts) {
        if let [(_, Action::Delay(delay))] = list
            && !vendor.delivery().native_delay
        {
            line(&json!({ "wait_ms": delay.delay_ms }))?;
            continue;
        }
        let own: Vec<_> =
            list.iter().map(|(id, action)| Part { id, action, context: None }).collect();
        line(&call_json(&vendor.call(&to, &own)))?;
    }
    Ok(())
}

/// What leaves in one call: a list where the vendor takes lists.
fn lists<'a>(
    vendor: &dyn Vendor,
    parts: &'a [(PartId, Action)],
) -> impl Iterator<Item = &'a [(PartId, Action)]> {
    let lists = vendor.delivery().lists;
    let alone = move |action: &Action| !lists || matches!(action, Action::Media(_));
    parts.chunk_by(move |(_, one), (_, next)| !alone(one) && !alone(next))
}

fn call_json(call: &Call) -> Value {
    let shown = |value: &HeaderValue| match value.to_str() {
        Ok(text) if !value.is_sensitive() => json!(text),
        _ => json!("(a secret)"),
    };
    let headers: serde_json::Map<String, Value> =
        call.headers.iter().map(|(name, value)| (name.to_string(), shown(value))).collect();
    let body = match serde_json::from_slice::<Value>(&call.body) {
        Ok(json) => json,
        Err(_) => json!(String::from_utf8_lossy(&call.body)),
    };
    json!({ "method": call.method.as_str(), "url": call.url, "headers": headers, "body": body })
}

impl ChannelSettings {
    fn connect(&self, vendor: &str) -> anyhow::Result<std::sync::Arc<dyn Vendor>> {
        let known = known(vendor)?;
        let settings = match &self.settings {
            Some(file) => {
                let text = read(file)?;
                serde_json::from_slice(&text)
                    .with_context(|| format!("{} holds no JSON", file.display()))?
            }
            None => (known.sample)(),
        };
        Ok((known.connect)(settings)?)
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(bytes);
    }
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn line(value: &Value) -> anyhow::Result<()> {
    writeln!(stdout(), "{value}").context("cannot print")
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let name = name.trim().parse().map_err(|_| "that is no name of a header")?;
    let value = value.trim().parse().map_err(|_| "no header can carry that value")?;
    Ok((name, value))
}
