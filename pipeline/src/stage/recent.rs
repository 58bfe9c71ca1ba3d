//! The parts that were answered last, for people to look at: takes each answer from act, which
//! never waits; gives the newest few, each whole, to anyone at any moment.

use std::sync::atomic::{AtomicU64, Ordering, fence};

use domain::{
    ActedInspection, AnsweredBy, CameraId, GateSignal, MonoTime, PartId, PointPx, RecentPart,
    RectPx, VerdictKind,
};

/// How many are kept; a power of two.
const KEPT: usize = 64;
const KINDS: [VerdictKind; 3] = [VerdictKind::Pass, VerdictKind::Reject, VerdictKind::Undecided];
const WORDS: usize = 6;
const NO_CAMERA: u64 = 0xff;

/// One answer behind a sequence lock, as in `books.rs`.
#[derive(Default)]
struct Slot {
    version: AtomicU64,
    words: [AtomicU64; WORDS],
}

/// The newest answers. One thread writes, act's.
pub struct Recent {
    slots: [Slot; KEPT],
    /// How many were ever written.
    written: AtomicU64,
}

impl Default for Recent {
    fn default() -> Self {
        Self { slots: std::array::from_fn(|_| Slot::default()), written: AtomicU64::new(0) }
    }
}

impl Recent {
    /// Adds an answer. Only one thread may call this.
    pub fn add(&self, acted: &ActedInspection, cameras: impl Fn(&CameraId) -> Option<usize>) {
        let written = self.written.load(Ordering::Relaxed);
        let slot = &self.slots[place(written)];
        let version = slot.version.load(Ordering::Relaxed);
        slot.version.store(version + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        for (stored, word) in slot.words.iter().zip(words_of(acted, cameras)) {
            stored.store(word, Ordering::Relaxed);
        }
        slot.version.store(version + 2, Ordering::Release);
        self.written.store(written + 1, Ordering::Release);
    }

    /// The newest first. An answer that is being replaced right now is left out.
    pub fn list(&self, cameras: &[&CameraId]) -> Vec<RecentPart> {
        let written = self.written.load(Ordering::Acquire);
        let oldest = written.saturating_sub(KEPT as u64);
        (oldest..written).rev().filter_map(|number| self.read(number, cameras)).collect()
    }

    fn read(&self, number: u64, cameras: &[&CameraId]) -> Option<RecentPart> {
        let slot = &self.slots[place(number)];
        let before = slot.version.load(Ordering::Acquire);
        let words = slot.words.each_ref().map(|word| word.load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        // Every writing makes the version two more: this one is neither being replaced nor was it.
        let whole = 2 * (number / KEPT as u64 + 1);
        let is_whole = before == whole && slot.version.load(Ordering::Relaxed) == before;
        is_whole.then(|| part_of(words, cameras))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a remainder of 64")]
const fn place(number: u64) -> usize {
    (number % KEPT as u64) as usize
}

fn words_of(acted: &ActedInspection, cameras: impl Fn(&CameraId) -> Option<usize>) -> [u64; WORDS] {
    let inspection = &acted.inspection;
    let view = inspection.views.first();
    let camera = view.and_then(|view| cameras(&view.camera)).map_or(NO_CAMERA, |at| at as u64);
    let area = view.map_or(RectPx::new(0, 0, 0, 0), |view| view.box_in_frame);
    let velocity = inspection
        .motion
        .map_or((0.0, 0.0), |motion| (motion.velocity_px_per_s.x, motion.velocity_px_per_s.y));
    let took = acted.told_at.since(inspection.triggered_at.mono).as_micros();
    let flags = inspection.verdict.kind() as u64
        | u64::from(acted.answered_by == AnsweredBy::FailSafe) << 2
        | u64::from(acted.gate == GateSignal::Reject) << 3
        | camera.min(NO_CAMERA) << 8
        | u64::from(u32::try_from(took).unwrap_or(u32::MAX)) << 32;
    let seen_at = view.map_or(inspection.triggered_at.mono, |view| view.at.mono);
    let side = |px: u32| u64::from(u16::try_from(px).unwrap_or(u16::MAX));
    let sides = [area.x, area.y, area.width, area.height].map(side);
    [
        inspection.part.0,
        acted.told_at.ns,
        seen_at.ns,
        sides[0] | sides[1] << 16 | sides[2] << 32 | sides[3] << 48,
        u64::from(velocity.0.to_bits()) | u64::from(velocity.1.to_bits()) << 32,
        flags,
    ]
}

#[expect(clippy::cast_possible_truncation, reason = "each piece is as wide as it was packed")]
fn part_of(words: [u64; WORDS], cameras: &[&CameraId]) -> RecentPart {
    let [part, told_at, seen_at, area, velocity, flags] = words;
    let side = |at: u32| u32::from((area >> at) as u16);
    let speed = |at: u32| f32::from_bits((velocity >> at) as u32);
    let camera = cameras.get((flags >> 8 & 0xff) as usize);
    RecentPart {
        part: PartId(part),
        verdict: KINDS[(flags & 3) as usize % KINDS.len()],
        is_fail_safe: flags >> 2 & 1 == 1,
        is_thrown_out: flags >> 3 & 1 == 1,
        told_at: MonoTime::from_ns(told_at),
        took_us: (flags >> 32) as u32,
        camera: camera.map(|&camera| camera.clone()),
        seen_at: MonoTime::from_ns(seen_at),
        box_in_frame: RectPx::new(side(0), side(16), side(32), side(48)),
        velocity_px_per_s: PointPx { x: speed(0), y: speed(32) },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::thread;
    use std::time::Duration;

    use domain::{
        BeltMotion, CaptureTime, Inspection, PartCondition, PlcAnswer, Provenance, Sha256,
        StageTimes, Verdict, ViewRecord, WallTime, Why,
    };

    use super::*;

    fn at(ns: u64) -> CaptureTime {
        CaptureTime { mono: MonoTime::from_ns(ns), wall: WallTime::default() }
    }

    fn acted(number: u64, verdict: Verdict) -> ActedInspection {
        let view = ViewRecord {
            name: "top".into(),
            camera: CameraId::new("right"),
            frame: number,
            origin: None,
            at: at(number),
            box_in_frame: RectPx::new(1, 2, 3, 4000),
            crop_in_frame: RectPx::new(0, 0, 9, 9),
            pose: None,
        };
        let provenance = Provenance {
            recipe: Sha256::of(b"recipe"),
            model: None,
            calibration: None,
            software: "test".into(),
            is_simulated: true,
        };
        let inspection = Inspection {
            part: PartId(number),
            triggered_at: at(number),
            verdict,
            score: 0.5,
            condition: PartCondition::Whole,
            motion: Some(BeltMotion { velocity_px_per_s: PointPx { x: -7.5, y: 0.25 } }),
            classes: vec![],
            defects: vec![],
            views: vec![view],
            provenance,
            heatmaps: vec![],
            pictures: vec![],
            times: StageTimes::default(),
        };
        ActedInspection {
            inspection,
            gate: GateSignal::Reject,
            told_at: MonoTime::from_ns(number).plus(Duration::from_micros(8_700)),
            due: MonoTime::from_ns(number).plus(Duration::from_millis(50)),
            answered_by: AnsweredBy::FailSafe,
            plc: PlcAnswer::Logged,
        }
    }

    #[test]
    fn the_newest_come_first_with_all_that_was_said() {
        let (left, right) = (CameraId::new("left"), CameraId::new("right"));
        let cameras = [&left, &right];
        let recent = Recent::default();
        assert!(recent.list(&cameras).is_empty());
        let find = |id: &CameraId| cameras.iter().position(|camera| *camera == id);
        for number in 1..=100 {
            recent.add(&acted(number, Verdict::Undecided { why: Why::Deadline }), find);
        }
        let list = recent.list(&cameras);
        assert_eq!(list.len(), KEPT);
        assert_eq!(list.iter().map(|part| part.part.0).max(), Some(100));
        let wanted = RecentPart {
            part: PartId(100),
            verdict: VerdictKind::Undecided,
            is_fail_safe: true,
            is_thrown_out: true,
            told_at: MonoTime::from_ns(8_700_100),
            took_us: 8_700,
            camera: Some(right.clone()),
            seen_at: MonoTime::from_ns(100),
            box_in_frame: RectPx::new(1, 2, 3, 4000),
            velocity_px_per_s: PointPx { x: -7.5, y: 0.25 },
        };
        assert_eq!(list[0], wanted);
    }

    #[test]
    fn whoever_reads_sees_whole_answers() {
        let (recent, over) = (Recent::default(), AtomicBool::new(false));
        thread::scope(|threads| {
            let reader = threads.spawn(|| {
                let mut read = 0;
                while !over.load(Ordering::Acquire) || read < 1000 {
                    for part in recent.list(&[]) {
                        assert_eq!(part.seen_at.ns, part.part.0, "{part:?}");
                        assert_eq!(part.verdict == VerdictKind::Pass, part.part.0 % 2 == 0);
                    }
                    read += 1;
                }
            });
            let mut both =
                [acted(0, Verdict::Pass), acted(0, Verdict::Undecided { why: Why::Deadline })];
            for number in 0..200_000_u64 {
                let acted = &mut both[(number % 2) as usize];
                acted.inspection.part = PartId(number);
                acted.inspection.views[0].at = at(number);
                recent.add(acted, |_| None);
            }
            over.store(true, Ordering::Release);
            reader.join().unwrap();
        });
    }
}
