//! Who asks the station for something, and how they are answered: the PLC by its handshake, people
//! by a sentence. Takes a result; gives it to whoever asked.

use anyhow::Result;
use domain::recipe::Limits;
use pipeline::plc::{Asked, CommandAnswer};
use thiserror::Error;

/// What people ask of the station at its screen.
#[derive(Debug)]
pub enum FloorWish {
    /// Begin.
    Start,
    /// End; what is on the line is answered first.
    Stop,
    /// Inspect by another recipe from the next part on.
    SelectRecipe(u16),
    /// Inspect by other limits from the next part on.
    ChangeLimits {
        /// As the station file counts.
        number: u16,
        /// What holds from then on.
        limits: Limits,
    },
}

/// The PLC lets nobody but itself change what the line does.
#[derive(Debug, Error)]
#[error("the PLC holds the line")]
pub struct Held;

/// How people are answered.
pub type Reply = Box<dyn FnOnce(Result<()>) + Send>;

/// Who asks.
pub enum Asker {
    /// The PLC. Dropped, it is refused.
    Plc(Asked),
    /// Somebody at the screen.
    Person(Reply),
}

impl Asker {
    /// Answers it.
    pub fn answer(self, result: Result<()>) {
        match self {
            Self::Plc(asked) => asked.answer(match result {
                Ok(()) => CommandAnswer::Done,
                Err(_) => CommandAnswer::Refused,
            }),
            Self::Person(reply) => reply(result),
        }
    }
}
