//! Small networks on ready-made features: takes columns of numbers and what each shows, gives
//! weights. One hidden layer, or none (which is multinomial logistic regression).
//!
//! Cross-entropy, Adam (Kingma and Ba, arXiv:1412.6980) with decoupled weight decay (Loshchilov
//! and Hutter, arXiv:1711.05101), stopped when samples that are not trained on get worse. The
//! same seed gives the same weights on the same machine.

use nalgebra::{DMatrix, DVector};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One column a sample.
pub(super) type Columns = DMatrix<f32>;

/// `weights * x + bias`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layer {
    pub weights: DMatrix<f32>,
    pub bias: DVector<f32>,
}

/// Layers with a ReLU between them; what comes out are logits.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Net {
    pub layers: Vec<Layer>,
}

/// What is trained on. Both have a column a sample.
#[derive(Clone, Copy)]
pub(super) struct Samples<'a> {
    pub x: &'a Columns,
    /// How much of each class a sample is; columns add up to 1.
    pub is: &'a Columns,
}

/// How a network is trained.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    /// Width of the hidden layer; 0 for none.
    pub hidden: usize,
    pub rate: f32,
    /// Share of each weight that is taken away each step, as a part of `rate`.
    pub decay: f32,
    pub batch: usize,
    pub epochs: usize,
    /// Epochs without a better loss on the samples to stop by, after which it stops.
    pub patience: usize,
    pub seed: u64,
}

/// A network, and for how many epochs it was trained.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trained {
    pub net: Net,
    pub epochs: usize,
}

impl Net {
    fn new(sides: &[usize], rng: &mut ChaCha8Rng) -> Self {
        let layer = |sides: &[usize]| {
            #[expect(clippy::cast_precision_loss, reason = "layers are narrow")]
            let reach = (3.0 / sides[0] as f32).sqrt();
            let weights =
                DMatrix::from_fn(sides[1], sides[0], |_, _| rng.random_range(-reach..reach));
            Layer { weights, bias: DVector::zeros(sides[1]) }
        };
        Self { layers: sides.windows(2).map(layer).collect() }
    }

    /// Logits of each column of `x`.
    pub fn logits(&self, x: &Columns) -> Columns {
        let mut flow = self.layers[0].of(x);
        for layer in &self.layers[1..] {
            flow.apply(|value| *value = value.max(0.0));
            flow = layer.of(&flow);
        }
        flow
    }

    /// The loss, a mean over columns, and its slope in each weight. `is` holds what each column
    /// shows, times what the column counts.
    fn slopes(&self, x: &Columns, is: &Columns) -> (f64, Vec<Layer>) {
        let mut flows = vec![x.clone()];
        for (index, layer) in self.layers.iter().enumerate() {
            let mut flow = layer.of(&flows[index]);
            if index + 1 < self.layers.len() {
                flow.apply(|value| *value = value.max(0.0));
            }
            flows.push(flow);
        }
        let mut slope = flows.pop().unwrap_or_default();
        let loss = loss_into_slope(&mut slope, is);
        let mut slopes = Vec::new();
        for (layer, flow) in self.layers.iter().zip(&flows).rev() {
            slopes.push(Layer { weights: &slope * flow.transpose(), bias: slope.column_sum() });
            if slopes.len() < self.layers.len() {
                slope = layer.weights.transpose() * slope;
                slope.zip_apply(flow, |slope, value| {
                    if value <= 0.0 {
                        *slope = 0.0;
                    }
                });
            }
        }
        slopes.reverse();
        (loss, slopes)
    }
}

impl Layer {
    fn of(&self, x: &Columns) -> Columns {
        let mut y = &self.weights * x;
        y.column_iter_mut().for_each(|mut column| column += &self.bias);
        y
    }

    fn zeros_like(&self) -> Self {
        let (rows, columns) = self.weights.shape();
        Self { weights: DMatrix::zeros(rows, columns), bias: DVector::zeros(rows) }
    }

    /// Makes the layer take numbers as they are, when it was trained on standardised ones.
    fn fold(&mut self, standard: &Standard) {
        for (mut column, gain) in self.weights.column_iter_mut().zip(standard.gain.iter()) {
            column *= *gain;
        }
        self.bias -= &self.weights * &standard.mean;
    }
}

