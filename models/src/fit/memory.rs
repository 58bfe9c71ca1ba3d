//! What good parts look like, by either method: takes good parts' patches, gives a picture's map of
//! distances, and the whole model as one ONNX graph.

use domain::SizePx;
use serde::{Deserialize, Serialize};

use super::bank::Bank;
use super::features::FeaturesError;
use super::gauss::Gauss;
use super::nodes::{Nodes, whole};
use super::patches::{self, Grid, Outside, Patches, mean_of_neighbours};
use crate::onnx::element;
use crate::onnx::proto::{GraphProto, ModelProto, ValueInfoProto};

/// Name of the graph's output, `[1, 1, rows, columns]`.
pub(crate) const MAP: &str = "anomaly_map";

/// How good parts are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The patches of good parts, wherever they are: for parts that lie anyhow.
    Patchcore,
    /// A normal distribution for each place: for parts that always lie the same way.
    Padim,
}

/// What good parts look like.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Memory {
    Bank(Bank),
    Gauss(Gauss),
}

impl Memory {
    /// Remembers `good`, at least one picture's, with at most `count` patches.
    pub fn fit(method: Method, good: &[&Patches], count: usize, seed: u64) -> Self {
        match method {
            Method::Patchcore => Self::Bank(Bank::fit(good, count)),
            Method::Padim => Self::Gauss(Gauss::fit(good, seed)),
        }
    }

    /// How many patches it keeps, when it keeps patches.
    pub fn kept(&self) -> Option<usize> {
        match self {
            Self::Bank(bank) => Some(bank.count()),
            Self::Gauss(_) => None,
        }
    }

    /// How unlike good parts each place of a picture is; [`Method::Padim`]'s averaged with its
    /// neighbours, as each place has a distribution of its own that few pictures gave.
    pub fn map(&self, patches: &Patches, [rows, columns]: [usize; 2]) -> Vec<f32> {
        match self {
            Self::Bank(bank) => bank.distances(patches),
            Self::Gauss(gauss) => smoothed(&gauss.distances(patches), rows, columns),
        }
    }

    /// A picture's score: its map's highest place, but for the border around the picture.
    pub fn score(&self, patches: &Patches, grid: [usize; 2]) -> f32 {
        let map = self.map(patches, grid);
        let [rows, columns] = patches.shown.clone();
        let places = rows.flat_map(|row| columns.clone().map(move |c| row * grid[1] + c));
        places.map(|place| map[place]).fold(0.0, f32::max)
    }

    /// The extractor and this memory as one graph: `image` in, [`MAP`] out.
    pub fn network(&self, size: SizePx, grid: Grid) -> Result<ModelProto, FeaturesError> {
        let mut model = patches::graph(size, grid)?;
        let graph = model.graph.get_or_insert_with(GraphProto::default);
        let [rows, columns] = grid.places(size);
        let sides = [1, 1, whole(rows), whole(columns)];
        graph.output = vec![ValueInfoProto::tensor(MAP, element::FLOAT, &sides)];
        graph.name = "anomaly".to_owned();
        let mut nodes = Nodes(graph);
        match self {
            Self::Bank(bank) => bank.append(&mut nodes, "distances"),
            Self::Gauss(gauss) => gauss.append(&mut nodes, "distances"),
        }
        nodes.numbers("map_sides", &[1, 1, rows, columns]);
        match self {
            Self::Bank(_) => nodes.add("Reshape", &["distances", "map_sides"], MAP, vec![]),
            Self::Gauss(_) => {
                nodes.add("Reshape", &["distances", "map_sides"], "distance_map", vec![]);
                mean_of_neighbours(&mut nodes, "distance_map", MAP, Outside::Nothing);
            }
        }
        model.producer_name = "sightline".to_owned();
        Ok(model)
    }
}

