//! Pixels to tensor: takes a crop of a picture where it lies, gives a network's input, or the
//! canvas that is shown to it in tiles.
//!
//! Each row of the crop is read once. Scaling is Pillow's `BILINEAR` (a triangle as wide as the
//! step down, so that nothing is skipped), in f32 and in a fixed order: the same crop gives the
//! same bits on every machine.

use std::ops::Range;

use domain::{FindingFault, Pixels, Placement, RectPx, Tensor};

use crate::manifest::{InputSpec, Resize};
use crate::rows::{Neighbours, Rows};

/// Makes tensors for one network. Keeps what it needs between pictures; one a thread.
#[derive(Debug)]
pub struct Shaper {
    spec: InputSpec,
    across: Axis,
    down: Axis,
    row: Vec<f32>,
    /// Rows of the result that are not finished, at the crop's width.
    unfinished: Vec<f32>,
    /// A row of the result before it is normalised.
    line: Vec<f32>,
    neighbours: Neighbours,
}

impl Shaper {
    /// A shaper for inputs like `spec`.
    #[must_use]
    pub fn new(spec: InputSpec) -> Self {
        Self {
            spec,
            across: Axis::default(),
            down: Axis::default(),
            row: Vec::new(),
            unfinished: Vec::new(),
            line: Vec::new(),
            neighbours: Neighbours::default(),
        }
    }

    /// Puts `crop` of `pixels` into `out`, resized and normalised, and says in its placement how it
    /// was laid. `out` comes from [`InputSpec::tensor`] and is used again and again; any other
    /// shape is corrected.
    ///
    /// # Errors
    /// [`FindingFault::NotPrepared`] when the crop is empty or reaches beyond the picture, or the
    /// camera gave fewer bytes than its format and size need.
    pub fn prepare(
        &mut self,
        pixels: &dyn Pixels,
        crop: RectPx,
        out: &mut Tensor,
    ) -> Result<(), FindingFault> {
        let rows = Rows::new(pixels, crop, self.spec.colour)?;
        let laid = Laid::new(&self.spec, crop);
        self.across.fit(crop.width, laid.inside.width);
        self.down.fit(crop.height, laid.inside.height);
        out.shape = self.spec.shape();
        out.data.resize(out.shape.iter().product(), 0.0);
        out.placement = laid.placement;
        if laid.inside != self.spec.canvas().rect() {
            self.pad(&mut out.data);
        }
        self.resample(&rows, laid.inside, &mut out.data);
        Ok(())
    }

    /// Each row of the crop is added, weighted, to the rows of the result that it touches; a row
    /// of the result that has all its share is scaled across and put in its place.
    fn resample(&mut self, rows: &Rows<'_>, inside: RectPx, data: &mut [f32]) {
        let wide = self.across.from * rows.channels();
        let slots = self.down.overlap;
        self.row.resize(wide, 0.0);
        self.unfinished.clear();
        self.unfinished.resize(wide * slots, 0.0);
        let mut next = 0;
        for y in 0..self.down.from {
            rows.read(y, &mut self.row, &mut self.neighbours);
            for to in next..self.down.to {
                let Some(weight) = self.down.weight(to, y) else { break };
                let slot = &mut self.unfinished[to % slots * wide..][..wide];
                add_weighted(slot, &self.row, weight);
            }
            while next < self.down.to && self.down.stop(next) == y + 1 {
                self.finish(next, next % slots * wide..(next % slots + 1) * wide, inside, data);
                next += 1;
            }
        }
    }

    /// Scales row `y` of the result, which lies in `slot`, across, normalises it and puts it into
    /// every channel it stands for. The slot is free again.
    fn finish(&mut self, y: usize, slot: Range<usize>, inside: RectPx, data: &mut [f32]) {
        let [_, channels, height, width] = self.spec.shape();
        let start = (inside.y as usize + y) * width + inside.x as usize;
        let planes = slot.len() / self.across.from;
        self.line.resize(self.across.to, 0.0);
        for plane in 0..planes {
            let from = slot.start + plane * self.across.from;
            self.across.scale(&self.unfinished[from..][..self.across.from], &mut self.line);
            // A single plane stands for all channels.
            for channel in (plane..channels).step_by(planes) {
                let channel = self.spec.colour.channel_of(channel);
                let (gain, offset) = self.normalise(channel);
                let out = &mut data[channel * height * width + start..][..self.line.len()];
                for (out, value) in out.iter_mut().zip(&self.line) {
                    *out = value * gain + offset;
                }
            }
        }
        self.unfinished[slot].fill(0.0);
    }

