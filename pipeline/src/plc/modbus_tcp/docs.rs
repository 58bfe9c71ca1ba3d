//! Writes `docs/plc.md` and `docs/plc.csv` from the map, and holds them to it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::map::{FLAGS, PLC, RING, Register, SLOT, SLOT_WORDS, STATION, station};
use super::reason;
use crate::plc::RegistersConfig;

/// What a person wrote; the tables go where it says `{{station}}` and so on.
const TEMPLATE: &str = include_str!("plc.md.in");

fn span(at: usize, words: usize) -> String {
    if words == 1 { at.to_string() } else { format!("{at}–{}", at + words - 1) }
}

fn table(rows: &[Register], base: usize) -> String {
    let mut table =
        "| address | name | form | unit | meaning |\n|---|---|---|---|---|\n".to_owned();
    for row in rows {
        let is_ring = row.name == "ring";
        let words = if is_ring { RING * SLOT_WORDS } else { row.form.words() };
        let form = if is_ring { "16 × 6 words" } else { row.form.name() };
        let (span, name, unit, meaning) =
            (span(base + row.at, words), row.name, row.unit, row.meaning);
        writeln!(table, "| {span} | `{name}` | {form} | {unit} | {meaning} |").unwrap();
    }
    table
}

fn bits() -> String {
    let mut table =
        "| bit of `flags`, address of the bit | name | meaning |\n|---|---|---|\n".to_owned();
    for (bit, name, meaning) in FLAGS {
        writeln!(table, "| {bit} | `{name}` | {meaning} |").unwrap();
    }
    table
}

fn reasons() -> String {
    let mut table = "| class | reason | name | meaning |\n|---|---|---|---|\n".to_owned();
    for (code, name, meaning) in reason::TABLE {
        writeln!(table, "| {} | {code} | `{name}` | {meaning} |", reason::class(code)).unwrap();
    }
    table
}

fn markdown() -> String {
    let RegistersConfig { station, plc, .. } = RegistersConfig::default();
    let (station, plc) = (usize::from(station), usize::from(plc));
    TEMPLATE
        .replace("{{station}}\n", &table(&STATION, station))
        .replace("{{ring}}\n", &table(&SLOT, 0).replace("| address |", "| word |"))
        .replace("{{plc}}\n", &table(&PLC, plc))
        .replace("{{bits}}\n", &bits())
        .replace("{{reasons}}\n", &reasons())
}

fn csv() -> String {
    let RegistersConfig { station: base, plc, .. } = RegistersConfig::default();
    let mut csv = "name,address,words,form,unit,written_by,meaning\n".to_owned();
    let mut put = |name: &str, at: usize, row: &Register, by: &str| {
        let (words, form, unit) = (row.form.words(), row.form.name(), row.unit);
        let meaning = row.meaning.replace('"', "\"\"");
        writeln!(csv, "{name},{at},{words},{form},{unit},{by},\"{meaning}\"").unwrap();
    };
    for row in STATION.iter().filter(|row| row.name != "ring") {
        put(row.name, usize::from(base) + row.at, row, "station");
    }
    for place in 0..RING {
        for row in &SLOT {
            let at = usize::from(base) + station::RING + place * SLOT_WORDS + row.at;
            put(&format!("ring_{place}_{}", row.name), at, row, "station");
        }
    }
    for row in &PLC {
        put(row.name, usize::from(plc) + row.at, row, "plc");
    }
    csv
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

#[test]
fn the_published_map_is_the_one_in_force() {
    for (name, text) in [("plc.md", markdown()), ("plc.csv", csv())] {
        assert!(!text.contains("{{"), "{name}: a table has no place in plc.md.in");
        let path = folder().join(name);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            published == text,
            "docs/{name} is not what the map says; write it anew with\n  UPDATE_DOCS=1 cargo test \
             --release --locked -p sightline-pipeline --lib plc::modbus_tcp::docs"
        );
    }
}
