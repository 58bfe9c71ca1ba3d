//! The moments at which a kill would hurt most: takes their names; in tests, and when a test asks
//! for it, the process ends there as if it had been killed.

#[cfg(test)]
pub(super) const KILL_AT: &str = "SIGHTLINE_TEST_KILL_AT";

/// Says that `step` is reached.
#[cfg(test)]
pub(super) fn reached(step: &'static str) {
    if std::env::var(KILL_AT).is_ok_and(|kill_at| kill_at == step) {
        std::process::abort();
    }
}

/// Nothing: only tests kill.
#[cfg(not(test))]
pub(super) const fn reached(_step: &'static str) {}
