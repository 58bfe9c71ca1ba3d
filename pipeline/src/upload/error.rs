//! Why clips can't be uploaded with this configuration: takes the key, says what would be right.

use std::io;

use domain::CameraId;
use store::StoreError;
use thiserror::Error;

/// Why the uploader can't start. Nothing of the network is among it.
#[derive(Debug, Error)]
pub enum UploadError {
    /// Clips may not go there.
    #[error(
        "upload.region: `{region}` is not one of upload.allowed_regions ({allowed}); add it there \
        if clips may go to it"
    )]
    Region {
        /// The region.
        region: String,
        /// Where they may go.
        allowed: String,
    },
    /// A stream would keep nothing.
    #[error("upload.create_with_retention_h: 0 keeps nothing; write the hours to keep, 1 or more")]
    Retention,
    /// The address can't be.
    #[error("upload.endpoint: {cause}")]
    Endpoint {
        /// Why not, and what would be right.
        cause: String,
    },
    /// A stream can't have this name, or another camera has it.
    #[error(
        "upload.stream gives `{stream}` for camera `{camera}`: a stream has 1 to 256 of \
        a-z A-Z 0-9 _ . - and each camera its own, for example `line3-{{camera}}`"
    )]
    Stream {
        /// The camera.
        camera: CameraId,
        /// The name.
        stream: String,
    },
    /// There is nobody to vouch for servers.
    #[error("this machine trusts no certificate authority; install the package ca-certificates")]
    NoRoots,
    /// The store can't be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no thread.
    #[error("the thread `upload` can't be started: {0}")]
    Thread(#[source] io::Error),
}
