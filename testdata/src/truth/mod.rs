//! What is true about footage: which parts passed when and where, and what is wrong with each.
//! Read and written as JSON (everything) and as CSV (all but the masks).

mod table;

use std::io::{Read, Write};

use domain::{Mask, RectPx, SizePx};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The version of the JSON form.
const SCHEMA: u32 = 1;

/// The truth about a piece of footage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// Version of this form; 1.
    pub schema: u32,
    /// The seed it was rendered from; 0 for footage that was not rendered.
    pub seed: u64,
    /// Width of the picture.
    pub width: u32,
    /// Height of the picture.
    pub height: u32,
    /// Frames per second.
    pub fps: f64,
    /// Number of frames.
    pub frames: u64,
    /// Every part, numbered from 1 without gaps in the order of their centre frames.
    pub parts: Vec<TruthPart>,
}

/// One part that passed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TruthPart {
    /// Its running number, from 1.
    pub part: u64,
    /// What it is: `bracket`, `flange`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// First frame with some of it in the picture.
    pub entry_frame: u64,
    /// Last frame with some of it in the picture.
    pub exit_frame: u64,
    /// The frame in which its centre is nearest to the picture's centre along x.
    pub centre_frame: u64,
    /// Left edge in the centre frame, in pixels; negative when outside the picture.
    pub x: i64,
    /// Top edge in the centre frame, in pixels; negative when outside the picture.
    pub y: i64,
    /// Columns of its upright box, whether in the picture or not.
    pub width: u32,
    /// Rows of its upright box, whether in the picture or not.
    pub height: u32,
    /// `ok`, or the kinds of its defects joined with `|`.
    pub label: String,
    /// Whether in some frame all of it is in the picture.
    pub whole: bool,
    /// Where the box's top left corner is: frame, x, y; straight lines between.
    pub track: Vec<(u64, f64, f64)>,
    /// What is wrong with it; empty when read from CSV.
    #[serde(default)]
    pub defects: Vec<TruthDefect>,
}

/// One thing wrong with a part, in the pixels of its centre frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TruthDefect {
    /// The kind's name.
    pub kind: String,
    /// The smallest box around the mask.
    #[serde(rename = "box")]
    pub box_in_frame: RectPx,
    /// Which pixels of the box are meant.
    pub mask: Mask,
}

/// Truth that could not be read or written.
#[derive(Debug, Error)]
pub enum TruthError {
    /// Not JSON of this form.
    #[error("truth.json line {line} column {column}: {source}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What was wrong.
        source: serde_json::Error,
    },
    /// JSON of this form that contradicts itself.
    #[error("truth.json: {place}: {wrong}")]
    Contradiction {
        /// Which part and which key.
        place: String,
        /// What is wrong and what would be right.
        wrong: String,
    },
    /// A cell of the CSV that cannot be read.
    #[error("truth.csv line {line}, column {column:?}: {value:?} is not {right}")]
    Cell {
        /// Line, from 1; the header is line 1.
        line: u64,
        /// The column's name.
        column: &'static str,
        /// What was there.
        value: String,
        /// What would be right.
        right: &'static str,
    },
    /// A header other than the one we write.
    #[error("truth.csv line 1: no column {column:?}; the columns are {expected}")]
    Header {
        /// The column that is missing.
        column: &'static str,
        /// All of them.
        expected: String,
    },
    /// Not CSV.
    #[error("truth.csv line {line}: {source}")]
    Csv {
        /// Line, from 1; 0 when unknown.
        line: u64,
        /// What was wrong.
        source: csv::Error,
    },
    /// The file could not be written.
    #[error("truth could not be written: {0}")]
    Write(#[from] std::io::Error),
}