    fn pad(&self, data: &mut [f32]) {
        let [_, _, height, width] = self.spec.shape();
        for (channel, plane) in data.chunks_exact_mut(height * width).enumerate() {
            let (gain, offset) = self.normalise(channel);
            plane.fill(self.spec.pad * 255.0 * gain + offset);
        }
    }

    /// Gain and offset from 0..=255 to what the network takes.
    fn normalise(&self, channel: usize) -> (f32, f32) {
        let (mean, std) = (self.spec.mean[channel], self.spec.std[channel]);
        (1.0 / (255.0 * std), -mean / std)
    }
}

fn add_weighted(sum: &mut [f32], row: &[f32], weight: f32) {
    for (sum, value) in sum.iter_mut().zip(row) {
        *sum += value * weight;
    }
}

/// Where on the canvas a crop is laid.
struct Laid {
    /// In pixels of the canvas.
    inside: RectPx,
    placement: Placement,
}

impl Laid {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sides of pictures: small, positive, and clamped to the canvas's"
    )]
    fn new(spec: &InputSpec, crop: RectPx) -> Self {
        let side = |from: u32, scale: f64, to: u32| {
            ((f64::from(from) * scale).round_ties_even() as u32).clamp(1, to)
        };
        let canvas = spec.canvas();
        let (across, down) = (
            f64::from(canvas.width) / f64::from(crop.width),
            f64::from(canvas.height) / f64::from(crop.height),
        );
        let (width, height) = match spec.resize {
            Resize::Stretch => (canvas.width, canvas.height),
            Resize::Letterbox => {
                let scale = across.min(down);
                (side(crop.width, scale, canvas.width), side(crop.height, scale, canvas.height))
            }
        };
        let (x, y) = ((canvas.width - width) / 2, (canvas.height - height) / 2);
        let (scale_x, scale_y) =
            (f64::from(width) / f64::from(crop.width), f64::from(height) / f64::from(crop.height));
        let placement = Placement {
            offset_x_px: (f64::from(crop.x) - f64::from(x) / scale_x) as f32,
            offset_y_px: (f64::from(crop.y) - f64::from(y) / scale_y) as f32,
            scale_x: scale_x as f32,
            scale_y: scale_y as f32,
        };
        Self { inside: RectPx::new(x, y, width, height), placement }
    }
}

/// Which pixels of a line make each pixel of a longer or shorter one, and how much each counts.
#[derive(Debug, Default)]
struct Axis {
    from: usize,
    to: usize,
    /// Weights a pixel of the result; those it does not use are 0.
    taps: usize,
    /// First pixel, and how many.
    spans: Vec<(usize, usize)>,
    weights: Vec<f32>,
    /// How many neighbouring results share a pixel, at most.
    overlap: usize,
}

