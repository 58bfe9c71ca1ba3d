//! What is known of the part, what it is to be called, and whether that is on disk.

use std::sync::Arc;

use domain::{Judgement, PartKey, VerdictKind};
use egui::{
    Color32, Galley, Key, Modifiers, Rect, RichText, Role, ScrollArea, Sense, Ui, Vec2, WidgetInfo,
    vec2,
};

use super::bench::{Bench, class_key, hears, hears_arrows, who};
use super::open::{self, Open};
use super::outbox::{Letter, State};
use crate::page::Cx;
use crate::theme::{TOUCH, heavy, plain};
use crate::widgets::{
    Action, Glyph, Marker, Tone, bar, glyph, left_square, pressed, section, verdict_sign,
};
use crate::words::filled;

/// Number, verdict and why, as far as they may be seen.
pub fn facts(ui: &mut Ui, cx: &Cx<'_>, open: &Open) {
    let words = &cx.words.review;
    let theme = cx.theme;
    ui.spacing_mut().item_spacing.y = 6.0;
    // What is only read needs no room for a finger.
    ui.spacing_mut().interact_size.y = 0.0;
    let row = &open.detail.row;
    let at = cx.words.numbers.time(row.triggered_at.wall, cx.zone);
    ui.horizontal(|ui| {
        let number = open::number(open.item.key);
        ui.label(RichText::new(number).font(heavy(20.0)).color(theme.text));
        ui.label(RichText::new(at).font(plain(15.0)).color(theme.weak));
    });
    if open.is_blind() {
        ui.label(RichText::new(words.second).font(heavy(18.0)).color(theme.undecided_ink));
        ui.label(RichText::new(words.second_hint).font(plain(15.0)).color(theme.weak));
        return;
    }
    let verdict = row.verdict.kind();
    headline(ui, cx, verdict);
    let mut why = cx.words.why(&row.verdict);
    let decided = row.verdict.decided_by().and_then(|it| it.defect_in(&open.detail.defects));
    if let Some(mm) = decided.and_then(|defect| defect.mm.as_ref()) {
        why = format!("{why} · {}", cx.words.numbers.length(mm));
    }
    ui.label(RichText::new(why).font(plain(15.0)).color(theme.weak));
    if let Some(how) = open.item.why.as_ref().and_then(|why| words.difference(why)) {
        ui.label(RichText::new(how).font(plain(15.0)).color(theme.undecided_ink));
    }
    let limit = open.recipe.as_ref().map(|recipe| recipe.limits.reject_at);
    let score = Marker { at: row.score, name: cx.words.score(row.score), ink: theme.ink(verdict) };
    if let Some(limit) = limit {
        let name = filled(words.limit, &cx.words.score(limit));
        let limit = Marker { at: limit, name, ink: theme.text };
        bar(ui, theme, &score, &limit, ui.available_width());
    }
}

fn headline(ui: &mut Ui, cx: &Cx<'_>, verdict: VerdictKind) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 30.0), Sense::hover());
    let word = cx.words.verdict_word(verdict);
    let ink = cx.theme.ink(verdict);
    verdict_sign(ui.painter(), left_square(rect, 24.0), verdict, ink, cx.theme.card);
    let galley = ui.painter().layout_no_wrap(word.to_owned(), heavy(22.0), ink);
    let at = rect.left_center() + vec2(34.0, -galley.size().y / 2.0);
    ui.painter().galley(at, galley, ink);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, word));
}

