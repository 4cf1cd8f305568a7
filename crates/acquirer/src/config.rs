//! What an acquirer is told before it starts: its institution, its link to the network, its merchants and terminals.

use crypto::{MacAlgorithm, WrappedKey};
use payment::certificate::KeyId;
use payment::download::Offer;
use payment::relay::Gaps;
use payment::timeouts::Ladder;
use payment::{Institution, MerchantId, Percents, TerminalId};
use std::collections::BTreeMap;

/// An acquirer's configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its own code, field 32.
    pub institution: Institution,
    /// The network's code.
    pub network: Institution,
    /// Key-encrypting key shared with the network.
    pub kek: WrappedKey,
    /// MAC on the host link.
    pub mac: MacAlgorithm,
    /// The time-out ladder.
    pub ladder: Ladder,
    /// Spacing of reversal attempts.
    pub gaps: Gaps,
    /// An approval without a positive sign becomes a one-sided item after this many milliseconds.
    pub confirm_within_ms: u64,
    /// How far completions and adjustments may go beyond their original.
    pub percents: Percents,
    /// The times of wallet orders; without them scanned codes are not taken.
    pub wallet: Option<crate::wallet::Rules>,
    /// Whose key signs outcome certificates; without one there are none.
    pub certificates: Option<KeyId>,
    /// What terminals download.
    pub offer: Offer,
    /// Merchants by number.
    pub merchants: BTreeMap<MerchantId, MerchantSetup>,
    /// Terminals by number; one terminal belongs to one merchant.
    pub terminals: BTreeMap<TerminalId, TerminalSetup>,
}

/// A merchant.
#[derive(Clone, Debug)]
pub struct MerchantSetup {
    /// Name in zh-CN.
    pub name: String,
    /// Merchant category code, field 18.
    pub category: u16,
}

/// A terminal.
#[derive(Clone, Debug)]
pub struct TerminalSetup {
    /// Its merchant.
    pub merchant: MerchantId,
    /// Its master key.
    pub tmk: WrappedKey,
    /// It speaks the result query and the positive sign.
    pub extended: bool,
    /// Largest amount of one sale, minor units.
    pub amount_minor_max: u64,
}