impl Axis {
    /// Works out the weights from `from` to `to` pixels; nothing to do when they are the same as
    /// last time.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "Pillow's own rounding, on sides of pictures; weights are kept as f32"
    )]
    fn fit(&mut self, from: u32, to: u32) {
        if (self.from, self.to) == (from as usize, to as usize) {
            return;
        }
        (self.from, self.to) = (from as usize, to as usize);
        let scale = f64::from(from) / f64::from(to);
        let support = scale.max(1.0);
        self.taps = support.ceil() as usize * 2 + 1;
        self.spans.clear();
        self.weights.clear();
        for i in 0..to {
            let centre = (f64::from(i) + 0.5) * scale;
            let first = (centre - support + 0.5).max(0.0) as usize;
            let stop = ((centre + support + 0.5) as usize).min(self.from);
            let triangle = |j: usize| {
                let distance = ((j as f64 + 0.5 - centre) / support).abs();
                (1.0 - distance).max(0.0)
            };
            let total: f64 = (first..stop).map(triangle).sum();
            self.spans.push((first, stop - first));
            self.weights.extend((first..stop).map(|j| (triangle(j) / total) as f32));
            self.weights.resize(self.spans.len() * self.taps, 0.0);
        }
        self.overlap = self.most_in_one_place();
    }

    fn most_in_one_place(&self) -> usize {
        let sharing = |i: usize| {
            let stop = self.stop(i);
            self.spans[i..].iter().take_while(|(first, _)| *first < stop).count()
        };
        (0..self.to).map(sharing).max().unwrap_or(1)
    }

    /// The pixel after the last that `to` is made of.
    fn stop(&self, to: usize) -> usize {
        let (first, count) = self.spans[to];
        first + count
    }

    /// How much pixel `from` counts in `to`; `None` when `to` begins after it.
    fn weight(&self, to: usize, from: usize) -> Option<f32> {
        let (first, count) = self.spans[to];
        let tap = from.checked_sub(first)?;
        Some(if tap < count { self.weights[to * self.taps + tap] } else { 0.0 })
    }

    /// Scales `line` into `out`.
    fn scale(&self, line: &[f32], out: &mut [f32]) {
        let weights = self.weights.chunks_exact(self.taps);
        for ((out, &(first, count)), weights) in out.iter_mut().zip(&self.spans).zip(weights) {
            *out = line[first..first + count].iter().zip(weights).map(|(v, w)| v * w).sum();
        }
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "made-up pixels wrap as they like")]
mod tests {
    use domain::{OwnedPixels, PixelFormat, SizePx};
    use proptest::prelude::*;

    use super::*;
    use crate::manifest::Colour;
    use crate::rows::tests::picture;

    /// A network that takes pixels as they are, 0..=255.
    fn spec(width: u32, height: u32, colour: Colour, resize: Resize) -> InputSpec {
        let channels = colour.channels();
        InputSpec {
            name: "image".into(),
            width,
            height,
            colour,
            resize,
            pad: 0.2,
            mean: vec![0.0; channels],
            std: vec![1.0 / 255.0; channels],
            tiling: None,
        }
    }

    fn prepared(spec: InputSpec, pixels: &dyn Pixels, crop: RectPx) -> Tensor {
        let mut tensor = spec.tensor();
        Shaper::new(spec).prepare(pixels, crop, &mut tensor).unwrap();
        tensor
    }

    fn level(x: usize, y: usize) -> u8 {
        ((x * 37 + y * 91 + x * y * 13) % 256) as u8
    }

    fn gray(width: u32, height: u32) -> OwnedPixels {
        picture(PixelFormat::Gray8, SizePx::new(width, height), |_, x, y| level(x, y))
    }

    /// 9 x 7 pixels of [`level`] through Pillow's `resize(.., BILINEAR)` in mode `F`.
    const PILLOW_4X3: [f32; 12] = [
        106.9184, 137.7805, 138.4425, 130.6816, 121.7059, 147.9326, 136.6958, 124.0319, 108.4041,
        141.3206, 137.2578, 150.1429,
    ];
    const PILLOW_5X10: [f32; 50] = [
        21.1429, 78.625, 148.0, 169.375, 37.1429, 75.2786, 143.8687, 118.9794, 147.0312, 130.25,
        139.6071, 174.9062, 115.9265, 126.5938, 189.3214, 195.7071, 112.3438, 173.8618, 120.5563,
        141.4214, 109.1786, 153.7812, 143.7029, 145.7188, 105.4071, 88.4786, 147.2188, 133.1206,
        145.2812, 102.3071, 140.0071, 92.6562, 148.1382, 118.4437, 132.1214, 132.1071, 142.0938,
        153.3676, 112.4062, 173.8214, 107.75, 119.5312, 165.3735, 127.9688, 166.15, 81.4286,
        70.375, 177.7647, 149.625, 138.5714,
    ];
    /// First and last row of 12 x 8.
    const PILLOW_12X8: [[f32; 12]; 2] = [
        [
            0.0, 23.125, 50.875, 78.625, 106.375, 134.125, 161.875, 189.625, 217.375, 85.125,
            16.875, 40.0,
        ],
        [
            34.0, 105.875, 96.125, 22.375, 108.625, 194.875, 185.125, 111.375, 197.625, 123.875,
            114.125, 186.0,
        ],
    ];

