//! The few words that the host itself says around options.

/// What stands below numbered options.
pub(super) fn reply_with_a_number(locale: Option<&str>) -> &'static str {
    match language(locale) {
        "de" => "Bitte mit einer Nummer antworten.",
        "fr" => "Répondez avec un numéro.",
        "es" => "Responda con un número.",
        _ => "Reply with a number.",
    }
}

/// The label of a button that opens a list, where the bot gave none.
pub(super) fn choose(locale: Option<&str>) -> &'static str {
    match language(locale) {
        "de" => "Auswählen",
        "fr" => "Choisir",
        "es" => "Elegir",
        _ => "Choose",
    }
}

/// The label of an option that asks for the next page of a menu.
pub(crate) fn more(locale: Option<&str>) -> &'static str {
    match language(locale) {
        "de" => "Mehr …",
        "fr" => "Plus …",
        "es" => "Más …",
        _ => "More …",
    }
}

/// What stands above a later page of a menu.
pub(super) fn page(locale: Option<&str>, page: usize, pages: usize) -> String {
    match language(locale) {
        "de" => format!("Seite {page} von {pages}"),
        "fr" => format!("Page {page} sur {pages}"),
        "es" => format!("Página {page} de {pages}"),
        _ => format!("Page {page} of {pages}"),
    }
}

/// `de` of `de`, `de-AT`, `de_AT.UTF-8` and `DE`; English where nothing is known.
fn language(locale: Option<&str>) -> &'static str {
    let tag = locale.unwrap_or_default();
    let language = tag.split(['-', '_', '.']).next().unwrap_or_default().trim();
    let known = ["de", "fr", "es"].into_iter().find(|known| language.eq_ignore_ascii_case(known));
    known.unwrap_or("en")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_that_of_the_locale_and_else_english() {
        let rows = [
            (Some("de"), "de"),
            (Some("de-AT"), "de"),
            (Some("DE_ch.UTF-8"), "de"),
            (Some("fr-CA"), "fr"),
            (Some("es_419"), "es"),
            (Some("en-GB"), "en"),
            (Some("den"), "en"),
            (Some(""), "en"),
            (None, "en"),
        ];
        for (locale, expect) in rows {
            assert_eq!(language(locale), expect, "{locale:?}");
        }
    }

    #[test]
    fn no_language_borrows_the_words_of_another() {
        let all = |words: fn(Option<&str>) -> &'static str| {
            let words = ["en", "de", "fr", "es"].map(|locale| words(Some(locale)));
            words.into_iter().collect::<std::collections::BTreeSet<_>>().len()
        };
        assert_eq!((all(reply_with_a_number), all(choose), all(more)), (4, 4, 4));
    }
}
