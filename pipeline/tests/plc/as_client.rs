//! The station as client, pymodbus as the PLC's server.

use domain::{LineState, PlcAnswer};
use sightline_pipeline::plc::{
    ClientConfig, CommandAnswer, FieldInput, ModbusTcpConfig, PlcCommand, PlcStatus,
    RegistersConfig,
};

use crate::peer::{Peer, Station, free_port, station, telling, until};

const SEQUENCE: usize = 41;

fn open(port: u16) -> Station {
    station(ModbusTcpConfig::Client(ClientConfig {
        address: format!("127.0.0.1:{port}"),
        unit: 1,
        // For machines under load; a PLC's own limits are the configuration's matter.
        timeout_ms: 20_000,
        connect_timeout_ms: 20_000,
        poll_ms: 5,
        gate_coil: Some(7),
        registers: RegistersConfig::default(),
        defects: vec![],
    }))
}

/// Sequence, verdict, part and signal of each slot, in order.
fn ring(plc: &mut Peer) -> Vec<[u64; 4]> {
    let words = plc.words("get 42 96");
    let mut rows: Vec<_> = words.chunks(6).map(|s| [s[0], s[1], s[2] << 16 | s[3], s[4]]).collect();
    rows.sort_unstable();
    rows
}

fn rows(parts: std::ops::RangeInclusive<u64>) -> Vec<[u64; 4]> {
    let row = |part| if part % 3 == 0 { [part, 3, part, 2] } else { [part, 1, part, 1] };
    parts.map(row).collect()
}

#[test]
fn no_verdict_of_two_hundred_is_missed() {
    let port = free_port();
    let Some(mut plc) = Peer::start("peer_server.py", port) else { return };
    let mut station = open(port);
    let mut seen = Vec::new();
    for part in 1..=200_u64 {
        assert_eq!(station.plc.tell(&telling(part)), PlcAnswer::Queued);
        if part % 8 == 0 {
            until("the PLC has them", || plc.words("get 41 1") == [part]);
            seen.extend_from_slice(&ring(&mut plc)[8..]);
        }
    }
    assert_eq!(seen, rows(1..=200));
    until("all are acknowledged", || station.counters.snapshot().plc_ms.count == 200);
    station.plc.gate(true);
    until("the coil follows the gate", || plc.words("coils 7 1") == [1]);
    let status = PlcStatus { state: LineState::Running, recipe: 3, ..Default::default() };
    for beat in 1..=3 {
        station.plc.status(&status);
        until("the heart beats", || plc.words("get 2 1") == [beat]);
    }
    assert!(station.counters.events().is_empty());
}

#[test]
fn inputs_and_commands() {
    let port = free_port();
    let Some(mut plc) = Peer::start("peer_server.py", port) else { return };
    let station = open(port);
    let first = station.fields.recv().unwrap();
    assert!(matches!(first, FieldInput::Encoder { count: 0, .. }), "{first:?}");
    plc.ask("set 1002 0 1");
    let trigger = station.fields.recv().unwrap();
    assert!(matches!(trigger, FieldInput::Trigger { input: 1, count: 1, .. }), "{trigger:?}");
    plc.ask("set 1008 65535 65534");
    let encoder = station.fields.recv().unwrap();
    assert!(matches!(encoder, FieldInput::Encoder { count: -2, .. }), "{encoder:?}");
    plc.ask("set 1012 3 2 1");
    let asked = station.asked.recv().unwrap();
    assert_eq!(asked.command, PlcCommand::SelectRecipe(2));
    until("busy", || plc.words("get 6 2") == [0, 3]);
    asked.answer(CommandAnswer::Done);
    until("done", || plc.words("get 6 2") == [1, 1]);
}

#[test]
fn a_plc_that_is_killed_is_lost_and_gets_its_ring_again() {
    let port = free_port();
    let Some(plc) = Peer::start("peer_server.py", port) else { return };
    let mut station = open(port);
    for part in 1..=4 {
        station.plc.tell(&telling(part));
    }
    until("they are taken", || station.counters.snapshot().plc_ms.count == 4);
    drop(plc);
    until("it is lost", || station.count("plc_lost") == 1);
    for part in 5..=20 {
        let answer = station.plc.tell(&telling(part));
        assert!(matches!(answer, PlcAnswer::Failed { .. }), "{answer:?}");
    }
    let mut plc = Peer::start("peer_server.py", port).unwrap();
    until("it is back", || station.count("plc_back") == 1);
    assert_eq!(plc.words("get 0 42")[SEQUENCE], 20);
    assert_eq!(ring(&mut plc), rows(5..=20));
    assert_eq!((station.count("plc_lost"), station.count("verdict_not_taken")), (1, 16));
}
