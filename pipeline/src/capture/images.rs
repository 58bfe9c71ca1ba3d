//! Image files as a source. Takes a folder, one image or a pattern; gives one frame a file, decoded
//! when it is asked for, in the natural order of names.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::{CameraId, CaptureTime, Frame, OwnedPixels, PixelFormat, SizePx};
use image::{DynamicImage, ImageDecoder, ImageReader};

use super::pattern::{Pattern, natural_order};
use super::stamps::{offset_at_fps, period_from_fps};
use super::{CaptureError, Next, Source, SourceInfo, time_after};

/// The endings of names that are taken for images, in any case.
pub(super) const ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "bmp", "tif", "tiff"];

/// The most pixels; what claims more is broken, or meant to exhaust the memory.
const PIXELS_MOST: u64 = 1 << 28;

/// What a decoder may allocate: the pixels at their widest, and its own tables.
const DECODER_BYTES_MOST: u64 = 3 << 30;

/// Image files in order.
pub(super) struct Images {
    info: SourceInfo,
    fps: f64,
    /// What names are relative to.
    folder: PathBuf,
    files: Vec<PathBuf>,
    camera: CameraId,
    began: CaptureTime,
    sequence: u64,
}

impl Images {
    /// Lists what `path` names: the images of a folder (not of those in it), or those that match.
    pub(super) fn open(
        path: &Path,
        fps: Option<f64>,
        camera: CameraId,
        began: CaptureTime,
    ) -> Result<Self, CaptureError> {
        let (folder, mut files) = list(path)?;
        if files.is_empty() {
            return Err(CaptureError::NoImages { path: path.to_owned() });
        }
        files.sort_by(|a, b| natural_order(a.as_os_str(), b.as_os_str()));
        if let Some(fps) = fps {
            period_from_fps(fps)?;
        }
        let frames = files.len() as u64;
        let info = SourceInfo {
            frames_total: Some(frames),
            fps,
            live: false,
            simulated: false,
            duration: fps.map(|fps| offset_at_fps(frames, fps)),
        };
        // One part a second leaves every part the time that a slow line would.
        let fps = fps.unwrap_or(1.0);
        Ok(Self { info, fps, folder, files, camera, began, sequence: 0 })
    }

    fn frame_from(&self, sequence: u64, path: &Path) -> Result<Frame, CaptureError> {
        let pixels = read(path)?;
        let name = path.strip_prefix(&self.folder).unwrap_or(path).to_string_lossy();
        let offset: Duration = offset_at_fps(sequence, self.fps);
        Ok(Frame {
            camera: self.camera.clone(),
            sequence,
            at: time_after(self.began, offset),
            origin: Some(name.into()),
            pixels: Arc::new(pixels),
        })
    }
}

impl Source for Images {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, CaptureError> {
        let sequence = self.sequence;
        let path = usize::try_from(sequence).ok().and_then(|index| self.files.get(index));
        let Some(path) = path.cloned() else { return Ok(Next::End) };
        self.sequence += 1;
        self.frame_from(sequence, &path).map(Next::Frame)
    }
}

/// The folder that names are relative to, and the images in it.
fn list(path: &Path) -> Result<(PathBuf, Vec<PathBuf>), CaptureError> {
    let unreadable = |reason: io::Error| CaptureError::Unreadable { path: path.to_owned(), reason };
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => {
            let mut files = entries(path).map_err(unreadable)?;
            files.retain(|file| is_image_name(file) && file.is_file());
            Ok((path.to_owned(), files))
        }
        Ok(_) => {
            let folder = path.parent().unwrap_or(Path::new("")).to_owned();
            Ok((folder, vec![path.to_owned()]))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => match Pattern::from_path(path) {
            Some(pattern) => {
                let mut files = pattern.matches().map_err(unreadable)?;
                files.retain(|file| is_image_name(file) && file.is_file());
                Ok((pattern.folder().to_owned(), files))
            }
            None => Err(CaptureError::Missing { path: path.to_owned() }),
        },
        Err(reason) => Err(unreadable(reason)),
    }
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

/// Whether a name ends like an image's and is not hidden, as the shadow files of some systems are.
pub(super) fn is_image_name(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let ending = path.extension().and_then(|ending| ending.to_str());
    !hidden && ending.is_some_and(|it| ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(it)))
}