/// Turns `logits` into the loss's slope in them; gives the loss.
fn loss_into_slope(logits: &mut Columns, is: &Columns) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
    let share = 1.0 / logits.ncols().max(1) as f32;
    let mut loss = 0.0;
    for (mut column, is) in logits.column_iter_mut().zip(is.column_iter()) {
        let log_sum = log_sum(column.as_slice());
        let counts = is.sum();
        for (value, is) in column.iter_mut().zip(is.iter()) {
            let log = *value - log_sum;
            loss -= f64::from(is * log);
            *value = (log.exp() * counts - is) * share;
        }
    }
    loss * f64::from(share)
}

fn log_sum(logits: &[f32]) -> f32 {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    top + logits.iter().map(|value| (value - top).exp()).sum::<f32>().ln()
}

/// Makes the logits of each column probabilities.
pub(super) fn softmax(logits: &mut Columns) {
    for mut column in logits.column_iter_mut() {
        let log_sum = log_sum(column.as_slice());
        column.apply(|value| *value = (*value - log_sum).exp());
    }
}

/// What makes every feature's mean 0 and its spread 1.
struct Standard {
    mean: DVector<f32>,
    gain: DVector<f32>,
}

impl Standard {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "summed in f64, kept in f32 as the samples are"
    )]
    fn of(x: &Columns, chosen: &[usize]) -> Self {
        let count = chosen.len().max(1) as f64;
        let (mut sum, mut squares) = (vec![0.0; x.nrows()], vec![0.0; x.nrows()]);
        for column in chosen.iter().map(|at| x.column(*at)) {
            for ((sum, square), value) in sum.iter_mut().zip(&mut squares).zip(column.iter()) {
                *sum += f64::from(*value);
                *square += f64::from(*value).powi(2);
            }
        }
        let gain = sum.iter().zip(&squares).map(|(sum, square)| {
            let spread = (square / count - (sum / count).powi(2)).max(0.0).sqrt();
            // A feature that is the same everywhere says nothing.
            if spread > 1e-6 { (1.0 / spread) as f32 } else { 0.0 }
        });
        let gain = DVector::from_iterator(x.nrows(), gain);
        let mean = sum.iter().map(|sum| (sum / count) as f32);
        Self { mean: DVector::from_iterator(x.nrows(), mean), gain }
    }

    /// The standardised columns `chosen` of `x`.
    fn batch(&self, x: &Columns, chosen: &[usize]) -> Columns {
        let mut batch = x.select_columns(chosen);
        for mut column in batch.column_iter_mut() {
            let scales = self.mean.iter().zip(self.gain.iter());
            column.iter_mut().zip(scales).for_each(|(v, (mean, gain))| *v = (*v - mean) * gain);
        }
        batch
    }
}

/// What each class counts, so that all together count the same; a sample counts 1 on average.
/// Classes of which there is nothing count nothing.
fn balance(is: &Columns, chosen: &[usize]) -> DVector<f32> {
    let mut there = DVector::<f32>::zeros(is.nrows());
    chosen.iter().for_each(|at| there += is.column(*at));
    #[expect(clippy::cast_precision_loss, reason = "classes are few")]
    let classes = there.iter().filter(|there| **there > 0.0).count() as f32;
    let all = there.sum();
    there.map(|there| if there > 0.0 { all / (classes * there) } else { 0.0 })
}

/// Trains a network on the columns `fit`, until `stop` gets worse; with nothing to stop by, for
/// all of `how.epochs`. Every class counts the same, however few its samples.
pub(super) fn train(samples: Samples<'_>, fit: &[usize], stop: &[usize], how: &How) -> Trained {
    let mut rng = ChaCha8Rng::seed_from_u64(how.seed);
    let (inputs, classes) = (samples.x.nrows(), samples.is.nrows());
    let sides =
        if how.hidden > 0 { vec![inputs, how.hidden, classes] } else { vec![inputs, classes] };
    let standard = Standard::of(samples.x, fit);
    let counts = balance(samples.is, fit);
    let batch = |chosen: &[usize]| {
        let mut is = samples.is.select_columns(chosen);
        is.column_iter_mut().for_each(|mut column| column.component_mul_assign(&counts));
        (standard.batch(samples.x, chosen), is)
    };
    let mut net = Net::new(&sides, &mut rng);
    let mut adam = Adam::new(&net, how);
    let mut order = fit.to_vec();
    let mut best = Best { loss: f64::INFINITY, trained: Trained { net: net.clone(), epochs: 0 } };
    for epoch in 1..=how.epochs {
        order.shuffle(&mut rng);
        for chosen in order.chunks(how.batch) {
            let (x, is) = batch(chosen);
            let (_, slopes) = net.slopes(&x, &is);
            adam.step(&mut net, &slopes);
        }
        let loss = |chosen: &[usize]| {
            let (x, is) = batch(chosen);
            loss_into_slope(&mut net.logits(&x), &is) * real(chosen.len())
        };
        let held = stop.chunks(how.batch).map(loss).sum::<f64>();
        if held < best.loss || stop.is_empty() {
            best = Best { loss: held, trained: Trained { net: net.clone(), epochs: epoch } };
        } else if epoch >= best.trained.epochs + how.patience {
            break;
        }
    }
    best.trained.net.layers[0].fold(&standard);
    best.trained
}

