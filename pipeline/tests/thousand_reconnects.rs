//! A camera may come and go for years: a thousand reconnects leave memory, threads and open files
//! as they were. Alone in its process, because it looks at all of it.
#![expect(clippy::unwrap_used, reason = "tests, and what they share")]

use std::fs;
use std::sync::Arc;

use domain::CameraId;
use sightline_pipeline::capture::{LiveRule, Next, Source, SourceConfig, open_live};
use sightline_pipeline::clock::RealClock;

/// How much the memory in use may grow in nine hundred reconnects; a leak of a frame each would
/// be 3.5 MiB, of a pipeline each far more.
const GROWTH_MOST_KIB: u64 = 2048;

/// Memory in use, in KiB, and the numbers of threads and of open files.
fn used() -> (u64, usize, usize) {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    let resident: u64 = pages.split(' ').nth(1).unwrap().parse().unwrap();
    let entries = |folder: &str| fs::read_dir(folder).unwrap().count();
    (resident * 4, entries("/proc/self/task"), entries("/proc/self/fd"))
}

/// Runs until the camera was lost and found again `times` times; frames go on from `next`.
fn reconnect(source: &mut dyn Source, times: u32, next: &mut u64) {
    let mut found = 0;
    while found < times {
        match source.next().unwrap() {
            Next::Frame(frame) => {
                assert_eq!(frame.sequence, *next);
                *next += 1;
            }
            Next::Back(_) => found += 1,
            Next::Lost(_) | Next::Waiting => {}
            Next::End => panic!("a camera never ends"),
        }
    }
}

#[test]
fn a_thousand_reconnects_leave_nothing_behind() {
    let config = SourceConfig::Custom {
        pipeline: "videotestsrc num-buffers=2 ! video/x-raw,format=GRAY8,width=64,height=64"
            .to_owned(),
        live: true,
    };
    let rule = LiveRule { retry_ms: 1, retry_most_ms: 1, stall_ms: 60_000, ..LiveRule::default() };
    let clock = Arc::new(RealClock::start());
    let mut source = open_live(&config, CameraId::new("test"), &rule, clock).unwrap();
    let mut next = 0;
    reconnect(&mut *source, 100, &mut next);
    let (early_kib, threads, files) = used();
    reconnect(&mut *source, 900, &mut next);
    let (late_kib, threads_late, files_late) = used();
    println!("{early_kib} KiB, {threads} threads, {files} files after 100 reconnects");
    println!("{late_kib} KiB, {threads_late} threads, {files_late} files after 1000");
    assert!(late_kib < early_kib + GROWTH_MOST_KIB, "{early_kib} KiB grew to {late_kib} KiB");
    // A streaming thread may just be ending or beginning.
    assert!(threads_late.abs_diff(threads) <= 2, "{threads} {threads_late}");
    assert!(files_late.abs_diff(files) <= 4, "{files} {files_late}");
}
