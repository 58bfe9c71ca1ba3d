//! A client made by hand, to break rules with: takes a service; gives what it answered. Signs with
//! aws-sigv4, so that the service's own reckoning meets another's.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, UNIX_EPOCH};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde_json::Value;

use crate::kvs::Service;

/// An element with its size in eight bytes.
pub fn element(id: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = name(id);
    bytes.extend((content.len() as u64 | 1 << 56).to_be_bytes());
    bytes.extend(content);
    bytes
}

/// The name of an element as it is written.
pub fn name(id: u32) -> Vec<u8> {
    id.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}

pub fn number(id: u32, value: u64) -> Vec<u8> {
    element(id, &value.to_be_bytes())
}

pub const AVCC: [u8; 17] =
    [1, 0x42, 0xC0, 0x1E, 0xFF, 0xE1, 0, 4, 0x67, 0x42, 0xC0, 0x1E, 1, 0, 2, 0x68, 0xCE];

pub fn ebml() -> Vec<u8> {
    element(0x1A45_DFA3, &element(0x4282, b"matroska"))
}

pub fn segment() -> Vec<u8> {
    [name(0x1853_8067), vec![0xFF]].concat()
}

pub fn info() -> Vec<u8> {
    element(0x1549_A966, &number(0x2A_D7B1, 1_000_000))
}

/// A track of H.264 with this CodecPrivate.
pub fn track(track: u64, private: &[u8]) -> Vec<u8> {
    let video = [number(0xB0, 640), number(0xBA, 480)].concat();
    let parts = [
        number(0xD7, track),
        number(0x73C5, track),
        number(0x83, 1),
        element(0x86, b"V_MPEG4/ISO/AVC"),
        element(0x63A2, private),
        element(0xE0, &video),
    ];
    element(0xAE, &parts.concat())
}

pub fn tracks(entries: &[Vec<u8>]) -> Vec<u8> {
    element(0x1654_AE6B, &entries.concat())
}

/// All that comes before the first cluster.
pub fn header() -> Vec<u8> {
    [ebml(), segment(), info(), tracks(&[track(1, &AVCC)])].concat()
}

pub fn tag(name: &str, value: &str) -> Vec<u8> {
    let simple = [element(0x45A3, name.as_bytes()), element(0x4487, value.as_bytes())].concat();
    element(0x7373, &element(0x67C8, &simple))
}

pub fn tags(all: &[(&str, &str)]) -> Vec<u8> {
    let all: Vec<u8> = all.iter().flat_map(|(name, value)| tag(name, value)).collect();
    element(0x1254_C367, &all)
}

pub fn end_of_fragment() -> Vec<u8> {
    tags(&[("AWS_KINESISVIDEO_END_OF_FRAGMENT", "")])
}

/// A frame of one slice, of `kind` 5 for a key frame, 1 for another.
pub fn slice(kind: u8) -> Vec<u8> {
    vec![0, 0, 0, 3, 0x60 | kind, 0xAA, 0x55]
}

pub fn block(track: u8, relative_ms: i16, flags: u8, data: &[u8]) -> Vec<u8> {
    let head = [0x80 | track, relative_ms.to_be_bytes()[0], relative_ms.to_be_bytes()[1], flags];
    element(0xA3, &[&head, data].concat())
}

/// A cluster of unknown size with these blocks.
pub fn cluster(timecode_ms: u64, blocks: &[Vec<u8>]) -> Vec<u8> {
    [name(0x1F43_B675), vec![0xFF], number(0xE7, timecode_ms), blocks.concat()].concat()
}

/// A good fragment of two seconds: four frames, half a second each.
pub fn fragment(timecode_ms: u64) -> Vec<u8> {
    let mut blocks = vec![block(1, 0, 0x80, &slice(5))];
    blocks.extend([500, 1000, 1500].map(|at| block(1, at, 0, &slice(1))));
    cluster(timecode_ms, &blocks)
}

/// What a request says; a test changes it before it is sent.
pub struct Ask {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub access_key: String,
    pub secret_key: String,
    pub token: Option<String>,
    pub region: String,
    pub wall_s: u64,
    /// Sent after signing.
    pub unsigned: Vec<(String, String)>,
}

