//! The station as Modbus server: the PLC reads and writes when it likes. Takes what the line tells;
//! gives what the PLC writes. A reader sees each request's words as of one moment.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use domain::{Event, MonoTime, PartId, PlcAnswer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::heard::{By, Heard};
use super::image::{Image, ring_slot};
use super::map::{self, command, flag, plc, slot, station};
use super::pdu::{self, Exception, PDU_MAX, Registers};
use super::{locked, run_number, start};
use crate::clock::Clock;
use crate::limits::PLC_CONNECTIONS_MAX;
use crate::plc::{Inputs, Plc, PlcError, PlcStatus, RegistersConfig, ServerConfig, Telling};
use crate::stage::Counters;

/// How often it is looked whether anybody still asks.
const LOOK: Duration = Duration::from_millis(50);

/// Transaction, protocol, length, unit.
const HEADER: usize = 7;

/// The station's registers, open to a PLC until dropped.
pub struct ModbusServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    inputs: Inputs,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    registers: RegistersConfig,
    lost_after: Duration,
    limit: Duration,
    stop: Notify,
}

struct State {
    image: Image,
    /// What the PLC wrote.
    written: [u16; plc::WORDS],
    heard: Heard,
    /// Verdicts that lie in the ring and were not read yet.
    unread: VecDeque<Unread>,
    /// Whether verdicts were ever read; a PLC that only follows the gate does not.
    reads_verdicts: bool,
    contact: MonoTime,
    is_lost: bool,
}

struct Unread {
    sequence: u16,
    part: PartId,
    told_at: MonoTime,
}

impl ModbusServer {
    /// Listens as `config` says.
    ///
    /// # Errors
    /// [`PlcError`] where the configuration can't be right, or the port can't be had.
    pub fn open(
        config: &ServerConfig,
        inputs: Inputs,
        counters: Arc<Counters>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PlcError> {
        let asked = config.checked()?;
        let listener = listen(asked).map_err(|reason| refused(asked, reason))?;
        let address = listener.local_addr().map_err(|reason| refused(asked, reason))?;
        let order = config.registers.word_order;
        let state = State {
            image: Image::new(order, config.defects.clone(), run_number(&*clock)),
            written: [0; plc::WORDS],
            heard: Heard::new(By::Writing, order),
            unread: VecDeque::with_capacity(map::RING),
            reads_verdicts: false,
            contact: clock.now(),
            is_lost: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            inputs,
            counters,
            clock,
            registers: config.registers,
            lost_after: Duration::from_millis(config.lost_after_ms),
            limit: Duration::from_millis(config.timeout_ms),
            stop: Notify::new(),
        });
        let (theirs, allow) = (Arc::clone(&shared), config.allow.clone());
        let thread = start(move || serve(listener, allow, theirs))?;
        Ok(Self { shared, address, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn refused(address: SocketAddr, reason: io::Error) -> PlcError {
    match reason.kind() {
        io::ErrorKind::AddrInUse => PlcError::Taken { address },
        io::ErrorKind::AddrNotAvailable => PlcError::NotMine { address },
        io::ErrorKind::PermissionDenied => PlcError::Permission { address },
        _ => PlcError::Listen { address, reason },
    }
}

impl Plc for ModbusServer {
    fn tell(&mut self, telling: &Telling) -> PlcAnswer {
        let mut state = locked(&self.shared.state);
        let overwritten =
            if state.unread.len() == map::RING { state.unread.pop_front() } else { None };
        let sequence = state.image.tell(telling);
        let (part, told_at) = (telling.part, telling.told_at);
        state.unread.push_back(Unread { sequence, part, told_at });
        let missed = overwritten.filter(|_| state.reads_verdicts);
        drop(state);
        if let Some(Unread { part, .. }) = missed {
            let cause = format!("{} more came before it was read", map::RING);
            self.shared.counters.event(&Event::VerdictNotTaken { part, cause });
        }
        PlcAnswer::Taken
    }

    fn gate(&mut self, open: bool) -> PlcAnswer {
        locked(&self.shared.state).image.gate(open);
        PlcAnswer::Taken
    }

    fn status(&mut self, status: &PlcStatus) {
        locked(&self.shared.state).image.status(status);
    }
}

impl Drop for ModbusServer {
    fn drop(&mut self) {
        self.shared.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            // It ends at once; had it panicked, that was logged.
            let _ = thread.join();
        }
    }
}

/// Until asked to stop; then every connection is closed with the runtime.
async fn serve(listener: TcpListener, allow: Vec<IpAddr>, shared: Arc<Shared>) {
    match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => {
            tokio::spawn(accept(listener, allow, Arc::clone(&shared)));
        }
        Err(error) => tracing::error!(target: "plc", %error, "cannot listen"),
    }
    tokio::spawn(watch(Arc::clone(&shared)));
    shared.stop.notified().await;
}

async fn watch(shared: Arc<Shared>) {
    loop {
        sleep(LOOK).await;
        shared.look();
    }
}

/// A connection, and when it last asked something; 0 if it never did.
struct Seat {
    task: AbortHandle,
    asked_ns: Arc<AtomicU64>,
}

async fn accept(listener: tokio::net::TcpListener, allow: Vec<IpAddr>, shared: Arc<Shared>) {
    let mut seats: Vec<Seat> = Vec::with_capacity(PLC_CONNECTIONS_MAX);
    loop {
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // No file descriptors, most likely: some may be free a moment later.
                tracing::warn!(target: "plc", %error, "a connection was not accepted");
                sleep(LOOK).await;
                continue;
            }
        };
        if !allow.is_empty() && !allow.contains(&from.ip().to_canonical()) {
            tracing::warn!(target: "plc", %from, "refused: not in plc.allow");
            continue;
        }
        make_room(&mut seats);
        let asked_ns = Arc::new(AtomicU64::new(0));
        let theirs = (Arc::clone(&shared), Arc::clone(&asked_ns));
        let task = tokio::spawn(async move {
            let ended = converse(stream, &theirs.0, &theirs.1).await;
            tracing::debug!(target: "plc", %from, ?ended, "connection ended");
        });
        seats.push(Seat { task: task.abort_handle(), asked_ns });
    }
}

