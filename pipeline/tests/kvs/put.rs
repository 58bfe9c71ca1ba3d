//! PutMedia: takes a connection to the data endpoint and its script; gives acks, and to the state
//! what is to be kept. One task a connection, which reads, decides and writes in turn.

use std::sync::Arc;
use std::time::Duration;

use domain::MonoTime;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use super::admit::{Admitted, IN_USE, LINGERS, admit};
use super::faults::{Fault, Said, error_code};
use super::http::{Dechunk, Peer, Refusal, STREAMED, chunk};
use super::media::{Fragment, Media, Refused, Step};
use super::state::{Call, Stored};
use super::{GLANCE, Shared, sigv4};

/// How a connection ends.
enum End {
    /// The last chunk, then closed.
    Clean,
    Closed,
    Reset,
    /// Kept open, nothing more happens.
    Parked,
}

pub async fn serve(shared: Arc<Shared>, mut peer: Peer) {
    let (script, connection) = shared.change(|state| {
        state.connections += 1;
        (state.scripts.pop_front().unwrap_or_default(), state.connections)
    });
    if script.contains(&Fault::ResetsAtOnce) {
        return peer.reset();
    }
    if script.contains(&Fault::ClosesAtOnce) {
        return;
    }
    if script.contains(&Fault::NeverAnswers) {
        return shared.change(|state| state.park(peer));
    }
    let request = match tokio::time::timeout(super::PATIENCE, peer.request()).await {
        Ok(Ok(Some(Ok(request)))) => request,
        Ok(Ok(Some(Err(refusal)))) => return refuse(&shared, peer, connection, &refusal, "").await,
        _ => return,
    };
    let stream = request.one("x-amzn-stream-name").ok().flatten().unwrap_or("").to_owned();
    let scripted = script.iter().find_map(|fault| match fault {
        Fault::Answers { status, kind } => Some(Refusal::new(*status, *kind, "scripted")),
        _ => None,
    });
    if let Some(refusal) = scripted {
        log(&shared, &stream, refusal.status);
        let _ = peer.write(&refusal.answer()).await;
        return peer.close().await;
    }
    match admit(&shared, &request, connection).await {
        Err(refusal) => refuse(&shared, peer, connection, &refusal, &stream).await,
        Ok(admitted) => {
            log(&shared, &admitted.stream, 200);
            Put::new(shared, peer, script, connection, admitted).serve().await;
        }
    }
}

fn log(shared: &Shared, stream: &str, status: u16) {
    let stream = stream.to_owned();
    let call = Call { operation: "putMedia".to_owned(), stream, status, at: shared.now() };
    shared.change(|state| state.calls.push(call));
}

async fn refuse(shared: &Shared, mut peer: Peer, number: u64, refusal: &Refusal, stream: &str) {
    // What the test has done to the client is no fault of the client.
    let blameless = [
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "ResourceNotFoundException",
        LINGERS,
    ];
    if !blameless.contains(&refusal.kind.as_str()) {
        shared.violated(stream, number, format!("{} {}", refusal.kind, refusal.why));
    }
    log(shared, stream, refusal.status);
    let kind = if refusal.kind == LINGERS { IN_USE } else { &refusal.kind };
    let _ = peer.write(&Refusal::new(refusal.status, kind, &refusal.why).answer()).await;
    peer.close().await;
}

/// The fragment that is coming in.
struct Current {
    index: usize,
    timecode: i64,
    number: String,
}

struct Put {
    shared: Arc<Shared>,
    peer: Peer,
    script: Vec<Fault>,
    connection: u64,
    admitted: Admitted,
    media: Media,
    dechunk: Dechunk,
    current: Option<Current>,
    /// Fragments that have begun.
    begun: usize,
    /// Acks that are held back, a line each.
    held: Vec<String>,
    started: MonoTime,
    last_data: MonoTime,
    last_idle: MonoTime,
    read_bytes: u64,
    is_too_fast: bool,
}

