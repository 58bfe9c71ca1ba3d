//! The loop around the desk in replay. Takes parts in the order in which they were located and
//! waits for each, so that what comes out depends on nothing but the footage.

use std::collections::BTreeMap;

use domain::{PartId, Stage, Why};

use super::desk::Desk;
use super::hands::Hands;
use super::{Inspected, Notice};
use crate::link::LinkReceiver;

/// Runs until the notices end. A part whose inspection fails is answered at once.
pub(super) fn run(
    desk: &mut Desk,
    hands: &mut Hands,
    notices: &LinkReceiver<Notice>,
    inspected: &LinkReceiver<Inspected>,
) {
    let mut early = BTreeMap::new();
    while let Ok(notice) = notices.recv() {
        let (part, located_at) = (notice.expected.part, notice.located_at);
        let comes = notice.unseen.is_none();
        desk.notice(notice, located_at);
        hands.carry_out(desk);
        if comes {
            let item = wait_for(part, &mut early, inspected)
                .unwrap_or(Inspected::Lost(part, Why::StageFailed { stage: Stage::Infer }));
            desk.inspected(item, std::iter::empty(), located_at);
            hands.carry_out(desk);
        }
    }
}

/// Waits until the inspection of `part` comes; keeps the others that come before it.
fn wait_for(
    part: PartId,
    early: &mut BTreeMap<PartId, Inspected>,
    inspected: &LinkReceiver<Inspected>,
) -> Option<Inspected> {
    loop {
        if let Some(item) = early.remove(&part) {
            return Some(item);
        }
        let item = inspected.recv().ok()?;
        early.insert(item.part(), item);
    }
}
