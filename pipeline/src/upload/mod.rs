//! upload: brings clips to where they are kept, whenever the network allows. Takes what waits in
//! the store; gives back to it how far each has come. Deletes nothing.
//!
//! One thread of the lowest priority; on it a task a camera, so that one that waits for the
//! network does not hold up another. A kind of destination is a variant of [`UploadConfig`], a
//! file here, and a line in `pipeline/tests/upload`.

mod courier;
mod desk;
mod error;
mod folder;
mod kinesis_video;
mod progress;
mod put_media;
mod trouble;
mod waits;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use domain::{CameraId, Event, Stage};
use serde::Deserialize;
use store::{Clips, RunId, StoreError};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep;

use crate::clock::Clock;
use crate::limits;
use crate::priority::come_last;
use crate::stage::Counters;
use courier::{Courier, Way};
use desk::Desk;
pub use error::UploadError;
use folder::Folder;
use kinesis_video::{Stream, Streams};
pub use waits::Waits;

/// Where clips go: `[upload]` of the station file.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case", deny_unknown_fields)]
pub enum UploadConfig {
    /// Amazon Kinesis Video Streams, one stream a camera.
    KinesisVideo(KinesisVideoConfig),
    /// A folder, for example of a file server.
    Folder {
        /// The folder. It must be there: one inside a mount is missing when the mount is.
        path: PathBuf,
    },
}

/// `[upload]` with `to = "kinesis_video"`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KinesisVideoConfig {
    /// The region, for example `eu-central-1`.
    pub region: String,
    /// Regions that clips may go to; any other is refused.
    pub allowed_regions: Vec<String>,
    /// Name of a camera's stream; `{camera}` and `{station}` stand for theirs.
    #[serde(default = "stream")]
    pub stream: String,
    /// The profile of the credentials file to use; the default chain when absent.
    pub profile: Option<String>,
    /// A credentials file of its own, for a station that runs as a service; `profile` is looked
    /// up in it.
    pub credentials: Option<PathBuf>,
    /// Makes streams that are not there, and keeps what comes for so many hours; without it a
    /// missing stream is an alarm.
    pub create_with_retention_h: Option<u32>,
    /// Another endpoint than the region's, for tests.
    pub endpoint: Option<String>,
}

fn stream() -> String {
    "{station}-{camera}".to_owned()
}

/// Whose clips are brought where.
#[derive(Clone, Debug)]
pub struct Uploading<'a> {
    /// Where they go.
    pub config: &'a UploadConfig,
    /// Name of the station.
    pub station: &'a str,
    /// Its cameras.
    pub cameras: &'a [CameraId],
    /// The first run of this process; runs of one process share the line's clock.
    pub first_run: RunId,
    /// How long is waited for what.
    pub waits: Waits,
}

/// Starts to bring clips, and shows in `counters` how it goes. `clips` opens the store once a
/// camera. Needs no network, now or ever:
/// what can't be sent stays on disk.
///
/// # Errors
/// When the configuration can't be right, the store can't be opened, or no thread be had.
pub fn start(
    what: &Uploading<'_>,
    mut clips: impl FnMut() -> Result<Clips, StoreError>,
    counters: &Arc<Counters>,
    clock: &Arc<dyn Clock>,
) -> Result<Uploader, UploadError> {
    let ways = Ways::new(what)?;
    let (ask, stop) = watch::channel(None);
    let mut desks = Vec::new();
    for camera in what.cameras {
        desks.push(Desk {
            camera: camera.clone(),
            clips: clips()?,
            first_run: what.first_run,
            progress: Arc::default(),
            counters: Arc::clone(counters),
            clock: Arc::clone(clock),
            waits: what.waits.clone(),
            stop: stop.clone(),
            put_off: BTreeSet::new(),
        });
    }
    let shown: Vec<_> =
        desks.iter().map(|desk| (desk.camera.clone(), Arc::clone(&desk.progress))).collect();
    counters.show_uploads(Box::new(move || {
        shown.iter().map(|(camera, progress)| progress.snapshot(camera)).collect()
    }));
    let runtime = runtime(what.cameras.len()).map_err(UploadError::Thread)?;
    let (done, is_done) = bounded(1);
    let body = move || {
        come_last();
        bring_all(runtime, ways, desks, stop);
        // Nobody may be waiting any more.
        let _ = done.try_send(());
    };
    let thread = std::thread::Builder::new().name(Stage::Upload.name().to_owned()).spawn(body);
    let thread = thread.map_err(UploadError::Thread)?;
    Ok(Uploader { ask, is_done, thread })
}

