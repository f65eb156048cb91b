//! Texts in `markdown_v1` as bare text.

/// The bare text of one in `markdown_v1`, for readers who would see its marks.
///
/// Emphasis, strike-through, headings, quotes, code and escapes lose their
/// marks; `[label](url)` becomes `label (url)`; entries of lists begin with
/// `- ` or keep their numbers. Marks that mark nothing, and everything within
/// addresses and code, stay: no word is lost.
pub fn bare(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut paragraph = String::new();
    let mut fenced = false;
    for line in markdown.split_inclusive('\n') {
        let fence = line.trim_start().starts_with("```");
        if fence || fenced || line.trim().is_empty() {
            inline(&paragraph, &mut out);
            paragraph.clear();
            if !fence {
                out.push_str(line);
            }
            fenced ^= fence;
        } else {
            block(line, &mut paragraph);
        }
    }
    inline(&paragraph, &mut out);
    out
}

/// A line without the mark of the block that it belongs to.
fn block(line: &str, out: &mut String) {
    let text = line.trim_start_matches([' ', '\t']);
    out.push_str(&line[..line.len() - text.len()]);
    let heading = text.trim_start_matches('#');
    let level = text.len() - heading.len();
    if (1..=6).contains(&level) && heading.starts_with(' ') {
        out.push_str(heading.trim_start_matches(' '));
    } else if let Some(quoted) = text.strip_prefix("> ") {
        out.push_str(quoted);
    } else if let Some(entry) = text.strip_prefix("* ").or_else(|| text.strip_prefix("+ ")) {
        out.push_str("- ");
        out.push_str(entry);
    } else {
        out.push_str(text);
    }
}

/// Adds a paragraph without the marks within its lines.
fn inline(text: &str, out: &mut String) {
    let mut given_up = Vec::new();
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        let rest = &text[at..];
        let taken = match next {
            '\\' => escape(rest, out),
            '`' => code(rest, out),
            '[' => link(rest, out),
            '!' if rest.starts_with("![") => link(&rest[1..], out).map(|taken| taken + 1),
            '*' | '_' | '~' => emphasis(text, at, &mut given_up, out),
            'h' => address(rest, out),
            _ => None,
        };
        at += taken.unwrap_or_else(|| {
            out.push(next);
            next.len_utf8()
        });
    }
}

/// `\*` is an asterisk. Each of these adds what it stands for, and tells how
/// many bytes it read.
fn escape(text: &str, out: &mut String) -> Option<usize> {
    let escaped = text[1..].chars().next().filter(char::is_ascii_punctuation)?;
    out.push(escaped);
    Some(2)
}

fn code(text: &str, out: &mut String) -> Option<usize> {
    let end = text[1..].find('`').filter(|end| *end > 0)?;
    out.push_str(&text[1..=end]);
    Some(end + 2)
}

fn link(text: &str, out: &mut String) -> Option<usize> {
    // Neither part holds a bracket, so that no bracket is looked at twice.
    let label = &text[1..=text[1..].find(['[', ']'])?];
    let rest = text[1 + label.len()..].strip_prefix("](")?;
    let address = &rest[..rest.find([')', '[', ' ', '\n']).filter(|end| *end > 0)?];
    let end = 1 + label.len() + 2 + address.len();
    if !text[end..].starts_with(')') {
        return None;
    }
    if label.trim().is_empty() || label == address {
        out.push_str(address);
    } else {
        inline(label, out);
        out.push_str(" (");
        out.push_str(address);
        out.push(')');
    }
    Some(end + 1)
}

/// An address may hold anything that looks like a mark.
fn address(text: &str, out: &mut String) -> Option<usize> {
    if !text.starts_with("http://") && !text.starts_with("https://") {
        return None;
    }
    let end = text.find(|c: char| c.is_whitespace() || "<>*~`\"".contains(c));
    let address = &text[..end.unwrap_or(text.len())];
    out.push_str(address);
    Some(address.len())
}

