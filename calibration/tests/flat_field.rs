//! Flat field against a known lamp, lens and sensor; targets that are not plain; bytes.
#![expect(clippy::cast_possible_truncation, clippy::unwrap_used, reason = "a test")]

mod scene;

use domain::{RectPx, SizePx};
use proptest::prelude::*;
use scene::{Image, Light, normal, random};
use sightline_calibration::flat_field::{
    Exposure, Fault, FlatField, FlatFieldLimits, FlatFieldRefused, FlatFieldStudy, Level,
    NotCovered,
};

const SIZE: SizePx = SizePx::new(320, 240);
const EXPOSURE: Exposure = Exposure { exposure_us: 250.0, gain_db: 3.0 };
const HOT: (u32, u32) = (100, 50);
const DEAD: (u32, u32) = (33, 200);

/// A lamp to the left, a lens that darkens corners, pixels that differ by 1 %, dark level 3, one
/// hot and one dead pixel.
struct Camera {
    response: Vec<f64>,
}

impl Camera {
    fn new() -> Self {
        let mut random = random(77);
        Self { response: (0..SIZE.area()).map(|_| 1.0 + 0.01 * normal(&mut random)).collect() }
    }

    fn sees(&self, target: impl Fn(f64, f64) -> f64, strength: f64, seed: u64) -> Image {
        let mut light = Light { size: SIZE, greys: vec![190.0 * strength; SIZE.area() as usize] }
            .times(target)
            .times(|x, y| {
                let lamp = 1.0 - 0.2 * x - 0.05 * y;
                let lens = (1.0 + 0.35 * (x * x + 0.6 * y * y)).powi(-2);
                lamp * lens
            });
        for (at, grey) in light.greys.iter_mut().enumerate() {
            *grey = *grey * self.response[at] + 3.0 + 0.5 * (at % 2) as f64;
        }
        light.greys[(HOT.1 * SIZE.width + HOT.0) as usize] += 60.0;
        light.greys[(DEAD.1 * SIZE.width + DEAD.0) as usize] = 4.0;
        light.seen(1.0, 0.12, &mut random(seed))
    }

    fn study(&self, limits: FlatFieldLimits) -> FlatFieldStudy {
        let mut study = FlatFieldStudy::new(SIZE, EXPOSURE, limits).unwrap();
        for seed in 0..16 {
            study.dark(&self.sees(|_, _| 0.0, 1.0, 500 + seed).picture()).unwrap();
        }
        study
    }

    fn flat_field(&self, limits: FlatFieldLimits) -> Result<FlatField, FlatFieldRefused> {
        self.flat_field_of(limits, |_, _| 1.0)
    }

    fn flat_field_of(
        &self,
        limits: FlatFieldLimits,
        target: fn(f64, f64) -> f64,
    ) -> Result<FlatField, FlatFieldRefused> {
        let mut study = self.study(limits);
        for seed in 0..32 {
            // The lamp is not quite steady.
            let strength = 1.0 + 0.01 * f64::sin(seed as f64);
            study.flat(&self.sees(target, strength, seed).picture())?;
        }
        study.finish()
    }
}

#[test]
fn a_plain_target_becomes_even_to_one_percent() {
    let camera = Camera::new();
    let flat_field = camera.flat_field(FlatFieldLimits::default()).unwrap();
    // Pictures that it was not made of, also at another brightness.
    for (strength, seed) in [(1.0, 900), (0.6, 901), (0.3, 902)] {
        let held_out = camera.sees(|_, _| 1.0, strength, seed);
        let even = flat_field.evenness(&held_out.picture()).unwrap();
        println!("held out at {strength}: {even:?}");
        assert!(even.before_percent > 10.0, "{even:?}");
        assert!(even.after_percent < 0.5, "{even:?}");
        // In the dark corners of a dim picture a block's own noise is 1 %.
        assert!(even.worst_percent <= if strength < 0.5 { 2.0 } else { 1.0 }, "{even:?}");
    }
}

