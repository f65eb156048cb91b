//! Cutting texts to what a medium carries.

mod bare;

use unicode_segmentation::UnicodeSegmentation;

pub use bare::bare;

use crate::profile::{Unit, weight};

/// Splits a text into parts of at most `max` of `unit` (0 counts as 1, and a
/// character that is longer than a part stands alone).
///
/// A text that fits stays as it is. Others are cut at the last sentence end or
/// line end that fits, else at white space, else between words, else between
/// what a reader takes for one character; never inside a code point. White
/// space at a cut is dropped, nothing else is.
pub fn split(text: &str, max: usize, unit: Unit) -> Vec<String> {
    let max = max.max(1);
    if prefix(text, max, unit) == text.len() {
        return vec![text.to_owned()];
    }
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (part, tail) = rest.split_at(cut(rest, max, unit));
        parts.push(part.trim_end().to_owned());
        rest = tail.trim_start();
    }
    if parts.is_empty() {
        parts.push(text[..prefix(text, max, unit)].to_owned());
    }
    parts
}

/// Fills parts of at most `max` of `unit` with whole blocks, one below the other;
/// only a block that is longer than a part is split itself.
pub fn pack<'a>(blocks: impl IntoIterator<Item = &'a str>, max: usize, unit: Unit) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for block in blocks {
        if let Some(last) = parts.last_mut()
            && unit.count(last) + 1 + unit.count(block) <= max
        {
            last.push('\n');
            last.push_str(block);
        } else {
            parts.extend(split(block, max, unit));
        }
    }
    parts
}

/// The beginning of a text with an ellipsis behind it, at most `max` of `unit`,
/// cut between what a reader takes for one character. A text that fits stays as
/// it is. `None` where not one character has room before the ellipsis.
pub fn shorten(text: &str, max: usize, unit: Unit) -> Option<String> {
    const ELLIPSIS: char = '…';
    if unit.count(text) <= max {
        return Some(text.to_owned());
    }
    let ends = text.grapheme_indices(true).map(|(at, grapheme)| at + grapheme.len());
    let cut = |end: usize| format!("{}{ELLIPSIS}", text[..end].trim_end());
    ends.map(cut)
        .take_while(|short| unit.count(short) <= max)
        .filter(|short| !short.trim_end_matches(ELLIPSIS).trim().is_empty())
        .last()
}

/// How many bytes the first `max` of `unit` of a text have, in whole characters
/// and at least one.
fn prefix(text: &str, max: usize, unit: Unit) -> usize {
    let least = text.chars().next().map_or(0, char::len_utf8);
    let end = match unit {
        Unit::Characters => text.char_indices().nth(max).map(|(at, _)| at),
        Unit::Graphemes => text.grapheme_indices(true).nth(max).map(|(at, _)| at),
        Unit::Bytes => Some(text.floor_char_boundary(max)),
        Unit::Utf16 => over(text, max, char::len_utf16),
        Unit::Weighted => over(text, max, weight),
    };
    end.unwrap_or(text.len()).max(least)
}

/// Where a text has more than `max` of what its characters count.
fn over(text: &str, max: usize, counts: fn(char) -> usize) -> Option<usize> {
    let mut sum = 0;
    let mut characters = text.char_indices();
    characters.find_map(|(at, c)| {
        sum += counts(c);
        (sum > max).then_some(at)
    })
}

/// Where to cut a text that does not begin with white space, in bytes.
fn cut(text: &str, max: usize, unit: Unit) -> usize {
    let end = prefix(text, max, unit);
    if end == text.len() {
        return end;
    }
    let fits = |at: &usize| *at > 0 && text[..*at].trim_end().len() <= end;
    let spaces = || text.char_indices().filter(|(_, c)| c.is_whitespace()).map(|(at, _)| at);
    let words = || text.split_word_bound_indices().map(|(at, _)| at);
    let graphemes = || text.grapheme_indices(true).map(|(at, _)| at);
    sentence_ends(text)
        .take_while(fits)
        .last()
        .or_else(|| spaces().take_while(fits).last())
        .or_else(|| words().skip(1).take_while(fits).last())
        .or_else(|| graphemes().skip(1).take_while(fits).last())
        .unwrap_or(end)
}

/// Where sentences and lines end, in bytes. The number of a list entry is no
/// sentence, though a full stop follows it.
fn sentence_ends(text: &str) -> impl Iterator<Item = usize> {
    text.split_sentence_bound_indices()
        .filter(|(_, sentence)| !is_number(sentence.trim()))
        .map(|(at, sentence)| at + sentence.len())
}

