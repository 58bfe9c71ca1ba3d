//! The client, against a strict PLC that can hang, vanish and come back.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use domain::{AnsweredBy, GateSignal, LineState, PartId, PlcAnswer, Verdict};

use super::client::ModbusClient;
use super::image::ring_slot;
use super::map::{slot, station};
use super::peer::{Peer, until};
use crate::clock::{Clock, RealClock};
use crate::link::{LinkReceiver, Received};
use crate::plc::{
    Asked, ClientConfig, CommandAnswer, FieldInput, Plc, PlcCommand, PlcStatus, RegistersConfig,
    Telling, inputs,
};
use crate::stage::Counters;

struct Bench {
    client: ModbusClient,
    counters: Arc<Counters>,
    clock: Arc<RealClock>,
    fields: LinkReceiver<FieldInput>,
    asked: LinkReceiver<Asked>,
}

const LONG_MS: u64 = 60_000;

fn config(address: SocketAddr) -> ClientConfig {
    ClientConfig {
        address: address.to_string(),
        unit: 1,
        timeout_ms: LONG_MS,
        connect_timeout_ms: LONG_MS,
        poll_ms: 2,
        gate_coil: Some(7),
        registers: RegistersConfig::default(),
        defects: vec![],
    }
}

fn bench(config: &ClientConfig) -> Bench {
    let (counters, clock) = (Arc::new(Counters::default()), Arc::new(RealClock::start()));
    let (inputs, mut fields, asked) = inputs(1);
    let theirs = (Arc::clone(&counters), Arc::clone(&clock));
    let client = ModbusClient::open(config, inputs, theirs.0, theirs.1).unwrap();
    Bench { client, counters, clock, fields: fields.remove(0), asked }
}

impl Bench {
    fn tell(&mut self, part: u64) -> PlcAnswer {
        self.client.tell(&Telling {
            part: PartId(part),
            signal: GateSignal::Reject,
            verdict: Verdict::Pass,
            answered_by: AnsweredBy::Inspection,
            took: Duration::from_micros(part),
            told_at: self.clock.now(),
        })
    }

    fn count(&self, event: &str) -> u64 {
        self.counters.events().get(event).copied().unwrap_or(0)
    }

    fn taken(&self) -> u64 {
        self.counters.snapshot().plc_ms.count
    }
}

/// Sequence and part of each slot, in order of sequence.
fn ring(peer: &Peer) -> Vec<(u16, u16)> {
    let memory = peer.memory.lock().unwrap();
    let words = &memory.words[station::RING..station::WORDS];
    let mut rows: Vec<_> =
        words.chunks(6).map(|s| (s[slot::SEQUENCE], s[slot::PART + 1])).collect();
    rows.sort_unstable();
    rows
}

#[test]
fn every_verdict_lies_whole_in_the_plc_before_its_number_does() {
    let peer = Peer::start();
    let mut bench = bench(&config(peer.address));
    for part in 1..=100_u16 {
        assert_eq!(bench.tell(part.into()), PlcAnswer::Queued);
        // Bursts, but never more than may wait.
        if part % 10 == 0 {
            until("they are taken", || bench.taken() == u64::from(part));
        }
    }
    until("all are acknowledged", || bench.taken() == 100);
    let memory = peer.memory.lock().unwrap();
    let mut words = vec![0; 200];
    let mut sequence = 0;
    for (at, written) in &memory.writes {
        words[*at..*at + written.len()].copy_from_slice(written);
        if words[station::SEQUENCE] == sequence {
            continue;
        }
        // Each number in between must be in the ring too.
        for number in sequence + 1..=words[station::SEQUENCE] {
            let entry = &words[ring_slot(number)];
            assert_eq!((entry[slot::SEQUENCE], entry[slot::PART + 1]), (number, number));
        }
        sequence = words[station::SEQUENCE];
        assert_eq!(words[station::LAST_PART + 1], sequence);
    }
    assert_eq!(sequence, 100);
    assert!(bench.counters.events().is_empty());
}

#[test]
fn a_plc_that_hangs_holds_nobody_up() {
    let peer = Peer::start();
    peer.hold(true);
    let mut bench = bench(&config(peer.address));
    // It answers only after every one of these has come back.
    let answers: Vec<_> = (1..=40).map(|part| bench.tell(part)).collect();
    bench.client.status(&PlcStatus::default());
    let gate = bench.client.gate(true);
    assert!(answers[..16].iter().all(|answer| *answer == PlcAnswer::Queued));
    assert!(answers[16..].iter().all(|answer| matches!(answer, PlcAnswer::Failed { .. })));
    assert_eq!((gate, bench.count("verdict_not_taken")), (PlcAnswer::Queued, 24));
    peer.hold(false);
    until("the queued are taken", || bench.taken() == 16);
    until("the gate is open", || peer.memory.lock().unwrap().gate_coil);
    let last: Vec<_> = (25..=40).map(|n| (n, n)).collect();
    until("the ring has the last, told or not", || ring(&peer) == last);
    assert_eq!(bench.count("plc_lost"), 0);
}

