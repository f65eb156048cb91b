//! Finding an e-mail address in what somebody typed.

/// The longest address that mail systems carry, in bytes (RFC 5321).
const ADDRESS_BYTES_MAX: usize = 254;

/// The longest part before the `@`, in bytes (RFC 5321).
const LOCAL_BYTES_MAX: usize = 64;

/// The first thing in a text that looks like an address. Whether it exists, only
/// a mail can tell.
pub(crate) fn find(text: &str) -> Option<&str> {
    text.split_whitespace()
        .map(|word| word.strip_prefix("mailto:").unwrap_or(word))
        .map(|word| word.trim_matches(|c: char| "<>()[]\"',;:!?.".contains(c)))
        .find(|word| is_address(word))
}

fn is_address(word: &str) -> bool {
    let Some((local, domain)) = word.split_once('@') else { return false };
    let dots_fit = |part: &str| part.split('.').all(|piece| !piece.is_empty());
    word.len() <= ADDRESS_BYTES_MAX
        && local.len() <= LOCAL_BYTES_MAX
        && dots_fit(local)
        && !local.chars().any(|c| "<>()[]\\,;:\"".contains(c))
        && domain.contains('.')
        && dots_fit(domain)
        && domain.split('.').all(|label| !label.starts_with('-') && !label.ends_with('-'))
        && domain.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '.')
        && !domain.ends_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found() {
        let rows = [
            ("ada@example.com", "ada@example.com"),
            ("It is ada@example.com.", "ada@example.com"),
            ("<ada.l+shop@mail.example.co.uk>, thanks", "ada.l+shop@mail.example.co.uk"),
            ("mailto:o'neil@example.org", "o'neil@example.org"),
            ("jörg@müller.example", "jörg@müller.example"),
        ];
        for (text, address) in rows {
            assert_eq!(find(text), Some(address), "{text}");
        }
    }

    #[test]
    fn other_words_are_not_addresses() {
        let long = format!("{}@example.com", "a".repeat(65));
        let rows = [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@example",
            "ada@@example.com",
            "a@b@c.example",
            "ada @example.com",
            "ada@.com",
            "ada@exam..ple.com",
            "ada@-example.com",
            ".ada@ex_a.com",
            "ada..l@example.com",
            "ada@10.0.0.1",
            &long,
        ];
        for text in rows {
            assert_eq!(find(text), None, "{text}");
        }
    }
}
