//! Where a camera sees a place of a plane, and which place a pixel sees.

use domain::SizePx;

/// A camera before a plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Of its pictures.
    pub size: SizePx,
    /// How it sees.
    pub optics: Optics,
    /// Where the plane is before it.
    pub pose: Pose,
}

/// How light gets to pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optics {
    /// A pinhole with a lens that bends, in OpenCV's words and units ("Camera Calibration and 3D
    /// Reconstruction"): with `x = X/Z`, `y = Y/Z`, `r2 = x² + y²` and
    /// `radial = 1 + k1 r2 + k2 r2² + k3 r2³`
    ///
    /// ```text
    /// x' = x radial + 2 p1 x y + p2 (r2 + 2 x²)
    /// y' = y radial + p1 (r2 + 2 y²) + 2 p2 x y
    /// u = fx x' + cx,  v = fy y' + cy
    /// ```
    ///
    /// D. C. Brown, "Decentering distortion of lenses", Photogrammetric Engineering 32 (1966),
    /// after A. E. Conrady (1919).
    Pinhole {
        /// fx, fy.
        focal_px: [f64; 2],
        /// cx, cy.
        centre_px: [f64; 2],
        /// k1, k2, p1, p2, k3.
        distortion: [f64; 5],
    },
    /// Parallel rays: a part is as large at any distance.
    Telecentric {
        /// Pixels a millimetre across the axis.
        px_per_mm: f64,
        /// Where the axis meets the picture.
        centre_px: [f64; 2],
    },
}

/// Where the plane lies: a place `[x, y, 0]` of it is at `rotation [x, y, 0] + translation` before
/// the camera, which looks along its z with y down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// Rows.
    pub rotation: [[f64; 3]; 3],
    /// Millimetres.
    pub translation_mm: [f64; 3],
}

impl Pose {
    /// A plane turned by the vector `turn` (its direction is the axis, its length the angle in
    /// radians; Rodrigues) and then moved.
    #[must_use]
    pub fn new(turn: [f64; 3], translation_mm: [f64; 3]) -> Self {
        let angle = turn.iter().map(|v| v * v).sum::<f64>().sqrt();
        let [x, y, z] = if angle > 0.0 { turn.map(|v| v / angle) } else { [0.0, 0.0, 1.0] };
        let (s, c) = angle.sin_cos();
        let t = 1.0 - c;
        let rotation = [
            [t * x * x + c, t * x * y - s * z, t * x * z + s * y],
            [t * x * y + s * z, t * y * y + c, t * y * z - s * x],
            [t * x * z - s * y, t * y * z + s * x, t * z * z + c],
        ];
        Self { rotation, translation_mm }
    }

    /// A plane turned by `turn`, whose place `at_mm` is on the camera's axis at `distance_mm`.
    #[must_use]
    pub fn facing(turn: [f64; 3], at_mm: [f64; 2], distance_mm: f64) -> Self {
        let mut pose = Self::new(turn, [0.0; 3]);
        let [x, y, z] = pose.before_camera([at_mm[0], at_mm[1], 0.0]);
        pose.translation_mm = [-x, -y, distance_mm - z];
        pose
    }

    /// Where a place (z 0: on the plane) is before the camera, millimetres.
    #[must_use]
    pub fn before_camera(&self, mm: [f64; 3]) -> [f64; 3] {
        let row = |i: usize| dot(self.rotation[i], mm) + self.translation_mm[i];
        [row(0), row(1), row(2)]
    }

    /// Which place of the plane a ray meets, from `origin` along `direction`; none behind it.
    fn met(&self, origin: [f64; 3], direction: [f64; 3]) -> Option<[f64; 2]> {
        let column = |j: usize| [0, 1, 2].map(|i| self.rotation[i][j]);
        let normal = column(2);
        let from = [0, 1, 2].map(|i| self.translation_mm[i] - origin[i]);
        let along = dot(normal, from) / dot(normal, direction);
        if !(along.is_finite() && along > 0.0) {
            return None;
        }
        let hit = [0, 1, 2].map(|i| along * direction[i] - from[i]);
        Some([dot(column(0), hit), dot(column(1), hit)])
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

impl Camera {
    /// Where a place is seen, `mm[2]` behind the plane (negative: above it, towards the camera, if
    /// the plane faces it); none behind the camera.
    #[must_use]
    pub fn px_from_mm(&self, mm: [f64; 3]) -> Option<[f64; 2]> {
        let [x, y, z] = self.pose.before_camera(mm);
        match self.optics {
            Optics::Telecentric { px_per_mm, centre_px } => {
                Some([centre_px[0] + px_per_mm * x, centre_px[1] + px_per_mm * y])
            }
            Optics::Pinhole { .. } if z <= 0.0 => None,
            Optics::Pinhole { focal_px, centre_px, distortion } => {
                let [x, y] = bent([x / z, y / z], distortion);
                Some([centre_px[0] + focal_px[0] * x, centre_px[1] + focal_px[1] * y])
            }
        }
    }

    /// Which place of the plane is seen at a position of the picture; none above the horizon, or
    /// where no ray gets through the lens.
    #[must_use]
    pub fn mm_from_px(&self, px: [f64; 2]) -> Option<[f64; 2]> {
        match self.optics {
            Optics::Telecentric { px_per_mm, centre_px } => {
                let at = [0, 1].map(|i| (px[i] - centre_px[i]) / px_per_mm);
                self.pose.met([at[0], at[1], -1e6], [0.0, 0.0, 1.0])
            }
            Optics::Pinhole { focal_px, centre_px, distortion } => {
                let at = [0, 1].map(|i| (px[i] - centre_px[i]) / focal_px[i]);
                let [x, y] = straightened(at, distortion)?;
                self.pose.met([0.0; 3], [x, y, 1.0])
            }
        }
    }

    /// What the corners above row `row` see, from the left: one more than columns.
    pub(super) fn row_of_corners(&self, row: u32) -> Vec<Option<[f64; 2]>> {
        let y = f64::from(row) - 0.5;
        (0..=self.size.width).map(|x| self.mm_from_px([f64::from(x) - 0.5, y])).collect()
    }
}

/// Bends a direction as the lens does; see [`Optics::Pinhole`].
fn bent([x, y]: [f64; 2], [k1, k2, p1, p2, k3]: [f64; 5]) -> [f64; 2] {
    let r2 = x * x + y * y;
    let radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3));
    [
        x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x),
        y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y,
    ]
}