#[test]
fn one_that_hangs_longer_than_the_limit_is_lost() {
    let peer = Peer::start();
    let mut bench = bench(&ClientConfig { timeout_ms: 200, ..config(peer.address) });
    bench.tell(1);
    until("it is up", || bench.taken() == 1);
    peer.hold(true);
    bench.tell(2);
    until("it is lost", || bench.count("plc_lost") == 1);
    until("the part is accounted for", || bench.count("verdict_not_taken") == 1);
    assert!(matches!(bench.tell(3), PlcAnswer::Failed { .. }), "at once");
    peer.hold(false);
    until("it is back", || bench.count("plc_back") == 1);
    until("the ring is whole", || ring(&peer)[13..] == [(1, 1), (2, 2), (3, 3)]);
}

#[test]
fn a_plc_that_went_is_lost_once_and_back_once_and_gets_its_ring_again() {
    let peer = Peer::start();
    let address = peer.address;
    let mut bench = bench(&config(address));
    (1..=5).for_each(|part| drop(bench.tell(part)));
    until("they are taken", || bench.taken() == 5);
    drop(peer);
    until("it is lost", || bench.count("plc_lost") == 1);
    assert!(!bench.counters.snapshot().plc_is_up);
    for part in 6..=20 {
        assert!(matches!(bench.tell(part), PlcAnswer::Failed { .. }));
    }
    let peer = Peer::start_at(address);
    until("it is back", || bench.count("plc_back") == 1);
    assert_eq!(ring(&peer), (5..=20).map(|n| (n, n)).collect::<Vec<_>>());
    assert_eq!(bench.tell(21), PlcAnswer::Queued);
    until("it goes on", || peer.word(station::SEQUENCE) == 21);
    let told = (bench.count("plc_lost"), bench.count("plc_back"), bench.count("verdict_not_taken"));
    assert_eq!(told, (1, 1, 15));
}

#[test]
fn what_the_plc_holds_is_heard_and_its_commands_are_answered() {
    let peer = Peer::start();
    peer.set(1000, &[0, 500, 0, 0, 0, 0, 0, 0, 0xFFFF, 0xFFF0]);
    let mut bench = bench(&config(peer.address));
    let heard = |bench: &Bench| match bench.fields.recv_within(Duration::from_secs(60)) {
        Received::Item(input) => input,
        other => panic!("{other:?}"),
    };
    let first = heard(&bench);
    assert!(matches!(first, FieldInput::Encoder { count: -16, .. }), "{first:?}");
    peer.set(1000, &[0, 501]);
    let next = heard(&bench);
    assert!(matches!(next, FieldInput::Trigger { input: 0, count: 501, .. }), "{next:?}");
    peer.set(1012, &[3, 2, 1]);
    let Received::Item(asked) = bench.asked.recv_within(Duration::from_secs(60)) else {
        panic!("nothing asked")
    };
    assert_eq!(asked.command, PlcCommand::SelectRecipe(2));
    until("busy", || peer.word(station::COMMAND_ANSWER) == 3);
    asked.answer(CommandAnswer::Done);
    until("done", || {
        let memory = peer.memory.lock().unwrap();
        memory.words[station::COMMAND_ANSWERED..=station::COMMAND_ANSWER] == [1, 1]
    });
    bench.client.status(&PlcStatus { state: LineState::Running, ..Default::default() });
    until("running", || peer.word(station::STATE) == 2 && peer.word(station::FLAGS) & 1 == 1);
}

#[test]
fn registers_that_the_plc_does_not_have_are_named() {
    let peer = Peer::start();
    let registers = RegistersConfig { station: 2000, ..Default::default() };
    let mut bench = bench(&ClientConfig { registers, ..config(peer.address) });
    until("it is lost", || bench.count("plc_lost") == 1);
    let PlcAnswer::Failed { message } = bench.tell(1) else { panic!("told") };
    assert!(message.contains("refuses to write 1 from 2040"), "{message}");
}

#[test]
fn an_address_where_nothing_answers_holds_nobody_up() {
    // Nobody accepts here, and the bytes go nowhere.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = "192.0.2.1:502".parse().unwrap();
    for address in [silent.local_addr().unwrap(), nowhere] {
        let mut bench =
            bench(&ClientConfig { connect_timeout_ms: 1, timeout_ms: 20, ..config(address) });
        for part in 1..=100 {
            let answer = bench.tell(part);
            assert!(matches!(answer, PlcAnswer::Queued | PlcAnswer::Failed { .. }));
        }
        assert_eq!(bench.taken(), 0);
        let ended = Arc::clone(&bench.counters);
        drop(bench.client);
        assert_eq!(ended.events()["verdict_not_taken"], 100, "every one is accounted for");
    }
}
