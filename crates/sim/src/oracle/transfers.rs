//! Transfers between two banks: what became of each leg, and of both together.
//!
//! X1 both legs stand or neither does, and nothing is credited that was not debited before.

use super::Sale;
use crate::accounts::Moved;
use crate::core::Core;
use crate::marks::Mark;
use payment::{HostKey, Institution, Kind};

/// Of two: the payer's bank debits.
pub const DEBIT: usize = 0;
/// Of two: the receiver's bank credits.
pub const CREDIT: usize = 1;

/// A leg of a transfer at its bank.
#[derive(Clone, Copy, Debug, Default)]
pub struct Leg {
    /// It may have left.
    pub sent: bool,
    approvals: u32,
    debits: u32,
    credits: u32,
    /// Its bank has taken a reversal.
    closed: bool,
    returned: bool,
}

impl Leg {
    /// Approved, and nothing took it back.
    pub fn stands(&self) -> bool {
        self.approvals > 0 && !self.returned
    }

    /// Nothing of it can come any more.
    pub fn is_closed(&self) -> bool {
        self.closed || !self.sent
    }
}

impl Core {
    /// The network takes a transfer between two banks, or a reversal of one that it has forgotten: then both legs may be out.
    pub fn network_splits(&mut self, key: &HostKey, network: Institution, known: bool) {
        let Some(number) = self.oracle.by_host(key) else {
            return;
        };
        let debit = HostKey {
            forwarder: network,
            ..*key
        };
        let credit = HostKey {
            acquirer: network,
            forwarder: key.acquirer,
            ..*key
        };
        for (leg, key) in [debit, credit].into_iter().enumerate() {
            self.oracle.legs.insert(key, (number, leg));
        }
        let legs = &mut self.sale(number).legs;
        let fresh = !legs[DEBIT].sent;
        legs[DEBIT].sent = true;
        legs[CREDIT].sent |= !known && fresh;
        if known {
            self.network_forwarded(key);
        }
    }

    /// The credit leg leaves.
    pub fn credit_sent(&mut self, key: &HostKey) {
        if let Some(number) = self.oracle.by_host(key) {
            self.sale(number).legs[CREDIT].sent = true;
        }
    }

    pub fn leg_answered(
        &mut self,
        (number, leg): (u32, usize),
        answered: &issuer::Answered,
        moved: Moved,
    ) {
        let moved = if leg == CREDIT {
            moved.received()
        } else {
            moved
        };
        let (success, books) = (answered.code.is_success(), !answered.entries.is_empty());
        let sale = self.sale(number);
        sale.moved += moved;
        // Its reversal may overtake a credit that is already on its way.
        let (minor, debited) = (sale.minor as i64, sale.legs[DEBIT].approvals > 0);
        let own = &mut sale.legs[leg];
        own.debits += u32::from(books);
        own.approvals += u32::from(success);
        let (debits, closed) = (own.debits, own.closed);
        if success {
            sale.debits = 1;
            sale.settlement = answered.sale.settlement;
            match leg {
                DEBIT => sale.approval = answered.approval.map(|code| code.0),
                _ => sale.approvals += 1,
            }
        }
        let (wrong, wrong_pin) = (sale.wrong.is_some(), sale.wrong_pin);
        if debits > 1 {
            self.violate("M3", || {
                format!("sale {number}: leg {leg} was booked {debits} times")
            });
        }
        if books && closed {
            self.violate("M5", || {
                format!("sale {number}: leg {leg} was booked after its reversal")
            });
        }
        let right = match leg {
            DEBIT => moved.taken == minor && moved.given == 0,
            _ => moved.given == minor,
        };
        if success && !right {
            self.violate("M1", || {
                format!("sale {number}: leg {leg} of {minor} approved, and {moved:?} booked")
            });
        }
        if success && leg == CREDIT && !debited {
            self.violate("X1", || {
                format!("sale {number}: credited, and the payer was never debited")
            });
        }
        if success && leg == DEBIT && wrong_pin {
            self.violate("PIN", || {
                format!("sale {number}: approved with a wrong PIN")
            });
        }
        if success && leg == CREDIT && wrong {
            self.violate("R5", || {
                format!("sale {number}: ordered wrongly, and credited")
            });
        }
        if !success && leg == CREDIT {
            self.mark(Mark::CreditRefused);
        }
    }

    pub fn leg_returned(
        &mut self,
        (number, leg): (u32, usize),
        returned: &issuer::Returned,
        moved: Moved,
    ) {
        let moved = if leg == CREDIT {
            moved.received()
        } else {
            moved
        };
        let books = !returned.entries.is_empty();
        let sale = self.sale(number);
        sale.moved += moved;
        let own = &mut sale.legs[leg];
        own.credits += u32::from(books);
        own.closed |= returned.code.reversal_done();
        own.returned |= returned.effective || books;
        let credits = own.credits;
        sale.returned |= own.returned;
        sale.closed = sale.legs.iter().all(Leg::is_closed);
        if books {
            self.mark(Mark::LegReversed);
        }
        if credits > 1 {
            self.violate("M4", || {
                format!("sale {number}: leg {leg} was taken back {credits} times")
            });
        }
        let sale = self.sale(number);
        let left = sale.moved;
        if sale.legs.iter().all(|leg| !leg.stands()) && left.all() != 0 {
            self.violate("M1", || {
                format!("sale {number}: no leg stands, and {left:?} stays")
            });
        }
    }
}

/// Between two banks.
pub fn is_split(sale: &Sale) -> bool {
    sale.kind == Kind::Transfer && sale.legs[DEBIT].sent
}
