//! Amazon Kinesis Video Streams, one stream a camera. Takes the configuration; gives streams that
//! are checked, or made, before anything is sent to them. Credentials come from the usual chain
//! (profile, environment, the device's role) and are written nowhere.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_kinesisvideo::Client;
use aws_sdk_kinesisvideo::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_kinesisvideo::types::{ApiName, Status, StreamInfo};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use domain::CameraId;
use tokio::time::{Instant, sleep_until, timeout};

use super::desk::Desk;
use super::put_media::{
    Connection, Endpoint, Head, Pace, Trust, next_feed, send_all, trouble_of_request,
};
use super::trouble::{Remedy, Trouble};
use super::{KinesisVideoConfig, UploadError, Waits};

/// A configuration that was checked.
pub struct Streams {
    config: KinesisVideoConfig,
    station: String,
    /// Another address than the region's.
    endpoint: Option<Endpoint>,
    trust: Option<Trust>,
}

impl Streams {
    /// Checks `config` for a station with `cameras`. Needs no network.
    ///
    /// # Errors
    /// When a region is not allowed, or a name or address can't be.
    pub fn new(
        config: &KinesisVideoConfig,
        station: &str,
        cameras: &[CameraId],
    ) -> Result<Self, UploadError> {
        if !config.allowed_regions.contains(&config.region) {
            let allowed = config.allowed_regions.join(", ");
            return Err(UploadError::Region { region: config.region.clone(), allowed });
        }
        if config.create_with_retention_h == Some(0) {
            return Err(UploadError::Retention);
        }
        let endpoint = config.endpoint.as_deref().map(Endpoint::of).transpose();
        let endpoint = endpoint.map_err(|cause| UploadError::Endpoint { cause })?;
        let needs_tls = endpoint.as_ref().is_none_or(Endpoint::is_tls);
        let trust = needs_tls.then(|| Trust::of_this_machine().ok_or(UploadError::NoRoots));
        let streams = Self {
            config: config.clone(),
            station: station.to_owned(),
            endpoint,
            trust: trust.transpose()?,
        };
        let mut names = Vec::new();
        for camera in cameras {
            let stream = streams.name(camera);
            if !is_name(&stream) || names.contains(&stream) {
                return Err(UploadError::Stream { camera: camera.clone(), stream });
            }
            names.push(stream);
        }
        Ok(streams)
    }

    /// The name of a camera's stream.
    fn name(&self, camera: &CameraId) -> String {
        let name = self.config.stream.replace("{station}", &self.station);
        name.replace("{camera}", camera.as_str())
    }

    /// What the client of the service needs, as the machine has it now.
    async fn load(&self, waits: &Waits) -> SdkConfig {
        let tls = Provider::Rustls(CryptoMode::Ring);
        let http = aws_smithy_http_client::Builder::new().tls_provider(tls).build_https();
        let within = TimeoutConfig::builder()
            .connect_timeout(waits.answer_within)
            .operation_timeout(waits.answer_within)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(self.config.region.clone()))
            .http_client(http)
            .timeout_config(within)
            // The courier tries again, with longer pauses than the client would.
            .retry_config(RetryConfig::disabled());
        let profile = self.config.profile.as_deref();
        if let Some(path) = &self.config.credentials {
            loader = loader.credentials_provider(credentials_of(path, profile));
        }
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        if let Some(endpoint) = &self.endpoint {
            loader = loader.endpoint_url(endpoint.url());
        }
        loader.load().await
    }
}

/// Credentials of a file of ours instead of the usual places.
#[expect(deprecated, reason = "the new names are in a crate that we need for nothing else")]
fn credentials_of(path: &Path, profile: Option<&str>) -> ProfileFileCredentialsProvider {
    use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};
    let files = ProfileFiles::builder().with_file(ProfileFileKind::Credentials, path).build();
    let provider = ProfileFileCredentialsProvider::builder().profile_files(files);
    provider.profile_name(profile.unwrap_or("default")).build()
}

fn is_name(name: &str) -> bool {
    let is_right = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=256).contains(&name.len()) && name.bytes().all(is_right)
}

/// The service's client and what it was made of.
#[derive(Clone)]
struct Sdk {
    config: SdkConfig,
    client: Client,
}

/// The stream of one camera.
pub struct Stream {
    streams: Arc<Streams>,
    name: String,
    sdk: Option<Sdk>,
    /// Whether the stream is known to be there and to keep what it is sent.
    is_checked: bool,
    /// Where media goes, and since when that is known.
    endpoint: Option<(Endpoint, Instant)>,
    /// No connection is made before.
    next_connection: Instant,
    pace: Pace,
}

impl Stream {
    /// The stream of `camera`. Nothing is asked yet.
    pub fn new(streams: Arc<Streams>, camera: &CameraId) -> Self {
        Self {
            name: streams.name(camera),
            sdk: None,
            streams,
            is_checked: false,
            endpoint: None,
            next_connection: Instant::now(),
            pace: Pace::new(Instant::now()),
        }
    }