/// Good, bad, its class, doubt, skip: a button and a key each.
pub fn judge(ui: &mut Ui, cx: &mut Cx<'_>, bench: &mut Bench, height: f32) {
    let Some(open) = &bench.open else { return };
    let (words, theme) = (&cx.words.review, cx.theme);
    let (classes, likely) = (open.classes.clone(), open.likely());
    let said = open.said(who(cx)).cloned();
    let is_said = |judgement| said.as_ref().is_some_and(|said| said.judgement == judgement);
    let top = ui.cursor().top();
    let wide = ui.available_width();
    ui.spacing_mut().item_spacing = Vec2::splat(6.0);
    section(ui, theme, if bench.asks_class { words.which } else { words.what });
    let good = Action::new(words.good).glyph(Glyph::Tick).key("G").tone(Tone::Pass).width(wide);
    let mut judgement = None;
    if good.on(is_said(Judgement::Good)).show(ui, theme).clicked() {
        judgement = Some(Judgement::Good);
    }
    let named = likely.and_then(|class| classes.get(class));
    let name = named.map_or_else(|| words.bad.to_owned(), |class| filled(words.bad_with, class));
    let bad = Action::new(&name).glyph(Glyph::Cross).key("B").tone(Tone::Reject).width(wide);
    if bad.on(is_said(Judgement::Bad) || bench.asks_class).show(ui, theme).clicked() {
        judgement = Some(Judgement::Bad);
    }
    let left = height - (ui.cursor().top() - top) - TOUCH - 6.0;
    let marked = |class: &str| {
        said.as_ref().is_some_and(|said| said.marks.iter().any(|mark| &*mark.class == class))
    };
    let chosen = class_list(ui, cx, &classes, left, marked);
    let half = (wide - 6.0) / 2.0;
    ui.horizontal(|ui| {
        let all = [
            (Judgement::Doubt, words.doubt, Glyph::Question, "D", Tone::Undecided),
            (Judgement::Skip, words.skip, Glyph::Skip, "S", Tone::Plain),
        ];
        for (which, name, sign, key, tone) in all {
            let button = Action::new(name).glyph(sign).key(key).tone(tone).width(half);
            if button.on(is_said(which)).show(ui, theme).clicked() {
                judgement = Some(which);
            }
        }
    });
    if hears(ui, cx) {
        judgement = judgement.or_else(|| judgement_key(ui));
    }
    if let Some(class) = chosen {
        bench.judge_bad(cx, class);
    } else if let Some(judgement) = judgement {
        bench.judge(cx, judgement);
    }
}

fn judgement_key(ui: &Ui) -> Option<Judgement> {
    let keys = [
        (Key::G, Judgement::Good),
        (Key::B, Judgement::Bad),
        (Key::D, Judgement::Doubt),
        (Key::S, Judgement::Skip),
    ];
    keys.into_iter().find(|(key, _)| pressed(ui, *key)).map(|(_, judgement)| judgement)
}

/// The classes, in a list of so many points; gives the one that was chosen by finger or key.
pub fn class_list(
    ui: &mut Ui,
    cx: &Cx<'_>,
    classes: &[Arc<str>],
    height: f32,
    is_on: impl Fn(&str) -> bool,
) -> Option<usize> {
    let mut chosen = if hears(ui, cx) { class_key(ui) } else { None };
    chosen = chosen.filter(|&class| class < classes.len());
    let height = height.max(TOUCH);
    #[expect(clippy::cast_precision_loss, reason = "some dozens")]
    let needed = classes.len() as f32 * (TOUCH + 6.0) - 6.0;
    let area = ScrollArea::vertical().max_height(height).auto_shrink([false, needed <= height]);
    area.id_salt("classes").show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 6.0;
        let bar = if needed > height { 18.0 } else { 0.0 };
        let wide = ui.available_width() - bar;
        for (position, class) in classes.iter().enumerate() {
            let key = if position < 9 { (position + 1).to_string() } else { String::new() };
            let row = Action::new(class).key(&key).width(wide).tone(Tone::Reject).on(is_on(class));
            if row.show(ui, cx.theme).clicked() {
                chosen = Some(position);
            }
        }
    });
    chosen
}

/// Whether what was said is on disk, and what there is to do about it.
pub struct Saving {
    sign: (Glyph, Color32),
    text: Arc<Galley>,
    /// The part of which something may be sent again.
    again: Option<PartKey>,
    /// Another part of which something is not on disk.
    other: Option<PartKey>,
}

impl Saving {
    /// How it is with the part that is shown.
    pub fn of(ui: &Ui, cx: &Cx<'_>, bench: &Bench) -> Self {
        let words = &cx.words.review;
        let here = bench.open.as_ref().map(|open| open.item.key);
        let letter = here.and_then(|key| bench.outbox.of(key));
        let stuck = bench.outbox.stuck().filter(|letter| Some(letter.key) != here);
        let said = bench.open.as_ref().and_then(|open| open.said(who(cx)));
        let (sign, ink, text, again) = match (letter, said) {
            (Some(letter), _) => state_of(cx, letter),
            (None, Some(said)) => {
                let text = filled(words.saved, words.judgement(said.judgement));
                (Glyph::Tick, cx.theme.pass_ink, text, None)
            }
            (None, None) => (Glyph::Dots, cx.theme.weak, words.unsaid.to_owned(), None),
        };
        let wide = ui.available_width() - 28.0;
        let text = ui.painter().layout(text, plain(15.0), cx.theme.text, wide);
        Self { sign: (sign, ink), text, again, other: stuck.map(|letter| letter.key) }
    }

