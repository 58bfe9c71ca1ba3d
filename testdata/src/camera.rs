//! What a camera with a known lens sees of a flat picture: takes optics, a pose, reflectances in
//! millimetres, a lamp, blur and noise; gives luma bytes.
//!
//! Positions in the picture are counted as OpenCV does: the middle of the top left pixel is
//! `[0, 0]`. The picture follows from its inputs and the seed, byte for byte.

mod optics;
mod sheet;

pub use optics::{Camera, Optics, Pose};
pub use sheet::{Outline, Piece, Sheet};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How a picture is taken of what the camera sees.
#[derive(Clone, Copy)]
pub struct Shot<'a> {
    /// How much light falls on what a pixel sees, by the pixel's column and row; 1 shows white as
    /// white.
    pub lamp: &'a dyn Fn(f64, f64) -> f64,
    /// Standard deviation of the Gaussian by which the lens blurs, pixels; 0 for none.
    pub blur_px: f64,
    /// How many electrons a white pixel holds (shot noise falls with it); infinite for no noise.
    pub full_well: f64,
    /// Standard deviation of the noise of reading a pixel, grey levels.
    pub read_noise: f64,
    /// Edges are sampled so many times along x and along y in each pixel.
    pub samples: u32,
    /// Of the noise.
    pub seed: u64,
}

impl Default for Shot<'_> {
    fn default() -> Self {
        Self {
            lamp: &|_, _| 0.9,
            blur_px: 0.7,
            full_well: 10_000.0,
            read_noise: 0.7,
            samples: 4,
            seed: 0,
        }
    }
}

impl Shot<'_> {
    /// Takes the picture of a plane whose reflectance, 0 to 1, is given by its place in
    /// millimetres; row-major, one byte a pixel.
    ///
    /// What is behind the camera or beyond its horizon is black.
    #[must_use]
    pub fn of(&self, camera: &Camera, reflectance: &dyn Fn([f64; 2]) -> f64) -> Vec<u8> {
        let width = camera.size.width as usize;
        let seen = blurred(self.sharp(camera, reflectance), width, self.blur_px);
        self.exposed(&seen, width)
    }

    /// Light from each pixel's square, without lamp, blur and noise.
    fn sharp(&self, camera: &Camera, reflectance: &dyn Fn([f64; 2]) -> f64) -> Vec<f32> {
        let (width, height) = (camera.size.width, camera.size.height);
        let mut above = camera.row_of_corners(0);
        let mut light = Vec::with_capacity(width as usize * height as usize);
        for row in 0..height {
            let below = camera.row_of_corners(row + 1);
            for column in 0..width as usize {
                let corners = [above[column], above[column + 1], below[column], below[column + 1]];
                light.push(self.pixel(corners, reflectance));
            }
            above = below;
        }
        light
    }

    /// The mean over a pixel whose corners see these places; what is flat at a coarse look is
    /// not looked at again.
    #[expect(clippy::cast_possible_truncation, reason = "a reflectance")]
    #[expect(clippy::float_cmp, reason = "plain surfaces are exactly plain")]
    fn pixel(&self, corners: [Option<[f64; 2]>; 4], reflectance: &dyn Fn([f64; 2]) -> f64) -> f32 {
        let [Some(a), Some(b), Some(c), Some(d)] = corners else {
            return 0.0;
        };
        let at = |u: f64, v: f64| {
            let blend = |i: usize| {
                (a[i] * (1.0 - u) + b[i] * u) * (1.0 - v) + (c[i] * (1.0 - u) + d[i] * u) * v
            };
            reflectance([blend(0), blend(1)])
        };
        let first = at(0.5, 0.5);
        let looks = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)];
        if looks.iter().all(|&(u, v)| at(u, v) == first) {
            return first as f32;
        }
        let n = self.samples.max(1);
        let place = |i: u32| (f64::from(i) + 0.5) / f64::from(n);
        let sum: f64 = (0..n * n).map(|i| at(place(i % n), place(i / n))).sum();
        (sum / f64::from(n * n)) as f32
    }

    /// Lit, made noisy and rounded to bytes.
    #[expect(clippy::cast_precision_loss, reason = "positions in a picture")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    fn exposed(&self, light: &[f32], width: usize) -> Vec<u8> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let grey = |(index, &light): (usize, &f32)| {
            let lamp = (self.lamp)((index % width) as f64, (index / width) as f64);
            let mean = f64::from(light) * lamp;
            let shot = 255.0 * (mean.max(0.0) / self.full_well).sqrt();
            let noise = shot.hypot(self.read_noise) * normal(&mut rng);
            (mean * 255.0 + noise).round() as u8
        };
        light.iter().enumerate().map(grey).collect()
    }
}

/// A number of the standard normal distribution (Box and Muller, 1958).
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

