//! Where the service is. Takes an address as text; gives it checked, and a connection to it: TLS
//! by the machine's own roots, or, on this machine only, plain.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use hyper::http::Uri;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::super::trouble::Trouble;
use crate::limits;

/// A connection, encrypted or not.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Whom this machine trusts to say who a server is.
#[derive(Clone)]
pub struct Trust(Arc<ClientConfig>);

impl Trust {
    /// The machine's own roots; `None` when it has none.
    pub fn of_this_machine() -> Option<Self> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return None;
        }
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let versions =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = versions.ok()?.with_root_certificates(roots).with_no_client_auth();
        Some(Self(Arc::new(config)))
    }
}

/// Where the service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    is_tls: bool,
    host: String,
    port: u16,
    /// As it was written, without a slash at its end.
    url: String,
    /// Host and, where it is not the usual one, port: what `host:` says.
    pub authority: String,
}

impl Endpoint {
    /// Checks `url`.
    ///
    /// # Errors
    /// When it is not a whole `https://host[:port]`, in words; `http://` is right for this machine.
    pub fn of(url: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{url}` {why}; write https://host or https://host:port");
        let uri: Uri = url.parse().map_err(|_| wrong("is not an address"))?;
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
        if uri.path().len() > 1 || uri.query().is_some() || authority.as_str().contains('@') {
            return Err(wrong("is more than a host and a port"));
        }
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if is_this_machine(authority.host()) => false,
            Some("http") => return Err(wrong("is not encrypted and not on this machine")),
            _ => return Err(wrong("is not an address of https")),
        };
        let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let (url, authority) = (url.trim_end_matches('/').to_owned(), authority.to_string());
        Ok(Self { is_tls, host, port, url, authority })
    }

    /// As it was written.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether its data is encrypted on the way.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Whether its host's name names `region`.
    pub fn is_in(&self, region: &str) -> bool {
        self.host.split('.').any(|word| word == region)
    }

    /// Connects. Whoever calls says how long it may take.
    ///
    /// # Errors
    /// When nobody answers, or is not who it should be.
    pub async fn connect(&self, trust: Option<&Trust>) -> Result<Box<dyn Wire>, Trouble> {
        let failed = |cause: String| Trouble::Unreachable { endpoint: self.url.clone(), cause };
        let tcp = self.tcp().await.map_err(|error| failed(error.to_string()))?;
        if !self.is_tls {
            return Ok(Box::new(tcp));
        }
        let trust = trust.ok_or_else(|| failed("install ca-certificates".to_owned()))?;
        let name = ServerName::try_from(self.host.clone()).map_err(|e| failed(e.to_string()))?;
        let tls = TlsConnector::from(Arc::clone(&trust.0)).connect(name, tcp).await;
        let doubt = |error: io::Error| {
            failed(format!("{error}; this machine must trust whoever vouches for the server"))
        };
        Ok(Box::new(tls.map_err(doubt)?))
    }

    /// The first of its addresses that answers.
    async fn tcp(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::other("its name has no address");
        for address in lookup_host((self.host.as_str(), self.port)).await? {
            let socket =
                if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            // What the kernel holds may be lost with the connection; little of it also means that
            // a line that stands still is soon noticed.
            socket.set_send_buffer_size(limits::SEND_BUFFER_BYTES)?;
            match socket.connect(address).await {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_connections_stay_on_this_machine() {
        for right in ["http://127.0.0.1:8000", "http://[::1]:80/", "http://localhost"] {
            assert!(!Endpoint::of(right).unwrap().is_tls, "{right}");
        }
        for wrong in [
            "http://10.1.2.3",
            "http://127.0.0.1.example.com",
            "https://a/b",
            "https://a?b",
            "ftp://a",
            "a",
            "",
            "https://me:secret@a",
        ] {
            let said = Endpoint::of(wrong).unwrap_err();
            assert!(said.contains("https://host"), "{said}");
        }
    }

    #[test]
    fn the_host_is_said_as_it_was_written() {
        let endpoint = Endpoint::of("https://s-1.kinesisvideo.eu-central-1.amazonaws.com").unwrap();
        assert_eq!(endpoint.authority, "s-1.kinesisvideo.eu-central-1.amazonaws.com");
        assert_eq!(endpoint.port, 443);
        assert!(endpoint.is_in("eu-central-1") && !endpoint.is_in("eu-central"));
        assert_eq!(Endpoint::of("http://127.0.0.1:81").unwrap().authority, "127.0.0.1:81");
    }
}
