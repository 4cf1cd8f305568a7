//! The judge's own book: what every person saw, and what each party's durable records say, as numbers.
//!
//! It shares no codec, MAC, PIN or ledger code with the parties; a sale is known by its amount, which no other sale has.

use crate::core::{Core, Who};
use crate::node::Said;
use payment::terminal::Request;
use payment::{HostKey, SaleKey};
use std::collections::{BTreeMap, BTreeSet};

const FIRST_MINOR: u64 = 1_000;
/// Larger than any amount that a planted bug adds.
const STEP_MINOR: u64 = 13;

/// How a sale ended at its terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Approved,
    Declined,
    NotSent,
    Reversed,
    Case,
}

/// One sale.
#[derive(Clone, Debug, Default)]
pub struct Sale {
    pub terminal: u8,
    pub card: usize,
    pub minor: u64,
    pub wrong_pin: bool,
    pub key: Option<SaleKey>,
    /// When its request left terminal, acquirer and network.
    pub sent: [Option<u64>; 3],
    /// At the terminal.
    pub begun: bool,
    pub terminal_reverses: bool,
    pub endings: u32,
    pub end: Option<End>,
    pub approved_shown: Option<u64>,
    pub goods_gone: bool,
    /// At the acquirer.
    pub forwarded: u32,
    pub reversing: bool,
    pub said: Option<Said>,
    pub booked: bool,
    pub one_sided: bool,
    pub acquirer_settlement: Option<u16>,
    /// At the network.
    pub relayed: u32,
    /// At the issuer.
    pub approved: bool,
    pub approval: Option<[u8; 6]>,
    pub debits: u32,
    pub debited: u64,
    pub credits: u32,
    pub credited: u64,
    /// The issuer has taken a reversal: nothing may be debited any more.
    pub closed: bool,
    pub settlement: Option<u16>,
}

impl Sale {
    /// What the cardholder is out of, in minor units.
    pub fn net(&self) -> i64 {
        self.debited as i64 - self.credited as i64
    }
}

/// The book.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    pub sales: Vec<Sale>,
    pub keys: BTreeMap<SaleKey, u32>,
    /// The unresolved sale of each terminal, by its durable records.
    pub open: Vec<Option<u32>>,
    transfers: BTreeMap<u128, u64>,
    advices: BTreeMap<HostKey, u32>,
    rrns: BTreeSet<(Who, [u8; 12])>,
    pub settlements: BTreeSet<u16>,
    pub signed_on: Vec<bool>,
}

impl Oracle {
    pub fn new(terminals: usize) -> Self {
        Self {
            open: vec![None; terminals],
            signed_on: vec![false; terminals],
            ..Self::default()
        }
    }

    /// A cashier means to sell; gives the sale's number and its own amount.
    pub fn new_sale(&mut self, terminal: u8, card: usize) -> (u32, u64) {
        let number = self.sales.len() as u32;
        let minor = FIRST_MINOR + u64::from(number) * STEP_MINOR;
        self.sales.push(Sale {
            terminal,
            card,
            minor,
            ..Sale::default()
        });
        (number, minor)
    }

    /// The sale with this amount.
    pub fn by_amount(&self, minor: u64) -> Option<u32> {
        let steps = minor.checked_sub(FIRST_MINOR)?;
        let number = steps / STEP_MINOR;
        (steps % STEP_MINOR == 0 && number < self.sales.len() as u64).then_some(number as u32)
    }

    pub fn sent(&mut self, sale: u32, hop: usize, time: u64) {
        if let Some(sale) = self.sales.get_mut(sale as usize) {
            sale.sent[hop].get_or_insert(time);
        }
    }

    pub fn sent_at(&self, sale: u32, hop: usize) -> Option<u64> {
        self.sales.get(sale as usize)?.sent[hop]
    }

    pub fn by_key(&self, key: &SaleKey) -> Option<u32> {
        self.keys.get(key).copied()
    }
}

impl Core {
    fn sale(&mut self, number: u32) -> &mut Sale {
        &mut self.oracle.sales[number as usize]
    }

    // Issuers.

