//! File names with `*` and `?`, and the order people expect of numbered names. Takes a pattern;
//! gives the paths that match.

use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

/// A path of which some parts hold `*` (any characters) or `?` (any one character).
pub(super) struct Pattern {
    folder: PathBuf,
    parts: Vec<OsString>,
}

impl Pattern {
    /// Reads a pattern; `None` when nothing in it is uncertain.
    pub(super) fn from_path(path: &Path) -> Option<Self> {
        let parts: Vec<Component<'_>> = path.components().collect();
        let certain = parts.iter().position(|part| is_wild(part.as_os_str()))?;
        let (folder, parts) = parts.split_at(certain);
        Some(Self {
            folder: folder.iter().collect(),
            parts: parts.iter().map(|part| part.as_os_str().to_owned()).collect(),
        })
    }

    /// The folder before the first uncertain part; empty for the one we are in.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every path that matches, in no order.
    pub(super) fn matches(&self) -> io::Result<Vec<PathBuf>> {
        let mut found = vec![self.folder.clone()];
        for part in &self.parts {
            let mut deeper = Vec::new();
            for folder in found {
                if is_wild(part) {
                    deeper.extend(matches_in(&folder, part)?);
                } else {
                    deeper.push(folder.join(part));
                }
            }
            found = deeper;
        }
        Ok(found)
    }
}

fn is_wild(part: &OsStr) -> bool {
    part.as_encoded_bytes().iter().any(|byte| matches!(byte, b'*' | b'?'))
}

/// What in `folder` matches; a file that a pattern takes for a folder holds nothing.
fn matches_in(folder: &Path, part: &OsStr) -> io::Result<Vec<PathBuf>> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let listing = match fs::read_dir(here) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in listing {
        let name = entry?.file_name();
        let (letters, wanted) = (characters(&name), characters(part));
        if matches(&wanted, &letters) {
            found.push(folder.join(name));
        }
    }
    Ok(found)
}

/// Characters of a name; bytes that are none count as one each.
fn characters(name: &OsStr) -> Vec<char> {
    name.to_string_lossy().chars().collect()
}

/// Whether all of `name` matches, going back only to the last `*`, so in quadratic time at most.
fn matches(pattern: &[char], name: &[char]) -> bool {
    let (mut at, mut taken) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while taken < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, taken));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == name[taken] => {
                at += 1;
                taken += 1;
            }
            _ => {
                let Some((star_at, star_taken)) = star else { return false };
                star = Some((star_at, star_taken + 1));
                at = star_at + 1;
                taken = star_taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

/// Orders names as people do: runs of digits by their value, everything else by its bytes.
pub(super) fn natural_order(a: &OsStr, b: &OsStr) -> Ordering {
    let (mut left, mut right) = (a.as_encoded_bytes(), b.as_encoded_bytes());
    while !left.is_empty() && !right.is_empty() {
        let (left_run, left_rest) = split_run(left);
        let (right_run, right_rest) = split_run(right);
        let order = if left_run[0].is_ascii_digit() && right_run[0].is_ascii_digit() {
            let (x, y) = (without_zeros(left_run), without_zeros(right_run));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        } else {
            left_run.cmp(right_run)
        };
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
    // 1 and 01 are one number but two names.
    left.len().cmp(&right.len()).then_with(|| a.as_encoded_bytes().cmp(b.as_encoded_bytes()))
}

/// A run of digits, or one other byte, and what follows.
fn split_run(text: &[u8]) -> (&[u8], &[u8]) {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.split_at(digits.max(1))
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fits(pattern: &str, name: &str) -> bool {
        matches(&characters(pattern.as_ref()), &characters(name.as_ref()))
    }

    #[test]
    fn stars_and_question_marks_match() {
        for (pattern, name) in [
            ("*", ""),
            ("*", "x"),
            ("?", "ä"),
            ("a*b*c", "a_b_b_c"),
            ("*.png", "x.y.png"),
            ("", ""),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("?", ""), ("a*b", "ba"), ("*.png", "x.pngx"), ("", "x")] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn numbers_in_names_count() {
        let mut names = ["p10", "p9", "p1b", "p01", "p1", "P2", "p1a2", "p1a10"];
        names.sort_by(|a, b| natural_order(a.as_ref(), b.as_ref()));
        assert_eq!(names, ["P2", "p01", "p1", "p1a2", "p1a10", "p1b", "p9", "p10"]);
    }

    #[test]
    fn a_path_without_wildcards_is_no_pattern() {
        assert!(Pattern::from_path(Path::new("/a/b.png")).is_none());
        let pattern = Pattern::from_path(Path::new("/a/b?/c/*.png")).unwrap();
        assert_eq!(pattern.folder(), Path::new("/a"));
        assert_eq!(Pattern::from_path(Path::new("*.png")).unwrap().folder(), Path::new(""));
    }

    proptest! {
        #[test]
        fn a_name_matches_itself_and_any_star(name in "[a-z0-9.ä]{0,12}", cut in 0usize..13) {
            prop_assert!(fits(&name, &name));
            let head: String = name.chars().take(cut).collect();
            let star = format!("{}*", head);
            prop_assert!(fits(&star, &name));
        }

        #[test]
        fn natural_order_is_an_order(
            a in "[ab012]{0,6}", b in "[ab012]{0,6}", c in "[ab012]{0,6}",
        ) {
            let order = |x: &str, y: &str| natural_order(x.as_ref(), y.as_ref());
            prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
            prop_assert_eq!(order(&a, &b) == Ordering::Equal, a == b);
            if order(&a, &b).is_le() && order(&b, &c).is_le() {
                prop_assert!(order(&a, &c).is_le());
            }
        }
    }
}