impl Ask {
    /// A good request, signed at `wall_s`.
    pub fn new(stream: &str, wall_s: u64) -> Self {
        let headers = [
            ("x-amzn-stream-name", stream.to_owned()),
            ("x-amzn-fragment-timecode-type", "ABSOLUTE".to_owned()),
            ("x-amzn-producer-start-timestamp", format!("{wall_s}.000")),
            ("x-amzn-fragment-acknowledgment-required", "1".to_owned()),
            ("transfer-encoding", "chunked".to_owned()),
        ];
        Self {
            path: "/putMedia".to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            token: None,
            region: "eu-central-1".to_owned(),
            wall_s,
            unsigned: Vec::new(),
        }
    }

    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(have, _)| have != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(have, _)| have != name);
        self
    }

    fn signature(&self, uri: &str) -> Vec<(String, String)> {
        let (access, secret) = (self.access_key.as_str(), self.secret_key.as_str());
        let token = self.token.clone();
        let identity =
            aws_credential_types::Credentials::new(access, secret, token, None, "test").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("kinesisvideo")
            .time(UNIX_EPOCH + Duration::from_secs(self.wall_s))
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body = SignableBody::Bytes(b"");
        let request = SignableRequest::new("POST", uri, headers, body).unwrap();
        let (instructions, _) = sign(request, &params).unwrap().into_parts();
        let headers = instructions.headers();
        headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Connects and sends the head.
    pub fn send(&self, service: &Service) -> Raw {
        let endpoint = service.data_endpoint();
        let host = endpoint.trim_start_matches("http://").to_owned();
        let mut head = format!("POST {} HTTP/1.1\r\nhost: {host}\r\n", self.path);
        let signature = self.signature(&format!("{endpoint}{}", self.path));
        for (name, value) in self.headers.iter().chain(&signature).chain(&self.unsigned) {
            head += &format!("{name}: {value}\r\n");
        }
        let mut raw = Raw::connect(&host);
        raw.write(format!("{head}\r\n").as_bytes());
        raw
    }
}

/// A connection.
pub struct Raw {
    pub socket: TcpStream,
    bytes: Vec<u8>,
    /// Seen when writing; reading says only that it has ended then.
    is_reset: bool,
}

/// What a connection ended with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By the last chunk.
    Whole,
    /// Closed before it.
    Closed,
    Reset,
}

impl Raw {
    pub fn connect(host: &str) -> Self {
        let socket = TcpStream::connect(host).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        socket.set_nodelay(true).unwrap();
        Self { socket, bytes: Vec::new(), is_reset: false }
    }

    /// Writes; that the service has left is seen when reading.
    pub fn write(&mut self, bytes: &[u8]) {
        if let Err(error) = self.socket.write_all(bytes) {
            self.is_reset |= error.kind() == ErrorKind::ConnectionReset;
        }
    }

    /// Sends a chunk.
    pub fn chunk(&mut self, bytes: &[u8]) {
        let chunk = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
        self.write(&chunk);
    }

    /// Sends the last chunk.
    pub fn end(&mut self) {
        self.write(b"0\r\n\r\n");
    }

    fn more(&mut self) -> Result<(), Ended> {
        let mut buffer = [0; 4096];
        match self.socket.read(&mut buffer) {
            Ok(0) if self.is_reset => Err(Ended::Reset),
            Ok(0) => Err(Ended::Closed),
            Ok(count) => {
                self.bytes.extend(&buffer[..count]);
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Err(Ended::Reset),
            Err(error) => panic!("{error}, with {:?}", String::from_utf8_lossy(&self.bytes)),
        }
    }

    fn until(&mut self, mark: &[u8]) -> Result<String, Ended> {
        loop {
            let at = self.bytes.windows(mark.len()).position(|window| window == mark);
            if let Some(at) = at {
                let rest = self.bytes.split_off(at + mark.len());
                let found = std::mem::replace(&mut self.bytes, rest);
                return Ok(String::from_utf8(found[..at].to_vec()).unwrap());
            }
            self.more()?;
        }
    }

    /// The answer's status and its head.
    pub fn status(&mut self) -> Result<(u16, String), Ended> {
        let head = self.until(b"\r\n\r\n")?;
        Ok((head[9..12].parse().unwrap(), head))
    }

    /// The next chunk of the answer.
    pub fn next(&mut self) -> Result<Vec<u8>, Ended> {
        let len = usize::from_str_radix(&self.until(b"\r\n")?, 16).unwrap();
        while self.bytes.len() < len + 2 {
            self.more()?;
        }
        let rest = self.bytes.split_off(len + 2);
        let mut chunk = std::mem::replace(&mut self.bytes, rest);
        chunk.truncate(len);
        if chunk.is_empty() { Err(Ended::Whole) } else { Ok(chunk) }
    }

    /// The next chunk, which must be one ack.
    pub fn ack(&mut self) -> Value {
        let chunk = self.next().unwrap();
        serde_json::from_slice(&chunk).unwrap_or_else(|_| panic!("{chunk:?} is no ack"))
    }

    /// Everything said until the end, the 200 included.
    pub fn rest(&mut self) -> (String, Ended) {
        let mut said = Vec::new();
        loop {
            match self.next() {
                Ok(chunk) => said.extend(chunk),
                Err(ended) => return (String::from_utf8_lossy(&said).into_owned(), ended),
            }
        }
    }
}