    /// How high it is.
    #[must_use]
    pub fn height(&self) -> f32 {
        let buttons = [self.again.is_some(), self.other.is_some()];
        let rows = if buttons == [true, true] { 2.0 } else { f32::from(u8::from(self.is_stuck())) };
        self.text.size().y.max(24.0) + 6.0 + rows * (TOUCH + 6.0)
    }

    /// Whether there is something to do about it.
    #[must_use]
    pub const fn is_stuck(&self) -> bool {
        self.again.is_some() || self.other.is_some()
    }

    /// Shows it.
    pub fn show(self, ui: &mut Ui, cx: &mut Cx<'_>, bench: &mut Bench) {
        let words = &cx.words.review;
        ui.spacing_mut().item_spacing.y = 6.0;
        let size = vec2(ui.available_width(), self.text.size().y.max(24.0));
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        let place = Rect::from_min_size(rect.min + vec2(0.0, 2.0), Vec2::splat(18.0));
        glyph(ui.painter(), place, self.sign.0, self.sign.1);
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, self.text.text()));
        ui.painter().galley(rect.min + vec2(28.0, 2.0), self.text, cx.theme.text);
        if let Some(key) = self.again {
            let retry = Action::new(words.retry).glyph(Glyph::Again).width(ui.available_width());
            if retry.show(ui, cx.theme).clicked() {
                bench.outbox.again(cx, key);
            }
        }
        if let Some(key) = self.other {
            let name = filled(words.other_not_saved, &open::number(key));
            let show = Action::new(&name).glyph(Glyph::Alert).tone(Tone::Undecided).on(true);
            if show.width(ui.available_width()).show(ui, cx.theme).clicked() {
                bench.queue.go_to(key);
                bench.turn_to_part();
            }
        }
    }
}

fn state_of(cx: &Cx<'_>, letter: &Letter) -> (Glyph, Color32, String, Option<PartKey>) {
    let words = &cx.words.review;
    let again = letter.may_go_again().then_some(letter.key);
    let not = |why: &str| filled(words.not_saved, why);
    match &letter.state {
        State::Sent => (Glyph::Dots, cx.theme.weak, words.saving.to_owned(), None),
        State::Held => {
            (Glyph::Alert, cx.theme.undecided_ink, words.log_in_to_save.to_owned(), None)
        }
        State::Late => (Glyph::Alert, cx.theme.undecided_ink, words.late.to_owned(), again),
        State::Refused(why) => {
            let why = not(&crate::screen::refusal(cx.words, why));
            (Glyph::Alert, cx.theme.reject_ink, why, again)
        }
        State::Dropped => {
            let why = not(cx.words.shell.log_in_first);
            (Glyph::Alert, cx.theme.reject_ink, why, again)
        }
    }
}

/// Back, on, and undo, with their keys. `arrows` when the arrow keys are free for going on.
pub fn going(ui: &mut Ui, cx: &mut Cx<'_>, bench: &mut Bench, arrows: bool) {
    let (words, theme) = (&cx.words.review, cx.theme);
    let third = (ui.available_width() - 12.0) / 3.0;
    let free = hears(ui, cx);
    let plain_keys = ui.input(|input| !input.modifiers.any());
    let arrow = |key: Key| arrows && free && plain_keys && hears_arrows(ui) && pressed(ui, key);
    let back = (free && pressed(ui, Key::PageUp)) || arrow(Key::ArrowLeft);
    let on = (free && pressed(ui, Key::PageDown)) || arrow(Key::ArrowRight);
    let undo_key = ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::Z));
    let may_undo = bench.may_undo(cx);
    let (left, right) = if arrows { ("\u{2190}", "\u{2192}") } else { ("PgUp", "PgDn") };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let undo = Action::new(words.undo).sign(Glyph::Undo).key(words.undo_key).off(!may_undo);
        if undo.width(third).show(ui, theme).clicked() || (free && undo_key && may_undo) {
            bench.undo(cx);
        }
        let previous = Action::new(words.previous).sign(Glyph::Back).key(left).width(third);
        if previous.show(ui, theme).clicked() || back {
            bench.step(-1);
        }
        let next = Action::new(words.next).sign(Glyph::On).key(right).width(third);
        if next.show(ui, theme).clicked() || on {
            bench.step(1);
        }
    });
}
