//! Takes the rows of a run and their pictures, gives the sections of the page that show them:
//! what went wrong first.

use domain::{Defect, GateSignal, Reason, RectPx, Verdict};
use image::{GrayImage, ImageEncoder, Rgb, RgbImage, imageops};

use super::super::numbers::Report;
use super::super::row::Row;
use super::text::{Escaped, base64};
use crate::truth::{Fate, KnownPart};

/// How many pictures a section shows at most.
const SHOWN: usize = 24;
/// Longest side of a picture in the page.
const SIDE_PX: u32 = 360;
/// How many defects are drawn into one picture, the surest first.
const DRAWN: usize = 12;

/// A picture of a part, and where it looked defective.
#[derive(Clone, Debug)]
pub struct GalleryPicture {
    /// Which of the row's views it shows.
    pub view: usize,
    /// What lies in that view's `crop_in_frame`, at any scale.
    pub image: RgbImage,
    /// How defective each place of the image looked, 0 to 255, at any scale.
    pub heatmap: Option<GrayImage>,
}

/// Where the page finds the picture of a row; `None` when none was kept.
pub(super) type Pictures<'a> = &'a dyn Fn(&Row) -> Option<GalleryPicture>;

/// What the page says of a row.
struct Shown<'a> {
    row: &'a Row,
    /// The parts that the truth says it answers for.
    known: Vec<&'a KnownPart>,
}

impl Shown<'_> {
    fn has(&self, is_bad: bool) -> bool {
        self.known.iter().any(|part| part.is_bad() == is_bad)
    }
}

struct Section<'a> {
    title: &'a str,
    about: &'a str,
    rows: Vec<Shown<'a>>,
    /// Parts that nobody looked at and that belong here nevertheless.
    unseen: Vec<&'a KnownPart>,
    is_shown_empty: bool,
}

/// All sections of pictures.
pub(super) fn sections(report: &Report, rows: &[Row], pictures: Pictures<'_>) -> String {
    let sections = match &report.judged {
        Some(judged) => judged_sections(&judged.parts, &judged.extra, rows),
        None => plain_sections(rows),
    };
    sections
        .iter()
        .filter(|section| section.is_shown_empty || !section.rows.is_empty())
        .map(|section| section_html(section, pictures))
        .collect()
}

fn judged_sections<'a>(
    parts: &'a [KnownPart],
    extra: &[usize],
    rows: &'a [Row],
) -> Vec<Section<'a>> {
    let mut known = vec![vec![]; rows.len()];
    for (part, row) in parts.iter().filter_map(|part| Some((part, part.fate.row()?))) {
        known[row].push(part);
    }
    let (mut escapes, mut overkill, mut undecided, mut right) = (vec![], vec![], vec![], vec![]);
    for (row, known) in rows.iter().zip(known).filter(|(_, known)| !known.is_empty()) {
        let shown = Shown { row, known };
        match (row.gate, &row.verdict) {
            (GateSignal::Pass, _) if shown.has(true) => escapes.push(shown),
            (GateSignal::Reject, _) if shown.has(false) => overkill.push(shown),
            (_, Verdict::Undecided { .. }) => undecided.push(shown),
            (_, Verdict::Reject { .. }) => right.push(shown),
            (_, Verdict::Pass) => {}
        }
    }
    let extra = extra.iter().map(|&row| Shown { row: &rows[row], known: vec![] }).collect();
    let lost = parts.iter().filter(|part| part.is_bad() && part.fate == Fate::Lost).collect();
    let section =
        |title, about, rows| Section { title, about, rows, unseen: vec![], is_shown_empty: false };
    vec![
        Section {
            unseen: lost,
            is_shown_empty: true,
            ..section("Escapes", "Bad parts that the gate was told to pass.", escapes)
        },
        Section {
            is_shown_empty: true,
            ..section("Overkill", "Good parts that the gate was told to reject.", overkill)
        },
        section("Extra", "Found where the truth knows of no part.", extra),
        section("Undecided", "Undecided, and the gate heard what was right.", undecided),
        section("Rejected rightly", "Bad parts that were rejected.", right),
    ]
}

fn plain_sections(rows: &[Row]) -> Vec<Section<'_>> {
    let of = |is_wanted: fn(&Verdict) -> bool| {
        let wanted = rows.iter().filter(|row| is_wanted(&row.verdict));
        wanted.map(|row| Shown { row, known: vec![] }).collect()
    };
    let section =
        |title, about, rows| Section { title, about, rows, unseen: vec![], is_shown_empty: false };
    let is_reject = |verdict: &Verdict| matches!(verdict, Verdict::Reject { .. });
    let is_undecided = |verdict: &Verdict| matches!(verdict, Verdict::Undecided { .. });
    vec![
        section("Rejected", "Whether rightly is not known.", of(is_reject)),
        section("Undecided", "No decision was possible.", of(is_undecided)),
    ]
}

