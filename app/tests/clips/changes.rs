//! What finds gaps and changes the store: verify, prune. Refused while a line has the store.

use std::fs;

use store::Store;

use crate::store_with::StoreWith;

#[test]
fn a_sound_store_verifies() {
    let store = StoreWith::three_clips();
    let _running = Store::create_or_open(store.path()).unwrap();
    // Being written just now.
    fs::write(store.file("top", 9).with_extension("mkv.partial"), "half").unwrap();
    let ran = store.clips("verify", &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.ends_with("3 clips, 2.1 MiB; 0 were removed to make room; all agree\n"));
}

#[test]
fn each_gap_is_told_with_its_repair_and_then_repaired() {
    let store = StoreWith::three_clips();
    fs::remove_file(store.file("top", 60)).unwrap();
    fs::write(store.file("side", 120), "other").unwrap();
    let before = store.files();
    let ran = store.clips("verify", &[]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    for told in [
        "clip 2: clips/000001/top-1700000060000.mkv: queued and not there",
        "--repair marks the clip as gone",
        "clip 3: clips/000001/side-1700000120000.mkv: 5 bytes, accepted with 700000",
        "--repair quarantines the clip",
        "gaps: 2",
    ] {
        assert!(ran.out.contains(told), "{told}: {}", ran.out);
    }
    assert_eq!(store.files(), before);
    let json = store.clips("verify", &["--json"]).json();
    assert_eq!(json["gaps"][0]["gap"]["fault"], "file_missing");
    let ran = store.clips("verify", &["--repair"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("gaps: 2 found, 1 left"), "{}", ran.out);
    let json = store.clips("list", &["--json", "--gone"]).json();
    assert_eq!(json["clips"][1]["state"], "quarantined");
    assert!(json["clips"][1]["gone_at"].is_i64());
    assert_eq!(json["clips"][2]["state"], "quarantined");
    // What can't be sent goes first after what is persisted.
    assert_eq!(store.clips("prune", &["--disk-mib", "0", "--yes"]).code, 0);
    assert_eq!(store.clips("verify", &[]).code, 0);
}

#[test]
fn a_store_in_use_is_not_changed() {
    let store = StoreWith::three_clips();
    let _running = Store::create_or_open(store.path()).unwrap();
    let before = store.files();
    for (what, args) in [("verify", &["--repair"][..]), ("prune", &["--disk-mib", "0", "--yes"])] {
        let ran = store.clips(what, args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        let us = format!("process {} writes this store", std::process::id());
        assert!(ran.err.contains(&us), "{}", ran.err);
    }
    assert_eq!(store.files(), before);
    assert_eq!(store.clips("prune", &["--disk-mib", "0", "--dry-run"]).code, 0);
}

#[test]
fn prune_says_what_is_lost_before_it_does_anything() {
    let store = StoreWith::three_clips();
    let before = store.files();
    let ran = store.clips("prune", &["--disk-mib", "1", "--dry-run"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines: Vec<_> = ran.out.lines().collect();
    assert!(lines[0].starts_with("clip 1") && lines[0].ends_with("persisted"), "{}", ran.out);
    assert!(lines[1].starts_with("clip 2") && lines[1].ends_with("LOST"), "{}", ran.out);
    assert!(lines[2].contains("2 clips") && lines[2].contains("would be removed; 1 of them"));
    assert_eq!(store.files(), before);
    // Without a number only what somebody else keeps.
    let json = store.clips("prune", &["--yes", "--json"]).json();
    assert_eq!((&json["lost_clips"], &json["clips"][0]["clip"]), (&0.into(), &1.into()));
    assert_eq!(json["clips"].as_array().unwrap().len(), 1);
    assert_eq!(store.files().len(), before.len() - 2);
    assert!(store.clips("prune", &["--yes"]).out.starts_with("nothing need go"));
    let ran = store.clips("play", &["1", "--print-path"]);
    assert!(ran.err.contains("to make room, when persisted"), "{}", ran.err);
    // Neither looking nor doing is not a choice that is made for anybody.
    assert_eq!(store.clips("prune", &["--disk-mib", "0"]).code, 2);
    assert_eq!(store.clips("prune", &["--dry-run", "--yes"]).code, 2);
    assert_eq!(store.files().len(), before.len() - 2);
}
