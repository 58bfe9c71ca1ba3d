//! The thread body. Takes the reel of one camera; gives the store one accepted clip after another.
//! Whatever goes wrong costs the clip that it happens to, is told, and is over with it.

mod room;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::{CaptureTime, Event, SizePx, WallTime};
use store::{
    Budget, ClipClass, ClipEnd, ClipFile, ClipId, ClipPart, ClipStart, ClipState, ClipTally, Clips,
    Evicted, RunId, StoreError,
};
use thiserror::Error;

use super::encoder::{Coded, Encoder, EncoderError, Encoders};
use super::matroska::{Header, Tag};
use super::writer::{ClipWriter, Pace, WriteError};
use super::{ClipFacts, ClipSetup};
use crate::clock::Clock;
use crate::link::LinkReceiver;
use crate::priority::come_last;
use crate::record::reel::{ClipDone, FilmPicture, Note, Reel};
use crate::stage::Counters;
use room::Room;

/// Why a clip is lost.
#[derive(Debug, Error)]
enum LostClip {
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("its beginning was given up: clips come faster than they are made")]
    NoBegin,
    #[error("its end was given up: clips come faster than they are made")]
    NoEnd,
    #[error("it has no picture")]
    NoPicture,
    #[error("it was not over when the line stopped")]
    Stopped,
}

/// Makes the clips of one camera until its reel is closed, on a thread that from now on comes last,
/// with those of its encoders.
pub fn run(
    reels: &LinkReceiver<Reel>,
    clips: Clips,
    run: RunId,
    setup: ClipSetup,
    counters: &Counters,
    clock: &dyn Clock,
) {
    come_last();
    Maker::new(clips, run, setup, counters, clock).run(reels);
}

/// What the maker asks of the store.
trait Outbox {
    type File: Write;
    fn begin(&self, start: &ClipStart<'_>) -> Result<Self::File, StoreError>;
    fn accept(&mut self, file: Self::File, end: &ClipEnd) -> Result<ClipId, StoreError>;
    fn make_room(
        &mut self,
        budget: &Budget,
        more: u64,
        now: WallTime,
    ) -> Result<Vec<Evicted>, StoreError>;
    fn tally(&self) -> Result<ClipTally, StoreError>;
    /// What the facts beside the clip take on disk.
    fn sidecar_bytes(file: &Self::File, end: &ClipEnd) -> u64;
}

impl Outbox for Clips {
    type File = ClipFile;

    fn begin(&self, start: &ClipStart<'_>) -> Result<ClipFile, StoreError> {
        Self::begin(self, start)
    }

    fn accept(&mut self, file: ClipFile, end: &ClipEnd) -> Result<ClipId, StoreError> {
        Self::accept(self, file, end)
    }

    fn make_room(
        &mut self,
        budget: &Budget,
        more: u64,
        now: WallTime,
    ) -> Result<Vec<Evicted>, StoreError> {
        Self::make_room(self, budget, more, now)
    }

    fn tally(&self) -> Result<ClipTally, StoreError> {
        Self::tally(self)
    }

    fn sidecar_bytes(file: &ClipFile, end: &ClipEnd) -> u64 {
        file.sidecar_bytes(end)
    }
}

/// How far the clip that the reel is at has come.
enum Scene<F> {
    /// Between two clips.
    Between,
    /// Its first picture comes next.
    Begun { clock_is_synced: bool },
    /// It has pictures.
    Filming(Box<Filming<F>>),
    /// It was lost and told; the rest of it is let go.
    Lost,
}

struct Maker<'a, O: Outbox> {
    outbox: O,
    run: RunId,
    setup: ClipSetup,
    counters: &'a Counters,
    clock: &'a dyn Clock,
    encoders: Option<Encoders>,
    scene: Scene<O::File>,
}

impl<'a, O: Outbox> Maker<'a, O> {
    const fn new(
        outbox: O,
        run: RunId,
        setup: ClipSetup,
        counters: &'a Counters,
        clock: &'a dyn Clock,
    ) -> Self {
        Self { outbox, run, setup, counters, clock, encoders: None, scene: Scene::Between }
    }

