//! The log as somebody else would change it: each column of each entry and of each label, rows
//! removed, added and exchanged, the end cut off. All of it is found and named.

use std::fs;
use std::path::Path;

use domain::{Judgement, Label, PartId, PartKey};
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::files::{AUDIT_HEAD, DATABASE};
use crate::{Labels, NewLabel, Store, example};

const NOW: WallTime = WallTime { unix_ns: 77 };
const PART: PartKey = PartKey { run: 1, part: PartId(1) };

fn label(labels: &mut Labels, person: &str, judgement: Judgement) {
    let (by, label) = (PersonId::new(person), Label::unmarked(judgement, true));
    let (role, at) = (Role::Operator, NOW);
    labels
        .add(&NewLabel { key: PART, at, by: &by, role, label: &label, is_second: false })
        .unwrap();
}

/// A store with two parts and six entries: a start, three labels, one taken back, a stop.
fn store() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create_or_open(dir.path()).unwrap();
    let mut writer = store.start_run(&example::START).unwrap();
    for number in 1..=2 {
        let outcome = example::outcome(number, example::reject());
        writer.record(&outcome, &mut |_| false).unwrap();
    }
    writer.flush().unwrap();
    let mut labels = store.labels().unwrap();
    note(&mut labels, Action::Start);
    label(&mut labels, "p-ann", Judgement::Good);
    label(&mut labels, "p-ann", Judgement::Doubt);
    label(&mut labels, "p-bea", Judgement::Good);
    labels.withdraw(PART, &PersonId::new("p-ann"), Role::Operator, NOW).unwrap();
    note(&mut labels, Action::Stop);
    dir
}

fn note(labels: &mut Labels, action: Action) {
    let (ann, detail) = (PersonId::new("p-ann"), json!({"from": "the screen"}));
    let by = Some((&ann, Role::Engineer));
    labels.note(&NewEntry { at: NOW, by, action, detail: &detail }).unwrap();
}

/// Changes the database as somebody would who knows how.
fn tamper(folder: &Path, sql: &str) {
    let db = Connection::open(folder.join(DATABASE)).unwrap();
    let open = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;
        DROP TRIGGER audit_stays; DROP TRIGGER audit_is_kept; DROP TRIGGER label_stays;
        DROP TRIGGER label_is_kept; DROP INDEX label_of_person;";
    db.execute_batch(open).unwrap();
    db.execute_batch(sql).unwrap();
}

fn faults_after(sql: &str) -> Vec<AuditFault> {
    let dir = store();
    tamper(dir.path(), sql);
    verify_audit(dir.path()).unwrap().faults
}

fn folder_of(sql: &str) -> TempDir {
    let dir = store();
    tamper(dir.path(), sql);
    dir
}

#[test]
fn a_log_that_was_left_alone_is_sound() {
    let dir = store();
    let report = verify_audit(dir.path()).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.entries, report.labels), (6, 3));
    let noted = Sha256::from_hex(&report.head.unwrap()).unwrap();
    assert!(verify_audit_against(dir.path(), noted).unwrap().is_sound());
    let other = Sha256::of(b"other");
    let faults = verify_audit_against(dir.path(), other).unwrap().faults;
    assert_eq!(faults, [AuditFault::NotNoted { sha256: other.to_string() }]);
}

#[test]
fn a_changed_column_of_any_entry_is_found() {
    for seq in 1..=6 {
        for change in [
            "at_wall_ns = at_wall_ns + 1",
            "person = 'p-eve'",
            "role = 'quality'",
            "action = 'log_out'",
            "detail_json = '{}'",
            "detail_json = detail_json || ' '",
            "before_sha256 = lower(hex(zeroblob(31))) || 'ff'",
            "sha256 = lower(hex(zeroblob(32)))",
        ] {
            let faults = faults_after(&format!("UPDATE audit SET {change} WHERE seq = {seq}"));
            assert_eq!(faults.first(), Some(&AuditFault::Changed { seq }), "{change}");
        }
    }
}

#[test]
fn entries_that_were_removed_added_or_exchanged_are_found() {
    let faults = faults_after("DELETE FROM audit WHERE seq IN (3, 4)");
    assert_eq!(faults[0], AuditFault::Removed { first: 3, last: 4 });
    let faults = faults_after("DELETE FROM audit WHERE seq = 1");
    assert_eq!(faults[0], AuditFault::Removed { first: 1, last: 1 });
    // Removed, and the numbers closed up.
    let closed = "DELETE FROM audit WHERE seq = 1; UPDATE audit SET seq = seq - 1";
    assert_eq!(faults_after(closed)[0], AuditFault::Changed { seq: 1 });
    let exchanged = "UPDATE audit SET seq = 99 WHERE seq = 2;
        UPDATE audit SET seq = 2 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 99";
    assert_eq!(faults_after(exchanged)[0], AuditFault::Changed { seq: 2 });
    let added = "INSERT INTO audit SELECT 7, at_wall_ns, person, role, action, detail_json, sha256,
        lower(hex(zeroblob(32))) FROM audit WHERE seq = 6";
    assert_eq!(faults_after(added)[0], AuditFault::Changed { seq: 7 });
}

#[test]
fn an_entry_made_anew_with_a_right_hash_of_its_own_does_not_fit_the_next() {
    let dir = store();
    let db = Connection::open(dir.path().join(DATABASE)).unwrap();
    let read = |row: &Row<'_>| chain::Entry::read(row);
    let mut entry = db.query_row("SELECT * FROM audit WHERE seq = 3", [], read).unwrap();
    entry.at_wall_ns += 1;
    drop(db);
    let (at, sha256) = (entry.at_wall_ns, entry.sha256());
    let sql = format!("UPDATE audit SET at_wall_ns = {at}, sha256 = '{sha256}' WHERE seq = 3");
    tamper(dir.path(), &sql);
    let report = verify_audit(dir.path()).unwrap();
    assert_eq!(report.faults[0], AuditFault::DoesNotFollow { seq: 4 });
}

