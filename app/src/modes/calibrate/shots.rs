//! Pictures to calibrate with: takes a source as on the command line of `replay`, gives its frames
//! as luma with their names and times.

use std::ffi::OsStr;

use anyhow::{Context, Result, bail};
use calibration::{Picture, PictureTooShort};
use domain::{CameraId, CaptureTime, MonoTime, SizePx};
use models::LumaReader;
use pipeline::capture::{self, Next, SourceConfig};

/// One picture.
pub struct Shot {
    /// Its file, or its number.
    pub name: String,
    /// When it was exposed, on the source's clock.
    pub at: MonoTime,
    /// Pixels.
    pub size: SizePx,
    luma: Vec<u8>,
}

impl Shot {
    /// To measure in.
    pub fn picture(&self) -> Result<Picture<'_>, PictureTooShort> {
        Picture::new(self.size, self.size.width as usize, &self.luma)
    }
}

/// Gives every frame of `source` to `see`; images come `fps` a second, or one a second.
pub fn each(
    source: &OsStr,
    fps: Option<f64>,
    mut see: impl FnMut(Shot) -> Result<()>,
) -> Result<()> {
    let mut config = SourceConfig::from_argument(source)?;
    if let SourceConfig::Images { fps: of_images, .. } = &mut config {
        *of_images = Some(fps.unwrap_or(1.0));
    }
    let mut source = capture::open(&config, CameraId::new("camera"), CaptureTime::default())?;
    let mut reader = LumaReader::default();
    loop {
        let frame = match source.next()? {
            Next::Frame(frame) => frame,
            Next::End => return Ok(()),
            Next::Lost(error) => bail!(error),
            Next::Waiting | Next::Back(_) => continue,
        };
        let (size, mut luma) = (frame.pixels.size(), Vec::new());
        let name = frame
            .origin
            .as_ref()
            .map_or_else(|| format!("frame {}", frame.sequence), ToString::to_string);
        reader.read(&*frame.pixels, size.rect(), &mut luma).with_context(|| name.clone())?;
        see(Shot { name, at: frame.at.mono, size, luma })?;
    }
}

/// All frames of `source`, which must be few.
pub fn all(source: &OsStr) -> Result<Vec<Shot>> {
    let mut shots = Vec::new();
    each(source, None, |shot| {
        shots.push(shot);
        if shots.len() > FEW {
            bail!("more than {FEW} pictures; choose some of them")
        } else {
            Ok(())
        }
    })?;
    if shots.is_empty() {
        bail!("{}: there are no pictures", source.to_string_lossy());
    }
    Ok(shots)
}

/// As many pictures as are held at once.
const FEW: usize = 200;
