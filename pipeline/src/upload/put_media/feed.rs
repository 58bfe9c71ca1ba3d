//! The bytes of a clip for a connection. Takes a clip and its file; gives its fragments in pieces,
//! each cluster with the time that the clip has by now: the clock may have been set since it was
//! filmed.

use std::fs::File;
use std::os::unix::fs::FileExt;

use bytes::Bytes;
use store::{Clip, ClipId, ClipState, Fragment};

use super::super::trouble::Trouble;
use crate::limits;

/// A clip that is being sent.
#[derive(Debug)]
pub struct Feed {
    /// The clip.
    pub clip: Clip,
    file: File,
    /// The Matroska header before its first fragment.
    pub header: Bytes,
    /// Position of the fragment that is being sent, or that is next.
    position: usize,
    /// Bytes of it that were given.
    given: u64,
}

/// Some bytes of a fragment.
#[derive(Debug)]
pub struct Piece {
    /// The bytes.
    pub bytes: Bytes,
    /// Place of the fragment in its clip.
    pub position: usize,
    /// Whether the fragment begins with them.
    pub is_first: bool,
    /// Whether it ends with them.
    pub is_last: bool,
}

impl Feed {
    /// A clip to be sent from its first fragment that is not kept yet.
    ///
    /// # Errors
    /// When it is not what the service takes.
    pub fn new(clip: Clip, file: File) -> Result<Self, Trouble> {
        if let Some(cause) = fault(&clip) {
            return Err(Trouble::Clip { clip: clip.id, cause });
        }
        let mut header = vec![0; usize::try_from(clip.header_bytes).unwrap_or_default()];
        file.read_exact_at(&mut header, 0).map_err(|error| unreadable(clip.id, &error))?;
        let mut feed = Self { clip, file, header: header.into(), position: 0, given: 0 };
        feed.skip_kept();
        Ok(feed)
    }

    fn skip_kept(&mut self) {
        let kept = |row: &store::FragmentRow| row.state == ClipState::Persisted;
        while self.clip.fragments.get(self.position).is_some_and(kept) {
            self.position += 1;
        }
    }

    /// The fragment that is being sent or that is next, and the time of its first picture, in
    /// milliseconds since 1970.
    pub fn fragment(&self) -> Option<(&Fragment, i64)> {
        let fragment = &self.clip.fragments.get(self.position)?.fragment;
        Some((fragment, self.clip.timecode_ms(fragment)))
    }

    /// Whether a fragment was begun and not finished.
    pub fn is_inside(&self) -> bool {
        self.given > 0
    }

    /// The next piece; `None` when all was given.
    ///
    /// # Errors
    /// When the file is gone, or shorter than it was.
    pub fn piece(&mut self) -> Result<Option<Piece>, Trouble> {
        let Some((fragment, timecode_ms)) = self.fragment() else { return Ok(None) };
        let fragment = *fragment;
        let at = fragment.offset_bytes + self.given;
        let left = fragment.size_bytes - self.given;
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(limits::UPLOAD_PIECE_BYTES);
        let mut bytes = vec![0; size];
        let read = self.file.read_exact_at(&mut bytes, at);
        read.map_err(|error| unreadable(self.clip.id, &error))?;
        set_timecode(&mut bytes, at, fragment.timecode_at_bytes, timecode_ms);
        let is_last = size as u64 == left;
        let is_first = self.given == 0;
        let piece = Piece { bytes: bytes.into(), position: self.position, is_first, is_last };
        self.given += size as u64;
        if is_last {
            (self.position, self.given) = (self.position + 1, 0);
            self.skip_kept();
        }
        Ok(Some(piece))
    }
}

/// Writes `timecode_ms` over its eight bytes at `timecode_at`, as far as they are among `bytes`,
/// which begin at `at`.
fn set_timecode(bytes: &mut [u8], at: u64, timecode_at: u64, timecode_ms: i64) {
    for (place, value) in (timecode_at..).zip(timecode_ms.to_be_bytes()) {
        let index = place.checked_sub(at).and_then(|index| usize::try_from(index).ok());
        if let Some(byte) = index.and_then(|index| bytes.get_mut(index)) {
            *byte = value;
        }
    }
}

