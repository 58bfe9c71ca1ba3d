//! Colours, letters and sizes, and nothing else holds any. Takes the settings; gives a [`Theme`]
//! and sets egui's style by it.

use std::sync::Arc;

use domain::VerdictKind;
use egui::{
    Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Stroke,
    TextStyle, Visuals,
};

use crate::Settings;

/// Colours, by what they mean.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    /// Behind everything.
    pub ground: Color32,
    /// Behind the bar and the rail of pages.
    pub bar: Color32,
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
    /// Good; behind letters.
    pub pass: Color32,
    /// Bad; behind letters.
    pub reject: Color32,
    /// In doubt; behind letters.
    pub undecided: Color32,
    /// Letters on `undecided`.
    pub on_undecided: Color32,
    /// Good; letters and shapes on `card` and `ground`.
    pub pass_ink: Color32,
    /// Bad; letters and shapes on `card` and `ground`.
    pub reject_ink: Color32,
    /// In doubt; letters and shapes on `card` and `ground`.
    pub undecided_ink: Color32,
    /// Lines and bars of charts that mean no verdict.
    pub series: Color32,
    /// The lamp when it shines for a good part; its letters are `on_lamp_pass`.
    pub lamp_pass: Color32,
    /// Letters on `lamp_pass`.
    pub on_lamp_pass: Color32,
    /// The lamp when it is out; its letters are `text`.
    pub lamp_out: Color32,
}

/// Of what is touched, in points: 12 mm at scale 1 on a screen of 102 px an inch.
pub const TOUCH: f32 = 48.0;
/// Between things.
pub const GAP: f32 = 12.0;
/// Of the corners of cards and lamps.
pub const ROUND: u8 = 10;

/// The name under which egui knows the heavy letters.
const HEAVY: &str = "heavy";

/// Heavy letters, `size` points high.
#[must_use]
pub fn heavy(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(HEAVY.into()))
}

/// Plain letters, `size` points high.
#[must_use]
pub const fn plain(size: f32) -> FontId {
    FontId::new(size, FontFamily::Proportional)
}

impl Theme {
    /// The colours that `settings` ask for.
    #[must_use]
    pub const fn of(settings: &Settings) -> Self {
        if settings.is_dark { Self::DARK } else { Self::LIGHT }
    }

    const DARK: Self = Self {
        ground: Color32::from_rgb(13, 16, 21),
        bar: Color32::from_rgb(20, 24, 31),
        card: Color32::from_rgb(27, 32, 41),
        button: Color32::from_rgb(48, 57, 71),
        line: Color32::from_rgb(56, 66, 81),
        text: Color32::from_rgb(240, 244, 250),
        weak: Color32::from_rgb(164, 176, 192),
        accent: Color32::from_rgb(30, 98, 216),
        on_accent: Color32::WHITE,
        pass: Color32::from_rgb(14, 124, 64),
        reject: Color32::from_rgb(178, 14, 26),
        undecided: Color32::from_rgb(255, 190, 26),
        on_undecided: Color32::from_rgb(20, 14, 0),
        pass_ink: Color32::from_rgb(52, 211, 122),
        reject_ink: Color32::from_rgb(255, 112, 104),
        undecided_ink: Color32::from_rgb(255, 196, 46),
        series: Color32::from_rgb(92, 160, 255),
        lamp_pass: Color32::from_rgb(40, 200, 108),
        on_lamp_pass: Color32::from_rgb(0, 22, 8),
        lamp_out: Color32::from_rgb(44, 52, 64),
    };

    const LIGHT: Self = Self {
        ground: Color32::from_rgb(232, 236, 241),
        bar: Color32::from_rgb(248, 250, 252),
        card: Color32::WHITE,
        button: Color32::from_rgb(221, 227, 236),
        line: Color32::from_rgb(196, 204, 215),
        text: Color32::from_rgb(14, 18, 26),
        weak: Color32::from_rgb(74, 86, 102),
        accent: Color32::from_rgb(0, 86, 204),
        on_accent: Color32::WHITE,
        pass: Color32::from_rgb(0, 100, 46),
        reject: Color32::from_rgb(178, 14, 26),
        undecided: Color32::from_rgb(255, 190, 26),
        on_undecided: Color32::from_rgb(20, 14, 0),
        pass_ink: Color32::from_rgb(0, 108, 50),
        reject_ink: Color32::from_rgb(184, 16, 28),
        undecided_ink: Color32::from_rgb(128, 84, 0),
        series: Color32::from_rgb(0, 86, 204),
        lamp_pass: Color32::from_rgb(0, 100, 46),
        on_lamp_pass: Color32::WHITE,
        lamp_out: Color32::from_rgb(214, 221, 230),
    };

