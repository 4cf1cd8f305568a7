//! What the issuers' records say.

use super::Sale;
use crate::accounts::Moved;
use crate::core::Core;
use crate::marks::Mark;
use ledger::Entry;
use payment::{HostKey, Kind, Posting};

/// Refusals for the sake of the earlier transaction (UnionPay-style reference §6.3).
const ABOUT_ORIGINALS: [&str; 6] = ["12", "22", "25", "58", "61", "64"];

impl Core {
    pub(super) fn sale(&mut self, number: u32) -> &mut Sale {
        &mut self.oracle.sales[number as usize]
    }

    /// Adds entries up; a hold that ends twice is a violation.
    fn add_up(&mut self, bank: u8, entries: &[Entry]) -> Moved {
        let mut moved = Moved::default();
        let unit = self.oracle.units[usize::from(bank)];
        for entry in entries {
            let other = match entry {
                Entry::Post { transfer } | Entry::Hold { transfer, .. } => {
                    transfer.currency.0 != unit.0
                }
                Entry::Open { rules, .. } => rules.currency.0 != unit.0,
                _ => false,
            };
            if other {
                self.violate("M9", || {
                    format!("bank {bank}: {entry:?} is not in its unit")
                });
            }
            match self.oracle.accounts.add(bank, entry) {
                Ok(more) => moved += more,
                Err(why) => self.violate("R3", || format!("bank {bank}: {why}")),
            }
        }
        moved
    }

    fn holds(&mut self, number: u32, moved: Moved) {
        if let Some(first) = self.oracle.authorisation(number) {
            *self.oracle.held.entry(first).or_default() += moved.held;
        }
    }

    pub fn issuer_answered(&mut self, bank: u8, answered: &issuer::Answered) {
        let request = &answered.sale;
        let moved = self.add_up(bank, &answered.entries);
        if let Some(settlement) = request.settlement {
            self.oracle.settlements.insert(settlement);
        }
        if let Some(leg) = self.oracle.legs.get(&request.key).copied() {
            if answered.code.is_success() {
                self.judge_unit(bank, leg.0);
            }
            return self.leg_answered(leg, answered, moved);
        }
        let Some(number) = self.oracle.by_host(&request.key) else {
            return;
        };
        if let Some(counter) = answered.chip_counter {
            self.cryptogram_taken(number, counter);
        }
        let success = answered.code.is_success();
        if success {
            self.judge_unit(bank, number);
            self.judge_approval(number, request.amount.minor, moved);
        } else {
            self.judge_refusal(number, answered.code.as_str());
        }
        let books = !answered.entries.is_empty();
        let due = self.oracle.due(number);
        let sale = self.sale(number);
        sale.moved += moved;
        sale.debits += u32::from(books);
        let (debits, closed) = (sale.debits, sale.closed);
        if success {
            sale.approvals += 1;
            sale.approval = answered.approval.map(|code| code.0);
            sale.settlement = request.settlement;
            if sale.approvals == 1 {
                sale.due = due;
            }
        }
        let (approvals, advice) = (sale.approvals, sale.is_advice());
        self.holds(number, moved);
        if advice && (debits > 1 || approvals > 1) {
            self.violate("R2", || {
                format!("sale {number}: the issuer applied the advice {approvals} times")
            });
        } else if debits > 1 {
            self.violate("M3", || {
                format!("sale {number}: the issuer debited {debits} times")
            });
        }
        if books && closed {
            self.violate("M5", || {
                format!("sale {number}: debited after its reversal")
            });
        }
    }

    /// Money and quota never mix: each bank serves what is in its own unit.
    fn judge_unit(&mut self, bank: u8, number: u32) {
        let (kind, unit) = (self.sale(number).kind, self.oracle.units[usize::from(bank)]);
        if kind.row().unit != unit {
            self.violate("M9", || {
                format!("sale {number}: {kind:?} approved by a bank that keeps {unit:?}")
            });
        }
    }

    fn judge_approval(&mut self, number: u32, minor: u64, moved: Moved) {
        let sale = self.sale(number);
        let (own, kind, wrong_pin) = (sale.minor, sale.kind, sale.wrong_pin);
        let (wrong, repeated) = (sale.wrong.is_some(), sale.approvals > 0);
        if minor != own {
            self.violate("M1", || {
                format!("sale {number} of {own}: approved over {minor}")
            });
        }
        if wrong_pin {
            self.violate("PIN", || {
                format!("sale {number}: approved with a wrong PIN")
            });
        }
        if repeated || kind == Kind::ScriptResult {
            return;
        }
        if let Err(why) = self.oracle.allows(kind, minor, number) {
            let name = match kind.row().posting {
                Posting::HoldMore | Posting::Release | Posting::Capture | Posting::Uncapture => {
                    "R3"
                }
                _ => "R1",
            };
            self.violate(name, || {
                format!("sale {number}: {kind:?} approved, and {why}")
            });
        } else if wrong {
            self.violate("R5", || {
                format!("sale {number}: {kind:?} was ordered wrongly and approved")
            });
        }
        if let Some(name) = self.oracle.misbooked(number, moved) {
            self.violate(name, || {
                format!("sale {number}: {kind:?} of {minor} approved, and {moved:?} booked")
            });
        }
    }