fn is_number(sentence: &str) -> bool {
    let digits = sentence.trim_end_matches(['.', ')']);
    !digits.is_empty()
        && digits.len() < sentence.len()
        && digits.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str, max: usize) -> Vec<String> {
        super::split(text, max, Unit::Characters)
    }

    fn pack<'a>(blocks: impl IntoIterator<Item = &'a str>, max: usize) -> Vec<String> {
        super::pack(blocks, max, Unit::Characters)
    }

    fn check(text: &str, max: usize, parts: &[&str]) {
        assert_eq!(split(text, max), parts, "{text:?} cut to {max}");
    }

    #[test]
    fn cuts_where_a_reader_would() {
        check("Short.", 10, &["Short."]);
        check("  kept as it is ", 16, &["  kept as it is "]);
        check("One is here. Two is there. Three.", 26, &["One is here. Two is there.", "Three."]);
        check("Really? Yes! Well…", 8, &["Really?", "Yes!", "Well…"]);
        check("first line\nsecond line", 15, &["first line", "second line"]);
        check("no sentence end here", 12, &["no sentence", "end here"]);
        check("これは文です。次の文です。", 8, &["これは文です。", "次の文です。"]);
        check("abcdefghij", 4, &["abcd", "efgh", "ij"]);
    }

    #[test]
    fn a_list_entry_keeps_its_number() {
        check("1. One thing 2. Another", 14, &["1. One thing", "2. Another"]);
    }

    #[test]
    fn what_looks_like_one_character_stays_whole_where_it_fits() {
        check("👩‍👩‍👧👩‍👩‍👧", 6, &["👩‍👩‍👧", "👩‍👩‍👧"]);
        check("e\u{301}e\u{301}", 3, &["e\u{301}", "e\u{301}"]);
        assert_eq!(split("👩‍👩‍👧", 2).concat(), "👩‍👩‍👧");
    }

    #[test]
    fn nothing_but_white_space_is_cut_short() {
        check("     ", 2, &["  "]);
        check("", 2, &[""]);
    }

    #[test]
    fn parts_are_counted_as_the_vendor_counts() {
        let parts = |unit| super::split("äöü äöü 👩‍👩‍👧👩‍👩‍👧", 7, unit);
        assert_eq!(parts(Unit::Characters), ["äöü äöü", "👩‍👩‍👧", "👩‍👩‍👧"]);
        assert_eq!(parts(Unit::Graphemes), ["äöü äöü", "👩‍👩‍👧👩‍👩‍👧"]);
        assert_eq!(super::split("äöü äöü", 6, Unit::Bytes), ["äöü", "äöü"]);
        assert_eq!(super::split("👩👩👩", 4, Unit::Utf16), ["👩👩", "👩"]);
        assert_eq!(super::split("👩👩", 1, Unit::Bytes), ["👩", "👩"]);
        assert_eq!(super::split("日本 äö", 4, Unit::Weighted), ["日本", "äö"]);
        assert_eq!(super::pack(["ä", "ö", "ü"], 5, Unit::Bytes), ["ä\nö", "ü"]);
    }

    #[test]
    fn a_label_is_cut_between_what_a_reader_takes_for_one_character() {
        let short = |text: &str, max, unit| shorten(text, max, unit);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(short("Pick-up at 8:00", 15, Unit::Characters), some("Pick-up at 8:00"));
        assert_eq!(short("Pick-up at 8:00", 9, Unit::Characters), some("Pick-up…"));
        assert_eq!(short("👩‍👩‍👧👩‍👩‍👧", 8, Unit::Characters), some("👩‍👩‍👧…"));
        assert_eq!(short("👩‍👩‍👧👩‍👩‍👧", 5, Unit::Characters), None);
        assert_eq!(short("ääää", 7, Unit::Bytes), some("ää…"));
        assert_eq!(short("ab", 1, Unit::Bytes), None);
    }

    #[test]
    fn whole_blocks_fill_a_part() {
        let blocks = ["Which one?", "1. First", "2. Second", "3. Third"];
        assert_eq!(pack(blocks, 100), ["Which one?\n1. First\n2. Second\n3. Third"]);
        assert_eq!(pack(blocks, 20), ["Which one?\n1. First", "2. Second\n3. Third"]);
        assert_eq!(pack(["A long one. Here.", "x"], 12), ["A long one.", "Here.\nx"]);
    }

    fn letters(text: &str) -> String {
        text.chars().filter(|c| !c.is_whitespace()).collect()
    }

    proptest! {
        #[test]
        fn parts_fit_and_keep_every_word(
            text in "([a-zé。0-9👩\u{200d}\u{301}]{0,12}[ .!?\n\r\t]{0,3}){0,20}",
            max in 0_usize..60,
        ) {
            let parts = split(&text, max);
            prop_assert!(parts.iter().all(|part| part.chars().count() <= max.max(1)));
            prop_assert_eq!(letters(&parts.concat()), letters(&text));
            prop_assert!(parts.len() == 1 || parts.iter().all(|part| !part.trim().is_empty()));
        }

        #[test]
        fn any_text_can_be_split(text: String, max in 0_usize..20) {
            let parts = split(&text, max);
            prop_assert!(parts.iter().all(|part| part.chars().count() <= max.max(1)));
            prop_assert_eq!(letters(&parts.concat()), letters(&text));
        }

        #[test]
        fn what_is_cut_or_shortened_fits_in_every_unit(text: String, max in 4_usize..40) {
            let units =
                [Unit::Characters, Unit::Utf16, Unit::Bytes, Unit::Graphemes, Unit::Weighted];
            for unit in units {
                let parts = super::split(&text, max, unit);
                prop_assert!(parts.iter().all(|part| unit.count(part) <= max), "{parts:?}");
                prop_assert_eq!(letters(&parts.concat()), letters(&text));
                let packed = super::pack(parts.iter().map(String::as_str), max, unit);
                prop_assert!(packed.iter().all(|part| unit.count(part) <= max), "{packed:?}");
                let short = shorten(&text, max, unit);
                prop_assert!(short.is_none_or(|short| unit.count(&short) <= max));
            }
        }

        #[test]
        fn words_that_fit_stay_whole(words in prop::collection::vec("[a-z]{1,8}", 1..40)) {
            let text = words.join(" ");
            let parts = split(&text, 8);
            let kept: Vec<&str> = parts.iter().flat_map(|part| part.split(' ')).collect();
            prop_assert_eq!(kept, words);
        }

        #[test]
        fn packed_blocks_fit_and_keep_every_word(
            blocks in prop::collection::vec("[a-z .]{0,30}", 0..12),
            max in 1_usize..40,
        ) {
            let parts = pack(blocks.iter().map(String::as_str), max);
            prop_assert!(parts.iter().all(|part| part.chars().count() <= max));
            prop_assert_eq!(letters(&parts.concat()), letters(&blocks.concat()));
        }
    }
}
