//! What is printed is what is measured: files are rasterised and their millimetres read back.

use std::process::Command;

use domain::SizePx;
use sightline_calibration::target::{Dictionary, Paper, PrintError, Target, TargetKind};
use testdata::camera::{Camera, Optics, Pose, Shot};

use crate::scene::{chessboard, circles, picture, shoot};

fn small_charuco() -> Target {
    Target::new(TargetKind::Charuco {
        columns: 9,
        rows: 6,
        square_mm: 18.0,
        marker_mm: 13.0,
        dictionary: Dictionary::D5x5_100,
    })
    .unwrap()
}

/// The largest difference between distances of points as seen, in millimetres at `px_per_mm`, and
/// as they should be.
fn off_mm(target: &Target, size: SizePx, luma: &[u8], px_per_mm: f64) -> f64 {
    let seen = target.detect(&picture(size, luma)).unwrap();
    assert_eq!(seen.points.len(), target.points_mm().len());
    let first = seen.points[0];
    let off = |p: &sightline_calibration::target::Seen| {
        (p.px.distance(first.px) / px_per_mm - p.mm.distance(first.mm)).abs()
    };
    seen.points.iter().map(off).fold(0.0, f64::max)
}

#[test]
fn pieces_are_where_points_are() {
    for target in [chessboard(), small_charuco(), circles()] {
        let optics = Optics::Telecentric { px_per_mm: 4.0, centre_px: [60.3, 60.7] };
        let pose = Pose::new([0.0; 3], [0.0, 0.0, 500.0]);
        let camera = Camera { size: SizePx::new(1120, 840), optics, pose };
        let luma = shoot(&camera, &target, Shot { samples: 8, ..Shot::default() });
        let off = off_mm(&target, camera.size, &luma, 4.0);
        assert!(off < 0.01, "{target}: {off} mm");
    }
}

/// Luma and size of a page rasterised at `dpi`; none where poppler is not installed.
fn rasterised(pdf: &[u8], dpi: u32) -> Option<(SizePx, Vec<u8>)> {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("target.pdf"), folder.path().join("page"));
    std::fs::write(&from, pdf).unwrap();
    let mut command = Command::new("pdftoppm");
    command.args(["-gray", "-singlefile", "-r", &dpi.to_string()]).arg(&from).arg(&to);
    let Ok(output) = command.output() else {
        println!("skipped: pdftoppm is not installed");
        return None;
    };
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let pgm = std::fs::read(to.with_extension("pgm")).unwrap();
    let header = pgm.split(u8::is_ascii_whitespace).take(4).collect::<Vec<_>>();
    let number = |i: usize| std::str::from_utf8(header[i]).unwrap().parse::<u32>().unwrap();
    let size = SizePx::new(number(1), number(2));
    let luma = pgm[pgm.len() - size.width as usize * size.height as usize..].to_vec();
    Some((size, luma))
}

#[test]
fn a_pdf_has_its_millimetres() {
    for (target, paper) in
        [(small_charuco(), Paper::A4), (chessboard(), Paper::A3), (circles(), Paper::A3)]
    {
        let Some((size, luma)) = rasterised(&target.pdf(paper).unwrap(), 254) else { return };
        let [short, long] = paper.size_mm();
        assert!((f64::from(size.width) - long * 10.0).abs() <= 1.0, "{size}");
        assert!((f64::from(size.height) - short * 10.0).abs() <= 1.0, "{size}");
        // A fine raster without blur: at 10 px/mm, and points are good to a twentieth of a pixel.
        let off = off_mm(&target, size, &luma, 10.0);
        println!("{target}: points of the PDF are off by at most {off:.4} mm");
        assert!(off < 0.05, "{target}: {off} mm");
    }
}

/// The ruler is the longest straight dark run below the target: 100 mm.
#[test]
fn the_ruler_is_100_mm() {
    let Some((size, luma)) = rasterised(&small_charuco().pdf(Paper::A4).unwrap(), 508) else {
        return;
    };
    let rows = luma.chunks(size.width as usize).skip(size.height as usize * 8 / 10);
    let longest = rows.map(|row| row.split(|&v| v > 128).map(<[u8]>::len).max().unwrap()).max();
    assert!(longest.unwrap().abs_diff(2000) <= 2, "{longest:?}");
}

#[test]
fn svg_and_pdf_draw_the_same() {
    let target = circles();
    let (svg, pdf) = (target.svg(Paper::A3).unwrap(), target.pdf(Paper::A3).unwrap());
    assert!(svg.contains("width=\"420mm\" height=\"297mm\" viewBox=\"0 0 420 297\""));
    assert_eq!(svg.matches("<circle").count(), 45);
    let pdf = String::from_utf8(pdf).unwrap();
    assert_eq!(pdf.matches("c f\n").count(), 45);
    for text in [svg, pdf] {
        assert!(text.contains("print at 100 %"));
        assert!(text.contains("asymmetric circle grid of 5 x 9 discs, 20 mm spacing"));
    }
}

#[test]
fn a_target_that_does_not_fit_is_refused_with_the_largest_that_does() {
    let error = chessboard().svg(Paper::A5).unwrap_err();
    let PrintError::TooLarge { key: "square_mm", largest_mm, .. } = error else {
        panic!("{error}");
    };
    // Landscape: 12 squares in 210 mm, 8 in 148 mm, less what is white.
    assert!(12.0 * largest_mm <= 186.0 && 8.0 * largest_mm <= 104.0, "{largest_mm}");
    let of = |square_mm| {
        Target::new(TargetKind::Chessboard { columns: 11, rows: 7, square_mm }).unwrap()
    };
    assert!(of(largest_mm).svg(Paper::A5).is_ok());
    assert!(of(largest_mm + 0.2).svg(Paper::A5).is_err());
    assert!(error.to_string().contains(&format!("square_mm = {largest_mm:.1}")), "{error}");
}
