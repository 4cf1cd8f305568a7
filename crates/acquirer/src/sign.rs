//! The positive sign heard: what a terminal's message proves of its last completed sale and slip.
//!
//! It counts only under a right MAC (settled point 5); an approval that nobody confirmed never leaves the queue by itself.

use crate::record::Record;
use crate::sale::SaleRecord;
use crate::{Acquirer, Decided, Effect};
use payment::evidence::Confirmation;
use payment::sign::Trouble;
use payment::terminal::Request;
use payment::{Mono, Now, SaleKey, SignOutcome};

impl Acquirer {
    /// Records what `request` confirms. Its MAC has been checked.
    pub(crate) fn hear_sign(&self, now: Now, request: &Request, decided: &mut Decided) {
        let origin = request.origin();
        if let Some(sign) = request.sign() {
            let key = SaleKey {
                terminal: origin.terminal,
                merchant: origin.merchant,
                batch: sign.batch,
                stan: sign.stan,
            };
            let said = Confirmation::Signed(sign.outcome, sign.slip);
            self.hear_taken(key, sign, decided);
            if let Some(sale) = self
                .state
                .sale(&key)
                .filter(|sale| tells_something_new(sale, said))
            {
                let disagrees = sale.stands() && sign.outcome != SignOutcome::Approved;
                decided.record(Record::Confirmed {
                    key,
                    confirmation: said,
                });
                if disagrees && sale.evidence.case.is_none() {
                    self.open_case(now, sale, decided);
                }
            }
        }
        let extended = self
            .config
            .terminals
            .get(&origin.terminal)
            .is_some_and(|t| t.extended);
        if let (false, Request::Financial { sale, .. }) = (extended, request) {
            self.imply(sale.key, decided);
        }
    }

    /// A plain terminal starts no sale before the last one is settled at its side: a newer request confirms older approvals.
    fn imply(&self, newer: SaleKey, decided: &mut Decided) {
        let oldest = SaleKey {
            batch: payment::Batch(0),
            stan: payment::Stan(0),
            ..newer
        };
        let older = self
            .state
            .sales
            .range(oldest..newer)
            .rev()
            .map(|(_, sale)| sale);
        // What stands before a sale so confirmed was confirmed with it.
        let news = older.take_while(|sale| sale.evidence.confirmation != Confirmation::Implied);
        for sale in news.filter(|sale| sale.awaits_confirmation()) {
            decided.record(Record::Confirmed {
                key: sale.key(),
                confirmation: Confirmation::Implied,
            });
        }
    }

    pub(crate) fn open_case(&self, now: Now, sale: &SaleRecord, decided: &mut Decided) {
        let case = self.state.counters.cases + 1;
        decided.record(Record::OneSided {
            key: sale.key(),
            case,
            at: now,
        });
        decided.effect(Effect::CaseOpened {
            case,
            key: sale.key(),
        });
    }

    /// Approvals whose time to be confirmed has passed enter the one-sided queue.
    pub(crate) fn age(&self, now: Now, decided: &mut Decided) {
        #[cfg(feature = "planted")]
        if self.planted == Some(crate::planted::Bug::NeverAges) {
            return;
        }
        let due = self
            .state
            .confirming
            .iter()
            .take_while(|(at, _)| *at <= now.mono)
            .take(crate::limits::TICK_MAX);
        for (n, (_, key)) in due.enumerate() {
            let case = self.state.counters.cases + 1 + n as u32;
            decided.record(Record::OneSided {
                key: *key,
                case,
                at: now,
            });
            decided.effect(Effect::CaseOpened { case, key: *key });
        }
    }

    /// When an approval given now must have been confirmed.
    pub(crate) fn confirm_by(&self, now: Now) -> Mono {
        now.mono.plus_ms(self.config.confirm_within_ms)
    }
}

fn tells_something_new(sale: &SaleRecord, said: Confirmation) -> bool {
    let known = sale.evidence.confirmation;
    let asked = sale.request.kind.row().reversible() && sale.answer.is_some();
    asked && known != said && !is_older(sale, said)
}

/// Messages may pass each other on their way. Of a sale that was taken back, what was said before its till knew is older; and
/// of one outcome the proof of the slip only grows, but for what somebody saw to be wrong with the paper.
fn is_older(sale: &SaleRecord, said: Confirmation) -> bool {
    use SignOutcome::{Approved, Reversed};
    let (Confirmation::Signed(had, slip), Confirmation::Signed(outcome, says)) =
        (sale.evidence.confirmation, said)
    else {
        return false;
    };
    let seen = matches!(says.trouble, Trouble::Blank | Trouble::Unseen);
    match (had, outcome) {
        (Reversed, Approved) => !sale.stands(),
        _ => had == outcome && says.level < slip.level && !seen,
    }
}
