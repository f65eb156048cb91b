//! `botyard vendor render`: actions as what is sent.

mod turn;

use std::io::{Write as _, stderr};
use std::path::PathBuf;

use anyhow::Context as _;
use botyard_kernel::action::Action;
use botyard_kernel::id::PartId;
use botyard_kernel::plan::{Reach, reach};
use botyard_kernel::validate;
use botyard_vendors::{CallAnswer, Outcome, Part, To, Vendor, known, usual_medium};
use clap::Args;
use serde_json::json;

use super::{ChannelSettings, line, read};
use crate::clock;
use crate::shown::{answer_json, call_json};

#[derive(Debug, Args)]
pub(in crate::cli) struct Render {
    /// The vendor's name.
    vendor: String,
    /// A JSON list of actions in the canonical form; `-` reads standard input.
    file: PathBuf,
    /// What the person writes on. Default: what people of this vendor usually do.
    #[arg(long)]
    medium: Option<String>,
    /// The vendor's own key of the conversation. Default: an invented one on the medium.
    #[arg(long, value_name = "KEY")]
    conversation: Option<String>,
    /// The form that the answer of the webhook must have, for vendors that know several:
    /// the output types of `MyAlice`, as in the URL of an API. Default: `text`.
    #[arg(long, value_name = "NAME")]
    form: Option<String>,
    /// The bot was late: the answer of the webhook goes without its actions, which
    /// follow by calls.
    #[arg(long)]
    late: bool,
    /// The person's language, for the few words that the host adds.
    #[arg(long, value_name = "TAG")]
    locale: Option<String>,
    /// What a reply needs besides the key, as `receive` prints it. Default: an invented
    /// one, unless a --conversation is given.
    #[arg(long, value_name = "TEXT")]
    reply_to: Option<String>,
    #[command(flatten)]
    channel: ChannelSettings,
}

/// An action, or a part of one, as the medium gets it.
pub(super) type Piece = (PartId, Action);

pub(super) fn render(asked: &Render) -> anyhow::Result<()> {
    let vendor = asked.channel.connect(&asked.vendor, &[])?;
    let text = read(&asked.file)?;
    let actions: Vec<Action> = serde_json::from_slice(&text)
        .context("expected a JSON list of actions, for example [{\"name\": \"message\", \"payload\": {\"text\": \"Hello\"}}]")?;
    validate::actions(&actions).map_err(|failure| anyhow::anyhow!(failure.message))?;
    let usual = || usual_medium(vendor.name());
    let medium = asked.medium.as_deref().unwrap_or_else(usual);
    let invented = (known(&asked.vendor)?.place)(medium);
    let reply_to = match (&asked.reply_to, &asked.conversation) {
        (Some(given), _) => Some(given.clone()),
        (None, Some(_)) => None,
        (None, None) => invented.reply_to,
    };
    let conversation = asked.conversation.clone().unwrap_or(invented.conversation);
    let form = asked.form.as_deref().unwrap_or(invented.form);
    let to = To {
        conversation: &conversation,
        reply_to: reply_to.as_deref(),
        form,
        late: asked.late,
        failure_text: None,
        desk_id: None,
    };
    let mut profile = vendor.profile(medium);
    let rides = vendor.rides(form);
    if !asked.late {
        profile.let_ride(rides.unwrap_or_default());
    }
    let mut pieces = turn::pieces(asked, &*vendor, medium, &profile, actions)?;
    if vendor.delivery().inline {
        let riding =
            if asked.late { Vec::new() } else { take_riding(&*vendor, rides, &mut pieces) };
        line(&answer_json(&vendor.answer(&to, &parts(&riding))))?;
    }
    for list in lists(&*vendor, &pieces) {
        if let [(_, action @ (Action::Forward(_) | Action::Abort))] = list
            && vendor.delivery().silent_hand_off
        {
            let name = action.name();
            writeln!(stderr(), "{name}: the host falls silent, without a call")?;
            continue;
        }
        send(&*vendor, &To { form: "", ..to }, list)?;
    }
    Ok(())
}

/// Takes out what rides in the answer of the webhook, as the host would.
fn take_riding(vendor: &dyn Vendor, rides: Option<&[&str]>, pieces: &mut Vec<Piece>) -> Vec<Piece> {
    let Some(names) = rides else {
        let native_delay = vendor.delivery().native_delay;
        let goes = |action: &Action| {
            let played = matches!(action, Action::Delay(_)) && !native_delay;
            !played && !matches!(action, Action::Media(_))
        };
        let count = pieces.iter().take_while(|(_, action)| goes(action)).count();
        return pieces.drain(..count).collect();
    };
    let mut spoken = false;
    let (riding, rest) = std::mem::take(pieces).into_iter().partition(|(_, action)| {
        let fits = names.contains(&action.name());
        let goes = fits && (reach(action) == Reach::Desk || !spoken);
        spoken |= goes && reach(action) == Reach::Person;
        goes
    });
    *pieces = rest;
    riding
}

fn parts(pieces: &[Piece]) -> Vec<Part<'_>> {
    pieces.iter().map(|(id, action)| Part { id, action, context: None }).collect()
}

/// What leaves in one call: a list where the vendor takes lists.
fn lists<'a>(vendor: &dyn Vendor, pieces: &'a [Piece]) -> impl Iterator<Item = &'a [Piece]> {
    let (lists, native_delay) = (vendor.delivery().lists, vendor.delivery().native_delay);
    let alone = move |action: &Action| {
        !lists
            || matches!(action, Action::Media(_))
            || !native_delay && matches!(action, Action::Delay(_))
    };
    pieces.chunk_by(move |(_, one), (_, next)| !alone(one) && !alone(next))
}

/// Prints a call, and what the vendor is told when it has taken it.
fn send(vendor: &dyn Vendor, to: &To<'_>, list: &[Piece]) -> anyhow::Result<()> {
    if let [(_, Action::Delay(delay))] = list
        && !vendor.delivery().native_delay
    {
        return line(&json!({ "wait_ms": delay.delay_ms }));
    }
    let (parts, now) = (parts(list), clock::now());
    let call = vendor.call_at(to, &parts, now);
    if call.url.is_empty() {
        let unsent = CallAnswer::NotSent("there is no address".to_owned());
        let why = match vendor.outcome_for(&parts, &unsent) {
            Outcome::Fatal { reason, .. } | Outcome::Retry { reason, .. } => reason,
            Outcome::Gone(reason) | Outcome::Taken(reason) => reason,
            Outcome::Delivered { .. } => "there is no address".to_owned(),
        };
        let names: Vec<_> = list.iter().map(|(_, action)| action.name()).collect();
        return Ok(writeln!(stderr(), "{} becomes no call: {why}", names.join(", "))?);
    }
    line(&call_json(&call))?;
    let taken = (known(vendor.name())?.taken)(&call);
    if let Outcome::Delivered { follow_ups, asks, .. } = vendor.outcome_at(to, &parts, &taken, now)
    {
        for call in follow_ups.iter().chain(&asks).filter_map(|token| vendor.acknowledge(to, token))
        {
            line(&json!({ "follow_up": call_json(&call) }))?;
        }
    }
    Ok(())
}
