//! act's books: what it took from locate, what it told of it, what it still owes. One page, read
//! whole by anyone at any moment, so that parts add up while the line runs and not only when it
//! stands.

use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::thread;

/// The page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Notices of parts that the ledger took.
    pub taken: u64,
    /// Parts passed.
    pub passed: u64,
    /// Parts rejected.
    pub rejected: u64,
    /// Parts undecided.
    pub undecided: u64,
    /// Parts that the gate was told to throw out.
    pub told_reject: u64,
    /// Parts taken and not yet told of.
    pub owed: u64,
}

impl Sums {
    fn of([taken, passed, rejected, undecided, told_reject, owed]: [u64; 6]) -> Self {
        Self { taken, passed, rejected, undecided, told_reject, owed }
    }

    fn values(self) -> [u64; 6] {
        [self.taken, self.passed, self.rejected, self.undecided, self.told_reject, self.owed]
    }
}

/// The page, shared. One thread writes, act's; it never waits for those who read, who read again
/// when they were disturbed: a sequence lock (Boehm, "Can seqlocks get along with programming
/// language memory models?", 2012).
#[derive(Default)]
pub struct Books {
    /// Odd while the page is being written.
    version: AtomicU64,
    page: [AtomicU64; 6],
}

impl Books {
    /// Changes the page. Only one thread may call this.
    pub fn write(&self, change: impl FnOnce(&mut Sums)) {
        let mut sums = self.page();
        change(&mut sums);
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        for (stored, value) in self.page.iter().zip(sums.values()) {
            stored.store(value, Ordering::Relaxed);
        }
        self.version.store(version + 2, Ordering::Release);
    }

    /// The page as it was at one moment. All that the writer knew of then is known to the caller.
    pub fn read(&self) -> Sums {
        loop {
            let before = self.version.load(Ordering::Acquire);
            let sums = self.page();
            fence(Ordering::Acquire);
            if before.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == before {
                return sums;
            }
            thread::yield_now();
        }
    }

    fn page(&self) -> Sums {
        Sums::of(self.page.each_ref().map(|stored| stored.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[test]
    fn whoever_reads_sees_one_moment() {
        let (books, over) = (Books::default(), AtomicBool::new(false));
        thread::scope(|threads| {
            let reader = threads.spawn(|| {
                let (mut read, mut last) = (0_u64, 0);
                while !over.load(Ordering::Acquire) || read < 1000 {
                    let sums = books.read();
                    assert_eq!(sums.taken, sums.passed + sums.owed, "{sums:?}");
                    assert_eq!(sums.told_reject, 2 * sums.taken, "{sums:?}");
                    assert!(sums.taken >= last);
                    (read, last) = (read + 1, sums.taken);
                }
            });
            for step in 0..2_000_000_u64 {
                books.write(|sums| {
                    sums.taken += 1;
                    sums.told_reject += 2;
                    if step.is_multiple_of(3) { sums.owed += 1 } else { sums.passed += 1 }
                });
            }
            over.store(true, Ordering::Release);
            reader.join().unwrap();
        });
        assert_eq!(books.read().taken, 2_000_000);
    }
}
