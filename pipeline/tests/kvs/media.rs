//! The rules for what is put: takes the body of a PutMedia request piece by piece; gives fragments
//! as they begin and end, or the error that the service answers with.

use std::sync::Arc;

use super::ebml::{self, Bad, Head, Reader, children, id, only, text};
use super::tracks::{self, Track};
use super::{Limits, Tag};

/// Why the service takes no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub id: u32,
    pub evidence: String,
}

fn refused(id: u32, evidence: impl Into<String>) -> Refused {
    Refused { id, evidence: evidence.into() }
}

impl From<Bad> for Refused {
    fn from(evidence: Bad) -> Self {
        refused(4006, evidence)
    }
}

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub track: u64,
    /// Milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
    pub is_key: bool,
    pub data: Vec<u8>,
}

/// A fragment that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// EBML header, head of the segment, Info and Tracks: before every fragment when it is read.
    pub header: Arc<[u8]>,
    pub tags: Vec<Tag>,
    /// As its acks call it.
    pub timecode: i64,
    /// The cluster's own time, in milliseconds since 1970-01-01 UTC.
    pub starts_ms: i64,
    /// Of its first to its last frame, the last frame's length added.
    pub lasts_ms: i64,
    pub frames: Vec<Frame>,
    /// Tags and cluster as they came.
    pub bytes: Vec<u8>,
}

impl Fragment {
    /// When its last frame is.
    pub fn last_ms(&self) -> i64 {
        self.frames.iter().map(|frame| frame.at_ms).max().unwrap_or(self.starts_ms)
    }
}

/// What the next bytes are.
#[derive(Debug)]
pub enum Step {
    /// More bytes are needed.
    Hungry,
    /// Something that matters to nobody.
    Other,
    /// A fragment has begun and has this timecode.
    Began { timecode: i64 },
    /// So many frames of the open fragment came.
    Framed { frames: usize },
    /// The fragment is whole.
    Closed(Box<Fragment>),
}

struct Open {
    fragment: Fragment,
    has_timecode: bool,
    /// Bytes of the cluster that are still to come, when its size is known.
    left: Option<u64>,
}

/// One connection's body.
pub struct Media {
    limits: Limits,
    /// Milliseconds that are added to a cluster's timecode: 0 for ABSOLUTE.
    base_ms: i64,
    reader: Reader,
    header: Vec<u8>,
    has_segment: bool,
    scale_ns: Option<i64>,
    pub tracks: Vec<Track>,
    tags: Vec<Tag>,
    tags_bytes: Vec<u8>,
    open: Option<Open>,
    is_in_cluster: bool,
    last_ms: Option<i64>,
    /// What the real service may let pass.
    pub lenient: Vec<String>,
}

/// Names that begin with AWS and mean something to the service.
const KNOWN: [&str; 4] = [
    END_OF_FRAGMENT,
    "AWS_KINESISVIDEO_IMAGE_GENERATION",
    "AWS_KINESISVIDEO_IMAGE_PREFIX",
    "AWS_KINESISVIDEO_NOTIFICATION",
];
const END_OF_FRAGMENT: &str = "AWS_KINESISVIDEO_END_OF_FRAGMENT";
/// Anything but frames.
const MOST_BYTES: u64 = 2 << 20;

impl Media {
    pub fn new(limits: Limits, base_ms: i64) -> Self {
        Self {
            limits,
            base_ms,
            reader: Reader::default(),
            header: Vec::new(),
            has_segment: false,
            scale_ns: None,
            tracks: Vec::new(),
            tags: Vec::new(),
            tags_bytes: Vec::new(),
            open: None,
            is_in_cluster: false,
            last_ms: None,
            lenient: Vec::new(),
        }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.reader.push(bytes);
    }

    /// Timecode of the open fragment.
    pub fn timecode(&self) -> Option<i64> {
        self.open.as_ref().filter(|open| open.has_timecode).map(|open| open.fragment.timecode)
    }

    /// Takes one element, `wall_ms` being the service's time.
    pub fn step(&mut self, wall_ms: i64) -> Result<Step, Refused> {
        let Some(head) = self.reader.head()? else { return Ok(Step::Hungry) };
        if self.header.is_empty() {
            return self.ebml(head);
        }
        if !self.has_segment {
            return self.segment(head);
        }
        if self.is_in_cluster {
            let left = self.open.as_ref().and_then(|open| open.left);
            let is_next = matches!(head.id, id::CLUSTER | id::TAGS | id::INFO | id::TRACKS);
            if left != Some(0) && !(left.is_none() && is_next) {
                return self.in_cluster(head, wall_ms);
            }
            self.is_in_cluster = false;
        }
        self.in_segment(head)
    }

