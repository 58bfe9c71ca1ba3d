//! The screen and what stands behind it, as two processes of this program joined by a socket, so
//! that a screen that hangs, crashes or loses its display costs the line nothing. The station's
//! half: [`hall`] (what is told), [`clerk`] (what is asked), [`calibrator`] (who looks at cameras),
//! [`door`] (the socket's end). The screen's half: [`front`]. What goes through the socket:
//! [`wire`].

pub mod alarms;
pub mod alone;
pub mod calibrator;
pub mod child;
pub mod clerk;
pub mod door;
pub mod facts;
pub mod front;
pub mod hall;
pub mod preview;
pub mod projector;
pub mod setup;
pub mod wire;
