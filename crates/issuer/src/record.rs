//! What the bank hears, writes and does. Records are all it remembers; no PIN, track or clear card number is in any of them.

use crate::link::LinkKeys;
use crate::notice::Notice;
use crypto::PanToken;
use ledger::Entry;
use payment::host::{Answer, Financial, Management, Request, Reversal};
use payment::{ApprovalCode, ChipAnswer, HostKey, Institution, Mono, Now, ResponseCode};
use serde::{Deserialize, Serialize};

/// What the module said of a request's PIN, at the edge; the block itself goes no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PinCheck {
    /// None came, or the card has none to compare it with.
    Absent,
    /// It is the card's.
    Right,
    /// It is not.
    Wrong,
    /// The block holds no PIN of its format. It counts as a try.
    Format,
}

/// What the module said of a request's chip data, at the edge; the data themselves go no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChipCheck {
    /// None came.
    Absent,
    /// They are not card data, or one of the mandatory tags is missing.
    Unreadable,
    /// The cryptogram is not the card's own, or speaks of something else.
    Wrong,
    /// It is the card's own.
    Right {
        /// The card's transaction counter.
        counter: u16,
        /// What an approval tells the card.
        answer: Box<ChipAnswer>,
    },
    /// What the card made of the scripts behind an earlier answer.
    Scripts {
        /// All of them were done.
        done: bool,
    },
}

/// What happened outside.
#[derive(Clone, Debug)]
pub enum Input {
    /// A deadline has passed.
    Tick,
    /// The state was just replayed.
    Resumed,
    /// The link to a member came up or went down.
    Link {
        /// The member.
        member: Institution,
        /// Came up.
        up: bool,
    },
    /// 0200 with a right MAC.
    Financial {
        /// The request.
        sale: Financial,
        /// Its PIN.
        pin: PinCheck,
        /// Its chip data.
        chip: ChipCheck,
        /// When it was received.
        heard: Mono,
    },
    /// 0420 with a right MAC.
    Reversal(Reversal),
    /// 0800 with field 70 = 301.
    Echo(Management),
    /// 0800 with field 70 = 101; `None` when the keys did not pass the module.
    KeyReset {
        /// The request.
        request: Management,
        /// The keys, taken.
        keys: Option<LinkKeys>,
    },
    /// 0810 with field 70 = 001; `None` when the sign-on was refused.
    SignOnAnswer {
        /// The sign-on that is answered.
        key: HostKey,
        /// The keys, taken.
        keys: Option<LinkKeys>,
    },
}

/// What a decision does to the count of wrong PINs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tries {
    /// Nothing.
    Unchanged,
    /// One more.
    Wrong,
    /// Back to none.
    Right,
}

/// A financial request and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// When it was decided.
    pub at: Now,
    /// The request.
    pub sale: Financial,
    /// Field 39.
    pub code: ResponseCode,
    /// Field 38, of an approved purchase.
    pub approval: Option<ApprovalCode>,
    /// Field 54, of an answered inquiry, in minor units.
    pub balance: Option<i64>,
    /// What it does to the books, at most [`crate::ENTRIES_MAX`] entries.
    pub entries: Vec<Entry>,
    /// What it adds to the merchant's money, in minor units.
    pub moved_minor: i64,
    /// The count of wrong PINs.
    pub tries: Tries,
    /// The counter of a right cryptogram, whatever became of the request.
    pub chip_counter: Option<u16>,
    /// Of a script result: whether the card did it all.
    pub scripts_done: Option<bool>,
    /// Field 55 of the answer.
    pub chip: Option<Box<ChipAnswer>>,
}

impl Answered {
    /// The answer of `institution` as it leaves.
    pub fn answer(&self, institution: Institution) -> Answer {
        Answer {
            approval: self.approval,
            balance: self.balance,
            chip: self.chip.as_deref().copied(),
            receiver: Some(institution),
            ..Answer::to(&Request::Financial(self.sale), self.code)
        }
    }
}

/// A reversal advice and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// When it was decided.
    pub at: Now,
    /// The advice.
    pub reversal: Reversal,
    /// Field 39.
    pub code: ResponseCode,
    /// What takes the entries of its original back.
    pub entries: Vec<Entry>,
    /// The original stands reversed from now on.
    pub effective: bool,
    /// The original was never seen and must never debit (M5).
    pub barred: bool,
}

/// A durable fact.
// Purchases are nearly all of them: a box for the large variant would cost an allocation each.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// Cards of the configuration came into the books.
    Opened {
        /// The cards.
        cards: Vec<PanToken>,
        /// Accounts, opening balances, limits.
        entries: Vec<Entry>,
    },
    /// 0200 decided.
    Answered(Answered),
    /// 0420 decided.
    Returned(Returned),
    /// The link is up and a sign-on was sent, to be repeated at `next`.
    SignOnSent {
        /// Its key; only the answer to the last one counts.
        key: HostKey,
        /// When it is repeated.
        next: Mono,
    },
    /// New working keys.
    KeysTaken {
        /// The keys.
        keys: LinkKeys,
        /// Those before are taken until then.
        previous_until: Mono,
        /// They came as the answer to the sign-on.
        signed_on: bool,
    },
    /// The link went down.
    LinkDown,
    /// The holds of a pre-authorisation ran out.
    Expired {
        /// Its key.
        key: HostKey,
        /// What releases them.
        entries: Vec<Entry>,
    },
}

/// What the driver must do.
// As with records: an answer is what nearly every decision has.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send this answer to the network.
    Answer(Answer),
    /// Send this sign-on to the network.
    SignOn(Management),
    /// Tell the cardholder; never before its record is durable (F11), at most once (A24).
    Notice(Notice),
}
