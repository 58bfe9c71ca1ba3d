//! The line simulator as a live camera. Takes a scene; gives its frames at their own pace, round
//! and round, from memory: what it costs while it runs is next to nothing.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, never};
use domain::{CameraId, CaptureTime, Frame, MonoTime, Pixels};
use serde::{Deserialize, Serialize};

use super::stamps::{offset_at_fps, period_from_fps, wall_at};
use super::synthetic::{Renderer, Scene, SceneConfig};
use super::{CaptureError, Next, PATIENCE, Source, SourceInfo};
use crate::clock::Clock;
use crate::limits::{CAMERA_FRAMES_WAITING, SYNTHETIC_MIB_MAX};

/// Frames of the empty belt before the first part comes and after the last has gone.
const MARGIN: u64 = 2;

/// The line simulator as a live camera. All frames are rendered when it is opened and held in
/// memory: fewer parts take less of both time and memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RealTimeConfig {
    /// The parts that come round and round.
    pub scene: SceneConfig,
    /// How many parts come in a second on average; without it as many as the scene has. Fewer are
    /// had by an empty belt before they come round again.
    pub parts_per_s: Option<f64>,
}

/// A scene in memory.
pub(super) struct RealTime {
    info: SourceInfo,
    fps: f64,
    camera: CameraId,
    clock: Arc<dyn Clock>,
    began: MonoTime,
    sequence: u64,
    /// At least one.
    pool: Vec<Arc<dyn Pixels>>,
    /// Nothing ever comes here; what is waited on.
    nothing: Receiver<()>,
}

/// Renders the scene, which takes a while; time begins when it is done.
pub(super) fn open(
    config: &RealTimeConfig,
    camera: CameraId,
    clock: Arc<dyn Clock>,
) -> Result<RealTime, CaptureError> {
    let fps = config.scene.fps;
    let scene = Arc::new(Scene::new(&config.scene)?);
    period_from_fps(fps)?;
    let frames = frames_of_loop(&scene, config)?;
    let mib = check_memory(config, &frames)?;
    tracing::info!(
        %camera, mib, frames = frames.end - frames.start,
        "the simulated camera's pictures are rendered and kept in memory"
    );
    let pool = render(&scene, frames)?;
    let info = SourceInfo { fps: Some(fps), live: true, simulated: true, ..SourceInfo::default() };
    let began = clock.now();
    Ok(RealTime { info, fps, camera, clock, began, sequence: 0, pool, nothing: never() })
}

/// Which frames of the scene come round and round: from an empty belt to an empty belt, so that no
/// part jumps where the loop closes.
fn frames_of_loop(scene: &Scene, config: &RealTimeConfig) -> Result<Range<u64>, CaptureError> {
    let parts = &scene.truth().parts;
    let first = parts.iter().map(|part| part.entry_frame).min();
    let last = parts.iter().map(|part| part.exit_frame).max();
    let (Some(first), Some(last)) = (first, last) else {
        return Ok(0..scene.frames());
    };
    let begin = first.saturating_sub(MARGIN);
    let end = last + 1 + MARGIN;
    let Some(wanted) = config.parts_per_s else {
        return Ok(begin..end);
    };
    #[expect(clippy::cast_precision_loss, reason = "frames and parts are far below 2^52")]
    let (least, parts) = ((end - begin) as f64, parts.len() as f64);
    let length = parts * config.scene.fps / wanted;
    if !(length.is_finite() && wanted > 0.0 && length.round() >= least) {
        let most = parts * config.scene.fps / least;
        return Err(CaptureError::Setting {
            key: "parts_per_s",
            value: wanted.to_string(),
            right: format!(
                "above 0 and at most {most:.2} with this scene; more parts, more lanes, or a \
                 faster belt allow more"
            ),
        });
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number, saturating; its memory is looked at next"
    )]
    Ok(begin..begin.saturating_add(length.round() as u64))
}

/// How much memory the frames take, in MiB.
fn check_memory(config: &RealTimeConfig, frames: &Range<u64>) -> Result<u64, CaptureError> {
    let planes = config.scene.format.planes(config.scene.size);
    let bytes: u64 = planes.iter().map(|(row, rows)| *row as u64 * *rows as u64).sum();
    let count = frames.end - frames.start;
    let mib = bytes.saturating_mul(count).div_ceil(1 << 20);
    if mib <= SYNTHETIC_MIB_MAX {
        return Ok(mib);
    }
    Err(CaptureError::SceneTooLarge { frames: count, mib, most_mib: SYNTHETIC_MIB_MAX })
}

fn render(scene: &Arc<Scene>, frames: Range<u64>) -> Result<Vec<Arc<dyn Pixels>>, CaptureError> {
    let mut pool: Vec<Arc<dyn Pixels>> = Vec::new();
    let mut renderer = Renderer::start(scene, frames.clone())?;
    for _ in frames {
        pool.push(Arc::new(renderer.wait()?));
    }
    Ok(pool)
}

impl Source for RealTime {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, CaptureError> {
        let now = self.clock.now();
        self.skip_to(now);
        let mut left = self.due().since(now);
        if !left.is_zero() {
            let _ = self.nothing.recv_timeout(left.min(PATIENCE));
            left = self.due().since(self.clock.now());
        }
        Ok(if left.is_zero() { Next::Frame(self.frame()) } else { Next::Waiting })
    }
}

impl RealTime {
    /// When the next frame is exposed; counted from the start, so that no error adds up.
    fn due(&self) -> MonoTime {
        self.began.plus(offset_at_fps(self.sequence, self.fps))
    }

