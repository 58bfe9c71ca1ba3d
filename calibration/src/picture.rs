//! What is measured in: takes luma bytes that somebody else owns, gives rows and pixels of them.

use domain::SizePx;
use thiserror::Error;

/// A view of an 8-bit luma picture, row-major, `stride` bytes a row; never a copy.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    pub(crate) size: SizePx,
    pub(crate) stride: usize,
    pub(crate) luma: &'a [u8],
}

/// Bytes that are too few for the picture they are said to be.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "a picture of {width} x {height} pixels in rows of {stride} bytes needs {needed} bytes, \
     {got} were given"
)]
pub struct PictureTooShort {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Bytes.
    pub needed: usize,
    /// Bytes.
    pub got: usize,
}

impl<'a> Picture<'a> {
    /// A picture of `size` in `luma`, whose rows begin `stride` bytes after each other.
    ///
    /// # Errors
    /// Where rows would overlap, or bytes are missing.
    pub fn new(size: SizePx, stride: usize, luma: &'a [u8]) -> Result<Self, PictureTooShort> {
        let (width, height) = (size.width as usize, size.height as usize);
        let needed = if height == 0 { 0 } else { stride * (height - 1) + width };
        if stride < width || luma.len() < needed {
            let (width, height, got) = (size.width, size.height, luma.len());
            return Err(PictureTooShort { width, height, stride, needed, got });
        }
        Ok(Self { size, stride, luma })
    }

    /// The same of rows without gaps, `luma` being of that length: pixels of our own.
    pub(crate) fn packed(size: SizePx, luma: &'a [u8]) -> Self {
        debug_assert_eq!(luma.len() as u64, size.area());
        Self { size, stride: size.width as usize, luma }
    }

    /// In pixels.
    pub const fn size(&self) -> SizePx {
        self.size
    }

    /// Bytes from one row to the next.
    pub const fn stride(&self) -> usize {
        self.stride
    }

    /// All bytes, rows one stride apart.
    pub(crate) const fn luma(&self) -> &'a [u8] {
        self.luma
    }

    /// The pixels of row `y`, which must be one of it.
    pub fn row(&self, y: u32) -> &'a [u8] {
        &self.luma[self.stride * y as usize..][..self.size.width as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_their_stride() {
        let luma: Vec<u8> = (0..11).collect();
        let picture = Picture::new(SizePx { width: 3, height: 3 }, 4, &luma).unwrap();
        assert_eq!(picture.row(1), [4, 5, 6]);
        assert_eq!(picture.row(2), [8, 9, 10]);
    }

    #[test]
    fn too_few_bytes_and_overlapping_rows_are_refused() {
        let size = SizePx { width: 3, height: 3 };
        let error = Picture::new(size, 4, &[0; 10]).unwrap_err();
        assert_eq!((error.needed, error.got), (11, 10));
        assert!(Picture::new(size, 2, &[0; 100]).is_err());
    }
}
