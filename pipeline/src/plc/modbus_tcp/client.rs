//! The station as Modbus client: it writes its block into the PLC's holding registers and reads the
//! PLC's block. Takes what the line tells; gives what the PLC holds.
//!
//! A verdict is written in three steps: its slot in the ring, the last verdict, and the sequence
//! number, so that a PLC that sees the number move finds the rest whole. The status is written as
//! it is when its turn comes; of verdicts none is left out while the PLC is there.

use std::collections::VecDeque;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use domain::{Event, MonoTime, PartId, PlcAnswer};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_modbus::client::{Context, Reader, Writer, tcp};
use tokio_modbus::slave::Slave;

use super::heard::{By, Heard};
use super::image::{Image, ring_slot};
use super::map::{self, flag, plc, station};
use super::{locked, run_number, start};
use crate::clock::Clock;
use crate::plc::{ClientConfig, Inputs, Plc, PlcError, PlcStatus, Telling};
use crate::stage::Counters;

/// Between two tries to reach the PLC; doubles from the first to the second.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// How many of the PLC's answers are waited for at the end of the line.
const LAST_ANSWERS: u32 = 8;

/// A PLC whose registers the station writes, until dropped.
pub struct ModbusClient {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    /// Something is to be written.
    wake: Notify,
    stop: Notify,
    is_stopping: AtomicBool,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
}

struct State {
    image: Image,
    /// Told, and not yet acknowledged by the PLC. Bounded by the ring: a PLC that is further behind
    /// would find verdicts overwritten.
    waiting: VecDeque<(PartId, MonoTime)>,
    /// The sequence that the PLC was last given.
    given: u16,
    gate_is_fresh: bool,
    status_is_fresh: bool,
    /// Why the PLC can't be told; `None` while it can, and until the first try.
    down: Option<String>,
}

/// The block as it was when its turn came.
type Block = Box<[u16; station::WORDS]>;

/// What is to be written next.
enum Work {
    Gate(Block, bool),
    /// This many verdicts up to the block's last, of which so many are waited for.
    Verdicts(Block, u16, usize),
    Status(Block),
}

impl ModbusClient {
    /// Begins to reach for the PLC; does not wait for it.
    ///
    /// # Errors
    /// [`PlcError`] where the configuration can't be right.
    pub fn open(
        config: &ClientConfig,
        inputs: Inputs,
        counters: Arc<Counters>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PlcError> {
        let address = config.checked()?;
        let order = config.registers.word_order;
        let state = State {
            image: Image::new(order, config.defects.clone(), run_number(&*clock)),
            waiting: VecDeque::with_capacity(map::RING),
            given: 0,
            gate_is_fresh: false,
            status_is_fresh: false,
            down: None,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            wake: Notify::new(),
            stop: Notify::new(),
            is_stopping: AtomicBool::new(false),
            counters,
            clock,
        });
        let line = Line {
            shared: Arc::clone(&shared),
            config: config.clone(),
            address,
            limit: Duration::from_millis(config.timeout_ms),
            heard: Heard::new(By::Polling, order),
            inputs,
        };
        let thread = start(move || line.run_until_stopped())?;
        Ok(Self { shared, thread: Some(thread) })
    }
}

impl Plc for ModbusClient {
    fn tell(&mut self, telling: &Telling) -> PlcAnswer {
        let mut state = locked(&self.shared.state);
        // It enters the ring in any case: a PLC that comes back sees how many it missed.
        state.image.tell(telling);
        let refused = match &state.down {
            Some(cause) => Some(cause.clone()),
            None if state.waiting.len() >= map::RING => {
                Some(format!("{} verdicts wait for the PLC", map::RING))
            }
            None => None,
        };
        if let Some(message) = refused {
            drop(state);
            let (part, cause) = (telling.part, message.clone());
            self.shared.counters.event(&Event::VerdictNotTaken { part, cause });
            return PlcAnswer::Failed { message };
        }
        state.waiting.push_back((telling.part, telling.told_at));
        drop(state);
        self.shared.wake.notify_one();
        PlcAnswer::Queued
    }

    fn gate(&mut self, open: bool) -> PlcAnswer {
        let mut state = locked(&self.shared.state);
        state.image.gate(open);
        state.gate_is_fresh = true;
        let down = state.down.clone();
        drop(state);
        self.shared.wake.notify_one();
        down.map_or(PlcAnswer::Queued, |message| PlcAnswer::Failed { message })
    }

    fn status(&mut self, status: &PlcStatus) {
        let mut state = locked(&self.shared.state);
        state.image.status(status);
        state.status_is_fresh = true;
        drop(state);
        self.shared.wake.notify_one();
    }
}

