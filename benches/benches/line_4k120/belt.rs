//! A camera over a belt without end: takes a scene, rendered once into a pool of frames; gives
//! them in a circle by the clock, as a camera's DMA does.
//!
//! Handing out a frame costs a reference count. The circle starts and ends with an empty belt, so
//! each round shows the same parts, all whole.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Builder};
use std::time::Duration;

use domain::{CameraId, CaptureTime, Frame, MonoTime, PixelFormat, Pixels, RectPx, SizePx};
use pipeline::capture::{CaptureError, Next, Source, SourceInfo};
use pipeline::clock::Clock;
use sightline_benches::Failure;
use sightline_benches::report::cores;
use sightline_benches::subject;
use testdata::{Scene, SceneConfig};

/// Frames that the driver holds for a reader who is late, as V4L2 and GigE drivers do; what is
/// older is lost.
const DRIVER_FRAMES: u64 = 4;

/// The camera's rate.
pub const FPS: f64 = 120.0;
/// Parts in a round: a little more than ten a second.
const PARTS: u32 = 12;

/// What `camera` films.
pub fn scene(camera: &subject::Camera, format: PixelFormat) -> SceneConfig {
    SceneConfig { seed: 4, fps: FPS, defect_rate: 0.25, ..camera.scene(format, PARTS) }
}

/// What a camera sees, over and over.
pub struct Film {
    /// Round by round.
    pub frames: Vec<Arc<dyn Pixels>>,
    /// In a round: whether each part is bad, in the order of the middle of the picture, and where
    /// it is then.
    pub parts: Vec<FilmedPart>,
    /// How it was made.
    pub scene: SceneConfig,
}

/// A part, in the frame in which it is in the middle.
pub struct FilmedPart {
    pub is_bad: bool,
    pub frame: usize,
    pub middle: (u32, u32),
}

impl Film {
    /// Renders `scene` on every core.
    pub fn shoot(scene: &SceneConfig) -> Result<Arc<Self>, Failure> {
        let footage = Scene::new(scene)?;
        let frames = rendered(&footage)?;
        let middle = |from: i64, length: u32| -> Result<u32, Failure> {
            Ok(u32::try_from(from + i64::from(length / 2))?)
        };
        let parts = footage.truth().parts.iter().map(|part| {
            Ok(FilmedPart {
                is_bad: part.label != "ok",
                frame: usize::try_from(part.centre_frame)?,
                middle: (middle(part.x, part.width)?, middle(part.y, part.height)?),
            })
        });
        let parts = parts.collect::<Result<_, Failure>>()?;
        Ok(Arc::new(Self { frames, parts, scene: scene.clone() }))
    }

    /// Frames of a round.
    pub fn len(&self) -> u64 {
        self.frames.len() as u64
    }

    /// Rounds that take at least `seconds` at `fps`.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few rounds of a few hundred frames"
    )]
    pub fn rounds(&self, seconds: f64, fps: f64) -> u64 {
        ((seconds * fps / self.len() as f64).ceil() as u64).max(1)
    }

    /// Bytes of one frame.
    pub fn frame_bytes(&self) -> usize {
        let planes = self.scene.format.planes(self.scene.size);
        planes.into_iter().map(|(row_bytes, rows)| row_bytes * rows).sum()
    }

    /// Bytes of all frames.
    pub fn bytes(&self) -> usize {
        self.frame_bytes() * self.frames.len()
    }

    /// What a model is shown of `part`: a square of `side` around its middle.
    pub fn crop(&self, part: &FilmedPart, side: u32) -> RectPx {
        let SizePx { width, height } = self.scene.size;
        let from = |middle: u32, end: u32| middle.saturating_sub(side / 2).min(end - side);
        RectPx::new(from(part.middle.0, width), from(part.middle.1, height), side, side)
    }
}