    pub fn issuer_answered(&mut self, answered: &issuer::Answered) {
        let Some(number) = self.oracle.by_amount(answered.sale.amount.minor) else {
            return;
        };
        let moved = match answered.entries.first() {
            Some(ledger::Entry::Post { transfer } | ledger::Entry::Hold { transfer, .. }) => {
                self.oracle
                    .transfers
                    .insert(transfer.id.0, transfer.amount_minor);
                Some(transfer.amount_minor)
            }
            _ => None,
        };
        let code = answered.code;
        if let Some(settlement) = answered.sale.settlement {
            self.oracle.settlements.insert(settlement);
        }
        let sale = self.sale(number);
        if let Some(minor) = moved {
            sale.debits += 1;
            sale.debited += minor;
        }
        let success = code.is_success();
        if success {
            sale.approved = true;
            sale.approval = answered.approval.map(|code| code.0);
            sale.settlement = answered.sale.settlement;
        }
        let (sale, minor) = (sale.clone(), sale.minor);
        if moved.is_some() && sale.debits > 1 {
            self.violate("M3", || {
                format!("sale {number}: the issuer debited {} times", sale.debits)
            });
        }
        if moved.is_some() && sale.closed {
            self.violate("M5", || {
                format!("sale {number}: debited after its reversal")
            });
        }
        if success && moved != Some(minor) {
            self.violate("M1", || {
                format!("sale {number} of {minor}: approved, and {moved:?} booked")
            });
        }
        if success && sale.wrong_pin {
            self.violate("PIN", || {
                format!("sale {number}: approved with a wrong PIN")
            });
        }
    }

    pub fn issuer_returned(&mut self, returned: &issuer::Returned) {
        let Some(number) = self.oracle.by_amount(returned.reversal.sale.amount.minor) else {
            return;
        };
        let moved = match returned.entries.first() {
            Some(
                ledger::Entry::Reverse { original: id, .. }
                | ledger::Entry::VoidHold { hold: id, .. },
            ) => self.oracle.transfers.get(&id.0).copied(),
            Some(ledger::Entry::Post { transfer }) => Some(transfer.amount_minor),
            _ => None,
        };
        if returned.barred {
            self.mark(crate::marks::Mark::ReversalBeforeOriginal);
        }
        let sale = self.sale(number);
        if let Some(minor) = moved {
            sale.credits += 1;
            sale.credited += minor;
        }
        sale.closed |= returned.code.reversal_done();
        let (credits, net) = (sale.credits, sale.net());
        if credits > 1 {
            self.violate("M4", || format!("sale {number}: returned {credits} times"));
        }
        if returned.code.reversal_done() && net != 0 {
            self.violate("M1", || {
                format!("sale {number}: its reversal was answered done, and {net} stay debited")
            });
        }
    }

    pub fn noticed(&mut self, notice: &issuer::Notice) {
        let Some(number) = self.oracle.by_amount(notice.amount.minor) else {
            return;
        };
        let sale = self.sale(number);
        let booked = match notice.kind {
            issuer::NoticeKind::Debited
            | issuer::NoticeKind::Held
            | issuer::NoticeKind::Sent
            | issuer::NoticeKind::ReceivedBack => sale.debits > 0,
            issuer::NoticeKind::Returned
            | issuer::NoticeKind::Released
            | issuer::NoticeKind::Received
            | issuer::NoticeKind::SentBack => sale.credits > 0,
        };
        if !booked {
            let kind = notice.kind;
            self.violate("F11", || {
                format!("sale {number}: the cardholder was told {kind:?}, and nothing is booked")
            });
        }
    }

    // Network.

    pub fn network_forwarded(&mut self, minor: u64) {
        let Some(number) = self.oracle.by_amount(minor) else {
            return;
        };
        let sale = self.sale(number);
        sale.relayed += 1;
        if sale.relayed > 1 {
            self.violate("A2", || {
                format!("sale {number}: the network forwarded it twice")
            });
        }
    }

    pub fn advice_begun(&mut self, key: HostKey, minor: u64) {
        if let Some(number) = self.oracle.by_amount(minor) {
            self.oracle.advices.insert(key, number);
        }
    }

    pub fn advice_over(&mut self, key: &HostKey, by: Who) {
        let Some(number) = self.oracle.advices.get(key).copied() else {
            return;
        };
        if !self.sale(number).closed {
            self.violate("S2", || {
                format!(
                    "sale {number}: {by:?} ended its reversal, and the issuer never confirmed it"
                )
            });
        }
    }

    // Acquirer.

    pub fn rrn_taken(&mut self, who: Who, rrn: [u8; 12]) {
        if !self.oracle.rrns.insert((who, rrn)) {
            self.violate("A4", || {
                format!("reference number {} twice", String::from_utf8_lossy(&rrn))
            });
        }
    }

    pub fn acquirer_forwarded(&mut self, minor: u64) {
        let Some(number) = self.oracle.by_amount(minor) else {
            return;
        };
        let sale = self.sale(number);
        sale.forwarded += 1;
        if sale.forwarded > 1 {
            self.violate("A2", || {
                format!("sale {number}: the acquirer forwarded it twice")
            });
        }
    }

