//! Which pictures become clips: exactly those within the windows of parts, whatever happens, or
//! else they are counted.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{CameraId, MonoTime, SizePx};
use proptest::prelude::*;
use sightline_pipeline::limits;
use sightline_pipeline::record::film::desk::{Desk, Windows};
use sightline_pipeline::record::reel::FilmPicture;
use store::ClipClass;

use super::reels::{Clip, MS, Projector, note, picture};

const PERIOD: u64 = 33;

fn windows(before: u64, after: u64, clip_max: u64) -> Windows {
    let ms = Duration::from_millis;
    Windows {
        before: ms(before),
        after: ms(after),
        clip_max: ms(clip_max),
        period: ms(PERIOD),
        delay: ms(before + 1050),
    }
}

fn now(ms: u64) -> MonoTime {
    MonoTime::from_ns(ms * MS)
}

/// Plays a film; wants are parts' times, each told `late` milliseconds after.
struct Play {
    windows: Windows,
    pictures: Vec<u64>,
    wants: Vec<(u64, u64)>,
    /// From, to: nobody takes the reel.
    stalls: Vec<(u64, u64)>,
    /// How many pictures there is memory for.
    stock: usize,
    /// Which frames the tap dropped.
    dropped: BTreeSet<u64>,
}

impl Play {
    fn new(windows: Windows, pictures: Vec<u64>, wants: Vec<(u64, u64)>) -> Self {
        let (stalls, dropped) = Default::default();
        Self { windows, pictures, wants, stalls, stock: 10_000, dropped }
    }

    /// The clips, and all that was counted as missing.
    fn run(&self) -> (Vec<Clip>, u64) {
        let mut desk = Desk::new(CameraId::new("c"), self.windows, 120);
        let mut projector = Projector::default();
        let mut told: Vec<_> = self.wants.iter().enumerate().collect();
        told.sort_by_key(|(_, (at, late))| at + late);
        let mut told = told.into_iter().peekable();
        let end = self.pictures.last().copied().unwrap_or(0) + 5000;
        let mut pictures = self.pictures.iter().copied().peekable();
        let (mut lost, mut missing, mut held) = (0, 0, 0_usize);
        for ms in (0..end).step_by(10) {
            while let Some((index, (at, _))) = told.next_if(|(_, (at, late))| at + late <= ms) {
                desk.want(note(index as u64 + 1, *at));
            }
            while let Some(taken) = pictures.next_if(|taken| *taken <= ms) {
                if self.dropped.contains(&taken) {
                    lost += 1;
                    continue;
                }
                assert!(desk.follows(now(taken)));
                let room = held < self.stock
                    || desk.make_room() && {
                        held -= 1;
                        true
                    };
                held += usize::from(room);
                desk.see(now(taken), true, room.then(|| picture(taken)), lost);
                lost = 0;
            }
            desk.tick(now(ms));
            let stalled = self.stalls.iter().any(|(from, to)| (*from..*to).contains(&ms));
            desk.deliver(|reel| {
                if stalled {
                    return Err(reel);
                }
                projector.take(reel);
                Ok(())
            });
            missing += desk.take_counted().missing;
            held = desk.held();
        }
        desk.finish();
        desk.deliver(|reel| {
            projector.take(reel);
            Ok(())
        });
        missing += desk.take_counted().missing;
        (projector.end(), missing)
    }

    fn wanted(&self, picture: u64) -> bool {
        let (before, after) = (self.windows.before, self.windows.after);
        self.wants.iter().any(|(at, _)| {
            at.saturating_sub(before.as_millis() as u64) <= picture
                && picture <= at + after.as_millis() as u64
        })
    }
}

fn even(count: u64) -> Vec<u64> {
    (0..count).map(|i| i * PERIOD).collect()
}