    /// What nothing speaks against at the issuer is not refused for its original's sake: a claim that was given back is
    /// given back there too.
    fn judge_refusal(&mut self, number: u32, code: &str) {
        let sale = self.sale(number);
        let (kind, minor, closed) = (sale.kind, sale.minor, sale.closed);
        let about = kind.row().original.is_some() && ABOUT_ORIGINALS.contains(&code) && !closed;
        if about && self.oracle.allows(kind, minor, number).is_ok() {
            self.violate("R4", || {
                format!("sale {number}: {kind:?} refused with {code}, and its original stands")
            });
        }
    }

    pub fn issuer_returned(&mut self, bank: u8, returned: &issuer::Returned) {
        let moved = self.add_up(bank, &returned.entries);
        if returned.barred {
            self.mark(Mark::ReversalBeforeOriginal);
        }
        if let Some(leg) = self.oracle.legs.get(&returned.reversal.original).copied() {
            return self.leg_returned(leg, returned, moved);
        }
        let Some(number) = self.oracle.by_host(&returned.reversal.original) else {
            return;
        };
        self.holds(number, moved);
        let sale = self.sale(number);
        sale.moved += moved;
        sale.credits += u32::from(!returned.entries.is_empty());
        sale.closed |= returned.code.reversal_done();
        // Of a hold that has run out nothing is left to return.
        sale.returned |= returned.effective
            || !returned.entries.is_empty()
            || (sale.expired && returned.code.reversal_done());
        let sale = sale.clone();
        if sale.credits > 1 {
            self.violate("M4", || {
                format!("sale {number}: returned {} times", sale.credits)
            });
        }
        if sale.returned && sale.kind.row().original.is_some() {
            self.mark(Mark::LaterOneReversed);
        }
        if let (true, Some(name)) = (
            returned.code.reversal_done(),
            self.left_behind(bank, number),
        ) {
            self.violate(name, || {
                format!(
                    "sale {number}: its reversal was answered done, and {:?} stays",
                    sale.moved
                )
            });
        }
    }

    /// The invariant that a transaction breaks when its reversal was answered done and something of it stays.
    fn left_behind(&self, bank: u8, number: u32) -> Option<&'static str> {
        let sale = &self.oracle.sales[number as usize];
        let moved = sale.moved;
        let name = match sale.kind.row().posting {
            Posting::Undo | Posting::Uncapture => "R4",
            _ => "M1",
        };
        if moved.taken + moved.owed - moved.given != 0 {
            return Some(name);
        }
        let Some(first) = self.oracle.authorisation(number) else {
            return (moved.held != 0).then_some(name);
        };
        // The pre-authorisation holds what it stands for, as far as the account has room for it.
        let authorisation = &self.oracle.sales[first as usize];
        let over = !authorisation.stands()
            || self.oracle.is_undone(first)
            || self.oracle.captured(first) > 0;
        let total = if over {
            0
        } else {
            self.oracle.total(first) as i64
        };
        let held = self.oracle.held.get(&first).copied().unwrap_or(0);
        let missing = held == 0 && total > 0 && self.room(bank, sale.card) > 0;
        (held > total || missing).then_some("R3")
    }

    fn room(&self, bank: u8, card: usize) -> i64 {
        let account = crate::setup::account(card);
        self.oracle.openings[card] - self.oracle.accounts.of(bank, account).out()
    }

    /// The holds of a pre-authorisation ran out.
    pub fn issuer_expired(&mut self, bank: u8, key: &HostKey, entries: &[Entry]) {
        let moved = self.add_up(bank, entries);
        let Some(number) = self.oracle.by_host(key) else {
            return;
        };
        self.mark(Mark::HoldExpired);
        self.holds(number, moved);
        let left = self.oracle.held.get(&number).copied().unwrap_or(0);
        let captured = self.oracle.captured(number);
        let before = self.oracle.is_undone(number);
        self.sale(number).expired = true;
        let mut family = vec![number];
        while let Some(member) = family.pop() {
            let sale = self.sale(member);
            sale.moved.held = 0;
            family.extend(sale.later.iter().copied());
        }
        if left != 0 || captured > 0 || before {
            self.violate("R3", || {
                format!("sale {number}: its hold ran out, {left} is held, {captured} captured, released before: {before}")
            });
        }
    }

    pub fn noticed(&mut self, notice: &issuer::Notice) {
        use issuer::NoticeKind::{Adjusted, Debited, Held, Received, Released, Returned, Sent};
        let told = |sale: &Sale| {
            let forward = match sale.kind.row().posting {
                Posting::Credit | Posting::Undo | Posting::Uncapture => Returned,
                Posting::Hold | Posting::HoldMore => Held,
                Posting::Release => Released,
                Posting::Adjust => Adjusted,
                Posting::Move | Posting::MoveOut => Sent,
                Posting::MoveIn => Received,
                Posting::None | Posting::Debit | Posting::Capture => Debited,
            };
            sale.minor == notice.amount.minor
                && sale.debits > 0
                && (notice.kind == forward || sale.credits > 0 || sale.receives())
        };
        if !self.oracle.sales.iter().any(told) {
            let (kind, minor) = (notice.kind, notice.amount.minor);
            self.violate("F11", || {
                format!("the cardholder was told {kind:?} {minor}, and nothing is booked")
            });
        }
    }
}
