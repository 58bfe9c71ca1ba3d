//! How the upload of one camera goes: counted by its task, read by anyone.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::{CameraId, UploadSnapshot};

/// How the upload of one camera goes.
#[derive(Debug, Default)]
pub struct Progress {
    trouble: Mutex<Option<String>>,
    connections: AtomicU64,
    fragments_sent: AtomicU64,
    bytes_sent: AtomicU64,
    fragments_kept: AtomicU64,
    clips_kept: AtomicU64,
    clips_quarantined: AtomicU64,
}

impl Progress {
    /// A connection was made.
    pub fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// Bytes were sent; the last of a fragment where `is_last`.
    pub fn sent(&self, bytes: usize, is_last: bool) {
        self.bytes_sent.fetch_add(bytes as u64, Ordering::Relaxed);
        self.fragments_sent.fetch_add(u64::from(is_last), Ordering::Relaxed);
    }

    /// A fragment is kept, and with it all of its clip where `is_clip`.
    pub fn kept(&self, is_clip: bool) {
        self.fragments_kept.fetch_add(1, Ordering::Relaxed);
        self.clips_kept.fetch_add(u64::from(is_clip), Ordering::Relaxed);
    }

    /// Fragments that are kept.
    pub fn fragments_kept(&self) -> u64 {
        self.fragments_kept.load(Ordering::Relaxed)
    }

    /// A clip was quarantined.
    pub fn quarantined(&self) {
        self.clips_quarantined.fetch_add(1, Ordering::Relaxed);
    }

    /// What is wrong now; nothing when it works.
    pub fn set_trouble(&self, trouble: Option<String>) {
        if let Ok(mut shown) = self.trouble.lock() {
            *shown = trouble;
        }
    }

    /// The latest values.
    pub fn snapshot(&self, camera: &CameraId) -> UploadSnapshot {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        UploadSnapshot {
            camera: camera.clone(),
            trouble: self.trouble.lock().ok().and_then(|shown| shown.clone()),
            connections: get(&self.connections),
            fragments_sent: get(&self.fragments_sent),
            bytes_sent: get(&self.bytes_sent),
            fragments_kept: get(&self.fragments_kept),
            clips_kept: get(&self.clips_kept),
            clips_quarantined: get(&self.clips_quarantined),
        }
    }
}
