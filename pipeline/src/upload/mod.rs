//! upload: brings clips to where they are kept, whenever the network allows. Takes what waits in
//! the store; gives back to it how far each has come. Deletes nothing.

use std::path::PathBuf;

use serde::Deserialize;

/// Where clips go: `[upload]` of the station file.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case", deny_unknown_fields)]
pub enum UploadConfig {
    /// Amazon Kinesis Video Streams, one stream a camera.
    KinesisVideo(KinesisVideoConfig),
    /// A folder, for example of a file server.
    Folder {
        /// The folder.
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
    /// Makes streams that are not there, and keeps what comes for so many hours; without it a
    /// missing stream is an alarm.
    pub create_with_retention_h: Option<u32>,
    /// Another endpoint than the region's, for tests.
    pub endpoint: Option<String>,
}

fn stream() -> String {
    "{station}-{camera}".to_owned()
}
