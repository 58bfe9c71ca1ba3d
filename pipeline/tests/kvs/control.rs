//! The control plane: takes calls as `aws-sdk-kinesisvideo` makes them; gives answers in the same
//! shapes, and changes streams.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::admit::is_stream_name;
use super::faults::ControlFault;
use super::http::{Peer, Refusal, Request, answer};
use super::state::{Call, State, Stream};
use super::{Shared, sigv4};

pub async fn serve(shared: Arc<Shared>, mut peer: Peer) {
    while let Ok(Some(request)) = peer.request().await {
        let Ok(answered) = one(&shared, &mut peer, request).await else { return };
        match answered {
            Some(bytes) => {
                if peer.write(&bytes).await.is_err() {
                    return;
                }
            }
            None => return shared.change(|state| state.park(peer)),
        }
    }
}

/// Answers one request; `None` when it is never to be answered, an error when the connection is to
/// be closed.
async fn one(
    shared: &Shared,
    peer: &mut Peer,
    request: Result<Request, Refusal>,
) -> Result<Option<Vec<u8>>, ()> {
    let request = match request {
        Ok(request) => request,
        Err(refusal) => return Ok(Some(refusal.answer())),
    };
    let body = peer.body(&request).await.map_err(|_| ())?;
    let operation = request.path.trim_start_matches('/').to_owned();
    let fault = shared.change(|state| state.control_fault(&operation));
    let named = body.as_ref().ok().and_then(|body| serde_json::from_slice::<Value>(body).ok());
    let stream = named.map(|body| stream_of(&shared.state(), &body)).unwrap_or_default();
    let answered = match fault {
        Some(ControlFault::NeverAnswers) => return Ok(None),
        Some(ControlFault::Closes) => return Err(()),
        Some(ControlFault::Garbage) => Ok(Value::String("<html>".to_owned())),
        Some(ControlFault::Answers { status, kind }) => {
            Err((Refusal::new(status, kind, "scripted"), true))
        }
        None => body
            .and_then(|body| call(shared, &request, &operation, &body))
            .map_err(|refusal| (refusal, false)),
    };
    let bytes = match &answered {
        Ok(value) => answer(200, "", &value.to_string()),
        Err((refusal, is_scripted)) => {
            if !is_scripted && is_to_blame(refusal) {
                let what = format!("{operation}: {} {}", refusal.kind, refusal.why);
                shared.violated(&stream, 0, what);
            }
            refusal.answer()
        }
    };
    let status = answered.as_ref().map_or_else(|(refusal, _)| refusal.status, |_| 200);
    let call = Call { operation, stream, status, at: shared.now() };
    shared.change(|state| state.calls.push(call));
    if answered.is_err() {
        let _ = peer.write(&bytes).await;
        return Err(());
    }
    Ok(Some(bytes))
}

fn is_to_blame(refusal: &Refusal) -> bool {
    let blameless = [
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "ResourceNotFoundException",
        "ResourceInUseException",
        "VersionMismatchException",
    ];
    !blameless.contains(&refusal.kind.as_str())
}

/// The name of the stream that a call is about.
fn stream_of(state: &State, body: &Value) -> String {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let by_arn = || text("StreamARN").and_then(|arn| state.named(&arn));
    text("StreamName").or_else(by_arn).unwrap_or_default()
}

fn call(
    shared: &Shared,
    request: &Request,
    operation: &str,
    body: &[u8],
) -> Result<Value, Refusal> {
    let keys = shared.state().keys.clone();
    let asked = sigv4::Asked {
        region: &shared.config.region,
        limits: &shared.config.limits,
        now_s: shared.wall_ms() / 1000,
        keys: &keys,
        payload: sigv4::sha256_hex(body),
    };
    sigv4::check(request, &asked)?;
    if request.method != "POST" {
        return Err(Refusal::new(405, "UnknownOperationException", request.method.as_str()));
    }
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| Refusal::new(400, "SerializationException", error.to_string()))?;
    if operation == "createStream" {
        return create(shared, &body);
    }
    shared.change(|state| {
        let name = stream_of(state, &body);
        if body["StreamName"].is_null() == body["StreamARN"].is_null() {
            return Err(Refusal::invalid("exactly one of StreamName and StreamARN"));
        }
        let missing = Refusal::new(404, "ResourceNotFoundException", name.as_str());
        let stream = state.streams.get_mut(&name).ok_or(missing)?;
        let rate = stream.controls.entry(operation.to_owned()).or_default().add(shared.now(), 1);
        let most = shared.config.limits.control_per_s as u64;
        if rate > most {
            let why = format!("{operation} {rate} times in a second, at most {most}");
            return Err(Refusal::new(400, "ClientLimitExceededException", why));
        }
        match operation {
            "describeStream" => Ok(describe(shared, &name, stream)),
            "getDataEndpoint" => endpoint(shared, &body),
            "tagStream" => tag(stream, &body),
            "listTagsForStream" => Ok(json!({ "Tags": stream.tags })),
            "updateDataRetention" => update_retention(stream, &body),
            _ => Err(Refusal::new(404, "UnknownOperationException", operation)),
        }
    })
}

