//! HTTP/1.1 as a service reads and writes it: takes a socket; gives heads of requests, bodies out
//! of their chunks, and answers. Its own, so that a test can break it anywhere.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Why a request is not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    /// As `x-amzn-ErrorType` has it.
    pub kind: String,
    pub why: String,
}

impl Refusal {
    pub fn new(status: u16, kind: impl Into<String>, why: impl Into<String>) -> Self {
        Self { status, kind: kind.into(), why: why.into() }
    }

    pub fn invalid(why: impl Into<String>) -> Self {
        Self::new(400, "InvalidArgumentException", why)
    }

    /// The whole answer.
    pub fn answer(&self) -> Vec<u8> {
        let body = serde_json::json!({ "Message": self.why }).to_string();
        let kind = format!("x-amzn-ErrorType: {}\r\nconnection: close\r\n", self.kind);
        answer(self.status, &kind, &body)
    }
}

/// An answer with a body of known length.
pub fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let len = body.len();
    format!(
        "HTTP/1.1 {status} said\r\ncontent-type: application/json\r\n\
         x-amzn-RequestId: 2f6e0b1c-0000-4000-8000-000000000000\r\n\
         {headers}content-length: {len}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The head of an answer whose body comes in chunks.
pub const STREAMED: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
    x-amzn-RequestId: 2f6e0b1c-0000-4000-8000-000000000001\r\ntransfer-encoding: chunked\r\n\r\n";

/// One chunk.
pub fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// Method, path and headers.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Names in small letters, as they came.
    pub headers: Vec<(String, String)>,
}

impl Request {
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let name = name.to_owned();
        self.headers.iter().filter(move |(have, _)| *have == name).map(|(_, v)| v.as_str())
    }

    /// The value of a header that may be there once.
    pub fn one(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut all = self.all(name);
        let first = all.next();
        match all.next() {
            Some(_) => Err(Refusal::invalid(format!("{name} sent twice"))),
            None => Ok(first),
        }
    }
}

/// A socket and what was read of it beyond what was asked for.
pub struct Peer {
    pub socket: TcpStream,
    pub extra: Vec<u8>,
}

const HEAD_BYTES: usize = 16 << 10;
const BODY_BYTES: usize = 1 << 20;

impl Peer {
    /// The next head; `None` when the peer has left between requests.
    pub async fn request(&mut self) -> io::Result<Option<Result<Request, Refusal>>> {
        loop {
            if let Some(end) = self.extra.windows(4).position(|four| four == b"\r\n\r\n") {
                let rest = self.extra.split_off(end + 4);
                let head = std::mem::replace(&mut self.extra, rest);
                return Ok(Some(parse(&head[..end])));
            }
            if self.extra.len() > HEAD_BYTES {
                return Ok(Some(Err(Refusal::new(431, "SerializationException", "head too long"))));
            }
            if self.more().await? == 0 {
                let is_clean = self.extra.is_empty();
                return if is_clean { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    /// A body of `content-length` bytes.
    pub async fn body(&mut self, request: &Request) -> io::Result<Result<Vec<u8>, Refusal>> {
        let len = match request.one("content-length") {
            Ok(len) => len.unwrap_or("0").parse().unwrap_or(usize::MAX),
            Err(refusal) => return Ok(Err(refusal)),
        };
        if len > BODY_BYTES {
            return Ok(Err(Refusal::new(413, "SerializationException", "body too long")));
        }
        while self.extra.len() < len {
            if self.more().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let rest = self.extra.split_off(len);
        Ok(Ok(std::mem::replace(&mut self.extra, rest)))
    }

    async fn more(&mut self) -> io::Result<usize> {
        self.socket.read_buf(&mut self.extra).await
    }

    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes).await?;
        self.socket.flush().await
    }

    /// Closes so that the peer can still read what was written, even if it is still sending.
    pub async fn close(mut self) {
        let _ = self.socket.shutdown().await;
        let mut sink = vec![0; 16 << 10];
        let drained = async { while matches!(self.socket.read(&mut sink).await, Ok(1..)) {} };
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), drained).await;
    }

    /// Closes with a reset.
    pub fn reset(self) {
        let _ = self.socket.set_zero_linger();
    }
}

fn parse(head: &[u8]) -> Result<Request, Refusal> {
    let bad = |what: &str| Refusal::new(400, "SerializationException", what);
    let head = std::str::from_utf8(head).map_err(|_| bad("a head that is not text"))?;
    let mut lines = head.split("\r\n");
    let line: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, path, "HTTP/1.1"] = line[..] else { return Err(bad("no request of HTTP/1.1")) };
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(bad("a header without a colon"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok(Request { method: method.to_owned(), path: path.to_owned(), headers })
}

/// Takes a body out of its chunks.
#[derive(Default)]
pub struct Dechunk {
    line: Vec<u8>,
    left: u64,
    has_data_end: bool,
    is_last: bool,
    pub is_done: bool,
}

impl Dechunk {
    /// Adds what `bytes` bring to `body`.
    pub fn push(&mut self, mut bytes: &[u8], body: &mut Vec<u8>) -> Result<(), String> {
        while !bytes.is_empty() {
            if self.is_done {
                return Err("bytes after the last chunk".to_owned());
            }
            if self.left > 0 {
                let len = bytes.len().min(usize::try_from(self.left).unwrap());
                body.extend_from_slice(&bytes[..len]);
                self.left -= len as u64;
                self.has_data_end = self.left == 0;
                bytes = &bytes[len..];
                continue;
            }
            self.line.push(bytes[0]);
            bytes = &bytes[1..];
            if self.line.ends_with(b"\r\n") {
                let line = std::mem::take(&mut self.line);
                self.line_ended(&line[..line.len() - 2])?;
            } else if self.line.len() > 64 {
                return Err("a line of a chunk that does not end".to_owned());
            }
        }
        Ok(())
    }

    fn line_ended(&mut self, line: &[u8]) -> Result<(), String> {
        let text = String::from_utf8_lossy(line).into_owned();
        if self.has_data_end || self.is_last {
            self.is_done = self.is_last;
            self.has_data_end = false;
            return if text.is_empty() { Ok(()) } else { Err(format!("{text:?} after a chunk")) };
        }
        self.left = u64::from_str_radix(&text, 16).map_err(|_| format!("{text:?} is no size"))?;
        self.is_last = self.left == 0;
        Ok(())
    }
}