/// A run of the same mark that opens something, with what it encloses. Kinds
/// of runs that nothing closes are given up: no text makes this slow.
fn emphasis(
    text: &str,
    at: usize,
    given_up: &mut Vec<(u8, usize)>,
    out: &mut String,
) -> Option<usize> {
    let mark = text.as_bytes()[at];
    let length = run(text, at);
    let begin = at + length;
    let known = if mark == b'~' { length == 2 } else { length <= 3 };
    if !known || !opens(text, at, begin) || given_up.contains(&(mark, length)) {
        // The whole run is no mark, nor is a part of it.
        out.push_str(&text[at..begin]);
        return Some(length);
    }
    let mut from = begin;
    while let Some(found) = text[from..].find(char::from(mark)) {
        let close = from + found;
        let closing = run(text, close);
        let fits = closing == length || closing == 3 && length < 3 && mark != b'~';
        if fits && closes(text, close, close + closing) {
            let end = close + closing - length;
            inline(&text[begin..end], out);
            return Some(end + length - at);
        }
        from = close + closing;
    }
    given_up.push((mark, length));
    out.push_str(&text[at..begin]);
    Some(length)
}

fn run(text: &str, at: usize) -> usize {
    let bytes = &text.as_bytes()[at..];
    bytes.iter().take_while(|byte| **byte == bytes[0]).count()
}

/// Within a word an underscore is a letter.
fn opens(text: &str, at: usize, begin: usize) -> bool {
    let before = text[..at].chars().next_back();
    let after = text[begin..].chars().next();
    let within = text.as_bytes()[at] == b'_' && before.is_some_and(char::is_alphanumeric);
    after.is_some_and(|c| !c.is_whitespace()) && !within
}

fn closes(text: &str, at: usize, end: usize) -> bool {
    let before = text[..at].chars().next_back();
    let after = text[end..].chars().next();
    let within = text.as_bytes()[at] == b'_' && after.is_some_and(char::is_alphanumeric);
    before.is_some_and(|c| !c.is_whitespace()) && !within
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn marks_are_taken_off() {
        for (markdown, text) in [
            ("**Good** morning", "Good morning"),
            ("*a* _b_ __c__ ~~d~~ ***e*** `f*g`", "a b c d e f*g"),
            ("**a *b* c** and *a **b** c* and **a *b***", "a b c and a b c and a b"),
            ("**two\nlines**", "two\nlines"),
            ("[Menu](https://a.b/c_d_e)!", "Menu (https://a.b/c_d_e)!"),
            (
                "[**Menu**](https://a.b) ![Cake](https://a.b/c)",
                "Menu (https://a.b) Cake (https://a.b/c)",
            ),
            ("[https://a.b](https://a.b) [](https://c.d)", "https://a.b https://c.d"),
            ("# Title\n## Next\ntext", "Title\nNext\ntext"),
            (
                "* one\n+ two\n- three\n  * four\n1. five",
                "- one\n- two\n- three\n  - four\n1. five",
            ),
            ("> quoted *so*", "quoted so"),
            ("a\n```rust\nlet *x* = _y_;\n```\nb", "a\nlet *x* = _y_;\nb"),
            (r"\*not\* \_this\_ \\", r"*not* _this_ \"),
        ] {
            assert_eq!(bare(markdown), text, "{markdown}");
        }
    }

    #[test]
    fn what_marks_nothing_stays() {
        for text in [
            "",
            "5 * 3 * 2 = 30",
            "snake_case_name and __init",
            "https://a.b/_c_/*d",
            "**open",
            "a ** b",
            "****",
            "____ (name)",
            "[1] and [x](y z)",
            "#hash and C#",
            "`",
            "~5~ minutes",
            "C:\\users",
            "one\r\n\r\ntwo\n",
        ] {
            assert_eq!(bare(text), text, "{text}");
        }
    }

    #[test]
    fn no_text_makes_it_slow() {
        for mark in ["*a ", "_a ", "**a ", "[", "[a](", "`", "*a _b **c __d ~~e ***f ", "![a"] {
            let text = mark.repeat(100_000 / mark.len());
            assert!(bare(&text).len() <= text.len());
        }
    }

    proptest! {
        #[test]
        fn every_word_is_kept(text in "([a-z]{1,3}|[*_~`#>\\[\\]()!\\\\ \n-]{1,3}|https://a.b){0,40}") {
            let words = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
            // The language of a fence is no word of the text, and an address that
            // is its own label is said once.
            prop_assume!(!text.contains("```") && !text.contains("]("));
            prop_assert_eq!(words(&bare(&text)), words(&text));
        }

        #[test]
        fn any_text_has_a_bare_form(text: String) {
            prop_assert!(bare(&text).len() <= text.len() + text.matches("](").count());
        }

        #[test]
        fn a_text_without_marks_stays(text in "[a-zé0-9.,:;?\n -]{0,80}") {
            prop_assert_eq!(bare(&text), text);
        }
    }
}
