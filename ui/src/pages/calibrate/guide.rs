//! What to do next, in letters that are read from where the board is held: takes what the station
//! tells, gives a goal, how the moment is, and how far it is.

use egui::{
    Align2, CornerRadius, Rect, RichText, Role, ScrollArea, Sense, Ui, UiBuilder, WidgetInfo, pos2,
    vec2,
};

use super::steps::{Step, views};
use crate::calibrating::{Advice, Calibrating, HoldsBack, Taking};
use crate::page::Cx;
use crate::theme::{ROUND, heavy, plain};
use crate::widgets::{Health, fitting, health_sign, left_square};
use crate::words::{Words, filled};

/// What to do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guide {
    /// What for.
    pub goal: String,
    /// How it is this moment.
    pub now: Option<(Health, String)>,
    /// So many of so many, and of what.
    pub count: Option<(usize, usize, &'static str)>,
}

/// What is picked in the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pick {
    /// Nothing.
    #[default]
    Nothing,
    /// The ends of a known length.
    Ruler,
    /// What must not move.
    Landmark,
}

impl Guide {
    /// What to do in `step`.
    pub fn of(step: Step, calibrating: &Calibrating, pick: Pick, words: &Words) -> Self {
        let own = &words.calibrate;
        let draft = &calibrating.draft;
        let hint = |goal: &str, hint: &str| Self {
            goal: goal.to_owned(),
            now: (!hint.is_empty()).then(|| (Health::Absent, hint.to_owned())),
            count: None,
        };
        match (step, pick) {
            (_, Pick::Ruler) => hint(own.guide_ruler, own.guide_ruler_hint),
            (_, Pick::Landmark) => hint(own.guide_landmark, ""),
            (Step::Target, _) => hint(own.guide_target, own.guide_target_hint),
            (Step::Lens, _) => lens(calibrating, words),
            (Step::Plane, _) => plane(calibrating, words),
            (Step::Flat, _) if draft.flat.is_some() => {
                taking(calibrating, step, words, own.guide_flat, Ok(own.guide_done))
            }
            (Step::Flat, _) => {
                taking(calibrating, step, words, own.guide_flat, Err(own.guide_flat_hint))
            }
            (Step::Watch, _) if draft.is_watched => {
                taking(calibrating, step, words, own.guide_watch, Ok(own.guide_done))
            }
            (Step::Watch, _) => {
                taking(calibrating, step, words, own.guide_watch, Err(own.guide_watch_hint))
            }
            (Step::Belt, _) if draft.belt.is_some() => {
                taking(calibrating, step, words, own.guide_belt, Ok(own.guide_done))
            }
            (Step::Belt, _) => {
                taking(calibrating, step, words, own.guide_belt, Err(own.guide_belt_hint))
            }
            (Step::Accept, _) => accept(calibrating, words),
        }
    }
}

fn lens(calibrating: &Calibrating, words: &Words) -> Guide {
    let own = &words.calibrate;
    let (taken, needed) = views(calibrating);
    let count = Some((taken, needed, own.views));
    let is_looking = matches!(calibrating.taking, Taking::Views { .. });
    if calibrating.taking == Taking::Fit {
        return Guide { goal: own.guide_computing.to_owned(), now: None, count };
    }
    let advised = calibrating.advice.iter().find_map(|advice| advised(*advice, words));
    let lens = calibrating.draft.lens.as_ref();
    if let Some(lens) = lens.filter(|_| !is_looking) {
        let stand = super::steps::pixels(lens.rms_px, lens.rms_limit_px, words);
        let goal = advised.unwrap_or_else(|| own.guide_lens_done.to_owned());
        return Guide { goal, now: Some((stand.health, stand.figure)), count };
    }
    let goal = advised
        .or_else(|| {
            needed
                .checked_sub(taken)
                .filter(|&more| more > 0)
                .map(|more| filled(own.guide_more, &more.to_string()))
        })
        .unwrap_or_else(|| own.guide_look.to_owned());
    let now = is_looking.then(|| seen(calibrating, words));
    Guide { goal, now, count }
}

/// What is best done after what the goal says.
pub fn after(calibrating: &Calibrating, words: &Words) -> Option<String> {
    let mut advised = calibrating.advice.iter().filter_map(|advice| advised(*advice, words));
    advised.nth(1).map(|text| filled(words.calibrate.after, &text))
}

/// What advice is in words; how many views are missing stands beside it anyhow.
fn advised(advice: Advice, words: &Words) -> Option<String> {
    let own = &words.calibrate;
    match advice {
        Advice::More(_) => None,
        Advice::Cover { row, column } => {
            let place = own.places.get(3 * usize::from(row) + usize::from(column))?;
            Some(filled(own.guide_cover, place))
        }
        Advice::Tilt => Some(own.guide_tilt.to_owned()),
        Advice::TiltOtherwise => Some(own.guide_tilt_otherwise.to_owned()),
        Advice::Retake(number) => Some(filled(own.guide_retake, &number.to_string())),
        Advice::Fit => Some(own.guide_fit.to_owned()),
    }
}

