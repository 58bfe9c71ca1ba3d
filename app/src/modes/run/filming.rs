//! Film and clips of a station at work: takes what its file says; gives the line what it needs to
//! film, and makes clips of it on a thread a camera, which live as long as a line.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{Builder, JoinHandle};

use anyhow::{Context, Result};
use domain::CameraId;
use pipeline::limits::REEL_WAITING;
use pipeline::link::{WhenFull, link};
use pipeline::record::annotate::{annotate, facts, tags};
use pipeline::record::clip::{self, ClipSetup};
use pipeline::record::film::FilmSetup;
use pipeline::record::reel::Imprint;
use pipeline::stage::Counters;
use store::{RunId, Store};

use crate::config::{Filming, Station};

/// What films a station, and what makes clips of it.
pub struct Studio {
    filming: Filming,
    cameras: Vec<CameraId>,
    imprint: Imprint,
    counters: Arc<Counters>,
    nearly_full: Arc<AtomicBool>,
    makers: Vec<JoinHandle<()>>,
}

impl Studio {
    /// The studio of a station that is filmed.
    pub fn of(station: &Station, counters: &Arc<Counters>) -> Option<Self> {
        let filming = station.filming.clone()?;
        let cameras = station.cameras.iter().map(|camera| CameraId::new(&camera.name)).collect();
        let imprint =
            Imprint { station: station.name.as_str().into(), software: crate::modes::software() };
        let (counters, nearly_full) = (Arc::clone(counters), Arc::default());
        Some(Self { filming, cameras, imprint, counters, nearly_full, makers: Vec::new() })
    }

    /// Starts a thread a camera that makes clips of `run`; gives the line what it films with.
    ///
    /// # Errors
    /// When the store refuses or a thread can't be had.
    pub fn open(&mut self, store: &Store, run: RunId) -> Result<FilmSetup> {
        let mut reels = BTreeMap::new();
        for camera in &self.cameras {
            let (to_clip, reel) = link(REEL_WAITING, WhenFull::Wait);
            let (clips, setup) = (store.clips()?, self.setup(camera));
            let counters = Arc::clone(&self.counters);
            let make = move || clip::run(&reel, clips, run, setup, &counters);
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

    fn setup(&self, camera: &CameraId) -> ClipSetup {
        let (imprint, its) = (self.imprint.clone(), camera.clone());
        ClipSetup {
            camera: camera.clone(),
            config: self.filming.clips.clone(),
            fps: self.filming.film.fps,
            imprint: imprint.clone(),
            draw: Arc::new(move |picture, notes| annotate(picture, notes, &imprint, &its)),
            tags: Arc::new(tags),
            facts: Arc::new(facts),
            accepted: Arc::new(|_| {}),
            nearly_full: Arc::clone(&self.nearly_full),
        }
    }
}
