//! Calibration: takes a network and pictures of what it will see, gives the range of each of its
//! tensors. The network itself is run with the least and the greatest of each tensor, or for
//! percentiles the tensors, as further outputs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use domain::{OwnedPixels, Pixels, Tensor};

use super::graph::{Net, int_setting, node};
use super::scale::Range;
use super::{Method, QuantizeError};
use crate::manifest::InputSpec;
use crate::onnx::element;
use crate::onnx::proto::NodeProto;
use crate::picture::pixels_from_file;
use crate::session::{Complaint, Raw, Runtime, Session};
use crate::tensor::Shaper;
use crate::tiling::Tiles;

/// Boxes of a tensor's histogram.
const BINS: usize = 2048;
/// Tensors looked at together take no more than so many numbers: 256 MiB.
const NUMBERS_MAX: usize = 64 << 20;

/// What a network is shown to learn its ranges.
#[derive(Clone, Copy)]
pub(super) struct Pictures<'a> {
    pub files: &'a [PathBuf],
    pub loaded: &'a [OwnedPixels],
}

impl Pictures<'_> {
    /// Shows each picture, as a whole, to `see`; in tiles one after the other where it is shown so.
    fn each(
        &self,
        input: &InputSpec,
        mut see: impl FnMut(&Path, &Tensor) -> Result<(), QuantizeError>,
    ) -> Result<(), QuantizeError> {
        let mut shaper = Shaper::new(input.clone());
        let (mut tensor, mut tiles) = (input.tensor(), Tiles::new(input, false));
        let mut show = |file: &Path, pixels: &OwnedPixels| {
            shaper.prepare(pixels, pixels.size().rect(), &mut tensor).map_err(|fault| {
                QuantizeError::NotPrepared { file: file.to_owned(), message: fault.to_string() }
            })?;
            let mut rounds = tiles.rounds();
            rounds.try_for_each(|round| see(file, tiles.cut(&tensor, round)))
        };
        for file in self.files {
            show(file, &pixels_from_file(file)?)?;
        }
        self.loaded.iter().try_for_each(|pixels| show(Path::new("a golden sample"), pixels))
    }
}

/// The range of each of `tensors`, which are floats of `net`, on `pictures`.
///
/// # Errors
/// When a picture can't be read, the network does not run, or a value is not finite.
pub(super) fn ranges(
    net: &Net,
    input: &InputSpec,
    tensors: &[String],
    pictures: Pictures<'_>,
    method: Method,
    runtime: &Runtime,
) -> Result<BTreeMap<String, Range>, QuantizeError> {
    let seen = extremes(net, input, tensors, pictures, runtime)?;
    let ranges = seen.iter().map(|(name, seen)| (name.clone(), seen.range)).collect();
    let Method::Percentile(percentile) = method else { return Ok(ranges) };
    let mut cut = BTreeMap::new();
    let mut rest = tensors;
    while !rest.is_empty() {
        let mut numbers = 0;
        let fits = |name: &&String| {
            numbers += seen.get(*name).map_or(0, |seen| seen.length);
            numbers <= NUMBERS_MAX
        };
        let (some, others) = rest.split_at(rest.iter().take_while(fits).count().max(1));
        let counted = histograms(net, input, some, &ranges, pictures, runtime)?;
        let ranges = counted.into_iter().map(|(name, counts)| (name, counts.cut(percentile)));
        cut.extend(ranges);
        rest = others;
    }
    Ok(cut)
}

/// What a tensor was on the pictures.
struct Seen {
    range: Range,
    /// How many numbers it has.
    length: usize,
}

/// What each tensor was; one that no picture reached, such as an empty one, is absent.
fn extremes(
    net: &Net,
    input: &InputSpec,
    tensors: &[String],
    pictures: Pictures<'_>,
    runtime: &Runtime,
) -> Result<BTreeMap<String, Seen>, QuantizeError> {
    let mut named = net.clone();
    let (mut outputs, mut more) = (Vec::new(), Vec::new());
    for tensor in tensors {
        let [low, high, size, count] =
            ["low", "high", "size", "count"].map(|word| named.fresh(&format!("{tensor}_{word}")));
        more.push(all_of("ReduceMin", tensor, &low));
        more.push(all_of("ReduceMax", tensor, &high));
        more.push(node("Size", "", &[tensor], &size));
        let mut cast = node("Cast", "", &[&size], &count);
        cast.attribute = vec![int_setting("to", element::FLOAT.into())];
        more.push(cast);
        outputs.extend([low, high, count]);
    }
    let mut session = net.showing(&outputs, &more, runtime)?;
    let mut raws = vec![Raw::default(); outputs.len()];
    let mut found = BTreeMap::new();
    pictures.each(input, |file, tensor| {
        run(&mut session, tensor, &mut raws)?;
        for (index, answer) in raws.chunks_exact(3).enumerate() {
            let [low, high, count] = [0, 1, 2].map(|i| answer[i].values.first().copied());
            let (Some(low), Some(high), Some(count)) = (low, high, count) else { continue };
            if !(low.is_finite() && high.is_finite()) {
                let (tensor, file) = (tensors[index].clone(), file.to_owned());
                return Err(QuantizeError::NotFinite { tensor, file });
            }
            let seen = found.entry(tensors[index].clone());
            let seen = seen.or_insert(Seen { range: Range::NONE, length: 0 });
            (seen.range, seen.length) = (seen.range.with(low, high), whole(count));
        }
        Ok(())
    })?;
    Ok(found)
}