/// How the newest frame shows the target.
fn seen(calibrating: &Calibrating, words: &Words) -> (Health, String) {
    let own = &words.calibrate;
    let Some(seen) = &calibrating.seen else {
        return (Health::Absent, own.waiting.to_owned());
    };
    let Some(why) = seen.holds_back else {
        let is_by_itself = calibrating.taking == Taking::Views { is_by_itself: true };
        let text = if is_by_itself { own.good_taken } else { own.good_press };
        return (Health::Good, text.to_owned());
    };
    let health = match why {
        HoldsBack::AlreadyTaken => Health::Good,
        HoldsBack::NoTarget => Health::Absent,
        HoldsBack::TooLittle | HoldsBack::Blurred | HoldsBack::Moving => Health::Care,
    };
    (health, own.holds_back[why as usize].to_owned())
}

fn plane(calibrating: &Calibrating, words: &Words) -> Guide {
    let own = &words.calibrate;
    if calibrating.taking == Taking::Plane {
        let now = Some(match &calibrating.seen {
            Some(seen) if seen.holds_back.is_none() && !seen.points.is_empty() => {
                (Health::Good, own.guide_taking.to_owned())
            }
            _ => seen(calibrating, words),
        });
        return Guide { goal: own.guide_plane.to_owned(), now, count: None };
    }
    match &calibrating.draft.plane {
        Some(plane) => {
            let scale = words.numbers.real(plane.mm_per_px, 4);
            let stand = super::steps::pixels(plane.rms_px, plane.rms_limit_px, words);
            let goal = filled(own.guide_plane_done, &scale);
            Guide { goal, now: Some((stand.health, stand.figure)), count: None }
        }
        None => {
            let now = Some((Health::Absent, own.guide_plane_hint.to_owned()));
            Guide { goal: own.guide_plane.to_owned(), now, count: None }
        }
    }
}

/// A step that takes a number of frames: its goal, and what is said when it does not take any, as
/// it is done or as a hint.
fn taking(
    calibrating: &Calibrating,
    step: Step,
    words: &Words,
    goal: &str,
    rest: Result<&str, &str>,
) -> Guide {
    let own = &words.calibrate;
    let (taken, of, goal) = match calibrating.taking {
        Taking::Flat { is_dark, taken, of } if step == Step::Flat => {
            (taken, of, if is_dark { own.guide_dark } else { own.guide_bright })
        }
        Taking::Watch { taken, of } if step == Step::Watch => (taken, of, goal),
        Taking::Belt { taken, of } if step == Step::Belt => (taken, of, goal),
        _ => {
            let (goal, now) = match rest {
                Ok(done) => (done, (Health::Good, step.stand(calibrating, words).figure)),
                Err(hint) => (goal, (Health::Absent, hint.to_owned())),
            };
            return Guide { goal: goal.to_owned(), now: Some(now), count: None };
        }
    };
    let now = Some((Health::Good, own.guide_taking.to_owned()));
    let count = Some((taken as usize, of as usize, own.pictures));
    Guide { goal: goal.to_owned(), now, count }
}

fn accept(calibrating: &Calibrating, words: &Words) -> Guide {
    let (own, draft) = (&words.calibrate, &calibrating.draft);
    let (goal, health, now) = match &draft.accepted {
        Some(_) => (own.guide_accepted, Health::Good, own.guide_accepted_hint.to_owned()),
        None if draft.plane.is_none() => (own.guide_not_yet, Health::Care, own.no_plane.to_owned()),
        None if draft.objections.is_empty() => {
            (own.guide_accept, Health::Absent, own.guide_accept_hint.to_owned())
        }
        None => {
            let count = words.numbers.count(draft.objections.len() as u64);
            (own.guide_not_yet, Health::Care, filled(own.objections, &count))
        }
    };
    Guide { goal: goal.to_owned(), now: Some((health, now)), count: None }
}