    /// The body has ended: the fragment that ends with it.
    pub fn finish(&mut self) -> Result<Option<Box<Fragment>>, Refused> {
        if !self.reader.rest().is_empty() {
            return Err(refused(4000, "the body ends within an element"));
        }
        if self.open.as_ref().and_then(|open| open.left).is_some_and(|left| left > 0) {
            return Err(refused(4000, "the body ends within a cluster"));
        }
        if !self.tags.is_empty() {
            self.lenient.push("tags that no cluster follows".to_owned());
        }
        self.open.take().map(|open| self.close(open)).transpose()
    }

    fn whole(&mut self, head: Head) -> Result<Option<Vec<u8>>, Refused> {
        Ok(self.reader.take(head.len + head.known(MOST_BYTES)?))
    }

    fn ebml(&mut self, head: Head) -> Result<Step, Refused> {
        if head.id != id::EBML {
            return Err(refused(4006, format!("begins with {:X}, no EBML header", head.id)));
        }
        let Some(bytes) = self.whole(head)? else { return Ok(Step::Hungry) };
        tracks::check_ebml(&bytes[head.len..])?;
        self.header = bytes;
        Ok(Step::Other)
    }

    fn segment(&mut self, head: Head) -> Result<Step, Refused> {
        if head.id != id::SEGMENT || head.size.is_some() {
            return Err(refused(4006, "no Segment of unknown size after the EBML header"));
        }
        self.header.extend(self.reader.take(head.len).unwrap());
        self.has_segment = true;
        Ok(Step::Other)
    }

    fn in_segment(&mut self, head: Head) -> Result<Step, Refused> {
        let has_tracks = !self.tracks.is_empty();
        match head.id {
            id::INFO if self.scale_ns.is_none() => {
                let Some(bytes) = self.whole(head)? else { return Ok(Step::Hungry) };
                self.scale_ns = Some(tracks::scale_ns(&bytes[head.len..])?);
                self.header.extend(bytes);
                Ok(Step::Other)
            }
            id::TRACKS if self.scale_ns.is_some() && !has_tracks => {
                let Some(bytes) = self.whole(head)? else { return Ok(Step::Hungry) };
                self.tracks = tracks::tracks(&bytes[head.len..])?;
                if self.tracks.len() > 3 {
                    return Err(refused(4012, format!("{} tracks, at most 3", self.tracks.len())));
                }
                self.header.extend(bytes);
                Ok(Step::Other)
            }
            id::TAGS if has_tracks => self.tags(head),
            id::CLUSTER if has_tracks => self.cluster(head),
            _ => Err(refused(4006, format!("element {:X} may not be here", head.id))),
        }
    }

    fn tags(&mut self, head: Head) -> Result<Step, Refused> {
        let Some(bytes) = self.whole(head)? else { return Ok(Step::Hungry) };
        let mut found = Vec::new();
        for (name, tag) in children(&bytes[head.len..])? {
            if name != id::TAG {
                return Err(refused(4006, format!("element {name:X} in Tags")));
            }
            for (name, simple) in children(tag)? {
                match name {
                    id::SIMPLE_TAG => simple_tag(simple, &mut found)?,
                    id::TARGETS => (),
                    _ => return Err(refused(4006, format!("element {name:X} in Tag"))),
                }
            }
        }
        if found.iter().any(|tag| tag.name == END_OF_FRAGMENT) {
            if found.len() > 1 || !self.tags.is_empty() {
                self.lenient.push("the end-of-fragment tag is not alone".to_owned());
            }
            let open = self.open.take();
            return open.map_or(Ok(Step::Other), |open| Ok(Step::Closed(self.close(open)?)));
        }
        self.tags.extend(found);
        self.tags_bytes.extend(bytes);
        if self.tags.len() > 10 {
            return Err(refused(4009, format!("{} tags, at most 10", self.tags.len())));
        }
        Ok(Step::Other)
    }

