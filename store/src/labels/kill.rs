//! A process that labels as fast as it can and is killed: every label it was told of is there, and
//! the audit log agrees.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::tests::{good, key, new, store};
use super::*;
use crate::verify_audit;

/// In which store the child is to label.
const STORE: &str = "SIGHTLINE_TEST_LABEL_IN";
/// What stands before the number of a label that was written.
const WRITTEN: &str = "written ";

/// Not a test: what the children run. Does nothing unless it is asked to.
#[test]
fn child() {
    let Ok(folder) = std::env::var(STORE) else { return };
    let store = Store::create_or_open(Path::new(&folder)).unwrap();
    let mut labels = store.labels().unwrap();
    let (ann, label) = (PersonId::new("p-ann"), good());
    for number in 0_u64.. {
        let row = labels.add(&new(1 + number % 2, &ann, &label)).unwrap();
        println!("{WRITTEN}{}", row.id);
    }
}

/// Runs [`child`] until it has told of `labels`, kills it, and gives all that it told of.
fn told(folder: &Path, labels: usize) -> Vec<i64> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "labels::kill::child", "--nocapture"]).env(STORE, folder);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The first follows what the test harness says without ending the line.
    let number = |line: &str| line.split(WRITTEN).nth(1)?.parse().ok();
    let mut ids = lines.filter_map(|line| number(&line.ok()?));
    let mut told: Vec<i64> = ids.by_ref().take(labels).collect();
    child.kill().unwrap();
    // What it still said before it heard.
    told.extend(ids);
    child.wait().unwrap();
    told
}

#[test]
fn what_was_told_outlasts_a_kill() {
    let (dir, store) = store();
    drop(store);
    let mut before = 0;
    for labels in [1, 2, 7, 20] {
        let told = told(dir.path(), labels);
        assert!(told.len() >= labels);
        let reader = Reader::open(dir.path()).unwrap();
        let mut there = reader.labels(key(1)).unwrap();
        there.extend(reader.labels(key(2)).unwrap());
        let there: std::collections::BTreeSet<i64> = there.iter().map(|row| row.id).collect();
        assert!(told.iter().all(|id| there.contains(id)), "{told:?} {there:?}");
        assert!(there.len() >= before + told.len());
        before = there.len();
        let report = verify_audit(dir.path()).unwrap();
        assert!(report.is_sound(), "{report:?}");
        assert_eq!(report.labels, there.len() as u64);
    }
}
