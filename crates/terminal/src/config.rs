//! What a terminal is told before it starts.

use crypto::WrappedKey;
use payment::relay::Gaps;
use payment::{MerchantId, Percents, Stan, TerminalId};
use receipt::{Language, Paper};

/// A terminal's configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Field 41.
    pub terminal: TerminalId,
    /// Field 42.
    pub merchant: MerchantId,
    /// Source address in the TPDU: names the terminal on a line that several share.
    pub source_address: u16,
    /// Printed on slips.
    pub merchant_name: String,
    /// Printed on slips.
    pub acquirer_name: String,
    /// Names of issuers by the first digits of their cards, longest first; printed on slips.
    pub issuers: Vec<(String, String)>,
    /// Two digits, printed on slips.
    pub operator: String,
    /// Terminal master key.
    pub tmk: WrappedKey,
    /// Trace number of the first message after installation.
    pub first_stan: Stan,
    /// How long an answer is awaited.
    pub answer_ms: u64,
    /// How long the answer to a result query is awaited.
    pub query_ms: u64,
    /// Speaks the result query and the positive sign.
    pub extended: bool,
    /// From the start of a sale: within it a recovered approval is kept and printed without a question.
    pub dialogue_ms: u64,
    /// How long the cashier may take to say whether the goods were handed over.
    pub goods_question_ms: u64,
    /// Spacing of reversal attempts.
    pub gaps: Gaps,
    /// Up to what percentage of its original a completion or an adjustment may go: what is told before anybody has
    /// answered is checked here.
    pub percents: Percents,
    /// Further rounds in which unanswered messages of a settlement are sent again; then the cashier is told.
    pub batch_resends: u32,
    /// Idle for so long, an unreported sign is reported.
    pub idle_report_ms: u64,
    /// Where e-slips are, for instance `https://r.example/r`; without it none are shown.
    pub eslip: Option<String>,
    /// A slip that is not on paper after so many milliseconds is shown as an e-slip.
    pub eslip_after_ms: u64,
    /// A slip is printed; without a printer it is only kept.
    pub prints: bool,
    /// Reads chips; without it every card is swiped.
    pub chip: Option<crate::ChipReader>,
    /// Language of slips.
    pub language: Language,
    /// Width of the roll.
    pub paper: Paper,
}