/// Decodes one image, told by its contents and not by its name; rows as stored, not turned by EXIF.
fn read(path: &Path) -> Result<OwnedPixels, CaptureError> {
    let unreadable = |reason| CaptureError::Unreadable { path: path.to_owned(), reason };
    let refuse = |reason: String| CaptureError::Image { path: path.to_owned(), reason };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.len() == 0 {
        return Err(CaptureError::Empty { path: path.to_owned() });
    }
    let mut reader =
        ImageReader::new(BufReader::new(file)).with_guessed_format().map_err(unreadable)?;
    if reader.format().is_none() {
        return Err(refuse(format!("it is none of {}", ENDINGS.join(", "))));
    }
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(DECODER_BYTES_MOST);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|error| refuse(error.to_string()))?;
    let (width, height) = decoder.dimensions();
    let size = SizePx::new(width, height);
    if size.area() > PIXELS_MOST {
        return Err(CaptureError::ImageTooLarge { path: path.to_owned(), size });
    }
    let image = DynamicImage::from_decoder(decoder).map_err(|error| refuse(error.to_string()))?;
    let kind = image.color();
    pixels_from(image).ok_or_else(|| refuse(format!("pixels of the kind {kind:?} are not known")))
}

/// Gray stays gray with its depth, colour becomes eight bits a channel, transparency is dropped.
fn pixels_from(image: DynamicImage) -> Option<OwnedPixels> {
    let size = SizePx::new(image.width(), image.height());
    let (format, bytes) = match image {
        DynamicImage::ImageLuma8(luma) => (PixelFormat::Gray8, luma.into_raw()),
        DynamicImage::ImageLumaA8(_) => (PixelFormat::Gray8, image.into_luma8().into_raw()),
        DynamicImage::ImageLuma16(_) | DynamicImage::ImageLumaA16(_) => {
            let luma = image.into_luma16();
            (PixelFormat::Gray16Le, luma.iter().flat_map(|value| value.to_le_bytes()).collect())
        }
        DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_) => return None,
        _ => (PixelFormat::Rgb8, image.into_rgb8().into_raw()),
    };
    OwnedPixels::new(format, size, vec![bytes])
}

#[cfg(test)]
mod tests {
    use domain::Pixels;
    use image::{GrayAlphaImage, ImageBuffer, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn open(path: &Path) -> Result<Images, CaptureError> {
        Images::open(path, None, CameraId::new("test"), CaptureTime::default())
    }

    fn names(images: &mut Images) -> Vec<String> {
        let mut names = Vec::new();
        while let Next::Frame(frame) = images.next().unwrap() {
            names.push(frame.origin.unwrap().to_string());
        }
        names
    }

    fn save(path: PathBuf) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        RgbImage::new(2, 2).save(path).unwrap();
    }

