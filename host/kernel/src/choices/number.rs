//! Numbers that stand for ids of options, where a vendor's payloads are numbers.
//!
//! A number below 2^52 that is written as numbers are stays itself. Any other id becomes a
//! number from 2^52 to 2^53 that follows from it by hashing: the same id always has the same
//! number, whichever menu offers it, and every JSON reader keeps it whole. It comes back as
//! `#` and that number, and the menus tell which id it was.

use crate::id::Digest;

/// Numbers from here on stand for texts.
pub const NUMBERS_OF_TEXTS: u64 = 1 << 52;

/// The number that stands for an option id, below 2^53. Of two texts in a menu of a
/// hundred options two have the same one by a chance of one in 10^12.
pub fn number_of(option_id: &str) -> u64 {
    let number = option_id.parse::<u64>().ok().filter(|number| *number < NUMBERS_OF_TEXTS);
    // "007" and "+7" would come back as "7".
    number.filter(|number| number.to_string() == option_id).unwrap_or_else(|| {
        let hash = Digest::of_parts([b"instabot option".as_slice(), option_id.as_bytes()]);
        NUMBERS_OF_TEXTS | (hash.chance() >> 12)
    })
}

/// What stands for an id of which only its number came back.
pub fn of_number(number: u64) -> String {
    format!("#{number}")
}

/// Whether this stands for the number of that id.
pub(super) fn stands_for(given: &str, option_id: &str) -> bool {
    let number = given.strip_prefix('#').and_then(|number| number.parse::<u64>().ok());
    number.is_some_and(|number| number >= NUMBERS_OF_TEXTS && number == number_of(option_id))
}
