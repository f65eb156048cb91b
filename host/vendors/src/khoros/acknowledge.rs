//! What follows a delivery: "Sending a message does not automatically stop the typing
//! indicator."

use botyard_kernel::action::{Action, Typing};

use http::Method;

use super::Khoros;
use super::place::in_url;
use super::render;
use super::reply::ReplyTo;
use crate::{Call, Part, To};

/// The token of the call that hides the sign of typing.
const TYPING_STOP: &str = "typing_stop";
/// What stands before the id in the token of the question how a request stands.
const REQUEST: &str = "request:";

/// What Khoros is to be told once these parts are there.
pub(super) fn follow_ups(khoros: &Khoros, parts: &[Part<'_>]) -> Vec<String> {
    let says = |part: &Part<'_>| match part.action {
        Action::Message(_)
        | Action::Bubbles(_)
        | Action::ButtonTemplate(_)
        | Action::ListTemplate(_)
        | Action::Carousel(_)
        | Action::RichLink(_)
        | Action::Media(_)
        | Action::SecureForm(_)
        | Action::Passthrough(_) => true,
        Action::Buttons(_)
        | Action::Navigate(_)
        | Action::Typing(_)
        | Action::Delay(_)
        | Action::ContextUpdate(_)
        | Action::ContextClear
        | Action::ContactUpdate(_)
        | Action::ConversationUpdate(_)
        | Action::NoteCreate(_)
        | Action::Tag(_)
        | Action::Untag(_)
        | Action::Priority(_)
        | Action::WorkQueue(_)
        | Action::Resolve(_)
        | Action::Forward(_)
        | Action::Abort
        | Action::End
        | Action::AddonDispatch(_)
        | Action::EmailDispatch(_)
        | Action::Schedule(_)
        | Action::CancelTimer(_)
        | Action::Request(_)
        | Action::Other(_) => false,
    };
    let stops = khoros.settings.dialect.stop_typing && parts.iter().any(says);
    stops.then(|| TYPING_STOP.to_owned()).into_iter().collect()
}

/// The token of the question how a request stands.
pub(super) fn question(request: String) -> String {
    format!("{REQUEST}{request}")
}

/// Whether a token is such a question.
pub(super) fn is_question(token: &str) -> bool {
    token.starts_with(REQUEST)
}

/// The call of such a token; absent on networks that have no sign of typing.
pub(super) fn call(khoros: &Khoros, to: &To<'_>, token: &str) -> Option<Call> {
    if let Some(request) = token.strip_prefix(REQUEST) {
        return Some(khoros.request(Method::GET, &format!("/request/{}", in_url(request)), None));
    }
    let reply = ReplyTo::of(&khoros.settings.app_id, to);
    let typing = &khoros.settings.dialect.networks.typing;
    let wanted = token == TYPING_STOP && typing.iter().any(|it| it == reply.network());
    wanted.then(|| render::typing(khoros, &reply, Typing::Stop))
}
