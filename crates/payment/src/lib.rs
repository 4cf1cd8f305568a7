//! The language all parties speak: money, identifiers, kinds, response codes, typed messages, evidence and verdict.
//!
//! Nothing here knows a socket, a clock or a disk; parties share this vocabulary and never each other's state.

pub mod base32;
pub mod batch;
pub mod card_entry;
pub mod certificate;
pub mod chip;
pub mod declaration;
pub mod download;
pub mod evidence;
pub mod guard;
pub mod host;
pub mod identifier;
pub mod kind;
pub mod link;
pub mod loop_picture;
pub mod machine;
pub mod money;
pub mod original;
pub mod party;
pub mod payment_code;
pub mod relay;
pub mod remedy;
pub mod response;
pub mod sign;
pub mod tender;
pub mod terminal;
pub mod timeouts;
pub mod verdict;
pub mod wire;

pub use card_entry::{EntryMode, Secrets, Track2};
pub use certificate::Certificate;
pub use chip::{ChipAnswer, ChipRequest};
pub use declaration::{Declarations, Statement};
pub use guard::{LinkReason, Linked};
pub use identifier::{
    ApprovalCode, Batch, HostKey, Institution, MerchantId, Rrn, SaleKey, Stan, TerminalId,
};
pub use kind::{Flow, Kind, Posting};
pub use link::LinkId;
pub use machine::{Decision, Machine, Mono, Now, Wall};
pub use money::{Amount, BARTER_UNIT, CNY, Currency};
pub use original::{Claims, Original, Percents};
pub use party::{EdgeError, Party, Peer, Said, Surroundings};
pub use payment_code::QrText;
pub use remedy::{Mandate, Remedy, Unremedied};
pub use response::ResponseCode;
pub use sign::{Sign, SignOutcome};
pub use tender::{Tender, tender_of};
