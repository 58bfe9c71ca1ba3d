//! Classes as a format can write them: takes the names that people gave, gives each a name that the
//! format holds, no two the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Longest name of a folder.
const FOLDER_CHARS_MAX: usize = 60;

/// What a name may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// Anything: it is quoted.
    Any,
    /// No control characters, no space at its ends, nothing that parts a path or a list of labels:
    /// readers of VOC name files for classes.
    Text,
    /// As text, and nothing that means something in an `index.csv`: no `|`, no `;`, not `ok`.
    Column,
    /// A folder's name on any system: letters, digits, dashes, dots and spaces within.
    Folder,
}

/// The classes of an export, in order of their names: the place is the number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Classes {
    names: Vec<Arc<str>>,
    written: Vec<String>,
    places: BTreeMap<Arc<str>, usize>,
}

impl Classes {
    pub fn new(names: BTreeSet<Arc<str>>, rule: NameRule) -> Self {
        let mut taken: BTreeSet<String> = rule.reserved().iter().map(|&name| name.into()).collect();
        let written = names.iter().map(|name| rule.unlike(name, &mut taken)).collect();
        let places = names.iter().cloned().enumerate().map(|(at, name)| (name, at)).collect();
        Self { names: names.into_iter().collect(), written, places }
    }

    /// Every class's name and how it is written.
    pub fn each(&self) -> impl Iterator<Item = (&Arc<str>, &str)> {
        self.names.iter().zip(self.written.iter().map(String::as_str))
    }

    /// The number of a class of this export.
    pub fn place(&self, name: &str) -> usize {
        self.places.get(name).copied().unwrap_or(usize::MAX)
    }

    /// How a class of this export is written.
    pub fn written(&self, name: &str) -> &str {
        self.written.get(self.place(name)).map_or("", String::as_str)
    }
}

impl NameRule {
    const fn reserved(self) -> &'static [&'static str] {
        match self {
            Self::Any | Self::Text => &[],
            Self::Column => &["ok"],
            Self::Folder => &["good", "con", "prn", "aux", "nul"],
        }
    }

    /// `name` by this rule, unlike all that is `taken`.
    pub fn unlike(self, name: &str, taken: &mut BTreeSet<String>) -> String {
        let fitting = self.fitting(name);
        // Some file systems take `A` and `a` for the same.
        let as_seen = |name: &str| match self {
            Self::Folder => name.to_lowercase(),
            _ => name.to_owned(),
        };
        let numbered = (2..).map(|number| format!("{fitting}_{number}"));
        let mut candidates = std::iter::once(fitting.clone()).chain(numbered);
        let found = candidates.find(|name| !taken.contains(&as_seen(name))).unwrap_or_default();
        taken.insert(as_seen(&found));
        found
    }

    fn fitting(self, name: &str) -> String {
        let keeps = |c: char| match self {
            Self::Any => true,
            Self::Text => !c.is_control() && !is_no_character(c) && !matches!(c, '/' | '\\' | ':'),
            Self::Column => !c.is_control() && !is_no_character(c) && c != '|' && c != ';',
            Self::Folder => c.is_alphanumeric() || matches!(c, '-' | '.' | ' '),
        };
        let fitting: String = name.chars().map(|c| if keeps(c) { c } else { '_' }).collect();
        let fitting = match self {
            Self::Any => fitting,
            Self::Text | Self::Column => fitting.trim().to_owned(),
            Self::Folder => {
                let short: String = fitting.chars().take(FOLDER_CHARS_MAX).collect();
                short.trim_matches(|c| c == '.' || c == ' ').to_owned()
            }
        };
        if fitting.is_empty() { "_".to_owned() } else { fitting }
    }
}

/// What XML and YAML have no place for.
pub(crate) fn is_no_character(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(names: &[&str], rule: NameRule) -> Vec<String> {
        let classes = Classes::new(names.iter().map(|&name| name.into()).collect(), rule);
        names.iter().map(|name| classes.written(name).to_owned()).collect()
    }

    #[test]
    fn usual_names_stay_as_they_are() {
        let usual = ["Riss ü", "dent-2", "long scratch", "öl"];
        for rule in [NameRule::Any, NameRule::Text, NameRule::Column, NameRule::Folder] {
            assert_eq!(written(&usual, rule), usual);
        }
    }

    #[test]
    fn names_that_mean_something_else_are_changed_and_kept_apart() {
        assert_eq!(
            written(&["good", "Good", "../x"], NameRule::Folder),
            ["good_3", "Good_2", "_x"]
        );
        assert_eq!(written(&["ok", "a|b", "a;b"], NameRule::Column), ["ok_2", "a_b_2", "a_b"]);
        assert_eq!(written(&["a\nb"], NameRule::Text), ["a_b"]);
    }

    proptest! {
        #[test]
        fn no_two_are_the_same(
            names in prop::collection::btree_set("\\PC{0,6}|[a-cA-C./|;\\\\ \n]{0,4}", 1..12),
        ) {
            for rule in [NameRule::Any, NameRule::Text, NameRule::Column, NameRule::Folder] {
                let names: BTreeSet<Arc<str>> = names.iter().map(|name| (**name).into()).collect();
                let classes = Classes::new(names.clone(), rule);
                let written: BTreeSet<&str> = classes.each().map(|(_, written)| written).collect();
                prop_assert_eq!(written.len(), names.len());
                for name in &names {
                    prop_assert!(written.contains(classes.written(name)));
                }
                if rule == NameRule::Folder {
                    for name in written {
                        let path = std::path::Path::new(name);
                        let plain = |part| matches!(part, std::path::Component::Normal(_));
                        prop_assert!(path.components().all(plain), "{name}");
                        prop_assert!(!name.contains(['/', '\\', ':']));
                    }
                }
            }
        }
    }
}