struct Best {
    loss: f64,
    trained: Trained,
}

#[expect(clippy::cast_precision_loss, reason = "counts of samples")]
const fn real(count: usize) -> f64 {
    count as f64
}

/// Running means of slopes and of their squares.
struct Adam {
    means: Vec<Layer>,
    squares: Vec<Layer>,
    steps: i32,
    rate: f32,
    decay: f32,
}

const KEEP_MEAN: f32 = 0.9;
const KEEP_SQUARE: f32 = 0.999;

impl Adam {
    fn new(net: &Net, how: &How) -> Self {
        let zeros = || net.layers.iter().map(Layer::zeros_like).collect();
        Self { means: zeros(), squares: zeros(), steps: 0, rate: how.rate, decay: how.decay }
    }

    fn step(&mut self, net: &mut Net, slopes: &[Layer]) {
        self.steps += 1;
        let (rate, decay) = (self.rate, self.decay);
        let bias = (1.0 - KEEP_SQUARE.powi(self.steps)).sqrt() / (1.0 - KEEP_MEAN.powi(self.steps));
        let update = move |weight: &mut f32, mean: &mut f32, square: &mut f32, slope: f32| {
            *mean = KEEP_MEAN * *mean + (1.0 - KEEP_MEAN) * slope;
            *square = KEEP_SQUARE * *square + (1.0 - KEEP_SQUARE) * slope * slope;
            *weight -= rate * bias * *mean / (square.sqrt() + 1e-8);
        };
        let layers = net.layers.iter_mut().zip(&mut self.means).zip(&mut self.squares).zip(slopes);
        for (((layer, mean), square), slope) in layers {
            layer.weights *= 1.0 - rate * decay;
            let weights = layer.weights.iter_mut().zip(mean.weights.iter_mut());
            let weights = weights.zip(square.weights.iter_mut()).zip(slope.weights.iter());
            weights.for_each(|(((weight, mean), square), slope)| {
                update(weight, mean, square, *slope);
            });
            let biases = layer.bias.iter_mut().zip(mean.bias.iter_mut());
            let biases = biases.zip(square.bias.iter_mut()).zip(slope.bias.iter());
            biases.for_each(|(((weight, mean), square), slope)| {
                update(weight, mean, square, *slope);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOW: How =
        How { hidden: 8, rate: 0.01, decay: 0.0, batch: 32, epochs: 60, patience: 60, seed: 3 };

    /// Points on a plane, offset and scaled badly; class 1 inside a circle, which no straight line
    /// cuts off, and rare.
    fn circle() -> (Columns, Columns) {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let x = Columns::from_fn(2, 600, |_, _| rng.random_range(-1.0_f32..1.0));
        let inside = |at: usize| x.column(at).norm() < 0.5;
        let is =
            Columns::from_fn(2, 600, |class, at| f32::from(u8::from(inside(at) == (class == 1))));
        let mut badly = x.clone();
        badly.row_mut(0).iter_mut().for_each(|v| *v = *v * 0.01 + 5.0);
        badly.row_mut(1).iter_mut().for_each(|v| *v = *v * 40.0 - 300.0);
        (badly, is)
    }

    fn right(net: &Net, (x, is): &(Columns, Columns), of: &[usize]) -> f64 {
        let logits = net.logits(&x.select_columns(of));
        let hits = of
            .iter()
            .enumerate()
            .filter(|(at, sample)| logits.column(*at).argmax().0 == is.column(**sample).argmax().0);
        real(hits.count()) / real(of.len())
    }

    /// How far a number is moved to see what it does.
    const STEP: f32 = 2e-3;

    fn nudged(net: &Net, nudge: impl Fn(&mut Net)) -> Net {
        let mut net = net.clone();
        nudge(&mut net);
        net
    }

    #[test]
    fn slopes_are_those_of_finite_differences() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for sides in [vec![5, 7, 3], vec![5, 3]] {
            let net = Net::new(&sides, &mut rng);
            let x = Columns::from_fn(5, 6, |_, _| rng.random_range(-2.0_f32..2.0));
            // Soft, and weighted differently.
            let is = Columns::from_fn(3, 6, |_, _| rng.random_range(0.0_f32..2.0));
            let (_, slopes) = net.slopes(&x, &is);
            let loss = |net: &Net| loss_into_slope(&mut net.logits(&x), &is);
            for (layer, slope) in slopes.iter().enumerate() {
                for at in 0..slope.weights.len() {
                    let moved = |by| nudged(&net, |net| net.layers[layer].weights[at] += by);
                    let wanted = (loss(&moved(STEP)) - loss(&moved(-STEP))) / f64::from(2.0 * STEP);
                    let got = f64::from(slope.weights[at]);
                    assert!((got - wanted).abs() < 2e-3, "weight {at} of {layer}: {got} {wanted}");
                }
                for at in 0..slope.bias.len() {
                    let moved = |by| nudged(&net, |net| net.layers[layer].bias[at] += by);
                    let wanted = (loss(&moved(STEP)) - loss(&moved(-STEP))) / f64::from(2.0 * STEP);
                    let got = f64::from(slope.bias[at]);
                    assert!((got - wanted).abs() < 2e-3, "bias {at} of {layer}: {got} {wanted}");
                }
            }
        }
    }

    #[test]
    fn a_hidden_layer_learns_what_a_straight_line_can_not() {
        let data = circle();
        let samples = Samples { x: &data.0, is: &data.1 };
        let all: Vec<usize> = (0..600).collect();
        let (fit, new) = all.split_at(450);
        let bent = train(samples, fit, &[], &HOW);
        let straight = train(samples, fit, &[], &How { hidden: 0, ..HOW });
        assert!(right(&bent.net, &data, new) > 0.93, "{}", right(&bent.net, &data, new));
        assert!(right(&straight.net, &data, new) < 0.8);
        assert_eq!(bent.epochs, 60, "with nothing to stop by it goes all the way");
    }

    #[test]
    fn the_same_seed_gives_the_same_weights_and_another_others() {
        let data = circle();
        let samples = Samples { x: &data.0, is: &data.1 };
        let (fit, stop): (Vec<_>, Vec<_>) = (0..600).partition(|at| at % 5 > 0);
        let how = How { epochs: 5, ..HOW };
        let first = train(samples, &fit, &stop, &how);
        assert_eq!(train(samples, &fit, &stop, &how), first);
        assert_ne!(train(samples, &fit, &stop, &How { seed: 4, ..how }), first);
    }

    #[test]
    fn it_stops_before_it_learns_by_heart() {
        // What there is to learn is noise: the samples to stop by get worse from the start.
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let x = Columns::from_fn(40, 80, |_, _| rng.random_range(-1.0_f32..1.0));
        let is =
            Columns::from_fn(2, 80, |class, at| f32::from(u8::from((at / 2 + class) % 2 == 0)));
        let (fit, stop): (Vec<_>, Vec<_>) = (0..80).partition(|at| at % 4 > 0);
        let how = How { epochs: 200, patience: 5, ..HOW };
        let trained = train(Samples { x: &x, is: &is }, &fit, &stop, &how);
        assert!(trained.epochs < 100, "{}", trained.epochs);
    }

    #[test]
    fn rare_classes_count_as_much_and_absent_ones_nothing() {
        let is =
            Columns::from_fn(3, 10, |class, at| f32::from(u8::from(class == usize::from(at == 0))));
        let all: Vec<usize> = (0..10).collect();
        let counts = balance(&is, &all);
        assert_eq!((counts[1], counts[2]), (5.0, 0.0));
        assert!((counts[0] * 9.0 - 5.0).abs() < 1e-5);
    }
}
