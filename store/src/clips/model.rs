//! Any sequence of what may happen to clips, held against a model that is a list in memory.

use domain::{CameraId, WallTime};
use proptest::prelude::*;

use super::ClipState::{Persisted, Quarantined, Queued, Received, Sent};
use super::example::{accept_at, open, second};
use super::*;

const CAMERAS: [&str; 2] = ["top", "side"];
const NOW: WallTime = WallTime { unix_ns: 1_800_000_000_000_000_000 };

#[derive(Clone, Debug)]
enum Step {
    Accept { camera: usize, start_s: u64, class: ClipClass },
    Advance { clip: usize, position: usize, state: ClipState },
    Again { camera: usize },
    Quarantine { clip: usize },
    Hold { clip: usize },
    Release { clip: usize },
    MakeRoom { keep_quarters: u64, more_bytes: u64 },
    EndAndStart,
}

fn step() -> impl Strategy<Value = Step> {
    let class =
        prop::sample::select(vec![ClipClass::Undecided, ClipClass::Rejected, ClipClass::Labelled]);
    let (camera, clip) = (0..2_usize, 0..8_usize);
    let state = prop::sample::select(ClipState::ALL.to_vec());
    prop_oneof![
        4 => (camera.clone(), 0..20_u64, class)
            .prop_map(|(camera, start_s, class)| Step::Accept { camera, start_s, class }),
        8 => (clip.clone(), 0..2_usize, state)
            .prop_map(|(clip, position, state)| Step::Advance { clip, position, state }),
        1 => camera.prop_map(|camera| Step::Again { camera }),
        1 => clip.clone().prop_map(|clip| Step::Quarantine { clip }),
        1 => clip.clone().prop_map(|clip| Step::Hold { clip }),
        1 => clip.prop_map(|clip| Step::Release { clip }),
        1 => (0..5_u64, 0..3_000_u64).prop_map(|(keep_quarters, more_bytes)| Step::MakeRoom {
            keep_quarters,
            more_bytes
        }),
        1 => Just(Step::EndAndStart),
    ]
}

/// A clip as the model has it.
#[derive(Clone, Debug)]
struct Known {
    id: ClipId,
    camera: usize,
    start_s: u64,
    class: ClipClass,
    fragments: [ClipState; 2],
    is_held: bool,
    is_gone: bool,
    attempts: u64,
    bytes: u64,
}

impl Known {
    fn state(&self) -> ClipState {
        let [a, b] = self.fragments;
        if a.max(b) == Quarantined { Quarantined } else { a.min(b) }
    }

    fn queue_again(&mut self) {
        let before = self.fragments;
        if self.state() != Quarantined {
            self.move_from(&[Sent, Received], Queued);
        }
        self.attempts += u64::from(self.fragments != before);
    }

    fn move_from(&mut self, from: &[ClipState], to: ClipState) {
        for state in self.fragments.iter_mut().filter(|state| from.contains(state)) {
            *state = to;
        }
    }

    /// Which goes first: the smaller.
    fn rank(&self) -> (u8, u64, ClipId) {
        let rank = match (self.state(), self.class) {
            (Persisted, _) => 0,
            (Quarantined, _) => 1,
            (_, ClipClass::Undecided) => 2,
            _ => 3,
        };
        (rank, self.start_s, self.id)
    }
}

/// What the model says goes; `None` when it can't be enough.
fn room(known: &mut [Known], bytes_max: u64, more_bytes: u64) -> Option<Vec<ClipId>> {
    let mut taken: u64 = known.iter().filter(|clip| !clip.is_gone).map(|clip| clip.bytes).sum();
    let may_go = |clip: &&mut Known| {
        !clip.is_gone && (clip.state() == Persisted || clip.class != ClipClass::Labelled)
    };
    let mut order: Vec<_> = known.iter_mut().filter(may_go).collect();
    order.sort_by_key(|clip| clip.rank());
    let mut gone = Vec::new();
    let mut order = order.into_iter();
    while taken + more_bytes > bytes_max {
        let clip = order.next()?;
        taken -= clip.bytes;
        gone.push(clip);
    }
    gone.iter_mut().for_each(|clip| clip.is_gone = true);
    Some(gone.iter().map(|clip| clip.id).collect())
}

fn accepted(clips: &mut Clips, camera: usize, start_s: u64, class: ClipClass) -> Known {
    let id = accept_at(clips, CAMERAS[camera], start_s, class).unwrap();
    let clip = clips.clip(id).unwrap();
    let facts = fs::metadata(clip.path.with_extension("json")).unwrap().len();
    Known {
        id,
        camera,
        start_s,
        class,
        fragments: [Queued; 2],
        is_held: false,
        is_gone: false,
        attempts: 0,
        bytes: clip.size_bytes + facts,
    }
}

