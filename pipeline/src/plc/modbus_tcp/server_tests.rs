//! The server, asked by bare bytes: what it shows, what it hears, and who can't get in its way.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use domain::{AnsweredBy, GateSignal, LineState, MonoTime, PartId, PlcAnswer, Verdict};
use proptest::prelude::*;

use super::map::{self, plc, station};
use super::peer::{Raw, until};
use super::server::ModbusServer;
use crate::clock::{Clock, RealClock, SimulatedClock};
use crate::limits::PLC_CONNECTIONS_MAX;
use crate::link::LinkReceiver;
use crate::plc::{
    Asked, CommandAnswer, FieldInput, Plc, PlcCommand, PlcError, PlcStatus, ServerConfig, Telling,
    inputs,
};
use crate::stage::Counters;

struct Bench {
    server: ModbusServer,
    counters: Arc<Counters>,
    fields: LinkReceiver<FieldInput>,
    asked: LinkReceiver<Asked>,
}

fn config() -> ServerConfig {
    ServerConfig { listen: "127.0.0.1:0".to_owned(), lost_after_ms: 600_000, ..Default::default() }
}

fn bench(config: &ServerConfig, clock: Arc<dyn Clock>) -> Bench {
    let counters = Arc::new(Counters::default());
    let (inputs, mut fields, asked) = inputs(1);
    let server = ModbusServer::open(config, inputs, Arc::clone(&counters), clock).unwrap();
    Bench { server, counters, fields: fields.remove(0), asked }
}

fn simulated() -> Arc<SimulatedClock> {
    Arc::new(SimulatedClock::default())
}

fn telling(part: u64) -> Telling {
    Telling {
        part: PartId(part),
        signal: GateSignal::Pass,
        verdict: Verdict::Pass,
        answered_by: AnsweredBy::Inspection,
        took: Duration::from_micros(part),
        told_at: MonoTime::ZERO,
    }
}

#[test]
fn the_map_is_read_as_published() {
    let mut bench = bench(&config(), simulated());
    let mut plc = Raw::connect(bench.server.address());
    let status = PlcStatus { state: LineState::Running, recipe: 2, ..Default::default() };
    bench.server.status(&status);
    assert_eq!(bench.server.tell(&telling(5)), PlcAnswer::Taken);
    bench.server.gate(true);
    let words = plc.read(0, 42);
    assert_eq!(words[2..6], [1, 2, 16, 2], "heartbeat, state, ring, recipe");
    assert_eq!(words[32..42], [0, 5, 0, 5, 1, 1, 0, 0, 0b1011, 1]);
    assert_eq!(plc.ask(&[2, 0, 0, 0, 4]).unwrap(), [2, 1, 0b1011], "discrete inputs");
    assert_eq!(plc.ask(&[1, 0, 1, 0, 1]).unwrap(), [1, 1, 1], "the same as coils");
    assert_eq!(plc.ask(&[3, 0, 41, 0, 1]).unwrap(), [3, 2, 0, 1], "the same as holding registers");
    bench.server.status(&status);
    assert_eq!(plc.read(2, 1), [2], "the heart beats");
}

#[test]
fn what_is_not_in_the_map_is_an_exception() {
    let bench = bench(&config(), simulated());
    let mut plc = Raw::connect(bench.server.address());
    assert_eq!(plc.ask(&[4, 0, 137, 0, 2]).unwrap(), [0x84, 2], "beyond the ring");
    assert_eq!(plc.ask(&[2, 0, 4, 0, 1]).unwrap(), [0x82, 2], "no such bit");
    assert_eq!(plc.write(0, &[1]), Err(2), "the station's words are the station's");
    assert_eq!(plc.write(1015, &[1, 1]), Err(2), "beyond the end");
    assert_eq!(plc.write(1000, &[1]), Err(2), "half a count");
    assert_eq!(plc.write(1009, &[1, 0, 1]), Err(2), "half an encoder");
    assert_eq!(plc.write(1012, &[7, 0, 1]), Err(3), "no such command");
    assert_eq!(plc.ask(&[5, 0, 1, 0xFF, 0]).unwrap(), [0x85, 2], "the gate is the station's");
    assert!(bench.fields.try_recv().is_none() && bench.asked.try_recv().is_none());
}

