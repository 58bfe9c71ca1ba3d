//! Takes Rust text; gives it without comments and literals, and as tokens. Enough to find names,
//! calls and bodies; not a parser.

/// A name, a number, `::`, or one other character, and the line (from 1) that it is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    pub line: usize,
    pub text: &'a str,
}

/// The same text, line by line, with comments and the insides of strings and characters as blanks.
pub fn blanked(text: &str) -> String {
    let mut left = text;
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    while let Some(first) = left.chars().next() {
        let taken = literal_len(left, before).unwrap_or(0);
        if taken == 0 {
            out.push(first);
            before = first;
            left = &left[first.len_utf8()..];
        } else {
            out.extend(left[..taken].chars().map(|c| if c == '\n' { c } else { ' ' }));
            before = ' ';
            left = &left[taken..];
        }
    }
    out
}

/// The length of the comment, string or character that `text` starts with, if it starts with one.
fn literal_len(text: &str, before: char) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(block_comment_len(text));
    }
    let in_word = before.is_alphanumeric() || before == '_';
    let prefix = if in_word { 0 } else { text.bytes().take_while(|b| b"bcr".contains(b)).count() };
    let rest = &text[prefix..];
    if text[..prefix].ends_with('r') {
        let hashes = rest.bytes().take_while(|&b| b == b'#').count();
        let inside = rest[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", &rest[..hashes]);
        let len = inside.find(&end).map_or(inside.len(), |at| at + end.len());
        return Some(prefix + hashes + 1 + len);
    }
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    if quote == '\'' && is_lifetime(rest) {
        return None;
    }
    Some(prefix + quoted_len(rest, quote))
}

fn block_comment_len(text: &str) -> usize {
    let (mut at, mut depth) = (2, 1);
    while depth > 0 && at < text.len() {
        let two = text.as_bytes().get(at..at + 2).unwrap_or_default();
        depth = match two {
            b"/*" => depth + 1,
            b"*/" => depth - 1,
            _ => depth,
        };
        at += if matches!(two, b"/*" | b"*/") { 2 } else { 1 };
    }
    at
}

/// `'a` without a closing quote right after one character.
fn is_lifetime(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    chars.next() != Some('\\') && chars.next() != Some('\'')
}

fn quoted_len(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The tokens of blanked code.
pub fn tokens(code: &str) -> Vec<Token<'_>> {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut left = line.trim_start();
        while let Some(first) = left.chars().next() {
            let len = if in_word(first) {
                left.find(|c| !in_word(c)).unwrap_or(left.len())
            } else if left.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            found.push(Token { line: index + 1, text: &left[..len] });
            left = left[len..].trim_start();
        }
    }
    found
}

/// Whether the tokens from `at` on are `texts`.
pub fn reads(tokens: &[Token<'_>], at: usize, texts: &[&str]) -> bool {
    texts.iter().enumerate().all(|(i, text)| tokens.get(at + i).is_some_and(|t| t.text == *text))
}

/// The index of the bracket that closes the one at `open`.
pub fn closing(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    tokens.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        tokens(&blanked(text)).iter().map(|t| t.text.to_owned()).collect()
    }

    #[test]
    fn comments_and_literals_are_blank() {
        assert_eq!(names("a // b\nc /* d /* e */ f */ g"), ["a", "c", "g"]);
        assert_eq!(names(r#"a("b \" c", 'd', '\'', b'"', b"e")"#).concat(), "a(,,,,)");
        assert_eq!(
            names("a(r\"\\\", r#\"b \" c\"#, br##\"\"#\"##) d"),
            ["a", "(", ",", ",", ")", "d"]
        );
    }

    #[test]
    fn lifetimes_and_names_that_look_like_prefixes_stay() {
        assert_eq!(names("fn f<'a>(x: &'a str)").concat(), "fnf<'a>(x:&'astr)");
        assert_eq!(names("for b in car { crate::c }").concat(), "forbincar{crate::c}");
    }

    #[test]
    fn lines_are_kept() {
        let text = "/* a\n b */ \"c\nd\" e";
        assert_eq!(blanked(text).lines().count(), text.lines().count());
        assert_eq!(tokens(&blanked(text)), [Token { line: 3, text: "e" }]);
    }

    #[test]
    fn brackets_match() {
        let code = tokens("f ( [ a ] , { b } ) c");
        assert_eq!(code[closing(&code, 1)..].iter().map(|t| t.text).collect::<String>(), ")c");
    }
}
