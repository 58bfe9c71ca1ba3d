//! Where defects are: boxes, polygons, masks, drawn by a person or taken from the model. The tools
//! and marks at the left, the picture in the middle, what the part is at the right.

mod tools;
mod work;

use domain::{Judgement, Mark, Shape};
use egui::{CursorIcon, Key, PointerButton, Rect, Role, Sense, Ui, UiBuilder, Vec2, WidgetInfo};

use super::review::bench::{Bench, hears, hears_arrows, who};
use super::review::{card, columns, nothing, panel, picture, views};
use crate::canvas::draw::{self, Look};
use crate::canvas::hand::{Board, Deed, Tool};
use crate::canvas::pane::{Painted, arrows};
use crate::page::Cx;
use crate::theme::{TOUCH, plain};
use crate::widgets::{Action, Glyph, Tone, empty, pressed};
use crate::words::filled;
use tools::Wish;
use work::Work;

/// Height of the line that says how a tool is used; where there is little room, there are more.
const HINT: f32 = 24.0;

/// What the page remembers.
pub struct Labelling {
    work: Work,
    /// Of the lines that say how a tool is used, on the last pass.
    hint_height: f32,
}

impl Default for Labelling {
    fn default() -> Self {
        Self { work: Work::default(), hint_height: HINT }
    }
}