#[test]
fn one_part_is_one_clip_with_all_before_and_after_it() {
    let (clips, missing) = Play::new(windows(1000, 500, 20_000), even(300), vec![(3000, 40)]).run();
    let pictures = &clips[0].pictures;
    assert_eq!((clips.len(), missing, clips[0].missing), (1, 0, 0));
    assert_eq!((pictures[0], *pictures.last().unwrap()), (2013, 3498));
    assert_eq!(pictures.len(), 46);
    let (part, at, shown) = clips[0].parts[0];
    assert_eq!((part, at), (1, 3000));
    assert!(pictures[shown.unwrap() as usize].abs_diff(3000) <= PERIOD / 2 + 1);
    assert_eq!(clips[0].class, Some(ClipClass::Undecided));
}

#[test]
fn neighbours_are_one_clip_and_others_are_not() {
    let wants = vec![(3000, 40), (4900, 40), (7100, 40)];
    let (clips, _) = Play::new(windows(1000, 1000, 20_000), even(400), wants).run();
    let parts: Vec<Vec<u64>> =
        clips.iter().map(|clip| clip.parts.iter().map(|part| part.0).collect()).collect();
    assert_eq!(parts, [vec![1, 2], vec![3]]);
    assert_eq!(clips[0].class, Some(ClipClass::Undecided));
    assert_eq!(clips[1].class, Some(ClipClass::Rejected), "the strongest reason");
}

#[test]
fn a_long_clip_goes_on_in_the_next_without_a_gap() {
    let wants = (0..60).map(|i| (3000 + i * 500, 40)).collect();
    let (clips, missing) = Play::new(windows(1000, 1000, 5000), even(1100), wants).run();
    assert!(clips.len() > 5 && missing == 0);
    for pair in clips.windows(2) {
        let (last, first) = (pair[0].pictures.last().unwrap(), pair[1].pictures[0]);
        assert_eq!(first - last, PERIOD);
    }
    for clip in &clips {
        assert!(clip.pictures.last().unwrap() - clip.pictures[0] <= 5000);
    }
    let shown = |part: u64| {
        clips
            .iter()
            .flat_map(|clip| &clip.parts)
            .filter(|(its, _, shown)| *its == part && shown.is_some())
            .count()
    };
    assert!((1..=60).all(|part| shown(part) >= 1));
}

#[test]
fn a_camera_that_goes_away_ends_the_clip_in_time() {
    let mut desk = Desk::new(CameraId::new("c"), windows(1000, 1000, 20_000), 100);
    for ms in even(60) {
        desk.see(now(ms), true, Some(picture(ms)), 0);
    }
    desk.want(note(1, 1900));
    let mut projector = Projector::default();
    for ms in (0..10_000).step_by(50) {
        desk.tick(now(ms));
        desk.deliver(|reel| {
            projector.take(reel);
            Ok(())
        });
        let over = !projector.clips.is_empty();
        assert_eq!(over, ms > 1900 + 1000 + 2050, "{ms}");
    }
    assert_eq!(projector.end()[0].missing, 0, "what the camera did not give is not missing");
}

#[test]
fn another_size_is_another_clip() {
    let mut desk = Desk::new(CameraId::new("c"), windows(1000, 1000, 20_000), 100);
    desk.want(note(1, 1000));
    for ms in even(60) {
        let size = if ms < 900 { SizePx::new(8, 8) } else { SizePx::new(16, 8) };
        desk.see(now(ms), true, Some(FilmPicture { size, ..picture(ms) }), 0);
    }
    desk.finish();
    let mut projector = Projector::default();
    desk.deliver(|reel| {
        projector.take(reel);
        Ok(())
    });
    assert_eq!(projector.end().len(), 2);
}

#[test]
fn who_comes_too_late_gets_what_is_left_and_the_rest_is_counted() {
    let play = Play::new(windows(1000, 1000, 20_000), even(400), vec![(3000, 1700)]);
    let (clips, missing) = play.run();
    let wanted = play.pictures.iter().filter(|ms| play.wanted(**ms)).count();
    assert_eq!((clips.len(), clips[0].missing), (1, missing));
    assert!(missing > 0 && !clips[0].pictures.is_empty());
    assert_eq!(clips[0].pictures.len() + usize::try_from(missing).unwrap(), wanted);
}

