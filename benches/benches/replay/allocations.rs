//! Counts allocations of at least a given size, on any thread. Takes a closure; gives the count.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use sightline_benches::Failure;

/// The system's allocator, with an eye on it.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

/// What counts, in bytes; nothing does while nobody looks.
static LEAST: AtomicUsize = AtomicUsize::new(usize::MAX);
static COUNT: AtomicU64 = AtomicU64::new(0);

fn look_at(bytes: usize) {
    if bytes >= LEAST.load(Ordering::Relaxed) {
        COUNT.fetch_add(1, Ordering::Relaxed);
    }
}

#[expect(unsafe_code, reason = "an allocator can't be written without")]
// SAFETY: every call is handed to the system's allocator as it came, so that whatever it promises
// holds here too; looking at a size allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        look_at(layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        look_at(layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        look_at(bytes);
        // SAFETY: as the caller promised; `old` came from the same allocator.
        unsafe { System.realloc(old, layout, bytes) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised; `old` came from the same allocator.
        unsafe { System.dealloc(old, layout) }
    }
}

/// How many allocations of `least` bytes or more were made anywhere while `body` ran.
pub fn counted<T>(least: usize, body: impl FnOnce() -> T) -> (T, u64) {
    COUNT.store(0, Ordering::Relaxed);
    LEAST.store(least, Ordering::Relaxed);
    let result = body();
    LEAST.store(usize::MAX, Ordering::Relaxed);
    (result, COUNT.load(Ordering::Relaxed))
}

/// A count of nothing is worth something only if it could have been another.
pub fn check_that_they_are_counted() -> Result<(), Failure> {
    let (_, count) = counted(1 << 20, || {
        let mut grown: Vec<u8> = black_box(vec![1; 1 << 20]);
        grown.reserve_exact(2 << 20);
        (black_box(grown), black_box(vec![0_u8; (1 << 20) - 1]))
    });
    (count == 2).then_some(()).ok_or_else(|| format!("{count} of 2 were counted").into())
}
