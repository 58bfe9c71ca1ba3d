//! YOLO, read: a folder with `data.yaml`, `labels/` and, where they are there, `images/`.

use std::path::{Path, PathBuf};

use domain::{PointPx, Shape, SizePx};

use super::dataset::{self, Dataset, LabelledPicture, box_from_edges, mark, png_size};
use super::names_yaml;

/// Reads every label file of the dataset.
pub(crate) fn read(
    folder: &Path,
    size: &dyn Fn(&str) -> Option<SizePx>,
) -> Result<Dataset, String> {
    let yaml = folder.join("data.yaml");
    let names = names_yaml::names(&dataset::text(&yaml)?);
    let names = names.map_err(|problem| format!("{}: {problem}", yaml.display()))?;
    let labels = folder.join("labels");
    let files = dataset::files(&labels, "txt")?;
    if files.is_empty() {
        return Err(format!("{}: there are no label files", labels.display()));
    }
    let mut read = Dataset::default();
    for file in files {
        let told = |problem: String| format!("{}: {problem}", file.display());
        let inside = file.strip_prefix(&labels).unwrap_or(&file);
        let image = image_of(&folder.join("images"), inside);
        let mut picture = LabelledPicture::new(&inside.to_string_lossy(), image);
        let text = dataset::text(&file)?;
        let lines: Vec<_> =
            text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).collect();
        if !lines.is_empty() {
            let known = picture.file.as_deref().and_then(png_size).or_else(|| size(&picture.name));
            let Some(size) = known else {
                read.told.push(told("left out: the size of its picture is not known".to_owned()));
                continue;
            };
            for (at, line) in lines {
                let (class, shape) = shape_from_line(line, size)
                    .ok_or_else(|| told(format!("line {}: is no box and no polygon", at + 1)))?;
                let name = names.get(&class).ok_or_else(|| {
                    told(format!("line {}: class {class} has no name in data.yaml", at + 1))
                })?;
                picture.marks.push(mark(name, shape));
            }
        }
        read.pictures.push(picture);
    }
    Ok(read)
}

fn image_of(images: &Path, label: &Path) -> Option<PathBuf> {
    let endings = ["png", "jpg", "jpeg", "bmp", "tif", "tiff", "webp", "PNG", "JPG"];
    let mut named = endings.iter().map(|ending| images.join(label.with_extension(ending)));
    named.find(|file| file.is_file())
}

fn shape_from_line(line: &str, size: SizePx) -> Option<(usize, Shape)> {
    let mut words = line.split_whitespace();
    let class = words.next()?.parse().ok()?;
    let shares: Vec<f64> = words.map(|word| word.parse().ok()).collect::<Option<_>>()?;
    if !shares.iter().all(|share| share.is_finite()) {
        return None;
    }
    let (wide, high) = (f64::from(size.width), f64::from(size.height));
    if let &[x, y, width, height] = shares.as_slice() {
        let (left, right) = ((x - width / 2.0) * wide, (x + width / 2.0) * wide);
        let (top, bottom) = ((y - height / 2.0) * high, (y + height / 2.0) * high);
        let area = box_from_edges([left, top, right, bottom])?;
        return Some((class, Shape::Box { area }));
    }
    if shares.len() < 6 || !shares.len().is_multiple_of(2) {
        return None;
    }
    let corners = shares.chunks_exact(2).map(|at| corner(at[0] * wide, at[1] * high)).collect();
    Some((class, Shape::Polygon { corners }))
}

#[expect(clippy::cast_possible_truncation, reason = "corners are kept as f32")]
fn corner(x: f64, y: f64) -> PointPx {
    PointPx { x: x as f32, y: y as f32 }
}
