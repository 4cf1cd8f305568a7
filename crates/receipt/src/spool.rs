//! The print spool: which slips wait, what was sent, and what the printer proved about it.
//!
//! State is its records applied in order. Exactly one unmarked original of a slip's copy is ever sent:
//! the record that a print started is durable before its bytes leave, and every later print is marked and asked for
//! by a person. Only a process ID echoed by a trusted printer is called printed.

mod copies;
mod hearing;
mod state;
mod truth;
mod turn;
mod view;

pub use truth::{Cut, Evidence, JobState, PaperSeen};
pub use view::{CopyKnown, Search, SlipFound, Spool};

use crate::answers::{Answers, Status};
use crate::installed::InstalledPrinter;
use crate::slip::{CopyOf, Language, Paper, Report, SlipFields};
use serde::{Deserialize, Serialize};

/// Most copies of slips that are kept, waiting or done; the oldest finished one makes room.
pub const JOBS_MAX: usize = 24_000;
/// Most slips that one search gives.
pub const SEARCH_MAX: usize = 50;
/// A printer that is not well is asked again, or connected again, after this.
pub const RETRY_US: u64 = 3_000_000;
/// A connection that does not come up within this is given up.
pub const CONNECT_WAIT_US: u64 = 5_000_000;
/// A printer that does not answer the status question before a job within this is unreachable.
pub const ANSWER_WAIT_US: u64 = 2_000_000;
/// The same while it prints: over TCP the question may wait behind the slip.
pub const BUSY_ANSWER_WAIT_US: u64 = 30_000_000;
/// A head that is still too hot after this never was: the voltage is wrong (receipts reference §6, row 8).
pub const HEAD_COOL_US: u64 = 180_000_000;
/// A device that accepts connections and answers nothing for this long is printing for somebody else (row 22).
pub const BUSY_ELSEWHERE_US: u64 = 120_000_000;
/// A slip that could not be sent within this is given up, until somebody asks for it again.
pub const EXPIRE_US: u64 = 30 * 60 * 1_000_000;

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
    /// A new slip that is about no single sale: one copy, the merchant's; a second time it changes nothing.
    SubmitReport {
        /// Never used again for another slip.
        slip_id: u64,
        /// What it says.
        report: Report,
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
    /// Certainly no byte of this job left: there was no connection to write it to.
    NotSent {
        /// From [`SpoolEffect::Send`].
        job: u32,
    },
    /// Somebody looked at the paper.
    Answered {
        /// The slip.
        slip_id: u64,
        /// Which copy of it.
        copy: CopyOf,
        /// What there is to see.
        seen: PaperSeen,
    },
    /// The code printed on this very slip was scanned.
    Scanned {
        /// The slip.
        slip_id: u64,
        /// Which copy of it.
        copy: CopyOf,
        /// Which print of it, from 1, the original.
        print: u32,
    },
    /// The operator removed what was jammed: go on from the failed line.
    Resume,
    /// The operator gives up what is in the printer: drop it, then print it again, marked.
    Clear,
    /// What the installation found out about the printer.
    Installed(InstalledPrinter),
    /// Time has passed.
    Tick,
    /// The first input after a start on replayed records; any connection is gone.
    Restarted,
    /// Printing was switched off or on in the settings.
    SwitchedOff {
        /// Whether nothing is printed from now on.
        off: bool,
        /// Who did it.
        by: String,
    },
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
    Listening {
        answers: Answers,
        realtime: Vec<u8>,
        strays: u32,
    },
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
        wait_us: u64,
    },
    /// The operating system took all bytes of a print.
    Wrote { job: u32 },
    /// No byte of a print left: it waits again as if it had not started.
    NotSent { at_us: u64, job: u32 },
    /// An answer in order came: E3 for the print that owed the last one.
    InOrder,
    /// A printer whose IDs prove no paper echoed the print's process ID: E3.
    Echoed { job: u32 },
    /// The printer echoed the print's process ID.
    Printed { at_us: u64, job: u32 },
    /// The printer echoed the process ID behind the cut.
    Cut { job: u32 },
    /// A well printer did not confirm the print in time.
    Unconfirmed { at_us: u64, job: u32 },
    /// The printer was told to go on from the failed line.
    Resuming { at_us: u64 },
    /// The printer was told to drop what it holds.
    Clearing { at_us: u64 },
    /// The printer dropped what it held.
    Cleared { at_us: u64 },
    /// Somebody looked at the paper.
    Answered {
        slip_id: u64,
        copy: CopyOf,
        seen: PaperSeen,
    },
    /// The code printed on a slip was scanned.
    Scanned {
        slip_id: u64,
        copy: CopyOf,
        print: u32,
    },
    /// A slip waited too long.
    Expired { slip_id: u64, copy: CopyOf },
    /// The process started again.
    Restarted { at_us: u64 },
    /// Printing was switched off or on.
    Switched { at_us: u64, off: bool, by: String },
    /// What the installation found out about the printer was set.
    Installed { printer: InstalledPrinter },
    /// A slip that is about no single sale entered the spool.
    SubmittedReport {
        at_us: u64,
        slip_id: u64,
        language: Language,
        paper: Paper,
        report: Box<Report>,
    },
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
    /// Send this real-time command whole; nothing answers for it.
    Command(Vec<u8>),
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
    /// What the printer tells about itself changed: every waiting copy stands by it.
    PrinterChanged(Status),
    /// What was asked of this slip cannot be: it is not known, not finished, never sent, printing is off, or
    /// [`JOBS_MAX`] unfinished ones leave no room.
    Refused {
        /// The slip.
        slip_id: u64,
    },
}
