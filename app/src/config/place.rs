//! Where something stands in a file: takes text and a byte, an error or a dotted key, gives a line
//! number.

use toml::de::{DeTable, DeValue};

/// The line, from 1, that holds byte `at` of `text`.
pub fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// The line at which `error` says that `text` is wrong.
pub fn line_of_error(text: &str, error: &toml::de::Error) -> usize {
    let at = error.span().map_or(0, |span| span.start);
    // A table with a `kind` is read as a whole, and its errors are said to be at its beginning;
    // the word that is unknown stands somewhere below.
    let unknown = error.message().strip_prefix("unknown ").and_then(|rest| rest.split('`').nth(1));
    let below = unknown.and_then(|word| text.get(at..)?.find(word)).unwrap_or(0);
    line_of(text, at + below)
}

/// The line of the dotted `key`, or of the innermost table around it that is there; 1 when there
/// is none.
pub fn line_of_key(text: &str, key: &str) -> usize {
    let Ok(table) = DeTable::parse(text) else { return 1 };
    let (mut line, mut table) = (1, table.into_inner());
    for name in key.split('.') {
        let Some((_, value)) = table.into_iter().find(|(key, _)| key.get_ref() == name) else {
            break;
        };
        line = line_of(text, value.span().start);
        match value.into_inner() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    line
}

/// A message on one line, as it is shown after the file's name.
pub fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_are_found_in_every_spelling() {
        let text = "a = 1\n[b.c]\nd = 2\n[e]\nf = { g = 3 }\n";
        for (key, line) in [("a", 1), ("b.c.d", 3), ("e.f.g", 5), ("e.x", 4), ("nothing", 1)] {
            assert_eq!(line_of_key(text, key), line, "{key}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,80}", key in "[a-z.]{0,12}") {
            prop_assert!(line_of_key(&text, &key) >= 1);
        }
    }
}
