//! The steps of a calibration: takes what is measured so far; gives how each step stands, and the
//! list of them at the left.

use domain::CameraId;
use egui::{Align2, CornerRadius, Role, Sense, Ui, Vec2, WidgetInfo, pos2, vec2};

use crate::calibrating::{Advice, Calibrating, ProfileFacts, Taking};
use crate::page::Cx;
use crate::theme::{Theme, heavy, plain};
use crate::widgets::{Glyph, Health, fitting, glyph, health_sign, left_square};
use crate::words::{Words, filled};

/// So many views make a lens, unless the station says how many more it wants.
pub const VIEWS_LEAST: usize = 8;

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// What is printed, and of which camera it is.
    Target,
    /// What the lens bends.
    Lens,
    /// Where the belt is.
    Plane,
    /// What the lamp shades.
    Flat,
    /// What later pictures are held against.
    Watch,
    /// How the belt moves.
    Belt,
    /// A person's name on it.
    Accept,
}

/// How a step stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Stand {
    /// In a sign.
    pub health: Health,
    /// In a few words or numbers.
    pub figure: String,
}

impl Step {
    /// All, as they are best done.
    pub const ALL: [Self; 7] =
        [Self::Target, Self::Lens, Self::Plane, Self::Flat, Self::Watch, Self::Belt, Self::Accept];

    /// What it is called.
    pub const fn name(self, words: &Words) -> &'static str {
        words.calibrate.steps[self as usize]
    }

    /// The step that takes frames, or computes, now.
    pub const fn at_work(taking: Taking) -> Option<Self> {
        match taking {
            Taking::Nothing => None,
            Taking::Views { .. } | Taking::Fit => Some(Self::Lens),
            Taking::Plane => Some(Self::Plane),
            Taking::Flat { .. } => Some(Self::Flat),
            Taking::Watch { .. } => Some(Self::Watch),
            Taking::Belt { .. } => Some(Self::Belt),
        }
    }

    /// What is best done next.
    pub fn next(calibrating: &Calibrating) -> Self {
        let draft = &calibrating.draft;
        let is_new = calibrating.views.is_empty() && draft.lens.is_none() && draft.plane.is_none();
        match () {
            () if is_new => Self::Target,
            () if draft.lens.is_none() => Self::Lens,
            () if draft.plane.is_none() => Self::Plane,
            () => Self::Accept,
        }
    }

    /// How it stands.
    pub fn stand(self, calibrating: &Calibrating, words: &Words) -> Stand {
        let (draft, own) = (&*calibrating.draft, &words.calibrate);
        match self {
            Self::Target => target(calibrating, words),
            Self::Lens => lens(calibrating, words),
            Self::Plane => match &draft.plane {
                Some(plane) => pixels(plane.rms_px, plane.rms_limit_px, words),
                None => open(own.needed),
            },
            Self::Flat => match &draft.flat {
                Some(flat) => {
                    let part = |share| words.numbers.percent(share, percents(share));
                    limited((flat.residual, flat.residual_limit), part, "")
                }
                None => open(own.optional),
            },
            Self::Watch if draft.is_watched => good(own.remembered),
            Self::Belt => match &draft.belt {
                Some(belt) => good(&speed(belt.speed, belt.is_mm, words)),
                None => open(own.optional),
            },
            Self::Watch => open(own.optional),
            Self::Accept => accept(draft, words),
        }
    }
}

fn open(figure: &str) -> Stand {
    Stand { health: Health::Absent, figure: figure.to_owned() }
}

fn good(figure: &str) -> Stand {
    Stand { health: Health::Good, figure: figure.to_owned() }
}

/// How a figure stands to its limit.
pub fn sign(got: f64, limit: f64) -> char {
    if got <= limit { '≤' } else { '>' }
}

/// A figure against its limit; what is no number is beyond every limit.
fn limited((got, limit): (f64, f64), write: impl Fn(f64) -> String, unit: &str) -> Stand {
    let is_good = got <= limit;
    let sign = sign(got, limit);
    let figure = format!("{} {sign} {} {unit}", write(got), write(limit));
    let health = if is_good { Health::Good } else { Health::Bad };
    Stand { health, figure: figure.trim_end().to_owned() }
}

/// As [`limited`], in pixels.
pub fn pixels(got: f64, limit: f64, words: &Words) -> Stand {
    limited((got, limit), |value| words.numbers.real(value, places(value)), "px")
}

/// So many pixels.
pub fn in_pixels(value: f64, words: &Words) -> String {
    format!("{} px", words.numbers.real(value, places(value)))
}

/// A limit is mostly a whole number of per cents.
pub fn percents(share: f64) -> usize {
    if (100.0 * share).fract() == 0.0 { 0 } else { 2 }
}

/// Good lenses leave thousandths of a pixel.
const fn places(value: f64) -> usize {
    if value.abs() < 0.1 { 3 } else { 2 }
}

fn target(calibrating: &Calibrating, words: &Words) -> Stand {
    let board = &calibrating.board;
    let square = words.numbers.real(board.square_mm, 2);
    let figure = format!("{} × {} · {square} mm", board.columns, board.rows);
    let draft = &calibrating.draft;
    let is_used = !calibrating.views.is_empty() || draft.lens.is_some() || draft.plane.is_some();
    Stand { health: if is_used { Health::Good } else { Health::Absent }, figure }
}

