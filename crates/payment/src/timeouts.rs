//! The time-out ladder: who waits how long. It nests, issuer < network < acquirer < terminal, or it is refused by name.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How long each party waits for the one behind it, in milliseconds (settled point 15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ladder {
    /// The issuer's own limit for an answer.
    pub issuer_ms: u64,
    /// The network waits for the issuer.
    pub network_ms: u64,
    /// The acquirer waits for the network.
    pub acquirer_ms: u64,
    /// The terminal waits for the acquirer.
    pub terminal_ms: u64,
}

impl Default for Ladder {
    fn default() -> Self {
        Self {
            issuer_ms: 15_000,
            network_ms: 20_000,
            acquirer_ms: 25_000,
            terminal_ms: 60_000,
        }
    }
}

/// The longest time-out a configuration may name.
pub const TIMEOUT_MS_MAX: u64 = 600_000;

/// Two settings that break the nesting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotNested {
    /// The setting that must be smaller, with its value.
    pub inner: (&'static str, u64),
    /// The setting that must be larger, with its value.
    pub outer: (&'static str, u64),
}

impl fmt::Display for NotNested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "time-outs must nest: {} = {} must be less than {} = {}, or the one in front gives up before the one behind it",
            self.inner.0, self.inner.1, self.outer.0, self.outer.1
        )
    }
}

impl std::error::Error for NotNested {}

impl Ladder {
    /// The demo's ladder, short enough to watch (settled point 15).
    pub const DEMO: Self = Self {
        issuer_ms: 1_000,
        network_ms: 1_500,
        acquirer_ms: 2_000,
        terminal_ms: 3_000,
    };

    /// Refuses a ladder whose front gives up before its back.
    pub fn check(&self) -> Result<(), NotNested> {
        let steps = [
            ("issuer_ms", self.issuer_ms),
            ("network_ms", self.network_ms),
            ("acquirer_ms", self.acquirer_ms),
            ("terminal_ms", self.terminal_ms),
            ("the limit of 600000 ms", TIMEOUT_MS_MAX + 1),
        ];
        let zero = ("0", 0);
        std::iter::once(&zero)
            .chain(&steps)
            .zip(&steps)
            .find(|(inner, outer)| inner.1 >= outer.1)
            .map_or(Ok(()), |(inner, outer)| {
                Err(NotNested {
                    inner: *inner,
                    outer: *outer,
                })
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offending_pair_is_named() {
        assert_eq!(Ladder::default().check(), Ok(()));
        assert_eq!(Ladder::DEMO.check(), Ok(()));
        let bad = Ladder {
            network_ms: 26_000,
            ..Ladder::default()
        };
        let refused = bad.check().unwrap_err();
        assert_eq!(
            (refused.inner.0, refused.outer.0),
            ("network_ms", "acquirer_ms")
        );
        assert!(
            refused
                .to_string()
                .contains("network_ms = 26000 must be less than acquirer_ms = 25000")
        );
        assert_eq!(
            Ladder {
                issuer_ms: 0,
                ..Ladder::default()
            }
            .check()
            .unwrap_err()
            .outer
            .0,
            "issuer_ms"
        );
        assert!(
            Ladder {
                terminal_ms: 700_000,
                ..Ladder::default()
            }
            .check()
            .is_err()
        );
    }
}
