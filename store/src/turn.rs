//! Whose turn it is to write the database: takes the threads of this process in the order in which
//! they come.
//!
//! SQLite lets whoever asks first after a commit write, and who waits asks again after a while: a
//! line that commits batch after batch would always be first.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The queue for one database.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    queue: Mutex<Queue>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    next: u64,
    serving: u64,
    given_up: BTreeSet<u64>,
}

/// A turn; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Held(Arc<Turn>);

impl Turn {
    /// Waits for a turn; `None` when it does not come within `most`.
    pub(crate) fn take(self: &Arc<Self>, most: Duration) -> Option<Held> {
        let mut queue = self.queue();
        let mine = queue.next;
        queue.next += 1;
        let waited = self.moved.wait_timeout_while(queue, most, |queue| queue.serving != mine);
        let (mut queue, ended) = waited.unwrap_or_else(PoisonError::into_inner);
        if ended.timed_out() {
            queue.given_up.insert(mine);
            return None;
        }
        drop(queue);
        Some(Held(Arc::clone(self)))
    }

    /// Nothing that holds it can leave it half changed.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        queue.serving += 1;
        while let serving = queue.serving
            && queue.given_up.remove(&serving)
        {
            queue.serving += 1;
        }
        self.0.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn who_comes_first_is_first_and_who_gave_up_is_passed_over() {
        let turn = Arc::new(Turn::default());
        let held = turn.take(LONG).unwrap();
        assert!(turn.take(Duration::ZERO).is_none());
        let (told, order) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            for name in 0..3_u64 {
                let (own, told) = (Arc::clone(&turn), told.clone());
                let comes = name + 2;
                scope.spawn(move || {
                    let held = own.take(LONG).unwrap();
                    told.send(name).unwrap();
                    drop(held);
                });
                // Each has its place in the queue before the next comes.
                while turn.queue().next <= comes {
                    std::thread::yield_now();
                }
            }
            assert!(order.try_recv().is_err());
            drop(held);
        });
        drop(told);
        assert_eq!(order.iter().collect::<Vec<_>>(), [0, 1, 2]);
        assert!(turn.take(Duration::ZERO).is_some());
    }
}
