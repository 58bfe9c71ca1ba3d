//! What the service manager is told (systemd's `sd_notify`); nothing where there is none.

use std::time::Duration;

use domain::MonoTime;
use sd_notify::NotifyState;

/// The service manager, if there is one.
pub struct Service {
    /// How often it wants to hear that the line lives.
    watchdog: Option<Duration>,
    fed_at: MonoTime,
    is_ready: bool,
}

impl Service {
    /// Asks the environment for it.
    pub fn new() -> Self {
        // Twice in the time after which this process would be killed.
        let watchdog = sd_notify::watchdog_enabled().map(|limit| limit / 2);
        Self { watchdog, fed_at: MonoTime::ZERO, is_ready: false }
    }

    /// The line runs. Said once; whether this was the time.
    pub fn ready(&mut self) -> bool {
        let first = !self.is_ready;
        if first {
            self.is_ready = true;
            tell(&[NotifyState::Ready]);
        }
        first
    }

    /// One line for `systemctl status`.
    pub fn status(&self, status: &str) {
        tell(&[NotifyState::Status(status)]);
    }

    /// The line lives at `now`. Not saying so ends in a restart.
    pub fn lives(&mut self, now: MonoTime) {
        if self.watchdog.is_some_and(|every| now.since(self.fed_at) >= every) {
            self.fed_at = now;
            tell(&[NotifyState::Watchdog]);
        }
    }

    /// The line is being stopped.
    pub fn stopping(&self) {
        tell(&[NotifyState::Stopping]);
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(target: "run", %error, "the service manager could not be told");
    }
}