#[test]
fn what_the_plc_writes_is_heard_with_the_time_of_writing() {
    let clock = simulated();
    let bench = bench(&config(), Arc::clone(&clock) as Arc<dyn Clock>);
    let mut plc = Raw::connect(bench.server.address());
    let at = MonoTime::from_ns(77);
    clock.set(at);
    plc.write(1000, &[0, 1]).unwrap();
    plc.write(1008, &[0xFFFF, 0xFFFF, 0, 1]).unwrap();
    let heard: Vec<_> = std::iter::from_fn(|| bench.fields.try_recv()).collect();
    assert_eq!(
        heard,
        [
            FieldInput::Trigger { input: 0, count: 1, at },
            FieldInput::Confirm { count: 1, at },
            FieldInput::Encoder { count: -1, at },
        ]
    );
}

#[test]
fn a_command_is_answered_through_the_registers() {
    let bench = bench(&config(), simulated());
    let mut plc = Raw::connect(bench.server.address());
    plc.write(1014, &[0]).unwrap();
    plc.write(1012, &[3, 9, 1]).unwrap();
    assert_eq!(plc.read(6, 2), [0, 3], "busy");
    let asked = bench.asked.try_recv().unwrap();
    assert_eq!(asked.command, PlcCommand::SelectRecipe(9));
    asked.answer(CommandAnswer::Done);
    assert_eq!(plc.read(6, 2), [1, 1], "done");
}

#[test]
fn every_read_is_of_one_moment() {
    let mut bench = bench(&config(), simulated());
    let mut plc = Raw::connect(bench.server.address());
    let reading = std::thread::Builder::new()
        .spawn(move || {
            loop {
                let words = plc.read(32, 106);
                let sequence = words[station::SEQUENCE - station::LAST_PART];
                assert_eq!((words[1], words[3]), (sequence, sequence), "part and time of the last");
                let ring = words[station::RING - station::LAST_PART..].chunks(map::SLOT_WORDS);
                let mut rows: Vec<_> = ring.map(|slot| (slot[0], slot[3])).collect();
                rows.sort_unstable();
                assert!(rows.iter().all(|(sequence, part)| sequence == part), "{rows:?}");
                assert_eq!(rows.last().unwrap().0, sequence);
                if sequence == 20_000 {
                    return;
                }
            }
        })
        .unwrap();
    (1..=20_000).for_each(|part| drop(bench.server.tell(&telling(part))));
    reading.join().unwrap();
}

#[test]
fn a_verdict_that_was_overwritten_unread_is_told_of_once_verdicts_are_read() {
    let mut bench = bench(&config(), simulated());
    let mut plc = Raw::connect(bench.server.address());
    (1..=40).for_each(|part| drop(bench.server.tell(&telling(part))));
    assert!(bench.counters.events().is_empty(), "a PLC that only follows the gate reads none");
    let _ = plc.read(42, 96);
    assert_eq!(bench.counters.snapshot().plc_ms.count, 16, "those in the ring were taken");
    (41..=58).for_each(|part| drop(bench.server.tell(&telling(part))));
    assert_eq!(bench.counters.events()["verdict_not_taken"], 2);
    let _ = plc.read(32, 10);
    assert_eq!(bench.counters.snapshot().plc_ms.count, 17, "the last alone");
}

#[test]
fn silence_is_a_lost_plc_and_a_word_brings_it_back() {
    let clock = simulated();
    let config = ServerConfig { lost_after_ms: 1000, ..config() };
    let bench = bench(&config, Arc::clone(&clock) as Arc<dyn Clock>);
    let count = |name: &str| bench.counters.events().get(name).copied().unwrap_or(0);
    clock.set(MonoTime::from_ns(1_001_000_000));
    until("the PLC is lost", || count("plc_lost") == 1);
    let mut plc = Raw::connect(bench.server.address());
    let _ = plc.ask(&[0x2B, 0, 0]);
    assert_eq!(count("plc_back"), 0, "nonsense is no PLC");
    let _ = plc.read(0, 1);
    assert_eq!((count("plc_back"), bench.counters.snapshot().plc_is_up), (1, true));
    clock.set(MonoTime::from_ns(2_002_000_001));
    until("the PLC is lost again", || count("plc_lost") == 2);
}

