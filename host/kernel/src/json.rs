//! How much room things take when they are written down.

use std::io::{Result, Write};

use serde::Serialize;

/// The length of a value's compact JSON in bytes, without making it. What cannot be
/// written cannot be stored either, and is longer than every bound.
pub fn bytes<T: Serialize + ?Sized>(value: &T) -> usize {
    let mut count = Count(0);
    serde_json::to_writer(&mut count, value).map_or(usize::MAX, |()| count.0)
}

struct Count(usize);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_long_as_what_would_be_written() {
        let value = serde_json::json!({ "text": "\"ä\n", "list": [1, null, 2.5] });
        assert_eq!(bytes(&value), value.to_string().len());
        assert_eq!(bytes(&[] as &[u8]), 2);
        let unwritable = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert_eq!(bytes(&unwritable), usize::MAX);
    }
}