/// Each cell averaged with its neighbours; at the border with those there are.
fn smoothed(map: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let near = |at: usize, most: usize| at.saturating_sub(1)..(at + 2).min(most);
    let mean = |place: usize| {
        let (mut sum, mut count) = (0.0, 0.0);
        for row in near(place / columns, rows) {
            for column in near(place % columns, columns) {
                sum += map[row * columns + column];
                count += 1.0;
            }
        }
        sum / count
    };
    (0..rows * columns).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use domain::{OwnedPixels, PixelFormat};

    use super::*;
    use crate::fit::features::input_spec;
    use crate::fit::patches::Looker;
    use crate::session::{Raw, Runtime, Session};
    use crate::tensor::Shaper;

    fn picture(seed: usize) -> OwnedPixels {
        let bytes = (0..96 * 64)
            .map(|i: usize| u8::try_from((i * i / 7 + i * seed) % 251).unwrap())
            .collect();
        OwnedPixels::new(PixelFormat::Gray8, SizePx::new(96, 64), vec![bytes]).unwrap()
    }

    fn of_network(memory: &Memory, grid: Grid, picture: &OwnedPixels) -> Raw {
        let size = SizePx::new(96, 64);
        let bytes = crate::onnx::bytes_from_model(&memory.network(size, grid).unwrap());
        let mut session = Session::compile(&Runtime::open().unwrap(), &bytes).unwrap();
        let mut tensor = input_spec(size).tensor();
        Shaper::new(input_spec(size)).prepare(picture, size.rect(), &mut tensor).unwrap();
        let mut raws = [Raw::default()];
        session.want(&[MAP.to_owned()]).unwrap();
        session.run(&tensor, &mut raws).unwrap();
        let [raw] = raws;
        raw
    }

    #[test]
    fn the_graph_says_what_plain_arithmetic_says() {
        let size = SizePx::new(96, 64);
        for grid in [Grid::Coarse, Grid::Fine] {
            let mut looker = Looker::open(&Runtime::open().unwrap(), size, grid).unwrap();
            let good: Vec<_> = (0..9).map(|i| looker.look(&picture(i)).unwrap()).collect();
            let good: Vec<_> = good.iter().collect();
            let other = picture(77);
            let patches = looker.look(&other).unwrap();
            for method in [Method::Patchcore, Method::Padim] {
                let memory = Memory::fit(method, &good, 60, 1);
                let sides = grid.places(size);
                let plain = memory.map(&patches, sides);
                let raw = of_network(&memory, grid, &other);
                assert_eq!(raw.shape, [1, 1, sides[0], sides[1]]);
                for (got, wanted) in raw.values.iter().zip(&plain) {
                    let off = (got - wanted).abs() / wanted;
                    assert!(off < 1e-4, "{method:?} {grid:?}: {got} is not {wanted}");
                }
                assert_eq!(memory.score(&patches, sides), plain.into_iter().fold(0.0, f32::max));
            }
        }
    }

    #[test]
    fn a_single_odd_place_is_told_whole() {
        let good = Patches { depth: 1, data: vec![0.0; 9], shown: [0..3, 0..3] };
        let mut odd = good.clone();
        odd.data[4] = 5.0;
        let memory = Memory::fit(Method::Patchcore, &[&good], 9, 1);
        assert_eq!(memory.map(&odd, [3, 3]), odd.data);
        assert_eq!(memory.score(&odd, [3, 3]), 5.0);
        // What lies in the border around a picture does not count.
        odd.shown = [0..1, 0..3];
        assert_eq!(memory.score(&odd, [3, 3]), 0.0);
    }

    #[test]
    fn smoothing_averages_what_is_there() {
        let map = [9.0, 0.0, 0.0, 0.0, 0.0, 18.0];
        let smooth = smoothed(&map, 2, 3);
        assert_eq!(smooth, [9.0 / 4.0, 27.0 / 6.0, 18.0 / 4.0, 9.0 / 4.0, 27.0 / 6.0, 18.0 / 4.0]);
    }
}
