//! The head of a PutMedia request. Takes a stream, an endpoint, credentials and the time; gives
//! the request, signed by version 4.
//!
//! The body is not signed. The service takes the hash of an empty one in its place, as the
//! producers in C send it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use domain::WallTime;
use hyper::http::request::Builder;

use super::super::trouble::{Remedy, Trouble};
use super::Endpoint;

/// What a request is made of.
pub struct Head<'a> {
    /// Name of the stream.
    pub stream: &'a str,
    /// The stream's region.
    pub region: &'a str,
    /// Where it goes.
    pub endpoint: &'a Endpoint,
    /// Who sends.
    pub credentials: &'a Credentials,
    /// When it is sent.
    pub now: WallTime,
}

impl Head<'_> {
    /// The request without its body.
    ///
    /// # Errors
    /// When something in it can't be in a request.
    pub fn signed(&self) -> Result<Builder, Trouble> {
        let headers = self.headers();
        let url = format!("{}/putMedia", self.endpoint.url());
        let mut request = hyper::Request::post("/putMedia");
        for (name, value) in &headers {
            request = request.header(*name, value);
        }
        for (name, value) in self.signature(&url, &headers)? {
            request = request.header(name, value);
        }
        Ok(request.header("user-agent", concat!("sightline/", env!("CARGO_PKG_VERSION"))))
    }

    /// What is said and signed.
    fn headers(&self) -> [(&'static str, String); 5] {
        [
            ("host", self.endpoint.authority.clone()),
            ("x-amzn-stream-name", self.stream.to_owned()),
            ("x-amzn-fragment-timecode-type", "ABSOLUTE".to_owned()),
            ("x-amzn-producer-start-timestamp", epoch_seconds(self.now)),
            ("x-amzn-fragment-acknowledgment-required", "1".to_owned()),
        ]
    }

    fn signature(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
    ) -> Result<Vec<(String, String)>, Trouble> {
        let identity = self.credentials.clone().into();
        let since_1970 = Duration::from_nanos(u64::try_from(self.now.unix_ns).unwrap_or_default());
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name("kinesisvideo")
            .time(signing_time(since_1970))
            .settings(SigningSettings::default())
            .build()
            .map_err(unsigned)?
            .into();
        let signed = headers.iter().map(|(name, value)| (*name, value.as_str()));
        let request = SignableRequest::new("POST", url, signed, SignableBody::Bytes(b""))
            .map_err(unsigned)?;
        let (signature, _) = sign(request, &parameters).map_err(unsigned)?.into_parts();
        let header = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Ok(signature.headers().map(header).collect())
    }
}

fn signing_time(since_1970: Duration) -> SystemTime {
    UNIX_EPOCH + since_1970
}

/// A defect of ours or characters in a name: no request is made of it.
fn unsigned(error: impl std::error::Error) -> Trouble {
    let cause = format!("it can't be signed: {error}");
    Trouble::Refused { operation: "PutMedia", cause, remedy: Remedy::Wait }
}

/// Seconds since 1970 with three decimals.
fn epoch_seconds(at: WallTime) -> String {
    let ms = at.unix_ns.div_euclid(1_000_000);
    format!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(now_ns: i64) -> hyper::Request<()> {
        let endpoint = Endpoint::of("http://127.0.0.1:4000").unwrap();
        let credentials =
            Credentials::new("AKIDEXAMPLE", "secret", Some("token".into()), None, "test");
        let head = Head {
            stream: "station-top",
            region: "eu-central-1",
            endpoint: &endpoint,
            credentials: &credentials,
            now: WallTime { unix_ns: now_ns },
        };
        head.signed().unwrap().body(()).unwrap()
    }

    #[test]
    fn the_start_is_in_seconds_with_three_decimals() {
        let start = |ns| epoch_seconds(WallTime { unix_ns: ns });
        assert_eq!(start(1_795_290_404_059_000_000), "1795290404.059");
        assert_eq!(start(0), "0.000");
    }

    #[test]
    fn everything_that_is_said_of_the_stream_is_signed() {
        let request = request(1_795_290_404_059_000_000);
        assert_eq!(request.uri(), "/putMedia");
        let header = |name: &str| request.headers()[name].to_str().unwrap();
        assert_eq!(header("host"), "127.0.0.1:4000");
        assert_eq!(header("x-amzn-producer-start-timestamp"), "1795290404.059");
        assert_eq!(header("x-amz-date"), "20261121T194644Z");
        assert_eq!(header("x-amz-security-token"), "token");
        let authorization = header("authorization");
        let scope = "Credential=AKIDEXAMPLE/20261121/eu-central-1/kinesisvideo/aws4_request";
        assert!(authorization.contains(scope), "{authorization}");
        let signed = "SignedHeaders=host;x-amz-date;x-amz-security-token;\
            x-amzn-fragment-acknowledgment-required;x-amzn-fragment-timecode-type;\
            x-amzn-producer-start-timestamp;x-amzn-stream-name";
        assert!(authorization.contains(signed), "{authorization}");
    }

    #[test]
    fn the_signature_depends_on_the_time_and_is_the_same_every_time() {
        let signature = |ns| request(ns).headers()["authorization"].clone();
        assert_eq!(signature(1_795_290_404_059_000_000), signature(1_795_290_404_059_000_000));
        assert_ne!(signature(1_795_290_404_059_000_000), signature(1_795_290_405_059_000_000));
    }
}
