//! The family of PLCs: who hears the verdict, moves the gate, and tells what the line can't see.
//!
//! A member does its input and output on a thread of its own, with timeouts: nothing here makes
//! the line wait. What it hears goes into [`Inputs`]; what it is told lies ready for the PLC, or
//! is queued for it.

mod config;
pub mod modbus_tcp;
pub mod none;

use std::time::Duration;

use domain::{
    AnsweredBy, Conservation, GateSignal, LineState, MonoTime, PartId, PlcAnswer, Verdict,
};

use crate::limits;
use crate::link::{LinkReceiver, LinkSender, WhenFull, link};
pub use config::{
    ClientConfig, ModbusTcpConfig, PlcConfig, PlcError, RegistersConfig, ServerConfig, open,
};

/// What the PLC is told of a part.
#[derive(Clone, Debug)]
pub struct Telling {
    /// The part.
    pub part: PartId,
    /// What is to become of it.
    pub signal: GateSignal,
    /// What is said of it.
    pub verdict: Verdict,
    /// Who says so.
    pub answered_by: AnsweredBy,
    /// From trigger to now.
    pub took: Duration,
    /// Now, on the line's clock.
    pub told_at: MonoTime,
}

/// What the PLC may read besides verdicts; told every tenth of a second by the thread that owns
/// the ledger, so that a line which hangs has no heartbeat.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlcStatus {
    /// What the line is doing.
    pub state: LineState,
    /// The sum of parts.
    pub parts: Conservation,
    /// Parts that the gate was told to throw out.
    pub told_reject: u64,
    /// Parts that the fail-safe answered at their deadline.
    pub deadline_misses: u64,
    /// How often a camera was lost.
    pub camera_faults: u64,
    /// Rejected parts that were not seen to fall.
    pub rejects_unconfirmed: u64,
    /// Shortest, mean and longest time from trigger to signal.
    pub took_min: Duration,
    /// Mean.
    pub took_mean: Duration,
    /// Longest.
    pub took_max: Duration,
    /// Number of the recipe in force, as the station's configuration counts them from 1.
    pub recipe: u16,
}

/// Someone who moves the reject gate.
pub trait Plc: Send {
    /// Tells the verdict on a part. Never waits for the PLC.
    fn tell(&mut self, telling: &Telling) -> PlcAnswer;

    /// Opens or closes the reject gate now; only where this program tracks parts to the gate.
    /// Never waits for the PLC.
    fn gate(&mut self, open: bool) -> PlcAnswer;

    /// Shows `status`, and that the line is alive.
    fn status(&mut self, status: &PlcStatus);
}

/// What a PLC tells of the belt, with the moment at which it was read on the line's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldInput {
    /// A part is at a trigger.
    Trigger {
        /// Which trigger input, from 0.
        input: u8,
        /// The input's own count of triggers; a jump tells of triggers that never arrived.
        /// Wraps at 2^32.
        count: u32,
        /// When.
        at: MonoTime,
    },
    /// Where the belt is.
    Encoder {
        /// Counts since some moment, unwrapped; backwards negative.
        count: i64,
        /// When.
        at: MonoTime,
    },
    /// A part fell at the reject gate.
    Confirm {
        /// The confirm sensor's own count. Wraps at 2^32.
        count: u32,
        /// When.
        at: MonoTime,
    },
}

/// What the PLC asks of the station.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlcCommand {
    /// Inspect.
    Start,
    /// Inspect no more.
    Stop,
    /// Change to the recipe of this number, as the station's configuration counts them from 1.
    SelectRecipe(u16),
    /// Forget alarms and counters of the shift.
    Reset,
    /// Let nobody change what the line does but me: the PLC is in execution.
    Hold,
    /// People may again.
    Release,
}

/// What became of a command; written back to the PLC as the handshake's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandAnswer {
    /// Done.
    Done,
    /// Not possible now, or not known.
    Refused,
}

/// A command and where its answer goes. Dropping it unanswered refuses it.
#[derive(Debug)]
pub struct Asked {
    /// What is asked.
    pub command: PlcCommand,
    answer: Option<crossbeam_channel::Sender<CommandAnswer>>,
}

impl Asked {
    /// A command, and the end at which its one answer arrives.
    #[must_use]
    pub fn new(command: PlcCommand) -> (Self, crossbeam_channel::Receiver<CommandAnswer>) {
        let (answer, answered) = crossbeam_channel::bounded(1);
        (Self { command, answer: Some(answer) }, answered)
    }

