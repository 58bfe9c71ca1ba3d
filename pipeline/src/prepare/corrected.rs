//! Crops as the calibration corrects them: takes views, gives the model's input of the corrected
//! crop, and afterwards the findings in millimetres on the camera's picture.

use std::collections::BTreeMap;
use std::sync::Arc;

use calibration::align::{Aligner, GoldenRefused, Limits, OffsetLimit, Options, Symmetry};
use calibration::{Calibration, Corrector, Laid, Picture, PictureTooShort, Px};
use domain::recipe::Align;
use domain::{
    CameraId, Defect, DefectMm, FindingFault, InferredPart, PartPose, PixelFormat, Pixels, Plane,
    Score, Sha256, SizePx, Tensor, View,
};
use models::{Colour, LumaReader, RgbReader, Shaper};
use thiserror::Error;

use super::still::Still;

/// What a recipe's parts are corrected and measured by. Shared by all seats of a recipe.
#[derive(Clone, Debug, Default)]
pub struct Calibrations {
    cameras: Arc<BTreeMap<CameraId, Calibrated>>,
    align: Option<Arc<Golden>>,
}

/// One camera's calibration.
#[derive(Clone, Debug)]
pub struct Calibrated {
    /// What its parts are corrected and measured by; `None` where nothing was calibrated.
    pub calibration: Option<Arc<Calibration>>,
    /// Whether that still holds, and whether somebody calibrates the camera now.
    pub still: Arc<Still>,
}

/// How parts are to lie.
#[derive(Debug)]
struct Golden {
    size: SizePx,
    luma: Vec<u8>,
    options: Options,
    limits: Limits,
}

