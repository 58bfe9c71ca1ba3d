//! A scene: parts on a moving belt. Takes a [`SceneConfig`]; gives frames and the truth about them.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use domain::{Mask, OwnedPixels, RectPx, SizePx};

use crate::belt::BeltTile;
use crate::flaw::Flaw;
use crate::frame::{Lamp, Shot, is_colour};
use crate::layout::{Placed, lay_out};
use crate::motion::BeltMotion;
use crate::part::stream;
use crate::shape::{Point, turned};
use crate::sprite::{Sprite, off_centre};
use crate::truth::{Truth, TruthDefect, TruthPart};
use crate::{SceneConfig, SceneError};

/// How many frames pass after the last part has gone.
const EMPTY_AFTER: u32 = 10;

/// Footage that can be rendered frame by frame, in any order and on several threads.
pub struct Scene {
    config: SceneConfig,
    belt: BeltTile,
    lamp: Lamp,
    motion: BeltMotion,
    /// In the order of the truth.
    parts: Vec<Placed>,
    truth: Truth,
    /// Parts drawn lately, the latest last; only ever saves time.
    drawn: Mutex<Vec<(usize, Arc<Sprite>)>>,
}

impl Scene {
    /// Lays out a scene; draws no frame yet.
    ///
    /// # Errors
    /// When a wish cannot be met: which, and what would do.
    pub fn new(config: &SceneConfig) -> Result<Self, SceneError> {
        config.check()?;
        let parts = lay_out(config);
        let last = parts.iter().map(|p| p.x).fold(0.0, f64::min);
        let distance = f64::from(config.size.width) + 0.2 * f64::from(config.size.height) - last;
        let mut rng = stream(config, u64::MAX);
        let motion = BeltMotion::new(config, distance, EMPTY_AFTER, &mut rng);
        let mut seen: Vec<_> = parts
            .into_iter()
            .map(|placed| (Passage::new(&placed, &motion, config), placed))
            .collect();
        seen.sort_by(|(a, p), (b, q)| {
            a.centre_frame.cmp(&b.centre_frame).then(q.x.total_cmp(&p.x))
        });
        let truths = seen
            .iter()
            .zip(1..)
            .map(|((passage, placed), number)| passage.truth(number, placed, &motion, config));
        let truth =
            Truth::new(config.seed, config.size, config.fps, motion.frames(), truths.collect());
        Ok(Self {
            config: config.clone(),
            belt: BeltTile::new(config),
            lamp: Lamp::new(config),
            motion,
            parts: seen.into_iter().map(|(_, placed)| placed).collect(),
            truth,
            drawn: Mutex::new(Vec::new()),
        })
    }

    /// What it was made from.
    #[must_use]
    pub const fn config(&self) -> &SceneConfig {
        &self.config
    }

    /// How many frames there are.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.motion.frames()
    }

    /// What is true about them.
    #[must_use]
    pub const fn truth(&self) -> &Truth {
        &self.truth
    }

    /// Frame `frame`, from 0. Past the last one the empty belt runs on.
    #[must_use]
    pub fn render(&self, frame: u64) -> OwnedPixels {
        let position = self.motion.position(frame);
        let sprites = self.sprites_at(position);
        let shot = Shot {
            config: &self.config,
            belt: &self.belt,
            lamp: &self.lamp,
            sprites: &sprites,
            frame,
            position,
            blur: self.motion.velocity(frame) * f64::from(self.config.exposure),
        };
        shot.render()
    }

    /// The frame in which the part at `index` of the truth is centred: what a triggered camera
    /// would have taken. `None` when there is no such part.
    #[must_use]
    pub fn render_part(&self, index: usize) -> Option<OwnedPixels> {
        self.truth.parts.get(index).map(|part| self.render(part.centre_frame))
    }

    /// The parts that may be in the picture, drawn, the frontmost last.
    fn sprites_at(&self, position: f64) -> Vec<Arc<Sprite>> {
        let reach = f64::from(self.parts.first().map_or(0.0, |p| p.part.length));
        let seen = -reach..f64::from(self.config.size.width) + reach;
        let visible: Vec<usize> = (0..self.parts.len())
            .filter(|&i| seen.contains(&(self.parts[i].x + position)))
            .collect();
        let sprites = visible.iter().rev().map(|&index| self.sprite(index)).collect();
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        // Enough that neighbouring frames on other threads do not draw them all again.
        let spare = drawn.len().saturating_sub(2 * visible.len() + 8);
        drawn.drain(..spare);
        sprites
    }

    fn sprite(&self, index: usize) -> Arc<Sprite> {
        if let Some(sprite) = self.recall(index) {
            return sprite;
        }
        // Two threads may draw the same part at once; they draw the same, and neither waits.
        let channels = if is_colour(self.config.format) { 3 } else { 1 };
        let sprite = Arc::new(Sprite::new(&self.parts[index], channels));
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        drawn.push((index, Arc::clone(&sprite)));
        sprite
    }

    fn recall(&self, index: usize) -> Option<Arc<Sprite>> {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let at = drawn.iter().position(|(i, _)| *i == index)?;
        let found = drawn.remove(at);
        let sprite = Arc::clone(&found.1);
        drawn.push(found);
        Some(sprite)
    }
}