impl Drop for ModbusClient {
    fn drop(&mut self) {
        self.shared.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            // It ends within a few answers' time; had it panicked, that was logged.
            let _ = thread.join();
        }
    }
}

impl State {
    fn block(&self) -> Block {
        Box::new(*self.image.words())
    }
}

impl Shared {
    /// The most urgent first.
    fn next_work(&self) -> Option<Work> {
        let mut state = locked(&self.state);
        if std::mem::take(&mut state.gate_is_fresh) {
            return Some(Work::Gate(state.block(), state.image.bit(flag::GATE)));
        }
        let verdicts = state.image.sequence().wrapping_sub(state.given);
        if verdicts != 0 {
            return Some(Work::Verdicts(state.block(), verdicts.min(16), state.waiting.len()));
        }
        std::mem::take(&mut state.status_is_fresh).then(|| Work::Status(state.block()))
    }

    /// The PLC has all up to `sequence`; of those waited for, the first `acknowledged`.
    fn given(&self, sequence: u16, acknowledged: usize) {
        let now = self.clock.now();
        let mut state = locked(&self.state);
        state.given = sequence;
        for (_, told_at) in state.waiting.drain(..acknowledged) {
            self.counters.plc.add(now.since(told_at));
        }
    }

    fn is_up(&self) {
        let was_down = locked(&self.state).down.take().is_some();
        if was_down {
            self.counters.event(&Event::PlcBack);
        }
    }

    fn is_down(&self, cause: String) {
        let mut state = locked(&self.state);
        let untold: Vec<_> = state.waiting.drain(..).collect();
        let is_news = state.down.replace(cause.clone()).is_none();
        drop(state);
        if is_news {
            self.counters.event(&Event::PlcLost { cause: cause.clone() });
        }
        for (part, _) in untold {
            self.counters.event(&Event::VerdictNotTaken { part, cause: cause.clone() });
        }
    }
}

/// The thread's side.
struct Line {
    shared: Arc<Shared>,
    config: ClientConfig,
    address: SocketAddr,
    limit: Duration,
    heard: Heard,
    inputs: Inputs,
}

impl Line {
    /// What is queued when the line ends is still written, if the PLC answers.
    async fn run_until_stopped(self) {
        let shared = Arc::clone(&self.shared);
        let last = self.limit * LAST_ANSWERS;
        let running = tokio::spawn(self.run());
        shared.stop.notified().await;
        shared.is_stopping.store(true, Ordering::Release);
        shared.wake.notify_one();
        let _ = timeout(last, running).await;
        let untold: Vec<_> = locked(&shared.state).waiting.drain(..).collect();
        for (part, _) in untold {
            let cause = "the line ended".to_owned();
            shared.counters.event(&Event::VerdictNotTaken { part, cause });
        }
    }

    async fn run(mut self) {
        let mut wait = BACK_OFF.0;
        loop {
            let mut worked = false;
            let Err(cause) = self.session(&mut worked).await else { return };
            // A connection that worked may have been closed for being idle, or lost a packet: it is
            // tried again before anyone is alarmed.
            if worked {
                wait = BACK_OFF.0;
            } else {
                self.shared.is_down(cause);
            }
            if self.shared.is_stopping.load(Ordering::Acquire) {
                return;
            }
            sleep(wait).await;
            wait = (wait * 2).min(BACK_OFF.1);
        }
    }

    /// One connection, until the line ends. `worked` once the PLC has everything and answered.
    async fn session(&mut self, worked: &mut bool) -> Result<(), String> {
        let mut plc = self.connect().await?;
        self.give_all(&mut plc).await?;
        self.poll(&mut plc).await?;
        *worked = true;
        self.shared.is_up();
        let poll = Duration::from_millis(self.config.poll_ms);
        let mut polled_at = self.shared.clock.now();
        loop {
            while let Some(work) = self.shared.next_work() {
                self.give(&mut plc, work).await?;
            }
            if self.shared.is_stopping.load(Ordering::Acquire) {
                return Ok(());
            }
            if poll.is_zero() {
                self.shared.wake.notified().await;
                continue;
            }
            let now = self.shared.clock.now();
            let since = now.since(polled_at);
            if since < poll {
                let _ = timeout(poll - since, self.shared.wake.notified()).await;
                continue;
            }
            polled_at = now;
            self.poll(&mut plc).await?;
        }
    }

    async fn connect(&self) -> Result<Context, String> {
        let (address, limit_ms) = (self.address, self.config.connect_timeout_ms);
        let connecting = TcpStream::connect(address);
        let stream = match timeout(Duration::from_millis(limit_ms), connecting).await {
            Ok(connected) => connected.map_err(|error| format!("{address}: {error}"))?,
            Err(_) => return Err(format!("{address}: no connection within {limit_ms} ms")),
        };
        stream.set_nodelay(true).map_err(|error| format!("{address}: {error}"))?;
        Ok(tcp::attach_slave(stream, Slave(self.config.unit)))
    }