/// The direction that is bent to `seen`: Newton's iteration from `seen`, with the slopes taken by
/// differences; none where it does not settle.
fn straightened(seen: [f64; 2], distortion: [f64; 5]) -> Option<[f64; 2]> {
    const STEP: f64 = 1e-6;
    let mut at = seen;
    for _ in 0..30 {
        let here = bent(at, distortion);
        let off = [seen[0] - here[0], seen[1] - here[1]];
        if off[0].abs().max(off[1].abs()) < 1e-12 {
            return Some(at);
        }
        let along_x = bent([at[0] + STEP, at[1]], distortion);
        let along_y = bent([at[0], at[1] + STEP], distortion);
        let [a, c] = [0, 1].map(|i| (along_x[i] - here[i]) / STEP);
        let [b, d] = [0, 1].map(|i| (along_y[i] - here[i]) / STEP);
        let determinant = a * d - b * c;
        if determinant <= 0.0 {
            return None;
        }
        at[0] += (d * off[0] - b * off[1]) / determinant;
        at[1] += (a * off[1] - c * off[0]) / determinant;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bending() -> Camera {
        let optics = Optics::Pinhole {
            focal_px: [800.0, 810.0],
            centre_px: [330.0, 250.0],
            distortion: [-0.25, 0.1, 0.001, -0.002, -0.01],
        };
        let pose = Pose::facing([0.3, -0.2, 0.5], [40.0, 30.0], 300.0);
        Camera { size: SizePx::new(640, 480), optics, pose }
    }

    #[test]
    fn a_place_is_seen_where_its_pixel_looks() {
        let camera = bending();
        for i in 0..20 {
            for j in 0..16 {
                let px = [f64::from(i) * 33.0, f64::from(j) * 31.0];
                let [x, y] = camera.mm_from_px(px).unwrap();
                let again = camera.px_from_mm([x, y, 0.0]).unwrap();
                assert!((px[0] - again[0]).abs() < 1e-7 && (px[1] - again[1]).abs() < 1e-7);
            }
        }
    }

    #[test]
    fn a_plane_is_faced_where_told() {
        let camera = bending();
        let [x, y, z] = camera.pose.before_camera([40.0, 30.0, 0.0]);
        assert!(x.abs() < 1e-9 && y.abs() < 1e-9 && (z - 300.0).abs() < 1e-9);
        assert_eq!(
            camera.px_from_mm([40.0, 30.0, 0.0]).map(|p| p.map(f64::round)),
            Some([330.0, 250.0])
        );
    }

    #[test]
    fn turns_keep_lengths_and_hand() {
        let [a, b, c] = Pose::new([0.7, -0.2, 1.9], [0.0; 3]).rotation;
        assert!((dot(a, a) - 1.0).abs() < 1e-12 && dot(a, b).abs() < 1e-12);
        let cross =
            [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
        assert!((dot(cross, c) - 1.0).abs() < 1e-12);
        // A quarter turn about z takes x to y.
        let quarter = Pose::new([0.0, 0.0, std::f64::consts::FRAC_PI_2], [0.0; 3]);
        let [x, y, _] = quarter.before_camera([1.0, 0.0, 0.0]);
        assert!(x.abs() < 1e-12 && (y - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_behind_the_camera_is_not_seen() {
        let behind = Camera { pose: Pose::new([0.0; 3], [0.0, 0.0, -10.0]), ..bending() };
        assert_eq!(behind.px_from_mm([0.0; 3]), None);
        assert_eq!(behind.mm_from_px([100.0, 100.0]), None);
    }

    #[test]
    fn a_telecentric_lens_shows_height_in_the_same_size() {
        let optics = Optics::Telecentric { px_per_mm: 12.0, centre_px: [320.0, 240.0] };
        let pose = Pose::facing([0.0; 3], [0.0, 0.0], 300.0);
        let camera = Camera { size: SizePx::new(640, 480), optics, pose };
        assert_eq!(camera.px_from_mm([5.0, 0.0, -20.0]), camera.px_from_mm([5.0, 0.0, 0.0]));
        assert_eq!(camera.mm_from_px([380.0, 240.0]), Some([5.0, 0.0]));
    }
}
