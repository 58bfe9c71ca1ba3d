//! What only looks: list, show, play. Works while a line has the store, and changes nothing.

use store::Store;

use crate::store_with::StoreWith;

#[test]
fn a_list_is_a_line_a_clip_and_the_sums() {
    let store = StoreWith::three_clips();
    let _running = Store::create_or_open(store.path()).unwrap();
    let ran = store.clips("list", &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines: Vec<_> = ran.out.lines().collect();
    assert_eq!(lines.len(), 5, "{}", ran.out);
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert!(words(lines[0]).starts_with(&["ID".to_owned(), "CAMERA".to_owned()]));
    let first = "1 top 2023-11-14 22:13:20 5.0 s rejected persisted 683.6 KiB P000001 P000002 \
                 P000003 +2";
    assert_eq!(words(lines[1]).join(" "), first);
    assert!(lines[2].contains("undecided") && lines[2].contains("queued"));
    assert!(lines[3].ends_with("held: the customer asked"));
    let sums = "3 clips shown; on disk: 2 queued";
    assert!(lines[4].starts_with(sums) && lines[4].contains("1 of them held"), "{}", lines[4]);
    assert!(lines[4].ends_with("the oldest that waits starts 2023-11-14 22:14:20"));
}

#[test]
fn a_list_can_be_narrowed_and_be_json() {
    let store = StoreWith::three_clips();
    let ids = |args: &[&str]| -> Vec<i64> {
        let json = store.clips("list", &[args, &["--json"]].concat()).json();
        let clips = json["clips"].as_array().unwrap().iter();
        clips.map(|clip| clip["id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids(&[]), [1, 2, 3]);
    assert_eq!(ids(&["--camera", "top"]), [1, 2]);
    assert_eq!(ids(&["--state", "queued"]), [2, 3]);
    assert_eq!(ids(&["--class", "rejected", "--state", "queued"]), [3]);
    assert_eq!(ids(&["--limit", "1"]), [3]);
    assert!(ids(&["--camera", "none"]).is_empty());
    let json = store.clips("list", &["--json"]).json();
    assert_eq!(json["tally"]["persisted"]["clips"], 1);
    assert_eq!(json["clips"][0]["fragments"][0]["number"], "91343852333181");
    assert_eq!(json["clips"][0]["gone_at"], serde_json::Value::Null);
    let ran = store.clips("list", &["--state", "lost"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("queued, sent, received, persisted, quarantined"), "{}", ran.err);
}

#[test]
fn a_clip_is_shown_with_its_parts_and_fragments() {
    let store = StoreWith::three_clips();
    let ran = store.clips("show", &["3"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for told in [
        "Clip 3",
        "75, 1 more should be there",
        "held: the customer asked",
        "P000005",
        "from 0 ms, 5000 ms",
    ] {
        assert!(ran.out.contains(told), "{told}: {}", ran.out);
    }
    assert!(ran.out.contains(store.file("side", 120).to_str().unwrap()));
    assert_eq!(store.clips("show", &["3", "--json"]).json()["camera"], "side");
    let ran = store.clips("show", &["9"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("there is no clip 9; `sightline clips list"), "{}", ran.err);
}

#[test]
fn the_path_of_a_clip_can_be_had() {
    let store = StoreWith::three_clips();
    let ran = store.clips("play", &["2", "--print-path"]);
    assert_eq!((ran.code, ran.out.trim_end()), (0, store.file("top", 60).to_str().unwrap()));
    std::fs::remove_file(store.file("top", 60)).unwrap();
    let ran = store.clips("play", &["2", "--print-path"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("top-1700000060000.mkv: not there"), "{}", ran.err);
}

#[test]
fn a_folder_without_a_store_is_said_so_and_stays_empty() {
    let store = StoreWith::three_clips();
    let none = tempfile::tempdir_in(store.path()).unwrap();
    let path = none.path().to_str().unwrap();
    for what in [&["list"][..], &["verify"], &["verify", "--repair"], &["prune", "--yes"]] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sightline"));
        let ran = command.arg("clips").args(what).arg(path).output().unwrap();
        let err = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(2), "{what:?}");
        assert!(err.contains("there is no store here"), "{err}");
    }
    assert_eq!(std::fs::read_dir(none.path()).unwrap().count(), 0);
}
