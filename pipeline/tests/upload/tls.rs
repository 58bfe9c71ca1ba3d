//! TLS: media goes to whom this machine trusts, and to nobody else. The machine's trust is a file
//! that a variable names, so each case runs in a process of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use sightline_pipeline::upload::UploadConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::kvs::{Config, Limits, Service};
use crate::station::{STREAM, Station, short, stop};

const TRUSTED: &str = "by-trusted-ca";
const OTHER: &str = "by-other-ca";

fn data(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(file)
}

/// TLS by the certificate `of`, before something that speaks without it.
struct Tls {
    address: SocketAddr,
    behind: Arc<OnceLock<SocketAddr>>,
}

impl Tls {
    fn start(of: &str) -> Self {
        let certificate = CertificateDer::from_pem_file(data(&format!("{of}.pem"))).unwrap();
        let key = PrivateKeyDer::from_pem_file(data(&format!("{of}.key"))).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key);
        let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let behind = Arc::new(OnceLock::new());
        let target = Arc::clone(&behind);
        let serve = async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(pass_on(acceptor.clone(), socket, Arc::clone(&target)));
            }
        };
        // It ends with the process, which is one for each case.
        let body = move || runtime.block_on(serve);
        std::thread::Builder::new().name("tls".to_owned()).spawn(body).unwrap();
        Self { address, behind }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }
}

async fn pass_on(acceptor: TlsAcceptor, socket: TcpStream, to: Arc<OnceLock<SocketAddr>>) {
    let Ok(mut outside) = acceptor.accept(socket).await else { return };
    let mut inside = TcpStream::connect(to.get().unwrap()).await.unwrap();
    let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
}

fn address_of(url: &str) -> SocketAddr {
    url.strip_prefix("http://").unwrap().parse().unwrap()
}

/// A service behind TLS: its control plane by the trusted authority, its media by `media`. The
/// region is called as the host is, so that the host lies in it.
fn service(media: &str) -> (Service, String) {
    let (control, data) = (Tls::start(TRUSTED), Tls::start(media));
    let limits = Limits { puts_per_s: 10_000, control_per_s: 10_000, ..Limits::default() };
    let (region, said_data_endpoint) = ("localhost".to_owned(), Some(data.url()));
    let service = Service::with(Config { limits, region, said_data_endpoint, ..Config::default() });
    service.make_stream(STREAM, 24);
    control.behind.set(address_of(&service.endpoint())).unwrap();
    data.behind.set(address_of(&service.data_endpoint())).unwrap();
    (service, control.url())
}

fn config(station: &Station, service: &Service, url: &str) -> UploadConfig {
    let mut config = station.config(service);
    if let UploadConfig::KinesisVideo(config) = &mut config {
        config.endpoint = Some(url.to_owned());
    }
    config
}

/// Set in the processes that the tests start; what they run does nothing elsewhere.
const CHILD: &str = "SIGHTLINE_TEST_TLS";

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Runs the test `name` of this file in a process that trusts `authority` only.
fn trusting(authority: &str, name: &str) {
    let done = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("tls::{name}"), "--nocapture"])
        .env(CHILD, "1")
        .env("SSL_CERT_FILE", data(authority))
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    let complained = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.contains("1 passed"), "{said}{complained}");
}

#[test]
fn media_goes_over_tls_to_whom_the_machine_trusts() {
    trusting("trusted-ca.pem", "in_a_process_that_trusts_all");
}

#[test]
fn in_a_process_that_trusts_all() {
    if !is_child() {
        return;
    }
    let (service, url) = service(TRUSTED);
    let mut station = Station::new();
    station.accept(2);
    station.accept(1);
    let uploader = station.start(&config(&station, &service, &url), short());
    station.wait_for_all("over TLS");
    stop(uploader);
    station.is_all_kept_by(&service);
    assert_eq!(service.violations(), []);
}

#[test]
fn media_goes_to_nobody_else() {
    trusting("trusted-ca.pem", "in_a_process_that_trusts_the_control_plane");
}

#[test]
fn in_a_process_that_trusts_the_control_plane() {
    if !is_child() {
        return;
    }
    is_refused(OTHER, "UnknownIssuer");
}

#[test]
fn nothing_is_asked_of_a_control_plane_that_nobody_vouches_for() {
    trusting("other-ca.pem", "in_a_process_that_trusts_another");
}

#[test]
fn in_a_process_that_trusts_another() {
    if !is_child() {
        return;
    }
    is_refused(TRUSTED, "UnknownIssuer");
}

fn is_refused(media: &str, says: &str) {
    let (service, url) = service(media);
    let mut station = Station::new();
    let id = station.accept(1);
    let uploader = station.start(&config(&station, &service, &url), short());
    station.wait("told", || station.told("upload_trouble") == 1);
    let told = format!("{:?}", station.events());
    assert!(told.contains("certificate") && told.contains(says), "{told}");
    assert!(told.contains("https://localhost"), "whom: {told}");
    stop(uploader);
    assert_eq!((service.connections(), station.is(id, store::ClipState::Queued)), (0, true));
}
