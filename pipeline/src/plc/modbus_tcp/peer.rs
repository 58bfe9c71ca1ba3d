//! For tests: a strict PLC that is a Modbus server, made with the library's server rather than
//! ours, and a client of bare bytes. Takes what is to go wrong; gives what was written.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio_modbus::prelude::{ExceptionCode, Request, Response};
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::{Server, accept_tcp_connection};

use super::{locked, start};

const WORDS: usize = 1100;

/// What the PLC holds and saw.
pub struct Memory {
    pub words: Vec<u16>,
    pub gate_coil: bool,
    /// Every write of registers, in order.
    pub writes: Vec<(usize, Vec<u16>)>,
}

/// A PLC that answers only while it is not held.
pub struct Peer {
    pub address: SocketAddr,
    pub memory: Arc<Mutex<Memory>>,
    held: watch::Sender<bool>,
    stop: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    /// On a port of its own.
    pub fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap())
    }

    pub fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let memory = Memory { words: vec![0; WORDS], gate_coil: false, writes: vec![] };
        let memory = Arc::new(Mutex::new(memory));
        let (held, holding) = watch::channel(false);
        let stop = Arc::new(Notify::new());
        let service = Plc { memory: Arc::clone(&memory), holding };
        let stopped = Arc::clone(&stop);
        let thread = start(move || async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let accept = move |stream, from| {
                let service = service.clone();
                let give = move |_| Ok(Some(service.clone()));
                async move { accept_tcp_connection(stream, from, give) }
            };
            tokio::spawn(async move { Server::new(listener).serve(&accept, |_| ()).await });
            stopped.notified().await;
        });
        Self { address, memory, held, stop, thread: Some(thread.unwrap()) }
    }

    /// From now on it accepts everything and answers nothing, until let go.
    pub fn hold(&self, hold: bool) {
        self.held.send_replace(hold);
    }

    pub fn word(&self, at: usize) -> u16 {
        locked(&self.memory).words[at]
    }

    pub fn set(&self, at: usize, words: &[u16]) {
        locked(&self.memory).words[at..at + words.len()].copy_from_slice(words);
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop.notify_one();
        self.thread.take().unwrap().join().unwrap();
    }
}

#[derive(Clone)]
struct Plc {
    memory: Arc<Mutex<Memory>>,
    holding: watch::Receiver<bool>,
}

impl Plc {
    fn done(&self, request: Request<'static>) -> Result<Response, ExceptionCode> {
        let mut memory = locked(&self.memory);
        let outside = ExceptionCode::IllegalDataAddress;
        match request {
            Request::ReadHoldingRegisters(at, count) => {
                let (at, count) = (usize::from(at), usize::from(count));
                let words = memory.words.get(at..at + count).ok_or(outside)?;
                Ok(Response::ReadHoldingRegisters(words.to_vec()))
            }
            Request::WriteMultipleRegisters(at, words) => {
                let place = usize::from(at);
                let range = place..place + words.len();
                memory.words.get_mut(range).ok_or(outside)?.copy_from_slice(&words);
                memory.writes.push((place, words.to_vec()));
                let count = u16::try_from(words.len()).unwrap();
                Ok(Response::WriteMultipleRegisters(at, count))
            }
            Request::WriteSingleCoil(7, open) => {
                memory.gate_coil = open;
                Ok(Response::WriteSingleCoil(7, open))
            }
            Request::WriteSingleCoil(..) => Err(outside),
            _ => Err(ExceptionCode::IllegalFunction),
        }
    }
}

impl Service for Plc {
    type Request = Request<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Pin<Box<dyn Future<Output = Result<Response, ExceptionCode>> + Send>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        let mut plc = self.clone();
        Box::pin(async move {
            plc.holding.wait_for(|held| !held).await.unwrap();
            plc.done(request)
        })
    }
}

/// A connection of bare bytes to a Modbus server.
pub struct Raw(pub TcpStream);

impl Raw {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self(stream)
    }

    /// Sends a request as it is; the answer without its header, or `None` where the connection
    /// was closed.
    pub fn ask(&mut self, pdu: &[u8]) -> Option<Vec<u8>> {
        let length = u16::try_from(pdu.len() + 1).unwrap().to_be_bytes();
        let header = [0x12, 0x34, 0, 0, length[0], length[1], 9];
        self.0.write_all(&[&header[..], pdu].concat()).ok()?;
        let mut header = [0; 7];
        self.0.read_exact(&mut header).ok()?;
        assert_eq!(header[..4], [0x12, 0x34, 0, 0], "the transaction comes back");
        assert_eq!(header[6], 9, "and the unit");
        let mut answer = vec![0; usize::from(u16::from_be_bytes([header[4], header[5]])) - 1];
        self.0.read_exact(&mut answer).ok()?;
        Some(answer)
    }

    /// Input registers.
    pub fn read(&mut self, at: u16, count: u16) -> Vec<u16> {
        let request = [&[4][..], &at.to_be_bytes(), &count.to_be_bytes()].concat();
        let answer = self.ask(&request).unwrap();
        assert_eq!((answer[0], usize::from(answer[1])), (4, 2 * usize::from(count)), "{answer:?}");
        answer[2..].chunks(2).map(|b| u16::from_be_bytes([b[0], b[1]])).collect()
    }

    /// Writes registers; the exception, if it was refused.
    pub fn write(&mut self, at: u16, words: &[u16]) -> Result<(), u8> {
        let count = u16::try_from(words.len()).unwrap();
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let head = [&[16][..], &at.to_be_bytes(), &count.to_be_bytes()].concat();
        let length = u8::try_from(bytes.len()).unwrap();
        let answer = self.ask(&[&head[..], &[length], &bytes].concat()).unwrap();
        if answer[0] == 16 { Ok(()) } else { Err(answer[1]) }
    }
}

/// Waits until `so`; fails rather than hang.
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..30_000 {
        if so() {
            return;
        }
        let _ = crossbeam_channel::never::<()>().recv_timeout(Duration::from_millis(2));
    }
    panic!("{what}: not within a minute");
}
