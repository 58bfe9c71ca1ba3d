//! How long it takes from a crop of a frame to the model's input, for every pixel format; and how
//! much longer the obvious way takes in the same run.
//!
//! The obvious way: turn the whole frame into RGB, crop it, resize the crop with the `image`
//! crate, normalise. It is spared real demosaicing: a Bayer pixel takes its cell's samples.
//! Crops are taken all over the frame, so that none is in the cache from before; all cases take
//! turns. One thread, wall time.

use std::hint::black_box;
use std::process::ExitCode;

use domain::{OwnedPixels, PixelFormat, Pixels, RectPx, SizePx, Tensor};
use image::RgbImage;
use image::imageops::{FilterType, crop_imm, resize};
use models::{InputSpec, Shaper};
use pipeline::clock::{Clock, RealClock};
use pipeline::stage::Timing;
use serde_json::json;
use sightline_benches::report::Report;
use sightline_benches::subject::{CAMERAS, Camera, model};
use sightline_benches::{Failure, bench};

const ROUNDS: u32 = 10;
/// Crops a round and case.
const CROPS: u32 = 18;

struct Case {
    camera: &'static Camera,
    pixels: OwnedPixels,
    ours: Timing,
    obvious: Timing,
}

impl Case {
    fn turn(&mut self, round: u32, clock: &RealClock, shaper: &mut Shaper, input: &InputSpec) {
        let mut tensor = input.tensor();
        for number in 0..CROPS {
            let crop = crop(self.camera, number);
            let start = clock.now();
            let done = shaper.prepare(&self.pixels, crop, &mut tensor);
            self.ours.add(clock.now().since(start));
            assert!(done.is_ok() && black_box(&tensor).data.iter().all(|it| it.is_finite()));
        }
        let start = clock.now();
        obvious(&self.pixels, crop(self.camera, round % CROPS), input, &mut tensor);
        self.obvious.add(clock.now().since(start));
        black_box(&tensor);
    }
}

/// Place `number` of a grid of six by three that covers the frame.
fn crop(camera: &Camera, number: u32) -> RectPx {
    let (side, SizePx { width, height }) = (camera.crop_px, camera.size);
    RectPx::new((width - side) / 5 * (number % 6), (height - side) / 2 * (number / 6), side, side)
}

/// Neither way asks what is on the picture, only where it lies.
fn pattern(format: PixelFormat, size: SizePx) -> Option<OwnedPixels> {
    let plane = |(row_bytes, rows)| (0..=250_u8).cycle().take(row_bytes * rows).collect();
    OwnedPixels::new(format, size, format.planes(size).into_iter().map(plane).collect())
}

fn obvious(pixels: &dyn Pixels, crop: RectPx, input: &InputSpec, tensor: &mut Tensor) {
    let SizePx { width, height } = pixels.size();
    let mut whole = RgbImage::new(width, height);
    for (y, row) in whole.chunks_exact_mut(3 * width as usize).enumerate() {
        rgb_row(pixels, y, row);
    }
    let part = crop_imm(&whole, crop.x, crop.y, crop.width, crop.height).to_image();
    let small = resize(&part, input.width, input.height, FilterType::Triangle);
    let area = tensor.data.len() / 3;
    for (at, pixel) in small.pixels().enumerate() {
        for (channel, value) in pixel.0.into_iter().enumerate() {
            tensor.data[channel * area + at] =
                (f32::from(value) / 255.0 - input.mean[channel]) / input.std[channel];
        }
    }
}

fn rgb_row(pixels: &dyn Pixels, y: usize, out: &mut [u8]) {
    let row = pixels.plane(0).row(y);
    let out = out.as_chunks_mut::<3>().0.iter_mut();
    match pixels.format() {
        PixelFormat::Gray8 => out.zip(row).for_each(|(rgb, gray)| *rgb = [*gray; 3]),
        PixelFormat::Gray16Le => {
            out.zip(row.as_chunks().0).for_each(|(rgb, [_, high])| *rgb = [*high; 3]);
        }
        PixelFormat::Rgb8 => out.zip(row.as_chunks().0).for_each(|(rgb, from)| *rgb = *from),
        PixelFormat::Bgr8 => {
            out.zip(row.as_chunks().0).for_each(|(rgb, [b, g, r])| *rgb = [*r, *g, *b]);
        }
        PixelFormat::Nv12 => {
            let uv = pixels.plane(1).row(y / 2).as_chunks().0;
            out.zip(row).enumerate().for_each(|(x, (rgb, luma))| {
                let [u, v] = uv[x / 2];
                *rgb = rgb_from_yuv(*luma, u, v);
            });
        }
        PixelFormat::I420 => {
            let (u, v) = (pixels.plane(1).row(y / 2), pixels.plane(2).row(y / 2));
            out.zip(row).enumerate().for_each(|(x, (rgb, luma))| {
                *rgb = rgb_from_yuv(*luma, u[x / 2], v[x / 2]);
            });
        }
        bayer => {
            let cell = [pixels.plane(0).row(y & !1), pixels.plane(0).row(y | 1)];
            let [red, green] = match bayer {
                PixelFormat::BayerRggb8 => [(0, 0), (0, 1)],
                PixelFormat::BayerBggr8 => [(1, 1), (0, 1)],
                PixelFormat::BayerGrbg8 => [(0, 1), (0, 0)],
                _ => [(1, 0), (0, 0)],
            };
            let blue = (1 - red.0, 1 - red.1);
            out.enumerate().for_each(|(x, rgb)| {
                *rgb = [red, green, blue].map(|(down, right)| cell[down][(x & !1) + right]);
            });
        }
    }
}

/// BT.601, limited range, in whole numbers.
fn rgb_from_yuv(y: u8, u: u8, v: u8) -> [u8; 3] {
    let (y, u, v) = (298 * (i32::from(y) - 16), i32::from(u) - 128, i32::from(v) - 128);
    [y + 409 * v, y - 100 * u - 208 * v, y + 516 * u]
        .map(|sum| u8::try_from(((sum + 128) >> 8).clamp(0, 255)).unwrap_or(u8::MAX))
}

fn measure(report: &mut Report) -> Result<(), Failure> {
    let input = model("simulated-parts")?.input().clone();
    let mut shaper = Shaper::new(input.clone());
    let clock = RealClock::start();
    let mut cases = Vec::new();
    for format in PixelFormat::ALL {
        for camera in &CAMERAS {
            let pixels = pattern(format, camera.size).ok_or("no such picture")?;
            let (ours, obvious) = (Timing::default(), Timing::default());
            cases.push(Case { camera, pixels, ours, obvious });
        }
    }
    for round in 0..ROUNDS {
        cases.iter_mut().for_each(|case| case.turn(round, &clock, &mut shaper, &input));
    }
    for case in &cases {
        let ours = case.ours.tail().ok_or("nothing was measured")?;
        let obvious = case.obvious.tail().ok_or("nothing was measured")?;
        report.row(vec![
            ("format", json!(case.pixels.format())),
            ("camera", json!(case.camera.name)),
            ("crop", json!(format!("{0}x{0}", case.camera.crop_px))),
            ("crops", json!(ours.count)),
            ("p50_ms", json!(ours.p50)),
            ("p99_ms", json!(ours.p99)),
            ("obvious_p50_ms", json!(obvious.p50)),
            ("of", json!(obvious.count)),
            ("times_as_long", json!(obvious.p50 / ours.p50)),
        ]);
    }
    report.note(format!("each crop becomes {}, three channels of f32", input.size()));
    Ok(())
}

fn main() -> ExitCode {
    bench("prepare", env!("CARGO_TARGET_TMPDIR"), measure)
}
