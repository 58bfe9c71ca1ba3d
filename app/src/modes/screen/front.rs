//! The screen's end of the socket: takes what the station tells; gives it to the screen as a
//! [`Station`]. The screen never waits for the station, nor the other way round.

use std::collections::BTreeMap;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use domain::{CameraId, Command, PartKey};
use ui::station::Developer;
use ui::{Answer, Ask, ClipView, News, Preview, RgbPicture, Settings, Station};

use super::projector::Projector;
use super::wire::{self, ToScreen, ToStation};
use crate::picture::rgb_from_pixels;

/// How long the first news may take: a station tells them before anything else.
const FIRST_WITHIN: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Told {
    news: Option<News>,
    previews: BTreeMap<CameraId, Arc<Preview>>,
    answers: Vec<(Ask, Answer)>,
    wake: Option<Box<dyn Fn() + Send + Sync>>,
}

#[derive(Default)]
struct Desk {
    told: Mutex<Told>,
    first: Condvar,
}

impl Desk {
    fn with<T>(&self, act: impl FnOnce(&mut Told) -> T) -> T {
        act(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has the screen painted anew.
    fn wake(&self) {
        self.with(|told| {
            if let Some(wake) = &told.wake {
                wake();
            }
        });
    }

    fn take(&self, message: ToScreen, bytes: Vec<u8>) {
        self.with(|told| {
            match message {
                ToScreen::News(news) => told.news = Some(*news),
                ToScreen::Answer(ask, answer) => told.answers.push((ask, answer)),
                preview @ ToScreen::Preview { .. } => {
                    if let Some(preview) = wire::preview_of(preview, bytes) {
                        told.previews.insert(preview.camera.clone(), preview);
                    }
                }
            }
            if let Some(wake) = &told.wake {
                wake();
            }
        });
        self.first.notify_all();
    }
}

/// The station, as its screen sees it.
pub struct Front {
    desk: Arc<Desk>,
    to_station: Sender<ToStation>,
    asked: u64,
    looks: bool,
    developer: Developer,
    projector: Projector,
}

impl Front {
    /// Listens to the station at the other end of `stream`, whose store is in `store`; waits for
    /// its first news. `lost` is called when it is gone.
    ///
    /// # Errors
    /// When no news come.
    pub fn connect(
        stream: UnixStream,
        store: &Path,
        lost: impl FnOnce() + Send + 'static,
    ) -> Result<Self> {
        let desk = Arc::new(Desk::default());
        let (to_station, asks) = channel();
        let (listens, hears) = (stream.try_clone()?, Arc::clone(&desk));
        let hear = move || {
            listen(listens, &hears);
            lost();
        };
        Builder::new().name("from-station".to_owned()).spawn(hear)?;
        Builder::new().name("to-station".to_owned()).spawn(move || speak(stream, &asks))?;
        let told = desk.told.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = desk.first.wait_timeout_while(told, FIRST_WITHIN, |it| it.news.is_none());
        let has_news = waited.is_ok_and(|(told, _)| told.news.is_some());
        if !has_news {
            bail!("the station told nothing within {} s", FIRST_WITHIN.as_secs());
        }
        let developer: Developer = Arc::new(|pixels, side_max_px| {
            let rgb = rgb_from_pixels(pixels, side_max_px)?;
            let size = domain::SizePx::new(rgb.width(), rgb.height());
            Some(RgbPicture { size, rgb: rgb.into_raw() })
        });
        let woken = Arc::clone(&desk);
        let projector =
            Projector::new(store.to_owned(), Arc::clone(&developer), move || woken.wake())?;
        Ok(Self { desk, to_station, asked: 0, looks: false, developer, projector })
    }

    /// The latest news.
    ///
    /// # Errors
    /// Never after [`Self::connect`].
    pub fn first_news(&self) -> Result<News> {
        self.desk.with(|told| told.news.clone()).context("no news")
    }
}

fn listen(mut stream: UnixStream, desk: &Desk) {
    loop {
        match wire::receive(&mut stream) {
            Ok(Some((message, bytes))) => desk.take(message, bytes),
            Ok(None) => return,
            Err(error) => {
                tracing::error!(target: "screen", "the station is not heard any more: {error}");
                return;
            }
        }
    }
}

fn speak(mut stream: UnixStream, asks: &Receiver<ToStation>) {
    for ask in asks {
        if let Err(error) = wire::send(&mut stream, &ask, &[]) {
            tracing::error!(target: "screen", "the station does not hear any more: {error}");
            return;
        }
    }
}

impl Station for Front {
    fn news(&mut self) -> News {
        self.desk.with(|told| {
            let mut news = told.news.clone().unwrap_or_else(nothing);
            news.previews = told.previews.values().cloned().collect();
            news
        })
    }

    fn ask(&mut self, command: Command) -> Ask {
        self.asked += 1;
        let ask = Ask(self.asked);
        // Not heard: the station is gone, and this process goes with it.
        let _ = self.to_station.send(ToStation::Ask(ask, command));
        ask
    }

    fn answers(&mut self) -> Vec<(Ask, Answer)> {
        self.desk.with(|told| std::mem::take(&mut told.answers))
    }

    fn developer(&self) -> Developer {
        Arc::clone(&self.developer)
    }

    fn clip(&mut self, part: PartKey, number: u32) -> ClipView {
        self.projector.show(part, number)
    }

    fn keep(&mut self, settings: &Settings) {
        let _ = self.to_station.send(ToStation::Keep(settings.clone()));
    }

    fn look(&mut self, is_looking: bool) {
        if self.looks != is_looking {
            self.looks = is_looking;
            let _ = self.to_station.send(ToStation::Look(is_looking));
        }
    }

    fn wake_by(&mut self, wake: Box<dyn Fn() + Send + Sync>) {
        self.desk.with(|told| told.wake = Some(wake));
        let _ = self.to_station.send(ToStation::Shown);
    }
}

/// What a station that has told nothing is like.
fn nothing() -> News {
    News {
        now: domain::WallTime::default(),
        facts: Arc::new(ui::Facts {
            station: String::new(),
            software: String::new(),
            recipes: vec![],
            in_force: None,
            cameras: vec![],
        }),
        line: None,
        who: None,
        people: Arc::new([]),
        alarms: Arc::new([]),
        calibrations: Arc::new([]),
        calibrating: None,
        previews: vec![],
    }
}
