//! What the service remembers: streams and what they keep, who may sign, what was called, what was
//! broken, what is scripted.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use domain::MonoTime;

use super::http::Peer;
use super::{ControlFault, Credentials, Fault, Fragment};

/// A rule that a client broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Empty when the request did not come so far.
    pub stream: String,
    /// Number of the connection to the data endpoint, from 1; 0 for the control plane.
    pub connection: u64,
    pub what: String,
}

/// A call that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// For example `putMedia`.
    pub operation: String,
    /// The stream it named, if it named one.
    pub stream: String,
    pub status: u16,
    pub at: MonoTime,
}

/// A fragment that the service has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub number: String,
    pub fragment: Fragment,
    /// Of its tags and its cluster.
    pub sha256: String,
    pub connection: u64,
    pub is_persisted: bool,
}

impl Stored {
    fn overlaps(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.fragment, &other.fragment);
        ours.starts_ms <= theirs.last_ms() && theirs.starts_ms <= ours.last_ms()
    }
}

/// What the archived-media service would play of these, in the order they came.
pub fn view(stored: &[Stored]) -> Vec<Stored> {
    let mut kept: Vec<Stored> = Vec::new();
    for next in stored {
        if !kept.iter().any(|other| other.overlaps(next)) {
            kept.push(next.clone());
        }
    }
    kept.sort_by_key(|stored| stored.fragment.starts_ms);
    kept
}

/// Pairs that overlap and do not begin together.
pub fn overlaps(stored: &[Stored]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (at, one) in stored.iter().enumerate() {
        for other in &stored[at + 1..] {
            if one.fragment.starts_ms != other.fragment.starts_ms && one.overlaps(other) {
                found.push((one.number.clone(), other.number.clone()));
            }
        }
    }
    found
}

/// How often something happened in the last second.
#[derive(Debug, Default)]
pub struct Rate(VecDeque<(MonoTime, u64)>);

impl Rate {
    /// Counts `amount` at `now`; gives the sum of the last second.
    pub fn add(&mut self, now: MonoTime, amount: u64) -> u64 {
        while self.0.front().is_some_and(|(at, _)| now.since(*at) >= Duration::from_secs(1)) {
            self.0.pop_front();
        }
        self.0.push_back((now, amount));
        self.0.iter().map(|(_, amount)| amount).sum()
    }
}

/// A stream.
#[derive(Debug, Default)]
pub struct Stream {
    pub arn: String,
    pub created_ms: i64,
    pub active_at: MonoTime,
    pub version: u64,
    pub retention_h: u32,
    pub media_type: Option<String>,
    pub device: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub fragments: Vec<Stored>,
    /// The connection that puts media to it.
    pub used_by: Option<u64>,
    /// Counts as in use until then.
    pub lingers_until: MonoTime,
    pub puts: Rate,
    pub begun: Rate,
    pub bytes: Rate,
    pub controls: BTreeMap<String, Rate>,
}

#[derive(Default)]
pub struct State {
    pub streams: BTreeMap<String, Stream>,
    pub keys: Vec<Credentials>,
    pub calls: Vec<Call>,
    pub violations: Vec<Violation>,
    pub scripts: VecDeque<Vec<Fault>>,
    pub control: Vec<(String, ControlFault)>,
    pub connections: u64,
    pub numbers: u64,
    pub is_down: bool,
    pub listening: usize,
    /// A fragment of this time ends its connection.
    pub resets_at: Option<i64>,
    /// Connections that nothing more happens on.
    pub parked: Vec<Peer>,
}

impl State {
    /// A new stream; `at` is the service's time, on both clocks.
    pub fn make(&mut self, name: &str, region: &str, hours: u32, at: (MonoTime, i64)) {
        let stream = Stream {
            arn: format!("arn:aws:kinesisvideo:{region}:123456789012:stream/{name}/{}", at.1),
            created_ms: at.1,
            active_at: at.0,
            version: 1,
            retention_h: hours,
            ..Stream::default()
        };
        self.streams.insert(name.to_owned(), stream);
    }

    /// Keeps a connection on which nothing more happens, while the service is up.
    pub fn park(&mut self, peer: Peer) {
        if self.is_down {
            peer.reset();
        } else {
            self.parked.push(peer);
        }
    }

    /// The name of the stream with this ARN.
    pub fn named(&self, arn: &str) -> Option<String> {
        let mut streams = self.streams.iter();
        streams.find(|(_, stream)| stream.arn == arn).map(|(name, _)| name.clone())
    }

    /// The next fragment's number: 48 digits.
    pub fn number(&mut self) -> String {
        self.numbers += 1;
        format!("91343852333{:037}", self.numbers)
    }

    /// The fault that is scripted for the next call of `operation`.
    pub fn control_fault(&mut self, operation: &str) -> Option<ControlFault> {
        let at = self.control.iter().position(|(name, _)| name == operation)?;
        Some(self.control.remove(at).1)
    }
}
