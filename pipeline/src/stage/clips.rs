//! What is counted of films and clips: written by their threads without waiting, read by anyone.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::ClipSnapshot;

/// The counters, over all cameras.
#[derive(Debug, Default)]
pub struct ClipCounters {
    pictures: AtomicU64,
    pictures_dropped: AtomicU64,
    wants_dropped: AtomicU64,
    begun: AtomicU64,
    pictures_missing: AtomicU64,
    made: AtomicU64,
    pictures_made: AtomicU64,
    bytes_made: AtomicU64,
    waiting: AtomicU64,
    bytes_waiting: AtomicU64,
}

fn add(counter: &AtomicU64, more: u64) {
    if more > 0 {
        counter.fetch_add(more, Ordering::Relaxed);
    }
}

impl ClipCounters {
    /// A picture came into a film.
    pub fn picture(&self) {
        add(&self.pictures, 1);
    }

    /// So many frames were chosen for a film and did not come into it.
    pub fn picture_dropped(&self, pictures: u64) {
        add(&self.pictures_dropped, pictures);
    }

    /// A part that should be in a clip was given up.
    pub fn want_dropped(&self) {
        add(&self.wants_dropped, 1);
    }

    /// So many clips were begun, pictures are missing in them, and parts were given up.
    pub fn add(&self, begun: u64, pictures_missing: u64, wants_dropped: u64) {
        add(&self.begun, begun);
        add(&self.pictures_missing, pictures_missing);
        add(&self.wants_dropped, wants_dropped);
    }

    /// A clip of so many pictures was accepted by the store.
    pub fn made(&self, pictures: u64, bytes: u64) {
        add(&self.made, 1);
        add(&self.pictures_made, pictures);
        add(&self.bytes_made, bytes);
    }

    /// So many clips, of so many bytes, are on this machine alone.
    pub fn set_waiting(&self, clips: u64, bytes: u64) {
        self.waiting.store(clips, Ordering::Relaxed);
        self.bytes_waiting.store(bytes, Ordering::Relaxed);
    }

    /// The latest values.
    #[must_use]
    pub fn snapshot(&self) -> ClipSnapshot {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ClipSnapshot {
            pictures: get(&self.pictures),
            pictures_dropped: get(&self.pictures_dropped),
            wants_dropped: get(&self.wants_dropped),
            begun: get(&self.begun),
            pictures_missing: get(&self.pictures_missing),
            made: get(&self.made),
            pictures_made: get(&self.pictures_made),
            bytes_made: get(&self.bytes_made),
            waiting: get(&self.waiting),
            bytes_waiting: get(&self.bytes_waiting),
        }
    }
}
