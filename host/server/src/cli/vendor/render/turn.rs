//! What the host makes of a bot's actions before any of them leaves: a turn, planned as a
//! running host plans it.

use std::io::{Write as _, stderr};

use anyhow::bail;
use botyard_kernel::action::Action;
use botyard_kernel::event::{Event, EventBody, Message, TextFormat};
use botyard_kernel::id::{BotId, ConversationKey, Digest, PartId};
use botyard_kernel::log::{Arrival, Conversation, Outcome};
use botyard_kernel::plan::{Plan, Policy, Reach, reach};
use botyard_kernel::profile::Profile;
use botyard_kernel::run::{Cost, RunOutput};
use botyard_kernel::session::{Facts, Seed};
use botyard_vendors::Vendor;

use super::{Piece, Render};

/// What the medium gets, with a word on standard error for what it does not.
pub(super) fn pieces(
    asked: &Render,
    vendor: &dyn Vendor,
    medium: &str,
    profile: &Profile,
    actions: Vec<Action>,
) -> anyhow::Result<Vec<Piece>> {
    let given = actions.clone();
    let state = state(asked, vendor, medium, profile, actions)?;
    for (index, action) in given.iter().enumerate() {
        let name = action.name();
        let word = if reach(action) == Reach::Host {
            "the host does it, without a call"
        } else if profile.carries(name) {
            continue;
        } else if *action == Action::End {
            "the host ends the session, without a call"
        } else if matches!(action, Action::ContactUpdate(_)) {
            "kept by the host"
        } else {
            continue;
        };
        writeln!(stderr(), "action {index} ({name}): {word}")?;
    }
    let mut pieces = Vec::new();
    for row in state.rows {
        // Hand-offs to nobody and requests are no calls of this vendor.
        if row.hand_off.is_none() && !matches!(row.action, Action::Request(_)) {
            pieces.push((row.id, row.action));
        }
    }
    for menu in state.menus {
        let last = pieces.iter().rposition(|(id, _)| of_one_action(id.as_str(), &menu.id));
        let after = last.map_or(pieces.len(), |last| last + 1);
        let page = |(number, page)| (PartId(format!("{}.page.{number}", menu.id)), page);
        // Whoever looks at them sees at once what a person would have to ask for.
        pieces.splice(after..after, (1..).zip(menu.pages).map(page));
    }
    Ok(pieces)
}

/// Whether two parts are of one action: their ids differ in what stands behind the last dot.
fn of_one_action(one: &str, other: &str) -> bool {
    let action = |part: &str| part.rsplit_once('.').map(|(action, _)| action.to_owned());
    action(one) == action(other)
}

/// An invented conversation after the turn.
fn state(
    asked: &Render,
    vendor: &dyn Vendor,
    medium: &str,
    profile: &Profile,
    actions: Vec<Action>,
) -> anyhow::Result<Conversation> {
    let key = ConversationKey {
        tenant: "a-tenant".into(),
        channel: "a-channel".into(),
        vendor_key: "a-conversation".to_owned(),
    };
    let hello = Message { text: "Hello".to_owned(), format: TextFormat::Plain };
    let event = Event::new("e0".into(), 0, EventBody::Message(hello));
    let (medium, locale) = (medium.to_owned(), asked.locale.clone());
    let facts = Some(Facts { medium, locale, ..Facts::default() });
    let arrival = Arrival { facts, ..Arrival::new(event, Seed::default()) };
    let policy = Policy::new(vendor.name(), BotId("a-bot".to_owned()));
    let before = Conversation::default();
    let plan = Plan { key: &key, state: &before, arrival: &arrival, policy: &policy };
    let output = RunOutput {
        result: Ok(actions),
        writes: Vec::new(),
        log: Vec::new(),
        log_cut_bytes: 0,
        cost: Cost::default(),
    };
    let turn = plan.complete(output, Digest::of(b""), profile, 0);
    if let Outcome::Failed { failure, .. } = turn.outcome {
        bail!(failure.message);
    }
    for line in turn.log {
        writeln!(stderr(), "{}", line.message)?;
    }
    Ok(turn.state)
}