impl TruthPart {
    /// Whether nothing is wrong with it.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.label == "ok"
    }

    /// The kinds of its defects.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.label.split('|').filter(|kind| *kind != "ok")
    }

    /// Left, top, width and height of its box in `frame`; `None` when it is not in the picture.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "frame numbers are far below 2^52")]
    pub fn box_at(&self, frame: u64) -> Option<(f64, f64, u32, u32)> {
        if !(self.entry_frame..=self.exit_frame).contains(&frame) {
            return None;
        }
        let after = self.track.partition_point(|(at, ..)| *at < frame);
        let (x, y) = match (after.checked_sub(1).map(|i| self.track[i]), self.track.get(after)) {
            (_, Some(&(at, x, y))) if at == frame => (x, y),
            (Some((f0, x0, y0)), Some(&(f1, x1, y1))) => {
                let share = (frame - f0) as f64 / (f1 - f0) as f64;
                (x0 + (x1 - x0) * share, y0 + (y1 - y0) * share)
            }
            _ => return None,
        };
        Some((x, y, self.width, self.height))
    }

    /// The whole pixels of its box in `frame` that lie in a picture of `size`.
    #[must_use]
    pub fn visible_at(&self, frame: u64, size: SizePx) -> Option<RectPx> {
        let (x, y, width, height) = self.box_at(frame)?;
        let (x, y) = (x.round(), y.round());
        let visible = RectPx::from_corners(
            pixel_from(x, size.width),
            pixel_from(y, size.height),
            pixel_from(x + f64::from(width), size.width),
            pixel_from(y + f64::from(height), size.height),
        );
        (!visible.is_empty()).then_some(visible)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to 0..=limit first")]
#[expect(clippy::cast_sign_loss, reason = "clamped to 0..=limit first")]
fn pixel_from(place: f64, limit: u32) -> u32 {
    place.clamp(0.0, f64::from(limit)) as u32
}

impl Truth {
    /// The size of the picture.
    #[must_use]
    pub const fn size(&self) -> SizePx {
        SizePx::new(self.width, self.height)
    }

    /// Writes all of it as JSON.
    ///
    /// # Errors
    /// When `to` cannot be written.
    pub fn write_json(&self, mut to: impl Write) -> Result<(), TruthError> {
        serde_json::to_writer(&mut to, self).map_err(std::io::Error::from)?;
        to.write_all(b"\n")?;
        Ok(to.flush()?)
    }

    /// Reads what [`Truth::write_json`] wrote.
    ///
    /// # Errors
    /// When `from` is not that: where, and what is wrong.
    pub fn read_json(from: impl Read) -> Result<Self, TruthError> {
        let truth: Self = serde_json::from_reader(from).map_err(|source| TruthError::Json {
            line: source.line(),
            column: source.column(),
            source,
        })?;
        truth.check()?;
        Ok(truth)
    }

    /// Writes the parts as CSV, without masks.
    ///
    /// # Errors
    /// When `to` cannot be written.
    pub fn write_csv(&self, to: impl Write) -> Result<(), TruthError> {
        table::write(&self.parts, to)
    }

    /// Reads the parts that [`Truth::write_csv`] wrote. Their defects are named by their labels
    /// only.
    ///
    /// # Errors
    /// When `from` is not that: the line, the column, and what would be right.
    pub fn read_csv(from: impl Read) -> Result<Vec<TruthPart>, TruthError> {
        table::read(from)
    }

    fn check(&self) -> Result<(), TruthError> {
        let wrong = |place: String, wrong: String| Err(TruthError::Contradiction { place, wrong });
        if self.schema != SCHEMA {
            let is = format!("{} is unknown; this reads schema {SCHEMA}", self.schema);
            return wrong("schema".to_owned(), is);
        }
        for (index, part) in self.parts.iter().enumerate() {
            if let Err((key, is)) = part.check(index, self.size()) {
                return wrong(format!("parts[{index}].{key}"), is);
            }
        }
        Ok(())
    }

    /// The truth about footage that we rendered.
    pub(crate) const fn new(
        seed: u64,
        size: SizePx,
        fps: f64,
        frames: u64,
        parts: Vec<TruthPart>,
    ) -> Self {
        let SizePx { width, height } = size;
        Self { schema: SCHEMA, seed, width, height, fps, frames, parts }
    }
}

impl TruthPart {
    /// The first key that contradicts another, and how.
    fn check(&self, index: usize, size: SizePx) -> Result<(), (String, String)> {
        let wrong = |key: &str, is: String| Err((key.to_owned(), is));
        if usize::try_from(self.part) != Ok(index + 1) {
            return wrong("part", format!("{} should be {}", self.part, index + 1));
        }
        if !(self.entry_frame..=self.exit_frame).contains(&self.centre_frame) {
            return wrong("centre_frame", "not in entry_frame..=exit_frame".to_owned());
        }
        if !self.track.windows(2).all(|pair| pair[0].0 < pair[1].0) {
            return wrong("track", "frames do not rise".to_owned());
        }
        for (i, defect) in self.defects.iter().enumerate() {
            let (area, counts) = (defect.mask.area, &defect.mask.counts);
            let runs: u64 = counts.iter().map(|&run| u64::from(run)).sum();
            if area != defect.box_in_frame || !within(&area, size) {
                let is = format!("{area:?} is not the defect's box within the picture");
                return wrong(&format!("defects[{i}].mask.area"), is);
            }
            if runs != area.area() {
                let is = format!("add up to {runs}, not to the area's {} pixels", area.area());
                return wrong(&format!("defects[{i}].mask.counts"), is);
            }
        }
        Ok(())
    }
}

/// Whether `area` lies in the picture, for any four numbers.
fn within(area: &RectPx, size: SizePx) -> bool {
    area.x.checked_add(area.width).is_some_and(|right| right <= size.width)
        && area.y.checked_add(area.height).is_some_and(|bottom| bottom <= size.height)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn defect()(
            (x, y) in (0_u32..50, 0_u32..50),
            kind in "[a-z_]{1,12}",
            bits in prop::collection::vec(any::<bool>(), 1..40),
        ) -> TruthDefect {
            let area = RectPx::new(x, y, u32::try_from(bits.len()).unwrap(), 1);
            TruthDefect { kind, box_in_frame: area, mask: Mask::from_bits(area, bits) }
        }
    }

    prop_compose! {
        pub(super) fn part()(
            (entry, to_centre, to_exit) in (0_u64..1000, 0_u64..50, 1_u64..50),
            (x, y, width, height) in (-500_i64..500, -500_i64..500, 1_u32..500, 1_u32..500),
            // The label goes through CSV, so it may hold anything.
            label in "\\PC{1,20}",
            whole in any::<bool>(),
            // Hundredths, as we write them: more digits need not survive JSON to the last bit.
            places in prop::collection::vec((-1_000_000_i32..1_000_000, -99_999_i32..99_999), 1..5),
            defects in prop::collection::vec(defect(), 0..3),
        ) -> TruthPart {
            TruthPart {
                part: 1,
                type_name: "bracket".to_owned(),
                entry_frame: entry,
                exit_frame: entry + to_centre + to_exit,
                centre_frame: entry + to_centre,
                x, y, width, height, label, whole,
                track: (entry..)
                    .step_by(3)
                    .zip(places)
                    .map(|(f, (x, y))| (f, f64::from(x) / 100.0, f64::from(y) / 100.0))
                    .collect(),
                defects,
            }
        }
    }

    fn truth(mut parts: Vec<TruthPart>) -> Truth {
        parts.iter_mut().zip(1..).for_each(|(part, number)| part.part = number);
        Truth::new(u64::MAX, SizePx::new(100, 100), 59.94, 2000, parts)
    }

    fn json(truth: &Truth) -> Vec<u8> {
        let mut bytes = Vec::new();
        truth.write_json(&mut bytes).unwrap();
        bytes
    }

    proptest! {
        #[test]
        fn json_round_trips(parts in prop::collection::vec(part(), 0..4)) {
            let truth = truth(parts);
            prop_assert_eq!(Truth::read_json(json(&truth).as_slice()).unwrap(), truth);
        }

        #[test]
        fn json_with_any_byte_changed_is_read_or_refused_but_never_panics(
            part in part(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
        ) {
            let mut bytes = json(&truth(vec![part]));
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = Truth::read_json(bytes.as_slice());
        }
    }

    fn one_part() -> TruthPart {
        TruthPart {
            part: 1,
            type_name: "flange".to_owned(),
            entry_frame: 10,
            exit_frame: 30,
            centre_frame: 20,
            x: 0,
            y: 5,
            width: 20,
            height: 10,
            label: "ok".to_owned(),
            whole: true,
            track: vec![(10, -10.0, 5.0), (20, 0.0, 5.0), (25, 0.0, 5.0), (30, 95.0, 5.0)],
            defects: vec![],
        }
    }

    #[test]
    fn the_box_follows_the_track_and_is_there_only_while_the_part_is() {
        let part = one_part();
        let x_at = |frame| part.box_at(frame).map(|found| found.0);
        assert_eq!(x_at(9), None);
        assert_eq!(x_at(10), Some(-10.0));
        assert_eq!(x_at(15), Some(-5.0));
        assert_eq!(x_at(23), Some(0.0));
        assert_eq!(x_at(30), Some(95.0));
        assert_eq!(x_at(31), None);
        let size = SizePx::new(100, 100);
        assert_eq!(part.visible_at(10, size), Some(RectPx::new(0, 5, 10, 10)));
        assert_eq!(part.visible_at(30, size), Some(RectPx::new(95, 5, 5, 10)));
    }

    #[test]
    fn the_json_has_the_names_that_scripts_rely_on() {
        let area = RectPx::new(1, 2, 3, 1);
        let mask = Mask::from_bits(area, [false, true, true]);
        let defect = TruthDefect { kind: "dent".to_owned(), box_in_frame: area, mask };
        let part = TruthPart { defects: vec![defect], ..one_part() };
        let value: serde_json::Value = serde_json::from_slice(&json(&truth(vec![part]))).unwrap();
        assert_eq!(value["schema"], 1);
        assert_eq!(value["parts"][0]["type"], "flange");
        let expected = serde_json::json!({
            "kind": "dent",
            "box": {"x": 1, "y": 2, "width": 3, "height": 1},
            "mask": {"area": {"x": 1, "y": 2, "width": 3, "height": 1}, "counts": [1, 2]},
        });
        assert_eq!(value["parts"][0]["defects"][0], expected);
    }

    #[test]
    fn json_that_contradicts_itself_is_refused_by_place() {
        let area = RectPx::new(90, 2, 3, 1);
        let good = TruthDefect {
            kind: "dent".to_owned(),
            box_in_frame: area,
            mask: Mask::from_bits(area, [true; 3]),
        };
        let mut bad = [good.clone(), good.clone(), good];
        bad[0].mask.counts.push(1);
        bad[1].box_in_frame.x = 1;
        bad[2].mask.area.x = u32::MAX;
        bad[2].box_in_frame.x = u32::MAX;
        for defect in bad {
            let part = TruthPart { defects: vec![defect], ..one_part() };
            let error = Truth::read_json(json(&truth(vec![part])).as_slice()).unwrap_err();
            assert!(error.to_string().contains("parts[0].defects[0].mask"), "{error}");
        }
        let newer = Truth { schema: 2, ..truth(vec![]) };
        let error = Truth::read_json(json(&newer).as_slice()).unwrap_err();
        assert!(error.to_string().contains("schema 1"), "{error}");
    }

    #[test]
    fn broken_json_is_refused_by_line_and_column() {
        let error = Truth::read_json("{\n  \"schema\": x}".as_bytes()).unwrap_err();
        assert!(error.to_string().contains("line 2 column 13"), "{error}");
    }
}
