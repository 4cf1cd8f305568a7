//! What links count; one row each, read by pages and tests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Something a link counts.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum LinkCount {
            $($(#[$doc])* $name,)*
        }

        impl LinkCount {
            /// Every count.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in pages and metrics.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

counts! {
    /// Connections accepted.
    Accepted = "accepted",
    /// Connections made to others.
    Connected = "connected",
    /// Connections refused because too many were open.
    Crowded = "crowded",
    /// Pauses of an acceptor without file descriptors.
    AcceptPaused = "accept_paused",
    /// Reads that brought bytes.
    Reads = "reads",
    /// Frames received.
    FramesIn = "frames_in",
    /// Writes that took bytes.
    Writes = "writes",
    /// Frames queued to leave.
    FramesOut = "frames_out",
    /// Connections closed because their bytes could not become a frame.
    Garbage = "garbage",
    /// Connections closed because a frame was not complete in time.
    Slow = "slow",
    /// Connections closed because nothing came for too long.
    Idle = "idle",
    /// Connections closed because frames came too fast.
    Hasty = "hasty",
    /// Connections closed because their peer did not take its answers.
    Clogged = "clogged",
    /// Member connections closed because nobody known introduced itself.
    Strangers = "strangers",
    /// Member connections closed because a newer one of the same member came.
    Replaced = "replaced",
    /// Links to members lost or not made.
    Lost = "lost",
    /// Handshakes completed: both sides have proved who they are.
    TlsSecured = "tls_secured",
    /// Handshakes that were not complete in time.
    TlsSlow = "tls_slow",
    /// Handshakes that the other side left.
    TlsGone = "tls_gone",
    /// Handshakes that were none, or went on for too long.
    TlsGarbage = "tls_garbage",
    /// Handshakes without TLS 1.3 or one of its suites.
    TlsIncompatible = "tls_incompatible",
    /// Handshakes without a certificate.
    TlsNoCertificate = "tls_no_certificate",
    /// Certificates of an authority that is not ours, or not signed by the one they name.
    TlsUnknownAuthority = "tls_unknown_authority",
    /// Certificates before or after their time.
    TlsExpired = "tls_expired",
    /// Certificates on the revocation list, at the handshake or later.
    TlsRevoked = "tls_revoked",
    /// Certificates of an authority without a revocation list that is in force.
    TlsNoList = "tls_no_list",
    /// Certificates that are for something else: another name, the other side of a link, another kind of party.
    TlsUnnamed = "tls_unnamed",
    /// Our certificate was refused by the other side.
    TlsRefused = "tls_refused",
    /// Everything else that breaks TLS.
    TlsBroken = "tls_broken",
    /// Connections closed because a frame came from another terminal than its certificate's: a cloned terminal.
    WrongTerminal = "wrong_terminal",
    /// Connections closed because a frame named another merchant than its certificate.
    WrongMerchant = "wrong_merchant",
    /// Certificates that came from a second address while open at a first one, which was closed: a cloned terminal, or one
    /// that has moved.
    SecondPlace = "second_place",
    /// Member connections closed because their certificate is another member's.
    WrongMember = "wrong_member",
}

/// The counts of one party's links.
#[derive(Debug)]
pub(super) struct Counts([AtomicU64; LinkCount::ALL.len()]);

impl Default for Counts {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::default()))
    }
}

impl Counts {
    pub(super) fn add(&self, count: LinkCount, by: usize) {
        self.0[count as usize].fetch_add(by as u64, Relaxed);
    }

    pub(super) fn figures(&self) -> LinkFigures {
        LinkFigures(std::array::from_fn(|at| self.0[at].load(Relaxed)))
    }
}

/// The counts since the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkFigures([u64; LinkCount::ALL.len()]);

impl LinkFigures {
    /// One of them.
    pub fn get(&self, count: LinkCount) -> u64 {
        self.0[count as usize]
    }

    /// All of them, by name.
    pub fn by_name(&self) -> BTreeMap<&'static str, u64> {
        LinkCount::ALL
            .iter()
            .map(|count| (count.name(), self.get(*count)))
            .collect()
    }
}
