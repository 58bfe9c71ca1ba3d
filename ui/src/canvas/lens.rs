//! From pixels of the camera's frame to points of the screen and back. A [`Lens`] is what a person
//! set by panning and zooming; a [`Sight`] is what that means in a place of the screen.

use domain::{PointPx, RectPx};
use egui::{Pos2, Rect, Vec2, pos2, vec2};

/// Screen pixels per frame pixel, at most.
pub const ZOOM_MAX: f32 = 32.0;

/// How a person looks at a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Lens {
    /// All of it, as large as it goes.
    #[default]
    Fit,
    /// A part of it.
    Free {
        /// What is in the middle, from the middle of the picture, in its pixels.
        off: Vec2,
        /// Points of the screen per pixel of the frame.
        zoom: f32,
    },
}

/// Where each pixel of the frame is on the screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sight {
    /// The place on the screen.
    pub place: Rect,
    /// The pixels of the frame that there is a picture of.
    pub covers: RectPx,
    /// What is in the middle of the place.
    middle: PointPx,
    /// Points of the screen per pixel of the frame.
    pub zoom: f32,
}

impl Lens {
    /// What is seen through it of `covers` in `place`, on a screen of so many pixels a point.
    #[must_use]
    pub fn sight(&self, place: Rect, covers: RectPx, pixels_per_point: f32) -> Sight {
        let centre = covers.centre();
        let fit = fit(place.size(), covers, pixels_per_point);
        let (off, zoom) = match *self {
            Self::Fit => (Vec2::ZERO, fit),
            Self::Free { off, zoom } => (off, zoom),
        };
        let middle = PointPx { x: centre.x + off.x, y: centre.y + off.y };
        Sight { place, covers, middle, zoom }
    }

    /// Zooms by a factor, so that what is at `about` on the screen stays there.
    pub fn zoom(&mut self, sight: &Sight, by: f32, about: Pos2, pixels_per_point: f32) {
        let fit = fit(sight.place.size(), sight.covers, pixels_per_point);
        let most = ZOOM_MAX / pixels_per_point;
        let zoom = (sight.zoom * by).clamp(fit.min(1.0 / pixels_per_point), most);
        let held = sight.to_frame(about);
        let from_middle = (about - sight.place.center()) / zoom;
        let centre = sight.covers.centre();
        let off = vec2(held.x - from_middle.x - centre.x, held.y - from_middle.y - centre.y);
        *self = Self::Free { off, zoom }.kept_in(sight.covers);
    }

    /// Moves the picture by so many points of the screen.
    pub fn pan(&mut self, sight: &Sight, by: Vec2) {
        let centre = sight.covers.centre();
        let off = vec2(sight.middle.x - centre.x, sight.middle.y - centre.y) - by / sight.zoom;
        *self = Self::Free { off, zoom: sight.zoom }.kept_in(sight.covers);
    }

    /// A pixel of the frame to a pixel of the screen, what is in the middle staying there.
    pub fn one_to_one(&mut self, sight: &Sight, pixels_per_point: f32) {
        let centre = sight.covers.centre();
        let off = vec2(sight.middle.x - centre.x, sight.middle.y - centre.y);
        *self = Self::Free { off, zoom: 1.0 / pixels_per_point };
    }