impl Labelling {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, bench: &mut Bench) {
        bench.begin(ui, cx);
        self.work.follow(cx, bench);
        if nothing(ui, cx, bench) {
            return;
        }
        let [left, middle, right] = columns(ui);
        let suggestions = bench
            .open
            .as_ref()
            .map_or(vec![], |open| open.suggestions(bench.view, &self.work.marks));
        let mut wish = None;
        card(ui, cx, left, |ui, cx| {
            tools::tools(ui, cx, &mut self.work);
            wish = tools::marks(ui, cx, &self.work, &suggestions);
        });
        let mut centre = ui.new_child(UiBuilder::new().max_rect(middle).id_salt("centre"));
        if bench.open.is_some() {
            views(&mut centre, cx, bench);
            self.centre(&mut centre, cx, bench, &suggestions);
        } else if let Some(why) = &bench.trouble {
            empty(&mut centre, cx.theme, &filled(cx.words.review.trouble, why), "");
        }
        card(ui, cx, right, |ui, cx| self.side(ui, cx, bench));
        let wish = wish.or_else(|| self.wish_key(ui, cx, &suggestions));
        self.fulfil(cx, bench, &suggestions, wish);
    }

    fn wish_key(&self, ui: &Ui, cx: &Cx<'_>, suggestions: &[Mark]) -> Option<Wish> {
        if !hears(ui, cx) {
            return None;
        }
        let (marks, selected) = (self.work.marks.len(), self.work.selected);
        if pressed(ui, Key::A) && !suggestions.is_empty() {
            return Some(Wish::Accept(0));
        }
        if pressed(ui, Key::N) && marks > 0 {
            return Some(Wish::Select(selected.map_or(0, |at| (at + 1) % marks)));
        }
        let removes = pressed(ui, Key::Delete) || pressed(ui, Key::Backspace);
        selected.filter(|_| removes).map(Wish::Remove)
    }

    fn fulfil(&mut self, cx: &mut Cx<'_>, bench: &mut Bench, all: &[Mark], wish: Option<Wish>) {
        let is_changed = match wish {
            None => false,
            Some(Wish::Select(mark)) => {
                self.work.selected = Some(mark);
                bench.view = self.work.marks.get(mark).map_or(bench.view, |mark| mark.view);
                false
            }
            Some(Wish::Remove(mark)) => self.work.remove(mark),
            Some(Wish::Accept(suggestion)) => {
                all.get(suggestion).cloned().map(|mark| self.work.accept(mark)).is_some()
            }
        };
        if is_changed {
            self.send(cx, bench);
        }
    }

    /// Everything that was finished is sent at once.
    fn send(&self, cx: &mut Cx<'_>, bench: &mut Bench) {
        let Some(open) = &bench.open else { return };
        let label = self.work.label(open.is_blind());
        bench.say(cx, label, false);
    }

    fn centre(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, bench: &mut Bench, suggestions: &[Mark]) {
        let room = ui.available_rect_before_wrap();
        let line = room.with_max_y(room.top() + self.hint_height);
        let mut below =
            ui.new_child(UiBuilder::new().max_rect(room.with_min_y(line.bottom() + 4.0)));
        let painted = picture::show(&mut below, cx, bench, false);
        let words = &cx.words.label;
        let hint = match self.work.tool {
            _ if painted.is_none() => words.no_place,
            Tool::Box => words.hint_box,
            Tool::Polygon => words.hint_polygon,
            Tool::Brush => words.hint_brush,
            Tool::Erase => words.hint_erase,
            Tool::Select => words.hint_select,
        };
        self.hint(ui, cx, line, hint, painted.as_ref());
        let Some(painted) = painted.filter(|painted| painted.is_there) else { return };
        let before = self.work.hand.cursor;
        let deed = self.draw(ui, cx, bench, &painted, suggestions);
        if let Some(cursor) = self.work.hand.cursor.filter(|_| self.work.hand.cursor != before) {
            bench.pane.follow(&painted.sight, cursor);
        }
        let Some(open) = &bench.open else { return };
        if let Some(deed) = deed
            && self.work.take_in(open, bench.view, deed)
        {
            self.send(cx, bench);
        }
    }

    fn hint(&mut self, ui: &Ui, cx: &Cx<'_>, line: Rect, hint: &str, painted: Option<&Painted>) {
        let mut text = hint.to_owned();
        let pointer = painted.and_then(|painted| {
            let at = painted.response.hover_pos().filter(|_| self.work.hand.cursor.is_none())?;
            Some(crate::canvas::shapes::pixel_at(painted.sight.to_frame(at), painted.sight.covers))
        });
        if let Some((x, y)) = self.work.hand.cursor.or(pointer) {
            let place = filled(cx.words.label.place, &x.to_string());
            text = format!("{}   \u{b7}   {hint}", filled(&place, &y.to_string()));
        }
        let (font, ink) = (plain(14.0), cx.theme.weak);
        let galley = ui.painter().layout(text.clone(), font, ink, line.width());
        let height = galley.size().y.max(HINT);
        if height != self.hint_height {
            self.hint_height = height;
            ui.ctx().request_repaint();
        }
        ui.painter_at(line).galley(line.min, galley, ink);
        let response = ui.interact(line, ui.scope_id().with("hint"), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
    }

    /// What hand and keys do on the picture, and what is painted over it.
    fn draw(
        &mut self,
        ui: &Ui,
        cx: &Cx<'_>,
        bench: &Bench,
        painted: &Painted,
        suggestions: &[Mark],
    ) -> Option<Deed> {
        let Work { marks, selected, tool, radius_px, hand, .. } = &mut self.work;
        let in_view = marks.iter().enumerate().filter(|(_, mark)| mark.view == bench.view);
        let board = Board {
            sight: painted.sight,
            marks: in_view.collect(),
            selected: *selected,
            tool: *tool,
            radius_px: *radius_px,
        };
        let response = &painted.response;
        let mut deed = None;
        if painted.is_panned {
            hand.let_go();
        } else if response.drag_started_by(PointerButton::Primary) {
            let origin = ui.input(|input| input.pointer.press_origin());
            deed = origin.and_then(|at| hand.press(&board, at));
        }
        if let Some(at) = response.interact_pointer_pos().filter(|_| !painted.is_panned) {
            if response.dragged_by(PointerButton::Primary) {
                hand.drag(&board, at);
            }
            if response.clicked() {
                deed = deed.or_else(|| hand.tap(&board, at));
            }
        }
        if response.drag_stopped_by(PointerButton::Primary) && !painted.is_panned {
            deed = deed.or_else(|| hand.release(&board));
        }
        if hears(ui, cx) {
            deed = deed.or_else(|| keys(ui, hand, &board));
        }
        let escapes = hears(ui, cx) && pressed(ui, Key::Escape);
        paint(cx, &board, hand, suggestions, painted);
        if escapes {
            deed = deed.or_else(|| (!hand.is_busy()).then_some(Deed::Selected(None)));
            hand.cancel();
        }
        response.clone().on_hover_cursor(CursorIcon::Crosshair);
        deed
    }

    fn side(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, bench: &mut Bench) {
        let room = ui.available_rect_before_wrap();
        let saving = panel::Saving::of(ui, cx, bench);
        let foot = room.with_min_y(room.bottom() - saving.height() - TOUCH);
        let going = room.with_min_y(room.bottom() - TOUCH);
        if let Some(open) = &bench.open {
            panel::facts(ui, cx, open);
            ui.add_space(6.0);
            ui.spacing_mut().item_spacing = Vec2::splat(6.0);
            crate::widgets::section(ui, cx.theme, cx.words.label.classes);
            let left = foot.top() - ui.cursor().top() - 2.0 * (TOUCH + 6.0) - 12.0;
            let classes = open.classes.clone();
            let chosen = classes.get(self.work.class).cloned();
            let is_on = |class: &str| chosen.as_deref() == Some(class);
            let class = panel::class_list(ui, cx, &classes, left, is_on);
            if class.is_some_and(|class| self.work.choose(open, class)) {
                self.send(cx, bench);
            }
            self.judge(ui, cx, bench);
        }
        let mut low = ui.new_child(UiBuilder::new().max_rect(foot).id_salt("foot"));
        saving.show(&mut low, cx, bench);
        let mut low = ui.new_child(UiBuilder::new().max_rect(going).id_salt("going"));
        let free = self.work.tool == Tool::Select;
        panel::going(&mut low, cx, bench, free);
    }

    /// Bad without a place, good, doubt, skip.
    fn judge(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, bench: &mut Bench) {
        let Some(open) = &bench.open else { return };
        let words = &cx.words.review;
        let said = open.said(who(cx)).map(|said| said.judgement);
        let wide = ui.available_width();
        let whole = Action::new(cx.words.label.whole).glyph(Glyph::Whole).key("B").width(wide);
        let hears = hears(ui, cx);
        let is_whole = |mark: &Mark| mark.shape == Shape::Whole;
        if whole.on(self.work.marks.iter().any(is_whole)).show(ui, cx.theme).clicked()
            || (hears && pressed(ui, Key::B))
        {
            self.work.add(open, bench.view, Shape::Whole);
            self.send(cx, bench);
        }
        let third = (wide - 12.0) / 3.0;
        let mut judgement = None;
        ui.horizontal(|ui| {
            let all = [
                (Judgement::Good, words.good, Glyph::Tick, "G", Tone::Pass, Key::G),
                (Judgement::Doubt, words.doubt, Glyph::Question, "D", Tone::Undecided, Key::D),
                (Judgement::Skip, words.skip, Glyph::Skip, "S", Tone::Plain, Key::S),
            ];
            for (which, name, sign, letter, tone, key) in all {
                let button = Action::new(name).sign(sign).key(letter).tone(tone).width(third);
                let is_on = said == Some(which);
                if button.on(is_on).show(ui, cx.theme).clicked() || (hears && pressed(ui, key)) {
                    judgement = Some(which);
                }
            }
        });
        if let Some(judgement) = judgement {
            bench.judge(cx, judgement);
        }
    }
}