/// Whoever has been silent longest goes, and first those who never asked anything: a PLC that polls
/// can't be crowded out.
fn make_room(seats: &mut Vec<Seat>) {
    seats.retain(|seat| !seat.task.is_finished());
    if seats.len() < PLC_CONNECTIONS_MAX {
        return;
    }
    let asked = |seat: &Seat| seat.asked_ns.load(Ordering::Relaxed);
    if let Some((at, _)) = seats.iter().enumerate().min_by_key(|(_, seat)| asked(seat)) {
        seats.remove(at).task.abort();
    }
}

/// Answers one connection until it closes, sends what is not Modbus, or stops in mid-request.
async fn converse(mut stream: TcpStream, shared: &Shared, asked_ns: &AtomicU64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut header = [0; HEADER];
    loop {
        stream.read_exact(&mut header[..1]).await?;
        let request = timeout(shared.limit, rest(&mut stream, &mut header)).await??;
        let answer = shared.answer(&request);
        let length = u16::try_from(answer.len() + 1).map_err(io::Error::other)?;
        header[4..6].copy_from_slice(&length.to_be_bytes());
        let whole = [&header[..], &answer[..]].concat();
        timeout(shared.limit, stream.write_all(&whole)).await??;
        asked_ns.store(shared.clock.now().ns.max(1), Ordering::Relaxed);
    }
}

/// The request of which the first byte is there.
async fn rest(stream: &mut TcpStream, header: &mut [u8; HEADER]) -> io::Result<Vec<u8>> {
    stream.read_exact(&mut header[1..]).await?;
    let protocol = u16::from_be_bytes([header[2], header[3]]);
    let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
    if protocol != 0 || !(1..=PDU_MAX + 1).contains(&length) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not Modbus/TCP"));
    }
    let mut request = vec![0; length - 1];
    stream.read_exact(&mut request).await?;
    Ok(request)
}

