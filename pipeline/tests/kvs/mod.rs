//! A strict Kinesis Video service on loopback: takes what an uploader sends; gives the acks and
//! errors of the real service, and refuses what the real one would refuse. Shares no code with the
//! uploader: it is the second opinion. Its clock is given, its faults are scripted, and every rule
//! that a client breaks is written down, even where the real service lets it pass.
//!
//! ```text
//!   control ─▶ http ─▶ sigv4 ─▶ control (streams)                    ┐
//!   data    ─▶ http ─▶ sigv4 ─▶ admit ─▶ put ─▶ media ─▶ fragments  ┴▶ state ─▶ the test
//! ```
//!
//! What is not known of the real service is decided here, strictly: more than five fragments a
//! second end the connection; a fragment under a second gets error 4013 (see `fragment_ms_min`);
//! no timecode may be ahead of the service's clock at all (see `future_ms`).

#![allow(dead_code, unused_imports, clippy::unwrap_used, clippy::expect_used)]

mod admit;
mod control;
mod ebml;
pub mod faults;
mod http;
pub mod media;
mod put;
mod sigv4;
mod state;
mod tracks;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use domain::{MonoTime, WallTime};
use sightline_pipeline::clock::{Clock, RealClock};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

pub use faults::{ControlFault, Fault, Said};
pub use media::{Fragment, Frame};
pub use state::{Call, Stored, Violation};
pub use tracks::Track;

use state::State;

/// The error id of a fragment that is too short; the real one is not published.
pub const MIN_DURATION: u32 = 4013;
/// How often connections look at the clock: real time, and only to look.
const GLANCE: Duration = Duration::from_millis(5);
/// How long a test waits for something before it gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A name and a value of a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    pub name: String,
    pub value: String,
}

/// Who may sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub access_key: String,
    pub secret_key: String,
    pub session_token: Option<String>,
    /// Seconds since 1970-01-01 UTC.
    pub expires_s: Option<i64>,
}

impl Credentials {
    /// Ones without a token that never expire.
    pub fn new(access_key: &str, secret_key: &str) -> Self {
        Self {
            access_key: access_key.to_owned(),
            secret_key: secret_key.to_owned(),
            session_token: None,
            expires_s: None,
        }
    }
}

/// The service's limits; the real ones unless a test says otherwise.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The real lower bound may not be enforced; `None` lets shorter fragments pass.
    pub fragment_ms_min: Option<i64>,
    pub fragment_ms_max: i64,
    pub fragment_bytes: u64,
    pub fragments_per_s: usize,
    pub puts_per_s: usize,
    pub control_per_s: usize,
    pub bytes_per_s: u64,
    pub idle_ack: Duration,
    pub idle_close: Duration,
    pub connection: Duration,
    /// How far a timecode may be ahead of the service's clock.
    pub future_ms: i64,
    /// How far a signature's date may be off; `None` lets any pass.
    pub date_skew_s: Option<u64>,
    /// How long a new stream is CREATING.
    pub creating: Duration,
    /// Whether H.264 frames must be length-prefixed and key frames have an IDR slice.
    pub checks_frames: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fragment_ms_min: Some(1_000),
            fragment_ms_max: 20_000,
            fragment_bytes: 50_000_000,
            fragments_per_s: 5,
            puts_per_s: 5,
            control_per_s: 5,
            bytes_per_s: 12_500_000,
            idle_ack: Duration::from_secs(5),
            idle_close: Duration::from_secs(30),
            connection: Duration::from_secs(45 * 60),
            future_ms: 0,
            date_skew_s: Some(300),
            creating: Duration::ZERO,
            checks_frames: true,
        }
    }
}

/// How a service is set up.
#[derive(Clone)]
pub struct Config {
    /// All times and rates are by this clock.
    pub clock: Arc<dyn Clock>,
    pub region: String,
    pub limits: Limits,
    pub keys: Vec<Credentials>,
    /// What GetDataEndpoint answers, where it is not where this service listens.
    pub said_data_endpoint: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            clock: Arc::new(RealClock::start()),
            region: "eu-central-1".to_owned(),
            limits: Limits::default(),
            keys: vec![Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")],
            said_data_endpoint: None,
        }
    }
}