    pub fn acquirer_answered(&mut self, key: &SaleKey, answer: &acquirer::FirstAnswer) {
        let Some(number) = self.oracle.by_key(key) else {
            return;
        };
        let success = answer.code.is_success();
        let sale = self.sale(number);
        if !success {
            return;
        }
        sale.booked = true;
        sale.acquirer_settlement = answer.settlement;
        let right = sale.approved && sale.approval == answer.approval.map(|code| code.0);
        let dates = (sale.settlement, answer.settlement);
        if !right {
            self.violate("A3", || {
                format!("sale {number}: the acquirer took an approval that its issuer never gave")
            });
        } else if dates.0 != dates.1 {
            self.violate("M8", || {
                format!("sale {number}: settlement dates {dates:?}")
            });
        }
    }

    pub fn acquirer_reverses(&mut self, key: &SaleKey) {
        if let Some(number) = self.oracle.by_key(key) {
            let sale = self.sale(number);
            sale.reversing = true;
            sale.booked = false;
            if sale.approved {
                self.mark(crate::marks::Mark::ReversedAfterApproval);
            }
        }
    }

    pub fn acquirer_reversed(&mut self, key: &SaleKey, done: bool) {
        let Some(number) = self.oracle.by_key(key) else {
            return;
        };
        if done && !self.sale(number).closed {
            self.violate("V1", || {
                format!("sale {number}: called reversed, and the issuer confirmed nothing")
            });
        }
    }

    /// An answer of the acquirer to a sale leaves.
    pub fn acquirer_says(&mut self, number: u32, said: Said) {
        let sale = self.sale(number);
        let (first, reversing) = (*sale.said.get_or_insert(said), sale.reversing);
        let same = first == said;
        if said.success && reversing {
            self.violate("A1", || {
                format!("sale {number}: an approval left after its reversal")
            });
        } else if !same && (said.success || !reversing) {
            self.violate("A1", || {
                format!("sale {number}: first {first:?}, now {said:?}")
            });
        }
    }

    // Terminals.

    pub fn terminal_asked(&mut self, terminal: u8, request: &Request) {
        let at = usize::from(terminal);
        match request {
            Request::Financial { sale, .. } if sale.kind.row().moves_money() => {
                let Some(number) = self.oracle.by_amount(sale.amount.minor) else {
                    return;
                };
                if let Some(open) = self.oracle.open[at] {
                    self.violate("T2", || {
                        format!("till {at} starts sale {number} while sale {open} is unresolved")
                    });
                }
                self.oracle.open[at] = Some(number);
                self.oracle.keys.insert(sale.key, number);
                let before = self.sale(number);
                before.begun = true;
                before.key = Some(sale.key);
            }
            Request::Reversal { sale, .. } => {
                if let Some(number) = self.oracle.by_amount(sale.amount.minor) {
                    self.terminal_reverses(number);
                }
            }
            _ => {}
        }
    }

    pub fn terminal_reverses(&mut self, number: u32) {
        let sale = self.sale(number);
        sale.terminal_reverses = true;
        if sale.approved_shown.is_some() {
            self.violate("T5", || {
                format!("sale {number}: reversed by the till after it showed the approval")
            });
        }
    }

    pub fn terminal_ended(&mut self, terminal: u8, ending: &terminal::Ending) {
        let Some(number) = self.oracle.open[usize::from(terminal)].take() else {
            return;
        };
        let end = match ending {
            terminal::Ending::Approved(_) => End::Approved,
            terminal::Ending::Declined(_) => End::Declined,
            terminal::Ending::NotSent => End::NotSent,
            terminal::Ending::Reversed { .. } => End::Reversed,
            terminal::Ending::Case => End::Case,
        };
        let sale = self.sale(number);
        sale.endings += 1;
        sale.end = Some(end);
        let sale = sale.clone();
        if sale.endings > 1 {
            self.violate("T4", || {
                format!("sale {number} ended {} times", sale.endings)
            });
        }
        match ending {
            terminal::Ending::Approved(approval) => {
                let right = sale.approved
                    && !sale.closed
                    && sale.approval == approval.approval.map(|code| code.0)
                    && approval.amount.minor == sale.minor;
                if !right {
                    self.violate("T1", || {
                        format!(
                            "sale {number} of {}: the till took {approval:?}; issuer: {sale:?}",
                            sale.minor
                        )
                    });
                }
                if sale.terminal_reverses {
                    self.violate("T1", || {
                        format!("sale {number}: approved after its reversal was recorded")
                    });
                }
            }
            terminal::Ending::Reversed { .. } if sale.net() != 0 => {
                self.violate("V1", || {
                    format!(
                        "sale {number}: the till says reversed, and {} stay debited",
                        sale.net()
                    )
                });
            }
            terminal::Ending::NotSent if sale.forwarded > 0 => {
                self.violate("T4", || {
                    format!("sale {number}: the till says that it never left, and it was forwarded")
                });
            }
            _ => {}
        }
    }
}
