//! A picture of what a lens' fit leaves: takes the fit, gives an SVG of the camera's picture with a
//! stroke for each point from where it was expected towards where it was found.

use std::fmt::Write as _;

use calibration::LensFit;

/// How much longer than they are strokes are drawn, a power of ten: the longest takes up to a
/// twentieth of the picture, be errors hundredths of a pixel or whole ones.
fn stretch(found: &LensFit) -> f64 {
    let points = found.views.iter().flat_map(|view| &view.residuals);
    let longest = points.map(|point| point.off.x.hypot(point.off.y)).fold(1e-6, f64::max);
    10.0_f64.powf((f64::from(found.lens.size.width) / 20.0 / longest).log10().floor())
}

pub fn svg(found: &LensFit) -> String {
    let (width, height) = (found.lens.size.width, found.lens.size.height);
    let (line, stretch) = (f64::from(width) / 800.0, stretch(found));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fbfbf8\"/>\n"
    );
    for (row, cells) in found.coverage.points.iter().enumerate() {
        for (column, _) in cells.iter().enumerate().filter(|(_, points)| **points == 0) {
            let (w, h) = (f64::from(width) / 3.0, f64::from(height) / 3.0);
            let (x, y) = (w * column as f64, h * row as f64);
            let _ = writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" \
                 fill=\"#f3d9c0\"><title>no view covers this</title></rect>"
            );
        }
    }
    for view in found.views.iter() {
        let colour = if view.left_out { "#c0392b" } else { "#1f6f8b" };
        let _ = writeln!(svg, "<g stroke=\"{colour}\" stroke-width=\"{line:.2}\">");
        let _ = writeln!(svg, "<title>{}</title>", escaped(&view.name));
        for point in &view.residuals {
            let (x, y) = (point.px.x, point.px.y);
            let (to_x, to_y) = (x + stretch * point.off.x, y + stretch * point.off.y);
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.1} {y:.1}L{to_x:.1} {to_y:.1}\"/><circle cx=\"{x:.1}\" \
                 cy=\"{y:.1}\" r=\"{line:.2}\"/>"
            );
        }
        svg.push_str("</g>\n");
    }
    let (at, size) = (12.0 * line, 16.0 * line);
    let _ = writeln!(
        svg,
        "<text x=\"{at:.1}\" y=\"{:.1}\" font-family=\"sans-serif\" font-size=\"{size:.1}\">{:.3} \
         px rms; strokes are {stretch} times as long as the error; red views were left out</text>",
        f64::from(height) - at,
        found.rms_px
    );
    svg.push_str("</svg>\n");
    svg
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