#[test]
fn who_dawdles_or_crowds_keeps_nobody_out() {
    let bench = bench(&config(), Arc::new(RealClock::start()));
    let mut plc = Raw::connect(bench.server.address());
    let mut dawdling = Raw::connect(bench.server.address());
    dawdling.0.write_all(&[0, 1, 0]).unwrap();
    assert_eq!(plc.read(0, 1), [1]);
    let crowd: Vec<_> =
        (0..3 * PLC_CONNECTIONS_MAX).map(|_| Raw::connect(bench.server.address())).collect();
    assert_eq!(plc.read(0, 1), [1], "the one that polls stays");
    let mut late = Raw::connect(bench.server.address());
    assert_eq!(late.read(0, 1), [1], "and one may still come");
    drop(crowd);
}

#[test]
fn a_request_that_does_not_end_ends_its_connection_alone() {
    let config = ServerConfig { timeout_ms: 20, ..config() };
    let bench = bench(&config, Arc::new(RealClock::start()));
    let mut dawdling = Raw::connect(bench.server.address());
    dawdling.0.write_all(&[0, 1, 0]).unwrap();
    let mut byte = [0];
    let read = std::io::Read::read(&mut dawdling.0, &mut byte);
    assert!(matches!(read, Ok(0) | Err(_)), "closed");
    assert_eq!(Raw::connect(bench.server.address()).read(0, 1), [1]);
}

#[test]
fn only_those_allowed_are_heard() {
    let config = ServerConfig { allow: vec!["192.0.2.7".parse().unwrap()], ..config() };
    let bench = bench(&config, simulated());
    assert_eq!(Raw::connect(bench.server.address()).ask(&[4, 0, 0, 0, 1]), None);
}

#[test]
fn a_port_that_cannot_be_had_is_named_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let open = |listen: &str, station: u16| {
        let (inputs, ..) = inputs(0);
        let registers = crate::plc::RegistersConfig { station, ..Default::default() };
        let config = ServerConfig { listen: listen.to_owned(), registers, ..config() };
        ModbusServer::open(&config, inputs, Arc::default(), simulated()).err()
    };
    let address = taken.local_addr().unwrap();
    assert!(matches!(open(&address.to_string(), 0), Some(PlcError::Taken { .. })));
    assert!(matches!(open("192.0.2.7:1502", 0), Some(PlcError::NotMine { .. })));
    assert!(matches!(open("plc:502", 0), Some(PlcError::Address { .. })));
    assert!(matches!(open("127.0.0.1:0", 990), Some(PlcError::Overlap { .. })));
    assert!(matches!(open("127.0.0.1:0", 65_400), Some(PlcError::Overlap { .. })));
    assert!(open("127.0.0.1:0", 65_398).is_none(), "the last place");
    assert_eq!(plc::WORDS, map::PLC.len() + 6, "six of them are two words");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn hostile_bytes_close_at_most_their_own_connection(
        chunks in proptest::collection::vec(
            prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..300),
                (1..24_u8, proptest::collection::vec(any::<u8>(), 0..12)).prop_map(|pdu| {
                    let (function, body) = pdu;
                    let length = u8::try_from(body.len() + 2).unwrap();
                    [&[0, 1, 0, 0, 0, length, 1, function][..], &body].concat()
                }),
            ],
            1..6,
        ),
    ) {
        let config = ServerConfig { timeout_ms: 5, ..config() };
        let bench = bench(&config, Arc::new(RealClock::start()));
        let mut hostile = Raw::connect(bench.server.address());
        for chunk in chunks {
            let _ = hostile.0.write_all(&chunk);
        }
        let mut plc = Raw::connect(bench.server.address());
        prop_assert_eq!(plc.read(0, 1), [1]);
    }
}