/// Why parts can't be aligned.
#[derive(Debug, Error)]
pub enum NotCalibrated {
    /// Nothing to hold on to.
    #[error("`align.golden`: {0}")]
    Golden(#[from] GoldenRefused),
    /// Not a picture.
    #[error("`align.golden`: {0}")]
    Picture(#[from] PictureTooShort),
}

impl Calibrations {
    /// Of these cameras; a camera that is not among them is not calibrated. `golden` is the
    /// picture that `align` names: 8-bit luma, packed.
    ///
    /// # Errors
    /// When there is nothing in the golden sample to align by.
    pub fn new(
        cameras: BTreeMap<CameraId, Calibrated>,
        align: Option<(&Align, SizePx, Vec<u8>)>,
    ) -> Result<Self, NotCalibrated> {
        let align = align.map(|(align, size, luma)| {
            let golden = Golden { size, luma, options: options(align), limits: limits(align) };
            // Refused now rather than by each inspecting thread.
            golden.aligner()?;
            Ok::<_, NotCalibrated>(Arc::new(golden))
        });
        Ok(Self { cameras: Arc::new(cameras), align: align.transpose()? })
    }
}

impl Golden {
    fn aligner(&self) -> Result<Aligner, NotCalibrated> {
        let picture = Picture::new(self.size, self.size.width as usize, &self.luma)?;
        Ok(Aligner::new(&picture, &self.options)?)
    }
}

fn options(align: &Align) -> Options {
    Options {
        most_angle_deg: align.search_deg.map_or(180.0, f64::from),
        symmetry: align.symmetry.filter(|n| *n > 1).map_or(Symmetry::None, Symmetry::Order),
        ..Options::default()
    }
}

fn limits(align: &Align) -> Limits {
    let in_mm = align.max_offset_mm.map(|mm| OffsetLimit::Mm(mm.into()));
    let in_px = align.max_offset_px.map(|px| OffsetLimit::Px(px.into()));
    Limits { angle_deg: align.max_angle_deg.map(f64::from), offset: in_mm.or(in_px) }
}

/// Corrects the views of one part after the other.
pub(super) struct Correction {
    calibrations: Calibrations,
    colour: Colour,
    corrector: Corrector,
    luma: LumaReader,
    rgb: RgbReader,
    raw: Vec<u8>,
    /// Of cameras without a calibration, whose parts are aligned all the same.
    bare: Option<Arc<Calibration>>,
    /// How the views of the part lie, in order; `None` where no calibration is known.
    laid: Vec<Option<(Arc<Calibration>, Laid)>>,
}

impl Correction {
    pub fn new(calibrations: &Calibrations, colour: Colour) -> Self {
        // One that can't be made was refused before.
        let aligner = calibrations.align.as_ref().and_then(|golden| golden.aligner().ok());
        Self {
            calibrations: calibrations.clone(),
            colour,
            corrector: Corrector::new(aligner),
            luma: LumaReader::default(),
            rgb: RgbReader::default(),
            raw: Vec::new(),
            bare: None,
            laid: Vec::new(),
        }
    }

    /// Forgets the last part.
    pub fn begin(&mut self) {
        self.laid.clear();
    }

    /// Of the calibrations that the part was corrected by; of several cameras', of all of them.
    pub fn hash(&self) -> Option<Sha256> {
        let mut hashes =
            self.laid.iter().flatten().filter_map(|(calibration, _)| calibration.hash());
        let first = hashes.next()?;
        let rest = hashes.filter(|hash| *hash != first);
        Some(rest.fold(first, |all, hash| Sha256::of(format!("{all}{hash}").as_bytes())))
    }

    /// Makes the model's input of `view`.
    pub fn prepare(
        &mut self,
        view: &mut View,
        shaper: &mut Shaper,
        tensor: &mut Tensor,
    ) -> Result<(), FindingFault> {
        let (laid, made) = match self.lay(view, shaper, tensor) {
            Ok(laid) => (laid, Ok(())),
            Err(fault) => (None, Err(fault)),
        };
        self.laid.push(laid);
        made
    }

    fn lay(
        &mut self,
        view: &mut View,
        shaper: &mut Shaper,
        tensor: &mut Tensor,
    ) -> Result<Option<(Arc<Calibration>, Laid)>, FindingFault> {
        let (pixels, crop) = (&*view.frame.pixels, view.crop_in_frame);
        let Some(calibration) = self.calibration_of(&view.frame.camera, pixels.size())? else {
            shaper.prepare(pixels, crop, tensor)?;
            return Ok(None);
        };
        if !calibration.changes_pixels() && !self.corrector.aligns() {
            shaper.prepare(pixels, crop, tensor)?;
            let laid = calibration.laid_as_seen(crop);
            return Ok(Some((calibration, laid)));
        }
        let source = calibration.source_of(crop);
        let size = SizePx::new(crop.width, crop.height);
        let (luma, raw) = (&mut self.luma, &mut self.raw);
        let (corrected, format) = if is_gray(self.colour, pixels.format()) {
            luma.read(pixels, source, raw)?;
            (self.corrector.correct(&calibration, crop, raw), PixelFormat::Gray8)
        } else {
            self.rgb.read(pixels, source, raw)?;
            let luma_of = |rgb: &[u8], out: &mut Vec<u8>| {
                let piece = Piece { format: PixelFormat::Rgb8, size, bytes: rgb };
                // A packed crop has all its bytes.
                let _ = luma.read(&piece, size.rect(), out);
            };
            let corrected = self.corrector.correct_colours(&calibration, crop, raw, luma_of);
            (corrected, PixelFormat::Rgb8)
        };
        let (bytes, laid) =
            corrected.map_err(|error| FindingFault::Calibration { message: error.to_string() })?;
        view.pose = laid.pose.map(|pose| part_pose(&pose, &laid, &calibration));
        let piece = Piece { format, size, bytes };
        shaper.prepare(&piece, size.rect(), tensor)?;
        // The model speaks of the frame's pixels.
        tensor.placement.offset_x_px += offset(crop.x);
        tensor.placement.offset_y_px += offset(crop.y);
        Ok(Some((calibration, laid)))
    }

    /// `None` where there is nothing to correct or measure by.
    fn calibration_of(
        &mut self,
        camera: &CameraId,
        size: SizePx,
    ) -> Result<Option<Arc<Calibration>>, FindingFault> {
        match self.calibrations.cameras.get(camera) {
            Some(Calibrated { still, .. }) if let Some(cause) = still.lost() => {
                Err(FindingFault::Calibration { message: cause.to_string() })
            }
            Some(Calibrated { calibration: Some(known), .. }) if known.size() != size => {
                let made = known.size();
                let message = format!("it was made at {made} pixels, the camera gives {size}");
                Err(FindingFault::Calibration { message })
            }
            Some(Calibrated { calibration: Some(known), .. }) => Ok(Some(Arc::clone(known))),
            _ if self.corrector.aligns() => {
                let bare = self.bare.take().filter(|bare| bare.size() == size);
                let bare = bare.unwrap_or_else(|| Arc::new(Calibration::bare(size)));
                Ok(Some(Arc::clone(self.bare.insert(bare))))
            }
            _ => Ok(None),
        }
    }

    /// Measures the findings of the part that was corrected last; a part that lies beyond its
    /// limits has a defect more.
    pub fn measure(&mut self, inferred: &mut InferredPart) {
        for (index, (finding, laid)) in inferred.findings.iter_mut().zip(&self.laid).enumerate() {
            let (Ok(finding), Some((calibration, laid))) = (finding, laid) else { continue };
            calibration.measure(finding, laid);
            let golden = self.calibrations.align.as_ref();
            let misaligned = golden.and_then(|golden| misaligned(golden, laid, calibration, index));
            finding.defects.extend(misaligned);
        }
    }
}

fn part_pose(pose: &calibration::align::Pose, laid: &Laid, calibration: &Calibration) -> PartPose {
    let scale = mm_per_px(laid, calibration);
    PartPose {
        angle_deg: short(pose.angle_deg),
        dx_px: short(pose.dx_px),
        dy_px: short(pose.dy_px),
        offset_mm: scale.map(|scale| short(pose.offset_px() * scale)),
    }
}

/// At the crop's middle.
fn mm_per_px(laid: &Laid, calibration: &Calibration) -> Option<f64> {
    let (width, height) = (f64::from(laid.crop.width), f64::from(laid.crop.height));
    let middle = laid.straight_px(Px::new(width / 2.0, height / 2.0));
    calibration.plane().map(|plane| plane.mm_per_px(middle))
}

/// The defect of a part that does not lie right: certain, as it was measured.
fn misaligned(
    golden: &Golden,
    laid: &Laid,
    calibration: &Calibration,
    view: usize,
) -> Option<Defect> {
    let pose = laid.pose?;
    let scale = mm_per_px(laid, calibration);
    golden.limits.judge(&pose, scale)?;
    let mm = scale.map(|scale| {
        let middle = laid.straight_px(Px::new(
            f64::from(laid.crop.width) / 2.0,
            f64::from(laid.crop.height) / 2.0,
        ));
        let at = calibration.plane().map(|plane| plane.point_mm(middle)).unwrap_or_default();
        DefectMm {
            x_mm: short(at.x),
            y_mm: short(at.y),
            length_mm: short(pose.offset_px() * scale),
            area_mm2: 0.0,
            uncertainty_mm: short(pose.std_px * scale),
        }
    });
    Some(Defect {
        kind: Align::MISALIGNED.into(),
        view,
        box_in_frame: laid.crop,
        area_px: laid.crop.area(),
        score: Score::ONE,
        mask: None,
        mm,
    })
}

/// Whether a network that looks at `colour` sees one channel of what a camera sends.
const fn is_gray(colour: Colour, format: PixelFormat) -> bool {
    matches!((colour, format), (Colour::Gray, _) | (_, PixelFormat::Gray8 | PixelFormat::Gray16Le))
}

/// A corrected crop as a picture, packed.
struct Piece<'a> {
    format: PixelFormat,
    size: SizePx,
    bytes: &'a [u8],
}

impl Pixels for Piece<'_> {
    fn format(&self) -> PixelFormat {
        self.format
    }

