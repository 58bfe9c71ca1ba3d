//! The little of Matroska that Kinesis Video Streams takes. Takes coded pictures with their times
//! and what is to be said of them; gives the bytes of a header, and of fragments that may follow
//! it, or each other on a connection, in any number.
//!
//! A clip is one header, then fragments. A fragment is tags, then a cluster of unknown size, so
//! that nothing before it need be known or mended. What every clip of one encoder has in common is
//! in the header, and nothing else is: no name, no number, no date of a clip.

use domain::SizePx;
use sha2::{Digest, Sha256};
use store::Fragment;
use thiserror::Error;

/// The longest fragment that the service takes, in milliseconds.
pub const FRAGMENT_MS_MAX: u64 = 20_000;
/// The shortest.
pub const FRAGMENT_MS_MIN: u64 = 1_000;
/// The largest fragment that the service takes, in bytes.
pub const FRAGMENT_BYTES_MAX: u64 = 50_000_000;
/// The most tags that the service takes on a fragment.
pub const TAGS_MAX: usize = 10;
/// The longest name of a tag, in bytes.
pub const TAG_NAME_MAX: usize = 128;
/// The longest value of a tag, in bytes.
pub const TAG_VALUE_MAX: usize = 256;

/// Names that begin so belong to the service.
const RESERVED: &str = "AWS";
/// Its own, which says that a fragment is over though none follows.
const END_OF_FRAGMENT: &str = "AWS_KINESISVIDEO_END_OF_FRAGMENT";

const EBML: u32 = 0x1A45_DFA3;
const EBML_VERSION: u32 = 0x4286;
const EBML_READ_VERSION: u32 = 0x42F7;
const EBML_MAX_ID_LENGTH: u32 = 0x42F2;
const EBML_MAX_SIZE_LENGTH: u32 = 0x42F3;
const DOC_TYPE: u32 = 0x4282;
const DOC_TYPE_VERSION: u32 = 0x4287;
const DOC_TYPE_READ_VERSION: u32 = 0x4285;
const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_A966;
const SEGMENT_UID: u32 = 0x73A4;
const TIMECODE_SCALE: u32 = 0x2A_D7B1;
const TITLE: u32 = 0x7BA9;
const MUXING_APP: u32 = 0x4D80;
const WRITING_APP: u32 = 0x5741;
const TRACKS: u32 = 0x1654_AE6B;
const TRACK_ENTRY: u32 = 0xAE;
const TRACK_NUMBER: u32 = 0xD7;
const TRACK_UID: u32 = 0x73C5;
const TRACK_TYPE: u32 = 0x83;
const TRACK_NAME: u32 = 0x536E;
const DEFAULT_DURATION: u32 = 0x23_E383;
const CODEC_ID: u32 = 0x86;
const CODEC_PRIVATE: u32 = 0x63A2;
const VIDEO: u32 = 0xE0;
const PIXEL_WIDTH: u32 = 0xB0;
const PIXEL_HEIGHT: u32 = 0xBA;
const TAGS: u32 = 0x1254_C367;
const TAG: u32 = 0x7373;
const SIMPLE_TAG: u32 = 0x67C8;
const TAG_NAME: u32 = 0x45A3;
const TAG_STRING: u32 = 0x4487;
const CLUSTER: u32 = 0x1F43_B675;
const TIMECODE: u32 = 0xE7;
const POSITION: u32 = 0xA7;
const SIMPLE_BLOCK: u32 = 0xA3;

/// The size of a segment or a cluster that lasts until something follows that can't be in it.
const UNKNOWN_SIZE: u8 = 0xFF;
/// The one track, as blocks name it.
const TRACK_1: u8 = 0x81;
/// A block's flag: decoding may begin here.
const KEY: u8 = 0x80;
/// A tick is a millisecond.
const TICK_NS: u64 = 1_000_000;

