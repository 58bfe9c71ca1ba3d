//! A picture that moves, and how alike two are.

use domain::{CaptureTime, MonoTime, SizePx, WallTime};
use sightline_pipeline::record::reel::{FilmBytes, FilmPicture};

pub const START: CaptureTime =
    CaptureTime { mono: MonoTime::from_ns(7_000_000), wall: WallTime { unix_ns: START_NS } };
const START_NS: i64 = 1_795_290_301_883_456_789;

/// When picture `index` of a film of `fps` pictures a second was exposed.
pub fn at(index: u64, fps: u64) -> CaptureTime {
    let since = std::time::Duration::from_nanos(index * 1_000_000_000 / fps);
    CaptureTime { mono: START.mono.plus(since), wall: START.wall.plus(since) }
}

/// A soft ground, and a box with a hole in it that goes by.
pub fn bytes(size: SizePx, index: u64) -> Vec<u8> {
    let (width, height) = (u64::from(size.width), u64::from(size.height));
    let left = (index * 7) % width;
    let luma = |x: u64, y: u64| {
        let (right, middle) = ((x + width - left) % width, y.abs_diff(height / 2));
        match (right < width / 4, right.abs_diff(width / 8) < 8, middle) {
            (true, true, ..8) => 40,
            (true, _, middle) if middle < height / 5 => 200,
            _ => 70 + x * 40 / width + (y / 8 % 2) * 6,
        }
    };
    let rows = (0..height).flat_map(|y| (0..width).map(move |x| luma(x, y)));
    let mut bytes: Vec<u8> = rows.map(|value| u8::try_from(value).unwrap()).collect();
    let quarter = bytes.len() / 4;
    bytes.extend(std::iter::repeat_n(110, quarter));
    bytes.extend(std::iter::repeat_n(140, quarter));
    bytes
}

pub fn picture(size: SizePx, index: u64, fps: u64) -> FilmPicture {
    let bytes = FilmBytes { bytes: bytes(size, index), back: None };
    FilmPicture { size, bytes, at: at(index, fps), sequence: index }
}

/// Peak signal to noise, in decibels, of two pictures' bytes.
pub fn psnr_db(one: &[u8], other: &[u8]) -> f64 {
    assert_eq!(one.len(), other.len());
    let square = |(a, b): (&u8, &u8)| f64::from(a.abs_diff(*b)).powi(2);
    let mean = one.iter().zip(other).map(square).sum::<f64>() / one.len() as f64;
    20.0 * 255_f64.log10() - 10.0 * mean.max(1e-9).log10()
}
