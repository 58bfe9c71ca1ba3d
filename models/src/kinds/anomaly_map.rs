//! Networks that say how unlike good parts each place is: takes a map of such numbers and perhaps
//! one for the whole picture, gives the heatmap and one defect for each group of places that are
//! too unlike.
//!
//! Numbers become probabilities by the activation first, then by `output.anomaly`. A picture whose
//! own score is higher than that of every group has a defect as large as the crop too: what the
//! network says of the whole must be able to reject a part in which no single place stands out.

use domain::FindingFault;

use super::grid::{self, Grid};
use super::{Look, Reader, Reading, Said, highest, sigmoid};
use crate::manifest::{Activation, AnomalySpec};
use crate::session::Raw;
use crate::tiling::Tile;

pub(super) fn take(
    reader: &mut Reader,
    raws: &mut [Raw],
    tiles: &[Tile],
    look: &Look,
) -> Result<(), FindingFault> {
    for raw in raws.iter_mut() {
        if reader.output.activation == Activation::Sigmoid {
            sigmoid(&mut raw.values);
        }
        if let Some(spec) = &reader.output.anomaly {
            spec.scale(&mut raw.values);
        }
    }
    let Some((map, scores)) = raws.split_first_mut() else { return Ok(()) };
    if map.shape.len() == 3 {
        map.shape.insert(1, 1);
    }
    for (_, score) in tiles.iter().zip(scores.iter().flat_map(|raw| &raw.values)) {
        let said = reader.bad_labels().next();
        if let Some(said) = said.and_then(|label| reader.said.classes.get_mut(label)) {
            *said = said.max(*score);
        }
    }
    grid::join(&mut reader.said.grid, map, tiles, &reader.input, look)
}

impl AnomalySpec {
    fn scale(&self, values: &mut [f32]) {
        let (low, apart) = (self.low, self.high - self.low);
        values.iter_mut().for_each(|value| *value = ((*value - low) / apart).clamp(0.0, 1.0));
    }
}