/// Blurred by a Gaussian, along rows and then columns; borders are repeated.
fn blurred(light: Vec<f32>, width: usize, sigma: f64) -> Vec<f32> {
    if sigma <= 0.0 || light.is_empty() {
        return light;
    }
    let weights = gaussian(sigma);
    let height = light.len() / width;
    let mut along_rows = vec![0.0; light.len()];
    for (from, to) in light.chunks(width).zip(along_rows.chunks_mut(width)) {
        convolve(&weights, width, to, |i| from[i]);
    }
    let mut both = vec![0.0; light.len()];
    let mut column = vec![0.0; height];
    for x in 0..width {
        convolve(&weights, height, &mut column, |i| along_rows[i * width + x]);
        for (y, &value) in column.iter().enumerate() {
            both[y * width + x] = value;
        }
    }
    both
}

/// Weights of a Gaussian from its middle outwards, to four standard deviations.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few pixels")]
fn gaussian(sigma: f64) -> Vec<f32> {
    let reach = (4.0 * sigma).ceil() as u32;
    let raw: Vec<f64> =
        (0..=reach).map(|i| (-0.5 * (f64::from(i) / sigma).powi(2)).exp()).collect();
    let sum = raw[0] + 2.0 * raw[1..].iter().sum::<f64>();
    raw.iter().map(|weight| (weight / sum) as f32).collect()
}

fn convolve(weights: &[f32], length: usize, to: &mut [f32], from: impl Fn(usize) -> f32) {
    for (i, to) in to.iter_mut().enumerate() {
        *to = weights[0] * from(i);
        for (k, weight) in weights.iter().enumerate().skip(1) {
            *to += weight * (from(i.saturating_sub(k)) + from((i + k).min(length - 1)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::SizePx;

    fn square_on(width: u32, height: u32) -> Camera {
        Camera {
            size: SizePx::new(width, height),
            optics: Optics::Telecentric { px_per_mm: 10.0, centre_px: [0.0, 0.0] },
            pose: Pose::new([0.0; 3], [0.0, 0.0, 100.0]),
        }
    }

    fn quiet() -> Shot<'static> {
        Shot {
            lamp: &|_, _| 1.0,
            blur_px: 0.0,
            full_well: f64::INFINITY,
            read_noise: 0.0,
            samples: 8,
            seed: 1,
        }
    }

    #[test]
    fn a_pixel_shows_the_mean_of_what_it_covers() {
        // An edge at 0.32 mm = 3.2 px: pixel 3 covers 2.5..3.5, three tenths of it white.
        let edge = |at: [f64; 2]| f64::from(at[0] > 0.32);
        let luma = quiet().of(&square_on(6, 2), &edge);
        assert_eq!(luma[..3], [0, 0, 0]);
        assert_eq!(luma[4..6], [255, 255]);
        assert!((f64::from(luma[3]) / 255.0 - 0.3).abs() <= 0.08, "{}", luma[3]);
    }

    #[test]
    fn blur_keeps_light_and_widens_an_edge_by_its_sigma() {
        let edge = |at: [f64; 2]| f64::from(at[0] > 3.15);
        let luma = Shot { blur_px: 2.0, ..quiet() }.of(&square_on(64, 1), &edge);
        let slope = luma.windows(2).map(|p| i32::from(p[1]) - i32::from(p[0])).max().unwrap();
        let expected = 255.0 / (2.0 * std::f64::consts::TAU.sqrt());
        assert!((f64::from(slope) - expected).abs() < 2.0, "{slope} against {expected}");
        let sum: u32 = luma.iter().map(|&v| u32::from(v)).sum();
        assert!(sum.abs_diff(32 * 255) < 40, "{sum}");
    }

    #[test]
    fn noise_is_as_wide_as_told_and_the_same_each_time() {
        let shot = Shot { lamp: &|_, _| 0.5, full_well: 1000.0, read_noise: 2.0, ..quiet() };
        let luma = shot.of(&square_on(100, 100), &|_| 1.0);
        let mean = luma.iter().map(|&v| f64::from(v)).sum::<f64>() / 1e4;
        let variance = luma.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / 1e4;
        let expected = 255.0_f64.powi(2) * 0.5 / 1000.0 + 4.0;
        assert!((mean - 127.5).abs() < 0.5);
        assert!((variance / expected - 1.0).abs() < 0.1, "{variance} against {expected}");
        assert_eq!(luma, shot.of(&square_on(100, 100), &|_| 1.0));
        assert_ne!(luma, Shot { seed: 2, ..shot }.of(&square_on(100, 100), &|_| 1.0));
    }

    #[test]
    fn the_lamp_falls_on_pixels() {
        let shot = Shot { lamp: &|x, _| x / 10.0, ..quiet() };
        let luma = shot.of(&square_on(10, 1), &|_| 1.0);
        assert_eq!(luma, [0, 26, 51, 77, 102, 128, 153, 179, 204, 230]);
    }
}