/// When a part is in the picture.
struct Passage {
    entry_frame: u64,
    exit_frame: u64,
    centre_frame: u64,
}

impl Passage {
    #[expect(clippy::cast_precision_loss, reason = "positions on a belt are far below 2^52")]
    fn new(placed: &Placed, motion: &BeltMotion, config: &SceneConfig) -> Self {
        let (x, _, width, _) = placed.box_on_belt();
        let (x, right) = (x as f64, x as f64 + f64::from(width));
        let picture = f64::from(config.size.width);
        // In the picture means that at least one column of pixels is.
        let entry_frame = motion.first_at(1.0 - right);
        let exit_frame = motion.first_at(picture - 1.0 - x).saturating_sub(1);
        let centred = picture / 2.0 - f64::midpoint(x, right);
        let after = motion.first_at(centred);
        let before = motion.first_at(motion.position(after.saturating_sub(1)));
        let off = |frame| (motion.position(frame) - centred).abs();
        let centre_frame = if off(before) <= off(after) { before } else { after };
        Self { entry_frame, exit_frame, centre_frame }
    }

    fn truth(
        &self,
        number: u64,
        placed: &Placed,
        motion: &BeltMotion,
        config: &SceneConfig,
    ) -> TruthPart {
        let (x, y, width, height) = placed.box_on_belt();
        let shift = whole(motion.position(self.centre_frame));
        let flaws = placed.part.flaws.iter();
        let defects: Vec<_> =
            flaws.filter_map(|flaw| defect(flaw, placed, shift, config.size)).collect();
        let kinds: Vec<_> = defects.iter().map(|defect| defect.kind.as_str()).collect();
        TruthPart {
            part: number,
            type_name: placed.part.metal.kind.name().to_owned(),
            entry_frame: self.entry_frame,
            exit_frame: self.exit_frame,
            centre_frame: self.centre_frame,
            x: x + shift,
            y,
            width,
            height,
            label: if kinds.is_empty() { "ok".to_owned() } else { kinds.join("|") },
            whole: self.whole(placed, motion, config.size),
            track: self.track(placed, motion),
            defects,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "positions on a belt are far below 2^52")]
    fn whole(&self, placed: &Placed, motion: &BeltMotion, size: SizePx) -> bool {
        let (x, y, width, height) = placed.box_on_belt();
        let inside = motion.first_at(-x as f64 - 0.5);
        y >= 0
            && y + i64::from(height) <= i64::from(size.height)
            && x + whole(motion.position(inside)) + i64::from(width) <= i64::from(size.width)
    }

