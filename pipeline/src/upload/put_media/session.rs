//! Sends clips over one connection. Takes an open connection and the first clip; gives the store
//! how far each fragment has come, until nothing more waits that belongs on this connection and
//! everything on it is kept.

use bytes::Bytes;
use store::{ClipId, ClipState};
use tokio::time::Instant;

use super::super::desk::Desk;
use super::super::trouble::Trouble;
use super::acks::Ack;
use super::connection::{Connection, Step};
use super::feed::{Feed, end_ms};
use super::outstanding::{Heard, Outstanding};
use super::pace::Pace;
use super::tag::end_of_fragment_tag;

/// The next clip of `desk` that is not on its way, ready to be sent. Clips that can't be are
/// quarantined.
pub fn next_feed(
    desk: &mut Desk,
    is_taken: impl Fn(ClipId) -> bool,
) -> Result<Option<Feed>, Trouble> {
    while let Some(clip) = desk.next(&is_taken)? {
        let Some(file) = desk.open(&clip)? else { continue };
        match Feed::new(clip, file) {
            Ok(feed) => return Ok(Some(feed)),
            Err(Trouble::Clip { clip, cause }) => desk.quarantine(clip, &cause)?,
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(None)
}

/// Sends `first` and what may follow it on the same connection, in the `pace` of its stream.
///
/// # Errors
/// When the connection ends, stands still, or the service says that something is wrong. What was
/// sent and is not kept must then be sent again.
pub async fn send_all(
    connection: Connection,
    desk: &mut Desk,
    first: Feed,
    pace: &mut Pace,
) -> Result<(), Trouble> {
    let now = Instant::now();
    pace.fragment();
    Session {
        header: first.header.clone(),
        between: Some(first.header.clone()),
        feed: Some(first),
        ends: false,
        after_ms: i64::MIN,
        connection,
        desk,
        outstanding: Outstanding::default(),
        pace,
        opened: now,
        moved: now,
    }
    .run()
    .await
}

struct Session<'a> {
    connection: Connection,
    desk: &'a mut Desk,
    /// What every clip of this connection begins with; sent once.
    header: Bytes,
    /// What is sent before the next fragment: the header, or the tag at the end.
    between: Option<Bytes>,
    /// The clip that is being sent.
    feed: Option<Feed>,
    /// Whether no more fragments are begun.
    ends: bool,
    /// The next clip must not begin earlier.
    after_ms: i64,
    outstanding: Outstanding,
    pace: &'a mut Pace,
    opened: Instant,
    /// When bytes or an acknowledgement moved last.
    moved: Instant,
}

impl Session<'_> {
    async fn run(mut self) -> Result<(), Trouble> {
        loop {
            self.look_for_more()?;
            if self.ends && self.between.is_none() && self.outstanding.is_empty() {
                self.close().await;
                return Ok(());
            }
            let now = Instant::now();
            let sends = self.between.is_some() || self.feed.is_some();
            let wants_room = sends && self.pace.next <= now;
            let until = self.stalls_at(wants_room);
            let until = if sends && !wants_room { until.min(self.pace.next) } else { until };
            match self.connection.step(wants_room, until).await? {
                Step::Room => self.send()?,
                Step::Heard(acks) => acks.into_iter().try_for_each(|ack| self.hear(ack))?,
                Step::Shut => (self.feed, self.between, self.ends) = (None, None, true),
                Step::Over(_) if self.outstanding.is_empty() => return Ok(()),
                Step::Over(cause) => return Err(Trouble::Broken { cause }),
                Step::Waited => self.look_for_stall(wants_room)?,
            }
        }
    }

    /// Takes the next clip when the one before it was sent, or ends: when there is none, when it
    /// belongs on another connection, and when this one is old.
    fn look_for_more(&mut self) -> Result<(), Trouble> {
        let is_between = self.feed.as_ref().is_none_or(|feed| !feed.is_inside());
        let is_old = self.opened.elapsed() >= self.desk.waits.connection_lasts;
        if self.ends || !is_between {
            return Ok(());
        }
        if is_old || self.desk.stops() {
            self.end();
        } else if self.feed.is_none() {
            let outstanding = &self.outstanding;
            self.feed = next_feed(self.desk, |clip| outstanding.has(clip))?
                .filter(|next| next.header == self.header && self.follows(next));
            if self.feed.is_none() {
                self.end();
            }
        }
        Ok(())
    }

    /// Times must rise within a connection.
    fn follows(&self, next: &Feed) -> bool {
        next.fragment().is_some_and(|(_, timecode_ms)| timecode_ms >= self.after_ms)
    }

    /// Nothing is begun any more. Where nothing was begun, not even the header, there is nothing to
    /// end either.
    fn end(&mut self) {
        (self.feed, self.ends) = (None, true);
        if self.between.take().is_some() {
            self.connection.finish();
        } else {
            self.between = Some(end_of_fragment_tag().into());
        }
    }

    /// Sends what comes next, for which there is room.
    fn send(&mut self) -> Result<(), Trouble> {
        self.moved = Instant::now();
        if let Some(bytes) = self.between.take() {
            self.connection.send(bytes);
            if self.ends {
                self.connection.finish();
            }
            return Ok(());
        }
        let Some(feed) = &mut self.feed else { return Ok(()) };
        let (clip, begins) = (feed.clip.id, feed.fragment().map(|(f, ms)| (*f, ms)));
        let Some(piece) = feed.piece()? else { return Ok(()) };
        if feed.fragment().is_none() {
            self.feed = None;
        }
        if let Some((fragment, timecode_ms)) = begins.filter(|_| piece.is_first) {
            self.outstanding.begin(clip, piece.position, timecode_ms);
            self.after_ms = end_ms(&fragment, timecode_ms);
        }
        self.pace.sent(self.moved, piece.bytes.len(), piece.is_first);
        self.desk.progress.sent(piece.bytes.len(), piece.is_last);
        self.connection.send(piece.bytes);
        if piece.is_last {
            self.pace.fragment();
            self.outstanding.written(self.moved);
            self.desk.advance(clip, piece.position, ClipState::Sent, None)?;
        }
        Ok(())
    }

    fn hear(&mut self, ack: Ack) -> Result<(), Trouble> {
        let advance = match self.outstanding.hear(ack)? {
            Heard::Nothing => return Ok(()),
            Heard::Alive => None,
            Heard::Advance(advance) => Some(advance),
        };
        self.moved = Instant::now();
        if let Some(it) = advance {
            self.desk.advance(it.clip, it.position, it.state, it.number.as_deref())?;
        }
        Ok(())
    }

    /// When it must be said that nothing moves, if nothing does until then. Idle connections of
    /// the service that only say that they are idle count as still.
    fn stalls_at(&self, wants_room: bool) -> Instant {
        let since = match self.outstanding.waits_since() {
            Some(oldest) if !wants_room => oldest.max(self.moved),
            _ => self.moved,
        };
        since + self.desk.waits.quiet_at_most
    }

    fn look_for_stall(&self, wants_room: bool) -> Result<(), Trouble> {
        if Instant::now() < self.stalls_at(wants_room) {
            return Ok(());
        }
        let what = if wants_room { "the service takes no bytes" } else { "no acknowledgement" };
        Err(Trouble::Stalled { what, after: self.desk.waits.quiet_at_most })
    }

    /// Everything is kept: the service may close, so that it has forgotten this connection when
    /// the next one comes.
    async fn close(mut self) {
        let until = Instant::now() + self.desk.waits.close_within;
        while let Ok(Step::Heard(_)) = self.connection.step(false, until).await {}
    }
}