fn create(shared: &Shared, body: &Value) -> Result<Value, Refusal> {
    let name = body["StreamName"].as_str().unwrap_or_default().to_owned();
    if !is_stream_name(&name) {
        return Err(Refusal::invalid(format!("stream name {name:?}")));
    }
    let hours = match &body["DataRetentionInHours"] {
        Value::Null => Some(0),
        hours => hours.as_u64().and_then(|hours| u32::try_from(hours).ok()),
    };
    let hours = hours.filter(|hours| *hours <= 87_600);
    let hours = hours.ok_or(Refusal::invalid("DataRetentionInHours is not 0 to 87600"))?;
    let tags = tags(body)?;
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let now = shared.now();
    shared.change(|state| {
        if state.streams.contains_key(&name) {
            return Err(Refusal::new(400, "ResourceInUseException", name.as_str()));
        }
        state.make(&name, &shared.config.region, hours, (now, shared.wall_ms()));
        let stream = state.streams.get_mut(&name).unwrap();
        stream.active_at = now.plus(shared.config.limits.creating);
        (stream.tags, stream.media_type) = (tags, text("MediaType"));
        stream.device = text("DeviceName");
        Ok(json!({ "StreamARN": stream.arn }))
    })
}

fn describe(shared: &Shared, name: &str, stream: &Stream) -> Value {
    let is_active = shared.now() >= stream.active_at;
    let mut info = json!({
        "StreamName": name,
        "StreamARN": stream.arn,
        "KmsKeyId": "arn:aws:kms:eu-central-1:123456789012:alias/aws/kinesisvideo",
        "Version": stream.version.to_string(),
        "Status": if is_active { "ACTIVE" } else { "CREATING" },
        "CreationTime": stream.created_ms as f64 / 1000.0,
        "DataRetentionInHours": stream.retention_h,
    });
    for (key, value) in [("MediaType", &stream.media_type), ("DeviceName", &stream.device)] {
        if let Some(value) = value {
            info[key] = value.as_str().into();
        }
    }
    json!({ "StreamInfo": info })
}

fn endpoint(shared: &Shared, body: &Value) -> Result<Value, Refusal> {
    match body["APIName"].as_str() {
        Some("PUT_MEDIA") => {
            let said = shared.config.said_data_endpoint.as_ref().unwrap_or(&shared.data);
            Ok(json!({ "DataEndpoint": said }))
        }
        other => Err(Refusal::invalid(format!("APIName {other:?}: only media can be put here"))),
    }
}

fn tag(stream: &mut Stream, body: &Value) -> Result<Value, Refusal> {
    let tags = tags(body)?;
    if tags.is_empty() {
        return Err(Refusal::invalid("no tags"));
    }
    let mut all = stream.tags.clone();
    all.extend(tags);
    if all.len() > 50 {
        let why = format!("{} tags, at most 50", all.len());
        return Err(Refusal::new(400, "TagsPerResourceExceededLimitException", why));
    }
    stream.tags = all;
    Ok(json!({}))
}

fn tags(body: &Value) -> Result<BTreeMap<String, String>, Refusal> {
    let empty = Map::new();
    let tags = body["Tags"].as_object().unwrap_or(&empty);
    let mut found = BTreeMap::new();
    for (name, value) in tags {
        let value = value.as_str().unwrap_or_default();
        let is_fine = (1..=128).contains(&name.len()) && value.len() <= 256;
        if !is_fine || name.to_ascii_lowercase().starts_with("aws:") {
            return Err(Refusal::invalid(format!("tag {name:?} of {} bytes", value.len())));
        }
        found.insert(name.clone(), value.to_owned());
    }
    Ok(found)
}

fn update_retention(stream: &mut Stream, body: &Value) -> Result<Value, Refusal> {
    if body["CurrentVersion"].as_str() != Some(stream.version.to_string().as_str()) {
        let why = format!("version is {}", stream.version);
        return Err(Refusal::new(400, "VersionMismatchException", why));
    }
    let change = body["DataRetentionChangeInHours"].as_u64().filter(|change| *change > 0);
    let change = change.and_then(|change| u32::try_from(change).ok());
    let change = change.ok_or(Refusal::invalid("DataRetentionChangeInHours is not above 0"))?;
    let hours = match body["Operation"].as_str() {
        Some("INCREASE_DATA_RETENTION") => stream.retention_h.checked_add(change),
        Some("DECREASE_DATA_RETENTION") => stream.retention_h.checked_sub(change),
        _ => None,
    };
    let hours = hours.filter(|hours| *hours <= 87_600);
    stream.retention_h = hours.ok_or(Refusal::invalid("retention would not be 0 to 87600"))?;
    stream.version += 1;
    Ok(json!({}))
}
