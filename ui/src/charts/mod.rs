//! Charts: takes plain numbers, gives what is painted. Each says its title, its units, of how many
//! parts it is, and its numbers in words for who cannot see it.

mod area;
mod control;
mod histogram;
mod pareto;
mod places;
mod yields;

pub use area::{Area, card, empty, nice_steps, seconds, time_steps};
pub(crate) use area::{figure, hushed, key, named, points, small, tight, vacancy};
pub use control::{Control, Point, Subgroup};
pub(crate) use histogram::rounded;
pub use histogram::{Bins, Grip, Histogram, Mass};
pub use pareto::{Bar, Pareto};
pub use places::Places;
pub(crate) use places::fitted;