    fn run(mut self, reels: &LinkReceiver<Reel>) {
        while let Ok(reel) = reels.recv() {
            self.take(reel);
        }
        if matches!(self.scene, Scene::Filming(_)) {
            self.tell_lost(&LostClip::Stopped);
        }
    }

    fn take(&mut self, reel: Reel) {
        match reel {
            Reel::Begin { clock_is_synced, .. } => {
                let before = std::mem::replace(&mut self.scene, Scene::Begun { clock_is_synced });
                if matches!(before, Scene::Begun { .. } | Scene::Filming(_)) {
                    self.tell_lost(&LostClip::NoEnd);
                }
            }
            Reel::Picture(picture, notes) => {
                if let Err(why) = self.film(picture, &notes) {
                    // Its encoder ends, its file goes.
                    self.scene = Scene::Lost;
                    self.tell_lost(&why);
                }
            }
            Reel::End { class, notes, pictures_missing } => {
                let done = match std::mem::replace(&mut self.scene, Scene::Between) {
                    Scene::Filming(filming) => self.end(*filming, class, &notes, pictures_missing),
                    Scene::Begun { .. } => Err(LostClip::NoPicture),
                    Scene::Between => Err(LostClip::NoBegin),
                    Scene::Lost => Ok(()),
                };
                if let Err(why) = done {
                    self.tell_lost(&why);
                }
            }
        }
    }

    fn tell_lost(&self, why: &LostClip) {
        let camera = self.setup.camera.clone();
        self.counters.event(&Event::ClipLost { camera, cause: why.to_string() });
    }

    fn film(&mut self, picture: FilmPicture, notes: &[Arc<Note>]) -> Result<(), LostClip> {
        if let Scene::Begun { clock_is_synced } = self.scene {
            self.scene = Scene::Filming(Box::new(self.begin(&picture, clock_is_synced)?));
        }
        match &mut self.scene {
            Scene::Filming(filming) => filming.add(picture, notes, &self.setup)?,
            Scene::Lost => return Ok(()),
            Scene::Between | Scene::Begun { .. } => return Err(LostClip::NoBegin),
        }
        let Scene::Filming(mut filming) = std::mem::replace(&mut self.scene, Scene::Lost) else {
            return Ok(());
        };
        self.write(&mut filming)?;
        self.scene = Scene::Filming(filming);
        Ok(())
    }

    /// Writes what has come out of the encoder, for which there is room by then.
    fn write(&mut self, filming: &mut Filming<O::File>) -> Result<(), LostClip> {
        let bytes_most = filming.bytes_most();
        self.reserve(&mut filming.room, bytes_most)?;
        filming.write(&self.setup)
    }

    /// Sees to it that `bytes` fit into the budget beside what else is there and is being written.
    fn reserve(&mut self, room: &mut Room, bytes: u64) -> Result<(), LostClip> {
        match room.widen(bytes) {
            Some(all) => self.make_room(all),
            None => Ok(()),
        }
    }

    fn begin(
        &mut self,
        first: &FilmPicture,
        clock_is_synced: bool,
    ) -> Result<Filming<O::File>, LostClip> {
        let encoders = match &self.encoders {
            Some(encoders) => encoders,
            None => self.encoders.insert(Encoders::new(&self.setup.config, self.setup.fps)?),
        };
        let encoder = encoders.begin(first.size)?;
        let (run, camera, started) = (self.run, &self.setup.camera, first.at);
        let start = ClipStart { run, camera, started, clock_is_synced };
        let file = self.outbox.begin(&start)?;
        let fps = u64::from(self.setup.fps.max(1));
        let pace = Pace {
            fragment_ms: self.setup.config.fragment_ms.into(),
            frame_ms: 1000_u64.div_ceil(fps),
        };
        Ok(Filming {
            started,
            ended: started,
            clock_is_synced,
            encoder_name: encoders.name(),
            encoder,
            size: first.size,
            pace,
            key_ms: None,
            file: File::Waiting(file),
            coded: Vec::new(),
            coded_bytes: 0,
            pictures: 0,
            spans: Vec::new(),
            room: Room::of(&self.setup.writing),
        })
    }