    /// Sends everything that waits.
    ///
    /// # Errors
    /// When something is wrong; what was sent and is not kept must then be sent again.
    pub async fn deliver(&mut self, desk: &mut Desk) -> Result<(), Trouble> {
        while let Some(feed) = next_feed(desk, |_| false)? {
            let Sdk { config, client } = self.sdk(&desk.waits).await;
            let credentials = credentials(&config, &desk.waits).await?;
            if !self.is_checked {
                self.check(&client, desk).await?;
                self.is_checked = true;
            }
            let endpoint = self.endpoint(&client, desk.waits.endpoint_lasts).await?;
            sleep_until(self.next_connection).await;
            let head = Head {
                stream: &self.name,
                region: &self.streams.config.region,
                endpoint: &endpoint,
                credentials: &credentials,
                now: desk.clock.wall(),
            };
            let trust = self.streams.trust.as_ref();
            let request = head.signed()?;
            self.next_connection = Instant::now() + desk.waits.back_off.0;
            let connection = Connection::open(&endpoint, trust, request, &desk.waits).await?;
            desk.progress.connected();
            send_all(connection, desk, feed, &mut self.pace).await?;
        }
        Ok(())
    }

    /// What was known of the stream and of who we are may be wrong: it is asked for anew.
    pub fn forget(&mut self) {
        (self.sdk, self.is_checked, self.endpoint) = (None, false, None);
    }

    async fn sdk(&mut self, waits: &Waits) -> Sdk {
        if let Some(sdk) = &self.sdk {
            return sdk.clone();
        }
        let config = self.streams.load(waits).await;
        let sdk = Sdk { client: Client::new(&config), config };
        self.sdk.insert(sdk).clone()
    }

    /// Sees to it that the stream is there and keeps what it is sent.
    async fn check(&self, client: &Client, desk: &Desk) -> Result<(), Trouble> {
        let asked = client.describe_stream().stream_name(&self.name).send().await;
        let info = match asked {
            Ok(answer) => answer.stream_info,
            Err(error) if is_missing(&error) => return self.create(client, desk).await,
            Err(error) => return Err(self.trouble_of("DescribeStream", &error)),
        };
        let wrong =
            |cause: &str| Trouble::Stream { stream: self.name.clone(), cause: cause.to_owned() };
        let keeps_h = info.as_ref().and_then(StreamInfo::data_retention_in_hours);
        match info.as_ref().and_then(StreamInfo::status) {
            Some(Status::Creating | Status::Updating) => {
                let cause = "the stream is not active yet".to_owned();
                let (operation, remedy) = ("DescribeStream", Remedy::Resend);
                return Err(Trouble::Refused { operation, cause, remedy });
            }
            Some(Status::Deleting) => return Err(wrong("it is being deleted")),
            _ => {}
        }
        if keeps_h.is_none_or(|hours| hours < 1) {
            let cause = "it keeps nothing, so nothing would ever be acknowledged as kept; set its \
                data retention to an hour or more";
            return Err(wrong(cause));
        }
        self.tag(client, desk).await;
        Ok(())
    }

    async fn create(&self, client: &Client, desk: &Desk) -> Result<(), Trouble> {
        let Some(hours) = self.streams.config.create_with_retention_h else {
            return Err(Trouble::Stream {
                stream: self.name.clone(),
                cause:
                    "it is not there; make it, with a data retention of an hour or more, or set \
                    upload.create_with_retention_h"
                        .to_owned(),
            });
        };
        let created = client
            .create_stream()
            .stream_name(&self.name)
            .media_type("video/h264")
            .data_retention_in_hours(i32::try_from(hours).unwrap_or(i32::MAX))
            .send()
            .await;
        created.map_err(|error| self.trouble_of("CreateStream", &error))?;
        self.tag(client, desk).await;
        Ok(())
    }

    /// Says on the stream whose it is. Clips are worth more than tags: a refusal is only logged.
    async fn tag(&self, client: &Client, desk: &Desk) {
        let tagged = client
            .tag_stream()
            .stream_name(&self.name)
            .tags("sightline-station", tag_value(&self.streams.station))
            .tags("sightline-camera", tag_value(desk.camera.as_str()))
            .tags("sightline-version", env!("CARGO_PKG_VERSION"))
            .send()
            .await;
        if let Err(error) = tagged {
            let trouble = self.trouble_of("TagStream", &error);
            tracing::warn!(target: "upload", stream = %self.name, "not tagged: {trouble}");
        }
    }