/// Shows it in `place`; how it is this moment stands below where there is room.
pub fn show(ui: &Ui, cx: &Cx<'_>, guide: &Guide, place: Rect) {
    let theme = cx.theme;
    let response = ui.interact(place, ui.scope_id().with("guide"), Sense::hover());
    let painter = ui.painter_at(place);
    painter.rect_filled(place, CornerRadius::same(ROUND), theme.card);
    let mut said = guide.goal.clone();
    let mut inner = place.shrink2(vec2(18.0, 10.0));
    if let Some((taken, of, what)) = guide.count {
        count(ui, cx, (taken, of, what), inner);
        *inner.right_mut() -= 124.0;
        said = format!("{said} · {taken} / {of} {what}");
        let share = f32::from(u16::try_from(taken).unwrap_or(u16::MAX))
            / f32::from(u16::try_from(of.max(1)).unwrap_or(u16::MAX));
        let bar = place.with_min_y(place.bottom() - 8.0);
        painter.rect_filled(bar, CornerRadius::same(4), theme.button);
        let done = bar.with_max_x(bar.left() + bar.width() * share.min(1.0));
        let ink = if share >= 1.0 { theme.pass_ink } else { theme.series };
        painter.rect_filled(done, CornerRadius::same(4), ink);
        *inner.bottom_mut() -= 4.0;
    }
    let has_now = guide.now.is_some() && inner.height() >= 64.0;
    let at = if has_now { inner.top() + 20.0 } else { inner.center().y };
    let font = fitting(ui, &guide.goal, 34.0, inner.width());
    painter.text(pos2(inner.left(), at), Align2::LEFT_CENTER, &guide.goal, font, theme.text);
    if let Some((health, now)) = &guide.now {
        said = format!("{said} · {now}");
        if has_now {
            self::now(ui, cx, (*health, now), inner.with_min_y(inner.bottom() - 32.0));
        }
    }
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &said));
}

/// How it is this moment; what is only explained has no sign.
fn now(ui: &Ui, cx: &Cx<'_>, (health, text): (Health, &str), row: Rect) {
    let (painter, theme) = (ui.painter(), cx.theme);
    if health == Health::Absent {
        // Better two lines than letters that nobody reads from where the board is.
        let size = fitting(ui, text, 20.0, row.width()).size;
        let size = if size < 15.0 { 14.0 } else { size };
        let galley = painter.layout(text.to_owned(), plain(size), theme.weak, row.width());
        let at = row.left_center() - vec2(0.0, galley.size().y / 2.0);
        painter.galley(at, galley, theme.weak);
        return;
    }
    let sign = left_square(row, 24.0);
    health_sign(painter, sign, health, theme);
    let left = sign.right() + 10.0;
    let font = fitting(ui, text, 23.0, row.right() - left);
    let at = pos2(left, row.center().y);
    painter.text(at, Align2::LEFT_CENTER, text, font, theme.text);
}

fn count(ui: &Ui, cx: &Cx<'_>, (taken, of, what): (usize, usize, &str), inner: Rect) {
    let (painter, theme) = (ui.painter(), cx.theme);
    let column = inner.with_min_x(inner.right() - 112.0);
    let text = format!("{taken} / {of}");
    let is_high = inner.height() >= 64.0;
    let font = fitting(ui, &text, if is_high { 38.0 } else { 24.0 }, column.width());
    let ink = if taken >= of { theme.pass_ink } else { theme.text };
    if is_high {
        let at = pos2(column.right(), column.top() + 22.0);
        painter.text(at, Align2::RIGHT_CENTER, text, font, ink);
        let at = pos2(column.right(), column.bottom() - 14.0);
        painter.text(at, Align2::RIGHT_CENTER, what, plain(16.0), theme.weak);
    } else {
        painter.text(column.right_center(), Align2::RIGHT_CENTER, text, font, ink);
    }
}

/// What the last step that failed said, in no more than `place`; gives how high it is.
pub fn refused(ui: &mut Ui, cx: &Cx<'_>, why: &str, place: Rect) -> f32 {
    let theme = cx.theme;
    let text = format!("{}: {why}", cx.words.calibrate.refused);
    let wide = place.width() - 66.0;
    let galley = ui.painter().layout(text.clone(), heavy(17.0), theme.on_accent, wide);
    let needed = galley.size().y + 20.0;
    let high = needed.clamp(48.0, place.height().max(48.0));
    let strip = place.with_max_y(place.top() + high);
    let painter = ui.painter_at(strip);
    painter.rect_filled(strip, CornerRadius::same(ROUND), theme.reject);
    let square = left_square(strip.shrink2(vec2(14.0, 0.0)), 28.0);
    let octagon = domain::VerdictKind::Reject;
    crate::widgets::verdict_sign(&painter, square, octagon, theme.on_accent, theme.reject);
    let inner = strip.with_min_x(square.right() + 12.0).shrink2(vec2(0.0, 10.0));
    let mut ui = ui.new_child(UiBuilder::new().max_rect(inner).id_salt("refused"));
    let area = ScrollArea::vertical().auto_shrink([false, false]);
    area.show(&mut ui, |ui| {
        ui.add_space(((high - needed) / 2.0).max(0.0));
        let text = RichText::new(text).font(heavy(17.0)).color(theme.on_accent);
        ui.add(egui::Label::new(text).wrap());
    });
    high
}
