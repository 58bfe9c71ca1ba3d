//! Cuts what is kept of a part out of its frames, so that a slow disk never holds a camera's
//! buffers. Live lines only. Takes outcomes as act gives them; gives them with the crops alone,
//! or with no pictures where none are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};
use domain::{
    ActedInspection, Cut, Event, Frame, Inspection, Outcome, PixelFormat, Pixels, Plane, RectPx,
    SizePx, Verdict, View, YuvMatrix, YuvRange,
};

use super::Keep;
use super::film::wants::Wants;
use crate::link::{LinkReceiver, LinkSender, Sent};
use crate::stage::Counters;

/// Buffers that wait to be used again.
const BUFFERS_SPARE: usize = 32;
/// Planes of any format.
const PLANES_MAX: usize = 3;

/// Cuts pictures out of frames.
pub struct Cutter {
    keep: Keep,
    shelf: Arc<Shelf>,
    wants: Option<Wants>,
    counters: Arc<Counters>,
}

impl Cutter {
    /// A cutter whose pictures together never have more than `bytes_max`; tells the films, where
    /// there are any, which parts are to be seen in clips.
    #[must_use]
    pub fn new(
        keep: Keep,
        bytes_max: usize,
        wants: Option<Wants>,
        counters: Arc<Counters>,
    ) -> Self {
        Self { keep, shelf: Arc::new(Shelf::new(bytes_max)), wants, counters }
    }

    /// Runs until either link is closed. An outcome that the next link has no room for is given
    /// up, the oldest first, and told.
    pub fn run(self, outcomes: &LinkReceiver<Outcome>, to_record: &LinkSender<Outcome>) {
        while let Ok(mut outcome) = outcomes.recv() {
            if let (Some(wants), Outcome::Acted(acted)) = (&self.wants, &outcome) {
                wants.tell(acted);
            }
            self.cut(&mut outcome);
            match to_record.send(outcome) {
                Ok(Sent::Queued) => {}
                Ok(Sent::Dropped(oldest)) => self.counters.event(&given_up(&oldest)),
                Err(_) => return,
            }
        }
    }

    /// Replaces the pictures of `outcome` by the crops that are kept.
    fn cut(&self, outcome: &mut Outcome) {
        let inspection = match outcome {
            Outcome::Acted(acted) => {
                if !is_kept(acted, &self.keep) {
                    return forget_pictures(&mut acted.inspection);
                }
                &mut acted.inspection
            }
            Outcome::Late(inspection) => inspection,
        };
        let cut: Option<Vec<View>> =
            inspection.pictures.iter().map(|view| cut_view(view, &self.shelf)).collect();
        match cut {
            Some(views) => inspection.pictures = views,
            None => {
                forget_pictures(inspection);
                self.counters.event(&Event::PicturesGivenUp { part: inspection.part });
            }
        }
    }
}

/// Whether the pictures of `acted` are kept: what [`Cutter`] leaves in.
fn is_kept(acted: &ActedInspection, keep: &Keep) -> bool {
    acted.inspection.verdict != Verdict::Pass || keep(acted)
}

fn forget_pictures(inspection: &mut Inspection) {
    inspection.pictures.clear();
    inspection.heatmaps.clear();
}

/// That the row of `outcome` will not be written.
pub(crate) fn given_up(outcome: &Outcome) -> Event {
    let part = match outcome {
        Outcome::Acted(acted) => acted.inspection.part,
        Outcome::Late(inspection) => inspection.part,
    };
    Event::NotRecorded { part, cause: "the disk did not keep up".to_owned() }
}

/// The view with nothing left of its frame but the crop; as it was when the crop lies outside,
/// which the store tells. `None` when there is no room.
fn cut_view(view: &View, shelf: &Arc<Shelf>) -> Option<View> {
    let (pixels, size) = (&*view.frame.pixels, view.frame.size());
    let mut frame = view.frame.share();
    if let Some(kept) = store::kept_of(pixels.format(), size, view.crop_in_frame) {
        frame = Frame { pixels: Arc::new(Piece::cut(pixels, kept, shelf)?), ..frame };
    }
    Some(View {
        name: Arc::clone(&view.name),
        frame,
        box_in_frame: view.box_in_frame,
        crop_in_frame: view.crop_in_frame,
        pose: view.pose,
    })
}

/// Memory for pieces: bounded, and used again.
struct Shelf {
    held: AtomicUsize,
    bytes_max: usize,
    spare: (Sender<Vec<u8>>, Receiver<Vec<u8>>),
}

impl Shelf {
    fn new(bytes_max: usize) -> Self {
        Self { held: AtomicUsize::new(0), bytes_max, spare: bounded(BUFFERS_SPARE) }
    }

    /// An empty buffer for `bytes`; `None` when too much is held already.
    fn take(&self, bytes: usize) -> Option<Vec<u8>> {
        let held = self.held.fetch_add(bytes, Ordering::AcqRel);
        if held + bytes > self.bytes_max {
            self.held.fetch_sub(bytes, Ordering::AcqRel);
            return None;
        }
        let mut buffer = self.spare.1.try_recv().unwrap_or_default();
        buffer.clear();
        buffer.reserve_exact(bytes);
        Some(buffer)
    }

    fn give_back(&self, buffer: Vec<u8>) {
        self.held.fetch_sub(buffer.len(), Ordering::AcqRel);
        // Where there are spare ones enough, it is freed.
        let _ = self.spare.0.try_send(buffer);
    }
}

