//! A model held against labelled pictures: takes a bundle and an index, gives the figures that the
//! field compares models by, and the ones that a line is run by.
//!
//! A picture is looked at as a part that fills it, as `every-frame` recipes do. Its score is what
//! the station compares with its limits: the highest score of any defect that counts, 0 when there
//! is none. Its predicted label is, of a classifier, the label of the highest score; of other kinds
//! the label of the surest defect that reaches the limit (any, when no limit is given), and else
//! the good one. A picture is bad when its row names any defect class, or several.
//!
//! Every figure is defined where it is worked out: [`Ranking`] (`image.auroc`, `image.ap`, the
//! operating points), [`Confusion`] (`image.accuracy`, `image.macro_f1`, over rows of one label
//! only), [`PixelFigures`] and [`BoxFigures`]. They agree with scikit-learn, with the definition of
//! AUPRO that came with MVTec AD, and with COCO's evaluation (`models/tests/metrics.rs`).

mod boxes;
mod exam;
mod figures;
mod judge;
mod labels;
mod map;
mod pixels;
mod ranking;

pub use boxes::{BoxFigures, FoundBox, KnownBox, PictureBoxes, mean_average_precision};
pub use exam::{EvalError, Exam, Picture, in_order, pictures_from_folder, pictures_from_index};
pub use figures::{AtLimit, Figures, ImageFigures, Missed, Outcome, Verdicts};
pub use judge::{Examiner, Judged, Labels, Rule, Said};
pub use labels::{Confusion, McNemar};
pub use map::DefectMap;
pub use pixels::{PixelFigures, PixelTally, Truth};
pub use ranking::{CurvePoint, OperatingPoint, Ranking, Scored, auroc};
