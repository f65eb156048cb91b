//! Words for places: "the second one", "zwei", "la deuxième".

/// The words of a language for one to twelve, cardinal and ordinal, in the form in which
/// texts are compared; and what may stand around them.
struct Words {
    language: &'static str,
    around: &'static [&'static str],
    places: [&'static str; 12],
}

const LANGUAGES: [Words; 4] = [
    Words {
        language: "en",
        around: &["the", "number", "option", "please", "choice", "answer", "take", "i"],
        places: [
            "one first 1st",
            "two second 2nd",
            "three third 3rd",
            "four fourth 4th",
            "five fifth 5th",
            "six sixth 6th",
            "seven seventh 7th",
            "eight eighth 8th",
            "nine ninth 9th",
            "ten tenth 10th",
            "eleven eleventh 11th",
            "twelve twelfth 12th",
        ],
    },
    Words {
        language: "de",
        around: &["die", "der", "das", "den", "dem", "nummer", "nr", "option", "bitte", "antwort"],
        places: [
            "eins ein eine erste erster erstes ersten erstens",
            "zwei zweite zweiter zweites zweiten zweitens",
            "drei dritte dritter drittes dritten drittens",
            "vier vierte vierter viertes vierten viertens",
            "funf funfte funfter funftes funften funftens fuenf fuenfte",
            "sechs sechste sechster sechstes sechsten sechstens",
            "sieben siebte siebter siebtes siebten siebtens",
            "acht achte achter achtes achten achtens",
            "neun neunte neunter neuntes neunten neuntens",
            "zehn zehnte zehnter zehntes zehnten zehntens",
            "elf elfte elfter elftes elften elftens",
            "zwolf zwolfte zwolfter zwolftes zwolften zwoelf",
        ],
    },
    Words {
        language: "fr",
        // "Les deux" means both of them.
        around: &["le", "la", "l", "numero", "option", "choix", "svp", "reponse"],
        places: [
            "un une premier premiere 1er 1ere",
            "deux deuxieme second seconde 2e 2eme",
            "trois troisieme 3e 3eme",
            "quatre quatrieme 4e 4eme",
            "cinq cinquieme 5e 5eme",
            "six sixieme 6e 6eme",
            "sept septieme 7e 7eme",
            "huit huitieme 8e 8eme",
            "neuf neuvieme 9e 9eme",
            "dix dixieme 10e 10eme",
            "onze onzieme 11e 11eme",
            "douze douzieme 12e 12eme",
        ],
    },
    Words {
        language: "es",
        around: &["el", "la", "lo", "numero", "opcion", "por", "favor", "respuesta"],
        places: [
            "uno una primero primera primer 1o 1a",
            "dos segundo segunda 2o 2a",
            "tres tercero tercera tercer 3o 3a",
            "cuatro cuarto cuarta 4o 4a",
            "cinco quinto quinta 5o 5a",
            "seis sexto sexta 6o 6a",
            "siete septimo septima 7o 7a",
            "ocho octavo octava 8o 8a",
            "nueve noveno novena 9o 9a",
            "diez decimo decima 10o 10a",
            "once undecimo undecima 11o 11a",
            "doce duodecimo duodecima 12o 12a",
        ],
    },
];

/// The place that a text in the form of comparison names, from 1: English, and the
/// language of the person where it is known.
pub(super) fn place(text: &str, locale: Option<&str>) -> Option<usize> {
    let own = locale.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or("en");
    let spoken =
        |words: &&Words| words.language == "en" || words.language.eq_ignore_ascii_case(own);
    // The person's own language goes first: "once" is eleven in Spanish.
    let mut languages: Vec<&Words> = LANGUAGES.iter().filter(spoken).collect();
    languages.sort_by_key(|words| words.language == "en");
    languages.into_iter().find_map(|words| words.place(text))
}

impl Words {
    fn place(&self, text: &str) -> Option<usize> {
        let said: Vec<&str> =
            text.split([' ', '\'', '’', '.', ',']).filter(|it| !it.is_empty()).collect();
        let of = |word: &str| {
            let names = |place: &str| place.split(' ').any(|name| name == word);
            self.places.iter().position(|place| names(place)).map(|at| at + 1)
        };
        let rest: Vec<&str> =
            said.iter().filter(|word| !self.around.contains(*word)).copied().collect();
        match rest[..] {
            [word] => of(word).or_else(|| digits(word)),
            // "No" is an answer by itself, and short for "number" before digits only.
            ["no", word] => digits(word),
            // "The second one", but neither "no one" nor "two one".
            [word, "one"] => of(word).filter(|place| !self.counts(word, *place)),
            _ => None,
        }
    }

    /// Whether a word for a place is its cardinal, which stands first.
    fn counts(&self, word: &str, place: usize) -> bool {
        self.places[place - 1].split(' ').next() == Some(word)
    }
}

/// "number 2", "option 3".
fn digits(word: &str) -> Option<usize> {
    word.parse().ok().filter(|place| *place > 0)
}