    fn cluster(&mut self, head: Head) -> Result<Step, Refused> {
        if let Some(open) = self.open.take() {
            return Ok(Step::Closed(self.close(open)?));
        }
        self.fits(0, head.size.unwrap_or(0))?;
        let mut bytes = std::mem::take(&mut self.tags_bytes);
        bytes.extend(self.reader.take(head.len).unwrap());
        self.is_in_cluster = true;
        let fragment = Fragment {
            header: self.header.clone().into(),
            tags: std::mem::take(&mut self.tags),
            timecode: 0,
            starts_ms: 0,
            lasts_ms: 0,
            frames: Vec::new(),
            bytes,
        };
        self.open = Some(Open { fragment, has_timecode: false, left: head.size });
        Ok(Step::Other)
    }

    fn fits(&self, have: u64, more: u64) -> Result<(), Refused> {
        let most = self.limits.fragment_bytes;
        if have.saturating_add(more) > most {
            return Err(refused(4001, format!("{have} and {more} bytes more, at most {most}")));
        }
        Ok(())
    }

    fn in_cluster(&mut self, head: Head, wall_ms: i64) -> Result<Step, Refused> {
        let known = [id::TIMECODE, id::POSITION, id::PREV_SIZE, id::SIMPLE_BLOCK];
        if !known.contains(&head.id) {
            return Err(refused(4006, format!("element {:X} in a cluster", head.id)));
        }
        let size = head.len as u64 + head.size.ok_or(refused(4006, "a block of unknown size"))?;
        self.fits(self.open.as_ref().unwrap().fragment.bytes.len() as u64, size)?;
        let Some(bytes) = self.reader.take(usize::try_from(size).unwrap()) else {
            return Ok(Step::Hungry);
        };
        let open = self.open.as_mut().unwrap();
        open.fragment.bytes.extend(&bytes);
        if let Some(left) = &mut open.left {
            *left = left.checked_sub(size).ok_or(refused(4006, "an element leaves its cluster"))?;
        }
        match head.id {
            id::TIMECODE => self.timecode_is(ebml::uint(&bytes[head.len..])?, wall_ms),
            id::SIMPLE_BLOCK => self.block(&bytes[head.len..], wall_ms),
            _ => Ok(Step::Other),
        }
    }

    fn ms(&self, ticks: i64) -> i64 {
        ticks.saturating_mul(self.scale_ns.unwrap()) / 1_000_000
    }

    fn not_in_the_future(&self, at_ms: i64, wall_ms: i64) -> Result<(), Refused> {
        if at_ms > wall_ms.saturating_add(self.limits.future_ms) {
            return Err(refused(4007, format!("{at_ms} ms, the service has {wall_ms} ms")));
        }
        Ok(())
    }

    fn timecode_is(&mut self, ticks: u64, wall_ms: i64) -> Result<Step, Refused> {
        let ticks = i64::try_from(ticks).map_err(|_| refused(4006, "a timecode below 0"))?;
        let timecode = self.ms(ticks);
        let starts_ms = self.base_ms.saturating_add(timecode);
        let open = self.open.as_mut().unwrap();
        if open.has_timecode {
            return Err(refused(4006, "two timecodes in a cluster"));
        }
        open.has_timecode = true;
        open.fragment.timecode = timecode;
        open.fragment.starts_ms = starts_ms;
        self.not_in_the_future(starts_ms, wall_ms)?;
        if let Some(last_ms) = self.last_ms.filter(|last_ms| starts_ms <= *last_ms) {
            return Err(refused(4004, format!("{starts_ms} ms, the last frame was {last_ms} ms")));
        }
        Ok(Step::Began { timecode })
    }

    fn block(&mut self, content: &[u8], wall_ms: i64) -> Result<Step, Refused> {
        let starts_ms = self.open.as_ref().map(|open| open.fragment.starts_ms).unwrap();
        if self.timecode().is_none() {
            return Err(refused(4006, "a block before the cluster's timecode"));
        }
        let (track, rest) = block_track(content)?;
        let (relative, flags, data) = match rest {
            [high, low, flags, data @ ..] => (i16::from_be_bytes([*high, *low]), *flags, data),
            _ => return Err(refused(4006, "a block is cut off")),
        };
        let Some(track) = self.tracks.iter().find(|known| known.number == track).cloned() else {
            return Err(refused(4010, format!("track {track} is not declared")));
        };
        if relative < 0 || flags & 0x06 != 0 {
            return Err(refused(4006, format!("relative timecode {relative}, flags {flags:#04X}")));
        }
        let at_ms = starts_ms.saturating_add(self.ms(i64::from(relative)));
        let is_key = flags & 0x80 != 0;
        self.not_in_the_future(at_ms, wall_ms)?;
        let frame = Frame { track: track.number, at_ms, is_key, data: data.to_vec() };
        self.frame(&track, frame)
    }