/// Where clips go, checked.
enum Ways {
    KinesisVideo(Arc<Streams>),
    Folder { path: PathBuf, station: String },
}

impl Ways {
    fn new(what: &Uploading<'_>) -> Result<Self, UploadError> {
        Ok(match what.config {
            UploadConfig::KinesisVideo(config) => {
                let streams = Streams::new(config, what.station, what.cameras)?;
                Self::KinesisVideo(Arc::new(streams))
            }
            UploadConfig::Folder { path } => {
                Self::Folder { path: path.clone(), station: what.station.to_owned() }
            }
        })
    }

    /// A courier for the clips on `desk`.
    fn courier(&self, desk: Desk) -> Courier {
        let way = match self {
            Self::KinesisVideo(streams) => {
                let stream = Stream::new(Arc::clone(streams), &desk.camera);
                Way::KinesisVideo(Box::new(stream))
            }
            Self::Folder { path, station } => Way::Folder(Folder::new(path, station)),
        };
        Courier::new(desk, way)
    }
}

fn runtime(cameras: usize) -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_name(Stage::Upload.name())
        .max_blocking_threads(cameras + limits::UPLOAD_LOOKUPS_MAX)
        .build()
}

/// The thread: until every courier has stopped, or the time for that is over.
fn bring_all(
    runtime: Runtime,
    ways: Ways,
    desks: Vec<Desk>,
    mut stop: watch::Receiver<Option<Duration>>,
) {
    let counters = desks.first().map(|desk| Arc::clone(&desk.counters));
    let all = async {
        let mut couriers = JoinSet::new();
        for desk in desks {
            couriers.spawn_local(ways.courier(desk).run());
        }
        while let Some(ended) = couriers.join_next().await {
            if let (Err(error), Some(counters)) = (ended, &counters) {
                let (stage, message) = (Stage::Upload, error.to_string());
                counters.event(&Event::StageFailed { stage, message });
            }
        }
    };
    let in_time = async {
        while stop.changed().await.is_ok() {
            let within = *stop.borrow();
            if let Some(within) = within {
                sleep(within).await;
                return;
            }
        }
    };
    let tasks = LocalSet::new();
    tasks.block_on(&runtime, async {
        tokio::select! {
            () = all => {}
            () = in_time => {}
        }
    });
    // A call that is let go gives its connection back, for which it needs the runtime.
    let inside = runtime.enter();
    drop(tasks);
    drop(inside);
    // A look-up or a copy that hangs is not waited for.
    runtime.shutdown_background();
}

/// The running uploader. Dropped, it stops at once; what was on its way is sent again by the next
/// one, after `store::Clips::recover`.
#[derive(Debug)]
pub struct Uploader {
    ask: watch::Sender<Option<Duration>>,
    is_done: Receiver<()>,
    thread: JoinHandle<()>,
}

impl Uploader {
    /// Begins no other fragment, waits for what is on its way to be kept, and ends; all that for
    /// no longer than `within`. Whether it has ended by then: a file server that hangs may hold
    /// the thread longer, which then is left to itself.
    #[must_use]
    pub fn stop(self, within: Duration) -> bool {
        self.ask.send_replace(Some(within));
        let has_ended = self.is_done.recv_timeout(within + limits::STOP_LOOK).is_ok();
        has_ended && self.thread.join().is_ok()
    }
}
