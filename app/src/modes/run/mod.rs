//! `sightline run`: the line without a screen, for weeks. Takes a station file; ends when it is
//! told to, or with an error so that the service manager starts it anew.

mod arming;
mod asker;
mod fail_on;
mod filming;
mod floor;
mod gate;
mod look;
mod metrics;
mod open;
mod process;
mod rates;
mod recalibrated;
mod recipes;
mod service;
mod shared;
mod signals;
pub mod span;
mod words;

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use domain::{LineState, MonoTime};
use pipeline::clock::{Clock, RealClock};

use super::progress::StatusLine;
use super::say_json;
use crate::Ended;
use crate::config::Station;
use crate::replace;
pub use asker::{Asker, FloorWish, Held};
use fail_on::FailOn;
pub use floor::Floor;
use look::Look;
#[cfg(test)]
pub use look::RecipeInForce;
pub use look::Watch;
pub use open::camera as open_camera;
pub use process::rss_bytes;
pub use rates::Rates;
use service::Service;
pub use signals::{Wish, watch as watch_signals};

/// How often this thread looks after everything.
const TICK: Duration = Duration::from_millis(100);
/// How often the line on a terminal is drawn anew.
const DRAW: Duration = Duration::from_millis(500);
/// How often the service manager is told how it goes.
const TELL: Duration = Duration::from_secs(10);
/// How often the log is told how it goes.
const LOG: Duration = Duration::from_secs(60);

/// Run a line: cameras, verdicts, the reject gate. For weeks, without a screen.
///
/// Stops on SIGINT or SIGTERM: no more frames are taken, parts on the line are answered, all is
/// written down. A second signal stops at once. SIGUSR1 writes latency.json.
///
/// Exit codes: 0 stopped as asked, 1 limits of --fail-on not met, 2 bad input or environment.
#[derive(clap::Args)]
pub struct Args {
    /// The station: cameras, recipes, PLC, store. deploy/station.toml is one to start from.
    station: PathBuf,
    /// Stop after this time: 500ms, 20s, 5m, 8h.
    #[arg(long = "for", value_name = "DURATION", value_parser = span::parse)]
    lasts: Option<Duration>,
    /// Write latency.json this often, besides at the end and on SIGUSR1.
    #[arg(long, value_name = "DURATION", value_parser = span::parse)]
    latency_every: Option<Duration>,
    /// Limits that make the exit code 1: `misses=0,dropped=0`; also `late`, `missing`,
    /// `undecided`, `alarms`, `decision-p99-ms`, `decision-max-ms`.
    #[arg(long, value_name = "LIMITS")]
    fail_on: Option<FailOn>,
    /// One JSON object (what latency.json holds) on stdout at the end.
    #[arg(long)]
    json: bool,
}

/// Runs the mode.
pub fn run(args: &Args) -> Result<Ended> {
    run_with(args, |_| Ok(None))
}

/// What a screen is put together from.
pub struct Behind<'a> {
    /// The station at work.
    pub floor: &'a Floor,
    /// Where wishes go.
    pub wishes: Sender<Wish>,
    /// The line's clock.
    pub clock: Arc<dyn Clock>,
    /// Whether the PLC holds the line.
    pub plc_holds: Arc<AtomicBool>,
}

/// Whatever stands beside the line while it runs; its end is its drop.
pub type Beside = Box<dyn Any>;

/// Runs the line with whatever `beside` makes of it.
pub fn run_with(
    args: &Args,
    beside: impl FnOnce(Behind<'_>) -> Result<Option<Beside>>,
) -> Result<Ended> {
    // Before any thread is there.
    let (to_run, wishes) = signals::watch()?;
    let station = Station::from_file(&args.station)?;
    let service = Service::new();
    service.status("arming the recipes");
    // A stop that comes now is taken out here: there is nothing to stop yet.
    let stopped = || wishes.try_iter().any(|wish| matches!(wish, Wish::Stop));
    let Some(ready) = recipes::arm_all(&station, &stopped)? else { return Ok(Ended::Done) };
    let clock = clock_of(&station);
    let latency_json = station.latency_json.clone();
    let floor = Floor::open(station, ready, Arc::clone(&clock))?;
    let _server = serve_metrics(&floor, &clock)?;
    let plc_holds = Arc::new(AtomicBool::new(false));
    let behind = Behind {
        floor: &floor,
        wishes: to_run,
        clock: Arc::clone(&clock),
        plc_holds: Arc::clone(&plc_holds),
    };
    let _beside = beside(behind)?;
    let mut run = Run {
        args,
        wishes,
        watch: Arc::clone(floor.watch()),
        floor,
        clock,
        service,
        status: StatusLine::new(args.json),
        rates: Rates::default(),
        latency_json,
        latency_every: args.latency_every.map(Every::new),
        draw: Every::new(DRAW),
        tell: Every::new(TELL),
        log: Every::new(LOG),
        plc_holds,
    };
    let ended = run.work();
    run.service.stopping();
    run.status.clear();
    let look = run.watch.look();
    // Whatever happened, its numbers are kept.
    let kept = run.write_latency(&look);
    if args.json {
        say_json(&look)?;
    }
    ended?;
    kept?;
    let broken = args.fail_on.as_ref().map(|limits| limits.check(&look)).unwrap_or_default();
    for limit in &broken {
        tracing::error!(target: "run", "limit not met: {limit}");
    }
    Ok(if broken.is_empty() { Ended::Done } else { Ended::LimitsNotMet })
}

/// The machine's clock, which the station may say is right.
fn clock_of(station: &Station) -> Arc<dyn Clock> {
    let is_trusted = station.filming.as_ref().is_some_and(|filming| filming.clips.trust_clock);
    let clock = RealClock::start();
    Arc::new(if is_trusted { clock.trusted() } else { clock })
}

/// Serves metrics where the station file says so; nothing listens otherwise.
fn serve_metrics(floor: &Floor, clock: &Arc<dyn Clock>) -> Result<Option<metrics::Server>> {
    let Some(listen) = floor.station().metrics else { return Ok(None) };
    let watch = Arc::clone(floor.watch());
    let server = metrics::serve(listen, Arc::clone(clock), move || metrics::page(&watch.look()))
        .with_context(|| format!("{listen}: metrics can't be served there"))
        .map_err(|error| floor.station().blame("metrics.listen", error))?;
    let address = server.address();
    if !address.ip().is_loopback() {
        tracing::warn!(
            target: "run",
            "metrics can be read by anyone who reaches {address}: there is no password"
        );
    }
    tracing::info!(target: "run", "metrics at http://{address}/metrics");
    Ok(Some(server))
}

/// A line at work, and whoever is told of it.
struct Run<'a> {
    args: &'a Args,
    wishes: Receiver<Wish>,
    floor: Floor,
    watch: Arc<Watch>,
    clock: Arc<dyn Clock>,
    service: Service,
    status: StatusLine,
    rates: Rates,
    latency_json: PathBuf,
    latency_every: Option<Every>,
    draw: Every,
    tell: Every,
    log: Every,
    plc_holds: Arc<AtomicBool>,
}

