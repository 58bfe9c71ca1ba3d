//! Asks for a PIN: takes what is typed without showing it, or the first line of stdin when nobody
//! types.

use std::io::{BufRead, IsTerminal, StdinLock, Write, stderr, stdin};

use anyhow::{Context, Result, bail};
use domain::Pin;
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

/// A PIN; typed twice at a terminal.
pub fn pin() -> Result<Pin> {
    let mut input = stdin().lock();
    if !input.is_terminal() {
        return line(&mut input).map(Pin::new);
    }
    let _unseen = Unseen::new()?;
    let first = asked("PIN: ", &mut input)?;
    if first != asked("The same again: ", &mut input)? {
        bail!("the two PINs differ; nothing was changed");
    }
    Ok(Pin::new(first))
}

fn asked(question: &str, input: &mut StdinLock<'_>) -> Result<String> {
    let mut screen = stderr();
    write!(screen, "{question}").and_then(|()| screen.flush())?;
    let answer = line(input)?;
    // The newline that was typed was not shown either.
    writeln!(screen)?;
    Ok(answer)
}

fn line(input: &mut StdinLock<'_>) -> Result<String> {
    let mut line = String::new();
    input.read_line(&mut line).context("read the PIN")?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Unseen(Termios);

impl Unseen {
    fn new() -> Result<Self> {
        let before = tcgetattr(stdin()).context("ask the terminal to show nothing")?;
        let mut hidden = before.clone();
        hidden.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(stdin(), SetArg::TCSAFLUSH, &hidden)
            .context("ask the terminal to show nothing")?;
        Ok(Self(before))
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        // A terminal that has gone needs nothing put back.
        let _ = tcsetattr(stdin(), SetArg::TCSAFLUSH, &self.0);
    }
}
