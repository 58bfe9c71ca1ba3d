//! Pictures for pages: takes a picture of a set, gives it small, with what is known of it, and once
//! more with what a model saw in it.

use anyhow::Result;
use domain::{Finding, Pixels, SizePx};
use image::imageops::{FilterType, resize, thumbnail};
use image::{GrayImage, RgbImage};
use models::eval::{Examiner, Judged, Picture};
use models::index::LabelledBox;
use models::picture::mask_from_file;

use crate::picture::rgb_from_pixels;
use crate::report::html::gallery::{blended, box_svg, data_uri};
use crate::report::html::text::Escaped;

/// Longest side of a picture in the page.
const SIDE_PX: u32 = 480;
/// How many defects are drawn into one picture, the surest first.
const DRAWN: usize = 12;
/// What is known to be defective is tinted so.
const KNOWN: [f32; 3] = [0.0, 103.0, 165.0];

/// What the page needs beside the report's style.
pub const STYLE: &str = "<style>.square{width:100%;max-width:520px}\
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(380px,1fr));gap:18px}\
.known{fill:none;stroke:var(--good);stroke-width:2;vector-effect:non-scaling-stroke}\
.gallery{grid-template-columns:repeat(auto-fill,minmax(min(460px,100%),1fr))}\
.three{grid-template-columns:1fr 1fr 1fr}.wide .gallery{grid-template-columns:1fr}</style>";

/// The picture with what is known of it, as SVG.
pub fn known(picture: &Picture) -> Result<String> {
    let pixels = picture.pixels()?;
    let Some(mut small) = rgb_from_pixels(&pixels, SIDE_PX) else { return Ok(String::new()) };
    let Some(known) = &picture.known else { return Ok(svg(&small, "", &picture.name)) };
    if let Some(mask) = &known.mask {
        let (bits, size) = mask_from_file(mask)?;
        tint(&mut small, bits, size);
    }
    let boxes: String =
        known.row.boxes.iter().map(|known| known_box(known, pixels.size(), &small)).collect();
    Ok(svg(&small, &boxes, &picture.name))
}

/// The picture with what `examiner` sees in it, as SVG.
pub fn seen(examiner: &mut Examiner, picture: &Picture) -> Result<String> {
    let pixels = picture.pixels()?;
    let (finding, _) = examiner.look(&pixels)?;
    let Some(small) = rgb_from_pixels(&pixels, SIDE_PX) else { return Ok(String::new()) };
    let over = match heat(&finding) {
        Some(heat) => blended(&small, &heat),
        None => small,
    };
    Ok(svg(&over, &boxes(&finding, pixels.size(), &over), &picture.name))
}

fn heat(finding: &Finding) -> Option<GrayImage> {
    let heatmap = finding.heatmap.as_ref().filter(|map| map.width > 0 && map.height > 0)?;
    GrayImage::from_raw(heatmap.width, heatmap.height, heatmap.values.clone())
}

/// Boxes around what was found, but not around everything.
fn boxes(finding: &Finding, size: SizePx, shown: &RgbImage) -> String {
    let (crop, (width, height)) = (size.rect(), shown.dimensions());
    let mut defects: Vec<_> =
        finding.defects.iter().filter(|defect| defect.box_in_frame != crop).collect();
    defects.sort_by(|a, b| b.score.get().total_cmp(&a.score.get()));
    let drawn = defects.into_iter().take(DRAWN);
    drawn.filter_map(|defect| box_svg(defect, &crop, width.into(), height.into())).collect()
}

fn known_box(known: &LabelledBox, size: SizePx, shown: &RgbImage) -> String {
    let across = f64::from(shown.width()) / f64::from(size.width);
    let down = f64::from(shown.height()) / f64::from(size.height);
    let [left, top, right, bottom] = known.corners.map(f64::from);
    format!(
        r#"<rect class="known" x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}">
<title>{}</title></rect>"#,
        left * across,
        top * down,
        (right - left) * across,
        (bottom - top) * down,
        Escaped(&known.label)
    )
}

/// Tints what the mask says is defective. A spot smaller than a pixel of the page is shown too.
fn tint(shown: &mut RgbImage, bits: Vec<bool>, size: SizePx) {
    let bytes = bits.into_iter().map(|bit| if bit { 255 } else { 0 }).collect();
    let Some(mask) = GrayImage::from_raw(size.width, size.height, bytes) else { return };
    let (width, height) = shown.dimensions();
    let mask = match width < size.width {
        true => thumbnail(&mask, width, height),
        false => resize(&mask, width, height, FilterType::Nearest),
    };
    for (pixel, mask) in shown.pixels_mut().zip(mask.pixels()).filter(|(_, mask)| mask.0[0] > 0) {
        let share = 0.35 + 0.25 * f32::from(mask.0[0]) / 255.0;
        for (under, known) in pixel.0.iter_mut().zip(KNOWN) {
            let mixed = f32::from(*under) * (1.0 - share) + known * share;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=255")]
            let mixed = mixed.round() as u8;
            *under = mixed;
        }
    }
}

fn svg(image: &RgbImage, over: &str, name: &str) -> String {
    let (width, height) = image.dimensions();
    let data = data_uri(image).unwrap_or_default();
    format!(
        r#"<svg viewBox="0 0 {width} {height}" role="img" aria-label="{}">
<image width="{width}" height="{height}" href="{data}"/>{over}</svg>"#,
        Escaped(name)
    )
}

/// What was said, as a word with a mark.
pub fn chip(judged: &Judged) -> String {
    let word = judged.said.word();
    let mark = match word {
        "pass" => "●",
        "reject" => "✕",
        _ => "◆",
    };
    format!("<span class=\"chip {word}\">{mark} {word}</span>")
}
