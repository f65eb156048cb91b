//! What a bot wants done, and builders for it.
//!
//! Every type here is the record of the same name in `wit/v1/action.wit`, where
//! the limits of each field are stated. Each one turns into an [`Action`] with
//! `into`, which [`actions!`](crate::actions) does for a whole answer. What a
//! medium cannot carry is degraded by the host, so that no option is lost.

mod context;
mod desk;
mod later;
mod menu;
mod say;

pub use self::context::{CONTEXT_BYTES_MAX, context_clear, context_update};
pub use self::desk::{
    abort, addon_dispatch, email_to_contact, email_to_operator, end, priority, tag, untag,
};
pub use self::later::{cancel_timer, other, passthrough, schedule};
pub use self::say::{delay, navigate, reply, typing};
pub use crate::bindings::botyard::bot::action::{
    Action, AddonDispatch, Bubbles, ButtonTemplate, Buttons, Card, Carousel, Choice, ContactUpdate,
    ConversationUpdate, Delay, EmailDispatch, EmailRecipient, Forward, ForwardTarget, Header,
    LinkButton, ListSection, ListTemplate, Media, Message, Navigate, NoteCreate, OnFailure,
    Passthrough, Request, Resolve, RichLink, Row, Schedule, SecureForm, Typing, WorkQueue,
};
pub use crate::bindings::botyard::bot::types::{NamedPayload, Setting, TextFormat};

/// Makes records turn into the action that carries them.
macro_rules! into_action {
    ($($record:ident),* $(,)?) => {$(
        impl From<$record> for Action {
            fn from(payload: $record) -> Self {
                Self::$record(payload)
            }
        }
    )*};
}

into_action!(
    AddonDispatch,
    Bubbles,
    ButtonTemplate,
    Buttons,
    Carousel,
    ContactUpdate,
    ConversationUpdate,
    Delay,
    EmailDispatch,
    Forward,
    ListTemplate,
    Media,
    Message,
    Navigate,
    NoteCreate,
    Passthrough,
    Request,
    Resolve,
    RichLink,
    Schedule,
    SecureForm,
    Typing,
    WorkQueue,
);

/// A list of actions, each of them converted into an [`Action`](crate::Action).
///
/// ```
/// use botyard_sdk::prelude::*;
///
/// let list = actions![reply("One moment"), typing(true)];
/// assert_eq!(list.len(), 2);
/// assert!(actions![].is_empty());
/// ```
#[macro_export]
macro_rules! actions {
    ($($action:expr),* $(,)?) => {
        ::std::vec::Vec::<$crate::Action>::from([$($crate::Action::from($action)),*])
    };
}
