//! Writes a target as PDF 1.4: takes a page; gives bytes. Five objects: catalogue, pages, page,
//! font, drawing; the drawing's unit is a millimetre.

use std::fmt::Write as _;

use super::print::{LETTERS_MM, Page};
use super::{Mm, Outline, Paper, PrintError, Target};

const POINTS_PER_MM: f64 = 72.0 / 25.4;

impl Target {
    /// The target as PDF for `paper`, exact when printed at 100 %; it asks printers not to scale.
    ///
    /// # Errors
    /// If it does not fit.
    pub fn pdf(&self, paper: Paper) -> Result<Vec<u8>, PrintError> {
        let page = Page::new(self, paper)?;
        let drawing = drawing(&page);
        let [width, height] = [page.width_mm, page.height_mm].map(|mm| mm * POINTS_PER_MM);
        Ok(file(&[
            "<< /Type /Catalog /Pages 2 0 R /ViewerPreferences << /PrintScaling /None >> >>"
                .to_owned(),
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
            format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width:.4} {height:.4}] \
                 /Contents 5 0 R /Resources << /Font << /F1 4 0 R >> >> >>"
            ),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
            format!("<< /Length {} >>\nstream\n{drawing}endstream", drawing.len()),
        ]))
    }
}

/// The objects, numbered from 1, and where each begins.
fn file(objects: &[String]) -> Vec<u8> {
    let mut pdf = "%PDF-1.4\n".to_owned();
    let mut table = String::new();
    // Writing to a string cannot fail.
    for (number, object) in (1..).zip(objects) {
        let _ = writeln!(table, "{:010} 00000 n ", pdf.len());
        let _ = write!(pdf, "{number} 0 obj\n{object}\nendobj\n");
    }
    let (count, at) = (objects.len() + 1, pdf.len());
    let _ = write!(
        pdf,
        "xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n<< /Size {count} /Root 1 0 R >>\n\
         startxref\n{at}\n%%EOF\n"
    );
    pdf.into_bytes()
}

/// The page's drawing, with y down and in millimetres as everywhere else.
fn drawing(page: &Page) -> String {
    let unit = POINTS_PER_MM;
    let mut to = format!("{unit:.9} 0 0 -{unit:.9} 0 {:.6} cm\n", page.height_mm * unit);
    for piece in &page.pieces {
        let _ = writeln!(to, "{} g", u8::from(piece.white));
        to.push_str(&shape(&piece.outline));
    }
    to.push_str("0 g\n");
    for (at, text) in &page.lines {
        let text = text.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
        let _ = writeln!(
            to,
            "BT /F1 {LETTERS_MM} Tf 1 0 0 -1 {:.4} {:.4} Tm ({text}) Tj ET",
            at.x, at.y
        );
    }
    to
}

fn shape(outline: &Outline) -> String {
    match outline {
        Outline::Polygon(corners) => {
            let step = |(index, at): (usize, &Mm)| {
                format!("{:.4} {:.4} {} ", at.x, at.y, if index == 0 { 'm' } else { 'l' })
            };
            corners.iter().enumerate().map(step).collect::<String>() + "h f\n"
        }
        Outline::Disc { centre, radius_mm } => disc(*centre, *radius_mm),
    }
}

/// Four Bézier curves: round to 0.03 % of the radius.
fn disc(centre: Mm, radius: f64) -> String {
    const KAPPA: f64 = 0.552_284_749_8;
    let at = |x: f64, y: f64| format!("{:.4} {:.4} ", centre.x + x * radius, centre.y + y * radius);
    let mut path = at(1.0, 0.0) + "m ";
    let (mut x, mut y) = (1.0, 0.0);
    for _ in 0..4 {
        // A quarter turn: (x, y) to (-y, x).
        path += &at(x - KAPPA * y, y + KAPPA * x);
        path += &at(-y + KAPPA * x, x + KAPPA * y);
        path += &at(-y, x);
        path += "c ";
        (x, y) = (-y, x);
    }
    path + "f\n"
}
