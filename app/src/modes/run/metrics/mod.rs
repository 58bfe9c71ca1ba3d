//! What Prometheus reads: takes an address and who writes the page; serves `GET /metrics` there on
//! a thread of its own. Slow clients are given up, and of many only a few are heard at a time.

mod families;
mod page;
#[cfg(test)]
#[path = "../../../../tests/run/exposition.rs"]
mod strict;

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use domain::MonoTime;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use pipeline::clock::Clock;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{sleep, timeout};

pub use families::page;

/// Clients that are heard at a time; others are hung up on.
const CLIENTS_MOST: usize = 8;
/// How long a client may take for its question.
const QUESTION_MOST: Duration = Duration::from_secs(5);
/// How long a client may take altogether.
const CLIENT_MOST: Duration = Duration::from_secs(10);
/// A page is not written anew within this time, however often it is asked for.
const PAGE_LASTS: Duration = Duration::from_millis(250);
/// How long nobody is heard after the system has refused a connection.
const PAUSE: Duration = Duration::from_millis(100);
/// What a question may be as long as, bytes.
const QUESTION_BYTES: usize = 16 * 1024;

/// Writes the page.
type Writer = dyn Fn() -> String + Send + Sync;

/// A server; dropping it ends it.
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Serves what `write` writes at `listen`.
pub fn serve(
    listen: SocketAddr,
    clock: Arc<dyn Clock>,
    write: impl Fn() -> String + Send + Sync + 'static,
) -> io::Result<Server> {
    let listener = TcpListener::bind(listen)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel();
    let page = Arc::new(Cached { write: Box::new(write), clock, last: Mutex::new(None) });
    let thread = Builder::new().name("metrics".to_owned()).spawn(move || {
        runtime.block_on(async move {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => {
                    tokio::spawn(hear(listener, page));
                    // Either word means the end.
                    let _ = stopped.await;
                }
                Err(error) => tracing::error!(target: "metrics", %error, "nobody is heard"),
            }
        });
    })?;
    Ok(Server { address, stop: Some(stop), thread: Some(thread) })
}

impl Server {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// The page, and when it was written.
struct Cached {
    write: Box<Writer>,
    clock: Arc<dyn Clock>,
    last: Mutex<Option<(MonoTime, Bytes)>>,
}

impl Cached {
    fn page(&self) -> Bytes {
        let now = self.clock.now();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((at, page)) if now.since(*at) < PAGE_LASTS => page.clone(),
            _ => {
                let page = Bytes::from((self.write)());
                *last = Some((now, page.clone()));
                page
            }
        }
    }
}

async fn hear(listener: tokio::net::TcpListener, page: Arc<Cached>) {
    let seats = Arc::new(Semaphore::new(CLIENTS_MOST));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Too many open files, for example: it passes or it does not, and is no reason to spin.
            sleep(PAUSE).await;
            continue;
        };
        let Ok(seat) = Arc::clone(&seats).try_acquire_owned() else { continue };
        let page = Arc::clone(&page);
        tokio::spawn(async move {
            let answer = service_fn(move |question| {
                let answer = answer(&question, &page);
                async move { Ok::<_, Infallible>(answer) }
            });
            let client = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(QUESTION_MOST)
                .max_buf_size(QUESTION_BYTES)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), answer);
            // A client that went away, was too slow or spoke nonsense has lost its turn.
            let _ = timeout(CLIENT_MOST, client).await;
            drop(seat);
        });
    }
}

fn answer(question: &Request<Incoming>, page: &Cached) -> Response<Full<Bytes>> {
    let (status, kind, body) = if question.uri().path() != "/metrics" {
        (StatusCode::NOT_FOUND, "text/plain", Bytes::from("there is /metrics\n"))
    } else if [Method::GET, Method::HEAD].contains(question.method()) {
        (StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", page.page())
    } else {
        (StatusCode::METHOD_NOT_ALLOWED, "text/plain", Bytes::from("it can be read only\n"))
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;
    use pipeline::clock::SimulatedClock;

    /// More than any answer here should take on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(60);

    fn server() -> Server {
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        serve(here, Arc::new(SimulatedClock::default()), || "a 1\n".to_owned()).unwrap()
    }

    fn client(server: &Server) -> TcpStream {
        let stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn ask(server: &Server, question: &str) -> String {
        let mut stream = client(server);
        stream.write_all(question.as_bytes()).unwrap();
        let mut answer = String::new();
        // A connection that was hung up on may be reset: what came is the answer.
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    #[test]
    fn only_the_page_is_served_and_only_to_readers() {
        let server = server();
        let page = ask(&server, "GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
        assert!(page.contains("content-type: text/plain; version=0.0.4"), "{page}");
        assert!(page.contains("connection: close") && page.ends_with("\r\n\r\na 1\n"), "{page}");
        let head = ask(&server, "HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
        for (question, status) in [
            ("GET / HTTP/1.1", "404"),
            ("GET /metrics/x HTTP/1.1", "404"),
            ("POST /metrics HTTP/1.1", "405"),
            ("DELETE /metrics HTTP/1.1", "405"),
            ("nonsense", "400"),
        ] {
            let answer = ask(&server, &format!("{question}\r\nHost: a\r\n\r\n"));
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{question}: {answer}");
        }
        let long = format!("GET /metrics HTTP/1.1\r\nHost: {}\r\n\r\n", "a".repeat(100_000));
        let answer = ask(&server, &long);
        assert!(!answer.contains(" 200 "), "{answer}");
    }

    #[test]
    fn clients_that_say_nothing_are_few_and_given_up() {
        let server = server();
        let mut silent: Vec<TcpStream> = (0..CLIENTS_MOST).map(|_| client(&server)).collect();
        // One more is hung up on while they are there.
        let mut rest = Vec::new();
        let _ = client(&server).read_to_end(&mut rest);
        assert_eq!(rest, b"");
        // They are given up in the end, and others are heard again.
        for stream in &mut silent {
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest);
        }
        let page = ask(&server, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    }

    #[test]
    fn a_port_that_is_taken_is_told() {
        let server = server();
        let clock = Arc::new(SimulatedClock::default());
        let second = serve(server.address(), clock, String::new).err().unwrap();
        assert_eq!(second.kind(), io::ErrorKind::AddrInUse);
    }
}
