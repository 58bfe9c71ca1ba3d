//! The bench as a picture: takes spreads and bars; gives an SVG with the tail of the latency beside
//! the cost against the work.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use sightline_benches::Failure;
use sightline_benches::spread::Spread;

const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 90, 181),
    RGBColor(220, 50, 32),
    RGBColor(0, 130, 90),
    RGBColor(150, 80, 170),
    RGBColor(190, 130, 0),
];
const FONT: &str = "sans-serif";
/// The tail is shown down to one part in so many.
const PARTS_SHOWN: f64 = 1000.0;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What the line cost in one case.
pub struct Bar {
    pub what: &'static str,
    /// Percent of a core.
    pub stages: Vec<(&'static str, f64)>,
    pub p99_ms: f64,
    pub dropped: f64,
}

/// What is to be drawn.
pub struct Picture {
    deadline_ms: f64,
    curves: Vec<(String, Spread)>,
    bars: Vec<Bar>,
}

impl Picture {
    /// An empty picture, with the deadline.
    pub fn new(deadline_ms: u32) -> Self {
        Self { deadline_ms: deadline_ms.into(), curves: Vec::new(), bars: Vec::new() }
    }

    /// Adds a curve.
    pub fn curve(&mut self, name: &str, spread: Spread) {
        self.curves.push((name.to_owned(), spread));
    }

    /// Adds a bar.
    pub fn bar(&mut self, bar: Bar) {
        self.bars.push(bar);
    }

    /// Draws what there is.
    pub fn draw(&self, file: &Path) -> Result<(), Failure> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let whole = SVGBackend::new(file, (1400, 560)).into_drawing_area();
        whole.fill(&WHITE)?;
        let (left, right) = whole.split_horizontally(720);
        if !self.curves.is_empty() {
            self.draw_tail(&left)?;
        }
        if !self.bars.is_empty() {
            self.draw_cost(&right)?;
        }
        whole.present()?;
        Ok(())
    }

    fn draw_tail(&self, area: &Area<'_>) -> Result<(), Failure> {
        let longest = self.curves.iter().map(|(_, spread)| spread.at(1.0));
        let longest = longest.filter(|ms| ms.is_finite()).fold(self.deadline_ms * 1.2, f64::max);
        let shortest = self.curves.iter().map(|(_, spread)| spread.at(0.0));
        let shortest = shortest.filter(|ms| ms.is_finite()).fold(self.deadline_ms, f64::min) * 0.8;
        let mut chart = ChartBuilder::on(area)
            .caption("Exposure to signal, 3840 x 2160 at 120 frames a second", (FONT, 18))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(56)
            .build_cartesian_2d((1.0..PARTS_SHOWN).log_scale(), (shortest..longest).log_scale())?;
        chart
            .configure_mesh()
            .x_desc("share of parts that took less")
            .y_desc("milliseconds")
            .x_label_formatter(&|one_in| format!("{} %", rounded(100.0 - 100.0 / one_in)))
            .y_label_formatter(&|ms| rounded(*ms))
            .light_line_style(WHITE)
            .axis_desc_style((FONT, 14))
            .label_style((FONT, 13))
            .draw()?;
        let deadline = [(1.0, self.deadline_ms), (PARTS_SHOWN, self.deadline_ms)];
        chart.draw_series(DashedLineSeries::new(deadline, 6, 4, BLACK.stroke_width(1)))?;
        let label = format!("deadline {} ms", self.deadline_ms);
        let style = (FONT, 13).into_text_style(area);
        chart.draw_series([Text::new(label, (1.1, self.deadline_ms * 0.9), style)])?;
        for ((name, spread), colour) in self.curves.iter().zip(COLOURS.iter().cycle()) {
            let colour = *colour;
            chart
                .draw_series(LineSeries::new(tail_of(spread), colour.stroke_width(2)))?
                .label(name.as_str())
                .legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2))
                });
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .background_style(WHITE.mix(0.8))
            .label_font((FONT, 13))
            .draw()?;
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "a few bars")]
    fn draw_cost(&self, area: &Area<'_>) -> Result<(), Failure> {
        let total = |bar: &Bar| bar.stages.iter().map(|(_, percent)| percent).sum::<f64>();
        let most = self.bars.iter().map(total).fold(1.0, f64::max);
        let count = self.bars.len().max(1) as f64;
        let mut chart = ChartBuilder::on(area)
            .caption("Cost against work", (FONT, 18))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(80)
            .build_cartesian_2d(0.0..most * 1.5, -count..0.0)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .x_desc("percent of a core")
            .axis_desc_style((FONT, 14))
            .label_style((FONT, 13))
            .light_line_style(WHITE)
            .draw()?;
        let style = (FONT, 13).into_text_style(area);
        for (number, bar) in self.bars.iter().enumerate() {
            let y = -(number as f64) - 0.2;
            let mut x = 0.0;
            for ((_, percent), colour) in bar.stages.iter().zip(COLOURS) {
                let corners = [(x, y), (x + percent, y - 0.5)];
                chart.draw_series([Rectangle::new(corners, colour.filled())])?;
                x += percent;
            }
            let lost =
                if bar.dropped > 0.0 { format!(", {} lost", bar.dropped) } else { String::new() };
            let tail = format!("p99 {:.1} ms{lost}", bar.p99_ms);
            let place = (x + most * 0.02, y - 0.15);
            chart.draw_series([Text::new(tail, place, style.clone())])?;
            let (left, top) = chart.backend_coord(&(0.0, y - 0.15));
            let (from_x, from_y) = area.get_base_pixel();
            area.draw_text(bar.what, &style, (left - from_x - 78, top - from_y))?;
        }
        self.draw_key(area)
    }

    fn draw_key(&self, area: &Area<'_>) -> Result<(), Failure> {
        let style = (FONT, 13).into_text_style(area);
        let stages = self.bars.first().map_or(&[][..], |bar| &bar.stages);
        for (((name, _), colour), row) in stages.iter().zip(COLOURS).zip(0..) {
            let (x, y) = (560, 60 + 18 * row);
            let corners = [(x, y), (x + 12, y + 12)];
            area.draw(&Rectangle::new(corners, colour.filled()))?;
            area.draw_text(name, &style, (x + 18, y))?;
        }
        Ok(())
    }
}

/// Each value with one in how many are above it.
#[expect(clippy::cast_precision_loss, reason = "a few thousand parts")]
fn tail_of(spread: &Spread) -> Vec<(f64, f64)> {
    let count = spread.sorted().len() as f64;
    let one_in = |rank: usize| count / (count - rank as f64);
    let all = spread.sorted().iter().enumerate().map(|(rank, ms)| (one_in(rank), *ms));
    all.filter(|(one_in, _)| *one_in <= PARTS_SHOWN).collect()
}

/// As few digits as tell it.
fn rounded(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