/// A piece of a picture, plane after plane, rows packed.
struct Piece {
    format: PixelFormat,
    size: SizePx,
    cut: Cut,
    yuv: (YuvMatrix, YuvRange),
    /// Where each plane begins, bytes per row and rows.
    planes: [(usize, usize, usize); PLANES_MAX],
    bytes: Vec<u8>,
    shelf: Arc<Shelf>,
}

impl Piece {
    fn cut(pixels: &dyn Pixels, kept: RectPx, shelf: &Arc<Shelf>) -> Option<Self> {
        let format = pixels.format();
        let size = SizePx::new(kept.width, kept.height);
        let layout = format.planes(size);
        let mut bytes = shelf.take(layout.iter().map(|(row, rows)| row * rows).sum())?;
        let mut planes = [(0, 0, 0); PLANES_MAX];
        // How far a rectangle as large as the part above and to the left would reach.
        let before = format.planes(SizePx::new(kept.x, kept.y));
        for (index, &(row_bytes, rows)) in layout.iter().enumerate() {
            planes[index] = (bytes.len(), row_bytes, rows);
            let ((left, above), plane) = (before[index], pixels.plane(index));
            for y in above..above + rows {
                bytes.extend_from_slice(&plane.row(y)[left..left + row_bytes]);
            }
        }
        let cut = Cut { x: kept.x, y: kept.y, of: pixels.size() };
        let (yuv, shelf) = (pixels.yuv(), Arc::clone(shelf));
        Some(Self { format, size, cut, yuv, planes, bytes, shelf })
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.shelf.give_back(std::mem::take(&mut self.bytes));
    }
}

impl Pixels for Piece {
    fn format(&self) -> PixelFormat {
        self.format
    }

    fn size(&self) -> SizePx {
        self.size
    }

    fn plane(&self, index: usize) -> Plane<'_> {
        let (start, row_bytes, rows) = self.planes[index];
        let data = &self.bytes[start..start + row_bytes * rows];
        Plane { data, stride: row_bytes, row_bytes, rows }
    }

    fn cut_from(&self) -> Option<Cut> {
        Some(self.cut)
    }

    fn yuv(&self) -> (YuvMatrix, YuvRange) {
        self.yuv
    }
}

#[cfg(test)]
mod tests {
    use domain::{CameraId, CaptureTime, OwnedPixels};
    use proptest::prelude::*;

    use super::*;

    fn picture(format: PixelFormat, size: SizePx) -> OwnedPixels {
        let mut next = 0_u8;
        let mut plane = |bytes: usize| -> Vec<u8> {
            let fill = |_| {
                next = next.wrapping_mul(31).wrapping_add(7);
                next
            };
            (0..bytes).map(fill).collect()
        };
        let planes = format.planes(size).into_iter().map(|(row, rows)| plane(row * rows)).collect();
        OwnedPixels::new(format, size, planes).unwrap()
    }

    fn view(pixels: OwnedPixels, crop: RectPx) -> View {
        let frame = Frame {
            camera: CameraId::new("c"),
            sequence: 7,
            at: CaptureTime::default(),
            origin: None,
            pixels: Arc::new(pixels),
        };
        View { name: "v".into(), frame, box_in_frame: crop, crop_in_frame: crop, pose: None }
    }

    proptest! {
        /// What the store makes of the piece is what it makes of the whole frame.
        #[test]
        fn a_piece_is_the_same_picture(
            format in prop::sample::select(PixelFormat::ALL.to_vec()),
            (x, y, w, h) in (0_u32..40, 0_u32..30, 1_u32..40, 1_u32..30),
        ) {
            let size = SizePx::new(41, 31);
            let whole = view(picture(format, size), RectPx::new(x, y, w, h));
            let shelf = Arc::new(Shelf::new(1 << 20));
            let piece = cut_view(&whole, &shelf).unwrap();
            prop_assert_eq!(piece.frame.size(), size);
            let kept = store::kept_of(format, size, whole.crop_in_frame).unwrap();
            let before = format.planes(SizePx::new(kept.x, kept.y));
            for (index, (row_bytes, rows)) in
                format.planes(SizePx::new(kept.width, kept.height)).into_iter().enumerate()
            {
                let (of_whole, of_piece) =
                    (whole.frame.pixels.plane(index), piece.frame.pixels.plane(index));
                let (left, above) = before[index];
                for row in 0..rows {
                    prop_assert_eq!(
                        of_piece.row(row),
                        &of_whole.row(above + row)[left..left + row_bytes]
                    );
                }
            }
        }
    }

    #[test]
    fn the_cameras_buffer_is_let_go_and_memory_is_bounded_and_used_again() {
        let size = SizePx::new(64, 64);
        let whole = view(picture(PixelFormat::Gray8, size), RectPx::new(0, 0, 32, 32));
        let pixels = Arc::clone(&whole.frame.pixels);
        let shelf = Arc::new(Shelf::new(2 * 32 * 32));
        let first = cut_view(&whole, &shelf).unwrap();
        let second = cut_view(&whole, &shelf).unwrap();
        assert!(cut_view(&whole, &shelf).is_none(), "there is no room for a third");
        drop(whole);
        assert_eq!(Arc::strong_count(&pixels), 1, "only this test holds the camera's buffer");
        drop(first);
        let (held, spare) = (shelf.held.load(Ordering::Acquire), shelf.spare.1.len());
        assert_eq!((held, spare), (32 * 32, 1));
        drop(second);
    }
}
