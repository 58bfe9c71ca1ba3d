//! What of a station is filmed, kept and sent: `[film]`, `[clips]`, `[upload]` as written → checked.

use std::path::Path;

use pipeline::record::clip::ClipConfig;
use pipeline::record::film::FilmConfig;
use pipeline::upload::UploadConfig;

use super::station::{Wrong, wrong};

/// The three tables as they stand in the station file.
pub(super) struct Written {
    pub film: Option<FilmConfig>,
    pub clips: Option<ClipConfig>,
    pub upload: Option<UploadConfig>,
}

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

impl Written {
    /// Without a film there are no clips, and nothing to send.
    pub(super) fn check(self) -> Result<Option<Filming>, Wrong> {
        let Some(film) = self.film else {
            let alone = [("clips", self.clips.is_some()), ("upload", self.upload.is_some())];
            return match alone.into_iter().find(|(_, is_there)| *is_there) {
                Some((key, _)) => {
                    let right = "write [film] as well, or leave it out";
                    Err(wrong(key, "needs a film to cut clips from", right))
                }
                None => Ok(None),
            };
        };
        let clips = self.clips.unwrap_or_default();
        check_clips(&clips, &film)?;
        Ok(Some(Filming { film, clips, upload: self.upload }))
    }
}

impl Filming {
    /// With paths relative to the file in which they stand.
    pub(super) fn beside(mut self, base: &Path) -> Self {
        if let Some(UploadConfig::Folder { path }) = &mut self.upload {
            *path = base.join(&*path);
        }
        self
    }
}

fn check_clips(clips: &ClipConfig, film: &FilmConfig) -> Result<(), Wrong> {
    let within = |key: &str, value: u64, least: u64, most: u64| {
        if (least..=most).contains(&value) {
            return Ok(());
        }
        Err(wrong(key, format!("is {value}"), &format!("write {least} to {most}")))
    };
    within("film.longer_side_px", film.longer_side_px.into(), 160, 4096)?;
    within("film.fps", film.fps.into(), 1, 120)?;
    within("film.before_ms", film.before_ms.into(), 0, 10_000)?;
    within("film.after_ms", film.after_ms.into(), 0, 10_000)?;
    // The service takes fragments of up to 20 s, and nobody looks at an hour for one part.
    let least = u64::from(film.before_ms) + u64::from(film.after_ms);
    within("film.clip_max_ms", film.clip_max_ms.into(), least.max(1000), 600_000)?;
    within("film.memory_mib", film.memory_mib.into(), 1, 65_536)?;
    within("clips.kbit_per_s", clips.kbit_per_s.into(), 50, 100_000)?;
    within("clips.fragment_ms", clips.fragment_ms.into(), 1000, 20_000)?;
    within("clips.disk_mib", clips.disk_mib, 16, 1 << 30)?;
    within("clips.alarm_percent", clips.alarm_percent.into(), 1, 100)
}