/// The crosshair's keys: arrows, with Shift ten pixels, and Enter.
fn keys(ui: &Ui, hand: &mut crate::canvas::hand::Hand, board: &Board<'_>) -> Option<Deed> {
    if !hears_arrows(ui) {
        return None;
    }
    let (shift, other) =
        ui.input(|input| (input.modifiers.shift, input.modifiers.ctrl || input.modifiers.alt));
    let by = arrows(ui) * if shift { 10.0 } else { 1.0 };
    if by != Vec2::ZERO && !other && board.tool != Tool::Select {
        #[expect(clippy::cast_possible_truncation, reason = "some tens of pixels")]
        let by = (by.x as i32, by.y as i32);
        hand.step(board, by);
    }
    if pressed(ui, Key::Enter) { hand.enter(board) } else { None }
}

fn paint(
    cx: &Cx<'_>,
    board: &Board<'_>,
    hand: &crate::canvas::hand::Hand,
    suggestions: &[Mark],
    painted: &Painted,
) {
    let (painter, sight, theme) = (&painted.painter, &board.sight, cx.theme);
    for mark in suggestions {
        draw::shape(painter, theme, sight, &mark.shape, Look::Suggested);
        draw::name(painter, theme, sight, &mark.shape, (&mark.class, Look::Suggested));
    }
    let begun = hand.begun(board);
    for (place, mark) in &board.marks {
        let now = begun.as_ref().filter(|(of, _)| *of == Some(*place));
        let shape = now.map_or(&mark.shape, |(_, shape)| shape);
        let is_selected = board.selected == Some(*place);
        let look = if is_selected { Look::Selected } else { Look::Plain };
        draw::shape(painter, theme, sight, shape, look);
        draw::name(painter, theme, sight, shape, (&mark.class, look));
    }
    let hover = painted.response.hover_pos();
    if let Some((None, shape)) = &begun {
        if hand.corners().is_empty() {
            draw::shape(painter, theme, sight, shape, Look::Plain);
        } else {
            draw::open(painter, theme, sight, hand.corners(), hover);
        }
    }
    if let Some(cursor) = hand.cursor {
        draw::crosshair(painter, theme, sight, cursor);
    }
    if matches!(board.tool, Tool::Brush | Tool::Erase)
        && let Some(at) = hover
    {
        draw::tip(painter, theme, sight, at, board.radius_px);
    }
}