fn section_html(section: &Section<'_>, pictures: Pictures<'_>) -> String {
    let chosen = spread(section.rows.len());
    let cards: String = chosen.iter().map(|&index| card(&section.rows[index], pictures)).collect();
    let count = match (chosen.len(), section.rows.len()) {
        (0, _) if section.unseen.is_empty() => "None.".to_owned(),
        (0, _) => String::new(),
        (shown, all) if shown == all => format!("All {all} shown."),
        (shown, all) => {
            format!("{shown} of {all} shown, evenly spread over the run; {} more.", all - shown)
        }
    };
    format!(
        "<section><h2>{}</h2><p class=\"about\">{} {count}</p>{}<div class=\"gallery\">{cards}\
         </div></section>\n",
        section.title,
        section.about,
        unseen_html(&section.unseen)
    )
}

fn unseen_html(unseen: &[&KnownPart]) -> String {
    if unseen.is_empty() {
        return String::new();
    }
    let named: Vec<_> = unseen.iter().take(SHOWN).map(|part| known_html(part)).collect();
    let more = match unseen.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "<p class=\"unseen\"><b>{} lost</b>, nobody looked at them: {}{more}.</p>",
        unseen.len(),
        named.join(", ")
    )
}

fn known_html(part: &KnownPart) -> String {
    let labels: Vec<_> = part.labels.iter().map(String::as_str).collect();
    let labels = if labels.is_empty() { "good".to_owned() } else { labels.join(", ") };
    format!("{} ({})", Escaped(&part.name), Escaped(&labels))
}

/// Which of `count` are shown: all, or so many from the first to the last.
fn spread(count: usize) -> Vec<usize> {
    if count <= SHOWN {
        return (0..count).collect();
    }
    (0..SHOWN).map(|i| i * (count - 1) / (SHOWN - 1)).collect()
}

fn card(shown: &Shown<'_>, pictures: Pictures<'_>) -> String {
    let row = shown.row;
    let pair = pictures(row)
        .and_then(|picture| pair_html(row, &picture))
        .unwrap_or_else(|| "<div class=\"nopicture\">no picture was kept</div>".to_owned());
    let truth = match shown.known.as_slice() {
        [] => String::new(),
        known => {
            let known: Vec<_> = known.iter().map(|part| known_html(part)).collect();
            format!("<div>truth: {}</div>", known.join(", "))
        }
    };
    let (class, mark) = match row.verdict {
        Verdict::Pass => ("pass", "●"),
        Verdict::Reject { .. } => ("reject", "✕"),
        Verdict::Undecided { .. } => ("undecided", "◆"),
    };
    let gate = match row.gate {
        GateSignal::Pass => "gate: pass",
        GateSignal::Reject => "gate: reject",
    };
    format!(
        "<figure>{pair}<figcaption><div><b>{}</b> at {:.2} s \
         <span class=\"chip {class}\">{mark} {}</span> <span class=\"gate\">{gate}</span></div>\
         {truth}<div>{}</div></figcaption></figure>",
        row.part,
        row.triggered_at.mono.as_secs(),
        row.verdict.word(),
        Escaped(&why_text(row)),
    )
}

fn why_text(row: &Row) -> String {
    match &row.verdict {
        Verdict::Pass => format!("score {:.2}", row.score),
        Verdict::Reject { reasons } => {
            let said: Vec<_> = reasons.iter().take(3).map(|it| reason_text(row, it)).collect();
            match reasons.len().saturating_sub(3) {
                0 => said.join("; "),
                more => format!("{}; {more} more", said.join("; ")),
            }
        }
        Verdict::Undecided { why } => match row.verdict.decided_by() {
            Some(reason) => format!("{why}{}", length(reason.defect_in(&row.defects))),
            None => why.to_string(),
        },
    }
}

fn reason_text(row: &Row, reason: &Reason) -> String {
    format!("{reason}{}", length(reason.defect_in(&row.defects)))
}

/// How long it is on the belt, where that was measured.
fn length(defect: Option<&Defect>) -> String {
    let mm = defect.and_then(|defect| defect.mm.as_ref());
    mm.map_or_else(String::new, |mm| format!(", {mm}"))
}

