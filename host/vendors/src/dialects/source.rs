//! The types of a module, as far as their text tells: fields with their comments, and the
//! words of enumerations.

use std::collections::BTreeMap;

/// The types of a module by their names.
pub(super) struct Source(BTreeMap<String, (Type, Vec<Field>)>);

/// What a type is.
pub(super) enum Type {
    /// A table of keys.
    Struct,
    /// One of these words, each with what it means.
    Words(Vec<(String, Vec<String>)>),
}

/// A key of a table.
pub(super) struct Field {
    name: String,
    /// The name of its type.
    pub(super) kind: String,
    pub(super) docs: Vec<String>,
}

impl Source {
    /// Reads a module that `rustfmt` has written.
    pub(super) fn read(text: &str) -> Self {
        let mut types = BTreeMap::new();
        let mut upper = false;
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            upper = upper && !line.is_empty() || line.contains("rename_all = \"UPPERCASE\"");
            let words: Vec<_> = line.split_whitespace().collect();
            match words[..] {
                [.., "struct", name, "{"] => {
                    let body = lines.by_ref().take_while(|line| *line != "}");
                    types.insert(name.to_owned(), (Type::Struct, fields(body)));
                }
                [.., "enum", name, "{"] => {
                    let body = lines.by_ref().take_while(|line| *line != "}");
                    types.insert(name.to_owned(), (Type::Words(variants(body, upper)), Vec::new()));
                }
                _ => {}
            }
        }
        Self(types)
    }

    pub(super) fn kind(&self, name: &str) -> Option<&Type> {
        self.0.get(name).map(|(kind, _)| kind)
    }

    /// A field of a type, by its key.
    pub(super) fn field(&self, name: &str, key: &str) -> Option<&Field> {
        let (_, fields) = self.0.get(name)?;
        fields.iter().find(|field| field.name.replace('_', "-") == key)
    }
}

fn fields<'a>(body: impl Iterator<Item = &'a str>) -> Vec<Field> {
    let mut docs = Vec::new();
    let mut fields = Vec::new();
    for line in body.map(str::trim) {
        if let Some(doc) = line.strip_prefix("///") {
            docs.push(doc.trim().to_owned());
        } else if let Some((name, kind)) = line.trim_end_matches(',').split_once(": ") {
            let name = name.rsplit(' ').next().unwrap_or(name).to_owned();
            fields.push(Field { name, kind: kind.to_owned(), docs: std::mem::take(&mut docs) });
        }
    }
    fields
}

fn variants<'a>(body: impl Iterator<Item = &'a str>, upper: bool) -> Vec<(String, Vec<String>)> {
    let mut docs = Vec::new();
    let mut renamed = None;
    let mut variants = Vec::new();
    for line in body.map(str::trim) {
        if let Some(doc) = line.strip_prefix("///") {
            docs.push(doc.trim().to_owned());
        } else if let Some(name) = line.strip_prefix("#[serde(rename = \"") {
            renamed = name.split('"').next().map(str::to_owned);
        } else if let Some(name) = line.strip_suffix(',') {
            let own = if upper { name.to_uppercase() } else { kebab(name) };
            variants.push((renamed.take().unwrap_or(own), std::mem::take(&mut docs)));
        }
    }
    variants
}

fn kebab(name: &str) -> String {
    let mut word = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.extend(character.to_lowercase());
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_words_are_read_with_what_they_are_for() {
        let source = Source::read(
            "#[serde(rename_all = \"kebab-case\")]\npub(super) struct A {\n    /// One.\n    \
             /// Two.\n    pub(super) a_b: C,\n    pub(super) d: u8,\n}\n\nenum C {\n    /// It.\n    \
             EpochMs,\n    #[serde(rename = \"iso-8601\")]\n    Iso,\n}\n\n#[serde(rename_all = \
             \"UPPERCASE\")]\nenum M {\n    Post,\n}\n",
        );
        let field = source.field("A", "a-b").expect("a field");
        assert_eq!(
            (&*field.kind, &field.docs[..]),
            ("C", &["One.".to_owned(), "Two.".to_owned()][..])
        );
        assert!(source.field("A", "d").is_some_and(|field| field.docs.is_empty()));
        let words = |name| match source.kind(name) {
            Some(Type::Words(words)) => words.iter().map(|(word, _)| word.clone()).collect(),
            Some(Type::Struct) | None => Vec::new(),
        };
        assert_eq!(words("C"), ["epoch-ms", "iso-8601"]);
        assert_eq!(words("M"), ["POST"]);
        assert!(source.kind("Z").is_none());
    }
}
