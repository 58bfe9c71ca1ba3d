//! What a calibration costs a part: a crop of a 4K picture made evenly lit, straight and upright;
//! and beside it, in turns, OpenCV straightening the whole picture, as examples do.
//!
//! `cargo bench --locked -p sightline-benches --bench calibration`. One thread, wall time; crops
//! lie all over the picture.

use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use calibration::align::{Aligner, Options};
use calibration::flat_field::{Exposure, FlatFieldLimits, FlatFieldStudy};
use calibration::lens::LensSd;
use calibration::profile::CameraNote;
use calibration::{Calibration, Corrector, Lens, Picture, Profile, Px};
use domain::{RectPx, SizePx};
use opencv::core::{self, Mat, Size, ToInputArray};
use opencv::prelude::*;
use opencv::{calib3d, imgproc};
use pipeline::clock::{Clock, RealClock};
use serde_json::json;
use sightline_benches::report::Report;
use sightline_benches::spread::Spread;
use sightline_benches::{Failure, bench};

const SIZE: SizePx = SizePx::new(3840, 2160);
const ROUNDS: u32 = 15;
const SIDES: [u32; 2] = [512, 1024];

fn lens() -> Lens {
    Lens {
        size: SIZE,
        focal_px: [4000.0, 4000.0],
        centre_px: Px::new(1925.0, 1070.0),
        distortion: [-0.2, 0.06, 0.0005, -0.0003, 0.0],
        sd: LensSd::default(),
    }
}

/// Blobs without order, so that there is something to align by; darker towards the corners.
fn luma() -> Vec<u8> {
    let pixel = |x: u32, y: u32| {
        let blob = (x / 37).wrapping_mul(2_654_435_761) ^ (y / 29).wrapping_mul(40_503_001);
        let (u, v) = (x.abs_diff(1920) / 16, y.abs_diff(1080) / 16);
        let level = 60 + (blob >> 9 & 127) - (u * u + v * v) / 600;
        u8::try_from(level.min(255)).unwrap_or(255)
    };
    (0..SIZE.height).flat_map(|y| (0..SIZE.width).map(move |x| pixel(x, y))).collect()
}

/// A lens, and with `is_shaded` a flat field too.
fn calibration(folder: &Path, is_shaded: bool) -> Result<Calibration, Failure> {
    let mut profile = Profile::new(SIZE, CameraNote::default(), jiff::Timestamp::UNIX_EPOCH);
    profile.lens = Some(lens());
    if is_shaded {
        let exposure = Exposure { exposure_us: 400.0, gain_db: 0.0 };
        let mut study = FlatFieldStudy::new(SIZE, exposure, FlatFieldLimits::default())?;
        let sheet: Vec<u8> = (0..SIZE.height)
            .flat_map(|y| (0..SIZE.width).map(move |x| (x.abs_diff(1920) / 40, y / 60)))
            .map(|(u, v)| u8::try_from(200 - u - v).unwrap_or(0))
            .collect();
        for _ in 0..16 {
            study.flat(&Picture::new(SIZE, SIZE.width as usize, &sheet)?)?;
        }
        profile.keep_flat_field(folder, &study.finish()?, 0.0)?;
    }
    Ok(Calibration::open(&profile, folder)?)
}

fn crop(side: u32, round: u32) -> RectPx {
    let along = |room: u32, step: u32| round * step % room;
    RectPx::new(along(SIZE.width - side, 797), along(SIZE.height - side, 331), side, side)
}

/// The camera's pixels that are needed, as prepare copies them.
fn taken(frame: &[u8], source: RectPx, raw: &mut Vec<u8>) {
    raw.clear();
    for y in source.y..source.bottom() {
        let start = y as usize * SIZE.width as usize + source.x as usize;
        raw.extend_from_slice(&frame[start..][..source.width as usize]);
    }
}

/// One way of correcting crops of one size.
struct Way {
    name: &'static str,
    calibration: Calibration,
    corrector: Corrector,
    wall_ms: Vec<f64>,
}

