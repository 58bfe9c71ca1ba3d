//! docs/faults.md: what a fault looks like from outside, as it was seen when it was caused.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use domain::{LineState, Verdict};
use store::Reader;

use crate::setup::{Answer, Bench, Heard};

const HEAD: &str = "\
# Faults

What happens when something fails: what the PLC reads, what the operator is told, and what it takes
until every part is inspected again. Each row was written by causing the fault
(`cargo test --release -p sightline-pipeline --test line faults`); the test fails when the line
behaves otherwise. Whatever the fault, every part gets exactly one verdict; an undecided one goes to
the gate as the recipe says, which is to be thrown out unless it says otherwise.

The PLC reads *state* and *ready*: ready is 1 only while the state is running. When the program
itself is gone or hangs, the heartbeat stops.

| fault | the PLC sees | the operator sees | until it works again |
|---|---|---|---|
";

/// One fault, as it is told in docs/faults.md.
pub struct Row {
    pub fault: &'static str,
    /// The states that the PLC reads one after the other.
    pub states: &'static [LineState],
    /// What it is told of the parts meanwhile.
    pub parts: &'static str,
    /// What the operator is told.
    pub alarm: &'static str,
    pub recovery: &'static str,
}

/// What a line showed from its start to its end.
pub struct Seen {
    pub states: Vec<LineState>,
    pub answers: Vec<Answer>,
    pub alarms: Vec<String>,
}

impl Seen {
    /// Ends `bench` and reads what it showed.
    pub fn at_end_of(bench: Bench) -> Self {
        let gate = bench.gate.clone();
        let left = bench.end();
        let states = gate.wait("", |_| true, states_in);
        let reader = Reader::open(&left.store).unwrap();
        let run = reader.runs().unwrap()[0].id;
        let events = reader.events(run).unwrap();
        let alarms = events.iter().filter(|event| event.last.is_alarm());
        Self {
            states,
            answers: left.answers.clone(),
            alarms: alarms.map(|event| event.last.to_string()).collect(),
        }
    }

    /// Whether the line showed what `row` says.
    pub fn agree_with(&self, row: &Row) {
        let mut seen = self.states.iter();
        let in_order = row.states.iter().all(|state| seen.any(|seen| seen == state));
        assert!(in_order, "{}: the PLC read {:?}", row.fault, self.states);
        let verdicts: BTreeSet<String> = self.answers.iter().map(verdict_in_words).collect();
        let fits = verdicts.iter().any(|verdict| is_as_told(row.parts, verdict));
        assert!(fits, "{}: {verdicts:?}", row.fault);
        let told = row.alarm.is_empty() || self.alarms.iter().any(|it| it.contains(row.alarm));
        assert!(told, "{}: {:?}", row.fault, self.alarms);
    }
}

/// Whether `said` is what is `told`, in which `…` stands for anything.
fn is_as_told(told: &str, said: &str) -> bool {
    let mut pieces = told.split('…');
    let Some(mut rest) = pieces.next().and_then(|start| said.strip_prefix(start)) else {
        return false;
    };
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.is_empty()
}

fn states_in(heard: &Heard) -> Vec<LineState> {
    let mut states: Vec<LineState> = heard.statuses.iter().map(|told| told.state).collect();
    states.dedup();
    states.retain(|state| !matches!(state, LineState::Off | LineState::Stopping));
    states
}

const fn word(state: LineState) -> &'static str {
    match state {
        LineState::Off => "off",
        LineState::Starting => "starting",
        LineState::Running => "running",
        LineState::Degraded => "degraded",
        LineState::Stopping => "stopping",
    }
}

fn verdict_in_words(answer: &Answer) -> String {
    match &answer.verdict {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Reject { .. } => "reject".to_owned(),
        Verdict::Undecided { why } => format!("undecided ({why})"),
    }
}

/// Compares `rows` with docs/faults.md, or writes it where `UPDATE_DOCS` is set.
pub fn check(rows: &[Row]) {
    let mut page = HEAD.to_owned();
    for Row { fault, states, parts, alarm, recovery } in rows {
        let states: Vec<&str> = states.iter().map(|state| word(*state)).collect();
        let states = states.join(" → ");
        let alarm = if alarm.is_empty() { "no alarm; the parts' reasons" } else { alarm };
        writeln!(page, "| {fault} | {states}; parts: {parts} | {alarm} | {recovery} |").unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/faults.md");
    let written = fs::read_to_string(&path).unwrap_or_default();
    // What comes then is written by tests/upload/cloud.rs.
    let cloud = written.find("\n## The cloud\n").unwrap_or(written.len());
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, page + &written[cloud..]).unwrap();
        return;
    }
    assert_eq!(written[..cloud], page, "run again with UPDATE_DOCS=1 to write docs/faults.md");
}
