//! Signatures of version 4, reckoned again from what came: takes the head of a request and the
//! hash of its payload; gives whose it is, or why it is refused.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use super::http::{Refusal, Request};
use super::{Credentials, Limits};

const SERVICE: &str = "kinesisvideo";
/// May be signed or not: the official clients differ.
const TOKEN: &str = "x-amz-security-token";

/// What is asked of a signature.
pub struct Asked<'a> {
    pub region: &'a str,
    pub limits: &'a Limits,
    /// The service's time, in seconds since 1970-01-01 UTC.
    pub now_s: i64,
    pub keys: &'a [Credentials],
    /// SHA-256 of the payload, in hex.
    pub payload: String,
}

/// Checks the signature of `request`.
pub fn check(request: &Request, asked: &Asked<'_>) -> Result<(), Refusal> {
    let header = request.one("authorization")?.ok_or(refusal("MissingAuthenticationToken", ""))?;
    let [scope, signed, signature] = fields(header).ok_or(incomplete("authorization"))?;
    let date = request.one("x-amz-date")?.ok_or(incomplete("x-amz-date"))?;
    let [access, day, region, service, end] = parts(scope).ok_or(incomplete("Credential"))?;
    let right = (date.get(..8), asked.region, SERVICE, "aws4_request");
    if (Some(day), region, service, end) != right {
        return Err(invalid(format!("scope {scope}, and it should be {right:?}")));
    }
    let key = (asked.keys.iter().find(|key| key.access_key == access))
        .ok_or(refusal("UnrecognizedClientException", access))?;
    if request.one(TOKEN)? != key.session_token.as_deref() {
        return Err(refusal("UnrecognizedClientException", "the security token is another"));
    }
    let signed: Vec<&str> = signed.split(';').collect();
    check_signed(request, &signed)?;
    let text = string_to_sign(request, asked, &signed, date, scope);
    let expected = hex(&hmac(&signing_key(&key.secret_key, day, region), text.as_bytes()));
    if expected != signature {
        return Err(invalid(format!("signature is {signature}, should be {expected} of {text}")));
    }
    check_times(asked, key, date)
}

fn check_times(asked: &Asked<'_>, key: &Credentials, date: &str) -> Result<(), Refusal> {
    let signed_s = DateTime::strptime("%Y%m%dT%H%M%SZ", date)
        .and_then(|date| date.to_zoned(TimeZone::UTC))
        .map_err(|_| incomplete("x-amz-date"))?
        .timestamp()
        .as_second();
    let skew = asked.limits.date_skew_s;
    if skew.is_some_and(|most| signed_s.abs_diff(asked.now_s) > most) {
        return Err(invalid(format!("signed at {signed_s}, the service has {}", asked.now_s)));
    }
    if key.expires_s.is_some_and(|expires| expires <= asked.now_s) {
        return Err(refusal("ExpiredTokenException", "the security token is expired"));
    }
    Ok(())
}

/// Host, date and all of the service's own headers must be signed.
fn check_signed(request: &Request, signed: &[&str]) -> Result<(), Refusal> {
    if !signed.is_sorted() {
        return Err(invalid("the signed headers are not sorted".to_owned()));
    }
    let own = |name: &str| name.starts_with("x-amzn-") && name != "x-amzn-trace-id";
    for (name, _) in &request.headers {
        let must = ["host", "x-amz-date"].contains(&name.as_str()) || own(name);
        if must && !signed.contains(&name.as_str()) {
            return Err(invalid(format!("{name} is not signed")));
        }
    }
    match signed.iter().find(|name| request.all(name).next().is_none()) {
        Some(name) => Err(invalid(format!("{name} is signed and was not sent"))),
        None => Ok(()),
    }
}

fn string_to_sign(
    request: &Request,
    asked: &Asked<'_>,
    signed: &[&str],
    date: &str,
    scope: &str,
) -> String {
    let mut canonical = format!("{}\n{}\n\n", request.method, request.path);
    for name in signed {
        let values: Vec<String> = request
            .all(name)
            .map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        canonical += &format!("{name}:{}\n", values.join(","));
    }
    canonical += &format!("\n{}\n{}", signed.join(";"), asked.payload);
    let scope = scope.split_once('/').map_or("", |(_, rest)| rest);
    format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256_hex(canonical.as_bytes()))
}

fn signing_key(secret: &str, day: &str, region: &str) -> [u8; 32] {
    let day = hmac(format!("AWS4{secret}").as_bytes(), day.as_bytes());
    let service = hmac(&hmac(&day, region.as_bytes()), SERVICE.as_bytes());
    hmac(&service, b"aws4_request")
}

fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    match key.len() {
        0..=64 => block[..key.len()].copy_from_slice(key),
        _ => block[..32].copy_from_slice(&Sha256::digest(key)),
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text);
    let outer = Sha256::new().chain_update(block.map(|byte| byte ^ 0x5C));
    outer.chain_update(inner.finalize()).finalize().into()
}

pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Credential, SignedHeaders and Signature.
fn fields(header: &str) -> Option<[&str; 3]> {
    let rest = header.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let mut fields = [""; 3];
    for field in rest.split(',') {
        let (name, value) = field.trim().split_once('=')?;
        let at = ["Credential", "SignedHeaders", "Signature"].iter().position(|n| *n == name)?;
        fields[at] = value;
    }
    fields.iter().all(|field| !field.is_empty()).then_some(fields)
}

fn parts(scope: &str) -> Option<[&str; 5]> {
    scope.split('/').collect::<Vec<_>>().try_into().ok()
}

fn refusal(kind: &'static str, why: &str) -> Refusal {
    Refusal::new(403, kind, why)
}

fn invalid(why: String) -> Refusal {
    Refusal::new(403, "InvalidSignatureException", why)
}

fn incomplete(what: &str) -> Refusal {
    Refusal::new(403, "IncompleteSignatureException", format!("{what} is missing or malformed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        let hash = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex(&hmac(b"Jefe", b"what do ya want for nothing?")), hash);
        let hash = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
        let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(hex(&hmac(&[0xAA; 131], text)), hash);
    }
}
