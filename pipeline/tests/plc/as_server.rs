//! The station as server, pymodbus as the PLC's client.

use domain::{LineState, PlcAnswer};
use serde_json::json;
use sightline_pipeline::plc::{
    CommandAnswer, FieldInput, ModbusTcpConfig, PlcCommand, PlcStatus, ServerConfig,
};

use crate::peer::{Peer, Station, free_port, station, telling, until};

fn open(lost_after_ms: u64) -> (Station, u16) {
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let config = ServerConfig { listen, lost_after_ms, ..Default::default() };
    (station(ModbusTcpConfig::Server(config)), port)
}

#[test]
fn the_map_the_heartbeat_and_the_inputs() {
    let (mut station, port) = open(600_000);
    let Some(mut plc) = Peer::start("peer_client.py", port) else { return };
    let status = PlcStatus { state: LineState::Running, recipe: 3, ..Default::default() };
    station.plc.status(&status);
    let words = plc.words("read 0 6");
    assert_eq!((words[0], &words[2..]), (1, &[1, 2, 16, 3][..]));
    station.plc.status(&status);
    assert_eq!(plc.words("holding 2 1"), [2], "the heart beats");
    station.plc.gate(true);
    assert_eq!(plc.words("bits 0 4"), [1, 1, 0, 0]);
    assert_eq!(plc.ask("read 200 1"), json!({"exception": 2}));
    assert_eq!(plc.ask("write 0 1"), json!({"exception": 2}));
    assert_eq!(plc.ask("coil 1"), json!({"exception": 2}));
    assert_eq!(plc.ask("write 1000 0 1"), "done");
    assert_eq!(plc.ask("write 1008 65535 65534"), "done");
    let trigger = station.fields.recv().unwrap();
    assert!(matches!(trigger, FieldInput::Trigger { input: 0, count: 1, .. }), "{trigger:?}");
    let encoder = station.fields.recv().unwrap();
    assert!(matches!(encoder, FieldInput::Encoder { count: -2, .. }), "{encoder:?}");
}

#[test]
fn no_verdict_of_two_hundred_is_missed() {
    let (mut station, port) = open(600_000);
    let Some(mut plc) = Peer::start("peer_client.py", port) else { return };
    plc.send("collect 200 0");
    for part in 1..=200 {
        // As fast as the PLC reads, but never so that it must miss one.
        until("the PLC keeps up", || station.counters.snapshot().plc_ms.count + 15 > part);
        assert_eq!(station.plc.tell(&telling(part)), PlcAnswer::Taken);
    }
    let verdict = |part: u64| if part.is_multiple_of(3) { (3, 2) } else { (1, 1) };
    let row = |part| json!([part, verdict(part).0, part, verdict(part).1]);
    assert_eq!(plc.answer(), json!((1..=200).map(row).collect::<Vec<_>>()));
    assert_eq!(station.count("verdict_not_taken"), 0);
}

#[test]
fn a_command_and_its_answer() {
    let (station, port) = open(600_000);
    let Some(mut plc) = Peer::start("peer_client.py", port) else { return };
    assert_eq!(plc.ask("write 1014 0"), "done");
    assert_eq!(plc.ask("write 1012 1 0 1"), "done");
    assert_eq!(plc.words("read 6 2"), [0, 3]);
    let asked = station.asked.recv().unwrap();
    assert_eq!(asked.command, PlcCommand::Start);
    asked.answer(CommandAnswer::Done);
    assert_eq!(plc.words("read 6 2"), [1, 1]);
    assert_eq!(plc.ask("write 1012 3 7 2"), "done");
    drop(station.asked.recv().unwrap());
    assert_eq!(plc.words("read 6 2"), [2, 2]);
}

#[test]
fn a_plc_that_is_killed_is_lost_and_one_that_comes_is_back() {
    let (station, port) = open(300);
    let Some(mut plc) = Peer::start("peer_client.py", port) else { return };
    // Slow machines may have lost it while Python started.
    until("it is there", || {
        let _ = plc.words("read 0 1");
        station.counters.snapshot().plc_is_up
    });
    let lost = station.count("plc_lost");
    drop(plc);
    until("it is lost", || station.count("plc_lost") > lost);
    assert!(!station.counters.snapshot().plc_is_up);
    let back = station.count("plc_back");
    let mut plc = Peer::start("peer_client.py", port).unwrap();
    until("it is back", || {
        let _ = plc.words("read 0 1");
        station.count("plc_back") > back
    });
}