impl Put {
    fn new(
        shared: Arc<Shared>,
        peer: Peer,
        script: Vec<Fault>,
        connection: u64,
        admitted: Admitted,
    ) -> Self {
        let now = shared.now();
        let media = Media::new(shared.config.limits.clone(), admitted.base_ms);
        Self {
            shared,
            peer,
            script,
            connection,
            admitted,
            media,
            dechunk: Dechunk::default(),
            current: None,
            begun: 0,
            held: Vec::new(),
            started: now,
            last_data: now,
            last_idle: now,
            read_bytes: 0,
            is_too_fast: false,
        }
    }

    async fn serve(mut self) {
        let end = match self.peer.write(STREAMED.as_bytes()).await {
            Ok(()) => self.run().await.err().unwrap_or(End::Clean),
            Err(_) => End::Closed,
        };
        for what in std::mem::take(&mut self.media.lenient) {
            self.violated(what);
        }
        let lingers = self.script.iter().find_map(|fault| match fault {
            Fault::Lingers { ms } => Some(Duration::from_millis(*ms)),
            _ => None,
        });
        if matches!(end, End::Clean) {
            let _ = self.peer.write(b"0\r\n\r\n").await;
        }
        let until = self.shared.now().plus(lingers.unwrap_or_default());
        let Self { shared, peer, connection, admitted, .. } = self;
        let left = shared.change(|state| {
            if let Some(stream) = state.streams.get_mut(&admitted.stream)
                && stream.used_by == Some(connection)
            {
                stream.used_by = None;
                stream.lingers_until = until;
            }
            match end {
                End::Parked => {
                    state.park(peer);
                    None
                }
                _ => Some(peer),
            }
        });
        match (left, end) {
            (Some(peer), End::Reset) => peer.reset(),
            (Some(peer), _) => peer.close().await,
            (None, _) => (),
        }
    }

    async fn run(&mut self) -> Result<(), End> {
        if !self.admitted.is_active {
            return Err(self.error(4008).await);
        }
        loop {
            self.look_at_the_clock().await?;
            let bytes = self.read().await?;
            let mut body = Vec::new();
            if let Err(what) = self.dechunk.push(&bytes, &mut body) {
                self.violated(what);
                return Err(End::Closed);
            }
            if !body.is_empty() {
                self.last_data = self.shared.now();
                self.media.push(&body);
                self.count(body.len() as u64);
            }
            while self.step().await? {}
            if self.dechunk.is_done {
                return self.finish().await;
            }
        }
    }

    fn count(&mut self, bytes: u64) {
        let (now, most) = (self.shared.now(), self.shared.config.limits.bytes_per_s);
        let sum = self.shared.change(|state| {
            let stream = state.streams.get_mut(&self.admitted.stream);
            stream.map_or(0, |stream| stream.bytes.add(now, bytes))
        });
        if sum > most && !self.is_too_fast {
            self.is_too_fast = true;
            self.violated(format!("{sum} bytes in a second, at most {most}"));
        }
    }

    fn violated(&self, what: impl Into<String>) {
        self.shared.violated(&self.admitted.stream, self.connection, what);
    }

    fn has(&self, fault: &Fault) -> bool {
        self.script.contains(fault)
    }

    /// What happens because time has passed, or because of the test.
    async fn look_at_the_clock(&mut self) -> Result<(), End> {
        let (now, limits) = (self.shared.now(), self.shared.config.limits.clone());
        let (is_down, is_there) = {
            let state = self.shared.state();
            let stream = state.streams.get(&self.admitted.stream);
            (state.is_down, stream.is_some_and(|stream| stream.arn == self.admitted.arn))
        };
        if is_down {
            return Err(End::Reset);
        }
        if !is_there {
            return Err(self.error(4507).await);
        }
        if now.since(self.started) >= limits.connection {
            self.violated("a connection as long as the service lets it be");
            return Err(self.error(4003).await);
        }
        if now.since(self.last_data) >= limits.idle_close {
            return Err(End::Clean);
        }
        if now.since(self.last_data.max(self.last_idle)) >= limits.idle_ack {
            self.last_idle = now;
            self.line(&json!({ "EventType": "IDLE" })).await?;
        }
        Ok(())
    }

