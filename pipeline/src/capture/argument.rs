//! A source named on the command line. Takes one word; gives the configuration it stands for.
//! What is on the disk decides, so that a name may hold anything.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Deserialize;
use serde::de::value::{Error, MapDeserializer};
use serde::de::{self, IntoDeserializer, Visitor};

use super::pattern::Pattern;
use super::synthetic::SceneConfig;
use super::{CaptureError, SourceConfig, images};

/// Begins the word for a synthetic source; a file of such a name is reached as `./synthetic:…`.
const SYNTHETIC: &str = "synthetic";

impl SourceConfig {
    /// The source that a word on the command line stands for: a video, a folder of images, one
    /// image, a pattern such as `parts/*.png`, or `synthetic:parts=20,size=640x480,seed=3`.
    ///
    /// # Errors
    /// When there is no such file, or the list of a synthetic source's wishes is wrong.
    pub fn from_argument(argument: impl AsRef<OsStr>) -> Result<Self, CaptureError> {
        let argument = argument.as_ref();
        if let Some(wishes) = argument.to_str().and_then(synthetic_wishes) {
            return scene_from(wishes).map(Self::Synthetic).map_err(|error| {
                CaptureError::Argument {
                    argument: argument.to_string_lossy().into_owned(),
                    reason: format!("{error}; write {SYNTHETIC}:parts=20,size=640x480,seed=3"),
                }
            });
        }
        let path = PathBuf::from(argument);
        match fs::metadata(&path) {
            Ok(about) if about.is_dir() || images::is_image_name(&path) => Ok(images_of(path)),
            Ok(_) => Ok(Self::File { path, pixel_format: None }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if Pattern::from_path(Path::new(argument)).is_some() {
                    Ok(images_of(path))
                } else {
                    Err(CaptureError::Missing { path })
                }
            }
            Err(reason) => Err(CaptureError::Unreadable { path, reason }),
        }
    }
}

fn images_of(path: PathBuf) -> SourceConfig {
    SourceConfig::Images { path, fps: None }
}

/// What follows `synthetic:`, or nothing after the bare word.
fn synthetic_wishes(argument: &str) -> Option<&str> {
    let rest = argument.strip_prefix(SYNTHETIC)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix(':') }
}

/// Reads `key=value,key=value` as the fields of a scene.
fn scene_from(wishes: &str) -> Result<SceneConfig, Error> {
    let pairs = wishes
        .split(',')
        .filter(|wish| !wish.trim().is_empty())
        .map(|wish| match wish.split_once('=') {
            Some((key, value)) => Ok((key.trim(), Value(value.trim()))),
            None => Err(de::Error::custom(format!("{wish:?} is not key=value"))),
        })
        .collect::<Result<Vec<_>, Error>>()?;
    SceneConfig::deserialize(MapDeserializer::new(pairs.into_iter()))
}

/// A value as it stands in the argument; what is expected of it decides what it is read as.
#[derive(Clone, Copy)]
struct Value<'de>(&'de str);

impl<'de> IntoDeserializer<'de, Error> for Value<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> de::Deserializer<'de> for Value<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if let Ok(number) = self.0.parse::<u64>() {
            visitor.visit_u64(number)
        } else if let Ok(number) = self.0.parse::<f64>() {
            visitor.visit_f64(number)
        } else {
            visitor.visit_borrowed_str(self.0)
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    /// The only structure in a scene is a size, written `640x480`.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let values = self.0.split('x').map(Value);
        if values.clone().count() != fields.len() {
            let form = fields.join("x");
            return Err(de::Error::custom(format!("{:?} is not {form}", self.0)));
        }
        visitor.visit_map(MapDeserializer::new(fields.iter().copied().zip(values)))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use domain::{PixelFormat, SizePx};
    use proptest::prelude::*;

    use super::*;

    fn scene(argument: &str) -> SceneConfig {
        match SourceConfig::from_argument(argument).unwrap() {
            SourceConfig::Synthetic(scene) => scene,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn synthetic_scenes_are_spelled_by_their_fields() {
        assert_eq!(scene("synthetic"), SceneConfig::default());
        assert_eq!(scene("synthetic:"), SceneConfig::default());
        let given = scene("synthetic:parts=3, size=640x480,fps=12.5,format=nv12,spacing=irregular");
        let wanted = SceneConfig {
            parts: 3,
            size: SizePx::new(640, 480),
            fps: 12.5,
            format: PixelFormat::Nv12,
            spacing: crate::capture::synthetic::Spacing::Irregular,
            ..SceneConfig::default()
        };
        assert_eq!(given, wanted);
        assert_eq!(scene("synthetic:speed_px_per_frame=7").speed_px_per_frame, Some(7.0));
    }

    #[test]
    fn wrong_wishes_are_named() {
        for (argument, part) in [
            ("synthetic:prats=3", "prats"),
            ("synthetic:parts", "parts"),
            ("synthetic:parts=many", "many"),
            ("synthetic:parts=-1", "-1"),
            ("synthetic:size=640", "widthxheight"),
            ("synthetic:size=640x480x3", "widthxheight"),
            ("synthetic:format=yuyv", "yuyv"),
        ] {
            let error = SourceConfig::from_argument(argument).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("write synthetic:"), "{error}");
        }
    }

    #[test]
    fn what_lies_on_the_disk_decides() {
        let folder = tempfile::tempdir().unwrap();
        let kind_of = |name: &[u8]| {
            let path = folder.path().join(OsStr::from_bytes(name));
            fs::write(&path, "x").unwrap();
            SourceConfig::from_argument(&path).unwrap()
        };
        for name in
            [&b"-v.mp4"[..], b"a b'\"$.mkv", b"new\nline", b"100%d.mp4", b"\xff\xfe.mp4", b"a*.avi"]
        {
            assert!(matches!(kind_of(name), SourceConfig::File { .. }));
        }
        assert!(matches!(kind_of(b"one.JPG"), SourceConfig::Images { .. }));
        let folder_itself = SourceConfig::from_argument(folder.path()).unwrap();
        assert!(matches!(folder_itself, SourceConfig::Images { .. }));
        let pattern = SourceConfig::from_argument(folder.path().join("*.png")).unwrap();
        assert!(matches!(pattern, SourceConfig::Images { .. }));
        for missing in [&b"gone.mp4"[..], b"", b"synthetic.mp4", b"-"] {
            let path = folder.path().join("no").join(OsStr::from_bytes(missing));
            let error = SourceConfig::from_argument(&path).unwrap_err();
            assert!(matches!(error, CaptureError::Missing { .. }), "{error}");
        }
        let error = SourceConfig::from_argument(OsStr::from_bytes(b"a\0b")).unwrap_err();
        assert!(matches!(error, CaptureError::Unreadable { .. }), "{error}");
    }

    proptest! {
        #[test]
        fn no_argument_panics(argument in "synthetic:[a-z_=,0-9x.-]{0,40}|.{0,40}") {
            let _ = SourceConfig::from_argument(argument);
        }
    }
}
