//! Whether a webhook really comes from the tenant's `MyAlice` project, and which of the
//! channel's URLs it calls.
//!
//! The vendor signs nothing: it repeats the secret header that the tenant added to each
//! API. No page says whether ticket webhooks carry one, so their URL may hold the secret.

use botyard_kernel::run::Blame;
use http::{Method, StatusCode};

use super::form::{Form, TICKETS};
use super::settings::Settings;
use crate::webhook::{only, unauthorized};
use crate::{Inbound, Rejection};

/// A longer name of a place is not one that a tenant wrote.
const ENTRY_BYTES_MAX: usize = 200;

/// Which of the channel's URLs is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door<'a> {
    /// An API block of this output type, at this place in the chatbot.
    Block(Form, &'a str),
    /// The webhook for tickets and customers.
    Tickets,
}

/// Refuses what does not know the secrets. Who does not is told nothing of the doors.
pub(super) fn verify(settings: &Settings, request: &Inbound<'_>) -> Result<(), Rejection> {
    let (first, entry) = parts(request);
    match &settings.tickets_url_secrets {
        Some(secrets) if first == TICKETS => {
            let known = secrets.know(entry.as_bytes());
            let reason = "what follows `tickets/` in the URL is not the channel's secret";
            known.then_some(()).ok_or_else(|| unauthorized(reason))
        }
        Some(_) | None => secret_header(settings, request),
    }
}

/// Refuses what is at no door, or has a method that is not of this one.
pub(super) fn door<'a>(settings: &Settings, request: &Inbound<'a>) -> Result<Door<'a>, Rejection> {
    let (first, entry) = parts(request);
    let secret_follows = settings.tickets_url_secrets.is_some() && first == TICKETS;
    if secret_follows || request.rest == TICKETS {
        return tickets(request);
    }
    let block = Form::named(first).zip(named(entry));
    let (form, entry) = block.ok_or_else(nowhere)?;
    match *request.method {
        Method::GET | Method::POST => Ok(Door::Block(form, entry)),
        _ => Err(Rejection {
            status: StatusCode::METHOD_NOT_ALLOWED,
            reason: "MyAlice API blocks are GET or POST requests".to_owned(),
            blame: Blame::Vendor,
        }),
    }
}

fn parts<'a>(request: &Inbound<'a>) -> (&'a str, &'a str) {
    request.rest.split_once('/').unwrap_or((request.rest, ""))
}

fn tickets<'a>(request: &Inbound<'a>) -> Result<Door<'a>, Rejection> {
    only(&Method::POST, "MyAlice ticket", request).map(|()| Door::Tickets)
}

fn secret_header(settings: &Settings, request: &Inbound<'_>) -> Result<(), Rejection> {
    let name = &settings.webhook_header;
    let Some(value) = request.headers.get(name) else {
        return Err(unauthorized(format!(
            "the header `{name}` is missing: add it to the API on the Integration page"
        )));
    };
    if !settings.webhook_secrets.know(value.as_bytes()) {
        return Err(unauthorized(format!(
            "the header `{name}` is there and does not carry the channel's secret"
        )));
    }
    Ok(())
}

/// The name of a place in the chatbot: one step of a path.
fn named(entry: &str) -> Option<&str> {
    let fits = !entry.trim().is_empty() && entry.len() <= ENTRY_BYTES_MAX;
    (fits && !entry.contains('/')).then_some(entry)
}

fn nowhere() -> Rejection {
    Rejection {
        status: StatusCode::NOT_FOUND,
        reason: "nothing is at this URL: that of an API ends with its output type (`text`, \
                 `image`, `gallery`, `button` or `quick-reply`) and a name for the place in the \
                 chatbot, as in `text/orders`; that of ticket webhooks ends with `tickets`"
            .to_owned(),
        blame: Blame::Tenant,
    }
}
