//! WHAT IS REMEMBERED. The only door to SQLite and to the files beside it: takes a part's
//! [`domain::Outcome`], gives it back for as long as it is kept.
//!
//! A store is a folder: `station.db`, whose every column is explained in `schema.sql`, `images/`
//! and `clips/`. It has one writing process ([`Store`], held by a lock file) and any number of
//! readers ([`Reader`]). A row never points to a file that is not there: files are whole and in
//! place before their row is committed, so a kill at any moment leaves a readable store.
//! [`check()`] finds whatever disagrees.

mod agreement;
mod audit;
mod check;
mod clips;
mod error;
#[cfg(test)]
mod example;
mod files;
mod history;
mod keep;
mod labels;
mod people;
mod picture;
mod queue;
mod reader;
mod rows;
mod schema;
mod store;
mod turn;
mod words;
mod writer;

pub use agreement::{
    Agreement, AgreementFilter, Kappa, ModelAgreement, PairAgreement, PersonAgreement, cohen,
    fleiss,
};
pub use audit::{
    Action, AuditFault, AuditFilter, AuditReport, AuditRow, NewEntry, verify_audit,
    verify_audit_against,
};
pub use check::{CheckReport, Gap, check};
pub use clips::{
    Budget, Clip, ClipClass, ClipEnd, ClipFault, ClipFile, ClipFilter, ClipGap, ClipId, ClipPart,
    ClipReport, ClipStart, ClipState, ClipTally, Clips, Evicted, Fragment, FragmentRow, Tally,
    verify_clips,
};
pub use error::StoreError;
pub use files::ImageKind;
pub use history::{Bin, BinBy, JudgedAgain, PartSearch, Positions, ScoredPart, judge_again};
pub use keep::keep_share;
pub use labels::{LabelRow, Labels, NewLabel};
pub use people::{People, PeopleError, Person, PinCost, PinError};
pub use picture::{Picture, PictureError, kept_of, read_heatmap, read_picture};
pub use queue::{QueueAsk, QueueItem, WhyAsked};
pub use reader::{
    Counts, EventCount, ImageRow, LateInspection, PartDetail, PartFilter, PartRow, Reader, RunRow,
    VerdictWord,
};
pub use store::{RunId, RunStart, Store};
pub use writer::{Recorded, Writer};