    /// The corner's places in the first and last frame and wherever the belt changes its speed.
    #[expect(clippy::cast_precision_loss, reason = "positions on a belt are far below 2^52")]
    fn track(&self, placed: &Placed, motion: &BeltMotion) -> Vec<(u64, f64, f64)> {
        let (x, y, ..) = placed.box_on_belt();
        let steady = |frame: u64| {
            let [before, here, after] = [frame - 1, frame, frame + 1].map(|f| motion.position(f));
            (after - here - (here - before)).abs() < 1e-6
        };
        let ends = [self.entry_frame, self.exit_frame];
        (self.entry_frame..=self.exit_frame)
            .filter(|frame| ends.contains(frame) || !steady(*frame))
            // A hundredth of a pixel is kept, which is more than can be seen.
            .map(|f| (f, ((x as f64 + motion.position(f)) * 100.0).round() / 100.0, y as f64))
            .collect()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "positions on a belt are far below 2^52")]
fn whole(position: f64) -> i64 {
    position.round() as i64
}

/// Where `flaw` is when the belt has come `shift` pixels; `None` when it is not in the picture.
fn defect(flaw: &Flaw, placed: &Placed, shift: i64, size: SizePx) -> Option<TruthDefect> {
    let part = &placed.part;
    let covered = |x: u32, y: u32| {
        let place = part.place(off_centre(placed, i64::from(x) - shift, i64::from(y)));
        part.metal.distance(place) <= 0.0 && flaw.covers(place, part.metal)
    };
    let pixels = search_area(flaw, placed, shift, size).into_iter().flat_map(pixels_of);
    let found: HashSet<_> = pixels.filter(|&(x, y)| covered(x, y)).collect();
    let singles = found.iter().map(|&(x, y)| RectPx::new(x, y, 1, 1));
    let area = singles.reduce(|a, b| a.union(&b))?;
    let mask = Mask::from_bits(area, pixels_of(area).map(|pixel| found.contains(&pixel)));
    Some(TruthDefect { kind: flaw.kind().name().to_owned(), box_in_frame: area, mask })
}

/// Row by row.
fn pixels_of(area: RectPx) -> impl Iterator<Item = (u32, u32)> {
    (area.y..area.bottom()).flat_map(move |y| (area.x..area.right()).map(move |x| (x, y)))
}

