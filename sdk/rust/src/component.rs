//! The way from the component's one export to a [`Bot`].

use std::marker::PhantomData;

use crate::action::Action;
use crate::bindings::exports::botyard::bot::handler::{Failure, Guest};
use crate::event::Event;
use crate::imports::Imports;
use crate::session::Session;
use crate::{Bot, Turn};

/// The component's side of a [`Bot`]; [`export!`](crate::export) uses it.
#[derive(Debug)]
pub struct Component<B>(PhantomData<B>);

impl<B: Bot> Guest for Component<B> {
    fn handle(event: Event, session: Session) -> Result<Vec<Action>, Failure> {
        let turn = Turn::new(&event, &session, &Imports);
        B::default()
            .handle(&event, &turn)
            .map_err(|failure| Failure::Reject(failure.reason().to_owned()))
    }
}