    /// What has come; nothing when nothing has.
    async fn read(&mut self) -> Result<Vec<u8>, End> {
        if !self.peer.extra.is_empty() {
            return Ok(std::mem::take(&mut self.peer.extra));
        }
        let most = self.may_read();
        if most == 0 {
            tokio::time::sleep(GLANCE).await;
            return Ok(Vec::new());
        }
        let mut bytes = vec![0; most];
        match tokio::time::timeout(GLANCE, self.peer.socket.read(&mut bytes)).await {
            Err(_) => Ok(Vec::new()),
            Ok(Err(_) | Ok(0)) => Err(End::Closed),
            Ok(Ok(count)) => {
                bytes.truncate(count);
                self.read_bytes += count as u64;
                Ok(bytes)
            }
        }
    }

    fn may_read(&self) -> usize {
        let slow = self.script.iter().find_map(|fault| match fault {
            Fault::Reads { bytes_per_s } => Some(*bytes_per_s),
            _ => None,
        });
        let Some(bytes_per_s) = slow else { return 16 << 10 };
        let passed_ms = self.shared.now().since(self.started).as_millis();
        let allowed = u64::try_from(passed_ms).unwrap() * bytes_per_s / 1000;
        usize::try_from(allowed.saturating_sub(self.read_bytes).min(16 << 10)).unwrap()
    }

    /// Takes one element; whether there may be more.
    async fn step(&mut self) -> Result<bool, End> {
        match self.media.step(self.shared.wall_ms()) {
            Err(refused) => Err(self.refused(refused).await),
            Ok(Step::Hungry) => Ok(false),
            Ok(Step::Other) => Ok(true),
            Ok(Step::Began { timecode }) => self.began(timecode).await.map(|()| true),
            Ok(Step::Framed { frames }) => {
                let fragment = self.begun - 1;
                let resets = self.has(&Fault::ResetsIn { fragment, frames });
                if resets { Err(End::Reset) } else { Ok(true) }
            }
            Ok(Step::Closed(fragment)) => self.closed(*fragment).await.map(|()| true),
        }
    }

    async fn finish(&mut self) -> Result<(), End> {
        match self.media.finish() {
            Err(refused) => return Err(self.refused(refused).await),
            Ok(Some(fragment)) => self.closed(*fragment).await?,
            Ok(None) => (),
        }
        if self.has(&Fault::NeverAcks) { Err(End::Parked) } else { Ok(()) }
    }

    async fn began(&mut self, timecode: i64) -> Result<(), End> {
        let (now, index) = (self.shared.now(), self.begun);
        self.begun += 1;
        let (number, rate) = self.shared.change(|state| {
            let stream = state.streams.get_mut(&self.admitted.stream);
            let rate = stream.map_or(0, |stream| stream.begun.add(now, 1));
            (state.number(), rate)
        });
        self.current = Some(Current { index, timecode, number });
        if rate > self.shared.config.limits.fragments_per_s as u64 {
            self.violated(format!("{rate} fragments in a second"));
            return Err(End::Closed);
        }
        let scripted = self.script.iter().find_map(|fault| match fault {
            Fault::Error { fragment, id } if *fragment == index => Some(*id),
            _ => None,
        });
        if let Some(id) = scripted {
            return Err(self.error(id).await);
        }
        if self.has(&Fault::StopsAt { fragment: index }) {
            return Err(End::Parked);
        }
        let resets = self.shared.state().resets_at == Some(timecode);
        if resets || self.has(&Fault::ResetsIn { fragment: index, frames: 0 }) {
            return Err(End::Reset);
        }
        if self.has(&Fault::Garbage { fragment: index }) {
            self.write(b"}<html>\x00\n").await?;
        }
        self.ack(Said::Buffering).await
    }