    /// Leaves out what a camera would have dropped: all but the latest few that are due.
    fn skip_to(&mut self, now: MonoTime) {
        let running: Duration = now.since(self.began);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a positive count"
        )]
        let latest = (running.as_secs_f64() * self.fps) as u64;
        let kept = u64::from(CAMERA_FRAMES_WAITING);
        self.sequence = self.sequence.max((latest + 1).saturating_sub(kept));
    }

    fn frame(&mut self) -> Frame {
        let sequence = self.sequence;
        let mono = self.due();
        self.sequence += 1;
        let place = usize::try_from(sequence % self.pool.len() as u64).unwrap_or(0);
        Frame {
            camera: self.camera.clone(),
            sequence,
            at: CaptureTime { mono, wall: wall_at(&*self.clock, mono) },
            origin: None,
            pixels: Arc::clone(&self.pool[place]),
        }
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]
mod tests {
    use domain::{PixelFormat, SizePx};

    use super::*;
    use crate::clock::SimulatedClock;

    fn config(parts: u32, parts_per_s: Option<f64>) -> RealTimeConfig {
        let size = SizePx::new(96, 64);
        let scene = SceneConfig { parts, size, fps: 100.0, ..SceneConfig::default() };
        RealTimeConfig { scene, parts_per_s }
    }

    fn open_at(config: &RealTimeConfig, clock: &Arc<SimulatedClock>) -> RealTime {
        open(config, CameraId::new("test"), clock.clone()).unwrap()
    }

    fn take(source: &mut RealTime) -> Option<Frame> {
        match source.next().unwrap() {
            Next::Frame(frame) => Some(frame),
            Next::Waiting => None,
            other => panic!("{other:?}"),
        }
    }

    fn ms(ms: u64) -> MonoTime {
        MonoTime::from_ns(ms * 1_000_000)
    }

    #[test]
    fn each_frame_comes_when_it_is_due_and_never_before() {
        let clock = Arc::new(SimulatedClock::default());
        clock.set(ms(1000));
        let mut source = open_at(&config(2, None), &clock);
        assert!(source.info().live && source.info().frames_total.is_none());
        for n in 0..3 * source.pool.len() as u64 {
            clock.set(ms(1000 + n * 10));
            let frame = take(&mut source).unwrap();
            assert_eq!((frame.sequence, frame.at.mono), (n, ms(1000 + n * 10)));
            assert!(Arc::ptr_eq(&frame.pixels, &source.pool[n as usize % source.pool.len()]));
        }
        assert!(take(&mut source).is_none(), "the next one is not due");
    }

    #[test]
    fn who_is_late_misses_frames_and_sees_it_in_their_numbers() {
        let clock = Arc::new(SimulatedClock::default());
        let mut source = open_at(&config(1, None), &clock);
        assert_eq!(take(&mut source).unwrap().sequence, 0);
        // Ten frames late; the latest few are still there.
        clock.set(ms(100));
        let late: Vec<_> = std::iter::from_fn(|| take(&mut source).map(|it| it.sequence)).collect();
        let kept = u64::from(CAMERA_FRAMES_WAITING);
        assert_eq!(late, (11 - kept..=10).collect::<Vec<_>>());
        clock.set(ms(113));
        let frame = take(&mut source).unwrap();
        assert_eq!(
            (frame.sequence, frame.at.mono, frame.at.wall.unix_ns),
            (11, ms(110), 110_000_000)
        );
    }

    #[test]
    fn after_weeks_it_has_not_drifted() {
        let clock = Arc::new(SimulatedClock::default());
        let mut config = config(1, None);
        config.scene.fps = 29.97;
        let mut source = open_at(&config, &clock);
        let month = Duration::from_secs(30 * 24 * 3600);
        clock.set(MonoTime::ZERO.plus(month));
        let frame = take(&mut source).unwrap();
        let ideal = (month.as_secs_f64() * 29.97) as u64;
        let ideal = ideal + 1 - u64::from(CAMERA_FRAMES_WAITING);
        assert!(frame.sequence.abs_diff(ideal) <= 1, "{} {ideal}", frame.sequence);
        assert!(frame.at.mono <= clock.now());
    }

    #[test]
    fn the_loop_begins_and_ends_with_an_empty_belt_and_meets_the_rate() {
        for (parts, rate) in [(1, None), (5, None), (5, Some(3.0)), (0, None)] {
            let config = config(parts, rate);
            let scene = Scene::new(&config.scene).unwrap();
            let frames = frames_of_loop(&scene, &config).unwrap();
            let visible = |frame| {
                scene
                    .truth()
                    .parts
                    .iter()
                    .any(|part| (part.entry_frame..=part.exit_frame).contains(&frame))
            };
            assert!(!visible(frames.start) && !visible(frames.end - 1));
            assert!(scene.truth().parts.iter().all(|part| frames.contains(&part.centre_frame)));
            if let Some(rate) = rate {
                let got = f64::from(parts) * 100.0 / (frames.end - frames.start) as f64;
                assert!((got / rate - 1.0).abs() < 0.01, "{got}");
            }
        }
    }

    #[test]
    fn what_cannot_be_had_is_refused_with_what_can() {
        let clock: Arc<SimulatedClock> = Arc::default();
        let refused = |config: &RealTimeConfig| {
            open(config, CameraId::new("test"), clock.clone()).err().unwrap().to_string()
        };
        for rate in [1e6, 0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = refused(&config(3, Some(rate)));
            assert!(error.contains("parts_per_s") && error.contains("at most"), "{error}");
        }
        let mut large = config(100_000, None);
        large.scene.size = SizePx::new(640, 480);
        let error = refused(&large);
        assert!(error.contains("MiB") && error.contains("parts"), "{error}");
        let mut odd = config(1, None);
        odd.scene.format = PixelFormat::Nv12;
        odd.scene.lanes = 0;
        assert!(refused(&odd).contains("lanes"));
    }
}
