//! A terminal's session: what its sign-on gave it, its batch, and what it has downloaded.
//!
//! Invariant: a sign-on in the same batch changes keys and nothing else.

use crate::State;
use crate::batch::{ClosedBatch, Settling};
use crypto::WorkingKeys;
use payment::batch::BatchTotals;
use payment::download::Versions;
use payment::terminal::KeysField;
use payment::{Batch, Stan, TerminalId};
use serde::{Deserialize, Serialize};

/// A terminal's session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Trace number of its sign-on.
    pub sign_on_stan: Stan,
    /// Its batch.
    pub batch: Batch,
    /// Its keys; none after a sign-off.
    pub keys: Option<WorkingKeys>,
    /// As they were sent.
    pub field62: KeysField,
    /// Highest trace number of this batch whose sale was forgotten for lack of memory: up to it nothing is new.
    pub forgotten: Option<Stan>,
    /// What those sales add to the totals of the batch.
    pub forgotten_totals: BatchTotals,
    /// The first batch it was given.
    pub first_batch: Batch,
    /// Its batch is closed: the next sign-on gives the next one.
    pub closed: bool,
    /// The settlement under way.
    pub settling: Option<Settling>,
    /// The batch that was closed last.
    pub last_closed: Option<ClosedBatch>,
    /// Versions of what it has downloaded.
    pub taken: Versions,
}

impl State {
    /// A sign-on gave a terminal these keys and this batch.
    pub(crate) fn signed_on_by(
        &mut self,
        terminal: &TerminalId,
        stan: Stan,
        batch: Batch,
        (keys, field62): (&WorkingKeys, &KeysField),
    ) {
        self.next_batch = self.next_batch.max(batch.0 + 1);
        let session = self.sessions.entry(*terminal).or_insert_with(|| Session {
            sign_on_stan: stan,
            batch,
            keys: None,
            field62: *field62,
            forgotten: None,
            forgotten_totals: BatchTotals::default(),
            first_batch: batch,
            closed: false,
            settling: None,
            last_closed: None,
            taken: Versions::default(),
        });
        if session.batch != batch {
            session.batch = batch;
            session.closed = false;
            session.settling = None;
            session.forgotten = None;
            session.forgotten_totals = BatchTotals::default();
        }
        session.sign_on_stan = stan;
        session.keys = Some(*keys);
        session.field62 = *field62;
    }
}