impl Shared {
    fn answer(&self, request: &[u8]) -> Vec<u8> {
        let now = self.clock.now();
        let mut state = locked(&self.state);
        let (answered, answer) = state.heard.answered(&self.inputs);
        state.image.command(answered, answer);
        let (is_granted, answer) =
            pdu::answer(request, &mut Access { state: &mut state, shared: self, now });
        let mut is_back = false;
        if is_granted {
            state.contact = now;
            is_back = std::mem::take(&mut state.is_lost);
        }
        drop(state);
        if is_back {
            self.counters.event(&Event::PlcBack);
        }
        answer
    }

    /// Whether the PLC is lost by now.
    fn look(&self) {
        let now = self.clock.now();
        let mut state = locked(&self.state);
        let silent = now.since(state.contact);
        let is_news = silent > self.lost_after && !std::mem::replace(&mut state.is_lost, true);
        drop(state);
        if is_news {
            let cause = format!("nobody has read or written for {} ms", silent.as_millis());
            self.counters.event(&Event::PlcLost { cause });
        }
    }
}

/// The registers, for one request.
struct Access<'a> {
    state: &'a mut State,
    shared: &'a Shared,
    now: MonoTime,
}

/// The places from `at` on in a block of `words` that begins at address `base`.
fn places(at: u16, count: usize, base: u16, words: usize) -> Option<Range<usize>> {
    let from = usize::from(at.checked_sub(base)?);
    (from + count <= words).then_some(from..from + count)
}

impl Registers for Access<'_> {
    fn read_words(&mut self, at: u16, count: u16) -> Result<Vec<u16>, Exception> {
        let (count, registers) = (usize::from(count), self.shared.registers);
        if let Some(read) = places(at, count, registers.station, station::WORDS) {
            self.note_read(&read);
            return Ok(self.state.image.words()[read].to_vec());
        }
        let read = places(at, count, registers.plc, plc::WORDS);
        let read = read.ok_or(Exception::Address)?;
        Ok(self.state.written[read].to_vec())
    }

    fn read_bits(&mut self, at: u16, count: u16) -> Result<Vec<bool>, Exception> {
        let bits = places(at, usize::from(count), 0, flag::BITS);
        let bits = bits.ok_or(Exception::Address)?;
        Ok(bits.map(|bit| self.state.image.bit(bit)).collect())
    }

    fn write_words(&mut self, at: u16, words: &[u16]) -> Result<(), Exception> {
        let written = places(at, words.len(), self.shared.registers.plc, plc::WORDS);
        let written = written.ok_or(Exception::Address)?;
        if map::PLC.iter().any(|register| is_torn(register, &written)) {
            return Err(Exception::Address);
        }
        let asks = written.contains(&plc::COMMAND).then(|| words[plc::COMMAND - written.start]);
        if asks.is_some_and(|asks| asks > command::RELEASE) {
            return Err(Exception::Value);
        }
        let state = &mut *self.state;
        state.written[written.clone()].copy_from_slice(words);
        state.heard.hear(&state.written, &written, self.now, &self.shared.inputs);
        let (answered, answer) = state.heard.answered(&self.shared.inputs);
        state.image.command(answered, answer);
        Ok(())
    }
}

/// Whether `written` holds one half of a 32-bit value, which would count what never was.
fn is_torn(register: &map::Register, written: &Range<usize>) -> bool {
    let last = register.at + register.form.words() - 1;
    written.contains(&register.at) != written.contains(&last)
}

impl Access<'_> {
    /// Verdicts whose words were read are taken.
    fn note_read(&mut self, read: &Range<usize>) {
        let covers = |at: usize| read.contains(&at);
        let last = self.state.image.sequence();
        let is_last_read = covers(station::LAST_VERDICT) || covers(station::LAST_SIGNAL);
        let State { unread, reads_verdicts, .. } = &mut *self.state;
        unread.retain(|verdict| {
            let at = ring_slot(verdict.sequence).start;
            let is_read = covers(at + slot::VERDICT)
                || covers(at + slot::SIGNAL)
                || is_last_read && verdict.sequence == last;
            if is_read {
                *reads_verdicts = true;
                self.shared.counters.plc.add(self.now.since(verdict.told_at));
            }
            !is_read
        });
    }
}