/// Why the service would refuse the clip.
fn fault(clip: &Clip) -> Option<String> {
    if clip.header_bytes > limits::CLIP_HEADER_BYTES_MAX {
        return Some(format!("its header takes {} bytes", clip.header_bytes));
    }
    if clip.fragments.iter().all(|row| row.state == ClipState::Persisted) {
        return Some("it has no fragment that is not kept".to_owned());
    }
    let longest = u64::try_from(limits::FRAGMENT_LASTS_MAX.as_millis()).unwrap_or(u64::MAX);
    let mut previous: Option<Fragment> = None;
    for (position, row) in clip.fragments.iter().enumerate() {
        let it = row.fragment;
        let end = it.offset_bytes.saturating_add(it.size_bytes);
        let timecode = it.timecode_at_bytes..it.timecode_at_bytes.saturating_add(8);
        let what = if it.size_bytes > limits::FRAGMENT_BYTES_MAX {
            format!("takes {} bytes", it.size_bytes)
        } else if it.lasts_ms > longest {
            format!("lasts {} ms", it.lasts_ms)
        } else if it.size_bytes == 0 || end > clip.size_bytes {
            "is not in the file".to_owned()
        } else if timecode.start < it.offset_bytes || timecode.end > end {
            "has its time outside itself".to_owned()
        } else if previous.is_some_and(|previous| it.starts_ms <= previous.starts_ms) {
            "is not later than the one before it".to_owned()
        } else {
            previous = Some(it);
            continue;
        };
        return Some(format!("its fragment {position} {what}"));
    }
    None
}

fn unreadable(clip: ClipId, error: &std::io::Error) -> Trouble {
    Trouble::Clip { clip, cause: format!("its file can't be read: {error}") }
}