/// The picture, and beside it the same picture with what the model saw laid over it.
fn pair_html(row: &Row, picture: &GalleryPicture) -> Option<String> {
    let (width, height) = picture.image.dimensions();
    if width == 0 || height == 0 {
        return None;
    }
    let scale = f64::from(SIDE_PX) / f64::from(width.max(height));
    let image = resized(&picture.image, scale.min(1.0));
    let (width, height) = image.dimensions();
    let over = match &picture.heatmap {
        Some(heat) if heat.width() > 0 && heat.height() > 0 => blended(&image, heat),
        _ => image.clone(),
    };
    let boxes = boxes_svg(row, picture.view, width, height);
    Some(format!(
        r#"<div class="pair"><svg viewBox="0 0 {width} {height}" role="img" aria-label="{part}">
<image width="{width}" height="{height}" href="{}"/></svg>
<svg viewBox="0 0 {width} {height}" role="img" aria-label="{part}, what the model saw">
<image width="{width}" height="{height}" href="{}"/>{boxes}</svg></div>"#,
        data_uri(&image)?,
        data_uri(&over)?,
        part = row.part,
    ))
}

fn resized(image: &RgbImage, scale: f64) -> RgbImage {
    if scale >= 1.0 {
        return image.clone();
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shrinks a u32")]
    let side = |px: u32| ((f64::from(px) * scale).round() as u32).max(1);
    imageops::thumbnail(image, side(image.width()), side(image.height()))
}

/// The heatmap laid over the picture: the more defective, the more it covers and the darker red.
pub fn blended(image: &RgbImage, heat: &GrayImage) -> RgbImage {
    let (width, height) = image.dimensions();
    let heat = imageops::resize(heat, width, height, imageops::FilterType::Triangle);
    let mut over = image.clone();
    for (pixel, heat) in over.pixels_mut().zip(heat.pixels()) {
        let heat = f32::from(heat.0[0]) / 255.0;
        let colour = colour_of(heat);
        let cover = (heat * 1.6).min(0.7);
        for (under, colour) in pixel.0.iter_mut().zip(colour.0) {
            let mixed = f32::from(*under) * (1.0 - cover) + f32::from(colour) * cover;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=255")]
            let mixed = mixed.round() as u8;
            *under = mixed;
        }
    }
    over
}

/// From yellow over orange to a dark red: brightness falls all the way, so that it also reads
/// without colour.
fn colour_of(heat: f32) -> Rgb<u8> {
    let (from, to, share) = if heat < 0.5 {
        ([255.0, 225.0, 80.0], [240.0, 110.0, 20.0], heat * 2.0)
    } else {
        ([240.0, 110.0, 20.0], [170.0, 0.0, 50.0], heat * 2.0 - 1.0)
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=255")]
    let mix = |i: usize| (from[i] + (to[i] - from[i]) * share) as u8;
    Rgb([mix(0), mix(1), mix(2)])
}

/// The defects found in that view as boxes over the picture.
fn boxes_svg(row: &Row, view: usize, width: u32, height: u32) -> String {
    let Some(crop) = row.views.get(view).map(|view| view.crop_in_frame) else {
        return String::new();
    };
    let mut defects: Vec<_> = row.defects.iter().filter(|defect| defect.view == view).collect();
    defects.sort_by(|a, b| b.score.get().total_cmp(&a.score.get()));
    let box_svg = |defect: &&Defect| box_svg(defect, &crop, f64::from(width), f64::from(height));
    defects.iter().take(DRAWN).filter_map(box_svg).collect()
}

/// A defect as a box over a picture of `crop` that is shown `width` by `height` large.
pub fn box_svg(defect: &Defect, crop: &RectPx, width: f64, height: f64) -> Option<String> {
    let seen = defect.box_in_frame.intersection(crop)?;
    let (across, down) = (width / f64::from(crop.width), height / f64::from(crop.height));
    // Wide enough to stand around what was found, not on it.
    let room = width.max(height) / 90.0;
    let x = f64::from(seen.x - crop.x) * across - room;
    let y = f64::from(seen.y - crop.y) * down - room;
    let place = format!(
        r#"x="{x:.1}" y="{y:.1}" width="{:.1}" height="{:.1}""#,
        f64::from(seen.width) * across + 2.0 * room,
        f64::from(seen.height) * down + 2.0 * room,
    );
    Some(format!(
        r#"<rect class="halo" {place}/>
<rect class="defect" {place}><title>{} {:.2}{}</title></rect>"#,
        Escaped(&defect.kind),
        defect.score.get(),
        length(Some(defect)),
    ))
}

/// The picture as a JPEG that stands in the page.
pub fn data_uri(image: &RgbImage) -> Option<String> {
    let mut jpeg = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 82)
        .write_image(image, image.width(), image.height(), image::ExtendedColorType::Rgb8)
        .ok()?;
    Some(format!("data:image/jpeg;base64,{}", base64(&jpeg)))
}
