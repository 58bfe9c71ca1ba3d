//! A disk that refuses for a while: verdicts go on, and nothing is lost.

use std::fs;

use store::Reader;

use super::setup::{grey, scratched, start};

#[test]
fn what_the_disk_refuses_is_written_when_it_takes_it_again() {
    let bench = start(50_000);
    bench.shoot(scratched());
    bench.answers(1);
    bench.until_recorded(1);
    // No folder for images: as a disk that was taken away, or is full.
    let images = bench.folder.join("store/images");
    let away = bench.folder.join("away");
    fs::rename(&images, &away).unwrap();
    for part in 2..=40 {
        bench.shoot(if part % 2 == 0 { scratched() } else { grey(128) });
        bench.answers(part);
    }
    bench.until_event("record_stuck");
    assert!(bench.line.snapshot().recorded < 40);
    fs::rename(&away, &images).unwrap();
    bench.until_event("recording_again");
    bench.until_recorded(40);
    let left = bench.end();
    let (summary, answers) = (&left.summary, &left.answers);
    assert_eq!((summary.snapshot.unrecorded, summary.events.get("not_recorded")), (0, None));
    let reader = Reader::open(&left.store).unwrap();
    let run = reader.runs().unwrap()[0].id;
    for answer in answers {
        let part = reader.part(run, answer.part).unwrap().unwrap();
        assert_eq!(part.row.verdict, answer.verdict, "{}", answer.part);
        assert!(!part.images.is_empty(), "{}: no picture is lost", answer.part);
    }
    let checked = store::check(&left.store).unwrap();
    assert!(checked.is_clean(), "{checked:?}");
}
