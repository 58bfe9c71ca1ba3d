//! The control plane, as the SDK sees it; and whether moto, where it is there, answers the same.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_kinesisvideo::Client;
use aws_sdk_kinesisvideo::config::retry::RetryConfig;
use aws_sdk_kinesisvideo::config::{BehaviorVersion, Config as SdkConfig, Region};
use aws_sdk_kinesisvideo::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_kinesisvideo::types::{ApiName, StreamInfo, UpdateDataRetentionOperation};

use sightline_pipeline::clock::Clock;

use crate::broken;
use crate::kvs::{Config, ControlFault, HandClock, Limits, Service};

fn client(endpoint: &str) -> Client {
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    let keys = aws_credential_types::Credentials::new("AKIDEXAMPLE", secret, None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(endpoint)
        .credentials_provider(keys)
        .retry_config(RetryConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

/// Runs `what` against a service whose clock a test moves.
fn with_sdk<F: Future<Output = ()>>(limits: Limits, what: impl FnOnce(Tried) -> F) {
    let clock = HandClock::at_real_time();
    let service = Service::with(Config { clock: clock.clone(), limits, ..Config::default() });
    let client = client(&service.endpoint());
    on_runtime(what(Tried { client, service, clock }));
}

struct Tried {
    client: Client,
    service: Service,
    clock: std::sync::Arc<HandClock>,
}

fn on_runtime(what: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(what);
}

async fn info(client: &Client) -> StreamInfo {
    let described = client.describe_stream().stream_name("cam").send().await.unwrap();
    described.stream_info.unwrap()
}

/// What is called an error by the service; a panic when it is not an error that it knows.
fn code<T, E>(result: Result<T, aws_sdk_kinesisvideo::error::SdkError<E>>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let error = result.err().unwrap();
    let shown = format!("{}", DisplayErrorContext(&error));
    assert!(!shown.contains("Unhandled"), "{shown}");
    error.as_service_error().and_then(|error| error.code()).unwrap_or(&shown).to_owned()
}

#[test]
fn a_stream_is_made_and_described() {
    let limits = Limits { creating: Duration::from_secs(2), ..Limits::default() };
    with_sdk(limits, async |Tried { client, service, clock }| {
        let make = || client.create_stream().stream_name("cam").data_retention_in_hours(48);
        assert_eq!(
            code(client.describe_stream().stream_name("cam").send().await),
            "ResourceNotFoundException"
        );
        let made = make().media_type("video/h264").tags("line", "3").send().await.unwrap();
        let said = info(&client).await;
        assert_eq!(said.status.unwrap().as_str(), "CREATING");
        assert_eq!(said.stream_arn, made.stream_arn);
        assert_eq!(said.data_retention_in_hours, Some(48));
        assert_eq!(said.media_type.as_deref(), Some("video/h264"));
        clock.advance(Duration::from_secs(2));
        assert_eq!(info(&client).await.status.unwrap().as_str(), "ACTIVE");
        assert_eq!(code(make().send().await), "ResourceInUseException");
        assert_eq!(service.tags("cam"), [("line".to_owned(), "3".to_owned())]);
        assert!(broken(&service).is_empty());
        assert_eq!(
            code(client.create_stream().stream_name("a b").send().await),
            "InvalidArgumentException"
        );
        assert_eq!(broken(&service).len(), 1);
    });
}

#[test]
fn a_new_stream_takes_no_media_yet() {
    let limits = Limits { creating: Duration::from_secs(2), ..Limits::default() };
    with_sdk(limits, async |Tried { client, service, clock }| {
        client.create_stream().stream_name("cam").send().await.unwrap();
        let wall_s = u64::try_from(clock.wall().unix_ns / 1_000_000_000).unwrap();
        let mut raw = crate::raw::Ask::new("cam", wall_s).send(&service);
        assert_eq!(raw.status().unwrap().0, 200);
        assert_eq!(raw.ack()["ErrorId"], 4008);
    });
}

#[test]
fn the_data_endpoint_is_another_one() {
    with_sdk(Limits::default(), async |Tried { client, service, .. }| {
        service.make_stream("cam", 24);
        let ask = || client.get_data_endpoint().stream_name("cam");
        let said = ask().api_name(ApiName::PutMedia).send().await.unwrap().data_endpoint.unwrap();
        assert_eq!(said, service.data_endpoint());
        assert_ne!(said, service.endpoint());
        assert_eq!(code(ask().api_name(ApiName::GetClip).send().await), "InvalidArgumentException");
        let calls = service.calls();
        assert_eq!(
            (calls[0].operation.as_str(), calls[0].stream.as_str()),
            ("getDataEndpoint", "cam")
        );
        assert_eq!((calls[0].status, calls[1].status), (200, 400));
    });
}

#[test]
fn tags_are_kept() {
    with_sdk(Limits::default(), async |Tried { client, service, .. }| {
        service.make_stream("cam", 24);
        let tag = |name: &str| client.tag_stream().stream_name("cam").tags(name, "x");
        tag("station").send().await.unwrap();
        let said = client.list_tags_for_stream().stream_name("cam").send().await.unwrap();
        assert_eq!(said.tags.unwrap()["station"], "x");
        assert_eq!(code(tag("aws:x").send().await), "InvalidArgumentException");
        let all = (0..50).map(|at| (at.to_string(), String::new())).collect();
        let many = client.tag_stream().stream_name("cam").set_tags(Some(all));
        assert_eq!(code(many.send().await), "TagsPerResourceExceededLimitException");
        assert_eq!(service.tags("cam").len(), 1);
    });
}

#[test]
fn retention_is_changed_by_its_version() {
    with_sdk(Limits::default(), async |Tried { client, service, .. }| {
        service.make_stream("cam", 0);
        let version = info(&client).await.version.unwrap();
        let change = |version: &str, hours| {
            client
                .update_data_retention()
                .stream_name("cam")
                .current_version(version)
                .operation(UpdateDataRetentionOperation::IncreaseDataRetention)
                .data_retention_change_in_hours(hours)
        };
        change(&version, 24).send().await.unwrap();
        assert_eq!(service.retention("cam"), Some(24));
        assert_eq!(code(change(&version, 24).send().await), "VersionMismatchException");
        let now = info(&client).await.version.unwrap();
        assert_eq!(code(change(&now, 0).send().await), "InvalidArgumentException");
    });
}

#[test]
fn five_calls_a_second_for_a_stream() {
    with_sdk(Limits::default(), async |Tried { client, service, clock }| {
        service.make_stream("cam", 24);
        for _ in 0..5 {
            info(&client).await;
        }
        let sixth = client.describe_stream().stream_name("cam").send().await;
        assert_eq!(code(sixth), "ClientLimitExceededException");
        assert_eq!(broken(&service).len(), 1);
        clock.advance(Duration::from_secs(1));
        info(&client).await;
    });
}

#[test]
fn calls_are_signed_and_fail_as_scripted() {
    with_sdk(Limits::default(), async |Tried { client, service, clock }| {
        service.make_stream("cam", 24);
        let describe = || client.describe_stream().stream_name("cam").send();
        for fault in [
            ControlFault::Closes,
            ControlFault::Garbage,
            ControlFault::Answers { status: 403, kind: "AccessDeniedException" },
        ] {
            service.script_control("describeStream", fault.clone());
            assert!(describe().await.is_err(), "{fault:?}");
        }
        assert!(describe().await.is_ok());
        service.script_control("describeStream", ControlFault::NeverAnswers);
        let (pending, calls) = (describe(), service.calls().len());
        let cut = async {
            service.until(|service| service.connections_parked() == 1).await;
            service.down();
            service.up();
        };
        let (answer, ()) = tokio_join(pending, cut).await;
        assert!(answer.is_err());
        assert_eq!(service.calls().len(), calls);
        clock.advance(Duration::from_secs(301));
        assert!(format!("{:?}", describe().await).contains("InvalidSignatureException"));
        assert_eq!(broken(&service).len(), 1);
    });
}

/// Both, at the same time.
async fn tokio_join<A: Future, B: Future>(one: A, other: B) -> (A::Output, B::Output) {
    let (mut one, mut other) = (Box::pin(one), Box::pin(other));
    let (mut first, mut second) = (None, None);
    std::future::poll_fn(|cx| {
        if first.is_none()
            && let std::task::Poll::Ready(done) = one.as_mut().poll(cx)
        {
            first = Some(done);
        }
        if second.is_none()
            && let std::task::Poll::Ready(done) = other.as_mut().poll(cx)
        {
            second = Some(done);
        }
        let is_done = first.is_some() && second.is_some();
        if is_done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    (first.unwrap(), second.unwrap())
}

/// What a client sees of the calls that moto knows: shapes and errors, without what is different
/// each time.
async fn seen(client: &Client, name: &str) -> BTreeMap<&'static str, String> {
    let mut seen = BTreeMap::new();
    let missing = client.describe_stream().stream_name(name).send().await;
    seen.insert("describe a missing stream", code(missing));
    let endpoint = client.get_data_endpoint().stream_name(name).api_name(ApiName::PutMedia);
    seen.insert("endpoint of a missing stream", code(endpoint.clone().send().await));
    let create = || client.create_stream().stream_name(name).data_retention_in_hours(24);
    let arn = create().send().await.unwrap().stream_arn.unwrap();
    let (front, created) = arn.rsplit_once('/').unwrap();
    assert!(created.len() == 13 && created.bytes().all(|byte| byte.is_ascii_digit()), "{arn}");
    seen.insert("ARN", front.to_owned());
    seen.insert("make it twice", code(create().send().await));
    let said = client.describe_stream().stream_name(name).send().await.unwrap();
    let info = said.stream_info.unwrap();
    seen.insert("status", info.status.unwrap().as_str().to_owned());
    seen.insert("name", info.stream_name.unwrap());
    seen.insert("retention", info.data_retention_in_hours.unwrap().to_string());
    seen.insert("same ARN", (info.stream_arn.unwrap() == arn).to_string());
    seen.insert("has a version", info.version.is_some().to_string());
    seen.insert("has a time", (info.creation_time.unwrap().secs() > 1_700_000_000).to_string());
    let endpoint = endpoint.send().await.unwrap().data_endpoint.unwrap();
    seen.insert("endpoint is a URL", endpoint.starts_with("http").to_string());
    seen
}

#[test]
fn moto_says_the_same() {
    let Ok(moto) = std::env::var("MOTO_SERVER") else {
        println!("skipped: MOTO_SERVER names no moto server, for example http://127.0.0.1:5000");
        return;
    };
    with_sdk(Limits::default(), async |Tried { client: ours, service, .. }| {
        let name = format!("contract-{}", std::process::id());
        assert_eq!(seen(&ours, &name).await, seen(&client(&moto), &name).await);
        assert!(broken(&service).is_empty());
    });
}
