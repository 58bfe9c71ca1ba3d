//! Whether a graph's inputs and outputs are as the manifest says.

use crate::bundle::{BundleError, Parts};
use crate::kinds::Kind;
use crate::session::Port;

pub(crate) fn check_input(parts: &Parts, ports: &[Port]) -> Result<(), BundleError> {
    let (file, input) = (parts.onnx_file.clone(), &parts.manifest.input);
    let Some(port) = ports.iter().find(|port| port.name == input.name) else {
        return Err(BundleError::NoSuchInput {
            file,
            name: input.name.clone(),
            there: names(ports),
        });
    };
    if ports.len() > 1 {
        return Err(BundleError::MoreInputs { file, there: names(ports) });
    }
    check_element(parts, port)?;
    let expected = input.shape();
    let fits = port.shape.len() == expected.len()
        && port.shape.iter().zip(expected).all(|(got, side)| agrees(*got, side));
    if fits {
        return Ok(());
    }
    let (name, got) = (input.name.clone(), port.shape.clone());
    Err(BundleError::WrongInputShape { file, name, expected, got })
}

pub(crate) fn check_output(parts: &Parts, ports: &[Port]) -> Result<(), BundleError> {
    let (file, output) = (parts.onnx_file.clone(), &parts.manifest.output);
    let name = output.name.clone();
    let Some(port) = ports.iter().find(|port| port.name == name) else {
        return Err(BundleError::NoSuchOutput { file, name, there: names(ports) });
    };
    check_element(parts, port)?;
    let kind: Kind = parts.manifest.kind;
    match port.shape.as_slice() {
        // It says nothing; the golden samples will show.
        [] => Ok(()),
        got @ [batch, channels, ..] if got.len() == kind.rank() && agrees(*batch, 1) => {
            if agrees(*channels, output.labels.len()) {
                return Ok(());
            }
            let labels = output.labels.clone();
            Err(BundleError::LabelCount { file, name, channels: *channels, labels })
        }
        got => {
            let right = kind.output_shape();
            Err(BundleError::WrongOutputShape { file, name, right, got: got.to_vec() })
        }
    }
}

fn check_element(parts: &Parts, port: &Port) -> Result<(), BundleError> {
    if port.element == "float" {
        return Ok(());
    }
    let (name, element) = (port.name.clone(), port.element.clone());
    Err(BundleError::WrongElement { file: parts.onnx_file.clone(), name, element })
}

/// Whether a side that a graph declares, -1 where it leaves it open, can be `side`.
fn agrees(declared: i64, side: usize) -> bool {
    declared == -1 || usize::try_from(declared) == Ok(side)
}

fn names(ports: &[Port]) -> Vec<String> {
    ports.iter().map(|port| port.name.clone()).collect()
}
