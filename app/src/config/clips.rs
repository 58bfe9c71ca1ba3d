//! What of a station is filmed, kept and sent: `[film]`, `[clips]`, `[upload]`, as written →
//! checked.

use std::path::Path;

use pipeline::record::clip::ClipConfig;
use pipeline::record::film::FilmConfig;
use pipeline::upload::UploadConfig;

use super::station::{Wrong, wrong};

/// How a station films its parts.
#[derive(Clone, Debug)]
pub struct Filming {
    /// The film.
    pub film: FilmConfig,
    /// The clips cut from it.
    pub clips: ClipConfig,
    /// Where they go; they stay when absent.
    pub upload: Option<UploadConfig>,
}

impl Filming {
    /// The three tables as they stand in the station file, which lies in `base`. Without a film
    /// there are no clips, and nothing to send.
    pub(super) fn check(
        film: Option<FilmConfig>,
        clips: Option<ClipConfig>,
        upload: Option<UploadConfig>,
        base: &Path,
    ) -> Result<Option<Self>, Wrong> {
        let Some(film) = film else {
            let alone = [("clips", clips.is_some()), ("upload", upload.is_some())];
            return match alone.into_iter().find(|(_, is_there)| *is_there) {
                Some((key, _)) => {
                    let right = "write [film] as well, or leave it out";
                    Err(wrong(key, "needs a film to cut clips from", right))
                }
                None => Ok(None),
            };
        };
        let clips = clips.unwrap_or_default();
        clips.check().map_err(|error| {
            let key = format!("clips.{}", error.key);
            wrong(key, format!("is {}", error.value), &format!("write {}", error.right))
        })?;
        let upload = upload.map(|upload| match upload {
            UploadConfig::Folder { path } => UploadConfig::Folder { path: base.join(path) },
            other => other,
        });
        Ok(Some(Self { film, clips, upload }))
    }
}