    /// Everything, as after a restart of the PLC.
    async fn give_all(&self, plc: &mut Context) -> Result<(), String> {
        let (block, waiting, open) = {
            let mut state = locked(&self.shared.state);
            (state.gate_is_fresh, state.status_is_fresh) = (false, false);
            (state.block(), state.waiting.len(), state.image.bit(flag::GATE))
        };
        self.give_gate(plc, &block, open).await?;
        self.write(plc, station::RING, &block[station::RING..]).await?;
        self.give_last(plc, &block).await?;
        self.give_status(plc, &block).await?;
        self.shared.given(block[station::SEQUENCE], waiting);
        Ok(())
    }

    async fn give(&self, plc: &mut Context, work: Work) -> Result<(), String> {
        match work {
            Work::Gate(block, open) => self.give_gate(plc, &block, open).await,
            Work::Status(block) => self.give_status(plc, &block).await,
            Work::Verdicts(block, verdicts, waiting) => {
                let last = block[station::SEQUENCE];
                let first = ring_slot(last.wrapping_sub(verdicts - 1)).start;
                let end = ring_slot(last).end;
                if first < end {
                    self.write(plc, first, &block[first..end]).await?;
                } else {
                    self.write(plc, first, &block[first..]).await?;
                    self.write(plc, station::RING, &block[station::RING..end]).await?;
                }
                self.give_last(plc, &block).await?;
                self.shared.given(last, waiting);
                Ok(())
            }
        }
    }

    async fn give_gate(&self, plc: &mut Context, block: &Block, open: bool) -> Result<(), String> {
        if let Some(coil) = self.config.gate_coil {
            let writing = plc.write_single_coil(coil, open);
            self.answered("write coil", coil, 1, writing).await?;
        }
        self.write(plc, station::FLAGS, &block[station::FLAGS..=station::FLAGS]).await
    }

    /// The last verdict, then its number.
    async fn give_last(&self, plc: &mut Context, block: &Block) -> Result<(), String> {
        let last = station::LAST_PART..station::SEQUENCE;
        self.write(plc, last.start, &block[last]).await?;
        self.write(plc, station::SEQUENCE, &block[station::SEQUENCE..station::RING]).await
    }

    async fn give_status(&self, plc: &mut Context, block: &Block) -> Result<(), String> {
        self.write(plc, 0, &block[..station::LAST_PART]).await?;
        self.write(plc, station::FLAGS, &block[station::FLAGS..=station::FLAGS]).await
    }

    /// Reads what the PLC writes, and shows how far its command is.
    async fn poll(&mut self, plc: &mut Context) -> Result<(), String> {
        if self.config.poll_ms == 0 {
            return Ok(());
        }
        let at = self.config.registers.plc;
        let reading = plc.read_holding_registers(at, 16);
        let words = self.answered("read", at, plc::WORDS, reading).await?;
        let count = words.len();
        let block: [u16; plc::WORDS] =
            words.try_into().map_err(|_| format!("gave {count} registers, not {}", plc::WORDS))?;
        let now = self.shared.clock.now();
        self.heard.hear(&block, &(0..plc::WORDS), now, &self.inputs);
        let (number, answer) = self.heard.answered(&self.inputs);
        let mut state = locked(&self.shared.state);
        if state.image.command(number, answer) {
            state.status_is_fresh = true;
        }
        Ok(())
    }

    async fn write(&self, plc: &mut Context, at: usize, words: &[u16]) -> Result<(), String> {
        // The map lies within 16 bits, which was checked as the PLC was opened.
        let at = self.config.registers.station.saturating_add(u16::try_from(at).unwrap_or(0));
        let writing = plc.write_multiple_registers(at, words);
        self.answered("write", at, words.len(), writing).await
    }

    /// Waits for an answer, and says what a refusal means.
    async fn answered<T>(
        &self,
        what: &str,
        at: u16,
        count: usize,
        answer: impl Future<Output = tokio_modbus::Result<T>>,
    ) -> Result<T, String> {
        let address = self.address;
        match timeout(self.limit, answer).await {
            Ok(Ok(Ok(value))) => Ok(value),
            Ok(Ok(Err(exception))) => Err(format!(
                "{address} refuses to {what} {count} from {at}: {exception}; see the register map"
            )),
            Ok(Err(error)) => Err(format!("{address}: {error}")),
            Err(_) => Err(format!("{address}: no answer within {} ms", self.limit.as_millis())),
        }
    }
}