/// Why the service would not take a fragment, or a player not show it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MatroskaError {
    /// Nothing to show.
    #[error("a fragment without a picture: at least one is needed")]
    Empty,
    /// Decoding can't begin there.
    #[error("the fragment at {at_ms} ms does not begin with a key frame")]
    NoKeyFrame {
        /// Time of its first picture, milliseconds since 1970.
        at_ms: i64,
    },
    /// A picture that is not later than the one before it.
    #[error("a picture at {at_ms} ms follows one at {before_ms} ms: times must rise")]
    NotRising {
        /// Its time, milliseconds since 1970.
        at_ms: i64,
        /// Time of the one before it.
        before_ms: i64,
    },
    /// A picture before 1970 has no timecode.
    #[error("a picture at {at_ms} ms since 1970: the clock is before 1970")]
    BeforeEpoch {
        /// Its time, milliseconds since 1970.
        at_ms: i64,
    },
    /// A fragment that lasts too long.
    #[error("the fragment at {at_ms} ms lasts {lasts_ms} ms: at most {FRAGMENT_MS_MAX}")]
    TooLong {
        /// Time of its first picture, milliseconds since 1970.
        at_ms: i64,
        /// How long it lasts.
        lasts_ms: u64,
    },
    /// A fragment that is too large.
    #[error("the fragment at {at_ms} ms has {bytes} bytes: at most {FRAGMENT_BYTES_MAX}")]
    TooLarge {
        /// Time of its first picture, milliseconds since 1970.
        at_ms: i64,
        /// What it would take.
        bytes: u64,
    },
    /// More tags than the service takes.
    #[error("{tags} tags on one fragment: at most {TAGS_MAX}")]
    TooManyTags {
        /// How many.
        tags: usize,
    },
    /// A tag's name that the service refuses.
    #[error(
        "a tag named {name:?}: 1 to {TAG_NAME_MAX} bytes, not beginning with {RESERVED}, are right"
    )]
    TagName {
        /// The name.
        name: String,
    },
    /// A tag's value that the service refuses.
    #[error("tag {name}: a value of {bytes} bytes: at most {TAG_VALUE_MAX}")]
    TagValue {
        /// The tag.
        name: String,
        /// Length of its value.
        bytes: usize,
    },
}

/// What all clips of one encoder have in common.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// What is filmed, for people: station and camera.
    pub title: &'a str,
    /// Name and version of the software that writes.
    pub software: &'a str,
    /// Width and height of the pictures.
    pub size: SizePx,
    /// How long a picture is shown, in nanoseconds, when they come at one pace.
    pub frame_ns: Option<u64>,
    /// What a decoder must know before the first picture: the avcC box of MP4.
    pub avcc: &'a [u8],
}

impl Header<'_> {
    /// The bytes: the same ones for the same settings.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        put_master(&mut out, EBML, &ebml());
        put_id(&mut out, SEGMENT);
        out.push(UNKNOWN_SIZE);
        let tracks = master(TRACK_ENTRY, &self.track());
        put_master(&mut out, INFO, &self.info());
        put_master(&mut out, TRACKS, &tracks);
        out
    }

    /// What players tell segments and tracks apart by: a hash of all that is in the header.
    fn uid(&self) -> [u8; 32] {
        let mut all = Sha256::new();
        for part in [self.title.as_bytes(), self.software.as_bytes(), self.avcc] {
            all.update((part.len() as u64).to_be_bytes());
            all.update(part);
        }
        let (width, height) = (self.size.width.into(), self.size.height.into());
        for number in [width, height, self.frame_ns.unwrap_or_default()] {
            all.update(number.to_be_bytes());
        }
        all.finalize().into()
    }

    fn info(&self) -> Vec<u8> {
        let mut info = Vec::new();
        put_bytes(&mut info, SEGMENT_UID, &self.uid()[..16]);
        put_number(&mut info, TIMECODE_SCALE, TICK_NS);
        put_bytes(&mut info, TITLE, self.title.as_bytes());
        put_bytes(&mut info, MUXING_APP, self.software.as_bytes());
        put_bytes(&mut info, WRITING_APP, self.software.as_bytes());
        info
    }

    fn track(&self) -> Vec<u8> {
        let mut video = Vec::new();
        put_number(&mut video, PIXEL_WIDTH, self.size.width.into());
        put_number(&mut video, PIXEL_HEIGHT, self.size.height.into());
        // Its last bytes, as the first are the segment's; the low bit, as it may not be 0.
        let mut uid = [0; 8];
        uid.copy_from_slice(&self.uid()[24..]);
        let mut track = Vec::new();
        put_number(&mut track, TRACK_NUMBER, 1);
        put_number(&mut track, TRACK_UID, u64::from_be_bytes(uid) | 1);
        put_number(&mut track, TRACK_TYPE, 1);
        put_bytes(&mut track, TRACK_NAME, b"video");
        if let Some(frame_ns) = self.frame_ns {
            put_number(&mut track, DEFAULT_DURATION, frame_ns);
        }
        put_bytes(&mut track, CODEC_ID, b"V_MPEG4/ISO/AVC");
        put_bytes(&mut track, CODEC_PRIVATE, self.avcc);
        put_master(&mut track, VIDEO, &video);
        track
    }
}

