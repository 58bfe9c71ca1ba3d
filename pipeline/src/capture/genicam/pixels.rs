//! Pixels where Aravis put them. Takes buffers of whole frames; gives [`Pixels`] that keep theirs
//! until the last holder lets go, and then the buffers back to the stream.

use std::sync::Arc;

use aravis::Buffer;
use aravis::prelude::*;
use domain::{PixelFormat, Pixels, Plane, SizePx};

use super::settings::Layout;

/// A buffer that is taken out of the stream, with the bytes in it.
struct Held {
    buffer: Buffer,
    data: *const u8,
    len: usize,
}

#[expect(unsafe_code, reason = "a foreign buffer")]
// SAFETY: the bytes belong to `buffer`, which lives as long as this and whose reference count is
// atomic. Nothing writes to them: Aravis fills only buffers that its stream owns, and this one
// goes back only by value, out of a slot that nobody else holds.
unsafe impl Send for Held {}

#[expect(unsafe_code, reason = "a foreign buffer")]
// SAFETY: as above; by shared reference the bytes can only be read, and the buffer not be reached.
unsafe impl Sync for Held {}

impl Held {
    /// `None` when it holds fewer than `bytes`.
    fn new(buffer: Buffer, bytes: usize) -> Option<Self> {
        let (data, len) = buffer.data();
        (!data.is_null() && len >= bytes).then_some(Self { buffer, data, len })
    }

    fn bytes(&self) -> &[u8] {
        #[expect(unsafe_code, reason = "a foreign buffer")]
        // SAFETY: Aravis allocated `len` bytes at `data` with `buffer`, and see above.
        unsafe {
            std::slice::from_raw_parts(self.data, self.len)
        }
    }
}

/// A place for one frame's pixels, used again and again.
struct Slot {
    format: PixelFormat,
    size: SizePx,
    row_bytes: usize,
    rows: usize,
    /// `None` while it is free.
    held: Option<Held>,
}

impl Pixels for Slot {
    fn format(&self) -> PixelFormat {
        self.format
    }

    fn size(&self) -> SizePx {
        self.size
    }

    fn plane(&self, _index: usize) -> Plane<'_> {
        // Every slot that is handed out holds a buffer.
        let data = self.held.as_ref().map_or(&[][..], Held::bytes);
        Plane { data, stride: self.row_bytes, row_bytes: self.row_bytes, rows: self.rows }
    }
}

/// As many slots as there are buffers.
pub(super) struct Slots {
    slots: Vec<Arc<Slot>>,
    held: usize,
}

impl Slots {
    /// Free slots for frames that lie as `layout` says.
    pub(super) fn new(count: usize, layout: &Layout) -> Self {
        let slot = || Slot {
            format: layout.format,
            size: layout.size,
            row_bytes: layout.row_bytes,
            rows: layout.rows,
            held: None,
        };
        Self { slots: (0..count).map(|_| Arc::new(slot())).collect(), held: 0 }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// How many are held by frames.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Gives buffers that nobody holds any more back to the stream.
    pub(super) fn sweep(&mut self, stream: &aravis::Stream) {
        for slot in &mut self.slots {
            if slot.held.is_some()
                && let Some(slot) = Arc::get_mut(slot)
                && let Some(held) = slot.held.take()
            {
                self.held -= 1;
                stream.push_buffer(held.buffer);
            }
        }
    }

    /// Puts a frame into a free slot; `None` when it is too short or none is free.
    pub(super) fn fill(&mut self, buffer: Buffer) -> Option<Arc<dyn Pixels>> {
        let arc = self.slots.iter_mut().find(|slot| slot.held.is_none())?;
        // A free slot has one owner: it was swept when the last frame let go of it.
        let slot = Arc::get_mut(arc)?;
        slot.held = Some(Held::new(buffer, slot.row_bytes * slot.rows)?);
        self.held += 1;
        Some(Arc::clone(arc) as Arc<dyn Pixels>)
    }
}
