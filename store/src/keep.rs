//! Which parts are chosen when only a share is wanted, to keep their images or to look at them
//! again: takes a part's number, gives the same answer every time.

use domain::{PartId, PartKey};

/// Whether `part` is among the `share` of parts whose images are kept.
///
/// Decided by the part's number alone, so that a replay keeps the same images. A part that is kept
/// at some share is kept at every larger one. Nothing is kept when `share` is 0 or no number.
#[must_use]
pub fn keep_share(part: PartId, share: f64) -> bool {
    is_below(scattered(part.0), share)
}

/// What a share of parts is chosen for. Who is chosen for one is so independently of the others.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Choice {
    /// To be looked at by a second person.
    SecondOpinion = 1,
    /// To be labelled though it passed.
    Control = 2,
}

/// Whether a part is among the `share` chosen; as [`keep_share`], for parts of all runs.
pub(crate) fn is_chosen(key: PartKey, share: f64, what: Choice) -> bool {
    let run = scattered(key.run.unsigned_abs() ^ (what as u64) << 56);
    is_below(scattered(run ^ scattered(key.part.0)), share)
}

#[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64 exactly")]
fn is_below(bits: u64, share: f64) -> bool {
    let place = (bits >> 11) as f64 / (1_u64 << 53) as f64;
    place < share
}

/// The finaliser of SplitMix64: neighbouring numbers land far apart.
const fn scattered(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(share: f64) -> Vec<u64> {
        (1..=10_000).filter(|&number| keep_share(PartId(number), share)).collect()
    }

    #[test]
    fn the_share_is_kept_and_larger_shares_hold_smaller_ones() {
        assert!((160..=240).contains(&kept(0.02).len()), "{}", kept(0.02).len());
        assert!((4_800..=5_200).contains(&kept(0.5).len()));
        let larger = kept(0.1);
        assert!(kept(0.02).iter().all(|number| larger.contains(number)));
    }

    #[test]
    fn what_is_chosen_for_one_thing_says_nothing_of_another() {
        let key =
            |number: u64| PartKey { run: 1 + (number % 3).cast_signed(), part: PartId(number) };
        let chosen = |what| (1..=10_000).filter(move |&n| is_chosen(key(n), 0.1, what));
        let second: Vec<u64> = chosen(Choice::SecondOpinion).collect();
        assert!((900..=1_100).contains(&second.len()), "{}", second.len());
        let both = chosen(Choice::Control).filter(|n| second.contains(n)).count();
        assert!((60..=140).contains(&both), "{both}");
        let kept = second.iter().filter(|&&n| keep_share(PartId(n), 0.1)).count();
        assert!((60..=140).contains(&kept), "{kept}");
    }

    #[test]
    fn the_ends_are_none_and_all() {
        assert_eq!(kept(0.0).len(), 0);
        assert_eq!(kept(f64::NAN).len(), 0);
        assert_eq!(kept(1.0).len(), 10_000);
    }

    #[test]
    fn the_choice_is_the_same_for_ever() {
        assert_eq!(kept(0.001), [558, 4440, 4522, 5644, 7326, 8715, 9342]);
    }
}
