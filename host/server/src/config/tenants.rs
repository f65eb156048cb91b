//! Who owns which bots and channels.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use botyard_kernel::choices::Recognition;
use botyard_kernel::degrade::Degrading;
use botyard_kernel::id::{BotId, ChannelId, TenantId};
use botyard_kernel::plan::{Overlap, SessionTimeout, TimeoutAction};
use botyard_kernel::time::{DAY, MINUTE, Millis};
use serde_json::Value;

use super::entry::Entry;
use super::error::Wrong;
use super::headers;
use super::secret::Secret;
use super::section::{Section, nearest};
use super::store;
use super::tenant::TenantSettings;
use crate::send::{HostPattern, SecretHeaders};

/// A session ends after at least a second and at most a year.
const SESSION_IDLE_MS: std::ops::RangeInclusive<Millis> = 1_000..=365 * DAY;
/// The bot has a conversation again after at least a minute without a word of a human,
/// who has to read before writing, and at most a year.
const RETURNS_AFTER_MS: std::ops::RangeInclusive<Millis> = MINUTE..=365 * DAY;
/// How long a person has been silent when a bot that coalesces runs, by default.
const COALESCE_MS: Millis = 1_500;
/// What may be set instead: longer waits would look like a dead bot.
const COALESCE_RANGE_MS: std::ops::RangeInclusive<Millis> = 100..=30_000;
/// Shorter tokens can be guessed.
const TOKEN_MIN_BYTES: usize = 16;

/// All tenants by name. The names of channels are unique over all of them.
pub type Tenants = BTreeMap<TenantId, Tenant>;

/// Who owns bots and channels.
#[derive(Clone, Debug, Default)]
pub struct Tenant {
    /// What is set of it as a whole.
    pub own: TenantSettings,
    /// The bots by name.
    pub bots: BTreeMap<BotId, FileBot>,
    /// The channels by name.
    pub channels: BTreeMap<ChannelId, Channel>,
    /// External bots that its bots can hand over to, by name.
    pub relays: BTreeMap<String, Relay>,
}

/// An external bot.
#[derive(Clone)]
pub struct Relay {
    /// The vendor's name, unchecked.
    pub vendor: String,
    /// The vendor's own settings, unchecked: an object that holds secrets.
    pub settings: Value,
}

/// A program of the settings file.
#[derive(Clone, Debug)]
pub struct FileBot {
    /// The file with the component.
    pub component: PathBuf,
    /// What is set of it.
    pub bot: Bot,
}

/// What is set of a program.
#[derive(Clone)]
pub struct Bot {
    /// What the bot reads through its import `config`.
    pub config: BTreeMap<String, String>,
    /// Those of its values that are kept elsewhere, as secrets are.
    pub secrets: Vec<String>,
    /// Hosts that its requests may reach.
    pub hosts: Vec<HostPattern>,
    /// What becomes of events of a person that wait while newer ones come.
    pub overlap: Overlap,
    /// What becomes of what a medium cannot carry; absent: what the bot's manifest says.
    pub degrading: Option<Degrading>,
    /// Which typed texts mean an option of a menu; absent: what the bot's manifest says.
    pub choices: Option<Recognition>,
    /// Headers that its requests get on their way.
    pub http_headers: SecretHeaders,
}

/// An account at a vendor, connected to a bot.
#[derive(Clone)]
pub struct Channel {
    /// The vendor's name, unchecked.
    pub vendor: String,
    /// The bot that answers: one of the same tenant.
    pub bot: BotId,
    /// What the tenant's own systems show to send signals.
    pub signal_token: Option<Secret>,
    /// Opens the desk, where humans read and answer.
    pub desk_token: Option<Secret>,
    /// What a person is told when the bot fails, by language tag.
    pub failure_texts: BTreeMap<String, String>,
    /// Hand the conversation to a human when the bot fails.
    pub failure_hand_off: bool,
    /// Until a silent session ends.
    pub session_idle_ms: Millis,
    /// What the host does when a person says nothing for too long.
    pub session_timeout: Option<SessionTimeout>,
    /// When the bot has a conversation again in which no human says anything more.
    pub returns_after_ms: Option<Millis>,
    /// When the bot has a conversation again in which an external bot says nothing more.
    pub relay_returns_after_ms: Option<Millis>,
    /// The vendor's own settings, unchecked: an object that holds secrets.
    pub settings: Value,
}

