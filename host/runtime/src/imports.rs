//! What a bot can ask of the host: one file for each import of the contract.

pub(crate) mod config;
pub(crate) mod http;
pub(crate) mod kv;
pub(crate) mod log;

use crate::bindings::v1::{types, wit_action, wit_event, wit_session};
use crate::turn::Turn;

// These interfaces have only types, nothing to call.
impl wit_action::Host for Turn {}
impl wit_event::Host for Turn {}
impl wit_session::Host for Turn {}
impl types::Host for Turn {}
