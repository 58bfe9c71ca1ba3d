//! Which shapes an output may have: takes a kind and its labels, gives forms to hold a declared
//! shape and a real one against.

use domain::FindingFault;

use super::Kind;
use crate::manifest::{BoxLayout, OutputSpec};

/// What a side of an output must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// One for each tile that is fed at once.
    Tiles,
    /// So many.
    Exactly(usize),
    /// At least one.
    Some,
    /// As many as there happen to be, perhaps none.
    Any,
    /// `before` numbers and then one a label; perhaps one more, where `spare`.
    Channels { before: usize, labels: usize, spare: bool },
}

impl Side {
    const fn allows(self, got: usize, tiles: usize) -> bool {
        match self {
            Self::Tiles => got == tiles,
            Self::Exactly(count) => got == count,
            Self::Some => got > 0,
            Self::Any => true,
            Self::Channels { before, labels, spare } => {
                got == before + labels || (spare && got == before + labels + 1)
            }
        }
    }

    /// Whether it can be what a graph declares, -1 where it leaves a side open.
    fn agrees(self, declared: i64) -> bool {
        declared == -1 || usize::try_from(declared).is_ok_and(|got| self.allows(got, 1))
    }
}

/// What an output must look like.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Any of these will do.
    forms: Vec<Vec<Side>>,
    /// The same in words.
    pub words: &'static str,
    /// What the graph declares; empty where it says nothing.
    declared: Vec<i64>,
}

impl Wanted {
    fn new<const N: usize>(forms: [&[Side]; N], words: &'static str) -> Self {
        Self { forms: forms.map(<[Side]>::to_vec).to_vec(), words, declared: Vec::new() }
    }

    /// One an output that is read, in the order of [`OutputSpec::names`].
    pub fn of(kind: Kind, output: &OutputSpec) -> Vec<Self> {
        use Side::{Any, Channels, Exactly, Some, Tiles};
        let channels = |before, labels, spare| Channels { before, labels, spare };
        let (all, bad) = (output.labels.len(), output.labels.len() - 1);
        match (kind, output.boxes.as_ref().map(|boxes| boxes.layout)) {
            (Kind::Segmenter, _) => {
                vec![Self::new(
                    [&[Tiles, channels(0, all, false), Some, Some]],
                    kind.output_shape(),
                )]
            }
            (Kind::Classifier, _) => {
                vec![Self::new([&[Tiles, channels(0, all, false)]], kind.output_shape())]
            }
            (Kind::AnomalyMap, _) => {
                let forms: [&[Side]; 2] = [&[Tiles, Exactly(1), Some, Some], &[Tiles, Some, Some]];
                let map = Self::new(forms, kind.output_shape());
                let forms: [&[Side]; 3] = [&[], &[Tiles], &[Tiles, Exactly(1)]];
                let score = Self::new(forms, "one number: [], [1] or [1, 1]");
                let scored = output.anomaly.as_ref().is_some_and(|anomaly| anomaly.score.is_some());
                if scored { vec![map, score] } else { vec![map] }
            }
            (Kind::Detector, Option::Some(layout)) => {
                let form: &[Side] = match layout {
                    BoxLayout::YoloV5 => &[Tiles, Any, channels(5, bad, false)],
                    BoxLayout::YoloV8 => &[Tiles, channels(4, bad, false), Any],
                    BoxLayout::EndToEnd => &[Tiles, Any, Exactly(6)],
                    BoxLayout::Detr => &[Tiles, Any, channels(0, bad, true)],
                };
                let mut wanted = vec![Self::new([form], layout.output_shape())];
                if layout == BoxLayout::Detr {
                    wanted.push(Self::new([&[Tiles, Any, Exactly(4)]], "[1, queries, 4]"));
                }
                wanted
            }
            // No manifest says so; whatever comes out is not read.
            (Kind::Detector, None) => vec![Self::new([], kind.output_shape())],
        }
    }

    /// Whether the graph's own words, -1 where it leaves a side open, can be right. Keeps them:
    /// what comes out must agree with them too.
    pub fn take_declared(&mut self, declared: &[i64]) -> bool {
        self.declared = declared.to_vec();
        // It says nothing; the golden samples will show.
        declared.is_empty()
            || self.forms.iter().any(|form| {
                form.len() == declared.len()
                    && form.iter().zip(declared).all(|(side, got)| side.agrees(*got))
            })
    }

    /// How many labels the graph's own words leave room for, when only that is wrong with them.
    pub fn declared_labels(&self) -> Option<i64> {
        let declared = &self.declared;
        self.forms.iter().filter(|form| form.len() == declared.len()).find_map(|form| {
            let at = form.iter().position(|side| matches!(side, Side::Channels { .. }))?;
            let Side::Channels { before, .. } = form[at] else { return None };
            let others = || (0..form.len()).filter(|i| *i != at);
            let labels = declared[at] - i64::try_from(before).ok()?;
            // More labels than boxes: it is laid out in another way.
            let crosswise =
                others().any(|i| form[i] == Side::Any && (0..labels).contains(&declared[i]));
            let fits = others().all(|i| form[i].agrees(declared[i])) && !crosswise;
            (fits && labels >= 0).then_some(labels)
        })
    }

    /// Whether the graph gives a number of its own for each of many pictures.
    pub fn follows_the_batch(&self) -> bool {
        self.declared.first() == Some(&-1)
    }

    /// Rows and columns of a grid, where the graph tells them.
    pub fn declared_grid(&self) -> Option<[usize; 2]> {
        let [.., rows, columns] = self.declared.as_slice() else { return None };
        Some([usize::try_from(*rows).ok()?, usize::try_from(*columns).ok()?])
    }

    /// Holds what came out of the output `name` for so many `tiles` against it.
    pub fn check(&self, name: &str, shape: &[usize], tiles: usize) -> Result<(), FindingFault> {
        let fits = |form: &Vec<Side>| {
            form.len() == shape.len()
                && form.iter().zip(shape).all(|(side, got)| side.allows(*got, tiles))
        };
        let promised = self.declared.is_empty()
            || self.declared.len() == shape.len()
                && self.declared.iter().zip(shape).all(|(declared, got)| {
                    *declared == -1 || usize::try_from(*declared) == Ok(*got)
                });
        let problem = if !self.forms.iter().any(fits) {
            format!("not {}", self.words)
        } else if !promised {
            format!("not {:?} as its graph declares", self.declared)
        } else {
            return Ok(());
        };
        let message = format!("its output `{name}` is {shape:?}, {problem}");
        Err(FindingFault::Runtime { message })
    }
}
