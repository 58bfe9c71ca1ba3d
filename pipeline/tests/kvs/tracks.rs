//! What is said before the first cluster: takes the contents of the EBML header, Info and Tracks;
//! gives the tracks, or why the service refuses them.

use super::ebml::{Bad, children, id, number, only, text};

/// A declared track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    pub number: u64,
    /// 1 is video, 2 is audio.
    pub kind: u64,
    pub codec: String,
    /// The codec's own header.
    pub private: Vec<u8>,
    /// How long a frame lasts, in milliseconds, if the track says so.
    pub frame_ms: Option<i64>,
}

impl Track {
    /// How many bytes say how long a piece of a frame is, when its frames are made of such.
    pub fn length_bytes(&self) -> Option<usize> {
        (self.codec == "V_MPEG4/ISO/AVC").then(|| usize::from(self.private[4] & 3) + 1)
    }
}

/// Checks the EBML header.
pub fn check_ebml(content: &[u8]) -> Result<(), Bad> {
    let all = children(content)?;
    let kind = only(&all, id::DOC_TYPE)?.map(text).transpose()?.unwrap_or_default();
    if kind != "matroska" {
        return Err(format!("the document's type is {kind:?}, not \"matroska\""));
    }
    for (name, most, otherwise) in [
        (id::EBML_READ_VERSION, 1, 1),
        (id::DOC_TYPE_READ_VERSION, 2, 1),
        (id::EBML_MAX_ID, 4, 4),
        (id::EBML_MAX_SIZE, 8, 8),
    ] {
        let value = number(&all, name)?.unwrap_or(otherwise);
        if value == 0 || value > most {
            return Err(format!("element {name:X} is {value}, at most {most} can be read"));
        }
    }
    Ok(())
}

/// Nanoseconds of a tick, out of Info.
pub fn scale_ns(info: &[u8]) -> Result<i64, Bad> {
    let ns = number(&children(info)?, id::TIMECODE_SCALE)?.unwrap_or(1_000_000);
    i64::try_from(ns).ok().filter(|ns| *ns > 0).ok_or(format!("a tick of {ns} ns"))
}

/// The tracks, out of Tracks.
pub fn tracks(content: &[u8]) -> Result<Vec<Track>, Bad> {
    let mut tracks: Vec<Track> = Vec::new();
    for (name, entry) in children(content)? {
        if name != id::TRACK_ENTRY {
            return Err(format!("element {name:X} in Tracks"));
        }
        let track = track(&children(entry)?)?;
        if tracks.iter().any(|other| other.number == track.number) {
            return Err(format!("track {} declared twice", track.number));
        }
        tracks.push(track);
    }
    if tracks.is_empty() { Err("no track declared".to_owned()) } else { Ok(tracks) }
}

fn track(entry: &[(u32, &[u8])]) -> Result<Track, Bad> {
    let number = number_above_0(entry, id::TRACK_NUMBER)?;
    number_above_0(entry, id::TRACK_UID)?;
    let kind = number_above_0(entry, id::TRACK_TYPE)?;
    let codec = only(entry, id::CODEC_ID)?.map(text).transpose()?.unwrap_or_default();
    let private = only(entry, id::CODEC_PRIVATE)?
        .ok_or(format!("track {number} has no CodecPrivate"))?
        .to_vec();
    match (kind, codec.as_str()) {
        (1, "V_MPEG4/ISO/AVC") => avcc(&private)?,
        (1, "V_MPEGH/ISO/HEVC") if private.len() >= 23 && private[0] == 1 => (),
        (2, "A_AAC" | "A_MS/ACM") if !private.is_empty() => (),
        _ => return Err(format!("track {number} of type {kind} with codec {codec:?}")),
    }
    if kind == 1 {
        let video = children(only(entry, id::VIDEO)?.ok_or("a video track without Video")?)?;
        number_above_0(&video, id::PIXEL_WIDTH)?;
        number_above_0(&video, id::PIXEL_HEIGHT)?;
    }
    let frame_ns = self::number(entry, id::DEFAULT_DURATION)?;
    let frame_ms = frame_ns.map(|ns| i64::try_from(ns / 1_000_000).unwrap_or(i64::MAX));
    Ok(Track { number, kind, codec, private, frame_ms })
}

fn number_above_0(all: &[(u32, &[u8])], id: u32) -> Result<u64, Bad> {
    number(all, id)?.filter(|value| *value > 0).ok_or(format!("element {id:X} missing or 0"))
}

/// Checks an AVCDecoderConfigurationRecord: one SPS and one PPS at least, and the profile and
/// level of the SPS.
fn avcc(bytes: &[u8]) -> Result<(), Bad> {
    let wrong = |what: &str| format!("CodecPrivate is no avcC: {what}");
    if bytes.len() < 7 || bytes[0] != 1 {
        return Err(wrong("its version is not 1"));
    }
    if bytes[4] >> 2 != 0x3F || bytes[4] & 3 == 2 || bytes[5] >> 5 != 7 {
        return Err(wrong("reserved bits"));
    }
    let (sps, rest) =
        sets(&bytes[6..], usize::from(bytes[5] & 0x1F)).ok_or(wrong("SPS cut off"))?;
    let (&pps_count, rest) = rest.split_first().ok_or(wrong("no count of PPS"))?;
    let (pps, _) = sets(rest, usize::from(pps_count)).ok_or(wrong("PPS cut off"))?;
    let first = sps.first().ok_or(wrong("no SPS"))?;
    if first.len() < 4 || first[1..4] != bytes[1..4] {
        return Err(wrong("profile or level is not that of its SPS"));
    }
    if pps.is_empty() || sps.iter().any(|set| kind(set) != 7) || pps.iter().any(|s| kind(s) != 8) {
        return Err(wrong("no PPS, or sets of another kind"));
    }
    Ok(())
}

fn kind(nal: &[u8]) -> u8 {
    nal.first().map_or(0, |first| first & 0x1F)
}

/// `count` sets, each with its length in two bytes before it, and what comes after them.
fn sets(mut bytes: &[u8], count: usize) -> Option<(Vec<&[u8]>, &[u8])> {
    let mut sets = Vec::new();
    for _ in 0..count {
        let (len, rest) = bytes.split_at_checked(2)?;
        let (set, rest) = rest.split_at_checked(usize::from(len[0]) << 8 | usize::from(len[1]))?;
        sets.push(set);
        bytes = rest;
    }
    Some((sets, bytes))
}

/// Whether a frame is made of pieces with their length before them; and, of a key frame, that a
/// piece is an IDR slice.
pub fn check_frame(data: &[u8], length_bytes: usize, is_key: bool) -> Result<(), Bad> {
    let mut rest = data;
    let mut has_idr = false;
    while !rest.is_empty() {
        let (len, after) = rest.split_at_checked(length_bytes).ok_or("a length is cut off")?;
        let len = len.iter().fold(0_usize, |len, &byte| len << 8 | usize::from(byte));
        let (nal, after) = after.split_at_checked(len).ok_or("not length-prefixed")?;
        has_idr |= kind(nal) == 5;
        if nal.is_empty() {
            return Err("an empty piece".to_owned());
        }
        rest = after;
    }
    match (data.is_empty(), is_key && !has_idr) {
        (true, _) => Err("an empty frame".to_owned()),
        (_, true) => Err("a key frame without an IDR slice".to_owned()),
        _ => Ok(()),
    }
}
