//! The judge's own book: what every person saw, and what each party's durable records say, as numbers.
//!
//! It shares no codec, MAC, PIN, ledger or claims code with the parties. A transaction is known by its key in the terminal's
//! records, and between hosts by the key under which its acquirer forwarded it.

mod banks;
mod batches;
mod cash;
mod chips;
mod hosts;
mod rules;
mod tills;
mod transfers;
mod wallets;

use crate::accounts::{Accounts, Moved};
use crate::core::Who;
use crate::node::{Name, Said};
use crypto::PanToken;
use payment::{Batch, CNY, Currency, HostKey, Kind, Linked, MerchantId, Posting, SaleKey};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub use batches::Book;
pub use cash::{Kept, Paid};
pub use chips::Read;
pub use rules::{ADJUST_PERCENT, capture_percent};
pub use transfers::{CREDIT, DEBIT, is_split};
pub use wallets::unended;

const FIRST_MINOR: u64 = 1_000;
/// Larger than any amount that a planted bug adds.
const STEP_MINOR: u64 = 13;

/// How a transaction ended at its terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Approved,
    Declined,
    NotSent,
    Reversed,
    Case,
}

/// What a cashier ordered.
#[derive(Clone, Copy, Debug)]
pub struct Ordered {
    pub kind: Kind,
    pub card: usize,
    /// None when the till is left to find it.
    pub minor: Option<u64>,
    /// The transaction that it is about.
    pub original: Option<u32>,
    /// Ordered wrongly on purpose: it must be refused, with one of these codes when the original is what speaks against it.
    pub wrong: Option<&'static [&'static str]>,
    /// The unresolved sale in whose place it is ordered.
    pub linked: Option<Linked>,
    /// The card that receives.
    pub to: Option<usize>,
}

/// One transaction.
#[derive(Clone, Debug)]
pub struct Sale {
    pub terminal: u8,
    pub kind: Kind,
    pub card: usize,
    /// What it asks for; of an order without an amount, what its till asked for.
    pub minor: u64,
    pub original: Option<u32>,
    pub wrong: Option<&'static [&'static str]>,
    pub linked: Option<Linked>,
    pub wrong_pin: bool,
    /// How its chip was read.
    pub read: Option<Read>,
    /// Whether its card agreed to the approval, by its till's records.
    pub agreed: Option<bool>,
    pub key: Option<SaleKey>,
    /// When its request left terminal, acquirer and network.
    pub sent: [Option<u64>; 3],
    /// Transactions about it.
    pub later: Vec<u32>,
    /// At the terminal.
    pub begun: bool,
    pub terminal_reverses: bool,
    pub endings: u32,
    pub end: Option<End>,
    pub approved_shown: Option<u64>,
    pub goods_gone: bool,
    /// What its slip says besides: fields 37 and 38.
    pub rrn: Option<payment::Rrn>,
    pub code: Option<payment::ApprovalCode>,
    /// At the acquirer.
    pub forwarded: u32,
    pub token: Option<PanToken>,
    /// Its till has closed the batch.
    pub settled: bool,
    pub answered: bool,
    pub reversing: bool,
    /// Reversed because something else was paid in its place, or staff gave it back.
    pub replaced: bool,
    /// Staff gave it back.
    pub given_back: bool,
    /// That reversal, or another one, is confirmed.
    pub reversed: bool,
    pub said: Option<Said>,
    pub bookings: u32,
    pub booked: bool,
    pub one_sided: bool,
    pub acquirer_settlement: Option<u16>,
    /// At the network.
    pub relayed: u32,
    /// At the issuer.
    pub approvals: u32,
    pub approval: Option<[u8; 6]>,
    pub debits: u32,
    pub credits: u32,
    /// Of a transfer between two banks.
    pub legs: [transfers::Leg; 2],
    /// What it did to the cardholder's account, its reversal included.
    pub moved: Moved,
    /// What the merchant is to get for it; what is given back is negative.
    pub due: i64,
    /// The issuer has taken a reversal: nothing may be debited any more.
    pub closed: bool,
    /// That reversal took effect.
    pub returned: bool,
    /// Its hold ran out.
    pub expired: bool,
    pub settlement: Option<u16>,
}

impl Sale {
    fn new(terminal: u8, ordered: &Ordered, minor: u64) -> Self {
        Self {
            terminal,
            kind: ordered.kind,
            card: ordered.card,
            minor,
            original: ordered.original,
            wrong: ordered.wrong,
            linked: ordered.linked,
            wrong_pin: false,
            read: None,
            agreed: None,
            key: None,
            sent: [None; 3],
            later: Vec::new(),
            begun: false,
            terminal_reverses: false,
            endings: 0,
            end: None,
            approved_shown: None,
            goods_gone: false,
            rrn: None,
            code: None,
            forwarded: 0,
            token: None,
            settled: false,
            answered: false,
            reversing: false,
            replaced: false,
            given_back: false,
            reversed: false,
            said: None,
            bookings: 0,
            booked: false,
            one_sided: false,
            acquirer_settlement: None,
            relayed: 0,
            approvals: 0,
            approval: None,
            debits: 0,
            credits: 0,
            legs: Default::default(),
            moved: Moved::default(),
            due: 0,
            closed: false,
            returned: false,
            expired: false,
            settlement: None,
        }
    }

