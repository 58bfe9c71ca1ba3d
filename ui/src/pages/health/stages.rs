//! A row a stage: how fast, how much waits, how long it takes, what was dropped before it.

use egui::{Ui, Vec2};

use crate::LineNews;
use crate::page::Cx;
use crate::widgets::{Column, card, table_head, table_row};
use crate::words::filled;

/// A rate is over at least this long, seconds.
const RATE_OVER_S: f64 = 2.0;

/// How often each stage worked, a second; over the last seconds once they are over.
#[derive(Default)]
pub(super) struct Rates {
    from: Option<(f64, Vec<u64>)>,
    per_s: Vec<f64>,
}

impl Rates {
    /// Takes the newest counts.
    #[expect(clippy::cast_precision_loss, reason = "one place behind the point is shown")]
    pub(super) fn take(&mut self, line: &LineNews) {
        let counts: Vec<u64> =
            line.snapshot.stages.iter().map(|stage| stage.took_ms.count).collect();
        match &self.from {
            Some((at_s, before)) if before.len() == counts.len() => {
                let over_s = line.uptime_s - at_s;
                if over_s < RATE_OVER_S {
                    return;
                }
                let since = counts.iter().zip(before).map(|(now, then)| now.saturating_sub(*then));
                self.per_s = since.map(|count| count as f64 / over_s).collect();
            }
            _ => {
                let over_s = line.uptime_s.max(1.0);
                self.per_s = counts.iter().map(|&count| count as f64 / over_s).collect();
            }
        }
        self.from = Some((line.uptime_s, counts));
    }
}

/// The table.
pub(super) fn stages(ui: &mut Ui, cx: &Cx<'_>, line: &LineNews, rates: &Rates, size: Vec2) {
    let (words, numbers) = (&cx.words.health, &cx.words.numbers);
    let shares = [1.5, 1.1, 1.2, 1.0, 1.0, 1.0, 1.1, 1.1];
    let columns: Vec<Column<'_>> = words
        .columns
        .into_iter()
        .zip(shares)
        .map(|(name, share)| Column { name, share, is_number: name != words.columns[0] })
        .collect();
    card(ui, cx.theme, words.stages, size, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        table_head(ui, cx.theme, &columns);
        for (place, stage) in line.snapshot.stages.iter().enumerate() {
            let waiting = filled(words.waiting, &numbers.count(stage.waiting));
            let took = stage.took_ms;
            let ms = |ms| if took.count == 0 { "–".to_owned() } else { numbers.real(ms, 1) };
            let rate = rates.per_s.get(place).copied().unwrap_or_default();
            let cells = [
                cx.words.shell.stages[stage.stage as usize].to_owned(),
                numbers.real(rate, 1),
                filled(&waiting, &numbers.count(stage.bound)),
                ms(took.p50),
                ms(took.p99),
                ms(took.max),
                numbers.count(stage.dropped),
                numbers.count(stage.restarts),
            ];
            table_row(ui, cx.theme, &columns, &cells);
        }
    });
}