/// Something said of a fragment, for machines that read the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// What is said, 1 to 128 bytes; may be said several times.
    pub name: String,
    /// At most 256 bytes.
    pub value: String,
}

impl Tag {
    fn check(&self) -> Result<(), MatroskaError> {
        let name = self.name.clone();
        if !(1..=TAG_NAME_MAX).contains(&name.len()) || name.starts_with(RESERVED) {
            return Err(MatroskaError::TagName { name });
        }
        match self.value.len() {
            ..=TAG_VALUE_MAX => Ok(()),
            bytes => Err(MatroskaError::TagValue { name, bytes }),
        }
    }
}

/// One coded picture: an access unit of H.264, its units preceded by their length in four bytes.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// When it was exposed, milliseconds since 1970.
    pub at_ms: i64,
    /// Whether decoding may begin with it.
    pub is_key: bool,
    /// The picture.
    pub bytes: &'a [u8],
}

/// Fragments one after the other behind a header, and where each of them is.
#[derive(Clone, Debug)]
pub struct Fragments {
    started_ms: i64,
    offset_bytes: u64,
    newest_ms: Option<i64>,
}

impl Fragments {
    /// Fragments behind a header of `header_bytes`, of a clip that starts at `started_ms`
    /// milliseconds since 1970.
    #[must_use]
    pub const fn behind(header_bytes: u64, started_ms: i64) -> Self {
        Self { started_ms, offset_bytes: header_bytes, newest_ms: None }
    }

