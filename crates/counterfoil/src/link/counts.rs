//! What links count; one row each, read by pages and tests.

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
}

/// The counts of one party's links.
#[derive(Debug, Default)]
pub(super) struct Counts([AtomicU64; LinkCount::ALL.len()]);

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
}
