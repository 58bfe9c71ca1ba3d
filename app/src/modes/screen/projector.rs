//! Plays clips on the screen: takes a part; gives the pictures of its clip one by one, as far as
//! they are decoded. One clip at a time is kept in memory; decoding is a thread of its own.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use anyhow::{Context, Result};
use domain::{CaptureTime, PartKey};
use pipeline::capture::{self, Next, SourceConfig};
use store::{Clip, ClipFilter, Reader, RunId};
use ui::station::Developer;
use ui::{ClipFrame, ClipView};

/// Longer side of a picture: a clip is looked at beside the part's own picture.
const SIDE_PX: u32 = 640;
/// Longer clips are shown as far as this: half a minute at 30 pictures a second.
const PICTURES_MOST: usize = 900;

/// What is there of the clip that is shown.
#[derive(Default)]
struct Reel {
    part: Option<PartKey>,
    frames: Vec<Arc<ClipFrame>>,
    /// No more will come.
    is_over: bool,
    trouble: Option<String>,
}

/// Shows clips.
pub struct Projector {
    reel: Arc<Mutex<Reel>>,
    wants: Sender<PartKey>,
}

fn lock(reel: &Mutex<Reel>) -> MutexGuard<'_, Reel> {
    reel.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Projector {
    /// Over the store in `folder`; `wake` is called when a picture has come.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub fn new(
        folder: PathBuf,
        developer: Developer,
        wake: impl Fn() + Send + 'static,
    ) -> std::io::Result<Self> {
        let reel = Arc::<Mutex<Reel>>::default();
        let (wants, wanted) = channel();
        let shown = Arc::clone(&reel);
        let show = move || Machine { folder, developer, reel: shown, wake }.run(&wanted);
        Builder::new().name("projector".to_owned()).spawn(show)?;
        Ok(Self { reel, wants })
    }

    /// The picture with `number` of the clip that shows `part`, or the last when there are fewer.
    pub fn show(&self, part: PartKey, number: u32) -> ClipView {
        let mut reel = lock(&self.reel);
        if reel.part != Some(part) {
            *reel = Reel { part: Some(part), ..Reel::default() };
            // Nobody to hear it: the program ends.
            let _ = self.wants.send(part);
        }
        let frame = reel.frames.get(number as usize);
        let frame = frame.or_else(|| reel.frames.last().filter(|_| reel.is_over));
        match (frame, &reel.trouble, reel.is_over) {
            (Some(frame), ..) => ClipView::Frame(Arc::clone(frame)),
            (None, Some(trouble), _) => ClipView::Failed(trouble.clone()),
            (None, None, true) => ClipView::None,
            (None, None, false) => ClipView::Waiting,
        }
    }
}

/// Decodes what is wanted.
struct Machine<W> {
    folder: PathBuf,
    developer: Developer,
    reel: Arc<Mutex<Reel>>,
    wake: W,
}

impl<W: Fn()> Machine<W> {
    fn run(&self, wanted: &Receiver<PartKey>) {
        while let Ok(mut part) = wanted.recv() {
            // Only the last one is still looked at.
            part = wanted.try_iter().last().unwrap_or(part);
            let done = self.decode(part);
            let mut reel = lock(&self.reel);
            if reel.part == Some(part) {
                reel.is_over = true;
                reel.trouble = done.err().map(|error| format!("{error:#}"));
            }
            drop(reel);
            (self.wake)();
        }
    }

    fn decode(&self, part: PartKey) -> Result<()> {
        let Some(clip) = self.clip_of(part)? else { return Ok(()) };
        let judged = clip.parts.iter().find(|it| it.part == part.part).and_then(|it| it.picture);
        let config = SourceConfig::File { path: clip.path.clone(), pixel_format: None };
        let camera = clip.camera.clone();
        let mut source = capture::open(&config, camera, CaptureTime::default())?;
        let mut last_ms = None;
        let of = u32::try_from(clip.pictures).unwrap_or(u32::MAX);
        for number in 0_u32.. {
            let frame = loop {
                match source.next()? {
                    Next::Frame(frame) => break frame,
                    Next::Waiting => {}
                    Next::End | Next::Lost(_) | Next::Back(_) => return Ok(()),
                }
            };
            let at_ms = frame.at.mono.ns / 1_000_000;
            let lasts_ms = at_ms - last_ms.replace(at_ms).unwrap_or(at_ms);
            let picture = (self.developer)(&*frame.pixels, SIDE_PX);
            let picture = picture.context("the clip's pixels do not fit their format")?;
            let judged = judged.and_then(|picture| u32::try_from(picture).ok());
            let frame = ClipFrame { picture, number, of, at_ms, lasts_ms: 33, judged };
            if !self.keep(part, frame, lasts_ms) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Keeps a picture, which says how long the one before it lasts; whether more are wanted.
    fn keep(&self, part: PartKey, frame: ClipFrame, before_lasts_ms: u64) -> bool {
        let mut reel = lock(&self.reel);
        if reel.part != Some(part) {
            return false;
        }
        if let Some(before) = reel.frames.last_mut().filter(|_| before_lasts_ms > 0) {
            let longer = ClipFrame { lasts_ms: before_lasts_ms, ..ClipFrame::clone(before) };
            *before = Arc::new(longer);
        }
        reel.frames.push(Arc::new(frame));
        let is_enough = reel.frames.len() >= PICTURES_MOST;
        drop(reel);
        (self.wake)();
        !is_enough
    }

    /// The newest clip that shows the part and is on this disk.
    fn clip_of(&self, key: PartKey) -> Result<Option<Clip>> {
        let part = Some((RunId(key.run), key.part));
        let filter = ClipFilter { part, limit: Some(1), ..ClipFilter::default() };
        Ok(Reader::open(&self.folder)?.clips(&filter)?.pop())
    }
}
