//! `botyard vendor`: a vendor's payloads as events, and actions as its calls, without
//! a server or a database.

mod render;

use std::io::{Read as _, Write as _, stderr, stdin, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use botyard_vendors::{Inbound, Incoming, Received, Vendor, dialect_toml, known};
use bytes::Bytes;
use clap::{Args, Subcommand};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use self::render::Render;
use crate::clock;
use crate::config::Config;

/// What is said of a payload that is not read without settings.
const INVENTED: &str = "; it was tried with invented settings: --settings, or --config and \
                        --channel, try it with your own";

/// What can be tried of a vendor.
#[derive(Debug, Subcommand)]
pub(super) enum VendorCommand {
    /// Print the events that a webhook becomes, as lines of JSON.
    ///
    /// Nothing is printed for one that is ignored; the reason is on standard error.
    Receive(Receive),
    /// Print what actions become, as lines of JSON: the answer of the webhook where
    /// the vendor takes them there, the calls, and what the vendor is told afterwards.
    ///
    /// What the medium cannot carry is degraded first; each change is on standard
    /// error. Pages of a menu are printed one after the other.
    Render(Render),
    /// Print what a channel of this vendor can set in its `dialect`, with the defaults, as
    /// TOML.
    Dialect {
        /// The vendor's name.
        vendor: String,
    },
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
    /// What follows the channel's name in the URL, with its query: `text/menu` of
    /// `MyAlice`, `secure/send` of Instabot.
    #[arg(long, value_name = "REST", default_value = "")]
    path: String,
    #[command(flatten)]
    channel: ChannelSettings,
}

#[derive(Debug, Args)]
struct ChannelSettings {
    /// The vendor's own settings of a channel as JSON, with the secrets themselves:
    /// without `vendor`, `bot` and what else is the host's. Without settings the vendor
    /// is tried with invented secrets, and webhooks are not verified.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "channel"])]
    settings: Option<PathBuf>,
    /// The host's settings, as `serve` takes them; needs --channel.
    #[arg(long, short, value_name = "FILE", requires = "channel")]
    config: Option<PathBuf>,
    /// The channel in them that is tried.
    #[arg(long, value_name = "NAME", requires = "config")]
    channel: Option<String>,
}

/// Does what is asked for.
pub(super) fn run(command: &VendorCommand) -> anyhow::Result<()> {
    match command {
        VendorCommand::Receive(receive) => self::receive(receive),
        VendorCommand::Render(render) => render::render(render),
        VendorCommand::Dialect { vendor } => {
            let keys = dialect_toml(&known(vendor)?.dialect);
            Ok(stdout().write_all(keys.as_bytes())?)
        }
    }
}

fn receive(asked: &Receive) -> anyhow::Result<()> {
    let body = Bytes::from(read(&asked.file)?);
    let vendor = asked.channel.connect(&asked.vendor, &body)?;
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
    let (received, hint) = if asked.channel.are_given() {
        (vendor.receive(&inbound, now), "")
    } else {
        writeln!(stderr(), "not verified: give --config and --channel for that, or --settings")?;
        (vendor.read(&inbound, now), INVENTED)
    };
    match received {
        Received::Events { events, damaged } => {
            for part in &damaged {
                writeln!(stderr(), "a part cannot be read: {}", part.reason)?;
            }
            if events.is_empty() {
                bail!("nothing of it can be read{hint}");
            }
            events.iter().try_for_each(|event| line(&event_json(event)))
        }
        Received::Ignored(why) => Ok(writeln!(stderr(), "ignored: {why}")?),
        Received::Challenge(reply) => {
            let body = String::from_utf8_lossy(&reply.body).into_owned();
            line(&json!({ "answer": { "status": reply.status.as_u16(), "body": body } }))
        }
        Received::Asked { email } => {
            let reply = vendor.person(&email, None);
            let body = reply.map(|reply| String::from_utf8_lossy(&reply.body).into_owned());
            writeln!(stderr(), "asked for {email}; a host answers what it knows of them")?;
            line(&json!({ "answer": { "status": 200, "body": body } }))
        }
        Received::Rejected(rejection) => {
            let (status, blame) = (rejection.status.as_u16(), rejection.blame.name());
            bail!("{status}: {} (the {blame} must act){hint}", rejection.reason)
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
        ("aside", json!(incoming.aside.then_some(true))),
        ("route", json!(incoming.route)),
        ("reply_to", json!(incoming.reply_to)),
        ("desk_id", json!(incoming.desk_id)),
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

impl ChannelSettings {
    fn are_given(&self) -> bool {
        self.settings.is_some() || self.channel.is_some()
    }

    /// Without settings, a channel of whoever the webhook's body is for.
    fn connect(&self, vendor: &str, body: &[u8]) -> anyhow::Result<std::sync::Arc<dyn Vendor>> {
        let known = known(vendor)?;
        let settings = match (&self.settings, &self.channel) {
            (Some(file), _) => {
                let text = read(file)?;
                serde_json::from_slice(&text)
                    .with_context(|| format!("{} holds no JSON", file.display()))?
            }
            (None, Some(channel)) => self.of_channel(vendor, channel)?,
            (None, None) => (known.sample_for)(body),
        };
        Ok((known.connect)(settings)?)
    }

    /// What the host's settings have for a channel of this vendor.
    fn of_channel(&self, vendor: &str, name: &str) -> anyhow::Result<Value> {
        let config = Config::load(self.config.as_deref(), std::env::vars())?;
        let mut channels = config.tenants.values().flat_map(|tenant| &tenant.channels);
        let found = channels.find(|(known, _)| known.as_str() == name);
        let (_, channel) = found.with_context(|| {
            format!("there is no channel `{name}` in the settings: compare --channel with them")
        })?;
        if channel.vendor != vendor {
            bail!("the channel `{name}` is one of {}, not of {vendor}", channel.vendor);
        }
        Ok(channel.settings.clone())
    }
}

pub(super) fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
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
