//! What the records of network and acquirers say, and what an acquirer tells its terminals.

use crate::core::{Core, Who};
use crate::marks::Mark;
use crate::node::Said;
use payment::terminal::Sale;
use payment::{HostKey, ResponseCode, SaleKey};

impl Core {
    // Network.

    pub fn network_forwarded(&mut self, key: &HostKey) {
        let Some(number) = self.oracle.by_host(key) else {
            return;
        };
        let sale = self.sale(number);
        sale.relayed += 1;
        // An advice that nobody could answer is forwarded until somebody can (R2 judges what comes of it).
        if sale.relayed > 1 && !sale.is_advice() {
            self.violate("A2", || {
                format!("sale {number}: the network forwarded it twice")
            });
        }
    }

    /// The network gave a request up and reverses nothing.
    pub fn network_left(&mut self, key: &HostKey) {
        let number = self.oracle.by_host(key);
        if number.is_none_or(|number| self.sale(number).kind.row().reversible()) {
            self.violate("S1", || {
                format!("{key}: the network forwarded it, gave it up and reverses nothing")
            });
        }
    }

    /// The acquirer reverses one of its transactions.
    pub fn reversal_begun(&mut self, key: HostKey, original: &SaleKey) {
        if let Some(number) = self.oracle.by_key(original) {
            self.oracle.advices.insert(key, (number, None));
        }
    }

    pub fn advice_begun(&mut self, key: HostKey, original: &HostKey) {
        let leg = self.oracle.legs.get(original);
        let leg = leg.map(|(number, leg)| (*number, Some(*leg)));
        let whole = self.oracle.by_host(original).map(|number| (number, None));
        if let Some(of) = leg.or(whole) {
            self.oracle.advices.insert(key, of);
        }
    }

    pub fn advice_over(&mut self, key: &HostKey, by: Who) {
        let Some((number, leg)) = self.oracle.advices.get(key).copied() else {
            return;
        };
        let sale = self.sale(number);
        let closed = leg.map_or(sale.closed, |leg| sale.legs[leg].is_closed());
        if !closed {
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

    pub fn acquirer_forwarded(&mut self, sale: &Sale, host: HostKey) {
        if let Some(number) = self.acquirer_took(sale) {
            self.oracle.hosts.insert(host, number);
        }
    }

    /// The acquirer took a request upstream, to the network or to a wallet.
    pub fn acquirer_took(&mut self, sale: &Sale) -> Option<u32> {
        let Some(number) = self.oracle.by_key(&sale.key) else {
            let key = sale.key;
            self.violate("T3", || {
                format!("{key} was forwarded, and its till has not written it down")
            });
            return None;
        };
        self.judge_repetition(number);
        let own = self.sale(number);
        own.forwarded += 1;
        own.token = Some(sale.card.token);
        let (times, same) = (
            own.forwarded,
            (own.kind, own.minor) == (sale.kind, sale.amount.minor),
        );
        if times > 1 {
            self.violate("A2", || {
                format!("sale {number}: the acquirer forwarded it twice")
            });
        }
        if !same {
            let (kind, minor) = (sale.kind, sale.amount.minor);
            self.violate("A3", || {
                format!("sale {number}: forwarded as {kind:?} of {minor}")
            });
        }
        Some(number)
    }

    /// The request never left.
    pub fn acquirer_not_sent(&mut self, key: &SaleKey) {
        if let Some(number) = self.oracle.by_key(key) {
            self.sale(number).answered = true;
        }
    }

    pub fn acquirer_answered(&mut self, key: &SaleKey, answer: &acquirer::FirstAnswer) {
        let Some(number) = self.oracle.by_key(key) else {
            return;
        };
        self.sale(number).answered = true;
        if !answer.code.is_success() {
            return;
        }
        let sale = self.sale(number);
        sale.booked = true;
        sale.bookings += 1;
        sale.acquirer_settlement = answer.settlement;
        let (bookings, advice) = (sale.bookings, sale.is_advice());
        let right = sale.approved() && sale.approval == answer.approval.map(|code| code.0);
        let dates = (sale.settlement, answer.settlement);
        if bookings > 1 {
            self.violate(if advice { "R2" } else { "M3" }, || {
                format!("sale {number}: the acquirer booked it {bookings} times")
            });
        }
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

    pub fn acquirer_reverses(&mut self, key: &SaleKey, replaced: bool) {
        let Some(number) = self.oracle.by_key(key) else {
            return;
        };
        let sale = self.sale(number);
        sale.reversing = true;
        sale.replaced |= replaced;
        sale.booked = false;
        let (approved, kind) = (sale.approved(), sale.kind);
        if approved {
            self.mark(Mark::ReversedAfterApproval);
        }
        if !kind.row().reversible() {
            self.violate("R2", || {
                format!("sale {number}: {kind:?} is never reversed, and the acquirer reverses it")
            });
        }
    }

    pub fn acquirer_reversed(&mut self, key: &SaleKey, done: bool) {
        let Some(number) = self.oracle.by_key(key) else {
            return;
        };
        let scanned = self.oracle.is_scanned(number);
        let sale = self.sale(number);
        sale.reversed |= done;
        // A wallet that never heard of an order has nothing to confirm.
        let confirmed = if scanned { !sale.stands() } else { sale.closed };
        if done && !confirmed {
            self.violate("V1", || {
                format!("sale {number}: called reversed, and the issuer confirmed nothing")
            });
        }
    }

    /// An answer of the acquirer to a sale leaves.
    pub fn acquirer_says(&mut self, number: u32, said: Said) {
        let (sale, code) = (self.sale(number), ResponseCode(said.code));
        let undecided = sale.is_advice() && code.is_transient();
        if undecided || code == ResponseCode::IN_PROGRESS {
            // It was not decided.
            return;
        }
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
}