fn lens(calibrating: &Calibrating, words: &Words) -> Stand {
    if let Some(lens) = &calibrating.draft.lens {
        return pixels(lens.rms_px, lens.rms_limit_px, words);
    }
    let (taken, needed) = views(calibrating);
    if taken == 0 {
        return open(words.calibrate.recommended);
    }
    let figure = filled(words.calibrate.views_of, &taken.to_string());
    open(&filled(&figure, &needed.to_string()))
}

fn accept(draft: &ProfileFacts, words: &Words) -> Stand {
    let own = &words.calibrate;
    match &draft.accepted {
        Some(_) => good(own.guide_accepted),
        None if draft.plane.is_none() => open(own.healths[Health::Absent as usize]),
        None if draft.objections.is_empty() => open(own.may_accept),
        None => {
            let count = words.numbers.count(draft.objections.len() as u64);
            Stand { health: Health::Care, figure: filled(own.objections, &count) }
        }
    }
}

/// Views that are of use, and how many are needed.
pub fn views(calibrating: &Calibrating) -> (usize, usize) {
    let taken = calibrating.views.iter().filter(|view| !view.is_left_out).count();
    let missing = calibrating.advice.iter().find_map(|advice| match advice {
        Advice::More(missing) => Some(*missing as usize),
        _ => None,
    });
    (taken, missing.map_or(taken.max(VIEWS_LEAST), |missing| taken.saturating_add(missing)))
}

/// What a speed is in.
pub const fn speed_unit(is_mm: bool) -> &'static str {
    if is_mm { "mm/s" } else { "px/s" }
}

/// A speed with its standard error.
pub fn speed((value, sd): (f64, f64), is_mm: bool, words: &Words) -> String {
    let unit = speed_unit(is_mm);
    let numbers = &words.numbers;
    format!("{} ± {} {unit}", numbers.real(value, 1), numbers.real(sd, 1))
}

/// The list; gives the step that was touched.
pub fn list(
    ui: &mut Ui,
    cx: &Cx<'_>,
    (camera, calibrating): (&CameraId, &Calibrating),
    chosen: Step,
    height: f32,
) -> Option<Step> {
    let mut touched = None;
    let title = filled(cx.words.calibrate.of, camera.as_str());
    let font = fitting(ui, &title, 21.0, ui.available_width());
    ui.label(egui::RichText::new(title).font(font));
    ui.add_space(4.0);
    let work = Step::at_work(calibrating.taking);
    ui.spacing_mut().item_spacing.y = 4.0;
    for step in Step::ALL {
        let row = Row { step, is_on: step == chosen, is_at_work: work == Some(step) };
        let size = vec2(ui.available_width(), height);
        if row.show(ui, cx, &step.stand(calibrating, cx.words), size) {
            touched = Some(step);
        }
    }
    touched
}

struct Row {
    step: Step,
    is_on: bool,
    is_at_work: bool,
}

impl Row {
    fn show(&self, ui: &mut Ui, cx: &Cx<'_>, stand: &Stand, size: Vec2) -> bool {
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let (theme, own) = (cx.theme, &cx.words.calibrate);
        let name = self.step.name(cx.words);
        let figure = if self.is_at_work { own.at_work } else { &stand.figure };
        let health = own.healths[stand.health as usize];
        let said = format!("{name} · {health} · {figure}");
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, self.is_on, &said));
        let painter = ui.painter_at(rect);
        self.ground(&painter, theme, rect, &response);
        let inner = rect.shrink2(vec2(14.0, 0.0));
        let square = left_square(inner, 20.0);
        if self.is_at_work {
            glyph(&painter, square, Glyph::Dots, theme.series);
        } else {
            health_sign(&painter, square, stand.health, theme);
        }
        let left = square.right() + 12.0;
        let middle = rect.center().y;
        let room = inner.right() + 8.0 - left;
        let font = fitting(ui, name, 17.0, room);
        painter.text(pos2(left, middle - 1.0), Align2::LEFT_BOTTOM, name, font, theme.text);
        let galley = painter.layout_no_wrap(figure.to_owned(), plain(14.0), theme.weak);
        let small = (14.0 * (room / galley.size().x.max(1.0)).min(1.0)).floor().max(9.0);
        let at = pos2(left, middle + 2.0);
        painter.text(at, Align2::LEFT_TOP, figure, plain(small), theme.weak);
        response.clicked()
    }

    fn ground(
        &self,
        painter: &egui::Painter,
        theme: &Theme,
        rect: egui::Rect,
        response: &egui::Response,
    ) {
        if self.is_on {
            painter.rect_filled(rect, CornerRadius::same(8), theme.button);
            let bar = rect.with_max_x(rect.left() + 5.0);
            painter.rect_filled(bar, CornerRadius::same(2), theme.series);
        }
        if response.has_focus() || response.hovered() {
            let stroke = (2.0, if response.has_focus() { theme.series } else { theme.line });
            painter.rect_stroke(rect, CornerRadius::same(8), stroke, egui::StrokeKind::Inside);
        }
    }
}

/// Heavy letters for what stands at the head of a step.
pub fn head(ui: &mut Ui, name: &str) {
    let font = fitting(ui, name, 21.0, ui.available_width());
    ui.label(egui::RichText::new(name).font(font));
}

/// A heading within a step.
pub fn part(ui: &mut Ui, cx: &Cx<'_>, name: &str) {
    ui.add_space(6.0);
    ui.label(egui::RichText::new(name).font(heavy(15.0)).color(cx.theme.weak));
}
