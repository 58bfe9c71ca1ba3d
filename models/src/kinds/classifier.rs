//! Networks that say what a whole picture shows: takes one probability a label, gives one defect
//! for each label that is not the good one, as large as the crop. Which counts is the recipe's say.
//!
//! A part shown in tiles is as bad as its worst tile and as good as its least good one.

use domain::FindingFault;

use super::{Look, Reader, Reading};
use crate::session::Raw;
use crate::tiling::Tile;

pub(super) fn take(
    reader: &mut Reader,
    raws: &mut [Raw],
    tiles: &[Tile],
    look: &Look,
) -> Result<(), FindingFault> {
    let labels = reader.labels.len();
    let values = &mut raws[0].values;
    values.chunks_exact_mut(labels).try_for_each(|tile| reader.activate(labels, tile))?;
    let good = reader.good;
    for (_, scores) in tiles.iter().zip(values.chunks_exact(labels)).filter(|(t, _)| look.shows(t))
    {
        for (label, (said, score)) in reader.said.classes.iter_mut().zip(scores).enumerate() {
            *said = if label == good { said.min(*score) } else { said.max(*score) };
        }
    }
    Ok(())
}

pub(super) fn read(reader: &Reader, look: &Look) -> Result<Reading, FindingFault> {
    let classes = reader.said.classes.clone();
    let defects =
        reader.bad_labels().map(|label| look.whole_crop(&reader.labels[label], classes[label]));
    Ok(Reading { defects: defects.collect::<Result<_, _>>()?, classes, heatmap: None })
}

#[cfg(test)]
mod tests {
    use domain::RectPx;

    use super::super::{Kind, tests};
    use super::*;
    use crate::manifest::{Activation, Tiling};

    #[test]
    fn each_defect_label_gives_one_defect_over_the_crop() {
        let crop = RectPx::new(100, 50, 30, 20);
        let raw = Raw { shape: vec![1, 2], values: vec![0.25, 0.75] };
        let finding = tests::reader(Kind::Classifier, Activation::None)
            .read(&mut [raw], tests::look(crop, tests::AS_IS))
            .unwrap();
        let [defect] = finding.defects.as_slice() else { panic!("expected one defect") };
        assert_eq!((&*defect.kind, defect.score.get(), defect.view), ("scratch", 0.75, 3));
        assert_eq!((defect.box_in_frame, defect.area_px), (crop, 600));
        assert_eq!((&defect.mask, &finding.heatmap), (&None, &None));
        assert_eq!(&*finding.classes[0].label, "ok");
        assert_eq!(finding.classes[0].score.get(), 0.25);
    }

    #[test]
    fn the_worst_tile_that_shows_some_of_the_part_speaks_for_it() {
        // A canvas of 3 x 1 tiles of 64 x 32; the crop ends before the last of them.
        let tiling = Tiling { columns: 3, rows: 1, overlap_px: 0 };
        let mut reader = tests::tiled(Kind::Classifier, Activation::None, tiling);
        let raw = Raw { shape: vec![3, 2], values: vec![0.9, 0.1, 0.4, 0.6, 0.0, 1.0] };
        let look = Look::new(3, RectPx::new(0, 0, 128, 32), tests::AS_IS, &reader.input);
        let finding = reader.read(&mut [raw], look).unwrap();
        assert_eq!(finding.defects[0].score.get(), 0.6);
        assert_eq!(finding.classes[0].score.get(), 0.4);
        // What was said of one picture is no part of the next.
        let raw = Raw { shape: vec![3, 2], values: vec![0.9, 0.1, 0.8, 0.2, 0.0, 1.0] };
        assert_eq!(reader.read(&mut [raw], look).unwrap().defects[0].score.get(), 0.2);
    }
}
