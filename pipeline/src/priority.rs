//! Threads that come last. Takes the thread that asks; gives it back as one that runs when nothing
//! else wants to. What it starts afterwards inherits that.

use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// From now on whatever else wants to run goes before this thread and those that it will start:
/// `SCHED_BATCH`, nice 19. There is no way back without a privilege, so it is for threads of our
/// own only, none of a pool that others share.
pub fn come_last() {
    let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Batch);
    if set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy).is_err() {
        tracing::debug!("a thread keeps its usual priority");
    }
}

/// Nice value and policy of the thread that asks, as Linux writes them in `/proc`.
#[cfg(test)]
pub fn of_this_thread() -> (i64, i64) {
    of_stat(&std::fs::read_to_string("/proc/thread-self/stat").unwrap())
}

/// Nice value and policy in what Linux writes of a thread.
#[cfg(test)]
pub fn of_stat(stat: &str) -> (i64, i64) {
    // The name, in brackets, may hold anything.
    let fields: Vec<_> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    (fields[16].parse().unwrap(), fields[38].parse().unwrap())
}

/// What [`come_last`] makes of a thread.
#[cfg(test)]
pub const LAST: (i64, i64) = (19, 3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_last_starts_threads_that_do() {
        let start = |body: fn()| std::thread::Builder::new().spawn(body).unwrap().join().unwrap();
        start(|| {
            let before = of_this_thread();
            come_last();
            assert_eq!(of_this_thread(), LAST);
            let child = std::thread::Builder::new().spawn(of_this_thread).unwrap();
            assert_eq!(child.join().unwrap(), LAST);
            assert_ne!(before, LAST, "the test's own threads are as usual");
        });
    }
}
