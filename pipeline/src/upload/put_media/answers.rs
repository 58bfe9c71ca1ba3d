//! What the service's errors mean and what is to be done about each: two tables. Take a number or
//! a name; give a [`Trouble`].

use store::ClipId;

use super::super::trouble::{Remedy, Trouble};

/// Errors to a fragment: number, name, what it means, what is to be done.
const TO_A_FRAGMENT: [(u32, &str, &str, Remedy); 23] = [
    (4000, "STREAM_READ_ERROR", "the stream could not be read", Remedy::Resend),
    (4001, "MAX_FRAGMENT_SIZE_REACHED", "a fragment is larger than 50 MB", Remedy::Quarantine),
    (
        4002,
        "MAX_FRAGMENT_DURATION_REACHED",
        "a fragment lasts longer than 20 s",
        Remedy::Quarantine,
    ),
    (4003, "MAX_CONNECTION_DURATION_REACHED", "connections end after 45 min", Remedy::Reconnect),
    (
        4004,
        "FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS",
        "a fragment is not later than the one before it",
        Remedy::Reconnect,
    ),
    (4005, "MORE_THAN_ALLOWED_TRACKS_FOUND", "too many tracks", Remedy::Quarantine),
    (4006, "INVALID_MKV_DATA", "this is not Matroska", Remedy::Quarantine),
    (
        4007,
        "INVALID_PRODUCER_TIMESTAMP",
        "the time of a fragment can't be; is the clock right?",
        Remedy::CheckClock,
    ),
    (4008, "STREAM_NOT_ACTIVE", "the stream is gone or being changed", Remedy::Wait),
    (
        4009,
        "FRAGMENT_METADATA_LIMIT_REACHED",
        "more than 10 tags, or too long ones",
        Remedy::Quarantine,
    ),
    (4010, "TRACK_NUMBER_MISMATCH", "a block of a track that is not there", Remedy::Quarantine),
    (4011, "FRAMES_MISSING_FOR_TRACK", "a track without a picture", Remedy::Quarantine),
    (4012, "MORE_THAN_ALLOWED_TRACKS_FOUND", "more than 3 tracks", Remedy::Quarantine),
    (4500, "KMS_KEY_ACCESS_DENIED", "the stream's key may not be used", Remedy::Wait),
    (4501, "KMS_KEY_DISABLED", "the stream's key is disabled", Remedy::Wait),
    (4502, "KMS_KEY_VALIDATION_ERROR", "the stream's key is not valid", Remedy::Wait),
    (4503, "KMS_KEY_UNAVAILABLE", "the stream's key can't be had", Remedy::Wait),
    (4504, "KMS_KEY_INVALID_USAGE", "the stream's key is for something else", Remedy::Wait),
    (4505, "KMS_KEY_INVALID_STATE", "the stream's key is in a wrong state", Remedy::Wait),
    (4506, "KMS_KEY_NOT_FOUND", "the stream's key does not exist", Remedy::Wait),
    (4507, "STREAM_DELETED", "the stream was deleted", Remedy::Wait),
    (5000, "INTERNAL_ERROR", "the service failed", Remedy::Resend),
    (5001, "ARCHIVAL_ERROR", "the service could not keep the fragment", Remedy::Resend),
];

/// Errors to a request: name, what would be right, what is to be done.
const TO_A_REQUEST: [(&str, &str, Remedy); 20] = [
    ("ClientLimitExceededException", "too many calls", Remedy::Resend),
    ("ThrottlingException", "too many calls", Remedy::Resend),
    (
        "ConnectionLimitExceededException",
        "somebody sends to this stream already; one station a stream",
        Remedy::Yield,
    ),
    ("InvalidEndpointException", "the address is asked for anew", Remedy::AskAnew),
    ("InvalidArgumentException", "a defect of ours or of the configuration", Remedy::Wait),
    ("ValidationException", "a defect of ours or of the configuration", Remedy::Wait),
    ("ResourceNotFoundException", "make the stream, or set create_with_retention_h", Remedy::Wait),
    ("ResourceInUseException", "the stream is being made", Remedy::Resend),
    ("AccountStreamLimitExceededException", "ask for a higher quota of streams", Remedy::Wait),
    ("DeviceStreamLimitExceededException", "ask for a higher quota of streams", Remedy::Wait),
    ("TagsPerResourceExceededLimitException", "remove tags of the stream", Remedy::Wait),
    (NOT_AUTHORIZED, "", Remedy::Wait),
    ("AccessDeniedException", "", Remedy::Wait),
    ("AccessDenied", "", Remedy::Wait),
    ("ExpiredTokenException", "new credentials are asked for", Remedy::AskAnew),
    ("ExpiredToken", "new credentials are asked for", Remedy::AskAnew),
    ("UnrecognizedClientException", "the access key is not known there", Remedy::Wait),
    ("InvalidClientTokenId", "the access key is not known there", Remedy::Wait),
    ("InvalidSignatureException", "check the secret key, and the clock", Remedy::Wait),
    ("SignatureDoesNotMatch", "check the secret key, and the clock", Remedy::Wait),
];

