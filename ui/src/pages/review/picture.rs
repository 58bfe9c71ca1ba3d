//! The picture of the part that is looked at: zoomed, with heat over it, a good part beside it, or
//! its clip; and the buttons for that.

use egui::{Color32, CornerRadius, Key, Rect, Slider, Ui, WidgetInfo, vec2};
use store::ImageKind;

use super::bench::{Bench, hears};
use super::open;
use crate::canvas::draw;
use crate::canvas::lens::{Lens, Sight};
use crate::canvas::pane::{self, Painted, Shot};
use crate::page::Cx;
use crate::theme::{TOUCH, heavy};
use crate::widgets::{Action, Glyph, pressed};
use crate::words::filled;

/// Shows the picture and the buttons below it. `pans` when one finger pans, as where nothing is
/// drawn; gives where it was painted, when it was.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>, bench: &mut Bench, pans: bool) -> Option<Painted> {
    let room = ui.available_rect_before_wrap();
    let place = room.with_max_y(room.bottom() - TOUCH - 10.0);
    let bar = room.with_min_y(place.bottom() + 10.0);
    let mut painted = None;
    let key = bench.open.as_ref().map(|open| open.item.key);
    let mut player = bench.player.take();
    match (&mut player, key) {
        (Some(player), Some(key)) => player.show(ui, cx, place, key),
        _ => painted = pictures(ui, cx, bench, place, pans),
    }
    let mut ui = ui.new_child(egui::UiBuilder::new().max_rect(bar).id_salt("picture bar"));
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        if let Some(player_now) = &mut player {
            if player_now.buttons(ui, cx) {
                player = None;
            }
        } else {
            player = buttons(ui, cx, bench, painted.as_ref()).then(Default::default);
        }
    });
    bench.player = player;
    painted
}

fn pictures(
    ui: &Ui,
    cx: &mut Cx<'_>,
    bench: &mut Bench,
    place: Rect,
    pans: bool,
) -> Option<Painted> {
    let beside = bench.compares;
    let half = (place.width() - 8.0) / 2.0;
    let (left, right) = if beside {
        (place.with_max_x(place.left() + half), place.with_min_x(place.right() - half))
    } else {
        (place, Rect::NOTHING)
    };
    let painted = part(ui, cx, bench, left, pans);
    if beside {
        golden(ui, cx, bench, right, painted.as_ref().map(|painted| painted.sight));
    }
    painted
}

fn part(ui: &Ui, cx: &mut Cx<'_>, bench: &mut Bench, place: Rect, pans: bool) -> Option<Painted> {
    let words = &cx.words.review;
    let open = bench.open.as_ref()?;
    let Some(picture) = open.image(bench.view, ImageKind::Picture) else {
        empty(ui, cx, place, words.no_picture);
        return None;
    };
    let heatmap = open.image(bench.view, ImageKind::Heatmap);
    let shows = bench.heat.0 && !open.is_blind();
    let heat = heatmap.filter(|_| shows).map(|image| (image, bench.heat.1));
    let name = filled(words.picture, &open::number(open.item.key));
    let shot = Shot { picture, heat, pans, name: &name };
    let painted = bench.pane.show(ui, cx.shelf, cx.theme, place, &shot);
    if let Some(why) = &painted.trouble {
        draw::note(&painted.painter, cx.theme, place, &filled(words.picture_failed, why));
    } else if !painted.is_there {
        draw::note(&painted.painter, cx.theme, place, cx.words.shell.reading);
    }
    if hears(ui, cx) {
        bench.pane.keys(ui, &painted.sight);
    }
    Some(painted)
}

