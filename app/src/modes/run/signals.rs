//! What the system asks of this process. Takes SIGINT, SIGTERM and SIGUSR1; gives them as wishes,
//! on a thread of their own, so that nothing runs inside a signal handler.

use std::process;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Builder;

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal};

use super::asker::{Asker, FloorWish};

/// What the system or the screen asks for.
pub enum Wish {
    /// End; what is on the line is answered first.
    Stop,
    /// Write the numbers of the line now.
    Report,
    /// Somebody at the screen asks for this.
    Asked(FloorWish, Asker),
}

/// Takes the signals away from every thread that is started from now on, and hands them to one.
/// Call it before any other thread is there.
pub fn watch() -> Result<(Sender<Wish>, Receiver<Wish>)> {
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGUSR1] {
        signals.add(signal);
    }
    signals.thread_block().context("signals can't be watched")?;
    let (wishes, wished) = channel();
    let signalled = wishes.clone();
    Builder::new().name("signals".to_owned()).spawn(move || hear(&signals, &signalled))?;
    Ok((wishes, wished))
}

fn hear(signals: &SigSet, wishes: &Sender<Wish>) {
    let mut stops = 0;
    while let Ok(signal) = signals.wait() {
        let wish = if signal == Signal::SIGUSR1 { Wish::Report } else { Wish::Stop };
        stops += u32::from(matches!(wish, Wish::Stop));
        // Who asks three times means it, whatever the rest of the program is at.
        if wishes.send(wish).is_err() || stops > 2 {
            process::exit(2);
        }
    }
}
