//! The parts that were found, as small pictures: takes which, gives the one that was tapped. Only
//! what can be seen is looked up.

use std::collections::HashMap;

use domain::PartKey;
use egui::{RichText, ScrollArea, Ui, vec2};
use store::{ImageKind, ImageRow, PartRow};

use super::search::{self, List, ListQuestion, Which};
use super::tile::Tile;
use crate::charts;
use crate::clerk::Clerk;
use crate::page::Cx;
use crate::theme::GAP;

/// Parts looked up at a time.
const PAGE: u32 = 240;
/// Of a tile, points; its width at least.
const WIDTH: f32 = 176.0;
const HEIGHT: f32 = 168.0;
/// Parts whose picture is remembered.
const KEPT: usize = 4_096;

/// The list.
pub struct Parts {
    clerk: Clerk<ListQuestion, List>,
    limit: u32,
    which: Which,
    pictures: HashMap<PartKey, Option<ImageRow>>,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            clerk: Clerk::new("search", search::list),
            limit: PAGE,
            which: Which::default(),
            pictures: HashMap::new(),
        }
    }
}

impl Parts {
    /// Shows the parts; gives the one that was tapped.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, which: Which) -> Option<PartKey> {
        let is_same = Which { tide: which.tide, since: which.since, ..self.which.clone() } == which;
        if !is_same {
            self.limit = PAGE;
        }
        let is_filtered = Which { tide: which.tide, ..Which::default() } != which;
        self.which = which.clone();
        self.clerk.ask(ui.ctx(), cx, ListQuestion { which, limit: self.limit });
        let words = &cx.words.history;
        let list = match self.clerk.answer() {
            None => {
                ui.label(words.looking);
                return None;
            }
            Some(Err(error)) => {
                ui.label(RichText::new(error).color(cx.theme.reject_ink));
                return None;
            }
            Some(Ok(list)) => list,
        };
        if list.rows.is_empty() {
            let text = if is_filtered { words.none_fits } else { words.no_parts };
            charts::vacancy(ui, cx.theme, text);
            return None;
        }
        let count = cx.words.numbers.count(list.rows.len() as u64);
        let count = if list.has_more { format!("{count}+") } else { count };
        let found = RichText::new(words.found.replace("{}", &count)).small().color(cx.theme.weak);
        ui.label(found);
        if self.pictures.len() > KEPT {
            self.pictures.clear();
        }
        let (tapped, is_at_end) = grid(ui, cx, list, &mut self.pictures);
        if is_at_end && list.has_more && self.clerk.is_current() {
            self.limit += PAGE;
        }
        tapped
    }
}

/// The tiles; which was tapped, and whether the last row is seen.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few columns")]
fn grid(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    list: &List,
    pictures: &mut HashMap<PartKey, Option<ImageRow>>,
) -> (Option<PartKey>, bool) {
    let room = ui.available_width() - 16.0;
    let columns = ((room + GAP) / (WIDTH + GAP)).floor().max(1.0);
    let width = ((room + GAP) / columns - GAP).max(80.0);
    let columns = columns as usize;
    let rows = list.rows.len().div_ceil(columns);
    let (mut tapped, mut is_at_end) = (None, false);
    let area = ScrollArea::vertical().id_salt("parts").auto_shrink(false);
    area.show_rows(ui, HEIGHT, rows, |ui, range| {
        is_at_end = range.end >= rows;
        for row in range {
            let parts = list.rows.iter().skip(row * columns).take(columns);
            ui.horizontal(|ui| {
                for part in parts {
                    let key = PartKey { run: part.run.0, part: part.part };
                    let picture =
                        pictures.entry(key).or_insert_with(|| picture_of(cx, part)).as_ref();
                    let (verdict, below) = (part.verdict.kind(), below(cx, part));
                    let when = cx.words.numbers.time(part.triggered_at.wall, cx.zone);
                    let tile = Tile { key, picture, verdict, when, below };
                    if tile.show(ui, cx, vec2(width, HEIGHT)).clicked() {
                        tapped = Some(key);
                    }
                }
            });
        }
    });
    (tapped, is_at_end)
}

fn picture_of(cx: &Cx<'_>, part: &PartRow) -> Option<ImageRow> {
    let detail = cx.shelf.ask(|reader| reader.part(part.run, part.part)).ok().flatten()?;
    detail.images.into_iter().find(|image| image.kind == ImageKind::Picture)
}

/// What decided.
fn below(cx: &Cx<'_>, part: &PartRow) -> String {
    let score = cx.words.numbers.real(f64::from(part.score), 2);
    search::class(&part.verdict).map(|class| format!("{class} {score}")).unwrap_or_default()
}