impl Run<'_> {
    /// Runs the line until it is told to stop.
    fn work(&mut self) -> Result<()> {
        self.floor.start()?;
        let started = self.clock.now();
        let mut leaving = false;
        loop {
            let wish = match self.wishes.recv_timeout(TICK) {
                Ok(wish) => Some(wish),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => bail!("signals are not heard any more"),
            };
            let lasted = self.clock.now().since(started);
            let is_time = self.args.lasts.is_some_and(|lasts| lasted >= lasts);
            let mut is_asked = false;
            match wish {
                Some(Wish::Stop) if leaving => {
                    bail!("stopped at once; parts on the line were not waited for")
                }
                Some(Wish::Report) => {
                    // It is in the log; the line goes on.
                    let _ = self.write_latency(&self.watch.look());
                }
                Some(Wish::Asked(..)) if leaving => {}
                Some(Wish::Asked(wish, asker)) => self.floor.obey_people(wish, asker)?,
                Some(Wish::Stop) => is_asked = true,
                None => {}
            }
            if !leaving && (is_time || is_asked) {
                leaving = true;
                self.service.stopping();
                self.floor.stop();
            }
            self.floor.tick(leaving)?;
            self.plc_holds.store(self.floor.is_held(), Ordering::Release);
            self.report();
            if leaving && self.floor.is_off() {
                return Ok(());
            }
        }
    }

    /// Tells everyone who wants to know how it goes.
    fn report(&mut self) {
        let now = self.clock.now();
        if self.floor.is_alive() {
            self.service.lives(now);
        }
        let state = self.watch.counters().state();
        // A line that lacks a camera is up all the same: its parts are answered.
        if matches!(state, LineState::Running | LineState::Degraded) && self.service.ready() {
            tracing::info!(target: "run", "ready");
        }
        let latency = self.latency_every.as_mut().is_some_and(|every| every.is_due(now));
        if !self.draw.is_due(now) && !latency {
            return;
        }
        let look = self.watch.look();
        if latency {
            // It is in the log; the next time it may work.
            let _ = self.write_latency(&look);
        }
        self.rates.add(now, &self.watch.counters().snapshot());
        let line = words::line(&look, &self.rates.fps(), self.rates.parts_per_min());
        self.status.show(&line);
        if self.tell.is_due(now) {
            self.service.status(&line);
        }
        if self.log.is_due(now) && !self.status.is_seen() {
            tracing::info!(target: "run", "{line}");
        }
    }

    fn write_latency(&self, look: &Look) -> Result<()> {
        let path = self.latency_json.display();
        let written = serde_json::to_vec_pretty(look)
            .map_err(anyhow::Error::from)
            .and_then(|json| Ok(replace::write(&self.latency_json, &json)?))
            .with_context(|| format!("{path}: the line's numbers can't be written"));
        match &written {
            Ok(()) => tracing::info!(target: "run", "{path} written"),
            Err(error) => tracing::error!(target: "run", "{error:#}"),
        }
        written
    }
}

/// Something that is done again and again; the first time when it has been that long.
struct Every {
    period: Duration,
    last: MonoTime,
}

impl Every {
    const fn new(period: Duration) -> Self {
        Self { period, last: MonoTime::ZERO }
    }

    fn is_due(&mut self, now: MonoTime) -> bool {
        let due = now.since(self.last) >= self.period;
        if due {
            self.last = now;
        }
        due
    }
}
