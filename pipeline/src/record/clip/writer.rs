//! A clip on its way into its file. Takes coded pictures in order; writes the header and fragments
//! that each begin with a key frame; gives where the fragments are.
//!
//! A fragment is held back until the next one is known to be long enough: the service refuses
//! what lasts less than a second, so a short end goes into the fragment before it.

use std::io::{self, Write};

use store::Fragment;
use thiserror::Error;

use super::encoder::Coded;
use super::matroska::{Block, FRAGMENT_MS_MIN, Fragments, MatroskaError, Tag};

/// Why a clip is not written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The service would not take it.
    #[error(transparent)]
    Matroska(#[from] MatroskaError),
    /// The disk does not take it.
    #[error("the disk does not take it: {0}")]
    Disk(#[from] io::Error),
}

/// When a fragment is over.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// A fragment lasts at most so long, in milliseconds; the last one of a clip up to a second
    /// longer.
    pub fragment_ms: u64,
    /// How long a picture is shown, in milliseconds, rounded up.
    pub frame_ms: u64,
}

impl Pace {
    /// Whether a picture at `at_ms` begins a fragment after one that began at `began_ms`.
    #[must_use]
    pub const fn begins_anew(&self, began_ms: u64, at_ms: u64) -> bool {
        at_ms + self.frame_ms > began_ms + self.fragment_ms
    }
}

/// What is said of the pictures from one time to another, milliseconds from the clip's start.
pub type TagsBetween<'a> = &'a dyn Fn(u64, u64) -> Vec<Tag>;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenClip {
    /// The header.
    pub header_bytes: u64,
    /// Header and fragments.
    pub bytes: u64,
    /// The fragments.
    pub fragments: Vec<Fragment>,
    /// Pictures in them.
    pub pictures: u64,
}

/// A clip that is being written.
pub struct ClipWriter<W> {
    out: W,
    pace: Pace,
    started_ms: i64,
    muxer: Fragments,
    written: WrittenClip,
    /// Whole, but for a short end that may follow.
    held: Vec<Coded>,
    open: Vec<Coded>,
}

impl<W: Write> ClipWriter<W> {
    /// Writes `header`; the clip starts at `started_ms` milliseconds since 1970.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn begin(
        mut out: W,
        header: &[u8],
        started_ms: i64,
        pace: Pace,
    ) -> Result<Self, WriteError> {
        out.write_all(header)?;
        let bytes = header.len() as u64;
        Ok(Self {
            out,
            pace,
            started_ms,
            muxer: Fragments::behind(bytes, started_ms),
            written: WrittenClip { header_bytes: bytes, bytes, fragments: Vec::new(), pictures: 0 },
            held: Vec::new(),
            open: Vec::new(),
        })
    }

    /// Adds a picture.
    ///
    /// # Errors
    /// When the service would not take what it ends, or the disk does not.
    pub fn push(&mut self, coded: Coded, tags: TagsBetween<'_>) -> Result<(), WriteError> {
        let began = self.open.first().map(|first| first.at_ms);
        if let Some(began) = began
            && coded.is_key
            && self.pace.begins_anew(began, coded.at_ms)
        {
            let whole = std::mem::take(&mut self.open);
            let before = std::mem::replace(&mut self.held, whole);
            self.write(&before, Some(began), tags)?;
        }
        self.open.push(coded);
        Ok(())
    }

    /// Writes what is left; gives the file back, and what is in it.
    ///
    /// # Errors
    /// When the service would not take it, or the disk does not.
    pub fn finish(mut self, tags: TagsBetween<'_>) -> Result<(W, WrittenClip), WriteError> {
        let (mut held, open) = (std::mem::take(&mut self.held), std::mem::take(&mut self.open));
        let lasts = open.first().map_or(0, |first| self.end_of(&open, None) - first.at_ms);
        if lasts < FRAGMENT_MS_MIN {
            held.extend(open);
            self.write(&held, None, tags)?;
        } else {
            self.write(&held, open.first().map(|first| first.at_ms), tags)?;
            self.write(&open, None, tags)?;
        }
        self.out.flush()?;
        Ok((self.out, self.written))
    }

    /// When the last picture is over: when the next one comes, if that is sooner than usual.
    fn end_of(&self, pictures: &[Coded], next_ms: Option<u64>) -> u64 {
        let end = pictures.last().map_or(0, |last| last.at_ms + self.pace.frame_ms);
        next_ms.map_or(end, |next_ms| end.min(next_ms))
    }

    fn write(
        &mut self,
        pictures: &[Coded],
        next_ms: Option<u64>,
        tags: TagsBetween<'_>,
    ) -> Result<(), WriteError> {
        let (Some(first), Some(last)) = (pictures.first(), pictures.last()) else {
            return Ok(());
        };
        let since_1970 = |at_ms| self.started_ms.saturating_add_unsigned(at_ms);
        let blocks: Vec<Block<'_>> = pictures
            .iter()
            .map(|coded| Block {
                at_ms: since_1970(coded.at_ms),
                is_key: coded.is_key,
                bytes: &coded.bytes,
            })
            .collect();
        let ends_ms = since_1970(self.end_of(pictures, next_ms));
        let tags = tags(first.at_ms, last.at_ms);
        let (bytes, fragment) = self.muxer.next(&tags, &blocks, ends_ms)?;
        self.out.write_all(&bytes)?;
        self.written.bytes += fragment.size_bytes;
        self.written.fragments.push(fragment);
        self.written.pictures += pictures.len() as u64;
        Ok(())
    }
}
