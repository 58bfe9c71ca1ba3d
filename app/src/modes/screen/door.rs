//! The station's end of the socket. Takes what the screen asks to the clerk; tells it the news, the
//! answers and the cameras' pictures. A screen that does not listen holds up nobody but these two
//! threads, and is given up.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use domain::{MonoTime, WallTime};
use pipeline::clock::Clock;
use pipeline::stage::Counters;
use ui::{LineNews, News};

use super::clerk::Inbox;
use super::hall::Hall;
use super::preview::Previewer;
use super::wire::{self, ToScreen, ToStation};

/// Whether there is news is looked at this often, as often as a preview usually comes, so that the
/// screen paints both at once; after every answer news are told anyway.
const NEWS_EVERY: Duration = Duration::from_millis(200);
/// News that say nothing but another time are told this often: a clock without seconds is shown.
const TIME_EVERY: Duration = Duration::from_secs(10);
/// How often it is looked whether a picture has come.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A screen that takes nothing for so long hangs.
const TAKES_WITHIN: Duration = Duration::from_secs(5);

/// The cameras that are shown.
pub struct Cameras {
    /// One a camera.
    pub previewers: Vec<Previewer>,
    /// The line's.
    pub counters: Arc<Counters>,
    /// Pictures a second of each.
    pub fps: f32,
    /// Whether the screen shows them now.
    pub are_shown: Arc<AtomicBool>,
}

/// Hears the screen at the other end of `stream` until it is gone; whether it shows cameras goes to
/// `are_shown`.
///
/// # Errors
/// When there can be no more threads.
pub fn hear(
    mut stream: UnixStream,
    inbox: Sender<Inbox>,
    are_shown: Arc<AtomicBool>,
) -> io::Result<JoinHandle<()>> {
    let hear = move || {
        loop {
            let message = match wire::receive::<ToStation>(&mut stream) {
                Ok(Some((ToStation::Ask(ask, command), _))) => Inbox::Asked(ask, command),
                Ok(Some((ToStation::Keep(settings), _))) => Inbox::Keep(settings),
                Ok(Some((ToStation::Look(looks), _))) => {
                    are_shown.store(looks, Ordering::Relaxed);
                    continue;
                }
                Ok(Some((ToStation::Shown, _))) => {
                    tracing::info!(target: "screen", "the screen is on the display");
                    continue;
                }
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(target: "screen", "the screen is not heard any more: {error}");
                    return;
                }
            };
            if inbox.send(message).is_err() {
                return;
            }
        }
    };
    Builder::new().name("from-screen".to_owned()).spawn(hear)
}

/// Tells the screen at the other end of `stream` everything, `until` it is enough.
///
/// # Errors
/// When the screen is gone or does not listen.
pub fn tell(
    mut stream: UnixStream,
    hall: &Hall,
    answers: &Receiver<ToScreen>,
    mut cameras: Option<&mut Cameras>,
    clock: &dyn Clock,
    until: &dyn Fn() -> bool,
) -> io::Result<()> {
    stream.set_write_timeout(Some(TAKES_WITHIN))?;
    let mut told = Told::default();
    let mut shown = MonoTime::ZERO;
    while !until() {
        let now = clock.now();
        if let Some(news) = told.worth_telling(now, || hall.news())? {
            wire::send(&mut stream, &ToScreen::News(Box::new(news)), &[])?;
        }
        if let Some(cameras) = &mut cameras {
            cameras.show(&mut stream, now, &mut shown)?;
        }
        match answers.recv_timeout(LOOK_EVERY) {
            Ok(message) => wire::send(&mut stream, &message, &[])?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok(())
}

/// What was told last. A screen repaints when it is told something, so it is not told the same
/// again.
#[derive(Default)]
struct Told {
    looked: Option<MonoTime>,
    told: Option<MonoTime>,
    /// But for the time of day.
    news: Vec<u8>,
}

impl Told {
    /// The news, when it is time to look and they say more than the last.
    fn worth_telling(
        &mut self,
        now: MonoTime,
        news: impl FnOnce() -> News,
    ) -> io::Result<Option<News>> {
        let is_due = |last: Option<MonoTime>, every| last.is_none_or(|it| now.since(it) >= every);
        if !is_due(self.looked, NEWS_EVERY) {
            return Ok(None);
        }
        self.looked = Some(now);
        let news = news();
        let timeless = serde_json::to_vec(&timeless(&news))?;
        if timeless == self.news && !is_due(self.told, TIME_EVERY) {
            return Ok(None);
        }
        self.news = timeless;
        self.told = Some(now);
        Ok(Some(news))
    }
}

/// The news but for what always changes: the time, and digits of others that nobody is shown.
fn timeless(news: &News) -> News {
    let line = news.line.as_ref().map(|line| LineNews {
        uptime_s: line.uptime_s.floor(),
        disk_free_bytes: line.disk_free_bytes.map(|free| free >> 26),
        rss_bytes: line.rss_bytes >> 23,
        ..line.clone()
    });
    News { now: WallTime::default(), line, ..news.clone() }
}

impl Cameras {
    fn show(
        &mut self,
        stream: &mut UnixStream,
        now: MonoTime,
        shown: &mut MonoTime,
    ) -> io::Result<()> {
        let is_time = self.are_shown.load(Ordering::Relaxed)
            && now.since(*shown).as_secs_f32() * self.fps >= 1.0;
        if is_time {
            *shown = now;
        }
        for previewer in &mut self.previewers {
            let recent = || self.counters.snapshot().recent;
            if let Some(preview) = previewer.fetch(recent) {
                wire::send_preview(stream, &preview)?;
            }
            if is_time {
                previewer.wish();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use pipeline::clock::SimulatedClock;
    use ui::Person;

    use super::*;

    fn news(unix_ns: i64) -> News {
        let facts = ui::Facts {
            station: "cell 4".to_owned(),
            software: String::new(),
            recipes: vec![],
            in_force: None,
            cameras: vec![],
        };
        let hall = Hall::new(facts, None, Arc::new(SimulatedClock::default()));
        News { now: WallTime { unix_ns }, ..hall.news() }
    }

    #[test]
    fn what_was_told_is_not_told_again_but_for_the_time_now_and_then() {
        let mut told = Told::default();
        let mut is_told = |ms: u64, news: News| {
            let now = MonoTime::from_ns(ms * 1_000_000);
            told.worth_telling(now, || news).unwrap().is_some()
        };
        assert!(is_told(1_000, news(1)), "the first");
        assert!(!is_told(1_300, news(2)), "only the time is another");
        let somebody = Person {
            id: domain::PersonId::new("p-1"),
            name: "Kim".to_owned(),
            role: domain::Role::Engineer,
        };
        let changed = News { who: Some(somebody), ..news(3) };
        assert!(!is_told(1_400, changed.clone()), "not looked at before it is time");
        assert!(is_told(1_600, changed.clone()));
        assert!(!is_told(11_500, changed.clone()));
        assert!(is_told(11_700, changed), "the clock goes on");
    }
}
