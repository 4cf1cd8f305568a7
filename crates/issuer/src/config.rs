//! What the bank is told at its start: who it is, its keys under the security module, its cards.
//!
//! Nothing here is secret in clear: keys are wrapped, card numbers are tokens and seals, PINs are offsets.

use crypto::{AnswerMethod, Card, CryptogramScheme, MacAlgorithm, PanToken, PinOffset, WrappedKey};
use payment::{Currency, Institution, Percents};

/// The most that an opening balance or a credit limit may be, in minor units; more is cut to it. It is what field 4
/// can carry, and with it no opening can overflow the books.
pub const OPENING_MINOR_MAX: u64 = payment::money::AMOUNT_MINOR_MAX;

/// The bank.
#[derive(Clone, Debug)]
pub struct Config {
    /// This issuer's code.
    pub institution: Institution,
    /// The only peer.
    pub network: Institution,
    /// Key-encrypting key shared with the network, of usage `HostMaster`.
    pub kek: WrappedKey,
    /// How field 128 is made on the link.
    pub mac: MacAlgorithm,
    /// PIN verification key.
    pub pvk: WrappedKey,
    /// A request that waited longer than this before it was decided is refused unexecuted (invariant A5), in milliseconds.
    pub issuer_timeout_ms: u64,
    /// The cards.
    pub cards: Vec<CardSetup>,
    /// Wrong PINs in a row until the card takes none any more; 3 in the field (UnionPay-style reference §6.3, code 55).
    pub pin_tries_max: u8,
    /// A purchase up to this needs no PIN, in minor units.
    pub no_pin_limit_minor: u64,
    /// How far completions and adjustments may go beyond their original.
    pub percents: Percents,
    /// How long a pre-authorisation, or a barter, holds, in milliseconds.
    pub hold_ms: u64,
    /// Keys of chip cards; without them the bank serves stripes alone.
    pub chip: Option<ChipKeys>,
    /// The only currency of the accounts; a barter centre's is [`payment::BARTER_UNIT`], and its suspense account is
    /// the escrow (监管账户).
    pub unit: Currency,
}

/// Master keys of the bank's chip cards.
#[derive(Clone, Copy, Debug)]
pub struct ChipKeys {
    /// Of cryptograms, of usage `CryptogramMaster`.
    pub imk: WrappedKey,
    /// Of the MACs of scripts, of usage `ScriptMaster`.
    pub smi: WrappedKey,
    /// How session keys are derived.
    pub scheme: CryptogramScheme,
    /// A chip that cannot be read may be swiped, with PIN.
    pub fallback: bool,
}

/// One card and its account.
#[derive(Clone, Debug)]
pub struct CardSetup {
    /// What requests are matched by; equals `card.token`.
    pub token: PanToken,
    /// The number, sealed.
    pub card: Card,
    /// Who gets the notices.
    pub holder: String,
    /// Debit or credit.
    pub product: Product,
    /// The account, below [`crate::AVAILABLE_FROM`]; cards may share one, which is then opened as the first of them says.
    pub account: u64,
    /// Opening balance, in minor units.
    pub balance_minor: u64,
    /// Credit limit, or the overdraft of a debit card, in minor units.
    pub credit_limit_minor: u64,
    /// Its status.
    pub status: CardStatus,
    /// Last month of validity, `YYMM`.
    pub expiry: u16,
    /// `None` for a card without PIN: it pays by signature and gives no balance.
    pub pin_offset: Option<PinOffset>,
    /// Sequence number of the chip, two ASCII digits; `None` for a card without chip.
    pub chip_sequence: Option<[u8; 2]>,
    /// How its chip is answered: as it was personalised.
    pub chip_answer: AnswerMethod,
    /// The most one purchase may take, in minor units.
    pub single_limit_minor: u64,
    /// The most the purchases of one day may take, in minor units.
    pub daily_limit_minor: u64,
    /// Purchases of one day.
    pub daily_count_limit: u32,
}

/// What kind of money stands behind a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// A purchase moves money into suspense at once.
    Debit,
    /// A purchase holds a part of the limit until it is cleared.
    Credit,
}

/// What the bank knows against a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardStatus {
    /// Nothing.
    Normal,
    /// Reported lost.
    Lost,
    /// Reported stolen.
    Stolen,
    /// Restricted.
    Restricted,
    /// Never activated, or dormant.
    NotInitialised,
}
