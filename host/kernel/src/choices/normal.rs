//! Texts as they are compared: without case, accents and what stands around them.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// A text in the form in which texts are compared. Pictures stay: they may be all that
/// a label has.
pub(super) fn normal(text: &str) -> String {
    let plain: String = text
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .collect();
    let edge = |c: char| c == ' ' || is_mark(c);
    let trimmed = plain.trim_matches(edge);
    // A label of nothing but marks is compared as it is.
    let kept = if trimmed.is_empty() { plain.trim() } else { trimmed };
    kept.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn is_mark(c: char) -> bool {
    c.is_ascii_punctuation() || "¡¿«»„“”‘’…–—・。、！？".contains(c)
}