    /// The bytes of the next fragment, whose last picture ends at `ends_ms`, and where it will be.
    ///
    /// # Errors
    /// When the service would refuse it; the next one may then follow in its place.
    pub fn next(
        &mut self,
        tags: &[Tag],
        blocks: &[Block<'_>],
        ends_ms: i64,
    ) -> Result<(Vec<u8>, Fragment), MatroskaError> {
        let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else {
            return Err(MatroskaError::Empty);
        };
        let at_ms = first.at_ms;
        let timecode = u64::try_from(at_ms).map_err(|_| MatroskaError::BeforeEpoch { at_ms })?;
        if !first.is_key {
            return Err(MatroskaError::NoKeyFrame { at_ms });
        }
        self.check_order(blocks)?;
        let lasts_ms = ends_ms.max(last.at_ms).saturating_sub(at_ms).unsigned_abs();
        if lasts_ms > FRAGMENT_MS_MAX {
            return Err(MatroskaError::TooLong { at_ms, lasts_ms });
        }
        let (bytes, timecode_at) = fragment(tags, blocks, timecode)?;
        let size_bytes = bytes.len() as u64;
        if size_bytes > FRAGMENT_BYTES_MAX {
            return Err(MatroskaError::TooLarge { at_ms, bytes: size_bytes });
        }
        let written = Fragment {
            offset_bytes: self.offset_bytes,
            size_bytes,
            timecode_at_bytes: self.offset_bytes + timecode_at,
            starts_ms: at_ms.saturating_sub(self.started_ms).unsigned_abs(),
            lasts_ms,
        };
        self.offset_bytes += size_bytes;
        self.newest_ms = Some(last.at_ms);
        Ok((bytes, written))
    }

    fn check_order(&self, blocks: &[Block<'_>]) -> Result<(), MatroskaError> {
        // The clip's own start counts as well: no fragment begins before it.
        let mut before_ms = self.newest_ms.unwrap_or(self.started_ms.saturating_sub(1));
        for &Block { at_ms, .. } in blocks {
            if at_ms <= before_ms {
                return Err(MatroskaError::NotRising { at_ms, before_ms });
            }
            before_ms = at_ms;
        }
        Ok(())
    }
}

/// The bytes of a fragment, and how far into them the eight bytes of its timecode are.
fn fragment(
    tags: &[Tag],
    blocks: &[Block<'_>],
    timecode: u64,
) -> Result<(Vec<u8>, u64), MatroskaError> {
    let pictures: usize = blocks.iter().map(|block| block.bytes.len() + 16).sum();
    let mut out = Vec::with_capacity(pictures + 4096);
    if !tags.is_empty() {
        if tags.len() > TAGS_MAX {
            return Err(MatroskaError::TooManyTags { tags: tags.len() });
        }
        tags.iter().try_for_each(Tag::check)?;
        put_tags(&mut out, tags.iter().map(|tag| (&*tag.name, &*tag.value)));
    }
    put_id(&mut out, CLUSTER);
    out.push(UNKNOWN_SIZE);
    put_id(&mut out, TIMECODE);
    // Eight bytes whatever it is, so that it can be set right in place.
    put_size(&mut out, 8);
    let timecode_at = out.len() as u64;
    out.extend_from_slice(&timecode.to_be_bytes());
    put_number(&mut out, POSITION, 0);
    for block in blocks {
        put_block(&mut out, block, blocks[0].at_ms)?;
    }
    Ok((out, timecode_at))
}

fn put_block(out: &mut Vec<u8>, block: &Block<'_>, from_ms: i64) -> Result<(), MatroskaError> {
    let since = block.at_ms.saturating_sub(from_ms);
    let ticks = i16::try_from(since)
        .map_err(|_| MatroskaError::TooLong { at_ms: from_ms, lasts_ms: since.unsigned_abs() })?;
    put_id(out, SIMPLE_BLOCK);
    put_size(out, block.bytes.len() as u64 + 4);
    out.push(TRACK_1);
    out.extend_from_slice(&ticks.to_be_bytes());
    out.push(if block.is_key { KEY } else { 0 });
    out.extend_from_slice(block.bytes);
    Ok(())
}

/// What says, after a fragment that nothing follows for now, that it is over.
#[must_use]
pub fn end_of_fragment_tag() -> Vec<u8> {
    let mut out = Vec::new();
    put_tags(&mut out, [(END_OF_FRAGMENT, "")].into_iter());
    out
}

fn put_tags<'a>(out: &mut Vec<u8>, tags: impl Iterator<Item = (&'a str, &'a str)>) {
    let mut all = Vec::new();
    for (name, value) in tags {
        let mut simple = Vec::new();
        put_bytes(&mut simple, TAG_NAME, name.as_bytes());
        put_bytes(&mut simple, TAG_STRING, value.as_bytes());
        put_master(&mut all, TAG, &master(SIMPLE_TAG, &simple));
    }
    put_master(out, TAGS, &all);
}

fn ebml() -> Vec<u8> {
    let mut ebml = Vec::new();
    put_number(&mut ebml, EBML_VERSION, 1);
    put_number(&mut ebml, EBML_READ_VERSION, 1);
    put_number(&mut ebml, EBML_MAX_ID_LENGTH, 4);
    put_number(&mut ebml, EBML_MAX_SIZE_LENGTH, 8);
    put_bytes(&mut ebml, DOC_TYPE, b"matroska");
    put_number(&mut ebml, DOC_TYPE_VERSION, 2);
    put_number(&mut ebml, DOC_TYPE_READ_VERSION, 2);
    ebml
}

fn master(id: u32, children: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(children.len() + 12);
    put_master(&mut out, id, children);
    out
}

fn put_master(out: &mut Vec<u8>, id: u32, children: &[u8]) {
    put_bytes(out, id, children);
}

fn put_bytes(out: &mut Vec<u8>, id: u32, bytes: &[u8]) {
    put_id(out, id);
    put_size(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// An unsigned integer in as few bytes as it needs.
fn put_number(out: &mut Vec<u8>, id: u32, value: u64) {
    let bytes = value.to_be_bytes();
    let zeros = (value.leading_zeros() / 8).min(7) as usize;
    put_bytes(out, id, &bytes[zeros..]);
}

/// An element's id carries its own length in its first bits: only leading zero bytes go.
fn put_id(out: &mut Vec<u8>, id: u32) {
    let bytes = id.to_be_bytes();
    out.extend_from_slice(&bytes[(id.leading_zeros() / 8) as usize..]);
}

/// A size in as few bytes as it needs: seven bits a byte, of which all ones mean unknown.
fn put_size(out: &mut Vec<u8>, size: u64) {
    let needed = (1u32..8).find(|length| size < (1 << (7 * length)) - 1).unwrap_or(8);
    let marked = size | 1 << (7 * needed);
    out.extend_from_slice(&marked.to_be_bytes()[8 - needed as usize..]);
}