    #[test]
    fn a_folder_is_read_in_natural_order_without_its_folders_and_hidden_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["p10.png", "p9.PNG", "p1.jpg", "sub/p0.png", ".p3.png"] {
            save(folder.path().join(name));
        }
        fs::create_dir(folder.path().join("p4.png")).unwrap();
        fs::write(folder.path().join("notes.txt"), "x").unwrap();
        assert_eq!(names(&mut open(folder.path()).unwrap()), ["p1.jpg", "p9.PNG", "p10.png"]);
    }

    #[test]
    fn patterns_match_in_folders_and_names_are_relative_to_what_is_certain() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["cam1/a2.png", "cam1/a10.png", "cam2/a1.png", "cam2/b.png", "other/a1.png"] {
            save(folder.path().join(name));
        }
        let found = names(&mut open(&folder.path().join("cam?/a*.png")).unwrap());
        assert_eq!(found, ["cam1/a2.png", "cam1/a10.png", "cam2/a1.png"]);
        let one = folder.path().join("cam2/b.png");
        assert_eq!(names(&mut open(&one).unwrap()), ["b.png"]);
    }

    #[test]
    fn nothing_to_read_is_an_error_that_names_the_endings() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("*.png")] {
            let error = open(&path).err().unwrap();
            assert!(matches!(error, CaptureError::NoImages { .. }), "{error}");
            assert!(error.to_string().contains("jpeg"), "{error}");
        }
        let error = open(&folder.path().join("no")).err().unwrap();
        assert!(matches!(error, CaptureError::Missing { .. }), "{error}");
    }

    #[test]
    fn every_kind_of_pixel_arrives_as_it_is_or_without_its_transparency() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.png");
        let check = |image: DynamicImage, format, bytes: &[u8]| {
            image.save(&path).unwrap();
            let pixels = read(&path).unwrap();
            assert_eq!((pixels.format(), pixels.plane(0).data), (format, bytes));
        };
        let gray = ImageBuffer::from_pixel(1, 1, Luma([7u8]));
        check(gray.into(), PixelFormat::Gray8, &[7]);
        let veiled = GrayAlphaImage::from_pixel(1, 1, LumaA([7, 9]));
        check(veiled.into(), PixelFormat::Gray8, &[7]);
        let deep = ImageBuffer::from_pixel(1, 1, Luma([0x1234u16]));
        check(deep.into(), PixelFormat::Gray16Le, &[0x34, 0x12]);
        let colour = RgbaImage::from_pixel(1, 1, Rgba([1, 2, 3, 0]));
        check(colour.into(), PixelFormat::Rgb8, &[1, 2, 3]);
        let deep = ImageBuffer::from_pixel(1, 1, Rgb([0x0101u16, 0x0202, 0x0303]));
        check(deep.into(), PixelFormat::Rgb8, &[1, 2, 3]);
    }

    #[test]
    fn every_format_is_told_by_its_contents() {
        let folder = tempfile::tempdir().unwrap();
        for ending in ENDINGS {
            let path = folder.path().join(format!("x.{ending}"));
            RgbImage::from_pixel(9, 5, Rgb([80, 80, 80])).save(&path).unwrap();
            let disguised = folder.path().join(format!("{ending}.png"));
            fs::rename(&path, &disguised).unwrap();
            let pixels = read(&disguised).unwrap();
            assert_eq!(pixels.size(), SizePx::new(9, 5));
            assert!(pixels.plane(0).data[0].abs_diff(80) < 3);
        }
    }

    #[test]
    fn a_broken_image_is_named_and_the_next_one_follows_with_a_gap() {
        let folder = tempfile::tempdir().unwrap();
        let name = |index: u32| folder.path().join(format!("{index}.png"));
        (0..6).for_each(|index| save(name(index)));
        fs::write(name(1), "no image").unwrap();
        fs::write(name(2), "").unwrap();
        let whole = fs::read(name(3)).unwrap();
        fs::write(name(3), &whole[..whole.len() / 2]).unwrap();
        fs::remove_file(name(4)).unwrap();
        std::os::unix::fs::symlink(name(0), name(4)).unwrap();
        let mut images = open(folder.path()).unwrap();
        fs::remove_file(name(4)).unwrap();
        let mut seen = Vec::new();
        loop {
            match images.next() {
                Ok(Next::Frame(frame)) => seen.push(frame.sequence.to_string()),
                Ok(_) => break,
                Err(error) => seen.push(error.to_string()),
            }
        }
        assert_eq!((seen[0].as_str(), seen[5].as_str(), seen.len()), ("0", "5", 6));
        for (index, part) in [(1, "none of"), (2, "empty"), (3, "3.png"), (4, "cannot be read")] {
            assert!(seen[index].contains(part) && seen[index].contains(&format!("{index}.png")));
        }
    }

    #[test]
    fn an_absurd_size_is_refused_before_memory_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bomb.bmp");
        for (width, height) in [(60_000u32, 60_000u32), (16_385, 16_384)] {
            let mut bomb = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
            bomb.extend(width.to_le_bytes());
            bomb.extend(height.to_le_bytes());
            bomb.extend([1, 0, 24, 0]);
            bomb.resize(200, 0);
            fs::write(&path, bomb).unwrap();
            let error = read(&path).err().unwrap();
            assert!(matches!(error, CaptureError::ImageTooLarge { .. }), "{error}");
        }
    }
}