    fn size(&self) -> SizePx {
        self.size
    }

    fn plane(&self, _: usize) -> Plane<'_> {
        let rows = self.size.height as usize;
        let row_bytes = self.bytes.len() / rows.max(1);
        Plane { data: self.bytes, stride: row_bytes, row_bytes, rows }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
const fn offset(pixels: u32) -> f32 {
    pixels as f32
}

#[expect(clippy::cast_possible_truncation, reason = "seven digits are more than is measured")]
const fn short(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use calibration::profile::CameraNote;
    use calibration::{Plane, Profile};
    use domain::{CaptureTime, Finding, Frame, OwnedPixels};
    use models::{InputSpec, Resize};

    use super::super::LookedAt;
    use super::*;

    const CROP: SizePx = SizePx::new(160, 128);

    /// A part with corners and a hole on a darker belt, turned and shifted.
    fn picture(angle_deg: f64, dx: f64, dy: f64) -> Vec<u8> {
        let (sin, cos) = angle_deg.to_radians().sin_cos();
        let grey = |x: u32, y: u32| {
            let (x, y) = (f64::from(x) - 79.5 - dx, f64::from(y) - 63.5 - dy);
            let (u, v) = (cos * x + sin * y, cos * y - sin * x);
            let bar = u.abs() < 50.0 && v.abs() < 14.0;
            let foot = (20.0..44.0).contains(&u) && (0.0..40.0).contains(&v);
            let hole = (u + 30.0).hypot(v) < 7.0;
            if (bar || foot) && !hole { 190 } else { 60 }
        };
        let pixels = (0..CROP.height).flat_map(|y| (0..CROP.width).map(move |x| (x, y)));
        pixels.map(|(x, y)| grey(x, y)).collect()
    }

    fn correction(align: &str, calibration: Option<Calibration>) -> Correction {
        let text = format!("golden = 'golden.png'\n{align}");
        let align: Align = toml::from_str(&text).unwrap();
        let still = Arc::default();
        let cameras = calibration.map(|it| {
            (CameraId::new("top"), Calibrated { calibration: Some(Arc::new(it)), still })
        });
        let golden = Some((&align, CROP, picture(0.0, 0.0, 0.0)));
        let calibrations = Calibrations::new(cameras.into_iter().collect(), golden).unwrap();
        Correction::new(&calibrations, Colour::Gray)
    }

    /// A quarter of a millimetre a pixel.
    fn calibration(size: SizePx) -> Calibration {
        let mut profile = Profile::new(size, CameraNote::default(), jiff::Timestamp::UNIX_EPOCH);
        let ruler = Plane::from_ruler(Px::new(0.0, 0.0), Px::new(160.0, 0.0), 40.0, 0.1);
        profile.plane = Some(ruler.unwrap());
        Calibration::open(&profile, std::path::Path::new("/nowhere")).unwrap()
    }

    fn view(luma: Vec<u8>) -> View {
        let pixels = OwnedPixels::new(PixelFormat::Gray8, CROP, vec![luma]).unwrap();
        View {
            name: "top".into(),
            frame: Frame {
                camera: CameraId::new("top"),
                sequence: 0,
                at: CaptureTime::default(),
                origin: None,
                pixels: Arc::new(pixels),
            },
            box_in_frame: CROP.rect(),
            crop_in_frame: CROP.rect(),
            pose: None,
        }
    }

    fn shaper() -> (Shaper, Tensor) {
        let spec = InputSpec {
            name: "x".into(),
            width: CROP.width,
            height: CROP.height,
            colour: Colour::Gray,
            resize: Resize::Stretch,
            pad: 0.0,
            mean: vec![0.0],
            std: vec![1.0],
            tiling: None,
        };
        let tensor = spec.tensor();
        (Shaper::new(spec), tensor)
    }

    fn found(correction: &Correction) -> Vec<Defect> {
        let (calibration, laid) = correction.laid[0].as_ref().unwrap();
        let golden = correction.calibrations.align.as_ref().unwrap();
        let mut finding = Finding {
            view: 0,
            model: Sha256::of(b"m"),
            classes: vec![],
            defects: vec![],
            heatmap: None,
        };
        calibration.measure(&mut finding, laid);
        finding.defects.extend(misaligned(golden, laid, calibration, 0));
        finding.defects
    }

    #[test]
    fn the_model_sees_the_part_upright_and_its_pose_is_told() {
        let mut correction = correction("max_angle_deg = 3.0\nsearch_deg = 20.0", None);
        let (mut shaper, mut tensor) = shaper();
        let mut seen = view(picture(5.0, 3.0, -2.0));
        correction.prepare(&mut seen, &mut shaper, &mut tensor).unwrap();
        let pose = seen.pose.unwrap();
        assert!((pose.angle_deg - 5.0).abs() < 0.2, "{pose:?}");
        assert!((pose.dx_px - 3.0).abs() < 0.3 && (pose.dy_px + 2.0).abs() < 0.3, "{pose:?}");
        assert_eq!(pose.offset_mm, None, "no plane is known");
        let upright = tensor.data.clone();
        let (mut shaper, mut golden) = self::shaper();
        shaper
            .prepare(&*view(picture(0.0, 0.0, 0.0)).frame.pixels, CROP.rect(), &mut golden)
            .unwrap();
        let off: f32 = upright.iter().zip(&golden.data).map(|(a, b)| (a - b).abs()).sum();
        let mean = off / 20_480.0;
        assert!(mean < 0.02, "{mean}");
        let [defect] = &found(&correction)[..] else { panic!("one defect") };
        assert_eq!(&*defect.kind, Align::MISALIGNED);
        assert_eq!(correction.hash(), None, "nothing was measured by a profile");
    }

    #[test]
    fn an_offset_is_judged_in_millimetres() {
        for (limit, wrong) in [("0.5", 1), ("2.0", 0)] {
            let align = format!("max_offset_mm = {limit}\nsearch_deg = 20.0");
            let mut correction = correction(&align, Some(calibration(CROP)));
            let (mut shaper, mut tensor) = shaper();
            // Four pixels: one millimetre.
            let mut seen = view(picture(0.0, 4.0, 0.0));
            correction.prepare(&mut seen, &mut shaper, &mut tensor).unwrap();
            assert!((seen.pose.unwrap().offset_mm.unwrap() - 1.0).abs() < 0.1);
            assert_eq!(found(&correction).len(), wrong, "{limit}");
            assert!(correction.hash().is_some());
        }
    }

    #[test]
    fn what_can_not_be_measured_is_a_fault_with_its_cause() {
        let (mut shaper, mut tensor) = shaper();
        let mut correction = correction("search_deg = 20.0", Some(calibration(CROP)));
        let fault = |correction: &mut Correction, luma, shaper: &mut _, tensor: &mut _| {
            correction.begin();
            correction.prepare(&mut view(luma), shaper, tensor).unwrap_err().to_string()
        };
        let blank = fault(&mut correction, vec![90; 20_480], &mut shaper, &mut tensor);
        assert!(blank.contains("calibration") || blank.contains("align"), "{blank}");
        let still = Arc::clone(&correction.calibrations.cameras[&CameraId::new("top")].still);
        still.say(LookedAt::Frames, Some("out of focus"));
        let lost = fault(&mut correction, picture(0.0, 0.0, 0.0), &mut shaper, &mut tensor);
        assert!(lost.contains("out of focus"), "{lost}");
        let other = calibration(SizePx::new(320, 256));
        let mut correction = self::correction("search_deg = 20.0", Some(other));
        let size = fault(&mut correction, picture(0.0, 0.0, 0.0), &mut shaper, &mut tensor);
        assert!(size.contains("320") && size.contains("160"), "{size}");
        assert_eq!(correction.laid.len(), 1, "one entry a view, or findings meet the wrong one");
    }

    #[test]
    fn a_golden_sample_without_structure_is_refused() {
        let align: Align = toml::from_str("golden = 'g.png'").unwrap();
        let error = Calibrations::new(BTreeMap::new(), Some((&align, CROP, vec![90; 20_480])));
        assert!(error.unwrap_err().to_string().contains("structure"));
    }
}