/// The part of the picture in which the flaw can be.
fn search_area(flaw: &Flaw, placed: &Placed, shift: i64, size: SizePx) -> Option<RectPx> {
    let part = &placed.part;
    let (centre, reach): (Point, f32) = flaw.reach(part.metal);
    let [x, y] = turned(centre, part.angle).map(|c| f64::from(c * part.length));
    let reach = f64::from(reach * part.length) + 1.0;
    let (x0, y0, width, height) = placed.box_on_belt();
    let side = |centre: f64, from: i64, length: u32, shift: i64, limit: u32| {
        let low = whole(centre - reach).max(from) + shift;
        let high = whole(centre + reach).min(from + i64::from(length)) + shift;
        let pixel = |at: i64| u32::try_from(at.clamp(0, i64::from(limit))).unwrap_or(limit);
        (pixel(low), pixel(high))
    };
    let (left, right) = side(placed.x + x, x0, width, shift, size.width);
    let (top, bottom) = side(placed.y + y, y0, height, 0, size.height);
    let area = RectPx::from_corners(left, top, right, bottom);
    (!area.is_empty()).then_some(area)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::thread;

    use domain::{PixelFormat, Pixels};
    use proptest::prelude::*;

    use super::*;
    use crate::{DefectKind, Spacing};

    fn small(parts: u32) -> SceneConfig {
        let size = SizePx::new(426, 320);
        SceneConfig { seed: 7, parts, size, noise: 0.0, exposure: 0.0, ..SceneConfig::default() }
    }

    fn bytes(pixels: &OwnedPixels) -> Vec<u8> {
        let planes = pixels.format().planes(pixels.size()).len();
        (0..planes).flat_map(|index| pixels.plane(index).data.to_vec()).collect()
    }

    /// How much brighter or darker each pixel is than in `other`.
    fn difference(picture: &OwnedPixels, other: &OwnedPixels) -> Vec<i16> {
        let pairs = picture.plane(0).data.iter().zip(other.plane(0).data);
        pairs.map(|(&a, &b)| i16::from(a) - i16::from(b)).collect()
    }

    fn at(values: &[i16], x: u32, y: u32, size: SizePx) -> i16 {
        values[(y * size.width + x) as usize]
    }

    #[test]
    fn a_seed_gives_the_same_bytes_in_any_order_and_on_any_thread() {
        let config = SceneConfig { noise: 1.0, defect_rate: 0.5, ..small(12) };
        let (one, two) = (Scene::new(&config).unwrap(), Scene::new(&config).unwrap());
        assert_eq!(one.truth(), two.truth());
        let frames: Vec<u64> = (0..one.frames()).step_by(7).collect();
        let forwards: BTreeMap<_, _> = frames.iter().map(|&f| (f, bytes(&one.render(f)))).collect();
        let backwards = thread::scope(|scope| {
            let tasks: Vec<_> = (0..3)
                .map(|n| {
                    let mine = frames.iter().rev().skip(n).step_by(3);
                    let render = || mine.map(|&f| (f, bytes(&two.render(f)))).collect::<Vec<_>>();
                    thread::Builder::new().name(format!("render-{n}")).spawn_scoped(scope, render)
                })
                .collect();
            let done = tasks.into_iter().flat_map(|task| task.unwrap().join().unwrap());
            done.collect::<BTreeMap<_, _>>()
        });
        assert!(forwards == backwards);
        let other = Scene::new(&SceneConfig { seed: 8, ..config }).unwrap();
        assert_ne!(bytes(&other.render(0)), forwards[&0]);
        assert_ne!(other.truth().parts, one.truth().parts);
    }

    #[test]
    fn noise_is_new_in_each_frame_and_absent_when_not_wanted() {
        let parked = |noise| SceneConfig { noise, ..small(0) };
        let quiet = Scene::new(&parked(0.0)).unwrap();
        let noisy = Scene::new(&parked(1.0)).unwrap();
        let noise = |frame| difference(&noisy.render(frame), &quiet.render(frame));
        let (first, second) = (noise(0), noise(1));
        assert_ne!(first, second);
        let deviation = |values: &[i16]| {
            let squares: f64 = values.iter().map(|&v| f64::from(v).powi(2)).sum();
            (squares / values.len() as f64).sqrt()
        };
        assert!((0.8..2.5).contains(&deviation(&first)), "{}", deviation(&first));
        let mean = first.iter().map(|&v| f64::from(v)).sum::<f64>() / first.len() as f64;
        assert!(mean.abs() < 0.1, "{mean}");
    }

    #[test]
    fn boxes_are_where_the_metal_is_and_nowhere_else() {
        let config = SceneConfig { defect_rate: 0.0, ..small(20) };
        let scene = Scene::new(&config).unwrap();
        let empty = Scene::new(&SceneConfig { parts: 0, ..config.clone() }).unwrap();
        let mut checked = 0;
        for frame in (0..scene.frames()).step_by(3) {
            let brighter = difference(&scene.render(frame), &empty.render(frame));
            let boxes: Vec<_> = scene
                .truth()
                .parts
                .iter()
                .filter_map(|part| part.visible_at(frame, config.size))
                .collect();
            let metal = |(x, y): &(u32, u32)| at(&brighter, *x, *y, config.size) > 12;
            for area in &boxes {
                let found = pixels_of(area.grown(5, &config.size.rect()))
                    .filter(metal)
                    .map(|(x, y)| RectPx::new(x, y, 1, 1))
                    .reduce(|a, b| a.union(&b));
                // Between whole pixels an edge shows on both sides of its rounded place.
                // Of a part that is still coming in, only the leading edge is known.
                let whole = area.x > 0 && area.right() < config.size.width;
                if let Some(found) = found.filter(|_| whole) {
                    let sides = |r: &RectPx| [r.x, r.y, r.right(), r.bottom()];
                    let near =
                        sides(&found).iter().zip(sides(area)).all(|(a, b)| a.abs_diff(b) <= 2);
                    assert!(near, "frame {frame}: {found} for {area}");
                    checked += 1;
                }
            }
            // A part that shows less than a column of pixels is not in the picture yet.
            let inner = RectPx::new(1, 0, config.size.width - 2, config.size.height);
            let stray = pixels_of(inner).filter(metal).find(|&(x, y)| {
                let pixel = RectPx::new(x, y, 1, 1);
                !boxes.iter().any(|area| area.grown(2, &config.size.rect()).contains(&pixel))
            });
            assert_eq!(stray, None, "frame {frame}");
        }
        assert!(checked > 100, "{checked}");
    }

    #[test]
    fn the_belt_is_empty_before_and_after_and_parts_come_in_order() {
        let truth = Scene::new(&small(40)).unwrap().truth().clone();
        assert_eq!(truth.parts.len(), 40);
        let numbers: Vec<_> = truth.parts.iter().map(|part| part.part).collect();
        assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
        assert!(truth.parts.is_sorted_by_key(|part| part.centre_frame));
        for part in &truth.parts {
            assert!(part.entry_frame >= 30 && part.exit_frame + 10 < truth.frames);
            assert!(part.whole && part.kinds().count() == part.defects.len());
            let (x, ..) = part.box_at(part.centre_frame).unwrap();
            let off = x + f64::from(part.width) / 2.0 - f64::from(truth.width) / 2.0;
            assert!(off.abs() <= 0.5 * 0.04 * 320.0 + 0.51, "{off}");
            assert_eq!(whole(x), part.x);
            let seen = |frame| part.visible_at(frame, truth.size());
            assert!(seen(part.entry_frame).is_some() && seen(part.exit_frame).is_some());
            assert!(seen(part.entry_frame - 1).is_none() && seen(part.exit_frame + 1).is_none());
        }
    }

    #[test]
    fn every_defect_changes_what_is_under_its_mask_and_nothing_elsewhere() {
        let config = SceneConfig { defect_rate: 1.0, size: SizePx::new(640, 480), ..small(60) };
        let scene = Scene::new(&config).unwrap();
        let good = Scene::new(&SceneConfig { defect_rate: 0.0, ..config.clone() }).unwrap();
        let mut seen = BTreeMap::<&str, u32>::new();
        for part in &scene.truth().parts {
            let frame = part.centre_frame;
            let change = difference(&scene.render(frame), &good.render(frame));
            let area = part.visible_at(frame, config.size).unwrap();
            for defect in &part.defects {
                *seen.entry(defect.kind.as_str()).or_default() += 1;
                assert!(area.contains(&defect.box_in_frame), "{defect:?} in {area}");
                assert_eq!(defect.mask.area, defect.box_in_frame);
                let inside = pixels_of(defect.mask.area).zip(defect.mask.bits());
                let changes: Vec<f64> = inside
                    .filter(|(_, inside)| *inside)
                    .map(|((x, y), _)| f64::from(at(&change, x, y, config.size).abs()))
                    .collect();
                let mean = changes.iter().sum::<f64>() / changes.len() as f64;
                assert!(changes.len() >= 4 && mean > 3.0, "{part:?} {} {mean}", defect.kind);
            }
        }
        assert_eq!(seen.len(), DefectKind::ALL.len(), "{seen:?}");
        assert!(seen.values().all(|&count| count >= 4), "{seen:?}");
    }

    #[test]
    fn about_as_many_parts_are_bad_as_was_wished_and_only_bad_ones_are_far_turned() {
        let scene = Scene::new(&SceneConfig { defect_rate: 0.3, ..small(300) }).unwrap();
        let bad = scene.truth().parts.iter().filter(|part| !part.is_ok()).count();
        assert!((65..=115).contains(&bad), "{bad}");
        assert!(scene.truth().parts.iter().any(|part| part.defects.len() > 1));
        for (part, placed) in scene.truth().parts.iter().zip(&scene.parts) {
            let degrees = placed.part.angle.to_degrees().abs();
            let misaligned = part.kinds().any(|kind| kind == "misaligned");
            assert_eq!(misaligned, degrees > 7.9, "{degrees} {}", part.label);
            assert!(misaligned || degrees < 2.1);
        }
    }

    #[test]
    fn a_halted_belt_stands_still_and_the_truth_knows() {
        let scene = Scene::new(&SceneConfig { stops: 2, ..small(20) }).unwrap();
        let stands = |frame: &u64| scene.motion.velocity(*frame) == 0.0;
        let halted: Vec<u64> = (1..scene.frames()).filter(stands).collect();
        let pauses = halted.windows(2).filter(|pair| pair[1] > pair[0] + 1).count() + 1;
        assert_eq!(pauses, 2);
        let frame = halted[3];
        assert!(bytes(&scene.render(frame)) == bytes(&scene.render(frame + 1)));
        let mut waited = 0;
        for (part, placed) in scene.truth().parts.iter().zip(&scene.parts) {
            let (x, ..) = placed.box_on_belt();
            for frame in part.entry_frame..=part.exit_frame {
                let (told, ..) = part.box_at(frame).unwrap();
                let real = x as f64 + scene.motion.position(frame);
                assert!((told - real).abs() < 0.02, "{told} {real}");
            }
            waited += u32::from(part.track.len() > 2);
        }
        assert!(waited >= 2);
    }

    #[test]
    fn parts_at_the_border_are_cut_by_it_and_never_whole() {
        for lanes in 1..=4 {
            let config = SceneConfig { edge_rate: 1.0, lanes, ..small(20) };
            let scene = Scene::new(&config).unwrap();
            for part in &scene.truth().parts {
                assert!(!part.whole);
                assert!(part.y < 0 || part.y + i64::from(part.height) > 320, "{part:?}");
                let visible = part.visible_at(part.centre_frame, config.size).unwrap();
                assert!(visible.height * 10 > part.height * 3 && visible.height < part.height);
            }
        }
    }

    #[test]
    fn touching_parts_are_one_piece_in_the_picture() {
        let config = SceneConfig { touching_rate: 1.0, lanes: 1, defect_rate: 0.5, ..small(4) };
        let scene = Scene::new(&config).unwrap();
        let empty = Scene::new(&SceneConfig { parts: 0, ..config.clone() }).unwrap();
        let frame = scene.truth().parts[1].centre_frame;
        let brighter = difference(&scene.render(frame), &empty.render(frame));
        let start = scene.truth().parts[1].visible_at(frame, config.size).unwrap();
        let goal = scene.truth().parts[2].visible_at(frame, config.size).unwrap();
        let metal = |(x, y): &(u32, u32)| at(&brighter, *x, *y, config.size) > 8;
        let mut reached = vec![pixels_of(start).find(metal).unwrap()];
        let mut known: HashSet<_> = reached.iter().copied().collect();
        while let Some((x, y)) = reached.pop() {
            let around = RectPx::new(x, y, 1, 1).grown(1, &config.size.rect());
            reached.extend(pixels_of(around).filter(metal).filter(|&place| known.insert(place)));
        }
        let middle = goal.x + goal.width / 2;
        assert!(known.iter().any(|&(x, _)| x < middle));
    }

    #[test]
    fn touching_is_not_overlapping() {
        let config = SceneConfig { touching_rate: 1.0, defect_rate: 0.5, ..small(40) };
        let parts = Scene::new(&config).unwrap().parts;
        for (i, a) in parts.iter().enumerate() {
            for b in &parts[i + 1..] {
                let ((ax, ay, aw, ah), (bx, by, bw, bh)) = (a.box_on_belt(), b.box_on_belt());
                let columns = (ax + i64::from(aw)).min(bx + i64::from(bw)) - ax.max(bx);
                let rows = (ay + i64::from(ah)).min(by + i64::from(bh)) - ay.max(by);
                // Turned parts may nest a little; their boxes then share a strip.
                assert!(columns.min(rows) <= 20, "{columns} {rows}");
            }
        }
    }

    #[test]
    fn a_triggered_picture_is_the_centre_frame() {
        let scene = Scene::new(&small(3)).unwrap();
        let frame = scene.truth().parts[2].centre_frame;
        assert!(bytes(&scene.render_part(2).unwrap()) == bytes(&scene.render(frame)));
        assert!(scene.render_part(3).is_none());
    }

    #[test]
    fn every_format_shows_the_same_scene() {
        let size = SizePx::new(131, 97);
        let render = |format| {
            let config = SceneConfig { size, format, lanes: 1, ..small(2) };
            Scene::new(&config).unwrap().render_part(0).unwrap()
        };
        let rgb = render(PixelFormat::Rgb8);
        let three = |x: usize, y: usize| {
            let row = rgb.plane(0).row(y);
            [0, 1, 2].map(|c| f64::from(row[x * 3 + c]))
        };
        for format in PixelFormat::ALL {
            let picture = render(format);
            assert_eq!((picture.format(), picture.size()), (format, size));
            for (x, y) in pixels_of(size.rect()).map(|(x, y)| (x as usize, y as usize)) {
                let [r, g, b] = three(x, y);
                let row = picture.plane(0).row(y);
                let luma = 0.299 * r + 0.587 * g + 0.114 * b;
                let odd = (y % 2, x % 2);
                let (expected, found) = match format {
                    PixelFormat::Gray8 => (luma, f64::from(row[x])),
                    PixelFormat::Gray16Le => (luma, f64::from(row[x * 2 + 1])),
                    PixelFormat::Rgb8 => (r, f64::from(row[x * 3])),
                    PixelFormat::Bgr8 => (r, f64::from(row[x * 3 + 2])),
                    PixelFormat::BayerRggb8 => (mosaic(odd, [r, g, g, b]), f64::from(row[x])),
                    PixelFormat::BayerBggr8 => (mosaic(odd, [b, g, g, r]), f64::from(row[x])),
                    PixelFormat::BayerGrbg8 => (mosaic(odd, [g, r, b, g]), f64::from(row[x])),
                    PixelFormat::BayerGbrg8 => (mosaic(odd, [g, b, r, g]), f64::from(row[x])),
                    PixelFormat::Nv12 | PixelFormat::I420 => {
                        (16.0 + luma * 219.0 / 255.0, f64::from(row[x]))
                    }
                };
                assert!((expected - found).abs() < 3.0, "{format} {x},{y}: {expected} {found}");
            }
        }
    }

    fn mosaic((row, column): (usize, usize), colours: [f64; 4]) -> f64 {
        colours[row * 2 + column]
    }

    #[test]
    fn chroma_tells_the_green_belt() {
        let config = SceneConfig { format: PixelFormat::Nv12, ..small(0) };
        let picture = Scene::new(&config).unwrap().render(0);
        let chroma = picture.plane(1);
        let mean = |offset: usize| {
            let values = chroma.data.iter().skip(offset).step_by(2);
            values.map(|&v| f64::from(v)).sum::<f64>() / (chroma.data.len() / 2) as f64
        };
        // Green is little red (V) and about as little blue (U).
        assert!(mean(1) < 127.0 && mean(0) < 128.5, "{} {}", mean(0), mean(1));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn whatever_is_accepted_renders_and_its_truth_can_be_read_again(
            (seed, parts, lanes, stops) in (any::<u64>(), 0_u32..6, 1_u8..=4, 0_u32..3),
            (width, height) in (64_u32..200, 64_u32..200),
            rates in prop::array::uniform4(0.0_f32..=1.0),
            irregular in any::<bool>(),
            format in prop::sample::select(PixelFormat::ALL.to_vec()),
            frame in any::<u32>(),
        ) {
            let [defect_rate, edge_rate, touching_rate, exposure] = rates;
            let spacing = if irregular { Spacing::Irregular } else { Spacing::Regular };
            let size = SizePx::new(width, height);
            let config = SceneConfig {
                seed, parts, lanes, stops, size, defect_rate, edge_rate, touching_rate, exposure,
                spacing, format, ..SceneConfig::default()
            };
            let scene = Scene::new(&config).unwrap();
            let picture = scene.render(u64::from(frame) % (scene.frames() + 9));
            prop_assert_eq!(picture.size(), size);
            prop_assert_eq!(scene.truth().parts.len(), parts as usize);
            let mut json = Vec::new();
            scene.truth().write_json(&mut json).unwrap();
            prop_assert_eq!(&Truth::read_json(json.as_slice()).unwrap(), scene.truth());
            let mut table = Vec::new();
            scene.truth().write_csv(&mut table).unwrap();
            let read = Truth::read_csv(table.as_slice()).unwrap();
            prop_assert_eq!(read.len(), parts as usize);
        }
    }
}
