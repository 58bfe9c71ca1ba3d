//! Limits as they are being changed: takes what a person moves, keeps them free of contradictions.

use domain::recipe::Limits;

use crate::charts::rounded;

/// Limits being changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Of which recipe.
    pub number: u16,
    /// What holds.
    pub base: Limits,
    /// What shall hold.
    pub limits: Limits,
    /// The class whose limits are shown; `None` for all that have none of their own.
    pub class: Option<String>,
}

/// The two limits of a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// From here a part is undecided.
    pub undecided_from: f32,
    /// From here it is rejected.
    pub reject_at: f32,
}

impl Draft {
    /// Nothing changed yet.
    #[must_use]
    pub fn new(number: u16, limits: &Limits) -> Self {
        Self { number, base: limits.clone(), limits: limits.clone(), class: None }
    }

    /// Whether something is.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.base != self.limits
    }

    /// Whether the class shown has limits of its own.
    #[must_use]
    pub fn has_own(&self) -> bool {
        self.class.as_ref().is_some_and(|class| self.limits.kind.contains_key(class))
    }

    /// The limits of the class shown.
    #[must_use]
    pub fn band(&self) -> Band {
        let all = Band {
            reject_at: self.limits.reject_at,
            undecided_from: self.limits.undecided_from.unwrap_or(self.limits.reject_at),
        };
        let Some(own) = self.class.as_ref().and_then(|class| self.limits.kind.get(class)) else {
            return all;
        };
        // As `Recipe::check` has it: who has a limit of their own does not inherit the band.
        let reject_at = own.reject_at.unwrap_or(all.reject_at);
        let inherited = if own.reject_at.is_some() { reject_at } else { all.undecided_from };
        Band { reject_at, undecided_from: own.undecided_from.unwrap_or(inherited) }
    }

    /// Rejects from `value` on; the band gives way.
    pub fn set_reject_at(&mut self, value: f32) {
        let (value, band) = (rounded(value), self.band());
        self.set(Band { reject_at: value, undecided_from: band.undecided_from.min(value) });
    }

    /// Undecided from `value` on; the limit gives way.
    pub fn set_undecided_from(&mut self, value: f32) {
        let (value, band) = (rounded(value), self.band());
        self.set(Band { undecided_from: value, reject_at: band.reject_at.max(value) });
    }

    /// The class shown has no limits of its own any more.
    pub fn as_all(&mut self) {
        if let Some(class) = &self.class {
            self.limits.kind.remove(class);
        }
    }

    fn set(&mut self, band: Band) {
        if band == self.band() {
            return;
        }
        match &self.class {
            Some(class) => {
                let own = self.limits.kind.entry(class.clone()).or_default();
                own.reject_at = Some(band.reject_at);
                own.undecided_from = Some(band.undecided_from);
            }
            None => {
                self.limits.reject_at = band.reject_at;
                let is_band = band.undecided_from < band.reject_at;
                self.limits.undecided_from = is_band.then_some(band.undecided_from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        let limits =
            r#"{"reject_at": 0.6, "undecided_from": 0.35, "kind": {"dent": {"reject_at": 0.8}}}"#;
        Draft::new(1, &serde_json::from_str(limits).unwrap())
    }

    fn band(undecided_from: f32, reject_at: f32) -> Band {
        Band { undecided_from, reject_at }
    }

    #[test]
    fn limits_give_way_to_each_other() {
        let mut draft = draft();
        draft.set_reject_at(0.2);
        assert_eq!(draft.band(), band(0.2, 0.2));
        assert_eq!(draft.limits.undecided_from, None);
        draft.set_undecided_from(0.3);
        assert_eq!(draft.band(), band(0.3, 0.3));
    }

    #[test]
    fn a_class_gets_limits_of_its_own_when_they_are_moved() {
        let mut draft = draft();
        draft.class = Some("dent".to_owned());
        assert_eq!((draft.band(), draft.has_own()), (band(0.8, 0.8), true));
        draft.as_all();
        assert_eq!((draft.band(), draft.has_own()), (band(0.35, 0.6), false));
        draft.set_reject_at(0.6);
        assert!(!draft.has_own(), "nothing was moved");
        draft.set_reject_at(0.7);
        assert_eq!((draft.band(), draft.has_own()), (band(0.35, 0.7), true));
        assert_eq!(draft.limits.reject_at, 0.6, "the others are as they were");
    }

    #[test]
    fn moved_back_is_not_changed() {
        let mut draft = draft();
        draft.set_reject_at(0.7);
        assert!(draft.is_changed());
        draft.set_reject_at(0.6);
        assert!(!draft.is_changed());
    }
}