    #[track_caller]
    fn assert_near(got: &[f32], wanted: &[f32]) {
        assert_eq!(got.len(), wanted.len());
        for (got, wanted) in got.iter().zip(wanted) {
            assert!((got - wanted).abs() < 2e-3, "{got} is not {wanted}");
        }
    }

    #[test]
    fn scaling_is_pillows() {
        let (pixels, crop) = (gray(9, 7), RectPx::new(0, 0, 9, 7));
        let scaled = |width, height| {
            prepared(spec(width, height, Colour::Gray, Resize::Stretch), &pixels, crop).data
        };
        assert_near(&scaled(4, 3), &PILLOW_4X3);
        assert_near(&scaled(5, 10), &PILLOW_5X10);
        let larger = scaled(12, 8);
        assert_near(&larger[..12], &PILLOW_12X8[0]);
        assert_near(&larger[7 * 12..], &PILLOW_12X8[1]);
    }

    #[test]
    fn the_same_size_is_the_same_pixels() {
        let tensor = prepared(
            spec(5, 4, Colour::Gray, Resize::Stretch),
            &gray(9, 7),
            RectPx::new(4, 3, 5, 4),
        );
        let wanted: Vec<_> =
            (3..7).flat_map(|y| (4..9).map(move |x| f32::from(level(x, y)))).collect();
        assert_eq!(tensor.data, wanted);
        let placement =
            Placement { offset_x_px: 4.0, offset_y_px: 3.0, scale_x: 1.0, scale_y: 1.0 };
        assert_eq!(tensor.placement, placement);
    }

    #[test]
    fn a_gray_camera_feeds_every_channel_of_a_colour_network() {
        let mut spec = spec(6, 6, Colour::Rgb, Resize::Stretch);
        let once = prepared(
            InputSpec {
                mean: vec![0.0],
                std: vec![1.0 / 255.0],
                colour: Colour::Gray,
                ..spec.clone()
            },
            &gray(9, 7),
            RectPx::new(0, 0, 9, 7),
        );
        spec.mean = vec![0.0, 0.0, 1.0];
        let thrice = prepared(spec, &gray(9, 7), RectPx::new(0, 0, 9, 7));
        assert_eq!(thrice.shape, [1, 3, 6, 6]);
        assert_eq!(thrice.data[..36], once.data);
        assert_eq!(thrice.data[36..72], once.data);
        let lower: Vec<_> = once.data.iter().map(|value| value - 255.0).collect();
        assert_near(&thrice.data[72..], &lower);
    }

    #[test]
    fn each_channel_has_its_own_mean_and_std() {
        let mut spec = spec(2, 2, Colour::Rgb, Resize::Stretch);
        spec.mean = vec![0.0, 0.5, 1.0];
        spec.std = vec![1.0, 0.5, 0.25];
        let pixels = picture(PixelFormat::Bgr8, SizePx::new(4, 4), |_, x, _| [0, 255, 51][x % 3]);
        let tensor = prepared(spec, &pixels, RectPx::new(0, 0, 4, 4));
        assert_near(
            &tensor.data,
            &[0.2, 0.2, 0.2, 0.2, 1.0, 1.0, 1.0, 1.0, -4.0, -4.0, -4.0, -4.0],
        );
    }

    #[test]
    fn a_letterbox_is_centred_and_padded() {
        let pixels = picture(PixelFormat::Gray8, SizePx::new(20, 20), |_, _, _| 200);
        let spec = spec(9, 6, Colour::Gray, Resize::Letterbox);
        let tensor = prepared(spec, &pixels, RectPx::new(8, 4, 5, 10));
        // 5 x 10 becomes 3 x 6, three columns of border on both sides.
        for row in tensor.data.chunks_exact(9) {
            assert_near(row, &[51., 51., 51., 200., 200., 200., 51., 51., 51.]);
        }
        let laid = tensor.placement;
        assert_eq!(laid.scale_x, 0.6);
        assert!((laid.offset_x_px - 3.0).abs() < 1e-4 && (laid.offset_y_px - 4.0).abs() < 1e-4);
    }

