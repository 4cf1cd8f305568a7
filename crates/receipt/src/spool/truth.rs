//! The words of the spool: how much is known of a slip, where its latest print stands, what somebody saw.
//!
//! Nothing below E4 is ever called printed (receipts reference §1).

use crate::trouble::Trouble;
use serde::{Deserialize, Serialize};

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
    /// E5: somebody saw it, or the code printed on it was scanned.
    Seen,
}

impl Evidence {
    /// Every level, lowest first.
    pub const ALL: [Evidence; 6] = [
        Evidence::NotSent,
        Evidence::HandedOver,
        Evidence::Transported,
        Evidence::Parsed,
        Evidence::Printed,
        Evidence::Seen,
    ];

    /// The digit of its level, 0 to 5.
    pub fn level(self) -> u8 {
        self as u8
    }

    /// zh-CN and en; only E4 is called printed, only E5 confirmed.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Evidence::NotSent => ("未发送", "not sent"),
            Evidence::HandedOver | Evidence::Transported | Evidence::Parsed => {
                ("已发送，未确认", "sent, not confirmed")
            }
            Evidence::Printed => ("已打印", "printed"),
            Evidence::Seen => ("已确认", "confirmed on paper"),
        }
    }
}

/// Where a slip's latest print stands (receipts reference §8).
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
    /// Bytes may have left and nothing proves the paper: somebody must look. Never sent again by itself.
    Unknown(Trouble),
    /// Not printed because of our own settings; a reprint brings it later.
    Skipped(Trouble),
    /// Somebody said that no paper is needed: the electronic slip is enough.
    Closed,
}

impl JobState {
    /// zh-CN and en; `evidence` is what [`crate::Spool::evidence`] tells with the state.
    pub fn words(self, evidence: Evidence) -> (&'static str, &'static str) {
        match self {
            JobState::Queued => ("等待打印", "waiting to print"),
            JobState::Printing => ("正在打印", "printing"),
            JobState::Done => evidence.words(),
            JobState::Closed => ("无需纸质凭条", "no paper slip needed"),
            JobState::Held(trouble)
            | JobState::Failed(trouble)
            | JobState::Unknown(trouble)
            | JobState::Skipped(trouble) => trouble.words(),
        }
    }

    /// Whether only a person can bring it further.
    pub fn asks(self) -> bool {
        matches!(self, JobState::Unknown(_))
    }
}

/// What somebody who looked at the paper says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PaperSeen {
    /// The whole slip can be read.
    Complete,
    /// Paper came out and nothing is on it.
    Blank,
    /// Only a part of the slip came out.
    Partial,
    /// No paper came out.
    Nothing,
    /// It does not matter: the electronic slip is enough.
    NotNeeded,
}

impl PaperSeen {
    /// Every answer, in the order in which they are offered.
    pub const ALL: [PaperSeen; 5] = [
        PaperSeen::Complete,
        PaperSeen::Blank,
        PaperSeen::Partial,
        PaperSeen::Nothing,
        PaperSeen::NotNeeded,
    ];

    /// The question that these answer, zh-CN and en.
    pub const QUESTION: (&'static str, &'static str) =
        ("凭条是否完整打出？", "Did the slip come out complete?");

    /// zh-CN and en.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            PaperSeen::Complete => ("完整", "Yes, complete"),
            PaperSeen::Blank => ("空白，重打印", "Blank: reprint"),
            PaperSeen::Partial => ("不完整，重打印", "Only a part: reprint"),
            PaperSeen::Nothing => ("没有出纸，重打印", "No slip: reprint"),
            PaperSeen::NotNeeded => ("不需要，用电子凭条", "Not needed: e-receipt"),
        }
    }

    /// Why it must be printed again.
    pub fn trouble(self) -> Option<Trouble> {
        match self {
            PaperSeen::Complete | PaperSeen::NotNeeded => None,
            PaperSeen::Blank => Some(Trouble::Blank),
            PaperSeen::Partial => Some(Trouble::Partial),
            PaperSeen::Nothing => Some(Trouble::NothingCameOut),
        }
    }
}

/// What became of a slip's cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cut {
    /// The printer did not say.
    #[default]
    Untold,
    /// It was cut.
    Done,
    /// Printed and not cut: tear it by hand, do not reprint.
    Stuck,
}

impl Cut {
    /// What to do about it, zh-CN and en; empty when nothing.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Cut::Untold | Cut::Done => ("", ""),
            Cut::Stuck => (
                "已打出，未切断，请手工撕下，无需重打印",
                "On paper, not cut: tear it by hand, no reprint needed",
            ),
        }
    }
}
