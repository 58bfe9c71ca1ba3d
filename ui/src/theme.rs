//! Colours and sizes, and nothing else holds any. Takes the settings; gives a [`Theme`] and sets
//! egui's style by it.

use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, Stroke, TextStyle, Visuals};

use crate::Settings;

/// Colours, by what they mean.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Behind everything.
    pub ground: Color32,
    /// Behind a group of things.
    pub card: Color32,
    /// Behind what can be touched.
    pub button: Color32,
    /// Lines between things.
    pub line: Color32,
    /// Letters.
    pub text: Color32,
    /// Letters that matter less.
    pub weak: Color32,
    /// What is selected, and what leads on.
    pub accent: Color32,
    /// Letters on `accent`, `pass`, `reject`.
    pub on_accent: Color32,
    /// Good.
    pub pass: Color32,
    /// Bad.
    pub reject: Color32,
    /// In doubt.
    pub undecided: Color32,
    /// Letters on `undecided`.
    pub on_undecided: Color32,
}

/// Of what is touched, in points: 12 mm at scale 1 on a screen of 102 px an inch.
pub const TOUCH: f32 = 48.0;
/// Between things.
pub const GAP: f32 = 12.0;

impl Theme {
    /// The colours that `settings` ask for.
    #[must_use]
    pub const fn of(settings: &Settings) -> Self {
        if settings.is_dark { Self::DARK } else { Self::LIGHT }
    }

    const DARK: Self = Self {
        ground: Color32::from_rgb(14, 17, 22),
        card: Color32::from_rgb(25, 30, 38),
        button: Color32::from_rgb(44, 52, 64),
        line: Color32::from_rgb(58, 68, 82),
        text: Color32::from_rgb(240, 244, 250),
        weak: Color32::from_rgb(160, 172, 188),
        accent: Color32::from_rgb(64, 140, 255),
        on_accent: Color32::WHITE,
        pass: Color32::from_rgb(20, 138, 70),
        reject: Color32::from_rgb(208, 36, 42),
        undecided: Color32::from_rgb(255, 184, 0),
        on_undecided: Color32::BLACK,
    };

    const LIGHT: Self = Self {
        ground: Color32::from_rgb(236, 239, 243),
        card: Color32::WHITE,
        button: Color32::from_rgb(222, 228, 236),
        line: Color32::from_rgb(188, 197, 209),
        text: Color32::from_rgb(16, 20, 28),
        weak: Color32::from_rgb(78, 90, 106),
        accent: Color32::from_rgb(0, 92, 214),
        on_accent: Color32::WHITE,
        pass: Color32::from_rgb(0, 118, 54),
        reject: Color32::from_rgb(190, 16, 28),
        undecided: Color32::from_rgb(255, 184, 0),
        on_undecided: Color32::BLACK,
    };

    /// Sets egui's own style by this.
    pub fn apply(&self, ctx: &egui::Context, settings: &Settings) {
        ctx.set_zoom_factor(settings.scale);
        ctx.all_styles_mut(|style| {
            let font = |size| FontId::new(size, FontFamily::Proportional);
            style.text_styles = [
                (TextStyle::Small, font(14.0)),
                (TextStyle::Body, font(18.0)),
                (TextStyle::Button, font(18.0)),
                (TextStyle::Heading, font(26.0)),
                (TextStyle::Monospace, FontId::new(16.0, FontFamily::Monospace)),
            ]
            .into();
            style.spacing.item_spacing = egui::vec2(GAP, GAP);
            style.spacing.button_padding = egui::vec2(18.0, 10.0);
            style.spacing.interact_size = egui::vec2(TOUCH, TOUCH);
            style.visuals = self.visuals(settings.is_dark);
        });
    }

    fn visuals(&self, is_dark: bool) -> Visuals {
        let mut visuals = if is_dark { Visuals::dark() } else { Visuals::light() };
        visuals.panel_fill = self.ground;
        visuals.window_fill = self.card;
        visuals.extreme_bg_color = self.ground;
        visuals.override_text_color = Some(self.text);
        visuals.selection.bg_fill = self.accent;
        visuals.selection.stroke = Stroke::new(2.0, self.on_accent);
        let widgets = &mut visuals.widgets;
        for widget in
            [&mut widgets.inactive, &mut widgets.hovered, &mut widgets.active, &mut widgets.open]
        {
            widget.bg_fill = self.button;
            widget.weak_bg_fill = self.button;
            widget.corner_radius = CornerRadius::same(8);
        }
        widgets.noninteractive.bg_stroke = Stroke::new(1.0, self.line);
        visuals
    }

    /// Around a group of things.
    #[must_use]
    pub fn card(&self) -> egui::Frame {
        egui::Frame::new()
            .fill(self.card)
            .corner_radius(CornerRadius::same(10))
            .inner_margin(Margin::same(14))
    }
}

impl Theme {
    /// How much of something is at a place, 0 to 1: from nothing over amber to red.
    #[must_use]
    pub fn heat(&self, share: f32) -> Color32 {
        let share = share.clamp(0.0, 1.0);
        let colour = self.undecided.lerp_to_gamma(self.reject, share);
        if share > 0.0 { colour.gamma_multiply(0.35 + 0.55 * share) } else { Color32::TRANSPARENT }
    }
}
