//! What an entry's hash is over: takes the columns of a row, gives their one text and its hash.
//!
//! The text is the JSON array of the columns before `sha256`, in the order of the table, without
//! spaces, letters beyond ASCII as they are. In Python, for whoever checks it by other means:
//! `hashlib.sha256(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode())`.

use domain::Sha256;
use rusqlite::{Result, Row};

use crate::words;

/// The columns of a row before its hash.
pub(super) struct Entry {
    pub(super) seq: i64,
    pub(super) at_wall_ns: i64,
    pub(super) person: Option<String>,
    pub(super) role: Option<String>,
    pub(super) action: String,
    pub(super) detail_json: String,
    pub(super) before_sha256: String,
}

impl Entry {
    /// Of a row of which the columns are named.
    pub(super) fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            seq: row.get("seq")?,
            at_wall_ns: row.get("at_wall_ns")?,
            person: row.get("person")?,
            role: row.get("role")?,
            action: row.get("action")?,
            detail_json: row.get("detail_json")?,
            before_sha256: row.get("before_sha256")?,
        })
    }

    /// The one text that says all of it.
    fn text(&self) -> String {
        let Self { seq, at_wall_ns, person, role, action, detail_json, before_sha256 } = self;
        words::json(&(seq, at_wall_ns, person, role, action, detail_json, before_sha256))
    }

    /// Hash of [`Entry::text`].
    pub(super) fn sha256(&self) -> String {
        Sha256::of(self.text().as_bytes()).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_what_python_makes_of_it() {
        let entry = Entry {
            seq: 7,
            at_wall_ns: -1,
            person: Some("p-ab".to_owned()),
            role: None,
            action: "label".to_owned(),
            detail_json: "{\"a\":\"é\\n\u{1}\u{7f}\"}".to_owned(),
            before_sha256: "0".repeat(3),
        };
        // import json; print(json.dumps([7, -1, "p-ab", None, "label",
        //     '{"a":"é\\n\x01\x7f"}', "000"], ensure_ascii=False, separators=(",", ":")))
        let python =
            "[7,-1,\"p-ab\",null,\"label\",\"{\\\"a\\\":\\\"é\\\\n\\u0001\u{7f}\\\"}\",\"000\"]";
        assert_eq!(entry.text(), python);
    }
}
