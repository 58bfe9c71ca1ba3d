//! A camera's pixels as packed 8-bit red, green and blue: takes a crop of a picture where it lies,
//! of any format, gives what calibration corrects for networks that look at colours.

use domain::{FindingFault, PixelFormat, Pixels, RectPx};

use crate::luma::byte;
use crate::manifest::Colour;
use crate::rows::{Neighbours, Rows};

/// Reads crops, one after the other; keeps its memory.
#[derive(Debug, Default)]
pub struct RgbReader {
    row: Vec<f32>,
    neighbours: Neighbours,
}

impl RgbReader {
    /// Puts the colours of `crop` of `pixels` into `out`, three bytes a pixel, in rows without
    /// gaps. Gray pixels have the same three times.
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
        let rows = Rows::new(pixels, crop, Colour::Rgb)?;
        let width = crop.width as usize;
        out.resize(width * 3 * crop.height as usize, 0);
        self.row.resize(width * rows.channels(), 0.0);
        for (y, out) in out.chunks_exact_mut(width * 3).enumerate() {
            if pixels.format() == PixelFormat::Rgb8 {
                let row = pixels.plane(0).row(crop.y as usize + y);
                out.copy_from_slice(&row[crop.x as usize * 3..][..width * 3]);
                continue;
            }
            rows.read(y, &mut self.row, &mut self.neighbours);
            let (reds, rest) = self.row.split_at(width);
            let (greens, blues) = if rest.is_empty() { (reds, reds) } else { rest.split_at(width) };
            let colours = reds.iter().zip(greens).zip(blues);
            for (pixel, ((red, green), blue)) in out.as_chunks_mut::<3>().0.iter_mut().zip(colours)
            {
                *pixel = [*red, *green, *blue].map(byte);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::{OwnedPixels, SizePx};

    use super::*;

    fn read(format: PixelFormat, size: SizePx, crop: RectPx, planes: Vec<Vec<u8>>) -> Vec<u8> {
        let pixels = OwnedPixels::new(format, size, planes).unwrap();
        let mut out = Vec::new();
        RgbReader::default().read(&pixels, crop, &mut out).unwrap();
        out
    }

    #[test]
    fn red_comes_first_whatever_the_camera_sends() {
        let size = SizePx::new(2, 2);
        let (all, corner) = (size.rect(), RectPx::new(1, 1, 1, 1));
        let bytes = vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        assert_eq!(read(PixelFormat::Rgb8, size, all, vec![bytes.clone()]), bytes);
        assert_eq!(read(PixelFormat::Rgb8, size, corner, vec![bytes.clone()]), [10, 11, 12]);
        assert_eq!(read(PixelFormat::Bgr8, size, corner, vec![bytes]), [12, 11, 10]);
        let gray = vec![vec![1, 2, 3, 4]];
        assert_eq!(read(PixelFormat::Gray8, size, corner, gray), [4, 4, 4]);
        let mosaic = vec![vec![200, 100, 100, 50]];
        assert_eq!(read(PixelFormat::BayerRggb8, size, corner, mosaic), [200, 100, 50]);
        // Red in limited range.
        let red = vec![vec![81; 4], vec![90], vec![240]];
        let [r, g, b] = read(PixelFormat::I420, size, corner, red)[..] else { panic!("a pixel") };
        assert!(r > 250 && g < 5 && b < 5, "{r} {g} {b}");
    }

    #[test]
    fn what_is_not_there_is_refused() {
        let size = SizePx::new(2, 1);
        let pixels = OwnedPixels::new(PixelFormat::Rgb8, size, vec![vec![0; 6]]).unwrap();
        let mut reader = RgbReader::default();
        assert!(reader.read(&pixels, RectPx::new(1, 0, 2, 1), &mut Vec::new()).is_err());
    }
}