fn take(clips: &mut Clips, known: &mut Vec<Known>, step: &Step) {
    let pick = |clip: usize| (!known.is_empty()).then(|| clip % known.len().max(1));
    match *step {
        Step::Accept { camera, start_s, class } => {
            known.push(accepted(clips, camera, start_s, class));
        }
        Step::Advance { clip, position, state } => {
            let Some(clip) = pick(clip) else { return };
            let clip = &mut known[clip];
            clips.advance(clip.id, position, state, None).unwrap();
            let now = &mut clip.fragments[position];
            *now = match (*now, state) {
                (Persisted, _) | (_, Persisted) => Persisted,
                (before, after) => before.max(after),
            };
        }
        Step::Again { camera } => {
            clips.again(&CameraId::new(CAMERAS[camera]), "x").unwrap();
            known.iter_mut().filter(|clip| clip.camera == camera).for_each(Known::queue_again);
        }
        Step::Quarantine { clip } => {
            let Some(clip) = pick(clip) else { return };
            clips.quarantine(known[clip].id, "x").unwrap();
            known[clip].move_from(&[Queued, Sent, Received], Quarantined);
        }
        Step::Hold { clip } => {
            let Some(clip) = pick(clip) else { return };
            clips.hold(known[clip].id, "x").unwrap();
            known[clip].is_held = true;
        }
        Step::Release { clip } => {
            let Some(clip) = pick(clip) else { return };
            clips.release(known[clip].id).unwrap();
            known[clip].is_held = false;
            if known[clip].state() == Quarantined {
                known[clip].move_from(&[Sent, Received, Quarantined], Queued);
            }
        }
        Step::MakeRoom { keep_quarters, more_bytes } => {
            let bytes: u64 = known.iter().filter(|clip| !clip.is_gone).map(|clip| clip.bytes).sum();
            let bytes_max = bytes * keep_quarters / 4;
            let made = clips.make_room(&Budget { bytes_max, alarm_bytes: 0 }, more_bytes, NOW);
            let made = made.map(|evicted| evicted.iter().map(|evicted| evicted.clip).collect());
            assert_eq!(made.ok(), room(known, bytes_max, more_bytes));
        }
        Step::EndAndStart => {
            clips.recover().unwrap();
            known.iter_mut().for_each(Known::queue_again);
        }
    }
}

fn compare(clips: &Clips, known: &[Known]) {
    for want in known {
        let is = clips.clip(want.id).unwrap();
        let states: Vec<_> = is.fragments.iter().map(|row| row.state).collect();
        assert_eq!(states, want.fragments, "{:?}", want.id);
        assert_eq!(is.state, want.state(), "{:?}", want.id);
        assert_eq!((is.held.is_some(), is.gone_at.is_some()), (want.is_held, want.is_gone));
        assert_eq!((is.attempts, is.path.is_file()), (want.attempts, !want.is_gone));
        assert_eq!(is.started, second(want.start_s));
    }
    for (camera, name) in CAMERAS.iter().enumerate() {
        let waits = |clip: &&Known| {
            clip.camera == camera && !clip.is_held && !clip.is_gone && clip.state() < Persisted
        };
        let mut want: Vec<_> = known.iter().filter(waits).map(|c| (c.start_s, c.id)).collect();
        want.sort();
        let waiting = clips.waiting(&CameraId::new(name), 99).unwrap();
        let is: Vec<_> =
            waiting.iter().map(|c| (c.started.mono.ns / 1_000_000_000, c.id)).collect();
        assert_eq!(is, want);
    }
    let tally = clips.tally().unwrap();
    for state in ClipState::ALL {
        let here = known.iter().filter(|clip| !clip.is_gone && clip.state() == state);
        let (count, bytes) = here.fold((0, 0), |sum, clip| (sum.0 + 1, sum.1 + clip.bytes));
        assert_eq!(tally.of(state), Tally { clips: count, bytes });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_happens_rows_files_and_the_model_agree(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut clips = open(dir.path());
        let mut known = Vec::new();
        for step in &steps {
            if matches!(step, Step::EndAndStart) {
                drop(clips);
                clips = open(dir.path());
            }
            take(&mut clips, &mut known, step);
        }
        compare(&clips, &known);
        drop(clips);
        let report = verify_clips(dir.path()).unwrap();
        prop_assert!(report.gaps.is_empty(), "{:?}", report);
    }
}