impl Way {
    fn new(name: &'static str, calibration: Calibration, aligner: Option<Aligner>) -> Self {
        Self { name, calibration, corrector: Corrector::new(aligner), wall_ms: Vec::new() }
    }

    fn turn(
        &mut self,
        frame: &[u8],
        crop: RectPx,
        raw: &mut Vec<u8>,
        clock: &RealClock,
    ) -> Result<(), Failure> {
        let start = clock.now();
        taken(frame, self.calibration.source_of(crop), raw);
        black_box(self.corrector.correct(&self.calibration, crop, raw)?);
        self.wall_ms.push(ms(clock.now().since(start)));
        Ok(())
    }
}

fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

/// What OpenCV needs to straighten the whole picture: made once.
struct Whole {
    maps: [Mat; 2],
    straight: Mat,
}

impl Whole {
    fn new() -> opencv::Result<Self> {
        core::set_num_threads(1)?;
        let lens = lens();
        let [fx, fy] = lens.focal_px;
        let (cx, cy) = (lens.centre_px.x, lens.centre_px.y);
        let camera = Mat::from_slice_2d(&[[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])?;
        let bent = Mat::from_slice(&lens.distortion)?.try_clone()?;
        let mut maps = [Mat::default(), Mat::default()];
        let [first, second] = &mut maps;
        let size = Size::new(3840, 2160);
        let none = Mat::default();
        let kind = core::CV_16SC2;
        calib3d::init_undistort_rectify_map(
            &camera, &bent, &none, &camera, size, kind, first, second,
        )?;
        Ok(Self { maps, straight: Mat::default() })
    }

    fn turn(&mut self, frame: &impl ToInputArray) -> opencv::Result<()> {
        let [first, second] = &self.maps;
        imgproc::remap_def(frame, &mut self.straight, first, second, imgproc::INTER_LINEAR)
    }
}

fn measure(report: &mut Report) -> Result<(), Failure> {
    let (clock, frame, dir) = (RealClock::start(), luma(), tempfile::tempdir()?);
    let mat = Mat::new_rows_cols_with_data(2160, 3840, &frame)?;
    let mut whole = Whole::new()?;
    for side in SIDES {
        let mut raw = Vec::new();
        let bare = calibration(dir.path(), false)?;
        let golden = crop(side, 0);
        taken(&frame, bare.source_of(golden), &mut raw);
        let luma = Corrector::default().correct(&bare, golden, &mut raw)?.0.to_vec();
        let picture = Picture::new(SizePx::new(side, side), side as usize, &luma)?;
        let options = Options { most_angle_deg: 10.0, ..Options::default() };
        let aligner = Aligner::new(&picture, &options)?;
        let shaded = || calibration(dir.path(), true);
        let mut ways = [
            Way::new("straight", bare, None),
            Way::new("evenly lit, straight", shaded()?, None),
            Way::new("evenly lit, straight, upright (±10°)", shaded()?, Some(aligner)),
        ];
        let mut whole_ms = Vec::new();
        for round in 0..ROUNDS {
            for way in &mut ways {
                // Only the golden sample's own part can be aligned to it.
                let at = if way.corrector.aligns() { golden } else { crop(side, round) };
                way.turn(&frame, at, &mut raw, &clock)?;
            }
            let start = clock.now();
            whole.turn(&mat)?;
            whole_ms.push(ms(clock.now().since(start)));
        }
        let whole = Spread::from(whole_ms);
        let rows = ways.into_iter().map(|way| (way.name, Spread::from(way.wall_ms)));
        for (name, wall) in rows.chain([("OpenCV: the whole picture straight", whole.clone())]) {
            report.row(vec![
                ("crop_px", json!(side)),
                ("way", json!(name)),
                ("p50_ms", json!(wall.p50())),
                ("max_ms", json!(wall.at(1.0))),
                ("of_whole", json!(wall.p50() / whole.p50())),
            ]);
        }
    }
    report.note(core::get_version_string()?);
    Ok(())
}

fn main() -> ExitCode {
    bench("calibration", env!("CARGO_TARGET_TMPDIR"), measure)
}
