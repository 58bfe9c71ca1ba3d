//! Who may put media: takes the head of a PutMedia request; gives the stream it puts to, or why it
//! is refused before the 200.

use super::http::{Refusal, Request};
use super::{GLANCE, Shared, sigv4};

/// A request that was let in.
pub struct Admitted {
    pub stream: String,
    pub arn: String,
    /// What is added to timecodes.
    pub base_ms: i64,
    pub is_active: bool,
}

pub const IN_USE: &str = "ConnectionLimitExceededException";
/// In use because the script says so.
pub const LINGERS: &str = "lingers";

/// Checks all that is known before the body; the stream is in use by this connection then.
pub async fn admit(shared: &Shared, request: &Request, number: u64) -> Result<Admitted, Refusal> {
    if (request.method.as_str(), request.path.as_str()) != ("POST", "/putMedia") {
        let what = format!("{} {}", request.method, request.path);
        return Err(Refusal::new(404, "UnknownOperationException", what));
    }
    let keys = shared.state().keys.clone();
    let asked = sigv4::Asked {
        region: &shared.config.region,
        limits: &shared.config.limits,
        now_s: shared.wall_ms() / 1000,
        keys: &keys,
        payload: sigv4::sha256_hex(b""),
    };
    sigv4::check(request, &asked)?;
    let (name, base_ms) = headers(shared, request)?;
    // A client that has left may come back at once: its leaving is read first.
    for _ in 0..20 {
        if shared.state().streams.get(&name).is_none_or(|stream| stream.used_by.is_none()) {
            break;
        }
        tokio::time::sleep(GLANCE).await;
    }
    let now = shared.now();
    shared.change(|state| {
        let missing = Refusal::new(404, "ResourceNotFoundException", name.as_str());
        let stream = state.streams.get_mut(&name).ok_or(missing)?;
        let most = shared.config.limits.puts_per_s as u64;
        if stream.puts.add(now, 1) > most {
            let why = format!("more than {most} calls of PutMedia in a second");
            return Err(Refusal::new(400, "ClientLimitExceededException", why));
        }
        if let Some(other) = stream.used_by {
            return Err(Refusal::new(400, IN_USE, format!("connection {other} has {name}")));
        }
        if now < stream.lingers_until {
            return Err(Refusal::new(400, LINGERS, name.as_str()));
        }
        stream.used_by = Some(number);
        let (arn, is_active) = (stream.arn.clone(), now >= stream.active_at);
        Ok(Admitted { stream: name.clone(), arn, base_ms, is_active })
    })
}

/// Checks the headers; gives the stream's name and what is added to timecodes.
fn headers(shared: &Shared, request: &Request) -> Result<(String, i64), Refusal> {
    let name = request.one("x-amzn-stream-name")?;
    let name = match (name, request.one("x-amzn-stream-arn")?) {
        (Some(name), None) => name.to_owned(),
        (None, Some(arn)) => shared
            .state()
            .named(arn)
            .ok_or_else(|| Refusal::new(404, "ResourceNotFoundException", arn))?,
        _ => return Err(Refusal::invalid("exactly one of stream name and stream ARN")),
    };
    if !is_stream_name(&name) {
        return Err(Refusal::invalid(format!("stream name {name:?}")));
    }
    if request.one("x-amzn-fragment-acknowledgment-required")? != Some("1") {
        return Err(Refusal::invalid("x-amzn-fragment-acknowledgment-required is not 1"));
    }
    let encoding = request.one("transfer-encoding")?.unwrap_or_default();
    if encoding != "chunked" || request.one("content-length")?.is_some() {
        return Err(Refusal::invalid("the body does not come in chunks"));
    }
    let started = request.one("x-amzn-producer-start-timestamp")?.unwrap_or_default();
    let started_ms =
        start_ms(started).filter(|ms| *ms < shared.wall_ms().saturating_add(86_400_000)).ok_or(
            Refusal::invalid(format!("start timestamp {started:?} is not seconds.milliseconds")),
        )?;
    match request.one("x-amzn-fragment-timecode-type")? {
        Some("ABSOLUTE") => Ok((name, 0)),
        Some("RELATIVE") => Ok((name, started_ms)),
        other => Err(Refusal::invalid(format!("fragment timecode type {other:?}"))),
    }
}

/// 1 to 256 of letters, digits, `_`, `.` and `-`.
pub fn is_stream_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=256).contains(&name.len()) && name.bytes().all(is_plain)
}

/// `seconds.milliseconds`, three decimals.
fn start_ms(text: &str) -> Option<i64> {
    let (seconds, ms) = text.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(seconds) || !digits(ms) || ms.len() != 3 {
        return None;
    }
    seconds.parse::<i64>().ok()?.checked_mul(1000)?.checked_add(ms.parse().ok()?)
}