#[test]
fn the_mean_is_kept_or_the_brightest_block() {
    let camera = Camera::new();
    let held_out = camera.sees(|_, _| 1.0, 1.0, 900);
    let mean = |luma: &[u8]| luma.iter().map(|&p| f64::from(p)).sum::<f64>() / luma.len() as f64;
    let corrected = |level| {
        let limits = FlatFieldLimits { level, ..FlatFieldLimits::default() };
        let flat_field = camera.flat_field(limits).unwrap();
        let mut luma = held_out.luma.clone();
        flat_field.apply_in_place(SIZE.rect(), &mut luma, 320).unwrap();
        (mean(&luma), flat_field.level())
    };
    let (kept, level) = corrected(Level::Mean);
    assert!((kept - level).abs() < 0.5 && (kept + 3.2 - mean(&held_out.luma)).abs() < 1.0);
    let (bright, level) = corrected(Level::Brightest);
    assert!((bright - level).abs() < 0.5 && bright > kept * 1.2);
}

#[test]
fn a_little_flicker_is_evened_out() {
    let camera = Camera::new();
    let level = |later: f64| {
        let mut study = camera.study(FlatFieldLimits::default());
        for seed in 0..16 {
            let strength = if seed == 0 { 1.0 } else { later };
            study.flat(&camera.sees(|_, _| 1.0, strength, seed).picture()).unwrap();
        }
        study.finish().unwrap().level()
    };
    assert!((level(1.04) - level(1.0)).abs() < 0.5, "{} {}", level(1.04), level(1.0));
}

#[test]
fn hot_and_dead_pixels_are_named_and_replaced() {
    let camera = Camera::new();
    let flat_field = camera.flat_field(FlatFieldLimits::default()).unwrap();
    let found: Vec<_> = flat_field.bad_pixels().iter().map(|b| ((b.x, b.y), b.fault)).collect();
    assert_eq!(found, [(HOT, Fault::Hot), (DEAD, Fault::Dead)]);
    let mut luma = camera.sees(|_, _| 1.0, 1.0, 903).luma;
    flat_field.apply_in_place(SIZE.rect(), &mut luma, 320).unwrap();
    for (x, y) in [HOT, DEAD] {
        let grey = f64::from(luma[(y * 320 + x) as usize]);
        assert!((grey - flat_field.level()).abs() < 5.0, "{grey}");
    }
}

#[test]
fn a_crop_is_corrected_as_the_whole_picture_is() {
    let camera = Camera::new();
    let flat_field = camera.flat_field(FlatFieldLimits::default()).unwrap();
    let whole_raw = camera.sees(|_, _| 1.0, 1.0, 904).luma;
    let mut whole = whole_raw.clone();
    flat_field.apply_in_place(SIZE.rect(), &mut whole, 320).unwrap();
    let crop = RectPx::new(70, 40, 50, 30);
    let mut luma = vec![9; 64 * 30];
    for y in 0..30 {
        luma[y * 64..][..50].copy_from_slice(&whole_raw[(y + 40) * 320 + 70..][..50]);
    }
    flat_field.apply_in_place(crop, &mut luma, 64).unwrap();
    for y in 0..30 {
        assert_eq!(luma[y * 64..][..50], whole[(y + 40) * 320 + 70..][..50]);
        assert!(luma[y * 64..][50..64].iter().all(|&p| p == 9), "beside the crop");
    }
    let outside = RectPx::new(300, 0, 50, 30);
    let refused = flat_field.apply_in_place(outside, &mut luma, 64);
    assert_eq!(refused, Err(NotCovered::Outside { crop: outside, size: SIZE }));
    let short = flat_field.apply_in_place(crop, &mut luma[..500], 64);
    assert!(matches!(short, Err(NotCovered::TooShort { .. })));
}

#[test]
fn what_is_saturated_stays_saturated() {
    let flat_field = Camera::new().flat_field(FlatFieldLimits::default()).unwrap();
    let mut luma = vec![255; 320 * 240];
    flat_field.apply_in_place(SIZE.rect(), &mut luma, 320).unwrap();
    assert!(luma.iter().all(|&p| p == 255));
}

