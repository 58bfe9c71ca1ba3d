//! A PLC by pymodbus, as another process. Takes a script; gives what it says, line by line, and
//! what the tests tell it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use domain::{AnsweredBy, GateSignal, MonoTime, PartId, Verdict, Why};
use serde_json::Value;
use sightline_pipeline::clock::{Clock, RealClock};
use sightline_pipeline::link::LinkReceiver;
use sightline_pipeline::plc::{self, Asked, FieldInput, ModbusTcpConfig, Plc, PlcConfig, Telling};
use sightline_pipeline::stage::Counters;

/// A script that is the PLC. Killed when dropped, as a PLC that loses its power.
pub struct Peer {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// `None`, and a line that says so, where pymodbus is missing.
    pub fn start(script: &str, port: u16) -> Option<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plc").join(script);
        // The system's Python has the system's package, whatever comes first on PATH.
        for python in ["/usr/bin/python3", "python3"] {
            let mut command = Command::new(python);
            command.arg(&path).arg(port.to_string());
            let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
            let Ok(mut process) = spawned else { continue };
            let commands = process.stdin.take().unwrap();
            let answers = BufReader::new(process.stdout.take().unwrap());
            let mut peer = Self { process, commands, answers };
            match &*peer.line() {
                "ready" => return Some(peer),
                "missing" => {}
                other => panic!("{script}: {other:?}"),
            }
        }
        println!("skipped: no python3 with pymodbus (package python3-pymodbus)");
        None
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub fn send(&mut self, command: &str) {
        writeln!(self.commands, "{command}").unwrap();
    }

    pub fn answer(&mut self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }

    pub fn ask(&mut self, command: &str) -> Value {
        self.send(command);
        self.answer()
    }

    pub fn words(&mut self, command: &str) -> Vec<u64> {
        let answer = self.ask(command);
        let words = answer.as_array().unwrap_or_else(|| panic!("{command}: {answer}"));
        words.iter().map(|word| word.as_u64().unwrap()).collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The station's end.
pub struct Station {
    pub plc: Box<dyn Plc>,
    pub counters: Arc<Counters>,
    pub fields: LinkReceiver<FieldInput>,
    pub asked: LinkReceiver<Asked>,
}

pub fn station(config: ModbusTcpConfig) -> Station {
    let counters = Arc::new(Counters::default());
    let clock: Arc<dyn Clock> = Arc::new(RealClock::start());
    let (inputs, mut fields, asked) = plc::inputs(1);
    let config = PlcConfig::ModbusTcp(config);
    let plc = plc::open(&config, inputs, Arc::clone(&counters), clock).unwrap();
    Station { plc, counters, fields: fields.remove(0), asked }
}

impl Station {
    pub fn count(&self, event: &str) -> u64 {
        self.counters.events().get(event).copied().unwrap_or(0)
    }
}

/// Every third part is undecided, and rejected for it.
pub fn telling(part: u64) -> Telling {
    let is_bad = part.is_multiple_of(3);
    Telling {
        part: PartId(part),
        signal: if is_bad { GateSignal::Reject } else { GateSignal::Pass },
        verdict: if is_bad { Verdict::Undecided { why: Why::PartCut } } else { Verdict::Pass },
        answered_by: AnsweredBy::Inspection,
        took: Duration::from_millis(9),
        told_at: MonoTime::ZERO,
    }
}

/// A port that is free now.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until `so`; fails rather than hang.
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..30_000 {
        if so() {
            return;
        }
        let (_keep, waiting) = std::sync::mpsc::channel::<()>();
        let _ = waiting.recv_timeout(Duration::from_millis(2));
    }
    panic!("{what}: not within a minute");
}