    /// Answers it.
    pub fn answer(mut self, answer: CommandAnswer) {
        self.give(answer);
    }

    fn give(&mut self, answer: CommandAnswer) {
        // Nobody to hear it: the PLC is gone, and will ask again.
        if let Some(sender) = self.answer.take() {
            let _ = sender.try_send(answer);
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.give(CommandAnswer::Refused);
    }
}

/// Where a PLC puts what it hears. Never waits: what finds a full link is counted by it.
pub struct Inputs {
    fields: Vec<LinkSender<FieldInput>>,
    commands: LinkSender<Asked>,
}

impl Inputs {
    /// Hands `input` to everyone who listens.
    pub fn hear(&self, input: FieldInput) {
        for field in &self.fields {
            // The newest counts; a listener that has gone is the line ending.
            let _ = field.send(input);
        }
    }

    /// Hands a command to the station.
    pub fn ask(&self, asked: Asked) {
        // A command that finds a full link is refused as it is dropped.
        let _ = self.commands.try_send(asked);
    }
}

/// Makes the links from a PLC: to `listeners` stages, and to the station.
#[must_use]
pub fn inputs(listeners: usize) -> (Inputs, Vec<LinkReceiver<FieldInput>>, LinkReceiver<Asked>) {
    let (fields, heard) =
        (0..listeners).map(|_| link(limits::FIELD_INPUTS_WAITING, WhenFull::DropOldest)).unzip();
    let (commands, asked) = link(limits::COMMANDS_WAITING, WhenFull::Wait);
    (Inputs { fields, commands }, heard, asked)
}

/// Conformance: what every member of the family must do.
#[cfg(test)]
mod conformance {
    use std::sync::Arc;

    use domain::Why;

    use super::modbus_tcp::map::{self, station};
    use super::modbus_tcp::peer::{Peer, Raw, until};
    use super::modbus_tcp::server::ModbusServer;
    use super::*;
    use crate::clock::RealClock;
    use crate::stage::Counters;

    /// The station's block, as the PLC has it.
    type Reading = Box<dyn FnMut() -> Vec<u16>>;

    struct Member {
        name: &'static str,
        plc: Box<dyn Plc>,
        counters: Arc<Counters>,
        /// `None` where there is no PLC to read.
        reading: Option<Reading>,
        /// Whether the PLC is to answer; a PLC that only asks can't keep anyone waiting.
        hold: Box<dyn Fn(bool)>,
    }

    fn client(address: String) -> ClientConfig {
        let toml = format!("address = {address:?}\ntimeout_ms = 60000\nunit = 1");
        toml::from_str(&toml).unwrap()
    }

    fn members() -> Vec<Member> {
        let counters = || Arc::new(Counters::default());
        let clock = || Arc::new(RealClock::start());
        let (of_server, of_client) = (counters(), counters());

        let listen = "127.0.0.1:0".to_owned();
        let config = ServerConfig { listen, lost_after_ms: 600_000, ..Default::default() };
        let theirs = (inputs(0).0, Arc::clone(&of_server));
        let server = ModbusServer::open(&config, theirs.0, theirs.1, clock()).unwrap();
        let mut asking = Raw::connect(server.address());

        let peer = Arc::new(Peer::start());
        let config = ModbusTcpConfig::Client(client(peer.address.to_string()));
        let theirs = (inputs(0).0, Arc::clone(&of_client));
        let client = open(&PlcConfig::ModbusTcp(config), theirs.0, theirs.1, clock()).unwrap();
        let held = Arc::clone(&peer);

        vec![
            Member {
                name: "none",
                plc: open(&PlcConfig::default(), inputs(0).0, counters(), clock()).unwrap(),
                counters: counters(),
                reading: None,
                hold: Box::new(|_| ()),
            },
            Member {
                name: "modbus_tcp server",
                plc: Box::new(server),
                counters: of_server,
                reading: Some(Box::new(move || [asking.read(0, 42), asking.read(42, 96)].concat())),
                hold: Box::new(|_| ()),
            },
            Member {
                name: "modbus_tcp client",
                plc: client,
                counters: of_client,
                reading: Some(Box::new(move || {
                    (0..station::WORDS).map(|at| peer.word(at)).collect()
                })),
                hold: Box::new(move |hold| held.hold(hold)),
            },
        ]
    }