fn golden(ui: &Ui, cx: &mut Cx<'_>, bench: &mut Bench, place: Rect, sight: Option<Sight>) {
    let view = bench.view;
    let words = &cx.words.review;
    let found = bench.golden(cx).and_then(|detail| {
        let image = detail
            .images
            .iter()
            .find(|image| image.view == view && image.kind == ImageKind::Picture)?;
        Some((detail.row.part, image.clone()))
    });
    let Some((number, image)) = found else {
        empty(ui, cx, place, words.no_golden);
        return;
    };
    let painter = ui.painter_at(place);
    painter.rect_filled(place, CornerRadius::same(6), Color32::BLACK);
    let scale = ui.ctx().pixels_per_point();
    let sight = match sight {
        Some(sight) => sight.beside(place, image.covers),
        None => Lens::Fit.sight(place, image.covers, scale),
    };
    if pane::paint(ui.ctx(), cx.shelf, &painter, &sight, &image, scale).is_err() {
        draw::note(&painter, cx.theme, place, cx.words.shell.reading);
    }
    let name = filled(words.golden_of, &number.to_string());
    let galley = painter.layout_no_wrap(name, heavy(14.0), cx.theme.on_accent);
    let at = place.left_top() + vec2(8.0, 8.0);
    let ground = Rect::from_min_size(at, galley.size() + vec2(14.0, 8.0));
    painter.rect_filled(ground, CornerRadius::same(4), cx.theme.pass);
    painter.galley(at + vec2(7.0, 4.0), galley, cx.theme.on_accent);
}

fn empty(ui: &Ui, cx: &Cx<'_>, place: Rect, text: &str) {
    let painter = ui.painter_at(place);
    painter.rect_filled(place, CornerRadius::same(6), cx.theme.card);
    draw::note(&painter, cx.theme, place, text);
}

/// The buttons below the picture; `true` when the clip is wanted.
fn buttons(ui: &mut Ui, cx: &Cx<'_>, bench: &mut Bench, painted: Option<&Painted>) -> bool {
    let (words, theme) = (&cx.words.review, cx.theme);
    let scale = ui.ctx().pixels_per_point();
    let hears = hears(ui, cx);
    let is_blind = bench.open.as_ref().is_some_and(open::Open::is_blind);
    let none = painted.is_none();
    let is_fit = bench.pane.lens == Lens::Fit;
    if Action::new(words.fit).sign(Glyph::Fit).on(is_fit).off(none).show(ui, theme).clicked() {
        bench.pane.lens = Lens::Fit;
    }
    let one = Action::new(words.one_to_one).off(none).show(ui, theme).clicked();
    let minus = Action::new(words.farther).sign(Glyph::Minus).off(none).show(ui, theme).clicked();
    let plus = Action::new(words.closer).sign(Glyph::Plus).off(none).show(ui, theme).clicked();
    if let Some(Painted { sight, .. }) = painted {
        if one {
            bench.pane.lens.one_to_one(sight, scale);
        }
        if minus || plus {
            bench.pane.step(sight, if plus { 1 } else { -1 }, scale);
        }
    }
    ui.add_space(8.0);
    if !is_blind {
        heat(ui, cx, bench, hears);
        ui.add_space(8.0);
    }
    let golden = Action::new(words.golden).sign(Glyph::Beside).key("O").on(bench.compares);
    if golden.show(ui, theme).clicked() || (hears && pressed(ui, Key::O)) {
        bench.compares = !bench.compares;
    }
    // The clip has the verdict written on it.
    let clip = Action::new(words.clip).sign(Glyph::Film).key("C").off(is_blind);
    clip.show(ui, theme).clicked() || (hears && !is_blind && pressed(ui, Key::C))
}

fn heat(ui: &mut Ui, cx: &Cx<'_>, bench: &mut Bench, hears: bool) {
    let words = &cx.words.review;
    let (is_on, strength) = &mut bench.heat;
    let toggle = Action::new(words.heat).sign(Glyph::Heat).key("H").on(*is_on);
    if toggle.show(ui, cx.theme).clicked() || (hears && pressed(ui, Key::H)) {
        *is_on = !*is_on;
    }
    ui.spacing_mut().slider_width = 110.0;
    let slider = ui.add(Slider::new(strength, 0.0..=1.0).show_value(false).step_by(0.05));
    slider.widget_info(|| WidgetInfo::slider(true, f64::from(*strength), words.heat_strength));
    if slider.changed() {
        *is_on = true;
    }
}
