//! PutMedia, the streaming call of Kinesis Video that no SDK has for this language: takes clips;
//! gives the store how far the service has taken each.
//!
//! ```text
//!   head ─▶ connection ─▶ session ──pieces──▶ the service
//!            (200 OK)        ▲ └ feed, pace        │
//!                            └──── outstanding ◀── acks
//! ```

mod acks;
mod answers;
mod connection;
mod endpoint;
mod feed;
mod head;
mod outstanding;
mod pace;
mod session;
mod tag;

pub use answers::trouble_of_request;
pub use connection::Connection;
pub use endpoint::{Endpoint, Trust};
pub use head::Head;
pub use pace::Pace;
pub use session::{next_feed, send_all};