impl fmt::Debug for Bot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bot")
            .field("config", &self.config.keys().collect::<Vec<_>>())
            .field("hosts", &self.hosts)
            .field("http_headers", &self.http_headers)
            .finish()
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("vendor", &self.vendor).finish_non_exhaustive()
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.settings.as_object().map(|table| table.keys().collect::<Vec<_>>());
        f.debug_struct("Channel")
            .field("vendor", &self.vendor)
            .field("bot", &self.bot)
            .field("settings", &settings.unwrap_or_default())
            .finish_non_exhaustive()
    }
}

/// Reads all tenants.
pub(super) fn read(section: Section<'_>) -> Result<Tenants, Wrong> {
    let mut tenants = Tenants::new();
    let mut owners = BTreeMap::new();
    for (name, section) in section.named()? {
        let tenant = Tenant::read(section)?;
        for channel in tenant.channels.keys() {
            if let Some(other) = owners.insert(channel.clone(), name.clone()) {
                return Err(taken(channel, &other, &name));
            }
        }
        tenants.insert(name.into(), tenant);
    }
    Ok(tenants)
}

fn taken(channel: &ChannelId, first: &str, second: &str) -> Wrong {
    Wrong {
        path: path(second, channel),
        problem: format!(
            "has the name of `{}`: it stands in the webhook URL and must be unique over all \
             tenants; give one of them another name",
            path(first, channel).join(".")
        ),
    }
}

fn path(tenant: &str, channel: &ChannelId) -> Vec<String> {
    ["tenants", tenant, "channels", channel.as_str()].map(str::to_owned).into()
}

impl Tenant {
    fn read(mut section: Section<'_>) -> Result<Self, Wrong> {
        let own = TenantSettings::read(&mut section)?;
        let mut tenant = Self { own, ..Self::default() };
        for (name, section) in section.section("bots")?.named()? {
            tenant.bots.insert(name.into(), FileBot::read(section)?);
        }
        for (name, section) in section.section("relays")?.named()? {
            tenant.relays.insert(name, Relay::read(section)?);
        }
        for (name, section) in section.section("channels")?.named()? {
            let known = tenant.bots.keys().cloned().collect();
            tenant.channels.insert(name.into(), Channel::read(section, &known)?);
        }
        section.finish()?;
        Ok(tenant)
    }
}

impl FileBot {
    fn read(mut section: Section<'_>) -> Result<Self, Wrong> {
        let component = section.required("component")?.parsed("a path", store::path)?;
        Ok(Self { component, bot: Bot::read(section)? })
    }
}

impl Bot {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Wrong> {
        let config = section.optional("config");
        let elsewhere = config.as_ref().map(Entry::kept_elsewhere).unwrap_or_default();
        let config = config.map_or_else(|| Ok(BTreeMap::new()), Entry::texts)?;
        let bot = Self {
            secrets: elsewhere.iter().filter_map(|key| config.get(key).cloned()).collect(),
            config,
            hosts: section.optional("hosts").map_or_else(
                || Ok(Vec::new()),
                |entry| entry.list(HostPattern::EXPECTED, HostPattern::read),
            )?,
            overlap: overlap(&mut section)?,
            degrading: degrading(&mut section)?,
            choices: choices(&mut section)?,
            http_headers: headers::read(section.section("http-headers")?)?,
        };
        section.finish()?;
        Ok(bot)
    }
}

fn overlap(section: &mut Section<'_>) -> Result<Overlap, Wrong> {
    let silence_ms = section.optional("coalesce-ms");
    let silence_ms = silence_ms
        .map_or(Ok(COALESCE_MS), |entry| entry.number(COALESCE_RANGE_MS, "milliseconds"))?;
    let words = [
        ("serial", Overlap::Serial),
        ("latest", Overlap::Latest),
        ("coalesce", Overlap::Coalesce { silence_ms }),
    ];
    section.optional("overlap").map_or(Ok(Overlap::Serial), |entry| entry.word(&words))
}