    fn telling(part: u64, signal: GateSignal) -> Telling {
        let why = Why::PartCut;
        Telling {
            part: PartId(part),
            signal,
            verdict: Verdict::Undecided { why },
            answered_by: AnsweredBy::Inspection,
            took: Duration::from_millis(9),
            told_at: MonoTime::ZERO,
        }
    }

    fn sequence_of(reading: &mut Reading) -> u16 {
        reading()[station::SEQUENCE]
    }

    #[test]
    fn every_member_tells_every_part_in_order() {
        for Member { name, mut plc, counters, mut reading, .. } in members() {
            for part in 1..=64_u16 {
                let is_odd = part % 2 == 1;
                let signal = if is_odd { GateSignal::Reject } else { GateSignal::Pass };
                let answer = plc.tell(&telling(part.into(), signal));
                assert!(!matches!(answer, PlcAnswer::Failed { .. }), "{name}: {answer:?}");
                let Some(reading) = reading.as_mut().filter(|_| part % 8 == 0) else { continue };
                until(name, || sequence_of(reading) == part);
                let block = reading();
                let full = block[station::RING..].chunks(map::SLOT_WORDS);
                for entry in full.filter(|_| part >= 16) {
                    let (sequence, reject) = (entry[0], entry[0] % 2 == 1);
                    assert!((part - 15..=part).contains(&sequence), "{name}");
                    let signal = if reject { 2 } else { 1 };
                    assert_eq!(entry[1..], [3, 0, sequence, signal, 301], "{name}");
                }
            }
            assert!(counters.events().is_empty(), "{name}: {:?}", counters.events());
        }
    }

    #[test]
    fn no_member_waits_for_a_plc_that_hangs() {
        for Member { name, mut plc, counters, mut reading, hold } in members() {
            hold(true);
            // The PLC answers only after all of these have come back.
            let is_failed = |answer: &PlcAnswer| matches!(answer, PlcAnswer::Failed { .. });
            let tell = |part| plc.tell(&telling(part, GateSignal::Pass));
            let failed = (1..=100).map(tell).filter(is_failed).count() as u64;
            plc.status(&PlcStatus::default());
            let _ = plc.gate(true);
            hold(false);
            let not_taken = counters.events().get("verdict_not_taken").copied().unwrap_or(0);
            assert_eq!(failed, not_taken, "{name}: every part is accounted for");
            if let Some(reading) = &mut reading {
                until(name, || sequence_of(reading) == 100);
            }
        }
    }

    #[test]
    fn a_station_is_configured_by_its_words() {
        let read = |text: &str| toml::from_str::<PlcConfig>(text);
        assert_eq!(read("kind = 'none'").unwrap(), PlcConfig::None {});
        let server = read("kind = 'modbus_tcp'\nrole = 'server'").unwrap();
        let PlcConfig::ModbusTcp(ModbusTcpConfig::Server(server)) = server else { panic!() };
        assert_eq!(server, ServerConfig::default());
        assert!(server.listen.starts_with("127.0.0.1:"), "loopback unless said otherwise");
        let client = "kind = 'modbus_tcp'\nrole = 'client'\naddress = '10.0.0.1'";
        let order = "\n[registers]\nword_order = 'low_first'";
        let read_client = read(&format!("{client}{order}")).unwrap();
        let PlcConfig::ModbusTcp(ModbusTcpConfig::Client(read_client)) = read_client else {
            panic!()
        };
        assert_eq!(read_client.checked().unwrap().port(), 502);
        for wrong in [
            "kind = 'none'\nx = 1".to_owned(),
            "kind = 'modbus_tcp'\nrole = 'server'\nlisten_to = 1".to_owned(),
            "kind = 'modbus_tcp'\nrole = 'client'".to_owned(),
            format!("{client}\n[registers]\nstations = 1"),
        ] {
            assert!(read(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_command_that_nobody_answers_is_refused() {
        let (asked, answer) = Asked::new(PlcCommand::Start);
        drop(asked);
        assert_eq!(answer.try_recv(), Ok(CommandAnswer::Refused));
        let (asked, answer) = Asked::new(PlcCommand::Stop);
        asked.answer(CommandAnswer::Done);
        assert_eq!(answer.try_recv(), Ok(CommandAnswer::Done));
    }
}