    #[test]
    fn what_an_earlier_picture_left_does_not_show() {
        let spec = spec(11, 6, Colour::Rgb, Resize::Letterbox);
        let (first, second) = (gray(30, 20), gray(9, 31));
        let nv12 = picture(PixelFormat::Nv12, SizePx::new(9, 31), |p, x, y| level(x + p, y));
        let mut shaper = Shaper::new(spec.clone());
        let mut tensor = Tensor { shape: [0; 4], data: vec![f32::NAN; 7], ..spec.tensor() };
        for pixels in [&first as &dyn Pixels, &nv12, &second] {
            let crop = pixels.size().rect();
            shaper.prepare(pixels, crop, &mut tensor).unwrap();
            assert_eq!(tensor, prepared(spec.clone(), pixels, crop));
        }
    }

    #[test]
    fn the_extremes_are_prepared() {
        for (width, height) in [(1, 1), (1, 400), (400, 1), (400, 3)] {
            for resize in [Resize::Letterbox, Resize::Stretch] {
                let spec = spec(13, 5, Colour::Gray, resize);
                let tensor =
                    prepared(spec, &gray(width, height), SizePx::new(width, height).rect());
                assert!(tensor.data.iter().all(|value| (0.0..=255.001).contains(value)));
            }
        }
    }

    #[test]
    fn a_crop_outside_is_a_fault() {
        let spec = spec(4, 4, Colour::Gray, Resize::Stretch);
        let mut tensor = spec.tensor();
        let fault = Shaper::new(spec)
            .prepare(&gray(9, 7), RectPx::new(5, 0, 5, 7), &mut tensor)
            .unwrap_err();
        assert!(matches!(fault, FindingFault::NotPrepared { .. }));
    }

    proptest! {
        /// A picture whose level is its column or row shows where each input pixel came from.
        #[test]
        fn the_placement_says_where_each_pixel_came_from(
            (x, y, width, height) in (0_u32..40, 0_u32..40, 12_u32..60, 12_u32..60),
            (to_x, to_y) in (8_u32..70, 8_u32..70),
            letterbox in any::<bool>(),
        ) {
            let size = SizePx::new(100, 100);
            let crop = RectPx::new(x, y, width, height);
            let resize = if letterbox { Resize::Letterbox } else { Resize::Stretch };
            let spec = spec(to_x, to_y, Colour::Rgb, resize);
            let pixels = picture(PixelFormat::Rgb8, size, |_, byte, y| match byte % 3 {
                0 => 2 * (byte / 3) as u8,
                1 => 2 * y as u8,
                _ => 255,
            });
            let tensor = prepared(spec, &pixels, crop);
            let plane = (to_x * to_y) as usize;
            let laid = tensor.placement;
            let mut shown = 0;
            for i in (0..plane).filter(|i| tensor.data[2 * plane + i] > 254.0) {
                shown += 1;
                let column = (i % to_x as usize) as f32 + 0.5;
                let row = (i / to_x as usize) as f32 + 0.5;
                let frame_x = column / laid.scale_x + laid.offset_x_px;
                let frame_y = row / laid.scale_y + laid.offset_y_px;
                // At the border the triangle is cut, which pulls a pixel inwards.
                let near_x = 0.1 + 0.6 / laid.scale_x.min(1.0);
                let near_y = 0.1 + 0.6 / laid.scale_y.min(1.0);
                prop_assert!((tensor.data[i] / 2.0 + 0.5 - frame_x).abs() < near_x);
                prop_assert!((tensor.data[plane + i] / 2.0 + 0.5 - frame_y).abs() < near_y);
            }
            // A letterbox touches two opposite borders; a stretch leaves none.
            prop_assert!(shown == plane || (letterbox && shown >= to_x.min(to_y) as usize));
        }
    }
}
