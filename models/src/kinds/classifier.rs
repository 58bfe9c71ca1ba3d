//! Networks that say what a whole picture shows: takes one probability a label, gives one defect
//! for each label that is not the good one, as large as the crop. Which counts is the recipe's say.

use std::sync::Arc;

use domain::{Defect, FindingFault};

use super::{Look, Reader, Reading, score_from};
use crate::session::Raw;

pub(super) fn read(reader: &Reader, raw: &Raw, look: Look) -> Result<Reading, FindingFault> {
    let defect = |(channel, label): (usize, &Arc<str>)| {
        Ok(Defect {
            kind: Arc::clone(label),
            view: look.view,
            box_in_frame: look.crop,
            area_px: look.crop.area(),
            score: score_from(raw.values[channel])?,
            mask: None,
        })
    };
    let defects = reader.defect_labels().map(defect).collect::<Result<_, _>>()?;
    Ok(Reading { classes: raw.values.clone(), defects, heatmap: None })
}

#[cfg(test)]
mod tests {
    use domain::RectPx;

    use super::super::{Kind, tests};
    use super::*;
    use crate::manifest::Activation;

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
}
