//! Cameras' newest pictures for people: takes a frame that somebody wished for; gives it small and
//! in colour, with the parts that were answered in it. Costs the camera's thread nothing but a
//! flag, and the frame's buffer for a few milliseconds.

use std::sync::Arc;
use std::time::Duration;

use domain::{CameraId, Frame, RecentPart, RectPx, SizePx, VerdictKind};
use pipeline::capture::peek::Peek;
use pipeline::record::film::shrink::{Shrinker, bytes_of, film_size};
use ui::{Preview, RgbPicture};

/// Longer side of a preview: what a screen shows of it, and cheap to send.
const SIDE_PX: u32 = 960;
/// Parts that were seen longer ago are out of the picture, or nobody knows where.
const SEEN_WITHIN: Duration = Duration::from_secs(2);

/// Makes the previews of one camera.
pub struct Previewer {
    peek: Arc<Peek>,
    shrinker: Shrinker,
    i420: Vec<u8>,
    number: u64,
}

impl Previewer {
    /// Of the camera that puts its frames into `peek`.
    pub fn new(peek: Arc<Peek>) -> Self {
        Self { peek, shrinker: Shrinker::new(SIDE_PX), i420: Vec::new(), number: 0 }
    }

    /// Wishes for the next frame.
    pub fn wish(&self) {
        self.peek.wish();
    }

    /// The picture that was wished for, once it is there.
    pub fn fetch(&mut self, recent: impl FnOnce() -> Vec<RecentPart>) -> Option<Preview> {
        let frame = self.peek.fetch()?;
        let size = film_size(frame.size(), SIDE_PX);
        self.i420.resize(bytes_of(size), 0);
        let size = self.shrinker.shrink(&*frame.pixels, &mut self.i420);
        self.number += 1;
        Some(Preview {
            camera: frame.camera.clone(),
            number: self.number,
            picture: RgbPicture { size, rgb: rgb_from_i420(&self.i420, size) },
            frame_size: frame.size(),
            parts: parts_in(&frame, &recent()),
        })
    }
}

/// Where the parts that were answered lately are in `frame`: as far on as they move.
fn parts_in(frame: &Frame, recent: &[RecentPart]) -> Vec<(RectPx, VerdictKind)> {
    let of_camera = |camera: &Option<CameraId>| camera.as_ref() == Some(&frame.camera);
    let whole = frame.size().rect();
    recent
        .iter()
        .filter(|part| of_camera(&part.camera) && !part.box_in_frame.is_empty())
        .filter(|part| frame.at.mono.since(part.seen_at) < SEEN_WITHIN)
        .filter_map(|part| {
            let after = frame.at.mono.since(part.seen_at).as_secs_f32();
            let area = part.box_in_frame;
            let x = moved(area.x, part.velocity_px_per_s.x * after)?;
            let y = moved(area.y, part.velocity_px_per_s.y * after)?;
            let there = RectPx::new(x, y, area.width, area.height).intersection(&whole)?;
            Some((there, part.verdict))
        })
        .collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within a picture")]
fn moved(from: u32, by: f32) -> Option<u32> {
    let to = from as f32 + by;
    (0.0..65_536.0).contains(&to).then_some(to as u32)
}

/// BT.709, limited range, as the shrinker gives it.
fn rgb_from_i420(i420: &[u8], size: SizePx) -> Vec<u8> {
    let (width, height) = (size.width as usize, size.height as usize);
    let (luma, chroma) = i420.split_at(width * height);
    let (blue, red) = chroma.split_at(width / 2 * (height / 2));
    let mut rgb = Vec::with_capacity(3 * width * height);
    for (y, row) in luma.chunks_exact(width).enumerate() {
        let of_row = y / 2 * (width / 2);
        for (x, &value) in row.iter().enumerate() {
            let at = of_row + x / 2;
            rgb.extend(rgb_from_yuv(value, blue[at], red[at]));
        }
    }
    rgb
}

/// In sixteenths of a bit: 1.164, 1.793, 0.213, 0.533, 2.112 of ITU-R BT.709.
#[expect(clippy::cast_sign_loss, reason = "clamped")]
fn rgb_from_yuv(y: u8, u: u8, v: u8) -> [u8; 3] {
    let (y, u, v) = (i32::from(y) - 16, i32::from(u) - 128, i32::from(v) - 128);
    let light = 76_309 * y + 32_768;
    let byte = |value: i32| (value >> 16).clamp(0, 255) as u8;
    [byte(light + 117_489 * v), byte(light - 13_975 * u - 34_925 * v), byte(light + 138_438 * u)]
}

#[cfg(test)]
mod tests {
    use domain::{CaptureTime, MonoTime, OwnedPixels, PartId, PixelFormat, PointPx, WallTime};

    use super::*;

    fn frame(ms: u64) -> Frame {
        let size = SizePx::new(64, 32);
        let pixels = [200_u8, 40, 90].repeat(64 * 32);
        let pixels = OwnedPixels::new(PixelFormat::Rgb8, size, vec![pixels]).unwrap();
        Frame {
            camera: CameraId::new("top"),
            sequence: 1,
            at: CaptureTime { mono: MonoTime::from_ns(ms * 1_000_000), wall: WallTime::default() },
            origin: None,
            pixels: Arc::new(pixels),
        }
    }

    fn part(x: f32) -> RecentPart {
        RecentPart {
            part: PartId(1),
            verdict: VerdictKind::Reject,
            is_fail_safe: false,
            is_thrown_out: true,
            told_at: MonoTime::from_ns(1),
            took_us: 1,
            camera: Some(CameraId::new("top")),
            seen_at: MonoTime::from_ns(0),
            box_in_frame: RectPx::new(10, 4, 8, 8),
            velocity_px_per_s: PointPx { x, y: 0.0 },
        }
    }

    #[test]
    fn boxes_go_with_their_parts_until_they_leave() {
        let at = |ms, x| parts_in(&frame(ms), &[part(x)]);
        assert_eq!(at(500, 40.0), [(RectPx::new(30, 4, 8, 8), VerdictKind::Reject)]);
        assert_eq!(at(500, 100.0)[0].0, RectPx::new(60, 4, 4, 8), "half out");
        assert!(at(500, 200.0).is_empty() && at(500, -200.0).is_empty(), "gone");
        assert!(at(5_000, 0.0).is_empty(), "too long ago");
        let other = RecentPart { camera: None, ..part(0.0) };
        assert!(parts_in(&frame(1), &[other]).is_empty());
    }

    #[test]
    fn colours_are_those_of_the_camera() {
        let frame = frame(1);
        let mut i420 = vec![0; bytes_of(SizePx::new(64, 32))];
        let size = Shrinker::new(64).shrink(&*frame.pixels, &mut i420);
        let rgb = rgb_from_i420(&i420, size);
        assert_eq!(rgb.len() as u64, 3 * size.area());
        for (got, wanted) in rgb.iter().zip([200, 40, 90].iter().cycle()) {
            assert!(got.abs_diff(*wanted) <= 3, "{got} {wanted}");
        }
        assert_eq!(rgb_from_yuv(16, 128, 128), [0; 3]);
        assert_eq!(rgb_from_yuv(235, 128, 128), [255; 3]);
    }
}