    async fn closed(&mut self, fragment: Fragment) -> Result<(), End> {
        let (index, number) = self.current.as_ref().map(|c| (c.index, c.number.clone())).unwrap();
        let stored = Stored {
            sha256: sigv4::sha256_hex(&fragment.bytes),
            number: number.clone(),
            fragment,
            connection: self.connection,
            is_persisted: false,
        };
        self.keep(|stream| stream.fragments.push(stored));
        self.ack(Said::Received).await?;
        let failed = self.script.iter().find_map(|fault| match fault {
            Fault::NotPersisted { fragment, id } if *fragment == index => Some(*id),
            _ => None,
        });
        let keeps = self.shared.state().streams.get(&self.admitted.stream).map(|s| s.retention_h);
        match failed {
            Some(id) => self.held.push(self.error_line(id).to_string()),
            None if keeps.is_some_and(|hours| hours > 0) => {
                self.keep(|stream| {
                    let stored = stream.fragments.iter_mut().find(|stored| stored.number == number);
                    stored.unwrap().is_persisted = true;
                });
                self.ack(Said::Persisted).await?;
            }
            None => (),
        }
        self.flush().await?;
        self.current = None;
        Ok(())
    }

    fn keep(&self, how: impl FnOnce(&mut super::state::Stream)) {
        self.shared.change(|state| {
            if let Some(stream) = state.streams.get_mut(&self.admitted.stream) {
                how(stream);
            }
        });
    }

    async fn ack(&mut self, ack: Said) -> Result<(), End> {
        let Current { index: fragment, timecode, number } = self.current.as_ref().unwrap();
        let fragment = *fragment;
        let line = json!({
            "EventType": ack.word(),
            "FragmentTimecode": timecode,
            "FragmentNumber": number,
        });
        if self.has(&Fault::ClosesBefore { fragment, ack }) {
            return Err(End::Closed);
        }
        if !self.has(&Fault::Omits { fragment, ack }) {
            self.held.push(line.to_string());
        }
        if !self.has(&Fault::JoinsAcks) && !self.has(&Fault::ReversesAcks) {
            self.flush().await?;
        }
        if self.has(&Fault::ClosesAfter { fragment, ack }) {
            self.flush().await?;
            return Err(End::Closed);
        }
        Ok(())
    }

    fn error_line(&self, id: u32) -> Value {
        let mut line = json!({ "EventType": "ERROR", "ErrorId": id, "ErrorCode": error_code(id) });
        if let Some(current) = &self.current {
            line["FragmentTimecode"] = current.timecode.into();
            line["FragmentNumber"] = current.number.as_str().into();
        }
        line
    }

    async fn error(&mut self, id: u32) -> End {
        let line = self.error_line(id);
        self.line(&line).await.err().unwrap_or(End::Clean)
    }

    async fn refused(&mut self, refused: Refused) -> End {
        self.violated(format!("{} {}: {}", refused.id, error_code(refused.id), refused.evidence));
        self.error(refused.id).await
    }

    async fn line(&mut self, line: &Value) -> Result<(), End> {
        self.held.push(line.to_string());
        self.flush().await
    }

    /// Says what is held back.
    async fn flush(&mut self) -> Result<(), End> {
        let mut lines = std::mem::take(&mut self.held);
        if self.has(&Fault::ReversesAcks) {
            lines.reverse();
        }
        if self.has(&Fault::JoinsAcks) && !lines.is_empty() {
            lines = vec![lines.join("\r\n") + "\r"];
        }
        let times = if self.has(&Fault::RepeatsAcks) { 2 } else { 1 };
        for line in lines {
            for _ in 0..times {
                self.write(format!("{line}\n").as_bytes()).await?;
            }
        }
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), End> {
        if self.has(&Fault::NeverAcks) {
            return Ok(());
        }
        let split = self.script.iter().find_map(|fault| match fault {
            Fault::SplitAcks { bytes } => Some(*bytes),
            _ => None,
        });
        for piece in bytes.chunks(split.unwrap_or(bytes.len())) {
            self.peer.write(&chunk(piece)).await.map_err(|_| End::Closed)?;
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}
