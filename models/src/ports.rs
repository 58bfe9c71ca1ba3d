//! Whether a graph's inputs and outputs are as the manifest says.

use crate::bundle::{BundleError, Parts};
use crate::kinds::{Kind, Reader, Wanted};
use crate::session::Port;
use crate::tiling::step_and_cells;

/// Says whether the graph takes as many pictures at once as one likes.
pub(crate) fn check_input(parts: &Parts, ports: &[Port]) -> Result<bool, BundleError> {
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
    let expected = input.network_shape();
    let fits = port.shape.len() == expected.len()
        && port.shape.iter().zip(expected).all(|(got, side)| agrees(*got, side));
    if fits {
        return Ok(port.shape[0] == -1);
    }
    let (name, got) = (input.name.clone(), port.shape.clone());
    Err(BundleError::WrongInputShape { file, name, expected, got })
}

/// Holds every output that `reader` takes against what it needs; it keeps what the graph declares.
pub(crate) fn check_outputs(
    parts: &Parts,
    ports: &[Port],
    reader: &mut Reader,
) -> Result<(), BundleError> {
    for (name, wanted) in reader.wanted() {
        let Some(port) = ports.iter().find(|port| port.name == *name) else {
            let (file, name) = (parts.onnx_file.clone(), name.clone());
            return Err(BundleError::NoSuchOutput { file, name, there: names(ports) });
        };
        check_element(parts, port)?;
        if !wanted.take_declared(&port.shape) {
            return Err(wrong_shape(parts, port, wanted));
        }
    }
    let grid = reader.wanted().next().and_then(|(_, wanted)| wanted.declared_grid());
    grid.map_or(Ok(()), |grid| check_tiles(parts, grid))
}

fn wrong_shape(parts: &Parts, port: &Port, wanted: &Wanted) -> BundleError {
    let (file, name) = (parts.onnx_file.clone(), port.name.clone());
    let Some(channels) = wanted.declared_labels() else {
        return BundleError::WrongOutputShape {
            file,
            name,
            right: wanted.words,
            got: port.shape.clone(),
        };
    };
    let output = &parts.manifest.output;
    let has_channel =
        |label: &&String| parts.manifest.kind != Kind::Detector || **label != output.good;
    let labels = output.labels.iter().filter(has_channel).cloned().collect();
    BundleError::LabelCount { file, name, channels, labels }
}

/// Cells of neighbouring tiles must fall on one another.
fn check_tiles(parts: &Parts, [rows, columns]: [usize; 2]) -> Result<(), BundleError> {
    let (input, kind) = (&parts.manifest.input, parts.manifest.kind);
    let (Some(tiling), Kind::Segmenter | Kind::AnomalyMap) = (input.tiling, kind) else {
        return Ok(());
    };
    for (count, side, cells) in
        [(tiling.columns, input.width, columns), (tiling.rows, input.height, rows)]
    {
        if step_and_cells(count, side, tiling.overlap_px, cells).is_none() {
            return Err(BundleError::TilesOffGrid {
                file: parts.onnx_file.clone(),
                name: parts.manifest.output.name.clone(),
                cells,
                side,
                overlap_px: tiling.overlap_px,
            });
        }
    }
    Ok(())
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
