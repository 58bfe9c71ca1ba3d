//! Takes rows of named values; gives tables for people and a JSON file for scripts.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

/// A row: the columns and their values, in the order of the table. Names carry the unit.
pub type Row = Vec<(&'static str, Value)>;

/// What a table is called unless it is given a name.
const ROWS: &str = "rows";

/// What a bench has measured so far.
pub struct Report {
    name: &'static str,
    /// In order, each with its name; most benches have but one.
    tables: Vec<(&'static str, Vec<Row>)>,
    values: Vec<(&'static str, Value)>,
    notes: Vec<String>,
    load_before: Value,
}

impl Report {
    /// An empty report.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        let (tables, values, notes) = (Vec::new(), Vec::new(), Vec::new());
        Self { name, tables, values, notes, load_before: load_average() }
    }

    /// Begins another table; `name` is its heading and its key in the file.
    pub fn table(&mut self, name: &'static str) {
        self.tables.push((name, Vec::new()));
    }

    /// Adds a row to the table; all rows of a table have the same columns.
    pub fn row(&mut self, row: Row) {
        if self.tables.is_empty() {
            self.table(ROWS);
        }
        if let Some((_, rows)) = self.tables.last_mut() {
            rows.push(row);
        }
    }

    /// Says `value` under `key` in the file only.
    pub fn value(&mut self, key: &'static str, value: Value) {
        self.values.push((key, value));
    }

    /// Adds a sentence below the table.
    pub fn note(&mut self, sentence: impl Into<String>) {
        self.notes.push(sentence.into());
    }

    /// Prints the table and writes `<name>.json` into `folder`.
    ///
    /// # Errors
    /// When the file can't be written.
    #[expect(clippy::print_stdout, reason = "the table is what a bench is run for")]
    pub fn finish(&self, folder: &Path) -> io::Result<()> {
        let machine = json!({
            "cpu": cpu(),
            "cores": cores(),
            "load_before": self.load_before,
            "load_after": load_average(),
        });
        let path = folder.join(format!("{}.json", self.name));
        println!("\n{}  ({machine})", self.name);
        for (name, rows) in self.tables.iter().filter(|(_, rows)| !rows.is_empty()) {
            let heading = if *name == ROWS { String::new() } else { format!("\n  {name}\n") };
            println!("{heading}{}", text_from_rows(rows));
        }
        for note in &self.notes {
            println!("  {note}");
        }
        println!("  {}", path.display());
        let mut whole = json!({"bench": self.name, "machine": machine, "notes": self.notes});
        for (key, value) in &self.values {
            whole[*key] = value.clone();
        }
        for (name, rows) in &self.tables {
            whole[*name] = rows.iter().map(|row| row.iter().cloned().collect::<Value>()).collect();
        }
        fs::create_dir_all(folder)?;
        fs::write(path, format!("{whole:#}\n"))
    }
}

fn text_from_rows(rows: &[Row]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let mut lines = vec![first.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>()];
    lines.extend(rows.iter().map(|row| row.iter().map(|(_, it)| cell(it)).collect()));
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max();
    let widths: Vec<usize> = (0..first.len()).filter_map(width).collect();
    let words = |at: usize| first[at].1.is_string();
    let padded = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).enumerate().map(|(at, (text, &width))| {
            if words(at) { format!("{text:<width$}") } else { format!("{text:>width$}") }
        });
        format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    lines.iter().map(padded).collect()
}

/// Three digits are all that a busy machine can tell.
fn cell(value: &Value) -> String {
    match (value, value.as_f64()) {
        (Value::Null, _) => "-".to_owned(),
        (Value::String(text), _) => text.clone(),
        (Value::Number(number), Some(float)) if number.is_f64() => {
            let places = [100.0, 10.0, 1.0].into_iter().filter(|it| float.abs() < *it).count();
            format!("{float:.places$}")
        }
        _ => value.to_string(),
    }
}

/// How many threads run at the same time here.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn cpu() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(": "));
    name.map_or(std::env::consts::ARCH, |(_, name)| name).to_owned()
}

/// Of the last minute: how many threads wanted to run, these benches among them.
fn load_average() -> Value {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|load| load.parse::<f64>().ok()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_numbers_have_three_digits() {
        let mut report = Report::new("x");
        report.row(vec![("what", json!("a")), ("ms", json!(0.123_45)), ("n", json!(12_345))]);
        report.row(vec![("what", json!("long")), ("ms", json!(98.76)), ("n", Value::Null)]);
        report.row(vec![("what", json!("b")), ("ms", json!(1234.5)), ("n", json!(7))]);
        let lines: Vec<String> =
            text_from_rows(&report.tables[0].1).lines().map(str::to_owned).collect();
        assert_eq!(lines[0], "  what     ms      n");
        assert_eq!(lines[1], "  a     0.123  12345");
        assert_eq!(lines[2], "  long   98.8      -");
        assert_eq!(lines[3], "  b      1234      7");
    }

    #[test]
    fn what_is_written_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut report = Report::new("x");
        report.row(vec![("what", json!("a")), ("ms", json!(0.123_45))]);
        report.table("others");
        report.row(vec![("n", json!(7))]);
        report.value("key", json!({"p50": 1.5}));
        report.finish(&folder.path().join("new")).unwrap();
        let text = fs::read_to_string(folder.path().join("new/x.json")).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["rows"][0]["ms"], json!(0.123_45));
        assert_eq!(value["others"], json!([{"n": 7}]));
        assert_eq!(value["key"]["p50"], json!(1.5));
        assert!(value["machine"]["cores"].as_u64() > Some(0));
    }
}
