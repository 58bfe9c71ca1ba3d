//! Pictures to calibrate with: takes a source as on the command line of `replay`, or a camera of a
//! station file; gives its frames as luma with their names and times.

use std::ffi::OsStr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use calibration::{CameraFacts, Picture, PictureTooShort};
use domain::{CameraId, CaptureTime, Frame, MonoTime, SizePx};
use models::LumaReader;
use pipeline::capture::{self, Next, SourceConfig};

use super::camera;
use super::guide::Guide;

/// One picture.
#[derive(Clone)]
pub struct Shot {
    /// Its file, or its number.
    pub name: String,
    /// When it was exposed, on the source's clock.
    pub at: MonoTime,
    /// The encoder's count then, where there is one.
    pub count: Option<i64>,
    /// What the camera says of itself.
    pub says: CameraFacts,
    /// Pixels.
    pub size: SizePx,
    luma: Vec<u8>,
}

impl Shot {
    /// The luma of `frame`.
    ///
    /// # Errors
    /// When its pixels do not fit their format.
    pub fn of(frame: &Frame, reader: &mut LumaReader) -> Result<Self> {
        let (size, mut luma) = (frame.pixels.size(), Vec::new());
        let number = || format!("frame {}", frame.sequence);
        let name = frame.origin.as_ref().map_or_else(number, ToString::to_string);
        reader.read(&*frame.pixels, size.rect(), &mut luma).with_context(|| name.clone())?;
        Ok(Self { name, at: frame.at.mono, count: None, says: CameraFacts::default(), size, luma })
    }

    /// To measure in.
    pub fn picture(&self) -> Result<Picture<'_>, PictureTooShort> {
        Picture::new(self.size, self.size.width as usize, &self.luma)
    }
}

impl Shot {
    /// A picture of `luma`, row by row.
    pub fn of_luma(name: String, at: MonoTime, size: SizePx, luma: Vec<u8>) -> Self {
        Self { name, at, count: None, says: CameraFacts::default(), size, luma }
    }

    /// A test's.
    #[cfg(test)]
    pub fn example(size: SizePx, at: MonoTime, luma: Vec<u8>) -> Self {
        Self::of_luma("a test's".to_owned(), at, size, luma)
    }
}

/// How many pictures are taken of a live camera, and how far apart; footage is taken whole.
#[derive(Clone, Copy, Debug)]
pub struct OfLive {
    /// So many.
    pub take: u32,
    /// At least.
    pub every: Duration,
}

/// Gives every frame of `source` to `see`, and of a live camera as many as `live` says; images come
/// `fps` a second, or one a second.
pub fn each(
    source: &OsStr,
    fps: Option<f64>,
    live: OfLive,
    mut see: impl FnMut(Shot) -> Result<()>,
) -> Result<()> {
    let Some(named) = camera::named(source)? else { return of_footage(source, fps, see) };
    let mut guide = Guide::new();
    let (mut taken, mut last) = (0, None::<MonoTime>);
    camera::follow(&named, &mut guide, &|| false, |shot, guide| {
        if last.is_some_and(|last| shot.at.since(last) < live.every) {
            return Ok(true);
        }
        last = Some(shot.at);
        see(shot)?;
        taken += 1;
        guide.count("pictures", taken, live.take);
        Ok(taken < live.take)
    })?;
    guide.end();
    Ok(())
}

fn of_footage(
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
        match source.next()? {
            Next::Frame(frame) => see(Shot::of(&frame, &mut reader)?)?,
            Next::End => return Ok(()),
            Next::Lost(error) => bail!(error),
            Next::Waiting | Next::Back(_) => {}
        }
    }
}

/// All frames of `source`, which must be few.
pub fn all(source: &OsStr) -> Result<Vec<Shot>> {
    let mut shots = Vec::new();
    of_footage(source, None, |shot| {
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