/// When the last picture of a fragment that starts at `timecode_ms` ends.
pub fn end_ms(fragment: &Fragment, timecode_ms: i64) -> i64 {
    timecode_ms.saturating_add(i64::try_from(fragment.lasts_ms).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::PathBuf;

    use domain::{CameraId, CaptureTime, MonoTime, Sha256, WallTime};
    use proptest::prelude::*;
    use store::{ClipClass, FragmentRow};

    use super::*;

    const HEADER: u64 = 10;

    /// A clip of fragments of `sizes`, whose times begin `timecode_at` bytes into them.
    fn clip(sizes: &[u64], timecode_at: u64) -> Clip {
        let mut offset_bytes = HEADER;
        let row = |(index, size): (usize, &u64)| {
            let fragment = Fragment {
                offset_bytes,
                size_bytes: *size,
                timecode_at_bytes: offset_bytes + timecode_at,
                starts_ms: index as u64 * 2000,
                lasts_ms: 2000,
            };
            offset_bytes += size;
            FragmentRow { fragment, state: ClipState::Queued, number: None }
        };
        let fragments: Vec<_> = sizes.iter().enumerate().map(row).collect();
        let wall = WallTime { unix_ns: 1_795_290_404_059_000_000 };
        let started = CaptureTime { mono: MonoTime::ZERO, wall };
        Clip {
            id: ClipId(1),
            run: 1,
            camera: CameraId::new("top"),
            class: ClipClass::Rejected,
            state: ClipState::Queued,
            started,
            ended: started,
            path: PathBuf::from("clip.mkv"),
            size_bytes: HEADER + sizes.iter().sum::<u64>(),
            sha256: Sha256::of(b""),
            header_bytes: HEADER,
            fragments,
            parts: Vec::new(),
            pictures: 1,
            pictures_missing: 0,
            held: None,
            trouble: None,
            attempts: 0,
            gone_at: None,
        }
    }

    fn file(bytes: u64) -> File {
        let mut file = tempfile::tempfile().unwrap();
        let content: Vec<u8> = (0..bytes).map(|index| (index % 251) as u8).collect();
        file.write_all(&content).unwrap();
        file
    }

    fn all(feed: &mut Feed) -> Vec<(usize, Vec<u8>)> {
        let mut fragments: Vec<(usize, Vec<u8>)> = Vec::new();
        while let Some(piece) = feed.piece().unwrap() {
            assert!(piece.bytes.len() <= limits::UPLOAD_PIECE_BYTES);
            if piece.is_first {
                fragments.push((piece.position, Vec::new()));
            }
            fragments.last_mut().unwrap().1.extend_from_slice(&piece.bytes);
            assert_eq!(piece.is_last, !feed.is_inside());
        }
        fragments
    }

    #[test]
    fn fragments_come_whole_with_the_time_of_the_clip() {
        let clip = clip(&[100_000, 200_000, 50], 20);
        let mut feed = Feed::new(clip.clone(), file(clip.size_bytes)).unwrap();
        assert_eq!(feed.header.len(), 10);
        let fragments = all(&mut feed);
        assert_eq!(fragments.len(), 3);
        for ((position, bytes), row) in fragments.iter().zip(&clip.fragments) {
            assert_eq!(bytes.len() as u64, row.fragment.size_bytes);
            let expected = 1_795_290_404_059 + *position as i64 * 2000;
            assert_eq!(bytes[20..28], expected.to_be_bytes());
            let before = (row.fragment.offset_bytes + 19) % 251;
            assert_eq!(u64::from(bytes[19]), before);
            assert_eq!(u64::from(bytes[28]), (before + 9) % 251);
        }
    }

    #[test]
    fn what_is_kept_is_not_sent_again() {
        let mut clip = clip(&[100, 100, 100, 100], 20);
        clip.fragments[0].state = ClipState::Persisted;
        clip.fragments[2].state = ClipState::Persisted;
        let mut feed = Feed::new(clip.clone(), file(clip.size_bytes)).unwrap();
        let positions: Vec<_> = all(&mut feed).into_iter().map(|(position, _)| position).collect();
        assert_eq!(positions, [1, 3]);
    }

    #[test]
    fn a_clip_that_would_be_refused_is_not_sent() {
        let refused = |change: fn(&mut Clip)| {
            let mut clip = clip(&[100, 100], 20);
            change(&mut clip);
            Feed::new(clip, file(210)).unwrap_err().to_string()
        };
        assert!(refused(|c| c.fragments[0].fragment.lasts_ms = 20_001).contains("20001 ms"));
        assert!(refused(|c| c.fragments[0].fragment.size_bytes = 50_000_001).contains("bytes"));
        assert!(refused(|c| c.fragments[1].fragment.starts_ms = 0).contains("not later"));
        assert!(refused(|c| c.fragments[1].fragment.timecode_at_bytes = 205).contains("outside"));
        assert!(refused(|c| c.fragments[1].fragment.offset_bytes = 111).contains("in the file"));
        assert!(refused(|c| c.header_bytes = u64::MAX).contains("header"));
    }

    #[test]
    fn a_file_that_was_cut_off_is_told() {
        let mut feed = Feed::new(clip(&[100, 100], 20), file(150)).unwrap();
        assert!(feed.piece().unwrap().is_some());
        let trouble = feed.piece().unwrap_err();
        assert_eq!(trouble.clip(), Some(ClipId(1)), "{trouble}");
    }

    proptest! {
        #[test]
        fn the_time_is_set_wherever_the_pieces_are_cut(
            timecode_at in 0_u64..56, cut in 1_usize..64, timecode: i64,
        ) {
            let mut pieces = vec![0_u8; 64];
            let mut at = 0;
            for piece in pieces.chunks_mut(cut) {
                set_timecode(piece, at, timecode_at, timecode);
                at += piece.len() as u64;
            }
            let mut expected = vec![0; 64];
            let place = usize::try_from(timecode_at).unwrap();
            expected[place..place + 8].copy_from_slice(&timecode.to_be_bytes());
            prop_assert_eq!(pieces, expected);
        }
    }
}
