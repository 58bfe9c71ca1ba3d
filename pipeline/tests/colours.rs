//! A scene in colour, seen through a lens that bends, under a lamp that shades, by a camera that is
//! not black in the dark, of a part that lies turned: what the model sees of it is the scene as it
//! is, whatever the camera sends, and costs no memory that grows with the picture.
#![expect(clippy::unwrap_used, reason = "a test that stops has failed")]

use std::collections::BTreeMap;
use std::sync::Arc;

use calibration::flat_field::{Exposure, FlatFieldLimits, FlatFieldStudy};
use calibration::profile::CameraNote;
use calibration::{Calibration, Lens, Picture, Profile, Px};
use domain::{
    CameraId, CaptureTime, Frame, OwnedPixels, Part, PartCondition, PartId, PixelFormat, Pixels,
    Recipe, RectPx, SizePx, StageTimes, Tensor, View,
};
use models::{Colour, InputSpec, Resize};
use sightline_pipeline::clock::SimulatedClock;
use sightline_pipeline::prepare::{Calibrated, Calibrations, Preparer};

const SIZE: SizePx = SizePx::new(640, 480);
/// Off the middle, where the lens bends most; odd, as mosaics and chroma come in pairs.
const CROP: RectPx = RectPx::new(401, 259, 192, 160);
const BLACK: f64 = 6.0;
const SHEET: f64 = 180.0;
const TURN_DEG: f64 = 7.0;

fn lens() -> Lens {
    Lens {
        size: SIZE,
        focal_px: [700.0, 705.0],
        centre_px: Px::new(322.0, 236.0),
        distortion: [-0.24, 0.05, 0.0, 0.0, 0.0],
        sd: calibration::lens::LensSd::default(),
    }
}

/// How much of the lamp's light is at a place of the camera's picture: 1.1 in the middle of it,
/// 0.75 in a corner.
fn light(at: Px) -> f64 {
    let (u, v) = ((at.x - 280.0) / 320.0, (at.y - 220.0) / 240.0);
    1.1 - 0.15 * (u * u + v * v)
}

