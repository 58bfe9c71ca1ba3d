//! One setting of a bundle as it is proposed: a value, why, and how sure that is.

use serde::Serialize;

use super::wishes::Setting;

/// How sure a proposal is. What is unsure is asked for, never taken in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sure {
    /// The person who imports said so.
    Told,
    /// The file says so.
    Read,
    /// What its exporter nearly always means; worth a look.
    Likely,
    /// Could as well be otherwise.
    Unsure,
}

impl Sure {
    /// The word that tables show.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Read => "read",
            Self::Likely => "likely",
            Self::Unsure => "unsure",
        }
    }
}

/// A setting with its proposal, as it is shown and asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The manifest's key, `input.colour`.
    pub key: &'static str,
    /// The flag that sets it, `--colour`.
    pub flag: &'static str,
    /// What is proposed, as the flag would take it; `None` where nothing can be.
    pub value: Option<String>,
    /// How sure.
    pub sure: Sure,
    /// Why.
    pub why: String,
    /// What the flag takes.
    pub right: &'static str,
}

/// A value, how sure, and why.
#[derive(Clone, Debug)]
pub(super) struct Choice<T> {
    pub value: Option<T>,
    pub sure: Sure,
    pub why: String,
}

impl<T> Choice<T> {
    pub fn read(value: T, why: impl Into<String>) -> Self {
        Self { value: Some(value), sure: Sure::Read, why: why.into() }
    }

    pub fn likely(value: T, why: impl Into<String>) -> Self {
        Self { value: Some(value), sure: Sure::Likely, why: why.into() }
    }

    pub fn unsure(value: T, why: impl Into<String>) -> Self {
        Self { value: Some(value), sure: Sure::Unsure, why: why.into() }
    }

    pub fn missing(why: impl Into<String>) -> Self {
        Self { value: None, sure: Sure::Unsure, why: why.into() }
    }

    /// The wish where there is one, else what `propose` says.
    pub fn of(wish: Option<T>, propose: impl FnOnce() -> Self) -> Self {
        match wish {
            Some(value) => Self { value: Some(value), sure: Sure::Told, why: "as you say".into() },
            None => propose(),
        }
    }

    pub fn item(&self, setting: &'static Setting, shown: impl Fn(&T) -> String) -> Item {
        let Setting { flag, key, right } = *setting;
        let (sure, why) = (self.sure, self.why.clone());
        Item { key, flag, value: self.value.as_ref().map(shown), sure, why, right }
    }
}