    /// Where media goes.
    async fn endpoint(&mut self, client: &Client, lasts: Duration) -> Result<Endpoint, Trouble> {
        if let Some((endpoint, since)) = &self.endpoint
            && since.elapsed() < lasts
        {
            return Ok(endpoint.clone());
        }
        let asked = client.get_data_endpoint().stream_name(&self.name).api_name(ApiName::PutMedia);
        let answer = asked.send().await;
        let answer = answer.map_err(|error| self.trouble_of("GetDataEndpoint", &error))?;
        let endpoint = self.in_region(answer.data_endpoint().unwrap_or_default())?;
        self.endpoint = Some((endpoint.clone(), Instant::now()));
        Ok(endpoint)
    }

    /// Clips do not leave the region, whatever the answer is; a service on this machine may say
    /// that it is on this machine.
    fn in_region(&self, url: &str) -> Result<Endpoint, Trouble> {
        let region = &self.streams.config.region;
        let may_be_plain = self.streams.endpoint.as_ref().is_some_and(|e| !e.is_tls());
        let is_right = |e: &Endpoint| if e.is_tls() { e.is_in(region) } else { may_be_plain };
        let endpoint = Endpoint::of(url).ok().filter(is_right);
        let cause = || format!("its address `{url}` is not one of https in {region}");
        endpoint.ok_or_else(|| Trouble::Stream { stream: self.name.clone(), cause: cause() })
    }

    fn trouble_of<E>(&self, operation: &'static str, error: &SdkError<E>) -> Trouble
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let Some(response) = error.raw_response() else {
            let region = &self.streams.config.region;
            let endpoint = self.streams.endpoint.as_ref().map(|e| e.url().to_owned());
            let endpoint = endpoint.unwrap_or_else(|| format!("Kinesis Video in {region}"));
            let cause = DisplayErrorContext(error).to_string();
            return Trouble::Unreachable { endpoint, cause };
        };
        let (code, message) = (error.code().unwrap_or_default(), error.message());
        let status = response.status().as_u16();
        trouble_of_request(operation, status, code, message.unwrap_or_default())
    }
}

/// New ones for every connection: whoever gives them keeps them as long as they last.
async fn credentials(config: &SdkConfig, waits: &Waits) -> Result<Credentials, Trouble> {
    let none = |cause: String| Trouble::NoCredentials { cause };
    let provider = config.credentials_provider();
    let provider = provider.ok_or_else(|| none("there is no chain of them".to_owned()))?;
    let asked = timeout(waits.answer_within, provider.provide_credentials()).await;
    let late = |_| none("whoever should give them does not answer".to_owned());
    asked.map_err(late)?.map_err(|error| none(DisplayErrorContext(error).to_string()))
}

fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error.code() == Some("ResourceNotFoundException")
}

/// What the service allows in the value of a tag; anything else becomes `_`.
fn tag_value(text: &str) -> String {
    let is_right = |c: char| c.is_alphanumeric() || " _.:/=+-@".contains(c);
    text.chars().take(256).map(|c| if is_right(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(toml: &str) -> KinesisVideoConfig {
        let usual = "region = \"eu-central-1\"\nallowed_regions = [\"eu-central-1\"]\n";
        toml::from_str(&format!("{usual}{toml}")).unwrap()
    }

    fn refused(config: &KinesisVideoConfig, station: &str, cameras: &[&str]) -> String {
        let cameras: Vec<_> = cameras.iter().map(|name| CameraId::new(name)).collect();
        Streams::new(config, station, &cameras).err().unwrap().to_string()
    }

    const HERE: &str = "endpoint = \"http://127.0.0.1:1\"\n";

    #[test]
    fn a_region_that_is_not_allowed_is_refused_with_its_key() {
        let mut config = config(HERE);
        config.region = "us-east-1".to_owned();
        let said = refused(&config, "s", &["top"]);
        assert!(said.contains("upload.allowed_regions") && said.contains("us-east-1"), "{said}");
    }

    #[test]
    fn each_camera_has_a_stream_of_its_own() {
        let cameras = [CameraId::new("top"), CameraId::new("side")];
        let streams = Streams::new(&config(HERE), "line-3", &cameras).unwrap();
        assert_eq!(streams.name(&cameras[0]), "line-3-top");
        let same = format!("{HERE}stream = \"all\"");
        assert!(refused(&config(&same), "line-3", &["top", "side"]).contains("{camera}"));
        assert!(refused(&config(HERE), "line 3", &["top"]).contains("line 3-top"));
    }

    #[test]
    fn nothing_is_kept_for_no_time_and_nothing_sent_in_plain() {
        let zero = format!("{HERE}create_with_retention_h = 0");
        assert!(refused(&config(&zero), "s", &["top"]).contains("create_with_retention_h"));
        let plain = config("endpoint = \"http://kinesis.example.com\"");
        assert!(refused(&plain, "s", &["top"]).contains("upload.endpoint"));
    }

    #[test]
    fn tags_are_what_the_service_takes() {
        assert_eq!(tag_value("Línea 3 <a>"), "Línea 3 _a_");
        assert_eq!(tag_value(&"x".repeat(300)).len(), 256);
    }
}
