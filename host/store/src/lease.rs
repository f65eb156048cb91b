//! Leases within one process. They are advice, so they need no disk: after a
//! restart nobody holds any.

use std::collections::HashMap;
use std::sync::Mutex;

use botyard_kernel::id::ConversationKey;
use botyard_kernel::time::Millis;

use crate::Lease;

/// How many leases are kept before ended ones are looked for.
const SWEEP_AT: usize = 4_096;

#[derive(Default)]
pub(crate) struct Leases {
    held: Mutex<HashMap<ConversationKey, (String, Millis)>>,
}

impl Leases {
    pub(crate) fn ask(
        &self,
        key: &ConversationKey,
        holder: &str,
        now: Millis,
        until: Millis,
    ) -> Lease {
        let mut held = self.held.lock().expect("nobody panics while holding leases");
        if held.len() >= SWEEP_AT {
            held.retain(|_, (_, until)| *until > now);
        }
        if let Some((other, until)) = held.get(key).filter(|(_, until)| *until > now)
            && other != holder
        {
            return Lease::Held { holder: other.clone(), until: *until };
        }
        if until > now {
            held.insert(key.clone(), (holder.to_owned(), until));
        } else {
            held.remove(key);
        }
        Lease::Granted
    }
}
