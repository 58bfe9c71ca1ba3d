//! Whether the measurement is fit for its purpose: takes measured values, gives gauge R&R (crossed
//! study), type-1 study (Cg, Cgk) and capability (Cp, Cpk), each with its formulas' source.
//!
//! Sources: AIAG, *Measurement Systems Analysis*, 4th ed. 2010, ch. III B (average and range method;
//! ANOVA method; %GRR, ndc); Burdick, Borror & Montgomery, *J. Quality Technology* 35 (2003) 342
//! (intervals); Bosch booklet 10, *Capability of Measurement and Test Processes*, and VDA 5 (type-1
//! study); AIAG, *Statistical Process Control*, 2nd ed. 2005 (Cp, Cpk).

mod anova;
mod capability;
mod range;
mod table;




pub use table::{Study, StudyRefused};
