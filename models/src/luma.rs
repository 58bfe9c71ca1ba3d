//! A camera's pixels as 8-bit luma: takes a crop of a picture where it lies, of any format, gives
//! what calibration corrects and measures in.

use domain::{FindingFault, PixelFormat, Pixels, RectPx};

use crate::manifest::Colour;
use crate::rows::{Neighbours, Rows};

/// Reads crops, one after the other; keeps its memory.
#[derive(Debug, Default)]
pub struct LumaReader {
    row: Vec<f32>,
    neighbours: Neighbours,
}

impl LumaReader {
    /// Puts the luma of `crop` of `pixels` into `out`, packed.
    ///
    /// # Errors
    /// [`FindingFault::NotPrepared`] when the crop is empty or reaches beyond the picture, or the
    /// camera gave fewer bytes than its format and size need.
    pub fn read(
        &mut self,
        pixels: &dyn Pixels,
        crop: RectPx,
        out: &mut Vec<u8>,
    ) -> Result<(), FindingFault> {
        let rows = Rows::new(pixels, crop, Colour::Gray)?;
        let width = crop.width as usize;
        out.resize(width * crop.height as usize, 0);
        self.row.resize(width, 0.0);
        for (y, out) in out.chunks_exact_mut(width).enumerate() {
            if pixels.format() == PixelFormat::Gray8 {
                let row = pixels.plane(0).row(crop.y as usize + y);
                out.copy_from_slice(&row[crop.x as usize..][..width]);
                continue;
            }
            rows.read(y, &mut self.row, &mut self.neighbours);
            out.iter_mut().zip(&self.row).for_each(|(out, luma)| *out = byte(*luma));
        }
        Ok(())
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
pub(crate) fn byte(luma: f32) -> u8 {
    (luma.clamp(0.0, 255.0) + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use domain::{OwnedPixels, SizePx};

    use super::*;

    #[test]
    fn bytes_are_taken_as_they_are_and_colours_weighed() {
        let size = SizePx::new(3, 2);
        let gray = OwnedPixels::new(PixelFormat::Gray8, size, vec![vec![1, 2, 3, 4, 5, 6]]);
        let (mut reader, mut out) = (LumaReader::default(), Vec::new());
        reader.read(&gray.unwrap(), RectPx::new(1, 0, 2, 2), &mut out).unwrap();
        assert_eq!(out, [2, 3, 5, 6]);
        let colours = vec![255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9, 0, 0, 0, 255, 255, 255];
        let rgb = OwnedPixels::new(PixelFormat::Rgb8, size, vec![colours]).unwrap();
        reader.read(&rgb, size.rect(), &mut out).unwrap();
        assert_eq!(out, [76, 150, 29, 9, 0, 255]);
        assert!(reader.read(&rgb, RectPx::new(2, 0, 2, 2), &mut out).is_err());
    }
}