/// A clock that a test moves; both times start at `wall_s`, seconds since 1970-01-01 UTC.
pub struct HandClock {
    start_ns: u64,
    now_ns: AtomicU64,
    is_astray: AtomicBool,
}

impl HandClock {
    pub fn at(wall_s: u64) -> Arc<Self> {
        let start_ns = wall_s * 1_000_000_000;
        let now_ns = AtomicU64::new(start_ns);
        Arc::new(Self { start_ns, now_ns, is_astray: AtomicBool::new(false) })
    }

    /// One that starts at the machine's time, for clients that sign by it.
    pub fn at_real_time() -> Arc<Self> {
        Self::at(u64::try_from(RealClock::start().wall().unix_ns / 1_000_000_000).unwrap())
    }

    /// Whether the wall clock counts as following a time server, which it does at first. Only for
    /// clients that ask.
    pub fn set_synced(&self, is_synced: bool) {
        self.is_astray.store(!is_synced, Ordering::Release);
    }

    pub fn advance(&self, by: Duration) {
        self.now_ns.fetch_add(u64::try_from(by.as_nanos()).unwrap(), Ordering::AcqRel);
    }
}

impl Clock for HandClock {
    fn now(&self) -> MonoTime {
        MonoTime::from_ns(self.now_ns.load(Ordering::Acquire) - self.start_ns)
    }

    fn wall(&self) -> WallTime {
        let unix_ns = i64::try_from(self.now_ns.load(Ordering::Acquire)).unwrap();
        WallTime { unix_ns }
    }

    fn wall_is_synced(&self) -> bool {
        !self.is_astray.load(Ordering::Acquire)
    }
}

/// What all connections share.
struct Shared {
    config: Config,
    state: Mutex<State>,
    changed: Condvar,
    changes: watch::Sender<u64>,
    data: String,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Changes the state and tells who waits.
    fn change<T>(&self, by: impl FnOnce(&mut State) -> T) -> T {
        let given = by(&mut self.state());
        self.changed.notify_all();
        self.changes.send_modify(|count| *count += 1);
        given
    }

    fn now(&self) -> MonoTime {
        self.config.clock.now()
    }

    fn wall_ms(&self) -> i64 {
        self.config.clock.wall().unix_ns.div_euclid(1_000_000)
    }

    fn violated(&self, stream: &str, connection: u64, what: impl Into<String>) {
        let violation = Violation { stream: stream.to_owned(), connection, what: what.into() };
        self.change(|state| state.violations.push(violation));
    }
}

/// A running service; gone when dropped.
pub struct Service {
    shared: Arc<Shared>,
    control: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    /// A service by the machine's clock.
    pub fn start() -> Self {
        Self::with(Config::default())
    }

