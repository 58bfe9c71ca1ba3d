//! How a run of the line ends: by itself when it was told how long, by signals, by a kill; and
//! what that leaves behind.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::started::Started;
use crate::station::{STATION, Station, adds_up, repository};

/// It ends when it was told to, says its numbers, and nothing is half written.
#[test]
fn a_run_for_some_time() {
    let log = format!("{STATION}\n[report]\nverdict_log = \"verdicts\"\n");
    let station = Station::new(&log);
    let ended = Started::new(&mut station.run(&["--for", "2s", "--json"])).end().well();
    let said: Value = serde_json::from_str(&ended.stdout).unwrap();
    let latency = station.latency();
    assert_eq!(said, latency);
    station.store_holds(&latency);
    assert!(!station.path("store/latency.json.part").exists());
    assert_eq!(latency["state"], "off");
    assert_eq!(latency["recipe"]["name"], "one");
    let triggered = latency["parts"]["triggered"].as_u64().unwrap();
    assert!(triggered > 0 && latency["frames_offered"].as_u64().unwrap() >= triggered);
    assert_eq!(latency["latency_ms"]["decision"]["count"], triggered);
    let log = fs::read_to_string(station.path("verdicts/run-000001.jsonl")).unwrap();
    assert_eq!(log.lines().count() as u64, triggered);
    for thread in ["act", "record", "capture-top", "locate-top", "inspect-0"] {
        assert!(latency["process"]["thread_cpu_s"][thread].is_number(), "{thread}: {latency}");
    }
}

/// A service manager's stop and Ctrl-C: parts on the line are answered and written down.
#[test]
fn a_run_that_is_told_to_stop() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let station = Station::new(STATION);
        let mut started = Started::ready(&mut station.run(&[]));
        started.wait_for_parts(&station, 5);
        let latency = station.latency();
        adds_up(&latency);
        assert_eq!(latency["state"], "running");
        started.signal(signal);
        let ended = started.end().well();
        assert_eq!(ended.stdout, "");
        station.store_holds(&station.latency());
    }
}

/// A kill leaves a store that can be read, and the next run is a new one.
#[test]
fn a_run_that_is_killed() {
    let station = Station::new(STATION);
    let mut started = Started::ready(&mut station.run(&[]));
    started.wait_for_parts(&station, 5);
    started.signal(Signal::SIGKILL);
    assert_eq!(started.end().code, None);
    let check = store::check(&station.path("store")).unwrap();
    assert!(check.missing.is_empty() && check.altered.is_empty(), "{check:?}");
    assert!(check.database.is_empty() && check.gaps.is_empty(), "{check:?}");
    adds_up(&station.latency());

    Started::new(&mut station.run(&["--for", "1s"])).end().well();
    let latency = station.latency();
    adds_up(&latency);
    assert_eq!(latency["runs"], serde_json::json!([2]));
    let runs = store::Reader::open(&station.path("store")).unwrap().runs().unwrap();
    assert_eq!(runs.len(), 2);
    assert!(runs[0].ended_at.is_some() && runs[1].ended_at.is_none());
    assert_eq!(runs[0].counts.total(), latency["parts"]["triggered"].as_u64().unwrap());
}

/// Two stations on one store would spoil each other's books.
#[test]
fn a_store_that_another_process_has() {
    let station = Station::new(STATION);
    let started = Started::ready(&mut station.run(&[]));
    let second = Started::new(&mut station.run(&["--for", "1s"])).end();
    second.complained(&["station.toml:2: `store`", "in use by", &started.id().to_string()]);
    started.stop().well();
}

/// Limits become exit code 1; nothing else is different.
#[test]
fn limits_that_are_not_met() {
    let station = Station::new(STATION);
    let limits = "--fail-on=decision-p99-ms=0";
    let ended = Started::new(&mut station.run(&["--for", "1s", limits])).end();
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let told = |line: &String| line.contains("limit not met: decision-p99-ms is ");
    assert!(ended.stderr.iter().any(told), "{ended:#?}");
    station.store_holds(&station.latency());
    let limits = "--fail-on=decision-p99-ms=1000000";
    Started::new(&mut station.run(&["--for", "1s", limits])).end().well();
}

/// Numbers that can't be written are told, and the line goes on.
#[test]
fn numbers_that_cannot_be_written() {
    let report = format!("{STATION}\n[report]\nlatency_json = \"no/folder/latency.json\"\n");
    let station = Station::new(&report);
    let mut started = Started::ready(&mut station.run(&["--latency-every", "200ms"]));
    started.signal(Signal::SIGUSR1);
    for _ in 0..3 {
        started.wait_for("no/folder/latency.json: the line's numbers can't be written");
    }
    started.stop().complained(&["no/folder/latency.json", "can't be written"]);
    assert!(store::check(&station.path("store")).unwrap().is_clean());
}

/// The station that comes with the clone runs as it is, but for where it listens and writes.
#[test]
fn the_station_of_the_clone() {
    let mut text = fs::read_to_string(repository("deploy/station.toml")).unwrap();
    for (from, to) in [
        ("\"../out/run/store\"", "\"store\"".to_owned()),
        ("\"../models/", format!("\"{}/", repository("models").display())),
        ("127.0.0.1:9464", "127.0.0.1:0".to_owned()),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, &to);
    }
    let station = Station::new(&text);
    Started::new(&mut station.run(&["--for", "1s"])).end().well();
    station.store_holds(&station.latency());
}

#[test]
fn help_says_what_there_is() {
    let help = Station::new(STATION).run(&["--help"]).output().unwrap();
    assert_eq!(help.status.code(), Some(0));
    let help = String::from_utf8(help.stdout).unwrap();
    for words in
        ["--for", "--latency-every", "--fail-on", "--json", "SIGTERM", "SIGUSR1", "Exit codes"]
    {
        assert!(help.contains(words), "{words}: {help}");
    }
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
}
