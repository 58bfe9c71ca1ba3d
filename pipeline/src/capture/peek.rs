//! Lets somebody look at a camera's newest frame. Takes a wish, and from then on the next frame;
//! gives a handle to it. The camera's thread neither waits nor copies; while nobody wishes it reads
//! one flag a frame.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use domain::Frame;

/// Where a camera puts a frame for whoever wants to see one. Holds one camera buffer at most,
/// from the wish until it is fetched.
#[derive(Debug)]
pub struct Peek {
    is_wanted: AtomicBool,
    put: Sender<Frame>,
    fetch: Receiver<Frame>,
}

impl Default for Peek {
    fn default() -> Self {
        let (put, fetch) = bounded(1);
        Self { is_wanted: AtomicBool::new(false), put, fetch }
    }
}

impl Peek {
    /// Wishes for the next frame; an older one that nobody fetched is let go.
    pub fn wish(&self) {
        drop(self.fetch.try_recv());
        self.is_wanted.store(true, Ordering::Release);
    }

    /// The frame that was wished for, once, when it is there.
    #[must_use]
    pub fn fetch(&self) -> Option<Frame> {
        self.fetch.try_recv().ok()
    }

    /// As [`Self::fetch`], and waits for it for `patience` at most.
    #[must_use]
    pub fn fetch_within(&self, patience: Duration) -> Option<Frame> {
        self.fetch.recv_timeout(patience).ok()
    }

    /// Wishes for nothing any more, and lets go what is there.
    pub fn forget(&self) {
        self.is_wanted.store(false, Ordering::Release);
        drop(self.fetch.try_recv());
    }

    /// Shows `frame` to whoever wished for one. Never waits.
    pub fn show(&self, frame: &Frame) {
        if self.is_wanted.load(Ordering::Relaxed) && self.is_wanted.swap(false, Ordering::Acquire) {
            // Full: somebody wished twice at once; they get the one that is there.
            let _ = self.put.try_send(frame.share());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::{CameraId, CaptureTime, OwnedPixels, PixelFormat, SizePx};

    use super::*;

    #[test]
    fn one_frame_is_shown_for_one_wish_and_the_newest_of_two() {
        let pixels = OwnedPixels::new(PixelFormat::Gray8, SizePx::new(1, 1), vec![vec![0]]);
        let pixels: Arc<dyn domain::Pixels> = Arc::new(pixels.unwrap());
        let frame = |sequence| Frame {
            camera: CameraId::new("c"),
            sequence,
            at: CaptureTime::default(),
            origin: None,
            pixels: Arc::clone(&pixels),
        };
        let peek = Peek::default();
        peek.show(&frame(1));
        assert!(peek.fetch().is_none(), "nobody wished");
        peek.wish();
        peek.show(&frame(2));
        peek.show(&frame(3));
        assert_eq!(Arc::strong_count(&pixels), 2, "one buffer is held");
        peek.wish();
        assert!(peek.fetch_within(Duration::ZERO).is_none(), "not yet");
        peek.show(&frame(4));
        assert_eq!(peek.fetch_within(Duration::ZERO).map(|frame| frame.sequence), Some(4));
        assert!(peek.fetch().is_none());
        peek.wish();
        peek.forget();
        peek.show(&frame(5));
        assert!(peek.fetch().is_none(), "the wish is forgotten");
        peek.wish();
        peek.show(&frame(6));
        peek.forget();
        assert_eq!(Arc::strong_count(&pixels), 1);
    }
}
