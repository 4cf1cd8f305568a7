//! A party as its driver sees it: bytes in, bytes out, state that is a fold of records.
//!
//! The edge (`hear`, `say`) is where bytes become meaning and where the security module is asked; `decide` sees neither.
//! The production driver and the simulator use exactly these verbs.

use crate::{Institution, Machine, Now};
use crypto::SecurityModule;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;

/// Where a frame came from or goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Peer {
    /// One request and its answer on a terminal connection. At a host the driver numbers each received frame, and the
    /// answer goes back where that frame came from; at a terminal the machine numbers its own exchanges.
    Exchange(u64),
    /// The long-lived multiplexed link to a member: the network for an acquirer or issuer, a member for the network.
    Member(Institution),
}

/// What surrounds an edge: the module, both clocks and a source of random bytes.
pub struct Surroundings<'a> {
    /// Key operations.
    pub module: &'a dyn SecurityModule,
    /// The two readings.
    pub now: Now,
    /// Fresh random bytes; what is drawn travels inside the input.
    pub random: &'a dyn Fn() -> [u8; 32],
}

/// A frame ready to leave.
#[derive(Clone, Debug)]
pub struct Said<I> {
    /// Where it goes.
    pub to: Peer,
    /// What the driver must tell the party when this frame certainly did not leave.
    pub if_undelivered: Option<I>,
}

/// Why a frame was not taken, or an effect not written. It has no effect but a counter and a log line (invariant K1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EdgeError {
    /// The frame or message is not well formed.
    Format(iso8583::Error),
    /// Well formed, with content that this party does not take.
    Content(crate::wire::WireError),
    /// The security module refused.
    Security(crypto::SecurityError),
    /// Somebody this party does not know.
    Stranger,
}

impl fmt::Display for EdgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(error) => write!(f, "{error}"),
            Self::Content(error) => write!(f, "{error}"),
            Self::Security(error) => write!(f, "security module: {error}"),
            Self::Stranger => f.write_str("from somebody unknown"),
        }
    }
}

impl std::error::Error for EdgeError {}

impl From<iso8583::Error> for EdgeError {
    fn from(error: iso8583::Error) -> Self {
        Self::Format(error)
    }
}

impl From<crate::wire::WireError> for EdgeError {
    fn from(error: crate::wire::WireError) -> Self {
        Self::Content(error)
    }
}

impl From<crypto::SecurityError> for EdgeError {
    fn from(error: crypto::SecurityError) -> Self {
        Self::Security(error)
    }
}

/// A machine with an edge and a state that can be put into a snapshot.
pub trait Party: Machine<Record: Serialize + DeserializeOwned> {
    /// Everything that records build; configuration is not part of it.
    type State: Serialize + DeserializeOwned;

    /// The state, for a snapshot.
    fn state(&self) -> &Self::State;
    /// Replaces the state by one from a snapshot.
    fn restore(&mut self, state: Self::State);
    /// Reads a frame.
    fn hear(
        &self,
        around: &Surroundings<'_>,
        from: Peer,
        frame: &[u8],
    ) -> Result<Self::Input, EdgeError>;
    /// Writes the frame of an effect to `frame` and says where it goes; `None` for an effect that is not a frame.
    fn say(
        &self,
        around: &Surroundings<'_>,
        effect: &Self::Effect,
        frame: &mut Vec<u8>,
    ) -> Result<Option<Said<Self::Input>>, EdgeError>;
    /// The input that says: a deadline has passed.
    fn tick() -> Self::Input;
    /// The input after a replay: what was in flight is not any more.
    fn resumed() -> Self::Input;
    /// The input when the link to a member came up or went down, where the party cares.
    fn link_changed(member: Institution, up: bool) -> Option<Self::Input>;
}