fn degrading(section: &mut Section<'_>) -> Result<Option<Degrading>, Wrong> {
    let words = [("allow", Degrading::Allow), ("deny", Degrading::Deny)];
    section.optional("degrade").map(|entry| entry.word(&words)).transpose()
}

fn choices(section: &mut Section<'_>) -> Result<Option<Recognition>, Wrong> {
    let words = [
        ("all", Recognition::All),
        ("numbers-and-labels", Recognition::NumbersAndLabels),
        ("labels", Recognition::Labels),
        ("off", Recognition::Off),
    ];
    section.optional("choices").map(|entry| entry.word(&words)).transpose()
}

fn session_timeout(section: &mut Section<'_>) -> Result<Option<SessionTimeout>, Wrong> {
    let words = [
        ("end", TimeoutAction::End),
        ("unassign", TimeoutAction::Unassign),
        ("forward", TimeoutAction::Forward),
    ];
    let then = section.optional("session-timeout-then");
    let Some(after) = section.optional("session-timeout-ms") else {
        return match then {
            None => Ok(None),
            Some(then) => Err(then.wrong(
                "needs `session-timeout-ms`, which says after how long: set it, or leave both out"
                    .to_owned(),
            )),
        };
    };
    let after_ms = after.number(SESSION_IDLE_MS, "milliseconds")?;
    let then = then.map_or(Ok(TimeoutAction::End), |entry| entry.word(&words))?;
    Ok(Some(SessionTimeout { after_ms, then }))
}

/// After how much silence of whoever has a conversation the bot has it again.
fn returns_after(section: &mut Section<'_>, key: &'static str) -> Result<Option<Millis>, Wrong> {
    let after = section.optional(key);
    after.map(|entry| entry.number(RETURNS_AFTER_MS, "milliseconds")).transpose()
}

impl Relay {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Wrong> {
        let vendor = section.required("vendor")?.text()?;
        Ok(Self { vendor, settings: Value::Object(section.rest()?) })
    }
}

impl Channel {
    pub(super) fn read(mut section: Section<'_>, bots: &BTreeSet<BotId>) -> Result<Self, Wrong> {
        let signal_token = section.optional("signal-token");
        let desk_token = section.optional("desk-token");
        Ok(Self {
            vendor: section.required("vendor")?.text()?,
            bot: section
                .required("bot")?
                .parsed("the name of a bot of the same tenant", |name| known(name, bots))?,
            signal_token: signal_token.map(|entry| entry.secret(TOKEN_MIN_BYTES)).transpose()?,
            desk_token: desk_token.map(|entry| entry.secret(TOKEN_MIN_BYTES)).transpose()?,
            failure_texts: section
                .optional("failure-texts")
                .map_or_else(|| Ok(BTreeMap::new()), |entry| entry.texts())?,
            failure_hand_off: section
                .optional("failure-hand-off")
                .map_or(Ok(false), |entry| entry.flag())?,
            session_idle_ms: section
                .optional("session-idle-ms")
                .map_or(Ok(DAY), |entry| entry.number(SESSION_IDLE_MS, "milliseconds"))?,
            session_timeout: session_timeout(&mut section)?,
            returns_after_ms: returns_after(&mut section, "returns-after-ms")?,
            relay_returns_after_ms: returns_after(&mut section, "relay-returns-after-ms")?,
            settings: Value::Object(section.rest()?),
        })
    }
}

fn known(name: &str, bots: &BTreeSet<BotId>) -> Result<BotId, String> {
    let id = BotId::from(name);
    if bots.contains(&id) {
        return Ok(id);
    }
    Err(match nearest(name, bots.iter().map(BotId::as_str)) {
        Some(near) => format!("there is no `{name}`; did you mean `{near}`?"),
        None => format!("there is no `{name}`; add it to the tenant's `bots`"),
    })
}