/// `op` over all numbers of a tensor.
fn all_of(op: &str, tensor: &str, output: &str) -> NodeProto {
    let mut reduce = node(op, "", &[tensor], output);
    reduce.attribute = vec![int_setting("keepdims", 0)];
    reduce
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
const fn whole(count: f32) -> usize {
    count as usize
}

fn run(session: &mut Session, tensor: &Tensor, raws: &mut [Raw]) -> Result<(), QuantizeError> {
    session.run(tensor, raws).map_err(|Complaint(message)| QuantizeError::Runtime { message })
}

/// How often a tensor had values in each of equal parts of its range.
struct Counts {
    range: Range,
    bins: Vec<u64>,
}

impl Counts {
    fn new(range: Range) -> Self {
        Self { range, bins: vec![0; BINS] }
    }

    fn width(&self) -> f32 {
        (self.range.high - self.range.low) / BINS as f32
    }

    fn add(&mut self, values: &[f32]) {
        let per_width = 1.0 / self.width().max(f32::MIN_POSITIVE);
        for value in values {
            let bin = whole((value - self.range.low) * per_width);
            self.bins[bin.min(BINS - 1)] += 1;
        }
    }

    /// The range that holds `percentile` of 100 values, as many left out on each side.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a count"
    )]
    fn cut(&self, percentile: f64) -> Range {
        let total: u64 = self.bins.iter().sum();
        let out = (total as f64 * (1.0 - percentile / 100.0) / 2.0) as u64;
        let beyond = |bins: &mut dyn Iterator<Item = &u64>| {
            let mut sum = 0;
            bins.take_while(|count| {
                sum += **count;
                sum <= out
            })
            .count()
        };
        let low = beyond(&mut self.bins.iter());
        let high = beyond(&mut self.bins.iter().rev());
        let Range { low: least, high: greatest } = self.range;
        Range {
            low: least + low as f32 * self.width(),
            high: greatest - high as f32 * self.width(),
        }
    }
}

fn histograms(
    net: &Net,
    input: &InputSpec,
    tensors: &[String],
    extremes: &BTreeMap<String, Range>,
    pictures: Pictures<'_>,
    runtime: &Runtime,
) -> Result<Vec<(String, Counts)>, QuantizeError> {
    let seen = |tensor: &String| Some((tensor.clone(), Counts::new(*extremes.get(tensor)?)));
    let mut counted: Vec<_> = tensors.iter().filter_map(seen).collect();
    let outputs: Vec<_> = counted.iter().map(|(tensor, _)| tensor.clone()).collect();
    // An input is no output; give it on.
    let mut named = net.clone();
    let mut more = Vec::new();
    let shown: Vec<_> = outputs
        .iter()
        .map(|tensor| {
            let copy = named.fresh(&format!("{tensor}_shown"));
            more.push(node("Identity", "", &[tensor], &copy));
            copy
        })
        .collect();
    let mut session = net.showing(&shown, &more, runtime)?;
    let mut raws = vec![Raw::default(); shown.len()];
    pictures.each(input, |_, tensor| {
        run(&mut session, tensor, &mut raws)?;
        counted.iter_mut().zip(&raws).for_each(|((_, counts), raw)| counts.add(&raw.values));
        Ok(())
    })?;
    Ok(counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_leaves_out_both_ends() {
        let mut counts = Counts::new(Range { low: -1.0, high: 1.0 });
        let values: Vec<f32> = (0..=20_000).map(|i| i as f32 / 10_000.0 - 1.0).collect();
        counts.add(&values);
        let Range { low, high } = counts.cut(90.0);
        assert!((low + 0.9).abs() < 0.002 && (high - 0.9).abs() < 0.002, "{low} {high}");
        assert_eq!(counts.cut(100.0), Range { low: -1.0, high: 1.0 });
        // One far-off value in many is left out.
        let mut counts = Counts::new(Range { low: 0.0, high: 1000.0 });
        counts.add(&vec![1.0; 100_000]);
        counts.add(&[1000.0]);
        assert!(counts.cut(99.99).high < 3.0);
    }
}