    /// The issuer approved it, and nothing took it back.
    pub fn stands(&self) -> bool {
        self.approvals > 0 && !self.returned
    }

    pub fn approved(&self) -> bool {
        self.approvals > 0
    }

    /// Another card gets what it moves.
    pub fn receives(&self) -> bool {
        let row = self.kind.row();
        row.receiver || (row.unit != CNY && row.posting == Posting::Capture)
    }

    pub fn is_advice(&self) -> bool {
        self.kind.row().is_advice()
    }

    /// It is told as done before anybody answered.
    pub fn is_stored(&self) -> bool {
        self.kind.row().flow == payment::kind::Flow::Stored
    }
}

/// The book.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    pub sales: Vec<Sale>,
    pub keys: BTreeMap<SaleKey, u32>,
    hosts: BTreeMap<HostKey, u32>,
    /// What the cashier of each terminal ordered last, until the terminal has written it down.
    ordered: Vec<Option<u32>>,
    /// The unresolved transaction of each terminal, by its durable records.
    pub open: Vec<Option<u32>>,
    /// The advices that each terminal keeps, oldest first.
    pub stored: Vec<VecDeque<Kept>>,
    pub accounts: Accounts,
    /// What each pre-authorisation with everything about it holds, in minor units.
    pub held: BTreeMap<u32, i64>,
    /// Merchant and acquirer of each terminal.
    pub shops: Vec<(MerchantId, Who)>,
    /// What each card could spend at first.
    pub openings: Vec<i64>,
    /// Reversals on their way, with the leg that they are of.
    advices: BTreeMap<HostKey, (u32, Option<usize>)>,
    /// Legs of transfers by the network's keys.
    legs: BTreeMap<HostKey, (u32, usize)>,
    /// The only unit of each bank's books.
    pub units: Vec<Currency>,
    rrns: BTreeSet<(Who, [u8; 12])>,
    pub settlements: BTreeSet<u16>,
    /// Wallet orders by their sale.
    orders: BTreeMap<SaleKey, wallets::Ordered>,
    /// Refunds that shops asked for, by order and number.
    wallet_refunds: BTreeMap<(SaleKey, u8), u32>,
    /// Cash that was taken.
    pub cash: Vec<Paid>,
    /// The batch of each terminal, by its own records.
    pub open_batches: Vec<Option<Batch>>,
    /// Terminals whose settlement is not over, and those of them that upload.
    pub settling: BTreeSet<u8>,
    pub uploading: BTreeSet<u8>,
    /// The batch that each terminal's acquirer compared last.
    compared: BTreeMap<u8, Batch>,
    /// Batches by terminal and number.
    pub books: BTreeMap<(u8, Batch), Book>,
    /// Terminals without a MAC on their batch messages, one of which was changed on its way.
    pub garbled: BTreeSet<u8>,
    pub signed_on: Vec<bool>,
    /// The last counter of each card's chip that its bank took.
    counters: BTreeMap<usize, u16>,
}

impl Oracle {
    pub fn new(shops: Vec<(MerchantId, Who)>, openings: Vec<i64>, units: Vec<Currency>) -> Self {
        let terminals = shops.len();
        Self {
            ordered: vec![None; terminals],
            open: vec![None; terminals],
            stored: vec![VecDeque::new(); terminals],
            open_batches: vec![None; terminals],
            signed_on: vec![false; terminals],
            shops,
            openings,
            units,
            ..Self::default()
        }
    }

    /// The amount of the next new sale: no other has it, so that a mix-up shows.
    pub fn own_minor(&self) -> u64 {
        FIRST_MINOR + self.sales.len() as u64 * STEP_MINOR
    }

    /// A cashier orders; gives the transaction's number.
    pub fn order(&mut self, terminal: u8, ordered: &Ordered) -> u32 {
        let number = self.sales.len() as u32;
        let minor = ordered.minor.unwrap_or(0);
        self.sales.push(Sale::new(terminal, ordered, minor));
        self.ordered[usize::from(terminal)] = Some(number);
        number
    }

    pub fn sent(&mut self, name: Name, hop: usize, time: u64) {
        if let Some(number) = self.named(name) {
            let sale = &mut self.sales[number as usize];
            // An advice is waited for anew each time it leaves.
            let first = sale.sent[hop].filter(|_| !sale.is_advice());
            sale.sent[hop] = Some(first.unwrap_or(time));
        }
    }

    pub fn sent_at(&self, name: Name, hop: usize) -> Option<u64> {
        self.sales[self.named(name)? as usize].sent[hop]
    }

    pub fn named(&self, name: Name) -> Option<u32> {
        match name {
            Name::Till(key) => self.by_key(&key),
            Name::Host(key) => {
                let leg = || self.legs.get(&key).map(|(number, _)| *number);
                self.by_host(&key).or_else(leg)
            }
        }
    }

    pub fn by_key(&self, key: &SaleKey) -> Option<u32> {
        self.keys.get(key).copied()
    }

    pub fn by_host(&self, key: &HostKey) -> Option<u32> {
        self.hosts.get(key).copied()
    }
}
