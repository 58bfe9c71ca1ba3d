//! Picture files: takes a path, gives pixels as a camera would.

use std::path::{Path, PathBuf};

use domain::{OwnedPixels, PixelFormat, SizePx};
use image::DynamicImage;
use thiserror::Error;

/// Why a file is no picture.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "{}: {message}; right would be: a PNG, JPEG, BMP or TIFF of 8 bits a channel",
    .file.display()
)]
pub struct PictureError {
    /// The file.
    pub file: PathBuf,
    /// What was wrong with it.
    pub message: String,
}

/// Reads a picture; gray ones become gray8, others rgb8.
///
/// # Errors
/// When the file can't be read or is no picture.
pub fn pixels_from_file(file: &Path) -> Result<OwnedPixels, PictureError> {
    let failed = |message: String| PictureError { file: file.to_owned(), message };
    let opened = image::ImageReader::open(file).map_err(|error| failed(error.to_string()))?;
    let opened = opened.with_guessed_format().map_err(|error| failed(error.to_string()))?;
    let decoded = opened.decode().map_err(|error| failed(error.to_string()))?;
    let size = SizePx::new(decoded.width(), decoded.height());
    let (format, bytes) = match decoded {
        gray @ (DynamicImage::ImageLuma8(_) | DynamicImage::ImageLumaA8(_)) => {
            (PixelFormat::Gray8, gray.into_luma8().into_raw())
        }
        other => (PixelFormat::Rgb8, other.into_rgb8().into_raw()),
    };
    OwnedPixels::new(format, size, vec![bytes]).ok_or_else(|| failed("it has no pixels".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Pixels;

    #[test]
    fn pictures_are_read_as_a_camera_gives_them() {
        let dir = tempfile::tempdir().unwrap();
        let gray = dir.path().join("a.png");
        image::GrayImage::new(3, 2).save(&gray).unwrap();
        let colour = dir.path().join("b.bmp");
        image::RgbImage::new(3, 2).save(&colour).unwrap();
        assert_eq!(pixels_from_file(&gray).unwrap().format(), PixelFormat::Gray8);
        assert_eq!(pixels_from_file(&colour).unwrap().format(), PixelFormat::Rgb8);
        std::fs::write(&gray, b"no picture").unwrap();
        assert!(pixels_from_file(&gray).err().unwrap().to_string().contains("a.png"));
    }
}