    fn end(
        &mut self,
        mut filming: Filming<O::File>,
        class: ClipClass,
        notes: &[Arc<Note>],
        missing: u64,
    ) -> Result<(), LostClip> {
        filming.encoder.finish(&mut filming.coded)?;
        self.write(&mut filming)?;
        let File::Written(writer) = filming.file else { return Err(LostClip::NoPicture) };
        let (file, written) =
            writer.finish(&|from, to| tags(&filming.spans, &self.setup, from, to))?;
        let dropped = filming.encoder.dropped();
        let pictures_missing = missing + dropped.len() as u64;
        let facts = (self.setup.facts)(&ClipFacts {
            camera: &self.setup.camera,
            started: filming.started,
            ended: filming.ended,
            clock_is_synced: filming.clock_is_synced,
            class,
            notes,
            pictures: written.pictures,
            pictures_missing,
            encoder: filming.encoder_name,
        });
        let end = ClipEnd {
            ended: filming.ended,
            class,
            header_bytes: written.header_bytes,
            fragments: written.fragments,
            parts: notes.iter().map(|note| part_in(&note.part, dropped)).collect(),
            pictures: written.pictures,
            pictures_missing,
            facts,
        };
        let bytes = written.bytes + O::sidecar_bytes(&file, &end);
        self.reserve(&mut filming.room, bytes)?;
        filming.room.is(bytes);
        self.outbox.accept(file, &end)?;
        // From here on its row says what it takes.
        drop(filming.room);
        self.counters.clips.made(written.pictures, written.bytes);
        (self.setup.accepted)(ClipDone {
            camera: self.setup.camera.clone(),
            started: filming.started.wall,
            parts: end.parts.iter().map(|part| part.part).collect(),
            bytes: written.bytes,
        });
        self.tell_how_full()
    }

    fn make_room(&mut self, more: u64) -> Result<(), LostClip> {
        let budget = self.setup.config.budget();
        let evicted = self.outbox.make_room(&budget, more, self.clock.wall())?;
        for Evicted { clip: ClipId(clip), class, state, .. } in evicted {
            self.counters.event(&match state {
                ClipState::Persisted => Event::ClipCleared { clip },
                _ => Event::ClipEvicted { clip, class: word(&class), state: word(&state) },
            });
        }
        Ok(())
    }

    /// Says once that there is little room left, until there is more.
    fn tell_how_full(&self) -> Result<(), LostClip> {
        let budget = self.setup.config.budget();
        let unsaved = self.outbox.tally()?.unsaved();
        self.counters.clips.set_waiting(unsaved.clips, unsaved.bytes);
        let is = unsaved.bytes > budget.alarm_bytes;
        if is && !self.setup.nearly_full.swap(is, Ordering::AcqRel) {
            let (mib, most_mib) = (unsaved.bytes >> 20, budget.bytes_max >> 20);
            self.counters.event(&Event::ClipsNearlyFull { mib, most_mib });
        }
        self.setup.nearly_full.store(is, Ordering::Release);
        Ok(())
    }
}

/// The word that rows and reports have for a state or a class.
fn word(value: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(value).ok();
    word.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}

/// The part, whose picture may have another number as pictures before it were dropped.
fn part_in(part: &ClipPart, dropped: &[u64]) -> ClipPart {
    let shift = |at: u64| {
        let before = dropped.iter().filter(|&&gone| gone < at).count() as u64;
        (!dropped.contains(&at)).then_some(at.saturating_sub(before))
    };
    ClipPart { picture: part.picture.and_then(shift), ..part.clone() }
}

/// Where the clip is written.
enum File<F> {
    /// Until the encoder gives what the header says.
    Waiting(F),
    Written(ClipWriter<F>),
    /// While it goes from one to the other.
    Gone,
}

/// The pictures that a note belongs to, milliseconds from the clip's start.
struct Span {
    note: Arc<Note>,
    from_ms: u64,
    to_ms: u64,
}

/// A clip that is being made.
struct Filming<F> {
    started: CaptureTime,
    ended: CaptureTime,
    clock_is_synced: bool,
    encoder_name: &'static str,
    encoder: Encoder,
    size: SizePx,
    pace: Pace,
    /// When the newest key frame was asked for.
    key_ms: Option<u64>,
    file: File<F>,
    coded: Vec<Coded>,
    /// Bytes of pictures that were written.
    coded_bytes: u64,
    /// Pictures that went in.
    pictures: u64,
    spans: Vec<Span>,
    room: Room,
}