    fn frame(&mut self, track: &Track, frame: Frame) -> Result<Step, Refused> {
        let at_ms = frame.at_ms;
        if let Some(len) = track.length_bytes().filter(|_| self.limits.checks_frames)
            && let Err(wrong) = tracks::check_frame(&frame.data, len, frame.is_key)
        {
            self.lenient.push(format!("frame at {at_ms} ms: {wrong}"));
        }
        let frames = &mut self.open.as_mut().unwrap().fragment.frames;
        if frames.is_empty() && !(frame.is_key && track.kind == 1) {
            return Err(refused(4006, "a cluster does not begin with a key frame of video"));
        }
        if frames.iter().any(|other| other.track == frame.track && other.at_ms == at_ms) {
            self.lenient.push(format!("two frames of track {} at {at_ms} ms", frame.track));
        }
        frames.push(frame);
        let first = frames[0].at_ms;
        if at_ms - first > self.limits.fragment_ms_max {
            return Err(refused(4002, format!("frames from {first} ms to {at_ms} ms")));
        }
        Ok(Step::Framed { frames: frames.len() })
    }

    fn close(&mut self, open: Open) -> Result<Box<Fragment>, Refused> {
        let mut fragment = open.fragment;
        self.is_in_cluster = false;
        for track in &self.tracks {
            if fragment.frames.iter().all(|frame| frame.track != track.number) {
                return Err(refused(4011, format!("no frame of track {}", track.number)));
            }
        }
        fragment.lasts_ms = lasts_ms(&fragment, &self.tracks);
        if fragment.lasts_ms > self.limits.fragment_ms_max {
            return Err(refused(4002, format!("{} ms", fragment.lasts_ms)));
        }
        if self.limits.fragment_ms_min.is_some_and(|min| fragment.lasts_ms < min) {
            return Err(refused(super::MIN_DURATION, format!("{} ms", fragment.lasts_ms)));
        }
        self.last_ms = Some(fragment.last_ms());
        Ok(Box::new(fragment))
    }
}

/// From the first frame, which is video, to the end of the last one of its track, which lasts as
/// long as the track says, or else as long as the one before it.
fn lasts_ms(fragment: &Fragment, tracks: &[Track]) -> i64 {
    let track = tracks.iter().find(|track| track.number == fragment.frames[0].track).unwrap();
    let mut at: Vec<i64> = (fragment.frames.iter())
        .filter(|frame| frame.track == track.number)
        .map(|frame| frame.at_ms)
        .collect();
    at.sort_unstable();
    let before = at.len().checked_sub(2).map_or(0, |before| at[at.len() - 1] - at[before]);
    at[at.len() - 1] - at[0] + track.frame_ms.unwrap_or(before)
}

fn block_track(content: &[u8]) -> Result<(u64, &[u8]), Refused> {
    let first = *content.first().ok_or(refused(4006, "an empty block"))?;
    let len = first.leading_zeros() as usize + 1;
    if len > 8 || content.len() < len {
        return Err(refused(4006, "a block's track is cut off"));
    }
    let mark = 1_u64 << (7 * len);
    Ok((ebml::uint(&content[..len])? & (mark - 1), &content[len..]))
}

fn simple_tag(content: &[u8], found: &mut Vec<Tag>) -> Result<(), Refused> {
    let all = children(content)?;
    let name = only(&all, id::TAG_NAME)?.map(text).transpose()?.unwrap_or_default();
    let value = only(&all, id::TAG_STRING)?.map(text).transpose()?.unwrap_or_default();
    if name.is_empty() || name.len() > 128 || value.len() > 256 {
        let (name_len, value_len) = (name.len(), value.len());
        return Err(refused(4009, format!("tag {name:?}: {name_len} and {value_len} bytes")));
    }
    if name.starts_with("AWS") && !KNOWN.contains(&name.as_str()) {
        return Err(refused(4009, format!("tag {name:?} begins with AWS")));
    }
    found.push(Tag { name, value });
    for (id, inner) in all {
        match id {
            id::TAG_NAME | id::TAG_STRING | id::TAG_LANGUAGE | id::TAG_DEFAULT => (),
            id::SIMPLE_TAG => simple_tag(inner, found)?,
            _ => return Err(refused(4006, format!("element {id:X} in SimpleTag"))),
        }
    }
    Ok(())
}
