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

/// The line of the dotted `key` (`camera.0.name` is the name of the first camera), or of the
/// innermost table around it that is there; 1 when there is none.
pub fn line_of_key(text: &str, key: &str) -> usize {
    let Ok(table) = DeTable::parse(text) else { return 1 };
    let (mut line, mut inside) = (1, DeValue::Table(table.into_inner()));
    for name in key.split('.') {
        let found = match inside {
            DeValue::Table(table) => {
                table.into_iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value)
            }
            DeValue::Array(array) => name.parse().ok().and_then(|at| array.into_iter().nth(at)),
            _ => None,
        };
        let Some(found) = found else { break };
        line = line_of(text, found.span().start);
        inside = found.into_inner();
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
        let text = "[[a]]\nb = 1\n\n[[a]]\nb = 2\nc = [\n  3,\n  4,\n]\n";
        let places =
            [("a.0.b", 2), ("a.1", 4), ("a.1.b", 5), ("a.1.c.1", 8), ("a.1.x", 4), ("a.7.b", 1)];
        for (key, line) in places {
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