#[test]
fn a_target_that_is_not_plain_is_refused_with_the_place() {
    let refused =
        |target| Camera::new().flat_field_of(FlatFieldLimits::default(), target).unwrap_err();
    let spot = refused(|x, y| if (x - 0.5).hypot(y + 0.5) < 0.08 { 0.9 } else { 1.0 });
    let FlatFieldRefused::NotPlain { percent, at, .. } = spot else { panic!("{spot}") };
    let middle = at.centre();
    assert!((middle.x - 240.0).abs() < 16.0 && (middle.y - 60.0).abs() < 16.0, "{at}");
    assert!(percent > 5.0, "{percent}");
    // Fine print, whose mean is even.
    let print = refused(|x, y| {
        let near = (x + 0.4).hypot(y) < 0.2;
        if near && ((x * 80.0).floor() + (y * 60.0).floor()) % 2.0 == 0.0 { 0.85 } else { 1.0 }
    });
    assert!(matches!(print, FlatFieldRefused::NotPlain { .. }), "{print}");
    // A sheet that ends within the picture.
    let edge = refused(|x, _| if x > 0.7 { 0.7 } else { 1.0 });
    assert!(matches!(edge, FlatFieldRefused::NotPlain { .. }), "{edge}");
}

#[test]
fn light_and_exposure_that_are_wrong_are_refused() {
    let camera = Camera::new();
    let flat = |strength, seed| camera.sees(|_, _| 1.0, strength, seed);
    let mut study = camera.study(FlatFieldLimits::default());
    let bright = study.flat(&flat(1.5, 1).picture()).unwrap_err();
    assert!(matches!(bright, FlatFieldRefused::Saturated { index: 0, .. }), "{bright}");
    let dark = study.flat(&flat(0.1, 1).picture()).unwrap_err();
    assert!(matches!(dark, FlatFieldRefused::TooDark { .. }), "{dark}");
    study.flat(&flat(1.0, 1).picture()).unwrap();
    let flicker = study.flat(&flat(1.1, 2).picture()).unwrap_err();
    let FlatFieldRefused::Flickers { index: 1, percent, .. } = flicker else { panic!("{flicker}") };
    assert!((percent - 9.8).abs() < 1.0, "{percent}");
    let not_dark = study.dark(&flat(1.0, 3).picture()).unwrap_err();
    assert!(matches!(not_dark, FlatFieldRefused::NotDark { .. }), "{not_dark}");
    assert_eq!(study.frames(), (1, 16));
    let few = study.finish().unwrap_err();
    assert_eq!(few, FlatFieldRefused::TooFew { got: 1, needed: 16 });
    let other = Image { size: SizePx::new(64, 64), luma: vec![100; 4096] };
    let other = camera.study(FlatFieldLimits::default()).flat(&other.picture()).unwrap_err();
    assert!(matches!(other, FlatFieldRefused::WrongSize { .. }), "{other}");
}

#[test]
fn a_sensor_with_many_bad_pixels_is_refused() {
    let limits = FlatFieldLimits { most_bad_ppm: 10.0, ..FlatFieldLimits::default() };
    let refused = Camera::new().flat_field(limits).unwrap_err();
    let FlatFieldRefused::BadPixels { count, x, y, .. } = refused else { panic!("{refused}") };
    assert_eq!((count, (x, y)), (2, HOT));
}

#[test]
fn bytes_give_the_flat_field_back() {
    let flat_field = Camera::new().flat_field(FlatFieldLimits::default()).unwrap();
    let bytes = flat_field.to_bytes();
    assert_eq!(FlatField::from_bytes(&bytes).unwrap(), flat_field);
    let short = FlatField::from_bytes(&bytes[..bytes.len() - 1]).unwrap_err();
    assert!(short.why.contains("more bytes are needed"), "{short}");
    let mut other = bytes.clone();
    other[7] = b'9';
    let other = FlatField::from_bytes(&other).unwrap_err();
    assert!(other.why.contains("SLFLAT09"), "{other}");
    let mut longer = bytes;
    longer.push(0);
    assert!(FlatField::from_bytes(&longer).unwrap_err().why.contains("1 bytes too many"));
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(
        good_start in any::<bool>(),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let start: &[u8] = if good_start { b"SLFLAT01" } else { b"" };
        let _ = FlatField::from_bytes(&[start, &bytes].concat());
    }
}
