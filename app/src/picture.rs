//! Pictures for people: takes pixels in any of the camera's formats, gives colour.

use domain::Pixels;
use image::RgbImage;
use models::{Colour, InputSpec, Resize, Shaper};

/// The picture in colour, shrunk until neither side is above `side_max_px`. The code that prepares
/// parts for the model reads every pixel format, so what a person sees is what the model sees.
/// `None` when the pixels do not fit their format.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded and clamped")]
pub fn rgb_from_pixels(pixels: &dyn Pixels, side_max_px: u32) -> Option<RgbImage> {
    let size = pixels.size();
    let longest = size.width.max(size.height);
    let fit = |side: u32| match longest > side_max_px {
        true => (side * side_max_px / longest).max(1),
        false => side,
    };
    let spec = InputSpec {
        name: String::new(),
        width: fit(size.width),
        height: fit(size.height),
        colour: Colour::Rgb,
        resize: Resize::Stretch,
        pad: 0.0,
        mean: vec![0.0; 3],
        std: vec![1.0; 3],
        tiling: None,
    };
    let mut tensor = spec.tensor();
    let (width, height) = (spec.width, spec.height);
    Shaper::new(spec).prepare(pixels, size.rect(), &mut tensor).ok()?;
    let plane = (width * height) as usize;
    let byte = |at: usize| (tensor.data[at] * 255.0).round().clamp(0.0, 255.0) as u8;
    Some(RgbImage::from_fn(width, height, |x, y| {
        let at = (y * width + x) as usize;
        image::Rgb([byte(at), byte(plane + at), byte(2 * plane + at)])
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{OwnedPixels, PixelFormat, SizePx};

    #[test]
    fn gray_stays_gray_and_large_pictures_are_shrunk() {
        let size = SizePx::new(40, 20);
        let gray = OwnedPixels::new(PixelFormat::Gray8, size, vec![vec![77; 800]]).unwrap();
        let same = rgb_from_pixels(&gray, 40).unwrap();
        assert_eq!((same.width(), same.height()), (40, 20));
        assert!(same.pixels().all(|pixel| pixel.0 == [77; 3]));
        let small = rgb_from_pixels(&gray, 10).unwrap();
        assert_eq!((small.width(), small.height()), (10, 5));
    }
}
