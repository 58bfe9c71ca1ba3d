//! The normalisations that networks are trained with, by name.

use super::wishes::numbers;
use crate::manifest::Colour;

/// Mean and standard deviation, one number a channel, in parts of 1; red first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Normalise {
    /// What people call it, or the numbers as they were told.
    pub name: String,
    mean: Vec<f32>,
    std: Vec<f32>,
}

/// A normalisation with a name: mean and standard deviation of red, green and blue.
type Known = (&'static str, [f32; 3], [f32; 3]);

/// Pixels divided by 255.
pub(crate) const ZERO_ONE: Known = ("0..1", [0.0; 3], [1.0; 3]);
/// What torchvision, timm and most who start from their weights use.
pub(crate) const IMAGENET: Known = ("imagenet", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
/// Vision transformers, TensorFlow's own.
const MINUS_ONE_ONE: Known = ("-1..1", [0.5; 3], [0.5; 3]);
/// Pixels as they are.
pub(crate) const ZERO_255: Known = ("0..255", [0.0; 3], [1.0 / 255.0; 3]);

/// All that have a name.
pub(crate) const KNOWN: [Known; 4] = [ZERO_ONE, IMAGENET, MINUS_ONE_ONE, ZERO_255];

impl Normalise {
    pub fn of((name, mean, std): Known) -> Self {
        Self { name: name.to_owned(), mean: mean.to_vec(), std: std.to_vec() }
    }

    /// A name, or `MEAN/STD` with one number each or one a channel.
    pub fn from_text(text: &str) -> Option<Self> {
        if let Some(known) = KNOWN.into_iter().find(|(name, ..)| *name == text) {
            return Some(Self::of(known));
        }
        let (mean, std) = text.split_once('/')?;
        let (mean, std) = (numbers(mean)?, numbers(std)?);
        let fits = mean.len() == std.len() && [1, 3].contains(&mean.len());
        (fits && std.iter().all(|std| *std > 1e-6)).then(|| Self { name: text.into(), mean, std })
    }

    /// Mean and standard deviation of a network's channels, in their order.
    pub fn of_channels(&self, colour: Colour) -> (Vec<f32>, Vec<f32>) {
        let ordered = |values: &[f32]| -> Vec<f32> {
            match colour {
                Colour::Gray => vec![average(values)],
                _ if values.len() == 1 => vec![values[0]; 3],
                Colour::Bgr => values.iter().rev().copied().collect(),
                Colour::Rgb => values.to_vec(),
            }
        };
        (ordered(&self.mean), ordered(&self.std))
    }
}

/// The mean of 1 or 3 numbers, to four places; numbers that are the same stay what they are.
fn average(values: &[f32]) -> f32 {
    match values {
        [a, b, c] if a != b || b != c => ((a + b + c) / 3.0 * 1e4).round() / 1e4,
        _ => values[0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_channels() {
        let imagenet = Normalise::from_text("imagenet").unwrap();
        assert_eq!(imagenet.of_channels(Colour::Rgb).0, [0.485, 0.456, 0.406]);
        assert_eq!(imagenet.of_channels(Colour::Bgr).1, [0.225, 0.224, 0.229]);
        assert_eq!(imagenet.of_channels(Colour::Gray), (vec![0.449], vec![0.226]));
        let told = Normalise::from_text("0.5/0.25").unwrap();
        assert_eq!(told.of_channels(Colour::Rgb), (vec![0.5; 3], vec![0.25; 3]));
        let pixels = Normalise::of(ZERO_255);
        assert_eq!(pixels.of_channels(Colour::Gray), (vec![0.0], vec![1.0 / 255.0]));
    }

    #[test]
    fn what_is_no_normalisation_is_refused() {
        for bad in ["", "1", "0.5/", "0.5,0.5/1,1", "0.5/0", "0.5/-1", "nan/1", "0.5,0.5,0.5/1"] {
            assert_eq!(Normalise::from_text(bad), None, "{bad}");
        }
    }
}
