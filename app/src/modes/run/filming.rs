//! Film, clips and their upload, of a station at work: takes what its file says; gives the line
//! what it needs to film. Clips are made on a thread a camera, which lives as long as a line; the
//! upload goes on while there is none.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use domain::CameraId;
use pipeline::clock::Clock;
use pipeline::limits::REEL_WAITING;
use pipeline::link::{WhenFull, link};
use pipeline::record::annotate::{Told, annotate, facts, tags};
use pipeline::record::clip::matroska::Tag;
use pipeline::record::clip::{self, ClipFacts, ClipSetup};
use pipeline::record::film::FilmSetup;
use pipeline::record::reel::Imprint;
use pipeline::stage::Counters;
use pipeline::upload::{self, Uploader, Uploading, Waits};
use store::{RunId, Store};

use crate::config::{Filming, Station};

/// How long the end of the program waits for what is on its way to the cloud.
const UPLOAD_ENDS_WITHIN: Duration = Duration::from_secs(3);

/// What films a station, makes clips of it, and sends them.
pub struct Studio {
    filming: Filming,
    cameras: Vec<CameraId>,
    imprint: Imprint,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    nearly_full: Arc<AtomicBool>,
    writing: Arc<AtomicU64>,
    is_recovered: bool,
    makers: Vec<JoinHandle<()>>,
    uploader: Option<Uploader>,
}

impl Studio {
    /// The studio of a station that is filmed.
    pub fn of(station: &Station, counters: &Arc<Counters>, clock: &Arc<dyn Clock>) -> Option<Self> {
        let filming = station.filming.clone()?;
        let cameras = station.cameras.iter().map(|camera| CameraId::new(&camera.name)).collect();
        let imprint =
            Imprint { station: station.name.as_str().into(), software: crate::modes::software() };
        Some(Self {
            filming,
            cameras,
            imprint,
            counters: Arc::clone(counters),
            clock: Arc::clone(clock),
            nearly_full: Arc::default(),
            writing: Arc::default(),
            is_recovered: false,
            makers: Vec::new(),
            uploader: None,
        })
    }

    /// Starts a thread a camera that makes clips of `run`; gives the line what it films with.
    ///
    /// # Errors
    /// When the store refuses or a thread can't be had.
    pub fn open(&mut self, store: &Store, run: RunId) -> Result<FilmSetup> {
        self.recover(store)?;
        self.start_upload(store, run)?;
        let mut reels = BTreeMap::new();
        for camera in &self.cameras {
            let (to_clip, reel) = link(REEL_WAITING, WhenFull::Wait);
            let (clips, setup) = (store.clips()?, self.setup(camera));
            let (counters, clock) = (Arc::clone(&self.counters), Arc::clone(&self.clock));
            let make = move || clip::run(&reel, clips, run, setup, &counters, &*clock);
            let name = format!("clip-{camera}");
            let maker = Builder::new().name(name.clone()).spawn(make);
            self.makers.push(maker.with_context(|| format!("no thread `{name}` can be had"))?);
            reels.insert(camera.clone(), to_clip);
        }
        Ok(FilmSetup { config: self.filming.film.clone(), reels })
    }

    /// Waits until the clips of a line that is over are on disk.
    pub fn close(&mut self) {
        for maker in self.makers.drain(..) {
            let name = maker.thread().name().unwrap_or_default().to_owned();
            if maker.join().is_err() {
                tracing::error!(target: "run", "a defect in this software: {name} failed");
            }
        }
    }

    /// Before the first line of this program, whether clips are sent or not: a kill may have left
    /// half a clip on disk, which counts in no budget, or a whole one that no row knows.
    fn recover(&mut self, store: &Store) -> Result<()> {
        if !self.is_recovered {
            store.clips()?.recover()?;
            self.is_recovered = true;
        }
        Ok(())
    }

    /// Before the first line of this program: nothing is on its way yet.
    fn start_upload(&mut self, store: &Store, first_run: RunId) -> Result<()> {
        let (Some(config), None) = (&self.filming.upload, &self.uploader) else { return Ok(()) };
        let what = Uploading {
            config,
            station: &self.imprint.station,
            cameras: &self.cameras,
            first_run,
            waits: Waits::default(),
        };
        let uploader = upload::start(&what, || store.clips(), &self.counters, &self.clock)?;
        self.uploader = Some(uploader);
        Ok(())
    }

    fn setup(&self, camera: &CameraId) -> ClipSetup {
        let told = || (self.imprint.clone(), camera.clone());
        let ((draws, of), (tells, its), (says, whose)) = (told(), told(), told());
        let tag = |(name, value)| Tag { name, value };
        ClipSetup {
            camera: camera.clone(),
            config: self.filming.clips.clone(),
            fps: self.filming.film.fps,
            imprint: self.imprint.clone(),
            draw: Arc::new(move |picture, notes| annotate(picture, notes, &draws, &of)),
            tags: Arc::new(move |notes| tags(&tells, &its, notes).into_iter().map(tag).collect()),
            facts: Arc::new(move |clip| facts(&told_of(clip, &says, &whose), clip.notes)),
            accepted: Arc::new(|_| {}),
            nearly_full: Arc::clone(&self.nearly_full),
            writing: Arc::clone(&self.writing),
        }
    }
}

impl Drop for Studio {
    /// What is on its way may arrive; the rest is sent by the next start.
    fn drop(&mut self) {
        self.close();
        if let Some(uploader) = self.uploader.take()
            && !uploader.stop(UPLOAD_ENDS_WITHIN)
        {
            tracing::warn!(target: "run", "the upload did not end in time; clips are on disk");
        }
    }
}

fn told_of<'a>(clip: &ClipFacts<'_>, imprint: &'a Imprint, camera: &'a CameraId) -> Told<'a> {
    Told {
        imprint,
        camera,
        started: clip.started,
        ended: clip.ended,
        clock_is_synced: clip.clock_is_synced,
        pictures: clip.pictures,
        pictures_missing: clip.pictures_missing,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use domain::WallTime;
    use pipeline::clock::RealClock;
    use pipeline::record::clip::ClipConfig;
    use pipeline::record::film::FilmConfig;
    use store::RunStart;

    use super::*;

    fn studio_that_sends_nothing() -> Studio {
        let (film, clips) = (FilmConfig::default(), ClipConfig::default());
        Studio {
            filming: Filming { film, clips, upload: None },
            cameras: vec![CameraId::new("top")],
            imprint: Imprint { station: "station".into(), software: "test".into() },
            counters: Arc::default(),
            clock: Arc::new(RealClock::start()),
            nearly_full: Arc::default(),
            writing: Arc::default(),
            is_recovered: false,
            makers: Vec::new(),
            uploader: None,
        }
    }

    #[test]
    fn what_a_kill_left_goes_though_nothing_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(folder.path()).unwrap();
        let start = RunStart { started_at: WallTime { unix_ns: 1 }, source: "test" };
        let run = store.start_run(&start).unwrap().run();
        let of_run = folder.path().join("clips").join("1");
        fs::create_dir_all(&of_run).unwrap();
        let half = |name: &str| {
            let path = of_run.join(name);
            fs::write(&path, b"half a clip").unwrap();
            path
        };
        let left = half("top-1.mkv.partial");
        let mut studio = studio_that_sends_nothing();
        drop(studio.open(&store, run).unwrap());
        assert!(!left.exists());
        // The next line of the same program finds what the one before is still writing.
        let writing = half("top-2.mkv.partial");
        drop(studio.open(&store, run).unwrap());
        studio.close();
        assert!(writing.exists());
    }
}