/// 1 inside, 0 outside, and soft between, so that what is between pixels is known.
fn soft(inside_px: f64) -> f64 {
    let t = (inside_px / 10.0 + 0.5).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Red, green and blue of the part as it should lie, `u` and `v` from the crop's middle.
fn ideal(u: f64, v: f64) -> [f64; 3] {
    let within =
        |x0: f64, x1: f64, y0: f64, y1: f64| soft((u - x0).min(x1 - u).min(v - y0).min(y1 - v));
    let layers = [
        (within(-60.0, 60.0, -20.0, 20.0), [190.0, 110.0, 40.0]),
        (within(22.0, 50.0, 0.0, 50.0), [50.0, 170.0, 80.0]),
        (soft(10.0 - (u + 36.0).hypot(v)), [60.0, 70.0, 120.0]),
    ];
    layers.iter().fold([60.0, 70.0, 120.0], |below, (cover, colour)| {
        std::array::from_fn(|i| below[i] * (1.0 - cover) + colour[i] * cover)
    })
}

fn middle() -> Px {
    let half = |start: u32, length: u32| f64::from(start) + (f64::from(length) - 1.0) / 2.0;
    Px::new(half(CROP.x, CROP.width), half(CROP.y, CROP.height))
}

/// What the camera makes of the scene at a pixel of its picture.
fn seen(x: usize, y: usize, lens: &Lens) -> [f64; 3] {
    let at = Px::new(px(x), px(y));
    let (straight, middle) = (lens.undistort_px(at), lens.undistort_px(middle()));
    let (u, v) = (straight.x - middle.x - 3.0, straight.y - middle.y + 2.0);
    let (sin, cos) = TURN_DEG.to_radians().sin_cos();
    ideal(cos * u + sin * v, cos * v - sin * u).map(|value| BLACK + value * light(at))
}

fn px(index: usize) -> f64 {
    f64::from(u32::try_from(index).unwrap())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a byte")]
fn byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

fn luma([r, g, b]: [f64; 3]) -> f64 {
    0.299 * r + 0.587 * g + 0.114 * b
}

/// A picture in `format` of the colours that `at` gives.
fn picture(format: PixelFormat, at: impl Fn(usize, usize) -> [f64; 3]) -> OwnedPixels {
    let chroma = |x: usize, y: usize| {
        let four = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(i, j)| at(2 * x + i, 2 * y + j));
        let mean: [f64; 3] = std::array::from_fn(|i| four.iter().map(|rgb| rgb[i]).sum::<f64>());
        let mean = mean.map(|sum| sum / 4.0);
        let y = luma(mean);
        [(mean[2] - y) / 1.772, (mean[0] - y) / 1.402].map(|c| byte(c * 224.0 / 255.0 + 128.0))
    };
    let plane = |plane: usize, x: usize, y: usize| match (format, plane) {
        (PixelFormat::Rgb8, _) => byte(at(x / 3, y)[x % 3]),
        (PixelFormat::Bgr8, _) => byte(at(x / 3, y)[2 - x % 3]),
        (PixelFormat::Nv12 | PixelFormat::I420, 0) => byte(luma(at(x, y)) * 219.0 / 255.0 + 16.0),
        (PixelFormat::Nv12, _) => chroma(x / 2, y)[x % 2],
        (PixelFormat::I420, plane) => chroma(x, y)[plane - 1],
        // Green where columns and rows differ; GRBG has red first in odd columns.
        (PixelFormat::BayerGrbg8, _) => byte(at(x, y)[[[1, 0], [2, 1]][y % 2][x % 2]]),
        (PixelFormat::Gray8, _) => byte(luma(at(x, y))),
        (other, _) => panic!("{other}"),
    };
    let planes = format.planes(SIZE).into_iter().enumerate().map(|(index, (row_bytes, rows))| {
        let places = (0..rows).flat_map(|y| (0..row_bytes).map(move |x| (x, y)));
        places.map(|(x, y)| plane(index, x, y)).collect()
    });
    OwnedPixels::new(format, SIZE, planes.collect()).unwrap()
}

/// The calibration of that camera, and how much brighter than the scene it gives it.
fn calibration() -> (Calibration, f64) {
    let exposure = Exposure { exposure_us: 100.0, gain_db: 0.0 };
    let mut study = FlatFieldStudy::new(SIZE, exposure, FlatFieldLimits::default()).unwrap();
    let of = |sheet: f64| {
        picture(PixelFormat::Gray8, |x, y| [BLACK + sheet * light(Px::new(px(x), px(y))); 3])
    };
    let (bright, dark) = (of(SHEET), of(0.0));
    let luma = |pixels: &OwnedPixels| pixels.plane(0).data.to_vec();
    let (bright, dark) = (luma(&bright), luma(&dark));
    for _ in 0..16 {
        study.flat(&Picture::new(SIZE, 640, &bright).unwrap()).unwrap();
        study.dark(&Picture::new(SIZE, 640, &dark).unwrap()).unwrap();
    }
    let flat = study.finish().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut profile = Profile::new(SIZE, CameraNote::default(), jiff::Timestamp::UNIX_EPOCH);
    profile.lens = Some(lens());
    profile.keep_flat_field(folder.path(), &flat, 0.0).unwrap();
    (Calibration::open(&profile, folder.path()).unwrap(), flat.level() / SHEET)
}

/// The scene as it is, `gain` times as bright, pixel by pixel of the crop.
fn truth(gain: f64) -> Vec<[f64; 3]> {
    let (cx, cy) = ((f64::from(CROP.width) - 1.0) / 2.0, (f64::from(CROP.height) - 1.0) / 2.0);
    (0..CROP.height)
        .flat_map(|y| (0..CROP.width).map(move |x| (f64::from(x) - cx, f64::from(y) - cy)))
        .map(|(u, v)| ideal(u, v).map(|value| value * gain))
        .collect()
}

fn spec(colour: Colour) -> InputSpec {
    let channels = colour.channels();
    InputSpec {
        name: "image".into(),
        width: CROP.width,
        height: CROP.height,
        colour,
        resize: Resize::Stretch,
        pad: 0.0,
        mean: vec![0.0; channels],
        std: vec![1.0 / 255.0; channels],
        tiling: None,
    }
}

fn preparer(colour: Colour, align: bool, calibration: Calibration, gain: f64) -> Preparer {
    let camera = CameraId::new("top");
    let it = Calibrated { calibration: Some(Arc::new(calibration)), still: Arc::default() };
    let align = align.then(|| {
        let golden = truth(gain).into_iter().map(|rgb| byte(luma(rgb))).collect();
        let rule = toml::from_str("golden = 'golden.png'\nsearch_deg = 20.0").unwrap();
        (rule, SizePx::new(CROP.width, CROP.height), golden)
    });
    let align =
        align.as_ref().map(|(rule, size, golden): &(_, _, Vec<u8>)| (rule, *size, golden.clone()));
    let calibrations = Calibrations::new(BTreeMap::from([(camera, it)]), align).unwrap();
    Preparer::new(&spec(colour), &calibrations)
}

fn part(pixels: &Arc<dyn Pixels>) -> Part {
    let text = "name='a'\nmodel='m'\nlocate={kind='every-frame'}\nlimits={reject_at=0.5}";
    let recipe: Recipe = toml::from_str(text).unwrap();
    let at = CaptureTime::default();
    let frame = Frame {
        camera: CameraId::new("top"),
        sequence: 0,
        at,
        origin: None,
        pixels: Arc::clone(pixels),
    };
    let view =
        View { name: "top".into(), frame, box_in_frame: CROP, crop_in_frame: CROP, pose: None };
    Part {
        id: PartId(1),
        recipe: Arc::new(recipe.check().unwrap()),
        views: vec![view],
        triggered_at: at,
        condition: PartCondition::Whole,
        motion: None,
        times: StageTimes::default(),
    }
}

/// Mean and largest difference between what the model sees and the truth, away from the crop's
/// border, beyond which the camera's crop does not reach.
fn off(tensor: &Tensor, truth: &[[f64; 3]], channel_of: [usize; 3]) -> (f64, f64) {
    let (width, margin) = (CROP.width as usize, 28);
    let inside = |at: &usize| {
        let (x, y) = (at % width, at / width);
        (margin..width - margin).contains(&x)
            && (margin..CROP.height as usize - margin).contains(&y)
    };
    let places = (0..truth.len()).filter(inside);
    let offs: Vec<f64> = places
        .flat_map(|at| (0..3).map(move |channel| (at, channel)))
        .map(|(at, channel)| {
            let seen = tensor.data[channel_of[channel] * truth.len() + at];
            (f64::from(seen) - truth[at][channel]).abs()
        })
        .collect();
    let mean = offs.iter().sum::<f64>() / px(offs.len());
    (mean, offs.iter().copied().fold(0.0, f64::max))
}

#[test]
fn a_scene_in_colour_comes_back_as_it_is() {
    let lens = lens();
    // Of 255. Chroma of two by two pixels, and what a mosaic did not see, are soft at edges.
    for (format, mean_most, most) in [
        (PixelFormat::Rgb8, 0.8, 10.0),
        (PixelFormat::Bgr8, 0.8, 10.0),
        (PixelFormat::Nv12, 1.5, 18.0),
        (PixelFormat::I420, 1.5, 18.0),
        (PixelFormat::BayerGrbg8, 1.0, 16.0),
    ] {
        let pixels: Arc<dyn Pixels> = Arc::new(picture(format, |x, y| seen(x, y, &lens)));
        for (colour, channel_of) in [(Colour::Rgb, [0, 1, 2]), (Colour::Bgr, [2, 1, 0])] {
            let (calibration, gain) = calibration();
            let mut preparer = preparer(colour, true, calibration, gain);
            let mut prepared = preparer.prepare(part(&pixels), &SimulatedClock::default());
            let tensor = prepared.tensors.pop().unwrap().unwrap();
            let pose = prepared.part.views[0].pose.unwrap();
            assert!((f64::from(pose.angle_deg) - TURN_DEG).abs() < 0.1, "{format}: {pose:?}");
            let (mean, largest) = off(&tensor, &truth(gain), channel_of);
            eprintln!("{format} {colour:?}: {mean:.2} mean, {largest:.1} most");
            assert!(mean < mean_most && largest < most, "{format}: {mean} {largest}");
            assert!(prepared.calibration.is_some());
        }
    }
}

#[test]
fn without_the_calibration_it_does_not() {
    let lens = lens();
    let pixels: Arc<dyn Pixels> = Arc::new(picture(PixelFormat::Rgb8, |x, y| seen(x, y, &lens)));
    let (_, gain) = calibration();
    let mut preparer = Preparer::new(&spec(Colour::Rgb), &Calibrations::default());
    let mut prepared = preparer.prepare(part(&pixels), &SimulatedClock::default());
    let (mean, _) = off(&prepared.tensors.pop().unwrap().unwrap(), &truth(gain), [0, 1, 2]);
    assert!(mean > 10.0, "what the test above shows would be nothing: {mean}");
}

#[test]
fn a_part_in_colour_takes_no_more_memory_than_one_in_gray() {
    let lens = lens();
    let clock = SimulatedClock::default();
    let taken = |colour: Colour, calibrations: Option<bool>| {
        let pixels: Arc<dyn Pixels> =
            Arc::new(picture(PixelFormat::Nv12, |x, y| seen(x, y, &lens)));
        let mut preparer = match calibrations {
            None => Preparer::new(&spec(colour), &Calibrations::default()),
            Some(align) => {
                let (calibration, gain) = calibration();
                preparer(colour, align, calibration, gain)
            }
        };
        let mut parts = [part(&pixels), part(&pixels), part(&pixels)].into_iter();
        for part in parts.by_ref().take(2) {
            let mut prepared = preparer.prepare(part, &clock);
            preparer.give_back(prepared.tensors.pop().unwrap().unwrap());
        }
        let last = parts.next().unwrap();
        allocation_counter::measure(|| {
            let mut prepared = preparer.prepare(last, &clock);
            preparer.give_back(prepared.tensors.pop().unwrap().unwrap());
        })
        .bytes_total
    };
    let bare = taken(Colour::Rgb, None);
    for (colour, align) in [(Colour::Gray, true), (Colour::Rgb, false), (Colour::Rgb, true)] {
        let taken = taken(colour, Some(align));
        // A few words of a picture's planes, looked up once for each reading.
        assert!(taken < bare + 256, "{colour:?} {align}: {taken} bytes, {bare} without");
    }
}
