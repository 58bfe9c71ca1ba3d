//! One PutMedia connection. Takes a signed request; gives, once the service has said yes, room for
//! bytes and the acknowledgements that come while they are sent. HTTP/1.1, both ways at once.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http1;
use hyper::http::request::Builder;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::super::Waits;
use super::super::trouble::Trouble;
use super::acks::{Ack, Acks};
use super::answers::trouble_of_request;
use super::{Endpoint, Trust};
use crate::limits;

/// A connection on which the service has said yes.
pub struct Connection {
    /// Drives the connection; dropped first, so that a fragment that was not finished does not
    /// look like the end of what was to be sent.
    _driver: JoinSet<()>,
    _request: http1::SendRequest<ToSend>,
    to_send: Option<mpsc::Sender<Bytes>>,
    answers: Incoming,
    acks: Acks,
}

/// What happened on a connection.
pub enum Step {
    /// There is room for bytes.
    Room,
    /// Something came back, perhaps no whole acknowledgement.
    Heard(Vec<Ack>),
    /// The service takes no more bytes; it may yet say why.
    Shut,
    /// The service has ended the connection.
    Over(String),
    /// Nothing happened until then.
    Waited,
}

impl Connection {
    /// Connects and asks.
    ///
    /// # Errors
    /// When nobody answers in time, or the answer is no.
    pub async fn open(
        endpoint: &Endpoint,
        trust: Option<&Trust>,
        request: Builder,
        waits: &Waits,
    ) -> Result<Self, Trouble> {
        let asked = timeout(waits.answer_within, ask(endpoint, trust, request)).await;
        let silent = |_| Trouble::Unreachable {
            endpoint: endpoint.url().to_owned(),
            cause: format!("no answer within {} s", waits.answer_within.as_secs_f32()),
        };
        let (connection, answer) = asked.map_err(silent)??;
        if answer.0 == StatusCode::OK {
            return Ok(connection);
        }
        Err(connection.refusal(answer, waits).await)
    }

    /// Why it was refused.
    async fn refusal(mut self, (status, name): Answer, waits: &Waits) -> Trouble {
        let mut body = Vec::new();
        let read = async {
            while let Some(Ok(frame)) = self.answers.frame().await {
                body.extend_from_slice(frame.data_ref().map_or(&[], |data| &data[..]));
                if body.len() >= limits::ACK_BYTES_MAX {
                    break;
                }
            }
        };
        // A refusal without its words is still one.
        let _ = timeout(waits.answer_within, read).await;
        trouble_of_request("PutMedia", status.as_u16(), &name, &message(&body))
    }

    /// Waits for the next thing to happen, until `until`; room only where it is wanted. What came
    /// back goes before room, so that an error is heard before more is sent.
    ///
    /// # Errors
    /// When what came back is no acknowledgement.
    pub async fn step(&mut self, wants_room: bool, until: Instant) -> Result<Step, Trouble> {
        let Self { to_send, answers, acks, .. } = self;
        let room = async {
            match to_send {
                Some(to_send) if wants_room => to_send.reserve().await.is_ok(),
                _ => std::future::pending().await,
            }
        };
        let has_room = tokio::select! {
            biased;
            frame = answers.frame() => return match frame {
                Some(Ok(frame)) => {
                    let data = frame.data_ref().map_or(&[][..], |data| &data[..]);
                    Ok(Step::Heard(acks.read(data)?))
                }
                Some(Err(error)) => Ok(Step::Over(with_causes(&error))),
                None => Ok(Step::Over("the service ended it".to_owned())),
            },
            has_room = room => has_room,
            () = sleep_until(until) => return Ok(Step::Waited),
        };
        if !has_room {
            self.to_send = None;
        }
        Ok(if has_room { Step::Room } else { Step::Shut })
    }

    /// Sends `bytes`, for which there is room.
    pub fn send(&mut self, bytes: Bytes) {
        if let Some(to_send) = &self.to_send {
            // There was room and nobody else sends; a connection that has just ended says so.
            let _ = to_send.try_send(bytes);
        }
    }

    /// Says that nothing more will be sent.
    pub fn finish(&mut self) {
        self.to_send = None;
    }
}

/// Its status, and the name of its error.
type Answer = (StatusCode, String);

async fn ask(
    endpoint: &Endpoint,
    trust: Option<&Trust>,
    request: Builder,
) -> Result<(Connection, Answer), Trouble> {
    let failed = |error: &dyn std::error::Error| Trouble::Unreachable {
        endpoint: endpoint.url().to_owned(),
        cause: with_causes(error),
    };
    let wire = TokioIo::new(endpoint.connect(trust).await?);
    // What waits in memory must be sent within the time that acknowledgements are waited for.
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(limits::UPLOAD_PIECE_BYTES)
        .handshake(wire)
        .await
        .map_err(|error| failed(&error))?;
    let mut driver = JoinSet::new();
    driver.spawn(async move {
        // How it ended is heard where the answer is read.
        let _ = connection.await;
    });
    let (to_send, bytes) = mpsc::channel(limits::UPLOAD_PIECES_WAITING);
    let request = request.body(ToSend(bytes)).map_err(|error| failed(&error))?;
    let response = sender.send_request(request).await.map_err(|error| failed(&error))?;
    let answer = (response.status(), error_name(&response));
    let answers = response.into_body();
    let acks = Acks::default();
    let to_send = Some(to_send);
    Ok((Connection { _driver: driver, _request: sender, to_send, answers, acks }, answer))
}

fn error_name(response: &Response<Incoming>) -> String {
    let name = response.headers().get("x-amzn-errortype").and_then(|name| name.to_str().ok());
    name.unwrap_or_default().to_owned()
}

/// The words of a refusal: `message` of a JSON object, or its first bytes as they are.
fn message(body: &[u8]) -> String {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let of = |key: &str| json.get(key).and_then(|text| text.as_str()).map(str::to_owned);
    let raw = || String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
    of("message").or_else(|| of("Message")).unwrap_or_else(raw)
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The body of the request: pieces as they come.
struct ToSend(mpsc::Receiver<Bytes>);

impl Body for ToSend {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
