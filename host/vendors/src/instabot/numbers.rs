//! Option ids and the numbers that stand for them.
//!
//! A quick reply's `payload` is a JSON number here, and our option ids are texts. A
//! number below 2^52 that is written as numbers are stays itself. Any other id becomes
//! a number from 2^52 to 2^53 that follows from it by hashing: the same id always has
//! the same number, whichever menu offers it, and every JSON reader keeps it whole. It
//! comes back as `#` and that number; whoever has the menus knows which id it was.

use botyard_kernel::id::Digest;
use serde_json::Value;

/// Numbers from here on stand for texts.
const TEXTS_BEGIN: u64 = 1 << 52;
/// JSON readers that hold all numbers in 64-bit floats keep them whole up to here.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// The number that stands for an option id, below 2^53. Of two texts in a menu of a
/// hundred options two have the same one by a chance of one in 10^12.
pub fn token_number(option_id: &str) -> u64 {
    let number = option_id.parse::<u64>().ok().filter(|number| *number < TEXTS_BEGIN);
    // "007" and "+7" would come back as "7".
    number.filter(|number| number.to_string() == option_id).unwrap_or_else(|| {
        let hash = Digest::of_parts([b"instabot option".as_slice(), option_id.as_bytes()]);
        TEXTS_BEGIN | (hash.chance() >> 12)
    })
}

/// The option id that a number came back for: the text itself is not to be had of it.
pub(super) fn option_id(number: i64) -> String {
    if u64::try_from(number).is_ok_and(|number| number >= TEXTS_BEGIN) {
        format!("#{number}")
    } else {
        number.to_string()
    }
}

/// A whole number. Some JSON writers know only floats: 478137613.0 is one too.
pub(super) fn whole(value: &Value) -> Option<i64> {
    let float = || {
        let number = value.as_f64()?;
        let whole = number.fract() == 0.0 && number.abs() < WHOLE_MAX;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it was checked to be whole and to fit"
        )]
        whole.then_some(number as i64)
    };
    value.as_i64().or_else(float)
}