    pub fn with(config: Config) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listeners = runtime.block_on(async {
            let bind = || TcpListener::bind("127.0.0.1:0");
            (bind().await.unwrap(), bind().await.unwrap())
        });
        let control = listeners.0.local_addr().unwrap();
        let data = format!("http://{}", listeners.1.local_addr().unwrap());
        let state = State { keys: config.keys.clone(), listening: 2, ..State::default() };
        let shared = Arc::new(Shared {
            config,
            state: Mutex::new(state),
            changed: Condvar::new(),
            changes: watch::Sender::new(0),
            data,
        });
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let serve = move || {
            runtime.block_on(async {
                tokio::spawn(listen(Arc::clone(&serving), listeners.0, false));
                tokio::spawn(listen(serving, listeners.1, true));
                let _ = stopped.await;
            });
        };
        let thread = std::thread::Builder::new().name("kvs-service".to_owned()).spawn(serve);
        Self { shared, control, stop: Some(stop), thread: Some(thread.unwrap()) }
    }

    /// Of the control plane; the data endpoint is what it answers.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.control)
    }

    /// What GetDataEndpoint answers.
    pub fn data_endpoint(&self) -> String {
        self.shared.data.clone()
    }

    pub fn region(&self) -> &str {
        &self.shared.config.region
    }

    /// Makes a stream, active at once.
    pub fn make_stream(&self, name: &str, retention_h: u32) {
        let (now, wall_ms) = (self.shared.now(), self.shared.wall_ms());
        let region = self.region().to_owned();
        self.shared.change(|state| state.make(name, &region, retention_h, (now, wall_ms)));
    }

    /// Deletes a stream and what it keeps.
    pub fn delete_stream(&self, name: &str) {
        self.shared.change(|state| state.streams.remove(name));
    }

    pub fn set_retention(&self, name: &str, hours: u32) {
        self.shared.change(|state| state.streams.get_mut(name).unwrap().retention_h = hours);
    }

    /// How long a stream keeps what comes; `None` when there is no such stream.
    pub fn retention(&self, name: &str) -> Option<u32> {
        self.shared.state().streams.get(name).map(|stream| stream.retention_h)
    }

    /// Tags of a stream, by name.
    pub fn tags(&self, name: &str) -> Vec<(String, String)> {
        let state = self.shared.state();
        let tags = state.streams.get(name).map(|stream| stream.tags.clone());
        tags.unwrap_or_default().into_iter().collect()
    }

    /// Resets every connection on which a fragment of this time begins, until there is none.
    pub fn reset_at(&self, timecode_ms: Option<i64>) {
        self.shared.change(|state| state.resets_at = timecode_ms);
    }

    /// All credentials that are known are expired from now on.
    pub fn expire_credentials(&self) {
        let now_s = self.shared.wall_ms() / 1000;
        let expire = |key: &mut Credentials| key.expires_s = Some(now_s);
        self.shared.change(|state| state.keys.iter_mut().for_each(expire));
    }

    /// Forgets all credentials and knows these.
    pub fn allow_only(&self, keys: &[Credentials]) {
        self.shared.change(|state| state.keys = keys.to_vec());
    }

    /// What goes wrong on the next connection to the data endpoint for which nothing is scripted
    /// yet; empty for one on which nothing does.
    pub fn script(&self, faults: impl Into<Vec<Fault>>) {
        self.shared.change(|state| state.scripts.push_back(faults.into()));
    }

    /// What goes wrong with the next call of `operation`, for example `describeStream`.
    pub fn script_control(&self, operation: &str, fault: ControlFault) {
        self.shared.change(|state| state.control.push((operation.to_owned(), fault)));
    }

    /// Connections are refused and those that are there reset, until [`Service::up`].
    pub fn down(&self) {
        self.shared.change(|state| {
            state.is_down = true;
            std::mem::take(&mut state.parked).into_iter().for_each(http::Peer::reset);
        });
        self.wait_state("nobody listens", |state| state.listening == 0);
    }

    /// Listens again, at the same addresses.
    pub fn up(&self) {
        self.shared.change(|state| state.is_down = false);
        self.wait_state("both listen", |state| state.listening == 2);
    }

    /// Persisted fragments, in the order they came.
    pub fn fragments(&self, stream: &str) -> Vec<Stored> {
        self.received(stream).into_iter().filter(|stored| stored.is_persisted).collect()
    }

    /// All whole fragments, in the order they came.
    pub fn received(&self, stream: &str) -> Vec<Stored> {
        let state = self.shared.state();
        state.streams.get(stream).map(|stream| stream.fragments.clone()).unwrap_or_default()
    }

    /// What the archived-media service would play: of fragments with the same timecode one, of
    /// overlapping ones the oldest, by time.
    pub fn view(&self, stream: &str) -> Vec<Stored> {
        state::view(&self.fragments(stream))
    }

    /// Pairs of persisted fragments, by number, that overlap in time and are not the same one sent
    /// twice.
    pub fn overlaps(&self, stream: &str) -> Vec<(String, String)> {
        state::overlaps(&self.fragments(stream))
    }

    /// The view as a file that can be played; empty when there is none.
    pub fn mkv(&self, stream: &str) -> Vec<u8> {
        let view = self.view(stream);
        let header = view.first().map(|stored| stored.fragment.header.to_vec());
        let bytes = view.iter().flat_map(|stored| stored.fragment.bytes.iter().copied());
        header.unwrap_or_default().into_iter().chain(bytes).collect()
    }

    /// Every rule that a client broke so far.
    pub fn violations(&self) -> Vec<Violation> {
        self.shared.state().violations.clone()
    }

    /// Takes the violations so far away.
    pub fn take_violations(&self) -> Vec<Violation> {
        self.shared.change(|state| std::mem::take(&mut state.violations))
    }

    /// Calls so far, to both endpoints.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.state().calls.clone()
    }

    /// How many connections to the data endpoint were accepted so far.
    pub fn connections(&self) -> u64 {
        self.shared.state().connections
    }

    /// How many connections, to either endpoint, are open and never answered or read again.
    pub fn connections_parked(&self) -> usize {
        self.shared.state().parked.len()
    }

    /// Whether a connection puts media to this stream.
    pub fn is_in_use(&self, stream: &str) -> bool {
        let state = self.shared.state();
        state.streams.get(stream).is_some_and(|stream| stream.used_by.is_some())
    }

    /// Blocks until `holds`; panics after a minute, naming `what`.
    pub fn wait(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let mut rounds = 0;
        while !holds(self) {
            let state = self.shared.state();
            // A change between the look and the wait costs one round.
            let round = Duration::from_millis(20);
            drop(self.shared.changed.wait_timeout(state, round).unwrap());
            rounds += 1;
            assert!(rounds * round < PATIENCE, "waited for {what}; {}", self.summary());
        }
    }

    /// Like [`Service::wait`], on any runtime, its time paused or not; without an end.
    pub async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let mut changes = self.shared.changes.subscribe();
        while !holds(self) {
            changes.changed().await.unwrap();
        }
    }

    fn wait_state(&self, what: &str, holds: impl Fn(&State) -> bool) {
        self.wait(what, |service| holds(&service.shared.state()));
    }

    fn summary(&self) -> String {
        let state = self.shared.state();
        let fragments = |stream: &state::Stream| stream.fragments.len();
        let streams: Vec<_> = state.streams.iter().map(|(n, s)| (n, fragments(s))).collect();
        format!("streams {streams:?}, violations {:?}, calls {:?}", state.violations, state.calls)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.unwrap().expect("the service panicked");
        }
    }
}

/// Accepts connections while the service is up, and binds again when it comes back.
async fn listen(shared: Arc<Shared>, first: TcpListener, is_data: bool) {
    let at = first.local_addr().unwrap();
    let mut listener = Some(first);
    loop {
        let is_down = shared.state().is_down;
        match (&listener, is_down) {
            (Some(_), true) => {
                listener = None;
                shared.change(|state| state.listening -= 1);
            }
            (None, false) => {
                listener = Some(TcpListener::bind(at).await.expect("the port is still free"));
                shared.change(|state| state.listening += 1);
            }
            (None, true) => tokio::time::sleep(GLANCE).await,
            (Some(open), false) => {
                if let Ok(Ok((socket, _))) = tokio::time::timeout(GLANCE, open.accept()).await {
                    serve(Arc::clone(&shared), socket, is_data);
                }
            }
        }
    }
}

fn serve(shared: Arc<Shared>, socket: TcpStream, is_data: bool) {
    let _ = socket.set_nodelay(true);
    let peer = http::Peer { socket, extra: Vec::new() };
    if is_data {
        tokio::spawn(put::serve(shared, peer));
    } else {
        tokio::spawn(control::serve(shared, peer));
    }
}