impl<F: Write> Filming<F> {
    fn add(
        &mut self,
        mut picture: FilmPicture,
        notes: &[Arc<Note>],
        setup: &ClipSetup,
    ) -> Result<(), LostClip> {
        // By the clock that does not jump, so that a clip is never torn.
        let since = picture.at.mono.since(self.started.mono);
        self.ended = CaptureTime { mono: picture.at.mono, wall: self.started.wall.plus(since) };
        let at_ms = ms(self.ended.wall).saturating_sub(ms(self.started.wall)).unsigned_abs();
        for note in notes {
            self.span(note, at_ms);
        }
        (setup.draw)(&mut picture, notes);
        let is_key = self.key_ms.is_none_or(|began| self.pace.begins_anew(began, at_ms));
        if is_key {
            self.key_ms = Some(at_ms);
        }
        self.pictures += 1;
        self.encoder.push(picture, at_ms, is_key, &mut self.coded)?;
        Ok(())
    }

    /// The most that the file takes when all is written that has come out of the encoder.
    fn bytes_most(&self) -> u64 {
        let coming: u64 = self.coded.iter().map(|coded| coded.bytes.len() as u64).sum();
        let avcc = self.encoder.avcc().map_or(0, <[u8]>::len) as u64;
        let lasts_ms = ms(self.ended.wall).saturating_sub(ms(self.started.wall)).unsigned_abs();
        let fragments = lasts_ms / self.pace.fragment_ms.max(1) + 2;
        self.coded_bytes + coming + avcc + room::around(self.pictures, fragments)
    }

    fn span(&mut self, note: &Arc<Note>, at_ms: u64) {
        match self.spans.iter_mut().find(|span| span.note.part.part == note.part.part) {
            Some(span) => span.to_ms = at_ms,
            None => {
                let note = Arc::clone(note);
                self.spans.push(Span { note, from_ms: at_ms, to_ms: at_ms });
            }
        }
    }

    /// Writes what has come out of the encoder.
    fn write(&mut self, setup: &ClipSetup) -> Result<(), LostClip> {
        if self.coded.is_empty() {
            return Ok(());
        }
        self.write_header(setup)?;
        let File::Written(writer) = &mut self.file else { return Ok(()) };
        for coded in self.coded.drain(..) {
            self.coded_bytes += coded.bytes.len() as u64;
            writer.push(coded, &|from, to| tags(&self.spans, setup, from, to))?;
        }
        Ok(())
    }

    fn write_header(&mut self, setup: &ClipSetup) -> Result<(), LostClip> {
        if matches!(self.file, File::Written(_)) {
            return Ok(());
        }
        let File::Waiting(file) = std::mem::replace(&mut self.file, File::Gone) else {
            return Err(LostClip::NoPicture);
        };
        let header = Header {
            title: &format!("{} {}", setup.imprint.station, setup.camera),
            software: &setup.imprint.software,
            size: self.size,
            frame_ns: Some(1_000_000_000 / u64::from(setup.fps.max(1))),
            avcc: self.encoder.avcc().unwrap_or_default(),
        };
        let writer = ClipWriter::begin(file, &header.bytes(), ms(self.started.wall), self.pace)?;
        self.file = File::Written(writer);
        Ok(())
    }
}

/// What is said of the pictures from one time to another.
fn tags(spans: &[Span], setup: &ClipSetup, from_ms: u64, to_ms: u64) -> Vec<Tag> {
    let shows = |span: &&Span| span.from_ms <= to_ms && span.to_ms >= from_ms;
    let notes: Vec<_> = spans.iter().filter(shows).map(|span| Arc::clone(&span.note)).collect();
    (setup.tags)(&notes)
}

/// Milliseconds since 1970, as [`store::Clip::timecode_ms`] counts them.
const fn ms(wall: WallTime) -> i64 {
    wall.unix_ns.div_euclid(1_000_000)
}

#[cfg(test)]
mod tests;
