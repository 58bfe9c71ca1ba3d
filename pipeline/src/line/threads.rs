//! Which cores the line's threads may run on, and which go before others. Takes a plan; gives it
//! to each thread as it starts. What the system does not permit is said once and done without.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use core_affinity::CoreId;
use domain::Stage;
use serde::{Deserialize, Serialize};
use thread_priority::{
    NormalThreadSchedulePolicy, RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

use super::LineError;

/// What comes before what, where real-time priority is permitted: the ledger before all, then
/// cameras, then looking, then inspecting. Within 1..=99; 50 is what Linux gives its interrupts.
const REALTIME: [(Stage, u8); 4] =
    [(Stage::Act, 40), (Stage::Capture, 35), (Stage::Locate, 30), (Stage::Prepare, 20)];

/// How threads share the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ThreadPlan {
    /// Cores, from 0, that a stage's threads stay on, one each, the first on the first; `prepare`
    /// stands for the inspecting threads (prepare, infer and decide). A stage that is not named
    /// runs anywhere.
    pub pin: BTreeMap<Stage, Vec<usize>>,
    /// Whether the stages up to act go before everything else on the machine (`SCHED_FIFO`),
    /// which needs CAP_SYS_NICE.
    pub realtime: bool,
}

/// Starts threads as a plan says.
pub(super) struct Threads {
    plan: ThreadPlan,
    /// In replay nothing is urgent, and the line waits for record.
    live: bool,
    refused: Arc<AtomicBool>,
}

impl Threads {
    pub fn new(plan: ThreadPlan, live: bool) -> Self {
        Self { plan, live, refused: Arc::default() }
    }

    /// Starts `body` as thread number `index` of `stage`.
    pub fn spawn<T: Send + 'static>(
        &self,
        stage: Stage,
        index: usize,
        name: &str,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JoinHandle<T>, LineError> {
        let (plan, live, refused) = (self.plan.clone(), self.live, Arc::clone(&self.refused));
        Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                if live {
                    settle(stage, index, &plan, &refused);
                }
                body()
            })
            .map_err(|source| LineError::Thread { name: name.to_owned(), source })
    }
}

/// Puts the current thread where the plan wants it.
fn settle(stage: Stage, index: usize, plan: &ThreadPlan, refused: &AtomicBool) {
    if let Some(cores) = plan.pin.get(&stage)
        && let Some(&core) = cores.get(index % cores.len().max(1))
        && !stays_on(CoreId { id: core })
    {
        tracing::warn!(target: "line", %stage, core, "the thread can't be kept on this core");
    }
    let Some((priority, policy)) = wanted(stage, plan.realtime) else { return };
    let done = set_thread_priority_and_policy(thread_native_id(), priority, policy);
    if let Err(error) = done
        && !refused.swap(true, Ordering::AcqRel)
    {
        tracing::warn!(
            target: "line", %stage, ?error,
            "threads keep their usual priority; give the program CAP_SYS_NICE for a steadier tail"
        );
    }
}

/// Keeps the current thread on `core`, where there is such a core.
fn stays_on(core: CoreId) -> bool {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    cores.contains(&core) && core_affinity::set_for_current(core)
}

/// record always comes last: whatever else wants to run goes before it.
fn wanted(stage: Stage, realtime: bool) -> Option<(ThreadPriority, ThreadSchedulePolicy)> {
    if stage == Stage::Record {
        let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Batch);
        return Some((ThreadPriority::Min, policy));
    }
    let (_, priority) = REALTIME.into_iter().find(|(fast, _)| realtime && *fast == stage)?;
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let priority = ThreadPriority::Crossplatform(priority.try_into().ok()?);
    Some((priority, policy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_is_not_permitted_still_gives_threads() {
        let pin = BTreeMap::from([(Stage::Act, vec![0]), (Stage::Prepare, vec![9999])]);
        let threads = Threads::new(ThreadPlan { pin, realtime: true }, true);
        for stage in Stage::ALL {
            let thread = threads.spawn(stage, 3, stage.name(), || 7).unwrap();
            assert_eq!(thread.join().unwrap(), 7, "{stage}");
        }
    }

    #[test]
    fn record_comes_last_and_act_first() {
        assert!(matches!(wanted(Stage::Record, true), Some((ThreadPriority::Min, _))));
        assert_eq!(wanted(Stage::Act, false), None);
        let (most, _) = wanted(Stage::Act, true).unwrap();
        for stage in [Stage::Capture, Stage::Locate, Stage::Prepare] {
            assert!(wanted(stage, true).unwrap().0 < most, "{stage}");
        }
    }
}
