//! The domain's words as text in the database: takes a unit variant or a struct, gives the form
//! that serde has for it, and back.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value as JSON text. The domain's words always have one.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The name of a variant without fields.
pub(crate) fn word(value: &impl Serialize) -> String {
    json(value).trim_matches('"').to_owned()
}

/// The variant of that name.
pub(crate) fn from_word<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(word.into()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{AnsweredBy, GateSignal, YuvMatrix, YuvRange};

    #[test]
    fn words_round_trip() {
        assert_eq!(word(&AnsweredBy::FailSafe), "fail_safe");
        assert_eq!(from_word("fail_safe"), Some(AnsweredBy::FailSafe));
        assert_eq!(from_word(&word(&GateSignal::Reject)), Some(GateSignal::Reject));
        assert_eq!(from_word(&word(&YuvMatrix::Bt709)), Some(YuvMatrix::Bt709));
        assert_eq!(from_word(&word(&YuvRange::Full)), Some(YuvRange::Full));
        assert_eq!(from_word::<GateSignal>("maybe"), None);
    }
}
