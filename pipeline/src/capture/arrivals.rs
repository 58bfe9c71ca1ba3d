//! Which number each frame of a live source has. Takes what passes two places of a pipeline, the
//! camera's end and ours; gives numbers that jump where frames were lost in between or before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gst::prelude::*;

/// What carries no number.
pub(super) const NONE: u64 = u64::MAX;

/// Frames as they arrive at the end of a pipeline.
#[derive(Default)]
pub(super) struct Arrivals {
    next: AtomicU64,
    lost: AtomicU64,
}

impl Arrivals {
    /// Numbers what comes to `ours`, before anything is dropped there, and what was lost on its way
    /// from `cameras`, where buffers carry the camera's own count in their offset.
    pub(super) fn between(cameras: Option<&gst::Pad>, ours: Option<&gst::Pad>) {
        let arrivals = Arc::new(Self::default());
        cameras.inspect(|pad| arrivals.watch(pad));
        ours.inspect(|pad| arrivals.number(pad));
    }

    /// Numbers every buffer that comes to `pad`, in its offset. What is dropped behind it leaves a
    /// gap.
    fn number(self: &Arc<Self>, pad: &gst::Pad) {
        let arrivals = Arc::clone(self);
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            if let Some(buffer) = info.buffer_mut() {
                buffer.make_mut().set_offset(arrivals.arrived());
            }
            gst::PadProbeReturn::Ok
        });
    }

    /// Reads the camera's own count in the offsets at `pad`: a gap is frames it took and we missed.
    fn watch(self: &Arc<Self>, pad: &gst::Pad) {
        let arrivals = Arc::clone(self);
        let last = AtomicU64::new(NONE);
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            if let Some(buffer) = info.buffer() {
                arrivals.counted(buffer.offset(), &last);
            }
            gst::PadProbeReturn::Ok
        });
    }

    fn arrived(&self) -> u64 {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        self.next.fetch_add(lost + 1, Ordering::Relaxed) + lost
    }

    /// A camera that counts backwards or not at all began anew, and lost nothing that we know of.
    fn counted(&self, offset: u64, last: &AtomicU64) {
        let before = last.swap(offset, Ordering::Relaxed);
        if before != NONE && offset != NONE && offset > before {
            self.lost.fetch_add(offset - before - 1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_camera_skipped_is_skipped_here() {
        let arrivals = Arrivals::default();
        let last = AtomicU64::new(NONE);
        let seen = [7, 8, 11, 12, 3, 4, NONE, 9, 10].map(|offset| {
            arrivals.counted(offset, &last);
            arrivals.arrived()
        });
        assert_eq!(seen, [0, 1, 4, 5, 6, 7, 8, 9, 10]);
    }
}
