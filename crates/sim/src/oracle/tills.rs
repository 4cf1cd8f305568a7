//! What the terminals' records say.

use super::{End, Kept, Sale};
use crate::core::Core;
use crate::marks::Mark;
use payment::Kind;
use payment::terminal::Request;
use terminal::Ending;

impl Core {
    pub fn terminal_asked(&mut self, terminal: u8, request: &Request) {
        let at = usize::from(terminal);
        match request {
            Request::Financial { sale, .. } if sale.kind.row().is_advice() => {
                if let Some(number) = self.oracle.by_key(&sale.key)
                    && self.sale(number).sent[0].is_some()
                {
                    self.mark(Mark::AdviceRepeated);
                }
            }
            Request::Financial { sale, .. } => {
                let Some(number) = self.wrote_down(terminal, sale) else {
                    return;
                };
                if !sale.kind.row().reversible() {
                    return;
                }
                if let Some(open) = self.oracle.open[at] {
                    self.violate("T2", || {
                        format!("till {at} starts sale {number} while sale {open} is unresolved")
                    });
                }
                self.oracle.open[at] = Some(number);
            }
            Request::Reversal { sale, .. } => {
                if let Some(number) = self.oracle.by_key(&sale.key) {
                    self.terminal_reverses(number);
                }
            }
            _ => {}
        }
    }

    /// An advice is kept.
    pub fn terminal_stored(&mut self, terminal: u8, sale: &payment::terminal::Sale) {
        let stored =
            |core: &mut Self, number| core.oracle.stored[usize::from(terminal)].push_back(number);
        if sale.kind == Kind::CashLink {
            let earlier = sale
                .linked
                .and_then(|linked| self.oracle.by_key(&linked.earlier));
            let Some(earlier) = earlier else {
                return self.violate("C1", || "cash is linked to no sale".to_owned());
            };
            return stored(self, Kept::Link(earlier));
        }
        if sale.kind == Kind::ScriptResult {
            if let Some(number) = self.script_kept(sale) {
                // It goes before everything that waits.
                self.oracle.stored[usize::from(terminal)].push_front(Kept::Sale(number));
            }
            return;
        }
        let Some(number) = self.wrote_down(terminal, sale) else {
            return;
        };
        stored(self, Kept::Sale(number));
        let sale = self.sale(number);
        if sale.is_stored() {
            sale.end = Some(End::Approved);
        }
    }

    /// What the cashier ordered last has a key from now on.
    fn wrote_down(&mut self, terminal: u8, sale: &payment::terminal::Sale) -> Option<u32> {
        let key = sale.key;
        let ordered = self.oracle.ordered[usize::from(terminal)].take();
        let Some(number) = ordered.filter(|_| self.oracle.by_key(&key).is_none()) else {
            self.violate("T2", || format!("{key}: a request that nobody ordered"));
            return None;
        };
        self.oracle.keys.insert(key, number);
        let own = self.sale(number);
        own.begun = true;
        own.key = Some(key);
        if own.minor == 0 {
            own.minor = sale.amount.minor;
        }
        let same = (own.kind, own.minor, own.linked) == (sale.kind, sale.amount.minor, sale.linked);
        if let Some(first) = own.original {
            self.sale(first).later.push(number);
        }
        if !same {
            let (kind, minor) = (sale.kind, sale.amount.minor);
            self.violate("A3", || {
                format!("sale {number}: the till asks for {kind:?} of {minor}")
            });
        }
        Some(number)
    }

    pub fn terminal_reverses(&mut self, number: u32) {
        let sale = self.sale(number);
        sale.terminal_reverses = true;
        let (shown, kind) = (sale.approved_shown.is_some(), sale.kind);
        if shown {
            self.violate("T5", || {
                format!("sale {number}: reversed by the till after it showed the approval")
            });
        }
        if !kind.row().reversible() {
            self.violate("R2", || {
                format!("sale {number}: {kind:?} is never reversed, and the till reverses it")
            });
        }
    }

    pub fn terminal_ended(&mut self, terminal: u8, ending: &Ending) {
        let Some(number) = self.oracle.open[usize::from(terminal)].take() else {
            return;
        };
        self.ended(number, ending);
        self.judge_cash(number, ending);
        let sale = self.sale(number);
        let (reverses, forwarded) = (sale.terminal_reverses, sale.forwarded);
        let (back, moved) = (!sale.stands(), sale.moved);
        match ending {
            Ending::Approved(_) if reverses => {
                self.violate("T1", || {
                    format!("sale {number}: approved after its reversal was recorded")
                });
            }
            Ending::Reversed { .. } if !back => {
                self.violate("V1", || {
                    format!("sale {number}: the till says reversed, and {moved:?} stays")
                });
            }
            Ending::NotSent if forwarded > 0 => {
                self.violate("T4", || {
                    format!("sale {number}: the till says that it never left, and it was forwarded")
                });
            }
            _ => {}
        }
    }

    /// The oldest advice of a terminal was answered.
    pub fn advice_ended(&mut self, terminal: u8, ending: &Ending) {
        let Some(kept) = self.oracle.stored[usize::from(terminal)].pop_front() else {
            return self.violate("R2", || {
                format!("till {terminal}: an advice ended that was never stored")
            });
        };
        let number = match kept {
            Kept::Sale(number) => number,
            Kept::Link(number) => return self.link_answered(terminal, number, ending),
        };
        let sale = self.sale(number);
        let told = sale.end == Some(End::Approved);
        if told && matches!(ending, Ending::Declined(_)) {
            self.mark(Mark::AdviceRefused);
        }
        self.ended(number, ending);
    }

    fn ended(&mut self, number: u32, ending: &Ending) {
        let sale = self.sale(number);
        sale.endings += 1;
        sale.end = Some(match ending {
            Ending::Approved(_) => End::Approved,
            Ending::Declined(_) => End::Declined,
            Ending::NotSent => End::NotSent,
            Ending::Reversed { .. } => End::Reversed,
            Ending::Case | Ending::Replaced => End::Case,
        });
        if let Ending::Approved(approval) = ending {
            (sale.rrn, sale.code) = (approval.rrn, approval.approval);
        }
        let sale = sale.clone();
        if sale.endings > 1 {
            self.violate("T4", || {
                format!("sale {number} ended {} times", sale.endings)
            });
        }
        match ending {
            Ending::Approved(approval) => {
                self.judge_ending(number, &sale, approval);
                self.judge_chip(number);
            }
            Ending::Declined(code) => {
                self.mark(Mark::Declined);
                let code = code.as_str();
                if sale.wrong.is_some_and(|codes| codes[..1].contains(&code)) {
                    self.mark(Mark::RefusedAsDocumented);
                }
                let about = ["12", "22", "25", "58", "61", "64"].contains(&code);
                if about && sale.wrong.is_some_and(|codes| !codes.contains(&code)) {
                    self.violate("R5", || {
                        format!(
                            "sale {number}: ordered wrongly and refused with {code}, not with {:?}",
                            sale.wrong
                        )
                    });
                }
            }
            _ => {}
        }
    }

    fn judge_ending(&mut self, number: u32, sale: &Sale, approval: &terminal::Approval) {
        let right = sale.approved()
            && (!sale.closed || sale.replaced)
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
    }
}
