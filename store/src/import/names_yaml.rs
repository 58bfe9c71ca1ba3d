//! The classes of a `data.yaml`: takes its text, gives the names by their numbers. Reads the forms
//! in which such files come, not all of YAML: a list or numbered entries, on lines of their own or
//! in brackets.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// The names after `names:`; an error says what is wrong.
pub(super) fn names(text: &str) -> Result<BTreeMap<usize, String>, String> {
    let mut lines = text.lines();
    let first = lines.find_map(|line| line.strip_prefix("names:"));
    let first = first.ok_or("there are no `names:`")?.trim();
    if first.is_empty() || first.starts_with('#') {
        return of_lines(lines);
    }
    let rest: Vec<&str> =
        lines.take_while(|line| line.starts_with([' ', '\t', ']', '}', '"', '\''])).collect();
    let flow = format!("{first}\n{}", rest.join("\n"));
    of_flow(&flow).ok_or_else(|| format!("`names: {first}` is no list of names"))
}

fn of_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Result<BTreeMap<usize, String>, String> {
    let mut names = BTreeMap::new();
    for line in lines {
        let entry = line.trim();
        if entry.is_empty() || entry.starts_with('#') {
            continue;
        }
        let is_item = entry.starts_with("- ");
        if !is_item && !line.starts_with([' ', '\t']) {
            break;
        }
        let (number, name) = match entry.strip_prefix("- ") {
            Some(name) => (Some(names.len()), name),
            None => {
                let (number, name) = entry.split_once(':').unwrap_or((entry, ""));
                (number.trim_matches(['"', '\'']).parse().ok(), name)
            }
        };
        let name = scalar(&mut name.trim().chars().peekable(), &[]);
        let (number, name) =
            number.zip(name).ok_or_else(|| format!("`{entry}` is no class: give `0: name`"))?;
        names.insert(number, name);
    }
    Ok(names)
}

/// `[a, "b"]` or `{0: a, 1: b}`.
fn of_flow(text: &str) -> Option<BTreeMap<usize, String>> {
    let mut rest = text.chars().peekable();
    let end = match rest.next()? {
        '[' => ']',
        '{' => '}',
        _ => return None,
    };
    let mut names = BTreeMap::new();
    loop {
        skip(&mut rest, char::is_whitespace);
        if rest.next_if_eq(&end).is_some() {
            return Some(names);
        }
        let mut number = names.len();
        if end == '}' {
            number = scalar(&mut rest, &[':'])?.parse().ok()?;
            rest.next_if_eq(&':')?;
            skip(&mut rest, char::is_whitespace);
        }
        names.insert(number, scalar(&mut rest, &[',', end])?);
        skip(&mut rest, char::is_whitespace);
        skip(&mut rest, |c| c == ',');
    }
}

fn skip(rest: &mut Peekable<Chars<'_>>, is_skipped: impl Fn(char) -> bool) {
    while rest.next_if(|c| is_skipped(*c)).is_some() {}
}

/// A name, quoted or plain, up to one of `ends`.
fn scalar(rest: &mut Peekable<Chars<'_>>, ends: &[char]) -> Option<String> {
    let mut name = String::new();
    match rest.peek()? {
        '"' => {
            rest.next();
            loop {
                match rest.next()? {
                    '"' => return Some(name),
                    '\\' => name.push(escaped(rest)?),
                    c => name.push(c),
                }
            }
        }
        '\'' => {
            rest.next();
            loop {
                match rest.next()? {
                    '\'' if rest.next_if_eq(&'\'').is_none() => return Some(name),
                    c => name.push(c),
                }
            }
        }
        _ => {
            while let Some(c) = rest.next_if(|c| !ends.contains(c)) {
                name.push(c);
            }
            let name = name.split_once(" #").map_or(&*name, |(name, _)| name).trim();
            (!name.is_empty()).then(|| name.to_owned())
        }
    }
}

fn escaped(rest: &mut Peekable<Chars<'_>>) -> Option<char> {
    let digits = match rest.next()? {
        'n' => return Some('\n'),
        't' => return Some('\t'),
        'r' => return Some('\r'),
        '0' => return Some('\0'),
        'e' => return Some('\u{1b}'),
        'N' => return Some('\u{85}'),
        '_' => return Some('\u{a0}'),
        'L' => return Some('\u{2028}'),
        'P' => return Some('\u{2029}'),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        c => return Some(c),
    };
    let code: String = rest.by_ref().take(digits).collect();
    char::from_u32(u32::from_str_radix(&code, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<(usize, String)> {
        names(text).unwrap().into_iter().collect()
    }

    #[test]
    fn every_usual_form_is_read() {
        let two = vec![(0, "a b".to_owned()), (1, "ü, it's".to_owned())];
        for text in [
            "train: x\nnames:\n  0: a b\n  1: \"ü, it's\"\n",
            "names:\n- a b\n- 'ü, it''s'\nnc: 2\n",
            "names:\n  - a b # first\n\n  - \"\\u00fc, it's\"\nnc: 2",
            "nc: 2\nnames: ['a b', \"ü, it's\"]\n",
            "names: {0: a b, 1: \"ü, it's\"}",
            "names: [\n  'a b',\n  \"ü, it's\",\n]\nnc: 2",
        ] {
            assert_eq!(read(text), two, "{text}");
        }
        assert_eq!(read("names: []"), []);
        assert_eq!(read("names: {}\n"), []);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in ["", "nc: 3", "names: 7", "names: [a, \"b", "names:\n  x: y\n", "names: {x: y}"]
        {
            assert!(names(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_hang(text in "\\PC{0,40}|[-:\\[\\]{},'\"\\\\u0 \n]{0,30}") {
            let _ = names(&format!("names:{text}"));
            let _ = names(&format!("names:\n{text}"));
        }
    }
}
