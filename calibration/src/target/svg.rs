//! Writes a target as SVG: takes a page; gives text. A unit of the picture is a millimetre.

use std::fmt::Write as _;

use super::print::{LETTERS_MM, Page};
use super::{Outline, Paper, PrintError, Target};

impl Target {
    /// The target as SVG for `paper`, exact when printed at 100 %.
    ///
    /// # Errors
    /// If it does not fit.
    pub fn svg(&self, paper: Paper) -> Result<String, PrintError> {
        let page = Page::new(self, paper)?;
        let (width, height) = (page.width_mm, page.height_mm);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}mm\" height=\"{height}mm\" \
             viewBox=\"0 0 {width} {height}\" shape-rendering=\"geometricPrecision\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
        );
        for piece in &page.pieces {
            let fill = if piece.white { "white" } else { "black" };
            svg.push_str(&shape(&piece.outline, fill));
        }
        for (at, text) in &page.lines {
            let text = text.replace('&', "&amp;").replace('<', "&lt;");
            let (x, y) = (at.x, at.y);
            // Writing to a string cannot fail.
            let _ = writeln!(
                svg,
                "<text x=\"{x:.4}\" y=\"{y:.4}\" font-family=\"sans-serif\" \
                 font-size=\"{LETTERS_MM}\">{text}</text>"
            );
        }
        svg.push_str("</svg>\n");
        Ok(svg)
    }
}

fn shape(outline: &Outline, fill: &str) -> String {
    match outline {
        Outline::Disc { centre, radius_mm } => format!(
            "<circle cx=\"{:.4}\" cy=\"{:.4}\" r=\"{radius_mm:.4}\" fill=\"{fill}\"/>\n",
            centre.x, centre.y
        ),
        Outline::Polygon(corners) => {
            let corner = |at: &super::Mm| format!("{:.4},{:.4}", at.x, at.y);
            let corners: Vec<String> = corners.iter().map(corner).collect();
            format!("<polygon points=\"{}\" fill=\"{fill}\"/>\n", corners.join(" "))
        }
    }
}
