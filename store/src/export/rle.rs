//! COCO's run lengths: takes a mask, gives the lengths of its runs down the columns of the whole
//! picture, first of what is not meant; and back, also from the form that is packed into text.

use domain::{Mask, RectPx, SizePx};

use super::shape::{pixels, tight};

/// Run lengths down the columns of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Runs {
    pub size: SizePx,
    pub counts: Vec<u32>,
}

impl Runs {
    /// The runs of `mask` in a picture of `size`.
    pub fn from_mask(mask: &Mask, size: SizePx) -> Self {
        let height = u64::from(size.height);
        let mut places: Vec<u64> =
            pixels(mask).map(|(x, y)| u64::from(x) * height + u64::from(y)).collect();
        places.sort_unstable();
        let (mut counts, mut end) = (Vec::new(), 0);
        for place in places {
            if place > end || counts.is_empty() {
                counts.extend([run(place - end), 0]);
            }
            if let Some(last) = counts.last_mut() {
                *last += 1;
            }
            end = place + 1;
        }
        if end < size.area() || counts.is_empty() {
            counts.push(run(size.area() - end));
        }
        Self { size, counts }
    }

    /// The mask of these runs, over no more than its pixels fill; `None` when it has none, or when
    /// the runs are not those of a picture of this size.
    pub fn mask(&self) -> Option<Mask> {
        let (height, area) = (u64::from(self.size.height), self.size.area());
        if self.counts.iter().map(|count| u64::from(*count)).sum::<u64>() != area {
            return None;
        }
        // A picture beyond what a camera gives is a claim, not a picture.
        let mut bits = vec![false; usize::try_from(area).ok().filter(|area| *area <= 1 << 28)?];
        let mut place = 0_u64;
        for (at, count) in self.counts.iter().enumerate() {
            let end = place + u64::from(*count);
            for place in (place..end).filter(|_| at % 2 == 1) {
                let (x, y) = (place / height, place % height);
                let row_major = y * u64::from(self.size.width) + x;
                bits[usize::try_from(row_major).ok()?] = true;
            }
            place = end;
        }
        tight(&Mask::from_bits(RectPx::new(0, 0, self.size.width, self.size.height), bits))
    }

    /// Reads the packed form: six bits a letter, the lowest first, each count but the first three
    /// as what it differs from the one before the last.
    pub fn unpacked(size: SizePx, text: &str) -> Option<Self> {
        let mut counts: Vec<i64> = Vec::new();
        let mut letters = text.bytes();
        while let Some(mut letter) = letters.next() {
            let (mut value, mut shift) = (0_i64, 0);
            loop {
                let bits = i64::from(letter.checked_sub(48).filter(|bits| *bits < 64)?);
                value |= (bits & 0x1f) << shift;
                shift += 5;
                if bits & 0x20 == 0 {
                    if bits & 0x10 != 0 {
                        value |= -1 << shift;
                    }
                    break;
                }
                letter = letters.next().filter(|_| shift < 50)?;
            }
            if counts.len() > 2 {
                value = value.checked_add(counts[counts.len() - 2])?;
            }
            counts.push(value);
        }
        let counts = counts.into_iter().map(u32::try_from).collect::<Result<_, _>>().ok()?;
        Some(Self { size, counts })
    }
}

/// A run's length; pictures have fewer pixels than this holds.
fn run(length: u64) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn runs_go_down_the_columns() {
        // . # .
        // # # .
        let bits = [false, true, false, true, true, false];
        let mask = Mask::from_bits(RectPx::new(0, 0, 3, 2), bits);
        let runs = Runs::from_mask(&mask, SizePx::new(3, 2));
        assert_eq!(runs.counts, [1, 3, 2]);
        assert_eq!(Runs::from_mask(&mask, SizePx::new(4, 3)).counts, [1, 1, 1, 2, 7]);
        // As pycocotools packs it.
        assert_eq!(Runs::unpacked(SizePx::new(3, 2), "132"), Some(runs));
    }

    #[test]
    fn runs_that_do_not_fit_their_picture_are_refused() {
        let size = SizePx::new(3, 2);
        for counts in [vec![], vec![6], vec![1, 3], vec![1, 3, 3], vec![u32::MAX, u32::MAX]] {
            assert_eq!(Runs { size, counts }.mask(), None);
        }
        let claim = SizePx::new(u32::MAX, u32::MAX);
        assert_eq!(Runs { size: claim, counts: vec![1, 2] }.mask(), None);
    }

    proptest! {
        #[test]
        fn masks_come_back(
            (x, y, width) in (0_u32..5, 0_u32..5, 1_u32..7),
            (right, below) in (0_u32..3, 0_u32..3),
            bits in prop::collection::vec(any::<bool>(), 1..40),
        ) {
            let height = u32::try_from(bits.len()).unwrap().div_ceil(width);
            let mut bits = bits;
            bits.resize((width * height) as usize, false);
            let mask = Mask::from_bits(RectPx::new(x, y, width, height), bits);
            let size = SizePx::new(x + width + right, y + height + below);
            let runs = Runs::from_mask(&mask, size);
            prop_assert_eq!(u64::from(runs.counts.iter().sum::<u32>()), size.area());
            prop_assert_eq!(runs.mask(), tight(&mask));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,20}|[0-o]{0,30}") {
            if let Some(runs) = Runs::unpacked(SizePx::new(7, 5), &text) {
                let _ = runs.mask();
            }
        }
    }
}