#[test]
fn a_changed_column_of_a_label_is_found() {
    for change in [
        "run_id = 2",
        "part_number = 2",
        "said_wall_ns = 1",
        "person = 'p-eve'",
        "role = 'engineer'",
        "judgement = 'bad'",
        "label_json = replace(label_json, 'good', 'doubt')",
        "is_second = 1",
        "holds = 1 - holds",
        "withdrawn_wall_ns = 5",
    ] {
        let faults = faults_after(&format!("UPDATE label SET {change} WHERE id = 1"));
        assert!(matches!(faults[..], [AuditFault::Label { id: 1, .. }]), "{change}: {faults:?}");
    }
    let faults = faults_after("DELETE FROM label WHERE id = 3");
    assert!(matches!(faults[..], [AuditFault::Label { id: 3, .. }]), "{faults:?}");
    let added = "INSERT INTO label SELECT 9, run_id, part_number, said_wall_ns, 'p-eve', role,
        judgement, label_json, is_second, holds, NULL FROM label WHERE id = 1";
    let faults = faults_after(added);
    assert!(matches!(faults[..], [AuditFault::Label { id: 9, .. }]), "{faults:?}");
}

#[test]
fn an_end_that_was_cut_off_is_found_and_stays_known() {
    for (cut, left) in [("seq > 4", 4), ("seq = 6", 5), ("true", 0)] {
        let dir = folder_of(&format!("DELETE FROM audit WHERE {cut}"));
        let faults = verify_audit(dir.path()).unwrap().faults;
        assert!(matches!(faults.first(), Some(AuditFault::Head { .. })), "{cut}: {faults:?}");
        // The station goes on, and does not cover it up.
        let mut labels = Store::create_or_open(dir.path()).unwrap().labels().unwrap();
        note(&mut labels, Action::Start);
        let report = verify_audit(dir.path()).unwrap();
        assert_eq!(report.entries, left + 2);
        let told = AuditFault::ToldBefore {
            seq: i64::try_from(left).unwrap() + 1,
            found: match &faults[0] {
                AuditFault::Head { found } => found.clone(),
                other => panic!("{other}"),
            },
        };
        assert!(report.faults.contains(&told), "{:?}", report.faults);
    }
}

#[test]
fn a_head_that_is_gone_or_another_is_found() {
    let dir = store();
    let head = dir.path().join(AUDIT_HEAD);
    let was = fs::read(&head).unwrap();
    for now in ["", "{}", "{\"seq\":6,\"sha256\":\"0\"}", "{\"seq\":7,\"sha256\":\"0\"}"] {
        fs::write(&head, now).unwrap();
        let faults = verify_audit(dir.path()).unwrap().faults;
        assert!(matches!(faults[..], [AuditFault::Head { .. }]), "{now}: {faults:?}");
    }
    fs::remove_file(&head).unwrap();
    let faults = verify_audit(dir.path()).unwrap().faults;
    assert!(matches!(faults[..], [AuditFault::Head { .. }]), "{faults:?}");
    fs::write(&head, was).unwrap();
    assert!(verify_audit(dir.path()).unwrap().is_sound());
}

#[test]
fn a_head_that_a_kill_left_behind_is_no_fault() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create_or_open(dir.path()).unwrap();
    assert!(verify_audit(dir.path()).unwrap().is_sound(), "before anything was done");
    let mut labels = store.labels().unwrap();
    let head = dir.path().join(AUDIT_HEAD);
    for _ in 0..3 {
        let before = fs::read(&head).unwrap();
        note(&mut labels, Action::Start);
        let after = fs::read(&head).unwrap();
        fs::write(&head, before).unwrap();
        assert!(verify_audit(dir.path()).unwrap().is_sound());
        fs::write(&head, after).unwrap();
    }
}

#[test]
fn entries_are_given_newest_first_in_pages() {
    let dir = store();
    let reader = Reader::open(dir.path()).unwrap();
    let seqs = |filter: &AuditFilter| -> Vec<u64> {
        reader.audit(filter).unwrap().iter().map(|row| row.seq).collect()
    };
    let all = AuditFilter::default();
    assert_eq!(seqs(&all), [6, 5, 4, 3, 2, 1]);
    assert_eq!(seqs(&AuditFilter { after: Some(5), limit: 2, ..all.clone() }), [4, 3]);
    let of = |action| AuditFilter { action: Some(action), ..all.clone() };
    assert_eq!(seqs(&of(Action::Label)), [4, 3, 2]);
    let bea = AuditFilter { by: Some(PersonId::new("p-bea")), ..all.clone() };
    assert_eq!(seqs(&bea), [4]);
    let later = WallTime { unix_ns: 78 };
    assert!(seqs(&AuditFilter { from: Some(later), ..all.clone() }).is_empty());
    assert_eq!(seqs(&AuditFilter { to: Some(later), ..all.clone() }).len(), 6);
    let first = &reader.audit(&of(Action::Start)).unwrap()[0];
    assert_eq!((first.role, &first.detail), (Some(Role::Engineer), &json!({"from": "the screen"})));
    for action in Action::ALL {
        assert_eq!(Action::from_name(action.name()), Some(action));
    }
}
