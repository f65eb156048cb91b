//! Small values for cases.

use botyard_kernel::action::Action;
use botyard_kernel::call::Journal;
use botyard_kernel::event::{Event, EventBody, Message, TextFormat};
use botyard_kernel::id::{ConversationKey, Digest, PartId};
use botyard_kernel::log::{
    Arrival, Call, Conversation, Outcome, Row, RowEnd, Seq, Settled, SkipReason, Turn,
};
use botyard_kernel::run::{KvChange, KvScope, KvWrite};
use botyard_kernel::session::Seed;
use botyard_kernel::time::Millis;

use crate::Stamp;

pub(crate) fn key(vendor_key: &str) -> ConversationKey {
    key_of("acme", vendor_key)
}

pub(crate) fn key_of(tenant: &str, vendor_key: &str) -> ConversationKey {
    ConversationKey {
        tenant: tenant.into(),
        channel: "web".into(),
        vendor_key: vendor_key.to_owned(),
    }
}

pub(crate) fn arrival(id: &str) -> Arrival {
    let message = Message { text: format!("this is {id}"), format: TextFormat::Plain };
    let body = EventBody::Message(message);
    let event = Event::new(id.into(), 1_000, body);
    Arrival { key: Some(id.to_owned()), ..Arrival::new(event, Seed([1, 2, 3, 4])) }
}

/// A turn that consumes everything up to `base`.
pub(crate) fn turn(id: &str, previous: Seq, base: Seq) -> Turn {
    Turn {
        id: id.into(),
        previous,
        base,
        watermark: base,
        fused: None,
        event: "e".into(),
        outcome: Outcome::Skipped(SkipReason::NotOwner),
        log: vec![],
        bot: "lead".into(),
        bot_writes: vec![],
        state: Conversation { turns: base, ..Conversation::default() },
        due_ms: None,
        human_ms: None,
    }
}

pub(crate) fn fused(id: &str, previous: Seq, base: Seq) -> Turn {
    Turn { fused: Some(Box::new(arrival(id))), ..turn(id, previous, base) }
}

pub(crate) fn settled(part: &str, due_ms: Option<Millis>) -> Settled {
    let rows = vec![(PartId(part.to_owned()), RowEnd::Delivered)];
    Settled { at_ms: 2_000, rows, due_ms, ..Settled::default() }
}

pub(crate) fn row(id: &str) -> Row {
    Row {
        id: PartId(id.to_owned()),
        turn: "t".into(),
        made_ms: 1_500,
        action: Action::End,
        context: None,
        quiet: false,
        event: "e".into(),
        by_human: false,
        by_call: Vec::new(),
        hand_off: None,
    }
}

pub(crate) fn call(event: &str, index: u32) -> Call {
    let request = Digest::of(event.as_bytes());
    Call {
        event: event.into(),
        of_start: false,
        index,
        request,
        answer: "{}".to_owned(),
        journal: Journal::default(),
    }
}

pub(crate) fn write(key: &str, change: KvChange) -> KvWrite {
    KvWrite { scope: KvScope::Bot, key: key.to_owned(), change }
}

pub(crate) fn set(key: &str, value: &str) -> KvWrite {
    write(key, KvChange::Set(value.to_owned()))
}

/// Somebody at a time.
pub(super) fn stamp(at_ms: u64) -> Stamp {
    Stamp { at_ms, actor: "ops".to_owned() }
}
