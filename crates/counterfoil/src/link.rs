//! Links: a party's frames over TCP, plain or under TLS, to terminals and to other members.
//!
//! Invariants: any bytes close at most their own connection and are counted; every buffer, table and wait has a named
//! limit; a frame that certainly did not leave is reported to the party.

mod board;
mod connection;
mod counts;
mod dialer;
mod identity;
mod members;
mod sealing;
mod sessions;
mod socket;
mod terminals;
mod tls;

pub use counts::{LinkCount, LinkFigures};
pub use dialer::{Dialing, dial};
pub use identity::{CERTIFICATE_TERMINALS_MAX, Identity, TerminalRow};
pub use members::{connect_member, listen_members};
pub use socket::{Connecting, Listening};
pub use terminals::listen_terminals;
pub use tls::{
    Credentials, CredentialsError, HANDSHAKE_BYTES_MAX, HANDSHAKES_MAX, Inbound, Outbound,
    TRUST_FILE_BYTES_MAX, TRUST_POLL_MS, Tls,
};

pub(crate) use board::{Board, Leaving};

use std::time::Duration;

/// Connections that may wait to be accepted: 5,000 terminals may come back at once.
pub const BACKLOG: u32 = 4_096;
/// Pause of an acceptor that has run out of file descriptors, in milliseconds.
pub const ACCEPT_PAUSE_MS: u64 = 100;
/// Bytes that may wait to be written to one terminal connection; beyond it the connection is closed.
pub const TERMINAL_OUTBOX_BYTES_MAX: usize = 256 * 1_024;
/// Bytes that may wait to be written to one member; beyond it the link is closed.
pub const MEMBER_OUTBOX_BYTES_MAX: usize = 32 * 1_024 * 1_024;
/// Bytes read at once from a terminal connection.
pub const TERMINAL_READ_BYTES: usize = 4_096;
/// Bytes read at once from a member.
pub const MEMBER_READ_BYTES: usize = 256 * 1_024;
/// Pause before frames are offered again to a party for which too much waits, in milliseconds.
pub const FULL_PAUSE_MS: u64 = 1;
/// Written and unacknowledged, or unanswered by a keep-alive, for so long means that the peer is gone, in milliseconds.
pub const PEER_GONE_MS: u64 = 5_000;
/// Silence after which a keep-alive is sent, in milliseconds.
pub const KEEP_ALIVE_MS: u64 = 2_000;
/// First and last wait before a link to a member is tried again, in milliseconds; each wait is twice the one before.
pub const RECONNECT_MS: (u64, u64) = (100, 2_000);
/// Longest wait for a connection to be made, in milliseconds.
pub const CONNECT_MS: u64 = 2_000;

/// What a connection may take from us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once.
    pub connections_max: usize,
    /// A handshake must be complete within this time, in milliseconds.
    pub handshake_ms: u64,
    /// A frame must be complete so long after its first byte, in milliseconds.
    pub frame_ms: u64,
    /// A terminal connection without a frame for so long is closed, in milliseconds.
    pub idle_ms: u64,
    /// A member must introduce itself by its first frame within this time, in milliseconds.
    pub introduction_ms: u64,
    /// Frames that one terminal connection may send within a second.
    pub frames_per_second_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 20_000,
            handshake_ms: 5_000,
            frame_ms: 5_000,
            idle_ms: 120_000,
            introduction_ms: 30_000,
            frames_per_second_max: 2_000,
        }
    }
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
