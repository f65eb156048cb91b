//! Option ids as the numbers that payloads are here.

pub use botyard_kernel::choices::number_of as token_number;
use botyard_kernel::choices::{NUMBERS_OF_TEXTS, of_number};
use serde_json::Value;

/// JSON readers that hold all numbers in 64-bit floats keep them whole up to here.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// The option id that a number came back for, as far as can be told without the menu.
pub(super) fn option_id(number: i64) -> String {
    match u64::try_from(number) {
        Ok(number) if number >= NUMBERS_OF_TEXTS => of_number(number),
        Ok(_) | Err(_) => number.to_string(),
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