    /// Pans just so far that `at` is seen, with some room around it.
    pub fn reveal(&mut self, sight: &Sight, at: PointPx) {
        let inner = sight.place.shrink(40.0_f32.min(sight.place.size().min_elem() / 3.0));
        let on_screen = sight.to_screen(at);
        let seen = inner.clamp(on_screen);
        if seen != on_screen {
            self.pan(sight, seen - on_screen);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
    fn kept_in(self, covers: RectPx) -> Self {
        let half = vec2(covers.width as f32, covers.height as f32) / 2.0;
        match self {
            Self::Fit => self,
            Self::Free { off, zoom } => Self::Free { off: off.clamp(-half, half), zoom },
        }
    }
}

/// Points per pixel at which all of `covers` is seen.
#[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
fn fit(place: Vec2, covers: RectPx, pixels_per_point: f32) -> f32 {
    let (width, height) = (covers.width.max(1) as f32, covers.height.max(1) as f32);
    let zoom = (place.x / width).min(place.y / height);
    zoom.clamp(1e-4, ZOOM_MAX / pixels_per_point)
}

impl Sight {
    /// Where a place of the frame is on the screen.
    #[must_use]
    pub fn to_screen(&self, at: PointPx) -> Pos2 {
        self.place.center() + vec2(at.x - self.middle.x, at.y - self.middle.y) * self.zoom
    }

    /// What place of the frame is there on the screen.
    #[must_use]
    pub fn to_frame(&self, at: Pos2) -> PointPx {
        let from_middle = (at - self.place.center()) / self.zoom;
        PointPx { x: self.middle.x + from_middle.x, y: self.middle.y + from_middle.y }
    }

    /// Where a rectangle of pixels is on the screen.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
    pub fn rect(&self, of: RectPx) -> Rect {
        let corner = |x: u32, y: u32| self.to_screen(PointPx { x: x as f32, y: y as f32 });
        Rect::from_min_max(corner(of.x, of.y), corner(of.right(), of.bottom()))
    }

    /// The place of the frame there on the screen, at most on the picture's border.
    #[must_use]
    pub fn on_picture(&self, at: Pos2) -> PointPx {
        clamped(self.to_frame(at), self.covers)
    }

    /// The same, of another picture that is looked at beside this one: as large, and as far from
    /// its middle.
    #[must_use]
    pub fn beside(&self, place: Rect, covers: RectPx) -> Self {
        let (mine, other) = (self.covers.centre(), covers.centre());
        let middle =
            PointPx { x: self.middle.x - mine.x + other.x, y: self.middle.y - mine.y + other.y };
        Self { place, covers, middle, zoom: self.zoom }
    }

    /// Where the picture is on the screen, cut to the place.
    #[must_use]
    pub fn seen(&self) -> Rect {
        self.rect(self.covers).intersect(self.place)
    }
}

/// The nearest place in `covers`, its right and bottom borders included.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
pub fn clamped(at: PointPx, covers: RectPx) -> PointPx {
    let within = Rect::from_min_max(
        pos2(covers.x as f32, covers.y as f32),
        pos2(covers.right() as f32, covers.bottom() as f32),
    );
    let at = within.clamp(pos2(at.x, at.y));
    PointPx { x: at.x, y: at.y }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place() -> Rect {
        Rect::from_min_size(pos2(210.0, 90.0), vec2(760.0, 540.0))
    }

    fn near(a: f32, b: f32, by: f32) -> bool {
        (a - b).abs() <= by
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same_place(
            (x, y, w, h) in (0_u32..8000, 0_u32..8000, 1_u32..8000, 1_u32..8000),
            steps in prop::collection::vec((0.3_f32..3.0, 0.0_f32..1.0, 0.0_f32..1.0), 0..12),
            scale in 1.0_f32..3.0,
            (u, v) in (0.0_f32..1.0, 0.0_f32..1.0),
        ) {
            let covers = RectPx::new(x, y, w, h);
            let mut lens = Lens::Fit;
            for (by, across, down) in steps {
                let sight = lens.sight(place(), covers, scale);
                let about = place().min + vec2(across, down) * place().size();
                lens.zoom(&sight, by, about, scale);
            }
            let sight = lens.sight(place(), covers, scale);
            prop_assert!(sight.zoom * scale <= ZOOM_MAX * 1.0001);
            let on_screen = place().min + vec2(u, v) * place().size();
            let back = sight.to_screen(sight.to_frame(on_screen));
            // A hundredth of a point; the frame's numbers are exact to 1/1024 pixel.
            let by = 0.01 + sight.zoom / 512.0;
            prop_assert!(near(back.x, on_screen.x, by) && near(back.y, on_screen.y, by));
        }

        #[test]
        fn what_is_under_the_pointer_stays_there_while_the_border_is_not_reached(
            by in 1.0_f32..4.0, (u, v) in (0.3_f32..0.7, 0.3_f32..0.7),
        ) {
            let covers = RectPx::new(100, 40, 4000, 3000);
            let mut lens = Lens::Fit;
            let sight = lens.sight(place(), covers, 1.0);
            let about = place().min + vec2(u, v) * place().size();
            let held = sight.to_frame(about);
            lens.zoom(&sight, by, about, 1.0);
            let after = lens.sight(place(), covers, 1.0).to_frame(about);
            prop_assert!(near(held.x, after.x, 0.01) && near(held.y, after.y, 0.01));
        }

        #[test]
        fn every_pixel_is_its_own_square_at_the_highest_zoom(px in 0_u32..160, py in 0_u32..120) {
            let covers = RectPx::new(20, 20, 160, 120);
            let sight = Lens::Free { off: Vec2::ZERO, zoom: 32.0 }.sight(place(), covers, 1.0);
            let square = sight.rect(RectPx::new(20 + px, 20 + py, 1, 1));
            prop_assert!(near(square.width(), 32.0, 1e-3));
            let at = sight.to_frame(square.center());
            prop_assert_eq!((at.x.floor(), at.y.floor()), ((20 + px) as f32, (20 + py) as f32));
        }
    }

    #[test]
    fn fit_shows_all_of_it_and_one_to_one_is_a_pixel_a_pixel() {
        let covers = RectPx::new(0, 0, 1520, 540);
        let sight = Lens::Fit.sight(place(), covers, 2.0);
        assert!(place().expand(0.01).contains_rect(sight.rect(covers)));
        let mut lens = Lens::Fit;
        lens.one_to_one(&sight, 2.0);
        assert_eq!(lens.sight(place(), covers, 2.0).zoom, 0.5);
    }

    #[test]
    fn one_pixel_alone_can_be_looked_at() {
        let sight = Lens::Fit.sight(place(), RectPx::new(7, 9, 1, 1), 1.0);
        assert_eq!(sight.zoom, ZOOM_MAX);
        assert_eq!(sight.rect(sight.covers).center(), place().center());
    }

    #[test]
    fn panning_never_loses_the_picture() {
        let covers = RectPx::new(0, 0, 100, 100);
        let mut lens = Lens::Fit;
        for _ in 0..100 {
            let sight = lens.sight(place(), covers, 1.0);
            lens.pan(&sight, vec2(500.0, -300.0));
        }
        assert!(lens.sight(place(), covers, 1.0).seen().is_positive());
    }

    #[test]
    fn a_cursor_that_leaves_is_followed() {
        let covers = RectPx::new(0, 0, 4000, 3000);
        let mut lens = Lens::Free { off: Vec2::ZERO, zoom: 8.0 };
        let at = PointPx { x: 3999.5, y: 0.5 };
        lens.reveal(&lens.sight(place(), covers, 1.0), at);
        let sight = lens.sight(place(), covers, 1.0);
        assert!(place().contains(sight.to_screen(at)));
    }
}
