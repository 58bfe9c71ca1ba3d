//! Film and clips as a line has them, on threads of their own. Takes frames and what became of
//! their parts; gives what came of it.

use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use domain::{ClipSnapshot, Frame};
use pipeline::capture::tap::Tap;
use pipeline::clock::{Clock, RealClock};
use pipeline::limits::{FILM_FRAMES_WAITING, NOTES_WAITING, REEL_WAITING};
use pipeline::link::{LinkSender, WhenFull, link};
use pipeline::record::clip;
use pipeline::record::film::{Film, FilmConfig};
use pipeline::record::reel::Note;
use pipeline::stage::Counters;
use sightline_benches::Failure;
use store::{RunStart, Store};
use tempfile::TempDir;

use crate::footage::{FPS, camera};
use crate::setup::setup;

/// The time to a verdict that the film waits for.
const BUDGET: Duration = Duration::from_millis(50);

/// A film, and the maker of its clips.
pub struct Studio {
    tap: Tap,
    wants: LinkSender<Arc<Note>>,
    threads: [JoinHandle<()>; 2],
    counters: Arc<Counters>,
    _folder: TempDir,
}

impl Studio {
    /// A film by `config` of footage: it waits for who takes its pictures, and its memory is all
    /// used.
    pub fn open(config: &FilmConfig) -> Result<Self, Failure> {
        let measures = config.check(BUDGET)?;
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let clock: Arc<dyn Clock> = Arc::new(RealClock::start().trusted());
        let store = Store::create_or_open(folder.path())?;
        let start = RunStart { started_at: clock.wall(), source: "bench" };
        let run = store.start_run(&start)?.run();
        let counters = Arc::new(Counters::default());
        let (to_film, frames) = link(FILM_FRAMES_WAITING, WhenFull::Wait);
        let (wants, wanted) = link(NOTES_WAITING, WhenFull::DropOldest);
        let (reels, reel) = link(REEL_WAITING, WhenFull::Wait);
        let (clips, setup) = (store.clips()?, setup(&camera(), FPS));
        let (counts, time) = (Arc::clone(&counters), Arc::clone(&clock));
        let make = move || clip::run(&reel, clips, run, setup, &counts, &*time);
        let film = Film {
            camera: camera(),
            measures,
            live: false,
            frames,
            wants: wanted,
            reels,
            counters: Arc::clone(&counters),
            clock,
        };
        let tap = Tap::new(to_film, measures.windows.period, Arc::clone(&counters));
        let threads = [
            Builder::new().name("film".to_owned()).spawn(move || film.run())?,
            Builder::new().name("clip".to_owned()).spawn(make)?,
        ];
        Ok(Self { tap, wants, threads, counters, _folder: folder })
    }

    /// The next frame.
    pub fn see(&mut self, frame: &Frame) {
        self.tap.see(frame);
    }

    /// A part of a frame that was seen lately was rejected.
    pub fn want(&self, note: &Arc<Note>) -> Result<(), Failure> {
        self.wants.send(Arc::clone(note)).map_err(|_| "the film has ended")?;
        Ok(())
    }

    /// When all clips are on disk: what came of it. Nothing may be missing.
    pub fn end(self) -> Result<ClipSnapshot, Failure> {
        let Self { tap, wants, threads, counters, _folder } = self;
        drop((tap, wants));
        for thread in threads {
            thread.join().map_err(|_| "a thread that films or makes clips panicked")?;
        }
        let clips = counters.clips.snapshot();
        let gone = clips.pictures_dropped + clips.pictures_missing + clips.wants_dropped;
        if gone > 0 || clips.made != clips.begun {
            let told = counters.take_unwritten();
            return Err(format!("not all that was filmed is in clips: {clips:?}, {told:?}").into());
        }
        Ok(clips)
    }
}
