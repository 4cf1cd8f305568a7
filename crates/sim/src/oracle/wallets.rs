//! What the wallet's provider did, and what the acquirers' records say of their orders.
//!
//! W1 every order ends as success, closed or revoked, once; W2 a customer is never debited twice for one sale; W3 nothing is
//! revoked sooner than the published rules allow.

use crate::core::{Core, Who};
use crate::marks::Mark;
use crate::setup::REVOKE_AFTER_MS;
use acquirer::wallet::{Ask, Change, End, WalletRecord};
use payment::kind::Rail;
use payment::terminal::Sale;
use payment::{Mono, SaleKey};

/// An order by the acquirers' records.
#[derive(Clone, Copy, Debug)]
pub struct Ordered {
    made: Mono,
    ended: Option<End>,
}

impl super::Oracle {
    /// The refund that has this number within an order, when a shop asked for it.
    pub fn refund_of(&self, order: &SaleKey, number: u8) -> Option<u32> {
        self.wallet_refunds.get(&(*order, number)).copied()
    }

    /// Decided by a wallet.
    pub fn is_scanned(&self, number: u32) -> bool {
        self.sales[number as usize].kind.row().rail == Rail::Wallet
    }
}

impl Core {
    /// The acquirer makes an order, or asks for the refund of one.
    pub fn acquirer_ordered(&mut self, sale: &Sale, original: Option<SaleKey>, refund: Option<u8>) {
        let Some(number) = self.acquirer_took(sale) else {
            return;
        };
        if let (Some(order), Some(refund)) = (original, refund) {
            self.oracle.wallet_refunds.insert((order, refund), number);
        }
    }

    /// Something happened to an order.
    pub fn order_changed(&mut self, record: &WalletRecord<SaleKey>) {
        let Some(number) = self.oracle.by_key(&record.key) else {
            return;
        };
        let known = self.oracle.orders.get(&record.key).copied();
        match (&record.change, known) {
            (Change::Created { at, .. }, _) => {
                let made = Ordered {
                    made: *at,
                    ended: None,
                };
                self.oracle.orders.insert(record.key, made);
            }
            (
                Change::Asked {
                    what: Ask::Revoke,
                    at,
                    ..
                },
                Some(order),
            ) => {
                let age_ms = at.since_ms(order.made);
                if age_ms < REVOKE_AFTER_MS {
                    self.violate("W3", || {
                        format!("sale {number}: its order is revoked after {age_ms} ms")
                    });
                }
            }
            (Change::Ended { end, .. }, Some(order)) => {
                if let Some(first) = order.ended {
                    self.violate("W1", || {
                        format!("sale {number}: its order ended as {first:?}, and then as {end:?}")
                    });
                }
                let ended = Some(*end);
                self.oracle
                    .orders
                    .insert(record.key, Ordered { ended, ..order });
                if *end != End::Success && order.ended.is_none() {
                    self.mark(Mark::WalletOrderUndone);
                }
            }
            (Change::Certain, _) => self.mark(Mark::WalletAbsent),
            _ => {}
        }
    }

    /// The provider takes the money of an order.
    pub fn wallet_paid(&mut self, number: u32, minor: u64) {
        let due = self.oracle.due(number);
        let sale = self.sale(number);
        sale.approvals += 1;
        sale.debits += 1;
        sale.moved.taken += minor as i64;
        sale.due = due;
        let (debits, own, closed) = (sale.debits, sale.minor, sale.closed);
        if debits > 1 {
            self.violate("W2", || {
                format!("sale {number}: the customer paid {debits} times")
            });
        }
        if minor != own {
            self.violate("M1", || format!("sale {number} of {own}: {minor} paid"));
        }
        if closed {
            self.violate("M5", || format!("sale {number}: paid after it was over"));
        }
    }

    /// The provider gives back what nobody asked for any more: revoked, withdrawn, late.
    pub fn wallet_gave_back(&mut self, number: u32, minor: i64) {
        let sale = self.sale(number);
        sale.moved.taken -= minor;
        sale.credits += 1;
        let left = sale.moved.taken;
        sale.returned |= left <= 0;
        if left < 0 {
            self.violate("M4", || {
                format!("sale {number}: {left} is left after it was given back")
            });
        }
    }

    /// The provider pays a refund that a shop asked for.
    pub fn wallet_refunded(&mut self, number: u32, minor: u64) {
        let sale = self.sale(number);
        let (kind, wrong, repeated) = (sale.kind, sale.wrong.is_some(), sale.approvals > 0);
        let allowed = self.oracle.allows(kind, minor, number);
        if let (Err(why), false) = (allowed, repeated) {
            self.violate("R1", || format!("sale {number}: {kind:?} paid, and {why}"));
        } else if wrong {
            self.violate("R5", || {
                format!("sale {number}: {kind:?} was ordered wrongly and paid")
            });
        }
        let due = self.oracle.due(number);
        let sale = self.sale(number);
        sale.approvals += 1;
        sale.moved.taken -= minor as i64;
        sale.due = due;
        let approvals = sale.approvals;
        if approvals > 1 {
            self.violate("R2", || {
                format!("sale {number}: the wallet refunded it {approvals} times")
            });
        }
    }
}

/// Where an order of this acquirer stands at rest, when that is wrong.
pub fn unended(core: &Core, who: Who, state: &acquirer::State) -> Vec<String> {
    let mut wrong = Vec::new();
    for (key, order) in state.wallets().orders() {
        let kept = core.provider.kept_of(key);
        let own = order.net_minor() as i64;
        if !order.is_over() {
            wrong.push(format!(
                "{who:?}: the order of {key} is {:?} for ever",
                order.stage()
            ));
        } else if kept != own {
            wrong.push(format!(
                "{who:?}: of {key} the wallet keeps {kept}, and the order says {own}"
            ));
        }
    }
    wrong
}
