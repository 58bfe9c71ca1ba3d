//! Addresses of cameras, which carry passwords. Takes an address as configured; gives it for
//! GStreamer, and another text for people and logs that has no secret in it.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

/// What stands where a secret stood.
const HIDDEN: &str = "***";

/// The address of a camera's stream: `rtsp://user:password@host:554/stream`. Nothing that prints,
/// logs or writes it shows more than the host and a path without secrets.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct StreamUrl {
    /// Without user and password.
    location: String,
    user: Option<String>,
    password: Option<String>,
    shown: String,
}

/// Not the address of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("url: it must be like rtsp://user:password@192.168.1.10:554/stream1, and {0}")]
pub struct StreamUrlError(&'static str);

impl TryFrom<String> for StreamUrl {
    type Error = StreamUrlError;

    fn try_from(url: String) -> Result<Self, StreamUrlError> {
        let (scheme, rest) = url.split_once("://").ok_or(StreamUrlError("has no \"://\""))?;
        if !matches!(scheme, "rtsp" | "rtsps" | "rtspt" | "rtspu" | "rtsph") {
            return Err(StreamUrlError("begins otherwise"));
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (user_info, host) = match authority.rsplit_once('@') {
            Some((user_info, host)) => (Some(user_info), host),
            None => (None, authority),
        };
        if host.is_empty() || url.contains(char::is_whitespace) {
            return Err(StreamUrlError("has no host or a blank in it"));
        }
        // A password with an unescaped slash leaves a part of itself before the host.
        if path.contains('@') {
            return Err(StreamUrlError("has a / or ? before the @: write %2F or %3F"));
        }
        let (user, password) =
            match user_info.map(|info| info.split_once(':').unwrap_or((info, ""))) {
                Some((user, password)) => (Some(unescaped(user)), Some(unescaped(password))),
                None => (None, None),
            };
        // Cheap cameras take the password in their path.
        let shown_path = match path.find(['?', '=']) {
            Some(_) => format!("/{HIDDEN}"),
            None => path.to_owned(),
        };
        Ok(Self {
            location: format!("{scheme}://{host}{path}"),
            user,
            password,
            shown: format!("{scheme}://{host}{shown_path}"),
        })
    }
}

impl StreamUrl {
    /// For GStreamer: the address without user and password.
    pub(super) fn location(&self) -> &str {
        &self.location
    }

    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    pub(super) fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// `text` with nothing in it that this address keeps secret.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        let text = text.replace(&self.location, &self.shown);
        match self.password().filter(|password| !password.is_empty()) {
            Some(password) => text.replace(password, HIDDEN),
            None => text,
        }
    }
}

impl fmt::Display for StreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for StreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.shown)
    }
}

impl Serialize for StreamUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// `%40` and the like as what they stand for; what is no escape stays as it is.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| first == b'%');
        let code = code.and_then(|code| u8::from_str_radix(str::from_utf8(code).ok()?, 16).ok());
        bytes.push(code.unwrap_or(first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `text`, which may hold any addresses and element properties, with their secrets hidden.
pub(super) fn without_credentials(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean.push_str(before);
        // Quotes and blanks end an address; a password may hold anything else.
        let end = after.find([' ', '\t', '\n', '"', '\'', '!']).unwrap_or(after.len());
        let end = after[..end].find("://").map_or(end, |next| next.min(end));
        match after[..end].rfind('@') {
            Some(user_end) => {
                clean.push_str(HIDDEN);
                rest = &after[user_end..];
            }
            None => rest = after,
        }
    }
    clean.push_str(rest);
    without_passwords(clean)
}

/// Hides what stands after `user-pw=`, `password=` and the like.
fn without_passwords(mut text: String) -> String {
    for key in ["user-pw=", "proxy-pw=", "password=", "passwd=", "pwd="] {
        let mut from = 0;
        while let Some(at) = text[from..].find(key) {
            let begin = from + at + key.len();
            let value = &text[begin..];
            let end = match value.strip_prefix('"') {
                Some(quoted) => quoted.find('"').map_or(value.len(), |end| end + 2),
                None => value.find([' ', '\t', '\n', '&', '"', '\'']).unwrap_or(value.len()),
            };
            text.replace_range(begin..begin + end, HIDDEN);
            from = begin + HIDDEN.len();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn url(text: &str) -> StreamUrl {
        StreamUrl::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn an_address_is_split_and_never_shown_whole() {
        let camera = url("rtsp://admin:p%40ss:w0rd@10.0.0.9:554/stream/1");
        assert_eq!(camera.location(), "rtsp://10.0.0.9:554/stream/1");
        assert_eq!((camera.user(), camera.password()), (Some("admin"), Some("p@ss:w0rd")));
        assert_eq!(camera.to_string(), "rtsp://10.0.0.9:554/stream/1");
        assert_eq!(serde_json::to_string(&camera).unwrap(), "\"rtsp://10.0.0.9:554/stream/1\"");
        let open = url("rtsp://cam");
        assert_eq!((open.user(), open.password(), open.location()), (None, None, "rtsp://cam"));
        let in_path = url("rtsp://cam/user=admin&password=geheim&channel=1.sdp");
        assert_eq!(in_path.to_string(), "rtsp://cam/***");
        let said = format!("Not found: {}", in_path.location());
        assert_eq!(in_path.hidden_in(&said), "Not found: rtsp://cam/***");
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        for text in
            ["geheim", "http://a:geheim@b/", "rtsp://a:geheim@/x", "rtsp://a:geheim@b c", ""]
        {
            let error = StreamUrl::try_from(text.to_owned()).unwrap_err().to_string();
            assert!(!error.contains("geheim") && error.contains("rtsp://"), "{error}");
        }
        assert!(StreamUrl::try_from("rtsp://a:ge/heim@b/x".to_owned()).is_err());
    }

    #[test]
    fn configured_pipelines_are_shown_without_their_passwords() {
        for (text, shown) in [
            (
                "rtspsrc location=rtsp://a:geheim@cam/x ! decodebin",
                "rtspsrc location=rtsp://***@cam/x ! decodebin",
            ),
            (
                "rtspsrc location=\"rtsp://a:ge@heim@cam\" latency=0",
                "rtspsrc location=\"rtsp://***@cam\" latency=0",
            ),
            ("rtspsrc user-id=a user-pw=geheim ! x", "rtspsrc user-id=a user-pw=*** ! x"),
            ("x user-pw=\"ge heim\" ! y", "x user-pw=*** ! y"),
            (
                "souphttpsrc location=http://c/?password=geheim&x=1",
                "souphttpsrc location=http://c/?password=***&x=1",
            ),
            ("a://b://c", "a://b://c"),
        ] {
            assert_eq!(without_credentials(text), shown);
        }
    }

    proptest! {
        #[test]
        fn no_password_is_shown(
            user in "[a-z]{1,8}",
            password in "[A-Z0-9:@#;=.,]{3,20}",
            host in "[a-z]{1,9}",
        ) {
            let text = format!("rtsp://{user}:{password}@{host}/live");
            let shown = without_credentials(&format!("x location={text} ! y"));
            prop_assert!(!shown.contains(&password), "{}", shown);
            let camera = url(&text);
            for shown in [camera.to_string(), format!("{camera:?}"), camera.hidden_in(&password)] {
                prop_assert!(!shown.contains(&password), "{}", shown);
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,60}", url in "rtsp://.{0,40}") {
            let _ = without_credentials(&text);
            let _ = StreamUrl::try_from(url);
        }
    }
}