pub(super) fn read(reader: &mut Reader, look: &Look) -> Result<Reading, FindingFault> {
    let (bad, Said { grid, classes, cells, seen, .. }) =
        (reader.bad_labels().next(), &mut reader.said);
    let grid = Grid::new(reader.input.canvas(), grid, look);
    cells.clear();
    grid.rows(0).for_each(|row| cells.extend_from_slice(row));
    let mut reading = Reading {
        classes: classes.clone(),
        defects: Vec::new(),
        heatmap: Some(grid.heatmap(cells)),
    };
    // The manifest has one.
    let Some(label) = bad else { return Ok(reading) };
    let kind = &reader.labels[label];
    reading.defects = grid.defects(kind, cells, &reader.output, seen)?;
    let score = if reader.outputs.len() > 1 {
        let highest = reading.defects.iter().map(|defect| defect.score.get());
        let score = classes[label];
        if score > highest.fold(0.0, f32::max) {
            reading.defects.push(look.whole_crop(kind, score)?);
        }
        score
    } else {
        highest(cells)
    };
    reading.classes[label] = score;
    reading.classes[reader.good] = 1.0 - score;
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use domain::{Finding, RectPx};

    use super::super::{Kind, tests};
    use super::*;
    use crate::manifest::Tiling;

    const CROP: RectPx = RectPx::new(0, 0, 64, 32);

    /// Numbers from 10 to 30 count; threshold 0.3, groups of at least 2 cells.
    fn reader(score: Option<&str>, tiling: Option<Tiling>) -> Reader {
        let score = score.map(str::to_owned);
        tests::reader_of(Kind::AnomalyMap, |input, output| {
            input.tiling = tiling;
            output.activation = Activation::None;
            output.anomaly = Some(AnomalySpec { low: 10.0, high: 30.0, score: score.clone() });
        })
    }

    fn map(shape: &[usize], at: &[(usize, f32)]) -> Raw {
        let mut values = vec![5.0; shape.iter().product()];
        at.iter().for_each(|(cell, value)| values[*cell] = *value);
        Raw { shape: shape.to_vec(), values }
    }

    fn scores(finding: &Finding) -> Vec<f32> {
        finding.classes.iter().map(|class| class.score.get()).collect()
    }

    #[test]
    fn groups_become_defects_and_the_highest_place_the_score() {
        for shape in [[1, 1, 4, 8].as_slice(), &[1, 4, 8]] {
            let map = map(shape, &[(0, 20.0), (1, 25.0), (31, 99.0)]);
            let finding = reader(None, None).read(&mut [map], tests::look(CROP, tests::AS_IS));
            let finding = finding.unwrap();
            let [defect] = finding.defects.as_slice() else { panic!("{:?}", finding.defects) };
            assert_eq!((&*defect.kind, defect.score.get(), defect.area_px), ("scratch", 0.75, 128));
            assert_eq!(defect.box_in_frame, RectPx::new(0, 0, 16, 8));
            assert_eq!(defect.mask.as_ref().unwrap().count(), 2);
            assert_eq!(scores(&finding), [0.0, 1.0], "a single place is no defect, but it scores");
            let heatmap = finding.heatmap.unwrap();
            assert_eq!((heatmap.width, heatmap.height), (8, 4));
            assert_eq!((heatmap.values[0], heatmap.values[2], heatmap.values[31]), (128, 0, 255));
        }
    }

    #[test]
    fn the_networks_own_score_counts_where_no_group_is_as_bad() {
        let look = tests::look(CROP, tests::AS_IS);
        for (shape, own) in [(vec![], 22.0), (vec![1], 22.0), (vec![1, 1], 22.0), (vec![1], 12.0)] {
            let score = Raw { shape, values: vec![own] };
            let map = map(&[1, 1, 4, 8], &[(0, 20.0), (1, 16.0)]);
            let finding = reader(Some("score"), None).read(&mut [map, score], look).unwrap();
            let own = (own - 10.0) / 20.0;
            assert!((scores(&finding)[1] - own).abs() < 1e-6);
            assert!((scores(&finding)[0] - (1.0 - own)).abs() < 1e-6);
            assert_eq!(finding.defects[0].score.get(), 0.5);
            match finding.defects.as_slice() {
                [_] => assert!(own < 0.5),
                [_, whole] => {
                    assert_eq!((whole.box_in_frame, &whole.mask), (CROP, &None));
                    assert!(whole.score.get() == scores(&finding)[1] && own > 0.5);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn the_border_of_a_letterbox_is_not_looked_at() {
        let crop = RectPx::new(16, 0, 32, 32);
        let map = map(&[1, 1, 4, 8], &[(0, 30.0), (1, 30.0), (8, 30.0)]);
        let finding = reader(None, None).read(&mut [map], tests::look(crop, tests::AS_IS)).unwrap();
        assert_eq!((finding.defects.len(), scores(&finding)), (0, vec![1.0, 0.0]));
    }

    #[test]
    fn tiles_are_put_together_and_the_worst_one_scores() {
        let tiling = Tiling { columns: 2, rows: 1, overlap_px: 16 };
        let mut reader = reader(Some("score"), Some(tiling));
        let look = Look::new(3, RectPx::new(0, 0, 112, 32), tests::AS_IS, &reader.input);
        // Columns 6 and 7 of the first are 0 and 1 of the second.
        let map = map(&[2, 1, 4, 8], &[(7, 26.0), (32, 18.0), (33, 12.0)]);
        let scores = Raw { shape: vec![2, 1], values: vec![12.0, 28.0] };
        let finding = reader.read(&mut [map, scores], look).unwrap();
        let [group, whole] = finding.defects.as_slice() else { panic!("{:?}", finding.defects) };
        assert_eq!((group.box_in_frame, group.area_px), (RectPx::new(48, 0, 16, 8), 128));
        assert_eq!(group.score.get(), 0.8);
        assert_eq!(whole.score.get(), 0.9);
        assert_eq!(finding.heatmap.unwrap().width, 14);
    }

    #[test]
    fn what_is_not_finite_or_of_another_shape_is_a_fault() {
        let look = tests::look(CROP, tests::AS_IS);
        let mut reader = reader(Some("score"), None);
        let score = |value| Raw { shape: vec![1], values: vec![value] };
        let good = map(&[1, 1, 4, 8], &[]);
        let fault = reader.read(&mut [good.clone(), score(f32::NAN)], look).unwrap_err();
        assert_eq!(fault, FindingFault::NotFinite { output: "score".into() });
        let bad = map(&[1, 1, 4, 8], &[(3, f32::INFINITY)]);
        let fault = reader.read(&mut [bad, score(1.0)], look).unwrap_err();
        assert_eq!(fault, FindingFault::NotFinite { output: "heatmap".into() });
        for (map, score, named) in [
            (good.clone(), map(&[2], &[]), "score"),
            (good.clone(), good.clone(), "score"),
            (score(1.0), good, "heatmap"),
            (map(&[1, 2, 4, 8], &[]), score(1.0), "heatmap"),
            (map(&[1, 1, 0, 8], &[]), score(1.0), "heatmap"),
        ] {
            let fault = reader.read(&mut [map, score], look).unwrap_err().to_string();
            assert!(fault.contains(&format!("`{named}`")), "{fault}");
        }
    }
}
