//! `docs/model.schema.json` and the table of `docs/models.md` are written from the types that read
//! `model.toml`; these tests hold them to it.

#![expect(clippy::unwrap_used, reason = "a test that stops has failed")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use sightline_models::Manifest;

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

fn schema() -> Value {
    serde_json::to_value(schemars::schema_for!(Manifest)).unwrap()
}

/// Holds `text` against the published file, or writes it where `UPDATE_DOCS` is set.
#[track_caller]
fn is_published(name: &str, text: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(docs(name), text).unwrap();
    }
    let published = fs::read_to_string(docs(name)).unwrap_or_default();
    assert!(
        published == text,
        "docs/{name} is not what the types say; write it anew with\n  UPDATE_DOCS=1 cargo test \
         --release --locked -p sightline-models --test schema"
    );
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    is_published("model.schema.json", &format!("{:#}\n", schema()));
}

const BEGIN: &str = "<!-- keys: written by models/tests/schema.rs -->\n";
const END: &str = "<!-- end of keys -->";

#[test]
fn the_table_of_the_guide_is_that_of_the_types() {
    let page = fs::read_to_string(docs("models.md")).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("a place for the table");
    let (_, after) = rest.split_once(END).expect("the table's end");
    is_published("models.md", &format!("{before}{BEGIN}{}{END}{after}", tables()));
}

/// A table a section of the manifest, and one for each of its words.
fn tables() -> String {
    let schema = schema();
    let definitions = schema["$defs"].as_object().unwrap();
    let mut out = String::new();
    let mut open = vec![(String::new(), &schema)];
    while let Some((place, section)) = open.pop() {
        let title = match &*place {
            "" => "At the top".to_owned(),
            "golden" => "`[[golden]]`".to_owned(),
            _ => format!("`[{place}]`"),
        };
        writeln!(out, "**{title}**: {}\n", text(section)).unwrap();
        out.push_str("| key | takes | must | |\n|---|---|---|---|\n");
        let required = section["required"].as_array().cloned().unwrap_or_default();
        let place_of = |key: &str| required.iter().position(|name| name == key);
        let mut keys: Vec<_> = section["properties"].as_object().unwrap().iter().collect();
        // As they are declared, as far as the schema tells: what must be there, then the rest.
        keys.sort_by_key(|(key, _)| place_of(key).unwrap_or(usize::MAX));
        let mut below = Vec::new();
        for (key, property) in keys {
            let (takes, part) = takes(property, definitions);
            let must = if place_of(key).is_some() { "yes" } else { "" };
            writeln!(out, "| `{key}` | {takes} | {must} | {} |", text(property)).unwrap();
            let path = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
            below.extend(part.map(|part| (path, part)));
        }
        out.push('\n');
        open.extend(below.into_iter().rev());
    }
    out
}

/// What a key takes, in words; and the section that it is, if it is one.
fn takes<'a>(
    property: &'a Value,
    definitions: &'a Map<String, Value>,
) -> (String, Option<&'a Value>) {
    let kind = property["type"].as_str().or_else(|| property["type"][0].as_str());
    let inner = property["anyOf"][0]["$ref"].as_str();
    if let Some(name) = property["$ref"].as_str().or(inner) {
        let definition = &definitions[name.rsplit('/').next().unwrap()];
        return match definition["oneOf"].as_array() {
            Some(words) => (words.iter().map(word).collect::<Vec<_>>().join("<br>"), None),
            None => ("a table".to_owned(), Some(definition)),
        };
    }
    match kind {
        Some("array") => {
            let (takes, part) = takes(&property["items"], definitions);
            (if part.is_some() { "tables".into() } else { format!("list of {takes}s") }, part)
        }
        Some("integer") => ("whole number".to_owned(), None),
        Some("object") => ("table of texts".to_owned(), None),
        Some("string") => ("text".to_owned(), None),
        other => (other.unwrap_or("anything").to_owned(), None),
    }
}

/// One word of an enum with its meaning.
fn word(variant: &Value) -> String {
    format!("`{}`: {}", variant["const"].as_str().unwrap(), text(variant))
}

/// A description on one line, as a cell of a table takes it.
fn text(value: &Value) -> String {
    let text = value["description"].as_str().unwrap_or_default();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
    // Links between items of code lead nowhere here.
    line.replace("[`crate::manifest::", "`").replace("`]", "`")
}