    /// Behind the lamp of a part with that verdict, and the letters on it. Good is the lightest of
    /// the dark colours or the other way round, so that they differ in brightness as well.
    #[must_use]
    pub const fn lamp(&self, verdict: VerdictKind) -> (Color32, Color32) {
        match verdict {
            VerdictKind::Pass => (self.lamp_pass, self.on_lamp_pass),
            VerdictKind::Reject => (self.reject, self.on_accent),
            VerdictKind::Undecided => (self.undecided, self.on_undecided),
        }
    }

    /// Letters and small shapes that mean that verdict, on a card.
    #[must_use]
    pub const fn ink(&self, verdict: VerdictKind) -> Color32 {
        match verdict {
            VerdictKind::Pass => self.pass_ink,
            VerdictKind::Reject => self.reject_ink,
            VerdictKind::Undecided => self.undecided_ink,
        }
    }

    /// Colours of what lies over pictures, which are dark whatever the theme.
    #[must_use]
    pub const fn on_picture() -> &'static Self {
        &Self::DARK
    }

    /// Boxes on pictures, which are dark whatever the theme: of a part with that verdict, or of one
    /// that has none yet.
    #[must_use]
    pub const fn mark(&self, verdict: Option<VerdictKind>) -> Color32 {
        match verdict {
            Some(verdict) => Self::DARK.ink(verdict),
            None => Color32::WHITE,
        }
    }

    /// Pairs of letters and what is behind them, by name: what must be told apart on a screen with
    /// scratches and sun on it.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, Color32, Color32)> {
        let mut pairs = vec![
            ("accent", self.on_accent, self.accent),
            ("pass", self.on_accent, self.pass),
            ("reject", self.on_accent, self.reject),
            ("undecided", self.on_undecided, self.undecided),
        ];
        for (behind, ground) in [("ground", self.ground), ("bar", self.bar), ("card", self.card)] {
            let inks = [self.text, self.weak, self.pass_ink, self.reject_ink, self.undecided_ink];
            pairs.extend(inks.map(|ink| (behind, ink, ground)));
        }
        pairs.push(("button", self.text, self.button));
        pairs
    }

    /// The lamp's pairs of letters and ground.
    #[must_use]
    pub const fn lamp_pairs(&self) -> [(&'static str, Color32, Color32); 4] {
        let (pass, on_pass) = self.lamp(VerdictKind::Pass);
        let (reject, on_reject) = self.lamp(VerdictKind::Reject);
        let (undecided, on_undecided) = self.lamp(VerdictKind::Undecided);
        [
            ("pass", on_pass, pass),
            ("reject", on_reject, reject),
            ("undecided", on_undecided, undecided),
            ("out", self.text, self.lamp_out),
        ]
    }

    /// Has egui know the letters; once, before any is painted.
    pub fn load_fonts(ctx: &egui::Context) {
        let mut fonts = FontDefinitions::default();
        let medium = FontData::from_static(include_bytes!("../fonts/inter-medium.otf"));
        let bold = FontData::from_static(include_bytes!("../fonts/inter-bold.otf"));
        fonts.font_data.insert("inter-medium".to_owned(), Arc::new(medium));
        fonts.font_data.insert("inter-bold".to_owned(), Arc::new(bold));
        let proportional = fonts.families.entry(FontFamily::Proportional).or_default();
        let mut behind_bold = proportional.clone();
        proportional.insert(0, "inter-medium".to_owned());
        behind_bold.insert(0, "inter-bold".to_owned());
        fonts.families.insert(FontFamily::Name(HEAVY.into()), behind_bold);
        ctx.set_fonts(fonts);
    }

    /// Sets egui's own style by this.
    pub fn apply(&self, ctx: &egui::Context, settings: &Settings) {
        ctx.set_zoom_factor(settings.scale);
        ctx.all_styles_mut(|style| {
            style.text_styles = [
                (TextStyle::Small, plain(14.0)),
                (TextStyle::Body, plain(17.0)),
                (TextStyle::Button, plain(17.0)),
                (TextStyle::Heading, heavy(24.0)),
                (TextStyle::Monospace, FontId::new(16.0, FontFamily::Monospace)),
            ]
            .into();
            style.spacing.item_spacing = egui::vec2(GAP, GAP);
            style.spacing.button_padding = egui::vec2(18.0, 10.0);
            style.spacing.interact_size = egui::vec2(TOUCH, TOUCH);
            style.spacing.slider_width = 220.0;
            style.spacing.scroll = egui::style::ScrollStyle::solid();
            style.spacing.scroll.bar_width = 12.0;
            // A finger that wipes over a word does not want to copy it.
            style.interaction.selectable_labels = false;
            // Every frame of an animation costs a software renderer 70 ms.
            style.animation_time = 0.0;
            style.visuals = self.visuals(settings.is_dark);
        });
    }

    fn visuals(&self, is_dark: bool) -> Visuals {
        let mut visuals = if is_dark { Visuals::dark() } else { Visuals::light() };
        visuals.panel_fill = self.ground;
        visuals.window_fill = self.card;
        visuals.window_stroke = Stroke::new(1.0, self.line);
        visuals.extreme_bg_color = self.ground;
        visuals.override_text_color = Some(self.text);
        visuals.weak_text_color = Some(self.weak);
        // The letters that are selected, and the edge of the field that is written into.
        visuals.selection.bg_fill = self.accent.gamma_multiply(if is_dark { 1.0 } else { 0.3 });
        visuals.selection.stroke = Stroke::new(2.0, self.text);
        let widgets = &mut visuals.widgets;
        for widget in
            [&mut widgets.inactive, &mut widgets.hovered, &mut widgets.active, &mut widgets.open]
        {
            widget.bg_fill = self.button;
            widget.weak_bg_fill = self.button;
            widget.corner_radius = CornerRadius::same(8);
            widget.expansion = 0.0;
        }
        // Where the keyboard is, is seen from afar.
        for widget in [&mut widgets.hovered, &mut widgets.active] {
            widget.bg_stroke = Stroke::new(2.0, self.text);
        }
        widgets.noninteractive.bg_stroke = Stroke::new(1.0, self.line);
        visuals
    }

    /// Around a group of things.
    pub fn card(&self) -> egui::Frame {
        egui::Frame::new()
            .fill(self.card)
            .corner_radius(CornerRadius::same(ROUND))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance as WCAG 2.2 has it.
    fn luminance(colour: Color32) -> f64 {
        let linear = |byte: u8| match f64::from(byte) / 255.0 {
            low if low <= 0.04045 => low / 12.92,
            high => ((high + 0.055) / 1.055).powf(2.4),
        };
        0.2126 * linear(colour.r()) + 0.7152 * linear(colour.g()) + 0.0722 * linear(colour.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn contrast_is_as_wcag_has_it() {
        assert!((contrast(Color32::BLACK, Color32::WHITE) - 21.0).abs() < 1e-9);
        let gray = Color32::from_rgb(0x76, 0x76, 0x76);
        assert!((contrast(gray, Color32::WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn letters_are_told_from_their_ground() {
        for (name, theme) in [("dark", Theme::DARK), ("light", Theme::LIGHT)] {
            for (pair, ink, ground) in theme.pairs() {
                let contrast = contrast(ink, ground);
                assert!(contrast >= 4.5, "{name} {pair}: {ink:?} on {ground:?} is {contrast:.2}");
            }
            for (pair, ink, ground) in theme.lamp_pairs() {
                let contrast = contrast(ink, ground);
                assert!(contrast >= 7.0, "{name} lamp {pair}: {contrast:.2}");
            }
        }
    }

    #[test]
    fn the_lamps_differ_in_brightness_for_who_does_not_see_their_colour() {
        for theme in [Theme::DARK, Theme::LIGHT] {
            let lamps = [VerdictKind::Pass, VerdictKind::Reject, VerdictKind::Undecided];
            let grounds = lamps.map(|verdict| theme.lamp(verdict).0);
            assert!(contrast(grounds[2], grounds[1]) > 2.0);
            assert!(contrast(grounds[2], grounds[0]) > 1.25);
        }
    }
}
