//! Straightens crops: takes a lens once; then the camera's picture and a rectangle of the straight
//! picture; gives that rectangle's pixels.

use domain::RectPx;

use super::Lens;
use crate::Picture;

/// Where the pixels of the straight picture come from.
#[derive(Clone, Debug)]
pub struct CropMap {}

impl CropMap {
    /// The map of `lens`, made once.
    #[must_use]
    pub fn new(lens: &Lens) -> Self {
        todo!()
    }

    /// Writes the pixels of `crop`, a rectangle of the straight picture, to `out`, whose rows begin
    /// `out_stride` bytes after each other; bilinear; allocates nothing.
    ///
    /// What the camera did not see repeats the nearest pixel that it saw.
    ///
    /// # Panics
    /// If `frame` has another size than the lens' pictures, or `out` is too short.
    pub fn apply(&self, frame: &Picture<'_>, crop: RectPx, out: &mut [u8], out_stride: usize) {
        todo!()
    }

    /// Whether the camera saw all of `crop`.
    #[must_use]
    pub fn sees(&self, crop: RectPx) -> bool {
        todo!()
    }
}