fn rendered(scene: &Scene) -> Result<Vec<Arc<dyn Pixels>>, Failure> {
    let all = Mutex::new(Vec::new());
    let next = AtomicU64::new(0);
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= scene.frames() {
                return;
            }
            let frame = Arc::new(scene.render(at)) as Arc<dyn Pixels>;
            all.lock().unwrap_or_else(PoisonError::into_inner).push((at, frame));
        }
    };
    thread::scope(|scope| {
        for index in 0..cores() {
            Builder::new().name(format!("scene-{index}")).spawn_scoped(scope, work)?;
        }
        Ok::<(), Failure>(())
    })?;
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.sort_by_key(|(at, _)| *at);
    Ok(all.into_iter().map(|(_, frame)| frame).collect())
}

/// What a camera can say of itself when all is over.
#[derive(Default)]
pub struct Exposed {
    /// Frames that it exposed.
    pub frames: AtomicU64,
    /// Of these, lost because the reader was later than the driver can bear.
    pub lost: AtomicU64,
    /// How long after its exposure each frame was taken, in milliseconds.
    pub taken_after_ms: Mutex<Vec<f64>>,
}

/// The camera.
pub struct Camera {
    info: SourceInfo,
    film: Arc<Film>,
    id: CameraId,
    clock: Arc<dyn Clock>,
    fps: f64,
    /// Of the first frame.
    began: Option<CaptureTime>,
    next: u64,
    total: u64,
    exposed: Arc<Exposed>,
}

impl Camera {
    /// Shows `rounds` of `film` at `fps` from when it is first asked for a frame; without `live`
    /// as fast as it is asked.
    pub fn new(
        film: &Arc<Film>,
        id: CameraId,
        clock: &Arc<dyn Clock>,
        (fps, live): (f64, bool),
        rounds: u64,
    ) -> (Self, Arc<Exposed>) {
        let exposed = Arc::<Exposed>::default();
        let info = SourceInfo { fps: Some(fps), live, ..SourceInfo::default() };
        let camera = Self {
            info,
            film: Arc::clone(film),
            id,
            clock: Arc::clone(clock),
            fps,
            began: None,
            next: 0,
            total: rounds * film.len(),
            exposed: Arc::clone(&exposed),
        };
        (camera, exposed)
    }

    #[expect(clippy::cast_precision_loss, reason = "frame numbers are far below 2^52")]
    fn time_of(&self, began: CaptureTime, sequence: u64) -> CaptureTime {
        let offset = Duration::from_secs_f64(sequence as f64 / self.fps);
        CaptureTime { mono: began.mono.plus(offset), wall: began.wall.plus(offset) }
    }

    /// Waits for the exposure of the next frame; a reader that is too late loses the oldest.
    fn wait(&mut self, began: CaptureTime) -> MonoTime {
        let mut now = self.clock.now();
        while now < self.time_of(began, self.next).mono {
            thread::park_timeout(self.time_of(began, self.next).mono.since(now));
            now = self.clock.now();
        }
        while self.next + DRIVER_FRAMES < self.total
            && self.time_of(began, self.next + DRIVER_FRAMES).mono <= now
        {
            self.next += 1;
            self.exposed.lost.fetch_add(1, Ordering::Relaxed);
        }
        now
    }
}

impl Source for Camera {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, CaptureError> {
        self.exposed.frames.store(self.next, Ordering::Relaxed);
        if self.next == self.total {
            return Ok(Next::End);
        }
        let now = || CaptureTime { mono: self.clock.now(), wall: self.clock.wall() };
        let began = *self.began.get_or_insert_with(now);
        if self.info.live {
            let now = self.wait(began);
            let late = now.since(self.time_of(began, self.next).mono);
            if let Ok(mut after) = self.exposed.taken_after_ms.lock() {
                after.push(late.as_secs_f64() * 1e3);
            }
        }
        let index = usize::try_from(self.next % self.film.len()).unwrap_or_default();
        let frame = Frame {
            camera: self.id.clone(),
            sequence: self.next,
            at: self.time_of(began, self.next),
            origin: None,
            pixels: Arc::clone(&self.film.frames[index]),
        };
        self.next += 1;
        Ok(Next::Frame(frame))
    }
}
