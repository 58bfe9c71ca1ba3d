//! What a replay left behind: takes its folder, gives the report, the verdict log and the store,
//! and holds them against each other.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use store::{PartFilter, Reader};

pub struct Results {
    pub out: PathBuf,
    pub report: Value,
    /// `inspections.jsonl`, byte for byte.
    pub log: Vec<u8>,
    /// Its lines.
    pub rows: Vec<Value>,
}

impl Results {
    pub fn read(out: &Path) -> Self {
        let report = fs::read(out.join("report.json")).unwrap();
        let log = fs::read(out.join("inspections.jsonl")).unwrap();
        let rows = log.split_inclusive(|byte| *byte == b'\n').map(row_from_line).collect();
        let report = serde_json::from_slice(&report).unwrap();
        Self { out: out.to_owned(), report, log, rows }
    }

    /// A number of the report.
    pub fn count(&self, key: &str) -> u64 {
        self.report[key].as_u64().unwrap_or_else(|| panic!("no `{key}` in {}", self.report))
    }

    /// The verdicts in the order in which the gate was told.
    pub fn verdicts(&self) -> Vec<&str> {
        self.rows.iter().map(|row| text(row, "verdict")).collect()
    }

    /// Conservation: every part that was located has one verdict, one line in the log, one row in
    /// the store and one place in the report's sums, and none is lost.
    pub fn add_up(&self) {
        let n = self.rows.len() as u64;
        assert_eq!(self.count("parts"), n);
        let by_verdict = ["passed", "rejected", "undecided"].map(|key| self.count(key));
        assert_eq!(by_verdict.iter().sum::<u64>(), n, "{}", self.report);
        let said = |word| self.verdicts().iter().filter(|verdict| **verdict == word).count() as u64;
        assert_eq!(by_verdict, ["pass", "reject", "undecided"].map(said));
        assert_eq!(self.count("lost"), 0, "{}", self.report);

        let mut ids: Vec<u64> = self.rows.iter().map(|row| row["part"].as_u64().unwrap()).collect();
        ids.sort_unstable();
        assert_eq!(ids, (1..=n).collect::<Vec<_>>(), "each part once");

        let stored = stored(&self.out);
        let told = self
            .rows
            .iter()
            .map(|row| (row["part"].as_u64().unwrap(), (text(row, "verdict"), text(row, "gate"))));
        let stored: BTreeMap<u64, (&str, &str)> =
            stored.iter().map(|(part, (verdict, gate))| (*part, (&**verdict, &**gate))).collect();
        assert_eq!(stored, told.collect(), "the store says what the log says");
        let check = store::check(&self.out.join("store")).unwrap();
        assert!(check.is_clean(), "{check:?}");
    }

    /// The lines without what depends on how the footage came in: times, and the file's name.
    pub fn timeless(&self) -> Vec<Value> {
        let mut rows = self.rows.clone();
        rows.iter_mut().for_each(forget_times);
        rows
    }
}

/// Verdict and gate of every part in the store of a replay.
pub fn stored(out: &Path) -> BTreeMap<u64, (String, String)> {
    let reader = Reader::open(&out.join("store")).unwrap();
    let filter = PartFilter { limit: u32::MAX, ..PartFilter::default() };
    let word = |value: Value| value.as_str().unwrap().to_owned();
    let parts = reader.parts(&filter).unwrap();
    let parts = parts.into_iter().map(|part| {
        let gate = serde_json::to_value(part.gate).unwrap();
        (part.part.0, (part.verdict.word().to_owned(), word(gate)))
    });
    parts.collect()
}

fn row_from_line(line: &[u8]) -> Value {
    assert!(line.ends_with(b"\n"), "the last line is whole");
    serde_json::from_slice(line).unwrap()
}

fn forget_times(row: &mut Value) {
    match row {
        Value::Object(fields) => {
            fields.retain(|key, _| {
                !["triggered_at", "at", "told_at", "due", "motion", "origin"].contains(&&**key)
            });
            fields.values_mut().for_each(forget_times);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_times),
        _ => {}
    }
}

/// The text under `key`.
pub fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_else(|| panic!("no text `{key}` in {row}"))
}