const NOT_AUTHORIZED: &str = "NotAuthorizedException";

/// The trouble that error `id` to a fragment of `clip` is; `code` is the service's name of it.
pub fn trouble_of_fragment(id: u32, code: &str, clip: Option<ClipId>) -> Trouble {
    let known = TO_A_FRAGMENT.iter().find(|(known, ..)| *known == id);
    let (_, name, meaning, remedy) =
        *known.unwrap_or(&(id, "an error", "we do not know this error", Remedy::Unknown));
    let code = if code.is_empty() { name } else { code };
    Trouble::Fragment { id, code: code.to_owned(), meaning, remedy, clip }
}

/// The trouble that a refused `operation` is. `name` is what the service calls the error, perhaps
/// with a namespace before `#` or an address after `:`.
pub fn trouble_of_request(
    operation: &'static str,
    status: u16,
    name: &str,
    message: &str,
) -> Trouble {
    let name = name.split(':').next().unwrap_or_default();
    let name = name.rsplit('#').next().unwrap_or_default();
    let known = TO_A_REQUEST.iter().find(|(known, ..)| *known == name);
    let (remedy, right) = match known {
        Some((_, "", remedy)) => {
            (*remedy, format!("allow `kinesisvideo:{operation}` for this stream"))
        }
        Some((_, right, remedy)) => (*remedy, (*right).to_owned()),
        None => by_status(status, operation),
    };
    let cause = format!("{status} {name} {message} ({right})");
    Trouble::Refused { operation, cause, remedy }
}

/// Errors without a name that we know.
fn by_status(status: u16, operation: &str) -> (Remedy, String) {
    match status {
        401 | 403 => (Remedy::Wait, format!("allow `kinesisvideo:{operation}` for this stream")),
        404 => (Remedy::AskAnew, "is this the right endpoint?".to_owned()),
        429 | 500..=599 => (Remedy::Resend, "it is tried again".to_owned()),
        _ => (Remedy::Wait, "we do not know this error".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_in_the_table_once_and_in_order() {
        assert!(TO_A_FRAGMENT.is_sorted_by_key(|(id, ..)| *id));
        assert!(TO_A_FRAGMENT.windows(2).all(|two| two[0].0 != two[1].0));
    }

    #[test]
    fn an_error_says_what_is_to_be_done() {
        let remedy = |id| trouble_of_fragment(id, "", None).remedy();
        assert_eq!(remedy(4006), Remedy::Quarantine);
        assert_eq!(remedy(4004), Remedy::Reconnect);
        assert_eq!(remedy(4007), Remedy::CheckClock);
        assert_eq!(remedy(4500), Remedy::Wait);
        assert_eq!(remedy(5001), Remedy::Resend);
        assert_eq!(remedy(4999), Remedy::Unknown);
    }

    #[test]
    fn a_refusal_names_the_permission_that_is_missing() {
        for name in [NOT_AUTHORIZED, "com.amazon#AccessDeniedException:http://x/"] {
            let told = trouble_of_request("PutMedia", 403, name, "no");
            assert!(told.to_string().contains("kinesisvideo:PutMedia"), "{told}");
            assert_eq!(told.remedy(), Remedy::Wait);
        }
    }

    #[test]
    fn errors_without_a_name_go_by_their_status() {
        let remedy = |status| trouble_of_request("PutMedia", status, "", "").remedy();
        assert_eq!(remedy(503), Remedy::Resend);
        assert_eq!(remedy(599), Remedy::Resend);
        assert_eq!(remedy(403), Remedy::Wait);
        let limit = trouble_of_request("PutMedia", 400, "ConnectionLimitExceededException", "");
        assert_eq!(limit.remedy(), Remedy::Yield);
    }
}
