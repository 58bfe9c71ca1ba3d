//! The Grafana dashboard that comes with the clone: every metric it asks for is one that a running
//! station exports.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::exposition;
use crate::listens::metrics;
use crate::started::Started;
use crate::station::{METRICS, STATION, Station, repository};

/// Every query anywhere in `value`.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value.as_str().filter(|_| matches!(&**key, "expr" | "query" | "definition")) {
                    Some(query) => found.push(query.to_owned()),
                    None => queries(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| queries(item, found)),
        _ => {}
    }
}

/// The names in `query` that look like ours.
fn names(query: &str) -> impl Iterator<Item = &str> {
    let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("sightline_") || word.starts_with("process_"))
}

#[test]
fn the_dashboard_asks_for_what_there_is() {
    let text = fs::read_to_string(repository("deploy/grafana/sightline.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has a number of its own");
    let mut asked = Vec::new();
    queries(&dashboard, &mut asked);
    // What the variable that chooses the data source asks for.
    asked.retain(|query| query != "prometheus");
    assert!(asked.len() >= 12, "{asked:?}");

    let station = Station::new(&(STATION.to_owned() + METRICS));
    let mut started = Started::new(&mut station.run(&[]));
    let (page, _) = metrics(&mut started);
    let there = exposition::names(&page);
    for query in &asked {
        assert!(names(query).next().is_some(), "{query} asks for nothing of ours");
        let unknown: Vec<&str> = names(query).filter(|name| !there.contains(*name)).collect();
        assert!(unknown.is_empty(), "{query}: there is no {unknown:?}");
    }
}