#[test]
fn too_many_parts_are_given_up_and_counted() {
    let mut desk = Desk::new(CameraId::new("c"), windows(1000, 1000, 20_000), 100);
    (0..limits::NOTES_HELD as u64 + 5).for_each(|part| desk.want(note(part, 10_000)));
    assert_eq!(desk.take_counted().wants_dropped, 5);
}

/// Increasing times with gaps, as of a camera that stalls and comes back.
fn uneven() -> impl Strategy<Value = Vec<u64>> {
    let step = prop_oneof![20 => 25_u64..45, 1 => 200_u64..4000];
    prop::collection::vec(step, 50..400).prop_map(|steps| {
        let mut at = 0;
        steps
            .into_iter()
            .map(|step| {
                at += step;
                at
            })
            .collect()
    })
}

fn wants() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((0_u64..14_000, 0_u64..1000), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// In a clip is exactly what is wanted, and every part's picture is pointed out.
    #[test]
    fn clips_are_the_union_of_windows(
        pictures in uneven(),
        wants in wants(),
        (before, after) in (0_u64..1500, 0_u64..1500),
        clip_max in 1000_u64..6000,
    ) {
        let play = Play::new(windows(before, after, clip_max), pictures, wants);
        let (clips, missing) = play.run();
        let kept: Vec<u64> = clips.iter().flat_map(|clip| clip.pictures.clone()).collect();
        let wanted: Vec<u64> =
            play.pictures.iter().copied().filter(|ms| play.wanted(*ms)).collect();
        prop_assert_eq!(kept, wanted);
        prop_assert_eq!(missing, 0);
        for clip in &clips {
            prop_assert!(clip.pictures.last().unwrap() - clip.pictures[0] <= clip_max);
            let drawn: BTreeSet<u64> = clip.drawn.iter().flatten().copied().collect();
            let parts: BTreeSet<u64> = clip.parts.iter().map(|part| part.0).collect();
            prop_assert_eq!(&drawn, &parts);
            prop_assert_eq!(parts.len(), clip.parts.len(), "each part once");
            for (_, at, shown) in &clip.parts {
                let nearest = clip.pictures.iter().map(|ms| ms.abs_diff(*at)).min().unwrap();
                let shown = shown.map(|index| clip.pictures[index as usize].abs_diff(*at));
                prop_assert_eq!(shown, Some(nearest).filter(|off| *off <= PERIOD));
            }
        }
    }

    /// Whatever is dropped, given up or stalled: what should be in clips is in them, or counted,
    /// and no more is held than there is memory for.
    #[test]
    fn what_is_not_there_is_counted(
        pictures in uneven(),
        wants in wants(),
        stalls in prop::collection::vec((0_u64..14_000, 100_u64..6000), 0..4),
        stock in 4_usize..120,
        drops in prop::collection::btree_set(0_usize..400, 0..60),
    ) {
        let mut play = Play::new(windows(1000, 700, 5000), pictures, wants);
        play.stalls = stalls.into_iter().map(|(from, lasts)| (from, from + lasts)).collect();
        play.stock = stock;
        let (clips, missing) = play.run();
        let kept: u64 = clips.iter().map(|clip| clip.pictures.len() as u64).sum();
        let wanted = play.pictures.iter().filter(|ms| play.wanted(**ms)).count() as u64;
        prop_assert_eq!(kept + missing, wanted);
        let told: u64 = clips.iter().map(|clip| clip.missing).sum();
        prop_assert!(told <= missing);
        let shown = |clip: &Clip| clip.parts.iter().all(|(_, at, shown)| {
            shown.is_none_or(|index| clip.pictures[index as usize].abs_diff(*at) <= PERIOD)
        });
        prop_assert!(clips.iter().all(shown));

        // What the tap dropped has no time of its own, so only about as many are missed.
        play.dropped = drops.iter().filter_map(|at| play.pictures.get(*at).copied()).collect();
        let (clips, missing) = play.run();
        let kept: u64 = clips.iter().map(|clip| clip.pictures.len() as u64).sum();
        prop_assert!(kept <= wanted);
        prop_assert!(kept + missing + play.dropped.len() as u64 >= wanted);
    }
}
