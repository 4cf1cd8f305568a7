//! The print spool: which slips wait, what was sent, and what the printer proved about it.
//!
//! State is its records applied in order. Exactly one unmarked original of a slip's copy is ever sent:
//! the record that a print started is durable before its bytes leave, and every later print is marked.
//! Only a process ID echoed by the printer is called printed.

mod state;
mod turn;

pub use state::Spool;

use crate::answers::{Answers, Status};
use crate::slip::{CopyOf, Language, Paper, SlipFields};
use crate::trouble::Trouble;
use serde::{Deserialize, Serialize};

/// Most copies of slips that are kept, waiting or done; the oldest finished one makes room.
pub const JOBS_MAX: usize = 128;
/// A printer that is not well is asked again, or connected again, after this.
pub const RETRY_US: u64 = 3_000_000;
/// A connection that does not come up within this is given up.
pub const CONNECT_WAIT_US: u64 = 5_000_000;
/// A printer that does not answer the status question before a job within this is unreachable.
pub const ANSWER_WAIT_US: u64 = 2_000_000;
/// The same while it prints: over TCP the question may wait behind the slip.
pub const BUSY_ANSWER_WAIT_US: u64 = 30_000_000;
/// A well printer that has not confirmed a slip within this will not confirm it.
pub const CONFIRM_WAIT_US: u64 = 20_000_000;
/// A slip that could not be sent within this is given up, until somebody asks for it again.
pub const EXPIRE_US: u64 = 30 * 60 * 1_000_000;

/// How much is known about a slip's way to paper (receipts reference §1).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Evidence {
    /// E0: only in the spool.
    #[default]
    NotSent,
    /// E1: the operating system accepted the bytes.
    HandedOver,
    /// E2: the printer's end of the connection took them.
    Transported,
    /// E3: the printer took every byte out of its buffer.
    Parsed,
    /// E4: the printer says that it is on paper.
    Printed,
}

impl Evidence {
    /// The digit of its level, 0 to 4.
    pub fn level(self) -> u8 {
        self as u8
    }

    /// zh-CN and en; only E4 is called printed.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Evidence::NotSent => ("未发送", "not sent"),
            Evidence::HandedOver | Evidence::Transported | Evidence::Parsed => {
                ("已发送，未确认", "sent, not confirmed")
            }
            Evidence::Printed => ("已打印", "printed"),
        }
    }
}

/// Where a slip's latest print stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobState {
    /// Waits for the printer.
    Queued,
    /// Sent, and the printer is well.
    Printing,
    /// Over: printed at E4, sent and not confirmed below.
    Done,
    /// Waits until the trouble is over, then goes on by itself.
    Held(Trouble),
    /// Given up; only a reprint starts it again.
    Failed(Trouble),
}

impl JobState {
    /// zh-CN and en; `evidence` is what [`Spool::evidence`] tells with the state.
    pub fn words(self, evidence: Evidence) -> (&'static str, &'static str) {
        match self {
            JobState::Queued => ("等待打印", "waiting to print"),
            JobState::Printing => ("正在打印", "printing"),
            JobState::Done => evidence.words(),
            JobState::Held(trouble) | JobState::Failed(trouble) => trouble.words(),
        }
    }
}

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // an input lives for one decision
pub enum SpoolInput {
    /// A new slip; the same slip and copy a second time changes nothing.
    Submit {
        /// Never used again for another slip.
        slip_id: u64,
        /// What it says.
        fields: SlipFields,
        /// Whose copy.
        copy: CopyOf,
        /// Its language.
        language: Language,
        /// Its paper.
        paper: Paper,
    },
    /// Print every copy of this slip once more, marked unless no byte of it was ever sent.
    Reprint {
        /// The slip.
        slip_id: u64,
    },
    /// The connection that was asked for is up.
    Connected,
    /// The connection is gone or did not come up.
    Lost,
    /// Bytes from the printer.
    Heard(Vec<u8>),
    /// The operating system took all bytes of this job.
    Wrote {
        /// From [`SpoolEffect::Send`].
        job: u32,
    },
    /// Time has passed.
    Tick,
    /// The first input after a start on replayed records; any connection is gone.
    Restarted,
    /// Printing was switched off (`true`) or on in the settings.
    SwitchedOff(bool),
}

/// What was decided; the only thing that changes the spool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // field names say it: times in microseconds, keys of the slip and its copy
pub enum SpoolRecord {
    /// A slip entered the spool.
    Submitted {
        at_us: u64,
        slip_id: u64,
        copy: CopyOf,
        language: Language,
        paper: Paper,
        fields: Box<SlipFields>,
    },
    /// A finished slip is to be printed again.
    Wanted {
        at_us: u64,
        slip_id: u64,
        copy: CopyOf,
    },
    /// A finished slip made room for a new one.
    Forgotten { slip_id: u64, copy: CopyOf },
    /// A connection was asked for.
    Connecting { at_us: u64 },
    /// The connection came up.
    Connected { at_us: u64 },
    /// The connection went down, or was given up.
    Lost { at_us: u64 },
    /// The status question was asked.
    Asked { at_us: u64 },
    /// Half an answer waits for its rest.
    Listening { answers: Answers, realtime: Vec<u8> },
    /// The printer told its status, by itself or as the answer to the question.
    Told {
        at_us: u64,
        status: Status,
        answered: bool,
    },
    /// A print starts; durable before its first byte leaves.
    Started {
        at_us: u64,
        slip_id: u64,
        copy: CopyOf,
        job: u32,
    },
    /// The operating system took all bytes of a print.
    Wrote { job: u32 },
    /// An answer in order came: E3 for the print that owed the last one.
    InOrder,
    /// The printer echoed the print's process ID.
    Printed { at_us: u64, job: u32 },
    /// A well printer did not confirm the print in time.
    Unconfirmed { at_us: u64, job: u32 },
    /// A slip waited too long.
    Expired { slip_id: u64, copy: CopyOf },
    /// The process started again.
    Restarted { at_us: u64 },
    /// Printing was switched off or on.
    Switched { off: bool },
}

/// What the driver must do, in order, never before the records are durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpoolEffect {
    /// Connect to the printer; answered by `Connected` or `Lost`.
    Connect,
    /// Send these bytes whole; answered by `Wrote`.
    Send {
        /// The print.
        job: u32,
        /// ESC/POS.
        bytes: Vec<u8>,
    },
    /// Send [`crate::escpos::STATUS_QUESTION`].
    Query,
    /// Close the connection.
    Close,
    /// A copy's state or evidence changed.
    Changed {
        /// The slip.
        slip_id: u64,
        /// Which copy of it.
        copy: CopyOf,
        /// Where its latest print stands.
        state: JobState,
        /// The best evidence of any of its prints.
        evidence: Evidence,
    },
    /// A slip that is not known was to be printed again, or a new one found [`JOBS_MAX`] unfinished.
    Refused {
        /// The slip.
        slip_id: u64,
    },
}
