//! What Khoros is told or asked besides replies: the question what became of one that was
//! taken and not yet published, and that an agent has the conversation who has answered.

use botyard_kernel::action::Action;
use botyard_kernel::id::PartId;
use http::Method;

use super::Khoros;
use super::place::in_url;
use super::render;
use crate::{Call, Part, To};

/// The token of the call that gives the conversation to the agents.
pub(super) const HAND_OVER: &str = "hand-over";
/// What stands before the id in the token of the question how a request stands.
const REQUEST: &str = "request:";

/// The token of the question how a request stands.
pub(super) fn question(request: String) -> String {
    format!("{REQUEST}{request}")
}

/// Whether a token is such a question.
pub(super) fn is_question(token: &str) -> bool {
    token.starts_with(REQUEST)
}

/// The call of such a token.
pub(super) fn call(khoros: &Khoros, to: &To<'_>, token: &str) -> Option<Call> {
    if token == HAND_OVER {
        let id = PartId(HAND_OVER.to_owned());
        let part = Part { id: &id, action: &Action::Abort, context: None };
        return Some(render::call(khoros, to, &[part]));
    }
    let request = token.strip_prefix(REQUEST)?;
    Some(khoros.request(Method::GET, &format!("/request/{}", in_url(request)), None))
}
