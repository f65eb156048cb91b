//! Who controls a thread: the handover protocol.

use http::Method;
use serde_json::{Value, json};

use super::document::{CONTROL_METADATA_CHARACTERS_MAX, PAGE_INBOX};
use super::graph::Graph;
use super::options::Role;
use super::page::{Page, recipient};
use crate::account::{Incoming, Ledger, Reply};
use crate::fields::Fields;

/// Whether a call is one of the protocol's.
pub(super) fn knows(method: &Method, edge: &str) -> bool {
    match edge {
        "thread_owner" | "secondary_receivers" => method == Method::GET,
        "pass_thread_control"
        | "take_thread_control"
        | "request_thread_control"
        | "release_thread_control" => method == Method::POST,
        _ => false,
    }
}

/// Answers a call of the protocol.
pub(super) fn answer(
    page: &mut Page,
    edge: &str,
    call: &Incoming,
    body: &Value,
    ledger: &mut Ledger,
) -> Result<Reply, Graph> {
    match edge {
        "thread_owner" => owner(page, call),
        "secondary_receivers" => {
            let inbox = json!({ "id": PAGE_INBOX, "name": "Page Inbox" });
            Ok(Reply::taken(200, &json!({ "data": [inbox] })))
        }
        _ => change(page, edge, body, ledger),
    }
}

fn owner(page: &Page, call: &Incoming) -> Result<Reply, Graph> {
    let psid = call.parameter("recipient").unwrap_or_default();
    let thread = page.threads.get(psid).ok_or_else(Graph::no_user)?;
    let owners = thread.owner.iter();
    let data: Vec<_> = owners.map(|app| json!({ "thread_owner": { "app_id": app } })).collect();
    Ok(Reply::taken(200, &json!({ "data": data })))
}

fn change(page: &mut Page, edge: &str, body: &Value, ledger: &mut Ledger) -> Result<Reply, Graph> {
    if page.options.role == Role::Absent {
        return Err(Graph::parameter("the page has no handover roles"));
    }
    let fields = Fields::of("the body", body).map_err(Graph::parameter)?;
    let judged = fields
        .no_others(&["recipient", "target_app_id", "metadata"])
        .and_then(|()| fields.optional_text("metadata", CONTROL_METADATA_CHARACTERS_MAX));
    judged.map_err(Graph::parameter)?;
    let psid = recipient(body)?;
    let (app, role) = (page.options.app_id.clone(), page.options.role);
    let thread = page.threads.get_mut(psid).ok_or_else(Graph::no_user)?;
    let owns = thread.owner.as_ref() == Some(&app);
    match edge {
        "pass_thread_control" => {
            fields.id("target_app_id").map_err(Graph::parameter)?;
            let target = &body["target_app_id"];
            let target = target.as_str().map_or_else(|| target.to_string(), str::to_owned);
            if !owns {
                return Err(Graph::not_owner());
            }
            thread.owner = Some(target);
        }
        "release_thread_control" if !owns => return Err(Graph::not_owner()),
        "release_thread_control" => thread.owner = None,
        // Only the primary receiver takes; others ask.
        "take_thread_control" if role == Role::Secondary => {
            return Err(Graph::parameter("only the primary receiver can take thread control"));
        }
        "take_thread_control" => thread.owner = Some(app),
        "request_thread_control" if role == Role::Primary => {
            return Err(Graph::parameter("the primary receiver takes thread control"));
        }
        _ => {}
    }
    let state = thread.owner.clone().unwrap_or_else(|| "nobody".to_owned());
    ledger.show(psid, edge, body.clone());
    ledger.change(psid, &format!("owner {state}"));
    Ok(Reply::taken(200, &json!({ "success": true })))
}
