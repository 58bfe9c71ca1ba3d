//! The settings of a manifest that are often wrong: takes one, gives it with each of them changed,
//! one at a time.

use serde::Serialize;

use super::Change;
use crate::import::normalise::{KNOWN, Normalise};
use crate::import::word_of;
use crate::manifest::{Activation, Colour, InputSpec, Manifest, OutputSpec, Resize};

/// The settings of a manifest, one of them changed.
pub(super) struct Attempt {
    pub change: Change,
    pub input: InputSpec,
    pub output: OutputSpec,
    /// Whether the pictures are made gray.
    pub gray: bool,
}

/// Every attempt worth making.
pub(super) fn attempts(manifest: &Manifest) -> Vec<Attempt> {
    let (input, output) = (&manifest.input, &manifest.output);
    let inputs = colours(input)
        .chain(normalisations(input))
        .chain(fits(input))
        .map(|(change, input)| Attempt { change, input, output: output.clone(), gray: false });
    let activations = [Activation::Softmax, Activation::Sigmoid, Activation::None];
    let outputs = activations.into_iter().filter(|a| *a != output.activation).map(|activation| {
        let change = change("output.activation", &quoted(&activation), &quoted(&output.activation));
        let output = OutputSpec { activation, ..output.clone() };
        Attempt { change, input: input.clone(), output, gray: false }
    });
    let gray = Attempt {
        change: change("the pictures", "gray ones", &quoted(&input.colour)),
        input: input.clone(),
        output: output.clone(),
        gray: true,
    };
    let gray = (input.colour != Colour::Gray).then_some(gray);
    inputs.chain(outputs).chain(gray).collect()
}

pub(super) fn change(key: &str, would: &str, says: &str) -> Change {
    Change { key: key.to_owned(), would: would.to_owned(), says: says.to_owned() }
}

fn quoted(value: &impl Serialize) -> String {
    format!("\"{}\"", word_of(value))
}

/// Red and blue exchanged; with or without the numbers that belong to them.
fn colours(input: &InputSpec) -> impl Iterator<Item = (Change, InputSpec)> {
    let other = match input.colour {
        Colour::Rgb => Some(Colour::Bgr),
        Colour::Bgr => Some(Colour::Rgb),
        Colour::Gray => None,
    };
    other.into_iter().flat_map(move |colour| {
        let plain = InputSpec { colour, ..input.clone() };
        let mut turned = plain.clone();
        turned.mean.reverse();
        turned.std.reverse();
        let says = quoted(&input.colour);
        let with = format!("{}, mean and std turned round with it", quoted(&colour));
        [
            (change("input.colour", &quoted(&colour), &says), plain),
            (change("input.colour", &with, &says), turned),
        ]
    })
}

/// Every normalisation that has a name.
fn normalisations(input: &InputSpec) -> impl Iterator<Item = (Change, InputSpec)> {
    let known = KNOWN.into_iter().map(|known| (known.0, Normalise::of(known)));
    known.filter_map(|(name, known)| {
        let (mean, std) = known.of_channels(input.colour);
        if (&mean, &std) == (&input.mean, &input.std) {
            return None;
        }
        let would = format!("{mean:?} and input.std = {std:?} ({name})");
        let says = format!("{:?} and {:?}", input.mean, input.std);
        Some((change("input.mean", &would, &says), InputSpec { mean, std, ..input.clone() }))
    })
}

/// The other way to fit, and other borders.
fn fits(input: &InputSpec) -> impl Iterator<Item = (Change, InputSpec)> {
    const PADS: [f32; 4] = [0.0, 114.0 / 255.0, 0.5, 1.0];
    let stretched = input.resize == Resize::Stretch;
    let says = quoted(&input.resize);
    let stretch = (!stretched).then(|| {
        let other = InputSpec { resize: Resize::Stretch, ..input.clone() };
        (change("input.resize", "\"stretch\"", &says), other)
    });
    let pads = PADS.into_iter().chain(stretched.then_some(input.pad));
    let borders = pads.filter_map(move |pad| {
        let other = InputSpec { resize: Resize::Letterbox, pad, ..input.clone() };
        let pad = (pad * 1e3).round() / 1e3;
        match stretched {
            true => {
                let would = format!("\"letterbox\" and input.pad = {pad}");
                Some((change("input.resize", &would, "\"stretch\""), other))
            }
            false if other == *input => None,
            false => Some((change("input.pad", &pad.to_string(), &input.pad.to_string()), other)),
        }
    });
    stretch.into_iter().chain(borders)
}
